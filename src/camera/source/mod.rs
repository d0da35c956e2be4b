//! Where pictures come from.
//!
//! A [`Source`] belongs to a thread of its own and hands out one picture at a time; a slow reader
//! misses pictures and never lets them pile up. It blocks for a quarter of a second at most, so that
//! whoever runs it can stop. What becomes of a source that fails is up to them, too: each error is
//! one attempt, and the next call may succeed. Errors name no password and no path of an address.

mod auth;
mod frame_reader;
mod http;
mod jpeg_splitter;
mod pixels;
mod program;
#[cfg(target_os = "linux")]
mod v4l2;

use super::picture::{Picture, PictureError};
use crate::config::{CameraConfig, CameraSource};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A picture and when it was taken.
pub struct Frame {
    pub picture: Picture,
    /// When it was taken, by the monotonic clock of [`crate::clock::Now`].
    pub mono: Duration,
}

/// Why there is no picture.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The device, file or address cannot be used.
    #[error("cannot read {what}: {error}")]
    Io { what: String, error: io::Error },
    /// What came is no picture.
    #[error(transparent)]
    Picture(#[from] PictureError),
    /// A device, program or address does not do what it should.
    #[error("{0}")]
    Fails(String),
    /// The device works, for another program.
    #[error("{0} is used by another program")]
    Busy(String),
    /// Nothing is wrong, but there is no picture yet.
    #[error("no picture yet")]
    NotYet,
}

/// Longest that [`Source::next`] blocks.
const SLICE: Duration = Duration::from_millis(250);

/// A source that brought no picture for this long is given up and begun anew: more than three
/// pictures of the slowest camera on a bad line, and well within the time after which a camera
/// counts as lost.
const PATIENCE: Duration = Duration::from_secs(6);

/// Something that takes pictures.
pub trait Source: Send {
    /// The next picture, not older than the call before; `None` when there will never be another.
    ///
    /// # Errors
    /// [`SourceError::NotYet`] when it is worth to ask again at once; another [`SourceError`] when
    /// none can be had this time, and the next call tries again.
    fn next(&mut self, now: Duration) -> Result<Option<Frame>, SourceError>;

    /// Begins anew with the device, as when it hands out the same picture for ever; nothing where
    /// there is no device.
    fn restart(&mut self) {}
}

/// Opens the source of a camera. Devices and addresses are not waited for: what is wrong with them
/// is said by [`Source::next`].
///
/// # Errors
/// [`SourceError::Io`] when a folder cannot be listed or a thread cannot be had.
pub fn open(config: &CameraConfig) -> Result<Box<dyn Source>, SourceError> {
    Ok(match &config.source {
        CameraSource::Folder { path } => Box::new(FolderSource::open(path)?),
        CameraSource::Http(http) => http::open(http)?,
        CameraSource::Rpicam(rpicam) => program::open(rpicam, config.size)?,
        #[cfg(target_os = "linux")]
        CameraSource::V4l2(v4l2) => Box::new(v4l2::DeviceSource::new(v4l2.clone(), config.size)),
        #[cfg(not(target_os = "linux"))]
        CameraSource::V4l2(_) => {
            return Err(SourceError::Fails("no Video4Linux: expected Linux".into()));
        }
    })
}

/// The formats that a device of Video4Linux lists, for people.
///
/// # Errors
/// Why it cannot be used, in words that go on after its name.
#[cfg(target_os = "linux")]
pub fn device_formats(device: &Path) -> Result<String, String> {
    v4l2::list(device)
}

/// Elsewhere there are no such devices.
///
/// # Errors
/// Always.
#[cfg(not(target_os = "linux"))]
pub fn device_formats(_: &Path) -> Result<String, String> {
    Err("needs Video4Linux: expected Linux".into())
}

/// The JPEG pictures of a folder, by name.
#[derive(Debug)]
pub struct FolderSource {
    files: std::vec::IntoIter<PathBuf>,
}

/// More than a JPEG of 4096 × 4096 takes.
const MAX_BYTES: u64 = 32 * 1024 * 1024;

impl FolderSource {
    /// Lists a folder; pictures that come later are not seen.
    ///
    /// # Errors
    /// [`SourceError::Io`] when it cannot be listed.
    pub fn open(dir: &Path) -> Result<Self, SourceError> {
        let wrong = |error| SourceError::Io {
            what: dir.display().to_string(),
            error,
        };
        let mut files = Vec::new();
        for entry in std::fs::read_dir(dir).map_err(wrong)? {
            let path = entry.map_err(wrong)?.path();
            let ending = path.extension().and_then(|e| e.to_str());
            if matches!(ending, Some("jpg" | "jpeg")) {
                files.push(path);
            }
        }
        files.sort();
        Ok(Self {
            files: files.into_iter(),
        })
    }
}

impl Source for FolderSource {
    fn next(&mut self, now: Duration) -> Result<Option<Frame>, SourceError> {
        let Some(path) = self.files.next() else {
            return Ok(None);
        };
        let picture = load(&path)?;
        Ok(Some(Frame { picture, mono: now }))
    }
}

/// Reads one JPEG file.
///
/// # Errors
/// [`SourceError`] when it cannot be read, or is no JPEG.
pub fn load(path: &Path) -> Result<Picture, SourceError> {
    let wrong = |error| SourceError::Io {
        what: path.display().to_string(),
        error,
    };
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(wrong)?;
    file.take(MAX_BYTES)
        .read_to_end(&mut bytes)
        .map_err(wrong)?;
    Ok(Picture::from_jpeg(&bytes)?)
}
