//! Where frames go: files, windows, devices. Knows no ticket and no queue.
//!
//! A board's owner draws into a [`Frame`] and hands it to an [`Output`] with the areas that changed.
//! An output never draws and never waits longer than its device needs; what it cannot do it says
//! once through [`Output::connector`] and its errors, and the owner goes on drawing.

pub mod encode;
mod frame;
mod none;
mod png;
#[cfg(feature = "window")]
mod window;

pub use frame::{COVERAGE_STEPS, Frame, MAX_SIDE, Mask};
pub use none::NoOutput;
pub use png::PngOutput;
#[cfg(feature = "window")]
pub use window::WindowOutput;

use embedded_graphics::primitives::Rectangle;
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

/// Says why a frame could not be shown.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    /// A picture could not be written.
    #[error("cannot write picture {}", path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The window was closed; nothing more can be shown on it.
    #[error("window was closed")]
    Closed,
}

/// A sink for the frames of one board.
///
/// May block for as long as the device takes one frame (a file's write, a page flip with its time
/// limit), so a node calls it from a thread of its own.
pub trait Output: Send {
    /// The word of the configuration: `png`, `window`, `none`, …
    fn kind(&self) -> &'static str;

    /// Shows a frame.
    ///
    /// `damage` are the areas that differ from the frame shown before, in pixels of the frame; the
    /// first frame's damage is all of it. An empty list means that nothing changed, and an output
    /// may do nothing then.
    ///
    /// # Errors
    /// [`OutputError`] when the frame is not on the device; the next call may succeed, and then
    /// must show the whole frame whatever its damage.
    fn show(&mut self, frame: &Frame, damage: &[Rectangle]) -> Result<(), OutputError>;

    /// Whether something is plugged in.
    fn connector(&self) -> Connector {
        Connector::Unknown
    }
}
