//! "My number": how many people are before one ticket.

use super::ticket::{self, Standing};
use crate::hub::content::lang::{Messages, fill};
use crate::hub::content::page::Page;
use crate::hub::web::parts::base::{Base, Refresh, as_of, print};
use crate::hub::web::parts::labels;
use crate::hub::web::parts::missing::not_found;
use crate::hub::web::request::{Query, Shared, lang};
use crate::model::{Label, WaitRange};
use crate::wire::report::QueueNumbers;
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
    /// Whether it is time to go to the counter.
    go_now: bool,
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
    base.refresh = Refresh::Fetch;
    base.lite = format!("/lite/{office_id}?lang={}", lang.tag());
    let answer = Answer::new(&standing, queue, t);
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
        people: answer.people,
        say: answer.say,
        lines: answer.lines,
        note: stale.map(|at| fill(&t.stale, &[("time", &labels::clock(at))])),
        last: last.filter(|_| !matches!(standing, Standing::NoNumbers | Standing::Holiday)),
        path,
        go_now: answer.go_now,
        sound,
        base,
    }))
    .respond(&headers)
}

/// What is said to the holder of a ticket.
#[derive(Default)]
struct Answer {
    /// How many people are ahead, when that can be said.
    people: Option<usize>,
    say: String,
    lines: Vec<String>,
    go_now: bool,
}

impl Answer {
    fn new(standing: &Standing, queue: &QueueNumbers, t: &Messages) -> Self {
        match standing {
            Standing::Ahead {
                people,
                wait,
                closed,
            } => Self::ahead(*people, *wait, *closed, queue, t),
            Standing::Called { counter, at } => Self {
                say: match counter {
                    Some(counter) => fill(&t.called_counter, &[("counter", counter)]),
                    None => t.called.clone(),
                },
                lines: at.iter().map(|at| called_at(at, t)).collect(),
                go_now: true,
                ..Self::default()
            },
            Standing::Passed { at } => Self {
                say: t.passed.clone(),
                lines: [called_at(at, t)]
                    .into_iter()
                    .chain(queue.on_hold.map(|n| hold(n, t)))
                    .chain([t.passed_hint.clone()])
                    .collect(),
                ..Self::default()
            },
            Standing::Behind { at_least, closed } => Self {
                say: fill(&t.ahead_at_least, &[("n", &at_least.to_string())]),
                lines: closed.then(|| t.last_calls.clone()).into_iter().collect(),
                ..Self::default()
            },
            Standing::NotListed => Self {
                say: t.not_listed.clone(),
                lines: vec![t.not_listed_hint.clone()],
                ..Self::default()
            },
            Standing::Closed => Self::only(&t.ticket_closed),
            Standing::Holiday => Self::only(&t.holiday),
            Standing::NoNumbers => Self::only(&t.no_numbers),
        }
    }

    fn only(say: &str) -> Self {
        Self {
            say: say.to_owned(),
            ..Self::default()
        }
    }

    fn ahead(
        people: usize,
        wait: Option<WaitRange>,
        closed: bool,
        queue: &QueueNumbers,
        t: &Messages,
    ) -> Self {
        let mut lines: Vec<String> = closed
            .then(|| last_calls(people + 1, t))
            .into_iter()
            .collect();
        if people == 0 {
            lines.push(t.come_back_stay.clone());
            return Self {
                say: t.ahead_next.clone(),
                lines,
                go_now: true,
                ..Self::default()
            };
        }
        let back = queue.as_of.zip(wait);
        lines.extend(back.map(|(at, wait)| match ticket::come_back(wait, at) {
            Some(time) => fill(&t.come_back, &[("time", &labels::clock(time))]),
            None => t.come_back_stay.clone(),
        }));
        let range = wait.map(labels::minutes);
        Self {
            people: Some(people),
            say: range.map_or_else(String::new, |range| {
                fill(&t.ticket_wait, &[("range", &range)])
            }),
            lines,
            go_now: false,
        }
    }
}

fn called_at(at: &str, t: &Messages) -> String {
    fill(&t.called_at, &[("time", at)])
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
