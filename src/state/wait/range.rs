//! From a forecast to a range that holds four of five waits.

/// Spread of one interval between calls: variance ÷ mean². Under 1, that of a Poisson process:
/// several counters with service times that are less than exponentially spread.
const INTERVAL_SPREAD: f64 = 0.6;

/// Spread of the low end that does not grow with further calls: several people are called at once
/// when a group leaves, somebody does not come, or a counter opens.
const BURST_SPREAD: f64 = 0.5;

/// Spread that does not shrink with more calls: the pace itself drifts.
const DRIFT_SPREAD: f64 = 0.005;

/// The pace rests on calls, and is known as well as these are many: its spread is so many calls ÷
/// (the calls seen + those that its prior is worth). At opening time a wait may well be twice as
/// long as told; at noon it is not.
const PACE_SPREAD: f64 = 0.8;
const PRIOR_WORTH: f64 = 5.0;

/// Spread of the pace before the first call of a day.
const OPENING_SPREAD: f64 = 0.15;

/// How many standard deviations a range reaches down and up before anything is learnt. Who waits
/// longer than told is worse off than who waits less.
const DOWN: f64 = 0.74;
const UP: f64 = 1.46;

/// With a counter perhaps free, so many of all waits may lie above the range.
const ABOVE_WHEN_FREE: f64 = 0.2;

/// A range is never told narrower than this at its upper end, s.
const LEAST_HIGH_S: f64 = 30.0;

/// How many waits shall lie outside at either end.
const OUTSIDE: f64 = 0.1;

/// How far one wait moves the logarithm of a width, and the calls ahead at which it moves it half as
/// far: people in a long queue share most of their wait, so they count as fewer.
const STEP: f64 = 0.05;
const SHARED_CALLS: f64 = 6.0;

/// Bounds of the logarithm of a width.
const NARROWEST: f64 = -1.5;
const WIDEST: f64 = 1.2;

/// Shape of the intervals of a queue whose ranges have the usual width: a sum of `n` has the
/// variance `1 ÷ (shape · n)`. Measured on three recorded days, as the burst in [`Intervals`](crate::model::Intervals).
const SHAPE: f64 = 1.8;

/// A ratio of gamma variates is never further out than this many times its mean.
const FURTHEST: f64 = 8.0;

/// Logarithms of how much further than usual ranges of a queue must reach.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Widths {
    down: f64,
    up: f64,
}

impl Widths {
    /// The widths after one more outcome: an end that the wait lay beyond moves out, else a little
    /// in (adaptive conformal inference), so that in the long run the share beyond it is right.
    #[must_use]
    pub(super) fn learn(self, range: (f64, f64), wait: f64, weight: f64) -> Self {
        let moved = |width: f64, outside: bool| {
            let step = if outside { 1.0 - OUTSIDE } else { -OUTSIDE };
            (width + STEP * weight * step).clamp(NARROWEST, WIDEST)
        };
        // Ranges are told in whole seconds; below 0 there is nothing.
        Self {
            down: if range.0 > 0.5 {
                moved(self.down, wait < range.0 - 0.5)
            } else {
                self.down
            },
            up: moved(self.up, wait > range.1 + 0.5),
        }
    }

    /// The shape of intervals that make ranges so wide.
    pub(super) fn shape(self) -> f64 {
        SHAPE * (-(self.down + self.up)).exp()
    }
}

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
    /// Spread of the pace: variance ÷ mean².
    pace: f64,
}

impl Forecast {
    /// People wait: so many calls from now, expected to take `mean` seconds by a pace that so many
    /// calls tell of.
    pub(super) fn queueing(mean: f64, calls: f64, evidence: f64) -> Self {
        Self {
            delay: 0.0,
            mean,
            calls,
            busy: 1.0,
            pace: PACE_SPREAD / (evidence.max(0.0) + PRIOR_WORTH),
        }
    }

    /// Before opening.
    pub(super) fn opening(delay: f64, mean: f64, calls: f64) -> Self {
        Self {
            delay,
            pace: OPENING_SPREAD,
            ..Self::queueing(mean, calls, 0.0)
        }
    }

    /// Nobody waits, and with likelihood `busy` no counter is free.
    pub(super) fn maybe_free(mean: f64, busy: f64) -> Self {
        Self {
            // Never quite certain: then it would be a queue of one.
            busy: busy.min(0.99),
            ..Self::queueing(mean, 1.0, 0.0)
        }
    }

    /// The range in seconds.
    pub(super) fn range(&self, widths: Widths) -> (f64, f64) {
        if self.calls <= 0.0 {
            return (self.delay, self.delay + 2.0 * LEAST_HIGH_S);
        }
        if self.busy < 1.0 {
            // P(wait > x) = busy · exp(-x / mean).
            let above = (ABOVE_WHEN_FREE / widths.up.exp()).min(0.6);
            let high = self.mean * (self.busy / above).ln();
            return (0.0, high.max(LEAST_HIGH_S));
        }
        let calls = INTERVAL_SPREAD / self.calls + DRIFT_SPREAD;
        let burst = calls + BURST_SPREAD / (self.calls * self.calls);
        let low = self.mean * quantile(burst, self.pace, -DOWN * widths.down.exp());
        let high = self.mean * quantile(calls, self.pace, UP * widths.up.exp());
        (self.delay + low, self.delay + high)
    }

    /// How much this forecast's outcome teaches about the width, 0 to 1.
    pub(super) fn weight(&self) -> f64 {
        1.0 / (1.0 + self.calls / SHARED_CALLS)
    }
}

/// The quantile, at a point of the standard normal, of a sum of intervals whose pace is itself an
/// estimate: one gamma variate of mean 1 and variance `calls` ÷ another of variance `pace`. This is
/// what a Poisson rate with a gamma posterior predicts, and has the longer upper tail the less the
/// pace is known. Paulson 1942 (An approximate normalization of the analysis of variance
/// distribution): with the cube roots of both nearly normal, their ratio `y` solves a quadratic
/// equation. Between 0 and 8.
fn quantile(calls: f64, pace: f64, z: f64) -> f64 {
    let (a, b) = (calls / 9.0, pace / 9.0);
    let (of_pace, of_calls, z2) = (1.0 - b, 1.0 - a, z * z);
    let lead = of_pace * of_pace - z2 * b;
    if lead <= 0.05 {
        // The pace is as good as unknown.
        return if z > 0.0 { FURTHEST } else { 0.0 };
    }
    let product = of_pace * of_calls;
    let root = (product * product - lead * (of_calls * of_calls - z2 * a))
        .max(0.0)
        .sqrt();
    let y = (product + z.signum() * root) / lead;
    y.max(0.0).powi(3).min(FURTHEST)
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
            let found = quantile(variance, 0.0, z);
            assert!((found - expected).abs() < 0.025, "{variance} {z}: {found}");
        }
    }

    #[test]
    fn a_pace_that_few_calls_tell_of_has_a_longer_tail() {
        // The F distribution: 95 % points of F(10, 4) 5.96, F(10, 20) 2.35 (any table).
        for (calls, pace, z, expected) in [(0.2, 0.5, 1.645, 5.96), (0.2, 0.1, 1.645, 2.35)] {
            let found = quantile(calls, pace, z);
            assert!(
                (found / expected - 1.0).abs() < 0.05,
                "{found} for {expected}"
            );
        }
        let high = |evidence| {
            Forecast::queueing(1000.0, 10.0, evidence)
                .range(Widths::default())
                .1
        };
        assert!(high(0.0) > 1.2 * high(50.0));
    }

    #[test]
    fn more_calls_make_a_relatively_narrower_range() {
        let relative = |calls: f64| {
            let (low, high) =
                Forecast::queueing(100.0 * calls, calls, 50.0).range(Widths::default());
            (high - low) / (100.0 * calls)
        };
        assert!(relative(1.0) > relative(4.0));
        assert!(relative(4.0) > relative(30.0));
        assert!(relative(30.0) > 0.2);
    }

    #[test]
    fn a_likely_free_counter_means_a_short_wait() {
        let (low, high) = Forecast::maybe_free(300.0, 0.1).range(Widths::default());
        assert_eq!((low, high), (0.0, LEAST_HIGH_S));
        let (low, high) = Forecast::maybe_free(300.0, 0.8).range(Widths::default());
        assert!(low == 0.0 && high > 300.0);
    }

    #[test]
    fn either_end_settles_where_one_in_ten_is_beyond() {
        // Waits spread evenly over 0..1000 s: the range that holds 80 % of them is found.
        let mut widths = Widths::default();
        let (mut below, mut above) = (0, 0);
        for i in 0..6000_u32 {
            let wait = f64::from((i * 619) % 1000);
            let range = Forecast::queueing(450.0, 4.0, 50.0).range(widths);
            widths = widths.learn(range, wait, 1.0);
            below += u32::from(wait < range.0 - 0.5);
            above += u32::from(wait > range.1 + 0.5);
        }
        assert!((450..750).contains(&below), "{below}");
        assert!((450..750).contains(&above), "{above}");
    }
}
