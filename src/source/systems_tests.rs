//! Mornings of four real systems by the rules that they were seen to follow: 120 calls each, with bursts
//! of five within a second, recalls, the same ticket to another counter, and a reset.
//!
//! By the best kind of source all calls arrive once and in order. Asked once a second, at least 95 of
//! 100 do; what a list cannot show is lost.

use super::fixtures::{Board, at};
use super::fqm_tests::{fqm_by_database, fqm_by_polling};
use super::morning::{Act, Shown, made, morning, polled, same, shown_in_order, utc};
use super::observation::Seen;
use proptest::prelude::*;
use serde_json::{Value, json};

/// The Bangkok health centre's system (028): a whole state with the current call and five earlier ones.
#[derive(Default)]
struct HealthCentre {
    current: Option<Value>,
    history: Vec<Value>,
}

impl HealthCentre {
    const RULE: &'static str = r#"
        queue = "all"
        when = { path = "/type", equals = "QueueUpdate" }
        shape = "calls"
        calls = ["/data/current_call", "$.data.completed_history[*]"]
        id = "/id"
        ticket = "/id"
        counter = "/location"
        at = "/timestamp"
    "#;

    fn act(&mut self, t: f64, act: &Act) {
        match act {
            Act::Reset => *self = Self::default(),
            Act::Call(letter, number, counter, _) => {
                let id = format!("{letter}{number}");
                let call = json!({"id": id, "original_id": id, "location": counter.to_string(),
                    "timestamp": format!("{}Z", utc(t))});
                if let Some(gone) = self.current.replace(call)
                    && gone["id"] != id
                {
                    self.history.push(gone);
                    let old = self.history.len().saturating_sub(5);
                    self.history.drain(..old);
                }
            }
        }
    }

    fn answer(&self) -> Value {
        json!({"type": "QueueUpdate", "data": {"identifier_prefix_required": true,
            "current_call": self.current, "completed_history": self.history, "skipped_history": []}})
    }
}

fn health_centre_by_events(seed: u64) {
    let acts = morning(seed, true);
    let (mut system, mut board) = (
        HealthCentre::default(),
        Board::new(HealthCentre::RULE, false),
    );
    board.hear(&system.answer(), at(0.0));
    for (t, act) in &acts {
        system.act(*t, act);
        board.hear(&system.answer(), at(*t));
        // Not a call, on the same stream.
        let other = json!({"type": "TTSComplete", "data": {"id": "A31", "location": "3"}});
        assert_eq!(board.hear(&other, at(*t)).observation, None);
    }
    let tick = board.ledger.tick(at(1000.0));
    board.note(tick);
    same(&made(&acts, |l, n| format!("{l}{n}")), &board);
}

fn health_centre_by_polling(seed: u64) {
    let acts = morning(seed, true);
    let (mut system, mut board) = (
        HealthCentre::default(),
        Board::new(HealthCentre::RULE, true),
    );
    polled(&acts, 1.0, 0.3, |t, act| match act {
        Some(act) => system.act(t, act),
        None => {
            board.hear(&system.answer(), at(t));
        }
    });
    let made = made(&acts, |l, n| format!("{l}{n}"));
    assert_eq!(shown_in_order(&made, &board.calls), 120);
}

/// Service BC's TheQ: a list of people, each in a period with its own id; no counters.
#[derive(Default)]
struct TheQ {
    /// Ticket, period, begin, until when it is called.
    people: Vec<(String, u32, f64, f64)>,
    periods: u32,
}

impl TheQ {
    const RULE: &'static str = r#"
        queue = "all"
        shape = "calls"
        calls = "$.citizens[?@.active_period.ps.ps_name=='Invited']"
        id = "/active_period/period_id"
        ticket = "/ticket_number"
        at = { path = "/active_period/time_start", zone = "UTC" }
        waiting = { count = "$.citizens[?@.active_period.ps.ps_name=='Waiting']" }
        next = "$.citizens[?@.active_period.ps.ps_name=='Waiting'].ticket_number"
    "#;

    fn act(&mut self, t: f64, act: &Act) {
        if let Act::Call(letter, number, counter, _) = act {
            let ticket = format!("{letter}{number}");
            self.people.retain(|(person, ..)| *person != ticket);
            self.periods += 1;
            let until = t + 1.5 + f64::from(*counter);
            self.people.push((ticket, self.periods, t, until));
        }
    }

    fn answer(&self, t: f64) -> Value {
        let mut citizens = vec![
            json!({"ticket_number": "A901", "active_period": {"period_id": 9001,
            "time_start": utc(0.0), "ps": {"ps_name": "Waiting"}}}),
        ];
        for (ticket, period, from, until) in &self.people {
            let served = t >= *until;
            let name = if served { "Being Served" } else { "Invited" };
            // Who is served is in another period.
            let id = if served { period + 5000 } else { *period };
            citizens.push(
                json!({"ticket_number": ticket, "active_period": {"period_id": id, "ps_id": 3,
                "time_start": utc(*from), "time_end": null, "ps": {"ps_name": name}}}),
            );
        }
        json!({"office_type": "callbyticket", "citizens": citizens})
    }
}

/// Once a second, and with `nudged` after each call as well.
fn the_q(seed: u64, nudged: bool) {
    let acts = morning(seed, false);
    let (mut system, mut board) = (TheQ::default(), Board::new(TheQ::RULE, true));
    polled(&acts, if nudged { 10.0 } else { 1.0 }, 0.3, |t, act| {
        if let Some(act) = act {
            system.act(t, act);
        }
        if nudged || act.is_none() {
            board.hear(&system.answer(t), at(t));
            let state = board.last.state.as_ref().unwrap();
            assert_eq!(state.waiting, Some(1));
            assert_eq!(state.next[0].as_str(), "A901");
        }
    });
    let made = made(&acts, |l, n| format!("{l}{n}"));
    let made: Vec<Shown> = made
        .into_iter()
        .map(|(t, _, a)| (t, String::new(), a))
        .collect();
    same(&made, &board);
}

/// Q4U: each call is a message, on three topics; others say only that something changed.
fn q4u(seed: u64) {
    const RULE: &str = r#"
        queue = "opd"
        when = [{ path = "/servicePointId", equals = 6 }, { path = "/message", absent = true }]
        shape = "event"
        ticket = "/queueNumber"
        counter = "/roomNumber"
    "#;
    let acts = morning(seed, false);
    let mut board = Board::new(RULE, false);
    for (t, act) in &acts {
        let Act::Call(letter, number, counter, _) = act else {
            continue;
        };
        let call = json!({"queueNumber": format!("{letter}1 {number:03}"), "roomNumber": counter,
            "servicePointId": 6, "departmentId": 3, "isInterview": "N", "roomId": 2});
        let nudge = json!({"message": "update_visit"});
        for (origin, after) in [(1, 0.0), (2, 0.005), (3, 0.012)] {
            assert_eq!(
                board
                    .hear_from(&nudge, origin, Seen::Live, at(*t))
                    .observation,
                None
            );
            board.hear_from(&call, origin, Seen::Live, at(t + after));
        }
        let elsewhere = json!({"queueNumber": "Z1 999", "roomNumber": 1, "servicePointId": 7});
        assert_eq!(board.hear(&elsewhere, at(*t)).observation, None);
    }
    same(&made(&acts, |l, n| format!("{l}1 {n:03}")), &board);
}

#[test]
fn a_group_call_of_q4u_is_a_call_of_each() {
    let mut board = Board::new(
        "queue = \"opd\"\nshape = \"event\"\nticket = \"/queueNumber\"\ncounter = \"/roomNumber\"",
        false,
    );
    let group = json!({"queueNumber": ["1 001", "1 002"], "roomNumber": 1, "servicePointId": 1});
    board.hear(&group, at(0.0));
    let shown = |n: &str| (n.to_owned(), "1".to_owned(), false);
    assert_eq!(board.calls, [shown("1 001"), shown("1 002")]);
}

/// Mornings of each system: a third of them in the gate.
fn mornings() -> u32 {
    let all = std::env::var_os("YOBIBAN_ALL").is_some();
    if all { 24 } else { 8 }
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 0, failure_persistence: None, ..ProptestConfig::with_cases(mornings()) })]
    #[test]
    fn by_the_best_kind_of_each_system_all_calls_arrive_once_and_in_order(seed in any::<u64>()) {
        health_centre_by_events(seed);
        fqm_by_database(seed);
        the_q(seed, true);
        q4u(seed);
    }

    #[test]
    fn asked_once_a_second_they_lose_at_most_five_of_a_hundred(seed in any::<u64>()) {
        health_centre_by_polling(seed);
        the_q(seed, false);
        let shown = fqm_by_polling(seed);
        prop_assert!(shown * 100 >= 120 * 95, "{shown}");
    }
}
