//! The simulator as its offices see it.

use super::*;
use crate::model::{CallKind, QueueState, Status};
use crate::wire::feed::FeedMessage;
use std::collections::BTreeMap;

fn zone() -> TimeZone {
    TimeZone::fixed(jiff::tz::offset(9))
}

fn start() -> Timestamp {
    "2026-11-24T23:50:00+09:00".parse().unwrap()
}

fn simulator(seed: u64, speed: f64) -> Simulator {
    Simulator::new(seed, start(), speed, &zone())
}

/// Steps from event to event for so many real seconds.
fn run(simulator: &mut Simulator, seconds: i64) -> Vec<(Timestamp, Emission)> {
    let end = start() + SignedDuration::from_secs(seconds);
    let mut all = Vec::new();
    while simulator.next_event_at() <= end {
        let now = simulator.next_event_at();
        all.extend(simulator.step(now).into_iter().map(|e| (now, e)));
    }
    all
}

fn decode(emission: &Emission) -> QueueState {
    FeedMessage::decode(&emission.payload)
        .expect("a valid message")
        .into()
}

type Key = (OfficeId, QueueId);

#[test]
fn the_same_seed_gives_the_same_messages() {
    let all = |seed| run(&mut simulator(seed, 6.0), 120);
    assert_eq!(all(1), all(1));
    assert_ne!(all(1), all(2));
}

#[test]
fn the_first_viewer_sees_a_morning_with_lines() {
    for seed in 0..10 {
        let first = simulator(seed, 6.0).step(start());
        let states: Vec<_> = first
            .iter()
            .filter(|e| matches!(e.kind, Kind::State(_)))
            .map(decode)
            .collect();
        assert_eq!(states.len(), 30);
        assert!(states.iter().all(|s| s.status == Status::Open));
        assert!(
            states.iter().all(|s| !s.calls.is_empty()),
            "everybody has called"
        );
        let waiting: u32 = states.iter().filter_map(|s| s.waiting).sum();
        assert!(
            (10..300).contains(&waiting),
            "seed {seed}: {waiting} waiting"
        );
    }
}

#[test]
fn something_is_called_every_few_seconds() {
    let all = run(&mut simulator(3, 6.0), 600);
    let calls: u64 = all.iter().map(|(_, e)| e.new_calls).sum();
    assert!((200..900).contains(&calls), "{calls} calls in ten minutes");
}

/// What a node relies on, over whole simulated days.
#[test]
fn messages_keep_the_contract_through_days() {
    let all = run(&mut simulator(7, 600.0), 150);
    let mut last: BTreeMap<Key, QueueState> = BTreeMap::new();
    let mut tickets: BTreeMap<(Key, u32, u64), String> = BTreeMap::new();
    let (mut doubled, mut late, mut broken, mut recalls, mut held) = (0, 0, 0, 0, 0);
    let (mut epochs, mut closed, mut wrapped) = (0, 0, false);
    for (now, emission) in &all {
        let key = (emission.office.clone(), emission.queue.clone());
        match emission.kind {
            Kind::Broken => {
                broken += 1;
                assert!(
                    FeedMessage::decode(&emission.payload).is_err(),
                    "{emission:?}"
                );
                continue;
            }
            Kind::Doubled => {
                doubled += 1;
                assert_eq!(decode(emission).seq, last[&key].seq);
                continue;
            }
            Kind::Late => {
                late += 1;
                assert!(decode(emission).seq < last[&key].seq);
                continue;
            }
            Kind::State(seq) => assert_eq!(decode(emission).seq, seq),
        }
        let state = decode(emission);
        assert_eq!(state.at, *now);
        assert!(state.calls.iter().all(|c| c.at <= state.at));
        assert_eq!(state.waiting.unwrap() as usize, state.next.len());
        assert_eq!(state.on_hold.unwrap() as usize, state.held.len());
        for pair in state.calls.windows(2) {
            assert_eq!(pair[0].no, pair[1].no + 1, "without gaps");
        }
        for call in &state.calls {
            let id = (key.clone(), state.epoch, call.no);
            let said = tickets.entry(id).or_insert_with(|| call.ticket.to_string());
            assert_eq!(said, call.ticket.as_str(), "a call keeps its ticket");
            wrapped |= call.ticket.as_str() == "A001" && key.0.as_str() == "chuo";
        }
        recalls += u32::from(
            state
                .calls
                .first()
                .is_some_and(|c| c.kind == CallKind::Recall),
        );
        held += state.on_hold.unwrap();
        closed += u32::from(state.status == Status::Closed);
        if let Some(before) = last.get(&key) {
            assert!(state.seq > before.seq);
            let day = (state.day, state.epoch);
            assert!(day >= (before.day, before.epoch));
            if day == (before.day, before.epoch) {
                let no = |s: &QueueState| s.calls.first().map_or(0, |c| c.no);
                assert!(
                    (no(before)..=no(before) + 20).contains(&no(&state)),
                    "no call is lost"
                );
            }
        }
        epochs = epochs.max(state.epoch);
        last.insert(key, state);
    }
    assert_eq!(last.len(), 30);
    assert!(
        doubled > 0 && late > 0 && broken > 0,
        "{doubled} {late} {broken}"
    );
    assert!(recalls > 0 && held > 0 && closed > 0 && wrapped);
    assert!(
        epochs > 0,
        "a second simulated day within the same real one"
    );
}

#[test]
fn every_queue_speaks_at_least_once_a_minute() {
    let all = run(&mut simulator(5, 20.0), 600);
    let mut heard: BTreeMap<Key, Timestamp> = BTreeMap::new();
    for (now, emission) in all {
        let key = (emission.office, emission.queue);
        if let Some(before) = heard.insert(key, now) {
            assert!(now.duration_since(before) <= SignedDuration::from_secs(61));
        }
    }
    assert_eq!(heard.len(), 30);
}
