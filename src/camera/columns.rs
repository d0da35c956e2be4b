//! Found fields made those of columns: each holds all places of its number, not only those that were seen.
//!
//! A field around the digits that could be made out may hold less than its number: the others may be
//! behind a hand, in a reflection, or too dim. So fields whose numbers end at one place are made as wide
//! as the widest of them and as the display's window around it, and what stands apart within a column
//! joins it. What then reads as no number is left unknown.

use super::found::FoundField;
use super::picture::RectifiedBoard;
use super::quad::Rect;
use super::read::{FieldSpec, Reading, read};

/// How far a window reaches beyond the digits that were seen, in digits' heights: one more place, and its
/// margin.
const REACH: f32 = 0.9;
/// Levels of all channels together by which the middle colour of a strip is not that of a window: those
/// of a dark picture differ by 14 from what is around them, noise and light by 3.
const OTHER: i32 = 8;

/// Fields merged into columns of one width; unchanged where much less could be read of them then.
pub(super) fn merge_columns(board: &RectifiedBoard, fields: &[FoundField]) -> Vec<FoundField> {
    let alone: Vec<Rect> = fields.iter().map(|f| f.rect).collect();
    let equal = absorb_fragments(&alone, &align_widths(&alone));
    let wide = absorb_fragments(&equal, &grow_to_window(board, &equal));
    let readings = [&wide, &equal, &alone].map(|rects| read_all(board, fields, rects));
    let count = |r: &[Reading]| r.iter().filter(|r| r.text.is_ok()).count();
    let most = readings.iter().map(|r| count(r)).max().unwrap_or(0);
    let enough = |r: &Vec<Reading>| count(r) * 4 >= most * 3;
    let at = readings.iter().position(enough).unwrap_or(2);
    let rects = [wide, equal, alone][at].clone();
    let mut found: Vec<FoundField> = Vec::new();
    for ((field, rect), reading) in fields.iter().zip(rects).zip(&readings[at]) {
        let twice = found.iter().any(|f| same_place(&f.rect, &rect));
        if !twice {
            found.push(FoundField {
                rect,
                kind: field.kind,
                reading: reading.clone(),
            });
        }
    }
    found
}

fn read_all(board: &RectifiedBoard, fields: &[FoundField], rects: &[Rect]) -> Vec<Reading> {
    let spec = |(f, rect): (&FoundField, &Rect)| FieldSpec {
        id: String::new(),
        rect: *rect,
        kind: f.kind,
        max_digits: 6,
    };
    let specs: Vec<FieldSpec> = fields.iter().zip(rects).map(spec).collect();
    read(board, &specs)
}

fn right(r: &Rect) -> f32 {
    r.x + r.w
}

/// Whether numbers end at one place and are of one size. A tenth of its height: what stands at the right
/// end of a column ends there.
fn column(a: &Rect, b: &Rect) -> bool {
    let tall = a.h.max(b.h);
    (right(a) - right(b)).abs() < 0.3 * tall && (a.h - b.h).abs() < 0.25 * tall
}

/// Whether two fields are one.
fn same_place(a: &Rect, b: &Rect) -> bool {
    let tall = a.h.max(b.h);
    let across = right(a).min(right(b)) - a.x.max(b.x);
    (a.y - b.y).abs() < 0.5 * tall && across > 0.5 * a.w.min(b.w)
}

/// A rectangle with the sides of another and its height, around its own middle.
fn with_extent(rect: &Rect, (x0, x1): (f32, f32), h: f32) -> Rect {
    let y = (rect.y + (rect.h - h) / 2.0).clamp(0.0, 1.0 - h);
    Rect::new(x0, y, (x1 - x0).min(1.0 - x0), h).unwrap_or(*rect)
}

/// Each as wide and as high as the widest and highest of its column.
fn align_widths(rects: &[Rect]) -> Vec<Rect> {
    let one = |rect: &Rect| {
        let mates = || rects.iter().filter(|r| column(rect, r));
        let x0 = mates().map(|r| r.x).fold(rect.x, f32::min);
        let x1 = mates().map(right).fold(right(rect), f32::max);
        let h = mates().map(|r| r.h).fold(rect.h, f32::max);
        with_extent(rect, (x0, x1), h)
    };
    rects.iter().map(one).collect()
}

/// What stands within the column of others but was not of it is part of one of its numbers.
fn absorb_fragments(before: &[Rect], columns: &[Rect]) -> Vec<Rect> {
    let size = |i: usize| before.iter().filter(|r| column(&before[i], r)).count();
    let one = |(i, rect): (usize, &Rect)| {
        let holds = |(j, other): &(usize, &Rect)| {
            let across = right(rect).min(right(other)) - rect.x.max(other.x);
            let tall = rect.h.max(other.h);
            size(*j) > size(i)
                && across > 0.3 * rect.w
                && (rect.h - other.h).abs() < 0.35 * tall
                && (rect.x < other.x - 0.01 * tall || right(rect) < right(other) - 0.3 * tall)
        };
        let of = columns.iter().enumerate().filter(holds);
        let widest = of.max_by_key(|(j, _)| size(*j));
        widest.map_or(*rect, |(_, other)| {
            with_extent(rect, (other.x, right(other)), other.h)
        })
    };
    columns.iter().enumerate().map(one).collect()
}

/// Each as wide as the window in which its column's numbers stand.
fn grow_to_window(board: &RectifiedBoard, rects: &[Rect]) -> Vec<Rect> {
    let (w, h) = (board.width as f32, board.height as f32);
    let one = |rect: &Rect| {
        let rows: Vec<&Rect> = rects.iter().filter(|r| column(rect, r)).collect();
        let reach = REACH * rect.h * h / w;
        // Never into what stands beside it.
        let beside = || rects.iter().filter(|r| !column(rect, r));
        let left = beside().map(right).filter(|x| *x <= rect.x);
        let left = left.fold((rect.x - reach).max(0.0), f32::max);
        let ahead = beside().map(|r| r.x).filter(|x| *x >= right(rect));
        let ahead = ahead.fold((right(rect) + reach).min(1.0), f32::min);
        let x0 = window(board, &rows, rect.x * w, left * w) / w;
        let x1 = window(board, &rows, right(rect) * w, ahead * w) / w;
        with_extent(rect, (x0, x1), rect.h)
    };
    rects.iter().map(one).collect()
}

/// How far the ground at one side of a column goes on, from `edge` to `end` at most, in pixels.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // within the board
fn window(board: &RectifiedBoard, rows: &[&Rect], edge: f32, end: f32) -> f32 {
    let tall = rows.first().map_or(0.0, |r| r.h) * board.height as f32;
    let step = (tall / 20.0).max(2.0);
    let outward = if end < edge { -1.0 } else { 1.0 };
    let strip = |from: f32| {
        let (a, b) = (
            from.min(from + step * outward),
            from.max(from + step * outward),
        );
        let columns = a.max(0.0) as u32..(b.min(board.width as f32) as u32);
        middle(board, rows, columns)
    };
    // The margin around digits is ground.
    let Some(ground) = strip(edge - step * outward) else {
        return edge;
    };
    let mut at = edge;
    while (end - at) * outward >= step {
        let other = |c: [u8; 3]| {
            let apart = |(a, b): (u8, u8)| i32::from(a.abs_diff(b));
            c.into_iter().zip(ground).map(apart).sum::<i32>() > OTHER
        };
        if strip(at).is_none_or(other) {
            // The window's rim is no ground of it.
            let before = at - step * outward;
            return if (before - edge) * outward > 0.0 {
                before
            } else {
                edge
            };
        }
        at += step * outward;
    }
    at
}

/// The middle colour of some columns of a board, in all rows of a column of fields.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // within the board
fn middle(
    board: &RectifiedBoard,
    rows: &[&Rect],
    columns: std::ops::Range<u32>,
) -> Option<[u8; 3]> {
    let mut levels: [Vec<u8>; 3] = Default::default();
    for row in rows {
        let (_, y0, _, h) = row.pixels(board.size());
        for y in y0..(y0 + h).min(board.height) {
            for x in columns.clone() {
                for (levels, level) in levels.iter_mut().zip(board.pixel(x, y)) {
                    levels.push(level);
                }
            }
        }
    }
    if levels[0].is_empty() {
        return None;
    }
    Some(levels.map(|mut levels| {
        let half = levels.len() / 2;
        *levels.select_nth_unstable(half).1
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rect(x: f32, y: f32, w: f32) -> Rect {
        Rect::new(x, y, w, 0.2).expect("on the board")
    }

    #[test]
    fn the_first_digit_alone_becomes_the_whole_number_of_its_column() {
        // 4, 10 of which only the 1 was seen, 5; and the tickets beside them.
        let alone = [
            rect(0.80, 0.1, 0.1),
            rect(0.70, 0.4, 0.05),
            rect(0.80, 0.7, 0.1),
            rect(0.30, 0.1, 0.3),
            rect(0.30, 0.7, 0.3),
        ];
        let wide = [
            rect(0.66, 0.1, 0.25),
            rect(0.69, 0.4, 0.07),
            rect(0.66, 0.7, 0.25),
            rect(0.30, 0.1, 0.3),
            rect(0.30, 0.7, 0.3),
        ];
        let joined = absorb_fragments(&alone, &wide);
        let (one, whole) = (joined[1], rect(0.66, 0.4, 0.25));
        assert!((one.x, one.y) == (whole.x, whole.y) && (one.w - whole.w).abs() < 1e-5);
        assert_eq!((joined[0], joined[3]), (wide[0], wide[3]));
        assert!(same_place(&joined[1], &rect(0.8, 0.4, 0.1)));
        assert!(!same_place(&joined[1], &joined[0]));
    }

    #[test]
    fn a_window_is_followed_to_its_rim_though_one_row_is_covered() {
        let (width, height) = (200_u32, 100_u32);
        let rgb = (0..width * height).flat_map(|i| {
            let (x, y) = (i % width, i / width);
            match (x, y) {
                (0..95, 0..30) => [240, 240, 240],
                (60..150, _) => [30, 8, 9],
                _ => [19, 18, 22],
            }
        });
        let board = RectifiedBoard {
            width,
            height,
            rgb: rgb.collect(),
            down: [[0.0; 3], [0.0, 0.0, 1.0]],
        };
        let rects = [
            rect(0.5, 0.05, 0.2),
            rect(0.5, 0.4, 0.2),
            rect(0.5, 0.75, 0.2),
        ];
        for wide in grow_to_window(&board, &rects) {
            // One more place to the left, though the window goes on.
            assert!((81.5..=84.0).contains(&(wide.x * 200.0)), "{wide:?}");
            assert!(
                (146.0..=150.5).contains(&(right(&wide) * 200.0)),
                "{wide:?}"
            );
        }
    }
}
