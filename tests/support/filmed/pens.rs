//! Digits drawn by pens and bars.

pub type Rgb = [f32; 3];

pub struct Canvas {
    pub w: usize,
    pub h: usize,
    pub px: Vec<Rgb>,
}

impl Canvas {
    pub fn fill(&mut self, x0: f32, y0: f32, x1: f32, y1: f32, c: Rgb) {
        for y in (y0.max(0.0) as usize)..(y1.max(0.0) as usize).min(self.h) {
            for x in (x0.max(0.0) as usize)..(x1.max(0.0) as usize).min(self.w) {
                self.px[y * self.w + x] = c;
            }
        }
    }

    pub fn blend(&mut self, x: usize, y: usize, c: Rgb, a: f32) {
        let p = &mut self.px[y * self.w + x];
        for i in 0..3 {
            p[i] += (c[i] - p[i]) * a;
        }
    }

    /// A bar with pointed ends.
    pub fn bar(&mut self, a: (f32, f32), b: (f32, f32), thick: f32, c: Rgb) {
        let r = thick / 2.0;
        let (x0, x1) = (a.0.min(b.0) - r - 1.0, a.0.max(b.0) + r + 2.0);
        let (y0, y1) = (a.1.min(b.1) - r - 1.0, a.1.max(b.1) + r + 2.0);
        for y in (y0.max(0.0) as usize)..(y1.max(0.0) as usize).min(self.h) {
            for x in (x0.max(0.0) as usize)..(x1.max(0.0) as usize).min(self.w) {
                let d = pointed((x as f32 + 0.5, y as f32 + 0.5), a, b);
                let share = (r - d + 0.5).clamp(0.0, 1.0);
                if share > 0.0 {
                    self.blend(x, y, c, share);
                }
            }
        }
    }

    /// A line of a round pen.
    pub fn pen(&mut self, line: &[(f32, f32)], pen: f32, c: Rgb) {
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

/// How near a place is to a bar's middle line; its ends are pointed.
fn pointed(p: (f32, f32), a: (f32, f32), b: (f32, f32)) -> f32 {
    let (dx, dy) = (b.0 - a.0, b.1 - a.1);
    let length = dx.hypot(dy).max(1e-3);
    let (dx, dy) = (dx / length, dy / length);
    let along = (p.0 - a.0) * dx + (p.1 - a.1) * dy;
    let beyond = (-along).max(along - length).max(0.0);
    ((p.1 - a.1) * dx - (p.0 - a.0) * dy).abs() + beyond
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
pub fn strokes(digit: u8, variant: bool) -> Vec<Vec<(f32, f32)>> {
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
