//! Server-Sent Events: the state, then what changes of it.
//!
//! An event's id names the run and the publication: a client that comes back with the newest one
//! misses nothing and gets nothing twice; any other gets the whole state.

mod handoff;
mod viewer;

pub(crate) use handoff::{StreamHandoff, head, serve_stream};
pub(crate) use viewer::Viewer;

use crate::hub::content::event::Packing;
use crate::hub::content::lang::Lang;
use crate::hub::content::page::accepts_gzip;
use crate::hub::core::Hub;
use crate::hub::live::Scope;
use crate::hub::web::parts::json;
use crate::hub::web::request::{Query, Shared};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use std::sync::Arc;
use viewer::{Form, Seat};

pub(crate) async fn all(State(hub): Shared, query: Query, headers: HeaderMap) -> Response {
    open(hub, Scope::All, Form::Json, &query, &headers)
}

pub(crate) async fn office(
    State(hub): Shared,
    Path(id): Path<String>,
    query: Query,
    headers: HeaderMap,
) -> Response {
    open_office(hub, &id, Form::Json, &query, &headers)
}

pub(crate) async fn live_all(
    State(hub): Shared,
    Path(tag): Path<String>,
    query: Query,
    headers: HeaderMap,
) -> Response {
    match Lang::find(&tag) {
        Some(lang) => open(hub, Scope::All, Form::Parts(lang), &query, &headers),
        None => json::not_found(),
    }
}

pub(crate) async fn live_office(
    State(hub): Shared,
    Path((tag, id)): Path<(String, String)>,
    query: Query,
    headers: HeaderMap,
) -> Response {
    match Lang::find(&tag) {
        Some(lang) => open_office(hub, &id, Form::Parts(lang), &query, &headers),
        None => json::not_found(),
    }
}

fn open_office(
    hub: Arc<Hub>,
    id: &str,
    form: Form,
    query: &Query,
    headers: &HeaderMap,
) -> Response {
    let Some(id) = hub.live.current().office(id).map(|o| o.view.id.clone()) else {
        return json::not_found();
    };
    open(hub, Scope::Office(id), form, query, headers)
}

fn open(hub: Arc<Hub>, scope: Scope, form: Form, query: &Query, headers: &HeaderMap) -> Response {
    let Some(seat) = Seat::take(&hub) else {
        return json::unavailable("too many viewers");
    };
    // A page names the publication it was made from by `since`; a browser that reconnects, the last
    // one it got.
    let last = headers.get("last-event-id").and_then(|v| v.to_str().ok());
    let seen = last
        .or_else(|| query.get("since"))
        .and_then(|id| hub.live.version(id));
    // Subscribed before the state is read, so that nothing is missed between the two.
    let news = hub.live.subscribe(&scope);
    let packing = if accepts_gzip(headers) {
        Packing::Gzip
    } else {
        Packing::Plain
    };
    let viewer = Viewer::new(seat, hub, scope, form, packing, news, seen);
    let mut answer = StreamHandoff::answer(viewer);
    let headers = answer.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-store"),
        // nginx would otherwise hold events back to fill its buffer.
        (header::HeaderName::from_static("x-accel-buffering"), "no"),
        (header::VARY, "accept-encoding"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if packing == Packing::Gzip {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    answer
}
