//! Every call of every office, once, in a database.
//!
//! Calls arrive at least once and are written exactly once: a second arrival of the same call is
//! ignored, another call under a count that is taken is written beside it (see `calls`). A call
//! is acknowledged to the broker only after the transaction that holds it is on disk. While the
//! database is locked, full or away, calls wait in a bounded channel, then in the broker; none is
//! dropped.
//!
//! Beside the calls it holds what was told and what happened ([`WaitRow`]) and how queues stood
//! ([`QueueSample`]). A ticket's label is forgotten when its day is over; only times stay.
//!
//! The same SQL serves SQLite and PostgreSQL through sqlx's `Any` driver. Knows no registry and
//! no pages.

mod calls;
mod labels;
mod purge;
mod read;
mod spelling;
mod sql;

mod tables;
mod waits;
mod writer;

pub use labels::LabelDays;
pub use read::MAX_PAGE;
pub use waits::{Accuracy, PredictionRow, QueueSample, Usual, WaitRow};
pub use writer::Writer;

use crate::hub::incoming::Ack;
use crate::hub::stats::Stats;
use crate::model::OfficeId;
use crate::wire::report::CallReport;
use calls::Arrival;
use jiff::Timestamp;
use jiff::civil::Date;
use sqlx::AnyPool;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::mpsc;

/// Calls and notes that wait for the database at most: a day of six offices, under 3 MB.
const QUEUE_LEN: usize = 8_192;

/// One row of the history, and one line of `/opendata/calls/{day}.csv`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct CallRow {
    /// The office that called.
    pub office: String,
    /// The queue that called.
    pub queue: String,
    /// Business day, `YYYY-MM-DD`.
    pub day: String,
    /// Restarts of `no` within the day.
    pub epoch: i64,
    /// Count within day and epoch, from 1.
    pub no: i64,
    /// Who was called; empty when that day is over.
    pub ticket: String,
    /// Where to; empty when unknown.
    pub counter: String,
    /// When, RFC 3339 with the office's offset.
    pub at: String,
    /// `call` or `recall`.
    pub kind: String,
}

impl CallRow {
    /// The row of a reported call; `None` when its `no` is over `i64::MAX`.
    #[must_use]
    pub fn new(office: &OfficeId, call: &CallReport) -> Option<Self> {
        Some(Self {
            office: office.to_string(),
            queue: call.queue.to_string(),
            day: call.day.to_string(),
            epoch: call.epoch.into(),
            no: i64::try_from(call.no).ok()?,
            ticket: call.ticket.to_string(),
            counter: call
                .counter
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default(),
            at: call.at.to_string(),
            kind: call.kind.as_str().to_owned(),
        })
    }
}

/// Says why the history cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// The address is none that a driver knows, or its database cannot be opened.
    #[error("cannot open the history database: expected sqlite:FILE or postgres://…")]
    Open(#[source] sqlx::Error),
    /// The tables cannot be made.
    #[error("cannot prepare the tables of the history database")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// A query failed.
    #[error("cannot query the history database")]
    Query(#[from] sqlx::Error),
    /// The writer has stopped.
    #[error("the history database is closed")]
    Closed,
}

impl HistoryError {
    /// Whether waiting may help: the database is locked, full, or away. A file that cannot be
    /// opened or is no database is a mistake, to be told at once.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        use sqlx::migrate::MigrateError as M;
        let (Self::Open(error)
        | Self::Query(error)
        | Self::Migrate(M::Execute(error) | M::ExecuteMigration(error, _))) = self
        else {
            return false;
        };
        match error {
            sqlx::Error::PoolTimedOut => true,
            // The low byte is the kind (https://sqlite.org/rescode.html): BUSY, LOCKED, IOERR, FULL.
            sqlx::Error::Database(e) => e
                .code()
                .and_then(|code| code.parse::<u32>().ok())
                .is_some_and(|code| matches!(code & 0xff, 5 | 6 | 10 | 13)),
            _ => false,
        }
    }
}

/// What waits to be written.
#[derive(Debug)]
enum Pending {
    /// A call, acknowledged when it is on disk.
    Call(Arrival, Option<Ack>),
    /// A call of an office without numbers, and when it came in seconds since 1970.
    Waiting(Arrival, i64, Option<Ack>),
    Event(HistoryEvent),
}

/// What is too old to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Purge {
    /// The first days whose tickets may be named.
    pub labels: LabelDays,
    /// The first day of which anything is kept.
    pub rows_from: Date,
    /// Calls that came before this and still wait for numbers of their office go.
    pub waiting_from: Timestamp,
}

/// Something that may be lost: nobody sends it again, and nobody waits for it.
#[derive(Debug)]
pub enum HistoryEvent {
    /// What somebody was told who took a ticket.
    Prediction(PredictionRow),
    /// How a queue stood.
    QueueSample(QueueSample),
    /// What is to be forgotten.
    Purge(Purge),
    /// An office has numbers: the calls that waited for them are written where they belong.
    Admission(OfficeId),
}

/// The history as everybody but its writer sees it. Cheap to clone.
#[derive(Debug, Clone)]
pub struct History {
    pool: AnyPool,
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

    /// The same for a call that came at `received_at`, where the hub has a clock to tell: it counts as
    /// made then, if it claims to be made later.
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

    /// Hands over a call of an office that has no numbers: kept, but in nothing that is published,
    /// until a [`HistoryEvent::Admission`] names its office.
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

    /// Hands a note to the writer if there is room; whether there was.
    pub fn try_record(&self, event: HistoryEvent) -> bool {
        self.queue.try_send(Pending::Event(event)).is_ok()
    }

    /// Whether the database took the last thing it was asked.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        self.usable.load(Ordering::Relaxed)
    }

    /// How many calls wait for the database.
    #[must_use]
    pub fn backlog(&self) -> usize {
        self.queue.max_capacity() - self.queue.capacity()
    }
}
