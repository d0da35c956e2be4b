//! One call in the panel.

use super::{label, lowered, name};
use crate::board::plan::Plan;
use crate::board::scene::{Cell, Form, area, cut_left, cut_right, cut_top, edges, inset};
use crate::board::text::{Align, Run, Text};
use crate::board::theme::Ink;
use crate::board::view::CallView;
use crate::board::words::Counter;
use embedded_graphics::primitives::Rectangle;

/// How a call's place looks. While it blinks, a call changes between the two loud ones, of which
/// each can be read as well as the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::board) enum CallStyle {
    /// A filled field.
    Filled,
    /// Its colours exchanged, with a thick frame.
    Inverted,
    /// Nothing new: the panel's own colours.
    Quiet,
}

impl CallStyle {
    /// Ground and ink.
    fn inks(self) -> (Ink, Ink) {
        match self {
            Self::Filled => (Ink::Call, Ink::CallInk),
            Self::Inverted => (Ink::CallInk, Ink::Call),
            Self::Quiet => (Ink::Panel, Ink::Text),
        }
    }
}

/// A place higher than this share of its width has the counter below the ticket, not beside it.
const STACKED: f32 = 0.34;

/// A place higher than this many units says the counter in English as well.
const ENGLISH: f32 = 230.0;

/// A place wider than this many units has room for the whole word for a counter.
const WIDE: f32 = 560.0;

/// Fills the place of a call that stands out.
pub(in crate::board) fn place(
    plan: &mut Plan<'_>,
    whole: &Rectangle,
    call: &CallView,
    look: CallStyle,
) {
    let (ground, ink) = look.inks();
    let mut cell = Cell::new(*whole, ground);
    if look == CallStyle::Inverted {
        let line = u32::try_from(plan.scale.of(10.0)).unwrap_or(1);
        cell = cell.shape(*whole, Form::Outline(line), ink);
    }
    let (_, top, _, bottom) = edges(whole);
    let height = bottom - top;
    let inner = inset(whole, plan.scale.of(28.0), (height / 24).max(1));
    let strip = (height * 17 / 100).min(plan.scale.of(60.0));
    let (strip, body) = cut_top(&inner, strip);
    cell = queue_and_mark(plan, cell, &strip, call, ink);
    let (_, top, _, bottom) = edges(&body);
    let height = bottom - top;
    #[allow(clippy::cast_precision_loss)] // lengths of a frame
    let stacked = height as f32 > STACKED * body.size.width as f32;
    let ticket = |size: f32| vec![Run::bold(&call.ticket, size, ink)];
    if stacked {
        let high = height > plan.scale.of(ENGLISH);
        let (number, rest) = cut_top(&body, height * if high { 52 } else { 57 } / 100);
        let (counter, english) = cut_top(&rest, height * if high { 34 } else { 43 } / 100);
        cell = cell.text(label(number, Align::Centre, ticket(em(&number, 1.1))));
        cell = cell.text(label(
            counter,
            Align::Centre,
            sent_to(call, em(&counter, 1.0), look, true),
        ));
        if let Some(counter) = call.counter.as_ref().filter(|_| high) {
            let run = Run::bold(format!("Counter {}", counter.label), em(&english, 0.8), ink);
            cell = cell.text(label(english, Align::Centre, vec![run]));
        }
    } else {
        let width = i32::try_from(body.size.width).unwrap_or(0);
        let wide = width > plan.scale.of(WIDE);
        let (number, rest) = cut_left(&body, width * if wide { 50 } else { 58 } / 100);
        let arrow = (height / 5).min(plan.scale.of(34.0));
        // The counter is a little smaller than the ticket and on its baseline.
        let ticket = ticket(fitting(plan, &ticket(em(&number, 1.1)), &number));
        let size = ticket[0].size;
        let counter = cut_left(&rest, arrow * 2).1;
        let to = sent_to(call, size * 0.86, look, wide);
        let to = sent_to(
            call,
            fitting(plan, &to, &counter).min(size * 0.86),
            look,
            wide,
        );
        let counter = lowered(&counter, size, to.first().map_or(size, |r| r.size));
        cell = cell.text(label(number, Align::Left, ticket));
        if !to.is_empty() {
            let (left, ..) = edges(&rest);
            let middle = top + height / 2;
            let (from, half) = (left + arrow / 2, arrow / 2);
            let pointer = area(from, middle - half, from + arrow, middle + half);
            cell = cell
                .shape(pointer, Form::Arrow, ink)
                .text(label(counter, Align::Left, to));
        }
    }
    plan.scene.cells.push(cell);
}

/// Fills the line of one among many calls that stand out: ticket and counter, nothing else.
pub(in crate::board) fn listed(
    plan: &mut Plan<'_>,
    whole: &Rectangle,
    call: &CallView,
    look: CallStyle,
) {
    let (ground, ink) = look.inks();
    let mut cell = Cell::new(*whole, ground);
    if look == CallStyle::Inverted {
        let line = u32::try_from(plan.scale.of(5.0)).unwrap_or(1);
        cell = cell.shape(*whole, Form::Outline(line), ink);
    }
    let inner = inset(whole, plan.scale.of(10.0), plan.scale.of(4.0));
    // One size for all lines, so that a counter of two digits is not smaller than its neighbours:
    // four characters, arrow and "10番" need 4.6 em.
    #[allow(clippy::cast_precision_loss)] // lengths of a frame
    let size = (inner.size.width as f32 / 4.6).min(em(&inner, 0.86));
    #[allow(clippy::cast_possible_truncation)] // saturates, and is bounded by a box
    let ems = |share: f32| (size * share) as i32;
    let (ticket, rest) = cut_left(&inner, ems(2.55));
    cell = cell.text(label(
        ticket,
        Align::Left,
        vec![Run::bold(&call.ticket, size, ink)],
    ));
    if let Some(counter) = &call.counter {
        let (left, top, _, bottom) = edges(&rest);
        let (arrow, middle) = (ems(0.32), (top + bottom) / 2);
        let pointer = area(left, middle - arrow / 2, left + arrow, middle + arrow / 2);
        let to = cut_left(&rest, arrow).1;
        cell = cell.shape(pointer, Form::Arrow, ink).text(label(
            to,
            Align::Right,
            vec![
                Run::bold(&counter.label, size, ink),
                Run::bold(counter.short, size * 0.46, ink),
            ],
        ));
    }
    plan.scene.cells.push(cell);
}

/// The size of the first run with which all of them are no wider than a box. Far too long ones keep
/// theirs: the box's own rule gives them two lines.
fn fitting(plan: &mut Plan<'_>, runs: &[Run], line: &Rectangle) -> f32 {
    let size = runs.first().map_or(0.0, |r| r.size);
    #[allow(clippy::cast_precision_loss)] // lengths of a frame
    let share = line.size.width as f32 / Text::wish(runs, plan.fonts).max(1.0);
    if share < 0.6 {
        size
    } else {
        size * share.min(1.0)
    }
}

/// Height of the em in a line's box.
#[allow(clippy::cast_precision_loss)] // lengths of a frame
fn em(line: &Rectangle, share: f32) -> f32 {
    line.size.height as f32 * share
}

/// "3番窓口へ" ("3番" where it is narrow), or what can be said without a counter.
fn sent_to(call: &CallView, size: f32, look: CallStyle, wide: bool) -> Vec<Run> {
    let (_, ink) = look.inks();
    match &call.counter {
        // Nobody is sent anywhere by a call that is over.
        Some(counter) if look == CallStyle::Quiet => vec![
            Run::bold(&counter.label, size, ink),
            Run::bold(counter.long, size * 0.5, ink),
        ],
        None if look == CallStyle::Quiet => Vec::new(),
        Some(counter) if counter.short.is_empty() => {
            vec![Run::bold(
                format!("{}{}", counter.label, counter.to),
                size * 0.8,
                ink,
            )]
        }
        Some(counter) => vec![
            Run::bold(&counter.label, size, ink),
            Run::bold(
                if wide { counter.to } else { counter.short },
                size * 0.5,
                ink,
            ),
        ],
        None => vec![Run::bold("窓口へどうぞ", size * 0.6, ink)],
    }
}

/// The queue's name at the left, and at the right whether the call was made again.
fn queue_and_mark(
    plan: &mut Plan<'_>,
    mut cell: Cell,
    strip: &Rectangle,
    call: &CallView,
    ink: Ink,
) -> Cell {
    let size = em(strip, 0.74);
    let mut rest = *strip;
    if call.again {
        let runs = vec![
            Run::bold("再呼出", size * 0.86, ink),
            Run::bold(" Again", size * 0.7, ink),
        ];
        let wide = Text::wish(&runs, plan.fonts);
        // Widths are bounded by the strip.
        #[allow(clippy::cast_possible_truncation)]
        let (left, mark) = cut_right(strip, (wide + size) as i32);
        let line = u32::try_from(plan.scale.of(3.0)).unwrap_or(1);
        cell = cell.shape(mark, Form::Outline(line), ink).text(label(
            inset(&mark, i32::try_from(line).unwrap_or(1) * 2, 0),
            Align::Centre,
            runs,
        ));
        rest = cut_right(&left, plan.scale.of(16.0)).0;
    }
    cell.text(name(rest, Align::Left, Run::bold(&call.queue, size, ink)))
}

/// Fills the line of an earlier call.
pub(in crate::board) fn earlier(
    plan: &mut Plan<'_>,
    whole: &Rectangle,
    call: &CallView,
    ruled: bool,
) {
    let size = plan.scale.size(plan.geometry.text.recent);
    let pad = plan.scale.of(28.0);
    let mut cell = Cell::new(*whole, Ink::Panel);
    if ruled {
        let (left, top, right, _) = edges(&inset(whole, pad, 0));
        cell = cell.shape(
            area(left, top, right, top + plan.scale.of(2.0)),
            Form::Box,
            Ink::Line,
        );
    }
    let inner = inset(whole, pad, plan.scale.of(4.0));
    // Columns follow the size of the characters, so that numbers stand below each other.
    let columns = |share: f32| {
        plan.scale
            .of(f32::from(plan.geometry.text.recent.0) * share)
    };
    let (ticket, rest) = cut_left(&inner, columns(2.7));
    let (_, top, _, bottom) = edges(&inner);
    let (left, ..) = edges(&rest);
    let arrow = columns(0.3);
    let middle = (top + bottom) / 2;
    let pointer = area(
        left + arrow,
        middle - arrow / 2,
        left + arrow * 2,
        middle + arrow / 2,
    );
    let rest = cut_left(&rest, arrow * 3).1;
    let (rest, mark) = cut_right(&rest, columns(1.6));
    if call.again {
        cell = again_mark(plan, cell, &mark);
    }
    cell = cell.text(label(
        ticket,
        Align::Left,
        vec![Run::bold(&call.ticket, size, Ink::Text)],
    ));
    if call.counter.is_some() {
        cell = cell.shape(pointer, Form::Arrow, Ink::Muted);
    }
    if let Some(to) = &call.counter {
        cell = earlier_counter(cell, &rest, to, size, columns);
    }
    plan.scene.cells.push(cell);
}

/// Says that the call was made again.
fn again_mark(plan: &Plan<'_>, cell: Cell, area: &Rectangle) -> Cell {
    let small = plan.scale.size(plan.geometry.text.small) * 0.93;
    let mark = centred(area, plan.scale.of(42.0));
    let line = u32::try_from(plan.scale.of(2.0)).unwrap_or(1);
    let runs = vec![Run::new("再呼出", small, Ink::Text)];
    cell.shape(mark, Form::Outline(line), Ink::Text).text(label(
        inset(&mark, plan.scale.of(4.0), 0),
        Align::Centre,
        runs,
    ))
}

/// Where an earlier call sent to.
fn earlier_counter(
    cell: Cell,
    rest: &Rectangle,
    to: &Counter,
    size: f32,
    columns: impl Fn(f32) -> i32,
) -> Cell {
    if to.short.is_empty() {
        let rest = cut_right(rest, columns(0.1)).0;
        let run = Run::bold(&to.label, size * 0.7, Ink::Text);
        return cell.text(label(rest, Align::Left, vec![run]));
    }
    // Digits right aligned, so that one and two of them stand in one column.
    let (number, word) = cut_left(rest, columns(1.1));
    let word = lowered(&cut_left(&word, columns(0.1)).1, size * 0.9, size * 0.5);
    cell.text(label(
        number,
        Align::Right,
        vec![Run::bold(&to.label, size * 0.9, Ink::Text)],
    ))
    .text(label(
        word,
        Align::Left,
        vec![Run::new(to.short, size * 0.5, Ink::Muted)],
    ))
}

/// The vertical middle of a rectangle, so high.
pub(in crate::board) fn centred(of: &Rectangle, height: i32) -> Rectangle {
    let (left, top, right, bottom) = edges(of);
    let height = height.min(bottom - top);
    let top = top + (bottom - top - height) / 2;
    area(left, top, right, top + height)
}
