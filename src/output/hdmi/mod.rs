//! A monitor at an HDMI port: no X, no Wayland, no browser.
//!
//! Frames are copied into one of two buffers of the card's memory and put on the screen with a page
//! flip. What can go wrong is told by [`status`](Output::status) and errors and looked after by
//! [`poll_device`](Output::poll_device): cables pulled, monitors exchanged or slow to say who they are, other
//! programs that take the display. None of it ends the service, and none of it blanks the screen.
//!
//! Facts in health reports: `card` (`card0`), `connector` (`HDMI-A-1`), `mode` (`1920x1080@60`),
//! `mode_missing` (a configured mode that the monitor does not list), `monitor` (maker and name),
//! `rotation` (degrees), `signal` (`on` or `off`), `flips` and `mode_sets` (counts since the start).
//!
//! Does not know what is drawn. The parts: [`copy_damage`] the copying, `card` and `connector` what
//! is where, `mode` the choice of a mode, `head` a connector in use, `hotplug` the kernel's word
//! about cables, `power` and `cec` the nights, `fd_store` the picture across restarts.

mod buffers;
mod card;
mod cec;
mod connector;
mod copy;
mod edid;
mod fd_store;
mod head;
mod hotplug;
mod inspect;
mod mode;
mod power;

pub use copy::{PIXEL_BYTES, copy_damage};
pub use inspect::inspect;

use super::{Connector, DeviceStatus, Frame, Output, OutputError};
use crate::config::HdmiConfig;
use cec::{Cec, Message};
use connector::Ask;
use connector::{Port, PortError};
use embedded_graphics::primitives::Rectangle;
use head::{Head, PresentError, ProbeResult};
use hotplug::Events;
use mode::ModePreference;
use power::{Power, Step};
use std::time::{Duration, Instant};

/// The monitor is asked itself this often, in case the kernel missed a cable: it takes some tens of
/// milliseconds, so not with every poll.
const ASK_EVERY: Duration = Duration::from_secs(5);

/// Shows the frames of one board on a monitor.
#[derive(Debug)]
pub struct HdmiOutput {
    config: HdmiConfig,
    preference: ModePreference,
    head: Option<Head>,
    /// Why there is no head.
    missing: String,
    events: Option<Events>,
    ask_at: Instant,
    power: Power,
    cec: Option<Cec>,
    counts: Counts,
}

#[derive(Debug, Default, Clone, Copy)]
struct Counts {
    flips: u64,
    mode_sets: u64,
}

impl HdmiOutput {
    /// Takes the configured connector, or the first free one with a monitor; when there is none,
    /// it is searched for again at every poll.
    ///
    /// `size` is that of the configured board as hung, for monitors that do not say theirs.
    #[must_use]
    pub fn new(config: &HdmiConfig, size: (u32, u32)) -> Self {
        let (width, height) = size;
        let size = if config.rotate.swaps() {
            (height, width)
        } else {
            (width, height)
        };
        let events = Events::open()
            .inspect_err(|e| {
                tracing::warn!("hot-plug events unavailable, falling back to polling: {e}")
            })
            .ok();
        let now = Instant::now();
        let mut output = Self {
            config: config.clone(),
            preference: ModePreference {
                mode: config.mode,
                size,
            },
            head: None,
            missing: String::new(),
            events,
            ask_at: now + ASK_EVERY,
            power: Power::new(config.standby),
            cec: None,
            counts: Counts::default(),
        };
        output.probe(Ask::Monitors, now);
        output
    }

    /// Looks for a connector to use.
    fn find(&mut self, ask: Ask, now: Instant) {
        match Port::find(self.config.connector.as_deref(), ask) {
            Ok(port) => {
                if self.power.uses_cec() {
                    self.cec = Cec::open(port.number());
                }
                self.missing = format!("{} waits for its monitor", port.name);
                let head = Head::new(port, self.config.rotate, now);
                if !head.is_lost() {
                    let (card, connector) = (head.port.card.name(), &head.port.name);
                    tracing::info!(card, connector, "display found");
                }
                self.head = Some(head);
            }
            Err(e) => {
                self.missing = match &e {
                    PortError::Card { source, .. } => format!("{e}: {source}"),
                    e => e.to_string(),
                };
            }
        }
    }

    /// Asks what is plugged in, and follows it. `true` when the picture must be drawn anew.
    fn probe(&mut self, ask: Ask, now: Instant) -> bool {
        if self.head.is_none() {
            self.find(ask, now);
        }
        let Some(head) = &mut self.head else {
            return false;
        };
        match head.probe(ask, self.preference, now) {
            ProbeResult::Unchanged => false,
            ProbeResult::Changed => {
                self.power.on_mode_set();
                true
            }
            ProbeResult::Unplugged => {
                // The cable may have moved to another connector.
                if self.config.connector.is_none() {
                    self.leave();
                }
                false
            }
            ProbeResult::CardGone => {
                self.lose();
                false
            }
        }
    }

    /// Moves to another connector, if there is one with a monitor.
    fn leave(&mut self) {
        let Some(head) = &self.head else {
            return;
        };
        let unplugged = head.unplugged();
        if let Ok(port) = Port::find(None, Ask::Kernel) {
            let old = self
                .head
                .replace(Head::new(port, self.config.rotate, Instant::now()));
            if let Some(old) = old {
                old.release();
            }
        } else {
            self.missing = unplugged;
        }
    }

    /// The card is gone: everything on it is, too.
    fn lose(&mut self) {
        if let Some(head) = &self.head {
            let (connector, card) = (&head.port.name, head.port.card.name());
            self.close(format!("{connector} of {card} is gone"));
        }
    }

    /// Gives a card up, to be looked for and opened anew.
    fn close(&mut self, why: String) {
        self.missing = why;
        if let Some(head) = self.head.take() {
            head.port.card.discard();
        }
    }

    fn step(&mut self, step: Step) {
        let message = match step {
            Step::Stay => return,
            Step::Sleep => Message::Sleep,
            Step::Wake => Message::Wake,
        };
        if let Some(head) = &mut self.head {
            head.signal(message == Message::Wake, &mut self.counts);
        }
        if let Some(cec) = &self.cec {
            cec.send(message);
        }
    }

    /// Turns trouble into an error, and gives up what cannot be used any longer.
    fn failed(&mut self, trouble: PresentError) -> OutputError {
        match trouble {
            PresentError::State(what) => OutputError::state(what),
            PresentError::Reopen(why) => {
                self.close(why.clone());
                OutputError::state(why)
            }
            PresentError::Device(what, source) => {
                if card::is_gone(&source) {
                    self.lose();
                }
                OutputError::device(what, source)
            }
        }
    }
}

impl Output for HdmiOutput {
    fn kind(&self) -> &'static str {
        "hdmi"
    }

    fn size(&self) -> Option<(u32, u32)> {
        self.head.as_ref()?.size()
    }

    fn present(&mut self, frame: &Frame, damage: &[Rectangle]) -> Result<(), OutputError> {
        let Some(head) = &mut self.head else {
            return Err(OutputError::state(self.missing.clone()));
        };
        let shown = head.present(frame, damage, self.power.is_asleep(), &mut self.counts);
        shown.map_err(|trouble| self.failed(trouble))
    }

    fn poll_device(&mut self) -> Result<bool, OutputError> {
        let now = Instant::now();
        let heard = self.events.as_ref().is_some_and(Events::has_event);
        let due = now >= self.ask_at;
        if due {
            self.ask_at = now + ASK_EVERY;
        }
        let waits = self.head.as_ref().is_none_or(Head::waits);
        let mut again = false;
        if heard || due || waits {
            let ask = if heard || due {
                Ask::Monitors
            } else {
                Ask::Kernel
            };
            again |= self.probe(ask, now);
        }
        let Some(head) = &mut self.head else {
            return Err(OutputError::state(self.missing.clone()));
        };
        match head.poll_device() {
            Ok(regained) => again |= regained,
            Err(trouble) => return Err(self.failed(trouble)),
        }
        let step = self.power.poll_device(now);
        self.step(step);
        Ok(again)
    }

    fn set_lit(&mut self, lit: bool) {
        let step = self.power.set_lit(lit, Instant::now());
        self.step(step);
    }

    fn status(&self) -> DeviceStatus {
        let Some(head) = &self.head else {
            return DeviceStatus::new(Connector::Disconnected);
        };
        let mut status = head.status();
        let facts = &mut status.facts;
        let signal = if self.power.is_asleep() { "off" } else { "on" };
        facts.insert("signal", signal.into());
        facts.insert("flips", self.counts.flips.to_string());
        facts.insert("mode_sets", self.counts.mode_sets.to_string());
        status
    }
}
