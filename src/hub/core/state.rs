//! The part of the hub's state that one lock guards.

use super::rate_limit::RateLimit;
use crate::hub::history::LabelDays;
use crate::hub::registry::Registry;
use crate::model::OfficeId;
use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

/// Publications of one office: at once after a quiet while, then this many a second at most. Twice
/// what an honest node reports; each costs a message to every open page.
const PUBLICATIONS: (u32, u32) = (20, 10);

/// Calls of one office: the spools of two nodes after a long outage, then this many a second at
/// most, ten times a busy office. More would fill the database for all others.
const CALLS: (u32, u32) = (200_000, 2);

/// Calls of one office that wait for its numbers: some hours of a busy office, and the same pace.
const WAITING: (u32, u32) = (5_000, 2);

/// A warning of one kind is logged this often at most; all are counted.
const WARN_EVERY: Duration = Duration::from_secs(60);

pub(in crate::hub) struct HubState {
    pub(in crate::hub) registry: Registry,
    /// Offices to look at in the next publication; `None` is all.
    pub(super) dirty: Option<BTreeSet<OfficeId>>,
    /// Whether the hub is connected to its broker.
    pub(in crate::hub) broker_connected: bool,
    /// When that changed last.
    pub(super) broker_changed_at: Duration,
    /// When each kind of warning was logged last.
    pub(super) last_warnings: HashMap<&'static str, Duration>,
    pub(super) publications: RateLimit,
    pub(super) calls: RateLimit,
    /// Calls of offices without numbers.
    pub(super) waiting: RateLimit,
    /// Offices that now have numbers, whose calls may wait for them.
    pub(super) to_admit: BTreeSet<OfficeId>,
    /// The sampling interval (ten minutes) of the last samples of queues.
    pub(super) sample_slot: i64,
    /// The days before which labels were deleted last.
    pub(super) purged: LabelDays,
}

impl HubState {
    /// Knows nothing yet.
    pub(super) fn new(broker_changed_at: Duration) -> Self {
        Self {
            registry: Registry::new(),
            dirty: Some(BTreeSet::new()),
            broker_connected: false,
            broker_changed_at,
            last_warnings: HashMap::new(),
            publications: RateLimit::new(PUBLICATIONS.0, PUBLICATIONS.1),
            calls: RateLimit::new(CALLS.0, CALLS.1),
            waiting: RateLimit::new(WAITING.0, WAITING.1),
            to_admit: BTreeSet::new(),
            sample_slot: 0,
            purged: LabelDays::default(),
        }
    }

    /// Whether to log a warning now that may come thousands of times.
    pub(super) fn may_warn(&mut self, of: &'static str, now: Duration) -> bool {
        let last = self.last_warnings.get(of);
        let may = last.is_none_or(|last| now.saturating_sub(*last) >= WARN_EVERY);
        if may {
            self.last_warnings.insert(of, now);
        }
        may
    }
}
