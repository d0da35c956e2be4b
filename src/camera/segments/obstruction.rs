//! Whether all that is no segment is plain ground: a cover or a reflection leaves its mark there.

use super::super::field::COVERED;
use super::super::reading::Doubt;
use super::runs::shift;
use super::{SegmentScan, pixel};

impl SegmentScan {
    /// Whether all that is no stroke of a digit, lit or not, is plain ground.
    pub(super) fn unobstructed(
        &self,
        top: f32,
        bottom: f32,
        width: f32,
        pitch: Option<f32>,
    ) -> Result<(), Doubt> {
        let (w, h) = (self.w as f32, self.h as f32);
        let tall = bottom - top;
        // Light spreads this far from a stroke.
        let spread = 0.05 * tall;
        let rim = rim(h);
        let right = self.runs.last().map_or(w, |r| r.x1);
        let pitch = pitch.unwrap_or(1.25 * width);
        let mut zones: Vec<(f32, f32, f32, f32)> = vec![
            (rim, rim, w - rim, (top - spread).max(2.0 * rim)),
            (rim, (bottom + spread).min(h - 2.0 * rim), w - rim, h - rim),
            ((right + spread).min(w - 2.0 * rim), rim, w - rim, h - rim),
        ];
        let mut x1 = right;
        while x1 - width > 0.0 {
            let cell = (x1 - width, x1);
            for (a, b) in [(0.24, 0.38), (0.62, 0.76)] {
                zones.push((
                    cell.0 + 0.4 * width,
                    top + a * tall,
                    cell.0 + 0.6 * width,
                    top + b * tall,
                ));
            }
            x1 -= pitch;
            // Between this cell and the one to its left, or the field's edge.
            zones.push(((x1 + spread).max(rim), rim, cell.0 - spread, h - rim));
        }
        // In a dark band and on a grainy picture more must differ to be seen.
        let least =
            ((COVERED / self.contrast).min(0.07) + 1.2 * self.noise).max(5.0 / self.contrast);
        if self.ground_off > least {
            return Err(Doubt::Obstructed);
        }
        let (mut weak, mut blocks) = (0, 0);
        for zone in zones {
            let seen = self.inspect(zone, least);
            if seen.strong {
                return Err(Doubt::Obstructed);
            }
            weak += seen.weak;
            blocks += seen.blocks;
        }
        // The rim of a reflection in one corner hides nothing.
        if weak * 100 > blocks {
            return Err(Doubt::Obstructed);
        }
        Ok(())
    }

    /// The columns that were not at the left or right edge before some rows were straightened.
    fn within(&self, rows: (usize, usize)) -> (usize, usize) {
        let (w, rim) = (self.w as f32, rim(self.h as f32));
        let [a, b] = [rows.0, rows.1].map(|y| shift(y, self.h, self.shear) as f32);
        (
            pixel(rim + a.max(b), self.w),
            pixel(w - rim + a.min(b), self.w),
        )
    }

    /// Inspects a part of the field that should be plain ground, block by block.
    fn inspect(&self, zone: (f32, f32, f32, f32), least: f32) -> BlockStats {
        /// Side of the blocks that are averaged, in pixels.
        const BLOCK: usize = 4;
        let mut seen = BlockStats::default();
        let (x0, y0) = (pixel(zone.0, self.w), pixel(zone.1, self.h));
        let (x1, y1) = (pixel(zone.2, self.w), pixel(zone.3, self.h));
        if x1 < x0 + 2 || y1 < y0 + 2 {
            return seen;
        }
        for y in (y0..y1).step_by(BLOCK) {
            let below = (y + BLOCK).min(y1);
            let (left, right) = self.within((y, below));
            let (left, right) = (left.max(x0), right.min(x1));
            for x in (left..right).step_by(BLOCK) {
                let block = (x, y, (x + BLOCK).min(right), below);
                if (block.2 - block.0) * (block.3 - block.1) < 6 {
                    continue;
                }
                seen.blocks += 1;
                let ink = self.mean(&self.plain, block);
                let off = self.mean(&self.off, block);
                let near = self.mean(&self.near, block);
                let least = least + 0.2 * near;
                let glow = 0.04 + least + 1.0 * near;
                seen.strong |= off > least + (1.3 * COVERED / self.contrast).min(0.09)
                    || ink > 0.15 + glow
                    || ink < -1.2 * least;
                seen.weak += usize::from(off > least || ink > glow || ink < -0.5 * least);
            }
        }
        seen
    }
}

/// Where a display ends may be seen so far from the field's own edge, in pixels.
fn rim(h: f32) -> f32 {
    (0.025 * h).max(2.0)
}

/// What stands in a part of the field that should be plain ground.
#[derive(Default)]
struct BlockStats {
    blocks: usize,
    /// Blocks of another colour.
    weak: usize,
    /// Whether one is of quite another colour, or as bright as ink.
    strong: bool,
}
