//! The hub as a service: the parts joined.

use crate::clock::Clock;
use crate::config::HubConfig;
use crate::hub::{self, Hub, Incoming};
use anyhow::Context as _;
use std::net::SocketAddr;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

/// The line to the broker as the hub sees it.
#[derive(Debug)]
pub struct Line {
    /// Reports, in the order they came.
    pub reports: mpsc::Receiver<Incoming>,
    /// Calls, when they come on a session of their own, so that a database that is away never
    /// holds up the numbers.
    pub calls: Option<mpsc::Receiver<Incoming>>,
    /// Whether the broker is heard.
    pub up: watch::Receiver<bool>,
}

/// Runs a hub on a line until `shutdown`. `ready` hears the bound address once pages are served.
///
/// # Errors
/// When the database of the history or the address of the pages cannot be used.
pub async fn run_on(
    config: HubConfig,
    clock: impl Clock,
    shutdown: CancellationToken,
    line: Line,
    ready: impl FnOnce(SocketAddr),
) -> anyhow::Result<()> {
    let (hub, mut writer) = Hub::open(&config, clock, shutdown.clone())?;
    // A SQLite file that cannot be opened is a mistake in the configuration, to be told at once;
    // a PostgreSQL server may simply start later.
    if config.store_url.reveal().starts_with("sqlite:") {
        writer.prepare().await?;
    }
    let listener = TcpListener::bind(config.listen)
        .await
        .with_context(|| format!("cannot listen on http.listen = {}", config.listen))?;
    let address = listener.local_addr()?;
    tracing::info!(%address, "pages are served");
    ready(address);

    let connections = config.pages.max_connections;
    tokio::join!(
        writer.run(shutdown.clone()),
        hub.run_clock(),
        hub.feed(line.reports),
        async {
            if let Some(calls) = line.calls {
                hub.feed(calls).await;
            }
        },
        follow(&hub, line.up, &shutdown),
        hub::serve(listener, hub::router(hub.clone()), connections, shutdown.clone()),
    );
    Ok(())
}

/// Tells the hub whether the broker is heard.
async fn follow(hub: &Hub, mut up: watch::Receiver<bool>, shutdown: &CancellationToken) {
    loop {
        let now = *up.borrow_and_update();
        hub.set_line(now);
        let changed = tokio::select! {
            () = shutdown.cancelled() => return,
            changed = up.changed() => changed,
        };
        if changed.is_err() {
            return hub.set_line(false);
        }
    }
}
