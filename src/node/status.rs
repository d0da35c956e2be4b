//! What the threads of boards and relays say of themselves, for whoever reports it.

use crate::clock::Now;
use crate::model::{BoardId, CameraId};
use crate::output::{Connector, DeviceStatus};
use crate::wire::report::OutputState;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The status of each board, relay or camera, by its id; clones share it. The lock guards a small
/// map, held for a copy or less.
#[derive(Debug, Clone)]
pub(crate) struct StatusMap<S, K = BoardId>(Arc<Mutex<BTreeMap<K, S>>>);

impl<S, K> Default for StatusMap<S, K> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

/// What the boards' threads say of their outputs.
pub(crate) type Outputs = StatusMap<OutputStatus>;

/// What the relays' threads say.
pub(crate) type Relays = StatusMap<RelayStatus>;

/// What the cameras' threads say.
pub(crate) type Cameras = StatusMap<CameraStatus, CameraId>;

/// One camera at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct CameraStatus {
    /// Why no pictures come; `None` while they do.
    pub(crate) unavailable: Option<String>,
    /// For how long the picture has been the same, in words.
    pub(crate) frozen: Option<String>,
    /// That the board is not where it should be, in words.
    pub(crate) moved: Option<String>,
    /// Pictures that were read.
    pub(crate) pictures: u64,
    /// Attempts to get one that failed.
    pub(crate) failed: u64,
    /// Fields that were read, over all pictures.
    pub(crate) read: u64,
    /// Fields that were not.
    pub(crate) unknown: u64,
    /// Monotonic moment by which its thread says again that it is alive.
    pub(crate) due: Option<Duration>,
}

impl CameraStatus {
    /// Why its numbers are not kept up, in one line.
    pub(crate) fn unavailable(&self, now: Now) -> Option<String> {
        let late = self.due.map(|due| now.since(due));
        let hangs = late.filter(|late| *late >= STANDS_STILL);
        let hangs =
            hangs.map(|late| format!("reading has made no progress for {} s", late.as_secs()));
        hangs.or_else(|| self.unavailable.clone())
    }
}

/// One relay at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct RelayStatus {
    /// Why its line cannot be used; `None` when it can.
    pub(crate) failed: Option<String>,
    /// Calls that were joined because too many came at once.
    pub(crate) merged: u64,
}

/// One output at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct OutputStatus {
    pub(crate) kind: &'static str,
    /// What the output knows about it; `None` for kinds without a device.
    pub(crate) device: Option<DeviceStatus>,
    pub(crate) frame_sha256: Option<String>,
    /// When that frame was handed over.
    pub(crate) shown_at: Option<Timestamp>,
    /// Whether its board is lit, or black on purpose.
    pub(crate) dark: bool,
    /// Monotonic moment at which its thread last said that it is alive.
    pub(crate) ticked: Option<Duration>,
    /// Why it takes no frames; `None` when it does.
    pub(crate) failed: Option<String>,
    /// Characters that its fonts do not have, of what it shows; `None` when they have all.
    pub(crate) undrawable: Option<String>,
    /// Calls that were never shown because drawing was held up for too long.
    pub(crate) missed_calls: u64,
    /// Index of the newest call that had its time on this board, with all before it.
    pub(crate) shown_calls: u64,
}

impl<S: Clone + Default, K: Ord + Clone> StatusMap<S, K> {
    pub(crate) fn update(&self, id: &K, change: impl FnOnce(&mut S)) {
        change(self.lock().entry(id.clone()).or_default());
    }

    pub(crate) fn copy(&self) -> BTreeMap<K, S> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<K, S>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Outputs {
    /// Whether every board's thread has drawn once.
    pub(crate) fn all_drawn(&self) -> bool {
        self.lock().values().all(|status| status.ticked.is_some())
    }

    /// Index of the newest call that had its time on every board; of all calls where there is none.
    pub(crate) fn shown_calls(&self) -> u64 {
        let boards = self.lock();
        boards
            .values()
            .map(|s| s.shown_calls)
            .min()
            .unwrap_or(u64::MAX)
    }

    /// A board whose thread gives no sign of life.
    pub(crate) fn standing_still(&self, now: Now) -> Option<BoardId> {
        let boards = self.lock();
        let mut still = boards.iter().filter(|(_, s)| s.stands_still(now).is_some());
        still.next().map(|(board, _)| board.clone())
    }
}

impl Relays {
    pub(crate) fn set(&self, relay: &BoardId, failed: Option<String>) {
        self.update(relay, |status| status.failed = failed);
    }

    #[cfg(test)]
    pub(crate) fn failed(&self, relay: &BoardId) -> Option<String> {
        self.lock().get(relay)?.failed.clone()
    }
}

/// A board whose thread was not heard for this long is not kept up: every thread comes by once a
/// second, and a device may hold it up for one second more.
const STANDS_STILL: Duration = Duration::from_secs(10);

impl OutputStatus {
    pub(crate) fn state(&self, now: Now) -> OutputState {
        let connector = self.device.as_ref().map(|d| d.connector);
        if self.stands_still(now).is_some() {
            OutputState::Stale
        } else if connector == Some(Connector::Disconnected) {
            OutputState::Disconnected
        } else if self.failed.is_some() {
            OutputState::Lost
        } else if self.dark {
            OutputState::Dark
        } else if self.frame_sha256.is_some() {
            OutputState::Shown
        } else {
            OutputState::Unknown
        }
    }

    /// For how long nothing was heard of its thread, when that is too long.
    fn stands_still(&self, now: Now) -> Option<Duration> {
        let silent = now.since(self.ticked?);
        (silent >= STANDS_STILL).then_some(silent)
    }

    /// What is wrong with it, in one line.
    pub(crate) fn trouble(&self, now: Now) -> Option<String> {
        let still = self
            .stands_still(now)
            .map(|s| format!("drawing has stood still for {} s", s.as_secs()));
        still.or_else(|| self.failed.clone())
    }
}
