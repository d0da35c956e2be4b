//! Chains of MAX7219 modules, any number in a row and any number of rows.
//!
//! Every device takes 16 bits, register and value; the whole chain is shifted under one chip select
//! and takes over when it rises. Devices forget nothing on their own, but spikes on long cables do
//! change registers, test mode and shutdown among them, so everything is written anew every five
//! seconds. Nothing can be read back: whether modules are there is not known. Facts: `modules` =
//! how many, `brightness` = 0 to 15.

use super::arrangement::{Arrangement, Module};
use crate::config::{GpioBackend, Max7219Config};
use crate::output::{Connector, DeviceStatus, Finding, Frame, Level, Output, OutputError};
use embedded_graphics::primitives::Rectangle;
use embedded_hal::spi::SpiDevice;
use std::path::Path;
use std::time::{Duration, Instant};

/// Registers of a MAX7219 (data sheet 19-4452, table 2). Digit 0 is row 0 of a module.
mod register {
    pub(super) const DIGIT_0: u8 = 0x01;
    pub(super) const DECODE_MODE: u8 = 0x09;
    pub(super) const INTENSITY: u8 = 0x0a;
    pub(super) const SCAN_LIMIT: u8 = 0x0b;
    pub(super) const SHUTDOWN: u8 = 0x0c;
    pub(super) const DISPLAY_TEST: u8 = 0x0f;
}

/// All registers are written anew this often.
const REFRESH: Duration = Duration::from_secs(5);

/// A chain of modules.
#[derive(Debug)]
pub struct Max7219Output<S> {
    spi: S,
    arrangement: Arrangement,
    size: (u32, u32),
    brightness: u8,
    lit: bool,
    /// What the modules should show.
    wanted: Vec<Module>,
    /// When everything was written; `None` when it must be.
    written: Option<Instant>,
    refreshed: u64,
}

/// The SPI device of a configuration.
type Bus = Box<dyn Shift + Send>;

/// What a chain needs of an SPI device: some bytes under one chip select.
pub trait Shift {
    /// Shifts bytes through the chain and lets it take them over.
    ///
    /// # Errors
    /// Why they were not shifted.
    fn shift(&mut self, bytes: &[u8]) -> Result<(), Box<dyn std::error::Error + Send + Sync>>;
}

impl<S: SpiDevice> Shift for S {
    fn shift(&mut self, bytes: &[u8]) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        // Their errors need not be threads' to share; their words are.
        self.write(bytes).map_err(|e| format!("{e:?}").into())
    }
}

impl Shift for Bus {
    fn shift(&mut self, bytes: &[u8]) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        (**self).shift(bytes)
    }
}

impl<S: Shift> Max7219Output<S> {
    /// A chain at an SPI device, dark until the first frame.
    #[must_use]
    pub fn new(spi: S, config: &Max7219Config) -> Self {
        let arrangement = Arrangement::new(config);
        Self {
            spi,
            arrangement,
            size: config.size(),
            brightness: config.brightness,
            lit: true,
            wanted: vec![Module::default(); arrangement.len()],
            written: None,
            refreshed: 0,
        }
    }

    /// One register of all devices.
    fn write(&mut self, register: u8, value: impl Fn(&Module) -> u8) -> Result<(), OutputError> {
        // What is shifted first ends up in the device that is farthest away.
        let bytes: Vec<u8> = self
            .wanted
            .iter()
            .rev()
            .flat_map(|module| [register, value(module)])
            .collect();
        self.spi.shift(&bytes).map_err(|e| {
            self.written = None;
            OutputError::device("cannot write to the modules", e)
        })
    }

    fn write_row(&mut self, row: usize) -> Result<(), OutputError> {
        let register = register::DIGIT_0 + u8::try_from(row).unwrap_or(0);
        self.write(register, |module| module[row])
    }

    /// Writes every register, and switches on last, so that nothing old is seen.
    fn refresh(&mut self, now: Instant) -> Result<(), OutputError> {
        let brightness = self.brightness.min(15);
        self.write(register::DISPLAY_TEST, |_| 0)?;
        self.write(register::DECODE_MODE, |_| 0)?;
        self.write(register::SCAN_LIMIT, |_| 7)?;
        self.write(register::INTENSITY, |_| brightness)?;
        for row in 0..8 {
            self.write_row(row)?;
        }
        let on = u8::from(self.lit);
        self.write(register::SHUTDOWN, |_| on)?;
        self.written = Some(now);
        self.refreshed += 1;
        Ok(())
    }

    fn poll_at(&mut self, now: Instant) -> Result<(), OutputError> {
        let due = self
            .written
            .is_some_and(|at| now.saturating_duration_since(at) >= REFRESH);
        // Before the first frame there is nothing to look after; after a failure there is.
        if due || (self.written.is_none() && self.refreshed > 0) {
            self.refresh(now)?;
        }
        Ok(())
    }
}

impl<S: Shift + Send> Output for Max7219Output<S> {
    fn kind(&self) -> &'static str {
        "max7219"
    }

    fn size(&self) -> Option<(u32, u32)> {
        Some(self.size)
    }

    fn present(&mut self, frame: &Frame, _: &[Rectangle]) -> Result<(), OutputError> {
        let modules = self.arrangement.modules(frame);
        let old = std::mem::replace(&mut self.wanted, modules);
        if self.written.is_none() {
            return self.refresh(Instant::now());
        }
        for row in 0..8 {
            let differs = old.iter().zip(&self.wanted).any(|(a, b)| a[row] != b[row]);
            if differs {
                self.write_row(row)?;
            }
        }
        Ok(())
    }

    fn poll_device(&mut self) -> Result<bool, OutputError> {
        self.poll_at(Instant::now())?;
        Ok(false)
    }

    fn set_lit(&mut self, lit: bool) {
        if lit != self.lit {
            self.lit = lit;
            // A failure shows again with the next frame, and then in the status.
            let _ = self.write(register::SHUTDOWN, |_| u8::from(lit));
        }
    }

    fn status(&self) -> DeviceStatus {
        let mut status = DeviceStatus::new(Connector::Unknown);
        let facts = [
            ("modules", self.arrangement.len().to_string()),
            ("brightness", self.brightness.to_string()),
        ];
        status.facts.extend(facts);
        status
    }
}

/// Opens the chain of a configuration.
///
/// # Errors
/// [`OutputError`] when there is no such SPI device or the process may not use it.
pub fn open(config: &Max7219Config) -> Result<Max7219Output<Bus>, OutputError> {
    Ok(Max7219Output::new(device(config)?, config))
}

fn device(config: &Max7219Config) -> Result<Bus, OutputError> {
    match config.backend {
        GpioBackend::Linux => linux(config),
        #[cfg(feature = "rpi")]
        GpioBackend::Rpi => rpi(config),
        #[cfg(not(feature = "rpi"))]
        GpioBackend::Rpi => Err(OutputError::state(
            "this program was built without the back end of a Raspberry Pi: expected feature rpi",
        )),
        // Both go through the kernel's device here; its own back end works on every board.
        GpioBackend::Auto => linux(config),
    }
}

fn linux(config: &Max7219Config) -> Result<Bus, OutputError> {
    use linux_embedded_hal::SpidevDevice;
    use linux_embedded_hal::spidev::{SpiModeFlags, SpidevOptions};
    let failed =
        |e: std::io::Error| OutputError::device(format!("cannot open {}", config.spi.display()), e);
    let mut device = SpidevDevice::open(&config.spi)
        .map_err(|e| failed(std::io::Error::new(e.inner().kind(), e.inner().to_string())))?;
    let options = SpidevOptions::new()
        .bits_per_word(8)
        .max_speed_hz(config.speed_hz)
        .mode(SpiModeFlags::SPI_MODE_0)
        .build();
    device.0.configure(&options).map_err(failed)?;
    Ok(Box::new(device))
}

#[cfg(feature = "rpi")]
fn rpi(config: &Max7219Config) -> Result<Bus, OutputError> {
    use rppal::spi::{Bus as Line, Mode, SimpleHalSpiDevice, SlaveSelect, Spi};
    let wrong = || {
        OutputError::state(format!(
            "{} is no SPI of a Raspberry Pi: expected such as /dev/spidev0.0",
            config.spi.display()
        ))
    };
    let name = config
        .spi
        .to_str()
        .and_then(|p| p.strip_prefix("/dev/spidev"));
    let (line, select) = match name.and_then(|n| n.split_once('.')).ok_or_else(wrong)? {
        ("0", "0") => (Line::Spi0, SlaveSelect::Ss0),
        ("0", "1") => (Line::Spi0, SlaveSelect::Ss1),
        ("1", "0") => (Line::Spi1, SlaveSelect::Ss0),
        ("1", "1") => (Line::Spi1, SlaveSelect::Ss1),
        ("1", "2") => (Line::Spi1, SlaveSelect::Ss2),
        _ => return Err(wrong()),
    };
    let spi = Spi::new(line, select, config.speed_hz, Mode::Mode0)
        .map_err(|e| OutputError::device(format!("cannot open {}", config.spi.display()), e))?;
    Ok(Box::new(SimpleHalSpiDevice::new(spi)))
}

/// Looks at the SPI device without writing to it.
#[must_use]
pub fn inspect(config: &Max7219Config) -> Vec<Finding> {
    let finding = |level, found: String, advice: &str| Finding {
        level,
        what: config.spi.display().to_string(),
        found,
        advice: advice.to_owned(),
    };
    let path: &Path = &config.spi;
    let opened = std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open(path);
    vec![match opened {
        Ok(_) => finding(
            Level::Good,
            format!(
                "can be used, for {} modules in {} rows; their presence cannot be detected",
                config.modules.0 * config.modules.1,
                config.modules.1
            ),
            "",
        ),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => finding(
            Level::Failure,
            "is missing".into(),
            "add dtparam=spi=on to config.txt and start again; then check the key spi",
        ),
        Err(e) if e.kind() == std::io::ErrorKind::PermissionDenied => finding(
            Level::Failure,
            "permission denied".into(),
            "add the user yobiban to the group spi",
        ),
        Err(e) => finding(
            Level::Failure,
            format!("cannot be opened: {e}"),
            "check that no other program uses it",
        ),
    }]
}

#[cfg(test)]
#[path = "max7219_tests.rs"]
mod tests;
