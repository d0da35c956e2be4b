//! The thread of one camera: pictures to states, and to pictures for viewers.
//!
//! Nobody waits for it: it hands states to the reader as the feed does, and pictures to the uplink.
//! Whatever its source does, it goes on asking. Of a picture only the cut-out board leaves it.

use super::pause::rest;
use super::reader::Filmed;
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
pub(super) const UNDER_WAY: usize = 16;

/// A trouble is told when it lasts this long: people walk past, and cameras are plugged in again.
const TROUBLE_AFTER: Duration = Duration::from_secs(10);

/// Where a camera's readings go.
pub(super) struct Ends {
    pub(super) zone: TimeZone,
    pub(super) filmed: mpsc::Sender<Filmed>,
    /// Shared with the boards.
    pub(super) images: Arc<watch::Sender<uplink::Pictures>>,
    pub(super) cameras: Cameras,
    pub(super) clock: Arc<dyn Clock>,
}

/// Starts the thread of a camera, which goes on where the state that was kept ends.
///
/// # Errors
/// When its corners enclose no board, or no thread can be had.
pub(super) fn start(
    config: &CameraConfig,
    kept: &[SavedQueue],
    ends: Ends,
    shutdown: &CancellationToken,
) -> anyhow::Result<JoinHandle<()>> {
    let mut reader = Reader::new(config, ends.zone.clone())
        .with_context(|| format!("cannot build camera {}", config.id))?;
    reader.resume(kept);
    let camera = Camera {
        config: config.clone(),
        reader,
        source: None,
        still: FreezeDetector::default(),
        viewing: ViewerSchedule::default(),
        started: ends.clock.now().mono,
        seen: None,
        at_place: None,
        ends,
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
    still: FreezeDetector,
    viewing: ViewerSchedule,
    started: Duration,
    /// Monotonic moment of the last picture.
    seen: Option<Duration>,
    /// The last one at which the board was where it should be.
    at_place: Option<Duration>,
    ends: Ends,
}

impl Camera {
    fn run(mut self, shutdown: &CancellationToken) {
        while !shutdown.is_cancelled() && !self.ends.filmed.is_closed() {
            let began = Instant::now();
            let due = self.ends.clock.now().mono + self.config.every;
            self.say(|status| status.due = Some(due));
            self.turn(shutdown);
            rest(shutdown, self.config.every.saturating_sub(began.elapsed()));
        }
    }

    fn say(&self, change: impl FnOnce(&mut CameraStatus)) {
        self.ends.cameras.update(&self.config.id, change);
    }

    /// Gets one picture and reads it.
    fn turn(&mut self, shutdown: &CancellationToken) {
        let problem = match self.next(shutdown) {
            Ok(frame) => match self.take(&frame) {
                Ok(()) => return,
                Err(problem) => problem,
            },
            Err(problem) => problem,
        };
        let now = self.ends.clock.now();
        let lost = now.since(self.seen.unwrap_or(self.started)) >= TROUBLE_AFTER;
        self.say(|status| {
            status.failed += 1;
            if lost {
                status.lost = Some(problem);
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
            return match source.next(self.ends.clock.now().mono) {
                Ok(Some(frame)) => Ok(frame),
                Ok(None) => Err("there are no more pictures".into()),
                // It gives up by itself when that takes too long.
                Err(SourceError::NotYet) if !shutdown.is_cancelled() => continue,
                Err(e) => Err(with_causes(&e)),
            };
        }
    }

    fn take(&mut self, frame: &Frame) -> Result<(), String> {
        let now = self.ends.clock.now();
        if let Some(same) = self.still.take(&frame.picture, now.mono) {
            self.seen = Some(now.mono);
            // What a frozen camera shows was true once: nothing of it goes on.
            let text = format!("the same picture for {} s", same.as_secs());
            self.say(|status| {
                status.lost = None;
                status.frozen = Some(text);
            });
            if let Some(source) = &mut self.source {
                source.restart();
            }
            return Ok(());
        }
        let look = self
            .reader
            .observe(&frame.picture, now)
            .map_err(|e| with_causes(&e))?;
        self.seen = Some(now.mono);
        self.note(&look, now);
        self.show(&look, now);
        if !look.states.is_empty() {
            // Fails only when the node stops.
            let _ = self.ends.filmed.blocking_send(look.states);
        }
        Ok(())
    }

    /// Says how a picture could be read.
    fn note(&mut self, look: &Observation, now: Now) {
        if look.board.is_some() {
            self.at_place = Some(now.mono);
        }
        let moved = now.since(self.at_place.unwrap_or(self.started)) >= TROUBLE_AFTER;
        let read = look.fields.iter().filter(|f| f.doubt().is_none()).count() as u64;
        self.say(|status| {
            status.lost = None;
            status.frozen = None;
            status.moved =
                moved.then(|| "the board is not where it should be: expected its four corners within `follow` pixels".into());
            status.pictures += 1;
            status.read += read;
            status.unknown += look.fields.len() as u64 - read;
        });
    }

    /// Hands the cut-out board to the uplink, if viewers are to get another picture.
    fn show(&mut self, look: &Observation, now: Now) {
        let Some(board) = &look.board else {
            return;
        };
        if !self
            .viewing
            .is_due(board, self.config.picture_every, now.mono)
        {
            return;
        }
        let Some(picture) = ViewerPicture::of(board, now, &self.ends.zone) else {
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
        self.ends.images.send_modify(|images| {
            images.insert(origin, Arc::new(image));
        });
    }
}
