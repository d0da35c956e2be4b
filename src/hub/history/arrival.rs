//! A call on its way into the history.

use super::rows::CallRow;
use super::spelling::same;
use jiff::Timestamp;

/// Two nodes of an office may each date a call by their own clock, where its source does not: as
/// far apart as clocks may be (see `hub::registry`).
pub(super) const SAME_CALL_S: i64 = 120;

/// A call, and what the hub knows of it.
#[derive(Debug, Clone)]
pub(super) struct Arrival {
    pub(super) row: CallRow,
    /// When it was made in seconds since 1970, but not later than it came: what calls are ordered
    /// by. A call that claims to be of the future hides none that is made after it.
    pub(super) at_s: i64,
}

impl Arrival {
    /// A call that came at `received_at`; `None` without a clock.
    pub(super) fn new(row: CallRow, received_at: Option<Timestamp>) -> Self {
        let made = made(&row);
        Self {
            at_s: received_at.map_or(made, |received_at| made.min(received_at.as_second())),
            row,
        }
    }

    /// Whether a row is the same call, its label deleted or not.
    pub(super) fn is(&self, row: &CallRow, ticket: &str) -> bool {
        (row.ticket.is_empty() || same(&row.ticket, ticket))
            && same(&row.counter, &self.row.counter)
            && row.kind == self.row.kind
            && (made(row) - made(&self.row)).abs() <= SAME_CALL_S
    }
}

/// A call's moment in seconds since 1970; 0 when it cannot be read.
pub(super) fn made(row: &CallRow) -> i64 {
    row.at.parse().map_or(0, Timestamp::as_second)
}
