//! Finds a board and its digit fields in a picture by itself, for the installer to look over.
//!
//! The board is the largest patch brighter or darker than what is around it that fills its own four
//! corners; its edges are then laid where brightness changes most. Fields are groups of ink that
//! read as digits.

use super::columns::merge_columns;
use super::components::{Component, Components};
use super::found::FoundField;
use super::picture::{Picture, RectifiedBoard, luma};
use super::quad::{Quad, Rect};
use super::read::{FieldSpec, read};
use crate::config::DigitKind;

/// Each so many pixels one is looked at while the board is searched.
const STEP: u32 = 4;
/// Smallest board, as share of the picture.
const LEAST: f32 = 0.05;
/// How much of its four corners a board fills at least.
const FILLED: f32 = 0.9;
/// How far from a patch's rough corners its edges are searched, in pixels.
const SEARCH: f32 = 14.0;
/// Points along an edge where it is looked for.
const POINTS: u16 = 48;

/// What was found in a picture.
pub struct Calibration {
    pub quad: Quad,
    /// The board with nothing around it.
    pub board: RectifiedBoard,
    /// Fields that read as digits, from the top left.
    pub fields: Vec<FoundField>,
}

/// Looks for a board and its fields; `None` when there is none, or no digit on it.
#[must_use]
pub fn calibrate(picture: &Picture) -> Option<Calibration> {
    let quad = largest_patch(picture)?;
    // Once more, from nearer.
    let quad = refine_corners(picture, &quad, SEARCH / 2.0).unwrap_or(quad);
    let board = picture.rectify(&quad).ok()?;
    let fields = fields(&board);
    (!fields.is_empty()).then_some(Calibration {
        quad,
        board,
        fields,
    })
}

/// Lays the corners anew on the board's own edges, at most `reach` pixels away: how small movements
/// are followed. `None` when the edges are not seen clearly.
pub(super) fn refine_corners(picture: &Picture, quad: &Quad, reach: f32) -> Option<Quad> {
    let p = quad.points();
    let mut lines = [((0.0, 0.0), (0.0, 0.0)); 4];
    for (i, line) in lines.iter_mut().enumerate() {
        *line = edge(picture, p[i], p[(i + 1) % 4], reach)?;
    }
    let corner = |i: usize| intersect(lines[(i + 3) % 4], lines[i]);
    let found = Quad::new([corner(0)?, corner(1)?, corner(2)?, corner(3)?])?;
    let near = found
        .points()
        .iter()
        .zip(&p)
        .all(|(a, b)| (a.0 - b.0).hypot(a.1 - b.1) <= reach * 1.5);
    near.then_some(found)
}

type Point = (f32, f32);

/// The line along which brightness changes most near an expected one.
#[allow(clippy::cast_possible_truncation)] // some pixels
fn edge(picture: &Picture, a: Point, b: Point, reach: f32) -> Option<(Point, Point)> {
    let (dx, dy) = (b.0 - a.0, b.1 - a.1);
    let length = dx.hypot(dy).max(1.0);
    let (nx, ny) = (-dy / length, dx / length);
    let steps = (-reach as i16..=reach as i16).map(f32::from);
    let mut found: Vec<(f32, f32)> = Vec::new();
    for i in 1..POINTS {
        // Corners are left out: there the other edge is nearer.
        let t = 0.06 + 0.88 * f32::from(i) / f32::from(POINTS);
        let (x, y) = (a.0 + t * dx, a.1 + t * dy);
        let at = |d: f32| brightness(picture, x + nx * d, y + ny * d);
        let change = |d: f32| Some((at(d + 2.0)? - at(d - 2.0)?).abs());
        let best = steps
            .clone()
            .filter_map(|d| change(d).map(|c| (c, d)))
            .max_by(|a, b| a.0.total_cmp(&b.0));
        // Less than this is noise.
        if let Some((change, d)) = best
            && change > 10.0
        {
            found.push((t, d));
        }
    }
    // Two thirds of an edge must be seen, and lie on one line.
    if found.len() * 3 < usize::from(POINTS) * 2 {
        return None;
    }
    // The line on which most lie: digits near the edge stand out more than it does.
    let (mut slope, mut offset, mut most) = (0.0, 0.0, 0);
    for from in steps.clone().step_by(2) {
        for to in steps.clone().step_by(2) {
            let on = |(t, d): &&(f32, f32)| (d - from - (to - from) * t).abs() < 2.0;
            let n = found.iter().filter(on).count();
            if n > most {
                (slope, offset, most) = (to - from, from, n);
            }
        }
    }
    for limit in [2.5, 1.5] {
        found.retain(|(t, d)| (d - offset - slope * t).abs() < limit);
        (slope, offset) = fit_line(&found)?;
    }
    if found.len() * 2 < usize::from(POINTS) {
        return None;
    }
    let place = |t: f32| {
        let d = offset + slope * t;
        (a.0 + t * dx + nx * d, a.1 + t * dy + ny * d)
    };
    Some((place(0.0), place(1.0)))
}

/// Slope and offset by least squares.
fn fit_line(points: &[(f32, f32)]) -> Option<(f32, f32)> {
    let n = points.len() as f32;
    if points.len() < 8 {
        return None;
    }
    let (mt, md) = (
        points.iter().map(|p| p.0).sum::<f32>() / n,
        points.iter().map(|p| p.1).sum::<f32>() / n,
    );
    let var: f32 = points.iter().map(|p| (p.0 - mt).powi(2)).sum();
    let cov: f32 = points.iter().map(|p| (p.0 - mt) * (p.1 - md)).sum();
    let slope = cov / var.max(1e-6);
    Some((slope, md - slope * mt))
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // checked
fn brightness(picture: &Picture, x: f32, y: f32) -> Option<f32> {
    let (w, h) = picture.size();
    (x >= 0.0 && y >= 0.0 && x < w as f32 && y < h as f32).then(|| picture.luma(x as u32, y as u32))
}

/// Where two lines meet.
fn intersect((a, b): (Point, Point), (c, d): (Point, Point)) -> Option<Point> {
    let (r, s) = ((b.0 - a.0, b.1 - a.1), (d.0 - c.0, d.1 - c.1));
    let det = r.0 * s.1 - r.1 * s.0;
    let t = ((c.0 - a.0) * s.1 - (c.1 - a.1) * s.0) / det;
    t.is_finite().then_some((a.0 + t * r.0, a.1 + t * r.1))
}

/// The largest patch of one brightness that fills its own corners.
fn largest_patch(picture: &Picture) -> Option<Quad> {
    let (pw, ph) = picture.size();
    let (w, h) = ((pw / STEP) as usize, (ph / STEP) as usize);
    let level: Vec<f32> = (0..w * h)
        .map(|i| {
            #[allow(clippy::cast_possible_truncation)] // within the picture
            let (x, y) = ((i % w) as u32 * STEP, (i / w) as u32 * STEP);
            (picture.luma(x, y) + picture.luma(x + 1, y + 1) + picture.luma(x + 2, y + 2)) / 3.0
        })
        .collect();
    let mut sorted = level.clone();
    sorted.sort_by(f32::total_cmp);
    let mut best: Option<(f32, Quad)> = None;
    for percent in (5..=95).step_by(5) {
        let limit = sorted[(sorted.len() - 1) * percent / 100];
        for bright in [false, true] {
            let mask: Vec<bool> = level.iter().map(|v| (*v > limit) == bright).collect();
            let parts = Components::of(&mask, w);
            // What reaches three sides of the picture is what is around the board.
            let sides = |p: &&Component| {
                usize::from(p.x0 == 0)
                    + usize::from(p.y0 == 0)
                    + usize::from(p.x1 == w)
                    + usize::from(p.y1 == h)
            };
            let inner = parts.found.iter().enumerate();
            let inner = inner.filter(|(_, p)| sides(p) < 3);
            let Some((part, _)) = inner.max_by_key(|(_, p)| p.width() * p.height()) else {
                continue;
            };
            let Some((quad, area)) = corners(&parts.row_extents(part)) else {
                continue;
            };
            if area / (w * h) as f32 > LEAST
                && best.is_none_or(|(a, _)| area > a)
                // A patch that runs out into what is behind it has no straight edges.
                && let Some(quad) = refine_corners(picture, &quad, SEARCH)
            {
                best = Some((area, quad));
            }
        }
    }
    best.map(|(_, quad)| quad)
}

/// The corners of a part in pixels of the picture, and their area, if the part fills them; from the
/// ends of its rows, since digits and signs within are part of the board.
fn corners(rows: &[(usize, usize, usize)]) -> Option<(Quad, f32)> {
    let mut filled = 0;
    let mut ends: [(i64, Point); 4] = [(i64::MAX, (0.0, 0.0)); 4];
    for &(y, first, last) in rows {
        filled += last + 1 - first;
        for x in [first, last] {
            let (xi, yi) = (i64::try_from(x).ok()?, i64::try_from(y).ok()?);
            let keys = [xi + yi, yi - xi, -xi - yi, xi - yi];
            for (end, key) in ends.iter_mut().zip(keys) {
                if key < end.0 {
                    let at = |v: usize| (v as f32 + 0.5) * STEP as f32;
                    *end = (key, (at(x), at(y)));
                }
            }
        }
    }
    let quad = Quad::new(ends.map(|(_, p)| p))?;
    let p = quad.points();
    let twice: f32 = (0..4)
        .map(|i| p[i].0 * p[(i + 1) % 4].1 - p[(i + 1) % 4].0 * p[i].1)
        .sum();
    let area = twice.abs() / 2.0 / (STEP * STEP) as f32;
    let share = filled as f32 / area;
    (FILLED..1.15).contains(&share).then_some((quad, area))
}

/// Groups of ink that read as digits.
fn fields(board: &RectifiedBoard) -> Vec<FoundField> {
    let (w, h) = (board.width as usize, board.height as usize);
    let level: Vec<f32> = board.rgb.chunks_exact(3).map(luma).collect();
    let mut sorted = level.clone();
    sorted.sort_by(f32::total_cmp);
    let ground = sorted[sorted.len() / 2];
    let reach = (sorted[sorted.len() / 100] - ground)
        .abs()
        .max((sorted[sorted.len() * 99 / 100] - ground).abs());
    let mask: Vec<bool> = level
        .iter()
        .map(|v| (v - ground).abs() > 0.35 * reach)
        .collect();
    let joined = dilate(&mask, w, h, (h / 80).max(1));
    let mut glyphs: Vec<Component> = Components::of(&joined, w)
        .found
        .into_iter()
        .filter(|p| {
            p.height() * 100 > h * 6 && p.height() * 100 < h * 40 && p.width() < 2 * p.height()
        })
        .collect();
    glyphs.sort_by_key(|p| (p.x0, p.y0));
    let mut groups: Vec<Component> = Vec::new();
    for glyph in glyphs {
        let same_row = |g: &&mut Component| {
            let apart = glyph.x0.saturating_sub(g.x1);
            let tall = g.height().max(glyph.height());
            g.y0.abs_diff(glyph.y0) * 4 < tall
                && g.y1.abs_diff(glyph.y1) * 4 < tall
                && apart * 10 < tall * 6
        };
        match groups.iter_mut().find(same_row) {
            Some(group) => {
                group.x1 = group.x1.max(glyph.x1);
                group.y0 = group.y0.min(glyph.y0);
                group.y1 = group.y1.max(glyph.y1);
            }
            None => groups.push(glyph),
        }
    }
    // A board has digits of one kind: that of which more can be read.
    let of = |kind| -> Vec<FoundField> {
        groups
            .iter()
            .filter_map(|g| readable(board, g, kind))
            .collect()
    };
    let (lit, print) = (of(DigitKind::SevenSegment), of(DigitKind::TextDigits));
    let fields = if lit.len() > print.len() { lit } else { print };
    let mut fields = merge_columns(board, &fields);
    fields.sort_by(|a, b| (a.rect.y + a.rect.h / 2.0).total_cmp(&(b.rect.y + b.rect.h / 2.0)));
    fields
}

/// A group as a field, if it reads as digits.
fn readable(board: &RectifiedBoard, group: &Component, kind: DigitKind) -> Option<FoundField> {
    let (w, h) = (board.width as f32, board.height as f32);
    // Room around the digits, without which a cover could not be told from them.
    let margin = 0.1 * group.height() as f32;
    let (x0, y0) = (
        (group.x0 as f32 - margin).max(0.0),
        (group.y0 as f32 - margin).max(0.0),
    );
    let (x1, y1) = (
        (group.x1 as f32 + margin).min(w),
        (group.y1 as f32 + margin).min(h),
    );
    let rect = Rect::new(x0 / w, y0 / h, (x1 - x0) / w, (y1 - y0) / h)?;
    let spec = FieldSpec {
        id: String::new(),
        rect,
        kind,
        max_digits: 6,
    };
    let reading = read(board, &[spec]).pop()?;
    reading.text.is_ok().then_some(FoundField {
        rect,
        kind,
        reading,
    })
}

/// Ink grown by some pixels to all sides, so that the segments of a digit join.
fn dilate(mask: &[bool], w: usize, h: usize, by: usize) -> Vec<bool> {
    let mut wide = vec![false; mask.len()];
    for y in 0..h {
        let row = &mask[y * w..(y + 1) * w];
        for x in (0..w).filter(|x| row[*x]) {
            wide[y * w + x.saturating_sub(by)..y * w + (x + by + 1).min(w)].fill(true);
        }
    }
    let mut out = wide.clone();
    for y in 0..h {
        for near in y.saturating_sub(by)..(y + by + 1).min(h) {
            for x in 0..w {
                out[y * w + x] |= wide[near * w + x];
            }
        }
    }
    out
}
