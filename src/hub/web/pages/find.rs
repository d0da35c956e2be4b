//! The form of the first page: from a ticket to its page, without script.

use super::ticket_page::in_path;
use super::typed::{Sureness, loose, meant};
use crate::hub::content::lang::{Messages, fill};
use crate::hub::content::page::Page;
use crate::hub::live::{OfficeSnapshot, Snapshot};
use crate::hub::web::parts::base::{Base, print};
use crate::hub::web::request::{Query, Shared, lang};
use crate::model::Label;
use crate::wire::report::QueueNumbers;
use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};

/// Links on one page at most; a choice of more is none.
const MAX_LINKS: usize = 60;

struct Link {
    href: String,
    office: String,
    queue: String,
}

#[derive(Template)]
#[template(path = "find.html")]
struct FindPage<'a> {
    base: Base,
    t: &'a Messages,
    heading: String,
    hint: Option<String>,
    links: Vec<Link>,
}

/// Where a ticket may belong, the label as that queue writes it.
struct Candidate<'a> {
    office: &'a OfficeSnapshot,
    queue: &'a QueueNumbers,
    label: String,
    sureness: Sureness,
}

/// The labels of a queue that are known now, the last call first.
fn labels(queue: &QueueNumbers) -> impl Iterator<Item = &Label> {
    let shown = queue.last_shown().map(|(ticket, _)| ticket);
    shown.into_iter().chain(&queue.next)
}

/// `typed` is in the spelling of [`loose`].
fn candidates<'a>(
    snapshot: &'a Snapshot,
    office: &str,
    typed: &str,
    exact: Option<&Label>,
) -> Vec<Candidate<'a>> {
    let mut found = Vec::new();
    for o in &snapshot.offices {
        if !office.is_empty() && o.view.id.as_str() != office {
            continue;
        }
        for queue in &o.view.queues {
            let labels: Vec<&Label> = labels(queue).collect();
            found.extend(
                meant(typed, exact, &labels).map(|(label, sureness)| Candidate {
                    office: o,
                    queue,
                    label,
                    sureness,
                }),
            );
        }
    }
    // Somebody whose ticket is listed somewhere need not see where else it might be.
    let surest = found.iter().map(|c| c.sureness).max();
    found.retain(|c| Some(c.sureness) == surest);
    found
}

pub(crate) async fn find(State(hub): Shared, query: Query, headers: HeaderMap) -> Response {
    let lang = lang(&query, &headers);
    let t = lang.messages();
    let text = |key: &str| query.get(key).unwrap_or_default();
    let snapshot = hub.live.current();
    let office = text("office");
    let (heading, hint, found) = match loose(text("ticket")) {
        None => (t.my_number.clone(), Some(t.find_bad.clone()), Vec::new()),
        Some(typed) => {
            let exact = Label::new(text("ticket")).ok();
            let found = candidates(&snapshot, office, &typed, exact.as_ref());
            if found.is_empty() {
                let none = fill(&t.find_none, &[("ticket", &typed)]);
                (none, Some(t.find_none_hint.clone()), found)
            } else {
                (fill(&t.find_title, &[("ticket", &typed)]), None, found)
            }
        }
    };
    let href = |c: &Candidate<'_>| {
        format!(
            "/offices/{}/queues/{}/tickets/{}?lang={}",
            c.office.view.id,
            c.queue.id,
            in_path(&c.label),
            lang.tag()
        )
    };
    if let [only] = &found[..] {
        return (
            StatusCode::SEE_OTHER,
            [
                (header::LOCATION, href(only)),
                (header::CACHE_CONTROL, "no-store".to_owned()),
            ],
        )
            .into_response();
    }
    let links = found.iter().take(MAX_LINKS).map(|c| Link {
        href: href(c),
        office: c.office.view.name.best(lang.tag()).to_owned(),
        // Where only the number was typed, the ticket's letters tell which is one's own.
        queue: match c.sureness {
            Sureness::Number => format!("{} {}", c.queue.name.best(lang.tag()), c.label),
            _ => c.queue.name.best(lang.tag()).to_owned(),
        },
    });
    let path = format!(
        "/find?ticket={}&office={}",
        in_path(text("ticket")),
        in_path(office)
    );
    let mut base = Base::new(&hub, lang, &path);
    base.title.clone_from(&heading);
    Page::html(print(&FindPage {
        base,
        t,
        heading,
        hint,
        links: links.collect(),
    }))
    .respond(&headers)
}
