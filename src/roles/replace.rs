//! Files that are there whole or not at all, whenever the power goes.

use crate::files::{self, Durability};
use anyhow::Context;
use std::fs;
use std::io;
use std::path::Path;

/// Puts a file in place of an older one, if there is one, and makes its folder. `mode` is its
/// permissions from the first byte on, less what the process's umask takes away.
///
/// # Errors
/// When it cannot be written; the older one is there still.
pub(in crate::roles) fn replace(path: &Path, bytes: &[u8], mode: u32) -> anyhow::Result<()> {
    let put = || -> io::Result<()> {
        fs::create_dir_all(path.parent().unwrap_or(Path::new("")))?;
        files::replace(path, bytes, Durability::Synced, mode)
    };
    put().with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn a_file_is_replaced_and_a_leftover_lends_it_nothing() {
        let dir = tempfile::tempdir().expect("folder");
        let path = dir.path().join("deep/key");
        replace(&path, b"one", 0o600).expect("written");
        let leftover = dir.path().join("deep/.key.new");
        fs::write(&leftover, "half of a longer text").expect("written");
        fs::set_permissions(&leftover, fs::Permissions::from_mode(0o666)).expect("opened");
        replace(&path, b"two", 0o600).expect("written");
        assert_eq!(fs::read(&path).expect("read"), b"two");
        let mode = fs::metadata(&path).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(!leftover.exists());
    }

    #[test]
    fn what_cannot_be_written_is_named_and_leaves_the_older_file() {
        let dir = tempfile::tempdir().expect("folder");
        let path = dir.path().join("key");
        replace(&path, b"one", 0o600).expect("written");
        // In the way of the new one.
        fs::create_dir(dir.path().join(".key.new")).expect("folder");
        let failed = replace(&path, b"two", 0o600).expect_err("in the way");
        assert!(failed.to_string().contains("/key"), "{failed}");
        assert_eq!(fs::read(&path).expect("read"), b"one");
        // What cannot take its place leaves nothing.
        let taken = dir.path().join("folder");
        fs::create_dir(&taken).expect("folder");
        replace(&taken, b"two", 0o600).expect_err("a folder is there");
        assert!(!dir.path().join(".folder.new").exists());
    }
}
