//! Tests of what errors of a connection are taken for.

use super::*;
use bytes::BytesMut;
use rustix::io::Errno;
use std::io::{Error, ErrorKind};
use std::net::ToSocketAddrs as _;

#[test]
fn a_name_that_is_not_found_is_told_by_the_errors_type() {
    // No label may be empty (RFC 1035, 2.3.1): refused before any server is asked.
    let found = ("no..name", 1883).to_socket_addrs();
    let error = found.expect_err("nobody is called so");
    assert_eq!(
        connect_error(&error, false).fault,
        Fault::HostName,
        "{error:?}"
    );
    // What rumqttc says of a name without an address.
    let none = Error::new(ErrorKind::InvalidInput, "could not resolve to any address");
    assert_eq!(connect_error(&none, false).fault, Fault::HostName);
}

#[test]
fn no_other_error_is_taken_for_a_name_that_is_not_found() {
    for (error, fault) in [
        (Error::from(Errno::CONNREFUSED), Fault::PortClosed),
        (Error::from(Errno::HOSTUNREACH), Fault::Network),
        (Error::from(Errno::NETUNREACH), Fault::Network),
        (ErrorKind::ConnectionReset.into(), Fault::Network),
        (ErrorKind::UnexpectedEof.into(), Fault::Network),
        (
            Error::other(rustls::Error::HandshakeNotComplete),
            Fault::Network,
        ),
    ] {
        assert_eq!(connect_error(&error, false).fault, fault, "{error:?}");
    }
    let text = Error::other("failed to lookup address information: so it says");
    assert_eq!(
        connect_error(&text, true).fault,
        Fault::Network,
        "it was up"
    );
}

#[test]
fn an_answer_that_ends_within_a_packet_is_none_of_a_broker() {
    use tokio_util::codec::Decoder;
    /// Wants more than ever comes.
    struct Never;
    impl Decoder for Never {
        type Item = ();
        type Error = Error;
        fn decode(&mut self, _: &mut BytesMut) -> Result<Option<()>, Error> {
            Ok(None)
        }
    }
    let ended = Never.decode_eof(&mut BytesMut::from(&b"HTT"[..]));
    let error = ended.expect_err("bytes are left");
    assert_eq!(read_error(&error, false).fault, Fault::NotABroker);
    assert_eq!(read_error(&error, true).fault, Fault::Network);
    for kind in [ErrorKind::ConnectionReset, ErrorKind::UnexpectedEof] {
        assert_eq!(read_error(&kind.into(), false).fault, Fault::Network);
    }
    let alert = Error::other(rustls::Error::AlertReceived(
        rustls::AlertDescription::CertificateRequired,
    ));
    assert_eq!(read_error(&alert, false).fault, Fault::ClientCertificate);
}
