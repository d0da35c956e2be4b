//! Whether two runs of the program use one identity at the same time.
//!
//! Each run draws an id at its start and counts its messages. A run that is heard, then another one,
//! then the first one again *with a higher count*, is still there: the other did not replace it. A box
//! that was replaced, a restart and what a broker kept or restored never look so, because there the
//! earlier run does not come back, or comes back with a count that is known.

use crate::clock::Now;
use std::collections::VecDeque;
use std::time::Duration;

/// Two returns within this mean two runs. One alone does not: a broker that was restored from an old
/// copy brings back a run that is gone, once. Two machines on one client id throw each other out
/// every 30 s at the latest, the longest pause of a session.
const WINDOW: Duration = Duration::from_secs(120);

/// Without another return for this long the other run is gone: three times the longest pause.
const OVER_AFTER: Duration = Duration::from_secs(90);

/// Runs that are remembered, the newest: more than restart within the window.
const REMEMBERED: usize = 16;

/// The runs of the program that were heard of under one identity.
#[derive(Debug, Default)]
pub struct Instances {
    /// Each run's id and highest count, the one heard last at the end.
    known: VecDeque<(String, u64)>,
    /// When a run last came back.
    returned: Option<Duration>,
    shared: bool,
}

impl Instances {
    /// Takes what a run says of itself; whether that is news.
    pub fn hear(&mut self, id: &str, seq: u64, now: Now) -> bool {
        let place = self.known.iter().position(|(known, _)| known == id);
        let known = place.and_then(|place| self.known.get(place));
        if known.is_some_and(|(_, highest)| *highest >= seq) {
            return false;
        }
        if let Some(place) = place {
            if place + 1 < self.known.len() {
                self.note_return(now);
            }
            self.known.remove(place);
        }
        if self.known.len() >= REMEMBERED {
            self.known.pop_front();
        }
        self.known.push_back((id.to_owned(), seq));
        true
    }

    fn note_return(&mut self, now: Now) {
        let again = self.returned.is_some_and(|at| now.since(at) <= WINDOW);
        self.returned = Some(now.mono);
        self.shared = again;
    }

    /// Notes that the broker itself said that another client took our session over.
    pub fn taken_over(&mut self, now: Now) {
        self.returned = Some(now.mono);
        self.shared = true;
    }

    /// Whether two runs are there now.
    #[must_use]
    pub fn is_shared(&self, now: Now) -> bool {
        self.shared && self.returned.is_some_and(|at| now.since(at) <= OVER_AFTER)
    }

    /// Whether no run was ever heard of.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: u64) -> Now {
        Now {
            mono: Duration::from_secs(second),
            ..Now::at(jiff::Timestamp::UNIX_EPOCH)
        }
    }

    /// Messages as run, count and second; whether two runs are known of at that second.
    fn check(case: &str, messages: &[(&str, u64, u64, bool)]) -> Instances {
        let mut instances = Instances::default();
        for (id, seq, second, shared) in messages {
            instances.hear(id, *seq, at(*second));
            assert_eq!(
                instances.is_shared(at(*second)),
                *shared,
                "{case}: {id} {seq} at {second} s"
            );
        }
        instances
    }

    #[test]
    fn two_runs_that_take_turns_are_two_machines_until_one_stays_away() {
        let swaps = [
            ("a", 1, 0, false),
            ("b", 1, 5, false),
            ("a", 2, 10, false),
            ("b", 2, 15, true),
            ("a", 3, 45, true),
        ];
        let instances = check("swaps", &swaps);
        assert!(instances.is_shared(at(45 + 90)));
        assert!(!instances.is_shared(at(45 + 91)));
    }

    #[test]
    fn it_begins_again_only_with_two_returns() {
        let swaps = [
            ("a", 1, 0, false),
            ("b", 1, 1, false),
            ("a", 2, 2, false),
            ("b", 2, 3, true),
            ("a", 3, 300, false),
            ("b", 3, 310, true),
        ];
        check("again", &swaps);
    }

    #[test]
    fn restarts_replacements_and_old_copies_are_one_machine() {
        let restarts: Vec<_> = (0..40_u64)
            .map(|n| {
                (
                    ["a", "b", "c", "d"][(n / 10) as usize],
                    n % 10 + 1,
                    n,
                    false,
                )
            })
            .collect();
        check("one run after the other", &restarts);
        let copy = [
            ("a", 1, 0, false),
            ("b", 1, 1, false),
            ("a", 1, 2, false),
            ("b", 1, 3, false),
            ("a", 1, 4, false),
            ("b", 2, 5, false),
            ("a", 1, 6, false),
            ("b", 3, 7, false),
        ];
        check("a broker that is restored again and again", &copy);
        let unknown = [
            ("b", 1, 0, false),
            ("a", 7, 1, false),
            ("b", 2, 2, false),
            ("a", 7, 3, false),
            ("b", 3, 4, false),
        ];
        check("from a copy of before we began", &unknown);
        let apart = [
            ("a", 1, 0, false),
            ("b", 1, 10, false),
            ("a", 2, 20, false),
            ("b", 2, 141, false),
        ];
        check("returns that lie far apart", &apart);
    }

    #[test]
    fn a_second_machine_that_restarts_at_every_turn_is_noticed() {
        let swaps = [
            ("a", 1, 0, false),
            ("b", 1, 1, false),
            ("a", 2, 2, false),
            ("c", 1, 3, false),
            ("a", 3, 4, true),
        ];
        check("ever new runs", &swaps);
    }

    #[test]
    fn the_brokers_own_word_counts_at_once() {
        let mut instances = Instances::default();
        instances.taken_over(at(7));
        assert!(instances.is_shared(at(7)));
        assert!(!instances.is_shared(at(98)));
    }

    #[test]
    fn memory_is_bounded() {
        let mut instances = Instances::default();
        for n in 0..1000 {
            instances.hear(&n.to_string(), 1, at(n));
        }
        assert_eq!(instances.known.len(), REMEMBERED);
    }
}
