//! One field of a board as ink upon ground: colours become one number a pixel.
//!
//! The ground is found row by row of the camera, so that bands of a rolling shutter and falling light are no ink.
//! The ink is what differs most from it; each pixel's difference is split into its share along the
//! ink's colour (0 ground, 1 ink) and what does not belong to that colour at all. The latter, and
//! shares far outside 0 to 1, are how a cover or a reflection betrays itself. Knows no digits.

use super::light::{Light, lit as in_full_light};
use super::lines::Lines;
use super::picture::Rectified;
use super::quad::Rect;

/// Fewest pixels of a field's height in which a digit can be told from another.
const MIN_HEIGHT: u32 = 16;
/// Least share of the brightest ink that is ink: unlit segments shimmer with less.
pub(super) const MIN_INK: f32 = 0.2;
/// A part of a field whose ground is so many levels off is covered, however bright the ink is.
pub(super) const COVERED: f32 = 16.0;
/// Fewest pixels of a line that tell what its ground is.
const MIN_LINE: usize = 12;
/// Least difference between ink and ground, in levels of 255: below, noise looks like digits.
const MIN_CONTRAST: f32 = 18.0;
/// … and in multiples of the noise of one pixel.
const MIN_CONTRAST_NOISE: f32 = 5.0;

/// A field split into ink and ground.
pub(super) struct Signal {
    pub(super) w: usize,
    pub(super) h: usize,
    /// Share of ink of each pixel, lightly smoothed.
    pub(super) ink: Vec<f32>,
    /// The same as the camera saw it: what is dark says less of what may be in the way.
    pub(super) plain: Vec<f32>,
    /// Difference from the ground that is not of the ink's colour, as share of the contrast; as the
    /// camera saw it.
    pub(super) off: Vec<f32>,
    /// Difference between ink and ground in levels.
    pub(super) contrast: f32,
    /// Noise of a pixel as share of the contrast.
    pub(super) noise: f32,
    /// Whether ink is brighter than the ground.
    pub(super) lit: bool,
    /// The camera's rows.
    lines: Lines,
    /// The brightest ink around each line: bands of a rolling shutter dim lit digits line by line.
    envelope: Vec<f32>,
    /// Lines too dim to say anything.
    dim: Vec<bool>,
    /// The ground's colour, in levels.
    pub(super) ground: [f32; 3],
    /// How far each line's ground is from the field's colour, as share of the contrast.
    pub(super) ground_off: Vec<f32>,
}

impl Signal {
    /// Looks at a field; `None` when nothing in it stands out.
    pub(super) fn of(board: &Rectified, rect: &Rect, light: Option<&Light>) -> Option<Self> {
        let (x0, y0, w, h) = rect.pixels(board.size());
        if w < MIN_HEIGHT / 2 || h < MIN_HEIGHT {
            return None;
        }
        let (wu, hu) = (w as usize, h as usize);
        let mut rgb = Vec::with_capacity(wu * hu);
        let mut trust = Vec::with_capacity(wu * hu);
        for y in y0..y0 + h {
            for x in x0..x0 + w {
                let share = light.map_or(1.0, |light| light.at(board, x, y));
                rgb.push(in_full_light(board.pixel(x, y), share));
                trust.push(share);
            }
        }
        let middle = percentile_color(rgb.iter(), 50);
        let lit = ink_is_brighter(&rgb, middle);
        let middle_of = |at: u32, len: u32| at as f32 + len as f32 / 2.0;
        let lines = Lines::new(wu, hu, board.tilt(middle_of(x0, w), middle_of(y0, h)));
        let rows = lines.tell(&rgb, MIN_LINE, |line| ground_of(line, lit));
        let rows = smooth_rows(&rows);
        // Printed ink darkens as its ground does; lit ink adds to it.
        let mean = mean_color(&rows);
        let gain: Vec<f32> = rows
            .iter()
            .map(|row| {
                if lit {
                    1.0
                } else {
                    (sum(*row) / sum(mean).max(1.0)).clamp(0.05, 4.0)
                }
            })
            .collect();
        let deltas: Vec<[f32; 3]> = rgb
            .iter()
            .enumerate()
            .map(|(i, p)| {
                let line = lines.of(i % wu, i / wu);
                let (ground, gain) = (rows[line], gain[line]);
                std::array::from_fn(|c| (f32::from(p[c]) - ground[c]) / gain)
            })
            .collect();
        let ink = ink_color(&deltas, lit)?;
        let square: f32 = ink.iter().map(|v| v * v).sum();
        let contrast = square.sqrt();
        let noise = noise_of(&deltas, wu) / contrast;
        if contrast < MIN_CONTRAST || noise * MIN_CONTRAST_NOISE > 1.0 {
            return None;
        }
        let mut along = Vec::with_capacity(deltas.len());
        let mut off = Vec::with_capacity(deltas.len());
        let deltas = blur3(&deltas, wu);
        let mut plain = Vec::with_capacity(deltas.len());
        for (d, trust) in deltas.iter().zip(&trust) {
            let share = (d[0] * ink[0] + d[1] * ink[1] + d[2] * ink[2]) / square;
            let rest: f32 = (0..3).map(|c| (d[c] - share * ink[c]).powi(2)).sum();
            along.push(share);
            off.push(trust * rest.sqrt() / contrast);
            plain.push(trust * share);
        }
        let ground_off: Vec<f32> = ground_off(&rows, mean, contrast)
            .into_iter()
            .zip(lines.tell(&trust, 1, |line| line[line.len() / 2]))
            .map(|(off, trust)| off * trust)
            .collect();
        let (envelope, dim) = if lit {
            envelope(&lines, &along, (wu, hu), noise)
        } else {
            (vec![1.0; lines.count()], vec![false; lines.count()])
        };
        Some(Self {
            lines,
            envelope,
            dim,
            ground: mean,
            w: wu,
            h: hu,
            ink: along,
            plain,
            off,
            contrast,
            noise,
            lit,
            ground_off,
        })
    }

    /// Share of ink against the brightest nearby.
    pub(super) fn at(&self, x: usize, y: usize) -> f32 {
        self.ink[y * self.w + x] / self.envelope[self.lines.of(x, y)]
    }

    /// Which pixels are ink: bright for their line, and not only because nothing else is in it.
    pub(super) fn mask(&self) -> Vec<bool> {
        self.each(|x, y| self.at(x, y) > 0.5 && self.ink[y * self.w + x] > MIN_INK)
    }

    /// Which pixels are too dim to say anything.
    pub(super) fn dim(&self) -> Vec<bool> {
        self.each(|x, y| self.dim[self.lines.of(x, y)])
    }

    /// [`at`](Self::at) everywhere.
    pub(super) fn ratio(&self) -> Vec<f32> {
        self.each(|x, y| self.at(x, y))
    }

    fn each<T>(&self, of: impl Fn(usize, usize) -> T) -> Vec<T> {
        (0..self.w * self.h)
            .map(|i| of(i % self.w, i / self.w))
            .collect()
    }
}

fn sum(c: [f32; 3]) -> f32 {
    c[0] + c[1] + c[2]
}

/// The value below which `percent` of the pixels lie, for each channel.
#[allow(clippy::cast_possible_truncation)] // a channel has 256 levels
fn percentile_color<'a>(pixels: impl Iterator<Item = &'a [u8; 3]>, percent: usize) -> [f32; 3] {
    let mut counts = [[0_u32; 256]; 3];
    let mut n = 0_usize;
    for p in pixels {
        for c in 0..3 {
            counts[c][usize::from(p[c])] += 1;
        }
        n += 1;
    }
    let want = n * percent / 100;
    std::array::from_fn(|c| {
        let mut seen = 0;
        for (value, count) in counts[c].iter().enumerate() {
            seen += *count as usize;
            if seen > want {
                return value as f32;
            }
        }
        255.0
    })
}

/// Whether what differs most from the ground is brighter than it.
fn ink_is_brighter(rgb: &[[u8; 3]], middle: [f32; 3]) -> bool {
    let low = percentile_color(rgb.iter(), 3);
    let high = percentile_color(rgb.iter(), 97);
    let reach = |end: [f32; 3]| -> f32 { (0..3).map(|c| (end[c] - middle[c]).abs()).sum() };
    reach(high) > reach(low)
}

/// The middle colour of the third of a row's pixels that is farthest from ink: a row of a lit 8 is
/// up to two thirds ink. The mean would be of no colour at all where a cover is half of it.
fn ground_of(row: &[[u8; 3]], lit: bool) -> [f32; 3] {
    let mut keyed: Vec<(u32, [u8; 3])> = row
        .iter()
        .map(|p| {
            let bright = 5 * u32::from(p[0]) + 9 * u32::from(p[1]) + 2 * u32::from(p[2]);
            (if lit { bright } else { 16 * 255 - bright }, *p)
        })
        .collect();
    let third = (keyed.len() / 3).max(1);
    keyed.select_nth_unstable_by_key(third - 1, |(key, _)| *key);
    std::array::from_fn(|c| {
        let mut values: Vec<u8> = keyed[..third].iter().map(|(_, p)| p[c]).collect();
        // The mean of the middle fifth: a middle alone has steps of a whole level.
        let (from, to) = (third * 2 / 5, (third * 3 / 5).max(third * 2 / 5 + 1));
        values.select_nth_unstable(from);
        if to < third {
            values[from..].select_nth_unstable(to - from);
        }
        let middle = &values[from..to];
        middle.iter().map(|v| f32::from(*v)).sum::<f32>() / middle.len() as f32
    })
}

/// Middle of five rows, then the mean of five: a single row of ink is no ground.
fn smooth_rows(rows: &[[f32; 3]]) -> Vec<[f32; 3]> {
    let window = |y: usize| y.saturating_sub(2)..(y + 3).min(rows.len());
    let medians: Vec<[f32; 3]> = (0..rows.len())
        .map(|y| {
            std::array::from_fn(|c| {
                let mut values: Vec<f32> = rows[window(y)].iter().map(|r| r[c]).collect();
                values.sort_by(f32::total_cmp);
                values[values.len() / 2]
            })
        })
        .collect();
    (0..rows.len())
        .map(|y| mean_color(&medians[window(y)]))
        .collect()
}

fn mean_color(colors: &[[f32; 3]]) -> [f32; 3] {
    let n = colors.len().max(1) as f32;
    std::array::from_fn(|c| colors.iter().map(|r| r[c]).sum::<f32>() / n)
}

/// The mean colour of the pixels that differ most, in the direction of ink.
fn ink_color(deltas: &[[f32; 3]], lit: bool) -> Option<[f32; 3]> {
    let sign = if lit { 1.0 } else { -1.0 };
    let reach: Vec<f32> = deltas.iter().map(|d| sum(*d) * sign).collect();
    let mut ranked = reach.clone();
    // The uppermost half percent is noise and sparks.
    let at = ranked.len() * 995 / 1000;
    let (_, top, _) = ranked.select_nth_unstable_by(at, f32::total_cmp);
    let top = *top;
    let strong: Vec<[f32; 3]> = deltas
        .iter()
        .zip(&reach)
        .filter(|(_, r)| **r > 0.7 * top)
        .map(|(d, _)| *d)
        .collect();
    (top > 0.0 && !strong.is_empty()).then(|| mean_color(&strong))
}

/// Standard deviation of one pixel's noise in levels, from differences between neighbours.
fn noise_of(deltas: &[[f32; 3]], w: usize) -> f32 {
    let mut steps: Vec<f32> = deltas
        .chunks_exact(w)
        .step_by(4)
        .flat_map(|row| row.windows(2).map(|p| (sum(p[0]) - sum(p[1])).abs()))
        .collect();
    if steps.is_empty() {
        return 0.0;
    }
    let half = steps.len() / 2;
    let (_, median, _) = steps.select_nth_unstable_by(half, f32::total_cmp);
    // Median of |difference| to deviation: 1.4826 / √2; three channels were added up.
    *median * 1.048 / 3.0_f32.sqrt()
}

/// The mean of each pixel's 3 × 3 neighbours; at the rim, of those there are and itself again.
fn blur3(deltas: &[[f32; 3]], w: usize) -> Vec<[f32; 3]> {
    let flat = deltas.as_flattened();
    let row = w * 3;
    let h = flat.len() / row;
    let mut across = vec![0.0_f32; flat.len()];
    for (from, to) in flat.chunks_exact(row).zip(across.chunks_exact_mut(row)) {
        for (i, to) in to[3..row - 3].iter_mut().enumerate() {
            *to = (from[i] + from[i + 3] + from[i + 6]) * (1.0 / 3.0);
        }
        for c in 0..3 {
            to[c] = (2.0 * from[c] + from[c + 3]) / 3.0;
            to[row - 3 + c] = (2.0 * from[row - 3 + c] + from[row - 6 + c]) / 3.0;
        }
    }
    let mut out = vec![[0.0_f32; 3]; deltas.len()];
    for (y, to) in out.as_flattened_mut().chunks_exact_mut(row).enumerate() {
        let at = |y: usize| &across[y * row..(y + 1) * row];
        let (up, mid, down) = (at(y.saturating_sub(1)), at(y), at((y + 1).min(h - 1)));
        for (((to, a), b), c) in to.iter_mut().zip(up).zip(mid).zip(down) {
            *to = (a + b + c) * (1.0 / 3.0);
        }
    }
    out
}

/// How far each row's ground is from a darker or brighter shade of the field's own.
fn ground_off(rows: &[[f32; 3]], mean: [f32; 3], contrast: f32) -> Vec<f32> {
    let square: f32 = mean.iter().map(|v| v * v).sum::<f32>().max(1.0);
    rows.iter()
        .map(|row| {
            let k = (0..3).map(|c| row[c] * mean[c]).sum::<f32>() / square;
            let rest: f32 = (0..3).map(|c| (row[c] - k * mean[c]).powi(2)).sum();
            rest.sqrt() / contrast
        })
        .collect()
}

/// The brightest ink around each row, and which rows are too dim.
fn envelope(
    lines: &Lines,
    ink: &[f32],
    (width, tall): (usize, usize),
    noise: f32,
) -> (Vec<f32>, Vec<bool>) {
    let h = lines.count();
    let brightest: Vec<f32> = lines.tell(ink, width / 2, |line| {
        let at = line.len() * 97 / 100;
        let (_, value, _) = line.select_nth_unstable_by(at, f32::total_cmp);
        *value
    });
    // A line along a field's corner holds no digit. A row through unlit segments only is judged by its neighbours.
    let reach = tall * 12 / 100;
    let floor = 0.07_f32.max(3.0 * noise);
    let raw: Vec<f32> = (0..h)
        .map(|y| {
            let near = y.saturating_sub(reach)..(y + reach + 1).min(h);
            near.map(|n| brightest[n] * (1.0 - 0.45 * n.abs_diff(y) as f32 / reach.max(1) as f32))
                .fold(0.0, f32::max)
        })
        .collect();
    let dim = raw.iter().map(|v| *v < floor).collect();
    (raw.iter().map(|v| v.max(floor)).collect(), dim)
}
