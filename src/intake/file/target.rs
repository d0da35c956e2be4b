//! Which file a path of the configuration means.

use super::super::Fault;
use crate::errors::plain;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File, Metadata};
use std::io;
use std::path::{Path, PathBuf};

/// Most entries of a folder that are looked through.
const MAX_ENTRIES: usize = 10_000;

/// A path whose file name may hold one `*`, for machines that begin a file each day.
#[derive(Debug, Clone)]
pub(super) struct Target {
    path: PathBuf,
    /// What the name begins and ends with, where it holds a `*`.
    pattern: Option<(String, String)>,
}

impl Target {
    pub(super) fn new(path: &Path) -> Self {
        let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
        let parts = name.split_once('*');
        Self {
            path: path.to_owned(),
            pattern: parts.map(|(begin, end)| (begin.to_owned(), end.to_owned())),
        }
    }

    fn folder(&self) -> &Path {
        match self.path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        }
    }

    /// Whether each file has a name of its own, in the order of time.
    pub(super) fn is_pattern(&self) -> bool {
        self.pattern.is_some()
    }

    /// The name of the newest file.
    ///
    /// # Errors
    /// Why the folder cannot be listed, or that no name fits.
    pub(super) fn newest(&self) -> Result<OsString, Fault> {
        if self.pattern.is_none() {
            return Ok(self.path.file_name().unwrap_or_default().to_owned());
        }
        let names = self.names(|name| self.fits(name))?;
        let newest = names.into_iter().max();
        newest.ok_or_else(|| self.fault("no file of that name: expected one"))
    }

    /// The name of the file after another one: the same where the path has no pattern.
    ///
    /// # Errors
    /// Why the folder cannot be listed.
    pub(super) fn after(&self, name: &OsStr) -> Result<OsString, Fault> {
        if self.pattern.is_none() {
            return self.newest();
        }
        let later = self.names(|n| self.fits(n) && n > name)?;
        Ok(later.into_iter().min().unwrap_or_else(|| name.to_owned()))
    }

    /// Names of files that may be a rotated one: those of the pattern, or those that begin as the file does.
    pub(super) fn relatives(&self) -> Result<Vec<OsString>, Fault> {
        let stem = self.path.file_stem().unwrap_or_default();
        let stem = stem.as_encoded_bytes();
        self.names(|name| match self.pattern {
            Some(_) => self.fits(name),
            None => name.as_encoded_bytes().starts_with(stem),
        })
    }

    fn fits(&self, name: &OsStr) -> bool {
        let (Some((begin, end)), Some(name)) = (&self.pattern, name.to_str()) else {
            return false;
        };
        name.len() >= begin.len() + end.len() && name.starts_with(begin) && name.ends_with(end)
    }

    fn names(&self, wanted: impl Fn(&OsStr) -> bool) -> Result<Vec<OsString>, Fault> {
        let folder = self.folder();
        let entries = fs::read_dir(folder).map_err(|e| self.io_fault(&e))?;
        let mut names = Vec::new();
        for (n, entry) in entries.enumerate() {
            if n == MAX_ENTRIES {
                let text = format!("more than {MAX_ENTRIES} entries: expected fewer");
                return Err(Fault::unreadable(text).at(&folder.display().to_string()));
            }
            let name = entry.map_err(|e| self.io_fault(&e))?.file_name();
            if wanted(&name) {
                names.push(name);
            }
        }
        Ok(names)
    }

    /// Opens a file of the folder. What is no regular file is not opened: a pipe would block for ever.
    ///
    /// # Errors
    /// Why it cannot be opened.
    pub(super) fn open(&self, name: &OsStr) -> Result<(File, Metadata), Fault> {
        let path = self.folder().join(name);
        let open = || {
            let metadata = fs::metadata(&path)?;
            if !metadata.is_file() {
                return Ok(None);
            }
            let file = File::open(&path)?;
            let metadata = file.metadata()?;
            Ok(Some((file, metadata)))
        };
        let opened = open().map_err(|e| self.io_fault(&e))?;
        opened.ok_or_else(|| self.fault("not a regular file: expected one"))
    }

    /// Where and what is wrong.
    pub(super) fn io_fault(&self, error: &io::Error) -> Fault {
        match error.kind() {
            io::ErrorKind::NotFound if !self.folder().is_dir() => {
                let folder = self.folder().display();
                Fault::unreachable(format!(
                    "{folder}: no such folder: expected it to be mounted"
                ))
            }
            io::ErrorKind::NotFound => self.fault("no such file"),
            io::ErrorKind::PermissionDenied => self.fault(
                "permission denied: expected file and folder to be readable for this service",
            ),
            _ => self.fault(&format!("cannot read: {}", plain(error))),
        }
    }

    /// The path, for messages.
    pub(super) fn shown(&self) -> String {
        self.path.display().to_string()
    }

    fn fault(&self, text: &str) -> Fault {
        Fault::unreachable(text).at(&self.shown())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_a_pattern_stand_in_the_order_of_their_names() {
        let dir = tempfile::tempdir().expect("a folder");
        for name in ["20261123.csv", "20261124.csv", "20261125.csv.tmp", "b.csv"] {
            fs::write(dir.path().join(name), "").expect("written");
        }
        let target = Target::new(&dir.path().join("2026*.csv"));
        assert_eq!(target.newest().expect("a file"), "20261124.csv");
        assert_eq!(
            target.after("20261122.csv".as_ref()).expect("a file"),
            "20261123.csv"
        );
        assert_eq!(
            target.after("20261124.csv".as_ref()).expect("a file"),
            "20261124.csv"
        );
        let none = Target::new(&dir.path().join("2027*.csv"));
        let fault = none.newest().expect_err("none");
        assert!(
            fault
                .text
                .ends_with("2027*.csv: no file of that name: expected one")
        );
    }

    #[test]
    fn what_is_no_file_is_named_and_never_opened() {
        let dir = tempfile::tempdir().expect("a folder");
        let open = |path: PathBuf| {
            let target = Target::new(&path);
            let name = target.newest().expect("a name");
            target.open(&name).expect_err("no file").text
        };
        assert!(
            open(dir.path().join("a/b.csv")).contains("no such folder: expected it to be mounted")
        );
        assert!(open(dir.path().join("b.csv")).ends_with("b.csv: no such file"));
        fs::create_dir(dir.path().join("c")).expect("made");
        assert!(open(dir.path().join("c")).contains("not a regular file"));
        assert!(open("/dev/zero".into()).contains("not a regular file"));
    }
}
