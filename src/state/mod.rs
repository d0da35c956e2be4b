//! What an office knows: the newest state of each queue, which calls are new, how old it all is.
//!
//! Sync, total, no I/O, no clock: `apply(message, now) -> changes`. The same events at the same
//! times give the same state (invariant 9). Late and duplicate messages change nothing
//! (invariant 3); a wrong one is refused with a reason and changes nothing either (invariant 8).
//! Knows no topics, no JSON, no pixels.
//!
//! [`Office`] owns the truth and hands out [`Snapshot`]s; a [`CallHighlighter`] decides for one board which
//! call stands out when.

mod arrival;
mod correction;
mod derived_calls;
mod highlighter;
mod known_calls;
mod log;
mod office;
mod queue;
mod rejection;
mod saved;
mod snapshot;
mod times;
pub mod wait;

#[cfg(test)]
mod day_tests;
#[cfg(test)]
mod evidence_tests;
#[cfg(test)]
mod highlighter_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod time_tests;

pub use arrival::{Arrival, Delivery};
pub use derived_calls::DerivedCalls;
pub use highlighter::{
    CallHighlighter, HighlightSettings, HighlightView, HighlightedCall, MAX_LIST_SLOTS, MAX_WAITING,
};
pub use log::LoggedCall;
pub use office::{Changes, Counts, Office};
pub use rejection::Rejection;
pub use saved::{SavedCall, SavedQueue, SavedState};
pub use snapshot::{Phase, QueueView, Reading, Snapshot};
pub use times::{MAX_AHEAD, could_be_now, horizon};

use crate::model::{Lane, Name, QueueId};
use jiff::{civil::Time, tz::TimeZone};
use std::time::Duration;

/// What is configured about an office's state; the same for all its queues but names and lanes.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The office's time zone; its days begin at local midnight.
    pub timezone: TimeZone,
    /// Counters open and close; for waits that begin before opening.
    pub hours: (Time, Time),
    /// Numbers older than this are not fresh. Default 150 s: two heartbeats of a minute missed.
    pub stale_after: Duration,
    /// Without a line to the broker, numbers stop being fresh after this. Default 15 s.
    pub disconnect_grace: Duration,
    /// A call older than this when first seen is listed and reported, not announced. Default 120 s.
    pub max_announce_age: Duration,
    /// The queues in the order of the board; at most 64.
    pub queues: Vec<QueueSettings>,
}

impl Settings {
    /// The default of [`Settings::max_announce_age`].
    pub const MAX_ANNOUNCE_AGE: Duration = Duration::from_secs(120);

    /// The defaults of the contract for an office in Japan.
    #[must_use]
    pub fn new(queues: Vec<QueueSettings>) -> Self {
        Self {
            timezone: TimeZone::get("Asia/Tokyo").unwrap_or(TimeZone::fixed(jiff::tz::offset(9))),
            hours: (Time::constant(9, 0, 0, 0), Time::constant(17, 0, 0, 0)),
            stale_after: Duration::from_secs(150),
            disconnect_grace: Duration::from_secs(15),
            max_announce_age: Self::MAX_ANNOUNCE_AGE,
            queues,
        }
    }
}

/// What is configured about one queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueSettings {
    pub id: QueueId,
    pub name: Name,
    /// Who it is for.
    pub lane: Lane,
}
