//! How the threads of boards, relays, cameras and the voice wait: for news, a moment, or the end.
//!
//! They wait without a runtime's timers. A thread may still be at its device when the time in which
//! a node stops is over and the runtime is gone; its next wait must find the end, not a panic.

use crate::state::Snapshot;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Longest sleep of a board: a clock that was set meanwhile is seen after this.
pub(crate) const LONGEST_SLEEP: Duration = Duration::from_secs(1);

/// Blocks the thread for `wait`, or until shutdown.
pub(crate) fn rest(shutdown: &CancellationToken, wait: Duration) {
    block_for(shutdown.cancelled(), wait);
}

/// Blocks the thread for `wait`, also while all others stop.
pub(crate) fn linger(wait: Duration) {
    block_for(std::future::pending::<()>(), wait);
}

/// Blocks the thread until the snapshot changes, for `wait` at most, or until shutdown. `false`
/// when the reader has ended.
pub(crate) fn pause(
    shutdown: &CancellationToken,
    snapshots: &mut watch::Receiver<Arc<Snapshot>>,
    wait: Duration,
) -> bool {
    pause_or(shutdown, snapshots, wait, std::future::pending())
}

/// The same, and until `other` is there; it says whether to go on.
pub(crate) fn pause_or(
    shutdown: &CancellationToken,
    snapshots: &mut watch::Receiver<Arc<Snapshot>>,
    wait: Duration,
    other: impl Future<Output = bool>,
) -> bool {
    let news = async {
        tokio::select! {
            () = shutdown.cancelled() => true,
            changed = snapshots.changed() => changed.is_ok(),
            goes_on = other => goes_on,
        }
    };
    block_for(news, wait).unwrap_or(true)
}

/// Wakes a thread that is parked.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Blocks the thread until `future` is done, for `wait` at most; `None` when it was not. The future
/// may hold tokens and channels, but no timer and no socket: those need a runtime.
fn block_for<T>(future: impl Future<Output = T>, wait: Duration) -> Option<T> {
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    let began = Instant::now();
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return Some(value);
        }
        let left = wait.saturating_sub(began.elapsed());
        if left.is_zero() {
            return None;
        }
        std::thread::park_timeout(left);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_ends_with_the_end_with_news_and_with_its_time() {
        let token = CancellationToken::new();
        assert_eq!(block_for(token.cancelled(), Duration::from_millis(1)), None);
        let (other, far) = (token.clone(), Duration::from_secs(60));
        let thread = std::thread::spawn(move || other.cancel());
        assert_eq!(block_for(token.cancelled(), far), Some(()));
        thread.join().expect("no panic");
        rest(&token, far);
        let (sender, mut receiver) = watch::channel(1);
        let news = std::thread::spawn(move || sender.send(2));
        let changed = block_for(receiver.changed(), far);
        assert!(changed.is_some_and(|c| c.is_ok()));
        assert!(news.join().expect("no panic").is_ok());
    }
}
