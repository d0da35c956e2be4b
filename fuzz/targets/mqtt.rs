//! What a broker sends: packets of MQTT 5 and 3.1.1, as the client's library reads and follows them.
//!
//! The project reads no packets itself. But a broker is somebody else's, and a reader that panics
//! would end the session: each input is read as a stream of both versions, by a client that waits
//! for answers to two publishes.

use bytes::BytesMut;
use rumqttc::v5;

/// A packet may be this large; the sessions allow more, which would only make it slow.
const MAX_PACKET: u32 = 1024 * 1024;
/// Publishes under way at most.
const WINDOW: u16 = 8;

/// Reads packets until one is broken or not whole.
pub fn run(data: &[u8]) {
    let mut stream = BytesMut::from(data);
    let mut state = rumqttc::MqttState::new(WINDOW, true);
    for _ in 0..2 {
        let publish = rumqttc::Publish::new("a", rumqttc::QoS::AtLeastOnce, "b");
        let _ = state.handle_outgoing_packet(rumqttc::Request::Publish(publish));
    }
    for _ in 0..super::MOST_RECORDS {
        let packet = rumqttc::mqttbytes::v4::Packet::read(&mut stream, MAX_PACKET as usize);
        let Ok(packet) = packet else { break };
        if state.handle_incoming_packet(packet).is_err() {
            break;
        }
    }
    let mut stream = BytesMut::from(data);
    let mut state = v5::MqttState::new(WINDOW, true);
    for _ in 0..2 {
        let publish =
            v5::mqttbytes::v5::Publish::new("a", v5::mqttbytes::QoS::AtLeastOnce, "b", None);
        let _ = state.handle_outgoing_packet(v5::Request::Publish(publish));
    }
    for _ in 0..super::MOST_RECORDS {
        let packet = v5::mqttbytes::v5::Packet::read(&mut stream, Some(MAX_PACKET));
        let Ok(packet) = packet else { break };
        if state.handle_incoming_packet(packet).is_err() {
            break;
        }
    }
}
