//! The edge service of one office: feed to state to boards, and reports to the hub.
//!
//! Boards come first: they show what was kept before any network is there, and no trouble with a
//! broker reaches them.

mod alive;
mod camera;
mod digits;
mod duplicate;
mod film;
mod hearing;
mod hours;
mod loudspeaker;
mod notice;
mod pause;
mod pictures;
mod reader;
#[cfg(target_os = "linux")]
mod relay;
mod report;
mod screen;
pub mod site;
mod source_clock;
mod status;
mod status_file;
mod truth;
mod voice;

pub(super) use digits::leave_dashes;
pub use notice::run as notice;
pub(super) use pause::rest;
pub(super) use reader::delivery;
pub use truth::{Outcome, Truth};

use super::setup::Told;
use super::{Probe, glowing};
use crate::board::{Painter, SetupScreen};
use crate::clock::{Clock, Now};
use crate::config::{BoardConfig, NodeConfig, OutputConfig};
use crate::errors;
use crate::feed;
use crate::health::{IssueKind, with_causes};
use crate::mqtt::{self, LocalBroker, SessionOptions, Subscription};
#[cfg(target_os = "linux")]
use crate::output::led::{ReopeningOutput, hub75, max7219};
use crate::output::{Output, PngOutput};
use crate::state::Snapshot;
use crate::store::Store;
use crate::uplink::{self, Identity, Spool, Uplink};
use alive::Alive;
use anyhow::Context;
use digits::Numbers;
use duplicate::DuplicateWatch;
use film::Film;
use hearing::Hearing;
use pictures::{Encoder, Pictures};
use reader::{Reader, Site};
use report::Health;
use screen::Screen;
use status::{Cameras, Outputs, Relays};
use status_file::StatusFile;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

/// The parts are given this long to end; the process promises to stop within 2 s.
const STOP_WITHIN: Duration = Duration::from_millis(1500);

/// Longest pause between two attempts to reach the broker of the feed: it is in the same house, and
/// people wait for its numbers.
const FEED_BACKOFF: Duration = Duration::from_secs(5);

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
    run_on(config, clock, shutdown, probe, None, None).await
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
    run_on(config, clock, shutdown, probe, None, Some(local_broker)).await
}

/// As [`run`]; with what the start of a box made from the image `told`, boards show how the box is
/// doing until there are numbers.
///
/// # Errors
/// As [`run`].
pub async fn run_on_site(
    config: NodeConfig,
    clock: Arc<dyn Clock>,
    shutdown: CancellationToken,
    probe: Probe,
    told: Option<Told>,
) -> anyhow::Result<()> {
    run_on(config, clock, shutdown, probe, told, None).await
}

async fn run_on(
    config: NodeConfig,
    clock: Arc<dyn Clock>,
    shutdown: CancellationToken,
    probe: Probe,
    told: Option<Told>,
    local_broker: Option<&LocalBroker>,
) -> anyhow::Result<()> {
    let started = clock.now();
    tracing::info!(
        office = %config.office, node = %config.node, version = env!("CARGO_PKG_VERSION"),
        queues = config.state.queues.len(), boards = config.boards.len(), "node starting"
    );
    let mut truth = Truth::new(&config);
    let store = open_store(&config, &mut truth, started);
    let first = Arc::new(truth.snapshot(started));
    let (to_snapshots, snapshots) = watch::channel(first);
    let (to_sheet, sheet) = watch::channel(None);
    let (to_pictures, pictures) = watch::channel(uplink::Pictures::new());
    let outputs = Outputs::default();
    let hearing = Hearing::default();
    let to_pictures = Arc::new(to_pictures);
    let videos = film::start(&config.streams, &shutdown);
    let boards = Boards {
        config: &config,
        clock: &clock,
        snapshots: &snapshots,
        pictures: Arc::clone(&to_pictures),
        outputs: &outputs,
        films: videos.films,
        hearing: &hearing,
        sheet,
        probe: &probe,
    };
    let mut screens = config
        .boards
        .iter()
        .map(|board| boards.start(board, &shutdown))
        .collect::<anyhow::Result<Vec<_>>>()?;
    drop(boards);
    let relays = Relays::default();
    #[cfg(target_os = "linux")]
    for relay in &config.relays {
        screens.push(relay::start(relay, &snapshots, &relays, &clock, &shutdown)?);
    }
    #[cfg(not(target_os = "linux"))]
    for relay in &config.relays {
        relays.set(
            &relay.id,
            Some("this system has no GPIO: expected Linux".into()),
        );
    }

    if let Some(voice) = &config.voice {
        let ends = voice::Ends {
            snapshots: snapshots.clone(),
            hearing: hearing.clone(),
            store: store.clone(),
            videos: videos.speakers,
            clock: Arc::clone(&clock),
        };
        screens.push(voice::start(voice, &config, ends, &shutdown)?);
    }
    let cameras = Cameras::default();
    let (to_filmed, filmed) = mpsc::channel(camera::UNDER_WAY);
    let kept = truth.saved_state(0);
    for camera in &config.cameras {
        let ends = camera::Ends {
            zone: config.state.timezone.clone(),
            filmed: to_filmed.clone(),
            images: Arc::clone(&to_pictures),
            cameras: cameras.clone(),
            clock: Arc::clone(&clock),
        };
        screens.push(camera::start(camera, &kept.queues, ends, &shutdown)?);
    }
    drop(to_filmed);
    let mut lines = Lines::open(&config, local_broker, &truth, &shutdown);
    let duplicates = lines.duplicates();
    let fitting = feed::PatternFilter::new(&kept, &config);
    let (spool, keeper) = Spool::open(&config.store_dir.join("spool"), |call| {
        fitting.takes(&call.queue, &call.ticket)
    });
    let zone = config.state.timezone.clone();
    let mut beats = vec![("feed", &lines.feed.stats)];
    beats.extend(lines.uplink.as_ref().map(|up| ("uplink", &up.stats)));
    let alive = Alive::new(outputs.clone(), &beats, started);
    let health = Health {
        outputs,
        relays,
        cameras,
        hearing,
        reports: watch::Sender::new(Arc::new(report::empty(started, &zone))),
        zone: zone.clone(),
        started: started.mono,
        uplink: lines.uplink.as_ref().map(|up| up.connection.clone()),
        spool: spool.clone(),
        store: config.store_dir.clone(),
        uplink_down: None,
        dropped: (0, Duration::ZERO),
        machine: None,
    };
    let instances = lines.uplink.as_mut().map(mqtt::Session::take_inbox);
    let uplink = Uplink {
        identity: lines.identity,
        publisher: lines
            .uplink
            .as_ref()
            .map_or(&lines.feed.publisher, |up| &up.publisher)
            .clone(),
        snapshots,
        pictures,
        health: health.reports.subscribe(),
        spool: spool.clone(),
        clock: Arc::clone(&clock),
    };
    let reader = Reader {
        truth,
        inbox: lines.feed.inbox,
        instances,
        duplicates,
        filmed,
        link: lines.feed.connection,
        snapshots: to_snapshots,
        office: config.office.clone(),
        probe: probe.clone(),
        spool,
        health,
        alive,
        status_file: StatusFile::of_service(),
        store,
        zone,
        clock,
        site: told.map(|told| Site {
            told,
            config: config.clone(),
            sheet: to_sheet,
        }),
    };
    let mut tasks = vec![
        tokio::spawn(reader.run(shutdown.clone())),
        tokio::spawn(uplink.run(shutdown.clone())),
        tokio::spawn(keeper.run(shutdown.clone())),
        lines.feed.task,
    ];
    tasks.extend(lines.uplink.map(|up| up.task));
    tasks.extend(videos.tasks);
    shutdown.cancelled().await;
    stop(tasks, screens).await;
    tracing::info!("node stopped");
    Ok(())
}

/// Opens the store and takes back what it kept. Without a store the node works, and says so.
fn open_store(config: &NodeConfig, truth: &mut Truth, now: Now) -> Option<Store> {
    let store = Store::open(&config.store_dir).and_then(|store| Ok((store.load()?, store)));
    match store {
        Ok((kept, store)) => {
            let kept = feed::PatternFilter::new(&kept, config).of(kept);
            truth.restore(kept, now);
            match store.load_wait_history() {
                Ok(learnt) => truth.resume(learnt),
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
            truth
                .issues()
                .raise(IssueKind::StorageFailed, "", text, now);
            // A damaged file is replaced by the next state; a folder that cannot be made is not.
            Store::open(&config.store_dir).ok()
        }
    }
}

/// What the threads of all boards share.
struct Boards<'a> {
    config: &'a NodeConfig,
    clock: &'a Arc<dyn Clock>,
    snapshots: &'a watch::Receiver<Arc<Snapshot>>,
    pictures: Arc<watch::Sender<uplink::Pictures>>,
    outputs: &'a Outputs,
    films: Vec<Film>,
    hearing: &'a Hearing,
    sheet: watch::Receiver<Option<Arc<SetupScreen>>>,
    probe: &'a Probe,
}

impl Boards<'_> {
    fn start(
        &self,
        board: &BoardConfig,
        shutdown: &CancellationToken,
    ) -> anyhow::Result<JoinHandle<()>> {
        let shutdown = shutdown.clone();
        let thread = std::thread::Builder::new().name(format!("board-{}", board.id));
        let kind = board.output.kind();
        self.outputs.update(&board.id, |status| status.kind = kind);
        if let OutputConfig::Serial(serial) = &board.output {
            let numbers = Numbers::new(serial, board, self)
                .with_context(|| format!("cannot build board {}", board.id))?;
            return thread
                .spawn(move || numbers.run(&shutdown))
                .with_context(|| format!("cannot start board {}", board.id));
        }
        let config = self.config;
        let painter = Painter::new(&config.office_name, &config.state, board)
            .with_context(|| format!("cannot build board {}", board.id))?;
        let (output, file) = sinks(board)?;
        let encoder = Encoder {
            board: board.id.clone(),
            points: glowing(board),
            file,
            images: Arc::clone(&self.pictures),
            outputs: self.outputs.clone(),
            films: film::of(&self.films, &board.id),
        };
        let screen = Screen {
            config: board.clone(),
            office: config.office.clone(),
            painter,
            output,
            pictures: Pictures::start(encoder, board.size)
                .with_context(|| format!("cannot start pictures of board {}", board.id))?,
            snapshots: self.snapshots.clone(),
            outputs: self.outputs.clone(),
            hearing: self.hearing.clone(),
            sheet: self.sheet.clone(),
            clock: Arc::clone(self.clock),
            probe: self.probe.clone(),
        };
        thread
            .spawn(move || screen.run(&shutdown))
            .with_context(|| format!("cannot start board {}", board.id))
    }
}

/// What a board is shown on, and the file its picture goes to.
type Sinks = (Option<Box<dyn Output>>, Option<PngOutput>);

pub(super) fn sinks(board: &BoardConfig) -> anyhow::Result<Sinks> {
    Ok(match &board.output {
        OutputConfig::None => (None, None),
        OutputConfig::Png { path } => (None, Some(PngOutput::new(path.clone()))),
        #[cfg(feature = "window")]
        OutputConfig::Window => (
            Some(Box::new(crate::output::WindowOutput::new(
                board.id.as_str(),
            ))),
            None,
        ),
        #[cfg(not(feature = "window"))]
        OutputConfig::Window => anyhow::bail!(
            "board {}: this program was built without windows; build it with --features window",
            board.id
        ),
        #[cfg(all(feature = "hdmi", target_os = "linux"))]
        OutputConfig::Hdmi(hdmi) => (
            Some(Box::new(crate::output::hdmi::HdmiOutput::new(
                hdmi, board.size,
            ))),
            None,
        ),
        #[cfg(not(all(feature = "hdmi", target_os = "linux")))]
        OutputConfig::Hdmi(_) => anyhow::bail!(
            "board {}: this program was built without HDMI; build it with --features hdmi on Linux",
            board.id
        ),
        // A board of digits has no frames, and a thread of its own.
        OutputConfig::Serial(_) => (None, None),
        #[cfg(target_os = "linux")]
        OutputConfig::Max7219(led) => {
            let led = led.clone();
            let open = move || max7219::open(&led);
            (
                Some(Box::new(ReopeningOutput::new("max7219", board.size, open))),
                None,
            )
        }
        #[cfg(target_os = "linux")]
        OutputConfig::Hub75(led) => {
            let led = led.clone();
            let open = move || hub75::open(&led);
            (
                Some(Box::new(ReopeningOutput::new("hub75", board.size, open))),
                None,
            )
        }
        #[cfg(not(target_os = "linux"))]
        OutputConfig::Max7219(_) | OutputConfig::Hub75(_) => {
            anyhow::bail!("board {}: LED panels need Linux", board.id)
        }
    })
}

/// The lines to the brokers.
struct Lines {
    identity: Identity,
    feed: mqtt::Session,
    /// `None` when reports go to the broker of the feed: then one session does both.
    uplink: Option<mqtt::Session>,
}

impl Lines {
    fn open(
        config: &NodeConfig,
        local_broker: Option<&LocalBroker>,
        truth: &Truth,
        shutdown: &CancellationToken,
    ) -> Self {
        let broker = config.uplink.as_ref().unwrap_or(&config.mqtt);
        let identity = Identity {
            root: broker.root.clone(),
            office: config.office.clone(),
            name: config.office_name.clone(),
            node: config.node.clone(),
            zone: config.state.timezone.clone(),
        };
        let name = format!("yobiban-{}-{}", config.office, config.node);
        let mut feed =
            SessionOptions::new(&config.mqtt, "feed", name.clone()).on_local_broker(local_broker);
        feed.backoff.1 = FEED_BACKOFF;
        for filter in truth.filters() {
            feed = feed.subscribe(Subscription::new(filter));
        }
        let uplink = config.uplink.as_ref().map(|broker| {
            let up = SessionOptions::new(broker, "uplink", format!("{name}-up"));
            let mut up = up.on_local_broker(local_broker);
            up.availability = Some(identity.availability());
            up = up.subscribe(Subscription::optional(identity.instance_topic()));
            mqtt::spawn(up, shutdown.clone())
        });
        if uplink.is_none() {
            feed.availability = Some(identity.availability());
            feed = feed.subscribe(Subscription::optional(identity.instance_topic()));
        }
        Self {
            identity,
            feed: mqtt::spawn(feed, shutdown.clone()),
            uplink,
        }
    }

    /// Watches for a second machine, where this one reports.
    fn duplicates(&self) -> DuplicateWatch {
        let reports = self.uplink.as_ref().unwrap_or(&self.feed);
        let sessions = std::iter::once(&self.feed).chain(&self.uplink);
        DuplicateWatch::new(
            &self.identity,
            reports.publisher.clone(),
            reports.connection.clone(),
            sessions.map(|s| Arc::clone(&s.stats)).collect(),
        )
    }
}

async fn stop(tasks: Vec<tokio::task::JoinHandle<()>>, screens: Vec<JoinHandle<()>>) {
    let screens = tokio::task::spawn_blocking(move || {
        for screen in screens {
            errors::join(screen);
        }
    });
    let all = async {
        for task in tasks {
            if let Err(e) = task.await {
                tracing::error!("a task failed: {e}");
            }
        }
        let _ = screens.await; // its panics were reported above
    };
    if tokio::time::timeout(STOP_WITHIN, all).await.is_err() {
        tracing::warn!("some parts did not stop in time");
    }
}
