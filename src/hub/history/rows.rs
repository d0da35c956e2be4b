//! Rows of the history, and what is computed from them.

use crate::model::OfficeId;
use crate::wire::report::CallReport;

/// One row of the history, and one line of `/opendata/calls/{day}.csv`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct CallRow {
    pub office: String,
    pub queue: String,
    /// Business day, `YYYY-MM-DD`.
    pub day: String,
    /// Restarts of `no` within the day.
    pub epoch: i64,
    /// Count within day and epoch, from 1.
    pub no: i64,
    /// The ticket called; empty when that day is over.
    pub ticket: String,
    /// Where to; empty when unknown.
    pub counter: String,
    /// When, RFC 3339 with the office's offset.
    pub at: String,
    /// `call` or `recall`.
    pub kind: String,
}

impl CallRow {
    /// The row of a reported call; `None` when its `no` is over `i64::MAX`.
    #[must_use]
    pub fn new(office: &OfficeId, call: &CallReport) -> Option<Self> {
        Some(Self {
            office: office.to_string(),
            queue: call.queue.to_string(),
            day: call.day.to_string(),
            epoch: call.epoch.into(),
            no: i64::try_from(call.no).ok()?,
            ticket: call.ticket.to_string(),
            counter: call
                .counter
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default(),
            at: call.at.to_string(),
            kind: call.kind.as_str().to_owned(),
        })
    }
}

/// The wait that was predicted when a ticket was issued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PredictionRow {
    /// Business day, `YYYY-MM-DD`.
    pub day: String,
    pub office: String,
    pub queue: String,
    /// The ticket; stored until it is called, at most to the end of its day.
    pub ticket: String,
    /// `standard` or `fast`.
    pub lane: String,
    /// 0 Monday to 6 Sunday.
    pub weekday: i64,
    /// 0 to 23 at the office.
    pub hour: i64,
    /// When it was issued, RFC 3339 with the office's offset.
    pub at: String,
    /// The same in seconds since 1970.
    pub at_s: i64,
    /// Shortest likely wait, s.
    pub low: i64,
    /// Longest likely wait, s.
    pub high: i64,
}

/// The state of a queue at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueSample {
    /// Business day, `YYYY-MM-DD`.
    pub day: String,
    pub office: String,
    pub queue: String,
    /// `standard` or `fast`.
    pub lane: String,
    /// Ten minutes each since midnight at the office, 0 to 143.
    pub slot: i64,
    /// 0 Monday to 6 Sunday.
    pub weekday: i64,
    /// People waiting; -1 where the source shows no such number.
    pub waiting: i64,
    /// Shortest likely wait, s.
    pub low: i64,
    /// Longest likely wait, s.
    pub high: i64,
}

/// One wait that is over, and one line of `/opendata/waits/{day}.csv`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct WaitRow {
    pub office: String,
    pub queue: String,
    /// Business day, `YYYY-MM-DD`.
    pub day: String,
    /// `standard` or `fast`.
    pub lane: String,
    /// Restarts of the count within the day.
    pub epoch: i64,
    /// Count of the call within day and epoch.
    pub no: i64,
    /// When the ticket was issued.
    pub told_at: String,
    /// Shortest likely wait that was predicted, s.
    pub low_s: i64,
    /// Longest likely wait that was predicted, s.
    pub high_s: i64,
    /// When it was called.
    pub called_at: String,
    /// From one to the other, s.
    pub wait_s: i64,
}

/// How good the ranges of one queue were.
#[derive(Debug, Clone, PartialEq)]
pub struct Accuracy {
    pub queue: String,
    /// Tickets whose wait is over.
    pub tickets: u64,
    /// Those whose wait was within the predicted range.
    pub inside: u64,
    /// Those who waited longer.
    pub above: u64,
    /// Mean distance of the range's middle from the wait, s.
    pub mean_error_s: f64,
    /// Mean wait, s.
    pub mean_wait_s: f64,
}

/// How busy one queue usually is in one hour of the week.
#[derive(Debug, Clone, PartialEq)]
pub struct Usual {
    pub queue: String,
    /// 0 Monday to 6 Sunday.
    pub weekday: i8,
    /// 0 to 23 at the office.
    pub hour: i8,
    /// Mean of the people waiting; `None` where the source shows no such number.
    pub waiting: Option<f64>,
    /// Mean of the shortest likely waits, s.
    pub low_s: f64,
    /// Mean of the longest likely waits, s.
    pub high_s: f64,
    /// Days that were recorded.
    pub days: u32,
}
