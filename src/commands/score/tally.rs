//! Sums over tickets, and over what was left to wait.

use crate::model::WaitRange;

/// Sums over some tickets.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Tally {
    /// Tickets that were called.
    pub n: u32,
    /// Of these, tickets for which nothing was told.
    pub untold: u32,
    inside: u32,
    above: u32,
    wait_s: f64,
    error_s: f64,
}

impl Tally {
    /// Adds a ticket that was told a range and waited `wait_s` seconds.
    pub fn add(&mut self, prediction: Option<WaitRange>, wait_s: f64) {
        self.n += 1;
        self.wait_s += wait_s;
        let Some(prediction) = prediction else {
            self.untold += 1;
            self.error_s += wait_s;
            return;
        };
        self.error_s += (prediction.middle() - wait_s).abs();
        let wait = wait_s.round();
        if wait > f64::from(prediction.high()) {
            self.above += 1;
        } else if wait >= f64::from(prediction.low()) {
            self.inside += 1;
        }
    }

    pub(super) fn join(&mut self, other: &Self) {
        self.n += other.n;
        self.untold += other.untold;
        self.inside += other.inside;
        self.above += other.above;
        self.wait_s += other.wait_s;
        self.error_s += other.error_s;
    }

    /// Mean true wait, s; 0 without a ticket.
    #[must_use]
    pub fn mean_wait_s(&self) -> f64 {
        ratio(self.wait_s, f64::from(self.n))
    }

    /// Mean absolute error of the middle, s; 0 without a ticket.
    #[must_use]
    pub fn mae_s(&self) -> f64 {
        ratio(self.error_s, f64::from(self.n))
    }

    /// Mean absolute error ÷ mean wait; 0 when nobody waited.
    #[must_use]
    pub fn mae_ratio(&self) -> f64 {
        ratio(self.error_s, self.wait_s)
    }

    /// Share of the true waits inside the range, 0 to 1.
    #[must_use]
    pub fn inside(&self) -> f64 {
        ratio(f64::from(self.inside), f64::from(self.n))
    }

    /// Share of the true waits above the range, 0 to 1.
    #[must_use]
    pub fn above(&self) -> f64 {
        ratio(f64::from(self.above), f64::from(self.n))
    }
}

pub(super) fn ratio(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

/// Ends of the bands of waits, s: 0–5, 5–10, 10–15, 15–30, 30–60 min, and longer.
pub const BANDS_S: [u32; 6] = [300, 600, 900, 1800, 3600, u32::MAX];

/// How the waits of one band lay to the ranges told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Band {
    /// Waits counted.
    pub n: u64,
    /// Of these, shorter than the low end.
    pub below: u64,
    /// Longer than the high end.
    pub above: u64,
}

impl Band {
    /// Share of the waits below the low end, 0 to 1.
    #[must_use]
    pub fn below(&self) -> f64 {
        share(self.below, self.n)
    }

    /// Share of the waits above the high end, 0 to 1.
    #[must_use]
    pub fn above(&self) -> f64 {
        share(self.above, self.n)
    }
}

/// What was left to wait, by how long it was in truth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Remaining(pub [Band; BANDS_S.len()]);

impl Remaining {
    /// Adds what was left to somebody, s, and what was told.
    pub fn add(&mut self, prediction: WaitRange, left_s: f64) {
        let band = BANDS_S.iter().position(|end| left_s < f64::from(*end));
        let Some(band) = band.and_then(|i| self.0.get_mut(i)) else {
            return;
        };
        let left = left_s.round();
        band.n += 1;
        band.below += u64::from(left < f64::from(prediction.low()));
        band.above += u64::from(left > f64::from(prediction.high()));
    }
}

// Counts of a day are far below 2^53.
#[allow(clippy::cast_precision_loss)]
fn share(part: u64, whole: u64) -> f64 {
    ratio(part as f64, whole as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tallies_count_what_they_say() {
        let range = |low, high| WaitRange::new(low, high).expect("range");
        let mut tally = Tally::default();
        for (prediction, wait) in [
            (Some(range(100, 300)), 200.0), // exact
            (Some(range(100, 300)), 300.4), // inside in whole seconds
            (Some(range(100, 300)), 400.0), // above
            (Some(range(100, 300)), 0.0),   // below
            (None, 100.0),
        ] {
            tally.add(prediction, wait);
        }
        assert_eq!((tally.n, tally.untold), (5, 1));
        assert!((tally.inside() - 0.4).abs() < 1e-9);
        assert!((tally.above() - 0.2).abs() < 1e-9);
        assert!((tally.mean_wait_s() - 200.08).abs() < 1e-9);
        assert!((tally.mae_s() - 120.08).abs() < 1e-9);
    }

    #[test]
    fn what_is_left_goes_into_the_band_of_its_truth() {
        let prediction = WaitRange::new(200, 700).expect("range");
        let mut remaining = Remaining::default();
        for left_s in [100.0, 199.6, 300.0, 600.0, 701.0, 4000.0] {
            remaining.add(prediction, left_s);
        }
        let counts = remaining.0.map(|b| (b.n, b.below, b.above));
        assert_eq!(
            counts,
            [
                (2, 1, 0),
                (1, 0, 0),
                (2, 0, 1),
                (0, 0, 0),
                (0, 0, 0),
                (1, 0, 1)
            ]
        );
        assert!((remaining.0[0].below() - 0.5).abs() < 1e-9);
        assert!(remaining.0[3].above().abs() < 1e-9, "of nobody, nothing");
    }
}
