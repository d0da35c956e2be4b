//! Calls: "ticket X, please come to counter Y".

use super::{Label, OfficeId, QueueId};
use jiff::{Timestamp, civil::Date};

/// Whether a ticket is called for the first time or again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CallKind {
    /// The first call of a ticket to a counter.
    Call,
    /// The same again: the person did not come yet.
    Recall,
}

impl CallKind {
    /// The word of the contract: `call` or `recall`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Call => "call",
            Self::Recall => "recall",
        }
    }
}

/// One call of a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Counts 1, 2, 3 … through a (`day`, `epoch`) of its queue, recalls included.
    pub no: u64,
    pub ticket: Label,
    /// Where to; `None` when the source does not know counters.
    pub counter: Option<Label>,
    /// When the ticketing system called.
    pub at: Timestamp,
    /// Call or recall.
    pub kind: CallKind,
}

/// A ticket that a source shows as being served without telling when it was called: what stood there
/// when it was first seen. It is listed, and it is no call: nobody knows how old it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NowServing {
    pub ticket: Label,
    /// Where; `None` when the source does not know counters.
    pub counter: Option<Label>,
}

/// What makes a call one and the same everywhere: at the node, in the spool and in the history.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CallKey {
    pub office: OfficeId,
    /// The queue of the ticket.
    pub queue: QueueId,
    pub day: Date,
    /// How often `no` restarted within the day.
    pub epoch: u32,
    pub no: u64,
}
