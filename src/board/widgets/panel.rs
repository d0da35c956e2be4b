//! The panel of calls: those that stand out, and earlier ones below.

use super::call;
use super::label;
use crate::board::layout::Plan;
use crate::board::scene::{Cell, area, cut_top, edges, inset};
use crate::board::text::{Align, Run};
use crate::board::theme::Ink;
use crate::board::view::View;
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
    for (i, shown) in (0..).zip(places) {
        let (x, y) = (
            left + (i % columns) * (width + gap),
            top + (i / columns) * (height + gap),
        );
        let last = i % columns == columns - 1;
        let place = area(x, y, if last { right } else { x + width }, y + height);
        let look = match (quiet, shown.inverted) {
            (true, _) => call::Look::Quiet,
            (false, false) => call::Look::Filled,
            (false, true) => call::Look::Inverted,
        };
        call::place(plan, &place, shown, look);
    }
    let below = area(left, top + rows * (height + gap), right, bottom);
    let earlier = view.recent.get(usize::from(quiet)..).unwrap_or_default();
    recent(plan, &below, earlier);
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
    let inner = inset(whole, plan.scale.of(28.0), plan.scale.of(28.0));
    let line = |units| plan.scale.of(f32::from(units) * 1.3);
    let (first, rest) = cut_top(&inner, line(size.next.0));
    let (second, rest) = cut_top(&rest, line(size.next.0));
    let (third, _) = cut_top(&rest, line(size.small.0));
    let em = |units| plan.scale.size(units);
    let cell = Cell::new(*whole, Ink::Panel)
        .text(label(
            first,
            Align::Left,
            vec![Run::new("番号が呼ばれると", em(size.next), Ink::Text)],
        ))
        .text(label(
            second,
            Align::Left,
            vec![Run::new("ここに表示します", em(size.next), Ink::Text)],
        ))
        .text(label(
            third,
            Align::Left,
            vec![Run::new(
                "Your number will appear here",
                em(size.english),
                Ink::Muted,
            )],
        ));
    plan.scene.cells.push(cell);
}

/// As many earlier calls as there is room for.
fn recent(plan: &mut Plan<'_>, whole: &Rectangle, calls: &[crate::board::view::CallView]) {
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
