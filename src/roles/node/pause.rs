//! How the threads of boards, relays and the voice wait: for news, a moment, or the end.

use crate::state::Snapshot;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Longest sleep of a board: a clock that was set meanwhile is seen after this.
pub(super) const LONGEST_SLEEP: Duration = Duration::from_secs(1);

/// Blocks the thread for `wait`, or until shutdown; `runtime` only lends its timers.
pub(super) fn rest(runtime: &Handle, shutdown: &CancellationToken, wait: Duration) {
    runtime.block_on(async {
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = tokio::time::sleep(wait) => {}
        }
    });
}

/// Blocks the thread until the snapshot changes, for `wait` at most, or until shutdown; `runtime`
/// only lends its timers. `false` when nobody is left who knows the numbers.
pub(super) fn pause(
    runtime: &Handle,
    shutdown: &CancellationToken,
    snapshots: &mut watch::Receiver<Arc<Snapshot>>,
    wait: Duration,
) -> bool {
    pause_or(runtime, shutdown, snapshots, wait, std::future::pending())
}

/// The same, and until `other` is there; it says whether to go on.
pub(super) fn pause_or(
    runtime: &Handle,
    shutdown: &CancellationToken,
    snapshots: &mut watch::Receiver<Arc<Snapshot>>,
    wait: Duration,
    other: impl Future<Output = bool>,
) -> bool {
    runtime.block_on(async {
        tokio::select! {
            () = shutdown.cancelled() => true,
            () = tokio::time::sleep(wait) => true,
            changed = snapshots.changed() => changed.is_ok(),
            goes_on = other => goes_on,
        }
    })
}
