//! The predicted wait.

use std::fmt;

/// Longest wait that is believed, in seconds: one day.
pub const MAX_WAIT_S: u32 = 24 * 3600;

/// Says that two numbers are no range of waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WaitError {
    low: u32,
    high: u32,
}

impl fmt::Display for WaitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "wait from {} to {} s: expected low <= high <= {MAX_WAIT_S}",
            self.low, self.high
        )
    }
}

impl std::error::Error for WaitError {}

/// The predicted wait of somebody who takes a ticket now, as a range in seconds.
///
/// `low <= high <= 86400`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct WaitRange {
    low: u32,
    high: u32,
}

impl WaitRange {
    /// Makes a range of seconds.
    ///
    /// # Errors
    /// [`WaitError`] when `low > high` or `high` is over a day.
    pub fn new(low: u32, high: u32) -> Result<Self, WaitError> {
        if low <= high && high <= MAX_WAIT_S {
            Ok(Self { low, high })
        } else {
            Err(WaitError { low, high })
        }
    }

    /// Makes a range from estimates in seconds, bounded to what is believed; not-a-number is 0.
    #[must_use]
    pub fn from_estimate(low: f64, high: f64) -> Self {
        let bound = |s: f64| -> u32 {
            // `as` saturates and maps NaN to 0.
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            let s = s.round() as u32;
            s.min(MAX_WAIT_S)
        };
        let low = bound(low);
        Self {
            low,
            high: bound(high).max(low),
        }
    }

    /// The shortest likely wait in seconds.
    #[must_use]
    pub fn low(self) -> u32 {
        self.low
    }

    /// The longest likely wait in seconds.
    #[must_use]
    pub fn high(self) -> u32 {
        self.high
    }

    /// The middle of the range in seconds.
    #[must_use]
    pub fn middle(self) -> f64 {
        f64::from(self.low).midpoint(f64::from(self.high))
    }
}
