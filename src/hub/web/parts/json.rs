//! Answers for programs: JSON, and what went wrong with a request (RFC 9457).

use crate::hub::content::page::Page;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;
use utoipa::ToSchema;

/// The licence of all data.
pub(crate) const LICENCE: &str = "https://creativecommons.org/licenses/by/4.0/";

/// What went wrong (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Problem {
    /// The status of the answer.
    status: u16,
    /// One line for people.
    title: &'static str,
}

/// Serialises an answer, with its entity tag. Plain values cannot fail to be serialised.
pub(crate) fn answer(value: &impl Serialize, headers: &HeaderMap) -> Response {
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

pub(crate) fn not_found() -> Response {
    problem(StatusCode::NOT_FOUND, "not found")
}

pub(crate) fn bad_request(title: &'static str) -> Response {
    problem(StatusCode::BAD_REQUEST, title)
}

pub(crate) fn unavailable(title: &'static str) -> Response {
    let mut response = problem(StatusCode::SERVICE_UNAVAILABLE, title);
    let wait = axum::http::HeaderValue::from_static("5");
    response.headers_mut().insert(header::RETRY_AFTER, wait);
    response
}
