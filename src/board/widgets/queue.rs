//! One queue as a line of a table or as a card, and the headings above.

use super::status::{self, RowSizes};
use super::{label, lowered, name};
use crate::board::design::{CardColumns, Columns, Style};
use crate::board::plan::Plan;
use crate::board::scene::{Cell, Form, across, area, cut_left, cut_right, cut_top, edges, inset};
use crate::board::text::{Align, LINE, NAME_FLOOR, Run, Text};
use crate::board::theme::Ink;
use crate::board::view::Line;
use embedded_graphics::primitives::Rectangle;

/// A table's row as high as this many units has the design's sizes; lower ones scale theirs.
const TABLE_ROW: f32 = 140.0;

/// The same of a card.
const CARD: f32 = 190.0;

/// Numbers due next that are shown of a queue.
const NEXT: usize = 3;

/// Share of a table's row above the second line of its numbers.
const UPPER: i32 = 62;

fn table_columns(plan: &Plan<'_>, row: &Rectangle) -> Vec<Rectangle> {
    let Columns {
        name,
        ticket,
        counter,
        next,
        waiting,
        wait,
    } = plan.geometry.table;
    let shares = [name, ticket, counter, next, waiting, wait];
    let mut columns = gaps(plan, across(row, &shares.map(|u| u.0)));
    // Left aligned beside a right aligned one: kept apart.
    columns[3] = cut_left(&columns[3], plan.scale.of(24.0)).1;
    columns
}

fn card_columns(plan: &Plan<'_>, row: &Rectangle) -> Vec<Rectangle> {
    let CardColumns {
        ticket,
        counter,
        waiting,
        wait,
    } = plan.geometry.card;
    gaps(
        plan,
        across(row, &[ticket, counter, waiting, wait].map(|u| u.0)),
    )
}

/// Columns with a gap to their left, but the first.
fn gaps(plan: &Plan<'_>, columns: Vec<Rectangle>) -> Vec<Rectangle> {
    let gap = plan.scale.of(14.0);
    let mut columns = columns;
    for column in columns.iter_mut().skip(1) {
        *column = cut_left(column, gap).1;
    }
    columns
}

/// The headings of the columns.
pub(in crate::board) fn headings(
    plan: &mut Plan<'_>,
    whole: &Rectangle,
    style: Style,
    page: Option<(usize, usize)>,
) {
    let words: &[(&str, &str)] = &[
        ("手続き", "Service"),
        ("最終呼出", "Last call"),
        ("窓口", "Counter"),
        ("次の番号", "Next"),
        ("待ち人数", "Waiting"),
        ("待ち時間", "Wait"),
    ];
    let (columns, words) = match style {
        Style::Table => (table_columns(plan, whole), words.to_vec()),
        Style::Cards => (
            card_columns(plan, whole),
            [1, 2, 4, 5].map(|i| words[i]).to_vec(),
        ),
    };
    let ja_size = plan.scale.size(plan.geometry.text.heading);
    let en_size = ja_size * 0.77;
    for (i, (column, (ja, en))) in columns.iter().zip(words).enumerate() {
        let (_, top, _, bottom) = edges(column);
        let (upper, lower) = cut_top(column, (bottom - top) * 54 / 100);
        let lower = cut_top(&lower, (bottom - top) * 40 / 100).0;
        let left = match style {
            Style::Table => i == 0 || i == 3,
            Style::Cards => i == 0,
        };
        let align = if left { Align::Left } else { Align::Right };
        let ja = match page {
            Some((page, of)) if i == 0 => format!("{ja} {page}/{of}"),
            _ => ja.to_owned(),
        };
        let cell = Cell::new(*column, Ink::Ground)
            .text(label(upper, align, vec![Run::new(ja, ja_size, Ink::Muted)]))
            .text(label(lower, align, vec![Run::new(en, en_size, Ink::Muted)]));
        plan.scene.cells.push(cell);
    }
}

/// Fills the area of one queue.
pub(in crate::board) fn queue(plan: &mut Plan<'_>, whole: &Rectangle, style: Style, line: &Line) {
    let (rule, body) = cut_top(whole, plan.scale.of(2.0));
    plan.scene
        .cells
        .push(Cell::new(rule, Ink::Ground).shape(rule, Form::Box, Ink::Line));
    match style {
        Style::Table => row(plan, &body, line),
        Style::Cards => card(plan, &body, line),
    }
}

fn row(plan: &mut Plan<'_>, whole: &Rectangle, line: &Line) {
    let (_, top, _, bottom) = edges(whole);
    let height = bottom - top;
    let scale = (plan.scale.units(height) / TABLE_ROW).min(1.0);
    let size = RowSizes::new(plan, scale);
    let columns = table_columns(plan, whole);
    let [names, ticket, counter, next, waiting, wait] = columns.as_slice() else {
        return;
    };
    let cell = names_cell(plan, names, line, size);
    plan.scene.cells.push(cell);
    let cell = status::ticket(
        Cell::new(*ticket, Ink::Ground),
        ticket,
        Align::Right,
        line,
        size,
    );
    plan.scene.cells.push(cell);
    let cell = status::counter(Cell::new(*counter, Ink::Ground), counter, line, size);
    plan.scene.cells.push(cell);
    let cell = next_cell(next, line, size);
    plan.scene.cells.push(cell);
    // A second line only pushes the first one up where there is one.
    let halves = |column: &Rectangle, second: bool| {
        // In a high row both lines stay together in the middle.
        let group = plan.scale.of(TABLE_ROW * 0.9).min(height * 84 / 100);
        let inner = super::call::centred(column, group);
        let (_, top, _, bottom) = edges(&inner);
        if second {
            cut_top(&inner, (bottom - top) * UPPER / 100)
        } else {
            cut_top(&inner, bottom - top)
        }
    };
    let (upper, lower) = halves(waiting, line.on_hold > 0 && line.waiting.is_some());
    let cell = status::waiting(Cell::new(*waiting, Ink::Ground), &upper, &lower, line, size);
    plan.scene.cells.push(cell);
    let plain =
        matches!(line.service, crate::board::view::Service::Open(_)) && line.as_of.is_none();
    let (upper, lower) = halves(wait, !plain);
    let cell = status::wait(
        plan,
        Cell::new(*wait, Ink::Ground),
        &upper,
        &lower,
        line,
        size,
    );
    plan.scene.cells.push(cell);
}

/// Name over English name, and the mark of the fast lane above, as one group in the middle.
fn names_cell(plan: &mut Plan<'_>, whole: &Rectangle, line: &Line, size: RowSizes) -> Cell {
    let (left, top, right, bottom) = edges(whole);
    let run = Run::bold(&line.name, size.name, Ink::Text);
    let wish = Text::wish(std::slice::from_ref(&run), plan.fonts);
    #[allow(clippy::cast_precision_loss)] // lengths of a frame
    let one_line = wish * NAME_FLOOR <= (right - left) as f32;
    // Bounded by the row's height.
    #[allow(clippy::cast_possible_truncation)]
    let high = |em: f32| (em * 1.2).ceil() as i32;
    let name_height = if one_line {
        high(size.name)
    } else {
        high(size.name * NAME_FLOOR * 2.0)
    };
    let mark = if line.fast {
        high(size.small * 1.06)
    } else {
        0
    };
    let english = if line.below().is_empty() {
        0
    } else {
        high(size.english)
    };
    let gap = if line.fast { mark / 5 } else { 0 };
    // A group that is too high gives up height in every part, and its texts shrink with it.
    let (wish, room) = (
        mark + gap + name_height + english,
        (bottom - top) * 94 / 100,
    );
    let part = |height: i32| {
        if wish > room {
            height * room / wish.max(1)
        } else {
            height
        }
    };
    let [mark, gap, name_height, english] = [mark, gap, name_height, english].map(part);
    let all = mark + gap + name_height + english;
    let start = top + ((bottom - top - all) / 2).max(0);
    let mut cell = Cell::new(*whole, Ink::Ground);
    let mut y = start;
    if line.fast {
        cell = status::fast(
            plan,
            cell,
            &area(left, y, right, y + mark),
            size.small * 0.84,
        );
        y += mark + gap;
    }
    let until = (y + name_height).min(bottom);
    cell = status::queue_name(cell, &area(left, y, right, until), line, size.name);
    if english > 0 {
        let below = area(left, until, right, (until + english).min(bottom));
        cell = cell.text(name(
            below,
            Align::Left,
            Run::new(line.below(), size.english, Ink::Muted),
        ));
    }
    cell
}

/// Up to three of the numbers due next, the first on top.
fn next_cell(whole: &Rectangle, line: &Line, size: RowSizes) -> Cell {
    let mut cell = Cell::new(*whole, Ink::Ground);
    if line.next.is_empty() {
        let run = Run::new("–", size.next, Ink::Muted);
        return cell.text(label(*whole, Align::Left, vec![run]));
    }
    let shown = &line.next[..line.next.len().min(NEXT)];
    #[allow(clippy::cast_possible_truncation)] // bounded by the row's height
    let height = (size.next * 1.32) as i32;
    let lines = i32::try_from(shown.len()).unwrap_or(1);
    let group = super::call::centred(whole, height * lines);
    let (left, top, right, _) = edges(&group);
    for (i, ticket) in (0..).zip(shown) {
        let place = area(left, top + i * height, right, top + (i + 1) * height);
        cell = cell.text(label(
            place,
            Align::Left,
            vec![Run::new(ticket, size.next, Ink::Text)],
        ));
    }
    cell
}

/// Name; numbers; next numbers and second lines.
fn card(plan: &mut Plan<'_>, whole: &Rectangle, line: &Line) {
    let inner = inset(whole, 0, plan.scale.of(4.0));
    let (left, top, right, bottom) = edges(&inner);
    let height = bottom - top;
    let shares = plan.geometry.card;
    let nominal = f32::from(shares.ticket.0 + shares.counter.0 + shares.waiting.0 + shares.wait.0);
    let by_width = plan.scale.units(right - left) / nominal.max(640.0);
    let scale = (plan.scale.units(height) / CARD).min(by_width).min(1.0);
    let size = RowSizes::new(plan, scale);
    let (first, rest) = cut_top(&inner, height * 27 / 100);
    let (second, third) = cut_top(&rest, height * 50 / 100);
    let cell = card_head(plan, &first, line, size);
    plan.scene.cells.push(cell);
    let columns = card_columns(plan, &second);
    let below = card_columns(plan, &third);
    let ([ticket, counter, waiting, wait], [ticket2, counter2, waiting2, wait2]) =
        (columns.as_slice(), below.as_slice())
    else {
        return;
    };
    let cell = status::ticket(
        Cell::new(*ticket, Ink::Ground),
        ticket,
        Align::Left,
        line,
        size,
    );
    plan.scene.cells.push(cell);
    let cell = status::counter(Cell::new(*counter, Ink::Ground), counter, line, size);
    plan.scene.cells.push(cell);
    let next = join(ticket2, counter2);
    plan.scene.cells.push(card_next(&next, line, size));
    let both = join(waiting, waiting2);
    let upper = lowered(waiting, size.ticket, size.waiting);
    let cell = status::waiting(Cell::new(both, Ink::Ground), &upper, waiting2, line, size);
    plan.scene.cells.push(cell);
    let both = join(wait, wait2);
    let upper = lowered(wait, size.ticket, size.wait);
    let cell = status::wait(
        plan,
        Cell::new(both, Ink::Ground),
        &upper,
        wait2,
        line,
        size,
    );
    plan.scene.cells.push(cell);
}

/// The smallest rectangle that holds two.
fn join(a: &Rectangle, b: &Rectangle) -> Rectangle {
    let (a, b) = (edges(a), edges(b));
    area(a.0.min(b.0), a.1.min(b.1), a.2.max(b.2), a.3.max(b.3))
}

/// A card's first line: name, English name behind it, mark of the fast lane at the right.
fn card_head(plan: &mut Plan<'_>, whole: &Rectangle, line: &Line, size: RowSizes) -> Cell {
    let mut cell = Cell::new(*whole, Ink::Ground);
    let mut rest = *whole;
    #[allow(clippy::cast_possible_truncation)] // bounded by the card
    let (gap, high) = ((size.name * 0.4) as i32, (size.small * 1.3) as i32);
    if line.fast {
        let plate = super::call::centred(whole, high);
        let wide = status::fast_width(plan, high, size.small * 0.84);
        let room = i32::try_from(whole.size.width).unwrap_or(0);
        let (before, plate) = cut_right(&plate, wide.min(room / 2));
        cell = status::fast(plan, cell, &plate, size.small * 0.84);
        let (left, top, _, bottom) = edges(&rest);
        rest = area(left, top, edges(&before).2 - gap, bottom);
    }
    #[allow(clippy::cast_precision_loss)] // lengths of a frame
    let name_size = size.name.min(whole.size.height as f32 / LINE);
    let run = Run::bold(&line.name, name_size, Ink::Text);
    #[allow(clippy::cast_possible_truncation)] // bounded by the card
    let wish = Text::wish(std::slice::from_ref(&run), plan.fonts).ceil() as i32 + 1;
    let room = i32::try_from(rest.size.width).unwrap_or(0);
    let (first, behind) = cut_left(&rest, wish.min(room));
    cell = status::queue_name(cell, &first, line, name_size);
    let behind = lowered(&cut_left(&behind, gap).1, name_size, size.english);
    // Less than three letters say nothing.
    #[allow(clippy::cast_precision_loss)] // lengths of a frame
    if !line.below().is_empty() && behind.size.width as f32 > size.english * 3.0 {
        cell = cell.text(name(
            behind,
            Align::Left,
            Run::new(line.below(), size.english, Ink::Muted),
        ));
    }
    cell
}

fn card_next(whole: &Rectangle, line: &Line, size: RowSizes) -> Cell {
    let mut runs = vec![Run::new("次 ", size.small * 0.86, Ink::Muted)];
    if line.next.is_empty() {
        runs.push(Run::new("–", size.small, Ink::Muted));
    }
    for ticket in line.next.iter().take(NEXT) {
        runs.push(Run::new(ticket, size.small * 1.1, Ink::Text));
        runs.push(Run::new("  ", size.small, Ink::Text));
    }
    Cell::new(*whole, Ink::Ground).text(label(*whole, Align::Left, runs))
}
