//! `output` of a board: one file a kind of device.
//!
//! All kinds share one table of keys; a key of another kind is answered with the kind it belongs to.

mod digits;
mod hdmi;
mod hub75;
mod max7219;
mod pins;
mod serial;

pub use digits::{
    FieldShow, FieldSource, Framing, IdleDigits, Parity, Rs485, SerialConfig, SerialDevice,
    SerialField, StaleDigits,
};
pub use hdmi::{HdmiConfig, ModeConfig, Rotation, Standby};
pub use hub75::{Hub75Config, Hub75Pins};
pub use max7219::{Corner, Max7219Config, Serpentine};
pub use pins::GpioBackend;

use super::check::Check;
use super::doc::At;
use super::hint;
use super::raw::RawOutput;
use crate::config::problem::ProblemKind;
use crate::model::QueueId;
use std::path::PathBuf;

/// What a board is shown on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OutputConfig {
    /// Nothing: for boards that are only sent to the hub.
    None,
    /// A picture file, replaced whole with every change.
    Png {
        /// Where it is written.
        path: PathBuf,
    },
    /// A window on the desktop (feature `window`).
    Window,
    /// A monitor (feature `hdmi`).
    Hdmi(HdmiConfig),
    /// A chain of LED modules of 8 × 8 points.
    Max7219(Max7219Config),
    /// LED panels with a HUB75 connector.
    Hub75(Hub75Config),
    /// A board of digits on a serial line.
    Serial(SerialConfig),
}

/// The words for the kinds, and whether this build drives them.
const KINDS: [(&str, bool); 7] = [
    ("png", true),
    ("none", true),
    ("hdmi", cfg!(all(feature = "hdmi", target_os = "linux"))),
    ("max7219", cfg!(target_os = "linux")),
    ("hub75", cfg!(target_os = "linux")),
    ("serial", true),
    ("window", cfg!(feature = "window")),
];

/// Which keys go with which kinds; `kind` itself goes with all.
const KEYS: &[(&str, &[&str])] = &[
    ("path", &["png"]),
    ("connector", &["hdmi"]),
    ("mode", &["hdmi"]),
    ("rotate", &["hdmi"]),
    ("standby", &["hdmi"]),
    ("device", &["serial"]),
    ("baud", &["serial"]),
    ("framing", &["serial"]),
    ("rs485", &["serial"]),
    ("template", &["serial"]),
    ("options", &["serial"]),
    ("digits", &["serial"]),
    ("refresh", &["serial"]),
    ("blink", &["serial"]),
    ("stale", &["serial"]),
    ("idle", &["serial"]),
    ("field", &["serial"]),
    ("spi", &["max7219"]),
    ("speed_hz", &["max7219"]),
    ("modules", &["max7219"]),
    ("start", &["max7219"]),
    ("serpentine", &["max7219"]),
    ("module_rotation", &["max7219"]),
    ("brightness", &["max7219", "hub75"]),
    ("rows", &["hub75"]),
    ("columns", &["hub75"]),
    ("chain", &["hub75"]),
    ("refresh_hz", &["hub75"]),
    ("slowdown", &["hub75"]),
    ("cpu", &["hub75"]),
    ("wiring", &["hub75"]),
    ("pins", &["hub75"]),
    ("backend", &["max7219", "hub75"]),
];

impl OutputConfig {
    /// The word of the configuration.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Png { .. } => "png",
            Self::Window => "window",
            Self::Hdmi(_) => "hdmi",
            Self::Max7219(_) => "max7219",
            Self::Hub75(_) => "hub75",
            Self::Serial(_) => "serial",
        }
    }

    /// Whether it is a panel of light points, for which boards are drawn small.
    #[must_use]
    pub fn is_led(&self) -> bool {
        self.panel_size().is_some()
    }

    /// Width and height of such a panel in points.
    #[must_use]
    pub fn panel_size(&self) -> Option<(u32, u32)> {
        match self {
            Self::Max7219(config) => Some(config.size()),
            Self::Hub75(config) => Some(config.size()),
            _ => None,
        }
    }
}

impl Check<'_> {
    pub(super) fn output(
        &mut self,
        at: &At,
        raw: Option<&RawOutput>,
        queues: &[QueueId],
    ) -> Option<OutputConfig> {
        let empty = RawOutput::default();
        let raw = raw.unwrap_or(&empty);
        let kind_at = at.key("kind");
        let built: Vec<&str> = KINDS.iter().filter(|k| k.1).map(|k| k.0).collect();
        let Some(kind) = raw.kind.as_deref() else {
            self.missing(&kind_at, hint::one_of(&built));
            return None;
        };
        match KINDS.iter().find(|(word, _)| *word == kind) {
            Some((_, true)) => {}
            Some(_) => {
                let message = format_args!(
                    "output kind {kind} is not in this build: expected one made with --features {kind} on Linux, or {}",
                    hint::one_of(&built)
                );
                self.wrong(&kind_at, message);
                return None;
            }
            None => {
                let nearest = hint::nearest(kind, KINDS.iter().map(|k| k.0));
                let message =
                    format_args!("unknown output kind: expected {}", hint::one_of(&built));
                self.wrong_hint(&kind_at, message, nearest);
                return None;
            }
        }
        self.foreign_keys(at, kind);
        Some(match kind {
            "png" => match raw.path.as_deref() {
                Some(path) => OutputConfig::Png {
                    path: self.path(&at.key("path"), path)?,
                },
                None => {
                    self.missing(&at.key("path"), "the picture's file, such as \"main.png\"");
                    return None;
                }
            },
            "window" => OutputConfig::Window,
            "hdmi" => OutputConfig::Hdmi(self.hdmi(at, raw)?),
            "max7219" => OutputConfig::Max7219(self.max7219(at, raw)?),
            "hub75" => OutputConfig::Hub75(self.hub75(at, raw)?),
            "serial" => OutputConfig::Serial(self.serial(at, raw, queues)?),
            _ => OutputConfig::None,
        })
    }

    /// Answers keys that belong to other kinds.
    fn foreign_keys(&mut self, at: &At, kind: &str) {
        for &(key, kinds) in KEYS {
            if !kinds.contains(&kind) && self.doc.found(&at.key(key)).is_some() {
                self.wrong_as(
                    &at.key(key),
                    ProblemKind::Unwanted,
                    format_args!(
                        "only with kind {}: expected no such key",
                        hint::one_of(kinds)
                    ),
                );
            }
        }
    }
}
