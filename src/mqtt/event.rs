//! What happens on a connection, whoever is at the other end.

use super::limits::Limits;
use super::outbox::PublishError;
use bytes::Bytes;

/// What happened on a connection.
#[derive(Debug)]
pub(super) enum Event {
    /// The broker sent CONNACK, with these limits.
    Connected(Limits),
    /// A message came.
    Message(IncomingPublish),
    /// The oldest publish that was queued was sent with this packet identifier, 0 for QoS 0.
    PublishSent(u16),
    /// The broker acknowledged a publish and said whether anybody has subscribed to it, or why not.
    PublishAcked(u16, Result<bool, PublishError>),
    /// The oldest subscription that was queued was sent with this packet identifier.
    SubscribeSent(u16),
    /// The broker answered a subscription; why it rejects it, if it does.
    SubscribeAcked(u16, Option<String>),
    /// A ping was sent.
    PingSent,
    /// Any other packet was received.
    OtherPacket,
    /// Our DISCONNECT was sent.
    DisconnectSent,
    /// Nothing to act upon.
    Ignored,
}

/// A message as it came.
#[derive(Debug)]
pub(super) struct IncomingPublish {
    pub(super) topic: String,
    pub(super) payload: Bytes,
    pub(super) retain: bool,
    /// `None` when it needs no acknowledgement.
    pub(super) pkid: Option<u16>,
}
