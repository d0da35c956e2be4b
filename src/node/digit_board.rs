//! One board of digits: snapshots to a serial line, in a thread of its own.
//!
//! The counterpart of `screen` for boards without a frame. Their proof is the SHA-256 of the
//! frames that were handed to the line last, one after the other; no picture of them goes up.

use super::announcement_status::AnnouncementStatus;
use super::hours;
use super::pause::{LONGEST_SLEEP, linger, pause};
use super::status::Outputs;
use crate::board::Digits;
use crate::clock::{Clock, Now};
use crate::config::{BoardConfig, SerialConfig};
use crate::output::serial::{Face, Field, SerialBoard, SerialError};
use crate::state::{CallHighlighter, Snapshot};
use crate::wire::sha256_hex;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// How long the last dashes may take; the process promises to stop within 2 s, and one answer may
/// take a second of it.
const DASHES_WITHIN: Duration = Duration::from_millis(400);

/// Everything the thread of a board of digits owns.
pub(crate) struct DigitBoard {
    config: BoardConfig,
    digits: Digits,
    board: SerialBoard,
    snapshots: watch::Receiver<Arc<Snapshot>>,
    outputs: Outputs,
    announcements: AnnouncementStatus,
    clock: Arc<dyn Clock>,
    /// The frames that were reported last.
    reported: Option<Vec<u8>>,
}

impl DigitBoard {
    pub(crate) fn new(
        serial: &SerialConfig,
        config: &BoardConfig,
        snapshots: watch::Receiver<Arc<Snapshot>>,
        outputs: Outputs,
        announcements: AnnouncementStatus,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, SerialError> {
        let board = SerialBoard::new(serial)?;
        Ok(Self {
            config: config.clone(),
            digits: Digits::new(serial, config, board.blinks()),
            board,
            snapshots,
            outputs,
            announcements,
            clock,
            reported: None,
        })
    }

    /// Drives the board until shutdown. Runs in a thread of its own.
    pub(crate) fn run(mut self, shutdown: &CancellationToken) {
        let mut highlighter =
            CallHighlighter::new(self.config.highlight).for_queues(self.config.queues.clone());
        while !shutdown.is_cancelled() {
            let snapshot = Arc::clone(&self.snapshots.borrow_and_update());
            let now = self.clock.now();
            highlighter.announced_up_to(self.announcements.completed_up_to());
            highlighter.update(&snapshot.log, now);
            self.digits.update(&snapshot.log, now);
            let lit = hours::is_lit(self.config.lit_hours, &snapshot, &highlighter.view(), now);
            let fields = self.fields(lit, &snapshot, now);
            self.board.set_fields(&fields);
            let free = self.board.poll_device();
            self.update_status(lit, highlighter.shown(now), now);
            if free.is_zero() {
                continue;
            }
            let wait = self.sleep(&snapshot, &highlighter, now).min(free);
            if !pause(shutdown, &mut self.snapshots, wait) {
                break; // the reader has ended
            }
        }
        self.stop();
    }

    fn fields(&self, lit: bool, snapshot: &Snapshot, now: Now) -> Vec<Field> {
        if lit {
            self.digits.fields(snapshot, now)
        } else {
            self.digits.all(&Face::Blank)
        }
    }

    fn sleep(&self, snapshot: &Snapshot, highlighter: &CallHighlighter, now: Now) -> Duration {
        let highlighter = highlighter
            .next_change(now)
            .map(|at| at.saturating_sub(now.mono));
        [self.digits.next_change(snapshot, now), highlighter]
            .into_iter()
            .flatten()
            .fold(LONGEST_SLEEP, Duration::min)
    }

    /// Leaves dashes behind: numbers of a node that stopped are nobody's.
    fn stop(&mut self) {
        leave_dashes(&mut self.board, &self.digits);
        self.update_status(true, u64::MAX, self.clock.now());
    }

    /// Passes on what is known about the board.
    fn update_status(&mut self, lit: bool, shown: u64, now: Now) {
        let frames = self.board.frames();
        let handed = frames.filter(|frames| self.reported.as_ref() != Some(frames));
        let (device, failed) = (self.board.status(), self.board.error());
        let missed = self.digits.missed();
        self.outputs.update(&self.config.id, |status| {
            if status.device.as_ref() != Some(device) {
                status.device = Some(device.clone());
            }
            if status.failed.as_deref() != failed {
                status.failed = failed.map(str::to_owned);
            }
            status.missed_calls = missed;
            status.shown_calls = shown;
            status.dark = !lit;
            status.ticked = Some(now.mono);
            if let Some(frames) = &handed {
                status.frame_sha256 = Some(sha256_hex(frames));
                status.shown_at = Some(now.wall);
            }
        });
        if handed.is_some() {
            self.reported = handed;
        }
    }
}

/// Puts dashes on every field, as far as the board answers in time.
pub(crate) fn leave_dashes(board: &mut SerialBoard, digits: &Digits) {
    let end = Instant::now() + DASHES_WITHIN;
    board.set_fields(&digits.all(&Face::Dashes));
    while Instant::now() < end && board.is_open() && !board.is_settled() {
        let free = board.poll_device().min(Duration::from_millis(20));
        if !free.is_zero() {
            linger(free);
        }
    }
}
