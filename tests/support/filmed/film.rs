//! What a camera makes of a drawn board: corners, light, what is in the way, noise.

use super::pens::{Canvas, Rgb};
use super::{Field, Filmed, Style, Trouble, between, pick};
use fastrand::Rng;

pub const W: usize = 1280;
pub const H: usize = 720;

/// An ellipse that hides or outshines what is behind it.
pub struct Blob {
    pub cx: f32,
    pub cy: f32,
    pub rx: f32,
    pub ry: f32,
    pub turn: f32,
    /// Width of its rim in pixels.
    pub rim: f32,
}

impl Blob {
    /// How much of it is at a place: half at its outline.
    pub fn at(&self, x: f32, y: f32) -> f32 {
        let (s, c) = self.turn.sin_cos();
        let (dx, dy) = (x - self.cx, y - self.cy);
        let (u, v) = ((dx * c + dy * s) / self.rx, (dy * c - dx * s) / self.ry);
        let far = u.hypot(v).max(1e-3);
        // Distance from the outline, near it.
        let steep = (u / self.rx).hypot(v / self.ry) / far;
        ((1.0 - far) / steep / self.rim + 0.5).clamp(0.0, 1.0)
    }
}

/// Dark rows of a shutter that is faster than the board's refresh.
pub struct Bands {
    /// Pixels.
    pub period: f32,
    pub phase: f32,
    /// Share of the light that is missing where they are darkest.
    pub depth: f32,
}

/// How one picture is taken.
pub struct Take {
    pub corners: [(f32, f32); 4],
    /// 1 is as drawn.
    pub level: f32,
    /// How much brighter the right is than the left.
    pub falling: f32,
    /// Standard deviation in levels.
    pub noise: f32,
    /// Times that each pixel is mixed with its neighbours.
    pub blur: usize,
    pub blob: Option<Blob>,
    /// Colour of the blob as the camera sees it.
    pub cover: Rgb,
    pub bands: Option<Bands>,
    pub behind: fn(f32, f32) -> Rgb,
}

/// A place on the board, in pixels of the picture.
pub fn place(corners: [(f32, f32); 4], u: f32, v: f32) -> (f32, f32) {
    apply(square_to(corners), u, v)
}

/// How a board of any kind is taken.
pub fn take(rng: &mut Rng, canvas: &Canvas, fields: &[Field], trouble: Trouble) -> Take {
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
            let (cx, cy) = place(corners, u, v);
            let r = between(rng, 35.0, 110.0);
            let ry = r * between(rng, 0.45, 1.0);
            Some(Blob {
                cx,
                cy,
                rx: r,
                ry,
                turn: between(rng, 0.0, 3.0),
                rim: ry
                    * if trouble == Trouble::Glare {
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
    let cover = match trouble {
        Trouble::Glare => [255.0; 3],
        _ => cover.map(|v| v * level),
    };
    Take {
        corners,
        level,
        falling,
        noise,
        blur,
        blob,
        cover,
        bands: (trouble == Trouble::Bands).then_some(Bands {
            period,
            phase,
            depth,
        }),
        behind: |x, _| [70.0 + 20.0 * (x / 90.0).sin(), 72.0, 70.0],
    }
}

/// Takes the picture.
pub fn film(
    rng: &mut Rng,
    canvas: &Canvas,
    mut fields: Vec<Field>,
    style: Style,
    take: Take,
) -> Filmed {
    let Take {
        corners,
        level,
        falling,
        noise,
        blur,
        blob,
        cover,
        bands,
        behind,
    } = take;
    let project = square_to(corners);
    let back = invert(project);
    let mut px: Vec<Rgb> = Vec::with_capacity(W * H);
    for y in 0..H {
        for x in 0..W {
            let (u, v) = apply(back, x as f32 + 0.5, y as f32 + 0.5);
            let mut c = if (0.0..1.0).contains(&u) && (0.0..1.0).contains(&v) {
                look(canvas, u, v)
            } else {
                behind(x as f32, y as f32)
            };
            let mut gain = level * (1.0 + falling * (x as f32 / W as f32 - 0.5));
            if let Some(b) = &bands {
                let wave = (y as f32 / b.period * std::f32::consts::TAU + b.phase).cos();
                gain *= 1.0 - b.depth * (0.5 + 0.5 * wave);
            }
            for v in &mut c {
                *v *= gain;
            }
            if let Some(blob) = &blob {
                let a = blob.at(x as f32, y as f32);
                for (v, to) in c.iter_mut().zip(cover) {
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
            for i in 0..1600 {
                let (fx, fy) = ((i % 40) as f32 / 39.0, (i / 40) as f32 / 39.0);
                let (x, y) = apply(
                    project,
                    field.rect[0] + fx * field.rect[2],
                    field.rect[1] + fy * field.rect[3],
                );
                let hidden = blob.at(x, y);
                n += i32::from(hidden > 0.06);
                field.worst = field.worst.max(hidden);
            }
            field.hidden = n as f32 / 1600.0;
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
