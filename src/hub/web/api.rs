//! The JSON API.

use super::Shared;
use crate::hub::live::{OfficeSnap, Snapshot};
use crate::hub::page::Page;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// What went wrong (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Problem {
    /// The status of the answer.
    status: u16,
    /// One line for people.
    title: &'static str,
}

/// Answer of `/api/v1/offices`.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Offices {
    /// In the order of the pages.
    offices: Vec<crate::hub::view::OfficeView>,
}

/// `{"offices":[…]` without its closing brace, put together from what is serialised already.
pub(super) fn list(offices: &[Arc<OfficeSnap>]) -> Vec<u8> {
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

pub(super) async fn offices(State(hub): Shared, headers: HeaderMap) -> Response {
    all(&hub.live.current()).respond(&headers)
}

pub(super) async fn office(
    State(hub): Shared,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    match hub.live.current().office(&id) {
        Some(office) => office
            .api
            .get_or_init(|| Page::json(office.json().clone()))
            .respond(&headers),
        None => not_found(),
    }
}

/// Serialises an answer, with its entity tag. Plain values cannot fail to be serialised.
pub(super) fn answer(value: &impl serde::Serialize, headers: &HeaderMap) -> Response {
    Page::json(serde_json::to_vec(value).unwrap_or_default()).respond(headers)
}

/// RFC 9457.
fn problem(status: StatusCode, title: &'static str) -> Response {
    let problem = Problem {
        status: status.as_u16(),
        title,
    };
    (
        status,
        [(header::CONTENT_TYPE, "application/problem+json")],
        serde_json::to_vec(&problem).unwrap_or_default(),
    )
        .into_response()
}

pub(super) fn not_found() -> Response {
    problem(StatusCode::NOT_FOUND, "not found")
}

pub(super) fn bad_request(title: &'static str) -> Response {
    problem(StatusCode::BAD_REQUEST, title)
}

pub(super) fn unavailable(title: &'static str) -> Response {
    let mut response = problem(StatusCode::SERVICE_UNAVAILABLE, title);
    let wait = axum::http::HeaderValue::from_static("5");
    response.headers_mut().insert(header::RETRY_AFTER, wait);
    response
}
