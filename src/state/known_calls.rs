//! The calls that a queue has already reported, identified by their content, not by their number.
//!
//! Two calls are the same if ticket, counter, time and kind are, whatever day, epoch or `no` the
//! source gives them later: after its clock passed the midnight of another time zone, after a restart
//! that lists old calls again, after a message that was wrong.

use crate::model::{Call, CallKind, Label};
use jiff::{Timestamp, civil::Date};
use std::collections::{BTreeSet, VecDeque};

/// Calls that are remembered: an hour and a half of the busiest office (325 an hour).
const CAPACITY: usize = 512;

/// One call, and the count under which it was reported.
#[derive(Debug, Clone)]
pub(super) struct KnownCall {
    pub(super) day: Date,
    pub(super) epoch: u32,
    pub(super) no: u64,
    ticket: Label,
    counter: Option<Label>,
    at: Timestamp,
    kind: CallKind,
}

impl KnownCall {
    fn is(&self, call: &Call) -> bool {
        self.at == call.at
            && self.ticket == call.ticket
            && self.counter == call.counter
            && self.kind == call.kind
    }
}

/// The newest calls of a queue; at most [`CAPACITY`].
#[derive(Debug, Clone, Default)]
pub(super) struct KnownCalls(VecDeque<KnownCall>);

impl KnownCalls {
    /// Remembers a call.
    pub(super) fn push(&mut self, day: Date, epoch: u32, call: &Call) {
        self.0.push_back(KnownCall {
            day,
            epoch,
            no: call.no,
            ticket: call.ticket.clone(),
            counter: call.counter.clone(),
            at: call.at,
            kind: call.kind,
        });
        if self.0.len() > CAPACITY {
            self.0.pop_front();
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether this call was made known before, under whatever count.
    pub(super) fn has(&self, call: &Call) -> bool {
        self.0.iter().any(|known| known.is(call))
    }

    /// Whether this call was made known before, under this `no`.
    pub(super) fn has_numbered(&self, call: &Call) -> bool {
        self.0
            .iter()
            .any(|known| known.no == call.no && known.is(call))
    }

    /// The newest of a message's calls that is known under the same `no`, on this day or, with
    /// `None`, on any.
    pub(super) fn overlap(&self, calls: &[Call], day: Option<Date>) -> Option<&KnownCall> {
        calls.iter().find_map(|call| {
            self.0.iter().rev().find(|known| {
                known.no == call.no && day.is_none_or(|day| known.day == day) && known.is(call)
            })
        })
    }

    /// Whether a count of these calls names another ticket already.
    pub(super) fn collides(&self, calls: &[Call], day: Date, epoch: u32) -> bool {
        let mine = |k: &&KnownCall| k.day == day && k.epoch == epoch;
        self.0.iter().filter(mine).any(|known| {
            calls
                .iter()
                .any(|c| c.no == known.no && c.ticket != known.ticket)
        })
    }

    /// The newest count below `no` of a day and epoch; 0 when there is none.
    pub(super) fn newest_before(&self, no: u64, day: Date, epoch: u32) -> u64 {
        let mine = |k: &&KnownCall| k.day == day && k.epoch == epoch && k.no < no;
        self.0.iter().filter(mine).map(|k| k.no).max().unwrap_or(0)
    }

    /// The first epoch from `from` on under which no call of a day is known, beginning again at 0
    /// behind the last one.
    pub(super) fn unused_epoch(&self, day: Date, from: u32) -> u32 {
        let of_day = self.0.iter().filter(|k| k.day == day);
        let used: BTreeSet<u32> = of_day.map(|k| k.epoch).collect();
        // There are more epochs than calls that are remembered.
        let mut epoch = from;
        while used.contains(&epoch) {
            epoch = epoch.wrapping_add(1);
        }
        epoch
    }
}
