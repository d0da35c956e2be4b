//! GPIO lines as numbers, and the way they are reached; shared by devices at the 40-pin header.

use crate::config::check::Check;
use crate::config::doc::At;

/// How GPIO lines and SPI are reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum GpioBackend {
    /// By the registers of a Raspberry Pi where there are some, else through the kernel.
    #[default]
    Auto,
    /// By the registers of a Raspberry Pi.
    Rpi,
    /// Through the kernel's devices.
    Linux,
}

impl Check<'_> {
    /// `auto`, `rpi` or `linux`.
    pub(in crate::config) fn backend(&mut self, at: &At, raw: Option<&str>) -> Option<GpioBackend> {
        let words = [
            ("auto", GpioBackend::Auto),
            ("rpi", GpioBackend::Rpi),
            ("linux", GpioBackend::Linux),
        ];
        match raw {
            None => Some(GpioBackend::default()),
            Some(raw) => self.word(at, raw, &words),
        }
    }
}
