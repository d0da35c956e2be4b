//! The page of one office: its numbers, and the picture of each board.

use crate::hub::content::lang::{Messages, fill};
use crate::hub::content::page::Page;
use crate::hub::web::parts::base::{Base, Tab, as_of, print};
use crate::hub::web::parts::missing::not_found;
use crate::hub::web::parts::office_body::office_body;
use crate::hub::web::request::{Query, Shared, lang};
use askama::Template;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;

#[derive(Template)]
#[template(path = "office.html")]
struct OfficePage<'a> {
    base: Base,
    t: &'a Messages,
    office: &'a str,
    body: String,
    /// How good the waits of this office were.
    accuracy: Option<String>,
}

pub(crate) async fn office(
    State(hub): Shared,
    Path(id): Path<String>,
    query: Query,
    headers: HeaderMap,
) -> Response {
    let lang = lang(&query, &headers);
    let snapshot = hub.live.current();
    let Some(office) = snapshot.office(&id) else {
        return not_found(&hub, lang, &headers);
    };
    let make = || {
        let t = lang.messages();
        let mut base = Base::new(&hub, lang, &format!("/offices/{id}"));
        let name = office.view.name.best(lang.tag());
        base.title = fill(&t.title_of, &[("office", name)]);
        base.as_of = as_of([office.as_ref()], t);
        let since = hub.live.id(office.version);
        base.live = Some(format!("/live/{}/{id}?since={since}", lang.tag()));
        base.tab = Some(Tab::Offices);
        base.lite = format!("/lite/{id}?lang={}", lang.tag());
        Page::html(print(&OfficePage {
            base,
            t,
            office: &id,
            accuracy: super::accuracy::line(&hub.figures(&office.view.id).accuracy, t),
            body: office_body(&hub, office, lang),
        }))
    };
    office.page.get(lang, make).respond(&headers)
}
