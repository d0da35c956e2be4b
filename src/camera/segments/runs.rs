//! From pixels to columns that hold a digit: masks, slant, runs.

use super::super::field::MIN_INK;
use super::super::parts::parts;

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
    let (parts, labels) = parts(&mask, w);
    // A fifth of the area of a slender segment.
    let least = h * h * 4 / 1000;
    labels
        .iter()
        .map(|l| *l != 0 && parts[*l as usize - 1].area >= least)
        .collect()
}

/// The slant at which columns are fullest or emptiest: pixels to the right for each row up.
pub(super) fn slant(mask: &[bool], w: usize, h: usize) -> f32 {
    // Every second row tells as much as all.
    let lit: Vec<(usize, usize)> = (0..h)
        .step_by(2)
        .flat_map(|y| (0..w).filter(move |x| mask[y * w + x]).map(move |x| (x, y)))
        .collect();
    let mut columns = vec![0_u32; w];
    let mut score = |shear: f32| {
        columns.fill(0);
        for (x, y) in &lit {
            if let Some(column) = columns.get_mut(x.wrapping_add_signed(shift(*y, h, shear))) {
                *column += 1;
            }
        }
        columns.iter().map(|c| u64::from(*c).pow(2)).sum::<u64>()
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
fn shift(y: usize, h: usize, shear: f32) -> isize {
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
pub(super) fn nearby(ink: &[f32], w: usize, h: usize, reach: usize) -> Vec<f32> {
    let mut sums = vec![0.0_f64; (w + 1) * (h + 1)];
    for y in 0..h {
        let mut row = 0.0;
        for x in 0..w {
            // A dull cover is not to excuse itself.
            let value = ink[y * w + x];
            row += if value > 0.5 {
                f64::from(value.min(1.0))
            } else {
                0.0
            };
            sums[(y + 1) * (w + 1) + x + 1] = sums[y * (w + 1) + x + 1] + row;
        }
    }
    let mut out = Vec::with_capacity(w * h);
    for y in 0..h {
        let (y0, y1) = (y.saturating_sub(reach), (y + reach + 1).min(h));
        for x in 0..w {
            let (x0, x1) = (x.saturating_sub(reach), (x + reach + 1).min(w));
            let at = |x: usize, y: usize| sums[y * (w + 1) + x];
            let sum = at(x1, y1) - at(x0, y1) - at(x1, y0) + at(x0, y0);
            #[allow(clippy::cast_possible_truncation)] // 0 to 1
            out.push((sum / ((x1 - x0) * (y1 - y0)) as f64) as f32);
        }
    }
    out
}
