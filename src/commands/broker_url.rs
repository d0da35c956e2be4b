//! The broker of a command that is given one as an argument.

use crate::config::{self, MqttConfig, Secret, TlsConfig};
use crate::mqtt::{ConnectionState, Session};
use crate::wire::topic::DEFAULT_ROOT;
use anyhow::{anyhow, bail, ensure};
use std::path::Path;
use std::time::Duration;

/// How long the broker may take to be there.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);

/// Understands a broker's address: `mqtt://` or `mqtts://`, with user and password if need be, each
/// with `@`, `/` and the like percent-encoded (RFC 3986, 2.1).
///
/// # Errors
/// When it is no such address. The address may hold a password: it is not repeated.
pub fn parse(address: &str) -> anyhow::Result<MqttConfig> {
    const EXPECTED: &str = "expected mqtt://HOST[:PORT] or mqtts://HOST[:PORT]";
    let url = url::Url::parse(address).ok();
    let Some(url) = url.filter(|url| url.has_host() && url.port() != Some(0)) else {
        bail!("not the address of a broker: {EXPECTED}");
    };
    let (tls, port) = match url.scheme() {
        "mqtt" => (None, 1883),
        "mqtts" => (Some(TlsConfig::default()), 8883),
        _ => bail!("not the address of a broker: {EXPECTED}"),
    };
    let bare = matches!(url.path(), "" | "/") && url.query().is_none() && url.fragment().is_none();
    ensure!(
        bare,
        "{EXPECTED}, nothing behind; in a user name or password, write @ as %40, # as %23, / as %2F, ? as %3F, % as %25"
    );
    Ok(MqttConfig {
        // The scheme is none that `url` knows the hosts of.
        host: config::host_of(address).map_err(anyhow::Error::msg)?,
        port: url.port().unwrap_or(port),
        tls,
        root: DEFAULT_ROOT.into(),
        username: (!url.username().is_empty()).then(|| decoded(url.username())),
        password: url.password().map(|typed| Secret::new(decoded(typed))),
        client_id: None,
        keep_alive: Duration::from_secs(20),
    })
}

/// A part of an address without its percent-encoding; as it stands where that is none.
fn decoded(part: &str) -> String {
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = after.get(..2).filter(|_| *first == b'%');
        let hex = hex.and_then(|hex| std::str::from_utf8(hex).ok());
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| part.to_owned())
}

/// Reads a broker's password: the one line of a file, as the key `password_file` does.
///
/// # Errors
/// When the file cannot be read or holds no such line.
pub fn password(file: &Path) -> anyhow::Result<Secret> {
    config::secret_in(file, "password")
        .map_err(|why| anyhow!("cannot read the password in {}: {why}", file.display()))
}

/// Waits until a session has its line.
///
/// # Errors
/// When there is none within ten seconds: why not.
pub(super) async fn up(session: &Session, broker: &MqttConfig) -> anyhow::Result<()> {
    let mut link = session.connection.clone();
    let up =
        tokio::time::timeout(CONNECT_LIMIT, link.wait_for(ConnectionState::is_connected)).await;
    if up.is_err()
        && let ConnectionState::Disconnected { reason } = &*session.connection.borrow()
    {
        let (host, port) = (&broker.host, broker.port);
        bail!("no connection to broker {host}:{port}: {reason}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broker_addresses() {
        let local = parse("mqtt://127.0.0.1").unwrap();
        assert_eq!(
            (local.host.as_str(), local.port, local.tls),
            ("127.0.0.1", 1883, None)
        );
        let far = parse("mqtts://chuo:secret@hub.example.jp:8884").unwrap();
        assert_eq!((far.host.as_str(), far.port), ("hub.example.jp", 8884));
        assert_eq!(far.username.as_deref(), Some("chuo"));
        assert!(far.tls.is_some() && !format!("{far:?}").contains("secret"));
        assert_eq!(parse("mqtt://[::1]:1884").unwrap().host, "::1");
        for bad in [
            "127.0.0.1",
            "http://a",
            "mqtt://",
            "mqtt:///x",
            "mqtt://a/b",
            "mqtt://a:0",
            "mqtt://127.000.000.010",
            "mqtt://１２７.０.０.１",
            "mqtt://chuo:sec#ret@a",
            "mqtt://chuo:sec/ret@a",
            "mqtt://chuo:sec?ret@a",
        ] {
            let error = format!("{:#}", parse(bad).expect_err(bad));
            assert!(!error.contains("sec"), "{error}");
        }
        let password = |address: &str| parse(address).unwrap().password.unwrap();
        assert_eq!(password("mqtt://a:p%40%E5%B1%B1%2f@h").reveal(), "p@山/");
        assert_eq!(password("mqtt://a:p%@h").reveal(), "p%");
        assert_eq!(
            parse("mqtt://Broker.Example.JP.").unwrap().host,
            "broker.example.jp"
        );
    }
}
