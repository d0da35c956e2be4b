//! Whether the accepted state of a queue is replaced by what its source keeps reporting.
//!
//! One message with a day, count or sequence number far ahead would block all later ones. Messages
//! that are rejected because of an earlier one are therefore counted: a source that keeps making new
//! ones for a while is right, and the earlier message was wrong. Delayed copies do not count: their
//! times do not advance, or they were accepted before, or made before the accepted message.

use super::times::MAX_AHEAD;
use crate::clock::Now;
use crate::model::QueueState;
use jiff::{SignedDuration, Timestamp, civil::Date};
use std::collections::VecDeque;
use std::time::Duration;

/// So many messages, each made later than the one before …
const MESSAGES: u32 = 3;

/// … over at least this time.
const LASTING: Duration = Duration::from_secs(60);

/// Messages that are remembered to tell copies: a busy queue's ten minutes.
const REMEMBERED: usize = 64;

/// A run of messages that were rejected because of the accepted one.
#[derive(Debug, Clone, Copy)]
struct RejectedRun {
    /// Monotonic moment of the first.
    since: Duration,
    count: u32,
    /// When the newest was made by the source's clock.
    made: Timestamp,
}

/// By the source's clock: when the believed message came, less what two clocks may differ.
#[derive(Debug, Clone, Copy)]
struct Floor {
    made: Timestamp,
    /// What the wall clock showed when the monotonic one began.
    began: Timestamp,
}

/// A clock that is further off than this from where it was has been set.
const CLOCK_SET: SignedDuration = SignedDuration::from_secs(5);

/// What the wall clock showed, or would have shown, when the monotonic one began.
fn began(now: Now) -> Timestamp {
    now.wall.saturating_sub(now.mono).unwrap_or(now.wall)
}

impl Floor {
    /// Whether a message was made before it; never after the clock was set.
    fn is_above(self, made: Timestamp, now: Now) -> bool {
        let moved = began(now).duration_since(self.began).abs();
        made <= self.made && moved <= CLOCK_SET
    }
}

/// The evidence against the accepted reading.
#[derive(Debug, Clone, Default)]
pub(super) struct CorrectionTracker {
    rejected: Option<RejectedRun>,
    /// Only messages made later speak against the believed one; `None` where no clock tells.
    floor: Option<Floor>,
    /// The newest messages that were believed.
    taken: VecDeque<(Date, u64, Timestamp)>,
    /// How far the source's clock was behind at the message before; never above zero.
    behind: SignedDuration,
}

impl CorrectionTracker {
    /// A message was accepted: there is no evidence against it yet.
    pub(super) fn on_accepted(&mut self, state: &QueueState, now: Now) {
        let made = state.at;
        self.rejected = None;
        self.taken.push_back((state.day, state.seq, made));
        if self.taken.len() > REMEMBERED {
            self.taken.pop_front();
        }
        if !now.synced {
            self.floor = None;
            return;
        }
        let differ = self.behind.saturating_sub(MAX_AHEAD);
        let came = now.wall.saturating_add(differ).unwrap_or(now.wall);
        // A time ahead of its own arrival is no bound for those that come after it.
        self.floor = Some(Floor {
            made: made.min(came),
            began: began(now),
        });
        self.behind = made.duration_since(now.wall).min(SignedDuration::ZERO);
    }

    /// A message was rejected. Returns whether to accept it nevertheless.
    pub(super) fn on_rejected(&mut self, state: &QueueState, now: Now) -> bool {
        let made = state.at;
        let copy = self.taken.contains(&(state.day, state.seq, made));
        if copy || self.floor.is_some_and(|floor| floor.is_above(made, now)) {
            return false;
        }
        match &mut self.rejected {
            Some(rejected) if made > rejected.made => {
                rejected.made = made;
                rejected.count = rejected.count.saturating_add(1);
                rejected.count >= MESSAGES && now.since(rejected.since) >= LASTING
            }
            Some(rejected) if made == rejected.made => false, // a copy
            // The first, or one that goes back: who goes on from here counts from here, so that one
            // time far ahead shuts out nobody.
            _ => {
                self.rejected = Some(RejectedRun {
                    since: now.mono,
                    count: 1,
                    made,
                });
                false
            }
        }
    }
}
