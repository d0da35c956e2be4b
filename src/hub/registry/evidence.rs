//! When a message proves that its node lives, and of when it is.
//!
//! Two clocks are compared here and nowhere else in the registry. Ages are counted on the hub's
//! monotonic clock; a time that a node wrote counts only while the hub's own clock is synchronised.
//!
//! | message | proves that its node lived |
//! |---|---|
//! | came live, its times not older than [`ONLINE_FOR`] | when it came |
//! | came live, older | not at all: a broker or bridge may have queued it |
//! | came live, of a node that reports its clock as unknown; or the hub's own clock is | when it came |
//! | came live, bears no time (availability, pictures) | when it came |
//! | retained message, times not ahead | at its own time |
//! | retained message, and one of the clocks is unknown | not at all |
//!
//! Some brokers mark live messages as retained (MQTT 5, "retain as published"; some bridges). For
//! those the times alone count, as every numbers and health report has one.

use crate::clock::Now;
use jiff::{SignedDuration, Timestamp};

/// A node is online for this long after its last sign of life. It reports its health every 30 s, so
/// three reports in a row are missing.
pub const ONLINE_FOR: SignedDuration = SignedDuration::from_secs(120);

/// Numbers are current for this long after their report was made. A node repeats them every 60 s,
/// so two are missing; the same as a node allows its source by default (`stale_after`).
pub const CURRENT_FOR: SignedDuration = SignedDuration::from_secs(150);

/// No time may be further ahead of the hub's clock: an honest node whose clock is a minute off is
/// still believed.
pub const MAX_AHEAD: SignedDuration = SignedDuration::from_mins(2);

/// No number is fresh that is older, whatever a node says: the longest `stale_after` that a node's
/// configuration takes.
pub(super) const MAX_FRESH_AGE: SignedDuration = SignedDuration::from_hours(24);

/// How a message came.
#[derive(Debug, Clone, Copy)]
pub(super) struct Delivery {
    /// Whether it is a retained message.
    pub(super) retained: bool,
    pub(super) now: Now,
}

impl Delivery {
    /// The moment that a message with this newest time is a sign of life of, on the monotonic
    /// clock; `believed` unless its node says that its clock is unknown.
    pub(super) fn proves(self, at: Timestamp, believed: bool) -> Option<SignedDuration> {
        let Self { retained, now } = self;
        let came = moment(now);
        if !(now.synced && believed) {
            return (!retained).then_some(came);
        }
        let age = now.wall.duration_since(at);
        if retained {
            let own = came.saturating_sub(age.max(SignedDuration::ZERO));
            (age >= -MAX_AHEAD).then_some(own)
        } else {
            (age <= ONLINE_FOR).then_some(came)
        }
    }

    /// The same for a message without a time.
    pub(super) fn proves_by_arrival(self) -> Option<SignedDuration> {
        (!self.retained).then(|| moment(self.now))
    }

    /// How far the clock is ahead that wrote this time, if that is too far to believe it, or if the
    /// message shows nothing of it.
    pub(super) fn check_clock(self, at: Timestamp) -> ClockCheck {
        let off = at.duration_since(self.now.wall);
        if !self.now.synced || (self.retained && off <= MAX_AHEAD) {
            ClockCheck::Unknown
        } else if off > MAX_AHEAD || off < -ONLINE_FOR {
            ClockCheck::Off(off)
        } else {
            ClockCheck::Right
        }
    }
}

/// What a message shows of the clock of its node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ClockCheck {
    /// Nothing: a retained message, or the hub has no clock to compare it with.
    Unknown,
    /// It is right.
    Right,
    /// It is ahead by this; negative: behind, or the message was long on its way.
    Off(SignedDuration),
}

/// The monotonic moment of a reading. Signed, because a retained message may be older than the
/// process.
fn moment(now: Now) -> SignedDuration {
    SignedDuration::try_from(now.mono).unwrap_or(SignedDuration::MAX)
}

/// Whether not more than `limit` has passed since a moment.
pub(super) fn within(limit: SignedDuration, then: Option<SignedDuration>, now: Now) -> bool {
    then.is_some_and(|then| moment(now).saturating_sub(then) <= limit)
}

/// Whether a time is too far ahead of the hub's clock, as far as that is known.
pub(super) fn is_ahead(at: Timestamp, now: Now) -> bool {
    now.synced && at.duration_since(now.wall) > MAX_AHEAD
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// Ten seconds after the start of a process.
    fn now(synced: bool) -> Now {
        let wall = "2026-11-24T10:42:07+09:00".parse().unwrap();
        Now {
            mono: Duration::from_secs(10),
            synced,
            ..Now::at(wall)
        }
    }

    #[test]
    fn what_proves_life_and_when() {
        let check = |retained, synced, believed, age: i64, expected: Option<i64>| {
            let now = now(synced);
            let at = now.wall - SignedDuration::from_secs(age);
            let proved = Delivery { retained, now }.proves(at, believed);
            let case = format!("retained {retained}, synced {synced}, {believed}, {age} s");
            assert_eq!(proved.map(|p| p.as_secs()), expected, "{case}");
        };
        for (age, expected) in [
            (0, Some(10)),
            (120, Some(10)),
            (121, None),
            (86_400, None),
            (-119, Some(10)),
            // A message of the future cannot have waited in a queue.
            (-86_000, Some(10)),
        ] {
            check(false, true, true, age, expected);
        }
        for (age, expected) in [
            (0, Some(10)),
            (40, Some(-30)),
            (86_400, Some(10 - 86_400)),
            (-120, Some(10)),
            (-121, None),
        ] {
            check(true, true, true, age, expected);
        }
        for (synced, believed) in [(false, true), (true, false), (false, false)] {
            check(false, synced, believed, 50_000, Some(10));
            check(true, synced, believed, 0, None);
        }
    }
}
