//! What a ledger is told, and what it tells.

use crate::model::QueueState;
use jiff::tz::TimeZone;
use std::time::Duration;

/// What a ledger is to know of its queue and source.
#[derive(Debug, Clone)]
pub struct LedgerSettings {
    /// The office's time zone.
    pub zone: TimeZone,
    /// A call that is older when first seen is not announced.
    pub max_announce_age: Duration,
    /// Whether the source is asked again and again, so that a long silence means that it was away.
    pub polled: bool,
    /// A state that must be seen twice is believed after this time when nothing contradicts it: for
    /// sources that speak only when something changes.
    pub confirm_after: Option<Duration>,
    /// First and last number of the queue's tickets; behind the last comes the first.
    pub range: Option<(u32, u32)>,
    /// How often through the range issues are reported; `None` is always.
    pub issue_passes: Option<u32>,
    /// Whether events tell of issues, so that people waiting can be counted.
    pub has_issues: bool,
    /// Whether events tell of tickets on hold.
    pub has_holds: bool,
}

impl LedgerSettings {
    /// The defaults for an office in a zone.
    #[must_use]
    pub fn new(zone: TimeZone) -> Self {
        Self {
            zone,
            max_announce_age: crate::state::Settings::MAX_ANNOUNCE_AGE,
            polled: false,
            confirm_after: None,
            range: None,
            issue_passes: None,
            has_issues: false,
            has_holds: false,
        }
    }
}

/// Why a whole state is not used before it is seen again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// Its numbers are lower by more than half.
    NumbersFell,
    /// Its list is empty, and was not.
    ListEmptied,
    /// It is of another day than the one before.
    OtherDay,
}

/// Where the number of people waiting comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WaitingKind {
    /// It is not known.
    #[default]
    Unknown,
    /// The source reports it.
    Reported,
    /// It is counted from issues, calls and cancellations.
    Counted,
}

/// What an observation changed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outcome {
    /// The queue's state; `None` where nothing can be said of it yet.
    pub state: Option<QueueState>,
    /// Calls that are new in it.
    pub calls: u32,
    /// Calls that were made and are in no state: at least so many.
    pub missed: u32,
    /// Events that came twice and were dropped.
    pub duplicates: u32,
    /// Whether `state.at` is the source's own time.
    pub timed: bool,
    /// Whether a new business day began.
    pub new_day: bool,
    /// Whether the source began a new numbering.
    pub reset: bool,
    /// Why the observation is not used before it is seen again.
    pub doubt: Option<Doubt>,
    /// Where `state.waiting` comes from.
    pub waiting: WaitingKind,
}
