//! Pictures of one board: copies of its frames, encoded in a thread of their own.
//!
//! The drawing thread copies a frame only when the encoder is idle and the last picture is old
//! enough; so there is never more than one copy, and the newest frame always becomes a picture.

use super::board_video::BoardVideo;
use super::status::Outputs;
use crate::clock::Now;
use crate::errors;
use crate::health::with_causes;
use crate::model::BoardId;
use crate::output::led::preview::{Points, preview};
use crate::output::{Frame, PngOutput, encode};
use crate::uplink::{self, Image, Origin};
use crate::wire::MediaType;
use hex::encode as hex;
use jiff::Timestamp;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// Shortest time between two pictures: viewers see numbers at once, pictures are for proof.
const EVERY: Duration = Duration::from_secs(1);

/// The same for panels on which names move all the time: a picture a second would be most of what
/// a node sends.
const EVERY_MOVING: Duration = Duration::from_secs(5);

/// The drawing thread's end.
pub(crate) struct Pictures {
    to_encoder: Option<Sender<(Frame, Timestamp)>>,
    /// Frames that the encoder has done with.
    idle: Receiver<Frame>,
    spare: Option<Frame>,
    last: Option<Instant>,
    /// Shortest time between two.
    every: Duration,
    /// Whether the board changed since the last picture.
    dirty: bool,
    thread: Option<JoinHandle<()>>,
}

/// Where the pictures of one board go.
pub(crate) struct Encoder {
    pub(crate) board: BoardId,
    /// What the points of a LED panel are; its picture shows what glows.
    pub(crate) points: Option<Points>,
    pub(crate) file: Option<PngOutput>,
    /// Shared by all boards of the node.
    pub(crate) images: Arc<watch::Sender<uplink::Pictures>>,
    pub(crate) outputs: Outputs,
    /// Videos of the board.
    pub(crate) videos: Vec<BoardVideo>,
}

impl Pictures {
    /// Starts the encoder's thread.
    pub(crate) fn start(encoder: Encoder, size: (u32, u32)) -> io::Result<Self> {
        let every = match encoder.points {
            Some(_) => EVERY_MOVING,
            None => EVERY,
        };
        let (to_encoder, frames) = channel();
        let (back, idle) = channel();
        let thread = std::thread::Builder::new()
            .name(format!("picture-{}", encoder.board))
            .spawn(move || encoder.run(&frames, &back))?;
        Ok(Self {
            to_encoder: Some(to_encoder),
            idle,
            spare: Some(Frame::new(size.0, size.1)),
            last: None,
            every,
            dirty: false,
            thread: Some(thread),
        })
    }

    /// Notes that the board changed.
    pub(crate) fn changed(&mut self) {
        self.dirty = true;
    }

    /// When [`offer`](Self::offer) wants to be asked again; `None` when no picture is due.
    pub(crate) fn due(&self) -> Option<Duration> {
        let pause = self.last.map_or(Duration::ZERO, |last| {
            self.every.saturating_sub(last.elapsed())
        });
        // An encoder at work is asked again after about the time that one picture takes.
        self.dirty.then(|| pause.max(Duration::from_millis(20)))
    }

    /// Hands a copy of the frame to the encoder, if it is time and the encoder is idle.
    pub(crate) fn offer(&mut self, frame: &Frame, now: Now) {
        if !self.dirty || self.last.is_some_and(|last| last.elapsed() < self.every) {
            return;
        }
        let mut copy = match self.spare.take().map_or_else(|| self.idle.try_recv(), Ok) {
            Ok(copy) => copy,
            Err(TryRecvError::Empty | TryRecvError::Disconnected) => return,
        };
        copy.clone_from(frame);
        if let Some(encoder) = &self.to_encoder
            && encoder.send((copy, now.wall)).is_ok()
        {
            self.last = Some(Instant::now());
            self.dirty = false;
        }
    }
}

impl Drop for Pictures {
    fn drop(&mut self) {
        self.to_encoder = None; // ends the encoder's loop
        if let Some(thread) = self.thread.take() {
            errors::join(thread);
        }
    }
}

impl Encoder {
    fn run(mut self, frames: &Receiver<(Frame, Timestamp)>, back: &Sender<Frame>) {
        while let Ok((frame, shown_at)) = frames.recv() {
            let frame_sha256 = hex(frame.sha256());
            let glowing = self.points.map(|points| preview(&frame, points));
            let picture = encode::lossless(glowing.as_ref().unwrap_or(&frame));
            let failed = self
                .file
                .as_mut()
                .and_then(|file| file.write(&picture).err());
            let writes_file = self.file.is_some();
            let size = (picture.width, picture.height);
            let origin = Origin::Board(self.board.clone());
            let image = Image::new(
                origin.clone(),
                picture.bytes,
                MediaType::Png,
                size,
                shown_at,
            );
            self.outputs.update(&self.board, |status| {
                status.frame_sha256 = Some(frame_sha256);
                status.shown_at = Some(shown_at);
                if writes_file {
                    status.failed = failed.as_ref().map(|e| with_causes(e));
                }
            });
            self.images.send_modify(|images| {
                images.insert(origin, Arc::new(image));
            });
            // After the proof of what is shown: fitting a large board takes longer than its picture.
            for video in &self.videos {
                video.show(glowing.as_ref().unwrap_or(&frame));
            }
            if back.send(frame).is_err() {
                break;
            }
        }
    }
}
