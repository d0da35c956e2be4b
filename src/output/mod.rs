//! Where frames go: files, windows, devices. Knows no ticket and no queue.
//!
//! A board's owner draws into a [`Frame`] and hands it to an [`Output`] with the areas that changed.
//! An output never draws and never waits longer than its device needs; it reports what it cannot do
//! once, through [`Output::status`] and its errors, and the owner goes on drawing.

#[cfg(target_os = "linux")]
pub mod alsa;
mod finding;
#[cfg(target_os = "linux")]
pub mod hal;
#[cfg(all(feature = "hdmi", target_os = "linux"))]
pub mod hdmi;
pub mod led;
mod none;
mod png;
pub mod relay;
pub mod serial;
#[cfg(feature = "window")]
mod window;

pub use crate::frame::{Frame, MAX_SIDE, encode};
pub use finding::{Finding, Level};
pub use none::NoOutput;
pub use png::PngOutput;
#[cfg(feature = "window")]
pub use window::WindowOutput;

use embedded_graphics::primitives::Rectangle;
use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;

/// Whether something is at the other end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Connector {
    /// Frames reach it.
    Connected,
    /// Nothing is plugged in, or it is switched off.
    Disconnected,
    /// The device cannot tell.
    Unknown,
}

impl Connector {
    /// The word used in reports: `connected`, `disconnected` or `unknown`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Connected => "connected",
            Self::Disconnected => "disconnected",
            Self::Unknown => "unknown",
        }
    }
}

/// What an output knows about its device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceStatus {
    /// Whether something is plugged in.
    pub connector: Connector,
    /// Further facts by name for health reports, such as `mode` = `1920x1080@60` or `refresh_hz`;
    /// few, short, and stable while nothing happens.
    pub facts: BTreeMap<&'static str, String>,
}

impl DeviceStatus {
    /// A state without further facts.
    #[must_use]
    pub fn new(connector: Connector) -> Self {
        Self {
            connector,
            facts: BTreeMap::new(),
        }
    }
}

/// Says why a frame could not be shown.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    /// A picture could not be written.
    #[error("cannot write picture {}", path.display())]
    Write { path: PathBuf, source: io::Error },
    /// The window was closed; nothing more can be shown on it.
    #[error("window was closed")]
    Closed,
    /// A device does not do what it should.
    #[error("{what}")]
    Device {
        /// What could not be done with which device, such as "cannot open /dev/spidev0.0".
        what: String,
        /// Why, where the system said it.
        #[source]
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
}

impl OutputError {
    /// A device's trouble that the system gave a reason for.
    pub fn device(
        what: impl Into<String>,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self::Device {
            what: what.into(),
            source: Some(source.into()),
        }
    }

    /// A device's trouble that speaks for itself, such as "nothing is plugged into HDMI-A-1".
    pub fn state(what: impl Into<String>) -> Self {
        Self::Device {
            what: what.into(),
            source: None,
        }
    }
}

/// A sink for the frames of one board.
///
/// May block for as long as the device takes one frame (a file's write, a page flip with its time
/// limit), so a node calls it from a thread of its own.
pub trait Output: Send {
    /// The word of the configuration: `png`, `window`, `none`, …
    fn kind(&self) -> &'static str;

    /// Width and height of the frames it wants, in pixels as hung; `None` takes any. Asked before
    /// every drawing: a monitor that was exchanged changes it.
    fn size(&self) -> Option<(u32, u32)> {
        None
    }

    /// Puts a frame on the device.
    ///
    /// `damage` are the areas that differ from the frame shown before, in pixels of the frame; the
    /// first frame's damage is all of it. An empty list means that nothing changed, and an output
    /// may do nothing then.
    ///
    /// # Errors
    /// [`OutputError`] when the frame is not on the device; the next call may succeed, and then
    /// must show the whole frame whatever its damage.
    fn present(&mut self, frame: &Frame, damage: &[Rectangle]) -> Result<(), OutputError>;

    /// Does the periodic work of the device between frames: hot-plug, register refresh, time
    /// limits. Called at least once a second. Returns `true` if the whole frame must be drawn again,
    /// in the current [`size`](Self::size).
    ///
    /// # Errors
    /// [`OutputError`] when the device is lost; it is polled again a second later.
    fn poll_device(&mut self) -> Result<bool, OutputError> {
        Ok(false)
    }

    /// Sets whether the board is lit. While it is dark its owner presents black frames, and a
    /// device that can be switched off may be; it is lit again before the next frame.
    fn set_lit(&mut self, lit: bool) {
        let _ = lit;
    }

    /// What is known about the device. Cheap: asked after every frame.
    fn status(&self) -> DeviceStatus {
        DeviceStatus::new(Connector::Unknown)
    }
}
