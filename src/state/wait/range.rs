//! From a forecast to a range that holds four of five waits.

/// Spread of one interval between calls: variance ÷ mean². A little under 1, that of a Poisson
/// process: several counters with service times that are less than exponentially spread.
const INTERVAL_SPREAD: f64 = 0.8;

/// Spread that does not shrink with more calls: the pace itself drifts.
const DRIFT_SPREAD: f64 = 0.005;

/// Spread of the pace before the first call of a day.
const OPENING_SPREAD: f64 = 0.15;

/// How many standard deviations a range reaches down and up before anything is learnt: the 15 %
/// and 96 % points if pace and spread were known; they are not, and who waits longer than told is
/// worse off than who waits less. Measured: 10 % of the waits lie above, 10 % below.
const DOWN: f64 = 1.05;
const UP: f64 = 1.8;

/// With a counter perhaps free, so many of all waits may lie above the range.
const ABOVE_WHEN_FREE: f64 = 0.18;

/// A range is never told narrower than this at its upper end, s.
const LEAST_HIGH_S: f64 = 30.0;

/// How many waits shall lie outside, below and above together.
const OUTSIDE: f64 = 0.2;

/// How far one wait moves the logarithm of the width, and the calls ahead at which it moves it
/// half as far: people in a long queue share most of their wait, so they count as fewer.
const STEP: f64 = 0.15;
const SHARED_CALLS: f64 = 6.0;

/// Bounds of the logarithm of the width.
const NARROWEST: f64 = -1.5;
const WIDEST: f64 = 1.2;

/// What the wait of the next person depends on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Forecast {
    /// Certain part, s: until opening.
    delay: f64,
    /// Expected length of the rest, s.
    mean: f64,
    /// Calls until this person's own, the own included.
    calls: f64,
    /// Likelihood that the person has to wait at all.
    busy: f64,
    /// Spread beyond that of the intervals.
    drift: f64,
}

impl Forecast {
    /// People wait: so many calls from now, expected to take `mean` seconds.
    pub(super) fn queueing(mean: f64, calls: f64) -> Self {
        Self {
            delay: 0.0,
            mean,
            calls,
            busy: 1.0,
            drift: DRIFT_SPREAD,
        }
    }

    /// Before opening.
    pub(super) fn opening(delay: f64, mean: f64, calls: f64) -> Self {
        Self {
            delay,
            drift: OPENING_SPREAD,
            ..Self::queueing(mean, calls)
        }
    }

    /// Nobody waits, and with likelihood `busy` no counter is free.
    pub(super) fn maybe_free(mean: f64, busy: f64) -> Self {
        Self {
            // Never quite certain: then it would be a queue of one.
            busy: busy.min(0.99),
            ..Self::queueing(mean, 1.0)
        }
    }

    /// The range in seconds; `width` is the logarithm of how much wider than usual.
    pub(super) fn range(&self, width: f64) -> (f64, f64) {
        let wider = width.exp();
        if self.calls <= 0.0 {
            return (self.delay, self.delay + 2.0 * LEAST_HIGH_S);
        }
        if self.busy < 1.0 {
            // P(wait > x) = busy · exp(-x / mean).
            let above = (ABOVE_WHEN_FREE / wider).min(0.6);
            let high = self.mean * (self.busy / above).ln();
            return (0.0, high.max(LEAST_HIGH_S));
        }
        let spread = INTERVAL_SPREAD / self.calls + self.drift;
        let low = self.mean * gamma_quantile(spread, -DOWN * wider);
        let high = self.mean * gamma_quantile(spread, UP * wider);
        (self.delay + low, self.delay + high)
    }

    /// How much this forecast's outcome teaches about the width, 0 to 1.
    pub(super) fn weight(&self) -> f64 {
        1.0 / (1.0 + self.calls / SHARED_CALLS)
    }
}

/// The quantile of a gamma distribution with mean 1 and this variance, at a point of the standard
/// normal (Wilson and Hilferty 1931: its cube root is nearly normal). At least 0.
fn gamma_quantile(variance: f64, z: f64) -> f64 {
    let ninth = variance / 9.0;
    (1.0 - ninth + z * ninth.sqrt()).max(0.0).powi(3)
}

/// The width after one more outcome: wider when the wait lay outside, else a little narrower
/// (adaptive conformal inference), so that in the long run the share outside is right.
pub(super) fn learn(width: f64, range: (f64, f64), wait: f64, weight: f64) -> f64 {
    // Ranges are told in whole seconds.
    let outside = wait < range.0 - 0.5 || wait > range.1 + 0.5;
    let step = if outside { 1.0 - OUTSIDE } else { -OUTSIDE };
    (width + STEP * weight * step).clamp(NARROWEST, WIDEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_the_gamma_distribution() {
        for (variance, z, expected) in [
            (1.0, -1.2816, 0.105), // the exponential distribution: -ln 0.9
            (1.0, 1.2816, 2.303),  // -ln 0.1
            (0.1, 1.2816, 1.421),  // shape 10: chi-square 20 at 90 % is 28.41
            (0.1, -1.2816, 0.622), // and 12.44 at 10 %
            (1.0, -9.0, 0.0),
        ] {
            let found = gamma_quantile(variance, z);
            assert!((found - expected).abs() < 0.025, "{variance} {z}: {found}");
        }
    }

    #[test]
    fn more_calls_make_a_relatively_narrower_range() {
        let relative = |calls: f64| {
            let (low, high) = Forecast::queueing(100.0 * calls, calls).range(0.0);
            (high - low) / (100.0 * calls)
        };
        assert!(relative(1.0) > relative(4.0));
        assert!(relative(4.0) > relative(30.0));
        assert!(relative(30.0) > 0.2);
    }

    #[test]
    fn a_likely_free_counter_means_a_short_wait() {
        let (low, high) = Forecast::maybe_free(300.0, 0.1).range(0.0);
        assert_eq!((low, high), (0.0, LEAST_HIGH_S));
        let (low, high) = Forecast::maybe_free(300.0, 0.8).range(0.0);
        assert!(low == 0.0 && high > 300.0);
    }

    #[test]
    fn the_width_settles_where_one_in_five_is_outside() {
        // Waits spread evenly over 0..1000 s: the range that holds 80 % of them is found.
        let mut width = 0.0;
        let mut outside = 0;
        for i in 0..2000_u32 {
            let wait = f64::from((i * 619) % 1000);
            let range = Forecast::queueing(450.0, 4.0).range(width);
            let next = learn(width, range, wait, 1.0);
            outside += u32::from(next > width);
            width = next;
        }
        assert!((300..500).contains(&outside), "{outside}");
    }
}
