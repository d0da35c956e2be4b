//! The answer to an address that does not exist: a page, or a problem for a program.

use super::base::{Base, print};
use super::json;
use crate::hub::content::lang::{Lang, Messages};
use crate::hub::content::page::Page;
use crate::hub::core::Hub;
use crate::hub::web::request::{Query, Shared, lang};
use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::Response;

#[derive(Template)]
#[template(path = "error.html")]
struct Error<'a> {
    base: Base,
    t: &'a Messages,
    heading: &'a str,
    hint: &'a str,
}

/// The page for an address that does not exist.
pub(crate) fn not_found(hub: &Hub, lang: Lang, headers: &HeaderMap) -> Response {
    let t = lang.messages();
    let mut base = Base::new(hub, lang, "/");
    base.title.clone_from(&t.not_found);
    Page::html(print(&Error {
        base,
        t,
        heading: &t.not_found,
        hint: &t.not_found_hint,
    }))
    .respond_as(StatusCode::NOT_FOUND, headers)
}

pub(crate) async fn missing(
    State(hub): Shared,
    uri: Uri,
    query: Query,
    headers: HeaderMap,
) -> Response {
    let machine = ["/api/", "/opendata/", "/ngsi-ld/", "/widgets/"];
    if machine.iter().any(|prefix| uri.path().starts_with(prefix)) {
        return json::not_found();
    }
    let lang = lang(&query, &headers);
    not_found(&hub, lang, &headers)
}
