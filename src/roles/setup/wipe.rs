//! What computers leave on a card: the clusters of files that were deleted or saved anew.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;

/// There while free space is overwritten.
const FILLING: &str = "yobiban.fil";
/// More than any card's FAT partition of ours has.
const MOST_BYTES: u64 = 1 << 30;

/// Overwrites what is free on a FAT file system, which holds whatever was there. On others nothing
/// is done: none of ours are written by strangers.
///
/// # Errors
/// When the card takes nothing; that it is full is the aim.
pub(super) fn free_space(boot: &Path) -> io::Result<()> {
    /// `MSDOS_SUPER_MAGIC` of linux/magic.h.
    const FAT: u64 = 0x4d44;
    #[allow(clippy::cast_sign_loss)] // a number of the kernel's, signed on some processors
    let kind = rustix::fs::statfs(boot)?.f_type as u64;
    if kind != FAT {
        return Ok(());
    }
    fill(&boot.join(FILLING), MOST_BYTES)
}

/// Fills a file with zeros until nothing more can be written, and removes it.
fn fill(path: &Path, most: u64) -> io::Result<()> {
    // Left over from a start that was cut off, it is emptied first.
    let mut file = File::create(path)?;
    let filled = zeros(&mut file, most).and_then(|()| file.sync_all());
    drop(file);
    std::fs::remove_file(path)?;
    filled
}

fn zeros(file: &mut File, most: u64) -> io::Result<()> {
    match io::copy(&mut io::Read::take(io::repeat(0), most), file) {
        Ok(_) => Ok(()),
        Err(e) if e.kind() == io::ErrorKind::StorageFull => Ok(()),
        Err(e) => Err(e),
    }
    .and_then(|()| file.flush())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_filled_is_removed_and_what_cannot_be_is_said() {
        let dir = tempfile::tempdir().expect("folder");
        let path = dir.path().join("fill");
        std::fs::write(&path, "left over").expect("written");
        fill(&path, 3_000_000).expect("filled");
        assert!(!path.exists());
        assert!(fill(&dir.path().join("away/fill"), 1).is_err());
        // This machine's own folders are no card.
        free_space(dir.path()).expect("nothing to do");
        assert!(!dir.path().join(FILLING).exists());
        // A device that is always full.
        let mut full = File::options().write(true).open("/dev/full").expect("open");
        zeros(&mut full, 10).expect("full is the aim");
    }
}
