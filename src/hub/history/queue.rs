//! What waits to be written.

use super::arrival::Arrival;
use super::labels::LabelDays;
use super::rows::{PredictionRow, QueueSample};
use crate::hub::incoming::Ack;
use crate::model::OfficeId;
use jiff::Timestamp;
use jiff::civil::Date;

/// What waits to be written.
#[derive(Debug)]
pub(super) enum Pending {
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
