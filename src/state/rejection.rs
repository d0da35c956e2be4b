//! Why a message was rejected.

use crate::clock::Now;
use crate::model::QueueId;
use jiff::{SignedDuration, Timestamp, civil::Date};

/// Why a message was rejected. A rejected message changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// The same message was applied already.
    #[error("duplicate message, seq {0}")]
    Duplicate(u64),
    /// A newer message was applied already.
    #[error("late message, seq {seq} of {day}")]
    Late { seq: u64, day: Date },
    /// The queue is not configured.
    #[error("queue {0} is not in the configuration")]
    UnknownQueue(QueueId),
    /// A time lies ahead of the node's clock by more than two clocks may differ.
    #[error("at {path}: {at} is in the future: expected at most two minutes ahead of {now}")]
    InFuture {
        /// Which field: `at` or `calls`.
        path: &'static str,
        at: Timestamp,
        now: Timestamp,
    },
    /// A time lies more than a day back.
    #[error("at {path}: {at} is more than a day off")]
    TimestampOutOfRange { path: &'static str, at: Timestamp },
    /// The business day does not fit the message's own time.
    #[error("at day: {day} is not the business day of a message made on {made}")]
    WrongBusinessDay {
        day: Date,
        /// Local date of `at`.
        made: Date,
    },
    /// The business day is over.
    #[error("at day: {day} is over: expected {today}, or the day before while it still continues")]
    BusinessDayOver {
        day: Date,
        today: Date,
        /// When it was made by the source's clock.
        at: Timestamp,
    },
}

impl Rejection {
    /// How far the source's clock is ahead of the node's (negative: behind), where that is why a
    /// live message was rejected.
    #[must_use]
    pub fn clock_offset(&self, now: Now) -> Option<SignedDuration> {
        match self {
            Self::InFuture { at, .. }
            | Self::TimestampOutOfRange { path: "at", at }
            | Self::BusinessDayOver { at, .. } => Some(at.duration_since(now.wall)),
            _ => None,
        }
    }

    /// Whether only calls that it lists are impossible: the message itself was made now.
    pub(super) fn concerns_calls_only(&self) -> bool {
        matches!(
            self,
            Self::InFuture { path: "calls", .. } | Self::TimestampOutOfRange { path: "calls", .. }
        )
    }
}
