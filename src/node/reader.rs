//! Messages to snapshots: the task that owns the truth.

use super::card::CardStatus;
use super::duplicate::{self, DuplicateWatch};
use super::office_state::{OfficeState, Outcome};
use super::probe::{MessageApplied, Probe, notify};
use super::setup_status;
use super::status_file::{StatusFile, Vitals};
use super::watchdog::Watchdog;
use crate::board::SetupScreen;
use crate::clock::Clock;
use crate::config::NodeConfig;
use crate::health::{IssueKind, with_causes};
use crate::model::{OfficeId, QueueId, QueueState};
use crate::mqtt::{ConnectionState, Message};
use crate::state::{Delivery, Phase, QueueView, Snapshot};
use crate::store::Store;
use crate::uplink::{self, Spool};
use crate::wire::WireTime;
use jiff::tz::TimeZone;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinError, JoinHandle};
use tokio::time::{Instant, MissedTickBehavior, timeout};
use tokio_util::sync::CancellationToken;

/// How often ages and waits are looked at when nothing arrives.
const TICK: Duration = Duration::from_secs(1);
/// Shortest time between two writes of the store: what is lost with the power is younger.
const SAVE_EVERY: Duration = Duration::from_secs(5);
/// Shortest time between two writes of what the waits taught: it is worth a day, not a minute, and
/// the medium of a node wears out.
const LEARN_EVERY: Duration = Duration::from_secs(1800);
/// Calls that are not on the medium by then keep the state from being written: it would say that
/// they were handled. Shorter than a node may take to stop.
const SETTLE_WITHIN: Duration = Duration::from_secs(1);
/// Most messages that are applied before a snapshot is published: a burst is drawn once.
const BATCH: usize = 64;

/// The states that one picture of a camera showed.
pub(crate) type CameraStates = Vec<(QueueId, QueueState)>;

/// What the truth needs of its surroundings.
pub(crate) struct Reader {
    pub(crate) state: OfficeState,
    pub(crate) inbox: mpsc::Receiver<Message>,
    /// Which run of the program reports as this node; `None` where that comes with the feed.
    pub(crate) instances: Option<mpsc::Receiver<Message>>,
    pub(crate) duplicates: DuplicateWatch,
    /// What the cameras read; closed where there is none.
    pub(crate) camera_states: mpsc::Receiver<CameraStates>,
    pub(crate) connection: watch::Receiver<ConnectionState>,
    pub(crate) snapshots: watch::Sender<Arc<Snapshot>>,
    pub(crate) office: OfficeId,
    pub(crate) probe: Probe,
    /// Where new calls wait for the hub.
    pub(crate) spool: Spool,
    pub(crate) health: super::report::Health,
    pub(crate) watchdog: Watchdog,
    /// For scripts on the same machine, where it runs as a service.
    pub(crate) status_file: Option<StatusFile>,
    pub(crate) store: Option<Store>,
    pub(crate) zone: TimeZone,
    pub(crate) clock: Arc<dyn Clock>,
    /// For a box made from the image.
    pub(crate) setup: Option<SetupDevice>,
}

/// What a box says of itself until there are numbers.
pub(crate) struct SetupDevice {
    pub(crate) card: CardStatus,
    pub(crate) config: NodeConfig,
    pub(crate) screen: watch::Sender<Option<Arc<SetupScreen>>>,
}

/// The state on its way to the medium; ends with what went wrong.
type Saving = JoinHandle<Option<String>>;

/// Waits for the state to be kept; for ever when it is not being kept.
async fn finished(saving: &mut Option<Saving>) -> Result<Option<String>, JoinError> {
    match saving {
        Some(saving) => saving.await,
        None => std::future::pending().await,
    }
}

/// The next message of an inbox; never comes where there is none, or when it is closed.
async fn next(inbox: &mut Option<mpsc::Receiver<Message>>) -> Message {
    let message = match inbox {
        Some(open) => open.recv().await,
        None => None,
    };
    match message {
        Some(message) => message,
        None => std::future::pending().await,
    }
}

/// How the broker handed a message on.
pub(crate) fn delivery(message: &Message) -> Delivery {
    if message.retain {
        Delivery::Retained
    } else {
        Delivery::Live
    }
}

impl Reader {
    /// Runs until shutdown; keeps the state once more at the end.
    pub(crate) async fn run(mut self, shutdown: CancellationToken) {
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut batch = Vec::with_capacity(BATCH);
        let mut unsaved = false;
        let mut last_saved = Instant::now();
        let mut saving: Option<Saving> = None;
        let mut history_saved = Instant::now();
        self.note_connection();
        self.show_setup();
        loop {
            tokio::select! {
                () = shutdown.cancelled() => break,
                count = self.inbox.recv_many(&mut batch, BATCH) => {
                    if count == 0 {
                        break; // the session ended
                    }
                    unsaved |= self.apply_batch(&mut batch);
                }
                message = next(&mut self.instances) => {
                    self.duplicates.take(&message, self.clock.now());
                    self.note_identity();
                }
                Some(states) = self.camera_states.recv() => {
                    let outcome = self.state.apply_camera_states(states, self.clock.now());
                    unsaved |= self.spool_calls(outcome);
                }
                changed = self.connection.changed() => {
                    if changed.is_err() {
                        break;
                    }
                    self.note_connection();
                }
                result = finished(&mut saving) => {
                    saving = None;
                    self.note_saved(result);
                }
                _ = tick.tick() => self.tick(),
            }
            self.publish();
            if unsaved && saving.is_none() && last_saved.elapsed() >= SAVE_EVERY {
                let too = history_saved.elapsed() >= LEARN_EVERY;
                if too {
                    history_saved = Instant::now();
                }
                saving = Some(self.save(too));
                unsaved = false;
                last_saved = Instant::now();
            }
        }
        self.watchdog.stopping();
        if let Some(file) = &self.status_file {
            file.remove();
        }
        if saving.is_some() {
            let result = finished(&mut saving).await;
            self.note_saved(result);
        }
        let result = self.save(true).await;
        self.note_saved(result);
    }

    /// Applies a batch; says whether something was accepted.
    fn apply_batch(&mut self, batch: &mut Vec<Message>) -> bool {
        let mut accepted = false;
        for mut message in batch.drain(..) {
            if self.duplicates.take(&message, self.clock.now()) {
                message.ack();
                continue;
            }
            let delivery = delivery(&message);
            let outcome = self.state.apply_message(
                &message.topic,
                &message.payload,
                delivery,
                self.clock.now(),
            );
            accepted |= self.spool_calls(outcome);
            message.ack();
        }
        accepted
    }

    /// Spools new calls; says whether something was accepted.
    fn spool_calls(&mut self, outcome: Outcome) -> bool {
        let accepted = !outcome.applied.is_empty();
        for (queue, seq) in outcome.applied {
            let office = self.office.clone();
            notify(self.probe.messages.as_ref(), || MessageApplied {
                office,
                queue,
                seq,
            });
        }
        for call in &outcome.calls {
            self.spool.push(uplink::report::call(call, &self.zone));
        }
        accepted
    }

    /// Looks at everything once a second.
    fn tick(&mut self) {
        let now = self.clock.now();
        self.note_identity();
        self.health.update(&mut self.state, now);
        let issues = self.state.issues().iter().count();
        let vitals = self.vitals();
        if let Some(file) = &mut self.status_file {
            file.tick(vitals, self.state.last_readable(), now);
        }
        let Vitals {
            connected,
            queues,
            queues_live,
            ..
        } = vitals;
        let line = if connected { "up" } else { "down" };
        // For people: what scripts need is in the file.
        let status = format!("feed {line}, {queues_live} of {queues} queues live, {issues} issues");
        self.watchdog.tick(status, now);
        self.show_setup();
    }

    fn vitals(&self) -> Vitals {
        let snapshot = self.snapshots.borrow();
        let live = |q: &&QueueView| q.reading.as_ref().is_some_and(|r| r.received_at.is_some());
        Vitals {
            connected: self.connection.borrow().is_connected(),
            queues: snapshot.queues.len(),
            queues_live: snapshot.queues.iter().filter(live).count(),
            queues_readable: self.state.readable(),
        }
    }

    /// Renews what the box says of itself, as long as no queue was ever heard of.
    fn show_setup(&self) {
        let Some(setup) = &self.setup else { return };
        let unknown = |q: &QueueView| q.phase == Phase::Unknown;
        let screen = self.snapshots.borrow().queues.iter().all(unknown).then(|| {
            let now = self.clock.now();
            let shared = self.duplicates.wrong(now).map(Arc::from);
            let down = shared.or_else(|| self.connection.borrow().disconnect_reason());
            Arc::new(setup_status::screen(&setup_status::SetupStatus {
                config: &setup.config,
                card: &setup.card,
                disconnected: down.as_deref(),
                now,
                zone: &self.zone,
                addresses: &setup_status::own_addresses(),
                root: Path::new("/"),
            }))
        });
        setup.screen.send_if_modified(|old| {
            let changed = *old != screen;
            *old = screen;
            changed
        });
    }

    /// Looks whether a second machine has our identity.
    fn note_identity(&mut self) {
        let now = self.clock.now();
        self.duplicates.look(now);
        self.state
            .set_identity_shared(self.duplicates.wrong(now), now);
        let at = WireTime::new(now.wall, &self.zone);
        if let Some(noted) = self.duplicates.news(at, now) {
            duplicate::note(self.store.as_ref(), noted);
        }
    }

    fn note_connection(&mut self) {
        let now = self.clock.now();
        let down = self.connection.borrow_and_update().disconnect_reason();
        self.state.set_disconnected(down.as_deref(), now);
        self.note_identity();
        self.health.update(&mut self.state, now);
    }

    fn publish(&mut self) {
        let snapshot = self.state.snapshot(self.clock.now());
        self.snapshots.send_if_modified(|old| {
            let changed = **old != snapshot;
            if changed {
                *old = Arc::new(snapshot);
            }
            changed
        });
        if self
            .setup
            .as_ref()
            .is_some_and(|s| s.screen.borrow().is_some())
        {
            self.show_setup();
        }
    }

    /// Keeps the state of now, and what the waits taught if that is wanted too, in a task: the feed
    /// does not wait for the medium.
    fn save(&self, with_wait_history: bool) -> Saving {
        let history = with_wait_history.then(|| self.state.wait_history());
        let store = self.store.clone();
        let shown = self.health.outputs.shown_calls();
        let (saved_state, zone) = (self.state.saved_state(shown), self.zone.clone());
        let spool = self.spool.clone();
        tokio::spawn(async move {
            // A call that the state counts as handled must not be lost with the spool.
            if timeout(SETTLE_WITHIN, spool.flushed()).await.is_err() {
                return Some("storing calls takes too long".into());
            }
            let note_saved = tokio::task::spawn_blocking(move || match store {
                Some(store) => {
                    store.save(&saved_state, &zone)?;
                    history.map_or(Ok(()), |history| store.save_wait_history(&history))
                }
                None => Ok(()),
            });
            match note_saved.await {
                Ok(Ok(())) => None,
                Ok(Err(e)) => Some(with_causes(&e)),
                Err(e) => Some(e.to_string()),
            }
        })
    }

    /// Notes how keeping the state went.
    fn note_saved(&mut self, result: Result<Option<String>, JoinError>) {
        if self.store.is_none() {
            return; // said at the start
        }
        let failed = result.unwrap_or_else(|e| Some(e.to_string()));
        let now = self.clock.now();
        self.state
            .issues()
            .update(IssueKind::StorageFailed, "", failed.as_deref(), now);
    }
}
