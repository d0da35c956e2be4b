//! A screen for installers: what a device knows about itself, or what is wrong with its file.
//!
//! Read from a ladder three metres away and photographed with a phone: few large lines, each with a
//! sign that means the same without colour, Japanese first, and the whole text again as a QR code.

use super::layout::is_portrait;
use super::scene::{Cell, Form, Part, Scene, area, cut_left, cut_right, cut_top, edges, inset};
use super::text::{Align, Fit, Run, Text};
use super::theme::Ink;
use super::widgets::footer::modules;
use super::widgets::label as text;
use embedded_graphics::geometry::{Point, Size};
use embedded_graphics::primitives::Rectangle;

/// Lines that can be read; of more, the first are shown.
const MAX_LINES: usize = 7;
/// A line is no higher than this share of the screen's, in percent.
const HIGHEST_LINE: u32 = 15;

/// The text of a setup screen.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SetupScreen {
    pub title: String,
    pub english: String,
    /// Whether something has to be done, which stands out.
    pub alert: bool,
    /// At most seven are shown.
    pub lines: Vec<Line>,
    /// What the QR code holds; empty is none.
    pub code: String,
    /// What happens next, or what to do, at the foot.
    pub next: String,
    pub next_in_english: String,
}

/// One line of a screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub mark: Mark,
    /// What it is about.
    pub label: String,
    pub english: String,
    /// What is said of it.
    pub value: String,
    /// More of it, small; may be empty.
    pub detail: String,
}

/// How something is, by the signs of Japanese school marks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// Well: a circle.
    Good,
    /// Not yet: a triangle.
    Waiting,
    /// Wrong: a cross.
    Wrong,
    /// The number of a step.
    Step(u8),
    /// Neither.
    None,
}

impl Mark {
    fn sign(self) -> String {
        match self {
            Self::Good => "○".into(),
            Self::Waiting => "△".into(),
            Self::Wrong => "×".into(),
            Self::Step(n) => n.to_string(),
            Self::None => String::new(),
        }
    }
}

/// The cells of a screen.
pub(super) fn scene(screen: &SetupScreen, size: Size) -> Scene {
    let all = Rectangle::new(Point::zero(), size);
    let portrait = is_portrait(size);
    let short = size.width.min(size.height);
    #[allow(clippy::cast_precision_loss)] // a side of a frame
    let em = |thousandths: u32| (short * thousandths) as f32 / 1000.0;
    let margin = share(short, 4);
    let (left, _, right, bottom) = edges(&all);
    let (head, rest) = cut_top(&all, share(short, 17));
    // Words of a foot take two lines where a screen is narrow.
    let foot_height = share(short, if portrait { 20 } else { 14 });
    let (body, foot) = cut_top(&rest, bottom - edges(&rest).1 - foot_height);
    let mut scene = Scene {
        grounds: vec![(all, Ink::Ground)],
        cells: Vec::new(),
    };

    scene
        .cells
        .extend(head_and_foot(screen, head, foot, margin, &em));

    let body = inset(&body, 0, margin / 2);
    let code = Some(screen.code.as_str()).filter(|code| !code.is_empty());
    let lines = match code.and_then(modules) {
        None => body,
        Some((modules, side)) => {
            let (lines, place) = if portrait {
                let (_, top, _, bottom) = edges(&body);
                let at = bottom - share(short, 44);
                (area(left, top, right, at), area(left, at, right, bottom))
            } else {
                cut_right(&body, share(size.width, 29))
            };
            scene.cells.push(code_cell(place, modules, side, &em));
            lines
        }
    };
    let (_, top, right, bottom) = edges(&lines);
    let lines = area(left + margin, top, right, bottom);
    scene.cells.extend(list(screen, lines, size, &em));
    scene
}

/// The title above, and below it, at the other end, what to do next.
fn head_and_foot(
    screen: &SetupScreen,
    head: Rectangle,
    foot: Rectangle,
    margin: i32,
    em: &impl Fn(u32) -> f32,
) -> [Cell; 2] {
    let (ground, ink, muted) = if screen.alert {
        (Ink::Alert, Ink::AlertInk, Ink::AlertInk)
    } else {
        (Ink::Band, Ink::Text, Ink::Muted)
    };
    let two = |whole: Rectangle, ground, upper: Run, lower: Run| {
        let inner = inset(&whole, margin, share(whole.size.height, 12));
        let (up, low) = cut_top(&inner, share(inner.size.height, 62));
        Cell::new(whole, ground)
            .text(prose(up, upper))
            .text(prose(low, lower))
    };
    [
        two(
            head,
            ground,
            Run::bold(&screen.title, em(66), ink),
            Run::new(&screen.english, em(32), muted),
        ),
        two(
            foot,
            Ink::Band,
            Run::bold(&screen.next, em(44), Ink::Text),
            Run::new(&screen.next_in_english, em(28), Ink::Muted),
        ),
    ]
}

/// The lines, one below the other.
fn list(screen: &SetupScreen, area: Rectangle, size: Size, em: &impl Fn(u32) -> f32) -> Vec<Cell> {
    let short = size.width.min(size.height);
    let shown = screen.lines.len().clamp(1, MAX_LINES);
    let each = i32::try_from(area.size.height).unwrap_or(0) / i32::try_from(shown).unwrap_or(1);
    let each = each.min(share(size.height, HIGHEST_LINE));
    let mut rest = area;
    let lines = screen.lines.iter().take(MAX_LINES);
    lines
        .map(|line| {
            let (place, below) = cut_top(&rest, each);
            rest = below;
            let (cell, words) = marked(line, place, short, em);
            if is_portrait(size) {
                stacked(cell, line, words, em)
            } else {
                beside(cell, line, words, short, em)
            }
        })
        .collect()
}

/// The cell of a line with its sign, and the room for its words.
fn marked(
    line: &Line,
    place: Rectangle,
    short: u32,
    em: &impl Fn(u32) -> f32,
) -> (Cell, Rectangle) {
    let cell = Cell::new(place, Ink::Ground);
    let (sign, words) = cut_left(&place, share(short, 8));
    let words = inset(&words, 0, height(&place) / 20);
    if line.mark == Mark::None {
        return (cell, words);
    }
    let above = (height(&place) - share(short, 7)).max(0) / 2;
    let square = inset(&cut_left(&sign, share(short, 7)).0, 0, above);
    let (cell, ink) = if line.mark == Mark::Wrong {
        let plate = cell.shape(square, Form::Plate, Ink::Alert);
        (plate, Ink::AlertInk)
    } else {
        (cell, Ink::Text)
    };
    let run = Run::bold(line.mark.sign(), em(54), ink);
    (cell.text(text(square, Align::Centre, vec![run])), words)
}

/// What a line is about, what is said of it, and more of it, each above the other.
fn stacked(cell: Cell, line: &Line, words: Rectangle, em: &impl Fn(u32) -> f32) -> Cell {
    let parts = if line.detail.is_empty() {
        (40, 100)
    } else {
        (28, 45)
    };
    let (label, rest) = cut_top(&words, height(&words) * parts.0 / 100);
    let (value, detail) = cut_top(&rest, height(&rest) * parts.1 / 100);
    let runs = vec![
        Run::new(format!("{}  ", line.label), em(34), Ink::Text),
        Run::new(&line.english, em(26), Ink::Muted),
    ];
    let cell = cell.text(text(label, Align::Left, runs));
    said(cell, line, value, detail, em)
}

/// What a line is about at the left, what is said of it at the right.
fn beside(cell: Cell, line: &Line, words: Rectangle, short: u32, em: &impl Fn(u32) -> f32) -> Cell {
    let (label, value) = cut_left(&words, share(short, 33));
    let (upper, lower) = cut_top(&label, height(&label) * 55 / 100);
    let ja = Run::new(&line.label, em(38), Ink::Text);
    let en = Run::new(&line.english, em(26), Ink::Muted);
    let cell =
        cell.text(text(upper, Align::Left, vec![ja]))
            .text(text(lower, Align::Left, vec![en]));
    let value = inset(&value, share(short, 2), 0);
    let all = if line.detail.is_empty() { 100 } else { 48 };
    let (value, detail) = cut_top(&value, height(&value) * all / 100);
    said(cell, line, value, detail, em)
}

/// What is said of a line, and more of it.
fn said(
    cell: Cell,
    line: &Line,
    value: Rectangle,
    detail: Rectangle,
    em: &impl Fn(u32) -> f32,
) -> Cell {
    let cell = cell.text(prose(value, Run::bold(&line.value, em(46), Ink::Text)));
    if line.detail.is_empty() {
        return cell;
    }
    cell.text(prose(detail, Run::new(&line.detail, em(30), Ink::Text)))
}

fn height(area: &Rectangle) -> i32 {
    i32::try_from(area.size.height).unwrap_or(0)
}

/// The code with what it is for below it.
fn code_cell(place: Rectangle, modules: Vec<bool>, side: u32, em: &impl Fn(u32) -> f32) -> Cell {
    let pad = i32::try_from(place.size.width / 20).unwrap_or(0);
    let (left, top, right, bottom) = edges(&inset(&place, pad, 0));
    // Two lines of words below.
    #[allow(clippy::cast_possible_truncation)] // a share of a frame's side
    let words = em(100) as i32;
    let square = area(left, top, right, bottom - words);
    let caption = area(left, bottom - words, right, bottom);
    let (upper, lower) = cut_top(&caption, words * 55 / 100);
    let mut cell = Cell::new(place, Ink::Ground);
    cell.parts.push(Part::Qr {
        area: square,
        side,
        modules,
    });
    let ja = Run::new("スマートフォンで同じ内容を読めます", em(28), Ink::Text);
    let en = Run::new("The same text, for your phone", em(24), Ink::Muted);
    cell.text(text(upper, Align::Centre, vec![ja]))
        .text(text(lower, Align::Centre, vec![en]))
}

/// Text that takes more lines before it gets too small.
fn prose(area: Rectangle, run: Run) -> Text {
    Text {
        fit: Fit::Prose,
        ..text(area, Align::Left, vec![run])
    }
}

/// A share of a length, in percent.
fn share(of: u32, percent: u32) -> i32 {
    i32::try_from(of * percent / 100).unwrap_or(0)
}
