//! A finished answer: made once, sent to many.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use std::io::Write as _;
use std::sync::OnceLock;

/// Level 6 is zlib's own balance; a page of 20 kB takes 0.3 ms, once for all its viewers.
const GZIP_LEVEL: u32 = 6;

/// Bodies under this size gain nothing from compression (one TCP segment).
const GZIP_FROM: usize = 1_000;

/// A body with its type and entity tag; compressed at most once.
#[derive(Debug)]
pub(crate) struct Page {
    body: Bytes,
    kind: &'static str,
    etag: String,
    gzip: OnceLock<Option<Bytes>>,
}

impl Page {
    pub(crate) fn new(kind: &'static str, body: impl Into<Bytes>) -> Self {
        let body = body.into();
        // Weak: the same page with and without compression bears the same tag.
        let etag = format!("W/\"{}\"", &crate::wire::sha256_hex(&body)[..24]);
        Self {
            body,
            kind,
            etag,
            gzip: OnceLock::new(),
        }
    }

    pub(crate) fn html(body: impl Into<Bytes>) -> Self {
        Self::new("text/html; charset=utf-8", body)
    }

    pub(crate) fn json(body: impl Into<Bytes>) -> Self {
        Self::new("application/json", body)
    }

    fn gzip(&self) -> Option<Bytes> {
        let make = || {
            if self.body.len() < GZIP_FROM {
                return None;
            }
            let mut gz = GzEncoder::new(Vec::new(), Compression::new(GZIP_LEVEL));
            gz.write_all(&self.body).ok()?;
            gz.finish().ok().map(Bytes::from)
        };
        self.gzip.get_or_init(make).clone()
    }

    /// The answer to a request: 304 when its tag is known, compressed when that is accepted.
    /// To be revalidated each time, as the numbers may have changed.
    pub(crate) fn respond(&self, request: &HeaderMap) -> Response {
        self.respond_as(StatusCode::OK, request)
    }

    /// The same with another status.
    pub(crate) fn respond_as(&self, status: StatusCode, request: &HeaderMap) -> Response {
        let mut headers = HeaderMap::new();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        headers.insert(
            header::VARY,
            HeaderValue::from_static("accept-encoding, accept-language"),
        );
        if let Ok(etag) = HeaderValue::from_str(&self.etag) {
            headers.insert(header::ETAG, etag);
        }
        if status == StatusCode::OK && is_known(request, &self.etag) {
            return (StatusCode::NOT_MODIFIED, headers).into_response();
        }
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.kind));
        if accepts_gzip(request)
            && let Some(gzip) = self.gzip()
        {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            return (status, headers, gzip).into_response();
        }
        (status, headers, self.body.clone()).into_response()
    }
}

/// Whether `If-None-Match` holds the tag (weak comparison, RFC 9110 section 13.1.2).
pub(crate) fn is_known(request: &HeaderMap, etag: &str) -> bool {
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    request
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|v| v.to_str().ok())
        .flat_map(|v| v.split(','))
        .any(|tag| tag.trim() == "*" || opaque(tag) == opaque(etag))
}

/// Whether an answer may be compressed.
pub(crate) fn accepts_gzip(request: &HeaderMap) -> bool {
    request
        .get_all(header::ACCEPT_ENCODING)
        .iter()
        .filter_map(|v| v.to_str().ok())
        .flat_map(|v| v.split(','))
        .any(|coding| {
            let mut parts = coding.split(';').map(str::trim);
            matches!(parts.next(), Some("gzip" | "*"))
                && !parts.any(|p| matches!(p, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
        })
}

/// One value for each language, made when first asked for.
#[derive(Debug)]
pub(crate) struct PerLang<T>([OnceLock<T>; super::lang::LANGS]);

impl<T> Default for PerLang<T> {
    fn default() -> Self {
        Self(std::array::from_fn(|_| OnceLock::new()))
    }
}

impl<T> PerLang<T> {
    pub(crate) fn get(&self, lang: super::lang::Lang, make: impl FnOnce() -> T) -> &T {
        self.0[lang.index()].get_or_init(make)
    }
}
