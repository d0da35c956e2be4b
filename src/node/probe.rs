//! What measurements and tests of a node may listen to while it runs.

use crate::board::Row;
use crate::model::{OfficeId, QueueId};
use std::time::Instant;
use tokio::sync::mpsc;

/// The pixels of a board hold a message.
#[derive(Debug, Clone)]
pub struct FrameDrawn {
    /// The office of the board.
    pub office: OfficeId,
    /// The queue of the message.
    pub queue: QueueId,
    pub seq: u64,
    /// When the frame was ready and handed to the output.
    pub at: Instant,
}

/// A node took a message into its state.
#[derive(Debug, Clone)]
pub struct MessageApplied {
    /// The office of the node.
    pub office: OfficeId,
    /// The queue of the message.
    pub queue: QueueId,
    pub seq: u64,
}

/// What a board shows from now on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoardContents {
    /// The office of the board.
    pub office: OfficeId,
    pub rows: Vec<Row>,
    /// Queue and ticket of every call that is highlighted, and of the earlier ones listed beside them.
    pub calls: Vec<(String, String)>,
}

/// Where a node reports what it does, for measurements and tests. The node never waits for a
/// listener: what does not fit into a full channel is dropped.
#[derive(Debug, Clone, Default)]
pub struct Probe {
    /// Frames on a board.
    pub frames: Option<mpsc::Sender<FrameDrawn>>,
    /// Messages in the state.
    pub messages: Option<mpsc::Sender<MessageApplied>>,
    /// Contents of boards, when they change.
    pub contents: Option<mpsc::Sender<BoardContents>>,
}

/// Sends to a listener that may be absent or too slow; the event is made only if there is one.
pub(super) fn notify<T>(listener: Option<&mpsc::Sender<T>>, event: impl FnOnce() -> T) {
    if let Some(listener) = listener {
        let _ = listener.try_send(event()); // full: the measurement loses, not the board
    }
}
