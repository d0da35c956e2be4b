//! What an installer needs to know about a board of digits, found out without moving a digit.

use super::template::Template;
use crate::config::{SerialConfig, SerialDevice};
use crate::errors::plain;
use crate::output::{Finding, Level};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::path::Path;
use std::time::Duration;

/// Where udev keeps names that follow the converter, not the socket.
const BY_ID: &str = "/dev/serial/by-id";
/// Longest wait for a connection; an inspection answers within 2 s.
const CONNECT_WITHIN: Duration = Duration::from_millis(1200);
/// More converters than a box has sockets.
const MAX_NAMES: usize = 8;

/// Looks at the template and the device of a board of digits. Sends nothing, opens no serial port
/// (a running service keeps it for itself), and answers within 2 s.
#[must_use]
pub fn inspect(config: &SerialConfig) -> Vec<Finding> {
    let template = match Template::load(config) {
        Ok(_) => good("template", format!("{} fits all fields", config.template)),
        Err(e) => failure(
            "template",
            e.to_string(),
            "correct the file, or take a ready template: stx, pipe, modbus",
        ),
    };
    let what = config.device.to_string();
    let device = match &config.device {
        SerialDevice::Port(path) => port(&what, path, Path::new(BY_ID)),
        SerialDevice::Tcp { host, port } => tcp(&what, host, *port),
    };
    vec![template, device]
}

fn good(what: &str, found: impl Into<String>) -> Finding {
    Finding {
        level: Level::Good,
        what: what.to_owned(),
        found: found.into(),
        advice: String::new(),
    }
}

fn failure(what: &str, found: impl Into<String>, advice: impl Into<String>) -> Finding {
    Finding {
        level: Level::Failure,
        what: what.to_owned(),
        found: found.into(),
        advice: advice.into(),
    }
}

fn port(what: &str, path: &Path, by_id: &Path) -> Finding {
    use std::os::unix::fs::FileTypeExt as _;
    let meta = match std::fs::metadata(path) {
        Ok(meta) => meta,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            let names = names(by_id);
            let advice = if names.is_empty() {
                "plug the converter in and check its cable; on a Raspberry Pi's own pins add \
                 enable_uart=1 to config.txt"
                    .to_owned()
            } else {
                format!("plug it in, or set device to {}", names.join(" or "))
            };
            return failure(what, "no such device", advice);
        }
        Err(e) => {
            let found = plain(&e);
            return failure(what, found, "check the path in the configuration");
        }
    };
    if !meta.file_type().is_char_device() {
        let advice = "set device to a serial port, such as /dev/ttyUSB0";
        return failure(what, "not a device", advice);
    }
    if !may_use(path) {
        return failure(
            what,
            "permission denied",
            "add the user yobiban to the group dialout and restart the service",
        );
    }
    let text = path.to_string_lossy();
    let numbered = ["/dev/ttyUSB", "/dev/ttyACM"]
        .iter()
        .any(|p| text.starts_with(p));
    let names = names(by_id);
    if numbered && !names.is_empty() {
        return Finding {
            level: Level::Warning,
            what: what.to_owned(),
            found: "there, but its number may change with the order of plugging".to_owned(),
            advice: format!("set device to {}", names.join(" or ")),
        };
    }
    good(what, "there, may be used")
}

#[cfg(target_os = "linux")]
fn may_use(path: &Path) -> bool {
    use rustix::fs::Access;
    rustix::fs::access(path, Access::READ_OK | Access::WRITE_OK).is_ok()
}

#[cfg(not(target_os = "linux"))]
fn may_use(_path: &Path) -> bool {
    true // found out when it is opened
}

fn names(by_id: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(by_id).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .map(|entry| entry.path().display().to_string())
        .take(MAX_NAMES)
        .collect();
    names.sort();
    names
}

fn tcp(what: &str, host: &str, port: u16) -> Finding {
    // Looked up aside: a name server that is silent must not hold up the inspection.
    let (sender, receiver) = std::sync::mpsc::channel();
    let name = (host.to_owned(), port);
    std::thread::spawn(move || {
        let address = (name.0.as_str(), name.1).to_socket_addrs();
        let _ = sender.send(address.ok().and_then(|mut all| all.next())); // nobody waits any more
    });
    let advice = "check the board's network cable, its address and its port (Modbus TCP is 502)";
    let address = receiver.recv_timeout(Duration::from_millis(600)).ok();
    let Some(address) = address.flatten() else {
        return failure(what, "the name has no address", advice);
    };
    match TcpStream::connect_timeout(&address, CONNECT_WITHIN) {
        Ok(_) => good(what, "answers"),
        Err(e) => failure(what, plain(&e), advice),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_device_is_answered_with_the_names_that_are_there() {
        let dir = tempfile::tempdir().expect("folder");
        let missing = port("/dev/ttyUSB7", Path::new("/dev/ttyUSB7"), dir.path());
        assert_eq!(
            (missing.level, missing.found.as_str()),
            (Level::Failure, "no such device")
        );
        assert!(missing.advice.contains("cable"), "{missing:?}");
        std::fs::write(dir.path().join("usb-FTDI_A1-port0"), "").expect("file");
        let missing = port("/dev/ttyUSB7", Path::new("/dev/ttyUSB7"), dir.path());
        assert!(missing.advice.contains("usb-FTDI_A1-port0"), "{missing:?}");
        let file = dir.path().join("usb-FTDI_A1-port0");
        assert_eq!(port("x", &file, dir.path()).found, "not a device");
        assert_eq!(
            port("x", Path::new("/dev/null"), dir.path()).level,
            Level::Good
        );
    }

    #[test]
    fn a_board_that_is_not_in_the_network_is_a_failure() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("port");
        let address = listener.local_addr().expect("address");
        let found = |port| tcp("board", "127.0.0.1", port);
        assert_eq!(found(address.port()).level, Level::Good);
        drop(listener);
        let refused = found(address.port());
        assert_eq!(refused.level, Level::Failure);
        assert!(refused.advice.contains("cable"), "{refused:?}");
    }
}
