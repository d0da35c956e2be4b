//! Mornings of four real systems by the rules that they were seen to follow: 120 calls each, with bursts
//! of five within a second, recalls, the same ticket to another counter, and a reset.
//!
//! By the best kind of source all calls arrive once and in order. Asked once a second, at least 95 of
//! 100 do; what a list cannot show is lost.

use super::fixtures::{Board, at};
use super::observation::Seen;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Numbers at random from a seed (SplitMix64).
struct Dice(u64);

impl Dice {
    fn next(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % below
    }

    /// Seconds between two bounds.
    fn between(&mut self, from: f64, to: f64) -> f64 {
        let part = u32::try_from(self.next(1000)).unwrap();
        from + (to - from) * f64::from(part) / 1000.0
    }
}

/// What staff do.
#[derive(Debug, Clone, PartialEq)]
enum Act {
    /// A ticket by its letter and number is called to a counter: the first time, or not.
    Call(char, u32, u32, bool),
    Reset,
}

/// A morning: 78 single calls, six bursts of five, six recalls, six tickets that move.
fn morning(seed: u64, with_reset: bool) -> Vec<(f64, Act)> {
    let mut dice = Dice(seed);
    let mut acts = Vec::new();
    let mut numbers = BTreeMap::from([('A', 0), ('B', 0), ('E', 0)]);
    let (mut t, mut last) = (2.0, ('A', 0, 0));
    for i in 0..96_u32 {
        t += dice.between(2.6, 3.6);
        let burst = i % 16 == 7;
        let again = (i % 16 == 3 || i % 16 == 12) && last.1 > 0;
        if i == 50 && with_reset {
            acts.push((t, Act::Reset));
            numbers.values_mut().for_each(|n| *n = 0);
            t += dice.between(2.6, 3.6);
        }
        if again && i != 50 {
            // The same ticket: to its counter, or to another one.
            let counter = if i % 16 == 3 { last.2 } else { last.2 % 5 + 1 };
            last.2 = counter;
            acts.push((t, Act::Call(last.0, last.1, counter, true)));
            continue;
        }
        for _ in 0..if burst { 5 } else { 1 } {
            let letter = ['A', 'B', 'E'][usize::try_from(dice.next(3)).unwrap()];
            let number = numbers.get_mut(&letter).unwrap();
            *number += 1;
            last = (letter, *number, u32::try_from(dice.next(5)).unwrap() + 1);
            acts.push((t, Act::Call(last.0, last.1, last.2, false)));
            t += if burst { 0.2 } else { 0.0 };
        }
    }
    let calls = acts.iter().filter(|(_, act)| *act != Act::Reset);
    assert_eq!(calls.count(), 120);
    acts
}

/// A call as a board is to show it.
type Shown = (String, String, bool);

/// UTC without offset, as two of the systems write it.
fn utc(t: f64) -> String {
    let now: Timestamp = at(t).wall;
    now.to_string().trim_end_matches('Z').to_owned()
}

/// All calls that were made were shown, once, in order, and marked as they are.
fn same(made: &[Shown], board: &Board) {
    for (i, (call, shown)) in made.iter().zip(&board.calls).enumerate() {
        let around = |list: &[Shown]| list[i.saturating_sub(2)..(i + 4).min(list.len())].to_vec();
        assert_eq!(
            call,
            shown,
            "{i}: {:?} {:?}",
            around(made),
            around(&board.calls)
        );
    }
    assert_eq!((board.calls.len(), board.missed), (made.len(), 0));
}

/// How many of the calls that were made were shown, in order, and whether none was invented.
fn shown_in_order(made: &[Shown], shown: &[Shown]) -> usize {
    let mut left = made.iter();
    for call in shown {
        let found = left
            .by_ref()
            .any(|made| made.0 == call.0 && made.1 == call.1);
        assert!(found, "{call:?} was not made so, or in another order");
    }
    shown.len()
}

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

/// Calls as they are made: ticket, counter, whether the same ticket in this numbering.
fn made(acts: &[(f64, Act)], ticket: impl Fn(char, u32) -> String) -> Vec<Shown> {
    let call = |(_, act): &(f64, Act)| match act {
        Act::Call(letter, number, counter, again) => {
            Some((ticket(*letter, *number), counter.to_string(), *again))
        }
        Act::Reset => None,
    };
    acts.iter().filter_map(call).collect()
}

/// Plays acts and looks once a second: `act` changes the system, `look` reads it.
fn polled(acts: &[(f64, Act)], every: f64, phase: f64, mut step: impl FnMut(f64, Option<&Act>)) {
    let mut look = phase;
    for (t, act) in acts {
        while look < *t {
            step(look, None);
            look += every;
        }
        step(*t, Some(act));
    }
    for _ in 0..3 {
        step(look, None);
        look += every;
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

/// FQM: tickets of offices A, B, C; the display shows the one called last and nine before it.
#[derive(Default)]
struct Fqm {
    /// Newest first: letter, number, moment.
    called: Vec<(char, u32, f64)>,
    /// Row ids, which SQLite gives again after a reset.
    ids: BTreeMap<(char, u32), usize>,
}

impl Fqm {
    const LIST: &'static str = r#"
        queue = "certificates"
        shape = "calls"
        calls = ["/cot", "/p1", "/p2", "/p3", "/p4", "/p5", "/p6", "/p7", "/p8", "/p9"]
        ticket = { take = '^(?:\d+\. )?([A-Z] ?\d+)' }
        counter = { from = "ticket", take = '^([A-Z])', map = { A = "1", B = "2", E = "3", F = "4" } }
        next = { paths = ["/w1", "/w2"], take = '^(?:\d+\. )?([A-Z] ?\d+)' }
        none = ["Empty"]
    "#;
    const DATABASE: &'static str = r#"
        queue = "certificates"
        shape = "calls"
        calls = "$[?@.p==1]"
        id = "/id"
        ticket = "/ticket"
        counter = { path = "/counter", take = '(\d+)$' }
        at = { path = "/at", zone = "UTC" }
        waiting = { count = "$[?@.p==0 && @.on_hold==0]" }
        on_hold = { count = "$[?@.p==0 && @.on_hold==1]" }
    "#;

    fn counter(letter: char) -> u32 {
        match letter {
            'A' => 1,
            'B' => 2,
            'E' => 3,
            _ => 4,
        }
    }

    /// A call pulls the ticket to the head. A ticket that moves gets the letter of its new office.
    fn act(&mut self, t: f64, act: &Act) {
        match act {
            Act::Reset => *self = Self::default(),
            Act::Call(letter, number, ..) => {
                let id = self.ids.len() + 1;
                self.ids.entry((*letter, *number)).or_insert(id);
                self.called.retain(|(l, n, _)| (l, n) != (letter, number));
                self.called.insert(0, (*letter, *number, t));
            }
        }
    }

    fn answer(&self) -> Value {
        let label = |i: usize| match self.called.get(i) {
            Some((letter, number, _)) if i == 0 => format!("{letter} {}", 100 + number),
            // Some texts have their place in front, as the waiting have.
            Some((letter, number, _)) => format!("{i}. {letter} {}", 100 + number),
            None => "Empty".to_owned(),
        };
        let mut answer = json!({"con": "BWindow 2", "cot": label(0), "cott": "Certificates",
            "w1": "1. C 114", "w2": "Empty", "w9": 158});
        for i in 1..10 {
            answer[format!("p{i}")] = label(i).into();
        }
        answer
    }

    fn rows(&self) -> Value {
        let called = self.called.iter().map(|(letter, number, t)| {
            let id = self.ids[&(*letter, *number)];
            json!({"id": format!("{id}@{}", utc(*t)), "ticket": format!("{letter} {}", 100 + number),
                "counter": format!("Window {}", Self::counter(*letter)), "at": utc(*t).replace('T', " "),
                "p": 1, "on_hold": 0})
        });
        let waiting = (0..3).map(|i| json!({"id": i, "ticket": "A 900", "p": 0, "on_hold": i % 2}));
        called.chain(waiting).collect()
    }

    /// In this system the letter says the counter: half of the tickets that are called again move to
    /// another letter.
    fn of_letters(acts: Vec<(f64, Act)>) -> Vec<(f64, Act)> {
        let (mut moved, mut again) = (0, 0);
        let of = |(t, act)| match act {
            Act::Call(.., true)
                if {
                    again += 1;
                    again % 2 == 0
                } =>
            {
                moved += 1;
                (t, Act::Call('F', moved, Self::counter('F'), false))
            }
            Act::Call(letter, number, _, again) => {
                (t, Act::Call(letter, number, Self::counter(letter), again))
            }
            Act::Reset => {
                moved = 0;
                (t, act)
            }
        };
        acts.into_iter().map(of).collect()
    }
}

fn fqm_by_database(seed: u64) {
    let acts = Fqm::of_letters(morning(seed, true));
    let (mut system, mut board) = (Fqm::default(), Board::new(Fqm::DATABASE, true));
    polled(&acts, 0.5, 0.1, |t, act| match act {
        Some(act) => system.act(t, act),
        None => {
            board.hear(&system.rows(), at(t));
            if let Some(state) = &board.last.state {
                assert_eq!((state.waiting, state.on_hold), (Some(2), Some(1)));
            }
        }
    });
    same(&made(&acts, |l, n| format!("{l} {}", 100 + n)), &board);
}

fn fqm_by_polling(seed: u64) -> usize {
    let acts = Fqm::of_letters(morning(seed, true));
    let (mut system, mut board) = (Fqm::default(), Board::new(Fqm::LIST, true));
    polled(&acts, 1.0, 0.3, |t, act| match act {
        Some(act) => system.act(t, act),
        None => {
            let reading = board.hear(&system.answer(), at(t));
            assert_eq!((reading.problems, reading.hidden), (vec![], 0));
        }
    });
    // A recall of the ticket that is at the head already changes nothing in the list.
    let visible = made(&acts, |l, n| format!("{l} {}", 100 + n));
    let shown = shown_in_order(&visible, &board.calls);
    let recalls = visible.iter().filter(|(.., again)| *again).count();
    assert_eq!(shown + recalls, 120);
    assert!(board.calls.iter().all(|(.., again)| !again));
    shown
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

#[test]
fn an_answer_of_fqm_that_is_not_complete_yet_makes_no_calls() {
    let mut system = Fqm::default();
    for n in 1..=12 {
        system.act(f64::from(n), &Act::Call('A', n, 1, false));
    }
    // The first answer, out of a cache, has no p1 yet; then it has them all.
    let mut board = Board::new(Fqm::LIST, true);
    let mut first = system.answer();
    (1..10).for_each(|i| {
        first.as_object_mut().unwrap().remove(&format!("p{i}"));
    });
    board.hear(&first, at(20.0));
    board.hear(&system.answer(), at(21.0));
    assert_eq!(board.calls, []);
    assert_eq!(board.shown(), "A 112");
    // Not even the head is there at first.
    let mut board = Board::new(Fqm::LIST, true);
    let nothing = board.hear(&json!({"cott": "Certificates"}), at(20.0));
    assert!(nothing.observation.is_none() || board.last.calls == 0);
    assert_eq!(nothing.problems.len(), 1);
    // Empty, and then full at once: the empty one is not believed.
    let mut board = Board::new(Fqm::LIST, true);
    board.hear(&Fqm::default().answer(), at(20.0));
    assert_eq!(board.last.state, None);
    board.hear(&system.answer(), at(21.0));
    assert_eq!((board.calls.len(), board.missed), (0, 0));
    assert_eq!(board.shown(), "A 112");
}

#[test]
fn a_morning_s_first_call_after_an_empty_list_is_a_call() {
    let mut board = Board::new(Fqm::LIST, true);
    let mut system = Fqm::default();
    for t in 0..3 {
        board.hear(&system.answer(), at(f64::from(t)));
    }
    system.act(3.0, &Act::Call('A', 1, 1, false));
    board.hear(&system.answer(), at(4.0));
    assert_eq!(board.calls, [("A 101".to_owned(), "1".to_owned(), false)]);
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 0, failure_persistence: None, ..ProptestConfig::with_cases(24) })]
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

#[test]
fn outages_are_listed_and_not_called() {
    let mut board = Board::new(Fqm::LIST, true);
    let mut system = Fqm::default();
    system.act(0.0, &Act::Call('A', 1, 1, false));
    board.hear(&system.answer(), at(0.0));
    assert_eq!((board.calls.len(), board.shown().as_str()), (0, "A 101"));
    system.act(1.0, &Act::Call('A', 2, 1, false));
    board.hear(&system.answer(), at(1.0));
    // Two calls during ten minutes without the source.
    board.ledger.link(false, at(2.0));
    system.act(3.0, &Act::Call('A', 3, 1, false));
    system.act(4.0, &Act::Call('A', 4, 1, false));
    board.ledger.link(true, at(600.0));
    board.hear(&system.answer(), at(601.0));
    assert_eq!((board.calls.len(), board.missed), (1, 2));
    assert_eq!(board.shown(), "A 104");
    // A short one hides nothing.
    board.ledger.link(false, at(602.0));
    system.act(603.0, &Act::Call('A', 5, 1, false));
    system.act(604.0, &Act::Call('A', 6, 1, false));
    board.ledger.link(true, at(610.0));
    board.hear(&system.answer(), at(611.0));
    let tickets: Vec<&str> = board.calls.iter().map(|(t, ..)| t.as_str()).collect();
    assert_eq!(tickets, ["A 102", "A 105", "A 106"]);
    let late = SignedDuration::from_secs(600);
    let state = board.last.state.as_ref().unwrap();
    assert!(state.calls[0].at.duration_since(state.calls[2].at) >= late);
}
