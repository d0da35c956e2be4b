//! Mornings at an office, for the tests of sources: what staff do, and what a board is to show of it.

use super::fixtures::{Board, at};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// Numbers at random from a seed (SplitMix64).
struct Dice(u64);

impl Dice {
    fn next(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % below
    }

    /// Seconds between two bounds.
    fn between(&mut self, from: f64, to: f64) -> f64 {
        let part = u32::try_from(self.next(1000)).unwrap();
        from + (to - from) * f64::from(part) / 1000.0
    }
}

/// What staff do.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Act {
    /// A ticket by its letter and number is called to a counter: the first time, or not.
    Call(char, u32, u32, bool),
    Reset,
}

/// A morning: 78 single calls, six bursts of five, six recalls, six tickets that move.
pub(super) fn morning(seed: u64, with_reset: bool) -> Vec<(f64, Act)> {
    let mut dice = Dice(seed);
    let mut acts = Vec::new();
    let mut numbers = BTreeMap::from([('A', 0), ('B', 0), ('E', 0)]);
    let (mut t, mut last) = (2.0, ('A', 0, 0));
    for i in 0..96_u32 {
        t += dice.between(2.6, 3.6);
        let burst = i % 16 == 7;
        let again = (i % 16 == 3 || i % 16 == 12) && last.1 > 0;
        if i == 50 && with_reset {
            acts.push((t, Act::Reset));
            numbers.values_mut().for_each(|n| *n = 0);
            t += dice.between(2.6, 3.6);
        }
        if again && i != 50 {
            // The same ticket: to its counter, or to another one.
            let counter = if i % 16 == 3 { last.2 } else { last.2 % 5 + 1 };
            last.2 = counter;
            acts.push((t, Act::Call(last.0, last.1, counter, true)));
            continue;
        }
        for _ in 0..if burst { 5 } else { 1 } {
            let letter = ['A', 'B', 'E'][usize::try_from(dice.next(3)).unwrap()];
            let number = numbers.get_mut(&letter).unwrap();
            *number += 1;
            last = (letter, *number, u32::try_from(dice.next(5)).unwrap() + 1);
            acts.push((t, Act::Call(last.0, last.1, last.2, false)));
            t += if burst { 0.2 } else { 0.0 };
        }
    }
    let calls = acts.iter().filter(|(_, act)| *act != Act::Reset);
    assert_eq!(calls.count(), 120);
    acts
}

/// A call as a board is to show it.
pub(super) type Shown = (String, String, bool);

/// UTC without offset, as two of the systems write it.
pub(super) fn utc(t: f64) -> String {
    let now: Timestamp = at(t).wall;
    now.to_string().trim_end_matches('Z').to_owned()
}

/// All calls that were made were shown, once, in order, and marked as they are.
pub(super) fn same(made: &[Shown], board: &Board) {
    for (i, (call, shown)) in made.iter().zip(&board.calls).enumerate() {
        let around = |list: &[Shown]| list[i.saturating_sub(2)..(i + 4).min(list.len())].to_vec();
        assert_eq!(
            call,
            shown,
            "{i}: {:?} {:?}",
            around(made),
            around(&board.calls)
        );
    }
    assert_eq!((board.calls.len(), board.missed), (made.len(), 0));
}

/// How many of the calls that were made were shown, in order, and whether none was invented.
pub(super) fn shown_in_order(made: &[Shown], shown: &[Shown]) -> usize {
    let mut left = made.iter();
    for call in shown {
        let found = left
            .by_ref()
            .any(|made| made.0 == call.0 && made.1 == call.1);
        assert!(found, "{call:?} was not made so, or in another order");
    }
    shown.len()
}

/// Calls as they are made: ticket, counter, whether the same ticket in this numbering.
pub(super) fn made(acts: &[(f64, Act)], ticket: impl Fn(char, u32) -> String) -> Vec<Shown> {
    let call = |(_, act): &(f64, Act)| match act {
        Act::Call(letter, number, counter, again) => {
            Some((ticket(*letter, *number), counter.to_string(), *again))
        }
        Act::Reset => None,
    };
    acts.iter().filter_map(call).collect()
}

/// Plays acts and looks once a second: `act` changes the system, `look` reads it.
pub(super) fn polled(
    acts: &[(f64, Act)],
    every: f64,
    phase: f64,
    mut step: impl FnMut(f64, Option<&Act>),
) {
    let mut look = phase;
    for (t, act) in acts {
        while look < *t {
            step(look, None);
            look += every;
        }
        step(*t, Some(act));
    }
    for _ in 0..3 {
        step(look, None);
        look += every;
    }
}
