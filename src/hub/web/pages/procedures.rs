//! Procedures across offices: where is it moving quickest now?
//!
//! A procedure is what queues of one identifier have in common; offices of one city use the same.

use crate::hub::content::lang::{Lang, Messages};
use crate::hub::content::page::Page;
use crate::hub::core::Hub;
use crate::hub::live::{OfficeSnapshot, Snapshot};
use crate::hub::web::parts::base::{self, Base, Refresh, Tab, print};
use crate::hub::web::parts::labels::{self, Level, Phase, Row, Wait};
use crate::hub::web::parts::missing::not_found;
use crate::hub::web::request::{Query, Shared, lang};
use crate::model::Lane;
use crate::wire::report::QueueNumbers;
use askama::Template;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use std::collections::HashSet;
use std::sync::{Arc, PoisonError};

/// The queues of one procedure, each with its office.
fn queues<'a>(
    snapshot: &'a Snapshot,
    id: &str,
) -> impl Iterator<Item = (&'a OfficeSnapshot, &'a QueueNumbers)> {
    snapshot.offices.iter().filter_map(move |office| {
        let queue = office.view.queues.iter().find(|q| q.id.as_str() == id)?;
        Some((office.as_ref(), queue))
    })
}

/// What offices are ordered by: the longer end of the wait, then the shorter; `None` where there
/// is nothing to compare: closed, paused, old, or without a predicted wait.
pub(crate) fn rank(office: &OfficeSnapshot, queue: &QueueNumbers) -> Option<(u32, u32)> {
    let open = labels::phase(queue, office.today) == Phase::Open && queue.fresh;
    let wait = queue.wait.filter(|_| open)?;
    Some((wait.high, wait.low))
}

struct Best {
    office: String,
    wait: Option<Wait>,
}

struct Procedure {
    id: String,
    name: String,
    fast: bool,
    best: Option<Best>,
}

#[derive(Template)]
#[template(path = "procedures.html")]
struct Procedures<'a> {
    base: Base,
    t: &'a Messages,
    procedures: Vec<Procedure>,
}

/// A page that the script reloads now and then.
fn base(hub: &Hub, snapshot: &Snapshot, lang: Lang, path: &str) -> Base {
    let mut base = Base::new(hub, lang, path);
    base.tab = Some(Tab::Procedures);
    base.as_of = base::as_of_all(hub, snapshot, lang.messages());
    base.live = Some(path.to_owned());
    base.refresh = Refresh::Poll;
    base
}

pub(crate) async fn all(State(hub): Shared, query: Query, headers: HeaderMap) -> Response {
    let lang = lang(&query, &headers);
    let t = lang.messages();
    let snapshot = hub.live.current();
    let make = || {
        let mut seen = HashSet::new();
        let mut procedures = Vec::new();
        for queue in snapshot.offices.iter().flat_map(|o| &o.view.queues) {
            if !seen.insert(&queue.id) {
                continue;
            }
            let best = queues(&snapshot, queue.id.as_str())
                .filter_map(|(o, q)| Some((rank(o, q)?, o, q)))
                .min_by_key(|(rank, ..)| *rank)
                .map(|(_, o, q)| Best {
                    office: o.view.name.best(lang.tag()).to_owned(),
                    wait: labels::row(q, o.today, lang.tag(), t).wait,
                });
            procedures.push(Procedure {
                id: queue.id.to_string(),
                name: queue.name.best(lang.tag()).to_owned(),
                fast: queue.lane == Lane::Fast,
                best,
            });
        }
        let mut base = base(&hub, &snapshot, lang, "/procedures");
        base.title.clone_from(&t.procedures_title);
        Page::html(print(&Procedures {
            base,
            t,
            procedures,
        }))
    };
    snapshot.procedures.get(lang, make).respond(&headers)
}

struct Office {
    id: String,
    name: String,
    level: Level,
    row: Row,
    /// Nowhere is it quicker now.
    best: bool,
}

#[derive(Template)]
#[template(path = "procedure.html")]
struct Across<'a> {
    base: Base,
    t: &'a Messages,
    name: String,
    fast: bool,
    offices: Vec<Office>,
    /// Whether there was anything to compare.
    any: bool,
}

fn page(hub: &Hub, snapshot: &Snapshot, id: &str, lang: Lang) -> Option<Page> {
    let t = lang.messages();
    let mut all: Vec<_> = queues(snapshot, id).collect();
    let (name, fast) = all
        .first()
        .map(|(_, q)| (q.name.best(lang.tag()).to_owned(), q.lane == Lane::Fast))?;
    // Offices without a rank come last, in their usual order.
    all.sort_by_key(|(o, q)| rank(o, q).unwrap_or((u32::MAX, u32::MAX)));
    let first = all.first().and_then(|(o, q)| rank(o, q));
    let offices = all.iter().map(|(o, q)| {
        let mut row = labels::row(q, o.today, lang.tag(), t);
        if labels::is_stale(q, o.today)
            && let Some(at) = q.as_of
        {
            let time = labels::clock(at);
            row.state = Some(crate::hub::content::lang::fill(
                &t.as_of,
                &[("time", &time)],
            ));
        }
        Office {
            id: o.view.id.to_string(),
            name: o.view.name.best(lang.tag()).to_owned(),
            level: labels::queue_level(q, o.today, &hub.pages),
            best: first.is_some() && rank(o, q) == first,
            row,
        }
    });
    let offices = offices.collect();
    let mut base = base(hub, snapshot, lang, &format!("/procedures/{id}"));
    base.title.clone_from(&name);
    Some(Page::html(print(&Across {
        base,
        t,
        name,
        fast,
        offices,
        any: first.is_some(),
    })))
}

pub(crate) async fn one(
    State(hub): Shared,
    Path(id): Path<String>,
    query: Query,
    headers: HeaderMap,
) -> Response {
    let lang = lang(&query, &headers);
    let snapshot = hub.live.current();
    let key = (id, lang.index());
    let known = |key| {
        let pages = snapshot
            .procedure
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        pages.get(key).cloned()
    };
    if let Some(page) = known(&key) {
        return page.respond(&headers);
    }
    match page(&hub, &snapshot, &key.0, lang) {
        Some(page) => {
            let page = Arc::new(page);
            let mut pages = snapshot
                .procedure
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            pages.insert(key, Arc::clone(&page));
            drop(pages);
            page.respond(&headers)
        }
        None => not_found(&hub, lang, &headers),
    }
}
