//! "My number": how many people are before one ticket.

use super::ticket::{self, Standing};
use crate::hub::content::lang::{Messages, fill};
use crate::hub::content::page::Page;
use crate::hub::web::parts::base::{Base, as_of, print};
use crate::hub::web::parts::labels;
use crate::hub::web::parts::missing::not_found;
use crate::hub::web::request::{Query, Shared, lang};
use crate::model::Label;
use askama::Template;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

#[derive(Template)]
#[template(path = "ticket.html")]
struct TicketPage<'a> {
    base: Base,
    t: &'a Messages,
    office: &'a str,
    office_name: &'a str,
    of: String,
    ticket: &'a str,
    /// How many people are ahead, when that can be said.
    people: Option<usize>,
    say: String,
    lines: Vec<String>,
    /// What must be said about the numbers themselves.
    note: Option<String>,
    last: Option<String>,
    tone: &'static str,
    /// Address of the spoken call, where there is one.
    sound: Option<String>,
    /// Its own address, for the phone to remember.
    path: String,
}

pub(crate) async fn ticket(
    State(hub): Shared,
    Path((office_id, queue_id, label)): Path<(String, String, String)>,
    query: Query,
    headers: HeaderMap,
) -> Response {
    let lang = lang(&query, &headers);
    let t = lang.messages();
    let snapshot = hub.live.current();
    let found = snapshot.office(&office_id).and_then(|office| {
        let queue = office
            .view
            .queues
            .iter()
            .find(|q| q.id.as_str() == queue_id)?;
        Some((office, queue, Label::new(&label).ok()?))
    });
    let Some((office, queue, label)) = found else {
        return not_found(&hub, lang, &headers);
    };
    let ticket = label.as_str();
    let call = hub.newest_call(office, &queue.id, ticket).await;
    let standing = ticket::standing(queue, ticket, call.as_ref(), office.today);
    let office_name = office.view.name.best(lang.tag());
    let queue_name = queue.name.best(lang.tag());
    let path = own_path(&office_id, &queue_id, ticket);
    let mut base = Base::new(&hub, lang, &path);
    base.title = fill(&t.ticket_title, &[("ticket", ticket)]);
    base.as_of = as_of([office.as_ref()], t);
    base.live = Some(format!(
        "/api/v1/offices/{office_id}/events?since={}",
        hub.live.id(office.version)
    ));
    base.how = "fetch";
    base.lite = format!("/lite/{office_id}?lang={}", lang.tag());
    let mut lines = Vec::new();
    let mut people = None;
    let mut tone = "";
    let say = match &standing {
        Standing::Ahead {
            people: 0, closed, ..
        } => {
            tone = "go-now";
            lines.extend(closed.then(|| last_calls(1, t)));
            lines.push(t.come_back_stay.clone());
            t.ahead_next.clone()
        }
        Standing::Ahead {
            people: ahead,
            wait,
            closed,
        } => {
            people = Some(*ahead);
            lines.extend(closed.then(|| last_calls(ahead + 1, t)));
            let back = queue
                .as_of
                .zip(*wait)
                .map(|(at, wait)| ticket::come_back(wait, at));
            match back {
                Some(Some(time)) => {
                    lines.push(fill(&t.come_back, &[("time", &labels::clock(time))]));
                }
                Some(None) => lines.push(t.come_back_stay.clone()),
                None => {}
            }
            let range = wait.map(labels::minutes);
            range.map_or_else(String::new, |range| {
                fill(&t.ticket_wait, &[("range", &range)])
            })
        }
        Standing::Called { counter, at } => {
            let at = at.as_ref();
            lines.extend(at.map(|at| fill(&t.called_at, &[("time", at)])));
            tone = "go-now";
            match counter {
                Some(counter) => fill(&t.called_counter, &[("counter", counter)]),
                None => t.called.clone(),
            }
        }
        Standing::Passed { at } => {
            lines.push(fill(&t.called_at, &[("time", at)]));
            lines.extend(queue.on_hold.map(|n| hold(n, t)));
            lines.push(t.passed_hint.clone());
            t.passed.clone()
        }
        Standing::Behind { at_least, closed } => {
            lines.extend(closed.then(|| t.last_calls.clone()));
            fill(&t.ahead_at_least, &[("n", &at_least.to_string())])
        }
        Standing::NotListed => {
            lines.push(t.not_listed_hint.clone());
            t.not_listed.clone()
        }
        Standing::Closed => t.ticket_closed.clone(),
        Standing::Holiday => t.holiday.clone(),
        Standing::NoNumbers => t.no_numbers.clone(),
    };
    let last = queue
        .as_of
        .zip(queue.last_call.as_ref())
        .map(|(as_of, last)| {
            let time = labels::clock(as_of);
            fill(
                &t.ticket_checked,
                &[("time", &time), ("ticket", last.ticket.as_str())],
            )
        });
    let may_be_spoken = matches!(
        standing,
        Standing::Ahead { .. } | Standing::Called { .. } | Standing::Passed { .. }
    );
    let sound = (may_be_spoken && hub.speaker().is_some())
        .then(|| format!("{path}/call.wav?lang={}", lang.tag()));
    let stale = labels::is_stale(queue, office.today)
        .then_some(queue.as_of)
        .flatten();
    Page::html(print(&TicketPage {
        t,
        office: &office_id,
        office_name,
        of: fill(
            &t.ticket_of,
            &[("office", office_name), ("queue", queue_name)],
        ),
        ticket,
        people,
        say,
        lines,
        note: stale.map(|at| fill(&t.stale, &[("time", &labels::clock(at))])),
        last: last.filter(|_| !matches!(standing, Standing::NoNumbers | Standing::Holiday)),
        path,
        tone,
        sound,
        base,
    }))
    .respond(&headers)
}

/// The page's own path.
fn own_path(office: &str, queue: &str, ticket: &str) -> String {
    format!(
        "/offices/{office}/queues/{queue}/tickets/{}",
        in_path(ticket)
    )
}

/// The line for a ticket when no more are issued: it is the `n`th to be called.
fn last_calls(n: usize, t: &Messages) -> String {
    fill(&t.ticket_last_calls, &[("n", &n.to_string())])
}

/// Whether a number whose call has passed may be on hold. Reports count what is on hold and name
/// none, so more cannot be said.
fn hold(on_hold: u32, t: &Messages) -> String {
    if on_hold > 0 {
        fill(&t.hold_some, &[("n", &on_hold.to_string())])
    } else {
        t.hold_none.clone()
    }
}

/// A label as one segment of a path (RFC 3986: everything but unreserved characters as bytes).
pub(crate) fn in_path(label: &str) -> String {
    /// The unreserved characters but the full stop: `.` and `..` are steps of a path.
    const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'~');
    utf8_percent_encode(label, SEGMENT).to_string()
}
