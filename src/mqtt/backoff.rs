//! How long to wait before the next attempt.

use std::time::Duration;

/// Capped exponential back-off with full jitter: after a power cut a city's nodes come back at the
/// same moment, and must not knock at the same moments ("Exponential Backoff And Jitter", AWS
/// Architecture Blog, 2015).
#[derive(Debug, Clone)]
pub(super) struct Backoff {
    first: Duration,
    cap: Duration,
    failures: u32,
}

impl Backoff {
    pub(super) fn new((first, cap): (Duration, Duration)) -> Self {
        let first = first.max(Duration::from_millis(1));
        Self {
            first,
            cap: cap.max(first),
            failures: 0,
        }
    }

    /// The pause before the next attempt. `random` is from 0 (included) to 1.
    ///
    /// A tenth of the bound at least, so that luck never makes it a busy loop.
    pub(super) fn next(&mut self, random: f64) -> Duration {
        let bound = self
            .first
            .saturating_mul(1 << self.failures.min(20))
            .min(self.cap);
        self.failures = self.failures.saturating_add(1);
        bound.mul_f64(0.1 + 0.9 * random.clamp(0.0, 1.0))
    }

    /// Begins anew, after a session that lived.
    pub(super) fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_the_cap_and_spread() {
        let (first, cap) = (Duration::from_millis(250), Duration::from_secs(30));
        let mut backoff = Backoff::new((first, cap));
        let longest: Vec<_> = (0..10).map(|_| backoff.next(1.0)).collect();
        assert_eq!(longest[0], first);
        assert_eq!(longest[3], first * 8);
        assert_eq!(longest[9], cap);
        assert_eq!(backoff.next(0.0), cap / 10);
        backoff.reset();
        assert_eq!(backoff.next(1.0), first);
    }

    #[test]
    fn pauses_are_never_zero_and_never_overflow() {
        let mut backoff = Backoff::new((Duration::ZERO, Duration::ZERO));
        for _ in 0..100 {
            assert!(backoff.next(0.0) > Duration::ZERO);
        }
    }
}
