//! A camera's whole picture, which never leaves memory, and the board cut out of it.
//!
//! [`Picture`] has no way out: it cannot be copied, printed, compared or encoded, and its pixels are
//! seen only by this module's neighbours while they look for the board. What goes on is a
//! [`RectifiedBoard`] board, in which nothing outside the quadrilateral is left.

use super::quad::Quad;
use crate::jpeg::{self, JpegError};

/// How a JPEG begins (ITU-T T.81, B.1.1.3): its first marker, and the first byte of the next.
const START_OF_IMAGE: [u8; 3] = [0xff, 0xd8, 0xff];
/// How it ends.
const END_OF_IMAGE: [u8; 2] = [0xff, 0xd9];
/// More than any camera's picture: 4096 × 4096.
const MAX_SIDE: u32 = 4096;
/// Memory for a decoded picture: that many pixels of three bytes.
const MAX_MEMORY: usize = 3 * (MAX_SIDE as usize) * (MAX_SIDE as usize);

/// Why a picture cannot be taken.
#[derive(Debug, thiserror::Error)]
pub enum PictureError {
    /// The bytes are no picture of a known kind, or a broken one.
    #[error("cannot decode the picture: {0}")]
    Decode(#[from] JpegError),
    /// The end of the JPEG is missing.
    #[error("the picture is not a JPEG, or is truncated")]
    CutOff,
    /// Width, height or the number of bytes do not belong together.
    #[error(
        "a picture of {width} × {height} with {bytes} bytes: expected 16 to 4096 pixels a side, 3 bytes each"
    )]
    Size {
        /// Pixels in a row.
        width: u32,
        /// Rows.
        height: u32,
        /// Bytes given.
        bytes: usize,
    },
    /// Another size than the corners were measured in.
    #[error("a picture of {width} × {height}: expected {} × {}, as its corners are measured", expected.0, expected.1)]
    OtherSize {
        /// Pixels in a row.
        width: u32,
        /// Rows.
        height: u32,
        expected: (u32, u32),
    },
    /// The corners do not enclose a board.
    #[error(
        "the corners enclose no board: expected a convex quadrilateral, clockwise from the top left"
    )]
    Corners,
}

/// A camera's whole picture in RGB; see the module on what cannot be done with it.
pub struct Picture {
    width: u32,
    height: u32,
    rgb: Vec<u8>,
}

impl Picture {
    /// Decodes a JPEG.
    ///
    /// # Errors
    /// [`PictureError`] when the bytes are no JPEG or one that is too large.
    pub fn from_jpeg(bytes: &[u8]) -> Result<Self, PictureError> {
        // The decoder fills up what a cut-off picture lacks; some cameras pad with zeros.
        let padding = bytes.iter().rev().take_while(|b| **b == 0).count();
        if !bytes[..bytes.len() - padding].ends_with(&END_OF_IMAGE) {
            return Err(PictureError::CutOff);
        }
        let limits = jpeg::Limits {
            side: MAX_SIDE,
            memory: MAX_MEMORY,
        };
        let (width, height, rgb) = jpeg::decode(bytes, limits)?;
        Self::from_rgb(width, height, rgb)
    }

    /// A sum over all pixels, by which the same picture is known again.
    pub(super) fn sum(&self) -> u32 {
        crc32fast::hash(&self.rgb)
    }

    /// Takes pixels as they are, three bytes each, row by row.
    ///
    /// # Errors
    /// [`PictureError::Size`] when size and bytes do not fit.
    pub fn from_rgb(width: u32, height: u32, rgb: Vec<u8>) -> Result<Self, PictureError> {
        let sides = 16..=MAX_SIDE;
        // Only compared where both sides are small.
        let expected = (width as usize)
            .saturating_mul(height as usize)
            .saturating_mul(3);
        if !sides.contains(&width) || !sides.contains(&height) || rgb.len() != expected {
            let bytes = rgb.len();
            return Err(PictureError::Size {
                width,
                height,
                bytes,
            });
        }
        Ok(Self { width, height, rgb })
    }

    /// Whether bytes begin like a picture that [`from_jpeg`](Self::from_jpeg) takes.
    #[must_use]
    pub fn looks_like_jpeg(bytes: &[u8]) -> bool {
        bytes.starts_with(&START_OF_IMAGE)
    }

    /// Width and height in pixels.
    #[must_use]
    pub fn size(&self) -> (u32, u32) {
        (self.width, self.height)
    }

    /// Cuts the board out and looks at it from the front: the only way out of a picture.
    ///
    /// # Errors
    /// [`PictureError::Corners`] when the corners enclose no board.
    pub fn rectify(&self, quad: &Quad) -> Result<RectifiedBoard, PictureError> {
        let (width, height) = quad.rectified_size();
        self.rectify_to(quad, width, height)
    }

    /// As [`rectify`](Self::rectify), to a wanted size.
    pub(super) fn rectify_to(
        &self,
        quad: &Quad,
        width: u32,
        height: u32,
    ) -> Result<RectifiedBoard, PictureError> {
        let m = quad.projection().ok_or(PictureError::Corners)?;
        let mut rgb = vec![0; width as usize * height as usize * 3];
        let (sx, sy) = (1.0 / width as f32, 1.0 / height as f32);
        for (y, row) in rgb.chunks_exact_mut(width as usize * 3).enumerate() {
            let v = (y as f32 + 0.5) * sy;
            let place = |x: usize| {
                let u = (x as f32 + 0.5) * sx;
                let [px, py, pw] = std::array::from_fn(|i| m[i][0] * u + m[i][1] * v + m[i][2]);
                (fixed(px / pw - 0.5), fixed(py / pw - 0.5))
            };
            let mut from = place(0);
            for (i, span) in row.chunks_mut(SPAN * 3).enumerate() {
                let to = place((i + 1) * SPAN);
                self.span(span, from, to);
                from = to;
            }
        }
        Ok(RectifiedBoard {
            width,
            height,
            rgb,
            down: [m[1], m[2]].map(|m| [m[0] * sx, m[1] * sy, m[2]]),
        })
    }

    /// Fills a span with the colours between two places, evenly spaced.
    #[allow(clippy::cast_possible_truncation)] // some pixels
    fn span(&self, span: &mut [u8], from: (i32, i32), to: (i32, i32)) {
        const STEPS: i32 = SPAN as i32;
        let (dx, dy) = ((to.0 - from.0) / STEPS, (to.1 - from.1) / STEPS);
        // What lies half a pixel out is still the rim; beyond, four pixels are not there.
        let (w, h) = (
            (self.width as i32 - 1) << 16,
            (self.height as i32 - 1) << 16,
        );
        let inside = |x: i32, y: i32| x >= 0 && y >= 0 && x < w && y < h;
        let (mut x, mut y) = from;
        // A line between two places of the picture is within it.
        let whole = inside(x, y) && inside(x + (STEPS - 1) * dx, y + (STEPS - 1) * dy);
        for pixel in span.chunks_exact_mut(3) {
            if whole || inside(x, y) {
                pixel.copy_from_slice(&self.between(x, y));
            }
            x = x.wrapping_add(dx);
            y = y.wrapping_add(dy);
        }
    }

    /// The colour between four pixels; there must be some to the right and below.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // lanes of 8 bits
    fn between(&self, x: i32, y: i32) -> [u8; 3] {
        let (x, y) = (x as usize, y as usize);
        let stride = self.width as usize * 3;
        let at = (x >> 16) * 3 + (y >> 16) * stride;
        let (fx, fy) = ((x >> 8) as u64 & 255, (y >> 8) as u64 & 255);
        let (top, bottom) = (self.pair(at), self.pair(at + stride));
        // Bytes of two neighbours, 0 to 5: even ones, odd ones.
        let even = mix(top & LANES, bottom & LANES, fy);
        let odd = mix(top >> 8 & LANES, bottom >> 8 & LANES, fy);
        let red_blue = mix(even, odd >> 16, fx);
        let green = mix(odd, even >> 32, fx);
        [red_blue as u8, green as u8, (red_blue >> 16) as u8]
    }

    /// The bytes of two neighbouring pixels and two more, the first lowest.
    fn pair(&self, at: usize) -> u64 {
        let rest = &self.rgb[at..];
        if let Some(near) = rest.first_chunk() {
            return u64::from_le_bytes(*near);
        }
        // The last pixels of the picture.
        let mut near = [0; 8];
        near[..rest.len()].copy_from_slice(rest);
        u64::from_le_bytes(near)
    }

    /// Brightness of one pixel, 0 to 255.
    pub(super) fn luma(&self, x: u32, y: u32) -> f32 {
        let i = (y as usize * self.width as usize + x as usize) * 3;
        luma(&self.rgb[i..i + 3])
    }
}

/// Pixels between two places that are projected exactly; between them the error of a straight line is
/// under a twentieth of a pixel for boards seen from up to 60 degrees aside.
const SPAN: usize = 16;

/// A coordinate with 16 bits of fraction; far outside is still outside.
#[allow(clippy::cast_possible_truncation)] // saturates
fn fixed(at: f32) -> i32 {
    (at.clamp(-8192.0, 8192.0) * 65536.0) as i32
}

/// The lower byte of each lane of 16 bits.
const LANES: u64 = 0x00ff_00ff_00ff_00ff;

/// Half a level in each lane: without it two mixtures lose nearly one.
const HALF: u64 = 0x0080_0080_0080_0080;

/// From `a` to `b` by `share` of 256, lane by lane, rounded.
fn mix(a: u64, b: u64, share: u64) -> u64 {
    // What a lane borrows from the next one is given back by the sum.
    let moved = b.wrapping_sub(a).wrapping_mul(share);
    ((a << 8).wrapping_add(moved).wrapping_add(HALF) >> 8) & LANES
}

/// Brightness of a colour (ITU-R BT.601), 0 to 255.
pub(super) fn luma(rgb: &[u8]) -> f32 {
    0.299 * f32::from(rgb[0]) + 0.587 * f32::from(rgb[1]) + 0.114 * f32::from(rgb[2])
}

/// A board as seen from the front, with nothing around it.
#[derive(Clone)]
pub struct RectifiedBoard {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) rgb: Vec<u8>,
    /// The projection's rows that tell how far down in the camera's picture a pixel was.
    pub(super) down: [[f32; 3]; 2],
}

impl RectifiedBoard {
    /// Width and height in pixels.
    #[must_use]
    pub fn size(&self) -> (u32, u32) {
        (self.width, self.height)
    }

    /// The pixels, three bytes each, row by row.
    #[must_use]
    pub fn rgb(&self) -> &[u8] {
        &self.rgb
    }

    /// How far down in the camera's picture a place of the board was, in pixels.
    pub(super) fn down(&self, x: f32, y: f32) -> f32 {
        let [down, scale] = self.down.map(|m| m[0] * x + m[1] * y + m[2]);
        down / scale
    }

    /// By how many pixels a row of the camera falls for each pixel to the right, around a place.
    pub(super) fn tilt(&self, x: f32, y: f32) -> f32 {
        let across = self.down(x + 1.0, y) - self.down(x - 1.0, y);
        let along = self.down(x, y + 1.0) - self.down(x, y - 1.0);
        -across / along
    }

    /// One pixel.
    pub(super) fn pixel(&self, x: u32, y: u32) -> [u8; 3] {
        let i = (y as usize * self.width as usize + x as usize) * 3;
        [self.rgb[i], self.rgb[i + 1], self.rgb[i + 2]]
    }
}
