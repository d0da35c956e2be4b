//! The history as everybody but its writer sees it: what it is given to write, and its state.

use super::arrival::Arrival;
use super::error::HistoryError;
use super::queue::{HistoryEvent, Pending};
use super::rows::CallRow;
use super::sql;
use super::writer::Writer;
use crate::hub::incoming::Ack;
use crate::hub::stats::Stats;
use jiff::Timestamp;
use sqlx::AnyPool;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::mpsc;

/// Calls and events that wait for the database at most: a day of six offices, under 3 MB.
const QUEUE_LEN: usize = 8_192;

/// The history as everybody but its writer sees it. Cheap to clone.
#[derive(Debug, Clone)]
pub struct History {
    pub(super) pool: AnyPool,
    queue: mpsc::Sender<Pending>,
    usable: Arc<AtomicBool>,
}

impl History {
    /// Opens a database lazily: nothing is connected before the writer runs.
    ///
    /// # Errors
    /// [`HistoryError::Open`] when the address cannot be understood.
    pub fn open(url: &str, stats: Arc<Stats>) -> Result<(Self, Writer), HistoryError> {
        let pool = sql::pool(url).map_err(HistoryError::Open)?;
        let (sender, receiver) = mpsc::channel(QUEUE_LEN);
        let usable = Arc::new(AtomicBool::new(false));
        let history = Self {
            pool: pool.clone(),
            queue: sender,
            usable: Arc::clone(&usable),
        };
        let sqlite = url.starts_with("sqlite:");
        Ok((history, Writer::new(pool, receiver, usable, stats, sqlite)))
    }

    /// Hands a call to the writer; waits while too many wait already.
    ///
    /// # Errors
    /// [`HistoryError::Closed`] when the writer is gone; the call is not acknowledged then.
    pub async fn record(&self, row: CallRow, ack: Option<Ack>) -> Result<(), HistoryError> {
        self.record_received(row, None, ack).await
    }

    /// The same for a call that came at `received_at`, if the hub has a clock: a call that claims
    /// to be made later counts as made then.
    ///
    /// # Errors
    /// As [`History::record`].
    pub async fn record_received(
        &self,
        row: CallRow,
        received_at: Option<Timestamp>,
        ack: Option<Ack>,
    ) -> Result<(), HistoryError> {
        self.send(Pending::Call(Arrival::new(row, received_at), ack))
            .await
    }

    /// Hands over a call of an office without numbers. It is stored, but published nowhere, until
    /// a [`HistoryEvent::Admission`] names its office.
    ///
    /// # Errors
    /// As [`History::record`].
    pub async fn record_waiting(
        &self,
        row: CallRow,
        received_at: Timestamp,
        ack: Option<Ack>,
    ) -> Result<(), HistoryError> {
        let arrival = Arrival::new(row, Some(received_at));
        self.send(Pending::Waiting(arrival, received_at.as_second(), ack))
            .await
    }

    async fn send(&self, pending: Pending) -> Result<(), HistoryError> {
        let sent = self.queue.send(pending).await;
        sent.map_err(|_| HistoryError::Closed)
    }

    /// Hands an event to the writer if there is room; whether there was.
    pub fn try_record(&self, event: HistoryEvent) -> bool {
        self.queue.try_send(Pending::Event(event)).is_ok()
    }

    /// Whether the last statement of the writer succeeded.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        self.usable.load(Ordering::Relaxed)
    }

    /// How many calls and events wait for the database.
    #[must_use]
    pub fn backlog(&self) -> usize {
        self.queue.max_capacity() - self.queue.capacity()
    }
}
