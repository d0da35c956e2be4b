//! Why a connection was lost or not made, from the errors of `rumqttc` and `rustls`: known by their
//! types, never by their texts.

use super::limits::{QOS1_UNAVAILABLE, RETAIN_UNAVAILABLE};
use crate::config::tls::{CertificateFlaw, is_version_1};
use rumqttc::v5;
use std::fmt;

/// Seconds until an attempt to connect is given up: name look-up, TCP, TLS and CONNECT.
pub(super) const CONNECT_TIMEOUT_S: u64 = 10;

/// Why a connection was lost or not made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ConnectionError {
    pub(super) kind: ConnectionErrorKind,
    pub(super) fault: Fault,
    text: String,
}

/// Where an installer has to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The network: cable, address, firewall.
    Network,
    /// The certificate that the broker shows, or the authority that is trusted with it.
    BrokerCertificate,
    /// The certificate that we show.
    ClientCertificate,
    /// Files for TLS on this machine.
    TlsFiles,
    /// User name, password, access list.
    Access,
    /// Another client with our identifier: the broker said so (MQTT 5, reason 0x8E).
    SessionTakenOver,
    /// What the broker's configuration allows.
    Limits,
    /// The name of the broker.
    HostName,
    /// Nothing listens there.
    PortClosed,
    /// What answers there is not an MQTT broker, or it uses TLS where we do not, or the reverse.
    NotABroker,
}

/// What kind of trouble it is, where that makes a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ConnectionErrorKind {
    /// No connection, or it was lost.
    Network,
    /// The broker does not speak this version.
    UnsupportedVersion,
    /// The connection was closed, or garbage arrived, before the broker answered CONNECT.
    ClosedAtConnect,
    /// The broker rejected the connection: user, password, client id, too busy.
    Rejected,
}

impl ConnectionError {
    pub(super) fn new(kind: ConnectionErrorKind, text: impl fmt::Display) -> Self {
        // A broker's text must not write lines of its own into a log.
        let text = text.to_string();
        let printable = |c: char| if c.is_control() { ' ' } else { c };
        let fault = match kind {
            ConnectionErrorKind::Rejected => Fault::Access,
            ConnectionErrorKind::UnsupportedVersion
            | ConnectionErrorKind::ClosedAtConnect
            | ConnectionErrorKind::Network => Fault::Network,
        };
        Self {
            kind,
            fault,
            text: text.chars().map(printable).take(300).collect(),
        }
    }
}

impl ConnectionError {
    /// The same with where to look.
    pub(super) fn at(mut self, fault: Fault) -> Self {
        self.fault = fault;
        self
    }
}

impl fmt::Display for ConnectionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Before CONNACK, a broker that closes the connection or sends garbage may not know our version of
/// MQTT; afterwards it is only a lost connection.
fn loss_kind(connected: bool) -> ConnectionErrorKind {
    if connected {
        ConnectionErrorKind::Network
    } else {
        ConnectionErrorKind::ClosedAtConnect
    }
}

pub(super) fn v5_error(error: v5::ConnectionError, connected: bool) -> ConnectionError {
    use v5::ConnectionError as E;
    use v5::mqttbytes::v5::ConnectReturnCode as Code;
    match error {
        E::ConnectionRefused(Code::UnsupportedProtocolVersion | Code::RefusedProtocolVersion) => {
            ConnectionError::new(
                ConnectionErrorKind::UnsupportedVersion,
                "the broker rejects MQTT 5",
            )
        }
        E::ConnectionRefused(Code::RetainNotSupported) => limits_error(RETAIN_UNAVAILABLE),
        E::ConnectionRefused(Code::QoSNotSupported) => limits_error(QOS1_UNAVAILABLE),
        E::ConnectionRefused(Code::BadUserNamePassword | Code::NotAuthorized) => bad_credentials(),
        E::ConnectionRefused(code) => rejected(code),
        E::Timeout(_) => timed_out(),
        E::Tls(e) => tls_error(&e),
        E::Io(e) => connect_error(&e, connected),
        E::MqttState(v5::StateError::ConnectionAborted) => closed_error(connected),
        E::MqttState(v5::StateError::ServerDisconnect {
            reason_code: v5::mqttbytes::v5::DisconnectReasonCode::SessionTakenOver,
            ..
        }) => taken_over(),
        E::MqttState(v5::StateError::AwaitPingResp) => ping_timeout(),
        E::MqttState(v5::StateError::Deserialization(v5::mqttbytes::Error::Io(e))) => {
            read_error(&e, connected)
        }
        E::MqttState(v5::StateError::Deserialization(e)) if !connected => {
            no_broker(loss_kind(connected), e)
        }
        e => ConnectionError::new(loss_kind(connected), e),
    }
}

pub(super) fn v311_error(error: rumqttc::ConnectionError, connected: bool) -> ConnectionError {
    use rumqttc::ConnectReturnCode as Code;
    use rumqttc::ConnectionError as E;
    match error {
        E::ConnectionRefused(Code::RefusedProtocolVersion) => ConnectionError::new(
            ConnectionErrorKind::UnsupportedVersion,
            "the broker rejects MQTT 3.1.1",
        ),
        E::ConnectionRefused(Code::BadUserNamePassword | Code::NotAuthorized) => bad_credentials(),
        E::ConnectionRefused(code) => rejected(code),
        E::NetworkTimeout => timed_out(),
        E::Tls(e) => tls_error(&e),
        E::Io(e) => connect_error(&e, connected),
        E::MqttState(rumqttc::StateError::ConnectionAborted) => closed_error(connected),
        E::MqttState(rumqttc::StateError::AwaitPingResp) => ping_timeout(),
        E::MqttState(rumqttc::StateError::Deserialization(rumqttc::mqttbytes::Error::Io(e))) => {
            read_error(&e, connected)
        }
        E::MqttState(rumqttc::StateError::Deserialization(e)) if !connected => {
            no_broker(loss_kind(connected), e)
        }
        e => ConnectionError::new(loss_kind(connected), e),
    }
}

/// The reader wants the length of the properties behind the reason, though a broker may leave it out
/// (MQTT 5.0, 3.14.2.2.1): such a packet is only a lost connection.
fn taken_over() -> ConnectionError {
    ConnectionError::new(
        ConnectionErrorKind::Network,
        "another client with the same client id took the session over: a second machine has this identity",
    )
    .at(Fault::SessionTakenOver)
}

fn bad_credentials() -> ConnectionError {
    ConnectionError::new(
        ConnectionErrorKind::Rejected,
        "the broker rejected this user name, password or client: check `username`, `password` and \
         the broker's access list",
    )
}

/// Something answered that is no MQTT: most often a web server, whose port was taken.
fn no_broker(kind: ConnectionErrorKind, error: impl fmt::Display) -> ConnectionError {
    ConnectionError::new(
        kind,
        format_args!(
            "the server there does not speak MQTT ({error}): check the port in `url`, a web server may use it"
        ),
    )
    .at(Fault::NotABroker)
}

/// The broker's own configuration forbids what we need.
fn limits_error(what: &str) -> ConnectionError {
    ConnectionError::new(ConnectionErrorKind::Rejected, what).at(Fault::Limits)
}

fn rejected(code: impl fmt::Debug) -> ConnectionError {
    ConnectionError::new(
        ConnectionErrorKind::Rejected,
        format_args!("the broker rejected the connection: {code:?}"),
    )
}

fn timed_out() -> ConnectionError {
    ConnectionError::new(
        ConnectionErrorKind::Network,
        format_args!("no answer within {CONNECT_TIMEOUT_S} s"),
    )
}

fn ping_timeout() -> ConnectionError {
    ConnectionError::new(ConnectionErrorKind::Network, "no answer to a ping")
}

fn closed_error(connected: bool) -> ConnectionError {
    let text = if connected {
        "the broker closed the connection"
    } else {
        "the broker closed the connection instead of answering"
    };
    ConnectionError::new(loss_kind(connected), text)
}

/// An error of the connection itself, by its kind and code. With TLS 1.3 a broker says only after the
/// handshake that it refuses our certificate.
fn io_error(error: &std::io::Error, kind: ConnectionErrorKind) -> ConnectionError {
    if let Some(error) = error.get_ref().and_then(|e| e.downcast_ref()) {
        return handshake(error, kind);
    }
    let fault = match error.kind() {
        std::io::ErrorKind::ConnectionRefused => Fault::PortClosed,
        _ => Fault::Network,
    };
    ConnectionError::new(kind, error).at(fault)
}

/// Whether an error was made by a library: it carries a text or an error of its own. What the
/// operating system says has a code, what the standard library says of a stream has neither.
fn is_library_error(error: &std::io::Error) -> bool {
    error.raw_os_error().is_none() && error.get_ref().is_some()
}

/// An error before there are packets. A look-up that failed has no code and no kind that can be named
/// (std::sys::net, `cvt_gai`), but beside TLS it is all that makes an error of its own there: looking
/// up, the list of addresses being empty (rumqttc, `socket_connect`). What the system says of the
/// connection has a code. The tests below look one up, so that they fail when this changes.
fn connect_error(error: &std::io::Error, connected: bool) -> ConnectionError {
    let found = io_error(error, ConnectionErrorKind::Network);
    if !connected && is_library_error(error) && found.fault == Fault::Network && !is_tls(error) {
        return found.at(Fault::HostName);
    }
    found
}

/// An error while packets are read. An answer that ends within a packet is an error of the reader
/// (tokio_util::codec, `decode_eof`), of kind `Other`.
fn read_error(error: &std::io::Error, connected: bool) -> ConnectionError {
    let kind = loss_kind(connected);
    if !connected
        && is_library_error(error)
        && !is_tls(error)
        && error.kind() == std::io::ErrorKind::Other
    {
        return no_broker(kind, "its answer ends within a packet");
    }
    io_error(error, kind)
}

fn is_tls(error: &std::io::Error) -> bool {
    error.get_ref().is_some_and(|e| e.is::<rustls::Error>())
}

/// What TLS says, in words an installer can act upon, and where to look.
fn tls_error(error: &rumqttc::TlsError) -> ConnectionError {
    const KIND: ConnectionErrorKind = ConnectionErrorKind::Network;
    match error {
        rumqttc::TlsError::TLS(error) => handshake(error, KIND),
        rumqttc::TlsError::Io(error) => {
            let inner = error.get_ref().and_then(|e| e.downcast_ref());
            if let Some(inner) = inner {
                return handshake(inner, KIND);
            }
            ConnectionError::new(
                KIND,
                format_args!("tls: {error}: check whether that port of the broker speaks TLS"),
            )
            .at(Fault::NotABroker)
        }
        error => ConnectionError::new(KIND, format_args!("tls: {error}")).at(Fault::TlsFiles),
    }
}

/// An error of TLS by its type. What an alert means: RFC 8446, section 6; whose certificate it means
/// it does not say, but a broker sends one about ours alone.
fn handshake(error: &rustls::Error, kind: ConnectionErrorKind) -> ConnectionError {
    use rustls::AlertDescription as Alert;
    use rustls::Error as E;
    let line = |fault: Fault, text: String| {
        ConnectionError::new(kind, format_args!("tls: {text}")).at(fault)
    };
    match error {
        E::InvalidCertificate(flaw) => line(Fault::BrokerCertificate, certificate_text(flaw)),
        E::AlertReceived(alert) => {
            let why = match alert {
                Alert::CertificateExpired => "it has expired, or a clock is wrong: renew `cert`",
                Alert::CertificateRevoked => "it was revoked: request another one",
                Alert::UnknownCA => {
                    "it does not know its authority: check `cert` and the broker's `cafile`"
                }
                Alert::CertificateRequired => "it requires one: set `cert` and `key`",
                Alert::BadCertificate
                | Alert::CertificateUnknown
                | Alert::UnsupportedCertificate
                | Alert::AccessDenied => "check `cert` and the broker's log",
                Alert::HandshakeFailure | Alert::ProtocolVersion | Alert::InsufficientSecurity => {
                    return line(
                        Fault::Network,
                        format!(
                            "the broker has no version or cipher in common with us ({alert:?})"
                        ),
                    );
                }
                _ => return line(Fault::Network, error.to_string()),
            };
            line(
                Fault::ClientCertificate,
                format!("the broker rejected our certificate: {why}"),
            )
        }
        E::InvalidMessage(_) => line(
            Fault::NotABroker,
            "the server there does not speak TLS: check the port in `url`, or write mqtt:// for a \
             connection without TLS"
                .into(),
        ),
        E::PeerIncompatible(_) => line(
            Fault::Network,
            "the broker has no version or cipher of TLS in common with us: expected TLS 1.2 or 1.3"
                .into(),
        ),
        error => line(Fault::Network, error.to_string()),
    }
}

/// What is wrong with the certificate that the broker shows.
fn certificate_text(flaw: &rustls::CertificateError) -> String {
    use rustls::CertificateError as F;
    if is_version_1(flaw) {
        return format!("the broker's certificate {}", CertificateFlaw::Version1);
    }
    let hint = match flaw {
        F::Expired | F::ExpiredContext { .. } | F::NotValidYet | F::NotValidYetContext { .. } => {
            " (or this machine's clock is wrong)"
        }
        F::UnknownIssuer => " (set `ca` to the certificate of the broker's authority)",
        _ => "",
    };
    format!(
        "the broker's certificate is rejected: {}{hint}",
        rustls::Error::InvalidCertificate(flaw.clone())
    )
}

#[cfg(test)]
#[path = "fault_tests.rs"]
mod tests;
