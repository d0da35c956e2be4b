//! One board: snapshots to pixels, in a thread of its own.
//!
//! The drawing side never waits for the network: it reads the newest snapshot, draws what changed
//! and hands it to the output. Pictures of the board are made by another thread from a copy, so
//! that encoding never holds up a call.

use super::hearing::Hearing;
use super::hours;
use super::pause::{LONGEST_SLEEP, pause};
use super::pictures::Pictures;
use super::status::Outputs;
use crate::board::{Painter, SetupScreen, View};
use crate::clock::{Clock, Now};
use crate::config::BoardConfig;
use crate::health::with_causes;
use crate::model::{OfficeId, QueueId};
use crate::output::{Frame, Output, OutputError};
use crate::roles::{Drawn, Probe, Said, tell};
use crate::state::{CallHighlighter, Phase, Snapshot};
use embedded_graphics::prelude::Dimensions;
use embedded_graphics::primitives::Rectangle;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Everything a board's thread owns.
pub(super) struct Screen {
    pub(super) config: BoardConfig,
    pub(super) office: OfficeId,
    pub(super) painter: Painter,
    /// `None` where only the picture is wanted, such as for a picture file.
    pub(super) output: Option<Box<dyn Output>>,
    pub(super) pictures: Pictures,
    pub(super) snapshots: watch::Receiver<Arc<Snapshot>>,
    pub(super) outputs: Outputs,
    pub(super) hearing: Hearing,
    /// What the box says of itself in place of numbers, while there are none.
    pub(super) sheet: watch::Receiver<Option<Arc<SetupScreen>>>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) probe: Probe,
}

impl Screen {
    /// Draws until shutdown. Runs in a thread of its own.
    pub(super) fn run(mut self, shutdown: &CancellationToken) {
        let (width, height) = self.size();
        let mut frame = Frame::new(width, height);
        let mut panel =
            CallHighlighter::new(self.config.panel).for_queues(self.config.queues.clone());
        let mut told = Told::default();
        let mut lit = true;
        let mut sheet: Option<Arc<SetupScreen>> = None;
        // Whether the device may show something else than the frame.
        let mut behind = true;
        while !shutdown.is_cancelled() {
            let snapshot = Arc::clone(&self.snapshots.borrow_and_update());
            let now = self.clock.now();
            panel.announced_up_to(self.hearing.over());
            panel.update(&snapshot.log, now);
            let shown = panel.view();
            let view = self.painter.view(&snapshot, &shown, now);
            behind |= self.tend(&mut frame);
            // A number that is there already goes before what its teller has not yet taken back.
            let unknown = snapshot.queues.iter().all(|q| q.phase == Phase::Unknown);
            let said = self.sheet.borrow_and_update().clone().filter(|_| unknown);
            let light =
                said.is_some() || hours::is_lit(self.config.lit_hours, &snapshot, &shown, now);
            if light != lit {
                lit = light;
                self.light(lit);
            }
            let mut damage = if let Some(said) = &said {
                self.sheet(said, &mut sheet, &mut frame)
            } else if lit {
                self.painter.draw(&view, &mut frame)
            } else {
                self.painter.black(&mut frame)
            };
            if behind && damage.is_empty() {
                damage.push(frame.bounding_box());
            }
            if !damage.is_empty() {
                behind = !self.show(&frame, &damage);
                // Addresses do not leave the node with a picture.
                if !behind && said.is_none() {
                    self.pictures.changed();
                }
            }
            self.tell(&snapshot, &view, &mut told);
            let undrawable = self
                .painter
                .missing_glyphs(&view)
                .filter(|_| said.is_none());
            if said.is_none() {
                sheet = None;
                self.pictures.offer(&frame, now);
            }
            self.outputs.update(&self.config.id, |s| {
                s.missed_calls = panel.missed();
                s.shown_calls = panel.shown(now);
                s.dark = !lit;
                s.undrawable = undrawable;
                s.ticked = Some(now.mono);
            });
            let wait = self.sleep(&view, &panel, now);
            if !pause(shutdown, &mut self.snapshots, wait) {
                break; // whoever knew the numbers is gone
            }
        }
        self.light(true);
        let all = self.painter.out_of_service(&mut frame);
        self.show(&frame, &all);
    }

    /// Draws what the box says of itself, where it changed.
    fn sheet(
        &mut self,
        said: &Arc<SetupScreen>,
        drawn: &mut Option<Arc<SetupScreen>>,
        frame: &mut Frame,
    ) -> Vec<Rectangle> {
        if drawn.as_ref() == Some(said) {
            return Vec::new();
        }
        *drawn = Some(Arc::clone(said));
        self.painter.setup_screen(said, frame)
    }

    fn sleep(&self, view: &View, panel: &CallHighlighter, now: Now) -> Duration {
        let panel = panel.next_change(now).map(|at| at.saturating_sub(now.mono));
        [
            self.painter.next_change(view, now),
            panel,
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

    fn light(&mut self, lit: bool) {
        if let Some(output) = &mut self.output {
            output.set_lit(lit);
        }
    }

    /// Lets the output look after its device, and follows it when the size changed. `true` when
    /// whatever comes next must be whole.
    fn tend(&mut self, frame: &mut Frame) -> bool {
        let Some(output) = &mut self.output else {
            return false;
        };
        let mut again = match output.poll_device() {
            Ok(again) => again,
            Err(e) => {
                self.note(Some(&e));
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
    fn show(&mut self, frame: &Frame, damage: &[Rectangle]) -> bool {
        let Some(output) = &mut self.output else {
            return true;
        };
        let failed = output.present(frame, damage).err();
        self.note(failed.as_ref());
        failed.is_none()
    }

    /// Passes on what the output knows about its device.
    fn note(&self, failed: Option<&OutputError>) {
        let Some(output) = &self.output else {
            return;
        };
        let device = output.status();
        self.outputs.update(&self.config.id, |status| {
            status.device = Some(device);
            status.failed = failed.map(|e| with_causes(e));
        });
    }

    /// Tells the probe, and the log at level trace, of every message that is on the board now and was
    /// not before; and the probe what the board says when that changed.
    fn tell(&self, snapshot: &Snapshot, view: &View, told: &mut Told) {
        if self.probe.drawn.is_some() || tracing::enabled!(tracing::Level::TRACE) {
            let at = Instant::now();
            for queue in &snapshot.queues {
                let Some(reading) = &queue.reading else {
                    continue;
                };
                let seq = reading.state.seq;
                if told.seqs.insert(queue.settings.id.clone(), seq) != Some(seq) {
                    tracing::trace!(board = %self.config.id, queue = %queue.settings.id, seq, "displayed");
                    tell(self.probe.drawn.as_ref(), || Drawn {
                        office: self.office.clone(),
                        queue: queue.settings.id.clone(),
                        seq,
                        at,
                    });
                }
            }
        }
        if self.probe.said.is_some() {
            let said = Said {
                office: self.office.clone(),
                rows: view.rows(),
                calls: view.tickets(),
            };
            if told.said.as_ref() != Some(&said) {
                told.said = Some(said.clone());
                tell(self.probe.said.as_ref(), || said);
            }
        }
    }
}

/// What the probe was told last.
#[derive(Debug, Default)]
struct Told {
    seqs: BTreeMap<QueueId, u64>,
    said: Option<Said>,
}
