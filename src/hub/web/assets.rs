//! Style sheet, script and icon: part of the program, cacheable for ever by their version.

use axum::extract::Path;
use axum::http::{StatusCode, header};
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

static ALL: LazyLock<[Asset; 3]> = LazyLock::new(|| {
    [
        versioned(
            "app",
            "css",
            "text/css; charset=utf-8",
            include_str!("../../../assets/web/app.css"),
        ),
        versioned(
            "app",
            "js",
            "text/javascript; charset=utf-8",
            include_str!("../../../assets/web/app.js"),
        ),
        versioned(
            "icon",
            "svg",
            "image/svg+xml",
            include_str!("../../../assets/web/icon.svg"),
        ),
    ]
});

/// File name of the style sheet.
pub(super) fn css() -> &'static str {
    &ALL[0].name
}

/// File name of the script.
pub(super) fn js() -> &'static str {
    &ALL[1].name
}

/// File name of the icon.
pub(super) fn icon() -> &'static str {
    &ALL[2].name
}

pub(super) async fn asset(Path(file): Path<String>) -> Response {
    match ALL.iter().find(|a| a.name == file) {
        Some(asset) => (
            [
                (header::CONTENT_TYPE, asset.kind),
                (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
            ],
            asset.text,
        )
            .into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
