//! Every call of every office, once, in a database.
//!
//! Calls arrive at least once and are written exactly once: a second arrival of the same call is
//! ignored, another call with the same count is written beside it (see `calls`). A call
//! is acknowledged to the broker only after the transaction that holds it is on disk. While the
//! database is locked, full or away, calls wait in a bounded channel, then in the broker; none is
//! dropped.
//!
//! Beside the calls it holds predicted and actual waits ([`WaitRow`]) and samples of queues
//! ([`QueueSample`]). A ticket's label is deleted when its day is over; only times stay.
//!
//! The same SQL serves SQLite and PostgreSQL through sqlx's `Any` driver. Knows no registry and
//! no pages.

mod arrival;
mod calls;
mod database;
mod error;
mod labels;
mod predictions;
mod purge;
mod queue;
mod read;
mod rows;
mod spelling;
mod sql;
mod tables;
mod waits;
mod writer;

pub use database::History;
pub use error::HistoryError;
pub use labels::LabelDays;
pub use queue::{HistoryEvent, Purge};
pub use read::MAX_PAGE;
pub use rows::{Accuracy, CallRow, PredictionRow, QueueSample, Usual, WaitRow};
pub use writer::Writer;
