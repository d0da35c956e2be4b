//! What a hub writes down by itself: how queues stand, and what is to be forgotten when.

use super::calls::WAIT_AT_MOST;
use super::history::{LabelDays, Note, Sweep};
use super::live::Today;
use super::registry::{earliest_date, oldest_day};
use super::view::OfficeView;
use super::{Hub, told};
use crate::clock::Now;
use crate::model::OfficeId;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::{Offset, TimeZone};

impl Hub {
    /// Notes how queues stand, and what is to be forgotten, when it is time.
    pub(super) fn remember(&self, now: Now) {
        let current = self.live.current();
        let slot = now.wall.as_second().div_euclid(told::SLOT_S);
        let labels = {
            let swept = &self.core().swept;
            let offices = current.offices.iter().map(|o| (&o.view.id, o.today.date));
            label_days(swept, now, offices)
        };
        let (another_slot, another_day) = {
            let mut core = self.core();
            let another_slot = std::mem::replace(&mut core.slot, slot) != slot;
            (another_slot, core.swept != labels)
        };
        if another_slot {
            let rows = current.offices.iter();
            for row in rows.flat_map(|o| told::standing(&o.view, o.today, now)) {
                self.note(Note::Slot(row));
            }
        }
        if another_day {
            let sweep = Sweep {
                labels: labels.clone(),
                rows_from: oldest_day(now.wall, self.retention_days),
                waiting_from: now.wall.checked_sub(WAIT_AT_MOST).unwrap_or(Timestamp::MIN),
            };
            if self.history.note(Note::Sweep(sweep)) {
                self.core().swept = labels; // else at the next tick
            }
        }
    }

    /// Hands something to the history that it may miss.
    pub(super) fn note(&self, note: Note) {
        if !self.history.note(note) {
            self.stats.notes_lost.inc();
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

/// Up to when labels are to be forgotten: each office by its own day, none later than the date is
/// anywhere on earth. A day that an office left does not come back, whatever it says later.
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
