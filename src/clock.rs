//! Time as a value that is handed in.
//!
//! Only the outermost layer reads the system clock; everything else receives the time as a [`Now`]
//! argument. It has two times, which answer two questions. The wall clock says what to print, and may
//! jump, because a Raspberry Pi has no battery-backed clock. The monotonic clock says how old something
//! is, and never jumps.

use jiff::Timestamp;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// One reading of the clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// The wall clock, to be printed and compared with times in messages.
    pub wall: Timestamp,
    /// The monotonic clock, for ages and deadlines: time since a moment that stays the same while the
    /// process runs.
    pub mono: Duration,
    /// Whether the wall clock is synchronised, so that it can be trusted.
    pub synced: bool,
}

impl Now {
    /// A synchronised reading at `wall`, with the monotonic time counted from 1970: for tools and
    /// tests in which no clock jumps.
    #[must_use]
    pub fn at(wall: Timestamp) -> Self {
        Self {
            wall,
            mono: Duration::from_millis(u64::try_from(wall.as_millisecond()).unwrap_or(0)),
            synced: true,
        }
    }

    /// The time since `then`, a value of the monotonic clock; zero if `then` is later than now.
    #[must_use]
    pub fn since(&self, then: Duration) -> Duration {
        self.mono.saturating_sub(then)
    }
}

/// A source of the time: the machine's clocks, or a clock that a test moves.
pub trait Clock: Send + Sync + 'static {
    /// Reads both clocks.
    fn now(&self) -> Now;
}

impl<C: Clock + ?Sized> Clock for Arc<C> {
    fn now(&self) -> Now {
        (**self).now()
    }
}

/// The clocks of the machine.
#[derive(Debug, Clone)]
pub struct SystemClock {
    start: Instant,
    daemon: Arc<Daemon>,
}

impl SystemClock {
    /// The machine's clocks, with a monotonic clock that is zero now.
    #[must_use]
    pub fn new() -> Self {
        Self {
            start: Instant::now(),
            daemon: Arc::new(Daemon::new(Path::new(TIMESYNCD))),
        }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

/// 2026-01-01T00:00:00Z, in seconds. This software is newer, so a wall clock that shows an earlier time
/// was never set.
const EARLIEST_BELIEVABLE_S: i64 = 1_767_225_600;

impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods)] // here the machine's clock becomes the value handed on
    fn now(&self) -> Now {
        let wall = Timestamp::now();
        let mono = self.start.elapsed();
        Now {
            wall,
            mono,
            synced: wall.as_second() >= EARLIEST_BELIEVABLE_S && self.daemon.is_content(mono),
        }
    }
}

/// Folder of systemd-timesyncd. It exists while the daemon runs, and contains the file `synchronized`
/// once a server has answered (systemd-timesyncd.service(8)). A machine without this folder sets its
/// clock in another way, and its clock is trusted.
const TIMESYNCD: &str = "/run/systemd/timesync";

/// The folder is checked at most once in this time, in milliseconds.
const LOOK_EVERY_MS: u64 = 2_000;

/// The state of the time daemon, checked from time to time.
#[derive(Debug)]
struct Daemon {
    dir: PathBuf,
    /// When to check it next, in milliseconds of the monotonic clock.
    look_at: AtomicU64,
    content: AtomicBool,
}

impl Daemon {
    fn new(dir: &Path) -> Self {
        Self {
            dir: dir.to_owned(),
            look_at: AtomicU64::new(0),
            content: AtomicBool::new(false),
        }
    }

    /// Whether the clock can be trusted: no daemon is still waiting for a server. `mono` is the monotonic
    /// time now.
    fn is_content(&self, mono: Duration) -> bool {
        let now = u64::try_from(mono.as_millis()).unwrap_or(u64::MAX);
        if now < self.look_at.load(Ordering::Relaxed) {
            return self.content.load(Ordering::Relaxed);
        }
        let content = !self.dir.is_dir() || self.dir.join("synchronized").exists();
        self.content.store(content, Ordering::Relaxed);
        self.look_at.store(now + LOOK_EVERY_MS, Ordering::Relaxed);
        content
    }
}

/// A clock for tests: it stands still until it is moved. Clones share the time.
#[derive(Debug, Clone)]
pub struct ManualClock {
    now: Arc<Mutex<Now>>,
}

impl ManualClock {
    /// A clock that shows `now`.
    #[must_use]
    pub fn new(now: Now) -> Self {
        Self {
            now: Arc::new(Mutex::new(now)),
        }
    }

    /// Moves both clocks forward. A wall clock that would leave the range of [`Timestamp`] stays.
    pub fn advance(&self, by: Duration) {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        now.mono += by;
        now.wall = now.wall.saturating_add(by).unwrap_or(now.wall);
    }

    /// Replaces the reading, for example to simulate a step of the wall clock or lost synchronisation.
    pub fn set(&self, to: Now) {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner) = to;
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Now {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_the_daemon_has_not_set_is_not_believed() {
        let dir = tempfile::tempdir().expect("folder");
        let at = |s: u64| Duration::from_secs(s);
        let elsewhere = Daemon::new(&dir.path().join("none"));
        assert!(elsewhere.is_content(at(0)), "no daemon, no doubt");
        let daemon = Daemon::new(dir.path());
        assert!(!daemon.is_content(at(0)));
        std::fs::write(dir.path().join("synchronized"), "").expect("written");
        assert!(!daemon.is_content(at(1)), "not looked at so soon");
        assert!(daemon.is_content(at(2)));
    }
}
