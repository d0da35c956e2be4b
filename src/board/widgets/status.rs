//! Whether a queue takes people, and what is wrong with its numbers: a shape and a word, never a
//! colour alone.

use super::call::centred;
use super::{label, lowered};
use crate::board::design::{Sizes, Units};
use crate::board::plan::Plan;
use crate::board::scene::{Cell, Form, area, cut_left, edges, inset};
use crate::board::text::{Align, Run, Text};
use crate::board::theme::Ink;
use crate::board::view::{Line, Service};
use crate::board::widgets::name;
use crate::board::words::{AsOf, Figure};
use embedded_graphics::primitives::Rectangle;

/// Sizes of a queue's texts in pixels, already scaled to its row.
#[derive(Debug, Clone, Copy)]
pub(in crate::board) struct RowSizes {
    pub(super) name: f32,
    pub(super) english: f32,
    pub(super) ticket: f32,
    pub(super) counter: f32,
    pub(super) next: f32,
    pub(super) waiting: f32,
    pub(super) wait: f32,
    pub(super) unit: f32,
    pub(super) small: f32,
}

impl RowSizes {
    /// The design's sizes, times `factor`.
    pub(super) fn new(plan: &Plan<'_>, factor: f32) -> Self {
        let text = plan.geometry.text;
        Self::of(&text, |units| plan.scale.size(units) * factor)
    }

    fn of(text: &Sizes, em: impl Fn(Units) -> f32) -> Self {
        Self {
            name: em(text.name),
            english: em(text.english),
            ticket: em(text.ticket),
            counter: em(text.counter),
            next: em(text.next),
            waiting: em(text.waiting),
            wait: em(text.wait),
            unit: em(text.unit),
            small: em(text.small),
        }
    }
}

/// What the plate of the fast lane says.
const FAST: &str = "事前申請 ファストレーン";

/// The width of the fast lane's plate.
pub(super) fn fast_width(plan: &mut Plan<'_>, height: i32, size: f32) -> i32 {
    let wish = Text::wish(&[Run::bold(FAST, size, Ink::FastInk)], plan.fonts);
    #[allow(clippy::cast_possible_truncation)] // saturates, and is bounded by a box
    let wish = wish.ceil() as i32;
    wish.saturating_add(height * 18 / 10)
}

/// The plate of the fast lane at the left of a box.
pub(super) fn fast(plan: &mut Plan<'_>, cell: Cell, line: &Rectangle, size: f32) -> Cell {
    let height = i32::try_from(line.size.height).unwrap_or(0);
    let (plate, _) = cut_left(line, fast_width(plan, height, size));
    let (left, top, right, bottom) = edges(&plate);
    let (side, icon) = (height * 4 / 10, height / 2);
    let from = left + side;
    let above = top + (height - icon) / 2;
    let mark = area(from, above, from + icon * 3 / 2, above + icon);
    let text = area(from + icon * 2, top, right - side, bottom);
    cell.shape(plate, Form::Plate, Ink::Fast)
        .shape(mark, Form::Fast, Ink::FastInk)
        .text(label(
            text,
            Align::Left,
            vec![Run::bold(FAST, size, Ink::FastInk)],
        ))
}

/// What stands in the column of waits: the wait, or why there is none, over a second line.
pub(super) fn wait(
    plan: &mut Plan<'_>,
    cell: Cell,
    upper: &Rectangle,
    lower: &Rectangle,
    line: &Line,
    size: RowSizes,
) -> Cell {
    let (form, ja, en) = match (&line.service, &line.as_of) {
        (Service::Open(_), Some(time)) => {
            // A wait that nobody updates is no prediction: its place tells the time instead.
            let cell = stale(plan, cell, upper, time, size);
            let run = Run::new(time.why(), size.small, Ink::Text);
            return cell.text(label(*lower, Align::Right, vec![run]));
        }
        (Service::Open(Some(figure)), None) => {
            let runs = vec![
                Run::bold(&figure.number, size.wait, Ink::Text),
                Run::new(figure.unit, size.unit, Ink::Muted),
            ];
            return cell.text(label(*upper, Align::Right, runs));
        }
        (Service::Open(None), None) => {
            let run = Run::new("–", size.wait, Ink::Muted);
            return cell.text(label(*upper, Align::Right, vec![run]));
        }
        (Service::Paused, _) => (Form::Pause, "休止中", "Paused"),
        (Service::LastCalls(figure), None) => {
            let run = Run::bold("受付終了", size.wait * 0.62, Ink::Text);
            let cell = marked(plan, cell, upper, Form::Stop, vec![run], Ink::Text);
            return cell.text(label(
                *lower,
                Align::Right,
                last_calls(figure.as_ref(), size),
            ));
        }
        (Service::Closed | Service::LastCalls(_), _) => (Form::Stop, "受付終了", "Closed"),
        (Service::NotOpenYet, _) => (Form::Clock, "まもなく開庁", "Opening soon"),
        (Service::Unknown, _) => (Form::Dots, "準備中", "No data yet"),
    };
    let run = Run::bold(ja, size.wait * 0.62, Ink::Text);
    let cell = marked(plan, cell, upper, form, vec![run], Ink::Text);
    match &line.as_of {
        Some(time) => stale(plan, cell, lower, time, size),
        None => cell.text(label(
            *lower,
            Align::Right,
            vec![Run::new(en, size.english, Ink::Muted)],
        )),
    }
}

/// What those can expect who wait in a queue that gives out no more tickets.
fn last_calls(figure: Option<&Figure>, size: RowSizes) -> Vec<Run> {
    let Some(figure) = figure else {
        return vec![Run::new("順にお呼びします", size.small, Ink::Text)];
    };
    vec![
        Run::new("最後の方 ", size.small * 0.86, Ink::Text),
        Run::bold(&figure.number, size.small, Ink::Text),
        Run::new(figure.unit, size.small * 0.86, Ink::Text),
    ]
}

/// The time of numbers that are not fresh, on a plate.
fn stale(plan: &mut Plan<'_>, cell: Cell, whole: &Rectangle, as_of: &AsOf, size: RowSizes) -> Cell {
    let em = size.next.min(px(whole.size.height) / 1.3);
    let word = |text: &str| Run::bold(text, em * 0.8, Ink::AlertInk);
    let runs = match as_of.time() {
        Some(time) => vec![
            Run::bold(time, em, Ink::AlertInk),
            word(&format!(" {}", as_of.word())),
        ],
        None => vec![word(as_of.word())],
    };
    #[allow(clippy::cast_possible_truncation)] // bounded by the column
    let (wish, height) = (
        (Text::wish(&runs, plan.fonts) + em * 1.8) as i32,
        (em * 1.3) as i32,
    );
    let line = centred(whole, height);
    let (left, _, right, _) = edges(&line);
    let wide = wish.min(right - left);
    let (_, top, _, bottom) = edges(&line);
    let plate = area(right - wide, top, right, bottom);
    let cell = cell.shape(plate, Form::Plate, Ink::Alert);
    marked(
        plan,
        cell,
        &inset(&plate, height / 4, 0),
        Form::Clock,
        runs,
        Ink::AlertInk,
    )
}

/// A shape and words at the right of a box.
fn marked(
    plan: &mut Plan<'_>,
    cell: Cell,
    whole: &Rectangle,
    form: Form,
    runs: Vec<Run>,
    ink: Ink,
) -> Cell {
    let em = runs.first().map_or(0.0, |r| r.size);
    #[allow(clippy::cast_possible_truncation)] // bounded by the box
    let (icon, wish) = (
        (em * 0.8) as i32,
        Text::wish(&runs, plan.fonts).ceil() as i32,
    );
    let (left, _, right, _) = edges(whole);
    let gap = icon / 3;
    let text = (right - wish).max(left + icon + gap);
    let (_, top, _, bottom) = edges(&centred(whole, icon));
    let mark = area(text - gap - icon, top, text - gap, bottom);
    let (_, top, _, bottom) = edges(whole);
    cell.shape(mark, form, ink)
        .text(label(area(text, top, right, bottom), Align::Right, runs))
}

/// The numbers of a queue that is over step back.
fn ink(line: &Line) -> Ink {
    match line.service {
        Service::Closed | Service::NotOpenYet => Ink::Muted,
        Service::Open(_) | Service::LastCalls(_) | Service::Paused | Service::Unknown => Ink::Text,
    }
}

/// People waiting over tickets on hold.
pub(super) fn waiting(
    cell: Cell,
    upper: &Rectangle,
    lower: &Rectangle,
    line: &Line,
    size: RowSizes,
) -> Cell {
    let Some(waiting) = line.waiting else {
        return cell;
    };
    let runs = vec![
        Run::bold(waiting.to_string(), size.waiting, ink(line)),
        Run::new("人", size.unit, Ink::Muted),
    ];
    let cell = cell.text(label(*upper, Align::Right, runs));
    if line.on_hold == 0 {
        return cell;
    }
    let runs = vec![
        Run::new("保留 ", size.small * 0.86, Ink::Muted),
        Run::bold(line.on_hold.to_string(), size.small, Ink::Text),
        Run::new("人", size.small * 0.86, Ink::Muted),
    ];
    cell.text(label(*lower, Align::Right, runs))
}

/// The ticket called last.
pub(super) fn ticket(
    cell: Cell,
    whole: &Rectangle,
    align: Align,
    line: &Line,
    size: RowSizes,
) -> Cell {
    match &line.ticket {
        Some(ticket) => {
            let run = Run::bold(ticket, size.ticket, ink(line));
            cell.text(label(*whole, align, vec![run]))
        }
        None => cell.text(label(
            *whole,
            align,
            vec![Run::new("–", size.ticket * 0.6, Ink::Muted)],
        )),
    }
}

/// Its counter, on the baseline of the ticket.
pub(super) fn counter(cell: Cell, whole: &Rectangle, line: &Line, size: RowSizes) -> Cell {
    let Some(counter) = &line.counter else {
        return cell;
    };
    let mut runs = vec![Run::bold(&counter.label, size.counter, ink(line))];
    if !counter.short.is_empty() {
        runs.push(Run::new(counter.short, size.unit, Ink::Muted));
    }
    cell.text(label(
        lowered(whole, size.ticket, size.counter),
        Align::Right,
        runs,
    ))
}

/// A queue's name in a line of its own height.
pub(super) fn queue_name(cell: Cell, whole: &Rectangle, line: &Line, size: f32) -> Cell {
    cell.text(name(
        *whole,
        Align::Left,
        Run::bold(&line.name, size, Ink::Text),
    ))
}

#[allow(clippy::cast_precision_loss)] // frames have less than 2^24 pixels a side
fn px(length: u32) -> f32 {
    length as f32
}
