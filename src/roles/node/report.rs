//! The health report of a node, made of what its parts say.

use super::truth::Truth;
use crate::clock::Now;
use crate::health::IssueKind;
use crate::model::BoardId;
use crate::output::{Connector, DeviceStatus};
use crate::uplink::Spool;
use crate::wire::WireTime;
use crate::wire::report::{HealthReport, IssueReport, OutputReport, OutputState};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// What the screens say of their outputs. The lock guards a small map, held for a copy only.
#[derive(Debug, Clone, Default)]
pub(super) struct Outputs(Arc<Mutex<BTreeMap<BoardId, OutputStatus>>>);

/// What the relays say: why a line cannot be used, by the relay's id, and how many calls were
/// joined because too many came at once. The lock guards a small map, held for a copy only.
#[derive(Debug, Clone, Default)]
pub(super) struct Relays(Arc<Mutex<BTreeMap<BoardId, RelayStatus>>>);

/// One relay at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct RelayStatus {
    pub(super) failed: Option<String>,
    pub(super) merged: u64,
}

impl Relays {
    pub(super) fn set(&self, relay: &BoardId, failed: Option<String>) {
        self.update(relay, |status| status.failed = failed);
    }

    pub(super) fn update(&self, relay: &BoardId, change: impl FnOnce(&mut RelayStatus)) {
        let mut map = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        change(map.entry(relay.clone()).or_default());
    }

    #[cfg(test)]
    pub(super) fn failed(&self, relay: &BoardId) -> Option<String> {
        self.copy().get(relay)?.failed.clone()
    }

    fn copy(&self) -> BTreeMap<BoardId, RelayStatus> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// One output at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct OutputStatus {
    pub(super) kind: &'static str,
    /// What the output knows about it; `None` for kinds without a device.
    pub(super) device: Option<DeviceStatus>,
    pub(super) frame_sha256: Option<String>,
    /// When that frame was handed over.
    pub(super) shown_at: Option<Timestamp>,
    /// Whether its board is lit, or black on purpose.
    pub(super) dark: bool,
    /// Monotonic moment at which its thread last said that it is alive.
    pub(super) ticked: Option<Duration>,
    /// Why it takes no frames; `None` when it does.
    pub(super) failed: Option<String>,
    /// Calls that were never shown because drawing was held up for too long.
    pub(super) missed_calls: u64,
}

impl Outputs {
    pub(super) fn update(&self, board: &BoardId, change: impl FnOnce(&mut OutputStatus)) {
        let mut map = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        change(map.entry(board.clone()).or_default());
    }

    /// Whether every board's thread has drawn once.
    pub(super) fn all_drawn(&self) -> bool {
        self.copy().values().all(|status| status.ticked.is_some())
    }

    /// A board whose thread gives no sign of life.
    pub(super) fn standing_still(&self, now: Now) -> Option<BoardId> {
        let still = |(board, status): (BoardId, OutputStatus)| {
            status.stands_still(now).is_some().then_some(board)
        };
        self.copy().into_iter().find_map(still)
    }

    fn copy(&self) -> BTreeMap<BoardId, OutputStatus> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// A board whose thread was not heard for this long is not kept up: every thread comes by once a
/// second, and a device may hold it up for one second more.
const STANDS_STILL: Duration = Duration::from_secs(10);

impl OutputStatus {
    fn state(&self, now: Now) -> OutputState {
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
    fn trouble(&self, now: Now) -> Option<String> {
        let still = self
            .stands_still(now)
            .map(|s| format!("drawing has stood still for {} s", s.as_secs()));
        still.or_else(|| self.failed.clone())
    }
}

/// Makes health reports and hands out the newest.
pub(super) struct Health {
    pub(super) outputs: Outputs,
    pub(super) relays: Relays,
    pub(super) reports: watch::Sender<Arc<HealthReport>>,
    pub(super) zone: TimeZone,
    /// Monotonic moment of the start.
    pub(super) started: Duration,
    /// Calls that wait for the hub.
    pub(super) spool: Spool,
    /// Whether the uplink is up, and why not; `None` when it shares the session of the feed.
    pub(super) uplink: Option<watch::Receiver<crate::mqtt::Link>>,
}

/// Shortest time between two reports in which nothing but counts changed.
const COUNTS_EVERY_S: u64 = 30;

impl Health {
    /// Looks at everything and hands out a report when it differs from the last one.
    pub(super) fn update(&mut self, truth: &mut Truth, now: Now) {
        let outputs = self.outputs.copy();
        let mut missed_calls = 0;
        for (board, status) in &outputs {
            missed_calls += status.missed_calls;
            let trouble = status.trouble(now);
            truth.issues().set(
                trouble.is_some(),
                IssueKind::OutputLost,
                board.as_str(),
                trouble.as_deref().unwrap_or_default(),
                now,
            );
        }
        for (relay, status) in self.relays.copy() {
            let text = status.failed.as_deref().unwrap_or_default();
            truth.issues().set(
                status.failed.is_some(),
                IssueKind::OutputLost,
                relay.as_str(),
                text,
                now,
            );
        }
        if let Some(link) = &self.uplink {
            let reason = match &*link.borrow() {
                crate::mqtt::Link::Up { .. } => None,
                crate::mqtt::Link::Down { reason } => Some(Arc::clone(reason)),
            };
            let text = reason.as_deref().unwrap_or_default();
            truth
                .issues()
                .set(reason.is_some(), IssueKind::UplinkDown, "", text, now);
        }
        let dropped = self.spool.dropped();
        let text = format!("{dropped} calls were dropped: too many waited for the hub");
        truth
            .issues()
            .set(dropped > 0, IssueKind::SpoolFull, "", &text, now);
        let trouble = self.spool.trouble();
        let text = trouble.as_deref().unwrap_or_default();
        truth.issues().set(
            trouble.is_some(),
            IssueKind::StoreFailed,
            "spool",
            text,
            now,
        );
        let report = self.report(truth, outputs, missed_calls, now);
        self.reports.send_if_modified(|old| {
            let same = old.issues == report.issues && old.outputs == report.outputs;
            let quiet = report.uptime_s < old.uptime_s + COUNTS_EVERY_S;
            if same && quiet && old.clock == report.clock {
                return false;
            }
            *old = Arc::new(report);
            true
        });
    }

    fn report(
        &self,
        truth: &mut Truth,
        outputs: BTreeMap<BoardId, OutputStatus>,
        missed_calls: u64,
        now: Now,
    ) -> HealthReport {
        let mut counts = truth.counts();
        counts.insert("calls_not_shown".into(), missed_calls);
        let merged = self.relays.copy().values().map(|r| r.merged).sum();
        counts.insert("relay_pulses_merged".into(), merged);
        counts.insert("calls_waiting".into(), self.spool.len() as u64);
        counts.insert("calls_dropped".into(), self.spool.dropped());
        let issue = |issue: &crate::health::Issue| IssueReport {
            kind: issue.kind.as_str().into(),
            about: issue.about.clone(),
            since: WireTime::new(issue.since, &self.zone),
            text: issue.text.clone(),
        };
        let output = |(board, status): (BoardId, OutputStatus)| OutputReport {
            board,
            kind: status.kind.into(),
            state: status.state(now),
            connector: status
                .device
                .as_ref()
                .map_or("", |d| d.connector.as_str())
                .into(),
            frame_sha256: status.frame_sha256,
            shown_at: status.shown_at.map(|at| WireTime::new(at, &self.zone)),
            facts: status
                .device
                .map(|d| d.facts.into_iter().map(|(k, v)| (k.into(), v)).collect())
                .unwrap_or_default(),
        };
        HealthReport {
            at: WireTime::new(now.wall, &self.zone),
            version: env!("CARGO_PKG_VERSION").into(),
            uptime_s: now.since(self.started).as_secs(),
            clock: if now.synced {
                "synchronised"
            } else {
                "unknown"
            }
            .into(),
            issues: truth.issues().iter().map(issue).collect(),
            outputs: outputs.into_iter().map(output).collect(),
            counts,
        }
    }
}

/// The report before anything was looked at.
pub(super) fn empty(now: Now, zone: &TimeZone) -> HealthReport {
    HealthReport {
        at: WireTime::new(now.wall, zone),
        version: env!("CARGO_PKG_VERSION").into(),
        uptime_s: 0,
        clock: if now.synced {
            "synchronised"
        } else {
            "unknown"
        }
        .into(),
        issues: Vec::new(),
        outputs: Vec::new(),
        counts: BTreeMap::new(),
    }
}
