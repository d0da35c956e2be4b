//! Packets of Engine.IO 4 with those of Socket.IO 5 in them, as texts of a WebSocket.

use serde_json::Value;
use std::time::Duration;

/// Bounds of the time after which a server is silent, whatever it says.
const SILENT: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(120));

/// What a server wrote.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Packet {
    /// The connection is open; a server that writes nothing for so long is silent.
    Open { silent_after: Duration },
    /// It asks for a sign of life.
    Ping,
    /// It closes.
    Close,
    /// The namespace is open.
    Connected,
    /// The namespace is closed to us.
    Rejected,
    /// An event of the namespace, with its arguments.
    Event { name: String, arguments: Vec<Value> },
    /// Of another namespace, binary, or an answer to nothing.
    Other,
}

/// Reads a packet of a namespace; `None` when it is none.
pub(super) fn parse(text: &str, namespace: &str) -> Option<Packet> {
    let mut characters = text.chars();
    let kind = characters.next()?;
    let rest = characters.as_str();
    Some(match kind {
        '0' => open(rest)?,
        '1' => Packet::Close,
        '2' => Packet::Ping,
        '4' => message(rest, namespace)?,
        '3' | '5' | '6' => Packet::Other,
        _ => return None,
    })
}

fn open(rest: &str) -> Option<Packet> {
    let handshake: Value = serde_json::from_str(rest).ok()?;
    let time = |key| handshake.get(key).and_then(Value::as_u64);
    let milliseconds = time("pingInterval")?.saturating_add(time("pingTimeout")?);
    let silent_after = Duration::from_millis(milliseconds).clamp(SILENT.0, SILENT.1);
    Some(Packet::Open { silent_after })
}

/// `2/namespace,17["event",…]`: kind, namespace where it is not `/`, number of an answer, content.
fn message(text: &str, namespace: &str) -> Option<Packet> {
    let mut characters = text.chars();
    let kind = characters.next()?;
    let mut rest = characters.as_str();
    let mut of = "/";
    if rest.starts_with('/') {
        (of, rest) = rest.split_once(',').unwrap_or((rest, ""));
    }
    if of != namespace {
        return Some(Packet::Other);
    }
    Some(match kind {
        '0' => Packet::Connected,
        '1' => Packet::Close,
        '4' => Packet::Rejected,
        '2' => {
            let content = rest.trim_start_matches(|c: char| c.is_ascii_digit());
            let mut content: Vec<Value> = serde_json::from_str(content).ok()?;
            if content.is_empty() {
                return None;
            }
            let Value::String(name) = content.remove(0) else {
                return None;
            };
            Packet::Event {
                name,
                arguments: content,
            }
        }
        '3' | '5' | '6' => Packet::Other,
        _ => return None,
    })
}

/// The packet that opens a namespace.
pub(super) fn connect(namespace: &str) -> String {
    match namespace {
        "/" => "40".into(),
        other => format!("40{other},"),
    }
}

/// The packet of an event, a JSON list that begins with its name.
pub(super) fn emit(namespace: &str, event: &str) -> String {
    match namespace {
        "/" => format!("42{event}"),
        other => format!("42{other},{event}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn event(name: &str, arguments: &[Value]) -> Option<Packet> {
        Some(Packet::Event {
            name: name.into(),
            arguments: arguments.to_vec(),
        })
    }

    #[test]
    fn the_packets_of_a_real_server_are_read() {
        let open = r#"0{"sid":"lv_VI97HAXpY6yYWAAAC","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":100000}"#;
        let silent_after = Duration::from_secs(45);
        assert_eq!(parse(open, "/"), Some(Packet::Open { silent_after }));
        assert_eq!(parse("2", "/"), Some(Packet::Ping));
        assert_eq!(
            parse(r#"40{"sid":"wZX3oN0bSVIhsaknAAAI"}"#, "/"),
            Some(Packet::Connected)
        );
        assert_eq!(
            parse(r#"42["citizen_invited",{}]"#, "/"),
            event("citizen_invited", &[serde_json::json!({})])
        );
        assert_eq!(parse(r#"4217["call"]"#, "/"), event("call", &[]));
        assert_eq!(
            parse(r#"44{"message":"Not authorized"}"#, "/"),
            Some(Packet::Rejected)
        );
        assert_eq!(parse("41", "/"), Some(Packet::Close));
    }

    #[test]
    fn namespaces_are_kept_apart() {
        assert_eq!(
            parse(r#"42/hall,["call",1]"#, "/hall"),
            event("call", &[1.into()])
        );
        for other in [
            r#"42["call",1]"#,
            r#"42/admin,["call",1]"#,
            "41/admin,",
            "41/admin",
        ] {
            assert_eq!(parse(other, "/hall"), Some(Packet::Other), "{other}");
        }
        assert_eq!(connect("/hall"), "40/hall,");
        assert_eq!(emit("/hall", r#"["a"]"#), r#"42/hall,["a"]"#);
        assert_eq!(emit("/", r#"["a"]"#), r#"42["a"]"#);
    }

    #[test]
    fn what_is_no_packet_is_none() {
        for none in [
            "", "9", "4", "49", "0", "0{}", "42", "42[]", "42[1]", "42{}", "窓", "4窓",
        ] {
            assert_eq!(parse(none, "/"), None, "{none}");
        }
        let hasty = r#"0{"pingInterval":1,"pingTimeout":0}"#;
        let silent_after = Duration::from_secs(5);
        assert_eq!(parse(hasty, "/"), Some(Packet::Open { silent_after }));
        let never = format!(r#"0{{"pingInterval":{0},"pingTimeout":{0}}}"#, u64::MAX);
        let silent_after = Duration::from_secs(120);
        assert_eq!(parse(&never, "/"), Some(Packet::Open { silent_after }));
    }

    proptest! {
        #[test]
        fn any_text_is_a_packet_or_none(text in "[0-6]?[0-6]?(/[a-z]*,?)?[0-9]{0,2}.{0,20}") {
            let _ = parse(&text, "/"); // must not panic
        }
    }
}
