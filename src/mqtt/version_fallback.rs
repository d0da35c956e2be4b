//! Which version of MQTT to try next.

use super::Version;
use super::fault::{ConnectionError, ConnectionErrorKind};
use std::time::Duration;

/// A broker that closes the connection at CONNECT this often with MQTT 5 is tried with 3.1.1: some old
/// ones answer an unknown version with nothing at all.
const CLOSED_BEFORE_FALLBACK: u8 = 2;

/// With 3.1.1 spoken for this long, MQTT 5 is tried again at the next reconnect: the broker may
/// have been replaced.
const RETRY_V5_AFTER: Duration = Duration::from_secs(3600);

/// Remembers which version the broker accepted.
#[derive(Debug, Clone)]
pub(super) struct VersionFallback {
    version: Version,
    closed_at_connect: u8,
    /// Monotonic moment of the last switch to 3.1.1.
    switched_at: Duration,
}

impl VersionFallback {
    pub(super) fn new() -> Self {
        Self {
            version: Version::V5,
            closed_at_connect: 0,
            switched_at: Duration::ZERO,
        }
    }

    /// The version for an attempt at `now` (monotonic).
    pub(super) fn version(&mut self, now: Duration) -> Version {
        if self.version == Version::V311 && now.saturating_sub(self.switched_at) >= RETRY_V5_AFTER {
            self.switch(Version::V5, now);
        }
        self.version
    }

    /// Notes that a session was made.
    pub(super) fn on_connected(&mut self) {
        self.closed_at_connect = 0;
    }

    /// Notes why no session was made; `true` when the other version is worth trying at once.
    pub(super) fn on_failed(&mut self, error: &ConnectionError, now: Duration) -> bool {
        match (error.kind, self.version) {
            (ConnectionErrorKind::UnsupportedVersion, Version::V5) => {
                self.switch(Version::V311, now);
                true
            }
            (ConnectionErrorKind::ClosedAtConnect, _) => {
                self.closed_at_connect += 1;
                if self.closed_at_connect >= CLOSED_BEFORE_FALLBACK {
                    let other = match self.version {
                        Version::V5 => Version::V311,
                        Version::V311 => Version::V5,
                    };
                    self.switch(other, now);
                    return other == Version::V311;
                }
                false
            }
            (ConnectionErrorKind::UnsupportedVersion, Version::V311) => {
                self.switch(Version::V5, now);
                false
            }
            _ => false,
        }
    }

    fn switch(&mut self, to: Version, now: Duration) {
        self.version = to;
        self.closed_at_connect = 0;
        self.switched_at = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(kind: ConnectionErrorKind) -> ConnectionError {
        ConnectionError::new(kind, "test")
    }

    #[test]
    fn a_refused_version_falls_back_at_once_and_is_remembered() {
        let mut fallback = VersionFallback::new();
        let now = Duration::from_secs(10);
        assert_eq!(fallback.version(now), Version::V5);
        assert!(fallback.on_failed(&error(ConnectionErrorKind::UnsupportedVersion), now));
        assert_eq!(fallback.version(now), Version::V311);
        fallback.on_connected();
        assert!(!fallback.on_failed(&error(ConnectionErrorKind::Network), now));
        assert_eq!(fallback.version(now), Version::V311);
        assert_eq!(fallback.version(now + RETRY_V5_AFTER), Version::V5);
    }

    #[test]
    fn a_line_closed_twice_at_connect_falls_back() {
        let mut fallback = VersionFallback::new();
        let closed = error(ConnectionErrorKind::ClosedAtConnect);
        assert!(!fallback.on_failed(&closed, Duration::ZERO));
        assert_eq!(fallback.version(Duration::ZERO), Version::V5);
        assert!(fallback.on_failed(&closed, Duration::ZERO));
        assert_eq!(fallback.version(Duration::ZERO), Version::V311);
        // Neither is understood: both are tried in turn, without hurry.
        assert!(!fallback.on_failed(&closed, Duration::ZERO));
        assert!(!fallback.on_failed(&closed, Duration::ZERO));
        assert_eq!(fallback.version(Duration::ZERO), Version::V5);
    }

    #[test]
    fn a_dead_line_says_nothing_about_the_version() {
        let mut fallback = VersionFallback::new();
        for _ in 0..10 {
            assert!(!fallback.on_failed(&error(ConnectionErrorKind::Network), Duration::ZERO));
        }
        assert_eq!(fallback.version(Duration::ZERO), Version::V5);
    }
}
