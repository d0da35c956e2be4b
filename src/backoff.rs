//! How long to wait before the next attempt.
//!
//! Pauses double from the first to the longest. Their spread is by chance: after a power cut a city's
//! machines come back at the same moment, and must not knock at the same moments ("Exponential Backoff
//! And Jitter", AWS Architecture Blog, 2015).

use std::time::Duration;

/// How far pauses are spread by chance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Jitter {
    /// Not at all: for a device of this machine, which nobody else asks for.
    None,
    /// From half a pause to all of it: for a few that share a receiver.
    Half,
    /// From half a pause to one and a half, so that their mean is the pause.
    Around,
    /// From a tenth of a pause to all of it: for many at one server. Never from zero, so that luck
    /// makes it no busy loop.
    Full,
}

impl Jitter {
    /// The least and the greatest factor of a pause.
    fn bounds(self) -> (f64, f64) {
        match self {
            Self::None => (1.0, 1.0),
            Self::Half => (0.5, 1.0),
            Self::Around => (0.5, 1.5),
            Self::Full => (0.1, 1.0),
        }
    }
}

/// Capped exponential back-off. Knows no clock and draws no lots: it says how long.
#[derive(Debug, Clone)]
pub struct Backoff {
    first: Duration,
    cap: Duration,
    jitter: Jitter,
    failures: u32,
}

impl Backoff {
    /// Pauses from the first to the longest, of at least a millisecond, before they are spread.
    #[must_use]
    pub fn new((first, cap): (Duration, Duration), jitter: Jitter) -> Self {
        let first = first.max(Duration::from_millis(1));
        Self {
            first,
            cap: cap.max(first),
            jitter,
            failures: 0,
        }
    }

    /// The pause before the next attempt. `random` is from 0 (included) to 1; without jitter it
    /// does not matter.
    pub fn next(&mut self, random: f64) -> Duration {
        let pause = self
            .first
            .saturating_mul(1 << self.failures.min(20))
            .min(self.cap);
        self.failures = self.failures.saturating_add(1);
        let (least, most) = self.jitter.bounds();
        pause.mul_f64(least + (most - least) * random.clamp(0.0, 1.0))
    }

    /// Begins anew, after an attempt that went well.
    pub fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_the_cap_and_spread() {
        let (first, cap) = (Duration::from_millis(250), Duration::from_secs(30));
        let mut backoff = Backoff::new((first, cap), Jitter::Full);
        let longest: Vec<_> = (0..10).map(|_| backoff.next(1.0)).collect();
        assert_eq!(longest[0], first);
        assert_eq!(longest[3], first * 8);
        assert_eq!(longest[9], cap);
        assert_eq!(backoff.next(0.0), cap / 10);
        backoff.reset();
        assert_eq!(backoff.next(1.0), first);
    }

    #[test]
    fn pauses_are_spread_as_far_as_their_jitter_says() {
        let pause = Duration::from_secs(4);
        for (jitter, least, most) in [
            (Jitter::None, pause, pause),
            (Jitter::Half, pause / 2, pause),
            (Jitter::Around, pause / 2, pause * 3 / 2),
            (Jitter::Full, pause / 10, pause),
        ] {
            let mut backoff = Backoff::new((pause, pause), jitter);
            assert_eq!(backoff.next(0.0), least, "{jitter:?}");
            assert_eq!(backoff.next(1.0), most, "{jitter:?}");
        }
    }

    #[test]
    fn pauses_are_never_zero_and_never_overflow() {
        let mut backoff = Backoff::new((Duration::ZERO, Duration::ZERO), Jitter::Full);
        for _ in 0..100 {
            assert!(backoff.next(0.0) > Duration::ZERO);
        }
    }
}
