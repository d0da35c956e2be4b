//! How bright each row of the camera is: bands of a rolling shutter, taken off before reading.
//!
//! Told by the board's own ground beside the fields, along the camera's rows. Where only the digits
//! flicker there is nothing to see on the ground, and nothing is taken off.

use super::picture::{RectifiedBoard, luma};
use super::quad::Rect;

/// Each so many columns one is looked at.
const STEP: usize = 6;
/// Fewest looks at a row that tell how bright it is.
const LEAST: usize = 8;
/// A board whose darkest row has this share of the brightest is evenly lit.
const EVEN: f32 = 0.8;
/// Rows are never taken for darker than this share: what is nearly black says nothing.
const DARKEST: f32 = 0.12;
/// Levels that sensors and the JPEG leave where there is no light.
const BLACK: f32 = 0.7;
/// How much alike the left and the right of a board must be: bands reach over all of it, a hand or a
/// reflection does not.
const ALIKE: f32 = 0.8;

/// The light of each row of the camera on a board, 0 to 1.
pub(super) struct Light {
    /// The camera's row of the first.
    first: usize,
    rows: Vec<f32>,
}

impl Light {
    /// Looks at the ground between the fields; `None` when the board is evenly lit.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // rows of a picture
    pub(super) fn of<'a>(
        board: &RectifiedBoard,
        fields: impl Iterator<Item = &'a Rect>,
    ) -> Option<Self> {
        let (w, h) = (board.width as usize, board.height as usize);
        let boxes: Vec<_> = fields.map(|f| f.pixels(board.size())).collect();
        let row = |x: usize, y: usize| board.down(x as f32 + 0.5, y as f32 + 0.5);
        let rows = [(0, 0), (w, 0), (0, h), (w, h)].map(|(x, y)| row(x, y));
        let first = rows.iter().copied().fold(f32::MAX, f32::min).max(0.0) as usize;
        let last = rows.iter().copied().fold(0.0, f32::max) as usize;
        let count = (last + 1).saturating_sub(first);
        let mut seen = [vec![Vec::new(); count], vec![Vec::new(); count]];
        for y in 0..h {
            let mut inside = vec![false; w];
            for (bx, by, bw, bh) in &boxes {
                if (*by as usize..(by + bh) as usize).contains(&y) {
                    inside[*bx as usize..(bx + bw) as usize].fill(true);
                }
            }
            for x in (0..w).step_by(STEP).filter(|x| !inside[*x]) {
                let at = (row(x, y).max(0.0) as usize).checked_sub(first);
                let side = &mut seen[usize::from(2 * x > w)];
                if let Some(row) = at.and_then(|at| side.get_mut(at)) {
                    row.push(luma(&board.rgb[(y * w + x) * 3..][..3]));
                }
            }
        }
        let [left, right] = seen.map(|mut side| side.iter_mut().map(|r| middle(r)).collect());
        let (left, right) = (fill_gaps(left)?, fill_gaps(right)?);
        if correlation(&left, &right) < ALIKE {
            return None;
        }
        let levels: Vec<f32> = left.iter().zip(&right).map(|(l, r)| l.min(*r)).collect();
        let smooth = smooth(&levels);
        let mut sorted = smooth.clone();
        sorted.sort_by(f32::total_cmp);
        // One row in fifty may be the rim of the board.
        let (low, high) = (sorted[sorted.len() / 50], sorted[sorted.len() * 49 / 50]);
        let share = |v: f32| ((v - BLACK) / (high - BLACK).max(1.0)).clamp(DARKEST, 1.0);
        (high > 4.0 && share(low) < EVEN).then(|| Self {
            first,
            rows: smooth.into_iter().map(share).collect(),
        })
    }

    /// The light at a pixel of the board, as share of the brightest row's.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // rows
    pub(super) fn at(&self, board: &RectifiedBoard, x: u32, y: u32) -> f32 {
        let row = board.down(x as f32 + 0.5, y as f32 + 0.5) - self.first as f32;
        self.rows[row.clamp(0.0, (self.rows.len() - 1) as f32) as usize]
    }
}

/// A colour as it were in full light.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // 0 to 255
pub(super) fn in_full_light(color: [u8; 3], share: f32) -> [u8; 3] {
    color.map(|v| (f32::from(v) / share).min(255.0).round() as u8)
}

/// The mean of those that are neither dark nor bright for their row: words and lamps are few.
fn middle(row: &mut [f32]) -> Option<f32> {
    if row.len() < LEAST {
        return None;
    }
    let (from, to) = (row.len() * 3 / 10, row.len() * 6 / 10);
    row.select_nth_unstable_by(from, f32::total_cmp);
    row[from..].select_nth_unstable_by(to - from, f32::total_cmp);
    Some(mean(&row[from..to]))
}

/// Rows of which nothing is known are like the nearest one.
fn fill_gaps(rows: Vec<Option<f32>>) -> Option<Vec<f32>> {
    let mut last = rows.iter().flatten().next().copied()?;
    let fill = |row: Option<f32>| {
        last = row.unwrap_or(last);
        last
    };
    Some(rows.into_iter().map(fill).collect())
}

fn smooth(rows: &[f32]) -> Vec<f32> {
    (0..rows.len())
        .map(|i| mean(&rows[i.saturating_sub(2)..(i + 3).min(rows.len())]))
        .collect()
}

/// Correlation of two sides.
fn correlation(a: &[f32], b: &[f32]) -> f32 {
    let (ma, mb) = (mean(a), mean(b));
    let of = |x: &[f32], mx: f32, y: &[f32], my: f32| -> f32 {
        x.iter().zip(y).map(|(x, y)| (x - mx) * (y - my)).sum()
    };
    of(a, ma, b, mb) / (of(a, ma, a, ma) * of(b, mb, b, mb)).sqrt().max(1e-6)
}

fn mean(values: &[f32]) -> f32 {
    values.iter().sum::<f32>() / values.len().max(1) as f32
}
