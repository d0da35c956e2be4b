//! How long to wait before the next attempt.

use std::time::Duration;

/// Bounds of the pause after the first failure, and of the longest.
const BOUNDS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));

/// The pause after a number of failures in a row: capped exponential back-off with jitter. `random` is
/// from 0 (included) to 1; a tenth of the bound is waited at least.
pub(super) fn pause_after(failures: u32, random: f64) -> Duration {
    let (first, cap) = BOUNDS;
    let bound = first.saturating_mul(1 << failures.saturating_sub(1).min(20));
    bound.min(cap).mul_f64(0.1 + 0.9 * random.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_half_a_minute_and_spread() {
        let longest: Vec<u64> = (0..8).map(|n| pause_after(n, 1.0).as_secs()).collect();
        assert_eq!(longest, [1, 1, 2, 4, 8, 16, 30, 30]);
        assert_eq!(pause_after(u32::MAX, 0.0), Duration::from_secs(3));
        assert_eq!(pause_after(1, 0.0), Duration::from_millis(100));
    }
}
