//! Small parts for other sites: an office in a frame, and as a few ready words in JSON.
//!
//! Who may frame them is configured (`[http] frame_ancestors`); the JSON may be read from any page.

use crate::hub::content::lang::{Lang, Messages, fill};
use crate::hub::content::page::Page;
use crate::hub::core::Hub;
use crate::hub::live::OfficeSnapshot;
use crate::hub::web::parts::base::{Base, print};
use crate::hub::web::parts::labels::{self, Wait};
use crate::hub::web::parts::{cards, json};
use crate::hub::web::request::{Query, Shared, lang};
use askama::Template;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

#[derive(Template)]
#[template(path = "widget.html")]
struct Widget<'a> {
    base: Base,
    t: &'a Messages,
    office: &'a str,
    as_of: String,
    card: &'a str,
}

fn time(office: &OfficeSnapshot, t: &Messages) -> String {
    let time = office.view.as_of.map(labels::clock);
    time.map_or_else(
        || t.as_of_unknown.clone(),
        |time| fill(&t.as_of, &[("time", &time)]),
    )
}

/// One queue in words.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WidgetQueue {
    /// The queue.
    id: String,
    /// Its name in the language asked for.
    name: String,
    /// Whether it is a fast lane.
    fast: bool,
    /// The last ticket called today.
    last_call: Option<String>,
    /// People waiting.
    waiting: Option<u32>,
    /// The wait in words, such as `8–15分`.
    wait: Option<String>,
    /// What else must be said: paused, closed, or of when the numbers are.
    state: Option<String>,
}

/// Answer of `/widgets/{office}.json`: an office in words, ready to be shown.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WidgetOffice {
    /// Where the data may be used: CC BY 4.0.
    licence: &'static str,
    /// The office.
    id: String,
    /// Its name in the language asked for.
    name: String,
    /// The language, BCP 47.
    lang: &'static str,
    /// `free`, `busy`, `crowded`, `closed` or `unknown`.
    congestion: &'static str,
    /// The same as a shape.
    mark: &'static str,
    /// The same in a word.
    word: String,
    /// Of when the numbers are, in words.
    as_of: String,
    /// What must be said about all of the numbers.
    note: Option<String>,
    /// The queues in the order of the board.
    queues: Vec<WidgetQueue>,
    /// The page with more, below the hub's address.
    page: String,
}

fn in_words(hub: &Hub, office: &OfficeSnapshot, lang: Lang) -> WidgetOffice {
    let t = lang.messages();
    let card = labels::card(office, lang.tag(), t, &hub.pages);
    let queue = |row: labels::Row| WidgetQueue {
        last_call: row.ticket,
        wait: row.wait.map(|wait| match wait {
            Wait::Soon => t.soon.clone(),
            Wait::Minutes(range) => format!("{range}{}", t.minutes_unit),
        }),
        id: row.id,
        name: row.name,
        fast: row.fast,
        waiting: row.waiting,
        state: row.state,
    };
    WidgetOffice {
        licence: json::LICENCE,
        page: format!("/offices/{}?lang={}", card.id, lang.tag()),
        lang: lang.tag(),
        congestion: card.level.class(),
        mark: card.level.mark(),
        word: card.word,
        as_of: time(office, t),
        note: card.note,
        queues: card.rows.into_iter().map(queue).collect(),
        id: card.id,
        name: card.name,
    }
}

/// `/widgets/{office}` and `/widgets/{office}.json`.
pub(crate) async fn widget(
    State(hub): Shared,
    Path(file): Path<String>,
    query: Query,
    headers: HeaderMap,
) -> Response {
    let lang = lang(&query, &headers);
    let t = lang.messages();
    let snapshot = hub.live.current();
    let id = file.strip_suffix(".json").unwrap_or(&file);
    let Some(office) = snapshot.office(id) else {
        return json::not_found();
    };
    if id.len() < file.len() {
        return json::answer(&in_words(&hub, office, lang), &headers);
    }
    let mut base = Base::new(&hub, lang, "/");
    let name = office.view.name.best(lang.tag());
    base.title = fill(&t.title_of, &[("office", name)]);
    // A link in a frame would open the page within it.
    let card = cards::card(&hub, office, lang).replace("<a href=", "<a target=\"_blank\" href=");
    Page::html(print(&Widget {
        base,
        t,
        office: id,
        as_of: time(office, t),
        card: &card,
    }))
    .respond(&headers)
}
