//! Derives calls from a displayed number, for sources that do not report calls.
//!
//! Used for foreign systems behind an adapter and for filmed boards. A change that is observed as it
//! happens is a call made now. For a number that is there when it is first seen (at the start, on a new
//! day, after an outage) the time of the call is unknown: it is listed, but it is not a call.

use super::SavedQueue;
use crate::clock::Now;
use crate::model::{Call, CallKind, Label, NowServing, QueueState, Status};
use crate::state::horizon;
use jiff::{Timestamp, civil::Date};
use std::collections::VecDeque;
use std::time::Duration;

/// Calls that are kept and listed, as many as a feed message holds (contract, "Feed").
const MAX_CALLS: usize = 20;

/// What was derived of one queue on one day.
#[derive(Debug, Clone, Default)]
pub struct DerivedCalls {
    day: Option<Date>,
    epoch: u32,
    seq: u64,
    last_no: u64,
    /// Newest first.
    calls: VecDeque<Call>,
    standing: Option<NowServing>,
    /// The number that was shown last and its counter, of whatever day.
    last_shown: Option<(Label, Option<Label>)>,
    /// When the state that was kept was told, where there was one.
    kept_at: Option<Timestamp>,
}

impl DerivedCalls {
    /// Goes on where the state that was kept ends: calls keep their counts. `epoch` begins another
    /// series, for a source that may have called while nobody listened.
    pub fn resume(&mut self, kept: &SavedQueue, epoch: u32) {
        self.day = Some(kept.state.day);
        self.epoch = epoch;
        self.seq = kept.state.seq;
        self.last_no = kept.last_no;
        self.calls = kept.state.calls.iter().cloned().collect();
        self.standing.clone_from(&kept.state.now_serving);
        let shown = kept.state.last_shown();
        self.last_shown = shown.map(|(ticket, counter)| (ticket.clone(), counter.cloned()));
        self.kept_at = kept.dated.then_some(kept.state.at);
    }

    /// Whether the state that was kept is so young that what differs from it came within `within`.
    #[must_use]
    pub fn was_saved_within(&self, within: Duration, now: Now) -> bool {
        let recent = |at: Timestamp| now.wall.duration_since(at).unsigned_abs() <= within;
        now.synced && self.kept_at.is_some_and(recent)
    }

    /// The day of its calls.
    #[must_use]
    pub fn day(&self) -> Option<Date> {
        self.day
    }

    /// The number that was shown last, of whatever day.
    #[must_use]
    pub fn last_shown(&self) -> Option<&Label> {
        self.last_shown.as_ref().map(|(ticket, _)| ticket)
    }

    /// Whether that was a ticket at a counter, called or only standing there.
    #[must_use]
    pub fn was_shown_last(&self, ticket: &Label, counter: Option<&Label>) -> bool {
        let shown = self.last_shown.as_ref();
        shown.is_some_and(|(t, c)| t == ticket && c.as_ref() == counter)
    }

    /// Turns to the day of a message, and lets go of what cannot have been called yet. Whether the
    /// day is another one, on which calls are counted anew.
    pub fn turn_to(&mut self, day: Date, now: Now) -> bool {
        let another = self.day != Some(day);
        if another {
            *self = Self {
                day: Some(day),
                seq: self.seq,
                last_shown: self.last_shown.take(),
                kept_at: self.kept_at,
                ..Self::default()
            };
        }
        if now.synced {
            self.calls.retain(|call| call.at <= horizon(now));
        }
        another
    }

    /// Begins another series within the day.
    pub fn set_epoch(&mut self, epoch: u32) {
        self.epoch = epoch;
    }

    /// The epoch of its calls.
    #[must_use]
    pub fn epoch(&self) -> u32 {
        self.epoch
    }

    /// The newest call, if there was one today.
    #[must_use]
    pub fn newest(&self) -> Option<&Call> {
        self.calls.front()
    }

    /// Whether the newest call is that of a ticket to a counter.
    #[must_use]
    pub fn is_newest(&self, ticket: &Label, counter: Option<&Label>) -> bool {
        let newest = self.newest();
        newest.is_some_and(|c| c.ticket == *ticket && c.counter.as_ref() == counter)
    }

    /// Whether a ticket was called today, as far as is remembered.
    #[must_use]
    pub fn has_called(&self, ticket: &Label) -> bool {
        self.calls.iter().any(|call| call.ticket == *ticket)
    }

    /// A number came: it was called.
    pub fn called(&mut self, ticket: Label, counter: Option<Label>, kind: CallKind, at: Timestamp) {
        self.last_no = self.last_no.saturating_add(1);
        self.last_shown = Some((ticket.clone(), counter.clone()));
        self.calls.push_front(Call {
            no: self.last_no,
            ticket,
            counter,
            at,
            kind,
        });
        self.calls.truncate(MAX_CALLS);
        self.standing = None;
    }

    /// A number stands there, called nobody knows when; a call of it that is known already stays the
    /// call that it was.
    pub fn list_current(&mut self, ticket: Label, counter: Option<Label>) {
        self.last_shown = Some((ticket.clone(), counter.clone()));
        let known = self.is_newest(&ticket, counter.as_ref());
        self.standing = (!known).then_some(NowServing { ticket, counter });
    }

    /// The source shows that nobody is served.
    pub fn clear_current(&mut self) {
        self.standing = None;
    }

    /// The next message of the queue, made at `at`; everything that this knows nothing of is empty.
    pub fn message(&mut self, at: Timestamp, now: Now) -> QueueState {
        let millis = u64::try_from(now.wall.as_millisecond()).unwrap_or(0);
        self.seq = millis.max(self.seq.saturating_add(1));
        QueueState {
            seq: self.seq,
            at,
            day: self.day.unwrap_or_default(),
            epoch: self.epoch,
            status: Status::Open,
            waiting: None,
            on_hold: None,
            next: Vec::new(),
            held: Vec::new(),
            calls: self.calls.iter().cloned().collect(),
            now_serving: self.standing.clone(),
            wait: None,
        }
    }
}
