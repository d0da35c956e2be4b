//! What a hub writes down by itself: how queues stand, and what is to be forgotten when.

use super::history::{Note, Sweep};
use super::live::Today;
use super::view::OfficeView;
use super::{Hub, told};
use crate::clock::Now;
use jiff::ToSpan as _;
use jiff::civil::Date;
use jiff::tz::{Offset, TimeZone};

impl Hub {
    /// Notes how queues stand, and what is to be forgotten, when it is time.
    pub(super) fn remember(&self, now: Now) {
        let current = self.live.current();
        let slot = now.wall.as_second().div_euclid(told::SLOT_S);
        let japan = now
            .wall
            .to_zoned(TimeZone::fixed(Offset::constant(9)))
            .date();
        let dates = current.offices.iter().map(|o| o.today.date);
        let today = dates.min().unwrap_or(japan);
        let (another_slot, another_day) = {
            let mut core = self.core();
            let another_slot = std::mem::replace(&mut core.slot, slot) != slot;
            (another_slot, core.swept != Some(today))
        };
        if another_slot {
            let rows = current.offices.iter();
            for row in rows.flat_map(|o| told::standing(&o.view, o.today, now)) {
                self.note(Note::Slot(row));
            }
        }
        if another_day {
            let keep = i64::from(self.keep_days).days();
            let sweep = Sweep {
                labels_from: today,
                rows_from: today.checked_sub(keep).unwrap_or(today),
            };
            if self.history.note(Note::Sweep(sweep)) {
                self.core().swept = Some(today); // else at the next tick
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

/// The date at an office, by the offset it writes its times with; Japan's before it wrote any.
fn date_at(now: Now, view: &OfficeView) -> Date {
    let offset = view.as_of.map_or(Offset::constant(9), |t| t.offset);
    match view.as_of {
        // A clock that was never set knows no date: the numbers' own day counts.
        Some(as_of) if !now.synced => as_of.zoned().date(),
        _ => now.wall.to_zoned(TimeZone::fixed(offset)).date(),
    }
}
