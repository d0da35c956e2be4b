//! "My number": what can be said to the holder of one ticket.
//!
//! Pure. Says only what the lists say: a ticket that is in none of them is "not listed", never
//! guessed by counting labels, as a label is no number.

use super::words::{Phase, phase};
use crate::hub::history::CallRow;
use crate::hub::live::Today;
use crate::model::WaitRange;
use crate::wire::WireTime;
use crate::wire::report::QueueNumbers;
use jiff::{SignedDuration, Timestamp};

/// What is known of a ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Standing {
    /// Among the next, with this many people ahead and the wait, if one is predicted.
    Ahead {
        people: usize,
        wait: Option<WaitRange>,
    },
    /// Called and not long ago.
    Called { counter: Option<String>, at: String },
    /// Called, and others after it for a while.
    Passed { counter: Option<String>, at: String },
    /// In no list, and more people wait than are listed: at least so many are ahead.
    Behind { at_least: usize },
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
    if phase != Phase::Closed
        && let Some(people) = queue.next.iter().position(|l| l.as_str() == ticket)
    {
        let wait = queue
            .wait
            .map(|w| share(w.into(), people, queue.waiting.unwrap_or(0)));
        return Standing::Ahead { people, wait };
    }
    if let Some(last) = &queue.last_call
        && last.ticket.as_str() == ticket
    {
        return Standing::Called {
            counter: last.counter.as_ref().map(ToString::to_string),
            at: super::words::clock(last.at),
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
            Standing::Called { counter, at }
        } else {
            Standing::Passed { counter, at }
        };
    }
    if phase == Phase::Closed {
        return Standing::Closed;
    }
    let listed = queue.next.len();
    let waiting = queue.waiting.and_then(|w| usize::try_from(w).ok());
    if waiting.is_none_or(|w| w > listed) && listed > 0 {
        return Standing::Behind { at_least: listed };
    }
    Standing::NotListed
}

/// The part of a newcomer's wait that is left with `people` ahead of `waiting`: the low end
/// counts the people ahead, the high end the ticket itself too.
fn share(wait: WaitRange, people: usize, waiting: u32) -> WaitRange {
    let people = u32::try_from(people).unwrap_or(u32::MAX).min(waiting);
    let all = f64::from(waiting.max(1));
    WaitRange::from_estimate(
        f64::from(wait.low()) * f64::from(people) / all,
        f64::from(wait.high()) * f64::from(people + 1) / (all + 1.0),
    )
}

/// Come back this long before the earliest likely call.
const MARGIN: SignedDuration = SignedDuration::from_mins(5);

/// Times are told in steps of five minutes.
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

/// What people type to a label's usual spelling: full-width letters and digits made narrow,
/// letters large, no spaces.
pub(super) fn normal(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_whitespace())
        .map(|c| match c {
            // Full-width forms lie this far above ASCII (Unicode block U+FF00).
            '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
            _ => c,
        })
        .flat_map(char::to_uppercase)
        .collect()
}

/// A label's letters without its digits, such as `B` of `B321`: tickets of one series share it.
pub(super) fn series(label: &str) -> String {
    normal(label)
        .chars()
        .filter(|c| !c.is_ascii_digit())
        .collect()
}
