//! When each call was made and when viewers had it.
//!
//! Calls are counted from 1. A viewer who gets a call has all before it as well: what a server
//! leaves out because something newer is there counts as had with the newer one.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// Delays are counted in steps of this.
const STEP: Duration = Duration::from_micros(250);

/// Delays up to a minute are told apart.
const STEPS: usize = 240_000;

/// One call.
#[derive(Debug, Default)]
struct Call {
    /// Nanoseconds after the beginning.
    made: AtomicU64,
    /// When the newest viewer had it.
    last: AtomicU64,
    viewers: AtomicUsize,
}

/// What all viewers count together.
#[derive(Debug)]
pub(super) struct Figures {
    begin: Instant,
    calls: Vec<Call>,
    delays: Vec<AtomicUsize>,
    /// Times that a viewer heard something newer.
    deliveries: AtomicUsize,
}

impl Figures {
    pub(super) fn new(calls: usize) -> Self {
        Self {
            begin: Instant::now(),
            calls: (0..=calls).map(|_| Call::default()).collect(),
            delays: (0..STEPS).map(|_| AtomicUsize::new(0)).collect(),
            deliveries: AtomicUsize::new(0),
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.begin.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    /// Notes that a call is made now.
    pub(super) fn called(&self, no: usize) {
        if let Some(call) = self.calls.get(no) {
            call.made.store(self.now(), Relaxed);
        }
    }

    /// Notes that a viewer who had call `before` has call `no` now.
    pub(super) fn heard(&self, before: usize, no: usize) {
        let now = self.now();
        let Some(calls) = self.calls.get(before + 1..=no) else {
            return;
        };
        self.deliveries.fetch_add(1, Relaxed);
        for call in calls {
            let delay = now.saturating_sub(call.made.load(Relaxed));
            call.last.fetch_max(now, Relaxed);
            call.viewers.fetch_add(1, Relaxed);
            let step = u128::from(delay) / STEP.as_nanos();
            let step = usize::try_from(step).unwrap_or(usize::MAX).min(STEPS - 1);
            if let Some(count) = self.delays.get(step) {
                count.fetch_add(1, Relaxed);
            }
        }
    }

    /// Whether so many viewers have a call.
    pub(super) fn all_have(&self, no: usize, viewers: usize) -> bool {
        let had = |call: &Call| call.viewers.load(Relaxed) >= viewers;
        self.calls.get(no).is_none_or(had)
    }

    /// How many events with something newer came to viewers.
    pub(super) fn deliveries(&self) -> usize {
        self.deliveries.load(Relaxed)
    }

    /// The delays in words.
    pub(super) fn summary(&self, viewers: usize) -> String {
        let made = self.calls.get(1..).unwrap_or_default();
        let reached = made.iter().filter(|c| c.viewers.load(Relaxed) >= viewers);
        let mut last: Vec<u64> = reached
            .map(|c| c.last.load(Relaxed).saturating_sub(c.made.load(Relaxed)))
            .collect();
        last.sort_unstable();
        let counts: Vec<usize> = self.delays.iter().map(|c| c.load(Relaxed)).collect();
        let total: usize = counts.iter().sum();
        let at = |percent: usize| {
            let wanted = (total * percent).div_ceil(100).max(1);
            let mut seen = 0;
            let step = counts.iter().position(|count| {
                seen += count;
                seen >= wanted
            });
            step.map_or(f64::NAN, |s| (s as f64 + 0.5) * STEP.as_secs_f64() * 1e3)
        };
        let of_last = |percent: usize| {
            let index = (last.len().saturating_sub(1) * percent).div_ceil(100);
            last.get(index).map_or(f64::NAN, |n| *n as f64 / 1e6)
        };
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "{} calls, {} reached all {viewers} viewers; {} events came",
            made.len(),
            last.len(),
            self.deliveries()
        );
        let _ = writeln!(
            text,
            "until the last viewer has a call: median {:.1} ms, 99th percentile {:.1} ms, most {:.1} ms",
            of_last(50),
            of_last(99),
            of_last(100)
        );
        let _ = writeln!(
            text,
            "until a viewer has a call: median {:.1} ms, 99th percentile {:.1} ms",
            at(50),
            at(99)
        );
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_is_had_with_the_newer_one() {
        let figures = Figures::new(3);
        for no in 1..=3 {
            figures.called(no);
        }
        figures.heard(0, 1);
        figures.heard(1, 3);
        figures.heard(0, 3);
        assert_eq!(figures.deliveries(), 3);
        assert!(figures.all_have(3, 2) && figures.all_have(1, 2));
        assert!(!figures.all_have(2, 3));
        let text = figures.summary(2);
        assert!(
            text.starts_with("3 calls, 3 reached all 2 viewers; 3 events came\n"),
            "{text}"
        );
        assert!(!text.contains("NaN"), "{text}");
    }

    #[test]
    fn calls_that_were_never_made_count_nothing() {
        let figures = Figures::new(1);
        figures.heard(0, 7);
        figures.heard(1, 1);
        figures.heard(2, 1);
        assert_eq!(figures.deliveries(), 1, "only the empty step");
        assert!(!figures.all_have(1, 1));
        assert!(figures.summary(1).contains("0 reached all 1 viewers"));
    }
}
