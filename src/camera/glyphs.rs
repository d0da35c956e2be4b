//! Printed digits told apart by their likeness to those of many typefaces.

use std::sync::LazyLock;

/// Columns of a glyph stretched to its box.
pub(super) const W: usize = 16;
/// Rows.
pub(super) const H: usize = 24;
/// A width-to-height ratio is stored in two hundredths.
const ASPECT_UNIT: f32 = 200.0;
/// A box narrower than this share of its height is one stroke, whatever is in it.
const BAR: f32 = 0.28;

/// Digits 0 to 9 of each typeface: the ratio of width to height, then the pixels.
static FACES: &[u8] = include_bytes!("../../assets/camera/digits.bin");

/// A digit's picture of zero mean and unit length.
struct Template {
    digit: u8,
    aspect: f32,
    pixels: [f32; W * H],
}

static TEMPLATES: LazyLock<Vec<Template>> = LazyLock::new(|| {
    FACES
        .chunks_exact(1 + W * H)
        .enumerate()
        .map(|(i, record)| Template {
            digit: u8::try_from(i % 10).unwrap_or(0),
            aspect: f32::from(record[0]) / ASPECT_UNIT,
            pixels: normal(&std::array::from_fn(|p| f32::from(record[1 + p]))),
        })
        .collect()
});

/// What a glyph looks like.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Likeness {
    /// The digit it is most like.
    pub(super) digit: u8,
    /// Correlation with it, up to 1.
    pub(super) best: f32,
    /// Correlation with the next best digit.
    pub(super) second: f32,
}

/// Compares a glyph, stretched to its box, with all typefaces; `aspect` is its width by its height.
pub(super) fn compare(pixels: &[f32; W * H], aspect: f32) -> Likeness {
    let glyph = normal(pixels);
    let mut best = [-1.0_f32; 10];
    for template in TEMPLATES.iter() {
        let product = product(&glyph, &template.pixels);
        // A stretched bar looks like anything: the shape of the box counts, too. Within one digit
        // typefaces differ in width by a third.
        let apart = (aspect.max(0.05) / template.aspect.max(0.05)).ln().abs();
        let score = product - 0.12 * (apart - 0.3).max(0.0);
        let digit = &mut best[usize::from(template.digit)];
        *digit = digit.max(score);
    }
    let first = (0..10)
        .max_by(|a, b| best[*a].total_cmp(&best[*b]))
        .unwrap_or(0);
    let second = (0..10)
        .filter(|d| *d != first)
        .map(|d| best[d])
        .fold(-1.0, f32::max);
    if aspect < BAR {
        // Only a 1 is a bar.
        return Likeness {
            digit: 1,
            best: 0.9,
            second: 0.5,
        };
    }
    Likeness {
        digit: u8::try_from(first).unwrap_or(0),
        best: best[first],
        second,
    }
}

/// The sum of all products, in lanes that are added up at once.
fn product(a: &[f32; W * H], b: &[f32; W * H]) -> f32 {
    let mut lanes = [0.0_f32; 8];
    for (a, b) in a.chunks_exact(8).zip(b.chunks_exact(8)) {
        for i in 0..8 {
            lanes[i] += a[i] * b[i];
        }
    }
    lanes.iter().sum()
}

fn normal(pixels: &[f32; W * H]) -> [f32; W * H] {
    let n = (W * H) as f32;
    let mean = pixels.iter().sum::<f32>() / n;
    let length = pixels
        .iter()
        .map(|p| (p - mean).powi(2))
        .sum::<f32>()
        .sqrt()
        .max(1e-6);
    std::array::from_fn(|i| (pixels[i] - mean) / length)
}
