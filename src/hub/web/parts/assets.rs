//! Style sheet, scripts and icon: part of the program, cacheable for ever by their version.

use crate::hub::content::page::is_known;
use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use std::sync::LazyLock;

/// Name with version, media type, content.
struct Asset {
    name: String,
    kind: &'static str,
    text: &'static str,
}

fn versioned(stem: &str, ext: &str, kind: &'static str, text: &'static str) -> Asset {
    let hash = crate::wire::sha256_hex(text.as_bytes());
    Asset {
        name: format!("{stem}.{}.{ext}", &hash[..10]),
        kind,
        text,
    }
}

const SCRIPT: &str = "text/javascript; charset=utf-8";

static ALL: LazyLock<[Asset; 5]> = LazyLock::new(|| {
    [
        versioned(
            "app",
            "css",
            "text/css; charset=utf-8",
            include_str!("../../../../assets/web/app.css"),
        ),
        versioned(
            "app",
            "js",
            SCRIPT,
            include_str!("../../../../assets/web/app.js"),
        ),
        versioned(
            "icon",
            "svg",
            "image/svg+xml",
            include_str!("../../../../assets/web/icon.svg"),
        ),
        versioned(
            "app.early",
            "js",
            SCRIPT,
            include_str!("../../../../assets/web/early.js"),
        ),
        versioned(
            "fleet",
            "css",
            "text/css; charset=utf-8",
            include_str!("../../../../assets/web/fleet.css"),
        ),
    ]
});

/// File name of the style sheet.
pub(crate) fn css() -> &'static str {
    &ALL[0].name
}

/// File name of the script.
pub(crate) fn js() -> &'static str {
    &ALL[1].name
}

/// File name of the icon.
pub(crate) fn icon() -> &'static str {
    &ALL[2].name
}

/// File name of the script that runs before the first paint.
pub(crate) fn early() -> &'static str {
    &ALL[3].name
}

/// File name of the style of the page of all nodes, beside that of all pages.
pub(crate) fn fleet_css() -> &'static str {
    &ALL[4].name
}

pub(crate) async fn asset(Path(file): Path<String>, headers: HeaderMap) -> Response {
    let Some(asset) = ALL.iter().find(|a| a.name == file) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let etag = format!("\"{}\"", asset.name);
    let known = is_known(&headers, &etag);
    let head = [
        (
            header::CACHE_CONTROL,
            "public, max-age=31536000, immutable".to_owned(),
        ),
        (header::ETAG, etag),
    ];
    if known {
        (StatusCode::NOT_MODIFIED, head).into_response()
    } else {
        (head, [(header::CONTENT_TYPE, asset.kind)], asset.text).into_response()
    }
}
