//! What will glow: the frame of a panel of light points as a picture for people.
//!
//! Every point is a square with dark space around it, lit or not, so that an installer sees the
//! panel and not its pixels. Made by the simulator of embedded-graphics.

use crate::config::{BoardConfig, OutputConfig};
use crate::frame::Frame;
use embedded_graphics::draw_target::DrawTarget;
use embedded_graphics::geometry::{OriginDimensions, Point, Size};
use embedded_graphics::pixelcolor::Rgb888;
use embedded_graphics::primitives::Rectangle;
use embedded_graphics_simulator::{OutputSettingsBuilder, SimulatorDisplay};

/// About how wide a picture is, in pixels.
const WIDTH: u32 = 1280;
/// Most pixels between the middles of two points: a picture of a small panel stays small.
const LARGEST: u32 = 20;
/// A point that is not lit: it reflects a little of the room.
const UNLIT: Rgb888 = Rgb888::new(0x1c, 0x1c, 0x1f);

/// Which colours the points of a panel have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Points {
    /// Red, green and blue, on or off: eight colours.
    Rgb,
    /// One colour, on or off: whatever is not black is on.
    Red,
}

impl Points {
    /// Those of a board that is drawn for panels of light points, so that its pictures show them;
    /// `None` for other boards.
    #[must_use]
    pub fn of_board(board: &BoardConfig) -> Option<Self> {
        let led = board.layout.as_deref() == Some("led");
        led.then_some(match board.output {
            OutputConfig::Max7219(_) => Self::Red,
            _ => Self::Rgb,
        })
    }

    /// How a point looks whose pixel is `0x00RRGGBB`.
    fn glow(self, word: u32) -> Rgb888 {
        let [_, r, g, b] = word.to_be_bytes();
        let lit = |channel| channel >= 0x80;
        match (self, lit(r), lit(g), lit(b)) {
            (_, false, false, false) => UNLIT,
            (Self::Red, ..) => Rgb888::new(0xff, 0x38, 0x28),
            // As light-emitting diodes mix: green is the brightest, blue the darkest.
            (Self::Rgb, true, false, false) => Rgb888::new(0xff, 0x38, 0x28),
            (Self::Rgb, false, true, false) => Rgb888::new(0x3c, 0xff, 0x6e),
            (Self::Rgb, false, false, true) => Rgb888::new(0x3c, 0x6e, 0xff),
            (Self::Rgb, true, true, false) => Rgb888::new(0xff, 0xd8, 0x30),
            (Self::Rgb, true, false, true) => Rgb888::new(0xff, 0x60, 0xf0),
            (Self::Rgb, false, true, true) => Rgb888::new(0x50, 0xf0, 0xff),
            (Self::Rgb, true, true, true) => Rgb888::new(0xff, 0xf6, 0xe8),
        }
    }
}

/// The picture of a frame, about 1280 pixels wide, less for small panels. Frames that are too wide
/// for points to be seen come back as they are.
#[must_use]
pub fn preview(frame: &Frame, points: Points) -> Frame {
    let pitch = (WIDTH / frame.width()).min(LARGEST);
    if pitch < 4 {
        return frame.clone();
    }
    let space = (pitch / 5).max(1);
    let settings = OutputSettingsBuilder::new()
        .scale(pitch - space)
        .pixel_spacing(space)
        .build();
    let mut display = SimulatorDisplay::new(frame.size());
    let all = Rectangle::new(Point::zero(), frame.size());
    let Ok(()) = display.fill_contiguous(&all, frame.words().iter().map(|w| points.glow(*w)));
    let image = display.to_rgb_output_image(&settings);
    // A rim of half a point all around, as the panel's frame has.
    let rim = pitch / 2;
    let size = image.size();
    let mut picture = Frame::new(size.width + 2 * rim, size.height + 2 * rim);
    let at = Point::new_equal(i32::try_from(rim).unwrap_or(0));
    let buffer = image.as_image_buffer();
    let pixels = buffer.pixels().map(|p| Rgb888::new(p.0[0], p.0[1], p.0[2]));
    let area = Rectangle::new(at, Size::new(size.width, size.height));
    let Ok(()) = picture.fill_contiguous(&area, pixels);
    picture
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::encode;
    use embedded_graphics::pixelcolor::RgbColor;

    #[test]
    fn every_point_is_a_square_with_space_around_it() {
        let mut frame = Frame::new(64, 32);
        let at = |x, y| Rectangle::new(Point::new(x, y), Size::new_equal(1));
        let Ok(()) = frame.fill_solid(&at(63, 31), Rgb888::YELLOW);
        let picture = preview(&frame, Points::Rgb);
        // 64 points of 16 pixels, 4 between them, 10 at each side.
        assert_eq!(
            (picture.width(), picture.height()),
            (64 * 20 - 4 + 20, 32 * 20 - 4 + 20)
        );
        let lit = Points::Rgb.glow(0x00ff_ff00);
        assert_eq!(picture.pixel(10 + 63 * 20, 10 + 31 * 20), Some(lit));
        assert_eq!(
            picture.pixel(10 + 63 * 20 + 15, 10 + 31 * 20 + 15),
            Some(lit)
        );
        assert_eq!(
            picture.pixel(10 + 63 * 20 - 1, 10 + 31 * 20),
            Some(Rgb888::BLACK)
        );
        assert_eq!(picture.pixel(10, 10), Some(UNLIT));
        assert_eq!(picture.pixel(0, 0), Some(Rgb888::BLACK));
    }

    #[test]
    fn a_panel_of_one_colour_lights_whatever_is_not_black() {
        let red = Points::Red.glow(0x00ff_0000);
        assert_eq!(Points::Red.glow(0x0000_00ff), red);
        assert_eq!(Points::Red.glow(0x00ff_ffff), red);
        assert_ne!(Points::Red.glow(0), red);
    }

    #[test]
    fn pictures_stay_of_a_size_to_be_sent() {
        for (w, h, width) in [
            (32, 8, 32 * 20),
            (128, 32, 1280),
            (256, 64, 1280),
            (1920, 1080, 1920),
        ] {
            let picture = preview(&Frame::new(w, h), Points::Rgb);
            assert!(
                picture.width().abs_diff(width) <= 20,
                "{w}: {}",
                picture.width()
            );
            assert!(encode::lossless(&picture).bytes.len() < 20_000);
        }
    }
}
