//! What every answer says about who may use it and how.
//!
//! Made once from the configuration. Which origins may frame the pages was checked there, so that
//! nothing of it can end the directive it stands in.

use crate::config::WebConfig;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};

/// The pages hold no inline script or style and load nothing from elsewhere, so the policy can be
/// this strict. Who may frame them follows it.
const POLICY: &str = "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; \
                      frame-ancestors ";

/// Browsers remember for a year, the least that counts as strict (RFC 6797 leaves it open; lists
/// of sites that are always HTTPS ask for a year). Subdomains are not ours to decide about.
const HSTS: HeaderValue = HeaderValue::from_static("max-age=31536000");

const FIXED: [(HeaderName, HeaderValue); 4] = [
    (
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    ),
    (
        header::REFERRER_POLICY,
        HeaderValue::from_static("same-origin"),
    ),
    (
        HeaderName::from_static("permissions-policy"),
        HeaderValue::from_static("camera=(), geolocation=(), microphone=(), payment=()"),
    ),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        HeaderValue::from_static("same-origin"),
    ),
];

/// The headers of every answer.
pub(crate) fn of_every_answer(web: &WebConfig) -> HeaderMap {
    let mut headers: HeaderMap = FIXED.into_iter().collect();
    let ancestors = if web.frame_ancestors.is_empty() {
        // For browsers that do not know frame-ancestors; it cannot name single origins.
        headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
        "'none'".to_owned()
    } else {
        web.frame_ancestors.join(" ")
    };
    // Origins are plain ASCII; were one not, nobody could look rather than everybody frame.
    let policy = HeaderValue::try_from(format!("{POLICY}{ancestors}")).unwrap_or(
        HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"),
    );
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    if web.hsts {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HSTS);
    }
    headers
}

/// Whether a method asks for something without changing anything.
pub(crate) fn only_reads(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD)
}

/// The answer to any other method, on every path: there is nothing to write to.
pub(crate) fn read_only() -> Response {
    let allow = [(header::ALLOW, "GET,HEAD")];
    (StatusCode::METHOD_NOT_ALLOWED, allow).into_response()
}
