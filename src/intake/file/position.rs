//! Where reading a file stopped, so that it is found again after a restart, a rotation or a new upload.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;
use std::fs::{File, Metadata};
use std::io::{self, Read as _, Seek as _, SeekFrom};

/// How many bytes at the beginning of a file, and before a position, tell it from others.
pub(super) const MARK: usize = 1024;

/// Where reading a file stopped: behind a whole line.
///
/// It holds hashes instead of text, because lines may hold names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Which file, as the file system counts them. Network drives give other numbers after they were
    /// connected again, so the content decides.
    pub file: FileId,
    /// Bytes before it.
    pub offset: u64,
    /// Whether it is within a line that is too long to be read.
    #[serde(default)]
    pub skipping: bool,
    /// SHA-256 of the first 1,024 bytes of the file and the last 1,024 before the offset, in hexadecimal.
    pub mark: String,
}

/// A file's identity: device and inode; zeros where the system has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct FileId {
    /// The file system.
    pub device: u64,
    /// The file in it.
    pub inode: u64,
}

impl FileId {
    #[cfg(unix)]
    pub(super) fn of(metadata: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt as _;
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
        }
    }

    #[cfg(not(unix))]
    pub(super) fn of(_: &Metadata) -> Self {
        Self::default()
    }
}

/// The hash of a beginning and of what is before an offset.
pub(super) fn mark(head: &[u8], tail: &[u8]) -> String {
    let hash = Sha256::new()
        .chain_update(head)
        .chain_update(tail)
        .finalize();
    hash.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}"); // cannot fail
        text
    })
}

/// The first bytes of a file and those before an offset, as far as they are there.
pub(super) fn marked(file: &mut File, offset: u64) -> io::Result<(Vec<u8>, Vec<u8>)> {
    let length = usize::try_from(offset).unwrap_or(MARK).min(MARK);
    let before = offset - u64::try_from(length).unwrap_or(0);
    Ok((read_at(file, 0, length)?, read_at(file, before, length)?))
}

impl Position {
    /// Whether a file continues behind this position.
    pub(super) fn is_in(&self, file: &mut File) -> io::Result<bool> {
        if file.metadata()?.len() < self.offset {
            return Ok(false);
        }
        let (head, tail) = marked(file, self.offset)?;
        Ok(mark(&head, &tail) == self.mark)
    }
}

/// Up to `length` bytes from an offset; fewer at the end of the file.
pub(super) fn read_at(file: &mut File, offset: u64, length: usize) -> io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(offset))?;
    let mut bytes = Vec::with_capacity(length);
    let most = u64::try_from(length).unwrap_or(u64::MAX);
    file.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}
