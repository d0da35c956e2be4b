//! How accurate the predicted waits were: a page, and JSON.

use crate::hub::content::lang::{Messages, fill};
use crate::hub::content::page::Page;
use crate::hub::core::Hub;
use crate::hub::core::figures::ACCURACY_DAYS;
use crate::hub::history::Accuracy;
use crate::hub::live::OfficeSnapshot;
use crate::hub::web::parts::base::{Base, print};
use crate::hub::web::parts::json;
use crate::hub::web::request::{Query, Shared, lang};
use crate::model::Lane;
use askama::Template;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

/// Fewer tickets than this say little about a share.
const ENOUGH: u64 = 20;

struct Queue {
    name: String,
    fast: bool,
    tickets: u64,
    inside: u64,
    above: u64,
    error: String,
    mean: String,
}

struct Office {
    id: String,
    name: String,
    line: String,
    queues: Vec<Queue>,
}

#[derive(Template)]
#[template(path = "accuracy.html")]
struct AccuracyPage<'a> {
    base: Base,
    t: &'a Messages,
    hint: String,
    offices: Vec<Office>,
}

/// Per cent, rounded.
fn share(part: u64, of: u64) -> u64 {
    (100 * part + of / 2).checked_div(of).unwrap_or(0)
}

/// Minutes with one digit.
fn minutes(seconds: f64) -> String {
    format!("{:.1}", seconds / 60.0)
}

/// One sentence on all queues of an office; nothing while there are too few tickets.
pub(crate) fn line(all: &[Accuracy], t: &Messages) -> Option<String> {
    let tickets = all.iter().map(|a| a.tickets).sum();
    let inside = all.iter().map(|a| a.inside).sum();
    (tickets >= ENOUGH).then(|| sentence(tickets, inside, t))
}

fn sentence(tickets: u64, inside: u64, t: &Messages) -> String {
    fill(
        &t.accuracy_line,
        &[
            ("days", &ACCURACY_DAYS.to_string()),
            ("share", &share(inside, tickets).to_string()),
            ("n", &tickets.to_string()),
        ],
    )
}

pub(crate) async fn page(State(hub): Shared, query: Query, headers: HeaderMap) -> Response {
    let lang = lang(&query, &headers);
    let t = lang.messages();
    let snapshot = hub.live.current();
    let office = |office: &OfficeSnapshot| {
        let figures = hub.figures(&office.view.id);
        let all = &figures.accuracy;
        let named = |id: &str| office.view.queues.iter().find(|q| q.id.as_str() == id);
        let queue = |a: &Accuracy| {
            let queue = named(&a.queue)?;
            Some(Queue {
                name: queue.name.best(lang.tag()).to_owned(),
                fast: queue.lane == Lane::Fast,
                tickets: a.tickets,
                inside: share(a.inside, a.tickets),
                above: share(a.above, a.tickets),
                error: minutes(a.mean_error_s),
                mean: minutes(a.mean_wait_s),
            })
        };
        let tickets = all.iter().map(|a| a.tickets).sum();
        let inside = all.iter().map(|a| a.inside).sum();
        (tickets > 0).then(|| Office {
            id: office.view.id.to_string(),
            name: office.view.name.best(lang.tag()).to_owned(),
            line: sentence(tickets, inside, t),
            queues: all.iter().filter_map(queue).collect(),
        })
    };
    let offices = snapshot.offices.iter().filter_map(|o| office(o)).collect();
    let mut base = Base::new(&hub, lang, "/accuracy");
    base.title.clone_from(&t.accuracy_title);
    Page::html(print(&AccuracyPage {
        base,
        t,
        hint: fill(&t.accuracy_hint, &[("days", &ACCURACY_DAYS.to_string())]),
        offices,
    }))
    .respond(&headers)
}

/// How good the ranges of one queue were.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct QueueAccuracy {
    /// The office.
    office: String,
    /// The queue.
    queue: String,
    /// Tickets that were called, of those whose issue the hub could see.
    tickets: u64,
    /// Those whose wait was within the predicted range.
    inside: u64,
    /// Those who waited longer.
    above: u64,
    /// `inside` as a part of `tickets`, 0 to 1.
    inside_share: f64,
    /// Mean distance of the range's middle from the wait, s.
    mean_error_s: f64,
    /// Mean wait, s.
    mean_wait_s: f64,
}

/// Answer of `/api/v1/accuracy`.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AccuracyList {
    /// Where the data may be used: CC BY 4.0.
    licence: &'static str,
    /// Days that the figures speak of.
    days: u16,
    /// Queues with at least one ticket.
    queues: Vec<QueueAccuracy>,
}

fn list(hub: &Hub) -> AccuracyList {
    let snapshot = hub.live.current();
    let mut queues = Vec::new();
    for office in &snapshot.offices {
        for a in &hub.figures(&office.view.id).accuracy {
            queues.push(QueueAccuracy {
                office: office.view.id.to_string(),
                queue: a.queue.clone(),
                tickets: a.tickets,
                inside: a.inside,
                above: a.above,
                // Counts of people are exact in a float.
                inside_share: a.inside as f64 / (a.tickets as f64).max(1.0),
                mean_error_s: a.mean_error_s,
                mean_wait_s: a.mean_wait_s,
            });
        }
    }
    AccuracyList {
        licence: json::LICENCE,
        days: ACCURACY_DAYS,
        queues,
    }
}

pub(crate) async fn json(State(hub): Shared, headers: HeaderMap) -> Response {
    json::answer(&list(&hub), &headers)
}
