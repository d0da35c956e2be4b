//! Lines of a field along the camera's own rows.
//!
//! A rolling shutter darkens rows of the picture. Seen from the front, these lie aslant on a board that
//! was filmed from aside: over the width of a field they rise or fall by a quarter of a digit's height.

/// Which pixels of a field the camera saw in one row.
pub(super) struct Lines {
    w: usize,
    h: usize,
    /// For each column, the line of its uppermost pixel.
    first: Vec<usize>,
    /// Number of lines.
    count: usize,
}

impl Lines {
    /// Lines that fall by `tilt` pixels for each pixel to the right.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // not below 0, some pixels
    pub(super) fn new(w: usize, h: usize, tilt: f32) -> Self {
        let tilt = if tilt.is_finite() {
            tilt.clamp(-0.5, 0.5)
        } else {
            0.0
        };
        // A line that falls joins pixels that are higher up further to the left.
        let fall = |x: usize| -tilt * x as f32;
        let least = fall(0).min(fall(w.saturating_sub(1)));
        let first: Vec<usize> = (0..w).map(|x| (fall(x) - least).round() as usize).collect();
        let count = h + first.iter().copied().max().unwrap_or(0);
        Self { w, h, first, count }
    }

    /// Number of lines.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// The line of a pixel.
    pub(super) fn of(&self, x: usize, y: usize) -> usize {
        y + self.first[x]
    }

    /// Gathers the pixels of each line, and tells something of it; lines of fewer than `least` pixels,
    /// in the corners, say what the nearest one says.
    pub(super) fn tell<T: Copy, R: Clone>(
        &self,
        pixels: &[T],
        least: usize,
        mut tell: impl FnMut(&mut Vec<T>) -> R,
    ) -> Vec<R> {
        let mut row = Vec::with_capacity(self.w);
        let mut told: Vec<Option<R>> = Vec::with_capacity(self.count);
        for line in 0..self.count {
            row.clear();
            for (x, first) in self.first.iter().enumerate() {
                if let Some(y) = line.checked_sub(*first).filter(|y| *y < self.h) {
                    row.push(pixels[y * self.w + x]);
                }
            }
            let enough = row.len() >= least.min(self.w);
            told.push(enough.then(|| tell(&mut row)));
        }
        let mut out: Vec<R> = Vec::with_capacity(self.count);
        let known = told.iter().flatten().next().cloned();
        for one in told {
            let nearest = one
                .or_else(|| out.last().cloned())
                .or_else(|| known.clone());
            out.extend(nearest);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_falls_joins_pixels_that_are_lower_to_the_right() {
        let lines = Lines::new(40, 20, 0.25);
        assert_eq!(lines.count(), 30);
        assert_eq!(lines.of(0, 5), lines.of(20, 10));
        let level = Lines::new(40, 20, 0.0);
        assert_eq!((level.count(), level.of(39, 7)), (20, 7));
    }

    #[test]
    fn every_line_is_told_of() {
        let lines = Lines::new(40, 20, -0.25);
        let pixels: Vec<usize> = (0..800).map(|i| lines.of(i % 40, i / 40)).collect();
        let told = lines.tell(&pixels, 12, |line| {
            assert!(line.windows(2).all(|p| p[0] == p[1]));
            line[0]
        });
        assert_eq!(told.len(), 30);
        assert_eq!((told[15], told[0] > 0), (15, true));
    }
}
