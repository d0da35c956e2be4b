//! A picture file, replaced whole: a reader sees the old picture or the new one, never half of one.

use super::{Connector, DeviceStatus, Frame, Output, OutputError, encode};
use crate::files::{self, Durability};
use embedded_graphics::primitives::Rectangle;
use std::path::{Path, PathBuf};

/// Writes every frame to one file.
#[derive(Debug)]
pub struct PngOutput {
    path: PathBuf,
    /// Whether the file holds the newest frame.
    written: bool,
}

impl PngOutput {
    /// Writes to `path`. Its directory must be there when the first frame is shown.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            written: false,
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
        let written = files::replace(
            &self.path,
            &picture.bytes,
            Durability::Cached,
            files::ORDINARY,
        );
        written.map_err(|source| OutputError::Write {
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn the_file_is_replaced_whole_and_nothing_is_left_beside_it() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let path = dir.path().join("main.png");
        let mut output = PngOutput::new(&path);
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
