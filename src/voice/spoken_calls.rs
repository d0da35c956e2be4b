//! Which calls were fully spoken: what a restart must neither repeat nor skip.

use crate::model::QueueId;
use crate::state::LoggedCall;
use jiff::civil::Date;
use std::collections::{BTreeMap, BTreeSet};

/// The calls that were fully spoken, by queue.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SpokenCalls {
    /// Each queue of which a call was spoken.
    pub queues: BTreeMap<QueueId, SpokenQueue>,
}

/// What was fully spoken of one queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpokenQueue {
    /// Business day of its newest spoken call.
    pub day: Date,
    /// Epoch of that call, as counted by this node.
    pub epoch: u32,
    /// Every call up to this `no` is completed.
    pub through: u64,
    /// Later ones that were spoken before their turn, together with an earlier call of the same
    /// ticket.
    pub also: BTreeSet<u64>,
}

impl SpokenCalls {
    /// Whether a call is completed.
    #[must_use]
    pub fn contains(&self, call: &LoggedCall) -> bool {
        self.queues.get(&call.queue).is_some_and(|q| {
            let series = (call.day, call.epoch);
            let no = call.call.no;
            series < (q.day, q.epoch)
                || series == (q.day, q.epoch) && (no <= q.through || q.also.contains(&no))
        })
    }

    /// Notes that a call is completed; `first_open` is the lowest `no` of its series that is not.
    pub fn note(&mut self, call: &LoggedCall, first_open: Option<u64>) {
        let queue = self
            .queues
            .entry(call.queue.clone())
            .or_insert_with(|| SpokenQueue {
                day: call.day,
                epoch: call.epoch,
                through: 0,
                also: BTreeSet::new(),
            });
        let series = (call.day, call.epoch);
        if series < (queue.day, queue.epoch) {
            return;
        }
        if series > (queue.day, queue.epoch) {
            (queue.day, queue.epoch) = series;
            queue.through = 0;
            queue.also.clear();
        }
        queue.also.insert(call.call.no);
        while let Some(&no) = queue.also.first() {
            if first_open.is_some_and(|open| open < no) {
                break;
            }
            queue.through = queue.through.max(no);
            queue.also.pop_first();
        }
    }
}
