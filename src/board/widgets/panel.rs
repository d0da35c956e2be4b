//! The panel of calls: those that stand out, and earlier ones below.

use super::call;
use super::label;
use crate::board::plan::Plan;
use crate::board::scene::{Cell, area, cut_top, edges, inset};
use crate::board::text::{Align, Run};
use crate::board::theme::Ink;
use crate::board::view::{CallView, View};
use embedded_graphics::primitives::Rectangle;

/// Fills the panel.
pub(in crate::board) fn panel(plan: &mut Plan<'_>, whole: &Rectangle, view: &View) {
    let (caption, body) = cut_top(whole, plan.scale.px(plan.geometry.caption));
    caption_cell(plan, &caption, view);
    // Without a call that stands out its place is kept by the newest, in quiet colours: the panel
    // does not jump when the next one comes.
    let quiet = view.calls.is_empty();
    let places = if quiet {
        view.recent.get(..1).unwrap_or_default()
    } else {
        &view.calls
    };
    if places.is_empty() {
        return nothing_yet(plan, &body);
    }
    let known = &plan.geometry.places;
    if places.len() > known.len() {
        return list(plan, &body, places);
    }
    let place = known[(places.len() - 1).min(known.len() - 1)];
    let gap = plan.scale.of(8.0);
    let (left, top, right, bottom) = edges(&body);
    let columns = i32::from(place.columns);
    let rows = i32::try_from(places.len()).unwrap_or(1).max(1);
    let rows = (rows + columns - 1) / columns;
    let fits = (bottom - top - gap * (rows - 1)) / rows;
    let height = plan.scale.px(place.height).min(fits).max(1);
    let columns = columns.min(i32::try_from(places.len()).unwrap_or(1));
    let width = (right - left - gap * (columns - 1)) / columns;
    // Of an odd number the newest has a row for itself.
    let odd = i32::from(columns == 2 && places.len() % 2 == 1);
    for (i, shown) in (0..).zip(places) {
        let alone = odd == 1 && i == 0;
        let i = if i == 0 { 0 } else { i + odd };
        let (x, y) = (
            left + (i % columns) * (width + gap),
            top + (i / columns) * (height + gap),
        );
        let last = alone || i % columns == columns - 1;
        let place = area(x, y, if last { right } else { x + width }, y + height);
        let look = match (quiet, shown.inverted) {
            (true, _) => call::CallStyle::Quiet,
            (false, false) => call::CallStyle::Filled,
            (false, true) => call::CallStyle::Inverted,
        };
        call::place(plan, &place, shown, look);
    }
    let below = area(left, top + rows * (height + gap), right, bottom);
    let earlier = view.recent.get(usize::from(quiet)..).unwrap_or_default();
    recent(plan, &below, earlier);
}

/// Many calls at once: all of them, small, in columns, the newest first.
fn list(plan: &mut Plan<'_>, body: &Rectangle, calls: &[CallView]) {
    /// Least height of a line in units: its numbers are as high as those of a row of a full board.
    const LINE: f32 = 60.0;
    /// Most height, so that few lines do not look like places.
    const MOST: f32 = 92.0;
    let (left, top, right, bottom) = edges(body);
    let gap = plan.scale.of(6.0);
    let count = i32::try_from(calls.len()).unwrap_or(1).max(1);
    let fitting = ((bottom - top + gap) / (plan.scale.of(LINE) + gap)).max(1);
    let columns = ((count + fitting - 1) / fitting).max(2);
    let rows = (count + columns - 1) / columns;
    let height = ((bottom - top - gap * (rows - 1)) / rows)
        .min(plan.scale.of(MOST))
        .max(1);
    let width = (right - left - gap * (columns - 1)) / columns;
    for (i, shown) in (0..).zip(calls) {
        let (x, y) = (
            left + (i % columns) * (width + gap),
            top + (i / columns) * (height + gap),
        );
        let look = if shown.inverted {
            call::CallStyle::Inverted
        } else {
            call::CallStyle::Filled
        };
        call::listed(plan, &area(x, y, x + width, y + height), shown, look);
    }
}

fn caption_cell(plan: &mut Plan<'_>, whole: &Rectangle, view: &View) {
    let size = plan.geometry.text;
    let em = |units| plan.scale.size(units);
    let inner = inset(whole, plan.scale.of(28.0), 0);
    let (ja, en) = if view.calls.is_empty() && !view.recent.is_empty() {
        ("最近の呼び出し", "  Latest calls")
    } else {
        ("お呼び出し", "  Now calling")
    };
    let runs = vec![
        Run::bold(ja, em(size.notice), Ink::Text),
        Run::new(en, em(size.small), Ink::Muted),
    ];
    let mut cell = Cell::new(*whole, Ink::Panel);
    let (left, right) = crate::board::scene::cut_right(&inner, plan.scale.of(150.0));
    cell = cell.text(label(left, Align::Left, runs));
    if view.backlog > 0 {
        let more = format!("続いて {}件", view.backlog);
        cell = cell.text(label(
            right,
            Align::Right,
            vec![Run::bold(more, em(size.small), Ink::Text)],
        ));
    }
    plan.scene.cells.push(cell);
}

fn nothing_yet(plan: &mut Plan<'_>, whole: &Rectangle) {
    let size = plan.geometry.text;
    let lines = [
        ("番号が呼ばれると", size.notice, Ink::Text),
        ("ここに表示します", size.notice, Ink::Text),
        ("Your number will appear here", size.english, Ink::Muted),
    ];
    let height = plan.scale.of(f32::from(size.notice.0) * 1.5);
    let group = call::centred(&inset(whole, plan.scale.of(28.0), 0), height * 3);
    let mut cell = Cell::new(*whole, Ink::Panel);
    let mut rest = group;
    for (words, size, ink) in lines {
        let (line, below) = cut_top(&rest, height);
        let run = Run::new(words, plan.scale.size(size), ink);
        cell = cell.text(label(line, Align::Centre, vec![run]));
        rest = below;
    }
    plan.scene.cells.push(cell);
}

/// As many earlier calls as there is room for.
fn recent(plan: &mut Plan<'_>, whole: &Rectangle, calls: &[CallView]) {
    let columns = i32::from(plan.geometry.recent_columns);
    let height = plan.scale.px(plan.geometry.recent);
    let (left, top, right, bottom) = edges(whole);
    let width = (right - left) / columns;
    let rows = (bottom - top) / height;
    let fits = usize::try_from(rows * columns).unwrap_or(0);
    for (i, shown) in (0..).zip(calls.iter().take(fits)) {
        // Newest first, line by line.
        let (x, y) = (left + i % columns * width, top + i / columns * height);
        call::earlier(
            plan,
            &area(x, y, x + width, y + height),
            shown,
            i >= columns,
        );
    }
}
