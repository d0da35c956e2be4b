//! "My number": what can be said to the holder of one ticket.
//!
//! Pure. Says only what the lists say: a ticket that is in none of them is "not listed", never
//! guessed by counting labels, as a label is no number.

use crate::hub::history::CallRow;
use crate::hub::live::Today;
use crate::hub::web::parts::labels::{self, Phase, phase};
use crate::model::{QueueNow, WaitRange};
use crate::wire::WireTime;
use crate::wire::report::QueueNumbers;
use jiff::{SignedDuration, Timestamp};

/// What is known of a ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Standing {
    /// Among the next, with this many people ahead and the wait, if one is predicted; `closed`
    /// when no more tickets are given out.
    Ahead {
        people: usize,
        wait: Option<WaitRange>,
        closed: bool,
    },
    /// Called and not long ago; or served now, since nobody knows when.
    Called {
        counter: Option<String>,
        at: Option<String>,
    },
    /// Called, and others after it for a while.
    Passed { at: String },
    /// In no list, and more people wait than are listed: at least so many are ahead.
    Behind { at_least: usize, closed: bool },
    /// In no list.
    NotListed,
    /// The counter is closed for today.
    Closed,
    /// The office does not open today.
    Holiday,
    /// No numbers of today.
    NoNumbers,
}

/// A call counts as fresh for this long: the walk from the far end of the hall, twice.
const STILL_CALLED: SignedDuration = SignedDuration::from_mins(3);

/// Finds a ticket. `call` is its newest call of today in the history.
pub(super) fn standing(
    queue: &QueueNumbers,
    ticket: &str,
    call: Option<&CallRow>,
    today: Today,
) -> Standing {
    let phase = phase(queue, today);
    match phase {
        Phase::Unknown => return Standing::NoNumbers,
        Phase::Holiday => return Standing::Holiday,
        _ => {}
    }
    let counter = |c: &str| (!c.is_empty()).then(|| c.to_owned());
    let closed = phase == Phase::LastCalls;
    if phase != Phase::Closed
        && let Some(people) = queue.next.iter().position(|l| l.as_str() == ticket)
    {
        let waiting = queue.waiting.unwrap_or(0);
        let now = QueueNow::new(queue.status, waiting, queue.last_shown().is_some());
        let wait = queue
            .wait
            .map(|wait| WaitRange::from(wait).remaining(people, &now));
        return Standing::Ahead {
            people,
            wait,
            closed,
        };
    }
    if let Some((shown, counter)) = queue.last_shown()
        && shown.as_str() == ticket
    {
        let called = queue.last_call.as_ref().filter(|c| c.ticket == *shown);
        return Standing::Called {
            counter: counter.map(ToString::to_string),
            at: called.map(|c| labels::clock(c.at)),
        };
    }
    if let Some(call) = call {
        let at = call.at.parse::<Timestamp>().ok();
        let recent = match (at, queue.as_of) {
            (Some(at), Some(as_of)) => as_of.at.duration_since(at) < STILL_CALLED,
            _ => false,
        };
        let at = call.at.get(11..16).unwrap_or_default().to_owned();
        let counter = counter(&call.counter);
        return if recent {
            let at = Some(at);
            Standing::Called { counter, at }
        } else {
            Standing::Passed { at }
        };
    }
    if phase == Phase::Closed {
        return Standing::Closed;
    }
    let listed = queue.next.len();
    let waiting = queue.waiting.and_then(|w| usize::try_from(w).ok());
    if waiting.is_none_or(|w| w > listed) && listed > 0 {
        return Standing::Behind {
            at_least: listed,
            closed,
        };
    }
    Standing::NotListed
}

/// Come back this long before the earliest likely call.
const MARGIN: SignedDuration = SignedDuration::from_mins(5);

/// Times are given in steps of five minutes.
const STEP_S: i64 = 300;

/// When to be back at the office; `None` when it is not worth leaving.
pub(super) fn come_back(wait: WaitRange, as_of: WireTime) -> Option<WireTime> {
    let earliest = SignedDuration::from_secs(i64::from(wait.low()));
    if earliest < MARGIN * 2 {
        return None;
    }
    let at = as_of.at.checked_add(earliest - MARGIN).ok()?;
    let second = at.as_second();
    let at = Timestamp::from_second(second - second.rem_euclid(STEP_S)).ok()?;
    Some(WireTime {
        at,
        offset: as_of.offset,
    })
}
