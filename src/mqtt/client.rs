//! One interface to the clients of `rumqttc` for MQTT 5 and 3.1.1 and to the in-process broker: the only
//! module that knows that crate.
//!
//! An [`EventLoop`] is one connection and is dropped with it, together with everything the crate
//! would otherwise send again by itself. It is polled to the end of every step: a step that was
//! given up half-way could lose an acknowledgement. [`Commands`] queues work for it meanwhile.

use super::event::{Event, IncomingPublish};
use super::fault::{CONNECT_TIMEOUT_S, ConnectionError, v5_error, v311_error};
use super::limits::Limits;
use super::local_broker::{LocalClient, LocalEvents};
use super::options::{Availability, SessionOptions};
use super::outbox::{Publish, PublishError, Qos, WINDOW};
use rumqttc::v5;
use rustls::ClientConfig;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Shortest keep-alive the crate accepts.
const MIN_KEEP_ALIVE: Duration = Duration::from_secs(5);

/// Packet identifiers in use before they are used again. Four windows: a broker that confirms out
/// of order does not make them collide.
const PACKET_IDS: u16 = 128;
const _: () = assert!(PACKET_IDS as usize == 4 * WINDOW);

/// A version of MQTT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// MQTT 5.
    V5,
    /// MQTT 3.1.1.
    V311,
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V5 => "5",
            Self::V311 => "3.1.1",
        })
    }
}

/// One connection.
pub(super) enum EventLoop {
    V5(Box<v5::EventLoop>),
    V311(Box<rumqttc::EventLoop>),
    Local(LocalEvents),
}

/// Queues work for an [`EventLoop`] while it is being polled.
pub(super) enum Commands {
    V5(v5::AsyncClient),
    V311(rumqttc::AsyncClient),
    Local(LocalClient),
}

/// Room for every command that can wait at one moment: a window of publishes, the subscriptions,
/// the last publish and DISCONNECT, and an acknowledgement for each message that may be open.
fn command_capacity(options: &SessionOptions) -> usize {
    WINDOW + options.subscriptions.len() + 8 + 2 * usize::from(options.receive_maximum)
}

fn keep_alive(options: &SessionOptions) -> Duration {
    options.broker.keep_alive.max(MIN_KEEP_ALIVE)
}

/// Host in the form the crate joins with a port.
fn host(options: &SessionOptions) -> String {
    let host = options.broker.host.as_str();
    if host.contains(':') && !host.starts_with('[') && options.broker.tls.is_none() {
        format!("[{host}]")
    } else {
        host.to_owned()
    }
}

/// Prepares a connection; nothing happens before it is polled.
pub(super) fn open(
    options: &SessionOptions,
    version: Version,
    tls: Option<Arc<ClientConfig>>,
) -> (Commands, EventLoop) {
    if let Some(local_broker) = &options.local_broker {
        let will = options.availability.clone();
        let will = will.map(|a| Publish::retained(a.topic, a.offline));
        let (client, events) = local_broker.open(
            &options.client_id,
            will,
            options.receive_maximum,
            options.broker.keep_alive,
        );
        return (Commands::Local(client), EventLoop::Local(events));
    }
    let transport = match tls {
        Some(tls) => rumqttc::Transport::Tls(rumqttc::TlsConfiguration::Rustls(tls)),
        None => rumqttc::Transport::Tcp,
    };
    let mut network = rumqttc::NetworkOptions::new();
    network.set_tcp_nodelay(true); // a call is one small packet: it must not wait for a second
    network.set_connection_timeout(CONNECT_TIMEOUT_S);
    let credentials = options.broker.username.clone().map(|user| {
        let password = options.broker.password.as_ref();
        (
            user,
            password.map_or(String::new(), |p| p.reveal().to_owned()),
        )
    });
    match version {
        Version::V5 => open_v5(options, transport, network, credentials),
        Version::V311 => open_v311(options, transport, network, credentials),
    }
}

fn open_v5(
    options: &SessionOptions,
    transport: rumqttc::Transport,
    network: rumqttc::NetworkOptions,
    credentials: Option<(String, String)>,
) -> (Commands, EventLoop) {
    use v5::mqttbytes::QoS;
    let mut mqtt = v5::MqttOptions::new(&options.client_id, host(options), options.broker.port);
    mqtt.set_transport(transport)
        .set_keep_alive(keep_alive(options))
        .set_connection_timeout(CONNECT_TIMEOUT_S)
        .set_clean_start(options.session_expiry.is_none())
        .set_manual_acks(true)
        .set_max_packet_size(Some(options.max_packet))
        .set_receive_maximum(Some(options.receive_maximum.max(1)))
        .set_outgoing_inflight_upper_limit(PACKET_IDS);
    mqtt.set_network_options(network);
    if let Some(expiry) = options.session_expiry {
        mqtt.set_session_expiry_interval(Some(u32::try_from(expiry.as_secs()).unwrap_or(u32::MAX)));
    }
    if let Some((user, password)) = credentials {
        mqtt.set_credentials(user, password);
    }
    if let Some(Availability { topic, offline, .. }) = &options.availability {
        let will =
            v5::mqttbytes::v5::LastWill::new(topic, offline.to_vec(), QoS::AtLeastOnce, true, None);
        mqtt.set_last_will(will);
    }
    let (client, event_loop) = v5::AsyncClient::new(mqtt, command_capacity(options));
    (Commands::V5(client), EventLoop::V5(Box::new(event_loop)))
}

fn open_v311(
    options: &SessionOptions,
    transport: rumqttc::Transport,
    network: rumqttc::NetworkOptions,
    credentials: Option<(String, String)>,
) -> (Commands, EventLoop) {
    use rumqttc::QoS;
    let max = usize::try_from(options.max_packet).unwrap_or(usize::MAX);
    let mut mqtt =
        rumqttc::MqttOptions::new(&options.client_id, host(options), options.broker.port);
    mqtt.set_transport(transport)
        .set_keep_alive(keep_alive(options))
        .set_clean_session(options.session_expiry.is_none())
        .set_manual_acks(true)
        .set_max_packet_size(max, usize::MAX)
        .set_inflight(PACKET_IDS);
    if let Some((user, password)) = credentials {
        mqtt.set_credentials(user, password);
    }
    if let Some(Availability { topic, offline, .. }) = &options.availability {
        mqtt.set_last_will(rumqttc::LastWill::new(
            topic,
            offline.to_vec(),
            QoS::AtLeastOnce,
            true,
        ));
    }
    let (client, mut event_loop) = rumqttc::AsyncClient::new(mqtt, command_capacity(options));
    event_loop.set_network_options(network);
    (
        Commands::V311(client),
        EventLoop::V311(Box::new(event_loop)),
    )
}

/// A command found no room in the queue or was malformed.
#[derive(Debug)]
pub(super) struct QueueFull;

impl Commands {
    pub(super) fn publish(&self, publish: &Publish) -> Result<(), QueueFull> {
        let Publish {
            topic,
            payload,
            retain,
            qos,
        } = publish;
        match self {
            Self::V5(client) => {
                let qos = match qos {
                    Qos::AtMostOnce => v5::mqttbytes::QoS::AtMostOnce,
                    Qos::AtLeastOnce => v5::mqttbytes::QoS::AtLeastOnce,
                };
                client
                    .try_publish(&**topic, qos, *retain, payload.clone())
                    .map_err(|_| QueueFull)
            }
            Self::V311(client) => client
                .try_publish(&**topic, qos_v311(*qos), *retain, payload.to_vec())
                .map_err(|_| QueueFull),
            Self::Local(client) => {
                client.publish(publish);
                Ok(())
            }
        }
    }

    pub(super) fn subscribe(&self, filter: &str, qos: Qos) -> Result<(), QueueFull> {
        match self {
            Self::V5(client) => {
                let qos = match qos {
                    Qos::AtMostOnce => v5::mqttbytes::QoS::AtMostOnce,
                    Qos::AtLeastOnce => v5::mqttbytes::QoS::AtLeastOnce,
                };
                client.try_subscribe(filter, qos).map_err(|_| QueueFull)
            }
            Self::V311(client) => client
                .try_subscribe(filter, qos_v311(qos))
                .map_err(|_| QueueFull),
            Self::Local(client) => {
                client.subscribe(filter, qos);
                Ok(())
            }
        }
    }

    pub(super) fn ack(&self, pkid: u16) -> Result<(), QueueFull> {
        match self {
            Self::V5(client) => client
                .try_ack(&v5::mqttbytes::v5::Publish {
                    pkid,
                    qos: v5::mqttbytes::QoS::AtLeastOnce,
                    ..Default::default()
                })
                .map_err(|_| QueueFull),
            Self::V311(client) => {
                let mut publish = rumqttc::Publish::new("", rumqttc::QoS::AtLeastOnce, "");
                publish.pkid = pkid;
                client.try_ack(&publish).map_err(|_| QueueFull)
            }
            Self::Local(client) => {
                client.acknowledge(pkid);
                Ok(())
            }
        }
    }

    pub(super) fn disconnect(&self) -> Result<(), QueueFull> {
        match self {
            Self::V5(client) => client.try_disconnect().map_err(|_| QueueFull),
            Self::V311(client) => client.try_disconnect().map_err(|_| QueueFull),
            Self::Local(client) => {
                client.disconnect();
                Ok(())
            }
        }
    }
}

fn qos_v311(qos: Qos) -> rumqttc::QoS {
    match qos {
        Qos::AtMostOnce => rumqttc::QoS::AtMostOnce,
        Qos::AtLeastOnce => rumqttc::QoS::AtLeastOnce,
    }
}

impl EventLoop {
    /// The next thing that happens. `connected` says whether the broker has answered CONNECT.
    pub(super) async fn poll(&mut self, connected: bool) -> Result<Event, ConnectionError> {
        match self {
            Self::V5(event_loop) => event_loop
                .poll()
                .await
                .map(v5_event)
                .map_err(|e| v5_error(e, connected)),
            Self::V311(event_loop) => event_loop
                .poll()
                .await
                .map(v311_event)
                .map_err(|e| v311_error(e, connected)),
            Self::Local(events) => events.poll().await,
        }
    }
}

fn outgoing(event: &rumqttc::Outgoing) -> Event {
    match event {
        rumqttc::Outgoing::Publish(pkid) => Event::PublishSent(*pkid),
        rumqttc::Outgoing::Subscribe(pkid) => Event::SubscribeSent(*pkid),
        rumqttc::Outgoing::PingReq => Event::PingSent,
        rumqttc::Outgoing::Disconnect => Event::DisconnectSent,
        _ => Event::Ignored,
    }
}

fn v5_event(event: v5::Event) -> Event {
    use v5::mqttbytes::v5::{Packet, PubAckReason, SubscribeReasonCode};
    let packet = match event {
        v5::Event::Outgoing(event) => return outgoing(&event),
        v5::Event::Incoming(packet) => packet,
    };
    match packet {
        Packet::ConnAck(ack) => Event::Connected(ack.properties.map_or(Limits::NONE, |p| Limits {
            retain_available: p.retain_available != Some(0),
            qos1_available: p.max_qos != Some(0),
            max_packet: p.max_packet_size,
        })),
        Packet::Publish(publish) => Event::Message(IncomingPublish {
            topic: String::from_utf8_lossy(&publish.topic).into_owned(),
            payload: publish.payload,
            retain: publish.retain,
            pkid: (publish.qos != v5::mqttbytes::QoS::AtMostOnce).then_some(publish.pkid),
        }),
        Packet::PubAck(ack) => Event::PublishAcked(
            ack.pkid,
            match ack.reason {
                PubAckReason::Success => Ok(true),
                PubAckReason::NoMatchingSubscribers => Ok(false),
                reason => Err(PublishError::Rejected(format!("{reason:?}"))),
            },
        ),
        Packet::SubAck(ack) => Event::SubscribeAcked(
            ack.pkid,
            ack.return_codes
                .iter()
                .find(|code| !matches!(code, SubscribeReasonCode::Success(_)))
                .map(|code| format!("{code:?}")),
        ),
        _ => Event::OtherPacket,
    }
}

fn v311_event(event: rumqttc::Event) -> Event {
    use rumqttc::{Packet, SubscribeReasonCode};
    let packet = match event {
        rumqttc::Event::Outgoing(event) => return outgoing(&event),
        rumqttc::Event::Incoming(packet) => packet,
    };
    match packet {
        Packet::ConnAck(_) => Event::Connected(Limits::NONE),
        Packet::Publish(publish) => Event::Message(IncomingPublish {
            topic: publish.topic,
            payload: publish.payload,
            retain: publish.retain,
            pkid: (publish.qos != rumqttc::QoS::AtMostOnce).then_some(publish.pkid),
        }),
        Packet::PubAck(ack) => Event::PublishAcked(ack.pkid, Ok(true)),
        Packet::SubAck(ack) => Event::SubscribeAcked(
            ack.pkid,
            ack.return_codes
                .iter()
                .find(|code| matches!(code, SubscribeReasonCode::Failure))
                .map(|_| "refused".to_owned()),
        ),
        _ => Event::OtherPacket,
    }
}
