//! Of which days ticket labels are still stored.
//!
//! Each office has its own day, by its own clocks; the time that one office reports never changes
//! when the labels of another are deleted.

use super::rows::CallRow;
use crate::model::OfficeId;
use jiff::civil::Date;
use std::collections::BTreeMap;

/// The first day of each office whose ticket labels stay: its today.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LabelDays {
    /// Of offices that are not listed, and at least of all: no office is further behind.
    pub at_least: Option<Date>,
    /// By office; never before `at_least`.
    pub offices: BTreeMap<OfficeId, Date>,
}

/// The same as the database has it.
#[derive(Debug, Clone, Default)]
pub(super) struct Labels {
    /// Empty before the first purge: earlier than every day.
    pub(super) at_least: String,
    pub(super) offices: BTreeMap<String, String>,
}

impl Labels {
    /// What may be written of a call's ticket.
    pub(super) fn of<'a>(&self, row: &'a CallRow) -> &'a str {
        let from = self.offices.get(&row.office).unwrap_or(&self.at_least);
        if row.day.as_str() < from.as_str() {
            ""
        } else {
            &row.ticket
        }
    }

    /// The offices by their day; those of [`at_least`](Self::at_least) are left out.
    pub(super) fn by_day(&self) -> BTreeMap<&str, Vec<&str>> {
        let mut days: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (office, day) in &self.offices {
            if day.as_str() > self.at_least.as_str() {
                days.entry(day).or_default().push(office);
            }
        }
        days
    }
}

impl From<&LabelDays> for Labels {
    fn from(days: &LabelDays) -> Self {
        Self {
            at_least: days.at_least.map(|d| d.to_string()).unwrap_or_default(),
            offices: days
                .offices
                .iter()
                .map(|(office, day)| (office.to_string(), day.to_string()))
                .collect(),
        }
    }
}
