//! The task behind a session: connects, and begins again when the line is lost.

use super::backoff::Backoff;
use super::connection::{Connection, Ended};
use super::dialect::Dialect;
use super::fault::{Fault, LineError, LineErrorKind};
use super::inbox::{AckToken, Message};
use super::limits::Limits;
use super::options::SessionOptions;
use super::outage::{Outage, Say};
use super::outbox::{Job, Outbox, PublishError, Publisher};
use super::stats::{Stats, add};
use super::wire::Version;
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
        /// What the broker takes.
        limits: Limits,
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
    /// Where to look while there is none: known before `link` says that it is down.
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
    let (to_link, link) = watch::channel(Link::Down {
        reason: "not connected yet".into(),
    });
    let (to_fault, fault) = watch::channel(Fault::Way);
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
        link,
        fault,
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
    fault: watch::Sender<Fault>,
    pub(super) stats: Arc<Stats>,
    /// Counts sessions.
    pub(super) session: u64,
    begin: Instant,
    outage: Outage,
    /// Connections in a row that ended while an optional subscription was not answered.
    pub(super) unanswered: u8,
}

impl Core {
    async fn run(mut self, shutdown: CancellationToken) {
        let begin = self.begin;
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
            self.report_lost(&error, lived);
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
            .map_err(|e| LineError::new(LineErrorKind::Network, e).at(Fault::Files))
    }

    fn broker(&self) -> String {
        if self.options.exchange.is_some() {
            return "within this process".into();
        }
        format!("{}:{}", self.options.broker.host, self.options.broker.port)
    }

    /// Tells everybody that the line is there.
    pub(super) fn report_up(&mut self, version: Version, limits: Limits) {
        self.session += 1;
        add(&self.stats.sessions, 1);
        self.link.send_replace(Link::Up {
            version,
            session: self.session,
            limits,
        });
        let (purpose, broker) = (self.options.purpose, self.broker());
        match self.outage.up() {
            Say::Connected => {
                tracing::info!(
                    purpose,
                    "connected to MQTT broker {broker} with MQTT {version}"
                );
            }
            Say::Again => {
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

    /// Notes how long the line is there.
    pub(super) fn note_lived(&mut self, lived: Duration) {
        if self.outage.lives(lived) == Say::Holds {
            let (purpose, broker) = (self.options.purpose, self.broker());
            tracing::info!(purpose, "stable connection to MQTT broker {broker} again");
        }
    }

    fn report_lost(&mut self, error: &LineError, lived: Option<Duration>) {
        if error.fault == Fault::TakenOver {
            add(&self.stats.taken_over, 1);
        }
        self.fault.send_replace(error.fault);
        self.link.send_replace(Link::Down {
            reason: error.to_string().into(),
        });
        let (purpose, broker) = (self.options.purpose, self.broker());
        match self.outage.lost(lived, self.begin.elapsed()) {
            Say::Lost => tracing::warn!(
                purpose,
                "no connection to MQTT broker {broker}: {error}; reconnecting (max. interval {} s)",
                self.options.backoff.1.as_secs()
            ),
            Say::ComesAndGoes(times) => tracing::warn!(
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
