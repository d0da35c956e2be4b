//! GPIO lines behind `embedded-hal` 1.0: by the registers of a Raspberry Pi (feature `rpi`), or by
//! the kernel's character device on any board.
//!
//! Nothing outside this module names a back end, so that the one that is no longer developed can
//! be left behind one day.

use crate::config::GpioBackend;
use embedded_hal::digital::{ErrorKind, ErrorType, OutputPin};
use std::fmt;

/// Says why a line cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum HalError {
    /// The registers of a Raspberry Pi cannot be used.
    #[cfg(feature = "rpi")]
    #[error("cannot open GPIO {line} of a Raspberry Pi")]
    Rpi {
        /// Number of the line (BCM).
        line: u8,
        source: rppal::gpio::Error,
    },
    /// The kernel's device cannot be used.
    #[error("cannot open line {line} of {CHIP}")]
    Linux {
        /// Number of the line.
        line: u8,
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// This build has no such back end.
    #[error(
        "this program was built without the GPIO registers of a Raspberry Pi: expected feature rpi"
    )]
    NotBuilt,
}

/// The GPIO chip with the 40-pin header; on a Raspberry Pi 5 since kernel 6.6, too.
const CHIP: &str = "/dev/gpiochip0";

/// A GPIO line that is driven, low at first.
pub struct Line(Kind);

enum Kind {
    #[cfg(feature = "rpi")]
    Rpi(rppal::gpio::OutputPin),
    Linux(linux_embedded_hal::CdevPin),
}

impl Line {
    /// Opens a line by its number (BCM on a Raspberry Pi) and drives it low.
    ///
    /// # Errors
    /// [`HalError`] when there is no such line, it is in use, or the process may not use it.
    pub fn open(backend: GpioBackend, line: u8) -> Result<Self, HalError> {
        match backend {
            GpioBackend::Linux => linux(line),
            #[cfg(feature = "rpi")]
            GpioBackend::Rpi => rpi(line),
            #[cfg(feature = "rpi")]
            GpioBackend::Auto => rpi(line).or_else(|error| match error {
                HalError::Rpi {
                    source: rppal::gpio::Error::UnknownModel,
                    ..
                } => linux(line),
                error => Err(error),
            }),
            #[cfg(not(feature = "rpi"))]
            GpioBackend::Rpi => Err(HalError::NotBuilt),
            #[cfg(not(feature = "rpi"))]
            GpioBackend::Auto => linux(line),
        }
    }
}

#[cfg(feature = "rpi")]
fn rpi(line: u8) -> Result<Line, HalError> {
    let failed = |source| HalError::Rpi { line, source };
    let gpio = rppal::gpio::Gpio::new().map_err(failed)?;
    let pin = gpio.get(line).map_err(failed)?;
    Ok(Line(Kind::Rpi(pin.into_output_low())))
}

fn linux(line: u8) -> Result<Line, HalError> {
    use linux_embedded_hal::gpio_cdev::{Chip, LineRequestFlags};
    let open = || -> Result<_, Box<dyn std::error::Error + Send + Sync>> {
        let handle = Chip::new(CHIP)?.get_line(u32::from(line))?.request(
            LineRequestFlags::OUTPUT,
            0,
            "yobiban",
        )?;
        Ok(linux_embedded_hal::CdevPin::new(handle)?)
    };
    let pin = open().map_err(|source| HalError::Linux { line, source })?;
    Ok(Line(Kind::Linux(pin)))
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            #[cfg(feature = "rpi")]
            Kind::Rpi(_) => "Line(Rpi)",
            Kind::Linux(_) => "Line(Linux)",
        })
    }
}

impl ErrorType for Line {
    type Error = ErrorKind;
}

impl OutputPin for Line {
    #[inline]
    fn set_low(&mut self) -> Result<(), ErrorKind> {
        match &mut self.0 {
            #[cfg(feature = "rpi")]
            Kind::Rpi(pin) => {
                pin.set_low();
                Ok(())
            }
            Kind::Linux(pin) => pin.set_low().map_err(|_| ErrorKind::Other),
        }
    }

    #[inline]
    fn set_high(&mut self) -> Result<(), ErrorKind> {
        match &mut self.0 {
            #[cfg(feature = "rpi")]
            Kind::Rpi(pin) => {
                pin.set_high();
                Ok(())
            }
            Kind::Linux(pin) => pin.set_high().map_err(|_| ErrorKind::Other),
        }
    }
}
