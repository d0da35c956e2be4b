//! What the hub does with the history by itself: samples of queues, deletion of old rows, figures.

use super::figures::{ACCURACY_DAYS, Figures, USUAL_DAYS};
use super::hub::Hub;
use crate::clock::Now;
use crate::hub::history::{HistoryEvent, LabelDays, Purge};
use crate::hub::live::Today;
use crate::hub::predictions;
use crate::hub::registry::{earliest_date, oldest_day};
use crate::hub::view::OfficeView;
use crate::model::OfficeId;
use jiff::civil::Date;
use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, ToSpan as _};
use std::sync::Arc;
use std::time::Duration;

/// Calls that wait for numbers are deleted after this: a node sends its numbers as soon as it is
/// connected.
const WAIT_AT_MOST: Duration = Duration::from_secs(24 * 3600);

/// How often the history is queried for figures.
const REFRESH_EVERY: Duration = Duration::from_secs(600);

/// While the database is unavailable, and before offices are known, it is queried again after this.
const RETRY_AFTER: Duration = Duration::from_secs(5);

impl Hub {
    /// Records samples of queues, and deletes what is old, when either is due.
    pub(super) fn maintain_history(&self, now: Now) {
        let current = self.live.current();
        let slot = now
            .wall
            .as_second()
            .div_euclid(predictions::SAMPLE_INTERVAL_S);
        let labels = {
            let purged = &self.state().purged;
            let offices = current.offices.iter().map(|o| (&o.view.id, o.today.date));
            label_days(purged, now, offices)
        };
        let (sample_due, purge_due) = {
            let mut state = self.state();
            let sample_due = std::mem::replace(&mut state.sample_slot, slot) != slot;
            (sample_due, state.purged != labels)
        };
        if sample_due {
            let rows = current.offices.iter();
            for row in rows.flat_map(|o| predictions::queue_samples(&o.view, o.today, now)) {
                self.record_event(HistoryEvent::QueueSample(row));
            }
        }
        if purge_due {
            let purge = Purge {
                labels: labels.clone(),
                rows_from: oldest_day(now.wall, self.retention_days),
                waiting_from: now.wall.checked_sub(WAIT_AT_MOST).unwrap_or(Timestamp::MIN),
            };
            if self.history.try_record(HistoryEvent::Purge(purge)) {
                self.state().purged = labels; // else at the next tick
            }
        }
    }

    /// Hands an event to the history; counts it as dropped when there is no room.
    pub(super) fn record_event(&self, event: HistoryEvent) {
        if !self.history.try_record(event) {
            self.stats.samples_dropped.inc();
        }
    }

    /// What the history says of an office; nothing before it was queried.
    pub(in crate::hub) fn figures(&self, office: &OfficeId) -> Arc<Figures> {
        self.figures.get(office)
    }

    /// Queries the history for the figures of every office; whether it answered for all of them.
    pub async fn refresh_figures(&self) -> bool {
        let offices: Vec<(OfficeId, Date)> = {
            let current = self.live.current();
            let each = current.offices.iter();
            each.map(|o| (o.view.id.clone(), o.today.date)).collect()
        };
        self.figures
            .retain(&offices.iter().map(|(id, _)| id).collect());
        let mut good = !offices.is_empty();
        for (id, today) in &offices {
            let since = |days: u16| today.checked_sub(i64::from(days).days()).unwrap_or(*today);
            let accuracy = self
                .history
                .accuracy(id.as_str(), since(ACCURACY_DAYS))
                .await;
            let usual = self.history.usual(id.as_str(), since(USUAL_DAYS)).await;
            let (Ok(accuracy), Ok(usual)) = (accuracy, usual) else {
                good = false; // the outage itself is logged by the writer
                continue;
            };
            self.figures.set(id.clone(), Figures { accuracy, usual });
        }
        good
    }

    /// Refreshes the figures now and then until the hub stops.
    pub async fn run_figures(&self) {
        let mut wait = RETRY_AFTER;
        loop {
            tokio::select! {
                () = self.shutdown.cancelled() => return,
                () = tokio::time::sleep(wait) => {}
            }
            let good = tokio::select! {
                () = self.shutdown.cancelled() => return,
                good = self.refresh_figures() => good,
            };
            wait = if good { REFRESH_EVERY } else { RETRY_AFTER };
        }
    }

    /// The day at an office.
    pub(super) fn today(&self, now: Now, view: &OfficeView) -> Today {
        let date = date_at(now, view);
        Today {
            date,
            closed: self.pages.closed.holds(date),
        }
    }
}

/// Up to when labels are to be deleted: each office by its own day, none later than the date is
/// anywhere on earth. A day that an office left does not come back, whatever it reports later.
fn label_days<'a>(
    before: &LabelDays,
    now: Now,
    offices: impl Iterator<Item = (&'a OfficeId, Date)>,
) -> LabelDays {
    let earliest = earliest_date(now.wall);
    let day = |(office, today): (&OfficeId, Date)| {
        let left = before.offices.get(office).copied();
        (
            office.clone(),
            today.max(earliest).max(left.unwrap_or(today)),
        )
    };
    LabelDays {
        at_least: Some(earliest),
        offices: offices.map(day).collect(),
    }
}

/// The date at an office, by the offset it writes its times with; Japan's before it wrote any.
fn date_at(now: Now, view: &OfficeView) -> Date {
    let offset = view.as_of.map_or(Offset::constant(9), |t| t.offset);
    match view.as_of {
        // A clock that was never set knows no date: the numbers' own day counts.
        Some(as_of) if !now.synced => as_of.zoned().date(),
        _ => now.wall.to_zoned(TimeZone::fixed(offset)).date(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(before: &LabelDays, wall: &str, offices: &[(&str, &str)]) -> LabelDays {
        let offices: Vec<(OfficeId, Date)> = offices
            .iter()
            .map(|(id, day)| (id.parse().unwrap(), day.parse().unwrap()))
            .collect();
        let now = Now::at(wall.parse().unwrap());
        label_days(before, now, offices.iter().map(|(id, day)| (id, *day)))
    }

    #[test]
    fn an_office_that_lies_about_its_day_delays_the_forgetting_of_no_other() {
        let none = LabelDays::default();
        // Midnight in Japan; one office says that it is half the world behind.
        let wall = "2026-11-25T00:00:01+09:00";
        let found = days(
            &none,
            wall,
            &[("chuo", "2026-11-25"), ("evil", "2026-11-24")],
        );
        let day = |d: &LabelDays, id: &str| d.offices[id].to_string();
        assert_eq!(day(&found, "chuo"), "2026-11-25");
        assert_eq!(day(&found, "evil"), "2026-11-24");
        // It cannot say so for ever: the date is the 25th everywhere, 21 hours later.
        let later = days(
            &found,
            "2026-11-25T21:00:00+09:00",
            &[("evil", "2026-11-20")],
        );
        assert_eq!(day(&later, "evil"), "2026-11-25");
        // Nor does it come back to a day that it left.
        let there = days(&none, wall, &[("evil", "2026-11-25")]);
        let back = days(&there, wall, &[("evil", "2026-11-24")]);
        assert_eq!(back, there);
    }
}
