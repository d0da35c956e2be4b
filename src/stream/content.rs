//! What a video shows, as plain values.

use crate::clock::Now;
use crate::model::{
    Call, CallKind, Label, Name, NowServing, OfficeId, QueueState, Status, WaitRange,
};
use crate::state::{
    HighlightView, HighlightedCall, LoggedCall, Phase, QueueSettings, QueueView, Reading, Snapshot,
};
use crate::wire::MediaType;
use crate::wire::WireTime;
use crate::wire::report::QueueNumbers;
use bytes::Bytes;
use jiff::civil::Date;
use jiff::tz::{Offset, TimeZone};
use std::sync::Arc;
use std::time::Duration;

/// A call younger than this stands out, if the clock can be believed: as long as on a board.
const HIGHLIGHT_FOR: Duration = Duration::from_secs(30);

/// Calls that stand out at the same time.
const MAX_HIGHLIGHTED: usize = 3;

/// Earlier calls that are listed; the layout may show fewer.
const MAX_RECENT: usize = 8;

/// A closed queue without a call is "not open yet" before this hour and "closed" from it on, as on
/// the hub's pages.
const NOON: i8 = 12;

/// All offices at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StreamContent {
    /// Whether the hub is connected to the broker; without it no number is current.
    pub broker_connected: bool,
    /// In the order of the pages.
    pub offices: Vec<StreamOffice>,
}

/// The numbers of one office; `fresh` of a queue is false too when its node is offline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamOffice {
    pub id: OfficeId,
    pub name: Name,
    /// Its queues in the order of the board.
    pub queues: Vec<QueueNumbers>,
    /// Pictures of its boards and cameras, each kind in the order of the pages; none where nobody
    /// wants to see them.
    pub pictures: Vec<StreamPicture>,
}

/// What a picture is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PictureKind {
    /// What a node drew.
    Board,
    /// An old board that was filmed, cut out at the office.
    Camera,
}

/// A picture as a node sent it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamPicture {
    /// What it is of.
    pub kind: PictureKind,
    /// SHA-256 of the file, by which one is known from another.
    pub sha256: Arc<str>,
    /// Media type, found in the bytes.
    pub format: MediaType,
    pub bytes: Bytes,
    /// When it was shown or taken.
    pub at: WireTime,
    /// Whether its node is online.
    pub node_online: bool,
}

impl StreamOffice {
    /// The office's numbers as a board takes them.
    pub(super) fn snapshot(&self, now: Now) -> Snapshot {
        let newest = self
            .queues
            .iter()
            .filter_map(|q| q.as_of)
            .max_by_key(|t| t.at);
        let offset = newest.map_or(Offset::constant(9), |t| t.offset);
        let zone = TimeZone::fixed(offset);
        let today = match newest {
            // A clock that was never set knows no date: the numbers' own day counts.
            Some(as_of) if !now.synced => as_of.zoned().date(),
            _ => now.wall.to_zoned(zone.clone()).date(),
        };
        Snapshot {
            queues: self.queues.iter().map(|q| view(q, today)).collect(),
            log: Vec::new(),
            issues: Vec::new(),
            today,
            zone,
        }
    }

    /// The newest call of each queue: those of just now stand out, the others are listed.
    pub(super) fn panel(&self, now: Now) -> HighlightView {
        let mut calls: Vec<(bool, LoggedCall)> = self
            .queues
            .iter()
            .filter_map(|q| {
                let last = q.last_call.as_ref()?;
                let age = now.wall.duration_since(last.at.at);
                let young = age.as_secs() > -5 && age.as_secs_f64() < HIGHLIGHT_FOR.as_secs_f64();
                let call = LoggedCall {
                    index: last.no,
                    queue: q.id.clone(),
                    day: q.as_of?.zoned().date(),
                    epoch: 0,
                    call: call_of(q)?,
                    announce: false,
                    received_at: Duration::ZERO,
                };
                Some((young && q.fresh && now.synced, call))
            })
            .collect();
        calls.sort_by_key(|(_, c)| std::cmp::Reverse(c.call.at));
        let mut panel = HighlightView::default();
        for (young, call) in calls {
            if young && panel.active.len() < MAX_HIGHLIGHTED {
                let since = Duration::ZERO; // long ago: a video does not blink
                panel.active.push(HighlightedCall { call, since });
            } else if panel.recent.len() < MAX_RECENT {
                panel.recent.push(call);
            }
        }
        panel
    }
}

#[cfg(test)]
impl StreamPicture {
    /// One without content.
    pub(super) fn empty() -> Self {
        let at = "2026-11-24T01:42:07Z".parse().expect("time");
        Self {
            kind: PictureKind::Board,
            sha256: "".into(),
            format: MediaType::Png,
            bytes: Bytes::new(),
            at: WireTime::new(at, &TimeZone::fixed(Offset::constant(9))),
            node_online: true,
        }
    }
}

fn call_of(queue: &QueueNumbers) -> Option<Call> {
    let last = queue.last_call.as_ref()?;
    Some(Call {
        no: last.no,
        ticket: last.ticket.clone(),
        counter: last.counter.clone(),
        at: last.at.at,
        kind: CallKind::Call,
    })
}

fn view(queue: &QueueNumbers, today: Date) -> QueueView {
    let reading = queue.as_of.map(|as_of| Reading {
        state: QueueState {
            seq: 0,
            at: as_of.at,
            day: as_of.zoned().date(),
            epoch: 0,
            status: queue.status,
            waiting: queue.waiting,
            on_hold: queue.on_hold,
            next: queue.next.iter().map(Label::clone).collect(),
            held: Vec::new(),
            calls: call_of(queue).into_iter().collect(),
            now_serving: queue.now_serving.clone().map(NowServing::from),
            wait: None,
        },
        epoch: 0,
        source: queue.source,
        received_at: None,
        age_at_arrival: Duration::ZERO,
        dated: true,
    });
    let phase = match queue.as_of.map(|t| t.zoned()) {
        None => Phase::Unknown,
        Some(at) if at.date() != today && queue.fresh => Phase::NotOpenYet,
        Some(at) if at.date() != today => Phase::Unknown,
        Some(at)
            if queue.status == Status::Closed
                && queue.last_shown().is_none()
                && at.hour() < NOON =>
        {
            Phase::NotOpenYet
        }
        Some(_) => Phase::Today(queue.status),
    };
    QueueView {
        settings: QueueSettings {
            id: queue.id.clone(),
            name: queue.name.clone(),
            lane: queue.lane,
        },
        reading,
        phase,
        fresh: queue.fresh,
        wait: queue.wait.and_then(|w| WaitRange::new(w.low, w.high).ok()),
    }
}
