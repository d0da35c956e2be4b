//! Filmed boards made up from a number: what is on them is known, and no two are alike.
//!
//! Digits are drawn by pens and bars of their own, of no typeface that the reader has seen; colours,
//! sizes, slants, corners, light and what is in the way follow from the seed alone.

mod film;
pub mod hall;
mod pens;

use fastrand::Rng;
use film::{film, take};
use pens::{Canvas, Rgb, strokes};

/// How the digits of a board are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    Segments,
    Text,
}

/// One field: where it is, what it says.
pub struct Field {
    pub id: String,
    /// Left, top, width, height as shares of the board.
    pub rect: [f32; 4],
    pub digits: String,
    /// Share of its area that is covered or outshone.
    pub hidden: f32,
    /// The most that any place of it is covered or outshone, 0 to 1.
    pub worst: f32,
}

/// A camera's picture of a board.
pub struct Filmed {
    pub width: u32,
    pub height: u32,
    pub rgb: Vec<u8>,
    pub corners: [(f32, f32); 4],
    pub fields: Vec<Field>,
    pub style: Style,
}

/// What makes a picture hard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    None,
    Cover,
    Glare,
    Bands,
    Dark,
    Blur,
    Noise,
}

pub const TROUBLES: [Trouble; 7] = [
    Trouble::None,
    Trouble::Cover,
    Trouble::Glare,
    Trouble::Bands,
    Trouble::Dark,
    Trouble::Blur,
    Trouble::Noise,
];

/// The board as drawn, before it is filmed.
const BW: usize = 1440;

pub const SEGMENTS: [u8; 10] = [0x3f, 0x06, 0x5b, 0x4f, 0x66, 0x6d, 0x7d, 0x07, 0x7f, 0x6f];

struct Design {
    ground: Rgb,
    panel: Rgb,
    ink: Rgb,
    ghost: Rgb,
    slant: f32,
    thick: f32,
    gap: f32,
    variant: bool,
    wide: f32,
}

pub fn pick<T: Copy>(rng: &mut Rng, of: &[T]) -> T {
    of[rng.usize(..of.len())]
}

pub fn between(rng: &mut Rng, a: f32, b: f32) -> f32 {
    a + (b - a) * rng.f32()
}

fn design(rng: &mut Rng, style: Style) -> Design {
    let mixed =
        |a: Rgb, b: Rgb, t: f32| -> Rgb { std::array::from_fn(|i| a[i] + (b[i] - a[i]) * t) };
    match style {
        Style::Segments if rng.u8(..5) == 0 => {
            // A liquid crystal: dark segments on a grey-green glass.
            let ground = pick(
                rng,
                &[[170., 185., 160.], [190., 195., 190.], [150., 170., 130.]],
            );
            let ink = [30., 35., 40.];
            Design {
                ground: [70., 70., 72.],
                panel: ground,
                ink,
                ghost: mixed(ground, ink, between(rng, 0.0, 0.12)),
                slant: pick(rng, &[0.0, 0.0, 0.1]),
                thick: between(rng, 0.11, 0.16),
                gap: between(rng, 0.005, 0.02),
                variant: false,
                wide: between(rng, 0.5, 0.62),
            }
        }
        Style::Segments => {
            let ink = pick(
                rng,
                &[
                    [255., 50., 35.],
                    [60., 255., 90.],
                    [255., 180., 20.],
                    [240., 245., 255.],
                    [70., 130., 255.],
                    [255., 230., 60.],
                ],
            );
            let panel = pick(
                rng,
                &[
                    [12., 12., 14.],
                    [38., 4., 2.],
                    [4., 20., 6.],
                    [22., 22., 26.],
                ],
            );
            Design {
                ground: pick(rng, &[[18., 18., 22.], [40., 42., 44.], [10., 10., 12.]]),
                panel,
                ink,
                ghost: mixed(panel, ink, between(rng, 0.0, 0.17)),
                slant: pick(rng, &[0.0, 0.0, 0.06, 0.12, 0.17]),
                thick: between(rng, 0.11, 0.17),
                gap: between(rng, 0.004, 0.025),
                variant: rng.bool(),
                wide: between(rng, 0.52, 0.66),
            }
        }
        Style::Text => {
            let (ground, ink) = pick(
                rng,
                &[
                    ([250., 250., 250.], [230., 30., 40.]),
                    ([245., 245., 240.], [25., 30., 40.]),
                    ([255., 255., 255.], [50., 80., 200.]),
                    ([20., 30., 70.], [255., 255., 255.]),
                    ([10., 12., 10.], [255., 220., 80.]),
                    ([225., 240., 230.], [10., 110., 60.]),
                    ([250., 235., 200.], [120., 40., 20.]),
                    ([16., 16., 18.], [120., 230., 255.]),
                ],
            );
            Design {
                ground,
                panel: ground,
                ink,
                ghost: ground,
                slant: pick(rng, &[0.0, 0.0, 0.0, 0.1]),
                thick: between(rng, 0.09, 0.2),
                gap: 0.0,
                variant: rng.bool(),
                wide: between(rng, 0.42, 0.62),
            }
        }
    }
}

fn draw_digit(canvas: &mut Canvas, d: &Design, style: Style, digit: u8, at: (f32, f32), tall: f32) {
    let wide = d.wide * tall;
    let pen = d.thick * tall;
    let lean = |x: f32, y: f32| (at.0 + x + d.slant * (tall / 2.0 - y), at.1 + y);
    if style == Style::Text {
        let (w, h) = (wide - pen, tall - pen);
        for line in strokes(digit, d.variant) {
            let line: Vec<_> = line
                .iter()
                .map(|(x, y)| lean(pen / 2.0 + x * w, pen / 2.0 + y * h))
                .collect();
            canvas.pen(&line, pen, d.ink);
        }
        return;
    }
    let (l, r, t, m, b) = (
        pen / 2.0,
        wide - pen / 2.0,
        pen / 2.0,
        tall / 2.0,
        tall - pen / 2.0,
    );
    let g = pen / 2.0 + d.gap * tall;
    let bars = [
        [(l + g, t), (r - g, t)],
        [(r, t + g), (r, m - g)],
        [(r, m + g), (r, b - g)],
        [(l + g, b), (r - g, b)],
        [(l, m + g), (l, b - g)],
        [(l, t + g), (l, m - g)],
        [(l + g, m), (r - g, m)],
    ];
    let lit = if digit > 9 {
        0
    } else {
        SEGMENTS[usize::from(digit)]
    };
    for (i, bar) in bars.iter().enumerate() {
        let c = if lit >> i & 1 == 1 { d.ink } else { d.ghost };
        let line: Vec<_> = bar.iter().map(|(x, y)| lean(*x, *y)).collect();
        canvas.pen(&line, pen * 0.94, c);
    }
}

/// Makes the picture that belongs to a seed.
pub fn make(seed: u64, style: Style, trouble: Trouble) -> Filmed {
    ahead(seed, style, trouble, 0)
}

/// The same, some calls later: every number has grown by as many.
pub fn ahead(seed: u64, style: Style, trouble: Trouble, calls: usize) -> Filmed {
    let rng = &mut random(seed);
    let (canvas, fields) = drawn(rng, style, calls);
    let take = take(rng, &canvas, &fields, trouble);
    film(rng, &canvas, fields, style, take)
}

/// Pictures that a camera takes of one board one after the other: noise is another in each, what is in
/// the way goes past, bands wander, and halfway all tickets are called on.
pub fn sequence(seed: u64, style: Style, trouble: Trouble, n: usize) -> Vec<Filmed> {
    let one = |i: usize| {
        let rng = &mut random(seed);
        let (canvas, fields) = drawn(rng, style, usize::from(2 * i >= n));
        let mut take = take(rng, &canvas, &fields, trouble);
        let gone = i as f32 / n as f32 - 0.5;
        if let Some(blob) = &mut take.blob {
            blob.cx += gone * film::W as f32;
            blob.cy += gone * film::H as f32 * 0.4;
        }
        if let Some(bands) = &mut take.bands {
            bands.phase += 1.7 * i as f32;
        }
        film(&mut random(seed + i as u64), &canvas, fields, style, take)
    };
    (0..n).map(one).collect()
}

fn random(seed: u64) -> Rng {
    Rng::with_seed(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5eed)
}

/// The board itself, and its fields.
fn drawn(rng: &mut Rng, style: Style, calls: usize) -> (Canvas, Vec<Field>) {
    let d = design(rng, style);
    let rows = rng.usize(2..=5);
    let bh = (BW as f32 / between(rng, 1.45, 1.8)) as usize;
    let mut canvas = Canvas {
        w: BW,
        h: bh,
        px: vec![d.ground; BW * bh],
    };
    let head = bh as f32 * 0.12;
    let pitch = (bh as f32 - head) / rows as f32;
    let counts = [rng.usize(2..=4), rng.usize(1..=2)];
    // Labels keep a third of the width.
    let room = 880.0 / ((counts[0] + counts[1]) as f32 * d.wide * 1.3);
    let tall = (pitch * between(rng, 0.55, 0.8))
        .min(bh as f32 * 0.26)
        .min(room);
    let step = d.wide * tall + between(rng, 0.16, 0.3) * d.wide * tall + d.slant * 0.0;
    let mut fields = Vec::new();
    let label = if style == Style::Text {
        d.ink
    } else {
        [200., 200., 205.]
    };
    for row in 0..rows {
        let top = head + pitch * row as f32 + (pitch - tall) / 2.0;
        let mut x = 60.0;
        while x < 330.0 {
            let w = between(rng, 8.0, 40.0);
            canvas.fill(
                x,
                top + tall * 0.35,
                x + w,
                top + tall * 0.35 + between(rng, 4.0, 40.0),
                label,
            );
            x += w + 12.0;
        }
        let mut right = BW as f32 - 90.0;
        for (column, places) in counts.iter().enumerate().rev() {
            let text = match rng.u8(..10) {
                0 => rng.usize(1..10),
                1..3 => rng
                    .usize(1..10_usize.pow(*places as u32 - u32::from(*places > 1)))
                    .max(1),
                _ => rng.usize(10_usize.pow(*places as u32 - 1)..10_usize.pow(*places as u32)),
            };
            let text = (text + if column == 0 { calls } else { 0 }).to_string();
            let width = step * *places as f32;
            let margin = tall * 0.1;
            let lean = d.slant * tall / 2.0;
            let rect = (
                right - width - margin - lean,
                top - margin,
                right + margin + lean,
                top + tall + margin,
            );
            canvas.fill(rect.0, rect.1, rect.2, rect.3, d.panel);
            for place in 0..*places {
                let digit = text
                    .len()
                    .checked_sub(place + 1)
                    .map_or(10, |i| text.as_bytes()[i] - b'0');
                if digit > 9 && style == Style::Text {
                    continue;
                }
                let x = right - place as f32 * step - d.wide * tall;
                draw_digit(&mut canvas, &d, style, digit, (x, top), tall);
            }
            fields.push(Field {
                id: format!("row{}.{}", row + 1, ["number", "counter"][column]),
                rect: [
                    rect.0 / BW as f32,
                    rect.1 / bh as f32,
                    (rect.2 - rect.0) / BW as f32,
                    (rect.3 - rect.1) / bh as f32,
                ],
                digits: text,
                hidden: 0.0,
                worst: 0.0,
            });
            right -= width + 120.0;
        }
    }
    (canvas, fields)
}
