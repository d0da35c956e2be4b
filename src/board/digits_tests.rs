//! Fields by tables: what is heard, when, and what stands there.

use super::*;
use crate::config::{OutputConfig, parse_node};
use crate::model::{Call, CallKind, QueueState, Source};
use crate::state::Office;
use jiff::civil::date;
use std::path::Path;

const CONFIG: &str = r#"
    [office]
    id = "chuo"
    name = { ja = "中央区" }
    [node]
    id = "n1"
    [mqtt]
    url = "mqtt://127.0.0.1:1883"
    [[queue]]
    id = "moving"
    name = { ja = "住所変更" }
    [[queue]]
    id = "koseki"
    name = { ja = "戸籍" }
    [[board]]
    id = "digits"
    calls = { min_highlight = "10s", max_backlog = "20s" }
    [board.output]
    kind = "serial"
    device = "/dev/ttyUSB0"
    template = "stx"
    [[board.output.field]]
    address = 1
    queue = "moving"
    [[board.output.field]]
    address = 2
    queue = "moving"
    show = "counter"
    [[board.output.field]]
    address = 3
    queue = "moving"
    show = "waiting"
    [[board.output.field]]
    address = 4
    queue = "koseki"
    show = "on-hold"
    [[board.output.field]]
    address = 5
    queue = "moving"
    show = "wait"
    [[board.output.field]]
    address = 6
    counter = "3"
"#;

/// An office, its board of digits, and a clock that is moved by hand.
struct World {
    office: Office,
    digits: Digits,
    now: Now,
    seq: u64,
}

/// Call number, ticket, counter.
type Told = (u64, &'static str, &'static str);

impl World {
    fn new(change: impl FnOnce(String) -> String, by_themselves: bool) -> Self {
        let text = change(CONFIG.to_owned());
        let config = parse_node(&text, "node.toml", Path::new("/")).expect("valid");
        let OutputConfig::Serial(serial) = &config.boards[0].output else {
            panic!("a serial board");
        };
        Self {
            digits: Digits::new(serial, &config.boards[0], by_themselves),
            office: Office::new(config.state.clone()),
            now: Now::at("2026-11-24T10:00:00+09:00".parse().expect("time")),
            seq: 0,
        }
    }

    fn steady() -> Self {
        Self::new(
            |text| text.replace("template =", "blink = false\ntemplate ="),
            false,
        )
    }

    /// A message with these calls, newest first, made now.
    fn hear(&mut self, queue: &str, status: Status, calls: &[Told]) {
        self.hear_of(12, queue, status, calls);
    }

    /// The same with so many people waiting.
    fn hear_of(&mut self, waiting: u32, queue: &str, status: Status, calls: &[Told]) {
        self.seq += 1;
        let at = self.now.wall;
        let call = |(no, ticket, counter): &Told| Call {
            no: *no,
            ticket: Label::new(ticket).expect("label"),
            counter: Label::new(counter).ok(),
            at,
            kind: CallKind::Call,
        };
        let state = QueueState {
            seq: self.seq,
            at,
            day: date(2026, 11, 24),
            epoch: 0,
            status,
            waiting: Some(waiting),
            on_hold: Some(2),
            next: Vec::new(),
            held: Vec::new(),
            calls: calls.iter().map(call).collect(),
            now_serving: None,
            wait: Some(WaitRange::new(60, 2000).expect("a range")),
        };
        let id = QueueId::new(queue).expect("id");
        self.office
            .apply(&id, state, Source::Feed, self.now)
            .expect("accepted");
    }

    fn later(&mut self, by: Duration) {
        self.now.mono += by;
        self.now.wall += by;
    }

    fn fields(&mut self) -> Vec<Field> {
        let snapshot = self.office.snapshot(self.now);
        self.digits.update(&snapshot.log, self.now);
        self.digits.fields(&snapshot, self.now)
    }

    fn faces(&mut self) -> Vec<String> {
        let text = |field: Field| match field.face {
            Face::Blank => String::new(),
            Face::Dashes => "--".to_owned(),
            Face::Text(text) => text,
        };
        self.fields().into_iter().map(text).collect()
    }

    fn first(&mut self) -> String {
        self.faces().swap_remove(0)
    }
}

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn each_field_says_what_it_was_told_to() {
    let mut world = World::steady();
    assert_eq!(world.faces(), [""; 6], "nothing was ever heard");
    world.hear("moving", Status::Open, &[(1, "A042", "3")]);
    assert_eq!(world.faces(), ["A042", "3", "12", "", "35", "A042"]);
    world.hear("koseki", Status::Open, &[(1, "K007", "3")]);
    world.later(SECOND * 10);
    assert_eq!(world.faces(), ["A042", "3", "12", "2", "35", "K007"]);
}

#[test]
fn a_closed_queue_has_no_number_but_its_last_call_has_its_turn() {
    let mut world = World::steady();
    world.hear_of(0, "moving", Status::Closed, &[(1, "A042", "3")]);
    assert_eq!(world.faces(), ["A042", "3", "", "", "", "A042"]);
    world.later(SECOND * 10);
    assert_eq!(world.faces(), [""; 6]);
    let mut world = World::new(
        |t| t.replace("template =", "idle = \"dashes\"\ntemplate ="),
        false,
    );
    assert_eq!(world.faces(), ["--"; 6]);
}

#[test]
fn a_closed_queue_that_is_still_called_keeps_its_numbers_but_promises_no_wait() {
    let mut world = World::steady();
    world.hear("moving", Status::Open, &[(1, "A042", "3")]);
    world.later(SECOND * 20);
    let open = world.faces();
    assert_eq!(open[0], "A042");
    world.hear("moving", Status::Closed, &[(1, "A042", "3")]);
    let closed = world.faces();
    assert_eq!((&closed[0], &closed[2]), (&open[0], &open[2]));
    // Its wait is that of the last who waits; digits cannot say so.
    let wait = open
        .iter()
        .position(|f| f == "35")
        .expect("2000 s in steps of five minutes");
    assert_eq!(closed[wait], "");
    world.hear_of(0, "moving", Status::Closed, &[(1, "A042", "3")]);
    world.later(SECOND * 20);
    assert_eq!(world.faces(), [""; 6]);
}

#[test]
fn calls_that_come_at_once_have_their_turns_and_the_newest_stays() {
    let mut world = World::steady();
    world.hear(
        "moving",
        Status::Open,
        &[(3, "A3", "1"), (2, "A2", "3"), (1, "A1", "1")],
    );
    let mut seen: Vec<(u64, String, String)> = Vec::new();
    for second in 0..60 {
        let faces = world.faces();
        if seen.last().is_none_or(|(_, first, _)| *first != faces[0]) {
            seen.push((second, faces[0].clone(), faces[1].clone()));
        }
        world.later(SECOND);
    }
    let seen: Vec<(u64, &str, &str)> = seen
        .iter()
        .map(|(s, a, b)| (*s, a.as_str(), b.as_str()))
        .collect();
    assert_eq!(seen, [(0, "A1", "1"), (10, "A2", "3"), (20, "A3", "1")]);
    assert_eq!(world.faces()[5], "A2", "the newest at counter 3");
    assert_eq!(world.digits.missed(), 0);
}

#[test]
fn a_long_burst_hurries_and_leaves_nobody_out() {
    let mut world = World::steady();
    let calls: Vec<Told> = [
        (8, "A8", "1"),
        (7, "A7", "1"),
        (6, "A6", "1"),
        (5, "A5", "1"),
        (4, "A4", "1"),
        (3, "A3", "1"),
        (2, "A2", "1"),
        (1, "A1", "1"),
    ]
    .to_vec();
    world.hear("moving", Status::Open, &calls);
    let mut seen: Vec<String> = Vec::new();
    let mut done = 0;
    for second in 0..60 {
        let first = world.first();
        if seen.last() != Some(&first) {
            seen.push(first);
            done = second;
        }
        world.later(SECOND);
    }
    assert_eq!(seen, ["A1", "A2", "A3", "A4", "A5", "A6", "A7", "A8"]);
    assert!(done <= 20 + 6 * 3, "the last came after {done} s");
    assert_eq!(world.digits.missed(), 0);
}

#[test]
fn a_new_number_blinks_here_or_there() {
    let mut world = World::new(|t| t, false);
    world.hear("moving", Status::Open, &[(1, "A042", "3")]);
    let half = Duration::from_millis(500);
    let mut seen = Vec::new();
    for _ in 0..4 {
        seen.push(world.first());
        world.later(half);
    }
    assert_eq!(seen, ["A042", "", "A042", ""]);
    world.later(SECOND * 10);
    assert_eq!(world.first(), "A042");
    world.later(half);
    assert_eq!(world.first(), "A042", "no longer new");

    let mut world = World::new(|t| t, true);
    world.hear("moving", Status::Open, &[(1, "A042", "3")]);
    world.later(half);
    let field = world.fields().swap_remove(0);
    assert_eq!((field.face, field.blink), (Face::Text("A042".into()), true));
    world.later(SECOND * 10);
    assert!(!world.fields()[0].blink);
}

#[test]
fn a_recall_blinks_again_and_takes_no_turn_of_its_own() {
    let mut world = World::new(|t| t, true);
    world.hear("moving", Status::Open, &[(1, "A042", "3")]);
    world.fields();
    world.later(SECOND * 9);
    world.hear(
        "moving",
        Status::Open,
        &[(2, "A042", "3"), (1, "A042", "3")],
    );
    world.fields();
    world.later(SECOND * 9);
    assert!(world.fields()[0].blink, "ten seconds from the recall on");
    world.later(SECOND);
    assert!(!world.fields()[0].blink);
}

#[test]
fn an_old_number_never_stands_there_alone() {
    let mut world = World::steady();
    world.hear("moving", Status::Open, &[(1, "A042", "3")]);
    world.fields();
    world.later(SECOND * 200);
    let mut seen = Vec::new();
    for _ in 0..4 {
        seen.push(world.first());
        world.later(SECOND * 2);
    }
    seen.sort();
    assert_eq!(seen, ["--", "--", "A042", "A042"]);
    let mut world = World::new(
        |t| t.replace("template =", "stale = \"dashes\"\ntemplate ="),
        false,
    );
    world.hear("moving", Status::Open, &[(1, "A042", "3")]);
    world.fields();
    world.later(SECOND * 200);
    assert_eq!(world.faces(), ["--", "--", "--", "", "--", "--"]);
    world.later(SECOND * 2);
    assert_eq!(world.first(), "--");
}

#[test]
fn only_queues_of_the_board_reach_a_counters_field() {
    let mut world = World::new(
        |t| t.replace("id = \"digits\"", "id = \"digits\"\nqueues = [\"koseki\"]"),
        true,
    );
    world.hear("moving", Status::Open, &[(1, "A042", "3")]);
    assert_eq!(world.faces()[5], "");
    world.hear("koseki", Status::Open, &[(1, "K007", "3")]);
    assert_eq!(world.faces()[5], "K007");
}

#[test]
fn the_next_change_is_never_overslept() {
    // Asked only when it wants to be, it shows what it shows when asked all the time.
    let mut world = World::new(|t| t, false);
    world.hear(
        "moving",
        Status::Open,
        &[(3, "A3", "1"), (2, "A2", "3"), (1, "A1", "1")],
    );
    let mut asked = world.digits.clone();
    let (mut wake, mut last) = (world.now.mono, Vec::new());
    for _ in 0..600 {
        let snapshot = world.office.snapshot(world.now);
        world.digits.update(&snapshot.log, world.now);
        if world.now.mono >= wake {
            asked.update(&snapshot.log, world.now);
            last = asked.fields(&snapshot, world.now);
            let next = asked.next_change(&snapshot, world.now);
            wake = world.now.mono + next.unwrap_or(SECOND).min(SECOND);
        }
        assert_eq!(
            last,
            world.digits.fields(&snapshot, world.now),
            "{:?}",
            world.now
        );
        world.later(Duration::from_millis(100));
    }
}
