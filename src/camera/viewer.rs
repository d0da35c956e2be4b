//! The picture for viewers: the board alone, as a JPEG, with the time it was taken drawn in.

use super::picture::{RectifiedBoard, luma};
use crate::clock::Now;
use jiff::tz::TimeZone;
use jpeg_encoder::{ColorType, Encoder};
use std::time::Duration;

/// Largest picture in bytes.
pub const MAX_BYTES: usize = 80_000;

/// Qualities that are tried, best first; the last, at half size, is 12 kB of pure noise.
const QUALITIES: [u8; 4] = [80, 65, 50, 35];
/// Mean difference in levels of a block that counts as change: noise and light shift less.
const CHANGE: f32 = 12.0;
/// Side of the blocks that are compared, in pixels.
const BLOCK: u32 = 16;
/// A picture is made this often although nothing changed, so that its time says it is alive.
const ALIVE: Duration = Duration::from_secs(300);

/// A picture of a board that may be shown to anybody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewerPicture {
    /// The JPEG, at most [`MAX_BYTES`].
    pub jpeg: Vec<u8>,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
}

impl ViewerPicture {
    /// Encodes a board with its time; smaller and coarser until it fits.
    #[must_use]
    pub fn of(board: &RectifiedBoard, now: Now, zone: &TimeZone) -> Option<Self> {
        let time = now.wall.to_zoned(zone.clone());
        let stamp = if now.synced {
            time.strftime("%Y-%m-%d %H:%M:%S").to_string()
        } else {
            // A clock that cannot be believed says nothing.
            "----".to_owned()
        };
        let mut shown = board.clone();
        loop {
            let mut stamped = shown.clone();
            draw_text(&mut stamped, &stamp);
            for quality in QUALITIES {
                let jpeg = encode(&stamped, quality)?;
                if jpeg.len() <= MAX_BYTES {
                    return Some(Self {
                        jpeg,
                        width: stamped.width,
                        height: stamped.height,
                    });
                }
            }
            shown = halve(&shown)?;
        }
    }
}

/// Decides when viewers get a new picture.
#[derive(Debug, Clone, Default)]
pub struct ViewerSchedule {
    /// Brightness of the blocks of the last picture, and when it was.
    last: Option<(Vec<f32>, Duration)>,
}

impl ViewerSchedule {
    /// Whether this board is worth another picture, the last being at least `every` old; then it is
    /// the last from now on.
    pub fn is_due(&mut self, board: &RectifiedBoard, every: Duration, now: Duration) -> bool {
        let blocks = blocks(board);
        if let Some((last, at)) = &self.last {
            let age = now.saturating_sub(*at);
            let changed = last.len() != blocks.len()
                || last
                    .iter()
                    .zip(&blocks)
                    .any(|(a, b)| (a - b).abs() > CHANGE);
            if age < every || (!changed && age < ALIVE) {
                return false;
            }
        }
        self.last = Some((blocks, now));
        true
    }
}

fn blocks(board: &RectifiedBoard) -> Vec<f32> {
    let (w, h) = (board.width / BLOCK, board.height / BLOCK);
    let mean = |bx: u32, by: u32| {
        let mut sum = 0.0;
        for y in 0..BLOCK {
            for x in 0..BLOCK {
                sum += luma(&board.pixel(bx * BLOCK + x, by * BLOCK + y));
            }
        }
        sum / (BLOCK * BLOCK) as f32
    };
    (0..w * h).map(|i| mean(i % w, i / w)).collect()
}

fn encode(board: &RectifiedBoard, quality: u8) -> Option<Vec<u8>> {
    let mut jpeg = Vec::new();
    let (w, h) = (
        u16::try_from(board.width).ok()?,
        u16::try_from(board.height).ok()?,
    );
    let mut encoder = Encoder::new(&mut jpeg, quality);
    encoder.set_optimized_huffman_tables(true);
    encoder.encode(&board.rgb, w, h, ColorType::Rgb).ok()?;
    Some(jpeg)
}

/// A board of half the size; `None` when it is too small to be of use.
fn halve(board: &RectifiedBoard) -> Option<RectifiedBoard> {
    /// Less shows no digits.
    const LEAST: u32 = 160;
    let (width, height) = (board.width / 2, board.height / 2);
    if width < LEAST || height < LEAST / 2 {
        return None;
    }
    let mut rgb = Vec::with_capacity(width as usize * height as usize * 3);
    for y in 0..height {
        for x in 0..width {
            let four = [(0, 0), (1, 0), (0, 1), (1, 1)];
            let four = four.map(|(dx, dy)| board.pixel(2 * x + dx, 2 * y + dy));
            rgb.extend((0..3).map(|c| {
                let sum: u16 = four.iter().map(|p| u16::from(p[c])).sum();
                u8::try_from((sum + 2) / 4).unwrap_or(u8::MAX)
            }));
        }
    }
    Some(RectifiedBoard {
        width,
        height,
        rgb,
        ..*board
    })
}

/// Signs of the time, 5 × 7 points each, rows from the top, left point highest.
const SIGNS: [(char, [u8; 7]); 13] = [
    ('0', [14, 17, 19, 21, 25, 17, 14]),
    ('1', [4, 12, 4, 4, 4, 4, 14]),
    ('2', [14, 17, 1, 6, 8, 16, 31]),
    ('3', [31, 2, 4, 6, 1, 17, 14]),
    ('4', [2, 6, 10, 18, 31, 2, 2]),
    ('5', [31, 16, 30, 1, 1, 17, 14]),
    ('6', [6, 8, 16, 30, 17, 17, 14]),
    ('7', [31, 1, 2, 4, 8, 8, 8]),
    ('8', [14, 17, 17, 14, 17, 17, 14]),
    ('9', [14, 17, 17, 15, 1, 2, 12]),
    ('-', [0, 0, 0, 14, 0, 0, 0]),
    (':', [0, 4, 4, 0, 4, 4, 0]),
    (' ', [0; 7]),
];

/// Draws a line of signs into the lower left corner, white on black.
fn draw_text(board: &mut RectifiedBoard, line: &str) {
    // A twenty-fifth of the height: legible on a phone, and beside the digits.
    let dot = (board.height / 25 / 9).max(1);
    let signs = u32::try_from(line.chars().count()).unwrap_or(0);
    let (w, h) = ((signs * 6 + 1) * dot, 9 * dot);
    let top = board.height.saturating_sub(h);
    let set = |board: &mut RectifiedBoard, x: u32, y: u32, level: u8| {
        if x < board.width && y < board.height {
            let i = (y as usize * board.width as usize + x as usize) * 3;
            board.rgb[i..i + 3].fill(level);
        }
    };
    for y in 0..h {
        for x in 0..w {
            set(board, x, top + y, 0);
        }
    }
    for (i, sign) in (0_u32..).zip(line.chars()) {
        let rows = SIGNS
            .iter()
            .find(|(c, _)| *c == sign)
            .map_or([0; 7], |(_, rows)| *rows);
        for y in 0..7 * dot {
            for x in 0..5 * dot {
                if rows[(y / dot) as usize] >> (4 - x / dot) & 1 == 1 {
                    set(board, (i * 6 + 1) * dot + x, top + dot + y, 255);
                }
            }
        }
    }
}
