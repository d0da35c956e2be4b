//! The health report of a node, made of what its parts say.

use super::hearing::Hearing;
use super::status::{CameraStatus, Cameras, OutputStatus, Outputs, Relays};
use super::truth::Truth;
use crate::clock::Now;
use crate::health::IssueKind;
use crate::model::BoardId;
use crate::roles::machine;
use crate::uplink::Spool;
use crate::wire::WireTime;
use crate::wire::report::ClockState;
use crate::wire::report::{HealthReport, IssueReport, MachineReport, OutputReport};
use jiff::tz::TimeZone;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// Makes health reports and hands out the newest.
pub(super) struct Health {
    pub(super) outputs: Outputs,
    pub(super) relays: Relays,
    pub(super) cameras: Cameras,
    pub(super) hearing: Hearing,
    pub(super) reports: watch::Sender<Arc<HealthReport>>,
    pub(super) zone: TimeZone,
    /// Monotonic moment of the start.
    pub(super) started: Duration,
    /// Calls that wait for the hub.
    pub(super) spool: Spool,
    /// Whether the uplink is up, and why not; `None` when it shares the session of the feed.
    pub(super) uplink: Option<watch::Receiver<crate::mqtt::ConnectionState>>,
    /// Since when it is down.
    pub(super) uplink_down: Option<Duration>,
    /// How many calls were dropped, and when the last of them was.
    pub(super) dropped: (u64, Duration),
    /// The folder of the store.
    pub(super) store: PathBuf,
    /// How the machine was, and when that was looked at.
    pub(super) machine: Option<(Duration, MachineReport)>,
}

/// Calls were dropped lately if it was less than this ago: long enough to be seen, and it needs no
/// restart to end.
const DROPPED_LATELY: Duration = Duration::from_secs(600);

/// Shortest time between two reports in which nothing but counts changed.
const COUNTS_EVERY_S: u64 = 30;

impl Health {
    /// Looks at everything and hands out a report when it differs from the last one.
    pub(super) fn update(&mut self, truth: &mut Truth, now: Now) {
        let outputs = self.outputs.copy();
        let patience = truth.line_patience();
        let issues = truth.issues();
        for (board, status) in &outputs {
            let trouble = status.trouble(now);
            issues.update(
                IssueKind::OutputFailed,
                board.as_str(),
                trouble.as_deref(),
                now,
            );
            let text = status.undrawable.as_ref().map(|points| {
                format!("board {board}: its fonts lack {points}, so a sign stands in their place / 表示できない文字があります")
            });
            let kind = IssueKind::TextUndrawable;
            issues.update(kind, board.as_str(), text.as_deref(), now);
        }
        for (relay, status) in self.relays.copy() {
            let failed = status.failed.as_deref();
            issues.update(IssueKind::OutputFailed, relay.as_str(), failed, now);
        }
        for (camera, status) in self.cameras.copy() {
            let lost = status.lost(now);
            for (kind, wrong) in [
                (IssueKind::CameraUnavailable, &lost),
                (IssueKind::CameraFrozen, &status.frozen),
                (IssueKind::CameraMoved, &status.moved),
            ] {
                issues.update(kind, camera.as_str(), wrong.as_deref(), now);
            }
        }
        let voice = self.hearing.status();
        let silent = voice.silent(now);
        for (kind, wrong) in [
            (IssueKind::AudioUnavailable, &silent),
            (IssueKind::SpeechDegraded, &voice.incomplete),
        ] {
            issues.update(kind, "", wrong.as_deref(), now);
        }
        if let Some(link) = &self.uplink {
            let down = link.borrow().disconnect_reason();
            self.uplink_down = down.is_some().then(|| self.uplink_down.unwrap_or(now.mono));
            let long = |since| now.since(since) >= patience;
            let down = down.filter(|_| self.uplink_down.is_some_and(long));
            issues.update(IssueKind::UplinkDown, "", down.as_deref(), now);
        }
        let waiting = self.spool.len();
        let full = self.spool.is_nearly_full().then(|| {
            format!("{waiting} calls are waiting for the hub: the oldest will soon be dropped")
        });
        issues.update(IssueKind::SpoolNearlyFull, "", full.as_deref(), now);
        let dropped = self.spool.dropped();
        if dropped != self.dropped.0 {
            self.dropped = (dropped, now.mono);
        }
        let lately = now.since(self.dropped.1) < DROPPED_LATELY;
        let dropped = (dropped > 0 && lately)
            .then(|| format!("{dropped} calls were dropped: too many were waiting for the hub"));
        issues.update(IssueKind::CallsDropped, "", dropped.as_deref(), now);
        let trouble = self.spool.trouble();
        issues.update(IssueKind::StorageFailed, "spool", trouble.as_deref(), now);
        let old = self
            .machine
            .as_ref()
            .map(|(at, _)| now.since(*at).as_secs());
        if old.is_none_or(|age| age >= COUNTS_EVERY_S) {
            self.machine = Some((now.mono, machine::look(Path::new("/"), &self.store)));
        }
        let report = self.report(truth, outputs, now);
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
        now: Now,
    ) -> HealthReport {
        let mut counts = truth.counts();
        let missed = outputs.values().map(|o| o.missed_calls).sum();
        counts.insert("calls_not_displayed".into(), missed);
        let merged = self.relays.copy().values().map(|r| r.merged).sum();
        counts.insert("relay_pulses_merged".into(), merged);
        let voice = self.hearing.status();
        if let Some(announced) = voice.announced {
            counts.insert("announcements".into(), announced);
            counts.insert("calls_not_announced".into(), voice.unheard);
        }
        let cameras = self.cameras.copy();
        if !cameras.is_empty() {
            let sum = |of: fn(&CameraStatus) -> u64| cameras.values().map(of).sum();
            counts.insert("camera_pictures".into(), sum(|c| c.pictures));
            counts.insert("camera_failures".into(), sum(|c| c.failed));
            counts.insert("camera_fields_read".into(), sum(|c| c.read));
            counts.insert("camera_fields_unknown".into(), sum(|c| c.unknown));
        }
        counts.insert("calls_waiting".into(), self.spool.len() as u64);
        counts.insert("calls_dropped".into(), self.spool.dropped());
        let issue = |issue: &crate::health::Issue| IssueReport {
            kind: issue.kind.as_str().into(),
            subject: issue.subject.clone(),
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
            uptime_s: now.since(self.started).as_secs(),
            issues: truth.issues().iter().map(issue).collect(),
            outputs: outputs.into_iter().map(output).collect(),
            counts,
            machine: self.machine.clone().map(|(_, m)| m).unwrap_or_default(),
            ..empty(now, &self.zone)
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
            ClockState::Synchronised
        } else {
            ClockState::Unknown
        },
        issues: Vec::new(),
        outputs: Vec::new(),
        counts: BTreeMap::new(),
        machine: MachineReport::default(),
    }
}
