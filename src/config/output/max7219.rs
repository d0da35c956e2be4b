//! A chain of MAX7219 modules.

use super::RawOutput;
use super::pins::GpioBackend;
use crate::config::check::Check;
use crate::config::doc::At;
use std::path::PathBuf;

/// Fastest clock of a MAX7219: 10 MHz (data sheet 19-4452, timing characteristics).
const MAX_SPEED_HZ: usize = 10_000_000;
/// Slower than any wire needs.
const MIN_SPEED_HZ: usize = 10_000;
/// Slow enough for the long ribbon cables between modules.
const DEFAULT_SPEED_HZ: usize = 1_000_000;
/// More modules in a row, or rows, than a power supply feeds.
const MAX_MODULES: i64 = 64;
/// Most modules in all: their 16 bits each fit the 4096 bytes of a transfer by far.
const MAX_CHAIN: u32 = 512;

/// The corner of the board at which the cable comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Corner {
    /// At the right side.
    pub right: bool,
    /// At the bottom.
    pub bottom: bool,
}

/// How the second, fourth … row of modules hangs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Serpentine {
    /// As the others: each row begins at the side where the first does.
    #[default]
    No,
    /// It runs back, its modules upright.
    Upright,
    /// It runs back, its modules upside down: a strip that was folded.
    UpsideDown,
}

/// A chain of MAX7219 modules of 8 × 8 points.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Max7219Config {
    pub spi: PathBuf,
    /// Clock of the line, at most 10 MHz.
    pub speed_hz: u32,
    /// How the device is reached.
    pub backend: GpioBackend,
    /// Modules in a row, and rows.
    pub modules: (u32, u32),
    /// Where the chain begins.
    pub start: Corner,
    /// How its rows follow.
    pub serpentine: Serpentine,
    /// How each module is turned, clockwise: 0, 90, 180 or 270 degrees.
    pub module_rotation: u16,
    /// 0 (1/32 of the time) to 15 (31/32).
    pub brightness: u8,
}

impl Max7219Config {
    /// Width and height in points.
    #[must_use]
    pub fn size(&self) -> (u32, u32) {
        (self.modules.0 * 8, self.modules.1 * 8)
    }
}

impl Check<'_> {
    pub(super) fn max7219(&mut self, at: &At, raw: &RawOutput) -> Option<Max7219Config> {
        let spi = self.path(
            &at.key("spi"),
            raw.spi.as_deref().unwrap_or("/dev/spidev0.0"),
        );
        let speed = self.count(
            &at.key("speed_hz"),
            raw.speed_hz,
            DEFAULT_SPEED_HZ,
            MIN_SPEED_HZ..=MAX_SPEED_HZ,
        );
        let modules = self.modules(&at.key("modules"), raw.modules.as_deref());
        let corner = |right, bottom| Corner { right, bottom };
        let corners = [
            ("top-left", corner(false, false)),
            ("top-right", corner(true, false)),
            ("bottom-left", corner(false, true)),
            ("bottom-right", corner(true, true)),
        ];
        let start = match &raw.start {
            None => Some(Corner::default()),
            Some(word) => self.word(&at.key("start"), word, &corners),
        };
        let rows = [
            ("no", Serpentine::No),
            ("upright", Serpentine::Upright),
            ("upside-down", Serpentine::UpsideDown),
        ];
        let serpentine = match &raw.serpentine {
            None => Some(Serpentine::No),
            Some(word) => self.word(&at.key("serpentine"), word, &rows),
        };
        let rotation_at = at.key("module_rotation");
        let rotation = match raw.module_rotation {
            None => Some(0),
            Some(n) => [0, 90, 180, 270].into_iter().find(|r| i64::from(*r) == n),
        };
        if rotation.is_none() {
            self.wrong(
                &rotation_at,
                "expected 0, 90, 180 or 270 degrees, clockwise",
            );
        }
        let brightness = self.count(&at.key("brightness"), raw.brightness, 7, 0..=15);
        let backend = self.backend(&at.key("backend"), raw.backend.as_deref());
        Some(Max7219Config {
            spi: spi?,
            speed_hz: u32::try_from(speed).ok()?,
            backend: backend?,
            modules: modules?,
            start: start?,
            serpentine: serpentine?,
            module_rotation: rotation?,
            brightness: u8::try_from(brightness).ok()?,
        })
    }

    fn modules(&mut self, at: &At, raw: Option<&[i64]>) -> Option<(u32, u32)> {
        const EXPECTED: &str = "modules in a row and rows, such as [8, 2]";
        let Some(raw) = raw else {
            self.missing(at, EXPECTED);
            return None;
        };
        let side = |n: &i64| {
            u32::try_from(*n)
                .ok()
                .filter(|_| (1..=MAX_MODULES).contains(n))
        };
        let modules = match raw {
            [columns, rows] => side(columns).zip(side(rows)),
            _ => None,
        };
        let good = modules.filter(|(columns, rows)| columns * rows <= MAX_CHAIN);
        if good.is_none() {
            self.wrong(
                at,
                format_args!(
                    "expected {EXPECTED}, each from 1 to {MAX_MODULES} and {MAX_CHAIN} in all"
                ),
            );
        }
        good
    }
}
