//! LED panels with HUB75 connectors.

use super::RawOutput;
use super::pins::GpioBackend;
use crate::config::check::Check;
use crate::config::doc::At;
use crate::config::problem::ProblemKind;
use crate::config::raw::RawPins;

/// Longest chain: beyond, a frame takes too long to be free of flicker.
const MAX_CHAIN: usize = 8;
/// Numbers of the GPIO lines of the 40-pin header end here (BCM).
const MAX_LINE: i64 = 27;

/// The lines of a HUB75 connector, by their numbers (BCM).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hub75Pins {
    /// Red, green and blue of the upper half.
    pub upper: [u8; 3],
    /// Red, green and blue of the lower half.
    pub lower: [u8; 3],
    /// Row address, lowest bit first: A, B, C, D, E. Panels of 32 rows have no E, of 16 no D.
    pub address: [u8; 5],
    /// Clock of the shift registers.
    pub clk: u8,
    /// Latch.
    pub lat: u8,
    /// Output enable, lit while low.
    pub oe: u8,
}

impl Hub75Pins {
    /// The RGB Matrix HAT and Bonnet of Adafruit
    /// (<https://learn.adafruit.com/adafruit-rgb-matrix-bonnet-for-raspberry-pi/pinouts>).
    pub const ADAFRUIT_HAT: Self = Self {
        upper: [5, 13, 6],
        lower: [12, 16, 23],
        address: [22, 26, 27, 20, 24],
        clk: 17,
        lat: 21,
        oe: 4,
    };

    /// Boards wired as rpi-rgb-led-matrix calls "regular", such as Electrodragon's
    /// (<https://github.com/hzeller/rpi-rgb-led-matrix/blob/master/wiring.md>).
    pub const REGULAR: Self = Self {
        upper: [11, 27, 7],
        lower: [8, 9, 10],
        address: [22, 23, 24, 25, 15],
        clk: 17,
        lat: 4,
        oe: 18,
    };
}

/// LED panels with HUB75 connectors, one chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hub75Config {
    /// Rows of a panel: 16, 32 or 64, scanned two at a time.
    pub rows: u32,
    /// Columns of a panel: 32, 64 or 128.
    pub columns: u32,
    /// Panels in the chain.
    pub chain: u32,
    /// Share of the time that the points are lit, in percent: 5 to 100.
    pub brightness: u8,
    /// Frames a second it aims at, 60 to 1000.
    pub refresh_hz: u32,
    /// How many further times each clock edge is written, for panels and wires that are slower
    /// than the processor: 0 to 16.
    pub slowdown: u32,
    /// The processor core of its thread.
    pub cpu: usize,
    pub pins: Hub75Pins,
    /// How they are reached.
    pub backend: GpioBackend,
}

impl Hub75Config {
    /// Width and height in points.
    #[must_use]
    pub fn size(&self) -> (u32, u32) {
        (self.columns * self.chain, self.rows)
    }

    /// How many lines of the row address are used.
    #[must_use]
    pub fn address_lines(&self) -> usize {
        // Two rows at a time: 8, 16 or 32 addresses.
        (self.rows / 2).ilog2() as usize
    }
}

impl Check<'_> {
    pub(super) fn hub75(&mut self, at: &At, raw: &RawOutput) -> Option<Hub75Config> {
        let rows = self.one_of(&at.key("rows"), raw.rows, 32, &[16, 32, 64]);
        let columns = self.one_of(&at.key("columns"), raw.columns, 64, &[32, 64, 128]);
        let chain = self.count(&at.key("chain"), raw.chain, 1, 1..=MAX_CHAIN);
        let brightness = self.count(&at.key("brightness"), raw.brightness, 60, 5..=100);
        let refresh = self.count(&at.key("refresh_hz"), raw.refresh_hz, 300, 60..=1000);
        let slowdown = self.count(&at.key("slowdown"), raw.slowdown, 1, 0..=16);
        let cpu = self.count(&at.key("cpu"), raw.cpu, 3, 0..=63);
        let wirings = [
            ("adafruit-hat", Hub75Pins::ADAFRUIT_HAT),
            ("regular", Hub75Pins::REGULAR),
        ];
        let wiring = match &raw.wiring {
            None => Some(Hub75Pins::ADAFRUIT_HAT),
            Some(word) => self.word(&at.key("wiring"), word, &wirings),
        };
        let pins = self.pins(&at.key("pins"), wiring?, raw.pins.as_ref());
        let backend = self.backend(&at.key("backend"), raw.backend.as_deref());
        Some(Hub75Config {
            rows: rows?,
            columns: columns?,
            chain: u32::try_from(chain).ok()?,
            brightness: u8::try_from(brightness).ok()?,
            refresh_hz: u32::try_from(refresh).ok()?,
            slowdown: u32::try_from(slowdown).ok()?,
            cpu,
            pins: pins?,
            backend: backend?,
        })
    }

    fn one_of(&mut self, at: &At, raw: Option<i64>, default: u32, all: &[u32; 3]) -> Option<u32> {
        let Some(raw) = raw else {
            return Some(default);
        };
        let found = all.iter().copied().find(|n| i64::from(*n) == raw);
        if found.is_none() {
            let [a, b, c] = all;
            self.wrong(at, format_args!("expected {a}, {b} or {c}"));
        }
        found
    }

    /// The wiring with the lines that are named otherwise; no line may serve twice.
    fn pins(&mut self, at: &At, mut pins: Hub75Pins, raw: Option<&RawPins>) -> Option<Hub75Pins> {
        let Some(raw) = raw else { return Some(pins) };
        let mut good = true;
        let [r1, g1, b1] = &mut pins.upper;
        let [r2, g2, b2] = &mut pins.lower;
        let [a, b, c, d, e] = &mut pins.address;
        let lines = [
            ("r1", raw.r1, r1),
            ("g1", raw.g1, g1),
            ("b1", raw.b1, b1),
            ("r2", raw.r2, r2),
            ("g2", raw.g2, g2),
            ("b2", raw.b2, b2),
            ("a", raw.a, a),
            ("b", raw.b, b),
            ("c", raw.c, c),
            ("d", raw.d, d),
            ("e", raw.e, e),
            ("clk", raw.clk, &mut pins.clk),
            ("lat", raw.lat, &mut pins.lat),
            ("oe", raw.oe, &mut pins.oe),
        ];
        let mut used: Vec<(u8, &str)> = Vec::new();
        for (key, raw, line) in lines {
            let number = raw.filter(|n| (0..=MAX_LINE).contains(n));
            match (raw, number.and_then(|n| u8::try_from(n).ok())) {
                (Some(_), Some(n)) => *line = n,
                (Some(_), None) => {
                    self.wrong(
                        &at.key(key),
                        format_args!("expected the number of a GPIO line (BCM), 0 to {MAX_LINE}"),
                    );
                    good = false;
                }
                (None, _) => {}
            }
            match used.iter().find(|(n, _)| n == line) {
                Some((n, other)) => {
                    self.wrong_as(
                        &at.key(key),
                        ProblemKind::Duplicate,
                        format_args!("line {n} is {other} already: expected each line once"),
                    );
                    good = false;
                }
                None => used.push((*line, key)),
            }
        }
        good.then_some(pins)
    }
}
