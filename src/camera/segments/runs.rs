//! From pixels to columns that hold a digit: masks, slant, runs.

use super::super::components::Components;
use super::super::field::MIN_INK;

/// Colour of a JPEG is kept for 2 × 2 pixels and cut in blocks of 16: so far it smears, in pixels.
pub(super) const SMEAR: usize = 8;

/// Columns that hold one digit, in pixels of the straightened field.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run {
    pub(super) x0: f32,
    pub(super) x1: f32,
    pub(super) y0: f32,
    pub(super) y1: f32,
}

/// Ink without specks.
pub(super) fn clean_mask(ratio: &[f32], ink: &[f32], w: usize, h: usize) -> Vec<bool> {
    let each = ratio.iter().zip(ink);
    let mask: Vec<bool> = each.map(|(r, i)| *r > 0.5 && *i > MIN_INK).collect();
    // A fifth of the area of a slender segment.
    let least = h * h * 4 / 1000;
    Components::of(&mask, w).mask(h, |part| part.area >= least)
}

/// The slant at which columns are fullest or emptiest: pixels to the right for each row up.
pub(super) fn slant(mask: &[bool], w: usize, h: usize) -> f32 {
    // Every second row tells as much as all.
    let mut lit: Vec<(usize, usize, usize)> = Vec::new();
    for y in (0..h).step_by(2) {
        let row = &mask[y * w..(y + 1) * w];
        let mut x = 0;
        while let Some(skip) = row[x..].iter().position(|ink| *ink) {
            let x0 = x + skip;
            x = row[x0..].iter().position(|ink| !*ink).map_or(w, |n| x0 + n);
            lit.push((y, x0, x));
        }
    }
    // How many more are lit in a column than in the one before it.
    let mut more = vec![0_i32; w + 1];
    let mut score = |shear: f32| {
        more.fill(0);
        for (y, x0, x1) in &lit {
            let by = shift(*y, h, shear);
            let at = |x: usize| x.checked_add_signed(by).unwrap_or(0).min(w);
            more[at(*x0)] += 1;
            more[at(*x1)] -= 1;
        }
        let mut column = 0_i32;
        let squares = more[..w].iter().map(|step| {
            column += step;
            u64::from(column.unsigned_abs()).pow(2)
        });
        squares.sum::<u64>()
    };
    // Displays lean by 5 to 12 degrees, if at all; a camera's view may add a little either way.
    let upright = score(0.0);
    let (best, shear) = (-4..=9)
        .map(|step| step as f32 * 0.03)
        .map(|shear| (score(shear), shear))
        .max_by_key(|(score, _)| *score)
        .unwrap_or((upright, 0.0));
    if best * 100 > upright * 104 {
        shear
    } else {
        0.0
    }
}

/// How far a row moves to the right.
#[allow(clippy::cast_possible_truncation)] // a share of the height
pub(super) fn shift(y: usize, h: usize, shear: f32) -> isize {
    (shear * (y as f32 - h as f32 / 2.0)).round() as isize
}

pub(super) fn straighten(values: &[f32], w: usize, h: usize, shear: f32) -> Vec<f32> {
    if shear == 0.0 {
        return values.to_vec();
    }
    let mut out = vec![0.0; values.len()];
    for (y, (from, to)) in values
        .chunks_exact(w)
        .zip(out.chunks_exact_mut(w))
        .enumerate()
    {
        let by = shift(y, h, shear);
        let skip = by.unsigned_abs().min(w);
        if by >= 0 {
            to[skip..].copy_from_slice(&from[..w - skip]);
        } else {
            to[..w - skip].copy_from_slice(&from[skip..]);
        }
    }
    out
}

/// Runs of columns with ink; small gaps between segments of one digit are closed.
pub(super) fn runs(mask: &[bool], w: usize, h: usize) -> Vec<Run> {
    let gap = (h * 5 / 100).max(1);
    let filled: Vec<bool> = (0..w)
        .map(|x| (0..h).filter(|y| mask[y * w + x]).count() >= 2)
        .collect();
    let mut spans: Vec<(usize, usize)> = Vec::new();
    for x in (0..w).filter(|x| filled[*x]) {
        match spans.last_mut() {
            Some(last) if x <= last.1 + gap => last.1 = x + 1,
            _ => spans.push((x, x + 1)),
        }
    }
    spans
        .into_iter()
        .map(|(x0, x1)| {
            let inked = |y: &usize| (x0..x1).any(|x| mask[y * w + x]);
            let y0 = (0..h).find(inked).unwrap_or(0);
            let y1 = (0..h).rev().find(inked).map_or(h, |y| y + 1);
            Run {
                x0: x0 as f32,
                x1: x1 as f32,
                y0: y0 as f32,
                y1: y1 as f32,
            }
        })
        .collect()
}

/// The mean ink of each pixel's surroundings.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // 0 to UNIT
pub(super) fn nearby(ink: &[f32], w: usize, h: usize, reach: usize) -> Vec<f32> {
    /// Full ink: whole numbers are added and taken away again without a rest.
    const UNIT: f32 = 4096.0;
    // A dull cover is not to excuse itself.
    let bright = |v: f32| if v > 0.5 { v.min(1.0) * UNIT } else { 0.0 };
    let mut across = vec![0_i32; ink.len()];
    let mut row = vec![0_i32; w];
    for (from, to) in ink.chunks_exact(w).zip(across.chunks_exact_mut(w)) {
        row.iter_mut()
            .zip(from)
            .for_each(|(r, v)| *r = bright(*v) as i32);
        let mut sum: i32 = row[..reach.min(w)].iter().sum();
        for (x, to) in to.iter_mut().enumerate() {
            sum += row.get(x + reach).copied().unwrap_or(0);
            *to = sum;
            sum -= x.checked_sub(reach).map_or(0, |x| row[x]);
        }
    }
    let columns: Vec<f32> = (0..w)
        .map(|x| ((x + reach + 1).min(w) - x.saturating_sub(reach)) as f32 * UNIT)
        .collect();
    let mut sums = vec![0_i32; w];
    let add = |sums: &mut [i32], y: usize, sign: i32| {
        let row = &across[y * w..(y + 1) * w];
        sums.iter_mut().zip(row).for_each(|(s, v)| *s += sign * v);
    };
    (0..reach.min(h)).for_each(|y| add(&mut sums, y, 1));
    let mut out = Vec::with_capacity(ink.len());
    for y in 0..h {
        if y + reach < h {
            add(&mut sums, y + reach, 1);
        }
        let rows = ((y + reach + 1).min(h) - y.saturating_sub(reach)) as f32;
        let each = sums.iter().zip(&columns);
        out.extend(each.map(|(s, n)| *s as f32 / (n * rows)));
        if let Some(past) = y.checked_sub(reach) {
            add(&mut sums, past, -1);
        }
    }
    out
}
