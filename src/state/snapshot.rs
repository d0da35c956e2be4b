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
    /// The local date.
    pub today: Date,
    /// The office's time zone.
    pub zone: TimeZone,
}

/// One queue at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct QueueView {
    /// What is configured.
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
    /// Monotonic moment of arrival; `None` when it was kept through a restart.
    pub heard: Option<Duration>,
    /// How old it was at arrival.
    pub age_at_arrival: Duration,
}

impl Reading {
    /// The moment the numbers are of.
    #[must_use]
    pub fn as_of(&self) -> Timestamp {
        self.state.at
    }

    /// How old the numbers are; `None` when kept through a restart and not heard since.
    #[must_use]
    pub fn age(&self, now: Now) -> Option<Duration> {
        self.heard
            .map(|heard| self.age_at_arrival + now.since(heard))
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

impl QueueView {
    /// What the source said, if it may be shown.
    #[must_use]
    pub fn today(&self) -> Option<&QueueState> {
        match self.phase {
            Phase::Today(_) => self.reading.as_ref().map(|r| &r.state),
            Phase::Unknown | Phase::NotOpenYet => None,
        }
    }
}
