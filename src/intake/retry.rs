//! How long to wait before the next attempt: one rhythm for all kinds.

use crate::backoff::{Backoff, Jitter};
use std::time::Duration;

/// Bounds of the pause after the first failure, and of the longest.
const BOUNDS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));

/// The pauses between attempts to reach a server, which may have many clients.
pub(super) fn backoff() -> Backoff {
    Backoff::new(BOUNDS, Jitter::Full)
}
