//! The two dialects of `rumqttc` and the exchange within the process behind one face: the only place
//! that knows that crate.
//!
//! A [`Line`] is one connection and is thrown away with it, together with everything the crate
//! would otherwise send again by itself. It is polled to the end of every step: a step that was
//! given up half-way could lose an acknowledgement. [`Requests`] feeds it meanwhile.

use super::exchange::{Asking, Listening};
use super::fault::{CONNECT_TIMEOUT_S, LineError, v5_error, v311_error};
use super::limits::Limits;
use super::options::{Availability, SessionOptions};
use super::outbox::{Publish, PublishError, Qos, WINDOW};
use bytes::Bytes;
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

/// What happened on a line.
#[derive(Debug)]
pub(super) enum Event {
    /// The broker took us, with these limits.
    Up(Limits),
    /// A message came.
    Message(Incoming),
    /// The oldest publish that was requested went out with this packet identifier, 0 for QoS 0.
    Sent(u16),
    /// The broker confirmed a publish and said whether anybody has subscribed to it, or why not.
    Confirmed(u16, Result<bool, PublishError>),
    /// The oldest subscription that was requested went out with this packet identifier.
    Asked(u16),
    /// The broker answered a subscription; why it refuses, if it does.
    Subscribed(u16, Option<String>),
    /// A ping went out.
    Pinged,
    /// Something else came in.
    Heard,
    /// Our DISCONNECT went out.
    SaidGoodbye,
    /// Nothing to act upon.
    Nothing,
}

/// A message as it came.
#[derive(Debug)]
pub(super) struct Incoming {
    pub(super) topic: String,
    pub(super) payload: Bytes,
    pub(super) retain: bool,
    /// `None` when it needs no acknowledgement.
    pub(super) pkid: Option<u16>,
}

/// One connection.
pub(super) enum Line {
    V5(Box<v5::EventLoop>),
    V311(Box<rumqttc::EventLoop>),
    Within(Listening),
}

/// What is asked of a [`Line`] while it is being polled.
pub(super) enum Requests {
    V5(v5::AsyncClient),
    V311(rumqttc::AsyncClient),
    Within(Asking),
}

/// Room for everything that can be asked at one moment: a window of publishes, the subscriptions
/// and two goodbyes, and an acknowledgement for each message that may be open.
fn request_room(options: &SessionOptions) -> usize {
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
) -> (Requests, Line) {
    if let Some(exchange) = &options.exchange {
        let (asking, listening) = exchange.open(options);
        return (Requests::Within(asking), Line::Within(listening));
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
) -> (Requests, Line) {
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
    let (client, line) = v5::AsyncClient::new(mqtt, request_room(options));
    (Requests::V5(client), Line::V5(Box::new(line)))
}

fn open_v311(
    options: &SessionOptions,
    transport: rumqttc::Transport,
    network: rumqttc::NetworkOptions,
    credentials: Option<(String, String)>,
) -> (Requests, Line) {
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
    let (client, mut line) = rumqttc::AsyncClient::new(mqtt, request_room(options));
    line.set_network_options(network);
    (Requests::V311(client), Line::V311(Box::new(line)))
}

/// Says that a request found no room or was malformed.
#[derive(Debug)]
pub(super) struct NoRoom;

impl Requests {
    pub(super) fn publish(&self, publish: &Publish) -> Result<(), NoRoom> {
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
                    .map_err(|_| NoRoom)
            }
            Self::V311(client) => client
                .try_publish(&**topic, qos_v311(*qos), *retain, payload.to_vec())
                .map_err(|_| NoRoom),
            Self::Within(asking) => {
                asking.publish(publish);
                Ok(())
            }
        }
    }

    pub(super) fn subscribe(&self, filter: &str, qos: Qos) -> Result<(), NoRoom> {
        match self {
            Self::V5(client) => {
                let qos = match qos {
                    Qos::AtMostOnce => v5::mqttbytes::QoS::AtMostOnce,
                    Qos::AtLeastOnce => v5::mqttbytes::QoS::AtLeastOnce,
                };
                client.try_subscribe(filter, qos).map_err(|_| NoRoom)
            }
            Self::V311(client) => client
                .try_subscribe(filter, qos_v311(qos))
                .map_err(|_| NoRoom),
            Self::Within(asking) => {
                asking.subscribe(filter, qos);
                Ok(())
            }
        }
    }

    pub(super) fn ack(&self, pkid: u16) -> Result<(), NoRoom> {
        match self {
            Self::V5(client) => client
                .try_ack(&v5::mqttbytes::v5::Publish {
                    pkid,
                    qos: v5::mqttbytes::QoS::AtLeastOnce,
                    ..Default::default()
                })
                .map_err(|_| NoRoom),
            Self::V311(client) => {
                let mut publish = rumqttc::Publish::new("", rumqttc::QoS::AtLeastOnce, "");
                publish.pkid = pkid;
                client.try_ack(&publish).map_err(|_| NoRoom)
            }
            Self::Within(asking) => {
                asking.acknowledge(pkid);
                Ok(())
            }
        }
    }

    pub(super) fn disconnect(&self) -> Result<(), NoRoom> {
        match self {
            Self::V5(client) => client.try_disconnect().map_err(|_| NoRoom),
            Self::V311(client) => client.try_disconnect().map_err(|_| NoRoom),
            Self::Within(asking) => {
                asking.disconnect();
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

impl Line {
    /// The next thing that happens. `up` says whether the broker has answered CONNECT.
    pub(super) async fn poll(&mut self, up: bool) -> Result<Event, LineError> {
        match self {
            Self::V5(line) => line.poll().await.map(v5_event).map_err(|e| v5_error(e, up)),
            Self::V311(line) => line
                .poll()
                .await
                .map(v311_event)
                .map_err(|e| v311_error(e, up)),
            Self::Within(listening) => listening.poll().await,
        }
    }
}

fn outgoing(event: &rumqttc::Outgoing) -> Event {
    match event {
        rumqttc::Outgoing::Publish(pkid) => Event::Sent(*pkid),
        rumqttc::Outgoing::Subscribe(pkid) => Event::Asked(*pkid),
        rumqttc::Outgoing::PingReq => Event::Pinged,
        rumqttc::Outgoing::Disconnect => Event::SaidGoodbye,
        _ => Event::Nothing,
    }
}

fn v5_event(event: v5::Event) -> Event {
    use v5::mqttbytes::v5::{Packet, PubAckReason, SubscribeReasonCode};
    let packet = match event {
        v5::Event::Outgoing(event) => return outgoing(&event),
        v5::Event::Incoming(packet) => packet,
    };
    match packet {
        Packet::ConnAck(ack) => Event::Up(ack.properties.map_or(Limits::NONE, |p| Limits {
            keeps: p.retain_available != Some(0),
            confirms: p.max_qos != Some(0),
            max_packet: p.max_packet_size,
        })),
        Packet::Publish(publish) => Event::Message(Incoming {
            topic: String::from_utf8_lossy(&publish.topic).into_owned(),
            payload: publish.payload,
            retain: publish.retain,
            pkid: (publish.qos != v5::mqttbytes::QoS::AtMostOnce).then_some(publish.pkid),
        }),
        Packet::PubAck(ack) => Event::Confirmed(
            ack.pkid,
            match ack.reason {
                PubAckReason::Success => Ok(true),
                PubAckReason::NoMatchingSubscribers => Ok(false),
                reason => Err(PublishError::Refused(format!("{reason:?}"))),
            },
        ),
        Packet::SubAck(ack) => Event::Subscribed(
            ack.pkid,
            ack.return_codes
                .iter()
                .find(|code| !matches!(code, SubscribeReasonCode::Success(_)))
                .map(|code| format!("{code:?}")),
        ),
        _ => Event::Heard,
    }
}

fn v311_event(event: rumqttc::Event) -> Event {
    use rumqttc::{Packet, SubscribeReasonCode};
    let packet = match event {
        rumqttc::Event::Outgoing(event) => return outgoing(&event),
        rumqttc::Event::Incoming(packet) => packet,
    };
    match packet {
        Packet::ConnAck(_) => Event::Up(Limits::NONE),
        Packet::Publish(publish) => Event::Message(Incoming {
            topic: publish.topic,
            payload: publish.payload,
            retain: publish.retain,
            pkid: (publish.qos != rumqttc::QoS::AtMostOnce).then_some(publish.pkid),
        }),
        Packet::PubAck(ack) => Event::Confirmed(ack.pkid, Ok(true)),
        Packet::SubAck(ack) => Event::Subscribed(
            ack.pkid,
            ack.return_codes
                .iter()
                .find(|code| matches!(code, SubscribeReasonCode::Failure))
                .map(|_| "refused".to_owned()),
        ),
        _ => Event::Heard,
    }
}
