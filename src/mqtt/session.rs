//! The task behind a session: connects, and begins again when the line is lost.

use super::backoff::Backoff;
use super::connection::{Connection, Ended};
use super::dialect::Dialect;
use super::inbox::{AckToken, Message};
use super::options::SessionOptions;
use super::outbox::{Job, Outbox, PublishError, Publisher};
use super::stats::{Stats, add};
use super::wire::{LineError, LineErrorKind, Version};
use super::{tls, wire};
use rustls::ClientConfig;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// A session that lived this long was a good one: the next attempt comes quickly again. Shorter
/// ones are those of two clients with one identifier that throw each other out.
const GOOD_SESSION: Duration = Duration::from_secs(10);

/// The line to the broker at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Link {
    /// There is none, and why.
    Down {
        /// One line for people.
        reason: Arc<str>,
    },
    /// The broker took us.
    Up {
        /// What is spoken.
        version: Version,
        /// Counts sessions, from 1.
        session: u64,
    },
}

impl Link {
    /// Whether the line is there.
    #[must_use]
    pub fn is_up(&self) -> bool {
        matches!(self, Self::Up { .. })
    }

    /// Why there is none; `None` while there is.
    #[must_use]
    pub fn down_reason(&self) -> Option<Arc<str>> {
        match self {
            Self::Up { .. } => None,
            Self::Down { reason } => Some(Arc::clone(reason)),
        }
    }
}

/// What a running session offers; all of it outlives every connection.
#[derive(Debug)]
pub struct Session {
    /// The way to the broker.
    pub publisher: Publisher,
    /// What comes from it. A receiver that is dropped lets the session throw messages away.
    pub inbox: mpsc::Receiver<Message>,
    /// Whether the line is there.
    pub link: watch::Receiver<Link>,
    /// Counts for metrics.
    pub stats: Arc<Stats>,
    /// Ends within a second after the shutdown token was cancelled.
    pub task: JoinHandle<()>,
}

/// Starts a session in a task of its own; it lives until `shutdown` is cancelled, then says
/// `offline`, disconnects and ends within a second.
#[must_use]
pub fn spawn(options: SessionOptions, shutdown: CancellationToken) -> Session {
    let stats = Arc::new(Stats::default());
    let (publisher, outbox, jobs) = Outbox::new(options.queue, Arc::clone(&stats));
    let (to_inbox, inbox) = mpsc::channel(options.inbox.max(1));
    let (to_link, link) = watch::channel(Link::Down {
        reason: "not connected yet".into(),
    });
    let (acks_to, acks) = mpsc::unbounded_channel();
    let core = Core {
        options,
        outbox,
        jobs,
        jobs_open: true,
        inbox: to_inbox,
        acks_to,
        acks,
        link: to_link,
        stats: Arc::clone(&stats),
        session: 0,
        told: false,
    };
    Session {
        publisher,
        inbox,
        link,
        stats,
        task: tokio::spawn(core.run(shutdown)),
    }
}

/// What lives longer than a connection.
pub(super) struct Core {
    pub(super) options: SessionOptions,
    pub(super) outbox: Arc<Outbox>,
    pub(super) jobs: mpsc::Receiver<Job>,
    /// Whether somebody can still put something into `jobs`.
    pub(super) jobs_open: bool,
    pub(super) inbox: mpsc::Sender<Message>,
    pub(super) acks_to: mpsc::UnboundedSender<AckToken>,
    pub(super) acks: mpsc::UnboundedReceiver<AckToken>,
    pub(super) link: watch::Sender<Link>,
    pub(super) stats: Arc<Stats>,
    /// Counts sessions.
    pub(super) session: u64,
    /// Whether this outage was reported.
    told: bool,
}

impl Core {
    async fn run(mut self, shutdown: CancellationToken) {
        let begin = Instant::now();
        let mut dialect = Dialect::new();
        let mut backoff = Backoff::new(self.options.backoff);
        while !shutdown.is_cancelled() {
            self.stats.beat();
            let version = dialect.version(begin.elapsed());
            let (error, lived) = match self.run_once(version, &shutdown).await {
                Ended::Stopped => break,
                Ended::Lost { error, lived } => (error, lived),
            };
            let mut other_version = false;
            if let Some(lived) = lived {
                dialect.understood();
                if lived >= GOOD_SESSION {
                    backoff.reset();
                }
            } else {
                add(&self.stats.failed_attempts, 1);
                other_version = dialect.refused(&error, begin.elapsed());
            }
            self.report_lost(&error);
            if other_version {
                continue;
            }
            tokio::select! {
                () = shutdown.cancelled() => break,
                () = tokio::time::sleep(backoff.next(fastrand::f64())) => {}
            }
        }
        self.link.send_replace(Link::Down {
            reason: "stopped".into(),
        });
        self.jobs.close();
        while let Ok(job) = self.jobs.try_recv() {
            let _ = job.done.send(Err(PublishError::Closed)); // nobody may be waiting
        }
    }

    async fn run_once(&mut self, version: Version, shutdown: &CancellationToken) -> Ended {
        let tls = match self.load_tls().await {
            Ok(tls) => tls,
            Err(error) => return Ended::Lost { error, lived: None },
        };
        let (requests, line) = wire::open(&self.options, version, tls);
        Connection::new(self, requests, version)
            .run(line, shutdown)
            .await
    }

    async fn load_tls(&self) -> Result<Option<Arc<ClientConfig>>, LineError> {
        let Some(config) = self.options.broker.tls.clone() else {
            return Ok(None);
        };
        tokio::task::spawn_blocking(move || tls::client_config(&config))
            .await
            .map_err(|e| LineError::new(LineErrorKind::Network, e))?
            .map(Some)
            .map_err(|e| LineError::new(LineErrorKind::Network, e))
    }

    fn broker(&self) -> String {
        format!("{}:{}", self.options.broker.host, self.options.broker.port)
    }

    /// Tells everybody that the line is there.
    pub(super) fn report_up(&mut self, version: Version) {
        self.session += 1;
        add(&self.stats.sessions, 1);
        self.link.send_replace(Link::Up {
            version,
            session: self.session,
        });
        let again = if self.told { " again" } else { "" };
        tracing::info!(
            purpose = self.options.purpose,
            "connected{again} to broker {} with MQTT {version}",
            self.broker()
        );
        self.told = false;
    }

    fn report_lost(&mut self, error: &LineError) {
        self.link.send_replace(Link::Down {
            reason: error.to_string().into(),
        });
        let (purpose, broker) = (self.options.purpose, self.broker());
        if self.told {
            tracing::debug!(purpose, "still no line to broker {broker}: {error}");
        } else {
            tracing::warn!(
                purpose,
                "no line to broker {broker}: {error}; trying again, every {} s at most",
                self.options.backoff.1.as_secs()
            );
        }
        self.told = true;
    }
}
