//! HUB75 panels in eight colours over GPIO lines.
//!
//! Points are on or off, so there are no bit planes: a frame is shifted out once. The panels forget
//! at once, so a thread with real-time priority and a core of its own shows the newest frame again
//! and again; when it stops they are dark.
//!
//! Facts: `refresh_hz` = frames in the last second, to the ten; `refresh_lowest_hz` = the fewest in
//! any second, to the ten; `realtime` = `fifo` or `no`; `cpu` = its core or `any`.

mod driver;
mod picture;
#[cfg(test)]
mod tests;
mod thread;

pub use driver::{Driver, FrameTimer, Pins};
pub use picture::Picture;

use crate::config::{GpioBackend, Hub75Config};
use crate::errors;
use crate::output::hal::{HalError, Line};
use crate::output::{Connector, DeviceStatus, Finding, Frame, Level, Output, OutputError};
use embedded_graphics::primitives::Rectangle;
use embedded_hal::digital::OutputPin;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::thread::JoinHandle;
use thread::{Shared, Timed};

/// A chain of panels.
#[derive(Debug)]
pub struct Hub75Output {
    size: (u32, u32),
    cpu: usize,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// Opens the lines of a configuration and starts its thread.
///
/// # Errors
/// [`OutputError`] when a line cannot be used or there can be no thread.
pub fn open(config: &Hub75Config) -> Result<Hub75Output, OutputError> {
    let pins = pins(config, |line| Line::open(config.backend, line))
        .map_err(|e: HalError| OutputError::device("cannot use the lines of the LED panels", e))?;
    start(config, pins)
}

/// Opens every line that the panels have.
fn pins<P: OutputPin, E>(
    config: &Hub75Config,
    mut open: impl FnMut(u8) -> Result<P, E>,
) -> Result<Pins<P>, E> {
    let lines = &config.pins;
    // Output enable first, and high at once: a line that was just opened is low, and what is in the
    // latches is lit. That it cannot be written is said by the driver.
    let mut oe = open(lines.oe)?;
    let _ = oe.set_high();
    let [r1, g1, b1] = lines.upper;
    let [r2, g2, b2] = lines.lower;
    let data = [
        open(r1)?,
        open(g1)?,
        open(b1)?,
        open(r2)?,
        open(g2)?,
        open(b2)?,
    ];
    let address = lines.address[..config.address_lines().min(5)]
        .iter()
        .map(|line| open(*line))
        .collect::<Result<_, _>>()?;
    Ok(Pins {
        data,
        address,
        clk: open(lines.clk)?,
        lat: open(lines.lat)?,
        oe,
    })
}

/// Starts the thread that drives the panels at some lines.
///
/// # Errors
/// [`OutputError`] when the lines cannot be written or there can be no thread.
pub fn start<P: OutputPin + Send + 'static>(
    config: &Hub75Config,
    pins: Pins<P>,
) -> Result<Hub75Output, OutputError> {
    let driver = Driver::new(pins, config.slowdown).map_err(|e| {
        OutputError::state(format!("cannot write the lines of the LED panels: {e:?}"))
    })?;
    let shared = Arc::new(Shared::default());
    let (theirs, cpu) = (Arc::clone(&shared), config.cpu);
    let pace = Timed::new(config.refresh_hz, config.rows / 2, config.brightness);
    let thread = std::thread::Builder::new()
        .name("hub75".into())
        .spawn(move || {
            thread::settle(cpu, &theirs);
            thread::run(driver, &theirs, pace);
        })
        .map_err(|e| OutputError::device("cannot start the thread of the LED panels", e))?;
    Ok(Hub75Output {
        size: config.size(),
        cpu,
        shared,
        thread: Some(thread),
    })
}

impl Hub75Output {
    /// Why nothing is shown, if the thread ended on its own.
    fn failure(&self) -> Option<OutputError> {
        let failed = self
            .shared
            .failed
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(why) = &*failed {
            let what = format!("cannot write the lines of the LED panels: {why}");
            return Some(OutputError::state(what));
        }
        let ended = self.thread.as_ref().is_none_or(JoinHandle::is_finished);
        ended.then(|| OutputError::state("the thread of the LED panels has ended"))
    }
}

impl Output for Hub75Output {
    fn kind(&self) -> &'static str {
        "hub75"
    }

    fn size(&self) -> Option<(u32, u32)> {
        Some(self.size)
    }

    fn present(&mut self, frame: &Frame, _: &[Rectangle]) -> Result<(), OutputError> {
        self.shared.publish(Picture::new(frame, self.size.1));
        self.failure().map_or(Ok(()), Err)
    }

    fn poll_device(&mut self) -> Result<bool, OutputError> {
        self.failure().map_or(Ok(false), Err)
    }

    fn status(&self) -> DeviceStatus {
        let shared = &self.shared;
        // Panels have no way back: only the lines are known.
        let mut status = DeviceStatus::new(match self.failure() {
            Some(_) => Connector::Disconnected,
            None => Connector::Unknown,
        });
        let cpu = match shared.own_cpu.load(Ordering::Relaxed) {
            true => self.cpu.to_string(),
            false => "any".to_owned(),
        };
        let realtime = match shared.realtime.load(Ordering::Relaxed) {
            true => "fifo",
            false => "no",
        };
        status.facts.insert("cpu", cpu);
        status.facts.insert("realtime", realtime.to_owned());
        for (name, hz) in [
            ("refresh_hz", &shared.refresh_hz),
            ("refresh_lowest_hz", &shared.lowest_hz),
        ] {
            let hz = hz.load(Ordering::Relaxed);
            if hz > 0 {
                status.facts.insert(name, ((hz + 5) / 10 * 10).to_string());
            }
        }
        status
    }
}

impl Drop for Hub75Output {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            errors::join(thread);
        }
    }
}

/// Looks at the lines' devices without taking any line.
#[must_use]
pub fn inspect(config: &Hub75Config) -> Vec<Finding> {
    let model = std::fs::read_to_string("/proc/device-tree/model").unwrap_or_default();
    inspect_in(config, Path::new("/dev"), model.trim_end_matches('\0'))
}

fn inspect_in(config: &Hub75Config, dev: &Path, model: &str) -> Vec<Finding> {
    let finding = |level, what: &str, found: String, advice: &str| Finding {
        level,
        what: what.to_owned(),
        found,
        advice: advice.to_owned(),
    };
    let mut findings = Vec::new();
    let registers = config.backend != GpioBackend::Linux && model.starts_with("Raspberry Pi");
    let name = match (registers, model.starts_with("Raspberry Pi 5")) {
        (true, true) => "gpiomem0",
        (true, false) => "gpiomem",
        (false, _) => "gpiochip0",
    };
    let what = format!("/dev/{name}");
    let opened = std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open(dev.join(name));
    findings.push(match opened {
        Ok(_) => finding(Level::Good, &what, "can be used".into(), ""),
        Err(e) if e.kind() == std::io::ErrorKind::PermissionDenied => finding(
            Level::Failure,
            &what,
            "permission denied".into(),
            "add the user yobiban to the group gpio",
        ),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => finding(
            Level::Failure,
            &what,
            "is missing".into(),
            "HUB75 panels need the 40-pin header of a Raspberry Pi",
        ),
        Err(e) => finding(
            Level::Failure,
            &what,
            format!("cannot be opened: {e}"),
            "start the box again",
        ),
    });
    if !registers {
        findings.push(finding(
            Level::Warning,
            "HUB75",
            "each change of a line takes a system call: the panels will flicker".into(),
            "use a Raspberry Pi 3 or 4, with backend = \"auto\"",
        ));
    } else if model.starts_with("Raspberry Pi 5") {
        findings.push(finding(
            Level::Warning,
            "HUB75",
            format!(
                "{model}: its lines are behind another chip; how fast they are was not measured"
            ),
            "look at refresh_hz in the health report; below 100 use a Raspberry Pi 4",
        ));
    }
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    if config.cpu >= cores {
        findings.push(finding(
            Level::Warning,
            "HUB75",
            format!("there is no core {}: this machine has {cores}", config.cpu),
            "set cpu to the last core, counted from 0",
        ));
    }
    findings
}
