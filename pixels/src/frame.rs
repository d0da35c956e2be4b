//! The pixels of a board.
//!
//! An own frame because the drawing libraries' displays go through a call a pixel: here solid areas
//! are filled row by row. A pixel is one `0x00RRGGBB` word, which is also what dumb buffers of HDMI
//! outputs take (XRGB8888). Whatever lies outside is dropped, never a panic.

use embedded_graphics::pixelcolor::{Rgb888, RgbColor};
use embedded_graphics::prelude::{DrawTarget, OriginDimensions, Pixel, Point, Size};
use embedded_graphics::primitives::Rectangle;
use sha2::{Digest, Sha256};
use std::convert::Infallible;
use std::fmt;

/// Longest side of a frame in pixels: twice 8K, and still 1 GiB below what would be a mistake.
pub const MAX_SIDE: u32 = 16_384;

/// Steps between no and full coverage of a pixel by a glyph.
///
/// Few steps keep the exact colours of a board few, so that its picture stays small; four are
/// enough to hide the stairs of letters of 20 px and more.
pub const COVERAGE_STEPS: u8 = 4;

/// A picture in memory, drawn on with embedded-graphics.
///
/// ```
/// use embedded_graphics::{pixelcolor::Rgb888, prelude::*, primitives::Rectangle};
/// use yobiban_pixels::Frame;
///
/// let mut frame = Frame::new(64, 32);
/// let all = Rectangle::new(Point::new(60, 30), Size::new(100, 100));
/// frame.fill_solid(&all, Rgb888::WHITE).expect("cannot fail");
/// assert_eq!(frame.pixel(63, 31), Some(Rgb888::WHITE));
/// assert_eq!(frame.pixel(59, 31), Some(Rgb888::BLACK));
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Frame {
    width: u32,
    height: u32,
    /// Row by row, `width * height` words.
    pixels: Vec<u32>,
}

/// How much of each pixel of an area a glyph covers, in [`COVERAGE_STEPS`] steps.
#[derive(Debug, Clone, Copy)]
pub struct Mask<'a> {
    /// Width in pixels.
    pub width: u32,
    /// Row by row: 0 is not covered, [`COVERAGE_STEPS`] is covered.
    pub coverage: &'a [u8],
}

impl Frame {
    /// A black frame; sides are bounded to 1 and [`MAX_SIDE`].
    #[must_use]
    pub fn new(width: u32, height: u32) -> Self {
        let (width, height) = (width.clamp(1, MAX_SIDE), height.clamp(1, MAX_SIDE));
        Self {
            width,
            height,
            pixels: vec![0; width as usize * height as usize],
        }
    }

    /// Width in pixels.
    #[must_use]
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Height in pixels.
    #[must_use]
    pub fn height(&self) -> u32 {
        self.height
    }

    /// All pixels as `0x00RRGGBB`, row by row without gaps.
    #[must_use]
    pub fn words(&self) -> &[u32] {
        &self.pixels
    }

    /// One row of pixels as `0x00RRGGBB`; empty below the last row.
    #[must_use]
    pub fn row(&self, y: u32) -> &[u32] {
        let start = y as usize * self.width as usize;
        self.pixels
            .get(start..start + self.width as usize)
            .unwrap_or_default()
    }

    /// The colour of one pixel; `None` outside.
    #[must_use]
    pub fn pixel(&self, x: u32, y: u32) -> Option<Rgb888> {
        if x >= self.width {
            return None;
        }
        self.row(y).get(x as usize).copied().map(color_of)
    }

    /// SHA-256 of size and pixels: proof of what was shown.
    #[must_use]
    pub fn sha256(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(self.width.to_be_bytes());
        hash.update(self.height.to_be_bytes());
        let mut bytes = Vec::with_capacity(self.width as usize * 3);
        for row in self.pixels.chunks_exact(self.width as usize) {
            bytes.clear();
            bytes.extend(row.iter().flat_map(|p| {
                let [_, r, g, b] = p.to_be_bytes();
                [r, g, b]
            }));
            hash.update(&bytes);
        }
        hash.finalize().into()
    }

    /// Blends a colour over what is there, as far as `mask` covers it, within `clip` only.
    pub fn blend_mask(&mut self, at: Point, mask: Mask<'_>, color: Rgb888, clip: &Rectangle) {
        if mask.width == 0 {
            return;
        }
        let Some((xs, ys)) = self.bounds(clip) else {
            return;
        };
        let ink = word_of(color);
        let rows = mask.coverage.chunks_exact(mask.width as usize);
        for (y, row) in (i64::from(at.y)..).zip(rows) {
            if !(i64::from(ys.start)..i64::from(ys.end)).contains(&y) {
                continue;
            }
            let left = i64::from(at.x);
            let skip = usize::try_from(i64::from(xs.start) - left).unwrap_or(0);
            let Some(row) = row.get(skip..) else {
                continue;
            };
            let (Ok(x), Ok(y)) = (
                usize::try_from(left.max(i64::from(xs.start))),
                usize::try_from(y),
            ) else {
                continue;
            };
            let end = (x + row.len()).min(xs.end as usize);
            let start = y * self.width as usize;
            let Some(target) = self.pixels.get_mut(start + x..start + end.max(x)) else {
                continue;
            };
            for (pixel, &step) in target.iter_mut().zip(row) {
                *pixel = match step {
                    0 => continue,
                    COVERAGE_STEPS.. => ink,
                    step => mix(*pixel, ink, step),
                };
            }
        }
    }

    /// The part of an area that lies inside, as ranges of columns and rows; `None` when none does.
    #[must_use]
    pub fn bounds(&self, area: &Rectangle) -> Option<(std::ops::Range<u32>, std::ops::Range<u32>)> {
        let side = |start: i32, length: u32, limit: u32| {
            let end = (i64::from(start) + i64::from(length)).clamp(0, i64::from(limit));
            let start = i64::from(start).clamp(0, i64::from(limit));
            (start < end).then(|| u32::try_from(start).ok().zip(u32::try_from(end).ok()))?
        };
        let (left, right) = side(area.top_left.x, area.size.width, self.width)?;
        let (top, bottom) = side(area.top_left.y, area.size.height, self.height)?;
        Some((left..right, top..bottom))
    }
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Frame({}x{})", self.width, self.height)
    }
}

impl OriginDimensions for Frame {
    fn size(&self) -> Size {
        Size::new(self.width, self.height)
    }
}

impl DrawTarget for Frame {
    type Color = Rgb888;
    type Error = Infallible;

    fn draw_iter<I: IntoIterator<Item = Pixel<Rgb888>>>(
        &mut self,
        pixels: I,
    ) -> Result<(), Infallible> {
        for Pixel(at, color) in pixels {
            let (Ok(x), Ok(y)) = (u32::try_from(at.x), u32::try_from(at.y)) else {
                continue;
            };
            if x < self.width && y < self.height {
                self.pixels[y as usize * self.width as usize + x as usize] = word_of(color);
            }
        }
        Ok(())
    }

    fn fill_contiguous<I: IntoIterator<Item = Rgb888>>(
        &mut self,
        area: &Rectangle,
        colors: I,
    ) -> Result<(), Infallible> {
        let mut colors = colors.into_iter();
        let (xs, ys) = self.bounds(area).unwrap_or((0..0, 0..0));
        for y in area.rows() {
            for x in area.columns() {
                let Some(color) = colors.next() else {
                    return Ok(());
                };
                if let (Ok(x), Ok(y)) = (u32::try_from(x), u32::try_from(y))
                    && xs.contains(&x)
                    && ys.contains(&y)
                {
                    self.pixels[y as usize * self.width as usize + x as usize] = word_of(color);
                }
            }
        }
        Ok(())
    }

    fn fill_solid(&mut self, area: &Rectangle, color: Rgb888) -> Result<(), Infallible> {
        let Some((xs, ys)) = self.bounds(area) else {
            return Ok(());
        };
        let ink = word_of(color);
        for y in ys {
            let start = y as usize * self.width as usize;
            self.pixels[start + xs.start as usize..start + xs.end as usize].fill(ink);
        }
        Ok(())
    }
}

fn word_of(color: Rgb888) -> u32 {
    u32::from_be_bytes([0, color.r(), color.g(), color.b()])
}

fn color_of(word: u32) -> Rgb888 {
    let [_, r, g, b] = word.to_be_bytes();
    Rgb888::new(r, g, b)
}

/// `step` of [`COVERAGE_STEPS`] parts of `ink` over `ground`.
fn mix(ground: u32, ink: u32, step: u8) -> u32 {
    let (step, all) = (u32::from(step), u32::from(COVERAGE_STEPS));
    let part = |shift: u32| {
        let (g, i) = (ground >> shift & 0xff, ink >> shift & 0xff);
        ((g * (all - step) + i * step + all / 2) / all) << shift
    };
    part(16) | part(8) | part(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(frame: &Frame) -> Vec<String> {
        (0..frame.height())
            .map(|y| {
                frame
                    .row(y)
                    .iter()
                    .map(|p| match p & 0xff {
                        0 => '.',
                        0xff => '#',
                        _ => '+',
                    })
                    .collect()
            })
            .collect()
    }

    #[test]
    fn a_mask_is_blended_and_cut_at_the_edges() {
        let mut frame = Frame::new(4, 3);
        let mask = Mask {
            width: 3,
            coverage: &[0, 2, 4, 4, 2, 0],
        };
        let all = Rectangle::new(Point::zero(), frame.size());
        frame.blend_mask(Point::new(-1, 0), mask, Rgb888::WHITE, &all);
        frame.blend_mask(Point::new(2, 2), mask, Rgb888::WHITE, &all);
        assert_eq!(pattern(&frame), ["+#..", "+...", "...+"]);
        let clip = Rectangle::new(Point::new(3, 1), Size::new(9, 1));
        frame.blend_mask(Point::new(1, 0), mask, Rgb888::WHITE, &clip);
        assert_eq!(pattern(&frame), ["+#..", "+...", "...+"]);
        frame.blend_mask(Point::new(3, 0), mask, Rgb888::WHITE, &clip);
        assert_eq!(pattern(&frame), ["+#..", "+..#", "...+"]);
        for at in [
            Point::new(i32::MAX, i32::MAX),
            Point::new(i32::MIN, i32::MIN),
        ] {
            frame.blend_mask(at, mask, Rgb888::WHITE, &all);
        }
        assert_eq!(pattern(&frame), ["+#..", "+..#", "...+"]);
    }

    #[test]
    fn areas_that_reach_out_are_cut() {
        let mut frame = Frame::new(4, 3);
        let area = Rectangle::new(Point::new(2, -1), Size::new(u32::MAX, 2));
        frame.fill_solid(&area, Rgb888::WHITE).expect("infallible");
        let area = Rectangle::new(Point::new(-1, 1), Size::new(2, 5));
        let colors = [Rgb888::BLACK, Rgb888::WHITE].into_iter().cycle();
        frame.fill_contiguous(&area, colors).expect("infallible");
        assert_eq!(pattern(&frame), ["..##", "#...", "#..."]);
    }

    #[test]
    fn the_hash_tells_frames_apart() {
        let (a, mut b) = (Frame::new(2, 2), Frame::new(2, 2));
        assert_eq!(a.sha256(), b.sha256());
        b.draw_iter([Pixel(Point::new(1, 1), Rgb888::new(0, 0, 1))])
            .expect("infallible");
        assert_ne!(a.sha256(), b.sha256());
        assert_ne!(
            a.sha256(),
            Frame::new(4, 1).sha256(),
            "same bytes, other shape"
        );
    }
}
