//! From a frame in ordinary memory into the memory of a display: damaged areas only, turned on
//! the way.
//!
//! The memory of a display is often write-combined: writing in order is fast, reading takes a
//! hundred times as long. So its bytes are written once, row by row from left to right, and never
//! read; what is blended is blended in the frame.

use crate::config::Rotation;
use crate::output::Frame;
use embedded_graphics::primitives::Rectangle;

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
    let words = frame.words();
    let mut written = 0;
    // Where the window lies on the display, and which pixels make its row `i`.
    let (left, top, rows) = match rotation {
        Rotation::None => (from.left, from.top, from.height),
        Rotation::Quarter => (height - from.top - from.height, from.left, from.width),
        Rotation::Half => (
            width - from.left - from.width,
            height - from.top - from.height,
            from.height,
        ),
        Rotation::ThreeQuarters => (from.top, width - from.left - from.width, from.width),
    };
    for i in 0..rows {
        let start = (top + i) * pitch + left * PIXEL_BYTES;
        let Some(row) = memory.get_mut(start..) else {
            break;
        };
        let line = |y: usize| {
            let start = y * width + from.left;
            words[start..start + from.width].iter()
        };
        let column = |x: usize| {
            let first = from.top * width + x;
            let last = first + (from.height - 1) * width;
            words[first..=last].iter().step_by(width)
        };
        written += match rotation {
            Rotation::None => write(row, line(from.top + i)),
            Rotation::Quarter => write(row, column(from.left + i).rev()),
            Rotation::Half => write(row, line(from.top + from.height - 1 - i).rev()),
            Rotation::ThreeQuarters => write(row, column(from.left + from.width - 1 - i)),
        };
    }
    written
}

fn write<'a>(row: &mut [u8], pixels: impl ExactSizeIterator<Item = &'a u32>) -> usize {
    let (row, _) = row.as_chunks_mut::<PIXEL_BYTES>();
    let count = pixels.len().min(row.len());
    for (bytes, word) in row.iter_mut().zip(pixels) {
        *bytes = word.to_le_bytes();
    }
    count * PIXEL_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;
    use embedded_graphics::pixelcolor::{Rgb888, RgbColor};
    use embedded_graphics::prelude::{DrawTarget, Pixel, Point, Size};

    const F: [&str; 5] = ["####", "#...", "###.", "#...", "#..."];

    fn frame(pattern: &[&str]) -> Frame {
        let (w, h) = (pattern[0].len() as u32, pattern.len() as u32);
        let mut frame = Frame::new(w, h);
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
