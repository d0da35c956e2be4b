//! RGB to what encoders take: Y′CbCr 4:2:0, 8 bits, limited range.
//!
//! The numbers are those of Recommendation ITU-R BT.709-6: luma of red and blue 0.2126 and 0.0722
//! (item 3.2), colour differences divided by 1.8556 and 1.5748 (3.3), black 16, white 235, colour
//! 128 ± 112 (4.6). They are integers in 1/65536 here, so that every machine gives the same bytes.

use crate::frame::Frame;
use std::sync::Arc;

/// A half, to round.
const HALF: i32 = 1 << 15;

/// 219 × (0.2126, 0.7152, 0.0722) / 255 in 1/65536; they add up to 219/255, so grey is exact.
const LUMA: [i32; 3] = [11_966, 40_254, 4_064];
/// 224 × (−0.2126, −0.7152, 0.9278) / (255 × 1.8556); they add up to nothing, so grey has no colour.
const BLUE: [i32; 3] = [-6_596, -22_188, 28_784];
/// 224 × (0.7874, −0.7152, −0.0722) / (255 × 1.5748).
const RED: [i32; 3] = [28_784, -26_145, -2_639];

/// A picture as planes Y, Cb, Cr without gaps; cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Yuv(Arc<[u8]>);

impl Yuv {
    /// A black picture; sides are even.
    #[must_use]
    pub fn black((width, height): (u32, u32)) -> Self {
        let pixels = width as usize * height as usize;
        let mut bytes = vec![16; pixels];
        bytes.resize(pixels + pixels / 2, 128);
        Self(bytes.into())
    }

    /// Converts a frame; an odd last row or column is left out of the colour planes.
    #[must_use]
    pub fn from_frame(frame: &Frame) -> Self {
        let (width, height) = (frame.width() as usize, frame.height() as usize);
        let pixels = width * height;
        let mut bytes = Vec::with_capacity(pixels + pixels / 2);
        bytes.extend(frame.words().iter().map(|word| luma(*word)));
        let (mut blue, mut red) = (Vec::new(), Vec::new());
        blue.reserve_exact(pixels / 4);
        red.reserve_exact(pixels / 4);
        for rows in frame.words().chunks_exact(width * 2) {
            let (upper, lower) = rows.split_at(width);
            for (a, b) in upper.chunks_exact(2).zip(lower.chunks_exact(2)) {
                // Boards are mostly even areas.
                let sum = if a[0] == a[1] && a == b {
                    rgb(a[0]).map(|c| c * 4)
                } else {
                    [a[0], a[1], b[0], b[1]]
                        .map(rgb)
                        .iter()
                        .fold([0; 3], |s, c| [s[0] + c[0], s[1] + c[1], s[2] + c[2]])
                };
                blue.push(difference(&BLUE, sum));
                red.push(difference(&RED, sum));
            }
        }
        bytes.extend(blue);
        bytes.extend(red);
        Self(bytes.into())
    }

    /// The planes, one after the other.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

fn rgb(word: u32) -> [i32; 3] {
    let [_, r, g, b] = word.to_be_bytes();
    [r, g, b].map(i32::from)
}

fn dot(weights: &[i32; 3], [r, g, b]: [i32; 3]) -> i32 {
    weights[0] * r + weights[1] * g + weights[2] * b
}

fn luma(word: u32) -> u8 {
    clip(16 + ((dot(&LUMA, rgb(word)) + HALF) >> 16))
}

/// The colour difference of four pixels together.
fn difference(weights: &[i32; 3], sum: [i32; 3]) -> u8 {
    clip(128 + ((dot(weights, sum) + 4 * HALF) >> 18))
}

fn clip(value: i32) -> u8 {
    u8::try_from(value.clamp(0, 255)).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use embedded_graphics::draw_target::DrawTarget;
    use embedded_graphics::geometry::{OriginDimensions, Point};
    use embedded_graphics::pixelcolor::Rgb888;
    use embedded_graphics::primitives::Rectangle;

    fn of(color: Rgb888) -> [u8; 3] {
        let mut frame = Frame::new(4, 2);
        let all = Rectangle::new(Point::zero(), frame.size());
        let Ok(()) = frame.fill_solid(&all, color);
        let yuv = Yuv::from_frame(&frame);
        let bytes = yuv.bytes();
        assert_eq!(bytes.len(), 12);
        [bytes[0], bytes[8], bytes[10]]
    }

    #[test]
    fn colours_are_those_of_the_standard() {
        // The bars of SMPTE RP 219 at 100 %, rounded as BT.709 says.
        for (rgb, yuv) in [
            ((0, 0, 0), [16, 128, 128]),
            ((255, 255, 255), [235, 128, 128]),
            ((128, 128, 128), [126, 128, 128]),
            ((255, 0, 0), [63, 102, 240]),
            ((0, 255, 0), [173, 42, 26]),
            ((0, 0, 255), [32, 240, 118]),
            ((255, 255, 0), [219, 16, 138]),
            ((0, 255, 255), [188, 154, 16]),
        ] {
            assert_eq!(of(Rgb888::new(rgb.0, rgb.1, rgb.2)), yuv, "{rgb:?}");
        }
        assert_eq!(Yuv::black((4, 2)), Yuv::from_frame(&Frame::new(4, 2)));
    }

    #[test]
    fn weights_keep_grey_grey() {
        assert_eq!(BLUE.iter().sum::<i32>(), 0);
        assert_eq!(RED.iter().sum::<i32>(), 0);
        let exact = 219.0 / 255.0 * 65536.0;
        assert!((f64::from(LUMA.iter().sum::<i32>()) - exact).abs() < 1.0);
    }
}
