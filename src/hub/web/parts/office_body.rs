//! The part of an office's page that changes: its numbers, and the picture of each board.

use super::base::print;
use super::labels::{self, Card, Wait};
use crate::hub::content::lang::{Lang, Messages, fill};
use crate::hub::core::Hub;
use crate::hub::live::OfficeSnapshot;
use crate::hub::view::OutputView;
use crate::wire::report::OutputState;
use askama::Template;

struct Picture {
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
    boards: Vec<Picture>,
    cameras: Vec<Picture>,
    /// Boards without a picture that people cannot see: which, and why.
    unseen: Vec<(String, String)>,
}

/// What to say about a board that cannot be seen.
fn visibility_problem(state: OutputState, t: &Messages) -> Option<String> {
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
pub(crate) fn office_body(hub: &Hub, office: &OfficeSnapshot, lang: Lang) -> String {
    let t = lang.messages();
    let card = labels::card(office, lang.tag(), t, &hub.pages);
    let time = |time| fill(&t.board_time, &[("time", &labels::clock(time))]);
    let outputs = &office.view.outputs;
    let boards = office.view.boards.iter().map(|b| Picture {
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
            .and_then(|o| visibility_problem(o.state, t)),
    });
    let cameras = office.view.cameras.iter().map(|c| Picture {
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
        Some((name, visibility_problem(o.state, t)?))
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
