//! The intervals between calls of a queue, and how long several of them take.

/// Spread of the low end that does not grow with further calls: several people are called at once
/// when a group leaves, somebody does not come, or a counter opens. Measured on three recorded days:
/// with it the share of the waits below the low end is the same near the counter as far from it.
const BURST_SPREAD: f64 = 2.0;

/// How many standard deviations a range reaches down and up: the 7 % and 90 % points if pace and
/// spread were known.
const DOWN: f64 = 1.3;
const UP: f64 = 1.3;

/// Longest mean interval that is believed, s: as the longest wait.
const LONGEST_S: f64 = 86_400.0;

/// Bounds of the shape: below, a range says nothing; above, it is narrower than a day is even.
const SHAPES: (f64, f64) = (0.05, 50.0);

/// The interval between calls of a queue in which somebody waits: its mean and its shape.
///
/// The shape is that of a gamma distribution, mean² ÷ variance in the long run: 1 for calls at
/// random, more for even ones. Thousandths, so that values can be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Intervals {
    mean_ms: u32,
    shape_thousandths: u32,
}

impl Intervals {
    /// Makes intervals with a mean in seconds (above 0, at most a day) and a shape (bounded to 0.05
    /// to 50); `None` for what is no number or no interval.
    #[must_use]
    pub fn new(mean_s: f64, shape: f64) -> Option<Self> {
        if !(mean_s > 0.0 && mean_s <= LONGEST_S && shape > 0.0 && shape.is_finite()) {
            return None;
        }
        // Bounded above: at most 86,400,000 and 50,000.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let thousandths = |x: f64| ((x * 1000.0).round() as u32).max(1);
        Some(Self {
            mean_ms: thousandths(mean_s),
            shape_thousandths: thousandths(shape.clamp(SHAPES.0, SHAPES.1)),
        })
    }

    /// Mean interval in seconds, above 0.
    #[must_use]
    pub fn mean_s(self) -> f64 {
        f64::from(self.mean_ms) / 1000.0
    }

    /// Shape, 0.05 to 50.
    #[must_use]
    pub fn shape(self) -> f64 {
        f64::from(self.shape_thousandths) / 1000.0
    }

    /// The likely range of the sum of so many intervals in seconds; zero for none.
    ///
    /// The sum of `n` intervals has the mean `n · mean` and the variance ÷ mean² of `1 ÷ (shape · n)`,
    /// at the low end `2 ÷ n²` more for bursts; it is close to a gamma distribution.
    #[must_use]
    pub fn sum(self, calls: f64) -> (f64, f64) {
        if calls <= 0.0 || calls.is_nan() {
            return (0.0, 0.0);
        }
        let spread = 1.0 / (self.shape() * calls);
        let burst = spread + BURST_SPREAD / (calls * calls);
        let mean = self.mean_s() * calls;
        (
            mean * gamma_quantile(burst, -DOWN),
            mean * gamma_quantile(spread, UP),
        )
    }
}

/// The quantile of a gamma distribution with mean 1 and this variance, at a point of the standard
/// normal (Wilson and Hilferty 1931: its cube root is nearly normal). At least 0.
fn gamma_quantile(variance: f64, z: f64) -> f64 {
    let ninth = variance / 9.0;
    (1.0 - ninth + z * ninth.sqrt()).max(0.0).powi(3)
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
    fn what_is_no_interval_is_none() {
        for (mean, shape) in [
            (0.0, 1.0),
            (-1.0, 1.0),
            (f64::NAN, 1.0),
            (90_000.0, 1.0),
            (60.0, 0.0),
            (60.0, f64::NAN),
            (60.0, f64::INFINITY),
        ] {
            assert_eq!(Intervals::new(mean, shape), None, "{mean} {shape}");
        }
        let kept = Intervals::new(60.0, 1e9).expect("bounded");
        assert!((kept.shape() - 50.0).abs() < 1e-9);
    }

    #[test]
    fn more_intervals_are_relatively_more_certain() {
        let minute = Intervals::new(60.0, 1.5).expect("valid");
        let relative = |n: f64| {
            let (low, high) = minute.sum(n);
            assert!(low <= 60.0 * n && 60.0 * n <= high, "{n}: {low}..{high}");
            (high - low) / (60.0 * n)
        };
        assert!(relative(1.0) > relative(4.0) && relative(4.0) > relative(40.0));
        assert_eq!(minute.sum(0.0), (0.0, 0.0));
    }
}
