//! Whose turn it is: calls and queues that share one small board, and how far a text has moved.
//!
//! Plain functions of time, so that a board drawn twice says the same.

use std::time::Duration;

/// Columns a second that a name moves: quick enough to be read on, slow enough to be read.
const SPEED: u32 = 30;
/// A text that moves rests this long first, so that its beginning can be found.
const REST: Duration = Duration::from_secs(1);
/// A new call changes its look this often: 1 Hz, as on monitors.
const BLINK: Duration = Duration::from_millis(500);

/// A stretch of time that belongs to one of several.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Turn {
    pub(super) index: usize,
    /// Monotonic moment at which it began.
    pub(super) start: Duration,
    /// … and ends.
    pub(super) end: Duration,
}

impl Turn {
    /// How long it has been going on.
    pub(super) fn spent(&self, at: Duration) -> Duration {
        at.saturating_sub(self.start)
    }

    /// How long it is.
    pub(super) fn length(&self) -> Duration {
        self.end.saturating_sub(self.start)
    }
}

/// How long each call is seen before the next has its turn: a share of the shortest time that it
/// stands out, so that even a full panel shows each of them within it (invariant 2).
pub(super) fn share(min_highlight: Duration, places: usize) -> Duration {
    let places = u32::try_from(places).unwrap_or(u32::MAX).max(1);
    (min_highlight / places).clamp(BLINK, 8 * BLINK)
}

/// Which call has its turn. `since` says for each, oldest first, when it began to stand out. Every
/// call gets one share in the order of the calls first; when all had it they go round.
pub(super) fn of_calls(since: &[Duration], share: Duration, at: Duration) -> Option<Turn> {
    let mut end = Duration::ZERO;
    for (index, since) in since.iter().enumerate() {
        let start = end.max(*since);
        end = start + share;
        if at < end {
            return Some(Turn { index, start, end });
        }
    }
    let round = at.saturating_sub(end).as_nanos() / share.as_nanos().max(1);
    let index = usize::try_from(round % since.len().max(1) as u128).ok()?;
    let start = end + times(share, round);
    (index < since.len()).then_some(Turn {
        index,
        start,
        end: start + share,
    })
}

/// Which of several has its turn, when each has a length of its own.
pub(super) fn in_turn(lengths: &[Duration], at: Duration) -> Option<Turn> {
    let all: Duration = lengths.iter().sum();
    let rounds = at.as_nanos().checked_div(all.as_nanos())?;
    let mut start = times(all, rounds);
    for (index, length) in lengths.iter().enumerate() {
        let end = start + *length;
        if at < end {
            return Some(Turn { index, start, end });
        }
        start = end;
    }
    None
}

/// Which of `n` equal parts of a turn it is, and when within the turn the part begins and ends.
pub(super) fn part(turn: Duration, n: usize, spent: Duration) -> Turn {
    let n = u32::try_from(n).unwrap_or(1).max(1);
    let length = (turn / n).max(Duration::from_millis(1));
    let index = u32::try_from(spent.as_nanos() / length.as_nanos())
        .unwrap_or(0)
        .min(n - 1);
    Turn {
        index: index as usize,
        start: length * index,
        // The last one takes what division left over.
        end: if index + 1 == n {
            turn.max(length * n)
        } else {
            length * (index + 1)
        },
    }
}

fn times(length: Duration, n: u128) -> Duration {
    let nanos = length.as_nanos().saturating_mul(n);
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

/// Whether a call that blinks has its second look, and when within the turn that changes.
pub(super) fn blink(spent: Duration) -> (bool, Duration) {
    let half = spent.as_nanos() / BLINK.as_nanos();
    (half % 2 == 1, times(BLINK, half + 1))
}

/// A text on its way: columns it has moved, and when within the turn it moves on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Way {
    /// Columns moved to the left.
    pub(super) columns: u32,
    /// When within the turn that changes.
    pub(super) until: Duration,
}

/// How far a text has moved that goes `columns` to the left, resting first.
pub(super) fn way(columns: u32, spent: Duration) -> Way {
    let step = Duration::from_secs(1) / SPEED;
    let moved = spent.saturating_sub(REST).as_nanos() / step.as_nanos();
    let moved = u32::try_from(moved).unwrap_or(u32::MAX);
    if moved >= columns {
        return Way {
            columns,
            until: Duration::MAX,
        };
    }
    Way {
        columns: moved,
        until: REST + step * (moved + 1),
    }
}

/// How long a text takes that moves so many columns.
pub(super) fn time(columns: u32) -> Duration {
    REST + Duration::from_secs(u64::from(columns)) / SPEED
}

/// How far a text has moved that goes `columns` within a turn and rests at both ends: for labels
/// that are wider than the board, of which no character may be lost.
pub(super) fn pan(columns: u32, turn: Duration, spent: Duration) -> Way {
    let rest = turn / 5;
    let moving = (turn - rest * 2).as_nanos().max(1);
    let spent = spent.saturating_sub(rest).as_nanos().min(moving);
    let moved = u128::from(columns) * spent / moving;
    let columns_moved = u32::try_from(moved).unwrap_or(columns);
    let next = (moved + 1) * moving;
    let next = next.div_ceil(u128::from(columns.max(1)));
    Way {
        columns: columns_moved,
        until: if columns_moved >= columns {
            Duration::MAX
        } else {
            rest + Duration::from_nanos(u64::try_from(next).unwrap_or(u64::MAX))
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    #[test]
    fn calls_that_come_at_once_have_their_turns_in_order_and_then_go_round() {
        let since = [ms(1000); 3];
        let who = |at| of_calls(&since, ms(2000), ms(at)).map(|t| t.index);
        let seen: Vec<_> = (0..8).filter_map(|i| who(1000 + i * 2000)).collect();
        assert_eq!(seen, [0, 1, 2, 0, 1, 2, 0, 1]);
        assert_eq!(of_calls(&[], ms(2000), ms(5)), None);
    }

    #[test]
    fn a_new_call_is_seen_at_once_when_the_others_have_been_seen() {
        let since = [ms(1000), ms(9100)];
        let turn = of_calls(&since, ms(2000), ms(9100)).expect("turn");
        assert_eq!((turn.index, turn.start), (1, ms(9100)));
    }

    #[test]
    fn every_call_of_a_full_panel_is_seen_within_its_shortest_time() {
        let (min_highlight, places) = (ms(12_000), 6);
        let share = share(min_highlight, places);
        let since: Vec<Duration> = (0..places).map(|i| ms(500 * i as u64)).collect();
        for (i, begin) in since.iter().enumerate() {
            let seen = (0..1200)
                .map(|step| *begin + ms(step * 10))
                // Whoever comes later is not there yet.
                .filter(|at| {
                    let there = since.iter().filter(|s| *s <= at).count();
                    of_calls(&since[..there], share, *at).is_some_and(|t| t.index == i)
                })
                .count();
            assert!(seen * 10 >= 2000, "call {i}: {} ms", seen * 10);
        }
    }

    #[test]
    fn queues_have_turns_of_their_own_lengths() {
        let lengths = [ms(8000), ms(5000)];
        let turn = in_turn(&lengths, ms(13_000 * 7 + 8000)).expect("turn");
        assert_eq!(
            (turn.index, turn.spent(ms(13_000 * 7 + 8100))),
            (1, ms(100))
        );
        assert_eq!(in_turn(&[], ms(1)), None);
    }

    #[test]
    fn a_text_rests_moves_a_column_at_a_time_and_stops() {
        assert_eq!(
            way(90, ms(0)),
            Way {
                columns: 0,
                until: REST + Duration::from_secs(1) / 30
            }
        );
        assert_eq!(way(90, ms(2001)).columns, 30);
        assert_eq!(
            way(90, time(90)),
            Way {
                columns: 90,
                until: Duration::MAX
            }
        );
        let mut spent = Duration::ZERO;
        for columns in 0..90 {
            assert_eq!(way(90, spent).columns, columns);
            spent = way(90, spent).until;
        }
    }

    #[test]
    fn a_wide_label_shows_both_its_ends_within_its_turn() {
        assert_eq!(pan(28, ms(2000), ms(0)).columns, 0);
        assert_eq!(pan(28, ms(2000), ms(1000)).columns, 14);
        assert_eq!(
            pan(28, ms(2000), ms(1600)),
            Way {
                columns: 28,
                until: Duration::MAX
            }
        );
        let mut spent = Duration::ZERO;
        for columns in 0..28 {
            assert_eq!(pan(28, ms(2000), spent).columns, columns);
            spent = pan(28, ms(2000), spent).until;
        }
    }
}
