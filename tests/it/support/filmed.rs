//! Filmed boards made up from a number: what is on them is known, and no two are alike.
//!
//! Digits are drawn by pens and bars of their own, of no typeface that the reader has seen; colours,
//! sizes, slants, corners, light and what is in the way follow from the seed alone.

use fastrand::Rng;

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

type Rgb = [f32; 3];
const W: usize = 1280;
const H: usize = 720;
/// The board as drawn, before it is filmed.
const BW: usize = 1440;

struct Canvas {
    w: usize,
    h: usize,
    px: Vec<Rgb>,
}

impl Canvas {
    fn fill(&mut self, x0: f32, y0: f32, x1: f32, y1: f32, c: Rgb) {
        for y in (y0.max(0.0) as usize)..(y1.max(0.0) as usize).min(self.h) {
            for x in (x0.max(0.0) as usize)..(x1.max(0.0) as usize).min(self.w) {
                self.px[y * self.w + x] = c;
            }
        }
    }

    fn blend(&mut self, x: usize, y: usize, c: Rgb, a: f32) {
        let p = &mut self.px[y * self.w + x];
        for i in 0..3 {
            p[i] += (c[i] - p[i]) * a;
        }
    }

    /// A line of a round pen.
    fn pen(&mut self, line: &[(f32, f32)], pen: f32, c: Rgb) {
        let r = pen / 2.0;
        let xs = || line.iter().map(|p| p.0);
        let ys = || line.iter().map(|p| p.1);
        let min = |i: &mut dyn Iterator<Item = f32>| i.fold(f32::MAX, f32::min);
        let max = |i: &mut dyn Iterator<Item = f32>| i.fold(f32::MIN, f32::max);
        let (x0, x1) = (min(&mut xs()) - r - 1.0, max(&mut xs()) + r + 2.0);
        let (y0, y1) = (min(&mut ys()) - r - 1.0, max(&mut ys()) + r + 2.0);
        for y in (y0.max(0.0) as usize)..(y1.max(0.0) as usize).min(self.h) {
            for x in (x0.max(0.0) as usize)..(x1.max(0.0) as usize).min(self.w) {
                let p = (x as f32 + 0.5, y as f32 + 0.5);
                let d = line
                    .windows(2)
                    .map(|s| distance(p, s[0], s[1]))
                    .fold(f32::MAX, f32::min);
                let a = (r - d + 0.5).clamp(0.0, 1.0);
                if a > 0.0 {
                    self.blend(x, y, c, a);
                }
            }
        }
    }
}

fn distance(p: (f32, f32), a: (f32, f32), b: (f32, f32)) -> f32 {
    let (dx, dy) = (b.0 - a.0, b.1 - a.1);
    let t = ((p.0 - a.0) * dx + (p.1 - a.1) * dy) / (dx * dx + dy * dy).max(1e-6);
    let t = t.clamp(0.0, 1.0);
    (p.0 - a.0 - t * dx).hypot(p.1 - a.1 - t * dy)
}

fn arc(cx: f32, cy: f32, rx: f32, ry: f32, from: f32, to: f32) -> Vec<(f32, f32)> {
    (0..=20)
        .map(|i| {
            let t = (from + (to - from) * i as f32 / 20.0).to_radians();
            (cx + rx * t.cos(), cy + ry * t.sin())
        })
        .collect()
}

/// A digit as lines of a pen, within 0 to 1.
fn strokes(digit: u8, variant: bool) -> Vec<Vec<(f32, f32)>> {
    let join = |mut a: Vec<(f32, f32)>, b: &[(f32, f32)]| {
        a.extend_from_slice(b);
        a
    };
    match digit {
        0 => vec![arc(0.5, 0.5, 0.5, 0.5, 0.0, 360.0)],
        1 if variant => vec![vec![(0.2, 0.22), (0.55, 0.0), (0.55, 1.0)]],
        1 => vec![
            vec![(0.15, 0.2), (0.5, 0.0), (0.5, 1.0)],
            vec![(0.15, 1.0), (0.85, 1.0)],
        ],
        2 => vec![join(
            arc(0.5, 0.3, 0.48, 0.3, 190.0, 385.0),
            &[(0.0, 1.0), (1.0, 1.0)],
        )],
        3 => vec![
            arc(0.45, 0.26, 0.47, 0.26, 200.0, 450.0),
            arc(0.45, 0.74, 0.53, 0.26, 270.0, 515.0),
        ],
        4 => vec![vec![(0.72, 1.0), (0.72, 0.0), (0.0, 0.68), (1.0, 0.68)]],
        5 => vec![join(
            vec![(0.92, 0.0), (0.12, 0.0), (0.06, 0.48)],
            &arc(0.48, 0.68, 0.5, 0.32, 220.0, 510.0),
        )],
        6 => vec![
            join(arc(0.55, 0.5, 0.55, 0.5, 310.0, 180.0), &[(0.0, 0.68)]),
            arc(0.5, 0.68, 0.5, 0.32, 0.0, 360.0),
        ],
        7 if variant => vec![vec![(0.03, 0.2), (0.03, 0.0), (1.0, 0.0), (0.45, 1.0)]],
        7 => vec![vec![(0.0, 0.0), (1.0, 0.0), (0.35, 1.0)]],
        8 => vec![
            arc(0.5, 0.25, 0.44, 0.25, 0.0, 360.0),
            arc(0.5, 0.74, 0.5, 0.26, 0.0, 360.0),
        ],
        _ => vec![
            join(arc(0.45, 0.5, 0.55, 0.5, 130.0, 0.0), &[(1.0, 0.32)]),
            arc(0.5, 0.32, 0.5, 0.32, 0.0, 360.0),
        ],
    }
}

const SEGMENTS: [u8; 10] = [0x3f, 0x06, 0x5b, 0x4f, 0x66, 0x6d, 0x7d, 0x07, 0x7f, 0x6f];

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

fn pick<T: Copy>(rng: &mut Rng, of: &[T]) -> T {
    of[rng.usize(..of.len())]
}

fn between(rng: &mut Rng, a: f32, b: f32) -> f32 {
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
    let rng = &mut Rng::with_seed(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5eed);
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
            });
            right -= width + 120.0;
        }
    }
    film(rng, canvas, fields, style, trouble)
}

struct Blob {
    cx: f32,
    cy: f32,
    rx: f32,
    ry: f32,
    turn: f32,
    soft: f32,
}

impl Blob {
    fn at(&self, x: f32, y: f32) -> f32 {
        let (s, c) = self.turn.sin_cos();
        let (dx, dy) = (x - self.cx, y - self.cy);
        let (u, v) = ((dx * c + dy * s) / self.rx, (dy * c - dx * s) / self.ry);
        ((1.0 - u.hypot(v)) / self.soft + 0.5).clamp(0.0, 1.0)
    }
}

fn film(
    rng: &mut Rng,
    canvas: Canvas,
    mut fields: Vec<Field>,
    style: Style,
    trouble: Trouble,
) -> Filmed {
    let (bw, bh) = (between(rng, 720.0, 930.0), 0.0);
    let bh = bh + bw * canvas.h as f32 / canvas.w as f32;
    let bh = bh.min(600.0);
    let (x, y) = (
        (W as f32 - bw) / 2.0 + between(rng, -60.0, 60.0),
        (H as f32 - bh) / 2.0,
    );
    let mut j = || between(rng, -45.0, 45.0);
    let corners = [
        (x + j(), (y + j()).max(4.0)),
        (x + bw + j(), (y + j()).max(4.0)),
        (x + bw + j(), (y + bh + j()).min(H as f32 - 4.0)),
        (x + j(), (y + bh + j()).min(H as f32 - 4.0)),
    ];
    let project = square_to(corners);
    let back = invert(project);
    let level = if trouble == Trouble::Dark {
        between(rng, 0.22, 0.45)
    } else {
        between(rng, 0.6, 1.0)
    };
    let noise = if trouble == Trouble::Noise {
        between(rng, 5.0, 10.0)
    } else {
        between(rng, 0.5, 3.0)
    };
    let blur = if trouble == Trouble::Blur {
        rng.usize(2..=3)
    } else {
        rng.usize(0..=1)
    };
    let blob = match trouble {
        Trouble::Cover | Trouble::Glare => {
            let f = &fields[rng.usize(..fields.len())].rect;
            let (u, v) = (
                f[0] + f[2] * between(rng, -0.1, 1.1),
                f[1] + f[3] * between(rng, -0.3, 1.3),
            );
            let (cx, cy) = apply(project, u, v);
            let r = between(rng, 35.0, 110.0);
            Some(Blob {
                cx,
                cy,
                rx: r,
                ry: r * between(rng, 0.45, 1.0),
                turn: between(rng, 0.0, 3.0),
                soft: if trouble == Trouble::Glare {
                    between(rng, 0.15, 0.5)
                } else {
                    0.02
                },
            })
        }
        _ => None,
    };
    let cover: Rgb = pick(
        rng,
        &[
            [44., 34., 32.],
            [90., 70., 60.],
            [60., 65., 80.],
            [150., 120., 100.],
        ],
    );
    let (period, phase, depth) = (
        between(rng, 50.0, 120.0),
        between(rng, 0.0, 6.0),
        between(rng, 0.5, 0.85),
    );
    let falling = between(rng, -0.12, 0.12);
    let mut px: Vec<Rgb> = Vec::with_capacity(W * H);
    for y in 0..H {
        for x in 0..W {
            let (u, v) = apply(back, x as f32 + 0.5, y as f32 + 0.5);
            let mut c = if (0.0..1.0).contains(&u) && (0.0..1.0).contains(&v) {
                look(&canvas, u, v)
            } else {
                [70.0 + 20.0 * (x as f32 / 90.0).sin(), 72.0, 70.0]
            };
            let mut gain = level * (1.0 + falling * (x as f32 / W as f32 - 0.5));
            if trouble == Trouble::Bands {
                gain *= 1.0
                    - depth
                        * (0.5 + 0.5 * (y as f32 / period * std::f32::consts::TAU + phase).cos());
            }
            for v in &mut c {
                *v *= gain;
            }
            if let Some(blob) = &blob {
                let a = blob.at(x as f32, y as f32);
                for (v, k) in c.iter_mut().zip(cover) {
                    let to = if trouble == Trouble::Glare {
                        255.0
                    } else {
                        k * level
                    };
                    *v += (to - *v) * a;
                }
            }
            px.push(c);
        }
    }
    for _ in 0..blur {
        px = soften(&px);
    }
    if let Some(blob) = &blob {
        for field in &mut fields {
            let mut n = 0;
            for i in 0..400 {
                let (fx, fy) = ((i % 20) as f32 / 19.0, (i / 20) as f32 / 19.0);
                let (x, y) = apply(
                    project,
                    field.rect[0] + fx * field.rect[2],
                    field.rect[1] + fy * field.rect[3],
                );
                n += i32::from(blob.at(x, y) > 0.06);
            }
            field.hidden = n as f32 / 400.0;
        }
    }
    let rgb = px
        .iter()
        .flat_map(|p| {
            let spark = gauss(rng) * noise;
            std::array::from_fn::<u8, 3, _>(|i| {
                (p[i] + spark * 0.7 + gauss(rng) * noise * 0.7).clamp(0.0, 255.0) as u8
            })
        })
        .collect();
    Filmed {
        width: W as u32,
        height: H as u32,
        rgb,
        corners,
        fields,
        style,
    }
}

/// Nearly a normal deviate.
fn gauss(rng: &mut Rng) -> f32 {
    (0..4)
        .map(|_| rng.f32())
        .sum::<f32>()
        .mul_add(1.732, -3.464)
}

fn look(canvas: &Canvas, u: f32, v: f32) -> Rgb {
    let (x, y) = (
        (u * canvas.w as f32 - 0.5).max(0.0),
        (v * canvas.h as f32 - 0.5).max(0.0),
    );
    let (x0, y0) = (x as usize, y as usize);
    let (x1, y1) = ((x0 + 1).min(canvas.w - 1), (y0 + 1).min(canvas.h - 1));
    let (fx, fy) = (x - x0 as f32, y - y0 as f32);
    let at = |x: usize, y: usize| canvas.px[y * canvas.w + x];
    std::array::from_fn(|i| {
        let a = at(x0, y0)[i] * (1.0 - fx) + at(x1, y0)[i] * fx;
        let b = at(x0, y1)[i] * (1.0 - fx) + at(x1, y1)[i] * fx;
        a * (1.0 - fy) + b * fy
    })
}

fn soften(px: &[Rgb]) -> Vec<Rgb> {
    let mut out = px.to_vec();
    for y in 1..H - 1 {
        for x in 1..W - 1 {
            out[y * W + x] = std::array::from_fn(|c| {
                let mut sum = 0.0;
                for dy in 0..3 {
                    for dx in 0..3 {
                        sum += px[(y + dy - 1) * W + x + dx - 1][c];
                    }
                }
                sum / 9.0
            });
        }
    }
    out
}

type Matrix = [[f32; 3]; 3];

fn square_to([a, b, c, d]: [(f32, f32); 4]) -> Matrix {
    let (dx1, dy1, dx2, dy2) = (b.0 - c.0, b.1 - c.1, d.0 - c.0, d.1 - c.1);
    let (sx, sy) = (a.0 - b.0 + c.0 - d.0, a.1 - b.1 + c.1 - d.1);
    let det = dx1 * dy2 - dx2 * dy1;
    let g = (sx * dy2 - dx2 * sy) / det;
    let h = (dx1 * sy - sx * dy1) / det;
    [
        [b.0 - a.0 + g * b.0, d.0 - a.0 + h * d.0, a.0],
        [b.1 - a.1 + g * b.1, d.1 - a.1 + h * d.1, a.1],
        [g, h, 1.0],
    ]
}

fn apply(m: Matrix, x: f32, y: f32) -> (f32, f32) {
    let [u, v, w] = std::array::from_fn(|i| m[i][0] * x + m[i][1] * y + m[i][2]);
    (u / w, v / w)
}

fn invert(m: Matrix) -> Matrix {
    let minor = |r: usize, c: usize| {
        let (r1, r2, c1, c2) = ((r + 1) % 3, (r + 2) % 3, (c + 1) % 3, (c + 2) % 3);
        m[r1][c1] * m[r2][c2] - m[r1][c2] * m[r2][c1]
    };
    let det: f32 = (0..3).map(|c| m[0][c] * minor(0, c)).sum();
    std::array::from_fn(|r| std::array::from_fn(|c| minor(c, r) / det))
}
