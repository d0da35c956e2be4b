//! The first page: every office at a glance, and the form for one's own number.

use crate::hub::content::lang::Messages;
use crate::hub::content::page::Page;
use crate::hub::live::OfficeSnapshot;
use crate::hub::web::parts::base::{Base, Tab, as_of_all, print};
use crate::hub::web::parts::cards::{cards, glance};
use crate::hub::web::request::{Query, Shared, lang};
use askama::Template;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;

struct OfficeOption {
    id: String,
    name: String,
}

#[derive(Template)]
#[template(path = "front.html")]
struct Front<'a> {
    base: Base,
    t: &'a Messages,
    offices: Vec<OfficeOption>,
    glance: String,
    cards: String,
}

pub(crate) async fn front(State(hub): Shared, query: Query, headers: HeaderMap) -> Response {
    let lang = lang(&query, &headers);
    let snapshot = hub.live.current();
    let make = || {
        let t = lang.messages();
        let mut base = Base::new(&hub, lang, "/");
        base.tab = Some(Tab::Offices);
        base.as_of = as_of_all(&hub, &snapshot, t);
        base.live = Some(format!(
            "/live/{}?since={}",
            lang.tag(),
            hub.live.id(snapshot.version)
        ));
        let option = |o: &OfficeSnapshot| OfficeOption {
            id: o.view.id.to_string(),
            name: o.view.name.best(lang.tag()).to_owned(),
        };
        Page::html(print(&Front {
            base,
            t,
            offices: snapshot.offices.iter().map(|o| option(o)).collect(),
            glance: glance(&hub, &snapshot, lang),
            cards: cards(&hub, &snapshot, lang),
        }))
    };
    snapshot.front.get(lang, make).respond(&headers)
}
