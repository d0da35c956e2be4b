//! One message from the broker, as the hub gets it; knows nothing of `mqtt`.

use crate::model::OfficeId;
use crate::wire::topic::Topic;
use bytes::Bytes;
use std::fmt;

/// One message of a report topic.
#[derive(Debug)]
pub struct Incoming {
    /// Full topic name, root included.
    pub topic: String,
    /// The bytes as they came; anything at all.
    pub payload: Bytes,
    /// Whether it is a retained message.
    pub retain: bool,
    /// Called once the message needs no repeating: for a call when the history holds it for
    /// good, for everything else at once. Dropped uncalled, the broker sends it again.
    pub ack: Option<Ack>,
}

impl Incoming {
    /// A message that needs no acknowledgement.
    pub fn new(topic: impl Into<String>, payload: impl Into<Bytes>) -> Self {
        Self {
            topic: topic.into(),
            payload: payload.into(),
            retain: false,
            ack: None,
        }
    }
}

/// Acknowledges a message to the broker.
pub struct Ack(Box<dyn FnOnce() + Send>);

impl Ack {
    /// Wraps what is to be done; it must neither block nor panic.
    pub fn new(tell: impl FnOnce() + Send + 'static) -> Self {
        Self(Box::new(tell))
    }

    /// Does it.
    pub fn done(self) {
        (self.0)();
    }
}

impl fmt::Debug for Ack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ack")
    }
}

/// Which office a topic is of.
pub(super) fn office(topic: &Topic) -> &OfficeId {
    match topic {
        Topic::Feed(o, _)
        | Topic::Numbers(o, _)
        | Topic::Calls(o, _)
        | Topic::Board(o, ..)
        | Topic::Camera(o, ..)
        | Topic::Availability(o, _)
        | Topic::Health(o, _)
        | Topic::Instance(o, _) => o,
    }
}

/// Every word of [`kind`].
pub(super) const KINDS: [&str; 7] = [
    "feed",
    "numbers",
    "calls",
    "board",
    "camera",
    "availability",
    "health",
];

/// What a topic is called in counts.
pub(super) fn kind(topic: &Topic) -> &'static str {
    match topic {
        Topic::Feed(..) => "feed",
        Topic::Numbers(..) => "numbers",
        Topic::Calls(..) => "calls",
        Topic::Board(..) => "board",
        Topic::Camera(..) => "camera",
        Topic::Availability(..) => "availability",
        Topic::Health(..) => "health",
        Topic::Instance(..) => "instance",
    }
}
