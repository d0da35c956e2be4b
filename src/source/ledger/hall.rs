//! Who waits, as issues, calls and cancellations tell it.
//!
//! The number is known while every issue is reported. It is unknown
//! - after a start within the day, until three calls in a row were of tickets whose issue was seen;
//! - after two calls in a row of tickets whose issue was not: the machine has stopped to report them;
//! - after the last number of the last pass through the range for which issues are reported, where
//!   that is configured: from then on a person may have come of whom nothing is written.

use super::MAX_KEYS;
use super::ring::{Ring, number};
use crate::clock::Now;
use crate::model::{Label, Status};
use crate::source::observation::Stamp;
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

/// Labels that are listed (contract: `next` and `held` hold at most 500).
const MAX_LISTED: usize = 500;

/// Calls in a row of tickets whose issue was seen, after which nobody unknown waits.
const SURE_AFTER: u8 = 3;

/// Calls in a row of tickets whose issue was not seen, after which issues are taken as unreported.
const UNSURE_AFTER: u8 = 2;

/// A numbering that begins at one of its first numbers was seen from its beginning.
const FIRST_NUMBERS: u64 = 4;

/// Lines of one moment may stand in another order than they happened, for so long.
const LATE: SignedDuration = SignedDuration::from_secs(60);

/// A ticket that waits or is on hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Person {
    pub(super) ticket: Label,
    /// Its place since the day began: by number with a range, else by issue.
    pub(super) place: u64,
}

/// Where a called ticket was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Was {
    Waiting,
    /// On hold, and whether it had been called before.
    Held(bool),
    /// Nowhere, and whether it was called at this place of the range; `None` without a range.
    Unknown(Option<bool>),
}

#[derive(Debug, Clone, Default)]
pub(super) struct Hall {
    pub(super) ring: Option<Ring>,
    pub(super) passes: Option<u32>,
    pub(super) waiting: VecDeque<Person>,
    pub(super) held: VecDeque<Person>,
    /// Places that were called.
    pub(super) called: BTreeSet<u64>,
    /// Calls and cancellations whose issue is not written yet, with their time.
    early: VecDeque<(Label, Timestamp, bool)>,
    pub(super) issued: u64,
    pub(super) last_issue: Option<u64>,
    pub(super) last_call: Option<u64>,
    /// Whether every issue was seen; `None` before the first event.
    pub(super) complete: Option<bool>,
    pub(super) in_row: u8,
    pub(super) missed_in_row: u8,
    /// Monotonic moment at which the last issue that is reported was.
    exhausted: Option<Duration>,
    pub(super) is_exhausted: bool,
    pub(super) status: Option<Status>,
}

impl Hall {
    pub(super) fn new(ring: Option<Ring>, passes: Option<u32>) -> Self {
        Self {
            ring,
            passes,
            ..Self::default()
        }
    }

    /// A new day: the hall is empty, and everything is seen from its beginning.
    pub(super) fn turn(&mut self) {
        *self = Self {
            complete: Some(true),
            ..Self::new(self.ring, self.passes)
        };
    }

    /// A new numbering.
    pub(super) fn reset(&mut self) {
        let status = self.status;
        self.turn();
        self.status = status;
    }

    pub(super) fn status(&self) -> Option<Status> {
        self.status
    }

    /// People waiting, where that is known.
    pub(super) fn waiting(&self, now: Now) -> Option<u32> {
        let lasts = self.exhausted.is_some_and(|at| at == now.mono);
        let known = self.complete == Some(true) && (!self.is_exhausted || lasts);
        u32::try_from(self.waiting.len()).ok().filter(|_| known)
    }

    pub(super) fn next(&self) -> Vec<Label> {
        labels(&self.waiting)
    }

    pub(super) fn held(&self) -> Vec<Label> {
        labels(&self.held)
    }

    /// The place of a ticket that is near `near`.
    pub(super) fn place(&self, ticket: &Label, near: Option<u64>) -> Option<u64> {
        self.ring?.place(ticket, near.unwrap_or(0))
    }

    /// A ticket is given out at a time.
    pub(super) fn issue(
        &mut self,
        ticket: &Label,
        at: Timestamp,
        at_once: Option<Stamp>,
        now: Now,
    ) {
        let low = number(ticket).map_or(0, |(_, n)| n);
        let first = self
            .ring
            .map_or(low, |ring| ring.place(ticket, 0).unwrap_or(low));
        self.complete.get_or_insert(first <= FIRST_NUMBERS);
        self.issued += 1;
        let place = self.place(ticket, self.last_issue).unwrap_or(self.issued);
        self.last_issue = Some(self.last_issue.map_or(place, |last| last.max(place)));
        self.note_end(place, now);
        let called = self
            .early
            .iter()
            .position(|(label, then, _)| label == ticket && at.duration_since(*then).abs() <= LATE);
        if let Some(called) = called {
            self.early.remove(called);
            return;
        }
        if self
            .waiting
            .iter()
            .any(|p| p.ticket == *ticket && p.place == place)
        {
            return;
        }
        // Lines of one minute may stand in another order than they happened.
        let coarse = at_once.is_some_and(|at| !at.coarse.is_zero());
        let behind = self.waiting.iter().rev().take_while(|p| p.place > place);
        let behind = if coarse && self.ring.is_some() {
            behind.count()
        } else {
            0
        };
        let person = Person {
            ticket: ticket.clone(),
            place,
        };
        self.waiting.insert(self.waiting.len() - behind, person);
        if self.waiting.len() > MAX_KEYS {
            self.waiting.pop_front();
        }
    }

    /// Notes whether this is the last number of which an issue is reported.
    fn note_end(&mut self, place: u64, now: Now) {
        let last = |(ring, passes): (Ring, u32)| ring.size() * u64::from(passes);
        let end = self.ring.zip(self.passes).map(last);
        if end.is_some_and(|end| place + 1 >= end) && !self.is_exhausted {
            self.is_exhausted = true;
            self.exhausted = (end == Some(place + 1)).then_some(now.mono);
        }
    }

    /// A ticket is called at a time. Where it was, and its place in the range.
    pub(super) fn call(&mut self, ticket: &Label, at: Timestamp, now: Now) -> (Was, Option<u64>) {
        self.complete.get_or_insert(false);
        if let Some(person) = take(&mut self.waiting, ticket) {
            self.in_row = self.in_row.saturating_add(1);
            self.missed_in_row = 0;
            if self.in_row >= SURE_AFTER && !self.is_exhausted {
                self.complete = Some(true);
            }
            return (Was::Waiting, self.note_call(Some(person.place)));
        }
        if let Some(person) = take(&mut self.held, ticket) {
            let before = self.called.contains(&person.place);
            return (Was::Held(before), self.note_call(Some(person.place)));
        }
        let near = self.last_call.or(self.last_issue);
        let place = self.place(ticket, near);
        let before = place.map(|place| self.called.contains(&place));
        if before != Some(true) {
            self.early.push_back((ticket.clone(), at, true));
        }
        if let Some(place) = place {
            // One beyond the last reported issue was given out without a report.
            let end = self
                .ring
                .zip(self.passes)
                .map(|(r, n)| r.size() * u64::from(n));
            if end.is_some_and(|end| place >= end) {
                self.note_end(place, now);
            }
        }
        self.note_call(place);
        (Was::Unknown(before), place)
    }

    fn note_call(&mut self, place: Option<u64>) -> Option<u64> {
        let place = place?;
        if self.called.len() >= MAX_KEYS {
            self.called.pop_first();
        }
        self.called.insert(place);
        self.last_call = Some(self.last_call.map_or(place, |last| last.max(place)));
        Some(place)
    }

    /// A ticket is not wanted any more.
    pub(super) fn cancel(&mut self, ticket: &Label, at: Timestamp) {
        // Where the number waits twice, in two passes through the range, it is the one just taken.
        let newest = self
            .waiting
            .iter()
            .rposition(|person| person.ticket == *ticket);
        let gone = newest.and_then(|at| self.waiting.remove(at));
        let gone = gone.or_else(|| take(&mut self.held, ticket));
        if gone.is_none() {
            self.early.push_back((ticket.clone(), at, false));
        }
    }

    /// A ticket is set aside.
    pub(super) fn hold(&mut self, ticket: &Label) {
        let person = take(&mut self.waiting, ticket).unwrap_or_else(|| Person {
            ticket: ticket.clone(),
            place: self.place(ticket, self.last_call).unwrap_or(self.issued),
        });
        if !self.held.iter().any(|held| held.ticket == *ticket) && self.held.len() < MAX_KEYS {
            self.held.push_back(person);
        }
    }

    /// A ticket on hold waits again, at the place of its number.
    pub(super) fn back(&mut self, ticket: &Label) {
        let person = take(&mut self.held, ticket).unwrap_or_else(|| Person {
            ticket: ticket.clone(),
            place: self.place(ticket, self.last_call).unwrap_or(0),
        });
        let at = self.waiting.iter().position(|p| p.place > person.place);
        self.waiting
            .insert(at.unwrap_or(self.waiting.len()), person);
    }

    /// A person was served.
    pub(super) fn served(&mut self, ticket: &Label) {
        take(&mut self.held, ticket);
    }

    /// Gives up waiting for issues that were to be written within the minute before `at`.
    pub(super) fn expire(&mut self, at: Timestamp, coarse: Duration) {
        let coarse = SignedDuration::try_from(coarse).unwrap_or(SignedDuration::ZERO);
        let late = |then: Timestamp| at.duration_since(then) > LATE.max(coarse);
        while let Some((_, then, call)) = self.early.front().cloned() {
            if !late(then) && self.early.len() <= MAX_LISTED {
                return;
            }
            self.early.pop_front();
            if call {
                self.in_row = 0;
                self.missed_in_row = self.missed_in_row.saturating_add(1);
                if self.missed_in_row >= UNSURE_AFTER {
                    self.complete = Some(false);
                }
            }
        }
    }
}

/// The first of a ticket in a list, taken out of it.
fn take(list: &mut VecDeque<Person>, ticket: &Label) -> Option<Person> {
    let at = list.iter().position(|person| person.ticket == *ticket)?;
    list.remove(at)
}

fn labels(list: &VecDeque<Person>) -> Vec<Label> {
    let tickets = list.iter().map(|person| person.ticket.clone());
    tickets.take(MAX_LISTED).collect()
}
