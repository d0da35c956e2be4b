//! Time as a value that is handed in.
//!
//! Below the rim nothing reads a clock: functions take a [`Now`]. It has two times because they
//! answer two questions. The wall clock says what to print and may jump (a Raspberry Pi has no
//! battery clock); the monotonic one says how old something is and never jumps.

use jiff::Timestamp;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// One reading of the clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// What the wall clock says.
    pub wall: Timestamp,
    /// Time since some fixed moment before the process did anything; for ages and deadlines.
    pub mono: Duration,
    /// Whether the wall clock can be believed.
    pub synced: bool,
}

impl Now {
    /// A believable reading at `wall`, with the monotonic time counted from 1970: for tools and
    /// tests in which no clock jumps.
    #[must_use]
    pub fn at(wall: Timestamp) -> Self {
        Self {
            wall,
            mono: Duration::from_millis(u64::try_from(wall.as_millisecond()).unwrap_or(0)),
            synced: true,
        }
    }

    /// How long ago the monotonic moment `then` was; zero if it lies ahead.
    #[must_use]
    pub fn since(&self, then: Duration) -> Duration {
        self.mono.saturating_sub(then)
    }
}

/// Something that can be asked for the time.
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
    /// Starts the monotonic time at zero.
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

/// A wall clock before this moment (2026-01-01T00:00:00Z) was never set: the software is younger.
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

/// Where systemd-timesyncd says that it has set the clock: the folder is there while it runs, the
/// file in it since the first answer of a server (systemd-timesyncd.service(8)). A machine that
/// keeps its time otherwise has no such folder, and is believed.
const TIMESYNCD: &str = "/run/systemd/timesync";

/// How often the folder is looked at, in milliseconds.
const LOOK_EVERY_MS: u64 = 2_000;

/// What the time daemon says, looked at now and then.
#[derive(Debug)]
struct Daemon {
    dir: PathBuf,
    /// Milliseconds of the monotonic clock from which on it is looked at again.
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

    /// Whether it does not say that the clock is still to be set.
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

/// A clock that stands still until it is moved by hand. Clones share the time.
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

    /// Moves both times on.
    pub fn advance(&self, by: Duration) {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        now.mono += by;
        now.wall = now.wall.saturating_add(by).unwrap_or(now.wall);
    }

    /// Shows another reading from now on: a step of the wall clock, or synchronisation lost.
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
