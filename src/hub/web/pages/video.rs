//! The video of the offices as HLS: its page, and its files out of the encoder's folder.
//!
//! Only names that the encoder gives reach the file system: the playlist, and digits with `.ts`.

use crate::hub::content::lang::Messages;
use crate::hub::content::page::Page;
use crate::hub::web::parts::base::{Base, print};
use crate::hub::web::parts::missing::missing;
use crate::hub::web::request::{Query, Shared, lang};
use askama::Template;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};

/// The playlist's name.
const PLAYLIST: &str = "live.m3u8";

/// Largest part that is sent, in bytes: two seconds at ten times the highest rate.
const MAX_PART: u64 = 16 * 1024 * 1024;

#[derive(Template)]
#[template(path = "stream.html")]
struct StreamPage<'a> {
    base: Base,
    t: &'a Messages,
}

/// The page with the player; not there without a stream for it.
pub(crate) async fn page(hub: Shared, uri: Uri, query: Query, headers: HeaderMap) -> Response {
    if hub.video.is_none() {
        return missing(hub, uri, query, headers).await;
    }
    let lang = lang(&query, &headers);
    let t = lang.messages();
    let State(hub) = hub;
    let mut base = Base::new(&hub, lang, "/stream");
    base.title.clone_from(&t.stream_title);
    Page::html(print(&StreamPage { base, t })).respond(&headers)
}

/// The playlist, or a part.
pub(crate) async fn file(State(hub): Shared, Path(name): Path<String>) -> Response {
    let (kind, cache) = match name.strip_suffix(".ts") {
        None if name == PLAYLIST => ("application/vnd.apple.mpegurl", "no-cache"),
        Some(n) if n.len() <= 20 && !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()) => {
            ("video/mp2t", "public, max-age=60")
        }
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    let Some(dir) = &hub.video else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let path = dir.join(name);
    let small = tokio::fs::metadata(&path)
        .await
        .is_ok_and(|m| m.is_file() && m.len() <= MAX_PART);
    match tokio::fs::read(&path).await {
        Ok(bytes) if small => {
            let head = [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, cache)];
            (head, bytes).into_response()
        }
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}
