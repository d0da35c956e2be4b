//! Pictures of boards and cameras in the video: decoded, fitted, and captioned with their time.
//!
//! They come from nodes, over the network: whatever they hold, decoding takes bounded memory and
//! ends in a picture or in none.

use super::content::{PictureKind, StreamPicture};
use crate::board::Caption;
use crate::clock::Now;
use crate::frame::Frame;
use crate::jpeg;
use crate::model::Name;
use crate::wire::MediaType;
use embedded_graphics::draw_target::DrawTarget;
use embedded_graphics::geometry::{OriginDimensions as _, Point, Size};
use embedded_graphics::pixelcolor::Rgb888;
use embedded_graphics::primitives::Rectangle;
use image::imageops::{FilterType, resize};
use image::{ImageFormat, ImageReader, Limits, RgbImage};
use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

/// Longest side of a picture that is shown, in pixels.
const MAX_SIDE: u32 = 4096;

/// Most pixels of one: a 4K board, and some.
const MAX_PIXELS: u32 = 4096 * 2304;

/// Memory that decoding one may take, in bytes: such a board in true colour, twice.
const MAX_MEMORY: u64 = 64 * 1024 * 1024;

/// A camera's picture comes every five minutes although nothing changed; one that is older is not
/// of now.
const OLD_CAMERA: Duration = Duration::from_secs(6 * 60);

/// Decodes a PNG or a JPEG; `None` when it is neither, broken, or too large.
pub(super) fn decode(picture: &StreamPicture) -> Option<RgbImage> {
    // Decoders have been fuzzed for years; should one panic all the same, the video must go on.
    let decoded = catch_unwind(AssertUnwindSafe(|| match picture.format {
        MediaType::Png => png(&picture.bytes),
        MediaType::Jpeg => jpeg(&picture.bytes),
        MediaType::WebP => None,
    }));
    decoded.ok().flatten()
}

fn png(bytes: &[u8]) -> Option<RgbImage> {
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_MEMORY);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), ImageFormat::Png);
    reader.limits(limits);
    Some(reader.decode().ok()?.into_rgb8())
}

fn jpeg(bytes: &[u8]) -> Option<RgbImage> {
    let limits = jpeg::Limits {
        side: MAX_SIDE,
        memory: MAX_PIXELS as usize * 3,
    };
    let (width, height, rgb) = jpeg::decode(bytes, limits).ok()?;
    RgbImage::from_raw(width, height, rgb)
}

/// Whether a picture may pass for what is to be seen now.
pub(super) fn is_old(picture: &StreamPicture, now: Now) -> bool {
    if !picture.node_online {
        return true;
    }
    if !now.synced {
        return false; // a clock that was never set cannot tell
    }
    let age = now.wall.duration_since(picture.at.at);
    match picture.kind {
        PictureKind::Camera => age.as_secs_f64() > OLD_CAMERA.as_secs_f64(),
        // A board's picture comes when the board changes, and at least every day.
        PictureKind::Board => {
            let zone = picture.at.zoned().time_zone().clone();
            now.wall.to_zoned(zone).date() != picture.at.zoned().date()
        }
    }
}

/// The caption of a picture.
pub(super) fn caption(office: &Name, picture: &StreamPicture, there: bool, now: Now) -> Caption {
    let at = picture.at.zoned();
    let today = !now.synced || now.wall.to_zoned(at.time_zone().clone()).date() == at.date();
    let clock = format!("{}:{:02}", at.hour(), at.minute());
    let (time, english_time) = if today {
        (clock.clone(), clock)
    } else {
        let day = format!("{}月{}日 ", at.month(), at.day());
        (day + &clock, clock + &at.strftime(", %B %-d").to_string())
    };
    let old = is_old(picture, now);
    let (what, english) = match picture.kind {
        PictureKind::Board => ("表示盤の画像", "Picture of the board"),
        PictureKind::Camera => ("表示盤を写したカメラの画像", "Camera picture of the board"),
    };
    let (line, english) = match (there, old) {
        (false, _) => (
            format!("{what}を表示できません"),
            format!("{english} cannot be shown."),
        ),
        (true, true) => (
            format!("更新されていません　{time} の画像です"),
            format!("Not current: picture of {english_time}"),
        ),
        (true, false) => (
            format!("{what}　{time}"),
            format!("{english}, {english_time}"),
        ),
    };
    Caption {
        office: office.clone(),
        line,
        english,
        old: old || !there,
    }
}

/// Draws a picture as large as it fits into the middle of an area.
pub(super) fn draw_fitted(picture: &RgbImage, area: &Rectangle, frame: &mut Frame) {
    let Some(place) = fit(picture.dimensions(), area) else {
        return;
    };
    let (width, height) = (place.size.width, place.size.height);
    let sized;
    let picture = if picture.dimensions() == (width, height) {
        picture
    } else {
        sized = resize(picture, width, height, FilterType::Triangle);
        &sized
    };
    let colors = picture
        .pixels()
        .map(|p| Rgb888::new(p.0[0], p.0[1], p.0[2]));
    let Ok(()) = frame.fill_contiguous(&place, colors);
}

/// Where a picture of this size stands in an area.
fn fit((width, height): (u32, u32), area: &Rectangle) -> Option<Rectangle> {
    let Size {
        width: wide,
        height: high,
    } = area.size;
    if width == 0 || height == 0 || wide == 0 || high == 0 {
        return None;
    }
    let scaled = |of: u32, by: u32, over: u32| {
        u32::try_from(u64::from(of) * u64::from(by) / u64::from(over))
            .unwrap_or(u32::MAX)
            .max(1)
    };
    let size = if u64::from(width) * u64::from(high) > u64::from(wide) * u64::from(height) {
        Size::new(wide, scaled(height, wide, width))
    } else {
        Size::new(scaled(width, high, height), high)
    };
    let half = |from: u32, of: u32| i32::try_from(from.saturating_sub(of) / 2).unwrap_or(0);
    let at = area.top_left + Point::new(half(wide, size.width), half(high, size.height));
    Some(Rectangle::new(at, size))
}

/// A frame in the middle of a black one of another size, as large as it fits.
#[must_use]
pub fn letterbox(frame: &Frame, (width, height): (u32, u32)) -> Frame {
    if (frame.width(), frame.height()) == (width, height) {
        return frame.clone();
    }
    let rgb = frame.words().iter().flat_map(|word| {
        let [_, r, g, b] = word.to_be_bytes();
        [r, g, b]
    });
    let mut boxed = Frame::new(width, height);
    if let Some(picture) = RgbImage::from_raw(frame.width(), frame.height(), rgb.collect()) {
        let all = Rectangle::new(Point::zero(), boxed.size());
        draw_fitted(&picture, &all, &mut boxed);
    }
    boxed
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    #[test]
    fn pictures_stand_in_the_middle_as_large_as_they_fit() {
        let area = Rectangle::new(Point::new(10, 20), Size::new(100, 60));
        for (size, place) in [
            ((50, 30), Some((10, 20, 100, 60))),
            ((200, 100), Some((10, 25, 100, 50))),
            ((30, 60), Some((45, 20, 30, 60))),
            ((4096, 1), Some((10, 49, 100, 1))),
            ((0, 5), None),
        ] {
            let found = fit(size, &area).map(|r| {
                let Point { x, y } = r.top_left;
                (x, y, r.size.width, r.size.height)
            });
            assert_eq!(found, place, "{size:?}");
        }
    }

    #[test]
    fn a_frame_of_another_shape_gets_black_beside_it() {
        let mut frame = Frame::new(4, 4);
        let all = Rectangle::new(Point::zero(), frame.size());
        let Ok(()) = frame.fill_solid(&all, Rgb888::new(9, 200, 30));
        let boxed = letterbox(&frame, (16, 8));
        assert_eq!(boxed.pixel(3, 4), Some(Rgb888::new(0, 0, 0)));
        assert_eq!(boxed.pixel(4, 0), Some(Rgb888::new(9, 200, 30)));
        assert_eq!(boxed.pixel(11, 7), Some(Rgb888::new(9, 200, 30)));
        assert_eq!(boxed.pixel(12, 7), Some(Rgb888::new(0, 0, 0)));
        assert_eq!(letterbox(&frame, (4, 4)), frame);
    }

    #[test]
    fn what_is_no_picture_is_none() {
        let png = |width: u32| {
            let mut bytes = Vec::new();
            let mut encoder = png::Encoder::new(&mut bytes, width, 1);
            encoder.set_color(png::ColorType::Grayscale);
            let mut writer = encoder.write_header().expect("header");
            writer
                .write_image_data(&vec![7; width as usize])
                .expect("data");
            writer.finish().expect("end");
            bytes
        };
        let decoded = |bytes: Vec<u8>, format| {
            decode(&StreamPicture {
                bytes: Bytes::from(bytes),
                format,
                ..StreamPicture::empty()
            })
            .map(|p| p.dimensions())
        };
        assert_eq!(decoded(png(3), MediaType::Png), Some((3, 1)));
        assert_eq!(decoded(png(3), MediaType::Jpeg), None);
        assert_eq!(decoded(png(3), MediaType::WebP), None);
        assert_eq!(decoded(png(MAX_SIDE + 1), MediaType::Png), None, "too wide");
        // Of a node: the brightness first, then the colours, which are half as large.
        let mut jpeg = Vec::new();
        let mut encoder = jpeg_encoder::Encoder::new(&mut jpeg, 80);
        encoder.set_optimized_huffman_tables(true);
        encoder.set_sampling_factor(jpeg_encoder::SamplingFactor::F_2_2);
        let stripes: Vec<u8> = (0..64 * 48)
            .flat_map(|i| {
                if i / 64 < 24 {
                    [200, 40, 30]
                } else {
                    [20, 60, 180]
                }
            })
            .collect();
        encoder
            .encode(&stripes, 64, 48, jpeg_encoder::ColorType::Rgb)
            .expect("encoded");
        let shown = decode(&StreamPicture {
            bytes: Bytes::from(jpeg.clone()),
            format: MediaType::Jpeg,
            ..StreamPicture::empty()
        })
        .expect("decoded");
        for (at, color) in [((5, 5), [200, 40, 30]), ((60, 40), [20, 60, 180])] {
            let found = shown.get_pixel(at.0, at.1).0;
            let near = found
                .iter()
                .zip(color)
                .all(|(a, b): (&u8, u8)| a.abs_diff(b) < 12);
            assert!(near, "{at:?}: {found:?}");
        }
        jpeg.truncate(jpeg.len() / 3);
        assert_eq!(decoded(jpeg[..40].to_vec(), MediaType::Jpeg), None);
        let mut broken = png(300);
        broken.truncate(50);
        assert_eq!(decoded(broken, MediaType::Png), None);
        assert_eq!(decoded(Vec::new(), MediaType::Png), None);
    }
}
