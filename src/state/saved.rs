//! The state that is saved to storage and restored after a restart, as plain values.

use crate::model::{Call, QueueId, QueueState, Source};
use jiff::civil::Date;

/// The state that survives a power cut.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SavedState {
    /// Every queue that ever sent a message.
    pub queues: Vec<SavedQueue>,
    /// The newest calls, oldest first.
    pub calls: Vec<SavedCall>,
}

/// One saved call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedCall {
    pub queue: QueueId,
    pub day: Date,
    /// Its epoch as counted by this node.
    pub epoch: u32,
    pub call: Call,
    /// Whether every board showed it for its time.
    pub shown: bool,
}

/// One saved queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedQueue {
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
