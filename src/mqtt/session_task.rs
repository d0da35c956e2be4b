//! What a session's task has beyond its connections, and what it says about them.

use super::client::Version;
use super::fault::{ConnectionError, Fault};
use super::inbox::{AckToken, Message};
use super::limits::Limits;
use super::options::SessionOptions;
use super::outage::{Notice, Outage};
use super::outbox::{Outbox, QueuedPublish};
use super::stats::{Stats, add};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

/// The connection to the broker at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConnectionState {
    /// There is none, and why.
    Disconnected {
        /// One line for people.
        reason: Arc<str>,
    },
    /// The broker sent CONNACK.
    Connected {
        /// The version of MQTT in use.
        version: Version,
        /// Counts sessions, from 1.
        session: u64,
        /// What the broker accepts.
        limits: Limits,
    },
}

impl ConnectionState {
    /// Whether there is a connection.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        matches!(self, Self::Connected { .. })
    }

    /// Why there is none; `None` while there is.
    #[must_use]
    pub fn disconnect_reason(&self) -> Option<Arc<str>> {
        match self {
            Self::Connected { .. } => None,
            Self::Disconnected { reason } => Some(Arc::clone(reason)),
        }
    }
}

/// What lives longer than a connection.
pub(super) struct SessionTask {
    pub(super) options: SessionOptions,
    pub(super) outbox: Arc<Outbox>,
    pub(super) jobs: mpsc::Receiver<QueuedPublish>,
    /// Whether somebody can still put something into `jobs`.
    pub(super) jobs_open: bool,
    pub(super) inbox: mpsc::Sender<Message>,
    pub(super) acks_to: mpsc::UnboundedSender<AckToken>,
    pub(super) acks: mpsc::UnboundedReceiver<AckToken>,
    pub(super) connection: watch::Sender<ConnectionState>,
    pub(super) fault: watch::Sender<Fault>,
    pub(super) stats: Arc<Stats>,
    /// Counts sessions.
    pub(super) session: u64,
    pub(super) begin: Instant,
    pub(super) outage: Outage,
    /// Connections in a row that ended while an optional subscription was not answered.
    pub(super) unanswered: u8,
}

impl SessionTask {
    fn broker(&self) -> String {
        if self.options.local_broker.is_some() {
            return "within this process".into();
        }
        format!("{}:{}", self.options.broker.host, self.options.broker.port)
    }

    /// Publishes and logs that there is a connection.
    pub(super) fn report_connected(&mut self, version: Version, limits: Limits) {
        self.session += 1;
        add(&self.stats.sessions, 1);
        self.connection.send_replace(ConnectionState::Connected {
            version,
            session: self.session,
            limits,
        });
        let (purpose, broker) = (self.options.purpose, self.broker());
        match self.outage.on_connected() {
            Notice::Connected => {
                tracing::info!(
                    purpose,
                    "connected to MQTT broker {broker} with MQTT {version}"
                );
            }
            Notice::Reconnected => {
                tracing::info!(
                    purpose,
                    "reconnect to MQTT broker {broker} succeeded, with MQTT {version}"
                );
            }
            _ => tracing::debug!(
                purpose,
                "further reconnect to MQTT broker {broker} succeeded, with MQTT {version}"
            ),
        }
    }

    /// Notes how long the connection has lasted.
    pub(super) fn note_uptime(&mut self, uptime: Duration) {
        if self.outage.on_uptime(uptime) == Notice::Stable {
            let (purpose, broker) = (self.options.purpose, self.broker());
            tracing::info!(purpose, "stable connection to MQTT broker {broker} again");
        }
    }

    pub(super) fn report_lost(&mut self, error: &ConnectionError, uptime: Option<Duration>) {
        if error.fault == Fault::SessionTakenOver {
            add(&self.stats.taken_over, 1);
        }
        self.fault.send_replace(error.fault);
        self.connection.send_replace(ConnectionState::Disconnected {
            reason: error.to_string().into(),
        });
        let (purpose, broker) = (self.options.purpose, self.broker());
        match self.outage.on_lost(uptime, self.begin.elapsed()) {
            Notice::Lost => tracing::warn!(
                purpose,
                "no connection to MQTT broker {broker}: {error}; reconnecting (max. interval {} s)",
                self.options.backoff.1.as_secs()
            ),
            Notice::Unstable(times) => tracing::warn!(
                purpose,
                "unstable connection to MQTT broker {broker}: lost {times} times, last error: \
                 {error}; check for a second machine with the client id {}, and see the broker's \
                 log",
                self.options.client_id
            ),
            _ => tracing::debug!(
                purpose,
                "still no connection to MQTT broker {broker}: {error}"
            ),
        }
    }
}
