//! The health report of a node, made of what its parts say.

use super::announcement_status::AnnouncementStatus;
use super::office_state::OfficeState;
use super::status::{CameraStatus, Cameras, OutputStatus, Outputs, Relays};
use crate::clock::Now;
use crate::health::{IssueKind, Issues};
use crate::machine;
use crate::model::BoardId;
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
pub(crate) struct Health {
    pub(crate) outputs: Outputs,
    pub(crate) relays: Relays,
    pub(crate) cameras: Cameras,
    pub(crate) announcements: AnnouncementStatus,
    pub(crate) reports: watch::Sender<Arc<HealthReport>>,
    pub(crate) zone: TimeZone,
    /// Monotonic moment of the start.
    pub(crate) started: Duration,
    /// Calls that wait for the hub.
    pub(crate) spool: Spool,
    /// Whether the uplink is up, and why not; `None` when it shares the session of the feed.
    pub(crate) uplink: Option<watch::Receiver<crate::mqtt::ConnectionState>>,
    /// Since when it is down.
    pub(crate) uplink_down: Option<Duration>,
    /// How many calls were dropped, and when the last of them was.
    pub(crate) dropped: (u64, Duration),
    /// The folder of the store.
    pub(crate) store: PathBuf,
    /// How the machine was, and when that was looked at.
    pub(crate) machine: Option<(Duration, MachineReport)>,
}

/// Calls were dropped lately if it was less than this ago: long enough to be seen, and it needs no
/// restart to end.
const DROPPED_LATELY: Duration = Duration::from_secs(600);

/// Shortest time between two reports in which nothing but counts changed.
const COUNTS_EVERY_S: u64 = 30;

impl Health {
    /// Looks at everything and hands out a report when it differs from the last one.
    pub(crate) fn update(&mut self, state: &mut OfficeState, now: Now) {
        let outputs = self.outputs.copy();
        let grace = state.disconnect_grace();
        let issues = state.issues();
        raise_of_outputs(issues, &outputs, now);
        self.raise_of_parts(issues, now);
        self.raise_of_uplink(issues, grace, now);
        self.raise_of_spool(issues, now);
        let age = self.machine.as_ref().map(|(at, _)| now.since(*at));
        if age.is_none_or(|age| age.as_secs() >= COUNTS_EVERY_S) {
            self.machine = Some((now.mono, machine::look(Path::new("/"), &self.store)));
        }
        let report = self.report(state, outputs, now);
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

    /// Issues of relays, cameras and the voice.
    fn raise_of_parts(&self, issues: &mut Issues, now: Now) {
        for (relay, status) in self.relays.copy() {
            let failed = status.failed.as_deref();
            issues.update(IssueKind::OutputFailed, relay.as_str(), failed, now);
        }
        for (camera, status) in self.cameras.copy() {
            let unavailable = status.unavailable(now);
            for (kind, wrong) in [
                (IssueKind::CameraUnavailable, &unavailable),
                (IssueKind::CameraFrozen, &status.frozen),
                (IssueKind::CameraMoved, &status.moved),
            ] {
                issues.update(kind, camera.as_str(), wrong.as_deref(), now);
            }
        }
        let voice = self.announcements.status();
        let silent = voice.silent(now);
        for (kind, wrong) in [
            (IssueKind::AudioUnavailable, &silent),
            (IssueKind::SpeechDegraded, &voice.incomplete),
        ] {
            issues.update(kind, "", wrong.as_deref(), now);
        }
    }

    /// The issue of a connection to the hub's broker that has been lost for longer than `grace`.
    fn raise_of_uplink(&mut self, issues: &mut Issues, grace: Duration, now: Now) {
        let Some(connection) = &self.uplink else {
            return;
        };
        let reason = connection.borrow().disconnect_reason();
        self.uplink_down = reason
            .is_some()
            .then(|| self.uplink_down.unwrap_or(now.mono));
        let long = self.uplink_down.is_some_and(|at| now.since(at) >= grace);
        let reason = reason.filter(|_| long);
        issues.update(IssueKind::UplinkDown, "", reason.as_deref(), now);
    }

    /// Issues of the spool of calls.
    fn raise_of_spool(&mut self, issues: &mut Issues, now: Now) {
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
    }

    fn report(
        &self,
        state: &mut OfficeState,
        outputs: BTreeMap<BoardId, OutputStatus>,
        now: Now,
    ) -> HealthReport {
        let mut counts = state.counts();
        let missed = outputs.values().map(|o| o.missed_calls).sum();
        counts.insert("calls_not_displayed".into(), missed);
        let merged = self.relays.copy().values().map(|r| r.merged).sum();
        counts.insert("relay_pulses_merged".into(), merged);
        let voice = self.announcements.status();
        if let Some(announced) = voice.announced {
            counts.insert("announcements".into(), announced);
            counts.insert("calls_not_announced".into(), voice.skipped);
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
            issues: state.issues().iter().map(issue).collect(),
            outputs: outputs.into_iter().map(output).collect(),
            counts,
            machine: self.machine.clone().map(|(_, m)| m).unwrap_or_default(),
            ..empty(now, &self.zone)
        }
    }
}

/// Issues of boards: a device that fails, a text that its fonts cannot draw.
fn raise_of_outputs(issues: &mut Issues, outputs: &BTreeMap<BoardId, OutputStatus>, now: Now) {
    for (board, status) in outputs {
        let trouble = status.trouble(now);
        let kind = IssueKind::OutputFailed;
        issues.update(kind, board.as_str(), trouble.as_deref(), now);
        let text = status.undrawable.as_ref().map(|points| {
            format!("board {board}: its fonts lack {points}, so a sign stands in their place / 表示できない文字があります")
        });
        let kind = IssueKind::TextUndrawable;
        issues.update(kind, board.as_str(), text.as_deref(), now);
    }
}

/// The report before anything was looked at.
pub(crate) fn empty(now: Now, zone: &TimeZone) -> HealthReport {
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
