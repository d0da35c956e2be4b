//! A model of the chain after the data sheet, and what it shows of the driver's bytes.

use super::*;
use crate::config::{Corner, Serpentine};
use embedded_graphics::draw_target::DrawTarget;
use embedded_graphics::geometry::{Point, Size};
use embedded_graphics::pixelcolor::{Rgb888, RgbColor};
use embedded_hal::spi::{ErrorType, Operation};
use proptest::prelude::*;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};

/// One MAX7219 (data sheet 19-4452): registers by their addresses, all 0 after power-up, so that it
/// is shut down, scans one digit, decodes nothing and is at its darkest ("Initial Power-Up").
#[derive(Debug, Clone, Default)]
struct Device {
    registers: [u8; 16],
}

impl Device {
    /// Whether a point is lit: segment `u` counted from DP (bit 7) of digit `v`.
    fn lit(&self, u: usize, v: usize) -> bool {
        let r = &self.registers;
        if r[0x0f] & 1 == 1 {
            return true; // display test overrides shutdown
        }
        let on = r[0x0c] & 1 == 1 && v <= usize::from(r[0x0b] & 7) && r[0x09] >> v & 1 == 0;
        on && r[1 + v] >> (7 - u) & 1 == 1
    }
}

/// The shift registers of a chain: 16 bits a device, DIN of the first at the SPI.
#[derive(Debug, Default)]
struct Chain {
    devices: Vec<Device>,
    transfers: usize,
}

#[derive(Debug, Clone)]
struct Model(Arc<Mutex<Chain>>);

impl ErrorType for Model {
    type Error = Infallible;
}

impl SpiDevice for Model {
    fn transaction(&mut self, operations: &mut [Operation<'_, u8>]) -> Result<(), Infallible> {
        let mut chain = self.0.lock().expect("model");
        let mut bits = vec![false; chain.devices.len() * 16];
        let mut shifted = 0;
        for operation in operations {
            let Operation::Write(bytes) = operation else {
                panic!("only writes are wired");
            };
            for byte in bytes.iter() {
                for i in (0..8).rev() {
                    // DIN goes in at the front, DOUT of each device is DIN of the next.
                    bits.rotate_right(1);
                    bits[0] = byte >> i & 1 == 1;
                    shifted += 1;
                }
            }
        }
        assert_eq!(
            shifted,
            bits.len(),
            "16 bits a device under one chip select"
        );
        // LOAD rises: every device takes its last 16 bits, D15 having come in first.
        for (device, bits) in chain.devices.iter_mut().zip(bits.chunks(16)) {
            let word = (0..16).fold(0_u16, |w, i| w | u16::from(bits[i]) << i);
            let address = usize::from(word >> 8 & 0x0f);
            if address != 0 {
                device.registers[address] = word.to_be_bytes()[1];
            }
        }
        chain.transfers += 1;
        Ok(())
    }
}

fn config(modules: (u32, u32)) -> Max7219Config {
    Max7219Config {
        spi: "/dev/spidev0.0".into(),
        speed_hz: 1_000_000,
        backend: GpioBackend::Auto,
        modules,
        start: Corner::default(),
        serpentine: Serpentine::No,
        module_rotation: 0,
        brightness: 9,
    }
}

fn chain(config: &Max7219Config) -> (Max7219Output<Model>, Model) {
    let model = Model(Arc::default());
    let n = config.modules.0 * config.modules.1;
    model.0.lock().expect("model").devices = vec![Device::default(); n as usize];
    (Max7219Output::new(model.clone(), config), model)
}

fn frame(size: (u32, u32), lit: impl Fn(u32, u32) -> bool) -> Frame {
    let mut frame = Frame::new(size.0, size.1);
    for y in 0..size.1 {
        for x in 0..size.0 {
            if lit(x, y) {
                let point = Rectangle::new(Point::new(x as i32, y as i32), Size::new(1, 1));
                frame.fill_solid(&point, Rgb888::BLUE).expect("infallible");
            }
        }
    }
    frame
}

/// The board as it hangs, told by where an installer puts the modules, not by the driver's rules:
/// walks along the cable and holds each module against the wall.
fn seen(config: &Max7219Config, model: &Model) -> Vec<Vec<bool>> {
    let chain = model.0.lock().expect("model");
    let (columns, rows) = (config.modules.0 as usize, config.modules.1 as usize);
    let mut wall = vec![vec![false; columns * 8]; rows * 8];
    let mut devices = chain.devices.iter();
    for strip in 0..rows {
        let y = if config.start.bottom {
            rows - 1 - strip
        } else {
            strip
        };
        let folded = strip % 2 == 1;
        let mut along: Vec<usize> = (0..columns).collect();
        if config.start.right {
            along.reverse();
        }
        if folded && config.serpentine != Serpentine::No {
            along.reverse();
        }
        for x in along {
            let device = devices.next().expect("a device a place");
            let mut picture: Vec<Vec<bool>> = (0..8)
                .map(|v| (0..8).map(|u| device.lit(u, v)).collect())
                .collect();
            let mut quarters = config.module_rotation / 90;
            if folded && config.serpentine == Serpentine::UpsideDown {
                quarters += 2;
            }
            for _ in 0..quarters {
                // A quarter turn clockwise: the left column becomes the top row.
                picture = (0..8)
                    .map(|v| (0..8).map(|u| picture[7 - u][v]).collect())
                    .collect();
            }
            for (v, row) in picture.iter().enumerate() {
                for (u, lit) in row.iter().enumerate() {
                    wall[y * 8 + v][x * 8 + u] = *lit;
                }
            }
        }
    }
    wall
}

fn points(frame: &Frame) -> Vec<Vec<bool>> {
    (0..frame.height())
        .map(|y| frame.row(y).iter().map(|w| *w != 0).collect())
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_arrangement_shows_the_picture(
        modules in (1u32..6, 1u32..5),
        right: bool, bottom: bool,
        serpentine in prop_oneof![Just(Serpentine::No), Just(Serpentine::Upright), Just(Serpentine::UpsideDown)],
        quarters in 0u16..4,
        seeds in proptest::collection::vec(any::<u64>(), 3),
    ) {
        let config = Max7219Config {
            start: Corner { right, bottom }, serpentine, module_rotation: quarters * 90, ..config(modules)
        };
        let (mut output, model) = chain(&config);
        for seed in seeds {
            let picture = frame(config.size(), |x, y| {
                seed.rotate_left(x * 7 + y * 13) & 1 == 1
            });
            output.present(&picture, &[]).expect("shown");
            prop_assert_eq!(seen(&config, &model), points(&picture));
        }
    }
}

#[test]
fn after_power_up_everything_is_set_before_it_lights() {
    let config = config((4, 1));
    let (mut output, model) = chain(&config);
    let dark = vec![vec![false; 32]; 8];
    assert_eq!(seen(&config, &model), dark, "shut down");
    output
        .present(&frame((32, 8), |x, _| x == 31), &[])
        .expect("shown");
    for device in &model.0.lock().expect("model").devices {
        let r = &device.registers;
        assert_eq!(
            (r[0x09], r[0x0a], r[0x0b], r[0x0c], r[0x0f]),
            (0, 9, 7, 1, 0)
        );
    }
}

#[test]
fn only_rows_that_changed_are_sent() {
    let config = config((8, 2));
    let (mut output, model) = chain(&config);
    let transfers = || model.0.lock().expect("model").transfers;
    output
        .present(&frame((64, 16), |_, _| false), &[])
        .expect("shown");
    let before = transfers();
    output
        .present(&frame((64, 16), |x, y| x == 9 && y % 8 == 3), &[])
        .expect("shown");
    assert_eq!(transfers() - before, 1);
    output
        .present(&frame((64, 16), |x, y| x == 9 && y % 8 == 3), &[])
        .expect("shown");
    assert_eq!(transfers() - before, 1, "nothing changed, nothing sent");
}

#[test]
fn what_spikes_changed_is_healed_within_five_seconds() {
    let config = config((4, 2));
    let (mut output, model) = chain(&config);
    let picture = frame((32, 16), |x, y| (x + y) % 3 == 0);
    output.present(&picture, &[]).expect("shown");
    let at = output.written.expect("written");
    for (address, value) in [
        (0x0f, 1),
        (0x0c, 0),
        (0x0b, 2),
        (0x09, 0xff),
        (0x0a, 0),
        (0x04, 0xaa),
    ] {
        model.0.lock().expect("model").devices[5].registers[address] = value;
    }
    output
        .poll_at(at + Duration::from_millis(4900))
        .expect("polled");
    assert_ne!(seen(&config, &model), points(&picture), "not yet");
    output.poll_at(at + Duration::from_secs(5)).expect("polled");
    assert_eq!(seen(&config, &model), points(&picture));
    let chain = model.0.lock().expect("model");
    assert_eq!(chain.devices[5].registers, {
        let mut registers = chain.devices[5].registers;
        (registers[0x09], registers[0x0a], registers[0x0b]) = (0, 9, 7);
        registers
    });
}

#[test]
fn a_board_that_is_not_to_be_seen_is_shut_down_and_keeps_its_picture() {
    let config = config((4, 1));
    let (mut output, model) = chain(&config);
    let picture = frame((32, 8), |x, y| x == y);
    output.present(&picture, &[]).expect("shown");
    output.set_lit(false);
    assert_eq!(seen(&config, &model), vec![vec![false; 32]; 8]);
    let at = output.written.expect("written");
    output.poll_at(at + REFRESH).expect("polled");
    assert_eq!(
        seen(&config, &model),
        vec![vec![false; 32]; 8],
        "stays dark"
    );
    output.set_lit(true);
    assert_eq!(seen(&config, &model), points(&picture));
}

/// A device that fails every time until it is mended.
struct Broken(Arc<Mutex<bool>>, Model);

impl Shift for Broken {
    fn shift(&mut self, bytes: &[u8]) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        if *self.0.lock().expect("flag") {
            return Err("pulled".into());
        }
        self.1.shift(bytes)
    }
}

#[test]
fn after_a_failure_everything_is_written_again() {
    let config = config((2, 1));
    let (_, model) = chain(&config);
    let broken = Arc::new(Mutex::new(false));
    let mut output = Max7219Output::new(Broken(Arc::clone(&broken), model.clone()), &config);
    let blank = frame((16, 8), |_, _| false);
    let picture = frame((16, 8), |x, _| x < 3);
    output.present(&blank, &[]).expect("shown");
    *broken.lock().expect("flag") = true;
    assert!(output.present(&picture, &[]).is_err());
    assert!(output.poll_device().is_err());
    for device in &mut model.0.lock().expect("model").devices {
        *device = Device::default(); // the plug was out
    }
    *broken.lock().expect("flag") = false;
    output.poll_device().expect("polled");
    assert_eq!(seen(&config, &model), points(&picture));
}

#[test]
fn an_inspection_says_what_to_do() {
    let dir = tempfile::tempdir().expect("folder");
    let missing = Max7219Config {
        spi: dir.path().join("spidev0.0"),
        ..config((1, 1))
    };
    let finding = &inspect(&missing)[0];
    assert_eq!(finding.level, Level::Failure);
    assert!(finding.advice.contains("dtparam=spi=on"), "{finding:?}");
    std::fs::write(&missing.spi, "").expect("written");
    assert_eq!(inspect(&missing)[0].level, Level::Good);
    assert!(
        open(&Max7219Config {
            spi: dir.path().join("none"),
            ..missing
        })
        .is_err()
    );
}
