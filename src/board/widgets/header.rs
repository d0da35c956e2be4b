//! The head: the office, the date, the time.

use super::{label, lowered, name};
use crate::board::plan::Plan;
use crate::board::scene::{Cell, cut_left, cut_right, cut_top, edges, inset};
use crate::board::text::{Align, Run, Text};
use crate::board::theme::Ink;
use crate::board::view::View;
use embedded_graphics::primitives::Rectangle;

/// Fills the head.
pub(in crate::board) fn header(plan: &mut Plan<'_>, area: &Rectangle, view: &View) {
    let size = plan.geometry.text;
    let em = |units| plan.scale.size(units);
    let (rest, clock) = cut_right(area, plan.scale.of(f32::from(size.clock.0) * 3.75));
    let (office, date) = cut_right(&rest, plan.scale.of(f32::from(size.date.0) * 7.2));
    let gap = plan.scale.of(24.0);
    if let Some(now) = &view.clock {
        let runs = vec![Run::bold(&now.time, em(size.clock), Ink::Text)];
        let cell = Cell::new(clock, Ink::Band).text(label(clock, Align::Right, runs));
        plan.scene.cells.push(cell);
        let (_, top, _, bottom) = edges(&date);
        let (upper, lower) = cut_top(&date, (bottom - top) * 60 / 100);
        let lower = cut_top(&lower, plan.scale.of(f32::from(size.heading.0) * 1.3)).0;
        let upper = cut_top(&upper, plan.scale.of(12.0)).1;
        let cell = Cell::new(date, Ink::Band)
            .text(label(
                upper,
                Align::Right,
                vec![Run::new(&now.date, em(size.date), Ink::Text)],
            ))
            .text(label(
                lower,
                Align::Right,
                vec![Run::new(&now.date_in_english, em(size.english), Ink::Muted)],
            ));
        plan.scene.cells.push(cell);
    }
    let office = cut_right(&office, gap).0;
    let (ja, en) = &view.office;
    let runs = vec![Run::bold(ja, em(size.office), Ink::Text)];
    let wish = Text::wish(&runs, plan.fonts);
    let mut cell = Cell::new(office, Ink::Band);
    let width = i32::try_from(office.size.width).unwrap_or(i32::MAX);
    // As wide as it needs; English gets what is left, and goes when that is too little.
    #[allow(clippy::cast_possible_truncation)] // bounded by the width
    let wide = (wish.ceil() as i32).saturating_add(1).min(width);
    let (first, rest) = cut_left(&office, wide);
    let rest = cut_left(&rest, gap).1;
    let english = Run::new(en, em(size.heading) * 1.1, Ink::Muted);
    let wish = Text::wish(std::slice::from_ref(&english), plan.fonts);
    #[allow(clippy::cast_precision_loss)] // lengths of a frame
    let beside = wish <= rest.size.width as f32;
    cell = if en.is_empty() {
        cell.text(name(first, Align::Left, runs[0].clone()))
    } else if beside {
        let rest = lowered(&rest, em(size.office), english.size);
        cell.text(name(first, Align::Left, runs[0].clone()))
            .text(name(rest, Align::Left, english))
    } else {
        let (_, top, _, bottom) = edges(&office);
        let inner = inset(&office, 0, (bottom - top) / 12);
        let (upper, lower) = cut_top(&inner, (bottom - top) * 52 / 100);
        cell.text(name(upper, Align::Left, runs[0].clone()))
            .text(name(lower, Align::Left, english))
    };
    plan.scene.cells.push(cell);
}
