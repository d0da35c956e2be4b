//! Calls on their way to the hub, until they are confirmed.
//!
//! In memory for those who send, and on the disk for a power cut: [`SpoolWriter`] writes what was not
//! confirmed within half a second, so that a connected office writes almost nothing. Bounded:
//! when the connection is down for so long that it fills, the oldest calls are dropped and counted.
//! Storing never waits, so that the side that draws never does.

use super::journal::{Journal, JournalError};
use crate::health::with_causes;
use crate::model::QueueId;
use crate::wire::report::CallReport;
use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

/// Calls that are kept: a month of a large office (2600 a day on the recorded one). On the disk
/// 25 MB, with the longest labels 64 MB; in memory about as much.
const MAX_CALLS: usize = 100_000;

/// A call that the hub confirms within this time is never written to the disk.
const WRITE_AFTER: Duration = Duration::from_millis(500);

/// A failed write is retried after this long, and confirmed segments are removed.
const RETRY_AFTER: Duration = Duration::from_secs(10);

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
    capacity: usize,
    /// Index after the last call that is confirmed or on the disk.
    durable_up_to: watch::Sender<u64>,
    /// Why calls cannot be kept through a power cut; `None` when they can.
    trouble: watch::Sender<Option<Arc<str>>>,
}

#[derive(Debug, Default)]
struct Calls {
    /// Oldest first, with their indices: growing, but not without gaps.
    waiting: VecDeque<(u64, CallReport)>,
    /// Index of the next call.
    next: u64,
    dropped: u64,
}

impl Default for Spool {
    fn default() -> Self {
        Self::with_capacity(MAX_CALLS)
    }
}

impl Spool {
    /// An empty spool for at most this many calls, in memory only.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self {
            shared: Arc::new(Shared {
                calls: Mutex::default(),
                wake: Notify::new(),
                capacity: capacity.max(1),
                durable_up_to: watch::Sender::new(0),
                trouble: watch::Sender::new(None),
            }),
        }
    }

    /// Opens the spool of a folder, with the calls that were not confirmed before the last stop and
    /// that are still `taken`: their tickets may be what the configuration of now knows to be none.
    /// Without the disk it works in memory, and [`trouble`](Self::trouble) says why.
    #[must_use]
    pub fn open(dir: &Path, taken: impl Fn(&CallReport) -> bool) -> (Self, SpoolWriter) {
        let spool = Self::default();
        let journal = match Journal::open(dir) {
            Ok((journal, found)) => {
                if found.damaged > 0 {
                    tracing::warn!(
                        lines = found.damaged,
                        "the spool was damaged; its intact part is kept"
                    );
                }
                let next = found.calls.last().map_or(0, |(last, _)| last + 1);
                let (calls, others): (Vec<_>, Vec<_>) =
                    found.calls.into_iter().partition(|(_, call)| taken(call));
                warn_of_unreported(others.iter().map(|(_, call)| call));
                if !calls.is_empty() {
                    tracing::info!(calls = calls.len(), "unsent calls in the spool");
                }
                spool.fill(calls, next);
                Some(journal)
            }
            Err(error) => {
                spool.set_trouble(Some(&error));
                None
            }
        };
        let writer = SpoolWriter {
            spool: spool.clone(),
            journal,
            dir: dir.to_owned(),
            write_after: WRITE_AFTER,
            retry_after: RETRY_AFTER,
        };
        (spool, writer)
    }

    fn fill(&self, found: Vec<(u64, CallReport)>, next: u64) {
        let mut calls = self.calls();
        calls.next = next;
        calls.waiting = found.into();
        while calls.waiting.len() > self.shared.capacity {
            calls.waiting.pop_front();
            calls.dropped += 1;
        }
        self.shared.durable_up_to.send_replace(calls.next);
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
        if calls.waiting.len() >= self.shared.capacity {
            calls.waiting.pop_front();
            calls.dropped += 1;
        }
        let index = calls.next;
        calls.next += 1;
        calls.waiting.push_back((index, call));
        drop(calls);
        self.shared.wake.notify_waiters();
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

    /// Whether four fifths of it are used: a week before it drops calls in a large office.
    #[must_use]
    pub fn is_nearly_full(&self) -> bool {
        self.len() >= self.shared.capacity / 5 * 4
    }

    /// Why calls cannot be kept through a power cut; `None` when they can.
    #[must_use]
    pub fn trouble(&self) -> Option<Arc<str>> {
        self.shared.trouble.borrow().clone()
    }

    fn set_trouble(&self, error: Option<&JournalError>) {
        let text = error.map(|e| Arc::from(with_causes(e)));
        self.shared.trouble.send_if_modified(|old| {
            let changed = *old != text;
            *old = text;
            changed
        });
    }

    /// Waits until there is a call.
    pub(super) async fn wait(&self) {
        loop {
            let woken = self.shared.wake.notified();
            if !self.is_empty() {
                return;
            }
            woken.await;
        }
    }

    /// Waits until every call that was pushed so far is confirmed or on the disk. At once when the
    /// disk refuses: then nothing is gained by waiting.
    pub async fn flushed(&self) {
        let wanted = self.calls().next;
        let mut durable = self.shared.durable_up_to.subscribe();
        let mut trouble = self.shared.trouble.subscribe();
        tokio::select! {
            _ = durable.wait_for(|index| *index >= wanted) => {}
            _ = trouble.wait_for(Option::is_some) => {}
        }
    }

    /// Copies the oldest calls, at most `n`, with their indices.
    #[must_use]
    pub fn peek(&self, n: usize) -> Vec<(u64, CallReport)> {
        self.calls().waiting.iter().take(n).cloned().collect()
    }

    /// Removes the call with this index and all before it.
    pub fn confirm(&self, index: u64) {
        let mut calls = self.calls();
        while calls.waiting.front().is_some_and(|(i, _)| *i <= index) {
            calls.waiting.pop_front();
        }
    }

    /// The calls that wait, from an index on.
    fn since(&self, index: u64) -> PendingCalls {
        let calls = self.calls();
        let start = calls.waiting.partition_point(|(i, _)| *i < index);
        PendingCalls {
            calls: calls.waiting.iter().skip(start).cloned().collect(),
            oldest: calls.waiting.front().map_or(calls.next, |(i, _)| *i),
            next: calls.next,
        }
    }
}

/// Logs the calls that are not reported, queue by queue; of their tickets no more than the length,
/// for they may be names of visitors.
fn warn_of_unreported<'a>(calls: impl Iterator<Item = &'a CallReport>) {
    let mut lengths: BTreeMap<&QueueId, Vec<usize>> = BTreeMap::new();
    for call in calls {
        let chars = call.ticket.as_str().chars().count();
        lengths.entry(&call.queue).or_default().push(chars);
    }
    for (queue, lengths) in lengths {
        let (least, most) = (lengths.iter().min(), lengths.iter().max());
        let chars = least.zip(most).map_or(String::new(), |(least, most)| {
            if least == most {
                least.to_string()
            } else {
                format!("{least} to {most}")
            }
        });
        tracing::warn!(
            %queue,
            calls = lengths.len(),
            "calls in the spool are not reported: their tickets, of {chars} characters, do not \
             match `pattern` of the [[queue]]"
        );
    }
}

/// Unconfirmed calls at one moment.
struct PendingCalls {
    calls: Vec<(u64, CallReport)>,
    /// Index of the oldest unconfirmed call, in `calls` or not.
    oldest: u64,
    /// Index of the next call.
    next: u64,
}

/// Writes the calls of a spool to the disk, in a task of its own.
#[derive(Debug)]
pub struct SpoolWriter {
    spool: Spool,
    journal: Option<Journal>,
    dir: PathBuf,
    write_after: Duration,
    retry_after: Duration,
}

impl SpoolWriter {
    /// Runs until shutdown, and writes once more then.
    pub async fn run(mut self, shutdown: CancellationToken) {
        let mut written = *self.spool.shared.durable_up_to.borrow();
        loop {
            let spool = self.spool.clone();
            let woken = spool.shared.wake.notified();
            let stopping = if self.spool.calls().next > written {
                // Time for the hub to confirm, which spares the disk.
                tokio::select! {
                    () = tokio::time::sleep(self.write_after) => false,
                    () = shutdown.cancelled() => true,
                }
            } else {
                tokio::select! {
                    () = woken => continue,
                    () = tokio::time::sleep(self.retry_after) => false,
                    () = shutdown.cancelled() => true,
                }
            };
            let (writer, done) = match tokio::task::spawn_blocking(move || {
                let done = self.write(written);
                (self, done)
            })
            .await
            {
                Ok(done) => done,
                Err(error) => {
                    tracing::error!("the spool writer failed: {error}");
                    return;
                }
            };
            self = writer;
            match done {
                Ok(index) => {
                    self.spool.set_trouble(None);
                    written = index;
                    self.spool.shared.durable_up_to.send_replace(written);
                }
                Err(error) => {
                    self.spool.set_trouble(Some(&error));
                    self.journal = None;
                    tokio::select! {
                        () = tokio::time::sleep(self.retry_after) => {}
                        () = shutdown.cancelled() => return,
                    }
                }
            }
            if stopping {
                return;
            }
        }
    }

    /// Writes what waits since an index; returns the index after the last call that is durable.
    fn write(&mut self, written: u64) -> Result<u64, JournalError> {
        let (journal, from) = match &mut self.journal {
            Some(journal) => (journal, written),
            // A disk that is back gets everything that still waits.
            None => {
                let (journal, _) = Journal::open(&self.dir)?;
                (self.journal.insert(journal), 0)
            }
        };
        let waiting = self.spool.since(from);
        journal.append(&waiting.calls)?;
        journal.release(waiting.oldest)?;
        Ok(waiting.next)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::model::{CallKind, Label};
    use crate::wire::WireTime;
    use jiff::tz::TimeZone;

    pub(in super::super) fn call(no: u64) -> CallReport {
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
        spool.peek(10).iter().map(|c| c.1.no).collect()
    }

    #[test]
    fn calls_stay_in_order_until_they_are_confirmed() {
        let spool = Spool::default();
        (1..=4).for_each(|no| spool.push(call(no)));
        let calls = spool.peek(2);
        assert_eq!((calls[0].0, calls.len()), (0, 2));
        spool.confirm(0);
        assert_eq!(numbers(&spool), [2, 3, 4]);
        spool.confirm(2);
        assert_eq!(numbers(&spool), [4]);
        spool.confirm(1);
        assert_eq!(numbers(&spool), [4], "a late confirmation takes nothing");
    }

    #[test]
    fn a_full_spool_drops_the_oldest_and_keeps_its_count() {
        let spool = Spool::with_capacity(3);
        (1..=3).for_each(|no| spool.push(call(no)));
        let first = spool.peek(3)[0].0;
        (4..=5).for_each(|no| spool.push(call(no)));
        assert_eq!((numbers(&spool), spool.dropped()), (vec![3, 4, 5], 2));
        assert!(spool.is_nearly_full());
        spool.confirm(first + 1); // of a call that was dropped meanwhile
        assert_eq!(numbers(&spool), [3, 4, 5]);
        spool.confirm(first + 2);
        assert_eq!(numbers(&spool), [4, 5]);
    }

    /// Runs a writer until everything that was pushed is durable.
    async fn flush(spool: &Spool, mut writer: SpoolWriter) {
        writer.write_after = Duration::from_millis(1);
        let stop = CancellationToken::new();
        let task = tokio::spawn(writer.run(stop.clone()));
        spool.flushed().await;
        stop.cancel();
        task.await.unwrap();
    }

    #[tokio::test]
    async fn what_was_not_confirmed_is_there_after_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let (spool, writer) = Spool::open(dir.path(), |_| true);
        (1..=3).for_each(|no| spool.push(call(no)));
        spool.confirm(0);
        flush(&spool, writer).await;
        let (spool, writer) = Spool::open(dir.path(), |_| true);
        assert_eq!(numbers(&spool), [2, 3]);
        // The count goes on, and what is confirmed now is gone for the next start.
        spool.push(call(4));
        let indices: Vec<u64> = spool.peek(10).iter().map(|c| c.0).collect();
        assert_eq!(indices, [1, 2, 3]);
        spool.confirm(3);
        flush(&spool, writer).await;
        assert!(Spool::open(dir.path(), |_| true).0.is_empty());
    }

    #[tokio::test]
    async fn calls_that_are_not_taken_any_more_leave_the_disk_with_their_segment() {
        let dir = tempfile::tempdir().unwrap();
        let (spool, writer) = Spool::open(dir.path(), |_| true);
        (1..=3).for_each(|no| spool.push(call(no)));
        flush(&spool, writer).await;
        let (spool, writer) = Spool::open(dir.path(), |call| call.no == 2);
        assert_eq!(numbers(&spool), [2]);
        spool.push(call(4));
        let indices: Vec<u64> = spool.peek(10).iter().map(|c| c.0).collect();
        assert_eq!(indices, [1, 3], "no index is used twice");
        spool.confirm(3);
        flush(&spool, writer).await;
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn calls_that_are_confirmed_at_once_never_reach_the_disk() {
        let dir = tempfile::tempdir().unwrap();
        let (spool, writer) = Spool::open(dir.path(), |_| true);
        let stop = CancellationToken::new();
        let task = tokio::spawn(writer.run(stop.clone()));
        for no in 0..100 {
            spool.push(call(no));
            spool.confirm(no);
            tokio::task::yield_now().await;
        }
        spool.flushed().await;
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
        stop.cancel();
        task.await.unwrap();
    }

    #[tokio::test]
    async fn a_disk_that_refuses_is_said_and_tried_again() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("spool");
        std::fs::write(&path, "in the way").unwrap();
        let (spool, mut writer) = Spool::open(&path, |_| true);
        writer.retry_after = Duration::from_millis(1);
        let trouble = spool.trouble().expect("said");
        assert!(trouble.contains("spool"), "{trouble}");
        spool.push(call(1));
        spool.flushed().await; // nobody waits for a disk that refuses
        let stop = CancellationToken::new();
        let task = tokio::spawn(writer.run(stop.clone()));
        std::fs::remove_file(&path).unwrap();
        let mut watch = spool.shared.trouble.subscribe();
        watch.wait_for(Option::is_none).await.unwrap();
        spool.flushed().await;
        stop.cancel();
        task.await.unwrap();
        assert_eq!(numbers(&Spool::open(&path, |_| true).0), [1]);
    }
}
