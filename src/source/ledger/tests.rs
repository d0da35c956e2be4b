//! Ledgers by themselves: midnight, single numbers, restarts, and anything that may come.

use super::*;
use crate::model::{CallKind, Label};
use crate::source::fixtures::{Board, at, zone};
use crate::source::observation::{Entry, Event, EventKind};
use proptest::prelude::*;
use serde_json::json;

const ONE: &str = "queue = \"a\"\nshape = \"current\"\nticket = \"/n\"\ncounter = \"/c\"\nat = \"/at\"\nwaiting = \"/w\"";

fn tickets(board: &Board) -> Vec<&str> {
    board
        .calls
        .iter()
        .map(|(ticket, ..)| ticket.as_str())
        .collect()
}

#[test]
fn a_number_that_changes_is_a_call_and_what_is_there_at_first_is_none() {
    let mut board = Board::new(ONE, true);
    for (t, n, c) in [
        (0.0, "A1", "1"),
        (1.0, "A1", "1"),
        (2.0, "A2", "1"),
        (3.0, "A2", "2"),
        (4.0, "-", ""),
        (5.0, "A3", "1"),
    ] {
        board.hear(&json!({"n": n, "c": c, "w": 4}), at(t));
    }
    let call = |t: &str, c: &str, again| (t.to_owned(), c.to_owned(), again);
    // The same ticket to another counter is a new call, marked as one that was called before.
    assert_eq!(
        board.calls,
        [
            call("A2", "1", false),
            call("A2", "2", true),
            call("A3", "1", false)
        ]
    );
    assert_eq!(board.last.state.as_ref().unwrap().waiting, Some(4));
    assert_eq!(board.last.waiting, WaitingKind::Reported);
}

#[test]
fn a_new_time_of_the_same_number_is_a_recall() {
    let mut board = Board::new(ONE, false);
    for (t, n, time) in [
        (0.0, "A1", "10:00:00"),
        (5.0, "A2", "10:00:05"),
        (9.0, "A2", "10:00:05"),
        (20.0, "A2", "10:00:20"),
    ] {
        board.hear(&json!({"n": n, "at": format!("2026-11-24 {time}")}), at(t));
    }
    assert_eq!(tickets(&board), ["A2", "A2"]);
    assert!(board.calls[1].2);
}

#[test]
fn the_number_left_at_midnight_is_no_call() {
    let mut board = Board::new(ONE, true);
    let evening = 14.0 * 3600.0 - 25.0;
    for (t, n) in [
        (-60.0, "A149"),
        (-25.0, "A150"),
        (0.0, "A150"),
        (24.0, "A150"),
        (26.0, "A150"),
        (40.0, "A150"),
    ] {
        board.hear(&json!({"n": n}), at(evening + t));
    }
    assert_eq!(tickets(&board), ["A150"], "in the evening");
    let state = board.last.state.as_ref().unwrap();
    assert_eq!(state.day.to_string(), "2026-11-25");
    assert_eq!((state.calls.len(), state.epoch), (0, 0));
    assert_eq!(board.shown(), "A150");
    // The first one of the morning is.
    board.hear(&json!({"n": "A1"}), at(evening + 60.0));
    board.hear(&json!({"n": "A1"}), at(evening + 61.0));
    assert_eq!(tickets(&board), ["A150", "A1"]);
    assert_eq!(board.last.state.as_ref().unwrap().calls[0].no, 1);
}

#[test]
fn a_ticket_that_moves_between_counters_makes_no_recall_of_the_one_before() {
    const EACH: &str =
        "queue = \"a\"\nshape = \"current\"\neach = \"/list\"\nticket = \"/n\"\ncounter = \"/c\"";
    let show = |a: &str, b: &str| json!({"list": [{"c": "1", "n": a}, {"c": "2", "n": b}]});
    let mut board = Board::new(EACH, true);
    for (t, a, b) in [
        (0.0, "A1", "A2"),
        (1.0, "A3", "A2"),
        // A3 goes to counter 2, where it is seen at once or at the next look.
        (2.0, "A1", "A3"),
        (3.0, "A4", "A3"),
        (4.0, "A1", "A3"),
        (5.0, "A1", "A4"),
        // Here A1 is called again.
        (6.0, "A5", "A4"),
        (7.0, "A1", "A4"),
        (8.0, "A1", "A4"),
    ] {
        board.hear(&show(a, b), at(t));
    }
    assert_eq!(tickets(&board), ["A3", "A3", "A4", "A4", "A5", "A1"]);
    assert_eq!(board.missed, 0);
}

#[test]
fn numbers_that_fall_are_believed_when_seen_twice() {
    let mut board = Board::new(ONE, true);
    for n in 1..=30 {
        board.hear(&json!({"n": format!("A{n}")}), at(f64::from(n)));
    }
    // One wrong answer of a server.
    board.hear(&json!({"n": "A1"}), at(31.0));
    assert_eq!(
        (board.last.state.is_none(), board.last.doubt),
        (true, Some(Doubt::NumbersFell))
    );
    board.hear(&json!({"n": "A30"}), at(32.0));
    assert_eq!(board.calls.len(), 29);
    let epoch = board.last.state.as_ref().unwrap().epoch;
    for t in 33..35 {
        board.hear(&json!({"n": "A1"}), at(f64::from(t)));
    }
    let state = board.last.state.as_ref().unwrap();
    assert_eq!((state.epoch, state.calls[0].no), (epoch + 1, 1));
    assert_eq!(state.calls[0].kind, CallKind::Call, "of another numbering");
    assert!(board.last.reset);
}

#[test]
fn a_source_that_speaks_only_of_changes_is_believed_after_a_while() {
    let mut board = Board::new(ONE, false);
    let settings = LedgerSettings {
        confirm_after: Some(Duration::from_secs(1)),
        ..LedgerSettings::new(zone())
    };
    board.ledger = Ledger::new(settings);
    for n in 1..=30 {
        board.hear(&json!({"n": format!("A{n}")}), at(f64::from(n)));
    }
    board.hear(&json!({"n": "A1"}), at(40.0));
    let tick = board.ledger.tick(at(40.5));
    assert_eq!(tick, Outcome::default());
    let tick = board.ledger.tick(at(41.0));
    board.note(tick);
    assert_eq!(board.calls.last().unwrap().0, "A1");
}

#[test]
fn a_restart_continues_and_a_lost_file_takes_another_epoch() {
    let mut board = Board::new(ONE, true);
    for n in 1..=5 {
        board.hear(&json!({"n": format!("A{n}")}), at(f64::from(n)));
    }
    let before = board.last.state.clone().unwrap();
    let text = serde_json::to_string(&board.ledger.saved(at(6.0))).unwrap();
    let settings = LedgerSettings {
        polled: true,
        ..LedgerSettings::new(zone())
    };
    board.ledger = Ledger::resume(settings.clone(), serde_json::from_str(&text).unwrap());
    // What changed within a few seconds is a call of now.
    board.hear(&json!({"n": "A6"}), at(10.0));
    let state = board.last.state.as_ref().unwrap();
    assert_eq!(
        (state.epoch, state.calls[0].no),
        (before.epoch, before.calls[0].no + 1)
    );
    assert!(state.seq > before.seq);
    // After an hour it is not.
    let text = serde_json::to_string(&board.ledger.saved(at(11.0))).unwrap();
    board.ledger = Ledger::resume(settings.clone(), serde_json::from_str(&text).unwrap());
    board.hear(&json!({"n": "A9"}), at(3600.0));
    assert_eq!(
        (board.shown(), board.last.calls, board.last.missed),
        ("A9".to_owned(), 0, 1)
    );
    let mut lost = Ledger::new(settings);
    let reading = board
        .mapping
        .read(&json!({"n": "A9"}), Seen::Live, 1, &zone(), at(3700.0).wall);
    let state = lost
        .apply(&reading.observation.unwrap(), at(3700.0))
        .state
        .unwrap();
    assert!(state.epoch > before.epoch);
    // A file of a later version, or none of ours.
    let odd: SavedLedger = serde_json::from_str(r#"{"epoch": 3, "later": [1]}"#).unwrap();
    let resumed = Ledger::resume(LedgerSettings::new(zone()), odd);
    let kept = serde_json::to_value(resumed.saved(at(0.0))).unwrap();
    assert_eq!(kept["epoch"], 3);
}

#[test]
fn holds_cancels_and_status_come_from_events() {
    const EVENTS: &str = "queue = \"a\"\nshape = \"event\"\nticket = \"/n\"\nkind = \"/k\"\nid = \"/id\"\nrange = [1, 50]";
    let mut board = Board::new(EVENTS, false);
    let mut id = 0;
    let mut hear = |board: &mut Board, kind: &str, n: u32| {
        id += 1;
        let event = json!({"k": kind, "n": n, "id": id});
        board.hear(&event, at(f64::from(id)));
        // The same again by a second topic.
        board.hear_from(&event, 2, Seen::Live, at(f64::from(id) + 0.1));
        assert_eq!(board.last.duplicates, 1);
        let state = board.last.state.as_ref().unwrap();
        (state.waiting, state.on_hold)
    };
    for n in 1..=6 {
        hear(&mut board, "issue", n);
    }
    assert_eq!(hear(&mut board, "call", 1), (Some(5), Some(0)));
    assert_eq!(hear(&mut board, "hold", 1), (Some(5), Some(1)));
    assert_eq!(hear(&mut board, "cancel", 4), (Some(4), Some(1)));
    assert_eq!(hear(&mut board, "back", 1), (Some(5), Some(0)));
    let next = board.last.state.as_ref().unwrap().next.clone();
    assert_eq!(
        next.iter().map(Label::as_str).collect::<Vec<_>>(),
        ["1", "2", "3", "5", "6"]
    );
    assert_eq!(hear(&mut board, "recall", 1), (Some(4), Some(0)));
    assert_eq!(hear(&mut board, "pause", 0), (Some(4), Some(0)));
    assert_eq!(board.last.state.as_ref().unwrap().status, Status::Paused);
    assert_eq!(hear(&mut board, "reset", 0), (Some(0), Some(0)));
    assert_eq!(tickets(&board), ["1", "1"]);
    assert!(board.calls[1].2);
}

#[test]
fn a_list_read_after_a_lost_connection_adds_what_events_did_not_tell() {
    const EVENTS: &str = "queue = \"a\"\nshape = \"event\"\nticket = \"/n\"\ncounter = \"/c\"";
    const LIST: &str = "queue = \"a\"\nshape = \"calls\"\ncalls = \"/list\"\nticket = \"/n\"";
    let mut board = Board::new(EVENTS, false);
    for n in 1..=3 {
        board.hear(&json!({"n": n, "c": 1}), at(f64::from(n)));
    }
    board.ledger.link(false, at(4.0));
    board.ledger.link(true, at(20.0));
    board.mapping = crate::source::fixtures::rule(LIST);
    board.hear(
        &json!({"list": [{"n": 5}, {"n": 4}, {"n": 3}, {"n": 2}]}),
        at(21.0),
    );
    assert_eq!(tickets(&board), ["1", "2", "3", "4", "5"]);
    board.mapping = crate::source::fixtures::rule(EVENTS);
    board.hear(&json!({"n": 6, "c": 1}), at(22.0));
    board.mapping = crate::source::fixtures::rule(LIST);
    board.hear(
        &json!({"list": [{"n": 6}, {"n": 5}, {"n": 4}, {"n": 3}]}),
        at(23.0),
    );
    assert_eq!((board.calls.len(), board.missed), (6, 0));
    // What is listed on the next day was called on this one.
    board.mapping = crate::source::fixtures::rule(EVENTS);
    board.hear(&json!({"n": 7, "c": 1}), at(24.0));
    board.mapping = crate::source::fixtures::rule(LIST);
    board.hear(
        &json!({"list": [{"n": 7}, {"n": 6}, {"n": 5}]}),
        at(50_400.0 + 30.0),
    );
    assert_eq!((board.calls.len(), board.shown()), (7, "7".to_owned()));
}

#[test]
fn a_source_that_was_silent_and_then_away_for_a_moment_was_not_away() {
    let mut board = Board::new(ONE, false);
    board.hear(&json!({"n": "A1"}), at(0.0));
    board.ledger.link(false, at(900.0));
    board.ledger.link(true, at(902.0));
    board.hear(&json!({"n": "A2"}), at(1800.0));
    board.ledger.link(false, at(1801.0));
    board.ledger.link(true, at(2400.0));
    board.hear(&json!({"n": "A3"}), at(2401.0));
    assert_eq!((tickets(&board), board.missed), (vec!["A2"], 1));
}

#[test]
fn the_longest_list_of_a_payload_calls_nobody_twice() {
    const KEYED: &str = "queue = \"a\"\nshape = \"calls\"\ncalls = \"/l\"\nid = \"\"";
    const LIST: &str = "queue = \"a\"\nshape = \"calls\"\ncalls = \"/l\"";
    for (toml, called) in [(KEYED, 3), (LIST, 3)] {
        let mut board = Board::new(toml, true);
        let list = |newest: u32| json!({"l": (1..=newest).rev().collect::<Vec<_>>()});
        for (t, newest) in [(0.0, 9_000), (1.0, 9_000), (2.0, 9_003), (3.0, 9_003)] {
            board.hear(&list(newest), at(t));
        }
        assert_eq!((board.calls.len(), board.missed), (called, 0));
    }
}

fn entry() -> impl Strategy<Value = Entry> {
    (
        0_u32..40,
        0_u32..4,
        proptest::option::of(0_i64..400),
        any::<bool>(),
    )
        .prop_map(|(n, c, t, id)| Entry {
            id: id.then(|| n.to_string()),
            ticket: Label::new(&format!("A{n}")).unwrap(),
            counter: (c > 0).then(|| Label::new(&c.to_string()).unwrap()),
            at: t.map(|t| stamp(t, 0)),
            kind: None,
        })
}

fn stamp(t: i64, coarse: u64) -> Stamp {
    let at = at(0.0).wall + SignedDuration::from_secs(t);
    Stamp {
        at,
        coarse: Duration::from_secs(coarse),
        date: at.to_zoned(zone()).date(),
    }
}

fn observation() -> impl Strategy<Value = Observation> {
    let list = || proptest::collection::vec(entry(), 0..12);
    let event =
        (0..EventKind::ALL.len(), entry(), any::<bool>()).prop_map(|(kind, entry, coarse)| Event {
            kind: EventKind::ALL[kind],
            id: entry.id,
            tickets: vec![entry.ticket],
            counter: entry.counter,
            at: entry.at.map(|at| Stamp {
                coarse: Duration::from_secs(if coarse { 60 } else { 0 }),
                ..at
            }),
        });
    let content = prop_oneof![
        list().prop_map(Content::Keyed),
        list().prop_map(Content::List),
        (list(), any::<bool>()).prop_map(|(served, many)| Content::Current {
            served,
            empty: vec![None],
            many
        }),
        proptest::collection::vec(event, 0..6).prop_map(Content::Events),
    ];
    (content, any::<bool>(), 0_u64..3).prop_map(|(content, backlog, origin)| Observation {
        facts: Facts::default(),
        content,
        seen: if backlog { Seen::Backlog } else { Seen::Live },
        origin,
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]
    #[test]
    fn whatever_comes_calls_are_counted_without_gaps_and_a_restart_changes_nothing(
        steps in proptest::collection::vec((observation(), 0_u32..200, any::<bool>()), 1..30)
    ) {
        let settings = LedgerSettings {
            range: Some((0, 20)),
            issue_passes: Some(2),
            has_issues: true,
            has_holds: true,
            ..LedgerSettings::new(zone())
        };
        let mut ledger = Ledger::new(settings.clone());
        let (mut t, mut newest) = (0, (0, 0));
        for (observation, wait, restart) in steps {
            t += wait;
            let now = at(f64::from(t));
            if restart {
                let text = serde_json::to_string(&ledger.saved(now)).unwrap();
                let saved: SavedLedger = serde_json::from_str(&text).unwrap();
                let resumed = Ledger::resume(settings.clone(), saved.clone());
                prop_assert_eq!(resumed.saved(now), saved);
                ledger = resumed;
            }
            let outcome = ledger.apply(&observation, now);
            let Some(state) = outcome.state else { continue };
            prop_assert!(state.calls.len() <= 20);
            prop_assert!(state.calls.is_sorted_by(|a, b| a.no == b.no + 1));
            let last = state.last_call().map_or(0, |call| call.no);
            let new = if state.epoch == newest.0 { last - newest.1 } else { last };
            prop_assert!(state.epoch >= newest.0);
            prop_assert!(u64::from(outcome.calls) == new, "{} {} {:?}", outcome.calls, new, state);
            newest = (state.epoch, last);
        }
    }
}
