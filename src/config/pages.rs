//! What the hub's pages call busy, and how many viewers they serve.

use std::time::Duration;

/// Thresholds and limits of the hub's pages. The defaults suit a city of six wards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PagesConfig {
    /// A queue whose longest likely wait is at least this is "rather busy". Default 20 min.
    pub busy_wait: Duration,
    /// … "busy". Default 45 min.
    pub crowded_wait: Duration,
    /// A queue without a predicted wait is "rather busy" from this many people on. Default 6.
    pub busy_waiting: u32,
    /// … "busy". Default 16.
    pub crowded_waiting: u32,
    /// Most event streams at a time; more are answered 503. Default 20,000.
    pub max_viewers: usize,
    /// Most TCP connections at a time; more wait in the listen queue. Default 25,000.
    pub max_connections: usize,
}

impl Default for PagesConfig {
    fn default() -> Self {
        Self {
            busy_wait: Duration::from_secs(20 * 60),
            crowded_wait: Duration::from_secs(45 * 60),
            busy_waiting: 6,
            crowded_waiting: 16,
            max_viewers: 20_000,
            max_connections: 25_000,
        }
    }
}
