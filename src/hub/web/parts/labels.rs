//! Numbers to words: what a row, an office and its congestion are called.
//!
//! Pure. The rule behind it: a number is shown only if a source reported it today; an old one is
//! shown with its time; nothing is shown by colour alone.

use crate::config::PagesConfig;
use crate::hub::content::lang::{Messages, fill};
use crate::hub::live::{OfficeSnapshot, Today};
use crate::model::{Lane, Status, WaitRange};
use crate::wire::WireTime;
use crate::wire::report::QueueNumbers;

/// What may be said of a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// No number of today is known.
    Unknown,
    /// The office does not open today.
    Holiday,
    NotOpenYet,
    Open,
    Paused,
    /// No more tickets; those who wait are still called.
    LastCalls,
    Closed,
}

/// A closed queue without a call is "not open yet" before noon and "closed" after it.
const NOON: i8 = 12;

pub(crate) fn phase(queue: &QueueNumbers, today: Today) -> Phase {
    let none = if today.closed {
        Phase::Holiday
    } else {
        Phase::Unknown
    };
    let Some(as_of) = queue.as_of.map(WireTime::zoned) else {
        return none;
    };
    if as_of.date() != today.date {
        return if queue.fresh && !today.closed {
            Phase::NotOpenYet
        } else {
            none
        };
    }
    match queue.status {
        Status::Open => Phase::Open,
        Status::Paused => Phase::Paused,
        Status::Closed if queue.last_shown().is_some() && somebody_waits(queue) => Phase::LastCalls,
        Status::Closed if queue.last_shown().is_some() => Phase::Closed,
        Status::Closed if today.closed => Phase::Holiday,
        // An office whose numbers are stale may have opened since.
        Status::Closed if as_of.hour() < NOON && !queue.fresh => Phase::Unknown,
        Status::Closed if as_of.hour() < NOON => Phase::NotOpenYet,
        Status::Closed => Phase::Closed,
    }
}

/// Whether anybody waits, as far as the source tells.
fn somebody_waits(queue: &QueueNumbers) -> bool {
    queue.waiting.is_some_and(|n| n > 0) || !queue.next.is_empty()
}

/// Whether today's numbers are old.
pub(crate) fn is_stale(queue: &QueueNumbers, today: Today) -> bool {
    !queue.fresh && queue.as_of.is_some_and(|t| t.zoned().date() == today.date)
}

/// How busy an office or queue is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    Free,
    Busy,
    Crowded,
    Closed,
    Unknown,
}

impl Level {
    /// Its class in the style sheet, and its word in open data.
    pub(crate) fn class(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::Busy => "busy",
            Self::Crowded => "crowded",
            Self::Closed => "closed",
            Self::Unknown => "unknown",
        }
    }

    /// A shape of its own, for those who see no colours.
    pub(crate) fn mark(self) -> &'static str {
        match self {
            Self::Free => "○",
            Self::Busy => "△",
            Self::Crowded => "■",
            Self::Closed => "–",
            Self::Unknown => "?",
        }
    }

    pub(crate) fn word(self, t: &Messages) -> &str {
        match self {
            Self::Free => &t.free,
            Self::Busy => &t.busy,
            Self::Crowded => &t.crowded,
            Self::Closed => &t.closed_level,
            Self::Unknown => &t.unknown_level,
        }
    }
}

/// How busy one queue is: by its longest likely wait, else by its people.
pub(crate) fn queue_level(queue: &QueueNumbers, today: Today, pages: &PagesConfig) -> Level {
    match phase(queue, today) {
        Phase::Unknown => return Level::Unknown,
        // Nobody who comes now is served.
        Phase::Holiday | Phase::NotOpenYet | Phase::LastCalls | Phase::Closed => {
            return Level::Closed;
        }
        Phase::Open | Phase::Paused if !queue.fresh => return Level::Unknown,
        Phase::Open | Phase::Paused => {}
    }
    match queue.wait {
        Some(wait) => wait_level(u64::from(wait.high), pages),
        // If the source does not report how many people are waiting, the level is unknown.
        None => match queue.waiting {
            Some(waiting) if waiting >= pages.crowded_waiting => Level::Crowded,
            Some(waiting) if waiting >= pages.busy_waiting => Level::Busy,
            Some(_) => Level::Free,
            None => Level::Unknown,
        },
    }
}

/// What a wait is called by its longer end, s.
pub(crate) fn wait_level(high: u64, pages: &PagesConfig) -> Level {
    if high >= pages.crowded_wait.as_secs() {
        Level::Crowded
    } else if high >= pages.busy_wait.as_secs() {
        Level::Busy
    } else {
        Level::Free
    }
}

/// How busy an office is: as its busiest open queue.
pub(crate) fn office_level(office: &OfficeSnapshot, pages: &PagesConfig) -> Level {
    let levels = || {
        office
            .view
            .queues
            .iter()
            .map(|q| queue_level(q, office.today, pages))
    };
    levels()
        .filter(|l| *l <= Level::Crowded)
        .max()
        .or_else(|| levels().max())
        .unwrap_or(Level::Unknown)
}

/// `10:42`, and the date before it where that is not today's.
pub(crate) fn moment(time: WireTime, today: Today) -> String {
    let date = time.zoned().date();
    if date == today.date {
        clock(time)
    } else {
        format!("{date} {}", clock(time))
    }
}

/// `10:42` in the offset it was written with.
pub(crate) fn clock(time: WireTime) -> String {
    let t = time.zoned();
    format!("{:02}:{:02}", t.hour(), t.minute())
}

/// One queue as a row shows it.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) fast: bool,
    /// The last call; `None` when there was none today.
    pub(crate) ticket: Option<String>,
    /// Whether the label is too long for the large type.
    pub(crate) long: bool,
    pub(crate) counter: Option<String>,
    /// People waiting; `None` when there is nothing to say.
    pub(crate) waiting: Option<u32>,
    pub(crate) wait: Option<Wait>,
    pub(crate) next: Vec<String>,
    /// People on hold; `None` when it is not known, or there is nothing to say.
    pub(crate) hold: Option<u32>,
    pub(crate) hold_text: String,
    /// A word beside the name: paused, closed, old.
    pub(crate) state: Option<String>,
    /// Closed or without numbers: printed quietly.
    pub(crate) quiet: bool,
}

impl Row {
    /// `次 A043 A044 A045`.
    pub(crate) fn next_text(&self, t: &Messages) -> String {
        let some: Vec<&str> = self
            .next
            .iter()
            .take(NEXT_SHORT)
            .map(String::as_str)
            .collect();
        fill(&t.next, &[("tickets", &some.join(" "))])
    }

    /// `3番窓口`, if the source knows counters.
    pub(crate) fn counter_text(&self, t: &Messages) -> Option<String> {
        let counter = self.counter.as_ref()?;
        Some(fill(&t.counter, &[("counter", counter)]))
    }

    /// Whether anybody is on hold.
    pub(crate) fn holds(&self) -> bool {
        self.hold.is_some_and(|n| n > 0)
    }
}

/// Longest label in the large type; `A042` has 4 characters, a fifth still fits.
const LARGE_LABEL: usize = 5;

/// Next numbers of a row on the first page; the office's page lists more.
const NEXT_SHORT: usize = 3;
const NEXT_LONG: usize = 12;

pub(crate) fn row(queue: &QueueNumbers, today: Today, tag: &str, t: &Messages) -> Row {
    let phase = phase(queue, today);
    let shown = !matches!(phase, Phase::Unknown | Phase::Holiday);
    let of_today = queue.as_of.is_some_and(|a| a.zoned().date() == today.date);
    let numbers = shown && of_today;
    let serving = numbers && matches!(phase, Phase::Open | Phase::Paused | Phase::LastCalls);
    let last = queue.last_shown().filter(|_| numbers);
    let state = match phase {
        Phase::Paused => Some(t.paused.clone()),
        Phase::LastCalls => Some(t.last_calls_row.clone()),
        Phase::Closed => Some(t.closed_row.clone()),
        Phase::Holiday => Some(t.holiday_row.clone()),
        Phase::NotOpenYet => Some(t.not_open_row.clone()),
        Phase::Open | Phase::Unknown => None,
    };
    Row {
        id: queue.id.to_string(),
        name: queue.name.best(tag).to_owned(),
        fast: queue.lane == Lane::Fast,
        ticket: last.map(|(ticket, _)| ticket.to_string()),
        long: last.is_some_and(|(ticket, _)| ticket.as_str().chars().count() > LARGE_LABEL),
        counter: last
            .and_then(|(_, counter)| counter)
            .map(ToString::to_string),
        waiting: queue.waiting.filter(|&n| serving || (numbers && n > 0)),
        wait: queue
            .wait
            .filter(|_| serving)
            .map(|wait| wait_words(wait.into())),
        next: if numbers && phase != Phase::Closed {
            queue
                .next
                .iter()
                .take(NEXT_LONG)
                .map(ToString::to_string)
                .collect()
        } else {
            Vec::new()
        },
        hold: queue.on_hold.filter(|&n| serving || (numbers && n > 0)),
        hold_text: fill(
            &t.on_hold,
            &[("n", &queue.on_hold.unwrap_or(0).to_string())],
        ),
        state,
        quiet: !serving,
    }
}

/// Under a minute there is nothing to plan.
const SOON_S: u32 = 60;

/// A wait in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wait {
    Soon,
    /// Minutes, such as `8–15`.
    Minutes(String),
}

/// A range of seconds as minutes, the shorter rounded down and the longer up.
fn wait_words(wait: WaitRange) -> Wait {
    if wait.high() < SOON_S {
        Wait::Soon
    } else {
        Wait::Minutes(minutes(wait))
    }
}

/// `8–15`, or `8` when both ends are the same minute.
pub(crate) fn minutes(wait: WaitRange) -> String {
    let (low, high) = (wait.low() / 60, wait.high().div_ceil(60));
    if low == high {
        low.to_string()
    } else {
        format!("{low}–{high}")
    }
}

/// One office as a card shows it.
#[derive(Debug)]
pub(crate) struct Card {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) level: Level,
    pub(crate) word: String,
    /// What must be said about all of its numbers.
    pub(crate) note: Option<String>,
    /// Whether the note is a warning.
    pub(crate) stale: bool,
    pub(crate) rows: Vec<Row>,
}

pub(crate) fn card(office: &OfficeSnapshot, tag: &str, t: &Messages, pages: &PagesConfig) -> Card {
    let queues = &office.view.queues;
    let today = office.today;
    let level = office_level(office, pages);
    let phases = || queues.iter().map(|q| phase(q, today));
    let stale_since = queues
        .iter()
        .filter(|q| is_stale(q, today))
        .filter_map(|q| q.as_of)
        .max_by_key(|time| time.at);
    let all_stale = !queues.is_empty() && queues.iter().all(|q| !q.fresh);
    let note = if all_stale && let Some(time) = stale_since {
        Some(fill(&t.stale, &[("time", &clock(time))]))
    } else if phases().all(|p| p == Phase::Holiday) && today.closed {
        Some(t.holiday.clone())
    } else if phases().all(|p| p == Phase::Unknown) {
        Some(match (office.view.online, office.view.as_of) {
            (true, _) => t.no_numbers.clone(),
            (false, Some(time)) => fill(&t.stale, &[("time", &moment(time, today))]),
            (false, None) => t.stale_unknown.clone(),
        })
    } else if phases().all(|p| matches!(p, Phase::NotOpenYet | Phase::Unknown)) {
        Some(t.not_open_yet.clone())
    } else if phases().all(|p| !matches!(p, Phase::Open | Phase::Paused)) {
        Some(if phases().any(|p| p == Phase::LastCalls) {
            t.last_calls.clone()
        } else {
            t.closed.clone()
        })
    } else {
        None
    };
    let mut rows: Vec<Row> = queues.iter().map(|q| row(q, today, tag, t)).collect();
    if !all_stale {
        for (row, queue) in rows.iter_mut().zip(queues) {
            if is_stale(queue, today)
                && let Some(time) = queue.as_of
            {
                row.state = Some(fill(&t.as_of, &[("time", &clock(time))]));
            }
        }
    }
    Card {
        id: office.view.id.to_string(),
        name: office.view.name.best(tag).to_owned(),
        level,
        word: level.word(t).to_owned(),
        stale: all_stale && stale_since.is_some()
            || !office.view.online && !phases().all(|p| p == Phase::Holiday),
        note,
        rows,
    }
}
