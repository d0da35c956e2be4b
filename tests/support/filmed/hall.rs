//! Boards of one make as they hang in halls: four rows, a number and a counter in each, segments on
//! dark glass or print on a light screen, people in front, filmed from aside.

use super::film::{Bands, Blob, H, Take, W, film, place};
use super::pens::{Canvas, Rgb, strokes};
use super::{Field, Filmed, SEGMENTS, Style, Trouble, between, pick};
use fastrand::Rng;

/// The board as drawn.
const BOARD: (f32, f32) = (960.0, 600.0);
/// Left edge, width, pitch of the digits and width of one, for numbers and counters.
const COLUMNS: [(f32, f32, f32, f32, usize); 2] =
    [(432.0, 286.0, 90.0, 68.0, 3), (752.0, 176.0, 80.0, 58.0, 2)];
const ROWS: [f32; 4] = [82.0, 207.0, 332.0, 457.0];
const TALL: f32 = 116.0;

struct Look {
    ground: Rgb,
    panel: Rgb,
    inks: [Rgb; 2],
    ghost: f32,
    slant: f32,
    thick: f32,
    wide: f32,
    label: Rgb,
    variant: bool,
}

fn mixed(a: Rgb, b: Rgb, t: f32) -> Rgb {
    std::array::from_fn(|i| a[i] + (b[i] - a[i]) * t)
}

fn look(rng: &mut Rng, style: Style) -> Look {
    let of = |rng: &mut Rng, a: [f32; 3], b: [f32; 3]| -> Rgb {
        std::array::from_fn(|i| between(rng, a[i], b[i]))
    };
    if style == Style::Segments {
        let ink = match rng.u8(..6) {
            0 => of(rng, [240., 20., 10.], [255., 70., 60.]),
            1 => of(rng, [30., 220., 50.], [90., 255., 110.]),
            2 => of(rng, [240., 150., 10.], [255., 190., 50.]),
            3 => of(rng, [220., 225., 230.], [255., 255., 255.]),
            4 => of(rng, [40., 110., 230.], [100., 180., 255.]),
            _ => of(rng, [30., 30., 30.], [255., 255., 255.]).map(|v| v.max(60.0)),
        };
        // The brightest channel of a lamp is bright.
        let top = ink.iter().copied().fold(1.0, f32::max);
        let ink = ink.map(|v| v * 250.0 / top.max(200.0));
        Look {
            ground: of(rng, [12., 12., 14.], [26., 26., 30.]),
            panel: pick(
                rng,
                &[[34., 4., 2.], [30., 2., 2.], [10., 10., 12.], [2., 22., 6.]],
            ),
            inks: [ink, ink],
            ghost: between(rng, 0.0, 0.13),
            slant: between(rng, -0.02, 0.09),
            thick: between(rng, 0.11, 0.15),
            wide: 1.0,
            label: [220., 222., 225.],
            variant: false,
        }
    } else {
        let light = rng.u8(..4) > 0;
        let ground = if light {
            of(rng, [235., 235., 230.], [255., 255., 255.])
        } else {
            of(rng, [5., 8., 10.], [25., 35., 60.])
        };
        let ink = |rng: &mut Rng| {
            if light {
                pick(
                    rng,
                    &[
                        [235., 40., 45.],
                        [60., 85., 205.],
                        [20., 25., 35.],
                        [10., 110., 60.],
                        [120., 40., 20.],
                        [150., 20., 120.],
                    ],
                )
            } else {
                pick(
                    rng,
                    &[[250., 250., 250.], [255., 220., 80.], [120., 230., 255.]],
                )
            }
        };
        Look {
            ground,
            panel: ground,
            inks: [ink(rng), ink(rng)],
            ghost: 0.0,
            slant: 0.0,
            thick: between(rng, 0.10, 0.17),
            wide: between(rng, 0.46, 0.6),
            label: if light {
                [50., 55., 110.]
            } else {
                [200., 200., 205.]
            },
            variant: rng.bool(),
        }
    }
}

/// Makes the picture that belongs to a seed.
pub fn make(seed: u64, style: Style, trouble: Trouble) -> Filmed {
    let rng = &mut Rng::with_seed(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x4a11);
    let look = look(rng, style);
    let mut canvas = Canvas {
        w: BOARD.0 as usize,
        h: BOARD.1 as usize,
        px: vec![look.ground; (BOARD.0 * BOARD.1) as usize],
    };
    let mut fields = Vec::new();
    for (i, y) in [30.0].iter().chain(&ROWS).enumerate() {
        words(rng, &mut canvas, &look, i, *y);
    }
    for (row, y) in ROWS.iter().enumerate() {
        for (column, (x, w, pitch, wide, places)) in COLUMNS.into_iter().enumerate() {
            canvas.fill(x, *y, x + w, y + TALL, look.panel);
            let value = match column {
                0 if rng.u8(..6) == 0 => rng.usize(1..100),
                0 => rng.usize(100..1000),
                _ => rng.usize(1..15),
            };
            let text = value.to_string();
            for place in 0..places {
                let digit = text.len().checked_sub(places - place);
                let digit = digit.map(|i| text.as_bytes()[i] - b'0');
                let ink = look.inks[column];
                if style == Style::Segments {
                    let left = x + 8.0 + pitch * place as f32 + (pitch - wide) / 2.0;
                    segments(&mut canvas, &look, ink, digit, (left, y + 8.0), wide);
                } else if let Some(digit) = digit {
                    let tall = 77.0;
                    let step = tall * (look.wide + 0.04);
                    let left = x + w - 17.0 - step * (places - place) as f32;
                    print(&mut canvas, &look, ink, digit, (left, y + 14.0), tall);
                }
            }
            let rect = [x / BOARD.0, y / BOARD.1, w / BOARD.0, TALL / BOARD.1];
            fields.push(Field {
                id: format!("row{}.{}", row + 1, ["number", "counter"][column]),
                // Four digits, as in a configuration.
                rect: rect.map(|v| (v * 10_000.0).round() / 10_000.0),
                digits: text,
                hidden: 0.0,
                worst: 0.0,
            });
        }
    }
    let take = taken(rng, &fields, trouble, &look);
    film(rng, &canvas, fields, style, take)
}

/// Something like words: at the left of each row, above the columns in the first.
fn words(rng: &mut Rng, canvas: &mut Canvas, look: &Look, row: usize, y: f32) {
    let starts: &[(f32, usize)] = if row == 0 {
        &[(470.0, 4), (780.0, 2)]
    } else {
        &[(30.0, 5)]
    };
    for (x, signs) in starts {
        for i in 0..rng.usize(2..=*signs) {
            let left = x + 40.0 * i as f32;
            let top = if row == 0 { y - 12.0 } else { y + 38.0 };
            for _ in 0..5 {
                let at = |rng: &mut Rng| between(rng, 0.0, 36.0);
                let line = [
                    (left + at(rng), top + at(rng)),
                    (left + at(rng), top + at(rng)),
                ];
                canvas.pen(&line, 4.0, look.label);
            }
        }
    }
}

fn segments(
    canvas: &mut Canvas,
    look: &Look,
    ink: Rgb,
    digit: Option<u8>,
    at: (f32, f32),
    wide: f32,
) {
    let tall = TALL - 16.0;
    let t = look.thick * tall;
    let (l, r, m, b) = (t / 2.0, wide - t / 2.0, tall / 2.0, tall - t / 2.0);
    let g = t / 2.0 + 1.5;
    let top = t / 2.0;
    let bars = [
        [(l + g, top), (r - g, top)],
        [(r, top + g), (r, m - g)],
        [(r, m + g), (r, b - g)],
        [(l + g, b), (r - g, b)],
        [(l, m + g), (l, b - g)],
        [(l, top + g), (l, m - g)],
        [(l + g, m), (r - g, m)],
    ];
    let lit = digit.map_or(0, |d| SEGMENTS[usize::from(d)]);
    // A 7 may or may not have its shoulder.
    let lit = if look.variant && digit == Some(7) {
        lit | 0x20
    } else {
        lit
    };
    for (i, bar) in bars.iter().enumerate() {
        let c = if lit >> i & 1 == 1 {
            ink
        } else {
            mixed(look.panel, ink, look.ghost)
        };
        let lean = |(x, y): (f32, f32)| (at.0 + x + look.slant * (tall / 2.0 - y), at.1 + y);
        canvas.bar(lean(bar[0]), lean(bar[1]), t, c);
    }
}

fn print(canvas: &mut Canvas, look: &Look, ink: Rgb, digit: u8, at: (f32, f32), tall: f32) {
    let pen = look.thick * tall;
    let (w, h) = (look.wide * tall - pen, tall - pen);
    for line in strokes(digit, look.variant) {
        let line: Vec<_> = line
            .iter()
            .map(|(x, y)| (at.0 + pen / 2.0 + x * w, at.1 + pen / 2.0 + y * h))
            .collect();
        canvas.pen(&line, pen, ink);
    }
}

fn taken(rng: &mut Rng, fields: &[Field], trouble: Trouble, look: &Look) -> Take {
    let (bw, ratio) = (between(rng, 720.0, 940.0), between(rng, 0.58, 0.70));
    let bh = bw * ratio;
    let (x, y) = (
        (W as f32 - bw) / 2.0 + between(rng, -60.0, 60.0),
        (H as f32 - bh) / 2.0 + between(rng, -25.0, 25.0),
    );
    let mut j = || between(rng, -45.0, 45.0);
    let corners = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)].map(|(u, v): (f32, f32)| {
        let (x, y) = (x + u * bw + j(), y + v * bh + j());
        (x.clamp(4.0, W as f32 - 4.0), y.clamp(4.0, H as f32 - 4.0))
    });
    let level = match trouble {
        Trouble::Dark => between(rng, 0.35, 0.5),
        // A lamp's reflection is seen on paper only where it is brighter.
        Trouble::Glare if look.ground[0] > 100.0 => between(rng, 0.5, 0.8),
        _ => between(rng, 0.5, 1.1),
    };
    let bands = Bands {
        period: between(rng, 70.0, 125.0),
        phase: between(rng, 0.0, std::f32::consts::TAU),
        depth: between(rng, 0.6, 0.85),
    };
    let f = fields[rng.usize(..fields.len())].rect;
    let (u, v) = (
        f[0] + f[2] * between(rng, -0.2, 1.2),
        f[1] + f[3] * between(rng, -0.5, 1.5),
    );
    let (cx, cy) = place(corners, u, v);
    let glare = trouble == Trouble::Glare;
    let r = if glare {
        between(rng, 90.0, 190.0)
    } else {
        between(rng, 80.0, 160.0)
    };
    let blob = Blob {
        cx,
        cy,
        rx: r,
        ry: if glare {
            r * between(rng, 0.35, 0.75)
        } else {
            r
        },
        turn: between(rng, 0.0, 3.1),
        rim: if glare { between(rng, 15.0, 40.0) } else { 1.5 },
    };
    let hidden = matches!(trouble, Trouble::Cover | Trouble::Glare);
    Take {
        corners,
        level,
        falling: 0.0,
        noise: match trouble {
            Trouble::Noise => between(rng, 5.0, 9.0),
            _ => between(rng, 0.4, 5.0),
        },
        blur: match trouble {
            Trouble::Blur => rng.usize(2..=3),
            _ => rng.usize(0..=2),
        },
        blob: hidden.then_some(blob),
        cover: if glare {
            [255.0
                * if look.ground[0] > 100.0 {
                    1.0
                } else {
                    level.min(1.0)
                }; 3]
        } else {
            [44., 34., 32.].map(|v| v * level)
        },
        bands: (trouble == Trouble::Bands).then_some(bands),
        behind,
    }
}

/// A grey wall, and people below.
fn behind(x: f32, y: f32) -> Rgb {
    for i in 0..9 {
        let i = i as f32;
        let (cx, cy) = (90.0 + 140.0 * i, 640.0 + 60.0 * (i * 2.3).sin());
        if (x - cx).hypot(y - cy) < 30.0 + 18.0 * (i * 1.7).cos() {
            return [
                90. + 80. * i.sin(),
                90. + 80. * (i * 1.9).cos(),
                100. + 70. * (i * 3.1).sin(),
            ];
        }
    }
    [96.0; 3]
}
