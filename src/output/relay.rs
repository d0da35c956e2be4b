//! A contact that closes for a moment with each call: a lamp for people who cannot hear. Knows no
//! ticket.
//!
//! Every call is a closing of its own, with a pause between two; when more calls wait than fit into
//! [`MAX_BACKLOG`], they are joined, counted, for a lamp that flashes long after its call sends
//! people to the wrong counter. The contact is open whenever nobody drives it: at the end, after an
//! error, when the value is dropped.

use embedded_hal::digital::OutputPin;
use std::time::Duration;

/// No call is shown later than this.
pub const MAX_BACKLOG: Duration = Duration::from_secs(10);

/// How a contact closes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pulses {
    /// Whether the low level closes it.
    pub active_low: bool,
    /// How long it closes.
    pub pulse: Duration,
    /// Shortest time between two closings.
    pub pause: Duration,
}

/// A contact on a GPIO line. Times are monotonic and handed in, so that it never waits.
#[derive(Debug)]
pub struct Relay<P: OutputPin> {
    pin: P,
    pulses: Pulses,
    waiting: u32,
    merged: u64,
    phase: Phase,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Open,
    /// Closed until then.
    Closed(Duration),
    /// Open, and not closed again before then.
    Resting(Duration),
}

impl<P: OutputPin> Relay<P> {
    /// Takes a line and opens the contact.
    ///
    /// # Errors
    /// What the line says.
    pub fn new(mut pin: P, pulses: Pulses) -> Result<Self, P::Error> {
        drive(&mut pin, pulses.active_low, false)?;
        Ok(Self {
            pin,
            pulses,
            waiting: 0,
            merged: 0,
            phase: Phase::Open,
        })
    }

    /// Notes a call; [`tick`](Self::tick) closes the contact for it.
    pub fn call(&mut self) {
        let turn = self.pulses.pulse + self.pulses.pause;
        let most = MAX_BACKLOG.as_nanos() / turn.as_nanos().max(1);
        if u128::from(self.waiting) < most.max(1) {
            self.waiting += 1;
        } else {
            self.merged += 1;
        }
    }

    /// Moves on to `now` and returns how long nothing happens by itself; `None` is for ever.
    ///
    /// # Errors
    /// What the line says; the contact may be in either state then.
    pub fn tick(&mut self, now: Duration) -> Result<Option<Duration>, P::Error> {
        if let Phase::Closed(until) = self.phase
            && until <= now
        {
            drive(&mut self.pin, self.pulses.active_low, false)?;
            self.phase = Phase::Resting(now + self.pulses.pause);
        }
        if let Phase::Resting(until) = self.phase
            && until <= now
        {
            self.phase = Phase::Open;
        }
        if self.phase == Phase::Open && self.waiting > 0 {
            drive(&mut self.pin, self.pulses.active_low, true)?;
            self.waiting -= 1;
            self.phase = Phase::Closed(now + self.pulses.pulse);
        }
        Ok(match self.phase {
            Phase::Open => None,
            Phase::Closed(until) | Phase::Resting(until) => Some(until.saturating_sub(now)),
        })
    }

    /// Calls that had no closing of their own, since the line is held.
    #[must_use]
    pub fn merged(&self) -> u64 {
        self.merged
    }
}

impl<P: OutputPin> Drop for Relay<P> {
    fn drop(&mut self) {
        // Nothing is left to be done when it cannot be opened.
        let _ = drive(&mut self.pin, self.pulses.active_low, false);
    }
}

/// Says whether the line of a relay can be used, without touching it.
#[cfg(target_os = "linux")]
#[must_use]
pub fn inspect(config: &crate::config::RelayConfig) -> Vec<super::Finding> {
    use crate::config::GpioBackend;
    use rustix::fs::Access;
    const REGISTERS: &str = "/dev/gpiomem";
    const CHIP: &str = "/dev/gpiochip0";
    let there = |path: &str| std::path::Path::new(path).exists();
    let device = match config.backend {
        GpioBackend::Linux => CHIP,
        GpioBackend::Rpi => REGISTERS,
        GpioBackend::Auto if there(REGISTERS) => REGISTERS,
        GpioBackend::Auto => CHIP,
    };
    let what = format!("relay {}: GPIO {} by {device}", config.id, config.gpio);
    let usable = rustix::fs::access(device, Access::READ_OK | Access::WRITE_OK).is_ok();
    let (level, found, advice) = if !there(device) {
        let advice = "this machine has no such GPIO: check backend, or run it on a Raspberry Pi";
        (super::Level::Failure, "no such device", advice)
    } else if !usable {
        let advice = "add the user yobiban to the group gpio and restart the service";
        (super::Level::Failure, "permission denied", advice)
    } else if matches!(config.gpio, 0 | 1) && device == REGISTERS {
        let advice = "take another line: 0 and 1 read the identification of add-on boards";
        (super::Level::Warning, "reserved on a Raspberry Pi", advice)
    } else {
        (super::Level::Good, "there, may be used", "")
    };
    vec![super::Finding {
        level,
        what,
        found: found.into(),
        advice: advice.into(),
    }]
}

fn drive<P: OutputPin>(pin: &mut P, active_low: bool, closed: bool) -> Result<(), P::Error> {
    if closed == active_low {
        pin.set_low()
    } else {
        pin.set_high()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use embedded_hal::digital::{ErrorKind, ErrorType};
    use std::sync::{Arc, Mutex};

    /// A line that writes down its levels, and fails when told to.
    #[derive(Debug, Clone, Default)]
    struct Pin(Arc<Mutex<(Vec<bool>, bool)>>);

    impl Pin {
        fn levels(&self) -> Vec<bool> {
            self.0.lock().expect("levels").0.clone()
        }

        fn set(&mut self, high: bool) -> Result<(), ErrorKind> {
            let mut inner = self.0.lock().expect("levels");
            if inner.1 {
                return Err(ErrorKind::Other);
            }
            inner.0.push(high);
            Ok(())
        }
    }

    impl ErrorType for Pin {
        type Error = ErrorKind;
    }

    impl OutputPin for Pin {
        fn set_low(&mut self) -> Result<(), ErrorKind> {
            self.set(false)
        }
        fn set_high(&mut self) -> Result<(), ErrorKind> {
            self.set(true)
        }
    }

    const PULSES: Pulses = Pulses {
        active_low: false,
        pulse: Duration::from_secs(1),
        pause: Duration::from_millis(500),
    };

    /// Lets time pass until nothing happens any more; returns when the contact closed and opened.
    fn play(relay: &mut Relay<Pin>, pin: &Pin) -> Vec<(u128, bool)> {
        let (mut now, mut seen, mut changes) = (Duration::ZERO, pin.levels().len(), Vec::new());
        loop {
            let next = relay.tick(now).expect("works");
            for level in &pin.levels()[seen..] {
                changes.push((now.as_millis(), *level));
            }
            seen = pin.levels().len();
            match next {
                Some(wait) => now += wait,
                None => return changes,
            }
        }
    }

    #[test]
    fn each_call_is_a_closing_of_its_own() {
        let pin = Pin::default();
        let mut relay = Relay::new(pin.clone(), PULSES).expect("works");
        assert_eq!(pin.levels(), [false], "open at first");
        relay.call();
        relay.call();
        let wanted = [(0, true), (1000, false), (1500, true), (2500, false)];
        assert_eq!(play(&mut relay, &pin), wanted);
        assert_eq!(play(&mut relay, &pin), [], "and no more");
    }

    #[test]
    fn a_burst_is_over_within_ten_seconds_and_says_what_it_joined() {
        let pin = Pin::default();
        let mut relay = Relay::new(pin.clone(), PULSES).expect("works");
        for _ in 0..20 {
            relay.call();
        }
        let changes = play(&mut relay, &pin);
        let closings = changes.iter().filter(|(_, closed)| *closed);
        assert_eq!(closings.clone().count(), 6);
        assert!(
            closings
                .clone()
                .all(|(at, _)| *at <= MAX_BACKLOG.as_millis())
        );
        assert_eq!(relay.merged(), 14);
    }

    #[test]
    fn a_module_that_closes_with_the_low_level_is_open_when_high() {
        let pin = Pin::default();
        let low = Pulses {
            active_low: true,
            ..PULSES
        };
        let mut relay = Relay::new(pin.clone(), low).expect("works");
        relay.call();
        assert_eq!(play(&mut relay, &pin), [(0, false), (1000, true)]);
        assert_eq!(pin.levels(), [true, false, true]);
    }

    #[test]
    fn the_contact_opens_when_it_is_let_go() {
        let pin = Pin::default();
        let mut relay = Relay::new(pin.clone(), PULSES).expect("works");
        relay.call();
        relay.tick(Duration::ZERO).expect("works");
        assert_eq!(pin.levels().last(), Some(&true));
        drop(relay);
        assert_eq!(pin.levels().last(), Some(&false));
    }

    #[test]
    fn a_line_that_fails_says_so() {
        let pin = Pin::default();
        let mut relay = Relay::new(pin.clone(), PULSES).expect("works");
        relay.call();
        pin.0.lock().expect("levels").1 = true;
        assert!(relay.tick(Duration::ZERO).is_err());
        assert!(Relay::new(pin, PULSES).is_err());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn an_inspection_says_what_is_missing() {
        use crate::config::{GpioBackend, RelayConfig};
        let config = RelayConfig {
            id: crate::model::BoardId::new("lamp").expect("id"),
            gpio: 17,
            active_low: true,
            pulse: PULSES.pulse,
            min_gap: PULSES.pause,
            queues: None,
            backend: GpioBackend::Rpi,
        };
        let finding = inspect(&config).swap_remove(0);
        assert!(
            finding.what.starts_with("relay lamp: GPIO 17"),
            "{finding:?}"
        );
        let well = finding.level == crate::output::Level::Good;
        assert_eq!(finding.advice.is_empty(), well, "{finding:?}");
    }
}
