//! What a request says: the values after the `?`, and the language its viewer wants.

use crate::hub::content::lang::Lang;
use crate::hub::core::Hub;
use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;

/// The hub, as every route gets it.
pub(crate) type Shared = State<Arc<Hub>>;

/// Values after the `?` at most; no route reads more than six.
const MAX_QUERY: usize = 16;

/// The values after the `?`, as far as the hub reads them. Never fails: what cannot be decoded is
/// read as well as can be. Doubled keys: the last counts.
pub(crate) struct Query(HashMap<String, String>);

impl<S: Sync> FromRequestParts<S> for Query {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let query = parts.uri.query().unwrap_or_default();
        let pairs = url::form_urlencoded::parse(query.as_bytes()).take(MAX_QUERY);
        Ok(Self(
            pairs
                .map(|(k, v)| (k.into_owned(), v.into_owned()))
                .collect(),
        ))
    }
}

impl Query {
    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }
}

/// The viewer's language.
pub(crate) fn lang(query: &Query, headers: &HeaderMap) -> Lang {
    let accept = headers
        .get(header::ACCEPT_LANGUAGE)
        .and_then(|v| v.to_str().ok());
    Lang::choose(query.get("lang"), accept)
}
