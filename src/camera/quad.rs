//! Where the board is in a camera's picture: four corners, and rectangles upon the board.

/// Widest rectified board in pixels: digits of a board with four columns are still 30 pixels wide.
const MAX_WIDTH: u32 = 960;
/// Tallest.
const MAX_HEIGHT: u32 = 960;
/// Smallest side of a rectified board: less holds no digits.
const MIN_SIDE: u32 = 64;

/// The four corners of a board in a camera's picture, in pixels, clockwise from the top left.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quad([(f32, f32); 4]);

impl Quad {
    /// Takes corners that enclose a convex board, clockwise from the top left; `None` otherwise.
    #[must_use]
    pub fn new(corners: [(f32, f32); 4]) -> Option<Self> {
        let finite = corners.iter().all(|(x, y)| x.is_finite() && y.is_finite());
        let turns = (0..4).all(|i| {
            let (a, b, c) = (corners[i], corners[(i + 1) % 4], corners[(i + 2) % 4]);
            (b.0 - a.0) * (c.1 - b.1) - (b.1 - a.1) * (c.0 - b.0) > 1.0
        });
        (finite && turns).then_some(Self(corners))
    }

    /// The corners as given.
    #[must_use]
    pub fn points(&self) -> [(f32, f32); 4] {
        self.0
    }

    /// The projection of the unit square onto the board's corners, as rows of a matrix for
    /// homogeneous coordinates (Heckbert, "Fundamentals of Texture Mapping", 1989, section 2.2.3).
    pub(super) fn projection(&self) -> Option<[[f32; 3]; 3]> {
        let [a, b, c, d] = self.0;
        let (dx1, dy1) = (b.0 - c.0, b.1 - c.1);
        let (dx2, dy2) = (d.0 - c.0, d.1 - c.1);
        let (sx, sy) = (a.0 - b.0 + c.0 - d.0, a.1 - b.1 + c.1 - d.1);
        let det = dx1 * dy2 - dx2 * dy1;
        if det.abs() < f32::EPSILON {
            return None;
        }
        let g = (sx * dy2 - dx2 * sy) / det;
        let h = (dx1 * sy - sx * dy1) / det;
        let across = [b.0 - a.0 + g * b.0, d.0 - a.0 + h * d.0, a.0];
        let down = [b.1 - a.1 + g * b.1, d.1 - a.1 + h * d.1, a.1];
        Some([across, down, [g, h, 1.0]])
    }

    /// Size of the board seen from the front: the longer of each two opposite sides, within limits.
    #[must_use]
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // within the limits
    pub fn rectified_size(&self) -> (u32, u32) {
        let side = |i: usize, j: usize| {
            let (a, b) = (self.0[i], self.0[j]);
            (a.0 - b.0).hypot(a.1 - b.1)
        };
        let (w, h) = (side(0, 1).max(side(3, 2)), side(0, 3).max(side(1, 2)));
        let scale = (MAX_WIDTH as f32 / w).min(MAX_HEIGHT as f32 / h).min(1.0);
        let whole = |v: f32, max: u32| (v.round() as u32).clamp(MIN_SIDE, max);
        (whole(w * scale, MAX_WIDTH), whole(h * scale, MAX_HEIGHT))
    }
}

/// A rectangle upon the board, as shares of its width and height.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rect {
    /// Left edge, 0 to 1.
    pub x: f32,
    /// Upper edge, 0 to 1.
    pub y: f32,
    /// Width, over 0.
    pub w: f32,
    /// Height, over 0.
    pub h: f32,
}

impl Rect {
    /// Takes a rectangle that lies on the board; `None` otherwise.
    #[must_use]
    pub fn new(x: f32, y: f32, w: f32, h: f32) -> Option<Self> {
        /// Shares written with four digits may sum up to a little more than the whole.
        const SLACK: f32 = 1e-3;
        let within = |at: f32, len: f32| at >= 0.0 && len > 0.0 && at + len <= 1.0 + SLACK;
        (within(x, w) && within(y, h)).then_some(Self { x, y, w, h })
    }

    /// The rectangle in pixels of a board: left, top, width, height.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // within the board
    pub(super) fn pixels(&self, (width, height): (u32, u32)) -> (u32, u32, u32, u32) {
        let edge = |at: f32, len: u32| ((at * len as f32).round() as u32).min(len);
        let (x0, y0) = (edge(self.x, width), edge(self.y, height));
        let (x1, y1) = (edge(self.x + self.w, width), edge(self.y + self.h, height));
        (x0, y0, x1 - x0, y1 - y0)
    }
}
