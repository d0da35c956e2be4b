//! The tasks of a node: receiving, reporting, and the spool of calls.

use super::connections::Connections;
use super::threads::Shared;
use crate::clock::Now;
use crate::config::NodeConfig;
use crate::errors;
use crate::feed;
use crate::mqtt::{self, Stats};
use crate::node::reader::{CameraStates, Reader, SetupDevice};
use crate::node::report::{self, Health};
use crate::node::status_file::StatusFile;
use crate::node::watchdog::Watchdog;
use crate::node::{CardStatus, OfficeState};
use crate::state::SavedState;
use crate::store::Store;
use crate::uplink::{Spool, Uplink};
use std::sync::Arc;
use std::thread;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// The parts are given this long to end; the process promises to stop within 2 s.
const STOP_WITHIN: Duration = Duration::from_millis(1500);

/// What the tasks are made of.
pub(super) struct Inputs {
    pub(super) config: NodeConfig,
    pub(super) shared: Shared,
    pub(super) state: OfficeState,
    /// The state as it was restored.
    pub(super) saved: SavedState,
    /// The moment of the start.
    pub(super) started: Now,
    pub(super) store: Option<Store>,
    pub(super) card: Option<CardStatus>,
    pub(super) camera_states: mpsc::Receiver<CameraStates>,
    pub(super) connections: Connections,
    pub(super) shutdown: CancellationToken,
}

/// Starts all of them.
pub(super) fn start(mut inputs: Inputs) -> Vec<JoinHandle<()>> {
    let config = &inputs.config;
    let patterns = feed::PatternFilter::new(&inputs.saved, config);
    let (spool, writer) = Spool::open(&config.store_dir.join("spool"), |call| {
        patterns.takes(&call.queue, &call.ticket)
    });
    let health = inputs.health(&spool);
    let watchdog = inputs.watchdog();
    let uplink = inputs.uplink(&spool, &health);
    let duplicates = inputs.connections.duplicates();
    let up = inputs.connections.uplink.as_mut();
    let instances = up.map(mqtt::Session::take_inbox);
    let Inputs {
        config,
        shared,
        state,
        store,
        card,
        camera_states,
        connections,
        shutdown,
        ..
    } = inputs;
    let mut tasks = vec![connections.feed.task];
    tasks.extend(connections.uplink.map(|up| up.task));
    let reader = Reader {
        state,
        inbox: connections.feed.inbox,
        instances,
        duplicates,
        camera_states,
        connection: connections.feed.connection,
        snapshots: shared.snapshots,
        office: config.office.clone(),
        probe: shared.probe,
        spool,
        health,
        watchdog,
        status_file: StatusFile::of_service(),
        store,
        zone: config.state.timezone.clone(),
        clock: shared.clock,
        setup: card.map(|card| SetupDevice {
            card,
            config,
            screen: shared.setup_screen,
        }),
    };
    tasks.extend([
        tokio::spawn(reader.run(shutdown.clone())),
        tokio::spawn(uplink.run(shutdown.clone())),
        tokio::spawn(writer.run(shutdown)),
    ]);
    tasks
}

impl Inputs {
    fn health(&self, spool: &Spool) -> Health {
        let (shared, zone) = (&self.shared, &self.config.state.timezone);
        let up = self.connections.uplink.as_ref();
        Health {
            outputs: shared.outputs.clone(),
            relays: shared.relays.clone(),
            cameras: shared.cameras.clone(),
            announcements: shared.announcements.clone(),
            reports: watch::Sender::new(Arc::new(report::empty(self.started, zone))),
            zone: zone.clone(),
            started: self.started.mono,
            uplink: up.map(|up| up.connection.clone()),
            spool: spool.clone(),
            store: self.config.store_dir.clone(),
            uplink_down: None,
            dropped: (0, Duration::ZERO),
            machine: None,
        }
    }

    fn watchdog(&self) -> Watchdog {
        let mut loops: Vec<(&'static str, &Arc<Stats>)> =
            vec![("feed", &self.connections.feed.stats)];
        let up = self.connections.uplink.as_ref();
        loops.extend(up.map(|up| ("uplink", &up.stats)));
        Watchdog::new(self.shared.outputs.clone(), &loops, self.started)
    }

    fn uplink(&self, spool: &Spool, health: &Health) -> Uplink {
        Uplink {
            identity: self.connections.identity.clone(),
            publisher: self.connections.reports().publisher.clone(),
            snapshots: self.shared.snapshots.subscribe(),
            pictures: self.shared.pictures.subscribe(),
            health: health.reports.subscribe(),
            spool: spool.clone(),
            clock: Arc::clone(&self.shared.clock),
        }
    }
}

/// Waits until all tasks and threads have ended, or their time is over.
pub(super) async fn stop(tasks: Vec<JoinHandle<()>>, threads: Vec<thread::JoinHandle<()>>) {
    let threads = tokio::task::spawn_blocking(move || {
        for thread in threads {
            errors::join(thread);
        }
    });
    let all = async {
        for task in tasks {
            if let Err(e) = task.await {
                tracing::error!("a task failed: {e}");
            }
        }
        let _ = threads.await; // its panics were reported above
    };
    if tokio::time::timeout(STOP_WITHIN, all).await.is_err() {
        tracing::warn!("some parts did not stop in time");
    }
}
