//! What the hub's pages call busy, when offices do not open, and how many viewers there may be.

use jiff::civil::{Date, Weekday};
use std::collections::BTreeSet;
use std::time::Duration;

/// Days on which no office opens, so that the pages can say so instead of "no numbers yet". A
/// source that says otherwise is believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClosedDays {
    /// Days of every week. Default Saturday and Sunday.
    pub weekdays: Vec<Weekday>,
    /// Single days, such as public holidays. Default none.
    pub dates: BTreeSet<Date>,
}

impl Default for ClosedDays {
    fn default() -> Self {
        Self {
            weekdays: vec![Weekday::Saturday, Weekday::Sunday],
            dates: BTreeSet::new(),
        }
    }
}

impl ClosedDays {
    /// Whether a day is one of them.
    #[must_use]
    pub fn holds(&self, day: Date) -> bool {
        self.weekdays.contains(&day.weekday()) || self.dates.contains(&day)
    }
}

/// Thresholds and limits of the hub's pages. The defaults suit a city of six wards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PagesConfig {
    /// A queue whose longest likely wait is at least this is "rather busy". Default 20 min.
    pub busy_wait: Duration,
    /// … "busy". Default 45 min.
    pub crowded_wait: Duration,
    /// A queue without a predicted wait is "rather busy" from this many people on. Default 6.
    pub busy_waiting: u32,
    /// … "busy". Default 16.
    pub crowded_waiting: u32,
    /// Most event streams at a time; more are answered 503. Default 20,000.
    pub max_viewers: usize,
    /// Most TCP connections at a time; more wait in the listen queue. Default 25,000.
    pub max_connections: usize,
    pub closed: ClosedDays,
}

impl Default for PagesConfig {
    fn default() -> Self {
        Self {
            busy_wait: Duration::from_secs(20 * 60),
            crowded_wait: Duration::from_secs(45 * 60),
            busy_waiting: 6,
            crowded_waiting: 16,
            max_viewers: 20_000,
            max_connections: 25_000,
            closed: ClosedDays::default(),
        }
    }
}
