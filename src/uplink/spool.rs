//! Calls on their way to the hub, until they are confirmed.
//!
//! Held in memory and bounded: when the line is down for so long that it fills, the oldest calls
//! are dropped and counted. Storing never waits, so that the side that draws never does.

use crate::wire::report::CallReport;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// Calls that are kept: thirty days of a large office (2600 a day on the recorded one), 20 MB.
const MAX_CALLS: usize = 80_000;

/// The calls that were not confirmed yet; clones share them.
#[derive(Debug, Clone)]
pub struct Spool {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    /// Held for a push or a short copy, never while waiting.
    calls: Mutex<Calls>,
    wake: Notify,
    room: usize,
}

#[derive(Debug, Default)]
struct Calls {
    /// Oldest first.
    waiting: VecDeque<CallReport>,
    /// Index of the first one; grows by one with every call that leaves.
    first: u64,
    dropped: u64,
}

impl Default for Spool {
    fn default() -> Self {
        Self::with_room(MAX_CALLS)
    }
}

impl Spool {
    /// An empty spool for at most this many calls.
    #[must_use]
    pub fn with_room(room: usize) -> Self {
        Self {
            shared: Arc::new(Shared {
                calls: Mutex::default(),
                wake: Notify::new(),
                room: room.max(1),
            }),
        }
    }

    fn calls(&self) -> MutexGuard<'_, Calls> {
        self.shared
            .calls
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Stores a call; never waits. A full spool drops its oldest one: what is new matters more.
    pub fn push(&self, call: CallReport) {
        let mut calls = self.calls();
        if calls.waiting.len() >= self.shared.room {
            calls.waiting.pop_front();
            calls.first += 1;
            calls.dropped += 1;
        }
        calls.waiting.push_back(call);
        drop(calls);
        self.shared.wake.notify_one();
    }

    /// Calls that wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.calls().waiting.len()
    }

    /// Whether none waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.calls().waiting.is_empty()
    }

    /// Calls that were dropped because the spool was full.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.calls().dropped
    }

    /// Waits until there is a call.
    pub(super) async fn wait(&self) {
        while self.is_empty() {
            self.shared.wake.notified().await;
        }
    }

    /// Copies the oldest calls, at most `n`, with the index of the first.
    pub(super) fn peek(&self, n: usize) -> (u64, Vec<CallReport>) {
        let calls = self.calls();
        (calls.first, calls.waiting.iter().take(n).cloned().collect())
    }

    /// Lets go of the call with this index and all before it.
    pub(super) fn confirm(&self, index: u64) {
        let mut calls = self.calls();
        while calls.first <= index && calls.waiting.pop_front().is_some() {
            calls.first += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{CallKind, Label, QueueId};
    use crate::wire::WireTime;
    use jiff::tz::TimeZone;

    fn call(no: u64) -> CallReport {
        CallReport {
            queue: QueueId::new("certificates").unwrap(),
            day: "2026-11-24".parse().unwrap(),
            epoch: 0,
            no,
            ticket: Label::new("A042").unwrap(),
            counter: None,
            at: WireTime::new(jiff::Timestamp::UNIX_EPOCH, &TimeZone::UTC),
            kind: CallKind::Call,
        }
    }

    fn numbers(spool: &Spool) -> Vec<u64> {
        spool.peek(10).1.iter().map(|c| c.no).collect()
    }

    #[test]
    fn calls_stay_in_order_until_they_are_confirmed() {
        let spool = Spool::default();
        (1..=4).for_each(|no| spool.push(call(no)));
        let (first, calls) = spool.peek(2);
        assert_eq!((first, calls.len()), (0, 2));
        spool.confirm(0);
        assert_eq!(numbers(&spool), [2, 3, 4]);
        spool.confirm(2);
        assert_eq!(numbers(&spool), [4]);
        spool.confirm(1);
        assert_eq!(numbers(&spool), [4], "a late confirmation takes nothing");
    }

    #[test]
    fn a_full_spool_drops_the_oldest_and_keeps_its_count() {
        let spool = Spool::with_room(3);
        (1..=3).for_each(|no| spool.push(call(no)));
        let (first, _) = spool.peek(3);
        (4..=5).for_each(|no| spool.push(call(no)));
        assert_eq!((numbers(&spool), spool.dropped()), (vec![3, 4, 5], 2));
        spool.confirm(first + 1); // of a call that was dropped meanwhile
        assert_eq!(numbers(&spool), [3, 4, 5]);
        spool.confirm(first + 2);
        assert_eq!(numbers(&spool), [4, 5]);
    }
}
