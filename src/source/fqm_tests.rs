//! FQM, a ticketing system that shows the ticket called last and nine before it, or its database.

use super::fixtures::{Board, at};
use super::morning::{Act, made, morning, polled, same, shown_in_order, utc};
use jiff::SignedDuration;
use serde_json::{Value, json};
use std::collections::BTreeMap;

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

pub(super) fn fqm_by_database(seed: u64) {
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

pub(super) fn fqm_by_polling(seed: u64) -> usize {
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
