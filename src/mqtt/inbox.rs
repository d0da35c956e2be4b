//! Messages on their way from the connection to the receiver.

use bytes::Bytes;
use std::fmt;
use tokio::sync::mpsc;

/// One received message.
pub struct Message {
    /// Full topic name.
    pub topic: String,
    /// The payload as sent.
    pub payload: Bytes,
    /// Whether the broker had retained it from before the subscription.
    pub retain: bool,
    pub(super) ack: Option<Ack>,
}

impl Message {
    /// Acknowledges the message to the broker, where the subscription left that to the receiver;
    /// does nothing otherwise, or when the session it came with is over.
    pub fn ack(&mut self) {
        if let Some(ack) = self.ack.take() {
            // Fails only when the session's task is gone, and its acknowledgements with it.
            let _ = ack.to.send(ack.token);
        }
    }

    /// A message as if received, for tests and other sources than a broker.
    #[must_use]
    pub fn new(topic: impl Into<String>, payload: impl Into<Bytes>, retain: bool) -> Self {
        Self {
            topic: topic.into(),
            payload: payload.into(),
            retain,
            ack: None,
        }
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("topic", &self.topic)
            .field("bytes", &self.payload.len())
            .field("retain", &self.retain)
            .field("open", &self.ack.is_some())
            .finish()
    }
}

/// What to acknowledge, and to whom.
pub(super) struct Ack {
    /// Unbounded in type only, see [`spawn`](super::spawn).
    pub(super) to: mpsc::UnboundedSender<AckToken>,
    pub(super) token: AckToken,
}

/// A packet of one session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct AckToken {
    pub(super) session: u64,
    pub(super) pkid: u16,
}
