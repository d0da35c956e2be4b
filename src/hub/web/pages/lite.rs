//! The light pages: text alone, no style, no script, for old phones and slow connections.

use crate::hub::content::lang::{Messages, fill};
use crate::hub::content::page::Page;
use crate::hub::live::OfficeSnapshot;
use crate::hub::web::parts::base::{LangLink, common_time, lang_links, own_times, print, site};
use crate::hub::web::parts::labels::{self, Card, Wait};
use crate::hub::web::parts::missing::not_found;
use crate::hub::web::request::{Query, Shared, lang};
use crate::wire::WireTime;
use askama::Template;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;

#[derive(Template)]
#[template(path = "lite.html")]
struct Lite<'a> {
    t: &'a Messages,
    lang: &'static str,
    title: String,
    as_of: Option<String>,
    cards: Vec<Card>,
    /// All offices, in short.
    whole: bool,
    full: String,
    again: String,
    langs: Vec<LangLink>,
}

fn as_of(time: Option<WireTime>, t: &Messages) -> Option<String> {
    Some(fill(&t.as_of, &[("time", &labels::clock(time?))]))
}

pub(crate) async fn lite(State(hub): Shared, query: Query, headers: HeaderMap) -> Response {
    let lang = lang(&query, &headers);
    let t = lang.messages();
    let snapshot = hub.live.current();
    let make = || {
        let times = snapshot.offices.iter().map(|o| own_times(o));
        let card = |o: &OfficeSnapshot| labels::card(o, lang.tag(), t, &hub.pages);
        Page::html(print(&Lite {
            t,
            lang: lang.tag(),
            title: site(&hub, lang),
            as_of: as_of(common_time(times, hub.clock.now()), t),
            cards: snapshot.offices.iter().map(|o| card(o)).collect(),
            whole: true,
            full: format!("/?lang={}", lang.tag()),
            again: format!("/lite?lang={}", lang.tag()),
            langs: lang_links(lang, "/lite"),
        }))
    };
    snapshot.lite.get(lang, make).respond(&headers)
}

pub(crate) async fn lite_office(
    State(hub): Shared,
    Path(id): Path<String>,
    query: Query,
    headers: HeaderMap,
) -> Response {
    let lang = lang(&query, &headers);
    let t = lang.messages();
    let snapshot = hub.live.current();
    let Some(office) = snapshot.office(&id) else {
        return not_found(&hub, lang, &headers);
    };
    let make = || {
        Page::html(print(&Lite {
            t,
            lang: lang.tag(),
            title: fill(
                &t.title_of,
                &[("office", office.view.name.best(lang.tag()))],
            ),
            as_of: as_of(office.view.as_of, t),
            cards: vec![labels::card(office, lang.tag(), t, &hub.pages)],
            whole: false,
            full: format!("/offices/{id}?lang={}", lang.tag()),
            again: format!("/lite/{id}?lang={}", lang.tag()),
            langs: lang_links(lang, &format!("/lite/{id}")),
        }))
    };
    office.lite.get(lang, make).respond(&headers)
}
