//! Sessions with a broker, as tests want them: quick to try again.

use super::PATIENCE;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use yobiban::config::MqttConfig;
use yobiban::mqtt::{self, ConnectionState, Session, SessionOptions, Version};

pub fn config(address: SocketAddr) -> MqttConfig {
    MqttConfig {
        host: address.ip().to_string(),
        port: address.port(),
        tls: None,
        root: "yobiban/v1".into(),
        username: None,
        password: None,
        client_id: None,
        keep_alive: Duration::from_secs(5),
    }
}

pub fn options(address: SocketAddr, id: &str) -> SessionOptions {
    let mut options = SessionOptions::new(&config(address), "test", id);
    options.backoff = (Duration::from_millis(10), Duration::from_millis(50));
    options
}

pub fn start(options: SessionOptions) -> Session {
    mqtt::spawn(options, CancellationToken::new())
}

pub async fn up(session: &mut Session) -> Version {
    let link = timeout(
        PATIENCE,
        session.connection.wait_for(ConnectionState::is_connected),
    )
    .await;
    let link = link.map(|l| l.expect("alive").clone());
    match link.unwrap_or_else(|_| session.connection.borrow().clone()) {
        ConnectionState::Connected { version, .. } => version,
        ConnectionState::Disconnected { reason } => panic!("{reason}"),
    }
}
