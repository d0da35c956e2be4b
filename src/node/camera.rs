//! The thread of one camera: pictures to states, and to pictures for viewers.
//!
//! Nobody waits for it: it hands states to the reader as the feed does, and pictures to the uplink.
//! Whatever its source does, it goes on asking. Of a picture only the cut-out board leaves it.

use super::pause::rest;
use super::reader::CameraStates;
use super::status::{CameraStatus, Cameras};
use crate::camera::{
    self, Frame, FreezeDetector, Observation, Reader, Source, SourceError, ViewerPicture,
    ViewerSchedule,
};
use crate::clock::{Clock, Now};
use crate::config::CameraConfig;
use crate::health::with_causes;
use crate::state::SavedQueue;
use crate::uplink::{self, Image, Origin};
use crate::wire::MediaType;
use anyhow::Context;
use jiff::tz::TimeZone;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

/// Pictures whose states wait for the reader at most; it takes them at once.
pub(crate) const UNDER_WAY: usize = 16;

/// A problem is reported when it lasts this long: people walk past, and cameras are plugged in again.
const TROUBLE_AFTER: Duration = Duration::from_secs(10);

/// Where a camera's readings go.
pub(crate) struct Channels {
    pub(crate) zone: TimeZone,
    pub(crate) states: mpsc::Sender<CameraStates>,
    /// Shared with the boards.
    pub(crate) images: Arc<watch::Sender<uplink::Pictures>>,
    pub(crate) cameras: Cameras,
    pub(crate) clock: Arc<dyn Clock>,
}

/// Starts the thread of a camera, which goes on where the state that was kept ends.
///
/// # Errors
/// When its corners enclose no board, or no thread can be had.
pub(crate) fn start(
    config: &CameraConfig,
    saved: &[SavedQueue],
    channels: Channels,
    shutdown: &CancellationToken,
) -> anyhow::Result<JoinHandle<()>> {
    let mut reader = Reader::new(config, channels.zone.clone())
        .with_context(|| format!("cannot build camera {}", config.id))?;
    reader.resume(saved);
    let camera = Camera {
        config: config.clone(),
        reader,
        source: None,
        freeze: FreezeDetector::default(),
        viewer_schedule: ViewerSchedule::default(),
        started: channels.clock.now().mono,
        last_picture: None,
        last_in_place: None,
        channels,
    };
    let shutdown = shutdown.clone();
    std::thread::Builder::new()
        .name(format!("camera-{}", config.id))
        .spawn(move || camera.run(&shutdown))
        .with_context(|| format!("cannot start camera {}", config.id))
}

struct Camera {
    config: CameraConfig,
    reader: Reader,
    /// `None` until it can be opened, and after it had no more.
    source: Option<Box<dyn Source>>,
    freeze: FreezeDetector,
    viewer_schedule: ViewerSchedule,
    started: Duration,
    /// Monotonic moment of the last picture.
    last_picture: Option<Duration>,
    /// The last one at which the board was where it should be.
    last_in_place: Option<Duration>,
    channels: Channels,
}

impl Camera {
    fn run(mut self, shutdown: &CancellationToken) {
        while !shutdown.is_cancelled() && !self.channels.states.is_closed() {
            let began = Instant::now();
            let due = self.channels.clock.now().mono + self.config.interval;
            self.update_status(|status| status.due = Some(due));
            self.run_once(shutdown);
            rest(
                shutdown,
                self.config.interval.saturating_sub(began.elapsed()),
            );
        }
    }

    fn update_status(&self, change: impl FnOnce(&mut CameraStatus)) {
        self.channels.cameras.update(&self.config.id, change);
    }

    /// Gets one picture and reads it.
    fn run_once(&mut self, shutdown: &CancellationToken) {
        let problem = match self.next(shutdown) {
            Ok(frame) => match self.read_frame(&frame) {
                Ok(()) => return,
                Err(problem) => problem,
            },
            Err(problem) => problem,
        };
        let now = self.channels.clock.now();
        let unavailable = now.since(self.last_picture.unwrap_or(self.started)) >= TROUBLE_AFTER;
        self.update_status(|status| {
            status.failed += 1;
            if unavailable {
                status.unavailable = Some(problem);
            }
        });
    }

    fn next(&mut self, shutdown: &CancellationToken) -> Result<Frame, String> {
        let source = match &mut self.source {
            Some(source) => source,
            none => {
                let opened = camera::open(&self.config).map_err(|e| with_causes(&e))?;
                none.insert(opened)
            }
        };
        loop {
            return match source.next(self.channels.clock.now().mono) {
                Ok(Some(frame)) => Ok(frame),
                Ok(None) => Err("there are no more pictures".into()),
                // It gives up by itself when that takes too long.
                Err(SourceError::NotYet) if !shutdown.is_cancelled() => continue,
                Err(e) => Err(with_causes(&e)),
            };
        }
    }

    fn read_frame(&mut self, frame: &Frame) -> Result<(), String> {
        let now = self.channels.clock.now();
        if let Some(same) = self.freeze.take(&frame.picture, now.mono) {
            self.last_picture = Some(now.mono);
            // What a frozen camera shows was true once: nothing of it goes on.
            let text = format!("the same picture for {} s", same.as_secs());
            self.update_status(|status| {
                status.unavailable = None;
                status.frozen = Some(text);
            });
            if let Some(source) = &mut self.source {
                source.restart();
            }
            return Ok(());
        }
        let observation = self
            .reader
            .observe(&frame.picture, now)
            .map_err(|e| with_causes(&e))?;
        self.last_picture = Some(now.mono);
        self.update_readings(&observation, now);
        self.publish_picture(&observation, now);
        if !observation.states.is_empty() {
            // Fails only when the node stops.
            let _ = self.channels.states.blocking_send(observation.states);
        }
        Ok(())
    }

    /// Says how a picture could be read.
    fn update_readings(&mut self, observation: &Observation, now: Now) {
        if observation.board.is_some() {
            self.last_in_place = Some(now.mono);
        }
        let moved = now.since(self.last_in_place.unwrap_or(self.started)) >= TROUBLE_AFTER;
        let read = observation
            .fields
            .iter()
            .filter(|f| f.doubt().is_none())
            .count() as u64;
        self.update_status(|status| {
            status.unavailable = None;
            status.frozen = None;
            status.moved =
                moved.then(|| "the board is not where it should be: expected its four corners within `follow` pixels".into());
            status.pictures += 1;
            status.read += read;
            status.unknown += observation.fields.len() as u64 - read;
        });
    }

    /// Hands the cut-out board to the uplink, if viewers are to get another picture.
    fn publish_picture(&mut self, observation: &Observation, now: Now) {
        let Some(board) = &observation.board else {
            return;
        };
        if !self
            .viewer_schedule
            .is_due(board, self.config.picture_interval, now.mono)
        {
            return;
        }
        let Some(picture) = ViewerPicture::of(board, now, &self.channels.zone) else {
            return;
        };
        let origin = Origin::Camera(self.config.id.clone());
        let size = (picture.width, picture.height);
        let image = Image::new(
            origin.clone(),
            picture.jpeg,
            MediaType::Jpeg,
            size,
            now.wall,
        );
        self.channels.images.send_modify(|images| {
            images.insert(origin, Arc::new(image));
        });
    }
}
