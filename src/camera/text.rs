//! Printed and LCD digits: each connected part of the ink must be a digit, and all that is ink must
//! be one.
//!
//! A digit is classified twice: by its likeness to many typefaces, and by its loops (an 8 has two, a
//! 6 one below, a 1 none). Only where both agree it is known.

use super::components::{Component, Components};
use super::field::{COVERED, Signal};
use super::glyphs::{self, Likeness};
use super::reading::{Digit, Doubt};

/// Least correlation with the nearest typeface, and least distance to the next best digit: what is
/// like a typeface may be close to another digit, what is like none must be far from all others. Of
/// 390 digits of typefaces that are not among the known ones none was less clear.
const LIKE: [(f32, f32); 2] = [(0.80, 0.08), (0.70, 0.12)];
/// Least distance of a 1 or 7 to the next best digit.
const TWINS: f32 = 0.18;
/// A digit's height may differ from its neighbours' by this share (figures with a flat or a round
/// top).
const UNEVEN: f32 = 0.10;

/// What stands in a field before it is decoded.
pub(super) struct TextScan {
    signal: Signal,
    pub(super) glyphs: Vec<Component>,
}

impl TextScan {
    /// Looks for digits.
    ///
    /// # Errors
    /// Why there is nothing to decode.
    pub(super) fn of(signal: Signal) -> Result<Self, Doubt> {
        let (w, h) = (signal.w, signal.h);
        let mut glyphs: Vec<Component> = Components::of(&signal.mask(), w)
            .found
            .into_iter()
            .filter(|p| p.area >= (h * h / 400).max(4))
            .collect();
        if glyphs.is_empty() {
            return Err(Doubt::Nothing);
        }
        if glyphs
            .iter()
            .any(|p| p.x0 == 0 || p.y0 == 0 || p.x1 == w || p.y1 == h)
        {
            return Err(Doubt::Obstructed);
        }
        glyphs.sort_by_key(|p| p.x0);
        Ok(Self { signal, glyphs })
    }

    /// Colour of the ground, in levels.
    pub(super) fn ground(&self) -> [f32; 3] {
        self.signal.ground
    }

    /// Upper and lower edge of the digits, as shares of the field's height.
    pub(super) fn extent(&self) -> (f32, f32) {
        let h = self.signal.h as f32;
        let top = self.glyphs.iter().map(|p| p.y0).min().unwrap_or(0);
        let bottom = self.glyphs.iter().map(|p| p.y1).max().unwrap_or(0);
        (top as f32 / h, bottom as f32 / h)
    }

    /// Decodes the digits, left to right; `agreed` is the extent that all fields of this size share.
    ///
    /// # Errors
    /// The first reason why the field cannot be read.
    pub(super) fn decode(&self, agreed: Option<(f32, f32)>) -> Result<Vec<Digit>, Doubt> {
        let h = self.signal.h as f32;
        let (top, bottom) = self.extent();
        let tall = bottom - top;
        if let Some(agreed) = agreed {
            let apart = (agreed.0 - top).abs().max((agreed.1 - bottom).abs());
            if apart > UNEVEN * tall {
                return Err(Doubt::Shape);
            }
        }
        if tall < 0.25 {
            return Err(Doubt::Shape);
        }
        let mut digits = Vec::with_capacity(self.glyphs.len());
        for part in &self.glyphs {
            let (y0, y1) = (part.y0 as f32 / h, part.y1 as f32 / h);
            if (y0 - top).max(bottom - y1) > UNEVEN * tall {
                return Err(Doubt::Shape);
            }
            if part.width() as f32 > 0.95 * part.height() as f32 {
                return Err(Doubt::Shape);
            }
            digits.push(self.digit(part)?);
        }
        self.evenly_spaced()?;
        self.unobstructed()?;
        Ok(digits)
    }

    fn digit(&self, part: &Component) -> Result<Digit, Doubt> {
        let pixels = self.stretched(part);
        let aspect = part.width() as f32 / part.height() as f32;
        let Likeness {
            digit,
            best,
            second,
        } = glyphs::compare(&pixels, aspect);
        let margin = best - second;
        // A slanted 1 with a flag is near a 7.
        let twins = matches!(digit, 1 | 7) && margin < TWINS;
        if twins
            || !LIKE
                .iter()
                .any(|(like, apart)| best >= *like && margin >= *apart)
        {
            return Err(Doubt::Unclear);
        }
        // Blur fills small loops, noise opens thin ones: at one of three levels they must be right.
        if ![0.5, 0.35, 0.65]
            .iter()
            .any(|l| fits(digit, &self.loops(part, *l)))
        {
            return Err(Doubt::Unclear);
        }
        let clear = (margin / 0.25).min((best - 0.7) / 0.25).max(0.0);
        Ok(Digit {
            value: digit,
            confidence: 0.5 + 0.5 * clear.min(1.0),
        })
    }

    /// The glyph stretched to the size of the typefaces' pictures: each pixel the mean of its area.
    fn stretched(&self, part: &Component) -> [f32; glyphs::W * glyphs::H] {
        let (w, h) = (part.width() as f32, part.height() as f32);
        std::array::from_fn(|i| {
            let (gx, gy) = ((i % glyphs::W) as f32, (i / glyphs::W) as f32);
            let (sx, sy) = (w / glyphs::W as f32, h / glyphs::H as f32);
            let x = part.x0 as f32 + gx * sx;
            let y = part.y0 as f32 + gy * sy;
            self.area_mean(x, y, x + sx, y + sy)
        })
    }

    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // within the field
    fn area_mean(&self, x0: f32, y0: f32, x1: f32, y1: f32) -> f32 {
        let (mut sum, mut weight) = (0.0, 0.0);
        for y in y0 as usize..(y1.ceil() as usize).min(self.signal.h) {
            let wy = (y1.min(y as f32 + 1.0) - y0.max(y as f32)).max(0.0);
            for x in x0 as usize..(x1.ceil() as usize).min(self.signal.w) {
                let wx = (x1.min(x as f32 + 1.0) - x0.max(x as f32)).max(0.0);
                sum += wx * wy * self.signal.ratio[y * self.signal.w + x].clamp(0.0, 1.0);
                weight += wx * wy;
            }
        }
        if weight > 0.0 { sum / weight } else { 0.0 }
    }

    /// The loops within a glyph: their middle as a share of its height, from the top.
    fn loops(&self, part: &Component, level: f32) -> Vec<f32> {
        // A rim of ground around it joins all that is outside.
        let (w, h) = (part.width() + 2, part.height() + 2);
        let inside = |x: usize, y: usize| {
            (1..=part.width()).contains(&x) && (1..=part.height()).contains(&y)
        };
        let ground: Vec<bool> = (0..w * h)
            .map(|i| {
                let (x, y) = (i % w, i / w);
                let at = |x: usize, y: usize| self.signal.ratio[y * self.signal.w + x];
                !inside(x, y) || at(part.x0 + x - 1, part.y0 + y - 1) < level
            })
            .collect();
        let least = (part.area / 100).max(2);
        Components::of(&ground, w)
            .found
            .iter()
            .filter(|p| p.x0 > 0 && p.area >= least)
            .map(|p| (p.y0 + p.y1) as f32 / 2.0 / h as f32)
            .collect()
    }

    /// No digit is missing between two others.
    fn evenly_spaced(&self) -> Result<(), Doubt> {
        let tall = self.glyphs.iter().map(Component::height).max().unwrap_or(1) as f32;
        let apart = self
            .glyphs
            .windows(2)
            .any(|p| (p[1].x0 as f32 - p[0].x1 as f32) > 0.62 * tall);
        if apart { Err(Doubt::Shape) } else { Ok(()) }
    }

    /// Whether all around the digits is plain ground.
    fn unobstructed(&self) -> Result<(), Doubt> {
        /// Side of the blocks that are averaged, in pixels.
        const BLOCK: usize = 4;
        /// Levels by which something large that is no ground differs …
        const DULL: f32 = 8.0;
        /// … but at least this share of the contrast: light falls unevenly on bright boards.
        const LARGE_LEAST: f32 = 0.05;
        /// … and this much of a pixel's noise, which is not quite averaged out.
        const LARGE_NOISE: f32 = 0.5;
        let s = &self.signal;
        let least = ((COVERED / s.contrast).min(0.08) + 1.0 * s.noise).max(6.0 / s.contrast);
        if s.ground_off.iter().any(|v| *v > least) {
            return Err(Doubt::Obstructed);
        }
        // Light spreads this far from a stroke.
        let rim = s.h / 12 + 2;
        let near = |x: usize, y: usize, side: usize| {
            self.glyphs.iter().any(|p| {
                x + side + rim > p.x0 && x < p.x1 + rim && y + side + rim > p.y0 && y < p.y1 + rim
            })
        };
        let seen = |x: usize, y: usize, side: usize| {
            let (mut ink, mut off) = (0.0, 0.0);
            for y in y..y + side {
                let row = y * s.w + x..y * s.w + x + side;
                ink += s.plain[row.clone()].iter().sum::<f32>();
                off += s.off[row].iter().sum::<f32>();
            }
            let n = (side * side) as f32;
            (ink / n, off / n)
        };
        for y in (0..s.h.saturating_sub(BLOCK)).step_by(BLOCK) {
            for x in (0..s.w.saturating_sub(BLOCK)).step_by(BLOCK) {
                if near(x, y, BLOCK) {
                    continue;
                }
                let (ink, off) = seen(x, y, BLOCK);
                if off > least || ink.abs() > (COVERED / s.contrast).min(0.06) + 0.6 * least {
                    return Err(Doubt::Obstructed);
                }
            }
        }
        // What is dull and large is told from noise by its size.
        let large = (s.h / 6).max(2 * BLOCK);
        let dull = (DULL / s.contrast).max(LARGE_LEAST) + LARGE_NOISE * s.noise;
        for y in (0..s.h.saturating_sub(large)).step_by(large / 2) {
            for x in (0..s.w.saturating_sub(large)).step_by(large / 2) {
                if near(x, y, large) {
                    continue;
                }
                let (ink, off) = seen(x, y, large);
                if ink.hypot(off) > dull {
                    return Err(Doubt::Obstructed);
                }
            }
        }
        Ok(())
    }
}

/// Whether a digit has such loops.
fn fits(digit: u8, loops: &[f32]) -> bool {
    match (digit, loops) {
        (1 | 2 | 3 | 5 | 7, []) => true,
        (4, []) => true,
        (0, [at]) => (0.4..0.6).contains(at),
        (4, [at]) => (0.25..0.65).contains(at),
        (6, [at]) => *at > 0.52,
        (9, [at]) => *at < 0.48,
        (8, [a, b]) => a.min(*b) < 0.45 && a.max(*b) > 0.55,
        _ => false,
    }
}
