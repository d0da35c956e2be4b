//! A camera's whole picture, which never leaves memory, and the board cut out of it.
//!
//! [`Picture`] has no way out: it cannot be copied, printed, compared or encoded, and its pixels are
//! seen only by this module's neighbours while they look for the board. What goes on is a
//! [`Rectified`] board, in which nothing outside the quadrilateral is left.

use super::quad::Quad;
use image::codecs::jpeg::JpegDecoder;
use image::{ImageDecoder, ImageFormat, Limits};
use std::io::Cursor;

/// How a JPEG ends (ITU-T T.81, B.1.1.3).
const END_OF_IMAGE: [u8; 2] = [0xff, 0xd9];
/// More than any camera's picture: 4096 × 4096.
const MAX_SIDE: u32 = 4096;
/// Memory for decoding: that many pixels of three bytes, and as much again for the decoder.
const MAX_ALLOC: u64 = 2 * 3 * (MAX_SIDE as u64) * (MAX_SIDE as u64);

/// Widest rectified board in pixels: digits of a board with four columns are still 30 pixels wide.
pub(super) const MAX_WIDTH: u32 = 960;
/// Tallest.
pub(super) const MAX_HEIGHT: u32 = 960;
/// Smallest side of a rectified board: less holds no digits.
pub(super) const MIN_SIDE: u32 = 64;

/// Why a picture cannot be taken.
#[derive(Debug, thiserror::Error)]
pub enum PictureError {
    /// The bytes are no picture of a known kind, or a broken one.
    #[error("cannot decode the picture: {0}")]
    Decode(#[from] image::ImageError),
    /// The end of the JPEG is missing.
    #[error("the picture is no JPEG, or was cut off")]
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
        /// As configured.
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
        let mut decoder = JpegDecoder::new(Cursor::new(bytes))?;
        let mut limits = Limits::default();
        limits.max_image_width = Some(MAX_SIDE);
        limits.max_image_height = Some(MAX_SIDE);
        limits.max_alloc = Some(MAX_ALLOC);
        decoder.set_limits(limits)?;
        let (width, height) = decoder.dimensions();
        let decoded = image::DynamicImage::from_decoder(decoder)?;
        Self::from_rgb(width, height, decoded.into_rgb8().into_raw())
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
        image::guess_format(bytes).is_ok_and(|f| f == ImageFormat::Jpeg)
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
    pub fn rectify(&self, quad: &Quad) -> Result<Rectified, PictureError> {
        let (width, height) = quad.rectified_size();
        self.rectify_to(quad, width, height)
    }

    /// As [`rectify`](Self::rectify), to a wanted size.
    pub(super) fn rectify_to(
        &self,
        quad: &Quad,
        width: u32,
        height: u32,
    ) -> Result<Rectified, PictureError> {
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
        Ok(Rectified {
            width,
            height,
            rgb,
            down: [m[1], m[2]],
        })
    }

    /// Fills a span with the colours between two places, evenly spaced.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // lanes of 8 bits
    fn span(&self, span: &mut [u8], from: (i32, i32), to: (i32, i32)) {
        let step = ((to.0 - from.0) / SPAN as i32, (to.1 - from.1) / SPAN as i32);
        let (mut x, mut y) = from;
        let stride = self.width as usize * 3;
        for pixel in span.chunks_exact_mut(3) {
            // What lies half a pixel out is still the rim; beyond, four pixels are not there.
            let (x0, y0) = (x >> 16, y >> 16);
            let at = x0 as usize * 3 + y0 as usize * stride;
            let within = x0 >= 0 && y0 >= 0 && x0 < self.width as i32 - 1;
            if let Some(near) = self.rgb.get(at..at + stride + 6).filter(|_| within) {
                let (fx, fy) = ((x >> 8) as u64 & 255, (y >> 8) as u64 & 255);
                let top = mix(lanes(&near[..3]), lanes(&near[3..6]), fx);
                let below = &near[stride..];
                let bottom = mix(lanes(&below[..3]), lanes(&below[3..6]), fx);
                let [r, _, g, _, b, ..] = mix(top, bottom, fy).to_le_bytes();
                pixel.copy_from_slice(&[r, g, b]);
            }
            x = x.wrapping_add(step.0);
            y = y.wrapping_add(step.1);
        }
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

/// Three channels in lanes of 16 bits.
fn lanes(rgb: &[u8]) -> u64 {
    u64::from(rgb[0]) | u64::from(rgb[1]) << 16 | u64::from(rgb[2]) << 32
}

/// From `a` to `b` by `share` of 256, lane by lane.
fn mix(a: u64, b: u64, share: u64) -> u64 {
    ((a * (256 - share) + b * share) >> 8) & 0x00ff_00ff_00ff
}

/// Brightness of a colour (ITU-R BT.601), 0 to 255.
pub(super) fn luma(rgb: &[u8]) -> f32 {
    0.299 * f32::from(rgb[0]) + 0.587 * f32::from(rgb[1]) + 0.114 * f32::from(rgb[2])
}

/// A board as seen from the front, with nothing around it.
#[derive(Clone)]
pub struct Rectified {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) rgb: Vec<u8>,
    /// The projection's rows that tell how far down in the camera's picture a place was.
    pub(super) down: [[f32; 3]; 2],
}

impl Rectified {
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
        let (u, v) = (x / self.width as f32, y / self.height as f32);
        let [y, scale] = self.down.map(|m| m[0] * u + m[1] * v + m[2]);
        y / scale
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
