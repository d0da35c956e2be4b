//! A model of the panels' shift registers and latches, and what it shows of the driver's signals.

use super::*;
use crate::config::Hub75Pins;
use crate::patience::wait_for;
use embedded_graphics::draw_target::DrawTarget;
use embedded_graphics::geometry::{Point, Size};
use embedded_graphics::pixelcolor::Rgb888;
use embedded_hal::digital::{Error, ErrorKind, ErrorType};
use std::sync::Mutex;

/// The lines of a connector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wire {
    Data(usize),
    Address(usize),
    Clk,
    Lat,
    Oe,
}

/// Panels as their data sheets have it: six shift registers as long as the chain that take the data
/// lines when the clock rises, latches that take the registers over while LAT is high, and a pair of
/// rows, chosen by the address, that is lit by the latches while OE is low.
#[derive(Debug)]
struct Panels {
    width: usize,
    registers: [Vec<bool>; 6],
    latches: [Vec<bool>; 6],
    data: [Option<bool>; 6],
    address: Vec<Option<bool>>,
    clk: bool,
    lat: bool,
    oe: bool,
    /// What was seen of each point since the last look: three colours, and how often.
    seen: Vec<[bool; 3]>,
    writes: u64,
    wrong: Vec<&'static str>,
    /// Fail every write.
    pulled: bool,
}

impl Panels {
    fn new(width: usize, address_lines: usize) -> Self {
        let row = || vec![true; width]; // after power-up anything may be in them
        Self {
            width,
            registers: std::array::from_fn(|_| row()),
            latches: std::array::from_fn(|_| row()),
            data: [None; 6],
            address: vec![None; address_lines],
            clk: false,
            lat: false,
            oe: true,
            seen: vec![[false; 3]; width << (address_lines + 1)],
            writes: 0,
            wrong: Vec::new(),
            pulled: false,
        }
    }

    fn write(&mut self, wire: Wire, high: bool) {
        self.writes += 1;
        match wire {
            Wire::Data(i) => {
                if self.clk {
                    self.wrong.push("data changed while the clock was high");
                }
                self.data[i] = Some(high);
            }
            Wire::Address(i) => {
                if !self.oe && self.address[i] != Some(high) {
                    self.wrong.push("row address changed while lit");
                }
                self.address[i] = Some(high);
            }
            Wire::Clk => {
                if high && !self.clk {
                    for (register, data) in self.registers.iter_mut().zip(self.data) {
                        let Some(bit) = data else {
                            self.wrong.push("clock rose before the data were set");
                            continue;
                        };
                        register.rotate_right(1);
                        register[0] = bit;
                    }
                }
                self.clk = high;
            }
            Wire::Lat => {
                if high && !self.oe {
                    self.wrong.push("latched while lit");
                }
                if high {
                    self.latches = self.registers.clone();
                }
                self.lat = high;
            }
            Wire::Oe => {
                if !high && self.lat {
                    self.wrong.push("lit while the latch was open");
                }
                self.oe = high;
                if !high {
                    self.glow();
                }
            }
        }
    }

    /// What is lit now joins what was seen.
    fn glow(&mut self) {
        let mut row = 0;
        for (i, bit) in self.address.iter().enumerate() {
            match bit {
                Some(bit) => row |= usize::from(*bit) << i,
                None => self.wrong.push("lit before the row address was set"),
            }
        }
        let half = 1 << self.address.len();
        for (i, latch) in self.latches.iter().enumerate() {
            let y = row + if i < 3 { 0 } else { half };
            for (from_connector, lit) in latch.iter().enumerate() {
                // Seen from the front the connector of the first panel is at the right.
                let x = self.width - 1 - from_connector;
                self.seen[y * self.width + x][i % 3] |= lit;
            }
        }
    }

    fn look(&mut self) -> Vec<[bool; 3]> {
        let fresh = vec![[false; 3]; self.seen.len()];
        std::mem::replace(&mut self.seen, fresh)
    }
}

#[derive(Debug, Clone)]
struct Pin(Arc<Mutex<Panels>>, Wire);

#[derive(Debug)]
struct Pulled;

impl Error for Pulled {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Other
    }
}

impl ErrorType for Pin {
    type Error = Pulled;
}

impl OutputPin for Pin {
    fn set_low(&mut self) -> Result<(), Pulled> {
        self.write(false)
    }

    fn set_high(&mut self) -> Result<(), Pulled> {
        self.write(true)
    }
}

impl Pin {
    fn write(&self, high: bool) -> Result<(), Pulled> {
        let mut panels = self.0.lock().expect("model");
        if panels.pulled {
            return Err(Pulled);
        }
        panels.write(self.1, high);
        Ok(())
    }
}

struct AtOnce;
impl FrameTimer for AtOnce {}

fn config(rows: u32, chain: u32) -> Hub75Config {
    Hub75Config {
        rows,
        columns: 64,
        chain,
        brightness: 60,
        refresh_hz: 300,
        slowdown: 1,
        cpu: 3,
        pins: Hub75Pins::ADAFRUIT_HAT,
        backend: GpioBackend::Auto,
    }
}

/// Panels wired as the configuration says, and the lines to them.
fn wired(config: &Hub75Config) -> (Arc<Mutex<Panels>>, Pins<Pin>) {
    let panels = Panels::new(config.size().0 as usize, config.address_lines());
    let panels = Arc::new(Mutex::new(panels));
    let lines = &config.pins;
    let mut wires: Vec<(u8, Wire)> = vec![
        (lines.clk, Wire::Clk),
        (lines.lat, Wire::Lat),
        (lines.oe, Wire::Oe),
    ];
    let data = lines.upper.iter().chain(&lines.lower);
    wires.extend(data.enumerate().map(|(i, n)| (*n, Wire::Data(i))));
    wires.extend(
        lines
            .address
            .iter()
            .enumerate()
            .map(|(i, n)| (*n, Wire::Address(i))),
    );
    let pins = pins(config, |line| {
        let wire = wires
            .iter()
            .find(|(n, _)| *n == line)
            .map(|(_, wire)| *wire);
        wire.map(|wire| Pin(Arc::clone(&panels), wire)).ok_or(line)
    });
    (panels, pins.expect("every line is wired"))
}

/// A picture in which neighbours differ, from a seed.
fn frame(size: (u32, u32), seed: u64) -> Frame {
    let mut frame = Frame::new(size.0, size.1);
    let all = Rectangle::new(Point::zero(), Size::new(size.0, size.1));
    let mut state = seed | 1;
    let colors = std::iter::repeat_with(|| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let channel = |i: u32| if state >> (40 + i) & 1 == 1 { 255 } else { 0 };
        Rgb888::new(channel(0), channel(1), channel(2))
    });
    frame.fill_contiguous(&all, colors).expect("infallible");
    frame
}

fn points(frame: &Frame) -> Vec<[bool; 3]> {
    let words = frame.words().iter();
    words
        .map(|w| {
            let [_, r, g, b] = w.to_be_bytes();
            [r > 0, g > 0, b > 0]
        })
        .collect()
}

const PANELS: [(u32, u32); 4] = [(32, 1), (32, 2), (64, 1), (16, 3)];

#[test]
fn panels_show_the_picture_and_no_ghost_of_another_row() {
    for (rows, chain) in PANELS {
        let config = config(rows, chain);
        let (panels, pins) = wired(&config);
        let mut driver = Driver::new(pins, config.slowdown).expect("lines");
        for seed in 1..6 {
            let frame = frame(config.size(), seed);
            let picture = Picture::new(&frame, rows);
            driver.frame(&picture, &mut AtOnce).expect("shown");
            let mut panels = panels.lock().expect("model");
            assert_eq!(
                panels.wrong,
                Vec::<&str>::new(),
                "{rows} rows, {chain} panels"
            );
            assert!(
                panels.look() == points(&frame),
                "{rows} rows, {chain} panels, {seed}"
            );
            assert!(panels.oe, "dark between frames");
        }
    }
}

#[test]
fn the_model_rejects_signals_that_ghost() {
    let wrong = |signals: &[(Wire, bool)]| {
        let mut panels = Panels::new(64, 4);
        for i in 0..6 {
            panels.write(Wire::Data(i), false);
        }
        for i in 0..4 {
            panels.write(Wire::Address(i), false);
        }
        for (wire, high) in signals {
            panels.write(*wire, *high);
        }
        panels.wrong
    };
    assert_eq!(
        wrong(&[(Wire::Oe, false), (Wire::Oe, true)]),
        Vec::<&str>::new()
    );
    assert_eq!(
        wrong(&[(Wire::Oe, false), (Wire::Address(0), true)]),
        ["row address changed while lit"]
    );
    assert_eq!(
        wrong(&[(Wire::Oe, false), (Wire::Lat, true)]),
        ["latched while lit"]
    );
    assert_eq!(
        wrong(&[(Wire::Lat, true), (Wire::Oe, false)]),
        ["lit while the latch was open"]
    );
    assert_eq!(
        wrong(&[(Wire::Clk, true), (Wire::Data(2), true)]),
        ["data changed while the clock was high"]
    );
    let mut early = Panels::new(64, 4);
    early.write(Wire::Clk, true);
    assert_eq!(early.wrong.len(), 6, "data unknown");
}

/// The figures of docs/led.md: writes of a frame in the worst case, when every data line changes
/// with every column, and of a plain black one. `slowdown` 1 writes each clock edge twice.
#[test]
fn a_frame_takes_as_many_writes_as_the_document_says() {
    for (rows, chain, worst, black) in [
        (32, 1, 10_334, 4_190),
        (32, 2, 20_574, 8_286),
        (64, 1, 20_670, 8_382),
    ] {
        let config = config(rows, chain);
        let (panels, pins) = wired(&config);
        let mut driver = Driver::new(pins, config.slowdown).expect("lines");
        let mut writes = |frame: &Frame| {
            let picture = Picture::new(frame, rows);
            // The second counts: the first also sets every line for the first time.
            driver.frame(&picture, &mut AtOnce).expect("shown");
            let before = panels.lock().expect("model").writes;
            driver.frame(&picture, &mut AtOnce).expect("shown");
            panels.lock().expect("model").writes - before
        };
        let size = config.size();
        assert_eq!(
            writes(&Frame::new(size.0, size.1)),
            black,
            "black, {rows} rows, {chain}"
        );
        let mut stripes = Frame::new(size.0, size.1);
        for x in (1..size.0).step_by(2) {
            let column = Rectangle::new(Point::new(x as i32, 0), Size::new(1, size.1));
            stripes
                .fill_solid(&column, Rgb888::new(255, 255, 255))
                .expect("infallible");
        }
        assert_eq!(writes(&stripes), worst, "stripes, {rows} rows, {chain}");
    }
}

#[test]
fn the_thread_shows_the_newest_frame_and_leaves_the_panels_dark() {
    let config = Hub75Config {
        cpu: 0,
        ..config(32, 1)
    };
    let (panels, pins) = wired(&config);
    let mut output = start(&config, pins).expect("started");
    for seed in [3, 4] {
        let picture = frame(config.size(), seed);
        output.present(&picture, &[]).expect("shown");
        wait_for("the picture", || {
            panels.lock().expect("model").look() == points(&picture)
        });
    }
    assert_eq!(output.status().connector, Connector::Unknown);
    assert!(["fifo", "no"].contains(&output.status().facts["realtime"].as_str()));
    drop(output);
    let panels = panels.lock().expect("model");
    assert!(panels.oe, "dark");
    let latched = panels.latches.iter().flatten().any(|lit| *lit);
    assert!(!latched, "dark even when the line for the light falls");
    assert_eq!(panels.wrong, Vec::<&str>::new());
}

#[test]
fn lines_that_fail_are_said_and_do_not_end_the_board() {
    let config = Hub75Config {
        cpu: 0,
        ..config(32, 1)
    };
    let (panels, pins) = wired(&config);
    let mut output = start(&config, pins).expect("started");
    output
        .present(&frame(config.size(), 1), &[])
        .expect("shown");
    panels.lock().expect("model").pulled = true;
    wait_for("the failure", || output.poll_device().is_err());
    assert_eq!(output.status().connector, Connector::Disconnected);
    assert!(output.present(&frame(config.size(), 2), &[]).is_err());
}

#[test]
fn an_inspection_knows_the_raspberry_pi() {
    let dir = tempfile::tempdir().expect("folder");
    let config = Hub75Config {
        cpu: 0,
        ..config(32, 1)
    };
    let found = |model: &str| inspect_in(&config, dir.path(), model);
    assert_eq!(
        found("Raspberry Pi 4 Model B Rev 1.4")[0].level,
        Level::Failure
    );
    std::fs::write(dir.path().join("gpiomem"), "").expect("written");
    let four = found("Raspberry Pi 4 Model B Rev 1.4");
    assert!(four.iter().all(|f| f.level == Level::Good), "{four:?}");
    std::fs::write(dir.path().join("gpiomem0"), "").expect("written");
    let five = found("Raspberry Pi 5 Model B Rev 1.0");
    assert!(
        five.iter()
            .any(|f| f.level == Level::Warning && f.advice.contains("refresh_hz"))
    );
    assert!(found("").iter().any(|f| f.found.contains("system call")));
    let lost = Hub75Config {
        cpu: 63,
        ..config.clone()
    };
    assert!(
        inspect_in(&lost, dir.path(), "Raspberry Pi 4")
            .iter()
            .any(|f| f.found.contains("no core 63"))
    );
}
