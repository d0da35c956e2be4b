//! The JSON API.

use crate::hub::content::page::Page;
use crate::hub::live::{OfficeSnapshot, Snapshot};
use crate::hub::view::OfficeView;
use crate::hub::web::parts::json;
use crate::hub::web::request::Shared;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// Answer of `/api/v1/offices`.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Offices {
    /// In the order of the pages.
    offices: Vec<OfficeView>,
}

/// `{"offices":[…]` without its closing brace, put together from what is serialised already.
pub(crate) fn list(offices: &[Arc<OfficeSnapshot>]) -> Vec<u8> {
    let len: usize = offices.iter().map(|o| o.json().len() + 1).sum();
    let mut out = Vec::with_capacity(len + 48);
    out.extend_from_slice(br#"{"offices":["#);
    for (i, office) in offices.iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        out.extend_from_slice(office.json());
    }
    out.push(b']');
    out
}

fn all(snapshot: &Snapshot) -> &Page {
    snapshot.api.get_or_init(|| {
        let mut body = list(&snapshot.offices);
        body.push(b'}');
        Page::json(body)
    })
}

pub(crate) async fn offices(State(hub): Shared, headers: HeaderMap) -> Response {
    all(&hub.live.current()).respond(&headers)
}

pub(crate) async fn office(
    State(hub): Shared,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    match hub.live.current().office(&id) {
        Some(office) => office
            .api
            .get_or_init(|| Page::json(office.json().clone()))
            .respond(&headers),
        None => json::not_found(),
    }
}
