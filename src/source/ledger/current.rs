//! The number being served: one, or one a counter.
//!
//! A number that changes is a call. What cannot be seen is lost: a call that another one replaced before
//! the next look, and a recall that leaves the number as it is.

use super::{Ledger, Tally};
use crate::clock::Now;
use crate::model::Label;
use crate::source::observation::Entry;
use jiff::Timestamp;
use std::collections::BTreeMap;

/// Numbers that are remembered: more counters than an office has.
const MAX_SLOTS: usize = 256;

/// Where a number is shown: by topic or address, and by counter where a message shows several.
pub(super) type Slot = (u64, Option<Label>);

/// What a slot shows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Shown {
    pub(super) ticket: Option<Label>,
    pub(super) counter: Option<Label>,
    pub(super) at: Option<Timestamp>,
    /// The ticket before.
    pub(super) before: Option<Label>,
}

/// The numbers of one queue.
#[derive(Debug, Clone, Default)]
pub(super) struct Counters {
    pub(super) slots: BTreeMap<Slot, Shown>,
    /// Slots that fell back to the ticket before: a recall, unless the ticket that was there is at
    /// another counter at the next look.
    fallen: Vec<(Entry, Label)>,
}

/// How numbers are seen.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seeing {
    pub(super) origin: u64,
    pub(super) many: bool,
    pub(super) away: bool,
}

/// What a number is.
enum Change {
    Unchanged,
    Listed,
    Called,
    /// The ticket before is there again, in place of this one.
    FellBack(Label),
}

impl Counters {
    fn slot(origin: u64, many: bool, counter: Option<&Label>) -> Slot {
        (origin, counter.filter(|_| many).cloned())
    }

    /// Whether an entry is another ticket than its slot shows.
    pub(super) fn would_change(&self, origin: u64, many: bool, entry: &Entry) -> bool {
        let slot = self
            .slots
            .get(&Self::slot(origin, many, entry.counter.as_ref()));
        slot.is_some_and(|shown| shown.ticket.as_ref() != Some(&entry.ticket))
    }

    fn is_known(&self, origin: u64) -> bool {
        self.slots.keys().any(|(known, _)| *known == origin)
    }

    fn shows(&self, ticket: &Label) -> bool {
        self.slots
            .values()
            .any(|s| s.ticket.as_ref() == Some(ticket))
    }

    /// Takes over what an entry shows.
    fn change(&mut self, entry: &Entry, known: bool, seeing: Seeing) -> Change {
        let slot = Self::slot(seeing.origin, seeing.many, entry.counter.as_ref());
        let shown = Shown {
            ticket: Some(entry.ticket.clone()),
            counter: entry.counter.clone(),
            at: entry.at.map(|at| at.at),
            before: None,
        };
        if self.slots.len() >= MAX_SLOTS && !self.slots.contains_key(&slot) {
            return Change::Listed;
        }
        let Some(last) = self.slots.insert(slot.clone(), shown.clone()) else {
            // A counter that opens between two looks at all of them; else nobody saw the change.
            return if known {
                Change::Called
            } else {
                Change::Listed
            };
        };
        let same = last.ticket == shown.ticket;
        let before = if same {
            last.before.clone()
        } else {
            last.ticket.clone()
        };
        if let Some(shown) = self.slots.get_mut(&slot) {
            shown.before = before;
        }
        // A time or counter that is only named later is no new call.
        let again = last.counter.is_some() && last.counter != shown.counter
            || last.at.is_some() && shown.at.is_some() && last.at != shown.at;
        match last.ticket {
            Some(_) if same && !again => Change::Unchanged,
            Some(gone) if !same && last.before == shown.ticket => Change::FellBack(gone),
            _ => Change::Called,
        }
    }
}

impl Ledger {
    /// Takes the numbers of one message.
    pub(super) fn take_current(
        &mut self,
        served: &[Entry],
        empty: &[Option<Label>],
        seeing: Seeing,
        now: Now,
        tally: &mut Tally,
    ) {
        let known = self.counters.is_known(seeing.origin);
        for counter in empty {
            let slot = Counters::slot(seeing.origin, seeing.many, counter.as_ref());
            let shown = self.counters.slots.entry(slot).or_default();
            if let Some(gone) = shown.ticket.take() {
                shown.before = Some(gone);
            }
        }
        let mut served: Vec<&Entry> = served.iter().collect();
        if served.iter().all(|entry| entry.at.is_some()) {
            served.sort_by_key(|entry| entry.at);
        } else {
            served.sort_by_key(|entry| super::ring::number(&entry.ticket).map(|n| n.1));
        }
        let fallen = std::mem::take(&mut self.counters.fallen);
        for entry in served {
            match self.counters.change(entry, known, seeing) {
                Change::Unchanged => {
                    if !self.book.shows_any() {
                        self.stand(Some(entry));
                    }
                }
                Change::Listed => self.list_number(entry),
                Change::Called | Change::FellBack(_) if seeing.away => {
                    self.stand(Some(entry));
                    tally.missed += 1;
                }
                Change::FellBack(gone) if self.counters.slots.len() > 1 => {
                    self.counters.fallen.push((entry.clone(), gone));
                }
                Change::Called | Change::FellBack(_) => {
                    self.call(entry, Self::moment(entry.at, now), tally);
                }
            }
        }
        for (entry, gone) in fallen {
            if !self.counters.shows(&gone) && self.counters.shows(&entry.ticket) {
                self.call(&entry, Self::moment(entry.at, now), tally);
            }
        }
        if !empty.is_empty() && self.counters.slots.values().all(|s| s.ticket.is_none()) {
            self.book.clear_standing();
        }
    }

    /// One of several counters that is first seen hides no call of another.
    fn list_number(&mut self, entry: &Entry) {
        if self.counters.slots.len() <= 1 || !self.book.shows_any() {
            self.stand(Some(entry));
        }
    }
}
