//! Options of a session.

use super::{LocalBroker, Qos};
use crate::config::MqttConfig;
use bytes::Bytes;
use std::time::Duration;

/// Largest packet a session takes by default: the picture of a board has room, an attack has not.
const MAX_PACKET: u32 = 1024 * 1024;

/// Shortest and longest pause between two attempts to connect.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(30));

/// Everything a session needs to know; [`new`](Self::new) fills in what is usual.
#[derive(Debug, Clone)]
pub struct SessionOptions {
    /// Which broker, and who we are to it.
    pub broker: MqttConfig,
    /// An in-process broker to use instead.
    pub local_broker: Option<LocalBroker>,
    /// What this session is for, in log lines: `feed`, `uplink`, `hub`.
    pub purpose: &'static str,
    /// The identifier that tells this client from every other one at the broker.
    pub client_id: String,
    /// What to subscribe to, anew on every session.
    pub subscriptions: Vec<Subscription>,
    /// Where to publish that this client is online; the opposite is its last will.
    pub availability: Option<Availability>,
    /// Largest packet that is received, bytes. Default 1 MiB.
    pub max_packet: u32,
    /// Messages that may wait for the receiver. Default 64.
    pub inbox: usize,
    /// Publishes that may wait for the connection. Default 256.
    pub queue: usize,
    /// Messages the broker may send before it waits for an acknowledgement (MQTT 5). Default 64.
    pub receive_maximum: u16,
    /// How long the broker keeps QoS-1 messages for this client while it is away; `None` (the
    /// default) asks for a clean session. Brokers bound this by number as well.
    pub session_expiry: Option<Duration>,
    /// Shortest and longest pause between attempts to connect. Default 250 ms and 30 s.
    pub backoff: (Duration, Duration),
}

impl SessionOptions {
    /// Options for a session with `broker`; its configured client id wins over `client_id`.
    #[must_use]
    pub fn new(broker: &MqttConfig, purpose: &'static str, client_id: impl Into<String>) -> Self {
        Self {
            broker: broker.clone(),
            local_broker: None,
            purpose,
            client_id: broker.client_id.clone().unwrap_or_else(|| client_id.into()),
            subscriptions: Vec::new(),
            availability: None,
            max_packet: MAX_PACKET,
            inbox: 64,
            queue: 256,
            receive_maximum: 64,
            session_expiry: None,
            backoff: BACKOFF,
        }
    }

    /// Connects to this in-process broker, if there is one, instead of the configured one.
    #[must_use]
    pub fn on_local_broker(mut self, local_broker: Option<&LocalBroker>) -> Self {
        self.local_broker = local_broker.cloned();
        self
    }

    /// Adds a subscription.
    #[must_use]
    pub fn subscribe(mut self, subscription: Subscription) -> Self {
        self.subscriptions.push(subscription);
        self
    }
}

/// One topic filter and how its messages are taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    pub filter: String,
    /// The most the broker should promise.
    pub qos: Qos,
    /// Whether the receiver acknowledges each message itself, by [`Message::ack`], once it is
    /// safe. Otherwise the session does when the message enters the inbox.
    ///
    /// [`Message::ack`]: super::Message::ack
    pub manual_ack: bool,
    /// Whether the session is whole without it. Such a subscription is not retried when the
    /// broker rejects it, and left out when the broker ends connections instead of answering it.
    pub optional: bool,
}

impl Subscription {
    /// QoS 1, acknowledged by the session.
    #[must_use]
    pub fn new(filter: impl Into<String>) -> Self {
        Self {
            filter: filter.into(),
            qos: Qos::AtLeastOnce,
            manual_ack: false,
            optional: false,
        }
    }

    /// QoS 1, acknowledged by the session; for what an access list of an earlier version may forbid.
    #[must_use]
    pub fn optional(filter: impl Into<String>) -> Self {
        Self {
            optional: true,
            ..Self::new(filter)
        }
    }

    /// QoS 1, acknowledged by the receiver. Every message must be, also those it cannot use: a
    /// broker stops sending when too many are open.
    #[must_use]
    pub fn with_manual_ack(filter: impl Into<String>) -> Self {
        Self {
            manual_ack: true,
            ..Self::new(filter)
        }
    }
}

/// A retained topic that says whether this client is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Availability {
    pub topic: String,
    /// Published first on every session.
    pub online: Bytes,
    /// The last will, and published at a graceful stop.
    pub offline: Bytes,
}
