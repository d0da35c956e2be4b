//! Frames to picture files: exact for the hub, small for a list.
//!
//! A board has few exact colours, so its picture is an indexed PNG: no digit is blurred, and it is
//! a tenth of what true colour takes. The same frame gives the same bytes.

use crate::Frame;
use png::{BitDepth, ColorType, Compression, Filter};
use sha2::{Digest, Sha256};

/// Width of a preview in pixels.
pub const PREVIEW_WIDTH: u32 = 640;

/// Colours of a preview: enough for grounds, inks and some steps between.
const PREVIEW_COLORS: usize = 16;

/// An encoded picture, a PNG.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    pub bytes: Vec<u8>,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
}

impl Picture {
    /// SHA-256 of the file's bytes, by which a picture is matched to its line of a report.
    #[must_use]
    pub fn sha256(&self) -> [u8; 32] {
        Sha256::digest(&self.bytes).into()
    }
}

/// Encodes a frame exactly: up to 16 colours with 4 bits a pixel, up to 256 with 8, more as true
/// colour.
#[must_use]
pub fn lossless(frame: &Frame) -> Picture {
    let (width, height) = (frame.width(), frame.height());
    let bytes = match index(frame.words()) {
        Some(indexed) => write_indexed(width, height, &indexed),
        None => {
            let rgb: Vec<u8> = frame
                .words()
                .iter()
                .flat_map(|p| {
                    let [_, r, g, b] = p.to_be_bytes();
                    [r, g, b]
                })
                .collect();
            write(width, height, ColorType::Rgb, BitDepth::Eight, None, &rgb)
        }
    };
    Picture {
        bytes,
        width,
        height,
    }
}

/// Encodes a small picture of a frame, [`PREVIEW_WIDTH`] wide or as wide as the frame if that is
/// less, in few colours.
#[must_use]
pub fn preview(frame: &Frame) -> Picture {
    let width = PREVIEW_WIDTH.min(frame.width());
    let height = (u64::from(frame.height()) * u64::from(width) / u64::from(frame.width())).max(1);
    let height = u32::try_from(height).unwrap_or(frame.height());
    let small = shrink(frame, width, height);
    Picture {
        bytes: write_indexed(width, height, &quantise(&small)),
        width,
        height,
    }
}

/// Pixels as places in a palette.
struct Indexed {
    /// `0x00RRGGBB`, at most 256.
    palette: Vec<u32>,
    pixels: Vec<u8>,
}

/// Slots of the look-up table for colours: a power of two, four times the most colours, so that
/// probing stays short.
const SLOTS: usize = 1024;

/// Finds the palette, in order of appearance; `None` when there are more than 256 colours.
fn index(words: &[u32]) -> Option<Indexed> {
    // Holds index + 1; 0 is free.
    let mut slots = vec![0_u16; SLOTS];
    let mut palette: Vec<u32> = Vec::new();
    let mut pixels = Vec::with_capacity(words.len());
    // A board is mostly long runs of one colour.
    for run in words.chunk_by(|a, b| a == b) {
        let word = run[0];
        let mut slot = (word.wrapping_mul(0x9e37_79b1) >> 22) as usize; // the upper 10 bits
        let place = loop {
            match slots[slot] {
                0 => {
                    if palette.len() == 256 {
                        return None;
                    }
                    palette.push(word);
                    slots[slot] = u16::try_from(palette.len()).ok()?;
                    break palette.len() - 1;
                }
                known if palette[usize::from(known) - 1] == word => break usize::from(known) - 1,
                _ => slot = (slot + 1) % SLOTS,
            }
        };
        pixels.resize(pixels.len() + run.len(), u8::try_from(place).ok()?);
    }
    Some(Indexed { palette, pixels })
}

fn write_indexed(width: u32, height: u32, indexed: &Indexed) -> Vec<u8> {
    let palette: Vec<u8> = indexed
        .palette
        .iter()
        .flat_map(|p| {
            let [_, r, g, b] = p.to_be_bytes();
            [r, g, b]
        })
        .collect();
    let (indexed_as, depth) = (ColorType::Indexed, indexed.palette.len());
    if depth <= 16 {
        let mut packed = Vec::with_capacity(indexed.pixels.len() / 2 + height as usize);
        for row in indexed.pixels.chunks_exact(width as usize) {
            packed.extend(
                row.chunks(2)
                    .map(|two| two[0] << 4 | two.get(1).unwrap_or(&0)),
            );
        }
        write(
            width,
            height,
            indexed_as,
            BitDepth::Four,
            Some(palette),
            &packed,
        )
    } else {
        write(
            width,
            height,
            indexed_as,
            BitDepth::Eight,
            Some(palette),
            &indexed.pixels,
        )
    }
}

fn write(
    width: u32,
    height: u32,
    color: ColorType,
    depth: BitDepth,
    palette: Option<Vec<u8>>,
    data: &[u8],
) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(128 * 1024);
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(color);
    encoder.set_depth(depth);
    if let Some(palette) = palette {
        encoder.set_palette(palette);
        // Neighbours in a palette are no neighbours in colour: filters only hurt.
        encoder.set_filter(Filter::NoFilter);
    } else {
        encoder.set_filter(Filter::Sub);
    }
    encoder.set_compression(Compression::Balanced);
    let mut writer = encoder
        .write_header()
        .expect("writing to memory cannot fail, and sides are 1 or more");
    writer
        .write_image_data(data)
        .expect("the data has the header's size");
    writer.finish().expect("writing to memory cannot fail");
    bytes
}

/// Averages the pixels behind each pixel of a smaller picture.
fn shrink(frame: &Frame, width: u32, height: u32) -> Vec<u32> {
    let edge = |i: u32, from: u32, to: u32| {
        usize::try_from(u64::from(i) * u64::from(from) / u64::from(to)).unwrap_or(0)
    };
    let columns: Vec<usize> = (0..=width).map(|x| edge(x, frame.width(), width)).collect();
    let mut small = Vec::with_capacity(width as usize * height as usize);
    let mut sums = vec![[0_u32; 3]; width as usize];
    for y in 0..height {
        let rows = edge(y, frame.height(), height)..edge(y + 1, frame.height(), height);
        sums.fill([0; 3]);
        for row in rows.clone() {
            let row = frame.row(u32::try_from(row).unwrap_or(0));
            for (sum, x) in sums.iter_mut().zip(columns.windows(2)) {
                for pixel in &row[x[0]..x[1]] {
                    sum[0] += pixel >> 16 & 0xff;
                    sum[1] += pixel >> 8 & 0xff;
                    sum[2] += pixel & 0xff;
                }
            }
        }
        for (sum, x) in sums.iter().zip(columns.windows(2)) {
            let n = u32::try_from((x[1] - x[0]) * rows.len())
                .unwrap_or(1)
                .max(1);
            let [r, g, b] = sum.map(|s| (s + n / 2) / n);
            small.push(r << 16 | g << 8 | b);
        }
    }
    small
}

/// Maps pixels to the colours that matter most: the most frequent ones that are far enough apart.
fn quantise(words: &[u32]) -> Indexed {
    // Buckets of 16 levels a channel; a bucket's colour is its most frequent one by mean.
    let bucket = |w: u32| ((w >> 20 & 0xf) << 8 | (w >> 12 & 0xf) << 4 | (w >> 4 & 0xf)) as usize;
    let mut buckets = vec![(0_u64, [0_u64; 3]); 4096];
    for &word in words {
        let (n, sums) = &mut buckets[bucket(word)];
        *n += 1;
        for (sum, shift) in sums.iter_mut().zip([16, 8, 0]) {
            *sum += u64::from(word >> shift & 0xff);
        }
    }
    let mut colors: Vec<(u64, [u64; 3])> = buckets
        .iter()
        .filter(|(n, _)| *n > 0)
        .map(|(n, sums)| (*n, sums.map(|s| (s + n / 2) / n)))
        .collect();
    // Sorted by weight; equal ones by colour, so that the order is that of the picture alone.
    colors.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    let distance = |a: &[u64; 3], b: &[u64; 3]| -> u64 {
        a.iter().zip(b).map(|(a, b)| a.abs_diff(*b).pow(2)).sum()
    };
    let mut palette: Vec<[u64; 3]> = Vec::with_capacity(PREVIEW_COLORS);
    while palette.len() < PREVIEW_COLORS {
        // What a colour adds: how many pixels have it, times how far it is from what is there.
        let gain = |c: &(u64, [u64; 3])| {
            let far = palette
                .iter()
                .map(|p| distance(p, &c.1))
                .min()
                .unwrap_or(u64::MAX >> 32);
            c.0 * far
        };
        match colors.iter().rev().max_by_key(|c| gain(c)) {
            Some(best) if gain(best) > 0 => palette.push(best.1),
            _ => break,
        }
    }
    let nearest: Vec<u8> = buckets
        .iter()
        .map(|(n, sums)| {
            if *n == 0 {
                return 0;
            }
            let mean = sums.map(|s| (s + n / 2) / n);
            let best = (0_u8..)
                .zip(&palette)
                .min_by_key(|(_, p)| distance(p, &mean));
            best.map_or(0, |(i, _)| i)
        })
        .collect();
    Indexed {
        palette: palette
            .iter()
            .map(|c| {
                c.iter()
                    .fold(0, |word, c| word << 8 | u32::try_from(*c).unwrap_or(255))
            })
            .collect(),
        pixels: words.iter().map(|&w| nearest[bucket(w)]).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use embedded_graphics::draw_target::DrawTarget;
    use embedded_graphics::geometry::{Point, Size};
    use embedded_graphics::pixelcolor::Rgb888;
    use embedded_graphics::primitives::Rectangle;

    /// A frame of `n` colours in columns and rows of one pixel.
    fn colorful(n: u32) -> Frame {
        let mut frame = Frame::new(33, 17);
        let all = Rectangle::new(Point::zero(), Size::new(33, 17));
        let colors = (0..33 * 17_u32).map(|i| {
            let [_, r, g, b] = ((i % n) * 0x0001_0307).to_be_bytes();
            Rgb888::new(r, g, b)
        });
        frame.fill_contiguous(&all, colors).expect("infallible");
        frame
    }

    fn decode(bytes: &[u8]) -> (png::OutputInfo, Vec<u8>) {
        let mut decoder = png::Decoder::new(std::io::Cursor::new(bytes));
        decoder.set_transformations(png::Transformations::EXPAND);
        let mut reader = decoder.read_info().expect("png");
        let mut rgb = vec![0; reader.output_buffer_size().expect("size")];
        let info = reader.next_frame(&mut rgb).expect("pixels");
        rgb.truncate(info.buffer_size());
        (info, rgb)
    }

    #[test]
    fn every_number_of_colours_comes_back_exactly() {
        for n in [1, 2, 16, 17, 256, 257, 500] {
            let frame = colorful(n);
            let picture = lossless(&frame);
            let (info, rgb) = decode(&picture.bytes);
            assert_eq!((info.width, info.height), (33, 17));
            let expected: Vec<u8> = frame
                .words()
                .iter()
                .flat_map(|w| w.to_be_bytes()[1..].to_vec())
                .collect();
            assert_eq!(rgb, expected, "{n} colours");
            assert_eq!(lossless(&frame), picture, "same frame, same bytes");
        }
    }

    #[test]
    fn previews_keep_shape_and_colours() {
        let mut frame = Frame::new(1920, 1080);
        let half = Rectangle::new(Point::zero(), Size::new(960, 1080));
        frame
            .fill_solid(&half, Rgb888::new(255, 214, 10))
            .expect("infallible");
        let (info, rgb) = decode(&preview(&frame).bytes);
        assert_eq!((info.width, info.height), (640, 360));
        assert_eq!(rgb[..3], [255, 214, 10]);
        assert_eq!(rgb[rgb.len() - 3..], [0, 0, 0]);
        let tiny = preview(&Frame::new(3, 2));
        assert_eq!((tiny.width, tiny.height), (3, 2));
        let strip = preview(&Frame::new(16_000, 1));
        assert_eq!((strip.width, strip.height), (640, 1));
    }
}
