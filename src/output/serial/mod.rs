//! Boards of digits on a serial line: faces for addresses to frames, and what came back. Knows no
//! ticket and no queue.
//!
//! A board is told what each address is to show ([`SerialBoard::set_fields`]) and does its work in
//! [`SerialBoard::poll_device`], one exchange a call, so that whoever owns it is never held up for longer
//! than one answer may take (1 s at most, 300 ms as a rule). Only what changed is sent, and
//! everything again every refresh interval and after the line came back: a board that was switched
//! off for a moment shows the right numbers soon after.
//!
//! A field that is not confirmed after its repeats is marked and tried on, less often than the
//! others; a device that is gone is opened again by its name, with back-off. Both are said by
//! [`SerialBoard::error`], which does not flicker with a line that does.
//!
//! Facts: `device`; `confirmed` (fields, such as `3 of 4`; `unknown` where boards never answer);
//! `unconfirmed` (their addresses); `last_reply` (hexadecimal, at most 64 bytes); `frames` and
//! `repeats` (counts, brought up to date every half minute or when something else changes).

mod checksum;
mod digits;
mod fault;
mod frame;
mod inspect;
mod line;
mod load;
mod parse;
mod raw;
mod reply;
mod status;
mod template;
#[cfg(test)]
mod tests;
mod transport;

pub use inspect::inspect;
#[doc(hidden)] // for the fuzz targets
pub use reply::{ReplyMatch, match_reply};
pub use template::TemplateError;

pub use crate::frame::{Face, Field};

use super::{Connector, DeviceStatus};
use crate::backoff::{Backoff, Jitter};
use crate::config::SerialConfig;
use crate::errors::plain;
use fault::FaultDebouncer;
use frame::Encoded;
use line::{ExchangeError, Line};
use std::time::{Duration, Instant};
use template::{Body, Template};
use tokio::runtime::Runtime;

/// First wait before a device is opened again, and the longest: an installer who plugs it in sees
/// digits soon.
const REOPEN: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(4));
/// A field that does not answer is tried this often at most.
const UNCONFIRMED_EVERY: Duration = Duration::from_secs(2);
/// How often a quiet line is asked whether it is still there.
const CHECK_EVERY: Duration = Duration::from_millis(500);

/// Says why a board of digits cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum SerialError {
    /// Its frames cannot be made.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// RTS cannot be switched around the frames of a Modbus client.
    #[error("rs485 with Modbus: expected adapter, for only frames of a template can switch RTS")]
    Rts,
    /// The system has no room for a runtime.
    #[error("cannot start the serial line")]
    Runtime(#[source] std::io::Error),
}

/// How far a field is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    /// Nothing was sent since the line is open.
    New,
    /// It was sent, and boards of this kind never answer.
    Sent,
    /// The board said that it has it.
    Confirmed,
    /// It did not, for this reason.
    Unconfirmed(String),
}

#[derive(Debug)]
struct Slot {
    field: Field,
    encoded: Encoded,
    state: State,
    /// Whether the line has not had what is wanted.
    changed: bool,
    /// Exchanges that failed since the last one that did not.
    attempts: u8,
    /// Not sent before this.
    next_send_at: Instant,
    /// The frame handed to the line last.
    last_sent: Option<Vec<u8>>,
}

/// A board of digits.
pub struct SerialBoard {
    config: SerialConfig,
    template: Template,
    runtime: Option<Runtime>,
    line: Option<Line>,
    slots: Vec<Slot>,
    /// Why the line is not open.
    closed: Option<String>,
    open_at: Instant,
    /// The line is only made anew after a wrong answer: what is known of the fields holds.
    renewed: bool,
    backoff: Backoff,
    /// No frame before this.
    rest_until: Instant,
    checked: Instant,
    last_reply: String,
    frames: u64,
    repeats: u64,
    fault: FaultDebouncer,
    status: DeviceStatus,
    counted: Option<Instant>,
}

impl SerialBoard {
    /// Prepares a board; its device is opened by the first [`poll_device`](Self::poll_device).
    ///
    /// # Errors
    /// [`SerialError`] when its template cannot be read or does not fit its fields.
    pub fn new(config: &SerialConfig) -> Result<Self, SerialError> {
        let template = Template::load(config)?;
        let modbus = matches!(template.body, Body::Modbus(_));
        if modbus && config.rs485 != crate::config::Rs485::Adapter {
            return Err(SerialError::Rts);
        }
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(SerialError::Runtime)?;
        let now = Instant::now();
        Ok(Self {
            config: config.clone(),
            template,
            runtime: Some(runtime),
            line: None,
            slots: Vec::new(),
            closed: None,
            open_at: now,
            renewed: false,
            backoff: Backoff::new(REOPEN, Jitter::None),
            rest_until: now,
            checked: now,
            last_reply: String::new(),
            frames: 0,
            repeats: 0,
            fault: FaultDebouncer::default(),
            status: DeviceStatus::new(Connector::Unknown),
            counted: None,
        })
    }

    /// Whether the boards blink by themselves when told to.
    #[must_use]
    pub fn blinks(&self) -> bool {
        self.template.blinks()
    }

    /// Says what is to be seen. Addresses that are left out are no longer looked after.
    pub fn set_fields(&mut self, fields: &[Field]) {
        let now = Instant::now();
        self.slots
            .retain(|slot| fields.iter().any(|f| f.address == slot.field.address));
        for field in fields {
            let slot = self
                .slots
                .iter_mut()
                .find(|slot| slot.field.address == field.address);
            match slot {
                Some(slot) if slot.field == *field => {}
                Some(slot) => {
                    slot.field = field.clone();
                    slot.encoded = self.template.encode(field);
                    slot.changed = slot.last_sent.as_ref() != Some(&slot.encoded.bytes);
                    // One that does not answer must not hold up the others with every change.
                    if slot.changed && !matches!(slot.state, State::Unconfirmed(_)) {
                        slot.attempts = 0;
                        slot.next_send_at = now;
                    }
                }
                None => self.slots.push(Slot {
                    field: field.clone(),
                    encoded: self.template.encode(field),
                    state: State::New,
                    changed: true,
                    attempts: 0,
                    next_send_at: now,
                    last_sent: None,
                }),
            }
        }
    }

    /// Does the next thing that is due: opens the device, sends one frame and waits for its
    /// answer, or looks whether the line is still there. Returns how long it may be left alone;
    /// zero when more is to be done at once.
    pub fn poll_device(&mut self) -> Duration {
        let wait = self.step();
        let now = Instant::now();
        self.fault.update(self.wrong(), now);
        self.update_status(now);
        wait
    }

    /// What is wrong, for people; `None` when all is well.
    #[must_use]
    pub fn error(&self) -> Option<&str> {
        self.fault.text.as_deref()
    }

    /// What is known about the device.
    #[must_use]
    pub fn status(&self) -> &DeviceStatus {
        &self.status
    }

    /// The frames that were handed to the line last, of all fields in their order, one after the
    /// other; `None` until each had one. Frames of Modbus stand here without transaction number
    /// and check sum.
    #[must_use]
    pub fn frames(&self) -> Option<Vec<u8>> {
        let each = self.slots.iter().map(|slot| slot.last_sent.as_deref());
        let all: Option<Vec<&[u8]>> = each.collect();
        all.filter(|all| !all.is_empty()).map(|all| all.concat())
    }

    /// Whether the device is open, so that something can be sent.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.line.is_some()
    }

    /// Whether everything that is wanted was handed to the line and, where boards answer, confirmed
    /// or given up for now.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.slots.iter().all(|slot| match slot.state {
            State::New => false,
            State::Unconfirmed(_) => true,
            State::Sent | State::Confirmed => !slot.changed && slot.attempts == 0,
        })
    }

    fn step(&mut self) -> Duration {
        let now = Instant::now();
        if self.line.is_none() {
            if now < self.open_at {
                return self.open_at - now;
            }
            self.open(now);
            return Duration::ZERO;
        }
        let Some(next) = self.next(now) else {
            return self.check_link(now);
        };
        if now < self.rest_until {
            return self.rest_until - now;
        }
        self.send(next);
        Duration::ZERO
    }

    /// The slot that is sent next: what changed, then what is tried again, then what is repeated
    /// in its turn; a turn that is long overdue goes first, so that blinking starves nobody.
    fn next(&self, now: Instant) -> Option<usize> {
        let rank = |slot: &Slot| {
            let overdue = now.saturating_duration_since(slot.next_send_at) > self.config.refresh;
            match slot.state {
                State::Unconfirmed(_) if !overdue => 3,
                _ if overdue || (slot.changed && slot.attempts == 0) => 0,
                _ if slot.attempts > 0 => 1,
                _ => 2,
            }
        };
        let due = self
            .slots
            .iter()
            .enumerate()
            .filter(|(_, s)| s.next_send_at <= now);
        due.min_by_key(|(_, slot)| (rank(slot), slot.next_send_at))
            .map(|(i, _)| i)
    }

    /// Nothing is to be sent: is the line still there?
    fn check_link(&mut self, now: Instant) -> Duration {
        if now.saturating_duration_since(self.checked) >= CHECK_EVERY {
            self.checked = now;
            if let (Some(line), Some(runtime)) = (&mut self.line, &self.runtime)
                && let Err(e) = runtime.block_on(line.drain())
            {
                self.lose(&e);
                return Duration::ZERO;
            }
        }
        let due = self.slots.iter().map(|slot| slot.next_send_at).min();
        let due = due.map_or(CHECK_EVERY, |due| due.saturating_duration_since(now));
        due.min(CHECK_EVERY)
    }

    fn open(&mut self, now: Instant) {
        let Some(runtime) = &self.runtime else { return };
        let modbus = matches!(self.template.body, Body::Modbus(_));
        match runtime.block_on(Line::open(&self.config, modbus)) {
            Ok(line) => {
                self.line = Some(line);
                self.closed = None;
                self.backoff.reset();
                if std::mem::take(&mut self.renewed) {
                    return;
                }
                for slot in &mut self.slots {
                    slot.changed = true;
                    slot.attempts = 0;
                    slot.next_send_at = now;
                    if slot.state == State::Sent || slot.state == State::Confirmed {
                        slot.state = State::New;
                    }
                }
            }
            Err(why) => {
                self.renewed = false;
                self.closed = Some(format!("cannot open {}: {why}", self.config.device));
                self.open_at = Instant::now() + self.backoff.next(1.0);
            }
        }
    }

    fn lose(&mut self, error: &std::io::Error) {
        let device = &self.config.device;
        let why = plain(error);
        self.closed = Some(format!("lost {device}: {why}"));
        self.line = None;
        self.renewed = false;
        self.open_at = Instant::now() + REOPEN.0;
        self.backoff.reset();
    }

    fn send(&mut self, index: usize) {
        let (Some(line), Some(runtime)) = (&mut self.line, &self.runtime) else {
            return;
        };
        let slot = &mut self.slots[index];
        self.frames += 1;
        if slot.attempts > 0 {
            self.repeats += 1;
        }
        let answer = runtime.block_on(line.exchange(&slot.encoded, self.template.timeout));
        let heard = line.received();
        let is_tcp = line.is_tcp();
        let now = Instant::now();
        self.rest_until = now + self.template.pause;
        self.checked = now;
        if !heard.is_empty() {
            self.last_reply = heard;
        }
        match answer {
            Ok(confirmed) => {
                slot.last_sent = Some(slot.encoded.bytes.clone());
                slot.changed = false;
                slot.attempts = 0;
                slot.next_send_at = now + self.config.refresh;
                slot.state = if confirmed {
                    State::Confirmed
                } else {
                    State::Sent
                };
            }
            Err(ExchangeError::Reply(why)) => {
                slot.last_sent = Some(slot.encoded.bytes.clone());
                slot.attempts = slot.attempts.saturating_add(1);
                let known = matches!(slot.state, State::Unconfirmed(_));
                if known || slot.attempts > self.template.repeats {
                    slot.state = State::Unconfirmed(why);
                    slot.next_send_at = now + UNCONFIRMED_EVERY.min(self.config.refresh);
                }
                if is_tcp {
                    // A late answer must not be taken for the next one.
                    self.line = None;
                    self.renewed = true;
                    self.open_at = now;
                }
            }
            Err(ExchangeError::Lost(e)) => self.lose(&e),
        }
    }
}

impl Drop for SerialBoard {
    fn drop(&mut self) {
        self.line = None;
        // A name that is still being looked up must hold nobody up.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
