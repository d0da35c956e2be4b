//! Seven-segment digits: finds them, decodes each, and says when something else is in the way.
//!
//! First each field is looked at by itself ([`SegmentScan`]): ink against the brightest of its row, since
//! bands of a rolling shutter dim whole rows, digits as runs of columns, their slant. Then what all
//! fields agree on ([`Shape`]: height, width, pitch of a digit) decides what is a 1, what is
//! half a digit and where segments must be, and each segment is either clearly lit, clearly dark, or
//! the digit is unknown.

mod obstruction;
mod runs;

use super::field::Signal;
use super::reading::{Digit, Doubt};
use runs::{Run, SMEAR, clean_mask, nearby, runs, slant, straighten};

/// Widest a 1 is, and narrowest any other digit, as share of a digit's height.
const ONE_WIDTH: f32 = 0.34;
/// Widest a digit is, as share of its height: more are two that have run together.
const MAX_WIDTH: f32 = 0.95;
/// From one digit's end to the next one's, in widths.
pub(super) const PITCH: std::ops::Range<f32> = 1.04..1.8;
/// How far a digit may end from the common line, as share of its height.
const TAPER: std::ops::Range<f32> = -0.07..0.14;
/// A segment is lit from this share of its row's brightest on …
const LIT: f32 = 0.58;
/// … and dark up to this one: unlit segments shimmer, and light spreads.
const DARK: f32 = 0.40;

/// … and what every lit segment has of the brightest in the field: unlit ones shimmer with less.
const LEAST: f32 = 0.25;

/// The patterns, segments a to g from the lowest bit, with the variants in use: 6 without its top,
/// 9 without its foot, 7 with a shoulder.
const PATTERNS: [(u8, u8); 13] = [
    (0b011_1111, 0),
    (0b000_0110, 1),
    (0b101_1011, 2),
    (0b100_1111, 3),
    (0b110_0110, 4),
    (0b110_1101, 5),
    (0b111_1101, 6),
    (0b111_1100, 6),
    (0b000_0111, 7),
    (0b010_0111, 7),
    (0b111_1111, 8),
    (0b110_1111, 9),
    (0b110_0111, 9),
];

/// What stands in a field before it is decoded.
pub(super) struct SegmentScan {
    w: usize,
    h: usize,
    /// Ink against the brightest nearby, straightened.
    ratio: Vec<f32>,
    /// What is not of the ink's colour, straightened.
    off: Vec<f32>,
    /// Ink as it is, straightened.
    ink: Vec<f32>,
    /// The same as the camera saw it.
    plain: Vec<f32>,
    /// Mean ink around each pixel: light spreads, and a camera smears colour.
    near: Vec<f32>,
    noise: f32,
    contrast: f32,
    /// Pixels too dim to say anything.
    dim: Vec<bool>,
    lit: bool,
    /// How it was straightened.
    shear: f32,
    pub(super) ground: [f32; 3],
    ground_off: f32,
    runs: Vec<Run>,
}

/// What digits look like, as shares of a field's height; agreed on by all fields of one size.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Shape {
    pub(super) top: Option<f32>,
    pub(super) bottom: Option<f32>,
    pub(super) width: Option<f32>,
    pub(super) pitch: Option<f32>,
}

impl SegmentScan {
    /// Looks for digits.
    ///
    /// # Errors
    /// Why there is nothing to decode.
    pub(super) fn of(signal: &Signal) -> Result<Self, Doubt> {
        let (w, h) = (signal.w, signal.h);
        let upright = clean_mask(&signal.ratio, &signal.ink, w, h);
        let shear = slant(&upright, w, h);
        let ratio = straighten(&signal.ratio, w, h, shear);
        let ink = straighten(&signal.ink, w, h, shear);
        let mask = if shear == 0.0 {
            upright
        } else {
            clean_mask(&ratio, &ink, w, h)
        };
        let runs = runs(&mask, w, h);
        if runs.is_empty() {
            return Err(Doubt::Nothing);
        }
        let ground_off = signal.ground_off.iter().fold(0.0_f32, |a, b| a.max(*b));
        Ok(Self {
            near: nearby(&ink, w, h, SMEAR),
            plain: straighten(&signal.plain, w, h, shear),
            off: straighten(&signal.off, w, h, shear),
            ink,
            w,
            h,
            ratio,
            noise: signal.noise,
            contrast: signal.contrast,
            dim: signal.dim.clone(),
            lit: signal.lit,
            shear,
            ground: signal.ground,
            ground_off,
            runs,
        })
    }

    /// What this field alone says of the shape of digits.
    pub(super) fn shape(&self) -> Shape {
        let h = self.h as f32;
        let top = self.runs.iter().map(|r| r.y0).fold(h, f32::min);
        let bottom = self.runs.iter().map(|r| r.y1).fold(0.0, f32::max);
        let tall = bottom - top;
        // What reaches the rim, or is wider than a digit, is a cover or a reflection.
        if self
            .runs
            .iter()
            .any(|r| self.at_rim(r) || r.x1 - r.x0 > MAX_WIDTH * tall)
        {
            return Shape::default();
        }
        let wide: Vec<&Run> = self
            .runs
            .iter()
            .filter(|r| (ONE_WIDTH..MAX_WIDTH).contains(&((r.x1 - r.x0) / tall)))
            .collect();
        let width = wide.iter().map(|r| r.x1 - r.x0).reduce(f32::max);
        let pitch = self
            .runs
            .windows(2)
            .map(|p| p[1].x1 - p[0].x1)
            .reduce(f32::min);
        Shape {
            top: (!wide.is_empty()).then_some(top / h),
            bottom: (!wide.is_empty()).then_some(bottom / h),
            width: width.map(|w| w / h),
            pitch: pitch.map(|p| p / h),
        }
    }

    fn at_rim(&self, run: &Run) -> bool {
        let (w, h) = (self.w as f32, self.h as f32);
        run.x0 < 1.0 || run.x1 > w - 1.0 || run.y0 < 1.0 || run.y1 > h - 1.0
    }

    /// Decodes the digits, left to right.
    ///
    /// # Errors
    /// The first reason why the field cannot be read.
    pub(super) fn decode(&self, agreed: &Shape) -> Result<Vec<Digit>, Doubt> {
        let own = self.shape();
        let h = self.h as f32;
        let agreed_or = |agreed: Option<f32>, own: Option<f32>| agreed.or(own).map(|v| v * h);
        let first = &self.runs[0];
        if self.runs.iter().any(|r| self.at_rim(r)) {
            return Err(Doubt::Obstructed);
        }
        let mut top = agreed_or(agreed.top, own.top).unwrap_or(first.y0);
        let mut bottom = agreed_or(agreed.bottom, own.bottom).unwrap_or(first.y1);
        let tall = bottom - top;
        if tall < 0.4 * h {
            return Err(Doubt::Shape);
        }
        // Where most fields show only 1, 4 and 7, what they agree on is a little short.
        for run in &self.runs {
            if run.y0 < top && top - run.y0 < TAPER.end * tall {
                top = run.y0;
            }
            if run.y1 > bottom && run.y1 - bottom < TAPER.end * tall {
                bottom = run.y1;
            }
        }
        let tall = bottom - top;
        let width = agreed_or(agreed.width, own.width).unwrap_or(0.62 * tall);
        let pitch = agreed_or(agreed.pitch, own.pitch);
        if pitch.is_some_and(|p| !PITCH.contains(&(p / width))) {
            return Err(Doubt::Shape);
        }
        let mut digits = Vec::with_capacity(self.runs.len());
        for (i, run) in self.runs.iter().enumerate() {
            // Half a digit behind a cover has not the height of the others; a digit without its top
            // or bottom segment ends where its upright ones do.
            let (above, below) = ((run.y0 - top) / tall, (bottom - run.y1) / tall);
            if !TAPER.contains(&above) || !TAPER.contains(&below) {
                return Err(Doubt::Shape);
            }
            if let (Some(pitch), Some(next)) = (pitch, self.runs.get(i + 1))
                && ((next.x1 - run.x1) - pitch).abs() > 0.14 * pitch
            {
                return Err(Doubt::Shape);
            }
            let (share, full) = ((run.x1 - run.x0) / tall, (run.x1 - run.x0) / width);
            // A 7 has no upright on its left, and its top begins a little later.
            if share > MAX_WIDTH || (share >= ONE_WIDTH && !(0.70..1.12).contains(&full)) {
                return Err(Doubt::Shape);
            }
            let cell = Cell {
                x0: run.x1 - width,
                x1: run.x1,
                y0: top,
                y1: bottom,
            };
            digits.push(self.digit(&cell, share < ONE_WIDTH, run)?);
        }
        self.unobstructed(top, bottom, width, pitch)?;
        Ok(digits)
    }

    fn digit(&self, cell: &Cell, narrow: bool, run: &Run) -> Result<Digit, Doubt> {
        let own = if narrow { Some(run) } else { None };
        let levels = self.segments(&self.ratio, cell, own);
        let plain = self.segments(&self.ink, cell, own);
        // A segment in a row too dim to tell may be lit or not.
        let rows = pixel(cell.y0, self.h)..pixel(cell.y1, self.h);
        let x = pixel((cell.x0 + cell.x1) / 2.0, self.w - 1);
        if rows.clone().filter(|y| self.dim[y * self.w + x]).count() * 20 > rows.len() {
            return Err(Doubt::Unclear);
        }
        let mut pattern = 0_u8;
        let mut margin = 1.0_f32;
        for (i, level) in levels.iter().enumerate() {
            let lit = *level >= LIT;
            // In a dark band an unlit segment may be the brightest of its row.
            let faint = lit && self.lit && plain[i] < LEAST;
            if faint || (!lit && *level > DARK) {
                return Err(Doubt::Unclear);
            }
            pattern |= u8::from(lit) << i;
            let clear = if lit {
                (level - LIT) / (1.0 - LIT)
            } else {
                (DARK - level) / DARK
            };
            margin = margin.min(0.5 + 0.5 * clear.clamp(0.0, 1.0));
        }
        if narrow && pattern != PATTERNS[1].0 {
            return Err(Doubt::Unclear);
        }
        let value = PATTERNS
            .iter()
            .find(|(p, _)| *p == pattern)
            .map(|(_, value)| *value)
            .ok_or(Doubt::Unclear)?;
        // Loops are open inside: a glow that fills them hides which segments are lit.
        for (y0, y1) in [(0.24, 0.38), (0.62, 0.76)] {
            let hole = cell.part(0.42, y0, 0.58, y1);
            if self.mean(&self.ratio, hole) > DARK {
                return Err(Doubt::Unclear);
            }
        }
        Ok(Digit {
            value,
            confidence: margin,
        })
    }

    /// How bright each segment is, a to g, 0 to about 1.
    fn segments(&self, of: &[f32], cell: &Cell, narrow: Option<&Run>) -> [f32; 7] {
        let across = |y0: f32, y1: f32| {
            let (ax, ay, bx, by) = cell.part(0.32, y0, 0.68, y1);
            self.brightest_row(of, ax, ay, bx, by)
        };
        let down = |x0: f32, x1: f32, y0: f32, y1: f32| {
            let (ax, ay, bx, by) = cell.part(x0, y0, x1, y1);
            self.brightest_column(of, ax, ay, bx, by)
        };
        // A 1 alone tells where its own column is.
        let right = match narrow {
            Some(run) => ((run.x0 - cell.x0) / (cell.x1 - cell.x0)).clamp(0.5, 0.9),
            None => 0.76,
        };
        [
            across(0.0, 0.19),
            down(right, 1.0, 0.2, 0.4),
            down(right, 1.0, 0.6, 0.8),
            across(0.81, 1.0),
            down(0.0, 0.24, 0.6, 0.8),
            down(0.0, 0.24, 0.2, 0.4),
            across(0.41, 0.59),
        ]
    }

    fn brightest_row(&self, of: &[f32], x0: usize, y0: usize, x1: usize, y1: usize) -> f32 {
        let row = |y: usize| mean(&of[y * self.w + x0..y * self.w + x1]);
        (y0..y1).map(row).fold(0.0, f32::max)
    }

    fn brightest_column(&self, of: &[f32], x0: usize, y0: usize, x1: usize, y1: usize) -> f32 {
        let n = (y1 - y0) as f32;
        let column = |x: usize| (y0..y1).map(|y| of[y * self.w + x]).sum::<f32>() / n;
        (x0..x1).map(column).fold(0.0, f32::max)
    }

    fn mean(&self, of: &[f32], (x0, y0, x1, y1): (usize, usize, usize, usize)) -> f32 {
        let n = ((x1 - x0) * (y1 - y0)).max(1) as f32;
        (y0..y1)
            .map(|y| of[y * self.w + x0..y * self.w + x1].iter().sum::<f32>())
            .sum::<f32>()
            / n
    }
}

/// The box of one digit.
struct Cell {
    x0: f32,
    y0: f32,
    x1: f32,
    y1: f32,
}

impl Cell {
    /// A part of it, given in shares, as columns and rows of pixels; never empty.
    fn part(&self, x0: f32, y0: f32, x1: f32, y1: f32) -> (usize, usize, usize, usize) {
        let x = |v: f32| self.x0 + v * (self.x1 - self.x0);
        let y = |v: f32| self.y0 + v * (self.y1 - self.y0);
        let (a, b) = (pixel(x(x0), usize::MAX), pixel(y(y0), usize::MAX));
        (
            a,
            b,
            pixel(x(x1), usize::MAX).max(a + 1),
            pixel(y(y1), usize::MAX).max(b + 1),
        )
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // not negative, and limited
fn pixel(at: f32, limit: usize) -> usize {
    (at.max(0.0).round() as usize).min(limit)
}

fn mean(values: &[f32]) -> f32 {
    values.iter().sum::<f32>() / values.len().max(1) as f32
}
