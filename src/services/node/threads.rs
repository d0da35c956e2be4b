//! The threads of a node: one for each board, relay and camera, and the voice's.

use crate::board::{Painter, SetupScreen};
use crate::clock::Clock;
use crate::config::{BoardConfig, CameraConfig, NodeConfig, OutputConfig, SerialConfig};
use crate::node::announcement_status::AnnouncementStatus;
use crate::node::board_video::{self, BoardVideos};
use crate::node::digit_board::DigitBoard;
use crate::node::pictures::{Encoder, Pictures};
#[cfg(target_os = "linux")]
use crate::node::relay;
use crate::node::screen::Screen;
use crate::node::status::{Cameras, Outputs, Relays};
use crate::node::{Probe, camera, outputs, reader, voice};
use crate::output::led::preview::Points;
use crate::state::{SavedState, Snapshot};
use crate::store::Store;
use crate::uplink;
use anyhow::Context as _;
use std::sync::Arc;
use std::thread::JoinHandle;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

/// What the parts of a node share: the channels between them, and what each says of itself.
pub(super) struct Shared {
    pub(super) snapshots: watch::Sender<Arc<Snapshot>>,
    /// What a device shows in place of numbers while there are none.
    pub(super) setup_screen: watch::Sender<Option<Arc<SetupScreen>>>,
    pub(super) pictures: Arc<watch::Sender<uplink::Pictures>>,
    pub(super) outputs: Outputs,
    pub(super) relays: Relays,
    pub(super) cameras: Cameras,
    pub(super) announcements: AnnouncementStatus,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) probe: Probe,
}

impl Shared {
    pub(super) fn new(first: Snapshot, clock: Arc<dyn Clock>, probe: Probe) -> Self {
        Self {
            snapshots: watch::Sender::new(Arc::new(first)),
            setup_screen: watch::Sender::new(None),
            pictures: Arc::new(watch::Sender::new(uplink::Pictures::new())),
            outputs: Outputs::default(),
            relays: Relays::default(),
            cameras: Cameras::default(),
            announcements: AnnouncementStatus::default(),
            clock,
            probe,
        }
    }
}

/// Starts threads.
pub(super) struct Threads<'a> {
    config: &'a NodeConfig,
    shared: &'a Shared,
    videos: &'a BoardVideos,
    shutdown: &'a CancellationToken,
}

impl Threads<'_> {
    /// Starts all of them. Returns them, and what the cameras read.
    pub(super) fn start(
        config: &NodeConfig,
        shared: &Shared,
        saved: &SavedState,
        store: &Option<Store>,
        videos: &BoardVideos,
        shutdown: &CancellationToken,
    ) -> anyhow::Result<(Vec<JoinHandle<()>>, mpsc::Receiver<reader::CameraStates>)> {
        let starter = Threads {
            config,
            shared,
            videos,
            shutdown,
        };
        let boards = config.boards.iter().map(|board| starter.board(board));
        let mut threads = boards.collect::<anyhow::Result<Vec<_>>>()?;
        threads.extend(starter.relays()?);
        if let Some(voice) = &config.voice {
            let channels = voice::Channels {
                snapshots: shared.snapshots.subscribe(),
                announcements: shared.announcements.clone(),
                store: store.clone(),
                videos: videos.speakers.clone(),
                clock: Arc::clone(&shared.clock),
            };
            threads.push(voice::start(voice, config, channels, shutdown)?);
        }
        let (to_states, camera_states) = mpsc::channel(camera::UNDER_WAY);
        for camera in &config.cameras {
            threads.push(starter.camera(camera, saved, &to_states)?);
        }
        Ok((threads, camera_states))
    }

    fn board(&self, board: &BoardConfig) -> anyhow::Result<JoinHandle<()>> {
        let kind = board.output.kind();
        let outputs = &self.shared.outputs;
        outputs.update(&board.id, |status| status.kind = kind);
        let shutdown = self.shutdown.clone();
        let thread = std::thread::Builder::new().name(format!("board-{}", board.id));
        let started = if let OutputConfig::Serial(serial) = &board.output {
            let digits = self.digit_board(board, serial)?;
            thread.spawn(move || digits.run(&shutdown))
        } else {
            let screen = self.screen(board)?;
            thread.spawn(move || screen.run(&shutdown))
        };
        started.with_context(|| format!("cannot start board {}", board.id))
    }

    fn digit_board(
        &self,
        board: &BoardConfig,
        serial: &SerialConfig,
    ) -> anyhow::Result<DigitBoard> {
        let shared = self.shared;
        DigitBoard::new(
            serial,
            board,
            shared.snapshots.subscribe(),
            shared.outputs.clone(),
            shared.announcements.clone(),
            Arc::clone(&shared.clock),
        )
        .with_context(|| format!("cannot build board {}", board.id))
    }

    fn screen(&self, board: &BoardConfig) -> anyhow::Result<Screen> {
        let (config, shared) = (self.config, self.shared);
        let painter = Painter::new(&config.office_name, &config.state, board)
            .with_context(|| format!("cannot build board {}", board.id))?;
        let (output, file) = outputs::open(board)?;
        let encoder = Encoder {
            board: board.id.clone(),
            points: Points::of_board(board),
            file,
            images: Arc::clone(&shared.pictures),
            outputs: shared.outputs.clone(),
            videos: board_video::of(&self.videos.boards, &board.id),
        };
        Ok(Screen {
            config: board.clone(),
            office: config.office.clone(),
            painter,
            output,
            pictures: Pictures::start(encoder, board.size)
                .with_context(|| format!("cannot start pictures of board {}", board.id))?,
            snapshots: shared.snapshots.subscribe(),
            outputs: shared.outputs.clone(),
            announcements: shared.announcements.clone(),
            setup_screen: shared.setup_screen.subscribe(),
            clock: Arc::clone(&shared.clock),
            probe: shared.probe.clone(),
        })
    }

    #[cfg(target_os = "linux")]
    fn relays(&self) -> anyhow::Result<Vec<JoinHandle<()>>> {
        let shared = self.shared;
        let snapshots = shared.snapshots.subscribe();
        let relays = self.config.relays.iter();
        relays
            .map(|relay| {
                let (statuses, clock) = (&shared.relays, &shared.clock);
                relay::start(relay, &snapshots, statuses, clock, self.shutdown)
            })
            .collect()
    }

    #[cfg(not(target_os = "linux"))]
    fn relays(&self) -> anyhow::Result<Vec<JoinHandle<()>>> {
        for relay in &self.config.relays {
            let why = "this system has no GPIO: expected Linux";
            self.shared.relays.set(&relay.id, Some(why.into()));
        }
        Ok(Vec::new())
    }

    fn camera(
        &self,
        camera: &CameraConfig,
        saved: &SavedState,
        to_states: &mpsc::Sender<reader::CameraStates>,
    ) -> anyhow::Result<JoinHandle<()>> {
        let shared = self.shared;
        let channels = camera::Channels {
            zone: self.config.state.timezone.clone(),
            states: to_states.clone(),
            images: Arc::clone(&shared.pictures),
            cameras: shared.cameras.clone(),
            clock: Arc::clone(&shared.clock),
        };
        camera::start(camera, &saved.queues, channels, self.shutdown)
    }
}
