//! What is known of the voice, for boards and reports.

use crate::clock::Now;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// A thread that was not heard for this long hangs: it comes by every second, and nine sentences
/// in three languages take a slow machine ten.
const STANDS_STILL: Duration = Duration::from_secs(30);

/// What is known of the voice; clones share it.
#[derive(Debug, Clone)]
pub(crate) struct AnnouncementStatus(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    /// Index of the newest call whose announcement is over, with all before it; all where there is
    /// no voice.
    completed_up_to: AtomicU64,
    /// Guards a small value, held for a copy.
    status: Mutex<VoiceStatus>,
}

/// The voice at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct VoiceStatus {
    /// Why nothing is heard.
    pub(crate) silent: Option<String>,
    /// Why not all is spoken.
    pub(crate) incomplete: Option<String>,
    /// Announcements that were heard to their end; `None` without a voice.
    pub(crate) announced: Option<u64>,
    /// Calls that were not heard: too many at once, or a quiet hour.
    pub(crate) skipped: u64,
    /// Monotonic moment at which its thread last said that it is alive.
    pub(crate) ticked: Option<Duration>,
}

impl VoiceStatus {
    /// Why calls are not heard, in one line.
    pub(crate) fn silent(&self, now: Now) -> Option<String> {
        let still = self.ticked.map(|at| now.since(at));
        let hangs = still.filter(|still| *still >= STANDS_STILL);
        let hangs = hangs.map(|s| format!("the voice has made no progress for {} s", s.as_secs()));
        hangs.or_else(|| self.silent.clone())
    }
}

impl Default for AnnouncementStatus {
    fn default() -> Self {
        Self(Arc::new(Shared {
            completed_up_to: AtomicU64::new(u64::MAX),
            status: Mutex::default(),
        }))
    }
}

impl AnnouncementStatus {
    /// Index of the newest call that boards need not keep for the voice.
    pub(crate) fn completed_up_to(&self) -> u64 {
        self.0.completed_up_to.load(Ordering::Relaxed)
    }

    pub(crate) fn update(&self, completed_up_to: u64, status: VoiceStatus) {
        self.0
            .completed_up_to
            .store(completed_up_to, Ordering::Relaxed);
        *self.lock() = status;
    }

    pub(crate) fn status(&self) -> VoiceStatus {
        self.lock().clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, VoiceStatus> {
        self.0.status.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
