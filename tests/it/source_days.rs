//! Recorded days through the ledger: as whole states, and as the events that lead from one to the next.
//!
//! Both ways all of a day's calls are those of the recording, and so are people waiting, those due next,
//! and those on hold.

use crate::support::{recording, shared};
use jiff::{Timestamp, tz::TimeZone};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::LazyLock;
use std::time::Duration;
use yobiban::clock::Now;
use yobiban::feed::recording::{Payload, Recording};
use yobiban::model::{CallKind, Label, QueueState, Status};
use yobiban::source::ledger::{Ledger, LedgerSettings};
use yobiban::source::mapping::{RawQueueRule, compile};
use yobiban::source::{Content, Event, EventKind, Facts, Observation, Seen, Stamp};
use yobiban::wire::feed::FeedMessage;

fn zone() -> TimeZone {
    TimeZone::get("Asia/Tokyo").unwrap()
}

/// The messages of one queue that are newer than those before, with the moment they came.
type Messages = Vec<(Timestamp, Value, QueueState)>;

/// The messages of a recorded day by topic, without the late, doubled and broken ones, as a feed's reader
/// leaves them.
fn day(path: &Path) -> BTreeMap<String, Messages> {
    let mut queues: BTreeMap<String, Messages> = BTreeMap::new();
    for line in Recording::open(path).unwrap() {
        let line = line.unwrap();
        let Payload::Json(value) = &line.payload else {
            continue;
        };
        let Ok(message) = FeedMessage::decode(&line.payload.bytes()) else {
            continue;
        };
        let state = QueueState::from(message);
        let of_queue = queues.entry(line.topic).or_default();
        let last = of_queue.last().map(|(.., last)| (last.day, last.seq));
        if last.is_none_or(|last| last < (state.day, state.seq)) {
            of_queue.push((line.at.at, value.clone(), state));
        }
    }
    queues
}

/// One office a day: each of the six is like the others.
fn days() -> &'static [BTreeMap<String, Messages>] {
    static DAYS: LazyLock<Vec<BTreeMap<String, Messages>>> = LazyLock::new(|| {
        let more = shared("days/2026-11-26.jsonl.gz");
        let paths = std::iter::once(recording("2026-11-24.jsonl.gz")).chain(more);
        let mut days: Vec<_> = paths.map(|path| day(&path)).collect();
        for day in &mut days {
            let office = day
                .keys()
                .next()
                .and_then(|topic| topic.rsplit_once("/feed/"));
            let office = office.map_or(String::new(), |(office, _)| office.to_owned());
            day.retain(|topic, _| topic.starts_with(&office));
        }
        days
    });
    &DAYS
}

/// A call without its number: a ledger counts by itself.
type Bare = (Label, Option<Label>, Timestamp, CallKind);

/// The calls of states in their order, each once by its count.
fn calls<'s>(states: impl Iterator<Item = &'s QueueState>) -> Vec<Bare> {
    let mut all = Vec::new();
    let mut newest = (0, 0);
    for state in states {
        for call in state.calls.iter().rev() {
            if (state.epoch, call.no) > newest {
                newest = (state.epoch, call.no);
                all.push((
                    call.ticket.clone(),
                    call.counter.clone(),
                    call.at,
                    call.kind,
                ));
            }
        }
    }
    all
}

/// What lies between two states, as events with exact times.
fn events(before: &QueueState, after: &QueueState) -> Vec<Event> {
    let stamp = |at: Timestamp| Stamp {
        at,
        coarse: Duration::ZERO,
        date: after.day,
    };
    let event = |kind, ticket: Option<&Label>| Event {
        kind,
        id: None,
        tickets: ticket.into_iter().cloned().collect(),
        counter: None,
        at: Some(stamp(after.at)),
    };
    let mut all = Vec::new();
    if after.epoch != before.epoch {
        // Counts begin again, and nobody is gone: people stay whom they are.
        all.push(event(EventKind::Reset, None));
        let all_before = before.next.iter();
        all.extend(all_before.map(|ticket| event(EventKind::Issue, Some(ticket))));
        all.extend(
            before
                .held
                .iter()
                .map(|ticket| event(EventKind::Hold, Some(ticket))),
        );
    }
    let newest = before.calls.first().map_or(0, |call| call.no);
    let newest = if after.epoch == before.epoch {
        newest
    } else {
        0
    };
    let new: Vec<_> = after
        .calls
        .iter()
        .rev()
        .filter(|call| call.no > newest)
        .collect();
    let waits = |ticket: &Label| before.next.contains(ticket);
    let was_issued = |ticket: &Label| waits(ticket) || before.held.contains(ticket);
    for ticket in after.next.iter().filter(|ticket| !was_issued(ticket)) {
        all.push(event(EventKind::Issue, Some(ticket)));
    }
    for ticket in after.next.iter().filter(|t| before.held.contains(t)) {
        all.push(event(EventKind::Back, Some(ticket)));
    }
    for call in &new {
        let first = call.kind == CallKind::Call;
        if first && !was_issued(&call.ticket) {
            all.push(event(EventKind::Issue, Some(&call.ticket)));
        }
        let kind = if first {
            EventKind::Call
        } else {
            EventKind::Recall
        };
        all.push(Event {
            counter: call.counter.clone(),
            at: Some(stamp(call.at)),
            ..event(kind, Some(&call.ticket))
        });
    }
    let called = |ticket: &Label| new.iter().any(|call| call.ticket == *ticket);
    for ticket in &before.next {
        if !after.next.contains(ticket) && !after.held.contains(ticket) && !called(ticket) {
            all.push(event(EventKind::Cancel, Some(ticket)));
        }
    }
    for ticket in &before.held {
        if !after.held.contains(ticket) && !after.next.contains(ticket) && !called(ticket) {
            all.push(event(EventKind::Cancel, Some(ticket)));
        }
    }
    for ticket in after
        .held
        .iter()
        .filter(|ticket| !before.held.contains(ticket) || called(ticket))
    {
        all.push(event(EventKind::Hold, Some(ticket)));
    }
    let status = match after.status {
        Status::Open => EventKind::Open,
        Status::Paused => EventKind::Pause,
        Status::Closed => EventKind::Close,
    };
    if before.status != after.status {
        all.push(event(status, None));
    }
    all
}

fn told_by_events(messages: &Messages) -> Vec<QueueState> {
    let mut ledger = Ledger::new(LedgerSettings {
        has_issues: true,
        has_holds: true,
        ..LedgerSettings::new(zone())
    });
    let empty = QueueState {
        next: Vec::new(),
        held: Vec::new(),
        calls: Vec::new(),
        status: Status::Open,
        ..messages[0].2.clone()
    };
    let mut before = &empty;
    let mut told = Vec::new();
    for (i, (at, _, state)) in messages.iter().enumerate() {
        let mut events = events(before, state);
        if i == 0 {
            // The machine is switched on in the morning: nobody waits.
            let reset = Event {
                kind: EventKind::Reset,
                id: None,
                tickets: Vec::new(),
                counter: None,
                at: None,
            };
            events.insert(0, reset);
        }
        let observation = Observation {
            facts: Facts::default(),
            content: Content::Events(events),
            seen: Seen::Live,
            origin: 1,
        };
        let outcome = ledger.apply(&observation, Now::at(*at));
        assert_eq!((outcome.missed, outcome.duplicates), (0, 0), "{at}");
        told.push(outcome.state.unwrap());
        before = state;
    }
    told
}

#[test]
fn the_events_of_a_recorded_day_give_its_states() {
    let (mut queues, mut states) = (0, 0);
    for day in days() {
        for (topic, messages) in day {
            let told = told_by_events(messages);
            let recorded = messages.iter().map(|(.., state)| state);
            let (mine, theirs) = (calls(told.iter()), calls(recorded.clone()));
            assert_eq!(mine.len(), theirs.len(), "{topic}");
            for (mine, recorded) in mine.iter().zip(&theirs) {
                assert_eq!(mine, recorded, "{topic}");
            }
            for (told, recorded) in told.iter().zip(recorded) {
                let at = recorded.at;
                assert_eq!(told.status, recorded.status, "{topic} {at}");
                let sorted = |list: &[Label]| {
                    let mut list = list.to_vec();
                    list.sort();
                    list
                };
                assert_eq!(sorted(&told.next), sorted(&recorded.next), "{topic} {at}");
                assert_eq!(sorted(&told.held), sorted(&recorded.held), "{topic} {at}");
                assert_eq!(told.waiting, recorded.waiting, "{topic} {at}");
                assert_eq!(told.on_hold, recorded.on_hold, "{topic} {at}");
                states += 1;
            }
            queues += 1;
        }
    }
    println!("{queues} queues, {states} states");
    assert!(queues >= 3);
}

#[test]
fn whole_states_of_a_recorded_day_give_its_calls() {
    for day in days() {
        for (topic, messages) in day {
            let raw: RawQueueRule = toml::from_str("queue = \"a\"\nshape = \"state\"").unwrap();
            let mapping = compile(&raw, None).unwrap();
            let mut ledger = Ledger::new(mapping.ledger(LedgerSettings::new(zone())));
            let mut told = Vec::new();
            for (at, value, state) in messages {
                let reading = mapping.read(value, Seen::Live, 1, &zone(), *at);
                assert_eq!((reading.problems, reading.hidden), (vec![], 0));
                let outcome = ledger.apply(&reading.observation.unwrap(), Now::at(*at));
                assert_eq!(outcome.missed, 0);
                if let Some(told_state) = outcome.state {
                    assert_eq!(told_state.waiting, state.waiting);
                    assert_eq!(told_state.next, state.next);
                    assert_eq!((told_state.status, outcome.timed), (state.status, true));
                    told.push(told_state);
                }
            }
            let known: Vec<Bare> = messages
                .first()
                .map_or(Vec::new(), |(.., state)| calls([state].into_iter()));
            let recorded = calls(messages.iter().map(|(.., state)| state));
            // What is there at first sight is no call.
            let mut mine = known;
            mine.extend(calls(told.iter()));
            let key = |calls: &[Bare]| calls.iter().map(|c| (c.0.clone(), c.2)).collect::<Vec<_>>();
            assert_eq!(key(&mine).len(), key(&recorded).len(), "{topic}");
            let (mut mine, mut recorded) = (key(&mine), key(&recorded));
            mine.sort();
            recorded.sort();
            for (mine, recorded) in mine.iter().zip(&recorded) {
                assert_eq!(mine, recorded, "{topic}");
            }
        }
    }
}
