//! A camera's whole picture, which never leaves memory, and the board cut out of it.
//!
//! [`Picture`] has no way out: it cannot be copied, printed, compared or encoded, and its pixels are
//! seen only by this module's neighbours while they look for the board. What goes on is a
//! [`Rectified`] board, in which nothing outside the quadrilateral is left.

use super::quad::Quad;
use image::codecs::jpeg::JpegDecoder;
use image::{ImageDecoder, ImageFormat, Limits};
use std::io::Cursor;

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
    /// Width, height or the number of bytes do not belong together.
    #[error("a picture of {width} × {height} with {bytes} bytes: expected 16 to 4096 pixels a side, 3 bytes each")]
    Size {
        /// Pixels in a row.
        width: u32,
        /// Rows.
        height: u32,
        /// Bytes given.
        bytes: usize,
    },
    /// The corners do not enclose a board.
    #[error("the corners enclose no board: expected a convex quadrilateral, clockwise from the top left")]
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

    /// Takes pixels as they are, three bytes each, row by row.
    ///
    /// # Errors
    /// [`PictureError::Size`] when size and bytes do not fit.
    pub fn from_rgb(width: u32, height: u32, rgb: Vec<u8>) -> Result<Self, PictureError> {
        let sides = 16..=MAX_SIDE;
        let expected = width as usize * height as usize * 3;
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
            // Along a row the three homogeneous coordinates grow evenly.
            let start: [f32; 3] = std::array::from_fn(|i| m[i][0] * 0.5 * sx + m[i][1] * v + m[i][2]);
            for (x, pixel) in row.chunks_exact_mut(3).enumerate() {
                let along = x as f32 * sx;
                let [px, py, pw] = std::array::from_fn(|i| start[i] + m[i][0] * along);
                let scale = 1.0 / pw;
                pixel.copy_from_slice(&self.sample(px * scale - 0.5, py * scale - 0.5));
            }
        }
        Ok(Rectified { width, height, rgb })
    }

    /// The colour at a place between pixels, linearly between its four; black outside.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // checked against the sides
    fn sample(&self, x: f32, y: f32) -> [u8; 3] {
        if !(x > -1.0 && y > -1.0 && x < self.width as f32 && y < self.height as f32) {
            return [0; 3];
        }
        let (x, y) = (x.max(0.0), y.max(0.0));
        let (x0, y0) = (x as usize, y as usize);
        // 8 bits of fraction: finer than the camera's own noise.
        let (fx, fy) = (((x - x0 as f32) * 256.0) as u32, ((y - y0 as f32) * 256.0) as u32);
        let w = self.width as usize;
        let right = if x0 + 1 < w { 3 } else { 0 };
        let below = if y0 + 1 < self.height as usize { w * 3 } else { 0 };
        let at = (y0 * w + x0) * 3;
        let Some(near) = self.rgb.get(at..at + below + right + 3) else {
            return [0; 3];
        };
        let (top, bottom) = (&near[..right + 3], &near[below..]);
        let mix = |i: usize| {
            let upper = u32::from(top[i]) * (256 - fx) + u32::from(top[right + i]) * fx;
            let lower = u32::from(bottom[i]) * (256 - fx) + u32::from(bottom[right + i]) * fx;
            ((upper * (256 - fy) + lower * fy + (1 << 15)) >> 16) as u8
        };
        [mix(0), mix(1), mix(2)]
    }

    /// Brightness of one pixel, 0 to 255.
    pub(super) fn luma(&self, x: u32, y: u32) -> f32 {
        let i = (y as usize * self.width as usize + x as usize) * 3;
        luma(&self.rgb[i..i + 3])
    }
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

    /// One pixel.
    pub(super) fn pixel(&self, x: u32, y: u32) -> [u8; 3] {
        let i = (y as usize * self.width as usize + x as usize) * 3;
        [self.rgb[i], self.rgb[i + 1], self.rgb[i + 2]]
    }
}
