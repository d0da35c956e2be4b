//! One board: snapshots to pixels, in a thread of its own.
//!
//! The drawing side never waits for the network: it reads the newest snapshot, draws what changed
//! and hands it to the output. Pictures of the board are made by another thread from a copy, so
//! that encoding never holds up a call.

use super::announcement_status::AnnouncementStatus;
use super::hours;
use super::pause::{LONGEST_SLEEP, pause};
use super::pictures::Pictures;
use super::probe::{BoardContents, FrameDrawn, Probe, notify};
use super::status::Outputs;
use crate::board::{Painter, SetupScreen, View};
use crate::clock::{Clock, Now};
use crate::config::BoardConfig;
use crate::health::with_causes;
use crate::model::{OfficeId, QueueId};
use crate::output::{Frame, Output, OutputError};
use crate::state::{CallHighlighter, Phase, Snapshot};
use embedded_graphics::prelude::Dimensions;
use embedded_graphics::primitives::Rectangle;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Everything a board's thread owns.
pub(crate) struct Screen {
    pub(crate) config: BoardConfig,
    pub(crate) office: OfficeId,
    pub(crate) painter: Painter,
    /// `None` where only the picture is wanted, such as for a picture file.
    pub(crate) output: Option<Box<dyn Output>>,
    pub(crate) pictures: Pictures,
    pub(crate) snapshots: watch::Receiver<Arc<Snapshot>>,
    pub(crate) outputs: Outputs,
    pub(crate) announcements: AnnouncementStatus,
    /// What the box says of itself in place of numbers, while there are none.
    pub(crate) setup_screen: watch::Receiver<Option<Arc<SetupScreen>>>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) probe: Probe,
}

impl Screen {
    /// Draws until shutdown. Runs in a thread of its own.
    pub(crate) fn run(mut self, shutdown: &CancellationToken) {
        let (width, height) = self.size();
        let mut frame = Frame::new(width, height);
        let mut highlighter =
            CallHighlighter::new(self.config.highlight).for_queues(self.config.queues.clone());
        let mut notified = Notified::default();
        let mut lit = true;
        let mut setup_screen: Option<Arc<SetupScreen>> = None;
        // Whether the device may show something else than the frame.
        let mut stale = true;
        while !shutdown.is_cancelled() {
            let snapshot = Arc::clone(&self.snapshots.borrow_and_update());
            let now = self.clock.now();
            highlighter.announced_up_to(self.announcements.completed_up_to());
            highlighter.update(&snapshot.log, now);
            let shown = highlighter.view();
            let view = self.painter.view(&snapshot, &shown, now);
            stale |= self.poll_device(&mut frame);
            // A number goes before a setup screen that the reader has not yet withdrawn.
            let unknown = snapshot.queues.iter().all(|q| q.phase == Phase::Unknown);
            let setup = self
                .setup_screen
                .borrow_and_update()
                .clone()
                .filter(|_| unknown);
            let set_lit =
                setup.is_some() || hours::is_lit(self.config.lit_hours, &snapshot, &shown, now);
            if set_lit != lit {
                lit = set_lit;
                self.set_lit(lit);
            }
            let mut damage = if let Some(setup) = &setup {
                self.setup_screen(setup, &mut setup_screen, &mut frame)
            } else if lit {
                self.painter.draw(&view, &mut frame)
            } else {
                self.painter.black(&mut frame)
            };
            if stale && damage.is_empty() {
                damage.push(frame.bounding_box());
            }
            if !damage.is_empty() {
                stale = !self.present(&frame, &damage);
                // Addresses do not leave the node with a picture.
                if !stale && setup.is_none() {
                    self.pictures.changed();
                }
            }
            self.notify_probe(&snapshot, &view, &mut notified);
            let undrawable = self
                .painter
                .missing_glyphs(&view)
                .filter(|_| setup.is_none());
            if setup.is_none() {
                setup_screen = None;
                self.pictures.offer(&frame, now);
            }
            self.outputs.update(&self.config.id, |s| {
                s.missed_calls = highlighter.missed();
                s.shown_calls = highlighter.shown(now);
                s.dark = !lit;
                s.undrawable = undrawable;
                s.ticked = Some(now.mono);
            });
            let wait = self.sleep(&view, &highlighter, now);
            if !pause(shutdown, &mut self.snapshots, wait) {
                break; // the reader has ended
            }
        }
        self.set_lit(true);
        let all = self.painter.out_of_service(&mut frame);
        self.present(&frame, &all);
    }

    /// Draws the setup screen, if it changed.
    fn setup_screen(
        &mut self,
        setup: &Arc<SetupScreen>,
        drawn: &mut Option<Arc<SetupScreen>>,
        frame: &mut Frame,
    ) -> Vec<Rectangle> {
        if drawn.as_ref() == Some(setup) {
            return Vec::new();
        }
        *drawn = Some(Arc::clone(setup));
        self.painter.setup_screen(setup, frame)
    }

    fn sleep(&self, view: &View, highlighter: &CallHighlighter, now: Now) -> Duration {
        let highlighter = highlighter
            .next_change(now)
            .map(|at| at.saturating_sub(now.mono));
        [
            self.painter.next_change(view, now),
            highlighter,
            self.pictures.due(),
        ]
        .into_iter()
        .flatten()
        .fold(LONGEST_SLEEP, Duration::min)
    }

    /// The size of the frames: what the device wants, else what is configured.
    fn size(&self) -> (u32, u32) {
        self.output
            .as_ref()
            .and_then(|output| output.size())
            .unwrap_or(self.config.size)
    }

    fn set_lit(&mut self, lit: bool) {
        if let Some(output) = &mut self.output {
            output.set_lit(lit);
        }
    }

    /// Lets the output look after its device, and follows it when the size changed. `true` when
    /// whatever comes next must be whole.
    fn poll_device(&mut self, frame: &mut Frame) -> bool {
        let Some(output) = &mut self.output else {
            return false;
        };
        let mut again = match output.poll_device() {
            Ok(again) => again,
            Err(e) => {
                self.update_status(Some(&e));
                true
            }
        };
        let (width, height) = self.size();
        if (width, height) != (frame.width(), frame.height()) {
            *frame = Frame::new(width, height);
            again = true;
        }
        if again {
            self.painter.forget();
        }
        again
    }

    /// Hands a frame to the output, and says whether it took it.
    fn present(&mut self, frame: &Frame, damage: &[Rectangle]) -> bool {
        let Some(output) = &mut self.output else {
            return true;
        };
        let failed = output.present(frame, damage).err();
        self.update_status(failed.as_ref());
        failed.is_none()
    }

    /// Passes on what the output knows about its device.
    fn update_status(&self, failed: Option<&OutputError>) {
        let Some(output) = &self.output else {
            return;
        };
        let device = output.status();
        self.outputs.update(&self.config.id, |status| {
            status.device = Some(device);
            status.failed = failed.map(|e| with_causes(e));
        });
    }

    /// Reports every message that is newly on the board, to the probe and at level trace to the log;
    /// and the contents of the board to the probe, when they changed.
    fn notify_probe(&self, snapshot: &Snapshot, view: &View, notified: &mut Notified) {
        if self.probe.frames.is_some() || tracing::enabled!(tracing::Level::TRACE) {
            let at = Instant::now();
            for queue in &snapshot.queues {
                let Some(reading) = &queue.reading else {
                    continue;
                };
                let seq = reading.state.seq;
                if notified.seqs.insert(queue.settings.id.clone(), seq) != Some(seq) {
                    tracing::trace!(board = %self.config.id, queue = %queue.settings.id, seq, "displayed");
                    notify(self.probe.frames.as_ref(), || FrameDrawn {
                        office: self.office.clone(),
                        queue: queue.settings.id.clone(),
                        seq,
                        at,
                    });
                }
            }
        }
        if self.probe.contents.is_some() {
            let setup = BoardContents {
                office: self.office.clone(),
                rows: view.rows(),
                calls: view.tickets(),
            };
            if notified.setup.as_ref() != Some(&setup) {
                notified.setup = Some(setup.clone());
                notify(self.probe.contents.as_ref(), || setup);
            }
        }
    }
}

/// What the probe was sent last.
#[derive(Debug, Default)]
struct Notified {
    seqs: BTreeMap<QueueId, u64>,
    setup: Option<BoardContents>,
}
