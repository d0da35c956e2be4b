//! The foot: the address of the page as QR code and text, notices, and how old the numbers are.

use super::{label, name};
use crate::board::plan::Plan;
use crate::board::scene::{Cell, Form, Part, area, cut_left, cut_right, cut_top, edges, inset};
use crate::board::text::{Align, Run};
use crate::board::theme::Ink;
use crate::board::view::{Age, View};
use crate::board::words;
use embedded_graphics::primitives::Rectangle;
use qrcode::{Color, EcLevel, QrCode};

/// Light modules around a QR code: four are the standard's (ISO/IEC 18004), and the plate's edge
/// in a dark theme is no module.
const QUIET: usize = 4;

/// Longest address that is shown as a code: more modules could not be scanned from a chair.
const MAX_ADDRESS: usize = 200;

/// Size of the word about an issue, as a share of the smallest text: read from a ladder, not from a
/// chair.
const ISSUE_SHARE: f32 = 0.75;

/// Fills the foot.
pub(in crate::board) fn footer(plan: &mut Plan<'_>, whole: &Rectangle, view: &View) {
    let pad = plan.scale.of(6.0);
    let gap = plan.scale.of(32.0);
    let whole = inset(whole, 0, pad);
    let side = i32::try_from(whole.size.height).unwrap_or(0);
    let mut rest = whole;
    let code = view.page_url.as_deref().and_then(qr);
    if let Some((modules, side_modules)) = code {
        let (square, beside) = cut_left(&rest, side);
        let mut cell = Cell::new(square, Ink::Band);
        cell.parts.push(Part::Qr {
            area: square,
            side: side_modules,
            modules,
        });
        plan.scene.cells.push(cell);
        rest = cut_left(&beside, gap * 3 / 4).1;
    }
    // Where it is wide, address and notice stand beside each other, else one above the other.
    let wide = plan
        .scale
        .units(i32::try_from(whole.size.width).unwrap_or(0))
        > 1400.0;
    let (_, top, _, bottom) = edges(&rest);
    let (address, notice) = match (&view.page_url, wide) {
        (None, _) => (None, rest),
        (Some(_), true) => {
            let (address, notice) = cut_left(&rest, plan.scale.of(470.0));
            (Some(address), cut_left(&notice, gap).1)
        }
        (Some(_), false) => {
            let (address, notice) = cut_top(&rest, (bottom - top) * 46 / 100);
            (Some(address), notice)
        }
    };
    if let (Some(area), Some(url)) = (address, &view.page_url) {
        address_cell(plan, &area, url);
    }
    let as_of = match &view.age {
        Age::Fresh(Some(as_of)) if wide => as_of.time(),
        _ => None,
    };
    let notice = corner(plan, &notice, as_of, view.issues.as_deref());
    match &view.age {
        Age::Stale(as_of) => {
            let (ja, en) = match as_of.time() {
                Some(time) => (
                    format!("{time} 現在の数字です。更新が止まっています"),
                    format!("Numbers as of {time}. No newer ones are coming in."),
                ),
                None => (
                    "いつの数字か確認できていません".to_owned(),
                    "It is not confirmed yet that these numbers are current.".to_owned(),
                ),
            };
            alert(plan, &notice, &ja, &en);
        }
        Age::Some => alert(
            plan,
            &notice,
            "一部の手続きは更新が止まっています",
            "Some numbers are not up to date; see the time in their row.",
        ),
        Age::Fresh(_) => {
            if let Some((ja, en)) = &view.notice {
                two_lines(plan, &notice, ja, en, (Ink::Text, Ink::Muted), None);
            }
        }
    }
}

/// The corner at the right: the time of the numbers for everybody, and below it, small and quiet, a
/// word for whoever looks after the board. Says what is left of the area.
fn corner(
    plan: &mut Plan<'_>,
    whole: &Rectangle,
    as_of: Option<&str>,
    issues: Option<&str>,
) -> Rectangle {
    let size = plan.scale.size(plan.geometry.text.small);
    let time = as_of.map(|time| {
        let time = Run::new(time, size, Ink::Muted);
        vec![time, Run::new(" 現在", size, Ink::Muted)]
    });
    let word = issues.map(|word| {
        let size = size * ISSUE_SHARE;
        let title = Run::new("点検 ", size, Ink::Muted);
        vec![title, Run::new(word, size, Ink::Muted)]
    });
    let width = match (&time, &word) {
        (None, None) => return *whole,
        (Some(_), None) => 190.0,
        (_, Some(_)) => 270.0,
    };
    let (rest, corner) = cut_right(whole, plan.scale.of(width));
    let (_, top, _, bottom) = edges(&corner);
    let mut cell = Cell::new(corner, Ink::Band);
    let (upper, lower) = match (&time, &word) {
        (Some(_), Some(_)) => cut_top(&corner, (bottom - top) * 6 / 10),
        _ => (corner, corner),
    };
    if let Some(runs) = time {
        cell = cell.text(label(upper, Align::Right, runs));
    }
    if let Some(runs) = word {
        cell = cell.text(label(lower, Align::Right, runs));
    }
    plan.scene.cells.push(cell);
    rest
}

fn address_cell(plan: &mut Plan<'_>, whole: &Rectangle, url: &str) {
    let size = plan.scale.size(plan.geometry.text.small);
    let inner = inset(
        whole,
        0,
        plan.scale
            .of(8.0)
            .min(i32::try_from(whole.size.height / 8).unwrap_or(0)),
    );
    let (_, top, _, bottom) = edges(&inner);
    let (upper, lower) = cut_top(&inner, (bottom - top) / 2);
    let cell = Cell::new(*whole, Ink::Band)
        .text(name(
            upper,
            Align::Left,
            Run::new(
                "スマートフォンでも待ち状況がわかります",
                size * 0.86,
                Ink::Muted,
            ),
        ))
        .text(label(
            lower,
            Align::Left,
            vec![Run::bold(words::address(url), size, Ink::Text)],
        ));
    plan.scene.cells.push(cell);
}

/// A plate that nobody misses: numbers that are not fresh are never silently old.
fn alert(plan: &mut Plan<'_>, whole: &Rectangle, ja: &str, en: &str) {
    let height = i32::try_from(whole.size.height).unwrap_or(0);
    let plate = inset(whole, 0, plan.scale.of(6.0).min(height / 8));
    two_lines(
        plan,
        whole,
        ja,
        en,
        (Ink::AlertInk, Ink::AlertInk),
        Some(plate),
    );
}

fn two_lines(
    plan: &mut Plan<'_>,
    whole: &Rectangle,
    ja: &str,
    en: &str,
    inks: (Ink, Ink),
    plate: Option<Rectangle>,
) {
    let size = plan.geometry.text;
    let mut cell = Cell::new(*whole, Ink::Band);
    let mut inner = *whole;
    if let Some(plate) = plate {
        cell = cell.shape(plate, Form::Plate, Ink::Alert);
        let (_, top, _, bottom) = edges(&plate);
        let icon = (bottom - top) / 2;
        let (left, _, right, _) = edges(&inset(&plate, icon / 3, 0));
        let mark = area(left, top + icon / 2, left + icon, top + icon / 2 + icon);
        cell = cell.shape(mark, Form::Clock, Ink::AlertInk);
        inner = area(left + icon + icon / 3, top, right, bottom);
    }
    let (_, top, _, bottom) = edges(&inner);
    let height = bottom - top;
    let (ja_area, en_area) = if en.is_empty() {
        (inner, None)
    } else {
        let inner = inset(&inner, 0, height / 9);
        let (upper, lower) = cut_top(&inner, height * 45 / 100);
        (upper, Some(lower))
    };
    let run = if plate.is_some() {
        Run::bold(ja, plan.scale.size(size.notice), inks.0)
    } else {
        Run::new(ja, plan.scale.size(size.notice), inks.0)
    };
    cell = cell.text(name(ja_area, Align::Left, run));
    if let Some(area) = en_area {
        let run = Run::new(en, plan.scale.size(size.english), inks.1);
        cell = cell.text(name(area, Align::Left, run));
    }
    plan.scene.cells.push(cell);
}

/// The modules of a code with its margin, and how many a side; `None` when the address is too long.
fn qr(url: &str) -> Option<(Vec<bool>, u32)> {
    if url.len() > MAX_ADDRESS {
        return None;
    }
    modules(url)
}

/// The modules of a code of any text that fits one.
pub(in crate::board) fn modules(text: &str) -> Option<(Vec<bool>, u32)> {
    // Level L has the fewest, so the largest, modules; a screen has no dirt on it.
    let code = QrCode::with_error_correction_level(text, EcLevel::L).ok()?;
    let inner = code.width();
    let side = inner + 2 * QUIET;
    let mut modules = vec![false; side * side];
    for (i, color) in code.to_colors().iter().enumerate() {
        let (x, y) = (i % inner + QUIET, i / inner + QUIET);
        modules[y * side + x] = *color == Color::Dark;
    }
    Some((modules, u32::try_from(side).ok()?))
}
