//! Which counters there are, which queues they serve, and how likely one of them is free.

use crate::model::Label;

/// Most counters that are remembered: far more than an office has.
const MAX_COUNTERS: usize = 256;

/// Likelihood that no counter is free while none of them is known.
const BUSY_UNKNOWN: f64 = 0.3;

/// Likelihood that no counter is free = BUSY_LEAST + BUSY_SLOPE × share of counters thought busy.
/// Not a clean product of independent counters: those who come back with missing papers keep one
/// busy without a call, and people come in bursts.
const BUSY_LEAST: f64 = 0.08;
const BUSY_SLOPE: f64 = 0.95;

/// A set of queues by their index, below 64.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Group(u64);

impl Group {
    fn of(index: usize) -> Self {
        Self(
            1_u64
                .checked_shl(u32::try_from(index).unwrap_or(u32::MAX))
                .unwrap_or(0),
        )
    }

    pub(super) fn has(self, index: usize) -> bool {
        self.0 & Self::of(index).0 != 0
    }
}

#[derive(Debug, Clone)]
struct Counter {
    label: Label,
    /// Queues it called for today.
    serves: u64,
    /// Its newest call, s since 1970.
    last: f64,
}

/// The counters of an office that called somebody today.
#[derive(Debug, Clone, Default)]
pub(super) struct Counters(Vec<Counter>);

impl Counters {
    /// Notes a call of a queue to a counter.
    pub(super) fn called(&mut self, label: &Label, queue: usize, at: f64) {
        let bit = Group::of(queue).0;
        if let Some(known) = self.0.iter_mut().find(|c| c.label == *label) {
            known.serves |= bit;
            known.last = known.last.max(at);
        } else if self.0.len() < MAX_COUNTERS {
            self.0.push(Counter {
                label: label.clone(),
                serves: bit,
                last: at,
            });
        }
    }

    /// All queues that share counters with a queue, directly or through others; itself included.
    pub(super) fn group(&self, queue: usize) -> Group {
        let mut group = Group::of(queue).0;
        loop {
            let before = group;
            for counter in self.0.iter().filter(|c| c.serves & before != 0) {
                group |= counter.serves;
            }
            if group == before {
                return Group(group);
            }
        }
    }

    /// Likelihood that none of a group's counters is free, 0 to 1, while nobody waits.
    ///
    /// A counter is thought busy with exp(-age of its newest call ÷ time at a counter); the time at
    /// a counter is counters ÷ pace. `staffed` is the part of the counters that is open now.
    pub(super) fn busy(&self, group: Group, at: f64, calls_per_s: f64, staffed: f64) -> f64 {
        let mine = || self.0.iter().filter(|c| c.serves & group.0 != 0);
        let count = mine().count();
        if count == 0 {
            return BUSY_UNKNOWN;
        }
        let count = count as f64;
        let busy: f64 = mine()
            .map(|c| (-(at - c.last).max(0.0) * calls_per_s / count).exp())
            .sum();
        (BUSY_LEAST + BUSY_SLOPE * busy / (count * staffed).max(1.0)).clamp(0.0, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label(text: &str) -> Label {
        Label::new(text).expect("label")
    }

    #[test]
    fn queues_that_share_a_counter_are_one_group() {
        let mut counters = Counters::default();
        for (counter, queue) in [("1", 0), ("5", 1), ("5", 2), ("6", 2), ("6", 3), ("9", 63)] {
            counters.called(&label(counter), queue, 0.0);
        }
        let members = |q| {
            (0..64)
                .filter(|i| counters.group(q).has(*i))
                .collect::<Vec<_>>()
        };
        assert_eq!(members(0), [0]);
        assert_eq!(members(1), [1, 2, 3]);
        assert_eq!(members(3), [1, 2, 3]);
        assert_eq!(members(63), [63]);
        assert_eq!(members(7), [7]);
    }

    #[test]
    fn a_counter_becomes_free_with_time() {
        let mut counters = Counters::default();
        counters.called(&label("1"), 0, 1000.0);
        counters.called(&label("2"), 0, 1000.0);
        let busy = |at| counters.busy(counters.group(0), at, 0.01, 1.0);
        assert!(busy(1000.0) > 0.95, "just called");
        assert!(busy(1200.0) < busy(1000.0));
        assert!(busy(9000.0) < 0.1, "long free");
        assert!(busy(0.0) <= 1.0, "a call ahead of time");
    }
}
