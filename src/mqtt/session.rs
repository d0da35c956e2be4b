//! The task behind a session: connects, and reconnects when the connection is lost.

use super::client::Version;
use super::connection::{Connection, ConnectionEnd};
use super::fault::{ConnectionError, ConnectionErrorKind, Fault};
use super::inbox::Message;
use super::options::SessionOptions;
use super::outage::Outage;
use super::outbox::{Outbox, PublishError, Publisher};
use super::session_task::{ConnectionState, SessionTask};
use super::stats::{Stats, add};
use super::version_fallback::VersionFallback;
use super::{client, tls};
use crate::backoff::{Backoff, Jitter};
use rustls::ClientConfig;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// After this uptime a session was stable: the next attempt comes quickly again. Shorter
/// ones are those of two clients with one identifier that throw each other out.
const BACKOFF_RESET_AFTER: Duration = Duration::from_secs(10);

/// What a running session offers; all of it outlives every connection.
#[derive(Debug)]
pub struct Session {
    /// The way to the broker.
    pub publisher: Publisher,
    /// What comes from it. A receiver that is dropped lets the session throw messages away.
    pub inbox: mpsc::Receiver<Message>,
    /// Whether there is a connection, and why not.
    pub connection: watch::Receiver<ConnectionState>,
    /// Where to look while there is none: set before `connection` becomes disconnected.
    pub fault: watch::Receiver<Fault>,
    /// Counts for metrics.
    pub stats: Arc<Stats>,
    /// Ends within a second after the shutdown token was cancelled.
    pub task: JoinHandle<()>,
}

impl Session {
    /// Hands the inbox on, where the rest is still of use; what is left of it is closed.
    #[must_use]
    pub fn take_inbox(&mut self) -> mpsc::Receiver<Message> {
        std::mem::replace(&mut self.inbox, mpsc::channel(1).1)
    }
}

/// Starts a session in a task of its own; it lives until `shutdown` is cancelled, then says
/// `offline`, disconnects and ends within a second.
#[must_use]
pub fn spawn(options: SessionOptions, shutdown: CancellationToken) -> Session {
    let stats = Arc::new(Stats::default());
    let (publisher, outbox, jobs) = Outbox::new(options.queue, Arc::clone(&stats));
    let (to_inbox, inbox) = mpsc::channel(options.inbox.max(1));
    let (to_connection, connection) = watch::channel(ConnectionState::Disconnected {
        reason: "not connected yet".into(),
    });
    let (to_fault, fault) = watch::channel(Fault::Network);
    // Bounded by what it carries: one token of each message that a receiver acknowledges itself, and
    // of those no more come while `receive_maximum` of them and a full inbox wait. Were it bounded
    // by its type, an acknowledgement could find no room and be lost, and the broker would wait for
    // it until the next session.
    let (acks_to, acks) = mpsc::unbounded_channel();
    let task = SessionTask {
        options,
        outbox,
        jobs,
        jobs_open: true,
        inbox: to_inbox,
        acks_to,
        acks,
        connection: to_connection,
        fault: to_fault,
        stats: Arc::clone(&stats),
        session: 0,
        begin: Instant::now(),
        outage: Outage::default(),
        unanswered: 0,
    };
    Session {
        publisher,
        inbox,
        connection,
        fault,
        stats,
        task: tokio::spawn(task.run(shutdown)),
    }
}

impl SessionTask {
    async fn run(mut self, shutdown: CancellationToken) {
        let begin = self.begin;
        let mut fallback = VersionFallback::new();
        let mut backoff = Backoff::new(self.options.backoff, Jitter::Full);
        while !shutdown.is_cancelled() {
            self.stats.heartbeat();
            let version = fallback.version(begin.elapsed());
            let (error, uptime) = match self.run_once(version, &shutdown).await {
                ConnectionEnd::Stopped => break,
                ConnectionEnd::Lost { error, uptime } => (error, uptime),
            };
            let mut other_version = false;
            if let Some(uptime) = uptime {
                fallback.on_connected();
                if uptime >= BACKOFF_RESET_AFTER {
                    backoff.reset();
                }
            } else {
                add(&self.stats.failed_attempts, 1);
                other_version = fallback.on_failed(&error, begin.elapsed());
            }
            self.report_lost(&error, uptime);
            if other_version {
                continue;
            }
            tokio::select! {
                () = shutdown.cancelled() => break,
                () = tokio::time::sleep(backoff.next(fastrand::f64())) => {}
            }
        }
        self.connection.send_replace(ConnectionState::Disconnected {
            reason: "stopped".into(),
        });
        self.jobs.close();
        while let Ok(job) = self.jobs.try_recv() {
            let _ = job.done.send(Err(PublishError::Closed)); // nobody may be waiting
        }
    }

    async fn run_once(&mut self, version: Version, shutdown: &CancellationToken) -> ConnectionEnd {
        let tls = match self.load_tls().await {
            Ok(tls) => tls,
            Err(error) => {
                return ConnectionEnd::Lost {
                    error,
                    uptime: None,
                };
            }
        };
        let (commands, event_loop) = client::open(&self.options, version, tls);
        Connection::new(self, commands, version)
            .run(event_loop, shutdown)
            .await
    }

    async fn load_tls(&self) -> Result<Option<Arc<ClientConfig>>, ConnectionError> {
        let Some(config) = self.options.broker.tls.clone() else {
            return Ok(None);
        };
        tokio::task::spawn_blocking(move || tls::client_config(&config))
            .await
            .map_err(|e| ConnectionError::new(ConnectionErrorKind::Network, e))?
            .map(Some)
            .map_err(|e| ConnectionError::new(ConnectionErrorKind::Network, e).at(Fault::TlsFiles))
    }
}
