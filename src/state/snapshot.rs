//! The state at one moment, as everybody downstream sees it.

use super::{LoggedCall, QueueSettings};
use crate::clock::Now;
use crate::model::{QueueState, Source, Status, WaitRange};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use std::time::Duration;

/// All queues of an office at one moment. A plain value: cheap to read, never changes.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// Every configured queue, in the order of the board.
    pub queues: Vec<QueueView>,
    /// The newest calls of all queues in the order they became known, oldest first; at most 128.
    /// Each reader remembers the last `index` it handled, so that it handles each call once.
    pub log: Vec<LoggedCall>,
    /// The words of what is wrong with the node, each once; empty when all is well. The office itself
    /// knows none: whoever hands out its snapshots adds them.
    pub issues: Vec<&'static str>,
    pub today: Date,
    pub zone: TimeZone,
}

/// One queue at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct QueueView {
    pub settings: QueueSettings,
    /// What the source said last; `None` before the first message ever.
    pub reading: Option<Reading>,
    /// What may be shown of it.
    pub phase: Phase,
    /// Whether the source is still heard.
    pub fresh: bool,
    /// The wait of somebody who takes a ticket now: the source's, else the node's estimate.
    pub wait: Option<WaitRange>,
}

/// The last accepted message of a queue and what the node knows about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// What the source said.
    pub state: QueueState,
    /// The epoch as counted by this node (the source's, and restarts it did not tell).
    pub epoch: u32,
    /// Where it came from.
    pub source: Source,
    /// Monotonic moment at which it was known to be what the source says now; `None` when it was kept
    /// through a restart or by a broker, and may be of any age.
    pub received_at: Option<Duration>,
    /// How old it was at that moment.
    pub age_at_arrival: Duration,
    /// Whether its `at` is a time of the numbers; else it is only when the node got them.
    pub dated: bool,
}

impl Reading {
    /// The moment the numbers are of; `None` where nothing tells.
    #[must_use]
    pub fn as_of(&self) -> Option<Timestamp> {
        self.dated.then_some(self.state.at)
    }

    /// How old the numbers are; `None` where nothing tells.
    #[must_use]
    pub fn age(&self, now: Now) -> Option<Duration> {
        self.received_at
            .map(|received_at| self.age_at_arrival + now.since(received_at))
    }
}

/// What may be shown of a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Nothing was ever heard: show no numbers.
    Unknown,
    /// The numbers are of an earlier day: show none, say "not open yet".
    NotOpenYet,
    /// Today's numbers, with the status the source gave.
    Today(Status),
}

/// People counted in a closed queue have left when nobody was called for this long.
const DESERTED: Duration = Duration::from_secs(30 * 60);

impl QueueView {
    /// Whether a queue that gives out no more tickets still calls those who have one: people wait,
    /// and somebody was called not long before the newest message, or a wait is predicted.
    #[must_use]
    pub fn still_calls(&self) -> bool {
        let recent = |state: &QueueState| {
            let call = state.last_call();
            let age = call.map(|c| state.at.duration_since(c.at).unsigned_abs());
            age.is_some_and(|age| age < DESERTED)
        };
        self.phase == Phase::Today(Status::Closed)
            && self.today().is_some_and(|state| {
                let waits = state.waiting.is_some_and(|n| n > 0) || !state.next.is_empty();
                let called = state.last_call().is_some();
                waits && called && (self.wait.is_some() || recent(state))
            })
    }

    /// What the source said, if it may be shown.
    #[must_use]
    pub fn today(&self) -> Option<&QueueState> {
        match self.phase {
            Phase::Today(_) => self.reading.as_ref().map(|r| &r.state),
            Phase::Unknown | Phase::NotOpenYet => None,
        }
    }
}
