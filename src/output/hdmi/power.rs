//! What follows when nobody is to see a board: a black picture, after a while no signal.
//!
//! Inside opening hours the signal is never dropped: monitors fall asleep without it and miss the
//! first call when it comes back.

use crate::config::Standby;
use std::time::{Duration, Instant};

/// The black picture is on the screen this long before the signal ends: a call that lights the board
/// again within it costs no waking.
const SIGNAL_ENDS_AFTER: Duration = Duration::from_secs(5);

/// Whether the board is lit, and since when not.
#[derive(Debug)]
pub(super) struct Power {
    standby: Standby,
    dark_since: Option<Instant>,
    asleep: bool,
}

/// What is to be done with the monitor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Nothing.
    Stay,
    Sleep,
    Wake,
}

impl Power {
    pub(super) fn new(standby: Standby) -> Self {
        Self {
            standby,
            dark_since: None,
            asleep: false,
        }
    }

    /// Says whether people are to see the board.
    pub(super) fn set_lit(&mut self, lit: bool, now: Instant) -> Step {
        if !lit {
            self.dark_since.get_or_insert(now);
            return Step::Stay;
        }
        self.dark_since = None;
        if std::mem::take(&mut self.asleep) {
            Step::Wake
        } else {
            Step::Stay
        }
    }

    /// Says what is due.
    pub(super) fn poll_device(&mut self, now: Instant) -> Step {
        let due = self
            .dark_since
            .is_some_and(|since| now.duration_since(since) >= SIGNAL_ENDS_AFTER);
        if !due || self.asleep || self.standby == Standby::Black {
            return Step::Stay;
        }
        self.asleep = true;
        Step::Sleep
    }

    /// Notes that a mode was set, which wakes a monitor: it is put to sleep again when that is due.
    pub(super) fn on_mode_set(&mut self) {
        self.asleep = false;
    }

    /// Whether the signal is off.
    pub(super) fn is_asleep(&self) -> bool {
        self.asleep
    }

    /// Whether monitors are told over the cable too.
    pub(super) fn uses_cec(&self) -> bool {
        self.standby == Standby::Cec
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signal_ends_a_while_after_black_and_only_where_wanted() {
        let begin = Instant::now();
        let at = |s: u64| begin + Duration::from_secs(s);
        for (standby, sleeps) in [
            (Standby::Black, false),
            (Standby::Dpms, true),
            (Standby::Cec, true),
        ] {
            let mut power = Power::new(standby);
            assert_eq!(power.poll_device(at(100)), Step::Stay, "lit");
            assert_eq!(power.set_lit(false, at(100)), Step::Stay);
            assert_eq!(power.set_lit(false, at(104)), Step::Stay, "dark already");
            assert_eq!(power.poll_device(at(104)), Step::Stay);
            let expected = if sleeps { Step::Sleep } else { Step::Stay };
            assert_eq!(power.poll_device(at(105)), expected, "{standby:?}");
            assert_eq!(power.poll_device(at(106)), Step::Stay, "once");
            assert_eq!(power.is_asleep(), sleeps);
            let expected = if sleeps { Step::Wake } else { Step::Stay };
            assert_eq!(power.set_lit(true, at(200)), expected);
            assert_eq!(power.set_lit(true, at(201)), Step::Stay);
            assert_eq!(power.poll_device(at(300)), Step::Stay, "lit again");
        }
    }

    #[test]
    fn a_monitor_exchanged_at_night_sleeps_again() {
        let begin = Instant::now();
        let mut power = Power::new(Standby::Dpms);
        power.set_lit(false, begin);
        let later = begin + Duration::from_secs(60);
        assert_eq!(power.poll_device(later), Step::Sleep);
        power.on_mode_set();
        assert!(!power.is_asleep());
        assert_eq!(power.poll_device(later), Step::Sleep);
    }
}
