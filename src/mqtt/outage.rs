//! Which connection changes are logged.
//!
//! A lost connection is logged once, and so is the reconnect. An unstable connection (two clients with
//! one identifier disconnect each other for ever) would fill the log that way: it is logged as unstable
//! once and then every [`REPEAT`], until it is stable.

use std::time::Duration;

/// A session with this uptime is stable. Twice the longest pause between two attempts: two clients
/// with one identifier never leave each other alone for as long.
pub(super) const STABLE_AFTER: Duration = Duration::from_secs(60);

/// How often the warning of an unstable connection is repeated.
const REPEAT: Duration = Duration::from_secs(600);

/// What to log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Notice {
    /// Nothing that was not logged before.
    None,
    /// The connection is lost, or was never made.
    Lost,
    /// The connection is unstable: lost so many times since it was last stable.
    Unstable(u64),
    /// Connected for the first time.
    Connected,
    /// Connected again.
    Reconnected,
    /// An unstable connection is stable again.
    Stable,
}

/// The outages of a session.
#[derive(Debug, Default)]
pub(super) struct Outage {
    /// Sessions that were lost since the connection was last stable.
    losses: u64,
    /// Whether there is no connection, and that was logged.
    logged: bool,
    /// When the unstable connection was last logged.
    last_warning: Option<Duration>,
}

impl Outage {
    /// A session that had `uptime`, or an attempt, came to its end at `now` (monotonic).
    pub(super) fn on_lost(&mut self, uptime: Option<Duration>, now: Duration) -> Notice {
        let was_logged = std::mem::replace(&mut self.logged, true);
        match uptime {
            None if was_logged => return Notice::None,
            None => return Notice::Lost,
            Some(uptime) if uptime >= STABLE_AFTER => {
                *self = Self {
                    losses: 0,
                    logged: true,
                    last_warning: None,
                }
            }
            Some(_) => {}
        }
        self.losses += 1;
        if self.losses == 1 {
            return Notice::Lost;
        }
        let due = self
            .last_warning
            .is_none_or(|at| now.saturating_sub(at) >= REPEAT);
        if !due {
            return Notice::None;
        }
        self.last_warning = Some(now);
        Notice::Unstable(self.losses)
    }

    /// The broker sent CONNACK.
    pub(super) fn on_connected(&mut self) -> Notice {
        match (std::mem::take(&mut self.logged), self.losses) {
            (false, _) => Notice::Connected,
            (true, 0 | 1) => Notice::Reconnected,
            (true, _) => Notice::None,
        }
    }

    /// A session has `uptime` until now.
    pub(super) fn on_uptime(&mut self, uptime: Duration) -> Notice {
        if uptime < STABLE_AFTER || self.losses == 0 {
            return Notice::None;
        }
        self.losses = 0;
        self.last_warning
            .take()
            .map_or(Notice::None, |_| Notice::Stable)
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
        assert_eq!(outage.on_lost(None, at(0)), Notice::Lost);
        assert_eq!(outage.on_lost(None, at(1)), Notice::None);
        assert_eq!(outage.on_connected(), Notice::Reconnected);
        assert_eq!(outage.on_uptime(at(60)), Notice::None);
        assert_eq!(outage.on_lost(Some(at(3600)), at(3601)), Notice::Lost);
        assert_eq!(outage.on_lost(None, at(3602)), Notice::None);
        assert_eq!(outage.on_connected(), Notice::Reconnected);
    }

    #[test]
    fn a_line_that_is_lost_again_and_again_does_not_fill_the_log() {
        let mut outage = Outage::default();
        let mut notices = vec![outage.on_connected()];
        for n in 1..=400_u64 {
            notices.push(outage.on_lost(SHORT, at(3 * n)));
            notices.push(outage.on_connected());
        }
        notices.retain(|say| *say != Notice::None);
        let first = [
            Notice::Connected,
            Notice::Lost,
            Notice::Reconnected,
            Notice::Unstable(2),
        ];
        assert_eq!(notices[..4], first);
        assert_eq!(notices[4..], [Notice::Unstable(202)], "once in ten minutes");
        assert_eq!(outage.on_uptime(at(59)), Notice::None);
        assert_eq!(outage.on_uptime(at(60)), Notice::Stable);
        assert_eq!(outage.on_uptime(at(61)), Notice::None);
        assert_eq!(outage.on_lost(Some(at(100)), at(2000)), Notice::Lost);
    }
}
