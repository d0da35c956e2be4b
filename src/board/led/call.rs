//! A call that stands out: its ticket as large as the board allows, and where to go.

use super::fit::{self, Alternatives, Part, Priority};
use super::glyphs::Kanji;
use super::pieces::{Cell, Ink, Line, signed};
use super::scene::{Scene, TALL, cut_bottom, cut_top, moving_name, placed};
use super::turns::{Turn, blink, pan, part};
use crate::board::view::CallView;
use crate::board::words::Counter;
use embedded_graphics::geometry::{Point, Size};
use embedded_graphics::primitives::Rectangle;
use std::time::Duration;

/// A board this many times as wide as high shows ticket and counter side by side.
const WIDE: u32 = 3;
/// Rows above which the queue's name is shown, too.
const NAMED: u32 = 48;
/// Strokes of this face and larger ones are thick enough to be read dark on lit ground.
const THICK: u32 = 14;
/// Columns between ticket and counter.
const APART: u32 = 3;

/// What a board shows of a call, `spent` into its turn; `new` while it blinks.
pub(super) fn scene(call: &CallView, size: Size, turn: Turn, spent: Duration, new: bool) -> Scene {
    let area = Rectangle::new(Point::zero(), size);
    let (second, changes) = if new {
        blink(spent)
    } else {
        (false, Duration::MAX)
    };
    let mut scene = Scene::until(turn.length());
    if new {
        scene.changes_at(changes);
    }
    let Some(counter) = &call.counter else {
        ticket(&mut scene, call, area, turn, spent, second);
        return scene;
    };
    if size.height < TALL || size.width >= size.height * WIDE {
        if !beside(&mut scene, call, counter, area, second) {
            // Too long for one row: first who, then where.
            let half = part(turn.length(), 2, spent);
            let within = Turn {
                start: turn.start + half.start,
                end: turn.start + half.end,
                ..turn
            };
            let spent = spent.saturating_sub(half.start);
            let mut shown = Scene::until(half.end);
            shown.shifted(half.start, |scene| {
                if half.index == 0 {
                    ticket(scene, call, area, within, spent, second);
                } else {
                    way(scene, call, counter, area, within, spent);
                }
            });
            shown.changes_at(scene.until);
            return shown;
        }
        return scene;
    }
    let mut rest = area;
    if size.height >= NAMED {
        let (name, below) = cut_top(&rest, 12);
        rest = cut_top(&below, 1).1;
        let line = Line::words(Kanji::Twelve, &call.queue, Ink::Word);
        moving_name(&mut scene, name, line, spent);
    }
    let foot = if size.height >= NAMED { 16 } else { 12 };
    let (above, below) = cut_bottom(&rest, foot);
    way(&mut scene, call, counter, below, turn, spent);
    ticket(
        &mut scene,
        call,
        cut_bottom(&above, 1).0,
        turn,
        spent,
        second,
    );
    scene
}

/// The ticket alone.
fn ticket(
    scene: &mut Scene,
    call: &CallView,
    area: Rectangle,
    turn: Turn,
    spent: Duration,
    second: bool,
) {
    let ways: Alternatives<'_> = vec![vec![Part::Number(&call.ticket, Ink::Ticket)]];
    let (width, height) = (area.size.width, area.size.height);
    if let Some(line) = fit::line(&ways, Priority::Digits, width, height) {
        look(scene, Cell::centred(area, line), second);
        return;
    }
    // It moves, and is not made harder to read by blinking.
    let line = fit::smallest(&ways, height);
    let way = pan(line.width().saturating_sub(width), turn.length(), spent);
    scene.changes_at(way.until);
    scene.cells.push(Cell::at(area, line, -signed(way.columns)));
}

/// The second look: dark on lit ground where strokes are thick enough and the ground can frame
/// them, else away.
fn look(scene: &mut Scene, mut cell: Cell, second: bool) {
    if second {
        let framed = cell.line.height() + 2 <= cell.area.size.height;
        if cell.line.height() < THICK || !framed {
            return;
        }
        // The ground reaches a little over the digits, and no further than the cell.
        let ink = Rectangle::new(
            cell.area.top_left + Point::new(cell.x - 2, 0),
            Size::new(cell.line.width() + 4, cell.area.size.height),
        );
        let ground = ink.intersection(&cell.area);
        cell.x += cell.area.top_left.x - ground.top_left.x;
        cell.area = ground;
        cell.ground = Some(Ink::Ticket);
    }
    scene.cells.push(cell);
}

/// Ways to say where to go.
fn ways_to<'a>(call: &CallView, counter: &'a Counter) -> Alternatives<'a> {
    let number = || Part::Number(&counter.label, Ink::Counter);
    let lead = |again: bool| {
        if again {
            Part::Words("再", Ink::Word)
        } else {
            Part::Arrow(Ink::Counter)
        }
    };
    let mut ways: Alternatives<'_> = Vec::new();
    for again in [true, false]
        .into_iter()
        .filter(|again| call.again || !again)
    {
        for words in [counter.to, counter.long, counter.short] {
            ways.push(vec![lead(again), number(), Part::Words(words, Ink::Word)]);
        }
        ways.push(vec![lead(again), number()]);
    }
    ways.push(vec![number()]);
    ways
}

/// Where to go, alone in a row.
fn way(
    scene: &mut Scene,
    call: &CallView,
    counter: &Counter,
    area: Rectangle,
    turn: Turn,
    spent: Duration,
) {
    let ways = ways_to(call, counter);
    let (width, height) = (area.size.width, area.size.height);
    if let Some(line) = fit::line(&ways, Priority::Words, width, height) {
        scene.cells.push(Cell::centred(area, line));
        return;
    }
    let line = fit::smallest(&ways, height);
    let way = pan(line.width().saturating_sub(width), turn.length(), spent);
    scene.changes_at(way.until);
    scene.cells.push(Cell::at(area, line, -signed(way.columns)));
}

/// Ticket and counter side by side in digits of one size, if they fit.
fn beside(
    scene: &mut Scene,
    call: &CallView,
    counter: &Counter,
    area: Rectangle,
    second: bool,
) -> bool {
    let ticket = || Part::Number(&call.ticket, Ink::Ticket);
    let ways: Alternatives<'_> = ways_to(call, counter)
        .into_iter()
        .filter(|way| way.len() > 1)
        .map(|way| [vec![ticket()], way].concat())
        .collect();
    let (width, height) = (area.size.width.saturating_sub(APART), area.size.height);
    let least = if height >= 16 { 10 } else { 7 };
    let Some(mut whole) = fit::line(&ways, Priority::Digits, width, height) else {
        return false;
    };
    if whole.height() < least || whole.0.len() < 3 {
        return false;
    }
    let rest = Line(whole.0.split_off(1));
    let total = whole.width() + APART + rest.width();
    let left = signed(area.size.width.saturating_sub(total)) / 2;
    let ticket_width = signed(whole.width());
    let (ticket_area, rest_area) = (
        placed(area, 0, left + ticket_width + signed(APART) - 1),
        placed(
            area,
            left + ticket_width + signed(APART) - 1,
            signed(area.size.width),
        ),
    );
    look(scene, Cell::at(ticket_area, whole, left), second);
    scene.cells.push(Cell::at(rest_area, rest, 1));
    true
}
