//! One ledger a queue: whole states, lists, numbers or events become the queue's state.
//!
//! Invariants:
//! - Each call that the source shows is numbered once and in order. Counter and time are part of a call's
//!   identity: the same ticket to another counter is a new call, and so is the same ticket again. It is
//!   marked as a recall only within one numbering of the source.
//! - What is there when a source is first seen, at midnight, or after it was away for longer than
//!   `max_announce_age`, is listed without a time and is no call.
//! - What cannot be known is not made up: calls that came and went between two looks are counted as
//!   missed, and people waiting are unknown where issues are not reported.
//! - Numbers that fall, a list that is emptied and another day are believed when seen twice: one wrong
//!   answer of a server begins no new numbering.
//! - Memory is bounded: [`MAX_KEYS`] keys and tickets, 20 calls, 500 labels a list.
//!
//! `no` and `epoch` are counted here and survive a restart in a [`SavedLedger`]; a ledger without one
//! begins with the second of the day as epoch, so that its calls are not taken for those before.

mod book;
mod current;
mod events;
mod hall;
mod keys;
mod list;
mod ring;
mod saved;

pub use saved::SavedLedger;

use super::observation::{Content, Facts, Observation, Seen, Stamp};
use crate::clock::Now;
use crate::model::{QueueState, Status};
use crate::state::horizon;
use book::Book;
use current::Counters;
use events::{Lead, Recent};
use hall::Hall;
use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};
use keys::Keys;
use ring::Ring;
use std::collections::VecDeque;
use std::time::Duration;

/// Calls, events and tickets of one day that are remembered: twice as many as the busiest queue has.
pub const MAX_KEYS: usize = 5_000;

/// Two clocks that are both right may differ by so much (contract, "Limits").
const SLACK: SignedDuration = SignedDuration::from_mins(2);

/// What a ledger is to know of its queue and source.
#[derive(Debug, Clone)]
pub struct LedgerSettings {
    /// The office's time zone.
    pub zone: TimeZone,
    /// A call that is older when first seen is not announced.
    pub max_announce_age: Duration,
    /// Whether the source is asked again and again, so that a long silence means that it was away.
    pub polled: bool,
    /// A state that must be seen twice is believed after this time when nothing contradicts it: for
    /// sources that speak only when something changes.
    pub confirm_after: Option<Duration>,
    /// First and last number of the queue's tickets; behind the last comes the first.
    pub range: Option<(u32, u32)>,
    /// How often through the range issues are reported; `None` is always.
    pub issue_passes: Option<u32>,
    /// Whether events tell of issues, so that people waiting can be counted.
    pub has_issues: bool,
    /// Whether events tell of tickets on hold.
    pub has_holds: bool,
}

impl LedgerSettings {
    /// The defaults for an office in a zone.
    #[must_use]
    pub fn new(zone: TimeZone) -> Self {
        Self {
            zone,
            max_announce_age: crate::state::Settings::MAX_ANNOUNCE_AGE,
            polled: false,
            confirm_after: None,
            range: None,
            issue_passes: None,
            has_issues: false,
            has_holds: false,
        }
    }
}

/// Why a whole state is not used before it is seen again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// Its numbers are lower by more than half.
    NumbersFell,
    /// Its list is empty, and was not.
    ListEmptied,
    /// It is of another day than the one before.
    OtherDay,
}

/// Where the number of people waiting comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WaitingKind {
    /// It is not known.
    #[default]
    Unknown,
    /// The source reports it.
    Reported,
    /// It is counted from issues, calls and cancellations.
    Counted,
}

/// What an observation changed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outcome {
    /// The queue's state; `None` where nothing can be said of it yet.
    pub state: Option<QueueState>,
    /// Calls that are new in it.
    pub calls: u32,
    /// Calls that were made and are in no state: at least so many.
    pub missed: u32,
    /// Events that came twice and were dropped.
    pub duplicates: u32,
    /// Whether `state.at` is the source's own time.
    pub timed: bool,
    /// Whether a new business day began.
    pub new_day: bool,
    /// Whether the source began a new numbering.
    pub reset: bool,
    /// Why the observation is not used before it is seen again.
    pub doubt: Option<Doubt>,
    /// Where `state.waiting` comes from.
    pub waiting: WaitingKind,
}

/// What is new in an observation, while it is applied.
#[derive(Debug, Default)]
struct Tally {
    calls: u32,
    missed: u32,
    duplicates: u32,
    reset: bool,
}

/// The ledger of one queue.
#[derive(Debug, Clone)]
pub struct Ledger {
    settings: LedgerSettings,
    book: Book,
    keys: Keys,
    /// The list seen last, newest first; `None` before the first.
    list: Option<Vec<list::Line>>,
    /// Whether a list with identities was seen.
    keyed: bool,
    counters: Counters,
    hall: Hall,
    /// The call shown as the last one.
    lead: Option<Lead>,
    /// Events of the last second.
    recent: VecDeque<Recent>,
    facts: Facts,
    /// The date that the source wrote last.
    source_date: Option<Date>,
    /// What is to be seen again, and since when, by the monotonic clock.
    doubted: Option<(Observation, Doubt, Duration)>,
    /// Monotonic moment of the last observation.
    heard: Option<Duration>,
    /// Monotonic moment at which the connection to the source was lost.
    down: Option<Duration>,
    /// Wall time at which a ledger that is resumed was saved.
    saved_at: Option<Timestamp>,
}

impl Ledger {
    /// A ledger that has seen nothing.
    #[must_use]
    pub fn new(settings: LedgerSettings) -> Self {
        let ring = settings.range.map(Ring::new);
        Self {
            book: Book::default(),
            keys: Keys::default(),
            list: None,
            keyed: false,
            lead: None,
            recent: VecDeque::new(),
            counters: Counters::default(),
            hall: Hall::new(ring, settings.issue_passes),
            facts: Facts::default(),
            source_date: None,
            doubted: None,
            heard: None,
            down: None,
            saved_at: None,
            settings,
        }
    }

    /// Notes whether the source can be reached: what happens meanwhile is not seen.
    pub fn link(&mut self, up: bool, now: Now) {
        self.down = match (up, self.down) {
            (true, down) => down.filter(|_| self.heard.is_some()),
            (false, None) => Some(now.mono),
            (false, since) => since,
        };
    }

    /// The source begins to write again from the start of what it wrote today, as a log that is read
    /// again after a restart: what is known of it is not taken twice.
    pub fn rewind(&mut self) {
        self.keys.rewind();
    }

    /// Applies one observation.
    pub fn apply(&mut self, observation: &Observation, now: Now) -> Outcome {
        let mut tally = Tally::default();
        let new_day = self.turn(now);
        let away = self.was_away(now);
        let doubt = self.doubt(observation, away);
        match (doubt, self.doubted.take()) {
            (Some(doubt), None) => {
                self.doubted = Some((observation.clone(), doubt, now.mono));
                return Outcome {
                    doubt: Some(doubt),
                    new_day,
                    ..Outcome::default()
                };
            }
            (Some(_), Some((first, ..))) => {
                self.renew(&mut tally);
                self.take(&first, away, now, &mut tally);
                self.take(observation, false, now, &mut tally);
            }
            (None, _) => self.take(observation, away, now, &mut tally),
        }
        self.outcome(new_day, &tally, now)
    }

    /// Lets time pass: a doubted state that nothing contradicts is believed, and a day ends. The
    /// state is there only where something changed.
    pub fn tick(&mut self, now: Now) -> Outcome {
        let mut tally = Tally::default();
        let new_day = self.turn(now);
        let due = |since: Duration| {
            let after = self.settings.confirm_after;
            after.is_some_and(|after| now.since(since) >= after)
        };
        if let Some((first, ..)) = self.doubted.take_if(|(_, _, since)| due(*since)) {
            self.renew(&mut tally);
            self.take(&first, false, now, &mut tally);
        } else if !new_day {
            return Outcome::default();
        }
        self.outcome(new_day, &tally, now)
    }

    /// Turns to the day of the clock.
    fn turn(&mut self, now: Now) -> bool {
        let local = now.wall.to_zoned(self.settings.zone.clone());
        let before = self.book.day();
        if !self.book.turn(&local) {
            return false;
        }
        if before.is_some() {
            self.keys.turn();
            self.hall.turn();
            self.facts = Facts::default();
            self.lead = None;
        }
        before.is_some()
    }

    /// Whether the source was not seen for so long that what it shows may be old.
    fn was_away(&self, now: Now) -> bool {
        let limit = self.settings.max_announce_age;
        let Some(heard) = self.heard else {
            return self.saved_at.is_none_or(|at| {
                !now.synced || now.wall.duration_since(at).unsigned_abs() > limit
            });
        };
        let silent = now.since(heard) > limit;
        silent && (self.settings.polled || self.down.is_some())
    }

    /// Whether an observation must be seen twice.
    fn doubt(&self, observation: &Observation, away: bool) -> Option<Doubt> {
        let date = observation.facts.at.map(|at| at.date);
        let is_whole = !matches!(observation.content, Content::Events(_) | Content::Nothing);
        if is_whole
            && let (Some(date), Some(last)) = (date, self.source_date)
            && date != last
            && self.book.day() != Some(date)
        {
            return Some(Doubt::OtherDay);
        }
        match &observation.content {
            Content::List(entries) => self.doubt_of_list(entries, away),
            Content::Keyed(entries) => self.doubt_of_keyed(entries, away),
            Content::Current { served, many, .. } => {
                let served = served.iter();
                let changed =
                    served.filter(|e| self.counters.would_change(observation.origin, *many, e));
                let fell = !away
                    && changed
                        .into_iter()
                        .any(|e| self.book.begins_again(&e.ticket));
                fell.then_some(Doubt::NumbersFell)
            }
            Content::Events(_) | Content::Nothing => None,
        }
    }

    /// The source begins a new numbering.
    fn renew(&mut self, tally: &mut Tally) {
        tally.reset = self.book.reset();
        if self.list.is_some() {
            self.list = Some(Vec::new());
        }
        self.hall.reset();
    }

    fn take(&mut self, observation: &Observation, away: bool, now: Now, tally: &mut Tally) {
        let backlog = observation.seen == Seen::Backlog;
        match &observation.content {
            Content::Nothing => {}
            Content::Keyed(entries) => self.take_keyed(entries, away || backlog, now, tally),
            Content::List(entries) => self.take_list(entries, away || backlog, now, tally),
            Content::Current {
                served,
                empty,
                many,
            } => {
                let seen = current::Seeing {
                    origin: observation.origin,
                    many: *many,
                    away: away || backlog,
                };
                self.take_current(served, empty, seen, now, tally);
            }
            Content::Events(events) => self.take_events(events, observation, now, tally),
        }
        self.note(observation);
        self.heard = Some(now.mono);
        self.down = None;
    }

    /// Keeps what is said beside calls. Events add to it; a whole state replaces it.
    fn note(&mut self, observation: &Observation) {
        let facts = &observation.facts;
        if let Some(at) = facts.at {
            self.source_date = Some(at.date);
        }
        match observation.content {
            Content::Events(_) | Content::Nothing => {
                let before = std::mem::take(&mut self.facts);
                self.facts = Facts {
                    status: facts.status.or(before.status),
                    waiting: facts.waiting.or(before.waiting),
                    on_hold: facts.on_hold.or(before.on_hold),
                    next: facts.next.clone().or(before.next),
                    held: facts.held.clone().or(before.held),
                    at: facts.at,
                };
            }
            _ => self.facts.clone_from(facts),
        }
    }

    /// The moment of a call that is seen now: the source's own time where it can be one of now.
    fn moment(at: Option<Stamp>, now: Now) -> Timestamp {
        match at {
            Some(at) if now.synced && at.is_exact() && at.may_be(now.wall, SLACK) => at.at,
            _ => now.wall,
        }
    }

    fn outcome(&mut self, new_day: bool, tally: &Tally, now: Now) -> Outcome {
        let is_now = |at: &Stamp| now.synced && at.is_exact() && at.may_be(now.wall, SLACK);
        let told = self.facts.at.filter(is_now);
        let mut state = self.book.state(told.map_or(now.wall, |at| at.at), now);
        let facts = &self.facts;
        state.status = facts.status.or(self.hall.status()).unwrap_or(Status::Open);
        let counted = self.hall.waiting(now).filter(|_| self.settings.has_issues);
        state.waiting = facts.waiting.or(counted);
        let held = self.hall.held();
        let has_holds = self.settings.has_holds;
        state.held = facts.held.clone().unwrap_or_else(|| held.clone());
        let holds = u32::try_from(held.len()).ok().filter(|_| has_holds);
        let listed = facts
            .held
            .as_ref()
            .and_then(|held| u32::try_from(held.len()).ok());
        state.on_hold = facts.on_hold.or(listed).or(holds);
        state.next = facts.next.clone().unwrap_or_else(|| self.hall.next());
        if now.synced {
            state.calls.retain(|call| call.at <= horizon(now));
        }
        Outcome {
            waiting: match (facts.waiting, counted) {
                (Some(_), _) => WaitingKind::Reported,
                (None, Some(_)) => WaitingKind::Counted,
                (None, None) => WaitingKind::Unknown,
            },
            state: Some(state),
            calls: tally.calls,
            missed: tally.missed,
            duplicates: tally.duplicates,
            timed: told.is_some(),
            new_day,
            reset: tally.reset,
            doubt: None,
        }
    }
}
