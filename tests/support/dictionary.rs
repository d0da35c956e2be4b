//! The dictionary of Japanese speech, built once for all tests.

use super::{root, skip, tool};
use std::path::PathBuf;
use std::process::Command;

/// Its folder, if it is there or can be built. `YOBIBAN_DICTIONARY` names one that is there.
pub fn dictionary() -> Option<PathBuf> {
    if let Some(folder) = std::env::var_os("YOBIBAN_DICTIONARY") {
        return Some(folder.into());
    }
    let place = root().join("target/voice");
    let folder = place.join("dictionary");
    std::fs::create_dir_all(&place).unwrap();
    // Tests may run in processes of their own: the first one builds, the others wait.
    let lock = std::fs::File::create(place.join("lock")).unwrap();
    lock.lock().unwrap();
    if yobiban::voice::Japanese::open(&folder, 100).is_ok() {
        return Some(folder);
    }
    tool("apt-get")?;
    let output = Command::new(root().join("assets/voice/build-dictionary"))
        .arg(env!("CARGO_BIN_EXE_yobiban"))
        .arg(&folder)
        .output()
        .unwrap();
    if output.status.success() {
        return Some(folder);
    }
    let errors = String::from_utf8_lossy(&output.stderr);
    skip(&format!(
        "no dictionary: {}",
        errors.lines().last().unwrap_or("")
    ));
    None
}
