//! What all tests here begin with: the machine for themselves, and how much of it they want.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::time::Instant;

/// The machine, until this is dropped; then it says for how long that was.
#[must_use]
pub struct Alone {
    begin: Instant,
    #[expect(dead_code, reason = "held for its lock")]
    lock: File,
}

impl Drop for Alone {
    fn drop(&mut self) {
        let thread = std::thread::current();
        let (name, took) = (thread.name().unwrap_or_default(), self.begin.elapsed());
        // Not by print, which is shown of tests that fail only.
        let _ = writeln!(std::io::stderr(), "{name}: {:.1} s", took.as_secs_f64());
    }
}

/// Waits until no other test of this folder runs, also in another process.
///
/// They emulate computers, drive browsers, measure: side by side they would only tell how busy the
/// machine is. Nobody has to remember an option for that.
pub fn alone() -> Alone {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("alone");
    let file = File::create(place).unwrap();
    file.lock().unwrap();
    Alone {
        begin: Instant::now(),
        lock: file,
    }
}

/// Whether one of each kind is enough: `YOBIBAN_SMOKE` is set, as in `.ci/run`.
pub fn smoke() -> bool {
    std::env::var_os("YOBIBAN_SMOKE").is_some()
}

/// `few` of the repetitions where one of each kind is enough, else `all`.
pub fn few<T>(few: T, all: T) -> T {
    if smoke() { few } else { all }
}

/// A seed for what is random: another one in each run, but the same in each smoke test.
pub fn seed() -> u64 {
    crate::support::seed(few(7, fastrand::u64(..)))
}
