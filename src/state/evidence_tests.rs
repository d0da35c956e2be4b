//! Evidence: what a source says of another time is not shown as being of now, and nothing that it
//! said, whatever it was, shuts out what it says next.

use super::tests::{at, message, office, queue};
use super::*;
use crate::clock::Now;
use crate::model::{Call, CallKind, Label, QueueState, Source, Status};
use jiff::{SignedDuration, Timestamp, ToSpan};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use std::collections::{BTreeMap, BTreeSet};

const MIDNIGHT: i64 = 14 * 3600;

fn unset(second: i64) -> Now {
    Now {
        wall: Timestamp::UNIX_EPOCH,
        synced: false,
        ..at(second)
    }
}

fn tickets(office: &Office, now: Now) -> Option<String> {
    let view = office.snapshot(now).queues.remove(0);
    let shown = view.today()?.last_shown()?;
    Some(shown.0.to_string())
}

fn apply(office: &mut Office, state: QueueState, now: Now) -> Result<Changes, Rejection> {
    office.apply(&queue(), state, Source::Feed, now)
}

/// Of the numbers of a message with its times moved by hours: am taken for pm, another month.
fn moved(state: &QueueState, by: SignedDuration) -> QueueState {
    let mut state = state.clone();
    state.at += by;
    for call in &mut state.calls {
        call.at += by;
    }
    let zone = Settings::new(vec![]).timezone;
    state.day = state.at.to_zoned(zone).date();
    state.seq = u64::try_from(state.at.as_millisecond()).unwrap();
    state
}

#[test]
fn a_message_of_tomorrow_does_not_freeze_the_board() {
    for hours in [12, 24, -12, 9] {
        let mut office = office();
        let honest = |n: i64| {
            let calls = [format!("{n}:A{n:03}")];
            let calls: Vec<&str> = calls.iter().map(String::as_str).collect();
            moved(&message(0, n * 20, &calls), SignedDuration::ZERO)
        };
        apply(&mut office, honest(1), at(20)).unwrap();
        let wrong = moved(&honest(2), SignedDuration::from_hours(hours));
        let refusal = apply(&mut office, wrong, at(40)).unwrap_err();
        let off = refusal.clock_offset(at(40)).expect("the clock is why");
        assert_eq!(off, SignedDuration::from_hours(hours), "{refusal}");
        for n in 3..6 {
            let changes = apply(&mut office, honest(n), at(n * 20)).unwrap();
            assert_eq!(changes.calls.len(), 1);
            let shown = tickets(&office, at(n * 20));
            assert_eq!(
                shown.as_deref(),
                Some(&*format!("A{n:03}")),
                "{hours} h off"
            );
        }
    }
}

#[test]
fn a_call_that_has_not_come_yet_is_refused_with_its_message_unless_that_lasts() {
    let mut office = office();
    let honest = |seq: u64, second: i64| {
        let mut state = message(seq, second, &["3:A003", "2:A002", "1:A001"]);
        state.calls[0].at = at(second - 5).wall;
        state.calls[1].at = at(8000).wall; // called in the hour in which the clock was wrong
        state.calls[2].at = at(-30).wall;
        state
    };
    for (seq, second) in [(1, 0), (2, 20), (3, 40)] {
        let refused = apply(&mut office, honest(seq, second), at(second));
        assert!(matches!(
            refused,
            Err(Rejection::InFuture { path: "calls", .. })
        ));
    }
    let changes = apply(&mut office, honest(4, 60), at(60)).unwrap();
    let found: Vec<u64> = changes.calls.iter().map(|c| c.call.no).collect();
    assert_eq!(found, [1, 3]);
    assert_eq!(tickets(&office, at(60)).as_deref(), Some("A003"));
}

#[test]
fn two_clocks_may_differ_by_two_minutes() {
    let mut office = office();
    assert!(apply(&mut office, message(1, 119, &["1:A001"]), at(0)).is_ok());
    assert!(apply(&mut office, message(2, 122, &["2:A002"]), at(1)).is_err());
    // Also around midnight: a source whose day begins a little early, or late.
    let mut early = message(3, MIDNIGHT + 30, &[]);
    early.day = early.day.tomorrow().unwrap();
    assert!(apply(&mut office, early, at(MIDNIGHT - 60)).is_ok());
    let mut slow = super::tests::office();
    let late = message(1, MIDNIGHT - 40, &["1:A001"]);
    assert!(apply(&mut slow, late, at(MIDNIGHT + 30)).is_ok());
}

#[test]
fn an_office_that_works_past_midnight_keeps_its_day_until_it_begins_the_next() {
    let mut office = office();
    for n in 0..30 {
        let second = MIDNIGHT - 600 + n * 60;
        apply(&mut office, message(n as u64, second, &[]), at(second)).unwrap();
        let phase = office.snapshot(at(second)).queues[0].phase;
        assert_eq!(phase, Phase::Today(Status::Open), "minute {n}");
    }
    let second = MIDNIGHT + 1800;
    let mut next = message(1, second, &[]);
    next.day = next.day.tomorrow().unwrap();
    assert!(apply(&mut office, next, at(second)).unwrap().new_day);
    let back = apply(&mut office, message(90, second + 20, &[]), at(second + 20));
    assert!(matches!(back, Err(Rejection::Late { .. })), "{back:?}");
}

#[test]
fn what_a_broker_kept_from_yesterday_is_not_of_today_and_nobodys_fault() {
    let mut office = office();
    let morning = MIDNIGHT + 8 * 3600;
    let arrival = Arrival {
        delivery: Delivery::Retained,
        ..Source::Feed.into()
    };
    let kept = message(7, 6 * 3600, &["1:A001"]);
    let refused = office.apply(&queue(), kept, arrival, at(morning));
    assert!(matches!(refused, Err(Rejection::BusinessDayOver { .. })));
    let view = office.snapshot(at(morning)).queues.remove(0);
    assert_eq!((view.phase, view.fresh), (Phase::NotOpenYet, false));
}

#[test]
fn numbers_of_unknown_age_are_never_fresh() {
    let mut office = office();
    let untimed = |delivery| Arrival {
        source: Source::Adapter,
        delivery,
        timed: false,
    };
    let (kept, live) = (untimed(Delivery::Retained), untimed(Delivery::Live));
    office
        .apply(&queue(), message(1, 0, &[]), kept, at(0))
        .unwrap();
    let view = |office: &Office, s| office.snapshot(at(s)).queues.remove(0);
    assert!(!view(&office, 0).fresh);
    assert_eq!(view(&office, 0).reading.unwrap().as_of(), None);
    // The same said live makes them fresh; kept and said again after an outage it does not.
    office
        .apply(&queue(), message(2, 5, &[]), live, at(5))
        .unwrap();
    assert!(view(&office, 5).fresh);
    assert_eq!(view(&office, 5).reading.unwrap().as_of(), Some(at(5).wall));
    let again = office.apply(&queue(), message(3, 400, &[]), kept, at(400));
    assert!(matches!(again, Err(Rejection::Duplicate(_))));
    assert!(!view(&office, 400).fresh);
    assert_eq!(
        view(&office, 400).reading.unwrap().as_of(),
        Some(at(5).wall)
    );
    // Without a clock a broker's copy of a message with a time is of unknown age, too.
    let mut office = super::tests::office();
    let arrival = Arrival {
        delivery: Delivery::Retained,
        ..Source::Feed.into()
    };
    office
        .apply(&queue(), message(1, -600, &[]), arrival, unset(0))
        .unwrap();
    assert!(!office.snapshot(unset(1)).queues[0].fresh);
    office.verify_times(at(30));
    assert!(!view(&office, 30).fresh, "ten minutes old");
}

#[test]
fn what_was_taken_without_a_clock_is_held_against_it_as_soon_as_it_is_set() {
    // Of next year, with a call of next year: dropped.
    let mut office = office();
    let wrong = moved(
        &message(1, 0, &["1:A009"]),
        SignedDuration::from_hours(365 * 24),
    );
    apply(&mut office, wrong, unset(0)).unwrap();
    assert_eq!(tickets(&office, unset(1)).as_deref(), Some("A009"));
    office.verify_times(at(5));
    let snapshot = office.snapshot(at(5));
    assert!(snapshot.queues[0].reading.is_none() && snapshot.log.is_empty());
    let changes = apply(&mut office, message(1, 6, &["1:A001"]), at(6)).unwrap();
    assert_eq!((changes.calls.len(), changes.missed), (1, 0));
    // Of now: it stays, with the age that it has, and its calls are not counted again.
    let mut office = super::tests::office();
    apply(&mut office, message(1, 0, &["1:A001"]), unset(0)).unwrap();
    office.verify_times(at(60));
    assert!(office.snapshot(at(60)).queues[0].fresh);
    assert!(!office.snapshot(at(151)).queues[0].fresh);
    let next = message(2, 160, &["2:A002", "1:A001"]);
    let mut next = next;
    next.calls[1].at = at(0).wall;
    let changes = apply(&mut office, next, at(160)).unwrap();
    assert_eq!(changes.calls.len(), 1);
}

#[test]
fn a_clock_that_was_days_ahead_does_not_outlast_itself() {
    // The node's clock is believed and two days ahead; its source has no time of its own.
    let arrival = Arrival {
        timed: false,
        ..Source::Adapter.into()
    };
    let days = SignedDuration::from_hours(48);
    let ahead = |second| Now {
        wall: at(second).wall + days,
        ..at(second)
    };
    let mut office = office();
    let wrong = moved(&message(0, 0, &["1:A001"]), days);
    office.apply(&queue(), wrong, arrival, ahead(0)).unwrap();
    let kept = office.saved_state(0);
    for restarted in [false, true] {
        let mut office = office.clone();
        if restarted {
            office = super::tests::office();
            office.restore(kept.clone(), at(10));
        }
        assert_eq!(tickets(&office, at(10)), None, "its day has not come");
        for n in 1..4 {
            let state = moved(&message(0, 10 + n, &["1:A002"]), SignedDuration::ZERO);
            office.apply(&queue(), state, arrival, at(10 + n)).unwrap();
            assert!(office.snapshot(at(10 + n)).queues[0].fresh);
            assert_eq!(tickets(&office, at(10 + n)).as_deref(), Some("A002"));
        }
    }
}

#[test]
fn a_source_that_counts_days_in_utc_is_served_all_day_and_calls_nobody_twice() {
    let mut office = office();
    let nine = MIDNIGHT + 9 * 3600;
    let state = |second: i64, top: u64| {
        let calls: Vec<String> = (top.saturating_sub(19).max(1)..=top)
            .rev()
            .map(|no| format!("{no}:A{no:03}"))
            .collect();
        let calls: Vec<&str> = calls.iter().map(String::as_str).collect();
        let mut state = message(0, second, &calls);
        for call in &mut state.calls {
            // Called every forty seconds since 8:30.
            call.at = at(nine - 1800 + call.no as i64 * 40).wall;
        }
        state.seq = u64::try_from(state.at.as_millisecond()).unwrap();
        state.day = state.at.to_zoned(jiff::tz::TimeZone::UTC).date();
        state
    };
    let mut found = BTreeSet::new();
    let mut flips = 0;
    for step in 0..90 {
        let second = nine - 1780 + step * 40;
        let changes = apply(&mut office, state(second, step as u64), at(second)).unwrap();
        for logged in changes.calls {
            assert!(found.insert(logged.call.ticket.to_string()), "{logged:?}");
        }
        assert_eq!(
            (changes.missed, changes.source_reset_undeclared),
            (0, false),
            "{step}"
        );
        flips += u32::from(changes.flipped);
        let view = office.snapshot(at(second)).queues.remove(0);
        assert!(
            view.fresh && view.phase == Phase::Today(Status::Open),
            "{step}"
        );
    }
    assert_eq!((found.len(), flips), (89, 1));
}

#[test]
fn late_copies_never_roll_anything_back() {
    let mut office = office();
    let day: Vec<QueueState> = (0..30)
        .map(|n| message(n as u64 + 1, n * 20, &[&*format!("{}:A{n:03}", n + 1)]))
        .collect();
    for state in &day {
        apply(&mut office, state.clone(), Now::at(state.at)).unwrap();
    }
    // Slowly, in their order, for an hour; and the newest of them a minute later.
    for (n, state) in day.iter().take(29).chain(&day[24..29]).enumerate() {
        let now = at(600 + n as i64 * 20);
        let late = apply(&mut office, state.clone(), now);
        assert!(matches!(late, Err(Rejection::Late { .. })), "{n}: {late:?}");
        assert_eq!(tickets(&office, now).as_deref(), Some("A029"));
    }
}

#[test]
fn a_poisoned_sequence_is_given_up_after_three_messages_and_a_minute() {
    for (every, taken_at) in [(5_i64, 60_i64), (25, 75), (60, 120), (10, 60)] {
        for restarted in [false, true] {
            let mut office = office();
            apply(&mut office, message(1, 0, &["1:A001"]), at(0)).unwrap();
            let mut evil = message(u64::MAX, 1, &["18446744073709551615:EVIL9"]);
            evil.epoch = u32::MAX;
            apply(&mut office, evil, at(1)).unwrap();
            if restarted {
                let kept = office.saved_state(0);
                office = super::tests::office();
                office.restore(kept, at(2));
            }
            let mut first = None;
            for step in 0..40 {
                let second = 10 + step * every;
                let mut state = message(10 + step as u64, second, &["2:A002", "1:A001"]);
                state.calls[0].at = at(9).wall;
                state.calls[1].at = at(0).wall;
                let now = at(second);
                if let Ok(changes) = apply(&mut office, state, now) {
                    if first.is_none() {
                        let found: Vec<_> = changes.calls.iter().map(|c| c.call.no).collect();
                        assert_eq!((found, changes.calls[0].epoch), (vec![2], 0));
                        assert!(changes.corrected);
                        first = Some(second - 10);
                    }
                    assert_eq!(tickets(&office, now).as_deref(), Some("A002"));
                }
            }
            assert_eq!(
                first,
                Some(taken_at),
                "every {every} s, restarted {restarted}"
            );
        }
    }
}

/// A source that calls somebody now and then, and what it says at each step.
fn honest(calls: &[u8], every: i64, skew: i64) -> Vec<(i64, QueueState)> {
    let mut made: Vec<Call> = Vec::new();
    let mut day = Vec::new();
    for (step, new) in calls.iter().enumerate() {
        let second = step as i64 * every;
        let moment = at(second + skew).wall;
        for k in 0..*new {
            let no = made.len() as u64 + 1;
            made.push(Call {
                no,
                ticket: Label::new(&format!("A{no:03}")).unwrap(),
                counter: Label::new(if no.is_multiple_of(2) { "2" } else { "1" }).ok(),
                at: moment - 2.seconds() + i64::from(k).milliseconds(),
                kind: CallKind::Call,
            });
        }
        let mut state = message(0, second + skew, &[]);
        state.seq = u64::try_from(state.at.as_millisecond()).unwrap();
        state.calls = made.iter().rev().take(20).cloned().collect();
        state.waiting = u32::try_from(step).ok();
        day.push((second, state));
    }
    day
}

/// What befalls a node before its source is honest.
#[derive(Debug, Clone)]
enum Blow {
    /// A message of anything.
    Message {
        seq: u64,
        at: i64,
        day: i32,
        epoch: u32,
        calls: Vec<(u64, i64)>,
        retained: bool,
    },
    /// The honest message of the moment.
    Honest,
    /// A power cut.
    Restart,
    /// The clock is unknown, or wrong by some seconds, from now on.
    Clock(Option<i64>),
}

fn extreme() -> impl Strategy<Value = u64> {
    prop_oneof![
        Just(u64::MAX),
        Just(u64::MAX - 1),
        0_u64..60,
        any::<u64>(),
        Just(1_795_482_000_000_u64),
    ]
}

fn blow() -> impl Strategy<Value = Blow> {
    let calls = proptest::collection::btree_map(
        prop_oneof![1_u64..60, extreme().prop_map(|n| n.max(1))],
        prop_oneof![-300_i64..300, -200_000_i64..200_000],
        0..20,
    );
    let message = (
        extreme(),
        prop_oneof![4 => -120_i64..120, 1 => -300_000_i64..300_000],
        prop_oneof![4 => Just(0), 1 => -3..4],
        prop_oneof![4 => Just(0_u32), 1 => Just(u32::MAX), 1 => 0_u32..4],
        calls,
        any::<bool>(),
    );
    let message = message.prop_map(|(seq, at, day, epoch, calls, retained)| Blow::Message {
        seq,
        at,
        day,
        epoch,
        calls: calls.into_iter().rev().collect(),
        retained,
    });
    let clock = prop_oneof![
        Just(None),
        (-200_000_i64..200_000).prop_map(Some),
        Just(Some(0))
    ];
    prop_oneof![
        6 => message,
        5 => Just(Blow::Honest),
        1 => Just(Blow::Restart),
        1 => clock.prop_map(Blow::Clock),
    ]
}

/// Few cases that are always the same in the usual run; `PROPTEST_CASES` asks for more, and others.
fn cases(usual: u32) -> ProptestConfig {
    let asked = std::env::var("PROPTEST_CASES")
        .ok()
        .and_then(|n| n.parse().ok());
    ProptestConfig {
        cases: asked.unwrap_or(usual),
        rng_seed: asked.map_or(RngSeed::Fixed(16), |_| RngSeed::Random),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// What of a call is the same wherever it is told.
fn identity(call: &Call) -> (String, Option<String>, Timestamp) {
    let counter = call.counter.as_ref().map(ToString::to_string);
    (call.ticket.to_string(), counter, call.at)
}

proptest! {
    #![proptest_config(cases(200))]
    /// Any hostile beginning, then an honest source: board, panel and history are those of a node
    /// that heard the honest source alone, for what it says then.
    #[test]
    fn nothing_that_was_said_shuts_out_what_an_honest_source_says_next(
        blows in proptest::collection::vec(blow(), 0..24),
        calls in proptest::collection::vec(prop_oneof![3 => Just(0_u8), 3 => Just(1), 1 => 0_u8..4], 60),
        every in 5_i64..40,
        skew in -100_i64..100,
    ) {
        let day = honest(&calls, every, skew);
        let mut office = office();
        let mut reported: BTreeMap<_, u32> = BTreeMap::new();
        let mut keys = BTreeMap::new();
        let mut clock = Some(0);
        let reading = |second: i64, clock: Option<i64>| match clock {
            Some(off) => Now { wall: at(second + off).wall, ..at(second) },
            None => unset(second),
        };
        let mut note = |changes: Changes, second: i64| {
            for logged in &changes.calls {
                // What has not come yet reaches no history: the hub refuses it.
                if logged.call.at > at(second).wall + MAX_AHEAD {
                    continue;
                }
                *reported.entry(identity(&logged.call)).or_default() += 1;
                let key = (logged.day, logged.epoch, logged.call.no);
                let call = identity(&logged.call);
                let honest = |call: &(String, _, _)| call.0.starts_with('A');
                let other = keys.insert(key, call.clone());
                let shared = other.is_some_and(|o| o != call && (honest(&o) || honest(&call)));
                prop_assert!(!shared, "{key:?} names two calls");
            }
            Ok(())
        };
        let mut step = 0;
        for blow in blows {
            let (second, state) = &day[step];
            let now = reading(*second, clock);
            match blow {
                Blow::Honest => {
                    if let Ok(changes) = apply(&mut office, state.clone(), now) {
                        note(changes, *second)?;
                    }
                }
                Blow::Restart => {
                    let kept = office.saved_state(0);
                    office = super::tests::office();
                    office.restore(kept, now);
                }
                Blow::Clock(to) => clock = to,
                Blow::Message { seq, at: when, day, epoch, calls, retained } => {
                    let mut state = message(seq, second + when, &[]);
                    state.epoch = epoch;
                    let zone = Settings::new(vec![]).timezone;
                    state.day = state.at.to_zoned(zone).date().saturating_add(day.days());
                    state.calls = calls.iter().map(|(no, at_s)| Call {
                        no: *no,
                        ticket: Label::new(&format!("E{:03}", no % 1000)).unwrap(),
                        counter: None,
                        at: at(second + at_s).wall,
                        kind: CallKind::Call,
                    }).collect();
                    let delivery = if retained { Delivery::Retained } else { Delivery::Live };
                    let arrival = Arrival { delivery, ..Source::Feed.into() };
                    if let Ok(changes) = office.apply(&queue(), state, arrival, now) {
                        note(changes, *second)?;
                    }
                }
            }
            step += 1;
        }
        // From here on all is well, and time goes on from where it was.
        let begin = day[step].0;
        let mut alone = super::tests::office();
        let mut taken = None;
        let mut wanted = BTreeSet::new();
        for (n, (second, state)) in day[step..].iter().enumerate() {
            let now = at(*second);
            let changes = apply(&mut office, state.clone(), now);
            apply(&mut alone, state.clone(), now).unwrap();
            match changes {
                Ok(changes) => {
                    wanted.extend(state.calls.iter().map(identity));
                    if taken.is_none() {
                        taken = Some((n, second - begin));
                    } else {
                        let fresh = changes.calls.iter().all(|c| c.announce);
                        prop_assert!(fresh, "new calls are announced: {:?}", changes.calls);
                    }
                    note(changes, *second)?;
                    let (shown, expected) = (office.snapshot(now), alone.snapshot(now));
                    let (shown, expected) = (&shown.queues[0], &expected.queues[0]);
                    prop_assert_eq!(shown.today(), expected.today());
                    prop_assert_eq!(shown.fresh, expected.fresh);
                }
                Err(refusal) => prop_assert!(
                    n < 3 || second - begin < 60 || taken.is_some_and(|_| false),
                    "message {n}, {} s on: {refusal}", second - begin
                ),
            }
        }
        prop_assert!(taken.is_some());
        for call in &wanted {
            prop_assert_eq!(reported.get(call), Some(&1), "{:?}", call);
        }
    }
}
