//! What makes the pages an app on a phone: manifest, icons, and the worker that shows the last
//! known numbers while offline, marked as old.

use crate::hub::content::lang::{Lang, Messages};
use crate::hub::content::page::{Page, is_known};
use crate::hub::web::parts::assets;
use crate::hub::web::parts::base::{Base, print, site};
use crate::hub::web::request::{Query, Shared, lang};
use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::json;
use std::sync::LazyLock;

const ICONS: [(&str, &[u8]); 4] = [
    (
        "/icon-180.png",
        include_bytes!("../../../../assets/web/icon-180.png"),
    ),
    (
        "/icon-192.png",
        include_bytes!("../../../../assets/web/icon-192.png"),
    ),
    (
        "/icon-512.png",
        include_bytes!("../../../../assets/web/icon-512.png"),
    ),
    (
        "/icon-mask-512.png",
        include_bytes!("../../../../assets/web/icon-mask-512.png"),
    ),
];

pub(crate) async fn manifest(State(hub): Shared, query: Query, headers: HeaderMap) -> Response {
    let lang = lang(&query, &headers);
    let icon = |src: &str, size: &str, purpose: &str| json!({ "src": src, "sizes": size, "type": "image/png", "purpose": purpose });
    let title = site(&hub, lang);
    let body = json!({
        "name": title,
        "short_name": title,
        "lang": lang.tag(),
        "start_url": format!("/?lang={}", lang.tag()),
        "scope": "/",
        "id": "/",
        "display": "standalone",
        "background_color": "#0b1730",
        "theme_color": "#0b1730",
        "icons": [
            icon("/icon-192.png", "192x192", "any"),
            icon("/icon-512.png", "512x512", "any"),
            icon("/icon-mask-512.png", "512x512", "maskable"),
        ],
    });
    Page::new("application/manifest+json", body.to_string()).respond(&headers)
}

pub(crate) async fn icon(uri: Uri, headers: HeaderMap) -> Response {
    let Some((_, bytes)) = ICONS.iter().find(|(path, _)| *path == uri.path()) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let etag = format!("\"{}\"", &crate::wire::sha256_hex(bytes)[..24]);
    let known = is_known(&headers, &etag);
    let head = [
        (header::CACHE_CONTROL, "public, max-age=86400".to_owned()),
        (header::ETAG, etag),
    ];
    if known {
        (StatusCode::NOT_MODIFIED, head).into_response()
    } else {
        (head, [(header::CONTENT_TYPE, "image/png")], *bytes).into_response()
    }
}

/// The worker, with the names of the parts it keeps.
static WORKER: LazyLock<Page> = LazyLock::new(|| {
    let parts = [assets::css(), assets::js(), assets::early(), assets::icon()];
    let names = parts.map(|name| format!("\"/assets/{name}\""));
    let names = format!("\"/offline\", {}", names.join(", "));
    let version = &crate::wire::sha256_hex(names.as_bytes())[..10];
    let text = include_str!("../../../../assets/web/sw.js");
    let text = text
        .replace("{VERSION}", version)
        .replace("{PARTS}", &names);
    Page::new("text/javascript; charset=utf-8", text)
});

pub(crate) async fn worker(headers: HeaderMap) -> Response {
    WORKER.respond(&headers)
}

#[derive(Template)]
#[template(path = "offline.html")]
struct Offline<'a> {
    base: Base,
    t: &'a Messages,
}

/// What is shown offline for a page that was never open.
pub(crate) async fn offline(State(hub): Shared, query: Query, headers: HeaderMap) -> Response {
    let lang: Lang = lang(&query, &headers);
    let t = lang.messages();
    let mut base = Base::new(&hub, lang, "/offline");
    base.title.clone_from(&t.offline_title);
    Page::html(print(&Offline { base, t })).respond(&headers)
}
