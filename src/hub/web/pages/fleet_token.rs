//! The token that opens the page of all nodes: browsers send it as the password of Basic
//! authentication (RFC 7617), programs as a bearer token (RFC 6750).

use crate::config::Secret;
use axum::http::HeaderValue;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Whether a request shows the token. Hashes are compared, so that the time it takes reveals
/// nothing of the token.
pub(super) fn admits(token: &Secret, shown: Option<&HeaderValue>) -> bool {
    let shown = shown
        .and_then(|value| value.to_str().ok())
        .and_then(password);
    let hash = |text: &str| crate::wire::sha256_hex(text.as_bytes());
    shown.is_some_and(|shown| hash(&shown) == hash(token.reveal()))
}

/// The token of an `Authorization` header.
fn password(value: &str) -> Option<String> {
    let (scheme, rest) = value.split_once(' ')?;
    let rest = rest.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(rest.to_owned());
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let pair = String::from_utf8(STANDARD.decode(rest).ok()?).ok()?;
    Some(pair.split_once(':')?.1.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_opens_as_password_and_as_bearer_and_nothing_else_does() {
        let token = Secret::new("sixteen-letters-or-more");
        let shows = |text: &str| {
            let value = HeaderValue::from_str(text).expect("a header");
            admits(&token, Some(&value))
        };
        let basic = |pair: &str| format!("Basic {}", STANDARD.encode(pair));
        assert!(shows("Bearer sixteen-letters-or-more"));
        assert!(shows(&basic("anybody:sixteen-letters-or-more")));
        assert!(!admits(&token, None));
        for wrong in [
            "Bearer ".to_owned(),
            "Bearer sixteen-letters-or-mor".to_owned(),
            "sixteen-letters-or-more".to_owned(),
            "Digest sixteen-letters-or-more".to_owned(),
            "Basic sixteen-letters-or-more".to_owned(),
            basic("sixteen-letters-or-more"),
            basic("sixteen-letters-or-more:"),
            basic("a:b:sixteen-letters-or-more"),
        ] {
            assert!(!shows(&wrong), "{wrong}");
        }
    }
}
