//! Files that are there whole or not at all: written beside, then renamed over.

use anyhow::Context as _;
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// Permissions of a file that is no secret, as the system gives them by itself.
pub const ORDINARY: u32 = 0o666;

/// What is left of a replacement after a power cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// The old file or the new one, whole; the new one once [`replace`] has returned. One process
    /// at a time may replace such a file.
    Synced,
    /// Perhaps neither: for what is soon made anew, and must not wear out the medium. Processes that
    /// replace one such file replace each other's, and never mix them.
    Cached,
}

/// Puts a file in place of an older one, if there is one. `mode` is its permissions from the first
/// byte on, less what the process's umask takes away.
///
/// Whoever reads sees the old file or the new one, never a part (POSIX `rename`). With
/// [`Durability::Synced`] that holds through a power cut as well: the bytes are flushed to the medium
/// before the renaming, which could otherwise come to it first, and the folder, which holds the name,
/// after it.
///
/// # Errors
/// When it cannot be written: the older one is there still. When the folder cannot be flushed: the
/// new one is in place, and may be gone after a power cut.
pub fn replace(path: &Path, bytes: &[u8], durability: Durability, mode: u32) -> io::Result<()> {
    Fresh::write(path, bytes, durability, mode)?.put()
}

/// As [`replace`] with [`Durability::Synced`]; also makes the folder, and says in its error which
/// file it was.
///
/// # Errors
/// When it cannot be written; the older one is there still.
pub fn replace_synced(path: &Path, bytes: &[u8], mode: u32) -> anyhow::Result<()> {
    let put = || -> io::Result<()> {
        fs::create_dir_all(path.parent().unwrap_or(Path::new("")))?;
        replace(path, bytes, Durability::Synced, mode)
    };
    put().with_context(|| format!("cannot write {}", path.display()))
}

/// A file that is written and not yet in its place; removed when it is dropped before it is.
#[derive(Debug)]
pub struct Fresh<'a> {
    path: &'a Path,
    beside: PathBuf,
    durability: Durability,
    renamed: bool,
}

impl<'a> Fresh<'a> {
    /// The first half of [`replace`], for those who have something to do before the second.
    ///
    /// # Errors
    /// When it cannot be written; nothing is left of it then.
    pub fn write(
        path: &'a Path,
        bytes: &[u8],
        durability: Durability,
        mode: u32,
    ) -> io::Result<Self> {
        let beside = beside(path, durability)?;
        // One that was left over may be open to others, and has permissions of its own.
        match fs::remove_file(&beside) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
            _ => {}
        }
        let mut options = OpenOptions::new();
        let mut file = options
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(&beside)?;
        let fresh = Self {
            path,
            beside,
            durability,
            renamed: false,
        };
        file.write_all(bytes)?;
        if durability == Durability::Synced {
            file.sync_all()?;
        }
        Ok(fresh)
    }

    /// The second half.
    ///
    /// # Errors
    /// As [`replace`].
    pub fn put(mut self) -> io::Result<()> {
        fs::rename(&self.beside, self.path)?;
        self.renamed = true;
        match self.durability {
            Durability::Synced => flush_folder(self.path),
            Durability::Cached => Ok(()),
        }
    }
}

impl Drop for Fresh<'_> {
    fn drop(&mut self) {
        if !self.renamed {
            // Half of it helps nobody; that it failed is what the caller hears.
            let _ = fs::remove_file(&self.beside);
        }
    }
}

/// Where a file is written before it is renamed: always at the same place, so that a leftover of a
/// power cut is found again, but where several processes may write.
fn beside(path: &Path, durability: Durability) -> io::Result<PathBuf> {
    let no_name = || io::Error::new(io::ErrorKind::InvalidInput, "path without a file name");
    let mut name = OsString::from(".");
    name.push(path.file_name().ok_or_else(no_name)?);
    if durability == Durability::Cached {
        name.push(format!(".{}", std::process::id()));
    }
    name.push(".new");
    Ok(path.with_file_name(name))
}

fn flush_folder(path: &Path) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    match File::open(folder)?.sync_all() {
        // A file system that knows no such thing has its own ways, or is none to keep things on.
        Err(e)
            if matches!(
                e.kind(),
                io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported
            ) =>
        {
            Ok(())
        }
        result => result,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Durability::{Cached, Synced};
    use std::os::unix::fs::PermissionsExt as _;

    fn names(dir: &Path) -> Vec<OsString> {
        let entries = fs::read_dir(dir).expect("folder");
        entries.map(|e| e.expect("entry").file_name()).collect()
    }

    #[test]
    fn a_file_is_replaced_whole_and_nothing_is_left_beside_it() {
        for durability in [Synced, Cached] {
            let dir = tempfile::tempdir().expect("folder");
            let path = dir.path().join("state");
            for text in ["a longer text", "short"] {
                replace(&path, text.as_bytes(), durability, ORDINARY).expect("written");
                assert_eq!(fs::read_to_string(&path).expect("read"), text);
            }
            assert_eq!(names(dir.path()), ["state"]);
        }
    }

    #[test]
    fn a_leftover_lends_the_new_file_nothing() {
        for durability in [Synced, Cached] {
            let dir = tempfile::tempdir().expect("folder");
            let path = dir.path().join("key");
            let leftover = beside(&path, durability).expect("name");
            fs::write(&leftover, "half of a longer text").expect("written");
            fs::set_permissions(&leftover, fs::Permissions::from_mode(0o666)).expect("opened");
            let mut open_to_others = File::open(&leftover).expect("open");
            replace(&path, b"two", durability, 0o600).expect("written");
            assert_eq!(fs::read(&path).expect("read"), b"two");
            let mode = fs::metadata(&path).expect("there").permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
            assert_eq!(names(dir.path()), ["key"]);
            let mut seen = String::new();
            io::Read::read_to_string(&mut open_to_others, &mut seen).expect("read");
            assert_eq!(seen, "half of a longer text", "not the new file");
        }
    }

    #[test]
    fn what_cannot_be_written_leaves_the_older_file_and_nothing_else() {
        for durability in [Synced, Cached] {
            let dir = tempfile::tempdir().expect("folder");
            let path = dir.path().join("key");
            replace(&path, b"one", durability, ORDINARY).expect("written");
            // In the way of the new one.
            let in_the_way = beside(&path, durability).expect("name");
            fs::create_dir(&in_the_way).expect("folder");
            replace(&path, b"two", durability, ORDINARY).expect_err("in the way");
            assert_eq!(fs::read(&path).expect("read"), b"one");
            fs::remove_dir(&in_the_way).expect("removed");
            // What cannot take its place leaves nothing.
            let taken = dir.path().join("folder");
            fs::create_dir(&taken).expect("folder");
            replace(&taken, b"two", durability, ORDINARY).expect_err("a folder is there");
            fs::remove_dir(&taken).expect("still a folder");
            drop(Fresh::write(&path, b"two", durability, ORDINARY).expect("written"));
            assert_eq!(fs::read(&path).expect("read"), b"one");
            assert_eq!(names(dir.path()), ["key"]);
            let missing = dir.path().join("no/such/key");
            replace(&missing, b"two", durability, ORDINARY).expect_err("no folder");
            let nameless = Path::new("/");
            replace(nameless, b"two", durability, ORDINARY).expect_err("no name");
        }
    }

    #[test]
    fn a_file_of_the_current_folder_is_flushed_with_it() {
        flush_folder(Path::new("state")).expect("the folder of this process");
        flush_folder(Path::new("/no/such/state")).expect_err("no folder");
    }

    #[test]
    fn a_file_is_replaced_and_a_leftover_lends_it_nothing() {
        let dir = tempfile::tempdir().expect("folder");
        let path = dir.path().join("deep/key");
        replace_synced(&path, b"one", 0o600).expect("written");
        let leftover = dir.path().join("deep/.key.new");
        fs::write(&leftover, "half of a longer text").expect("written");
        fs::set_permissions(&leftover, fs::Permissions::from_mode(0o666)).expect("opened");
        replace_synced(&path, b"two", 0o600).expect("written");
        assert_eq!(fs::read(&path).expect("read"), b"two");
        let mode = fs::metadata(&path).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(!leftover.exists());
    }

    #[test]
    fn what_cannot_be_written_is_named_and_leaves_the_older_file() {
        let dir = tempfile::tempdir().expect("folder");
        let path = dir.path().join("key");
        replace_synced(&path, b"one", 0o600).expect("written");
        // In the way of the new one.
        fs::create_dir(dir.path().join(".key.new")).expect("folder");
        let failed = replace_synced(&path, b"two", 0o600).expect_err("in the way");
        assert!(failed.to_string().contains("/key"), "{failed}");
        assert_eq!(fs::read(&path).expect("read"), b"one");
        // What cannot take its place leaves nothing.
        let taken = dir.path().join("folder");
        fs::create_dir(&taken).expect("folder");
        replace_synced(&taken, b"two", 0o600).expect_err("a folder is there");
        assert!(!dir.path().join(".folder.new").exists());
    }
}
