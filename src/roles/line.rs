//! The broker of a command that is given one as an argument.

use crate::config::{MqttConfig, Secret, TlsConfig};
use crate::mqtt::{Link, Session};
use crate::wire::topic::DEFAULT_ROOT;
use anyhow::{Context as _, bail, ensure};
use std::path::Path;
use std::time::Duration;

/// How long the broker may take to be there.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);

/// Understands a broker's address: `mqtt://` or `mqtts://`, with user and password if need be.
///
/// # Errors
/// When it is no such address.
pub fn broker(address: &str) -> anyhow::Result<MqttConfig> {
    const EXPECTED: &str = "expected mqtt://HOST[:PORT] or mqtts://HOST[:PORT]";
    // The address may hold a password: it is not repeated.
    let url = url::Url::parse(address).with_context(|| format!("address of broker: {EXPECTED}"))?;
    let (tls, port) = match url.scheme() {
        "mqtt" => (None, 1883),
        "mqtts" => (Some(TlsConfig::default()), 8883),
        scheme => bail!("broker address begins with {scheme}: {EXPECTED}"),
    };
    let host = url.host_str().unwrap_or_default();
    ensure!(!host.is_empty(), "broker address without host: {EXPECTED}");
    Ok(MqttConfig {
        host: host.trim_matches(['[', ']']).to_owned(),
        port: url.port().unwrap_or(port),
        tls,
        root: DEFAULT_ROOT.into(),
        username: (!url.username().is_empty()).then(|| url.username().to_owned()),
        password: url.password().map(Secret::new),
        client_id: None,
        keep_alive: Duration::from_secs(20),
    })
}

/// Reads a broker's password: the first line of a file.
///
/// # Errors
/// When the file cannot be read or is empty.
pub fn password(file: &Path) -> anyhow::Result<Secret> {
    let text = std::fs::read_to_string(file)
        .with_context(|| format!("cannot read the password in {}", file.display()))?;
    let line = text.lines().next().unwrap_or_default();
    ensure!(!line.is_empty(), "{}: expected a password", file.display());
    Ok(Secret::new(line))
}

/// Waits until a session has its line.
///
/// # Errors
/// When there is none within ten seconds: why not.
pub(super) async fn up(session: &Session, broker: &MqttConfig) -> anyhow::Result<()> {
    let mut link = session.link.clone();
    let up = tokio::time::timeout(CONNECT_LIMIT, link.wait_for(Link::is_up)).await;
    if up.is_err()
        && let Link::Down { reason } = &*session.link.borrow()
    {
        let (host, port) = (&broker.host, broker.port);
        bail!("no line to broker {host}:{port}: {reason}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broker_addresses() {
        let local = broker("mqtt://127.0.0.1").unwrap();
        assert_eq!(
            (local.host.as_str(), local.port, local.tls),
            ("127.0.0.1", 1883, None)
        );
        let far = broker("mqtts://chuo:secret@hub.example.jp:8884").unwrap();
        assert_eq!((far.host.as_str(), far.port), ("hub.example.jp", 8884));
        assert_eq!(far.username.as_deref(), Some("chuo"));
        assert!(far.tls.is_some() && !format!("{far:?}").contains("secret"));
        assert_eq!(broker("mqtt://[::1]:1884").unwrap().host, "::1");
        for bad in ["127.0.0.1", "http://a", "mqtt://", "mqtt:///x"] {
            assert!(broker(bad).is_err(), "{bad}");
        }
    }
}
