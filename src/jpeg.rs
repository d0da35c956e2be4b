//! JPEG pictures to pixels, for cameras and for the video.
//!
//! They come over lines and networks, and from strangers' devices: whatever they hold, decoding takes
//! bounded memory and ends in a picture or in an error. Whether the end of a picture is missing is its
//! source's business.

use image::ImageDecoder as _;
use image::codecs::jpeg::JpegDecoder;
use jpeg_decoder::{Decoder, PixelFormat};
use memchr::memmem;
use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Where a scan starts (ITU-T T.81, B.1.1.3). Within coded data the like cannot stand.
const SCAN: [u8; 2] = [0xff, 0xda];

/// How large a picture may be.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Most pixels in a row and most rows.
    pub side: u32,
    /// Most bytes of decoded pixels; the decoder takes as much again for what it works on.
    pub memory: usize,
}

/// Why a picture cannot be decoded.
#[derive(Debug, thiserror::Error)]
pub enum JpegError {
    /// The bytes are no JPEG, or a broken one.
    #[error("{0}")]
    Broken(#[from] image::ImageError),
    /// The same, in one of several scans.
    #[error("{0}")]
    BrokenScans(#[from] jpeg_decoder::Error),
    /// It has too many pixels.
    #[error("{width} × {height} is too large")]
    TooLarge {
        /// Pixels in a row.
        width: u32,
        /// Rows.
        height: u32,
    },
    /// Four colours of a printer, or sixteen bits a pixel.
    #[error("expected three colours or greys of eight bits")]
    Colours,
    /// The decoder failed in a way that it should not.
    #[error("the JPEG decoder failed")]
    GaveUp,
}

/// Width, height and RGB, three bytes a pixel, row by row.
pub type Pixels = (u32, u32, Vec<u8>);

/// Decodes a JPEG, its parts together or one after the other, as in progressive pictures and in those
/// that a node sends.
///
/// # Errors
/// [`JpegError`] when the bytes are no JPEG that can be shown within the limits.
pub fn decode(bytes: &[u8], limits: Limits) -> Result<Pixels, JpegError> {
    let several = memmem::find_iter(bytes, &SCAN).nth(1).is_some();
    // Decoders have been fuzzed for years; should one panic all the same, its caller must go on.
    let decoded = catch_unwind(AssertUnwindSafe(|| {
        if several {
            scans(bytes, limits)
        } else {
            scan(bytes, limits)
        }
    }));
    decoded.unwrap_or(Err(JpegError::GaveUp))
}

impl Limits {
    fn check(self, (width, height): (u32, u32)) -> Result<(), JpegError> {
        let needed = width as usize * height as usize * 3;
        if width > self.side || height > self.side || needed > self.memory {
            return Err(JpegError::TooLarge { width, height });
        }
        Ok(())
    }
}

/// A picture of one scan, as cameras send them: in half the time.
fn scan(bytes: &[u8], limits: Limits) -> Result<Pixels, JpegError> {
    let mut decoder = JpegDecoder::new(Cursor::new(bytes))?;
    let (width, height) = decoder.dimensions();
    limits.check((width, height))?;
    let mut most = image::Limits::default();
    // The pixels, and as much again for the decoder.
    most.max_alloc = u64::try_from(limits.memory).ok().map(|m| 2 * m);
    decoder.set_limits(most)?;
    let decoded = image::DynamicImage::from_decoder(decoder)?;
    Ok((width, height, decoded.into_rgb8().into_raw()))
}

/// A picture of several scans, which the decoder of `image` takes for parts of one size, and makes
/// stripes of.
fn scans(bytes: &[u8], limits: Limits) -> Result<Pixels, JpegError> {
    let mut decoder = Decoder::new(Cursor::new(bytes));
    decoder.read_info()?;
    let info = decoder.info().ok_or(JpegError::GaveUp)?;
    let (width, height) = (u32::from(info.width), u32::from(info.height));
    limits.check((width, height))?;
    decoder.set_max_decoding_buffer_size(limits.memory);
    let pixels = decoder.decode()?;
    let rgb = match info.pixel_format {
        PixelFormat::RGB24 => pixels,
        PixelFormat::L8 => pixels.into_iter().flat_map(|level| [level; 3]).collect(),
        PixelFormat::L16 | PixelFormat::CMYK32 => return Err(JpegError::Colours),
    };
    Ok((width, height, rgb))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

    const LIMITS: Limits = Limits {
        side: 256,
        memory: 256 * 256 * 3,
    };
    const SIDE: u16 = 96;

    /// Coloured fields of 24 pixels, and how far a decoded one is from them in the mean.
    fn fields() -> Vec<u8> {
        let side = usize::from(SIDE);
        let color = |i: usize| {
            let (x, y) = (i % side / 24, i / side / 24);
            [
                40 + 50 * (x % 4),
                220 - 60 * (y % 4),
                40 + 40 * ((x + y) % 5),
            ]
        };
        let level = |v: usize| u8::try_from(v).expect("a level");
        (0..side * side).flat_map(|i| color(i).map(level)).collect()
    }

    fn encoded(set: impl Fn(&mut Encoder<&mut Vec<u8>>)) -> Vec<u8> {
        let mut jpeg = Vec::new();
        let mut encoder = Encoder::new(&mut jpeg, 90);
        set(&mut encoder);
        encoder
            .encode(&fields(), SIDE, SIDE, ColorType::Rgb)
            .expect("encoded");
        jpeg
    }

    #[test]
    fn pictures_of_one_scan_and_of_many_are_what_was_encoded() {
        let scans = |jpeg: &[u8]| jpeg.windows(2).filter(|w| *w == [0xff, 0xda]).count();
        for sampling in [
            SamplingFactor::R_4_2_0,
            SamplingFactor::R_4_2_2,
            SamplingFactor::R_4_4_4,
        ] {
            for (optimized, progressive, several) in [
                (false, false, false),
                (true, false, true),
                (false, true, true),
            ] {
                let jpeg = encoded(|e| {
                    e.set_sampling_factor(sampling);
                    e.set_optimized_huffman_tables(optimized);
                    e.set_progressive(progressive);
                });
                let what = format!("{sampling:?} {optimized} {progressive}");
                assert_eq!(scans(&jpeg) > 1, several, "{what}");
                let (width, height, rgb) = decode(&jpeg, LIMITS).expect("a picture");
                assert_eq!((width, height), (u32::from(SIDE), u32::from(SIDE)));
                let apart: u32 = rgb
                    .iter()
                    .zip(fields())
                    .map(|(a, b)| u32::from(a.abs_diff(b)))
                    .sum();
                let mean = f64::from(apart) / rgb.len() as f64;
                // Only the rims of the fields are a little off: each second pixel has a colour.
                assert!(mean < 4.0, "{what}: {mean}");
            }
        }
    }

    #[test]
    fn what_is_too_large_or_none_is_refused() {
        let jpeg = encoded(|_| ());
        let small = Limits { side: 64, ..LIMITS };
        assert!(matches!(
            decode(&jpeg, small),
            Err(JpegError::TooLarge { width: 96, .. })
        ));
        let little = Limits {
            memory: 96 * 96,
            ..LIMITS
        };
        assert!(decode(&jpeg, little).is_err());
        for broken in [
            &b""[..],
            b"\xff\xd8\xff",
            b"\x89PNG",
            &jpeg[..jpeg.len() / 3],
        ] {
            assert!(decode(broken, LIMITS).is_err());
        }
    }
}
