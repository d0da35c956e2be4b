//! The one who writes: batches, retries, acknowledges, forgets.

use super::{CallRow, HistoryError, Note, Pending, SlotRow, Sweep, ToldRow, sql};
use crate::hub::stats::Stats;
use sqlx::AnyPool;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

/// Calls of one transaction at most: one disk flush for all of them.
const BATCH: usize = 500;

/// Waits between attempts: from the first to the longest, doubling.
const FIRST_RETRY: Duration = Duration::from_millis(50);
const LAST_RETRY: Duration = Duration::from_secs(5);

/// While there is nothing to write, the database is asked for a sign of life this often.
const IDLE_CHECK: Duration = Duration::from_secs(10);

/// What is left at shutdown may take this long, and the farewell of the connections so long; the
/// broker repeats what does not make it. The whole process has 2 s to stop.
const LAST_WORDS: Duration = Duration::from_millis(800);
const FAREWELL: Duration = Duration::from_millis(300);

/// Writes calls. Runs until shutdown.
#[derive(Debug)]
pub struct Writer {
    pool: AnyPool,
    queue: mpsc::Receiver<Pending>,
    usable: Arc<AtomicBool>,
    stats: Arc<Stats>,
    sqlite: bool,
    ready: bool,
    /// The first day whose tickets are still named; empty before the first sweep.
    labels_from: String,
}

impl Writer {
    pub(super) fn new(
        pool: AnyPool,
        queue: mpsc::Receiver<Pending>,
        usable: Arc<AtomicBool>,
        stats: Arc<Stats>,
        sqlite: bool,
    ) -> Self {
        Self {
            pool,
            queue,
            usable,
            stats,
            sqlite,
            ready: false,
            labels_from: String::new(),
        }
    }

    /// Makes the tables if they are missing. Optional: [`Writer::run`] does it too, and retries.
    ///
    /// # Errors
    /// When the database cannot be opened or changed.
    pub async fn prepare(&mut self) -> Result<(), HistoryError> {
        if !self.ready {
            if self.sqlite {
                sqlx::query(sql::WAL).execute(&self.pool).await?;
            }
            sqlx::migrate!("./migrations").run(&self.pool).await?;
            self.ready = true;
            self.usable.store(true, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Writes whatever comes until `shutdown`, then what is left within a second.
    pub async fn run(mut self, shutdown: CancellationToken) {
        let mut batch = Vec::with_capacity(BATCH);
        while !shutdown.is_cancelled() {
            let idle = tokio::select! {
                () = shutdown.cancelled() => break,
                _ = self.queue.recv_many(&mut batch, BATCH) => batch.is_empty(),
                () = sleep(IDLE_CHECK), if self.ready => true,
                () = std::future::ready(()), if !self.ready => true,
            };
            if idle && self.queue.is_closed() && self.queue.is_empty() && self.ready {
                break; // nobody can send any more
            }
            tokio::select! {
                () = shutdown.cancelled() => break,
                () = self.persist(&mut batch) => {}
            }
        }
        self.queue.close();
        let last = async {
            loop {
                if !batch.is_empty() && self.attempt(&mut batch).await.is_err() {
                    break;
                }
                if self.queue.recv_many(&mut batch, BATCH).await == 0 {
                    break;
                }
            }
        };
        let _ = timeout(LAST_WORDS, last).await;
        let _ = timeout(FAREWELL, self.pool.close()).await;
    }

    /// Writes the batch however often it takes; an empty one asks for a sign of life.
    async fn persist(&mut self, batch: &mut Vec<Pending>) {
        let mut wait = FIRST_RETRY;
        let mut warned = false;
        loop {
            match self.attempt(batch).await {
                Ok(()) => {
                    if warned {
                        tracing::info!("the history is written again");
                    }
                    return;
                }
                Err(error) => {
                    self.usable.store(false, Ordering::Relaxed);
                    self.stats.history_failures.inc();
                    if !warned {
                        warned = true;
                        tracing::warn!(
                            error = &error as &dyn std::error::Error,
                            waiting = batch.len(),
                            "cannot write the history, trying again"
                        );
                    }
                }
            }
            let jitter = 0.5 + fastrand::f64(); // many hubs on one server must not beat in time
            sleep(wait.mul_f64(jitter)).await;
            wait = (wait * 2).min(LAST_RETRY);
        }
    }

    /// One attempt: everything in one transaction, acknowledged after its commit.
    async fn attempt(&mut self, batch: &mut Vec<Pending>) -> Result<(), HistoryError> {
        self.prepare().await?;
        if batch.is_empty() {
            sqlx::query("SELECT 1").fetch_one(&self.pool).await?;
        } else {
            let mut calls: Vec<&CallRow> = Vec::new();
            let mut told: Vec<&ToldRow> = Vec::new();
            let mut slots: Vec<&SlotRow> = Vec::new();
            let mut sweep: Option<Sweep> = None;
            for pending in batch.iter() {
                match pending {
                    Pending::Call(row, _) => calls.push(row),
                    Pending::Note(Note::Told(row)) => told.push(row),
                    Pending::Note(Note::Slot(row)) => slots.push(row),
                    Pending::Note(Note::Sweep(newer)) => sweep = Some(*newer),
                }
            }
            let mut labels_from = self.labels_from.clone();
            let mut transaction = self.pool.begin().await?;
            sql::insert_told(&mut transaction, &told).await?;
            let new = sql::insert_calls(&mut transaction, &calls, &labels_from).await?;
            sql::settle(&mut transaction, &calls).await?;
            sql::insert_slots(&mut transaction, &slots).await?;
            if let Some(sweep) = sweep {
                let from = sweep.labels_from.to_string();
                let rows_from = sweep.rows_from.to_string();
                let dropped = sql::sweep(&mut transaction, &labels_from, &from, &rows_from).await?;
                if dropped > 0 {
                    tracing::info!(dropped, before = from, "labels of past days are forgotten");
                }
                labels_from = from;
            }
            transaction.commit().await?;
            self.labels_from = labels_from;
            let all = u64::try_from(calls.len()).unwrap_or(u64::MAX);
            self.stats.history_writes.inc();
            self.stats.calls_stored.inc_by(new);
            self.stats.calls_doubled.inc_by(all.saturating_sub(new));
            for pending in batch.drain(..) {
                if let Pending::Call(_, Some(ack)) = pending {
                    ack.done();
                }
            }
        }
        self.usable.store(true, Ordering::Relaxed);
        Ok(())
    }
}
