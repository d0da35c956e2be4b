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

/// What is to be deleted because of its age.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Purge {
    /// The first day of each office whose ticket labels stay.
    pub labels: LabelDays,
    /// The first day whose rows stay.
    pub rows_from: Date,
    /// Calls that came before this and still wait for numbers of their office are deleted.
    pub waiting_from: Timestamp,
}

/// Something for the history that may be dropped: nobody sends it again, and nobody waits for it.
#[derive(Debug)]
pub enum HistoryEvent {
    /// The wait that was predicted when a ticket was issued.
    Prediction(PredictionRow),
    /// The state of a queue at one moment.
    QueueSample(QueueSample),
    /// Old rows and labels are to be deleted.
    Purge(Purge),
    /// An office has reported numbers: the calls that waited for them are moved to the others.
    Admission(OfficeId),
}
