//! What the pages and the voice are made of, and whom that is owed to.

use crate::hub::content::lang::Messages;
use crate::hub::content::page::Page;
use crate::hub::web::parts::base::{Base, print};
use crate::hub::web::request::{Query, Shared, lang};
use askama::Template;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;

#[derive(Template)]
#[template(path = "about.html")]
struct AboutPage<'a> {
    base: Base,
    t: &'a Messages,
    version: &'static str,
}

pub(crate) async fn page(State(hub): Shared, query: Query, headers: HeaderMap) -> Response {
    let lang = lang(&query, &headers);
    let t = lang.messages();
    let mut base = Base::new(&hub, lang, "/about");
    base.title.clone_from(&t.about);
    let version = env!("CARGO_PKG_VERSION");
    Page::html(print(&AboutPage { base, t, version })).respond(&headers)
}
