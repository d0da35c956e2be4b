//! The predicted wait, and what is left of it for somebody who has a ticket.

use super::{Intervals, Status};
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

/// The predicted wait of somebody who takes a ticket now, as a range in seconds. Of a queue that
/// gives out no more tickets while people wait: of the last of these.
///
/// `low <= high <= 86400`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct WaitRange {
    low: u32,
    high: u32,
    /// What a call takes, where that is known: how the wait of each person in the queue is found.
    intervals: Option<Intervals>,
}

impl WaitRange {
    /// Makes a range of seconds.
    ///
    /// # Errors
    /// [`WaitError`] when `low > high` or `high` is over a day.
    pub fn new(low: u32, high: u32) -> Result<Self, WaitError> {
        if low <= high && high <= MAX_WAIT_S {
            Ok(Self {
                low,
                high,
                intervals: None,
            })
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
            intervals: None,
        }
    }

    /// The same range with what is known of the intervals between calls.
    #[must_use]
    pub fn with_intervals(self, intervals: Option<Intervals>) -> Self {
        Self { intervals, ..self }
    }

    /// The intervals between calls, where they are known.
    #[must_use]
    pub fn intervals(self) -> Option<Intervals> {
        self.intervals
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

    /// What is left to wait for somebody with `ahead` people before them, out of the wait that a
    /// queue tells. `None` where the queue counts nobody.
    ///
    /// Their call is the end of `ahead + 1` intervals, so it is foretold from the distribution of
    /// that sum ([`Intervals::sum`]). The pace may change further back in the queue (lunch, the end
    /// of the day): the told range knows of it and stands for the last of the queue, so the mean of
    /// an interval is brought to it in proportion to the place in the queue.
    ///
    /// Without intervals (a node of an earlier version) the share of the people ahead has to do.
    #[must_use]
    pub fn remaining(self, ahead: usize, queue: &QueueNow) -> Self {
        let ahead = f64::from(u32::try_from(ahead).unwrap_or(u32::MAX).min(queue.waiting));
        let Some(intervals) = self.intervals else {
            // The low end counts the people ahead, the high end the ticket itself too.
            let all = f64::from(queue.waiting.max(1));
            return Self::from_estimate(
                f64::from(self.low) * ahead / all,
                f64::from(self.high) * (ahead + 1.0) / (all + 1.0),
            );
        };
        let all = queue.calls_of_the_wait();
        let calls = (ahead + 1.0).min(all);
        let (low, high) = if queue.opened {
            let (near, far) = intervals.sum(all);
            let told = (self.middle() / near.midpoint(far).max(1.0)).clamp(LEAST_PULL, MOST_PULL);
            let pull = 1.0 + (told - 1.0) * calls / all;
            let (low, high) = intervals.sum(calls);
            (low * pull, high * pull)
        } else {
            // What comes before opening is the same for everybody.
            let after_opening = |calls: f64| intervals.sum((calls - CALLED_AT_OPENING).max(0.0));
            let (of_all, own) = (after_opening(all), after_opening(calls));
            let low = (f64::from(self.low) - of_all.0).max(0.0) + own.0;
            let least = low + LEAST_SPAN_S.min(f64::from(self.high - self.low));
            (low, (f64::from(self.high) - of_all.1 + own.1).max(least))
        };
        Self::from_estimate(low, high).with_intervals(self.intervals)
    }
}

/// How far a told range may pull an interval: it knows of lunch and of the end of the day, which
/// halve or double a pace, and no more.
const LEAST_PULL: f64 = 0.2;
const MOST_PULL: f64 = 5.0;

/// Counters that are free when an office opens: so many people are called at once.
pub const CALLED_AT_OPENING: f64 = 3.0;

/// The first to be called at opening are told a span of this length at most, s.
const LEAST_SPAN_S: f64 = 60.0;

/// The queue that a wait was told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueNow {
    /// People waiting.
    pub waiting: u32,
    /// Whether tickets are given out, so that the told wait is that of somebody who comes now.
    pub status: Status,
    /// Whether anybody was called today: else a closed queue has yet to open.
    pub opened: bool,
}

impl QueueNow {
    /// A queue as a source or a report describes it: before its first call a closed queue has yet
    /// to open, and tickets are given out in front of the door.
    #[must_use]
    pub fn new(status: Status, waiting: u32, called_today: bool) -> Self {
        Self {
            waiting,
            status,
            opened: called_today || status != Status::Closed,
        }
    }

    /// Calls until that of the person whose wait is told: of the last who waits, where no more
    /// tickets are given out; else of one who comes now. At least 1.
    #[must_use]
    pub fn calls_of_the_wait(&self) -> f64 {
        let waiting = f64::from(self.waiting);
        if self.status == Status::Closed && self.opened {
            waiting.max(1.0)
        } else {
            waiting + 1.0
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPEN: QueueNow = QueueNow {
        waiting: 20,
        status: Status::Open,
        opened: true,
    };

    fn told(low: u32, high: u32, mean_s: f64) -> WaitRange {
        let range = WaitRange::new(low, high).expect("range");
        range.with_intervals(Intervals::new(mean_s, 1.5))
    }

    #[test]
    fn the_wait_left_is_that_of_the_calls_left() {
        // 21 calls of 60 s, told without a bend: middle 21 min.
        let wait = told(900, 1620, 60.0);
        let left = |ahead| wait.remaining(ahead, &OPEN);
        for ahead in 0..20_usize {
            let expected = 60.0 * f64::from(u32::try_from(ahead).expect("small") + 1);
            let range = left(ahead);
            assert!(
                f64::from(range.low()) < expected && expected < f64::from(range.high()),
                "{ahead} ahead: {range:?}"
            );
            assert!(left(ahead + 1).high() >= range.high() && left(ahead + 1).low() >= range.low());
        }
        // Relatively wider in front: the sum of few intervals is less certain.
        let relative = |r: WaitRange| f64::from(r.high() - r.low()) / r.middle();
        assert!(relative(left(1)) > 1.5 * relative(left(19)));
    }

    #[test]
    fn a_bend_in_the_pace_is_felt_at_the_end_of_the_queue() {
        // At lunch an interval takes twice as long; most of the queue will be called after it.
        let wait = told(900, 1620, 120.0);
        let near = wait.remaining(1, &OPEN).middle();
        let last = wait.remaining(19, &OPEN).middle();
        assert!((200.0..330.0).contains(&near), "{near}");
        assert!((1050.0..1500.0).contains(&last), "{last}");
    }

    #[test]
    fn before_opening_everybody_waits_for_the_door() {
        let line = QueueNow::new(Status::Closed, 9, false);
        // 20 min until opening, then six calls of 100 s behind the four at once.
        let wait = told(1500, 2100, 100.0);
        let first = wait.remaining(0, &line);
        assert!((1000..1300).contains(&first.low()), "{first:?}");
        let last = wait.remaining(8, &line);
        assert!(
            last.low() > first.low() && last.high() > first.high(),
            "{last:?}"
        );
    }

    #[test]
    fn a_closed_queue_tells_the_wait_of_its_last() {
        let line = QueueNow::new(Status::Closed, 12, true);
        let wait = told(600, 1000, 65.0);
        let last = wait.remaining(11, &line);
        assert!((last.middle() - wait.middle()).abs() < 120.0, "{last:?}");
    }

    #[test]
    fn without_intervals_the_share_has_to_do() {
        let wait = WaitRange::new(480, 900).expect("range");
        let line = QueueNow::new(Status::Open, 12, true);
        let range = |ahead| {
            let left = wait.remaining(ahead, &line);
            (left.low(), left.high())
        };
        assert_eq!(range(0), (0, 69));
        assert_eq!(range(6), (240, 485));
        assert_eq!(range(12), (480, 900));
    }

    #[test]
    fn nonsense_gives_a_range_all_the_same() {
        for (waiting, ahead) in [(0, 0), (0, 9), (3, usize::MAX), (u32::MAX, 7)] {
            for status in [Status::Open, Status::Paused, Status::Closed] {
                for opened in [true, false] {
                    let line = QueueNow::new(status, waiting, opened);
                    let left = told(0, MAX_WAIT_S, 3600.0).remaining(ahead, &line);
                    assert!(left.low() <= left.high() && left.high() <= MAX_WAIT_S);
                }
            }
        }
    }
}
