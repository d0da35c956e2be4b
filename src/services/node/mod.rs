//! The edge service of one office: feed to state to boards, and reports to the hub.
//!
//! Boards come first: they show what was saved before any network is there, and no trouble with a
//! broker reaches them.

mod connections;
mod tasks;
mod threads;

use crate::clock::{Clock, Now};
use crate::config::NodeConfig;
use crate::feed;
use crate::health::{IssueKind, with_causes};
use crate::mqtt::LocalBroker;
use crate::node::{CardStatus, OfficeState, Probe, board_video};
use crate::store::Store;
use connections::Connections;
use std::sync::Arc;
use threads::{Shared, Threads};
use tokio_util::sync::CancellationToken;

/// Runs a node until shutdown.
///
/// # Errors
/// When a part cannot be built at all: a layout that cannot be read, a thread that cannot be
/// started. Everything that may come back (brokers, files, displays) is waited for instead.
pub async fn run(
    config: NodeConfig,
    clock: Arc<dyn Clock>,
    shutdown: CancellationToken,
    probe: Probe,
) -> anyhow::Result<()> {
    let place = Place::default();
    run_at(place, config, clock, shutdown, probe).await
}

/// As [`run`]; messages go through an in-process broker instead of the brokers.
///
/// # Errors
/// As [`run`].
pub async fn run_within(
    local_broker: &LocalBroker,
    config: NodeConfig,
    clock: Arc<dyn Clock>,
    shutdown: CancellationToken,
    probe: Probe,
) -> anyhow::Result<()> {
    let place = Place {
        local_broker: Some(local_broker),
        ..Place::default()
    };
    run_at(place, config, clock, shutdown, probe).await
}

/// As [`run`], on a device made from the image. With the `card` that its start found, boards show a
/// setup screen until there are numbers.
///
/// # Errors
/// As [`run`].
pub async fn run_on_device(
    config: NodeConfig,
    clock: Arc<dyn Clock>,
    shutdown: CancellationToken,
    probe: Probe,
    card: Option<CardStatus>,
) -> anyhow::Result<()> {
    let place = Place {
        card,
        ..Place::default()
    };
    run_at(place, config, clock, shutdown, probe).await
}

/// Where a node runs, when that is not a plain service with brokers.
#[derive(Default)]
struct Place<'a> {
    /// What the start of a device made from the image found on its card.
    card: Option<CardStatus>,
    /// In place of all brokers.
    local_broker: Option<&'a LocalBroker>,
}

async fn run_at(
    place: Place<'_>,
    config: NodeConfig,
    clock: Arc<dyn Clock>,
    shutdown: CancellationToken,
    probe: Probe,
) -> anyhow::Result<()> {
    let started = clock.now();
    tracing::info!(
        office = %config.office, node = %config.node, version = env!("CARGO_PKG_VERSION"),
        queues = config.state.queues.len(), boards = config.boards.len(), "node starting"
    );
    let mut state = OfficeState::new(&config);
    let store = open_store(&config, &mut state, started);
    let shared = Shared::new(state.snapshot(started), clock, probe);
    let videos = board_video::start(&config.streams, &shutdown);
    let saved = state.saved_state(0);
    let (threads, camera_states) =
        Threads::start(&config, &shared, &saved, &store, &videos, &shutdown)?;
    let connections = Connections::open(&config, place.local_broker, &state, &shutdown);
    // The uplink works as long as pictures may come, and a node without boards has no other sender.
    let _pictures = Arc::clone(&shared.pictures);
    let mut tasks = tasks::start(tasks::Inputs {
        config,
        shared,
        state,
        saved,
        started,
        store,
        card: place.card,
        camera_states,
        connections,
        shutdown: shutdown.clone(),
    });
    tasks.extend(videos.tasks);
    shutdown.cancelled().await;
    tasks::stop(tasks, threads).await;
    tracing::info!("node stopped");
    Ok(())
}

/// Opens the store and restores what it holds. Without a store the node works, and raises an issue.
fn open_store(config: &NodeConfig, state: &mut OfficeState, now: Now) -> Option<Store> {
    let store = Store::open(&config.store_dir).and_then(|store| Ok((store.load()?, store)));
    match store {
        Ok((saved, store)) => {
            let saved = feed::PatternFilter::new(&saved, config).of(saved);
            state.restore(saved, now);
            match store.load_wait_history() {
                Ok(history) => state.restore_wait_history(history),
                // Waits are a little wider until it is learnt anew; boards show what they show.
                Err(e) => tracing::warn!(
                    error = with_causes(&e),
                    "cannot load the wait history; \
                    starting without it"
                ),
            }
            Some(store)
        }
        Err(e) => {
            let text = with_causes(&e);
            state
                .issues()
                .raise(IssueKind::StorageFailed, "", text, now);
            // A damaged file is replaced by the next state; a folder that cannot be made is not.
            Store::open(&config.store_dir).ok()
        }
    }
}
