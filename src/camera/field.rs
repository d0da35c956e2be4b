//! One field of a board as ink upon ground: colours become one number a pixel.
//!
//! The ground is found row by row of the camera, so that bands of a rolling shutter and falling light are no ink.
//! The ink is what differs most from it; each pixel's difference is split into its share along the
//! ink's colour (0 ground, 1 ink) and what does not belong to that colour at all. The latter, and
//! shares far outside 0 to 1, are how a cover or a reflection betrays itself. Knows no digits.

use super::light::{Light, in_full_light};
use super::lines::Lines;
use super::picture::RectifiedBoard;
use super::quad::Rect;
use super::rank::{middle_fifth, nth_smallest};

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

/// Three channels, each by itself, so that several pixels are reckoned at once.
type Planes = [Vec<f32>; 3];

/// A field split into ink and ground.
pub(super) struct Signal {
    pub(super) w: usize,
    pub(super) h: usize,
    /// Share of ink of each pixel, lightly smoothed.
    pub(super) ink: Vec<f32>,
    /// The same against the brightest nearby: bands of a rolling shutter dim lit digits line by line.
    pub(super) ratio: Vec<f32>,
    /// The share of ink as the camera saw it: what is dark says less of what may be in the way.
    pub(super) plain: Vec<f32>,
    /// Difference from the ground that is not of the ink's colour, as share of the contrast; as the
    /// camera saw it.
    pub(super) off: Vec<f32>,
    /// Pixels too dim to say anything.
    pub(super) dim: Vec<bool>,
    /// Difference between ink and ground in levels.
    pub(super) contrast: f32,
    /// Noise of a pixel as share of the contrast.
    pub(super) noise: f32,
    /// Whether ink is brighter than the ground.
    pub(super) lit: bool,
    /// The ground's colour, in levels.
    pub(super) ground: [f32; 3],
    /// How far each line's ground is from the field's colour, as share of the contrast.
    pub(super) ground_off: Vec<f32>,
}

impl Signal {
    /// Looks at a field; `None` when nothing in it stands out.
    pub(super) fn of(board: &RectifiedBoard, rect: &Rect, light: Option<&Light>) -> Option<Self> {
        let (x0, y0, w, h) = rect.pixels(board.size());
        if w < MIN_HEIGHT / 2 || h < MIN_HEIGHT {
            return None;
        }
        let (rgb, trust) = pixels(board, (x0, y0, w, h), light);
        let middle_of = |at: u32, len: u32| at as f32 + len as f32 / 2.0;
        let tilt = board.tilt(middle_of(x0, w), middle_of(y0, h));
        let (w, h) = (w as usize, h as usize);
        let lit = ink_is_brighter(&rgb);
        let lines = Lines::new(w, h, tilt);
        let mut keyed = Vec::with_capacity(w);
        let rows = lines.map_lines(&rgb, MIN_LINE, |line| ground_of(line, lit, &mut keyed));
        let rows = smooth_rows(&rows);
        let mean = mean_color(&rows);
        let deltas = deltas(&rgb, &lines, &rows, mean, lit);
        let sign = if lit { 1.0 } else { -1.0 };
        let reach = each(&deltas)
            .map(|[r, g, b]| (r + g + b) * sign)
            .collect::<Vec<f32>>();
        let ink = ink_color(&deltas, &reach)?;
        let square: f32 = ink.iter().map(|v| v * v).sum();
        let contrast = square.sqrt();
        let noise = noise_of(&reach, w) / contrast;
        if contrast < MIN_CONTRAST || noise * MIN_CONTRAST_NOISE > 1.0 {
            return None;
        }
        let smooth = deltas.map(|plane| blur3(&plane, w));
        let along: Vec<f32> = each(&smooth)
            .map(|[r, g, b]| (r * ink[0] + g * ink[1] + b * ink[2]) / square)
            .collect();
        let mut off: Vec<f32> = each(&smooth)
            .zip(&along)
            .map(|([r, g, b], share)| {
                let (r, g, b) = (r - share * ink[0], g - share * ink[1], b - share * ink[2]);
                (r * r + g * g + b * b).sqrt() / contrast
            })
            .collect();
        let mut plain = along.clone();
        let mut ground_off = ground_off(&rows, mean, contrast);
        if let Some(trust) = trust {
            let weigh = |values: &mut [f32], trust: &[f32]| {
                values.iter_mut().zip(trust).for_each(|(v, t)| *v *= t);
            };
            weigh(&mut off, &trust);
            weigh(&mut plain, &trust);
            let of_lines = lines.map_lines(&trust, 1, |line| line[line.len() / 2]);
            weigh(&mut ground_off, &of_lines);
        }
        let mut ratio = along.clone();
        let mut dim = vec![false; w * h];
        if lit {
            let (envelope, dim_lines) = envelope(&lines, &along, (w, h), noise);
            for (range, line) in lines.stretches() {
                let brightest = envelope[line];
                ratio[range.clone()]
                    .iter_mut()
                    .for_each(|v| *v /= brightest);
                if dim_lines[line] {
                    dim[range].fill(true);
                }
            }
        }
        Some(Self {
            w,
            h,
            ink: along,
            ratio,
            plain,
            off,
            dim,
            contrast,
            noise,
            lit,
            ground: mean,
            ground_off,
        })
    }

    /// Which pixels are ink: bright for their line, and not only because nothing else is in it.
    pub(super) fn mask(&self) -> Vec<bool> {
        let each = self.ratio.iter().zip(&self.ink);
        each.map(|(ratio, ink)| *ratio > 0.5 && *ink > MIN_INK)
            .collect()
    }
}

/// A field's pixels as they were in full light, and the light of each where it is not even.
fn pixels(
    board: &RectifiedBoard,
    (x0, y0, w, h): (u32, u32, u32, u32),
    light: Option<&Light>,
) -> (Vec<[u8; 3]>, Option<Vec<f32>>) {
    let mut rgb = Vec::with_capacity(w as usize * h as usize);
    for y in y0..y0 + h {
        let at = (y as usize * board.width as usize + x0 as usize) * 3;
        let row = board.rgb[at..at + w as usize * 3].chunks_exact(3);
        rgb.extend(row.map(|p| [p[0], p[1], p[2]]));
    }
    let trust: Option<Vec<f32>> = light.map(|light| {
        let places = (y0..y0 + h).flat_map(|y| (x0..x0 + w).map(move |x| (x, y)));
        places.map(|(x, y)| light.at(board, x, y)).collect()
    });
    for (pixel, share) in rgb.iter_mut().zip(trust.iter().flatten()) {
        *pixel = in_full_light(*pixel, *share);
    }
    (rgb, trust)
}

/// How far each pixel is from its line's ground.
fn deltas(rgb: &[[u8; 3]], lines: &Lines, rows: &[[f32; 3]], mean: [f32; 3], lit: bool) -> Planes {
    let mut planes: Planes = std::array::from_fn(|_| vec![0.0; rgb.len()]);
    for (range, line) in lines.stretches() {
        let ground = rows[line];
        // Printed ink darkens as its ground does; lit ink adds to it.
        let gain = if lit {
            1.0
        } else {
            (sum(ground) / sum(mean).max(1.0)).clamp(0.05, 4.0)
        };
        for (c, plane) in planes.iter_mut().enumerate() {
            let to = plane[range.clone()].iter_mut();
            for (to, p) in to.zip(&rgb[range.clone()]) {
                *to = (f32::from(p[c]) - ground[c]) / gain;
            }
        }
    }
    planes
}

/// All pixels.
fn each([r, g, b]: &Planes) -> impl Iterator<Item = [f32; 3]> {
    r.iter().zip(g).zip(b).map(|((r, g), b)| [*r, *g, *b])
}

fn sum(c: [f32; 3]) -> f32 {
    c[0] + c[1] + c[2]
}

/// Whether what differs most from the middle is brighter than it.
#[allow(clippy::cast_possible_truncation)] // a channel has 256 levels
fn ink_is_brighter(rgb: &[[u8; 3]]) -> bool {
    let mut counts = [[0_u32; 256]; 3];
    for p in rgb {
        for c in 0..3 {
            counts[c][usize::from(p[c])] += 1;
        }
    }
    // The value below which some percent of the pixels lie, for each channel.
    let at = |percent: usize| -> [f32; 3] {
        let want = rgb.len() * percent / 100;
        std::array::from_fn(|c| {
            let mut seen = 0;
            let within = |count: &u32| {
                seen += *count as usize;
                seen > want
            };
            counts[c].iter().position(within).unwrap_or(255) as f32
        })
    };
    let (low, middle, high) = (at(3), at(50), at(97));
    let reach = |end: [f32; 3]| -> f32 { (0..3).map(|c| (end[c] - middle[c]).abs()).sum() };
    reach(high) > reach(low)
}

/// The middle colour of the third of a row's pixels that is farthest from ink: a row of a lit 8 is
/// up to two thirds ink. The mean would be of no colour at all where a cover is half of it.
fn ground_of(row: &[[u8; 3]], lit: bool, keyed: &mut Vec<u64>) -> [f32; 3] {
    keyed.clear();
    // The colour goes along below its brightness.
    keyed.extend(row.iter().map(|p| {
        let [r, g, b] = p.map(u64::from);
        let bright = 5 * r + 9 * g + 2 * b;
        let key = if lit { bright } else { 16 * 255 - bright };
        key << 24 | r << 16 | g << 8 | b
    }));
    let third = (keyed.len() / 3).max(1);
    keyed.select_nth_unstable(third - 1);
    std::array::from_fn(|c| middle_fifth(keyed[..third].iter().map(|k| k.to_be_bytes()[5 + c])))
}

/// Middle of five rows, then the mean of five: a single row of ink is no ground.
fn smooth_rows(rows: &[[f32; 3]]) -> Vec<[f32; 3]> {
    let window = |y: usize| y.saturating_sub(2)..(y + 3).min(rows.len());
    let medians: Vec<[f32; 3]> = (0..rows.len())
        .map(|y| {
            std::array::from_fn(|c| {
                let near = &rows[window(y)];
                let mut values = [0.0_f32; 5];
                let values = &mut values[..near.len()];
                values.iter_mut().zip(near).for_each(|(v, r)| *v = r[c]);
                values.sort_unstable_by(f32::total_cmp);
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
fn ink_color(deltas: &Planes, reach: &[f32]) -> Option<[f32; 3]> {
    // The uppermost half percent is noise and sparks.
    let top = nth_smallest(reach, reach.len() * 995 / 1000);
    let (mut total, mut n) = ([0.0_f32; 3], 0_u32);
    for (i, _) in reach.iter().enumerate().filter(|(_, r)| **r > 0.7 * top) {
        for c in 0..3 {
            total[c] += deltas[c][i];
        }
        n += 1;
    }
    (top > 0.0 && n > 0).then(|| total.map(|v| v / n as f32))
}

/// Standard deviation of one pixel's noise in levels, from differences between neighbours.
fn noise_of(reach: &[f32], w: usize) -> f32 {
    let steps: Vec<f32> = reach
        .chunks_exact(w)
        .step_by(4)
        .flat_map(|row| row.windows(2).map(|p| (p[0] - p[1]).abs()))
        .collect();
    // Median of |difference| to deviation: 1.4826 / √2; three channels were added up.
    nth_smallest(&steps, steps.len() / 2) * 1.048 / 3.0_f32.sqrt()
}

/// The mean of each pixel's 3 × 3 neighbours; at the rim, of those there are and itself again.
fn blur3(plane: &[f32], w: usize) -> Vec<f32> {
    let h = plane.len() / w;
    let mut across = vec![0.0_f32; plane.len()];
    for (from, to) in plane.chunks_exact(w).zip(across.chunks_exact_mut(w)) {
        for (to, near) in to[1..w - 1].iter_mut().zip(from.windows(3)) {
            *to = (near[0] + near[1] + near[2]) * (1.0 / 3.0);
        }
        to[0] = (2.0 * from[0] + from[1]) / 3.0;
        to[w - 1] = (2.0 * from[w - 1] + from[w - 2]) / 3.0;
    }
    let mut out = vec![0.0_f32; plane.len()];
    for (y, to) in out.chunks_exact_mut(w).enumerate() {
        let at = |y: usize| &across[y * w..(y + 1) * w];
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
    let brightest = lines.map_lines(ink, width / 2, |line| {
        nth_smallest(line, line.len() * 97 / 100)
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
