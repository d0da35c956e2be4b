//! The hub as a service: the parts joined.

mod video_announcer;

pub use video_announcer::speaker;

use crate::clock::Clock;
use crate::config::{HubConfig, MqttConfig, StreamAudio, StreamConfig, StreamShow};
use crate::hub::{self, Ack, Bounds, Hub, Incoming, OfficeSummary};
use crate::mqtt::{self, ConnectionState, LocalBroker, Message, SessionOptions, Subscription};
use crate::stream::{self, PictureKind, StreamContent, StreamOffice, StreamPicture};
use crate::wire::topic::{calls_filter, instances_filter, report_filters};
use anyhow::Context as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use video_announcer::VideoAnnouncer;

/// How long the broker keeps calls for a hub that is away: longer than a long weekend.
const CALLS_SESSION_EXPIRY: Duration = Duration::from_secs(7 * 24 * 3600);

/// Reports that may wait between the line and the registry.
const QUEUE: usize = 64;

/// Runs a hub until shutdown. `ready` hears the bound address once pages are served.
///
/// # Errors
/// When the database of the history or the address of the pages cannot be used.
pub async fn run(
    config: HubConfig,
    clock: Arc<dyn Clock>,
    shutdown: CancellationToken,
    ready: impl FnOnce(SocketAddr),
) -> anyhow::Result<()> {
    let connection = connect(&config.mqtt, None, config.listen.port(), &shutdown);
    run_connected(config, clock, shutdown, connection, ready).await
}

/// As [`run`]; messages come through an in-process broker instead of the broker.
///
/// # Errors
/// As [`run`].
pub async fn run_within(
    local_broker: &LocalBroker,
    config: HubConfig,
    clock: Arc<dyn Clock>,
    shutdown: CancellationToken,
    ready: impl FnOnce(SocketAddr),
) -> anyhow::Result<()> {
    let port = config.listen.port();
    let connection = connect(&config.mqtt, Some(local_broker), port, &shutdown);
    run_connected(config, clock, shutdown, connection, ready).await
}

async fn run_connected(
    config: HubConfig,
    clock: Arc<dyn Clock>,
    shutdown: CancellationToken,
    (connection, tasks): (BrokerConnection, Vec<tokio::task::JoinHandle<()>>),
    ready: impl FnOnce(SocketAddr),
) -> anyhow::Result<()> {
    tracing::info!(version = env!("CARGO_PKG_VERSION"), "hub starting");
    let result = run_on(config, clock, shutdown.clone(), connection, ready).await;
    shutdown.cancel();
    for task in tasks {
        let _ = task.await; // a session never panics by contract, and the hub is over anyway
    }
    tracing::info!("hub stopped");
    result
}

/// Opens two sessions: one for what is now, which anybody may miss, and one for calls, which the
/// broker keeps for us while we are away and which are acknowledged when the history holds them.
fn connect(
    broker: &MqttConfig,
    local_broker: Option<&LocalBroker>,
    port: u16,
    shutdown: &CancellationToken,
) -> (BrokerConnection, Vec<tokio::task::JoinHandle<()>>) {
    let id = broker
        .client_id
        .clone()
        .unwrap_or_else(|| default_client_id(port));
    let mut reports =
        SessionOptions::new(broker, "reports", id.clone()).on_local_broker(local_broker);
    for filter in report_filters(&broker.root) {
        reports = reports.subscribe(Subscription::new(filter));
    }
    reports = reports.subscribe(Subscription::optional(instances_filter(&broker.root)));
    let mut calls = SessionOptions::new(broker, "calls", id.clone())
        .on_local_broker(local_broker)
        .subscribe(Subscription::with_manual_ack(calls_filter(&broker.root)));
    calls.client_id = format!("{id}-calls");
    calls.session_expiry = Some(CALLS_SESSION_EXPIRY);

    let reports = mqtt::spawn(reports, shutdown.clone());
    let calls = mqtt::spawn(calls, shutdown.clone());
    let (to_connected, connected) = watch::channel(false);
    let mut link = reports.connection;
    let follow = tokio::spawn(async move {
        loop {
            to_connected.send_replace(matches!(
                &*link.borrow_and_update(),
                ConnectionState::Connected { .. }
            ));
            if link.changed().await.is_err() {
                break;
            }
        }
    });
    let (to_reports, reports_out) = mpsc::channel(QUEUE);
    let (to_calls, calls_out) = mpsc::channel(QUEUE);
    let tasks = vec![
        tokio::spawn(forward(reports.inbox, to_reports)),
        tokio::spawn(forward(calls.inbox, to_calls)),
        follow,
        reports.task,
        calls.task,
    ];
    let connection = BrokerConnection {
        reports: reports_out,
        calls: Some(calls_out),
        connected,
    };
    (connection, tasks)
}

/// A client identifier that stays the same through restarts and differs between hubs.
fn default_client_id(port: u16) -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    format!("yobiban-hub-{}-{port}", host.trim())
}

/// Hands messages on, each with its acknowledgement.
async fn forward(mut from: mpsc::Receiver<Message>, to: mpsc::Sender<Incoming>) {
    while let Some(mut message) = from.recv().await {
        let incoming = Incoming {
            topic: std::mem::take(&mut message.topic),
            payload: message.payload.clone(),
            retain: message.retain,
            ack: Some(Ack::new(move || message.ack())),
        };
        if to.send(incoming).await.is_err() {
            return;
        }
    }
}

/// The line to the broker as the hub sees it.
#[derive(Debug)]
pub struct BrokerConnection {
    /// Reports, in the order they came.
    pub reports: mpsc::Receiver<Incoming>,
    /// Calls, when they come on a session of their own, so that a database that is away never
    /// holds up the numbers.
    pub calls: Option<mpsc::Receiver<Incoming>>,
    /// Whether the broker is heard.
    pub connected: watch::Receiver<bool>,
}

/// Runs a hub on a line until `shutdown`. `ready` hears the bound address once pages are served.
///
/// # Errors
/// When the database of the history or the address of the pages cannot be used.
pub async fn run_on(
    config: HubConfig,
    clock: impl Clock,
    shutdown: CancellationToken,
    connection: BrokerConnection,
    ready: impl FnOnce(SocketAddr),
) -> anyhow::Result<()> {
    let clock: Arc<dyn Clock> = Arc::new(clock);
    let (hub, mut writer) = Hub::open(&config, Arc::clone(&clock), shutdown.clone())?;
    let announcer = config.voice.clone().map(VideoAnnouncer::new);
    if let Some(announcer) = &announcer {
        hub.speak_with(announcer.speaker());
    }
    // A SQLite file that cannot be opened is a mistake in the configuration, to be told at once;
    // one that is locked or full may be free later, and a PostgreSQL server may start later.
    if config.store_url.reveal().starts_with("sqlite:")
        && let Err(error) = writer.prepare().await
        && !error.may_pass()
    {
        return Err(error.into());
    }
    let listener = hub::listen(config.listen)
        .with_context(|| format!("cannot listen on http.listen = {}", config.listen))?;
    let address = listener.local_addr()?;
    let connections = max_connections(config.pages.max_connections);
    tracing::info!(%address, connections, "pages are served");
    ready(address);

    let bounds = Bounds::new(connections);
    tokio::join!(
        writer.run(shutdown.clone()),
        hub.run_clock(),
        hub.run_figures(),
        hub.feed(connection.reports),
        async {
            if let Some(calls) = connection.calls {
                hub.feed(calls).await;
            }
        },
        follow(&hub, connection.connected, &shutdown),
        videos(&hub, &config.streams, announcer.as_ref(), &clock, &shutdown),
        hub::serve(listener, Arc::clone(&hub), bounds, shutdown.clone()),
    );
    Ok(())
}

/// Sends the configured videos until shutdown.
async fn videos(
    hub: &Hub,
    streams: &[StreamConfig],
    announcer: Option<&VideoAnnouncer>,
    clock: &Arc<dyn Clock>,
    shutdown: &CancellationToken,
) {
    if streams.is_empty() {
        return;
    }
    let (to_streams, news) = watch::channel(Arc::new(StreamContent::default()));
    let each = streams.iter().map(|config| async {
        let (speaker, sound) = stream::sound();
        let office = match config.offices.as_deref() {
            Some([one]) if config.video.audio == StreamAudio::Calls => Some(one),
            _ => None,
        };
        let announced = announcer.zip(office);
        let run = stream::run(
            config.clone(),
            news.clone(),
            announced.is_some().then_some(sound),
            Arc::clone(clock),
            shutdown.clone(),
        );
        let speak = async {
            if let Some((announcer, office)) = announced {
                announcer
                    .announce(hub, office, &speaker, clock, shutdown)
                    .await;
            }
        };
        if let (Err(error), ()) = tokio::join!(run, speak) {
            tracing::error!(id = %config.video.id, %error, "stream disabled");
        }
    });
    let of_pictures = |s: &StreamConfig| s.show.iter().any(|s| *s != StreamShow::Numbers);
    let pictures = streams.iter().any(of_pictures);
    tokio::join!(
        hub.watch_summary(pictures, |connection, offices| {
            let offices = offices.into_iter().map(streamed).collect();
            to_streams.send_replace(Arc::new(StreamContent {
                broker_connected: connection,
                offices,
            }));
        }),
        futures_util::future::join_all(each)
    );
}

/// What a video takes of an office.
fn streamed(office: OfficeSummary) -> StreamOffice {
    let pictures = office.pictures.into_iter().map(|p| StreamPicture {
        kind: if p.camera {
            PictureKind::Camera
        } else {
            PictureKind::Board
        },
        sha256: p.image.sha256,
        format: p.image.format,
        bytes: p.image.bytes,
        at: p.at,
        node_online: p.online,
    });
    StreamOffice {
        id: office.view.id,
        name: office.view.name,
        queues: office.view.queues,
        pictures: pictures.collect(),
    }
}

/// How many connections there may be at a time: those that are configured, as far as the system
/// gives open files. Some are kept back, so that a full house never keeps the hub from its database
/// and its broker.
fn max_connections(configured: usize) -> usize {
    /// Standard streams, both sessions, five connections to the database with three files each,
    /// certificates, the runtime's own.
    const OWN: u64 = 64;
    let wanted = u64::try_from(configured)
        .unwrap_or(u64::MAX)
        .saturating_add(OWN);
    let files = crate::files::raise_open_limit(wanted);
    let max_connections = usize::try_from(files.saturating_sub(OWN)).unwrap_or(usize::MAX);
    configured.min(max_connections.max(1))
}

/// Tells the hub whether the broker is heard.
async fn follow(hub: &Hub, mut connected: watch::Receiver<bool>, shutdown: &CancellationToken) {
    loop {
        let now = *connected.borrow_and_update();
        hub.set_connected(now);
        let changed = tokio::select! {
            () = shutdown.cancelled() => return,
            changed = connected.changed() => changed,
        };
        if changed.is_err() {
            return hub.set_connected(false);
        }
    }
}
