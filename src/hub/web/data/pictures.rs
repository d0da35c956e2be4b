//! Pictures of boards and cameras.

use crate::hub::content::page::is_known;
use crate::hub::registry::Image;
use crate::hub::web::request::Shared;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};

/// The newest picture of a board; to be revalidated each time by its entity tag.
pub(crate) async fn board(
    State(hub): Shared,
    Path((office, node, board)): Path<(String, String, String)>,
    headers: HeaderMap,
) -> Response {
    let image = hub.state().registry.board(&office, &node, &board);
    answer(image, "no-cache", &headers)
}

/// A picture by its hash; never changes.
pub(crate) async fn image(
    State(hub): Shared,
    Path(sha256): Path<String>,
    headers: HeaderMap,
) -> Response {
    let image = hub.state().registry.image(&sha256);
    answer(image, "public, max-age=31536000, immutable", &headers)
}

fn answer(image: Option<Image>, cache: &'static str, headers: &HeaderMap) -> Response {
    let Some(image) = image else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let etag = format!("\"{}\"", image.sha256);
    let known = is_known(headers, &etag);
    let head = [
        (header::CACHE_CONTROL, cache.to_owned()),
        (header::ETAG, etag),
    ];
    if known {
        (StatusCode::NOT_MODIFIED, head).into_response()
    } else {
        (
            head,
            [(header::CONTENT_TYPE, image.format.as_str())],
            image.bytes,
        )
            .into_response()
    }
}
