//! Hosts as they are typed: names and addresses that can be one, written in one way.

use super::keyboard::{is_at_sign, meant};
use std::net::{Ipv4Addr, Ipv6Addr};

/// Longest name (RFC 1035, 2.3.4), and longest part of one.
const MAX_NAME: usize = 253;
const MAX_LABEL: usize = 63;

/// The host of an address such as `scheme://user@HOST:port/path` in its one way of writing, an IPv6
/// address without brackets.
///
/// # Errors
/// What is wrong with it and what to write instead; nothing else of the address is repeated.
pub fn of(address: &str) -> Result<String, String> {
    match wide_at_sign(address) {
        Some(why) => Err(why),
        None => host(typed_host(address)),
    }
}

/// Whether user and host are divided by another sign than `@`: libraries take both for the host. What
/// stands before it may be a password, and is not repeated.
pub(super) fn wide_at_sign(address: &str) -> Option<String> {
    let before_path = authority(address);
    before_path
        .contains(|c| is_at_sign(c) && c != '@')
        .then(|| "a full-width ＠ in front of the host: expected @, typed half-width".to_owned())
}

/// Takes a host as typed: its one way of writing, an IPv6 address without brackets.
///
/// # Errors
/// What is wrong and what to write instead. What resolvers make of a number that begins with 0 is
/// another address (inet_aton(3) reads it as octal), so that such a one is never guessed at.
pub(super) fn host(typed: &str) -> Result<String, String> {
    if let Some(inner) = typed.strip_prefix('[') {
        let inner = inner.strip_suffix(']').unwrap_or_default();
        let address = inner.parse::<Ipv6Addr>();
        return address
            .map(|ip| ip.to_string())
            .map_err(|_| "not an IPv6 address: expected one such as [2001:db8::1]".to_owned());
    }
    if let Some(plain) = meant(typed) {
        return Err(format!(
            "full-width characters in the host: write {plain}, typed half-width"
        ));
    }
    if !typed.is_ascii() {
        let coded = url::Url::parse(&format!("http://{typed}/")).ok();
        let coded = coded.as_ref().and_then(url::Url::host_str);
        let instead = match coded {
            Some(coded) if coded.starts_with("xn--") || coded.contains(".xn--") => {
                format!("write {coded}, if that is its name in the DNS")
            }
            _ => "expected letters a to z, digits, - and .".to_owned(),
        };
        return Err(format!("a host's name cannot be so: {instead}"));
    }
    let name = typed
        .strip_suffix('.')
        .unwrap_or(typed)
        .to_ascii_lowercase();
    let mut labels = name.split('.');
    if labels.clone().next_back().is_some_and(is_number) {
        return numbers(&name);
    }
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    let good = |label: &str| {
        (1..=MAX_LABEL).contains(&label.len())
            && label.bytes().all(plain)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    if name.len() <= MAX_NAME && labels.all(good) {
        return Ok(name);
    }
    let instead = if name.contains('_') {
        format!("write it without _, such as {}", name.replace('_', "-"))
    } else {
        "expected letters a to z, digits, - and .".to_owned()
    };
    Err(format!("a host's name cannot be so: {instead}"))
}

/// Whether the last part of a name makes it an address (WHATWG URL, "ends in a number").
fn is_number(label: &str) -> bool {
    let digits = label.bytes().all(|b| b.is_ascii_digit()) && !label.is_empty();
    digits
        || label
            .strip_prefix("0x")
            .is_some_and(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// An address of four numbers.
fn numbers(name: &str) -> Result<String, String> {
    if let Ok(ip) = name.parse::<Ipv4Addr>() {
        return Ok(ip.to_string());
    }
    const FORM: &str = "four numbers from 0 to 255, such as 192.0.2.10";
    let parts: Vec<&str> = name.split('.').collect();
    let decimal = |part: &&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if parts.len() != 4 || !parts.iter().all(decimal) {
        return Err(format!("not an address: expected {FORM}"));
    }
    let bare = |part: &&str| match part.trim_start_matches('0') {
        "" => "0".to_owned(),
        bare => bare.to_owned(),
    };
    let bare = parts.iter().map(bare).collect::<Vec<_>>().join(".");
    if bare.parse::<Ipv4Addr>().is_ok() {
        return Err(format!(
            "zeros in front of a number of the address: write {bare}"
        ));
    }
    Err(format!(
        "a number above 255 in the address: expected {FORM}"
    ))
}

/// Why a host cannot be, where it is an address but for its numbers or its width. Names are left to
/// those who look them up.
pub(super) fn flaw(typed: &str) -> Option<String> {
    let last = typed
        .trim_end_matches('.')
        .rsplit('.')
        .next()
        .unwrap_or_default();
    let like = meant(typed).is_some() || is_number(&last.to_ascii_lowercase());
    like.then(|| host(typed).err()).flatten()
}

/// What stands between `scheme://` and the path.
fn authority(address: &str) -> &str {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or_default()
}

/// The host of an address such as `scheme://user@HOST:port/path`, as typed.
pub(super) fn typed_host(address: &str) -> &str {
    let authority = authority(address);
    let place = authority
        .rsplit_once(is_at_sign)
        .map_or(authority, |(_, host)| host);
    match place.find(']') {
        Some(end) => &place[..=end],
        // A full-width ： separates nothing: what stands behind it would be lost without a word.
        None => place.split(':').next().unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_written_in_one_way() {
        for (typed, host_is) in [
            ("Broker.Example.JP", "broker.example.jp"),
            ("broker.example.jp.", "broker.example.jp"),
            ("192.168.0.5", "192.168.0.5"),
            ("[2001:DB8:0::1]", "2001:db8::1"),
            ("localhost", "localhost"),
            ("3com", "3com"),
            ("box-1", "box-1"),
        ] {
            assert_eq!(host(typed).as_deref(), Ok(host_is), "{typed}");
        }
    }

    #[test]
    fn what_can_be_no_host_is_refused_with_what_to_write() {
        for (typed, instead) in [
            ("192.168.001.010", "write 192.168.1.10"),
            ("127.000.000.010", "write 127.0.0.10"),
            ("192.168.1.300", "above 255"),
            ("192.168.1", "four numbers"),
            ("192.168.1.1.1", "four numbers"),
            ("0x7f.0.0.1", "four numbers"),
            ("2130706433", "four numbers"),
            ("１９２．１６８．０．５", "write 192.168.0.5"),
            ("192.168.0.5：8884", "write 192.168.0.5:8884"),
            ("broker：8884", "write broker:8884"),
            ("ｂｒｏｋｅｒ", "write broker"),
            ("区役所.jp", "write xn--"),
            ("mqtt_broker", "write it without _, such as mqtt-broker"),
            ("-a", "letters"),
            ("a..b", "letters"),
            ("a b", "letters"),
            ("", "letters"),
            ("[::1", "IPv6"),
        ] {
            let said = host(typed).expect_err(typed);
            assert!(said.contains(instead), "{typed}: {said}");
        }
    }

    #[test]
    fn what_stands_before_a_full_width_at_sign_is_neither_dropped_nor_repeated() {
        for address in [
            "mqtt://u:geheim＠h",
            "rtmp://geheim＠h/live",
            "mqtt://u:a@geheim＠h:1",
        ] {
            let said = of(address).expect_err(address);
            assert!(said.contains("＠") && !said.contains("geheim"), "{said}");
        }
        assert_eq!(of("mqtt://h/＠").as_deref(), Ok("h"));
    }

    #[test]
    fn the_host_is_found_as_typed() {
        for (address, typed) in [
            ("mqtt://192.168.001.010:1883", "192.168.001.010"),
            ("http://u:p@h:80/a@b", "h"),
            ("mqtts://[::1]:8883", "[::1]"),
            ("tcp://h", "h"),
            ("mqtt://h：8884", "h：8884"),
            ("srt://h:1?x=y", "h"),
        ] {
            assert_eq!(typed_host(address), typed);
        }
    }
}
