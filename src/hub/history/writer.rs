//! Writes to the database: in batches, with retries; acknowledges calls and deletes what is old.

use super::arrival::Arrival;
use super::error::HistoryError;
use super::labels::Labels;
use super::queue::{HistoryEvent, Pending, Purge};
use super::rows::{PredictionRow, QueueSample};
use super::{calls, predictions, purge, spelling, sql, tables};
use crate::backoff::{Backoff, Jitter};
use crate::hub::stats::Stats;
use crate::model::OfficeId;
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
const RETRIES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(5));

/// While there is nothing to write, the database is checked this often.
const IDLE_CHECK: Duration = Duration::from_secs(10);

/// At shutdown, limits for writing what is left and for closing the connections; the broker sends
/// again what is not written by then. The whole process has 2 s to stop.
const FLUSH_WITHIN: Duration = Duration::from_millis(800);
const CLOSE_WITHIN: Duration = Duration::from_millis(300);

/// Writes calls. Runs until shutdown.
#[derive(Debug)]
pub struct Writer {
    pool: AnyPool,
    queue: mpsc::Receiver<Pending>,
    usable: Arc<AtomicBool>,
    stats: Arc<Stats>,
    sqlite: bool,
    ready: bool,
    /// The first day of each office whose ticket labels stay.
    labels: Labels,
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
            labels: Labels::default(),
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
            tables::numbered().run(&self.pool).await?;
            tables::beside().run(&self.pool).await?;
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
        let _ = timeout(FLUSH_WITHIN, last).await;
        let _ = timeout(CLOSE_WITHIN, self.pool.close()).await;
    }

    /// Retries the batch until it is written; an empty one only checks the database.
    async fn persist(&mut self, batch: &mut Vec<Pending>) {
        // Many hubs on one server must not beat in time.
        let mut backoff = Backoff::new(RETRIES, Jitter::Around);
        let mut warned = false;
        loop {
            match self.attempt(batch).await {
                Ok(()) => {
                    if warned {
                        tracing::info!("the history database accepts writes again");
                    }
                    return;
                }
                Err(error) => {
                    self.usable.store(false, Ordering::Relaxed);
                    self.stats.database_write_errors.inc();
                    if !warned {
                        warned = true;
                        tracing::warn!(
                            error = &error as &dyn std::error::Error,
                            waiting = batch.len(),
                            "cannot write to the history database, retrying"
                        );
                    }
                }
            }
            sleep(backoff.next(fastrand::f64())).await;
        }
    }

    /// One attempt: everything in one transaction, acknowledged after its commit.
    async fn attempt(&mut self, batch: &mut Vec<Pending>) -> Result<(), HistoryError> {
        self.prepare().await?;
        if batch.is_empty() {
            sqlx::query("SELECT 1").fetch_one(&self.pool).await?;
        } else {
            let mut calls: Vec<&Arrival> = Vec::new();
            let mut waiting: Vec<(&Arrival, i64)> = Vec::new();
            let mut predicted: Vec<&PredictionRow> = Vec::new();
            let mut samples: Vec<&QueueSample> = Vec::new();
            let mut admitted: Vec<&OfficeId> = Vec::new();
            let mut purge_due: Option<&Purge> = None;
            for pending in batch.iter() {
                match pending {
                    Pending::Call(call, _) => calls.push(call),
                    Pending::Waiting(call, received_s, _) => waiting.push((call, *received_s)),
                    Pending::Event(HistoryEvent::Prediction(row)) => predicted.push(row),
                    Pending::Event(HistoryEvent::QueueSample(row)) => samples.push(row),
                    Pending::Event(HistoryEvent::Admission(office)) => admitted.push(office),
                    Pending::Event(HistoryEvent::Purge(newer)) => purge_due = Some(newer),
                }
            }
            let mut labels = self.labels.clone();
            let mut transaction = self.pool.begin().await?;
            predictions::insert_predictions(&mut transaction, &predicted).await?;
            let mut new = calls::insert_calls(&mut transaction, &calls, &labels).await?;
            let mut all = u64::try_from(calls.len()).unwrap_or(u64::MAX);
            predictions::resolve_predictions(&mut transaction, &calls).await?;
            calls::insert_waiting(&mut transaction, &waiting, &labels).await?;
            for office in admitted {
                let moved = calls::admit(&mut transaction, office.as_str(), &labels).await?;
                new += moved.0;
                all = all.saturating_add(moved.0 + moved.1);
            }
            predictions::insert_queue_samples(&mut transaction, &samples).await?;
            if let Some(purge_due) = purge_due {
                let newer = Labels::from(&purge_due.labels);
                let rows_from = purge_due.rows_from.to_string();
                let waiting_from = purge_due.waiting_from.as_second();
                let purged = &labels;
                let dropped =
                    purge::purge(&mut transaction, purged, &newer, &rows_from, waiting_from)
                        .await?;
                if dropped > 0 {
                    let before = newer.at_least.as_str();
                    tracing::info!(dropped, before, "deleted ticket labels of past days");
                }
                // Once a start, when it is known which days still have labels.
                if labels.at_least.is_empty() {
                    let from = newer.at_least.as_str();
                    let renewed = spelling::renew(&mut transaction, from).await?;
                    if renewed > 0 {
                        tracing::info!(renewed, "normalised ticket labels of an earlier version");
                    }
                }
                labels = newer;
            }
            transaction.commit().await?;
            self.labels = labels;
            self.stats.database_writes.inc();
            self.stats.calls_stored.inc_by(new);
            self.stats.calls_duplicate.inc_by(all.saturating_sub(new));
            for pending in batch.drain(..) {
                if let Pending::Call(_, Some(ack)) | Pending::Waiting(.., Some(ack)) = pending {
                    ack.done();
                }
            }
        }
        self.usable.store(true, Ordering::Relaxed);
        Ok(())
    }
}
