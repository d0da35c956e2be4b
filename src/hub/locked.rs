//! What a hub knows and remembers, behind one lock.

use super::calls::{CALLS, WAITING};
use super::history::LabelDays;
use super::pace::Pace;
use super::registry::Registry;
use crate::model::OfficeId;
use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

/// Publications of one office: at once after a quiet while, then this many a second at most. Twice
/// what an honest node reports; each costs a message to every open page.
const TOLD: (u32, u32) = (20, 10);

/// A refusal of one kind is logged this often at most; all are counted.
const WARN_EVERY: Duration = Duration::from_secs(60);

pub(super) struct Core {
    pub(super) registry: Registry,
    /// Offices to look at in the next publication; `None` is all.
    pub(super) dirty: Option<BTreeSet<OfficeId>>,
    /// Whether the broker is heard.
    pub(super) line: bool,
    /// Since when it is as it is.
    pub(super) line_since: Duration,
    /// When each kind of refusal was logged last.
    pub(super) warned: HashMap<&'static str, Duration>,
    pub(super) told: Pace,
    pub(super) calls: Pace,
    /// Calls of offices without numbers.
    pub(super) waiting: Pace,
    /// Offices that now have numbers, whose calls may wait for them.
    pub(super) to_admit: BTreeSet<OfficeId>,
    /// The ten minutes in which it was noted last how queues stand.
    pub(super) slot: i64,
    /// The days before which labels were forgotten last.
    pub(super) swept: LabelDays,
}

impl Core {
    /// Knows nothing yet.
    pub(super) fn new(line_since: Duration) -> Self {
        Self {
            registry: Registry::new(),
            dirty: Some(BTreeSet::new()),
            line: false,
            line_since,
            warned: HashMap::new(),
            told: Pace::new(TOLD.0, TOLD.1),
            calls: Pace::new(CALLS.0, CALLS.1),
            waiting: Pace::new(WAITING.0, WAITING.1),
            to_admit: BTreeSet::new(),
            slot: 0,
            swept: LabelDays::default(),
        }
    }

    /// Whether to speak of something now that may come thousands of times.
    pub(super) fn may_warn(&mut self, of: &'static str, now: Duration) -> bool {
        let last = self.warned.get(of);
        let may = last.is_none_or(|last| now.saturating_sub(*last) >= WARN_EVERY);
        if may {
            self.warned.insert(of, now);
        }
        may
    }
}
