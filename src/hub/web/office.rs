//! The page of one office: its numbers, and the picture of each board.

use super::front::{Base, as_of, not_found, print};
use super::words::{self, Card, Wait};
use super::{Query, Shared};
use crate::hub::Hub;
use crate::hub::lang::{Lang, Messages, fill};
use crate::hub::live::OfficeSnap;
use crate::hub::page::Page;
use crate::hub::view::OutputView;
use crate::wire::report::OutputState;
use askama::Template;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;

struct Glass {
    href: String,
    width: u32,
    height: u32,
    alt: String,
    time: String,
    /// Why people in the waiting area cannot see it, if they cannot.
    trouble: Option<String>,
}

#[derive(Template)]
#[template(path = "office_body.html")]
struct OfficeBody<'a> {
    t: &'a Messages,
    lang: &'static str,
    card: Card,
    boards: Vec<Glass>,
    cameras: Vec<Glass>,
    /// Boards without a picture that people cannot see: which, and why.
    unseen: Vec<(String, String)>,
}

/// What to say about a board that cannot be seen.
fn trouble(state: OutputState, t: &Messages) -> Option<String> {
    let words = match state {
        OutputState::Dark => &t.board_dark,
        OutputState::Disconnected => &t.board_disconnected,
        OutputState::Lost => &t.board_lost,
        OutputState::Stale => &t.board_stale,
        OutputState::Shown | OutputState::Unknown => return None,
    };
    Some(words.clone())
}

/// The part of an office's page that changes.
pub(super) fn office_body(hub: &Hub, office: &OfficeSnap, lang: Lang) -> String {
    let t = lang.messages();
    let card = words::card(office, lang.tag(), t, &hub.pages);
    let time = |time| fill(&t.board_time, &[("time", &words::clock(time))]);
    let outputs = &office.view.outputs;
    let boards = office.view.boards.iter().map(|b| Glass {
        href: format!("/images/{}", b.sha256),
        width: b.width,
        height: b.height,
        alt: fill(
            &t.board_alt,
            &[("office", &card.name), ("board", b.id.as_str())],
        ),
        time: time(b.shown_at),
        trouble: outputs
            .iter()
            .find(|o| o.node == b.node && o.board == b.id)
            .and_then(|o| trouble(o.state, t)),
    });
    let cameras = office.view.cameras.iter().map(|c| Glass {
        href: format!("/images/{}", c.sha256),
        width: c.width,
        height: c.height,
        alt: fill(
            &t.camera_alt,
            &[("office", &card.name), ("camera", c.id.as_str())],
        ),
        time: time(c.taken_at),
        trouble: None,
    });
    let pictured = |o: &OutputView| {
        let mut boards = office.view.boards.iter();
        boards.any(|b| b.node == o.node && b.id == o.board)
    };
    let unseen = outputs.iter().filter(|o| !pictured(o)).filter_map(|o| {
        let name = fill(&t.board_named, &[("board", o.board.as_str())]);
        Some((name, trouble(o.state, t)?))
    });
    print(&OfficeBody {
        t,
        lang: lang.tag(),
        boards: boards.collect(),
        cameras: cameras.collect(),
        unseen: unseen.collect(),
        card,
    })
}

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

pub(super) async fn office(
    State(hub): Shared,
    Path(id): Path<String>,
    query: Query,
    headers: HeaderMap,
) -> Response {
    let lang = super::lang(&query, &headers);
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
        base.tab = 0;
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
