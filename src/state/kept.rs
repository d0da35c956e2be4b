//! What survives a power cut, as plain values.

use crate::model::{Call, QueueId, QueueState, Source};
use jiff::civil::Date;

/// What is kept through a power cut.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Kept {
    /// Every queue that was ever heard.
    pub queues: Vec<KeptQueue>,
    /// The newest calls, oldest first.
    pub calls: Vec<KeptCall>,
}

/// What is kept of one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptCall {
    /// Its queue.
    pub queue: QueueId,
    /// Its business day.
    pub day: Date,
    /// Its epoch as counted by this node.
    pub epoch: u32,
    /// The call.
    pub call: Call,
    /// Whether every board showed it for its time.
    pub shown: bool,
}

/// What is kept of one queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptQueue {
    /// Which queue.
    pub queue: QueueId,
    /// The last accepted message.
    pub state: QueueState,
    /// The epoch as counted by this node.
    pub epoch: u32,
    /// Where it came from.
    pub source: Source,
    /// Highest `no` seen in that day and epoch.
    pub last_no: u64,
    /// Whether the time of the message means something; see [`Reading::dated`](super::Reading).
    pub dated: bool,
}
