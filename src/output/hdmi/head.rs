//! One connector in use: its monitor, its mode, its two buffers.

use super::Counts;
use super::buffers::Buffers;
use super::card::{is_gone, is_refused};
use super::connector::Ask;
use super::connector::{Port, ProbedConnector};
use super::edid::Monitor;
use super::fd_store;
use super::mode::{self, ModePreference};
use crate::config::Rotation;
use crate::output::{Connector, DeviceStatus, Frame};
use drm::control::{Device as _, Mode, PageFlipFlags, framebuffer};
use embedded_graphics::primitives::Rectangle;
use std::io;
use std::time::{Duration, Instant};

/// A picture is on the screen within two refreshes, 84 ms at 24 Hz; later than this the flip is
/// taken for lost, as it is after some monitors' naps.
const FLIP_LIMIT: Duration = Duration::from_secs(1);
/// Monitors need this long after plugging until they say who they are.
const EDID_PATIENCE: Duration = Duration::from_secs(3);

/// A connector that a board is shown on.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) port: Port,
    rotation: Rotation,
    monitor: Monitor,
    plugged: bool,
    /// Whether the cable was pulled since the mode was chosen: a monitor must be told again.
    replugged: bool,
    /// Until when an EDID is waited for.
    patience: Option<Instant>,
    screen: Option<Screen>,
    /// Whether somebody else owns the display.
    lost: bool,
}

/// A mode and the buffers for it.
#[derive(Debug)]
struct Screen {
    mode: Mode,
    /// Whether it is not the configured one.
    is_fallback: bool,
    buffers: Buffers,
    /// Whether the mode is set and one of the buffers on the screen.
    set: bool,
}

/// What a probe found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ProbeResult {
    /// All as before.
    Unchanged,
    /// Another monitor, or the same one again: the next picture must be whole.
    Changed,
    /// No monitor.
    Unplugged,
    /// No card any longer.
    CardGone,
}

/// Why a frame is not on the screen.
#[derive(Debug)]
pub(super) enum PresentError {
    /// The reason speaks for itself.
    State(String),
    /// What failed, and the kernel's reason.
    Device(String, io::Error),
    /// The reason, and the card must be opened anew.
    Reopen(String),
}

impl Head {
    pub(super) fn new(port: Port, rotation: Rotation, now: Instant) -> Self {
        Self {
            lost: port.card.acquire().is_err(),
            port,
            rotation,
            monitor: Monitor::default(),
            plugged: true,
            replugged: false,
            patience: Some(now + EDID_PATIENCE),
            screen: None,
        }
    }

    /// Whether something is waited for that no event tells of.
    pub(super) fn waits(&self) -> bool {
        !self.plugged || self.screen.is_none() || self.patience.is_some()
    }

    /// The size of frames, as hung.
    pub(super) fn size(&self) -> Option<(u32, u32)> {
        let (width, height) = self.screen.as_ref()?.mode.size();
        let (width, height) = (u32::from(width), u32::from(height));
        Some(if self.rotation.swaps() {
            (height, width)
        } else {
            (width, height)
        })
    }

    /// Looks what is plugged in, and chooses a mode when that changed.
    pub(super) fn probe(
        &mut self,
        ask: Ask,
        preference: ModePreference,
        now: Instant,
    ) -> ProbeResult {
        let seen = match self.port.probe(ask) {
            Ok(seen) => seen,
            Err(e) if is_gone(&e) || e.kind() == io::ErrorKind::NotFound => {
                return ProbeResult::CardGone;
            }
            Err(_) => return ProbeResult::Unchanged, // asked again soon
        };
        if !seen.plugged {
            if self.plugged {
                tracing::warn!("{}", self.unplugged());
            }
            self.plugged = false;
            return ProbeResult::Unplugged;
        }
        if !self.plugged {
            self.plugged = true;
            self.replugged = true;
            self.patience = Some(now + EDID_PATIENCE);
            tracing::info!(connector = self.port.name, "monitor connected");
        }
        if self.lost {
            return ProbeResult::Unchanged; // nothing can be set; looked at again when it can
        }
        if seen.monitor.is_known() {
            self.patience = None;
        } else if self.patience.is_some_and(|until| now < until) {
            return ProbeResult::Unchanged; // it may still say who it is
        } else {
            self.patience = None;
        }
        self.follow(&seen, preference)
    }

    /// Chooses the mode for what is plugged in.
    fn follow(&mut self, seen: &ProbedConnector, preference: ModePreference) -> ProbeResult {
        let Some(choice) = mode::choose(&seen.modes, seen.monitor.is_known(), preference) else {
            return ProbeResult::Unchanged;
        };
        let old = self.screen.as_ref();
        let same_mode = old.is_some_and(|s| mode::same_timing(&s.mode, &choice.mode));
        let replugged = std::mem::take(&mut self.replugged);
        if same_mode && !replugged && self.monitor == seen.monitor {
            return ProbeResult::Unchanged;
        }
        tracing::info!(
            connector = self.port.name,
            monitor = seen.monitor.title(),
            mode = mode::title(&choice.mode),
            "display mode selected"
        );
        if choice.is_fallback {
            tracing::warn!("{} does not list the configured mode", self.port.name);
        }
        self.monitor = seen.monitor.clone();
        if same_mode && let Some(screen) = &mut self.screen {
            screen.is_fallback = choice.is_fallback;
            screen.set = false;
            screen.buffers.forget();
            return ProbeResult::Changed;
        }
        let buffers = match Buffers::new(&self.port.card, choice.mode.size()) {
            Ok(buffers) => buffers,
            Err(e) => {
                tracing::warn!("cannot create frame buffers for {}: {e}", self.port.name);
                return if is_gone(&e) {
                    ProbeResult::CardGone
                } else {
                    ProbeResult::Unchanged
                };
            }
        };
        let old = self.screen.replace(Screen {
            mode: choice.mode,
            is_fallback: choice.is_fallback,
            buffers,
            set: false,
        });
        if let Some(old) = old {
            // What is on the screen now has the wrong size for this monitor anyway.
            old.buffers.release(&self.port.card);
        }
        ProbeResult::Changed
    }

    /// Puts a frame on the screen; while the monitor is asleep it only is made ready.
    pub(super) fn present(
        &mut self,
        frame: &Frame,
        damage: &[Rectangle],
        asleep: bool,
        counts: &mut Counts,
    ) -> Result<(), PresentError> {
        let ready = self.ready(frame);
        let Some(screen) = &mut self.screen else {
            return ready;
        };
        if ready.is_err() {
            screen.buffers.forget();
            return ready;
        }
        let picture = screen
            .buffers
            .draw(&self.port.card, frame, damage, self.rotation)
            .map_err(|e| PresentError::Device(format!("cannot draw on {}", self.port.name), e))?;
        if asleep {
            // It is shown when the signal begins again, by setting the mode.
            screen.buffers.swap();
            screen.set = false;
            return Ok(());
        }
        let shown = if screen.set {
            self.flip(picture, counts)
        } else {
            self.set(picture, counts)
        };
        if let Err(e) = shown {
            if let Some(screen) = &mut self.screen {
                screen.buffers.forget();
                screen.set = false;
            }
            if is_refused(&e) {
                self.lost = true;
                return Err(PresentError::State(self.others()));
            }
            let what = format!("cannot show a picture on {}", self.port.name);
            return Err(PresentError::Device(what, e));
        }
        if let Some(screen) = &mut self.screen {
            screen.buffers.swap();
        }
        self.port.card.release_left();
        self.port.card.store_fd(&self.port.name);
        Ok(())
    }

    /// Whether a frame can be shown now.
    fn ready(&self, frame: &Frame) -> Result<(), PresentError> {
        let name = &self.port.name;
        let why = if !self.plugged {
            self.unplugged()
        } else if self.lost {
            self.others()
        } else if self.screen.is_none() {
            format!("{name} waits for its monitor")
        } else if self.size() != Some((frame.width(), frame.height())) {
            format!("{name} waits for a frame of its new size")
        } else {
            return Ok(());
        };
        Err(PresentError::State(why))
    }

    /// Exchanges the picture on the screen; where that fails, the mode is set anew.
    fn flip(&mut self, picture: framebuffer::Handle, counts: &mut Counts) -> io::Result<()> {
        let (card, crtc) = (&self.port.card, self.port.crtc);
        card.forget_flip(crtc);
        let asked = card.page_flip(crtc, picture, PageFlipFlags::EVENT, None);
        let why = match asked.and_then(|()| card.wait_flip(crtc, FLIP_LIMIT)) {
            Ok(true) => {
                counts.flips += 1;
                return Ok(());
            }
            Ok(false) => "its picture did not come in time".to_owned(),
            Err(e) if is_refused(&e) || is_gone(&e) => return Err(e),
            Err(e) => e.to_string(),
        };
        tracing::warn!(
            "setting the display mode of {} again: {why}",
            self.port.name
        );
        self.set(picture, counts)
    }

    /// Sets the mode with a picture.
    fn set(&mut self, picture: framebuffer::Handle, counts: &mut Counts) -> io::Result<()> {
        let Some(screen) = &mut self.screen else {
            return Ok(());
        };
        let port = &self.port;
        let (connectors, mode) = ([port.connector], Some(screen.mode));
        port.card
            .set_crtc(port.crtc, Some(picture), (0, 0), &connectors, mode)?;
        screen.set = true;
        counts.mode_sets += 1;
        Ok(())
    }

    /// Ends or begins the signal.
    pub(super) fn signal(&mut self, on: bool, counts: &mut Counts) {
        if let Err(e) = self.port.signal(on) {
            tracing::warn!("cannot switch the signal of {}: {e}", self.port.name);
        }
        let Some(screen) = &mut self.screen else {
            return;
        };
        if on && self.plugged && !self.lost {
            // At once with the black picture: the monitor wakes while the board is drawn.
            let picture = screen.buffers.front();
            if let Err(e) = self.set(picture, counts) {
                tracing::warn!("cannot wake {}: {e}", self.port.name);
            }
        }
    }

    /// Looks who owns the display. `true` when it was just given back.
    pub(super) fn poll_device(&mut self) -> Result<bool, PresentError> {
        if !self.lost && self.port.card.is_master() {
            return if self.plugged {
                Ok(false)
            } else {
                Err(PresentError::State(self.unplugged()))
            };
        }
        if !self.lost {
            self.lost = true;
            tracing::warn!("{}", self.others());
        }
        if let Err(e) = self.port.card.acquire() {
            if is_refused(&e) {
                // This file may not own it any more; a new one owns it as soon as nobody else does.
                fd_store::forget(&self.port.name);
                return Err(PresentError::Reopen(self.others()));
            }
            return Err(PresentError::State(self.others()));
        }
        tracing::info!(
            connector = self.port.name,
            "regained control of the display"
        );
        self.lost = false;
        if let Some(screen) = &mut self.screen {
            screen.set = false;
            screen.buffers.forget();
        }
        Ok(true)
    }

    /// Whether somebody else owns the display.
    pub(super) fn is_lost(&self) -> bool {
        self.lost
    }

    pub(super) fn unplugged(&self) -> String {
        format!("no monitor is connected to {}", self.port.name)
    }

    fn others(&self) -> String {
        let card = self.port.card.name();
        format!("another program owns the display {card}")
    }

    /// Frees the buffers, before the board moves to another connector.
    pub(super) fn release(self) {
        if let Some(screen) = self.screen {
            screen.buffers.release(&self.port.card);
        }
    }

    pub(super) fn status(&self) -> DeviceStatus {
        let mut status = DeviceStatus::new(if self.plugged {
            Connector::Connected
        } else {
            Connector::Disconnected
        });
        let facts = &mut status.facts;
        facts.insert("card", self.port.card.name().into());
        facts.insert("connector", self.port.name.clone());
        facts.insert("rotation", self.rotation.degrees().to_string());
        if self.plugged {
            facts.insert("monitor", self.monitor.title());
        }
        if let Some(screen) = &self.screen {
            facts.insert("mode", mode::title(&screen.mode));
            if screen.is_fallback {
                facts.insert("mode_missing", "configured mode not listed".into());
            }
        }
        status
    }
}
