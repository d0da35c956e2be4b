//! Lists of calls, with identities and without.

use super::keys::key;
use super::{Doubt, Ledger, Tally};
use crate::clock::Now;
use crate::model::Label;
use crate::source::observation::{Entry, Stamp};
use jiff::{SignedDuration, Timestamp};

/// Calls that are new at one look: more were not made in the meantime, so they are another list.
const MAX_NEW: usize = 100;

/// One line of a list without identities.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) ticket: Label,
    pub(super) counter: Option<Label>,
    pub(super) at: Option<Timestamp>,
}

impl Line {
    fn of(entry: &Entry) -> Self {
        Self {
            ticket: entry.ticket.clone(),
            counter: entry.counter.clone(),
            at: entry.at.map(|at| at.at),
        }
    }
}

/// How many lines at the head of `new` are not in `old`, both newest first; `None` where the lists have
/// nothing in common.
///
/// The smallest `k` for which `new[k..]` continues as `old` did, either whole or without the tickets of
/// `new[..k]`: a ticket that is called again moves to the head. Lines may have gone (served, on hold),
/// and older ones may follow at the end, which were there before.
pub(super) fn new_lines(old: &[Line], new: &[Line]) -> Option<usize> {
    (0..=new.len()).find(|k| {
        let (head, rest) = new.split_at(*k);
        let is_new = |line: &Line| head.iter().any(|new| new.ticket == line.ticket);
        let others: Vec<&Line> = old.iter().filter(|line| !is_new(line)).collect();
        continues(rest, &old.iter().collect::<Vec<_>>()) || continues(rest, &others)
    })
}

/// Whether lines are among those of `old`, in their order, with older ones behind.
fn continues(rest: &[Line], old: &[&Line]) -> bool {
    let mut left = old;
    for (i, line) in rest.iter().enumerate() {
        match left.iter().position(|known| *known == line) {
            Some(at) => left = left.get(at + 1..).unwrap_or_default(),
            None => return i > 0 && rest[i..].iter().all(|line| !old.contains(&line)),
        }
    }
    !rest.is_empty() || old.is_empty()
}

impl Ledger {
    /// Whether a list is to be seen twice.
    pub(super) fn doubt_of_list(&self, entries: &[Entry], away: bool) -> Option<Doubt> {
        let old = match &self.list {
            // An answer that was not complete yet would make calls of all that follow.
            None => return entries.is_empty().then_some(Doubt::ListEmptied),
            Some(old) => old,
        };
        if away || old.is_empty() {
            return None;
        }
        if entries.is_empty() {
            return Some(Doubt::ListEmptied);
        }
        let new: Vec<Line> = entries.iter().map(Line::of).collect();
        if new_lines(old, &new).is_some() {
            return None;
        }
        let emptied = matches!(self.doubted, Some((_, Doubt::ListEmptied, _)));
        let fell = entries.iter().any(|e| self.book.begins_again(&e.ticket));
        (emptied || fell).then_some(Doubt::NumbersFell)
    }

    /// Takes a list without identities.
    pub(super) fn take_list(&mut self, entries: &[Entry], away: bool, now: Now, tally: &mut Tally) {
        let new: Vec<Line> = entries.iter().map(Line::of).collect();
        let old = self.list.replace(new.clone());
        let newest = entries.first();
        match old.map(|old| new_lines(&old, &new)) {
            None => self.stand(newest),
            Some(Some(0)) => {
                if !self.book.shows_any() {
                    self.stand(newest);
                }
            }
            Some(k) if away => {
                self.stand(newest);
                tally.missed += count(k.unwrap_or(new.len()));
            }
            Some(Some(k)) => {
                for entry in entries.iter().take(k).rev() {
                    self.call(entry, Self::moment(entry.at, now), tally);
                }
            }
            Some(None) => {
                if let Some(entry) = newest {
                    self.call(entry, Self::moment(entry.at, now), tally);
                }
                tally.missed += count(entries.len().saturating_sub(1));
            }
        }
    }

    /// Whether a list with identities is to be seen twice: nothing of the one before is left, and
    /// numbers begin again.
    pub(super) fn doubt_of_keyed(&self, entries: &[Entry], away: bool) -> Option<Doubt> {
        let keys: Vec<u64> = entries
            .iter()
            .map(|e| identity(e, e.counter.as_ref()))
            .collect();
        if away || entries.is_empty() || self.keys.overlap(&keys) {
            return None;
        }
        let fresh = entries
            .iter()
            .zip(&keys)
            .filter(|(_, key)| !self.keys.has(**key));
        let mut fresh = fresh.filter(|(entry, _)| entry.kind.is_none());
        let fell = fresh.any(|(entry, _)| self.book.begins_again(&entry.ticket));
        fell.then_some(Doubt::NumbersFell)
    }

    /// Takes a list whose entries have identities.
    pub(super) fn take_keyed(
        &mut self,
        entries: &[Entry],
        away: bool,
        now: Now,
        tally: &mut Tally,
    ) {
        let first = !std::mem::replace(&mut self.keyed, true);
        let mut sorted: Vec<&Entry> = entries.iter().rev().collect();
        if entries.iter().all(|entry| entry.at.is_some()) {
            sorted.sort_by_key(|entry| entry.at);
        }
        let newest = sorted.last().copied();
        let mut fresh = Vec::new();
        for entry in sorted {
            let key = identity(entry, entry.counter.as_ref());
            let known = self.keys.has(key);
            // A counter that is named later makes no second call.
            let named = entry.counter.is_some() && self.keys.has(identity(entry, None));
            if !known {
                self.keys.push(key);
            }
            if !known && !named {
                fresh.push(entry);
            }
        }
        self.keys
            .list(entries.iter().map(|e| identity(e, e.counter.as_ref())));
        if first {
            return self.stand(newest);
        }
        let old = fresh.len().saturating_sub(MAX_NEW);
        tally.missed += count(old);
        for entry in fresh.into_iter().skip(old) {
            match if away {
                self.old_moment(entry.at, now)
            } else {
                Some(Self::moment(entry.at, now))
            } {
                Some(at) => self.call(entry, at, tally),
                None => {
                    self.stand(Some(entry));
                    tally.missed += 1;
                }
            }
        }
        if !self.book.shows_any() {
            self.stand(newest);
        }
    }

    /// When a call was made that nobody looked at: the source's own time, where that is one of today.
    pub(super) fn old_moment(&self, at: Option<Stamp>, now: Now) -> Option<Timestamp> {
        let at = at.filter(|_| now.synced)?.at;
        let local = at.to_zoned(self.settings.zone.clone());
        let ahead = at.duration_since(now.wall) > SignedDuration::from_mins(2);
        (self.book.day() == Some(local.date()) && !ahead).then_some(at.min(now.wall))
    }

    /// An entry is there, and nobody knows since when.
    pub(super) fn stand(&mut self, entry: Option<&Entry>) {
        match entry {
            Some(entry) => self.book.list(entry.ticket.clone(), entry.counter.clone()),
            None => self.book.clear_standing(),
        }
    }

    /// An entry is a call.
    pub(super) fn call(&mut self, entry: &Entry, at: Timestamp, tally: &mut Tally) {
        let (ticket, counter) = (entry.ticket.clone(), entry.counter.clone());
        tally.reset |= self.book.call(ticket, counter, at, entry.kind);
        tally.calls += 1;
    }
}

/// The identity of an entry: the source's own, or its ticket, with time and counter.
fn identity(entry: &Entry, counter: Option<&Label>) -> u64 {
    let at = entry.at.map(|at| at.at.as_nanosecond().to_string());
    let id = entry.id.as_deref();
    key(&[
        "call",
        id.unwrap_or_default(),
        if id.is_some() {
            ""
        } else {
            entry.ticket.as_str()
        },
        at.as_deref().unwrap_or_default(),
        counter.map_or("", Label::as_str),
    ])
}

pub(super) fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
