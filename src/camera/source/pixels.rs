//! Pictures of a device in colours of their own, to red, green and blue.

use crate::config::PixelWord;

/// How a device lays out a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) word: PixelWord,
    /// Pixels in a row.
    pub(super) width: usize,
    /// Rows.
    pub(super) height: usize,
    /// Bytes from one row to the next.
    pub(super) stride: usize,
}

/// The picture in three bytes a pixel, row by row; `None` when bytes are missing, or it is a JPEG.
pub(super) fn to_rgb(bytes: &[u8], layout: Layout) -> Option<Vec<u8>> {
    let Layout {
        word,
        width,
        height,
        stride,
    } = layout;
    let mut rgb = Vec::with_capacity(width * height * 3);
    // The last row may end with its last pixel.
    let row = |y: usize, len: usize| bytes.get(y * stride..)?.get(..len);
    for y in 0..height {
        match word {
            PixelWord::Mjpeg => return None,
            PixelWord::Rgb => rgb.extend_from_slice(row(y, width * 3)?),
            PixelWord::Bgr => {
                for pixel in row(y, width * 3)?.chunks_exact(3) {
                    rgb.extend([pixel[2], pixel[1], pixel[0]]);
                }
            }
            PixelWord::Yuyv | PixelWord::Uyvy => {
                let luma_first = word == PixelWord::Yuyv;
                for pair in row(y, width / 2 * 4)?.chunks_exact(4) {
                    let [y0, u, y1, v] = match *pair {
                        [y0, u, y1, v] if luma_first => [y0, u, y1, v],
                        [u, y0, v, y1] => [y0, u, y1, v],
                        _ => return None, // never: pairs have four bytes
                    };
                    rgb.extend(colour(y0, u, v));
                    rgb.extend(colour(y1, u, v));
                }
            }
            PixelWord::Nv12 => {
                let chroma = bytes
                    .get(stride * height + y / 2 * stride..)?
                    .get(..width.next_multiple_of(2))?;
                for (x, luma) in row(y, width)?.iter().enumerate() {
                    let at = x & !1;
                    rgb.extend(colour(*luma, chroma[at], chroma[at + 1]));
                }
            }
        }
    }
    (rgb.len() == width * height * 3).then_some(rgb)
}

/// A colour of ITU-R BT.601 with black at 16 and white at 235, as cameras on USB send it; factors in
/// 65,536ths.
fn colour(luma: u8, u: u8, v: u8) -> [u8; 3] {
    let (y, u, v) = (
        76_309 * (i32::from(luma) - 16),
        i32::from(u) - 128,
        i32::from(v) - 128,
    );
    [
        y + 104_597 * v,
        y - 25_675 * u - 53_279 * v,
        y + 132_201 * u,
    ]
    .map(|c| u8::try_from(((c + 32_768) >> 16).clamp(0, 255)).unwrap_or(u8::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(word: PixelWord, stride: usize) -> Layout {
        Layout {
            word,
            width: 4,
            height: 2,
            stride,
        }
    }

    /// White, black, red, red: the first row, and the same again.
    const ROW: [[u8; 3]; 4] = [[255; 3], [0; 3], [254, 0, 0], [254, 0, 0]];

    fn check(word: PixelWord, stride: usize, bytes: &[u8]) {
        let layout = layout(word, stride);
        let rgb = to_rgb(bytes, layout).expect("a picture");
        assert_eq!(rgb, [ROW, ROW].concat().concat(), "{word:?}");
        for len in 0..bytes.len() {
            assert_eq!(to_rgb(&bytes[..len], layout), None, "{word:?} of {len}");
        }
    }

    #[test]
    fn every_layout_gives_the_same_colours() {
        let yuyv = [235, 128, 16, 128, 81, 90, 81, 240];
        let rows = [&yuyv[..], &[9, 9], &yuyv].concat();
        check(PixelWord::Yuyv, 10, &rows);
        let uyvy = [128, 235, 128, 16, 90, 81, 240, 81];
        check(PixelWord::Uyvy, 8, &[uyvy, uyvy].concat());
        let luma = [235, 16, 81, 81, 9];
        let chroma = [128, 128, 90, 240];
        check(PixelWord::Nv12, 5, &[&luma[..], &luma, &chroma].concat());
        let rgb = ROW.concat();
        check(PixelWord::Rgb, 13, &[&rgb[..], &[9], &rgb].concat());
        let bgr: Vec<u8> = ROW.iter().flat_map(|[r, g, b]| [*b, *g, *r]).collect();
        check(PixelWord::Bgr, 12, &[&bgr[..], &bgr].concat());
        assert_eq!(to_rgb(&[0; 64], layout(PixelWord::Mjpeg, 12)), None);
    }
}
