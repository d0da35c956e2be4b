//! Events: what a log, a topic or a webhook tells one by one.

use super::hall::Was;
use super::keys::key;
use super::ring::number;
use super::{Ledger, SLACK, Tally};
use crate::clock::Now;
use crate::model::{Call, CallKind, Label, Status};
use crate::source::observation::{Event, EventKind, Observation, Seen, Stamp};
use std::time::Duration;

/// The same event from two topics comes within this time.
const TWICE_WITHIN: Duration = Duration::from_secs(1);

/// Events that are compared with a new one for that.
const MAX_RECENT: usize = 64;

/// An event of a moment ago.
#[derive(Debug, Clone)]
pub(super) struct Recent {
    content: u64,
    heard: Duration,
    origin: u64,
    at: Option<Stamp>,
}

/// The call that is shown as the last one: of one coarse time the one with the highest number.
#[derive(Debug, Clone)]
pub(super) struct Lead {
    at: Stamp,
    /// Place in the range, else the number.
    place: u64,
    call: Call,
}

/// One event of one ticket.
#[derive(Debug, Clone)]
struct Single<'e> {
    event: &'e Event,
    ticket: Option<&'e Label>,
}

impl Ledger {
    pub(super) fn take_events(
        &mut self,
        events: &[Event],
        observation: &Observation,
        now: Now,
        tally: &mut Tally,
    ) {
        let mut singles: Vec<Single<'_>> = events.iter().flat_map(singles).collect();
        self.in_order(&mut singles);
        for single in singles {
            if self.is_duplicate(&single, observation.origin, now) {
                tally.duplicates += 1;
                continue;
            }
            let at = single.event.at;
            let other_day = observation.seen == Seen::Backlog && self.is_of_another_day(at);
            if !other_day {
                self.take_event(&single, observation.seen, now, tally);
            }
            if let Some(at) = at.filter(|_| !other_day) {
                self.source_date = Some(at.date);
            }
        }
    }

    /// Whether what was written before anybody looked is of a day that is over.
    fn is_of_another_day(&self, at: Option<Stamp>) -> bool {
        at.is_some_and(|at| {
            let local = at.at.to_zoned(self.settings.zone.clone()).date();
            self.book.day() != Some(local) && self.source_date != Some(at.date)
        })
    }

    /// Puts events of one coarse time in the order in which they can have happened: issues before calls,
    /// each by number. Other events stay where they are.
    fn in_order(&self, singles: &mut [Single<'_>]) {
        let coarse = |single: &Single<'_>| single.event.at.filter(|at| !at.coarse.is_zero());
        for run in singles.chunk_by_mut(|a, b| coarse(a).is_some() && coarse(a) == coarse(b)) {
            if run.len() < 2 {
                continue;
            }
            let kind = |single: &Single<'_>| single.event.kind;
            run.sort_by_key(|single| kind(single) != EventKind::Issue);
            let issues = run
                .iter()
                .take_while(|s| kind(s) == EventKind::Issue)
                .count();
            let (issued, others) = run.split_at_mut(issues);
            issued.sort_by_key(|single| self.rank(single.ticket, self.hall.last_issue));
            let at = (0..others.len()).filter(|i| kind(&others[*i]) == EventKind::Call);
            let at: Vec<usize> = at.collect();
            let mut calls: Vec<Single<'_>> = at.iter().map(|i| others[*i].clone()).collect();
            calls.sort_by_key(|single| self.rank(single.ticket, self.hall.last_call));
            for (i, call) in at.into_iter().zip(calls) {
                others[i] = call;
            }
        }
    }

    /// The place of a ticket in the range, else its number.
    fn rank(&self, ticket: Option<&Label>, near: Option<u64>) -> Option<u64> {
        let ticket = ticket?;
        let place = self.hall.place(ticket, near);
        place.or_else(|| number(ticket).map(|(_, n)| n))
    }

    /// Whether an event was taken before: by its identity; by another topic within a second; or from
    /// a log that is read again.
    fn is_duplicate(&mut self, single: &Single<'_>, origin: u64, now: Now) -> bool {
        let event = single.event;
        let ticket = single.ticket.map_or("", Label::as_str);
        let counter = event.counter.as_ref().map_or("", Label::as_str);
        let kind = event.kind.as_str();
        if let Some(id) = &event.id {
            let key = key(&["id", id, kind, ticket]);
            let known = self.keys.has(key);
            if !known {
                self.keys.push(key);
            }
            return known;
        }
        if let Some(at) = event.at {
            let at = at.at.as_nanosecond().to_string();
            let key = key(&["event", kind, ticket, counter, &at]);
            if self.keys.came_again(key) {
                return true;
            }
            self.keys.push(key);
        }
        let content = key(&["recent", kind, ticket, counter]);
        let known = self.recent.iter().any(|recent| {
            let same_time = match (recent.at, event.at) {
                (Some(one), Some(other)) => one == other && one.is_exact(),
                _ => true,
            };
            recent.content == content
                && now.since(recent.heard) <= TWICE_WITHIN
                && (recent.origin != origin || same_time)
        });
        self.recent.push_back(Recent {
            content,
            heard: now.mono,
            origin,
            at: event.at,
        });
        if self.recent.len() > MAX_RECENT {
            self.recent.pop_front();
        }
        known
    }

    fn take_event(&mut self, single: &Single<'_>, seen: Seen, now: Now, tally: &mut Tally) {
        let event = single.event;
        let at = event.at.map_or(now.wall, |at| at.at);
        let coarse = event.at.map_or(Duration::ZERO, |at| at.coarse);
        self.hall.expire(at, coarse);
        match (event.kind, single.ticket) {
            (EventKind::Issue, Some(ticket)) => self.hall.issue(ticket, at, event.at, now),
            (EventKind::Call | EventKind::Recall, Some(ticket)) => {
                self.take_call(ticket, event, seen, now, tally);
            }
            (EventKind::Hold, Some(ticket)) => self.hall.hold(ticket),
            (EventKind::Back, Some(ticket)) => self.hall.back(ticket),
            (EventKind::Cancel, Some(ticket)) => self.hall.cancel(ticket, at),
            (EventKind::Served, Some(ticket)) => self.hall.served(ticket),
            (EventKind::Reset, _) => {
                self.renew(tally);
                self.lead = None;
            }
            (EventKind::Open, _) => self.hall.status = Some(Status::Open),
            (EventKind::Pause, _) => self.hall.status = Some(Status::Paused),
            (EventKind::Close, _) => self.hall.status = Some(Status::Closed),
            (_, None) => {}
        }
    }

    fn take_call(
        &mut self,
        ticket: &Label,
        event: &Event,
        seen: Seen,
        now: Now,
        tally: &mut Tally,
    ) {
        let written = event.at.map_or(now.wall, |at| at.at);
        let (was, place) = self.hall.call(ticket, written, now);
        let kind = match was {
            _ if event.kind == EventKind::Recall => Some(CallKind::Recall),
            Was::Waiting | Was::Held(false) | Was::Unknown(Some(false)) => Some(CallKind::Call),
            Was::Held(true) | Was::Unknown(Some(true)) => Some(CallKind::Recall),
            Was::Unknown(None) => None,
        };
        // Without a range it is the ticket that was called before.
        let kind = match was {
            Was::Held(_) if place.is_none() || self.settings.range.is_none() => None,
            _ => kind,
        };
        let moment = match seen {
            Seen::Live => Some(Self::moment(event.at, now)),
            Seen::Backlog => self.old_moment(event.at, now),
        };
        let Some(moment) = moment else {
            self.book.list(ticket.clone(), event.counter.clone());
            tally.missed += u32::from(self.heard.is_some() || self.saved_at.is_some());
            return;
        };
        tally.reset |= self
            .book
            .call(ticket.clone(), event.counter.clone(), moment, kind);
        tally.calls += 1;
        self.order_call(event, place.or_else(|| number(ticket).map(|(_, n)| n)));
    }

    /// Of calls of one coarse time the one with the highest number is the last, in whatever order they
    /// were written.
    fn order_call(&mut self, event: &Event, place: Option<u64>) {
        let Some(call) = self.book.newest().cloned() else {
            return;
        };
        let (Some(at), Some(place)) = (event.at, place) else {
            self.lead = None;
            return;
        };
        if let Some(lead) = &self.lead
            && event.kind == EventKind::Call
            && call.kind == CallKind::Call
            && letters(&lead.call.ticket) == letters(&call.ticket)
        {
            let same_minute = !at.coarse.is_zero() && at == lead.at && place < lead.place;
            let earlier = at.coarse.is_zero()
                && at.at < lead.at.at
                && lead.at.at.duration_since(at.at) <= SLACK;
            if same_minute || earlier {
                self.book.lead(&lead.call);
                return;
            }
        }
        self.lead = Some(Lead { at, place, call });
    }
}

fn letters(ticket: &Label) -> Option<&str> {
    number(ticket).map(|(letters, _)| letters)
}

fn singles(event: &Event) -> Vec<Single<'_>> {
    if event.tickets.is_empty() {
        return vec![Single {
            event,
            ticket: None,
        }];
    }
    let of = |ticket| Single {
        event,
        ticket: Some(ticket),
    };
    event.tickets.iter().map(of).collect()
}
