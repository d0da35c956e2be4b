//! What of a line's coming and going is worth a line in the log.
//!
//! A line that is lost is said once, and once that it is back. One that does not hold (two clients
//! with one identifier throw each other out for ever) would fill a log that way: it is said to come
//! and go, once and then every [`REPEAT`], until it holds.

use std::time::Duration;

/// A session that lived this long holds. Twice the longest pause between two attempts: two clients
/// with one identifier never leave each other alone for as long.
pub(super) const HOLDS_AFTER: Duration = Duration::from_secs(60);

/// How often it is said again that a line comes and goes.
const REPEAT: Duration = Duration::from_secs(600);

/// What to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Say {
    /// Nothing that was not said before.
    Nothing,
    /// The line is lost, or was never made.
    Lost,
    /// The line comes and goes: lost so many times since that was said first.
    ComesAndGoes(u64),
    /// The line is there for the first time.
    Connected,
    /// The line is back.
    Again,
    /// A line that came and went holds.
    Holds,
}

/// Where a session stands.
#[derive(Debug, Default)]
pub(super) struct Outage {
    /// Sessions that were lost since the line last held.
    losses: u64,
    /// Whether there is no line, and that was said.
    down: bool,
    /// When it was last said that it comes and goes.
    said: Option<Duration>,
}

impl Outage {
    /// A session that had `lived`, or an attempt, came to its end at `now` (monotonic).
    pub(super) fn lost(&mut self, lived: Option<Duration>, now: Duration) -> Say {
        let was_down = std::mem::replace(&mut self.down, true);
        match lived {
            None if was_down => return Say::Nothing,
            None => return Say::Lost,
            Some(lived) if lived >= HOLDS_AFTER => {
                *self = Self {
                    losses: 0,
                    down: true,
                    said: None,
                }
            }
            Some(_) => {}
        }
        self.losses += 1;
        if self.losses == 1 {
            return Say::Lost;
        }
        let due = self.said.is_none_or(|at| now.saturating_sub(at) >= REPEAT);
        if !due {
            return Say::Nothing;
        }
        self.said = Some(now);
        Say::ComesAndGoes(self.losses)
    }

    /// The broker took us.
    pub(super) fn up(&mut self) -> Say {
        match (std::mem::take(&mut self.down), self.losses) {
            (false, _) => Say::Connected,
            (true, 0 | 1) => Say::Again,
            (true, _) => Say::Nothing,
        }
    }

    /// A session has `lived` until now.
    pub(super) fn lives(&mut self, lived: Duration) -> Say {
        if lived < HOLDS_AFTER || self.losses == 0 {
            return Say::Nothing;
        }
        self.losses = 0;
        self.said.take().map_or(Say::Nothing, |_| Say::Holds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORT: Option<Duration> = Some(Duration::from_secs(2));

    fn at(second: u64) -> Duration {
        Duration::from_secs(second)
    }

    #[test]
    fn an_outage_is_said_once_and_so_is_its_end() {
        let mut outage = Outage::default();
        assert_eq!(outage.lost(None, at(0)), Say::Lost);
        assert_eq!(outage.lost(None, at(1)), Say::Nothing);
        assert_eq!(outage.up(), Say::Again);
        assert_eq!(outage.lives(at(60)), Say::Nothing);
        assert_eq!(outage.lost(Some(at(3600)), at(3601)), Say::Lost);
        assert_eq!(outage.lost(None, at(3602)), Say::Nothing);
        assert_eq!(outage.up(), Say::Again);
    }

    #[test]
    fn a_line_that_is_lost_again_and_again_does_not_fill_the_log() {
        let mut outage = Outage::default();
        let mut said = vec![outage.up()];
        for n in 1..=400_u64 {
            said.push(outage.lost(SHORT, at(3 * n)));
            said.push(outage.up());
        }
        said.retain(|say| *say != Say::Nothing);
        let first = [Say::Connected, Say::Lost, Say::Again, Say::ComesAndGoes(2)];
        assert_eq!(said[..4], first);
        assert_eq!(said[4..], [Say::ComesAndGoes(202)], "once in ten minutes");
        assert_eq!(outage.lives(at(59)), Say::Nothing);
        assert_eq!(outage.lives(at(60)), Say::Holds);
        assert_eq!(outage.lives(at(61)), Say::Nothing);
        assert_eq!(outage.lost(Some(at(100)), at(2000)), Say::Lost);
    }
}
