//! Reports to the hub: numbers, calls, pictures, health.
//!
//! Invariants:
//! - Only fields of the contract leave a node: each is copied by name in [`report`] (invariant 7).
//! - Nobody who draws waits for this: it reads from `watch` channels and from the [`Spool`].
//! - A call leaves the spool when the broker has confirmed it and a hub has subscribed to it, in
//!   order (invariant 6).
//! - The picture of a board is queued for sending before the numbers that name its hash.
//!
//! The availability topic is the session's own: see [`Identity::availability`].

mod journal;
pub mod report;
mod spool;

pub use journal::JournalError;
pub use spool::{Spool, SpoolWriter};

use crate::clock::Clock;
use crate::model::{BoardId, CameraId, Name, NodeId, OfficeId};
use crate::mqtt::{Availability, Publish, PublishError, Publisher};
use crate::state::Snapshot;
use crate::wire::report::{HealthReport, OFFLINE, ONLINE};
use crate::wire::topic::Topic;
use crate::wire::{MediaType, sha256_hex};
use bytes::Bytes;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Shortest time between two reports of numbers: people cannot read faster.
const NUMBERS_EVERY: Duration = Duration::from_millis(200);

/// Longest time between two reports of numbers: two missed mark an office as silent.
const HEARTBEAT: Duration = Duration::from_secs(60);

/// Shortest time between two pictures of a board: one is 90 kB.
const PICTURE_EVERY: Duration = Duration::from_secs(1);

/// Calls under way to the broker at one moment; half of the session's window.
const CALLS_UNDER_WAY: usize = crate::mqtt::WINDOW / 2;

/// Pause before calls that the broker rejected, or that no hub takes, are retried: somebody has
/// to change its access list or to start the hub first.
const RETRY_PAUSE: Duration = Duration::from_secs(5);

/// Who reports.
#[derive(Debug, Clone)]
pub struct Identity {
    /// Root of all topics.
    pub root: String,
    pub office: OfficeId,
    pub name: Name,
    pub node: NodeId,
    pub zone: TimeZone,
}

impl Identity {
    /// Where each run of the program says which one it is, and reads whether another one does.
    #[must_use]
    pub fn instance_topic(&self) -> String {
        Topic::Instance(self.office.clone(), self.node.clone()).name(&self.root)
    }

    /// What the session says by itself when it comes, goes and dies.
    #[must_use]
    pub fn availability(&self) -> Availability {
        Availability {
            topic: Topic::Availability(self.office.clone(), self.node.clone()).name(&self.root),
            online: Bytes::from_static(ONLINE.as_bytes()),
            offline: Bytes::from_static(OFFLINE.as_bytes()),
        }
    }
}

/// What a picture shows.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// A board of this node, as shown on the screen.
    Board(BoardId),
    /// A filmed board, as cut out of a camera's picture.
    Camera(CameraId),
}

impl Origin {
    fn topic(&self, office: OfficeId, node: NodeId) -> Topic {
        match self {
            Self::Board(board) => Topic::Board(office, node, board.clone()),
            Self::Camera(camera) => Topic::Camera(office, node, camera.clone()),
        }
    }
}

/// The encoded picture of a board.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    pub origin: Origin,
    pub bytes: Bytes,
    pub format: MediaType,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// SHA-256 of `bytes`, lower-case hexadecimal.
    pub sha256: String,
    /// When the frame was handed to the output, or taken by the camera.
    pub shown_at: Timestamp,
}

impl Image {
    /// Takes a picture and computes its hash.
    #[must_use]
    pub fn new(
        origin: Origin,
        bytes: impl Into<Bytes>,
        format: MediaType,
        (width, height): (u32, u32),
        shown_at: Timestamp,
    ) -> Self {
        let bytes = bytes.into();
        let sha256 = sha256_hex(&bytes);
        Self {
            origin,
            bytes,
            format,
            width,
            height,
            sha256,
            shown_at,
        }
    }
}

/// The newest picture of each board and each camera.
pub type Pictures = BTreeMap<Origin, Arc<Image>>;

/// Everything the reports are made of.
pub struct Uplink {
    pub identity: Identity,
    /// The way to the hub's broker.
    pub publisher: Publisher,
    pub snapshots: watch::Receiver<Arc<Snapshot>>,
    pub pictures: watch::Receiver<Pictures>,
    pub health: watch::Receiver<Arc<HealthReport>>,
    /// Calls that were not confirmed yet.
    pub spool: Spool,
    /// For the times in the reports.
    pub clock: Arc<dyn Clock>,
}

impl Uplink {
    /// Reports until shutdown.
    pub async fn run(self, shutdown: CancellationToken) {
        let topic = |make: fn(OfficeId, NodeId) -> Topic| {
            make(self.identity.office.clone(), self.identity.node.clone()).name(&self.identity.root)
        };
        let calls = send_calls(
            self.spool.clone(),
            self.publisher.clone(),
            topic(Topic::Calls).into(),
        );
        let health = send_health(
            self.health.clone(),
            self.publisher.clone(),
            topic(Topic::Health),
        );
        let numbers = NumbersReporter {
            topic: topic(Topic::Numbers),
            sent: None,
            sent_at: None,
            seq: 0,
            pictures: Pictures::new(),
            picture_at: BTreeMap::new(),
            uplink: self,
        };
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = async { tokio::join!(calls, health, numbers.run()); } => {}
        }
    }
}

async fn send_health(
    mut health: watch::Receiver<Arc<HealthReport>>,
    publisher: Publisher,
    topic: String,
) {
    loop {
        let report = Arc::clone(&health.borrow_and_update());
        match serde_json::to_vec(&*report) {
            Ok(json) => publisher.publish_latest(&topic, json),
            Err(error) => tracing::warn!("cannot encode the health report: {error}"),
        }
        if health.changed().await.is_err() {
            return;
        }
    }
}

/// Sends the calls of a spool in order, several under way, each until it is confirmed.
async fn send_calls(spool: Spool, publisher: Publisher, topic: Arc<str>) {
    let mut rejection_logged = false;
    loop {
        spool.wait().await;
        let calls = spool.peek(CALLS_UNDER_WAY);
        let mut answers = Vec::with_capacity(calls.len());
        for (index, call) in &calls {
            let json = serde_json::to_vec(call).unwrap_or_default();
            match publisher
                .enqueue(Publish::new(Arc::clone(&topic), json))
                .await
            {
                Ok(answer) => answers.push((*index, answer)),
                Err(_) => return,
            }
        }
        for (index, answer) in answers {
            match answer.has_subscribers().await {
                // What no broker takes will not be taken later either.
                Ok(true) | Err(PublishError::Unacceptable(_)) => spool.confirm(index),
                Err(PublishError::Closed) => return,
                // All from here on are sent again; the hub knows those that did arrive.
                Err(PublishError::Lost | PublishError::Full) => break,
                // Without a hub's subscription the broker would take a call and throw it away.
                Ok(false) => {
                    tokio::time::sleep(RETRY_PAUSE).await;
                    break;
                }
                Err(error @ PublishError::Rejected(_)) => {
                    if !rejection_logged {
                        tracing::warn!("calls cannot be reported: {error}");
                        rejection_logged = true;
                    }
                    tokio::time::sleep(RETRY_PAUSE).await;
                    break;
                }
            }
        }
    }
}

/// Reports the numbers and the pictures they name.
struct NumbersReporter {
    uplink: Uplink,
    topic: String,
    /// The report last sent.
    sent: Option<crate::wire::report::Numbers>,
    sent_at: Option<Instant>,
    seq: u64,
    /// Pictures that were queued for sending.
    pictures: Pictures,
    picture_at: BTreeMap<Origin, Instant>,
}

impl NumbersReporter {
    async fn run(mut self) {
        loop {
            self.send_pictures();
            self.send_numbers();
            let wake = self.next_wake();
            tokio::select! {
                changed = self.uplink.snapshots.changed() => if changed.is_err() { return },
                changed = self.uplink.pictures.changed() => if changed.is_err() { return },
                () = tokio::time::sleep_until(wake) => {}
            }
        }
    }

    /// When something may be due without anything changing.
    fn next_wake(&self) -> Instant {
        let now = Instant::now();
        let newest = self.uplink.pictures.borrow();
        let held_back = newest
            .iter()
            .filter(|(origin, image)| self.pictures.get(*origin).is_none_or(|p| p != *image))
            .filter_map(|(origin, _)| self.picture_at.get(origin))
            .map(|at| *at + PICTURE_EVERY);
        // A report that came too early for the pace is looked at again when it may go.
        let paced = self
            .sent_at
            .map(|at| at + NUMBERS_EVERY)
            .filter(|at| *at > now);
        let heartbeat = self.sent_at.map(|at| at + HEARTBEAT);
        held_back
            .chain(paced)
            .chain(heartbeat)
            .min()
            .unwrap_or(now + HEARTBEAT)
            .max(now + Duration::from_millis(1))
    }

    fn send_pictures(&mut self) {
        let newest = self.uplink.pictures.borrow_and_update().clone();
        let now = Instant::now();
        for (origin, image) in newest {
            let same = self
                .pictures
                .get(&origin)
                .is_some_and(|p| p.sha256 == image.sha256);
            let early = self
                .picture_at
                .get(&origin)
                .is_some_and(|at| now < *at + PICTURE_EVERY);
            if !same {
                if early {
                    continue;
                }
                let identity = &self.uplink.identity;
                let (office, node) = (identity.office.clone(), identity.node.clone());
                let topic = origin.topic(office, node).name(&identity.root);
                self.uplink
                    .publisher
                    .publish_latest(&topic, image.bytes.clone());
                self.picture_at.insert(origin.clone(), now);
            }
            self.pictures.insert(origin, image);
        }
    }

    fn send_numbers(&mut self) {
        let snapshot = Arc::clone(&self.uplink.snapshots.borrow_and_update());
        let now = self.uplink.clock.now();
        let early = self.sent_at.is_some_and(|at| at.elapsed() < NUMBERS_EVERY);
        if early {
            return;
        }
        let mut report = report::numbers(&snapshot, &self.uplink.identity, 0, &self.pictures, now);
        let silent = self.sent_at.is_none_or(|at| at.elapsed() >= HEARTBEAT);
        if !silent && self.sent.as_ref().is_some_and(|sent| same(sent, &report)) {
            return;
        }
        // Grows through restarts as long as the wall clock does.
        let wall = u64::try_from(now.wall.as_millisecond()).unwrap_or(0);
        self.seq = wall.max(self.seq + 1);
        report.seq = self.seq;
        self.uplink
            .publisher
            .publish_latest(&self.topic, report::encode(&mut report));
        self.sent = Some(report);
        self.sent_at = Some(Instant::now());
    }
}

/// Whether two reports say the same at different times.
fn same(a: &crate::wire::report::Numbers, b: &crate::wire::report::Numbers) -> bool {
    a.day == b.day
        && a.office == b.office
        && a.queues == b.queues
        && a.boards == b.boards
        && a.cameras == b.cameras
}
