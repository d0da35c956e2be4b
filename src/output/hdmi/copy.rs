//! From a frame in ordinary memory into the memory of a display: damaged areas only, turned on
//! the way.
//!
//! The memory of a display is often write-combined: writing in order is fast, reading takes a
//! hundred times as long. So its bytes are written once, in runs from left to right, and never read;
//! what is blended is blended in the frame.

use crate::config::Rotation;
use crate::frame::Frame;
use embedded_graphics::primitives::Rectangle;
use std::ops::Range;

/// Bytes of a pixel: blue, green, red, unused (XRGB8888, little endian).
pub const PIXEL_BYTES: usize = 4;

/// Copies areas of a frame into a display's memory of `pitch` bytes a row, turned by `rotation`,
/// and returns how many bytes were written.
///
/// Areas are given in pixels of the frame; what lies outside of it is left out, and so is what the
/// memory has no room for.
///
/// ```
/// use embedded_graphics::{prelude::*, primitives::Rectangle};
/// use yobiban::config::Rotation;
/// use yobiban::output::{Frame, hdmi::copy_damage};
///
/// let frame = Frame::new(64, 32);
/// let area = Rectangle::new(Point::new(8, 8), Size::new(16, 2));
/// let mut memory = vec![0xff; 256 * 32];
/// let written = copy_damage(&frame, &[area], Rotation::None, &mut memory, 256);
/// assert_eq!(written, 16 * 2 * 4);
/// ```
pub fn copy_damage(
    frame: &Frame,
    damage: &[Rectangle],
    rotation: Rotation,
    memory: &mut [u8],
    pitch: usize,
) -> usize {
    damage
        .iter()
        .filter_map(|area| frame.bounds(area))
        .map(|(xs, ys)| Window {
            left: xs.start as usize,
            top: ys.start as usize,
            width: xs.len(),
            height: ys.len(),
        })
        .map(|window| copy(frame, &window, rotation, memory, pitch))
        .sum()
}

/// An area inside of a frame, not empty.
struct Window {
    left: usize,
    top: usize,
    width: usize,
    height: usize,
}

fn copy(
    frame: &Frame,
    from: &Window,
    rotation: Rotation,
    memory: &mut [u8],
    pitch: usize,
) -> usize {
    let (width, height) = (frame.width() as usize, frame.height() as usize);
    let (right, bottom) = (from.left + from.width, from.top + from.height);
    // Where the window begins on the display.
    let (left, top) = match rotation {
        Rotation::None => (from.left, from.top),
        Rotation::Quarter => (height - bottom, from.left),
        Rotation::Half => (width - right, height - bottom),
        Rotation::ThreeQuarters => (from.top, width - right),
    };
    let place = |x: usize, y: usize| (top + y) * pitch + (left + x) * PIXEL_BYTES;
    let words = frame.words();
    let row = |y: usize| {
        let start = y * width;
        words[start + from.left..start + right].iter().copied()
    };
    let mut written = 0;
    match rotation {
        Rotation::None => {
            for y in 0..from.height {
                written += write(memory, place(0, y), row(from.top + y));
            }
        }
        Rotation::Half => {
            for y in 0..from.height {
                written += write(memory, place(0, y), row(bottom - 1 - y).rev());
            }
        }
        Rotation::Quarter => {
            for (xs, ys) in tiles(from.height, from.width) {
                for y in ys {
                    let column = &words[from.left + y..];
                    let pixels = xs.clone().map(|x| column[(bottom - 1 - x) * width]);
                    written += write(memory, place(xs.start, y), pixels);
                }
            }
        }
        Rotation::ThreeQuarters => {
            for (xs, ys) in tiles(from.height, from.width) {
                for y in ys {
                    let column = &words[right - 1 - y..];
                    let pixels = xs.clone().map(|x| column[(from.top + x) * width]);
                    written += write(memory, place(xs.start, y), pixels);
                }
            }
        }
    }
    written
}

/// Cuts an area of the display into pieces whose source stays in the nearest cache: columns of a
/// frame lie a row apart from pixel to pixel, and copying whole ones takes ten times as long.
fn tiles(width: usize, height: usize) -> impl Iterator<Item = (Range<usize>, Range<usize>)> {
    /// Pixels in a cache line of 64 bytes: as many columns are used while it is there.
    const HIGH: usize = 16;
    /// Two cache lines are written in one go; as many rows of the frame are kept at hand.
    const WIDE: usize = 32;
    let cut =
        |all: usize, step: usize| (0..all).step_by(step).map(move |at| at..all.min(at + step));
    cut(height, HIGH).flat_map(move |ys| cut(width, WIDE).map(move |xs| (xs, ys.clone())))
}

fn write(memory: &mut [u8], start: usize, pixels: impl ExactSizeIterator<Item = u32>) -> usize {
    let row = memory.get_mut(start..).unwrap_or_default();
    let (row, _) = row.as_chunks_mut::<PIXEL_BYTES>();
    let count = pixels.len().min(row.len());
    for (bytes, word) in row.iter_mut().zip(pixels) {
        *bytes = word.to_le_bytes();
    }
    count * PIXEL_BYTES
}

#[cfg(test)]
#[allow(clippy::cast_possible_truncation)] // of small patterns
mod tests {
    use super::*;
    use embedded_graphics::pixelcolor::{Rgb888, RgbColor};
    use embedded_graphics::prelude::{DrawTarget, Pixel, Point, Size};

    const F: [&str; 5] = ["####", "#...", "###.", "#...", "#..."];

    fn frame(pattern: &[&str]) -> Frame {
        let side = |n: usize| u32::try_from(n).expect("small");
        let mut frame = Frame::new(side(pattern[0].len()), side(pattern.len()));
        let pixels = (0..).zip(pattern).flat_map(|(y, row)| {
            (0..).zip(row.bytes()).filter_map(move |(x, c)| {
                (c == b'#').then_some(Pixel(Point::new(x, y), Rgb888::WHITE))
            })
        });
        frame.draw_iter(pixels).expect("infallible");
        frame
    }

    /// `~` was never written, `?` only partly or wrongly.
    fn pattern(memory: &[u8], pitch: usize, width: usize) -> Vec<String> {
        let pixel = |bytes: &[u8]| match bytes {
            [0, 0, 0, 0] => '.',
            [0xff, 0xff, 0xff, 0] => '#',
            [0x7e, 0x7e, 0x7e, 0x7e] => '~',
            _ => '?',
        };
        let rows = memory.chunks(pitch);
        rows.map(|row| {
            assert!(row[width * 4..].iter().all(|b| *b == 0x7e), "past the row");
            row[..width * 4].chunks(4).map(pixel).collect()
        })
        .collect()
    }

    fn copied(
        of: &[&str],
        damage: Rectangle,
        rotation: Rotation,
        spare: usize,
    ) -> (Vec<String>, usize) {
        let frame = frame(of);
        let (mut w, mut h) = (frame.width() as usize, frame.height() as usize);
        if rotation.swaps() {
            (w, h) = (h, w);
        }
        let pitch = w * 4 + spare;
        let mut memory = vec![0x7e; pitch * h];
        let written = copy_damage(&frame, &[damage], rotation, &mut memory, pitch);
        (pattern(&memory, pitch, w), written)
    }

    fn area(x: i32, y: i32, w: u32, h: u32) -> Rectangle {
        Rectangle::new(Point::new(x, y), Size::new(w, h))
    }

    #[test]
    fn a_whole_frame_is_turned_to_the_right() {
        let check = |rotation, expected: &[&str]| {
            // Pitches of whole pixels, of a cache line's padding, and odd ones.
            for spare in [0, 64, 3, 1] {
                let (found, written) = copied(&F, area(0, 0, 4, 5), rotation, spare);
                assert_eq!(found, expected, "{rotation:?}, {spare} bytes spare");
                assert_eq!(written, 4 * 5 * 4);
            }
        };
        check(Rotation::None, &F);
        check(Rotation::Quarter, &["#####", "..#.#", "..#.#", "....#"]);
        check(Rotation::Half, &["...#", "...#", ".###", "...#", "####"]);
        check(
            Rotation::ThreeQuarters,
            &["#....", "#.#..", "#.#..", "#####"],
        );
    }

    #[test]
    fn only_the_damage_is_written() {
        let check = |rotation, expected: &[&str]| {
            let (found, written) = copied(&F, area(1, 2, 2, 3), rotation, 5);
            assert_eq!(found, expected, "{rotation:?}");
            assert_eq!(written, 2 * 3 * 4);
        };
        check(Rotation::None, &["~~~~", "~~~~", "~##~", "~..~", "~..~"]);
        check(Rotation::Quarter, &["~~~~~", "..#~~", "..#~~", "~~~~~"]);
        check(Rotation::Half, &["~..~", "~..~", "~##~", "~~~~", "~~~~"]);
        check(
            Rotation::ThreeQuarters,
            &["~~~~~", "~~#..", "~~#..", "~~~~~"],
        );
    }

    #[test]
    fn areas_that_reach_out_are_cut_and_those_outside_left_out() {
        let rotations = [
            Rotation::None,
            Rotation::Quarter,
            Rotation::Half,
            Rotation::ThreeQuarters,
        ];
        for rotation in rotations {
            let (whole, _) = copied(&F, area(0, 0, 4, 5), rotation, 0);
            let (found, written) = copied(&F, area(-7, -9, u32::MAX, 4_000), rotation, 0);
            assert_eq!((found, written), (whole, 80), "{rotation:?}");
            for nowhere in [
                area(4, 0, 9, 9),
                area(0, 5, 9, 9),
                area(-9, -9, 9, 9),
                area(1, 1, 0, 5),
            ] {
                let (found, written) = copied(&F, nowhere, rotation, 0);
                assert_eq!(written, 0, "{rotation:?} {nowhere:?}");
                assert!(found.iter().all(|row| row.chars().all(|c| c == '~')));
            }
        }
    }

    #[test]
    fn memory_that_is_too_small_is_not_overrun() {
        let frame = frame(&F);
        for bytes in 0..80 {
            let mut memory = vec![0x7e; bytes];
            let written = copy_damage(
                &frame,
                &[area(0, 0, 4, 5)],
                Rotation::Quarter,
                &mut memory,
                20,
            );
            assert!(written <= bytes, "{written} of {bytes}");
        }
    }

    #[test]
    fn frames_of_many_tiles_are_turned_like_small_ones() {
        let (w, h) = (67_u32, 53_u32);
        let mut frame = Frame::new(w, h);
        let number = |x: u32, y: u32| Rgb888::new(x as u8, y as u8, 7);
        let pixels = (0..h).flat_map(|y| (0..w).map(move |x| (x, y)));
        let points = pixels.clone().map(|(x, y)| {
            let at = Point::new(x.cast_signed(), y.cast_signed());
            Pixel(at, number(x, y))
        });
        frame.draw_iter(points).expect("infallible");
        let check = |rotation, place: fn(u32, u32) -> (u32, u32)| {
            let pitch = 67 * 4 + 12;
            let mut memory = vec![0x7e; pitch * 67];
            copy_damage(&frame, &[area(3, 2, 61, 50)], rotation, &mut memory, pitch);
            for (x, y) in pixels.clone() {
                let (px, py) = place(x, y);
                let start = py as usize * pitch + px as usize * 4;
                let inside = (3..64).contains(&x) && (2..52).contains(&y);
                let expected = if inside {
                    [7, y as u8, x as u8, 0]
                } else {
                    [0x7e; 4]
                };
                assert_eq!(memory[start..start + 4], expected, "{rotation:?} {x} {y}");
            }
        };
        check(Rotation::None, |x, y| (x, y));
        check(Rotation::Quarter, |x, y| (52 - y, x));
        check(Rotation::Half, |x, y| (66 - x, 52 - y));
        check(Rotation::ThreeQuarters, |x, y| (y, 66 - x));
    }

    #[test]
    fn colours_keep_their_places() {
        let mut frame = Frame::new(1, 1);
        frame
            .draw_iter([Pixel(Point::zero(), Rgb888::new(1, 2, 3))])
            .expect("infallible");
        let mut memory = [0xff; 4];
        copy_damage(&frame, &[area(0, 0, 1, 1)], Rotation::Half, &mut memory, 4);
        assert_eq!(memory, [3, 2, 1, 0], "blue first");
    }
}
