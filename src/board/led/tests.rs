//! Rules that hold for any board of light points.

use super::pieces::Piece;
use super::spelling::drawn;
use super::turns::Turn;
use super::*;
use crate::board::view::{CallView, Line};
use crate::board::words::{self, AsOf, Counter, Figure};
use crate::model::Label;
use proptest::prelude::*;

const TURN: Turn = Turn {
    index: 0,
    start: Duration::from_secs(100),
    end: Duration::from_secs(102),
};

fn counter(label: &str) -> Option<Counter> {
    Label::new(label).ok().map(|l| words::counter(&l))
}

fn text(cell: &Cell) -> String {
    let text = |piece: &Piece| match piece {
        Piece::Words(_, text, _) | Piece::Digits(_, text, _) => text.clone(),
        Piece::Arrow(..) | Piece::Gap(_) => " ".to_owned(),
    };
    cell.line.0.iter().map(text).collect()
}

/// Cells stand apart and inside, and what is wider than its cell moves.
fn holds(scene: &Scene, size: Size, what: &str) {
    let board = Rectangle::new(Point::zero(), size);
    for (i, cell) in scene.cells.iter().enumerate() {
        assert_eq!(
            cell.area.intersection(&board),
            cell.area,
            "{what}: {cell:?}"
        );
        let higher = cell.line.height() > cell.area.size.height;
        assert!(!higher || size.height < 8, "{what}: cut: {cell:?}");
        for other in &scene.cells[..i] {
            let both = cell.area.intersection(&other.area);
            assert!(both.is_zero_sized(), "{what}: {cell:?} over {other:?}");
        }
    }
}

/// A scene says when it is different, not before and not after.
fn keeps_time(draw: impl Fn(Duration) -> Scene, length: Duration, what: &str) {
    let mut spent = Duration::ZERO;
    for _ in 0..4000 {
        let scene = draw(spent);
        assert!(
            scene.until > spent,
            "{what}: {:?} at {spent:?}",
            scene.until
        );
        let last = scene.until.min(length) - Duration::from_nanos(1);
        assert_eq!(
            draw(last).cells,
            scene.cells,
            "{what}: from {spent:?} to {last:?}"
        );
        spent = scene.until;
        if spent >= length {
            return;
        }
    }
    panic!("{what}: changes without end");
}

fn label() -> impl Strategy<Value = String> {
    prop_oneof![
        "[A-Z][0-9]{3}",
        "[0-9]{1,4}",
        "[A-Z0-9-]{1,12}",
        "[^\\p{C}\\p{Z}]{1,12}",
    ]
}

fn board() -> impl Strategy<Value = Size> {
    let usual = prop_oneof![
        Just((64, 32)),
        Just((128, 32)),
        Just((64, 64)),
        Just((32, 8)),
        Just((64, 8)),
        Just((64, 16)),
        Just((96, 48)),
        Just((32, 32)),
        Just((256, 64)),
    ];
    prop_oneof![usual, (8u32..200, 8u32..140)].prop_map(|(w, h)| Size::new(w, h))
}

/// A third of them in the gate, where drawing is unoptimised and takes a second each.
fn cases() -> u32 {
    let all = std::env::var_os("YOBIBAN_ALL").is_some();
    if all { 96 } else { 32 }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases()))]

    #[test]
    fn any_call_stands_apart_and_is_seen_whole(
        size in board(), ticket in label(), to in proptest::option::of(label()),
        again: bool, new: bool, name in ".{0,30}",
    ) {
        let call = CallView {
            queue: name,
            ticket: ticket.clone(),
            counter: to.as_deref().and_then(counter),
            again,
            inverted: false,
        };
        let draw = |spent| call::scene(&call, size, TURN, spent, new);
        keeps_time(draw, TURN.length(), &format!("{call:?} on {size:?}"));
        let mut seen = false;
        for step in 0..200 {
            let scene = draw(Duration::from_millis(step * 10));
            holds(&scene, size, &format!("{call:?} on {size:?}"));
            seen |= scene.cells.iter().any(|c| text(c).starts_with(&*drawn(&ticket)));
        }
        prop_assert!(seen);
    }

    #[test]
    fn a_label_wider_than_the_board_shows_both_its_ends(ticket in "[A-Z0-9]{8,12}") {
        let size = Size::new(32, 8);
        let call = CallView { queue: String::new(), ticket, counter: None, again: false, inverted: false };
        let at = |ms| call::scene(&call, size, TURN, Duration::from_millis(ms), true).cells;
        let (first, last) = (&at(0)[0], &at(1999)[0]);
        prop_assert_eq!(first.x, 0);
        prop_assert_eq!(last.x + signed(last.line.width()), 32);
    }

    #[test]
    fn any_queue_stands_apart_and_no_old_number_without_its_time(
        size in board(), name in "[^\\p{C}]{1,30}", english in "[a-z ]{0,20}", fast: bool,
        ticket in proptest::option::of(label()), to in proptest::option::of(label()),
        waiting in proptest::option::of(0u32..1500), kind in 0usize..7, old: bool,
    ) {
        let queue = Line {
            name, english, fast,
            ticket: ticket.clone(),
            counter: to.as_deref().and_then(counter),
            next: Vec::new(),
            waiting,
            on_hold: 0,
            service: [
                Service::Open(Some(Figure { number: "8–15".into(), unit: "分" })),
                Service::Open(None), Service::Paused,
                Service::LastCalls(Some(Figure { number: "25–45".into(), unit: "分" })),
                Service::Closed, Service::NotOpenYet, Service::Unknown,
            ][kind].clone(),
            as_of: old.then(|| AsOf::Time("10:42".into())),
            filmed: false,
        };
        let length = queue::length(&queue, size);
        let turn = Turn { index: 0, start: Duration::from_secs(5), end: Duration::from_secs(5) + length };
        let what = format!("{queue:?} on {size:?}");
        let draw = |spent| queue::scene(&queue, size, turn, spent);
        keeps_time(draw, length, &what);
        let mut seen = false;
        for step in 0..40 {
            let scene = draw(length * step / 40);
            holds(&scene, size, &what);
            let texts: Vec<String> = scene.cells.iter().map(text).collect();
            let Some(ticket) = &ticket.as_deref().map(drawn) else { continue };
            let numbers = texts.iter().skip(usize::from(size.height >= 16)).any(|t| t.contains(&**ticket));
            seen |= numbers;
            if numbers && old {
                prop_assert!(texts.iter().any(|t| t.contains("10:42")), "{what}: {texts:?}");
            }
        }
        // A queue may be called like a ticket, and one digit of it is found in other numbers.
        let without = Line { ticket: None, ..queue.clone() };
        let elsewhere = |ticket: &str| (0..40).any(|step| {
            queue::scene(&without, size, turn, length * step / 40).cells.iter().any(|c| text(c).contains(ticket))
        });
        if let Some(ticket) = &ticket.as_deref().map(drawn) {
            prop_assert!(seen || kind >= 4, "{what}");
            prop_assert!(!seen || kind < 4 || elsewhere(ticket), "{what}");
        }
    }
}

/// Every number fits its board when it is as people know it: nothing moves but names.
#[test]
fn usual_numbers_stand_still_on_boards_of_two_rows_and_more() {
    for (w, h) in [(64, 16), (64, 32), (128, 32), (64, 64), (96, 48)] {
        let size = Size::new(w, h);
        for (ticket, to) in [("A042", "3"), ("A042", "12"), ("1042", "A-1")] {
            let call = CallView {
                queue: "戸籍".into(),
                ticket: ticket.into(),
                counter: counter(to),
                again: false,
                inverted: false,
            };
            let scene = call::scene(&call, size, TURN, Duration::ZERO, true);
            for cell in &scene.cells {
                assert!(
                    cell.x >= 0
                        && cell.x + signed(cell.line.width()) <= signed(cell.area.size.width)
                );
            }
        }
    }
}

#[test]
fn a_call_is_as_large_as_it_can_be() {
    let height = |w, h| {
        let call = CallView {
            queue: "戸籍".into(),
            ticket: "A042".into(),
            counter: counter("3"),
            again: false,
            inverted: false,
        };
        let scene = call::scene(&call, Size::new(w, h), TURN, Duration::ZERO, true);
        let ticket = scene
            .cells
            .iter()
            .find(|c| text(c) == "A042")
            .expect("ticket");
        ticket.line.height()
    };
    assert_eq!(height(64, 32), 18);
    assert_eq!(height(128, 32), 28);
    assert_eq!(height(64, 64), 28);
    assert_eq!(height(64, 16), 14);
    assert_eq!(height(64, 8), 7);
    assert_eq!(height(32, 8), 7);
}

#[test]
fn large_frames_are_drawn_in_large_points() {
    assert_eq!(points(Size::new(64, 32)), (Size::new(64, 32), 1));
    assert_eq!(points(Size::new(256, 64)), (Size::new(256, 64), 1));
    assert_eq!(points(Size::new(192, 96)), (Size::new(96, 48), 2));
    assert_eq!(points(Size::new(1920, 1080)), (Size::new(87, 49), 22));
}
