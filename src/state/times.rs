//! What the times in a message say of it, held against the node's clock. Knows no earlier message.
//!
//! The node's clock, when synchronised, decides which day it is: nothing that a source says of
//! another time is shown as being of now. While it is not, a message can only be held against
//! itself.

use super::{Delivery, Rejection, Settings};
use crate::clock::Now;
use crate::model::{Call, QueueState};
use jiff::{SignedDuration, Timestamp, ToSpan, civil::Date};
use std::time::Duration;

/// Two clocks that are both right may differ by so much (contract, "Limits").
pub const MAX_AHEAD: SignedDuration = SignedDuration::from_mins(2);

/// A time further back than this is no time of today (contract, "Limits": a day).
const MAX_BEHIND: SignedDuration = SignedDuration::from_hours(24);

/// The last moment that may have come already, for a source whose clock is a little fast.
pub fn horizon(now: Now) -> Timestamp {
    now.wall.saturating_add(MAX_AHEAD).unwrap_or(now.wall)
}

/// Whether a time may be one of now: neither ahead nor more than a day back. Without a believable
/// clock any may.
pub fn could_be_now(at: Timestamp, now: Now) -> bool {
    !now.synced || (at <= horizon(now) && now.wall.duration_since(at) <= MAX_BEHIND)
}

/// The local date.
pub(super) fn date(at: Timestamp, settings: &Settings) -> Date {
    at.to_zoned(settings.timezone.clone()).date()
}

/// How long ago something was; zero when it lies ahead.
pub(super) fn age(then: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(then)).unwrap_or(Duration::ZERO)
}

/// Past midnight an office is over whose numbers are older, however long they stay fresh: a source
/// that speaks only when something changes may be given a day for that.
const LONGEST_PAST_MIDNIGHT: Duration = Duration::from_secs(30 * 60);

/// Whether a queue of the day before still goes on, with numbers of this age.
pub(super) fn goes_on(age: Duration, settings: &Settings) -> bool {
    age <= settings.stale_after.min(LONGEST_PAST_MIDNIGHT)
}

/// Whether a message could be of now.
pub(super) fn check(
    state: &QueueState,
    delivery: Delivery,
    settings: &Settings,
    now: Now,
) -> Result<(), Rejection> {
    if now.synced && state.at > horizon(now) {
        return Err(Rejection::InFuture {
            path: "at",
            at: state.at,
            now: now.wall,
        });
    }
    let long_ago = now.synced && now.wall.duration_since(state.at) > MAX_BEHIND;
    if long_ago && delivery == Delivery::Live {
        return Err(Rejection::TimestampOutOfRange {
            path: "at",
            at: state.at,
        });
    }
    // Business may run past midnight, so the day before is possible; a day ahead never is.
    let made = date(state.at, settings);
    let before = |day: Date| day.checked_sub(1.day()).unwrap_or(day);
    if state.day > made || state.day < before(made) {
        return Err(Rejection::WrongBusinessDay {
            day: state.day,
            made,
        });
    }
    if !now.synced {
        return Ok(());
    }
    let today = date(now.wall, settings);
    let yesterdays = state.day == before(today);
    let goes_on = yesterdays && goes_on(age(state.at, now.wall), settings);
    if state.day < today && !goes_on {
        return Err(Rejection::BusinessDayOver {
            day: state.day,
            today,
            at: state.at,
        });
    }
    state
        .calls
        .iter()
        .try_for_each(|call| check_call(call, now))
}

fn check_call(call: &Call, now: Now) -> Result<(), Rejection> {
    let (path, at) = ("calls", call.at);
    if at > horizon(now) {
        let now = now.wall;
        return Err(Rejection::InFuture { path, at, now });
    }
    if now.wall.duration_since(at) > MAX_BEHIND {
        return Err(Rejection::TimestampOutOfRange { path, at });
    }
    Ok(())
}

/// Parts a message from the calls in it that cannot have been made.
pub(super) fn without_impossible_calls(mut state: QueueState, now: Now) -> (QueueState, Vec<Call>) {
    let calls = std::mem::take(&mut state.calls);
    let (possible, impossible) = calls.into_iter().partition(|c| check_call(c, now).is_ok());
    state.calls = possible;
    (state, impossible)
}
