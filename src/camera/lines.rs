//! Lines of a field along the camera's own rows.
//!
//! A rolling shutter darkens rows of the picture. Seen from the front, these lie aslant on a board that
//! was filmed from aside: over the width of a field they rise or fall by a quarter of a digit's height.

/// Which pixels of a field the camera saw in one row.
pub(super) struct Lines {
    w: usize,
    h: usize,
    /// Columns that are alike: the first, one past the last, and the line of their uppermost pixel.
    steps: Vec<(usize, usize, usize)>,
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
        let mut steps: Vec<(usize, usize, usize)> = Vec::new();
        for x in 0..w {
            let first = (fall(x) - least).round() as usize;
            match steps.last_mut() {
                Some(step) if step.2 == first => step.1 = x + 1,
                _ => steps.push((x, x + 1, first)),
            }
        }
        let count = h + steps.iter().map(|s| s.2).max().unwrap_or(0);
        Self { w, h, steps, count }
    }

    /// Number of lines.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Stretches of neighbours of one line: the first pixel, one past the last, and their line; row by
    /// row.
    pub(super) fn stretches(&self) -> impl Iterator<Item = (std::ops::Range<usize>, usize)> {
        (0..self.h).flat_map(move |y| {
            let step = move |&(x0, x1, first): &(usize, usize, usize)| {
                (y * self.w + x0..y * self.w + x1, y + first)
            };
            self.steps.iter().map(step)
        })
    }

    /// Maps the pixels of each line to a result; lines of fewer than `least` pixels, in the corners, get
    /// the result of the nearest one.
    pub(super) fn map_lines<T: Copy, R: Clone>(
        &self,
        pixels: &[T],
        least: usize,
        mut map: impl FnMut(&mut Vec<T>) -> R,
    ) -> Vec<R> {
        let mut row = Vec::with_capacity(self.w);
        let mut results: Vec<Option<R>> = Vec::with_capacity(self.count);
        for line in 0..self.count {
            row.clear();
            for &(x0, x1, first) in &self.steps {
                if let Some(y) = line.checked_sub(first).filter(|y| *y < self.h) {
                    row.extend_from_slice(&pixels[y * self.w + x0..y * self.w + x1]);
                }
            }
            let enough = row.len() >= least.min(self.w);
            results.push(enough.then(|| map(&mut row)));
        }
        let mut out: Vec<R> = Vec::with_capacity(self.count);
        let known = results.iter().flatten().next().cloned();
        for one in results {
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

    /// The line of each pixel.
    fn all(lines: &Lines, n: usize) -> Vec<usize> {
        let mut of = vec![usize::MAX; n];
        for (range, line) in lines.stretches() {
            of[range].fill(line);
        }
        of
    }

    #[test]
    fn a_line_that_falls_joins_pixels_that_are_lower_to_the_right() {
        let lines = Lines::new(40, 20, 0.25);
        let of = all(&lines, 800);
        assert_eq!(lines.count(), 30);
        assert_eq!(of[5 * 40], of[10 * 40 + 20]);
        let level = Lines::new(40, 20, 0.0);
        assert_eq!((level.count(), all(&level, 800)[7 * 40 + 39]), (20, 7));
    }

    #[test]
    fn every_line_has_a_result() {
        let lines = Lines::new(40, 20, -0.25);
        let results = lines.map_lines(&all(&lines, 800), 12, |line| {
            assert!(line.windows(2).all(|p| p[0] == p[1]));
            line[0]
        });
        assert_eq!(results.len(), 30);
        assert_eq!((results[15], results[0] > 0), (15, true));
    }
}
