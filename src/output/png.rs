//! A picture file, replaced whole: a reader sees the old picture or the new one, never half of one.

use super::{Connector, DeviceStatus, Frame, Output, OutputError, encode};
use embedded_graphics::primitives::Rectangle;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Writes every frame to one file.
#[derive(Debug)]
pub struct PngOutput {
    path: PathBuf,
    /// Whether a picture must reach the disk before it counts as written.
    durable: bool,
    /// Whether the file holds the newest frame.
    written: bool,
}

impl PngOutput {
    /// Writes to `path`. Its directory must be there when the first frame is shown.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            durable: false,
            written: false,
        }
    }

    /// Waits until each picture is on the disk: for pictures that must survive a power cut.
    #[must_use]
    pub fn durable(self) -> Self {
        Self {
            durable: true,
            ..self
        }
    }

    /// Where it writes.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Replaces the file with a picture that is encoded already.
    ///
    /// # Errors
    /// [`OutputError::Write`] when the file is not there whole; the old one stays.
    pub fn write(&mut self, picture: &encode::Picture) -> Result<(), OutputError> {
        self.written = false;
        replace(&self.path, &picture.bytes, self.durable).map_err(|source| OutputError::Write {
            path: self.path.clone(),
            source,
        })?;
        self.written = true;
        Ok(())
    }
}

impl Output for PngOutput {
    fn kind(&self) -> &'static str {
        "png"
    }

    fn present(&mut self, frame: &Frame, damage: &[Rectangle]) -> Result<(), OutputError> {
        if damage.is_empty() && self.written {
            return Ok(());
        }
        self.write(&encode::lossless(frame))
    }

    fn status(&self) -> DeviceStatus {
        DeviceStatus::new(Connector::Connected)
    }
}

/// Writes beside the file and renames. The name carries the process id, so that two writers of one
/// file replace each other's pictures but never mix them.
fn replace(path: &Path, bytes: &[u8], durable: bool) -> io::Result<()> {
    let name = path
        .file_name()
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "path without a file name"))?;
    let mut beside = std::ffi::OsString::from(".");
    beside.push(name);
    beside.push(format!(".{}.tmp", std::process::id()));
    let temporary = path.with_file_name(beside);
    let write = || -> io::Result<()> {
        let mut file = File::create(&temporary)?;
        file.write_all(bytes)?;
        if durable {
            file.sync_all()?;
        }
        drop(file);
        fs::rename(&temporary, path)
    };
    write().inspect_err(|_| {
        // Best effort: the picture is lost already, and that is what the caller hears.
        let _ = fs::remove_file(&temporary);
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_replaced_whole_and_nothing_is_left_beside_it() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let path = dir.path().join("main.png");
        let mut output = PngOutput::new(&path).durable();
        let frame = Frame::new(8, 4);
        let all = Rectangle::new(Default::default(), frame_size(&frame));
        output.present(&frame, &[all]).expect("written");
        let first = fs::read(&path).expect("picture");
        assert_eq!(first, encode::lossless(&frame).bytes);
        fs::remove_file(&path).expect("removed");
        output.present(&frame, &[]).expect("nothing changed");
        assert!(!path.exists(), "no damage, no write");
        output.present(&frame, &[all]).expect("written");
        let names: Vec<_> = fs::read_dir(dir.path())
            .expect("directory")
            .map(|e| e.expect("entry").file_name())
            .collect();
        assert_eq!(names, ["main.png"]);
    }

    #[test]
    fn a_missing_directory_is_an_error_that_names_the_file() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let path = dir.path().join("no/such/main.png");
        let error = PngOutput::new(&path)
            .present(&Frame::new(2, 2), &[])
            .expect_err("not written");
        assert!(error.to_string().contains("no/such/main.png"), "{error}");
    }

    fn frame_size(frame: &Frame) -> embedded_graphics::prelude::Size {
        embedded_graphics::prelude::OriginDimensions::size(frame)
    }
}
