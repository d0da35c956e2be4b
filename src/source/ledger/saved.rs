//! What of a ledger survives a restart: plain values for a file.
//!
//! Labels are those of tickets, which match the queue's pattern; identities are digests. A file of another
//! version is read as far as its fields are known.

use super::book::Book;
use super::current::{Counters, Shown};
use super::hall::{Hall, Person};
use super::keys::Keys;
use super::list::Line;
use super::{Ledger, LedgerSettings, MAX_KEYS};
use crate::clock::Now;
use crate::model::{Call, CallKind, Label, NowServing, Status};
use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What is kept of one queue.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct SavedLedger {
    saved_at: Option<Timestamp>,
    day: Option<Date>,
    source_date: Option<Date>,
    epoch: u32,
    last_no: u64,
    seq: u64,
    calls: Vec<SavedCall>,
    standing: Option<SavedTicket>,
    called: Vec<String>,
    series: BTreeMap<String, (u64, u64)>,
    /// Digests of calls and events of the day, as hexadecimal text: JSON's numbers are too short.
    keys: Vec<String>,
    listed: Vec<String>,
    keyed: bool,
    list: Option<Vec<SavedTicket>>,
    counters: Vec<SavedSlot>,
    hall: SavedHall,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct SavedCall {
    no: u64,
    ticket: String,
    counter: Option<String>,
    at: Timestamp,
    recall: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
struct SavedTicket {
    ticket: String,
    counter: Option<String>,
    at: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
struct SavedSlot {
    origin: String,
    slot: Option<String>,
    ticket: Option<String>,
    counter: Option<String>,
    at: Option<Timestamp>,
    before: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
struct SavedHall {
    waiting: Vec<(String, u64)>,
    held: Vec<(String, u64)>,
    called: Vec<u64>,
    issued: u64,
    last_issue: Option<u64>,
    last_call: Option<u64>,
    complete: Option<bool>,
    in_row: u8,
    missed_in_row: u8,
    exhausted: bool,
    status: Option<String>,
}

impl Ledger {
    /// What is to be kept. A state that must be seen again is not part of it.
    #[must_use]
    pub fn saved(&self, now: Now) -> SavedLedger {
        let book = &self.book;
        let call = |call: &Call| SavedCall {
            no: call.no,
            ticket: call.ticket.to_string(),
            counter: text(call.counter.as_ref()),
            at: call.at,
            recall: call.kind == CallKind::Recall,
        };
        let line = |line: &Line| SavedTicket {
            ticket: line.ticket.to_string(),
            counter: text(line.counter.as_ref()),
            at: line.at,
        };
        let list = self.list.as_ref();
        SavedLedger {
            saved_at: now.synced.then_some(now.wall),
            day: book.day,
            source_date: self.source_date,
            epoch: book.epoch,
            last_no: book.last_no,
            seq: book.seq,
            calls: book.calls.iter().map(call).collect(),
            standing: book.standing.as_ref().map(|standing| SavedTicket {
                ticket: standing.ticket.to_string(),
                counter: text(standing.counter.as_ref()),
                at: None,
            }),
            called: book.called.iter().map(Label::to_string).collect(),
            series: book.series.clone(),
            keys: hex(self.keys.saved()),
            listed: hex(self.keys.saved_list()),
            keyed: self.keyed,
            list: list.map(|list| list.iter().map(line).collect()),
            counters: slots(&self.counters),
            hall: SavedHall::of(&self.hall),
        }
    }

    /// Continues where a ledger was saved: calls keep their numbers, and what was known stays known.
    /// Labels that cannot be read are left out.
    #[must_use]
    pub fn resume(settings: LedgerSettings, saved: SavedLedger) -> Self {
        let mut ledger = Self::new(settings);
        ledger.saved_at = saved.saved_at;
        ledger.source_date = saved.source_date;
        ledger.keyed = saved.keyed;
        ledger.keys = Keys::restored(unhex(&saved.keys), unhex(&saved.listed));
        let line = |line: &SavedTicket| {
            Some(Line {
                ticket: Label::new(&line.ticket).ok()?,
                counter: label(line.counter.as_deref()),
                at: line.at,
            })
        };
        let list = saved.list.as_ref();
        ledger.list = list.map(|list| list.iter().filter_map(line).collect());
        ledger.counters = restored_slots(&saved.counters);
        ledger.book = saved.book();
        saved.hall.restore(&mut ledger.hall);
        ledger
    }
}

impl SavedLedger {
    fn book(&self) -> Book {
        let call = |call: &SavedCall| {
            Some(Call {
                no: call.no,
                ticket: Label::new(&call.ticket).ok()?,
                counter: label(call.counter.as_deref()),
                at: call.at,
                kind: if call.recall {
                    CallKind::Recall
                } else {
                    CallKind::Call
                },
            })
        };
        let standing = self.standing.as_ref().and_then(|standing| {
            Some(NowServing {
                ticket: Label::new(&standing.ticket).ok()?,
                counter: label(standing.counter.as_deref()),
            })
        });
        let called = self.called.iter().take(MAX_KEYS);
        Book {
            day: self.day,
            epoch: self.epoch,
            last_no: self.last_no,
            seq: self.seq,
            calls: self.calls.iter().filter_map(call).collect(),
            standing,
            called: called.filter_map(|text| Label::new(text).ok()).collect(),
            series: self.series.clone(),
            low: None,
        }
    }
}

impl SavedHall {
    fn of(hall: &Hall) -> Self {
        let person = |person: &Person| (person.ticket.to_string(), person.place);
        Self {
            waiting: hall.waiting.iter().map(person).collect(),
            held: hall.held.iter().map(person).collect(),
            called: hall.called.iter().copied().collect(),
            issued: hall.issued,
            last_issue: hall.last_issue,
            last_call: hall.last_call,
            complete: hall.complete,
            in_row: hall.in_row,
            missed_in_row: hall.missed_in_row,
            exhausted: hall.is_exhausted,
            status: hall.status.map(|status| status.as_str().to_owned()),
        }
    }

    fn restore(self, hall: &mut Hall) {
        let person = |(text, place): &(String, u64)| {
            Some(Person {
                ticket: Label::new(text).ok()?,
                place: *place,
            })
        };
        let statuses = [Status::Open, Status::Paused, Status::Closed];
        let is_saved = |s: &Status| Some(s.as_str()) == self.status.as_deref();
        hall.waiting = self.waiting.iter().filter_map(person).collect();
        hall.held = self.held.iter().filter_map(person).collect();
        hall.called = self.called.into_iter().collect();
        hall.issued = self.issued;
        hall.last_issue = self.last_issue;
        hall.last_call = self.last_call;
        hall.complete = self.complete;
        hall.in_row = self.in_row;
        hall.missed_in_row = self.missed_in_row;
        hall.is_exhausted = self.exhausted;
        hall.status = statuses.into_iter().find(is_saved);
    }
}

fn slots(counters: &Counters) -> Vec<SavedSlot> {
    let slot = |((origin, slot), shown): (&super::current::Slot, &Shown)| SavedSlot {
        origin: format!("{origin:x}"),
        slot: text(slot.as_ref()),
        ticket: text(shown.ticket.as_ref()),
        counter: text(shown.counter.as_ref()),
        at: shown.at,
        before: text(shown.before.as_ref()),
    };
    counters.slots.iter().map(slot).collect()
}

fn restored_slots(saved: &[SavedSlot]) -> Counters {
    let slot = |saved: &SavedSlot| {
        let origin = u64::from_str_radix(&saved.origin, 16).ok()?;
        let shown = Shown {
            ticket: label(saved.ticket.as_deref()),
            counter: label(saved.counter.as_deref()),
            at: saved.at,
            before: label(saved.before.as_deref()),
        };
        Some(((origin, label(saved.slot.as_deref())), shown))
    };
    let mut counters = Counters::default();
    counters.slots.extend(saved.iter().filter_map(slot));
    counters
}

fn text(label: Option<&Label>) -> Option<String> {
    label.map(Label::to_string)
}

fn label(text: Option<&str>) -> Option<Label> {
    text.and_then(|text| Label::new(text).ok())
}

fn hex(keys: Vec<u64>) -> Vec<String> {
    keys.into_iter().map(|key| format!("{key:x}")).collect()
}

fn unhex(keys: &[String]) -> Vec<u64> {
    let number = |text: &String| u64::from_str_radix(text, 16).ok();
    keys.iter().filter_map(number).collect()
}
