//! Messages to snapshots: the task that owns the truth.

use super::truth::Truth;
use crate::clock::Clock;
use crate::health::IssueKind;
use crate::mqtt::{Link, Message};
use crate::state::Snapshot;
use crate::store::Store;
use crate::uplink::{self, Spool};
use jiff::tz::TimeZone;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

/// How often ages and waits are looked at when nothing arrives.
const TICK: Duration = Duration::from_secs(1);
/// Shortest time between two writes of the store: what is lost with the power is younger.
const SAVE_EVERY: Duration = Duration::from_secs(5);
/// Messages that are applied before the boards are told: a burst is drawn once.
const BATCH: usize = 64;

/// What the truth needs of its surroundings.
pub(super) struct Reader {
    pub(super) truth: Truth,
    pub(super) inbox: mpsc::Receiver<Message>,
    pub(super) link: watch::Receiver<Link>,
    pub(super) snapshots: watch::Sender<Arc<Snapshot>>,
    /// Where new calls wait for the hub.
    pub(super) spool: Spool,
    pub(super) health: super::report::Health,
    pub(super) store: Option<Store>,
    pub(super) zone: TimeZone,
    pub(super) clock: Arc<dyn Clock>,
}

impl Reader {
    /// Runs until shutdown; keeps the state once more at the end.
    pub(super) async fn run(mut self, shutdown: CancellationToken) {
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut batch = Vec::with_capacity(BATCH);
        let mut unsaved = false;
        let mut saved = Instant::now();
        self.note_link();
        loop {
            tokio::select! {
                () = shutdown.cancelled() => break,
                count = self.inbox.recv_many(&mut batch, BATCH) => {
                    if count == 0 {
                        break; // the session ended
                    }
                    unsaved |= self.take(&mut batch);
                }
                changed = self.link.changed() => {
                    if changed.is_err() {
                        break;
                    }
                    self.note_link();
                }
                _ = tick.tick() => self.health.update(&mut self.truth, self.clock.now()),
            }
            self.publish();
            if unsaved && saved.elapsed() >= SAVE_EVERY {
                self.save().await;
                unsaved = false;
                saved = Instant::now();
            }
        }
        if unsaved {
            self.save().await;
        }
    }

    /// Applies a batch; says whether something was accepted.
    fn take(&mut self, batch: &mut Vec<Message>) -> bool {
        let mut accepted = false;
        for mut message in batch.drain(..) {
            let outcome = self
                .truth
                .take(&message.topic, &message.payload, self.clock.now());
            accepted |= !outcome.applied.is_empty();
            for call in &outcome.calls {
                self.spool.push(uplink::report::call(call, &self.zone));
            }
            message.ack();
        }
        accepted
    }

    fn note_link(&mut self) {
        let now = self.clock.now();
        let down = match &*self.link.borrow_and_update() {
            Link::Up { .. } => None,
            Link::Down { reason } => Some(Arc::clone(reason)),
        };
        self.truth.line(down.as_deref(), now);
        self.health.update(&mut self.truth, now);
    }

    fn publish(&mut self) {
        let snapshot = self.truth.snapshot(self.clock.now());
        self.snapshots.send_if_modified(|old| {
            let changed = **old != snapshot;
            if changed {
                *old = Arc::new(snapshot);
            }
            changed
        });
    }

    async fn save(&mut self) {
        let Some(store) = self.store.clone() else {
            return;
        };
        let (kept, zone) = (self.truth.keep(), self.zone.clone());
        let saved = tokio::task::spawn_blocking(move || store.save(&kept, &zone)).await;
        let failed = match saved {
            Ok(Ok(())) => None,
            Ok(Err(e)) => Some(super::with_causes(&e)),
            Err(e) => Some(e.to_string()),
        };
        let text = failed.as_deref().unwrap_or_default();
        let now = self.clock.now();
        self.truth
            .issues()
            .set(failed.is_some(), IssueKind::StoreFailed, "", text, now);
    }
}
