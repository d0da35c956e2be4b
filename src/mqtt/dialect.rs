//! Which version of MQTT to speak next.

use super::Version;
use super::fault::{LineError, LineErrorKind};
use std::time::Duration;

/// A broker that closes the line at CONNECT this often with MQTT 5 is tried with 3.1.1: some old
/// ones answer an unknown version with nothing at all.
const CLOSED_BEFORE_FALLBACK: u8 = 2;

/// With 3.1.1 spoken for this long, MQTT 5 is tried again at the next reconnect: the broker may
/// have been replaced.
const RETRY_V5_AFTER: Duration = Duration::from_secs(3600);

/// Remembers what the broker understood.
#[derive(Debug, Clone)]
pub(super) struct Dialect {
    version: Version,
    closed: u8,
    /// Monotonic moment of the last switch to 3.1.1.
    fell_back: Duration,
}

impl Dialect {
    pub(super) fn new() -> Self {
        Self {
            version: Version::V5,
            closed: 0,
            fell_back: Duration::ZERO,
        }
    }

    /// The version for an attempt at `now` (monotonic).
    pub(super) fn version(&mut self, now: Duration) -> Version {
        if self.version == Version::V311 && now.saturating_sub(self.fell_back) >= RETRY_V5_AFTER {
            self.switch(Version::V5, now);
        }
        self.version
    }

    /// Notes that a session was made.
    pub(super) fn understood(&mut self) {
        self.closed = 0;
    }

    /// Notes why no session was made; `true` when the other version is worth trying at once.
    pub(super) fn refused(&mut self, error: &LineError, now: Duration) -> bool {
        match (error.kind, self.version) {
            (LineErrorKind::VersionRefused, Version::V5) => {
                self.switch(Version::V311, now);
                true
            }
            (LineErrorKind::ClosedAtConnect, _) => {
                self.closed += 1;
                if self.closed >= CLOSED_BEFORE_FALLBACK {
                    let other = match self.version {
                        Version::V5 => Version::V311,
                        Version::V311 => Version::V5,
                    };
                    self.switch(other, now);
                    return other == Version::V311;
                }
                false
            }
            (LineErrorKind::VersionRefused, Version::V311) => {
                self.switch(Version::V5, now);
                false
            }
            _ => false,
        }
    }

    fn switch(&mut self, to: Version, now: Duration) {
        self.version = to;
        self.closed = 0;
        self.fell_back = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(kind: LineErrorKind) -> LineError {
        LineError::new(kind, "test")
    }

    #[test]
    fn a_refused_version_falls_back_at_once_and_is_remembered() {
        let mut dialect = Dialect::new();
        let now = Duration::from_secs(10);
        assert_eq!(dialect.version(now), Version::V5);
        assert!(dialect.refused(&error(LineErrorKind::VersionRefused), now));
        assert_eq!(dialect.version(now), Version::V311);
        dialect.understood();
        assert!(!dialect.refused(&error(LineErrorKind::Network), now));
        assert_eq!(dialect.version(now), Version::V311);
        assert_eq!(dialect.version(now + RETRY_V5_AFTER), Version::V5);
    }

    #[test]
    fn a_line_closed_twice_at_connect_falls_back() {
        let mut dialect = Dialect::new();
        let closed = error(LineErrorKind::ClosedAtConnect);
        assert!(!dialect.refused(&closed, Duration::ZERO));
        assert_eq!(dialect.version(Duration::ZERO), Version::V5);
        assert!(dialect.refused(&closed, Duration::ZERO));
        assert_eq!(dialect.version(Duration::ZERO), Version::V311);
        // Neither is understood: both are tried in turn, without hurry.
        assert!(!dialect.refused(&closed, Duration::ZERO));
        assert!(!dialect.refused(&closed, Duration::ZERO));
        assert_eq!(dialect.version(Duration::ZERO), Version::V5);
    }

    #[test]
    fn a_dead_line_says_nothing_about_the_version() {
        let mut dialect = Dialect::new();
        for _ in 0..10 {
            assert!(!dialect.refused(&error(LineErrorKind::Network), Duration::ZERO));
        }
        assert_eq!(dialect.version(Duration::ZERO), Version::V5);
    }
}
