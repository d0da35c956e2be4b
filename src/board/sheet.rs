//! A sheet for installers: what a box knows of itself, or what is wrong with its file.
//!
//! Read from a ladder three metres away and photographed with a phone: few large lines, each with a
//! sign that means the same without colour, Japanese first, and all of it once more as a QR code.

use super::layout::is_portrait;
use super::scene::{Cell, Form, Part, Scene, area, cut_left, cut_right, cut_top, edges, inset};
use super::text::{Align, Fit, Run, Text};
use super::theme::Ink;
use super::widgets::footer::modules;
use embedded_graphics::geometry::{Point, Size};
use embedded_graphics::primitives::Rectangle;

/// Lines that can be read; of more, the first are shown.
const MAX_LINES: usize = 7;
/// A line is no higher than this share of the sheet's, in percent.
const HIGHEST_LINE: u32 = 15;

/// What is said to an installer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sheet {
    /// The heading.
    pub title: String,
    /// The heading in English.
    pub english: String,
    /// Whether something has to be done, which stands out.
    pub alert: bool,
    /// At most seven are shown.
    pub lines: Vec<Line>,
    /// What the QR code holds; empty is none.
    pub code: String,
    /// What happens next, or what to do, at the foot.
    pub next: String,
    /// The same in English.
    pub next_in_english: String,
}

/// One line of a sheet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// How it is.
    pub mark: Mark,
    /// What it is about.
    pub label: String,
    /// The same in English.
    pub english: String,
    /// What is said of it.
    pub value: String,
    /// More of it, small, never cut; may be empty.
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

/// The cells of a sheet.
pub(super) fn scene(sheet: &Sheet, size: Size) -> Scene {
    let all = Rectangle::new(Point::zero(), size);
    let portrait = is_portrait(size);
    let short = size.width.min(size.height);
    #[allow(clippy::cast_precision_loss)] // a side of a frame
    let em = |thousandths: u32| (short * thousandths) as f32 / 1000.0;
    let share = |of: u32, percent: u32| i32::try_from(of * percent / 100).unwrap_or(0);
    let margin = share(short, 4);
    let (left, _, right, bottom) = edges(&all);
    let (head, rest) = cut_top(&all, share(short, 17));
    let foot_height = share(short, 14);
    let (body, foot) = cut_top(&rest, bottom - edges(&rest).1 - foot_height);
    let mut scene = Scene {
        grounds: vec![(all, Ink::Ground)],
        cells: Vec::new(),
    };

    let (ground, ink, muted) = if sheet.alert {
        (Ink::Alert, Ink::AlertInk, Ink::AlertInk)
    } else {
        (Ink::Band, Ink::Text, Ink::Muted)
    };
    let two = |whole: Rectangle, ground, upper: Run, lower: Run| {
        let inner = inset(&whole, margin, share(whole.size.height, 12));
        let (up, low) = cut_top(&inner, share(inner.size.height, 62));
        Cell::new(whole, ground)
            .text(text(up, Align::Left, upper))
            .text(text(low, Align::Left, lower))
    };
    scene.cells.push(two(
        head,
        ground,
        Run::bold(&sheet.title, em(66), ink),
        Run::new(&sheet.english, em(32), muted),
    ));
    scene.cells.push(two(
        foot,
        Ink::Band,
        Run::bold(&sheet.next, em(44), Ink::Text),
        Run::new(&sheet.next_in_english, em(28), Ink::Muted),
    ));

    let body = inset(&body, 0, margin / 2);
    let code = Some(sheet.code.as_str()).filter(|code| !code.is_empty());
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
    let lines = area(
        left + margin,
        edges(&lines).1,
        edges(&lines).2,
        edges(&lines).3,
    );
    let shown = sheet.lines.len().clamp(1, MAX_LINES);
    let each = i32::try_from(lines.size.height).unwrap_or(0) / i32::try_from(shown).unwrap_or(1);
    let each = each.min(share(size.height, HIGHEST_LINE));
    let mut rest = lines;
    for line in sheet.lines.iter().take(MAX_LINES) {
        let (place, below) = cut_top(&rest, each);
        scene.cells.push(line_cell(line, place, short, &em));
        rest = below;
    }
    scene
}

fn line_cell(line: &Line, place: Rectangle, short: u32, em: &impl Fn(u32) -> f32) -> Cell {
    let share = |percent: u32| i32::try_from(short * percent / 100).unwrap_or(0);
    let ground = Ink::Ground;
    let (sign, rest) = cut_left(&place, share(8));
    let (label, value) = cut_left(&rest, share(33));
    let value = inset(&value, share(1), 0);
    let mut cell = Cell::new(place, ground);
    let height = i32::try_from(place.size.height).unwrap_or(0);
    if line.mark != Mark::None {
        let square = inset(
            &cut_left(&sign, share(7)).0,
            0,
            (height - share(7)).max(0) / 2,
        );
        let wrong = line.mark == Mark::Wrong;
        let ink = if wrong { Ink::AlertInk } else { Ink::Text };
        if wrong {
            cell = cell.shape(square, Form::Plate, Ink::Alert);
        }
        let run = Run::bold(line.mark.sign(), em(54), ink);
        cell = cell.text(text(square, Align::Centre, run));
    }
    let (upper, lower) = cut_top(&inset(&label, 0, height / 10), height * 46 / 100);
    cell = cell
        .text(text(
            upper,
            Align::Left,
            Run::new(&line.label, em(38), Ink::Text),
        ))
        .text(text(
            lower,
            Align::Left,
            Run::new(&line.english, em(26), Ink::Muted),
        ));
    let run = Run::bold(&line.value, em(46), Ink::Text);
    if line.detail.is_empty() {
        return cell.text(text(value, Align::Left, run));
    }
    let (upper, lower) = cut_top(&inset(&value, 0, height / 12), height * 42 / 100);
    let detail = Run::new(&line.detail, em(30), Ink::Text);
    cell.text(text(upper, Align::Left, run))
        .text(text(lower, Align::Left, detail))
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
    cell.text(text(upper, Align::Centre, ja))
        .text(text(lower, Align::Centre, en))
}

fn text(area: Rectangle, align: Align, run: Run) -> Text {
    Text {
        area,
        runs: vec![run],
        align,
        fit: Fit::Shrink,
    }
}
