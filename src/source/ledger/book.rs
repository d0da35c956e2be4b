//! The calls of a day: their numbers, which tickets they were of, and where a numbering begins again.

use super::MAX_KEYS;
use super::ring::number;
use crate::clock::Now;
use crate::model::{Call, CallKind, Label, NowServing, QueueState, Status};
use jiff::{Timestamp, Zoned, civil::Date};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Calls that are listed, as many as a feed message holds (contract, "Feed").
pub(super) const MAX_CALLS: usize = 20;

/// A new numbering is seen at one of its first numbers.
const FIRST_NUMBERS: u64 = 4;

/// A series of fewer numbers does not say what a lower one means.
const SHORT_SERIES: u64 = 8;

/// The calls of one queue.
#[derive(Debug, Clone, Default)]
pub(super) struct Book {
    pub(super) day: Option<Date>,
    pub(super) epoch: u32,
    pub(super) last_no: u64,
    pub(super) seq: u64,
    /// Newest first.
    pub(super) calls: VecDeque<Call>,
    pub(super) standing: Option<NowServing>,
    /// Tickets called in this numbering.
    pub(super) called: BTreeSet<Label>,
    /// Lowest and highest number of this numbering, by the letters in front.
    pub(super) series: BTreeMap<String, (u64, u64)>,
    /// The last call, where it was one of a lower number that may begin a numbering.
    pub(super) low: Option<Label>,
}

impl Book {
    pub(super) fn day(&self) -> Option<Date> {
        self.day
    }

    /// Turns to the day of a moment. Whether it is another one.
    pub(super) fn turn(&mut self, local: &Zoned) -> bool {
        let day = local.date();
        let before = self.day;
        if before == Some(day) {
            return false;
        }
        // A day that begins in its turn has the epoch 0. The calls of another one may be known already.
        let epoch = if before.is_some_and(|before| before < day) {
            0
        } else {
            let midnight = local
                .start_of_day()
                .map_or(0, |z| z.timestamp().as_second());
            let second = local.timestamp().as_second() - midnight;
            u32::try_from(second).unwrap_or(0).max(1)
        };
        *self = Self {
            day: Some(day),
            seq: self.seq,
            epoch,
            ..Self::default()
        };
        true
    }

    /// Whether any number is shown.
    pub(super) fn shows_any(&self) -> bool {
        self.standing.is_some() || !self.calls.is_empty()
    }

    pub(super) fn newest(&self) -> Option<&Call> {
        self.calls.front()
    }

    /// Begins a new numbering. Whether there were calls in the one before.
    pub(super) fn reset(&mut self) -> bool {
        let had_calls = self.last_no > 0;
        if had_calls {
            self.epoch = self.epoch.saturating_add(1);
            self.last_no = 0;
            self.calls.clear();
        }
        self.called.clear();
        self.series.clear();
        self.standing = None;
        self.low = None;
        had_calls
    }

    pub(super) fn was_called(&self, ticket: &Label) -> bool {
        self.called.contains(ticket)
    }

    /// Whether a ticket is one of the first of its series again, after more than half of the series
    /// was called, and not only a recall.
    pub(super) fn begins_again(&self, ticket: &Label) -> bool {
        let Some((letters, n)) = number(ticket) else {
            return false;
        };
        let recent = self.calls.iter().any(|call| call.ticket == *ticket);
        self.series.get(letters).is_some_and(|(low, high)| {
            let length = high.saturating_sub(*low).max(SHORT_SERIES);
            !recent && n <= low + FIRST_NUMBERS && high.saturating_sub(n) > length / 2
        })
    }

    /// A ticket is called. Without `kind` it is a recall when it was called in this numbering. Whether it
    /// began a new one: the second low number in a row does.
    pub(super) fn call(
        &mut self,
        ticket: Label,
        counter: Option<Label>,
        at: Timestamp,
        kind: Option<CallKind>,
    ) -> bool {
        let low = kind.is_none() && self.begins_again(&ticket);
        let follows = |before: &Label| {
            let (before, n) = (number(before), number(&ticket));
            before.zip(n).is_some_and(|(b, n)| b.0 == n.0 && b.1 < n.1)
        };
        let reset = low && self.low.as_ref().is_some_and(follows) && self.reset();
        self.low = (low && !reset).then(|| ticket.clone());
        let again = self.was_called(&ticket);
        let kind = kind.unwrap_or(if again {
            CallKind::Recall
        } else {
            CallKind::Call
        });
        if self.called.len() < MAX_KEYS {
            self.called.insert(ticket.clone());
        }
        if let (false, Some((letters, n))) = (low && !reset, number(&ticket)) {
            let series = self.series.entry(letters.to_owned()).or_insert((n, n));
            *series = (series.0.min(n), series.1.max(n));
        }
        self.last_no += 1;
        self.calls.push_front(Call {
            no: self.last_no,
            ticket,
            counter,
            at,
            kind,
        });
        self.calls.truncate(MAX_CALLS);
        self.standing = None;
        reset
    }

    /// A number is there, called at an unknown time. A call that is known already stays what it is.
    pub(super) fn list(&mut self, ticket: Label, counter: Option<Label>) {
        let newest = self.calls.front();
        let known = newest.is_some_and(|c| c.ticket == ticket && c.counter == counter);
        if let Some((letters, n)) = number(&ticket) {
            let series = self.series.entry(letters.to_owned()).or_insert((n, n));
            *series = (series.0.min(n), series.1.max(n));
        }
        self.standing = (!known).then_some(NowServing { ticket, counter });
    }

    /// Shows a call that is not the newest as the last number.
    pub(super) fn lead(&mut self, call: &Call) {
        self.standing = Some(NowServing {
            ticket: call.ticket.clone(),
            counter: call.counter.clone(),
        });
    }

    /// The source shows that nobody is served.
    pub(super) fn clear_standing(&mut self) {
        self.standing = None;
    }

    /// The queue's state but for what is beside its calls.
    pub(super) fn state(&mut self, at: Timestamp, now: Now) -> QueueState {
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
