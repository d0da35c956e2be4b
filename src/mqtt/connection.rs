//! One connection, from CONNECT to its end.
//!
//! The event loop is polled step by step, each step to its end; commands are queued meanwhile. What is
//! in flight when the connection breaks is answered with [`PublishError::Lost`].

use super::client::{Commands, EventLoop, Version};
use super::event::{Event, IncomingPublish};
use super::fault::{ConnectionError, ConnectionErrorKind};
use super::inbox::{Ack, AckToken, Message};
use super::limits::Limits;
use super::outbox::{Publish, PublishError, QueuedPublish, WINDOW};
use super::session_task::SessionTask;
use super::stats::add;
use super::subscriptions::{PendingSubscriptions, SubscriptionChange};
use crate::topic_filter;
use std::collections::{HashMap, VecDeque};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// An idle connection wakes its task at least this often, to show that the task is alive.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// Longest time to the broker's answer to CONNECT. The event loop's own limit for TCP and TLS is 10 s.
const CONNECT_LIMIT: Duration = Duration::from_secs(15);

/// Longest time to the answer of a ping. A board marks its numbers as not fresh 15 s after the
/// connection is lost; a dead connection must be detected by then.
const PONG_LIMIT: Duration = Duration::from_secs(10);

/// Longest time to the confirmation of a publish; a broker that takes longer has lost it.
const CONFIRM_LIMIT: Duration = Duration::from_secs(30);

/// Longest time to publish `offline` and disconnect. The whole process has 2 s to stop.
const DISCONNECT_LIMIT: Duration = Duration::from_millis(700);

/// Messages that may come in one step of the event loop, beyond those the broker should send.
const STEP: usize = 16;

/// Connections that ended while the broker owed an answer to an optional subscription before it is
/// left out: some brokers end the connection of a client that asks for what it may not read (AWS IoT
/// Core, EMQX with `deny_action = disconnect`). One may end so by chance.
const MAX_UNANSWERED: u8 = 5;

/// How a connection ended.
pub(super) enum ConnectionEnd {
    /// We were asked to stop.
    Stopped,
    /// Lost, or never made: then `uptime` is `None`.
    Lost {
        error: ConnectionError,
        uptime: Option<Duration>,
    },
}

/// A publish that was handed to the event loop.
struct PendingPublish {
    kind: PublishKind,
    bytes: usize,
    since: Instant,
}

enum PublishKind {
    Latest(Arc<str>),
    Queued(oneshot::Sender<Result<bool, PublishError>>),
    Birth,
    Offline,
}

/// The state of one connection.
pub(super) struct Connection<'a> {
    task: &'a mut SessionTask,
    commands: Commands,
    version: Version,
    /// When the broker sent CONNACK.
    connected_at: Option<Instant>,
    started: Instant,
    last_event: Instant,
    /// When a ping was sent that has no answer yet.
    ping_sent_at: Option<Instant>,
    stopping: Option<Instant>,
    /// Largest packet the broker accepts, in bytes.
    max_packet: usize,
    /// Queued in the event loop, not yet sent; in order.
    sending: VecDeque<PendingPublish>,
    /// Sent, not yet acknowledged, by packet identifier.
    unconfirmed: HashMap<u16, PendingPublish>,
    subscriptions: PendingSubscriptions,
    /// Received, no room in the inbox yet.
    backlog: VecDeque<IncomingPublish>,
    /// To be acknowledged, no room among the commands yet.
    pending_acks: VecDeque<u16>,
    /// Whether a failed publish was logged on this connection.
    rejection_logged: bool,
}

impl<'a> Connection<'a> {
    pub(super) fn new(task: &'a mut SessionTask, commands: Commands, version: Version) -> Self {
        let now = Instant::now();
        let options = &task.options;
        let subscriptions = PendingSubscriptions::new(
            &options.subscriptions,
            task.unanswered < MAX_UNANSWERED,
            options.backoff,
        );
        Self {
            task,
            commands,
            version,
            connected_at: None,
            started: now,
            last_event: now,
            ping_sent_at: None,
            stopping: None,
            max_packet: usize::MAX,
            sending: VecDeque::new(),
            unconfirmed: HashMap::new(),
            subscriptions,
            backlog: VecDeque::new(),
            pending_acks: VecDeque::new(),
            rejection_logged: false,
        }
    }

    pub(super) async fn run(
        mut self,
        event_loop: EventLoop,
        shutdown: &CancellationToken,
    ) -> ConnectionEnd {
        let result = self.drive(event_loop, shutdown).await;
        for pending in self
            .sending
            .drain(..)
            .chain(self.unconfirmed.drain().map(|(_, p)| p))
        {
            if let PublishKind::Queued(done) = pending.kind {
                add(&self.task.stats.lost, 1);
                let _ = done.send(Err(PublishError::Lost)); // nobody may be waiting
            }
        }
        if self.connected_at.is_some() && self.task.unanswered < MAX_UNANSWERED {
            let owed = self
                .subscriptions
                .awaits_optional(&self.task.options.subscriptions);
            self.task.unanswered = if owed { self.task.unanswered + 1 } else { 0 };
        }
        match result {
            Ok(()) => ConnectionEnd::Stopped,
            Err(_) if self.stopping.is_some() => ConnectionEnd::Stopped,
            Err(error) => ConnectionEnd::Lost {
                error,
                uptime: self.connected_at.map(|since| since.elapsed()),
            },
        }
    }

    /// Ends with `Ok` when we were asked to stop and have.
    async fn drive(
        &mut self,
        mut event_loop: EventLoop,
        shutdown: &CancellationToken,
    ) -> Result<(), ConnectionError> {
        let inbox = self.task.inbox.clone();
        loop {
            let mut step = pin!(event_loop.poll(self.connected_at.is_some()));
            let event = loop {
                self.flush();
                let reading = self.can_read();
                let room =
                    self.connected_at.is_some() && self.stopping.is_none() && self.has_window();
                let deadline = self.deadline(reading);
                self.task.stats.heartbeat();
                if let Some(since) = self.connected_at {
                    self.task.note_uptime(since.elapsed());
                }
                let beat = Instant::now() + HEARTBEAT;
                let asks = self.connected_at.is_some() && self.stopping.is_none();
                let due = self.subscriptions.due().filter(|_| asks);
                let wake = due.map_or(beat, |due| due.min(beat));
                tokio::select! {
                    event = &mut step, if reading => break event?,
                    () = shutdown.cancelled(), if self.stopping.is_none() => {
                        if self.connected_at.is_none() {
                            return Ok(());
                        }
                        self.begin_disconnect();
                    }
                    () = self.task.outbox.wake.notified(), if room => {}
                    job = self.task.jobs.recv(), if room && self.task.jobs_open => match job {
                        Some(QueuedPublish { publish, done }) => self.send(publish, PublishKind::Queued(done)),
                        None => self.task.jobs_open = false,
                    },
                    permit = inbox.reserve(), if !self.backlog.is_empty() => {
                        let Some(incoming) = self.backlog.pop_front() else { continue };
                        let (message, ack) = into_message(incoming, self.task);
                        // If the receiver is gone, nobody can store the message: drop it and acknowledge.
                        if let Ok(permit) = permit {
                            permit.send(message);
                        }
                        self.pending_acks.extend(ack);
                        if !reading && self.can_read() {
                            self.last_event = Instant::now();
                        }
                    }
                    Some(AckToken { session, pkid }) = self.task.acks.recv() => {
                        if session == self.task.session {
                            self.pending_acks.push_back(pkid);
                        }
                    }
                    () = tokio::time::sleep_until(deadline.min(wake)) => {
                        if Instant::now() >= deadline {
                            return Err(self.timeout_error());
                        }
                    }
                }
            };
            if self.handle(event) {
                return Ok(());
            }
        }
    }

    /// Whether more may be read from the connection: not while the broker has sent more than it
    /// should and the inbox is full.
    fn can_read(&self) -> bool {
        self.backlog.len() < usize::from(self.task.options.receive_maximum) + STEP
    }

    fn has_window(&self) -> bool {
        self.sending.len() + self.unconfirmed.len() < WINDOW
    }

    /// Queues what needs no waiting: subscriptions, acknowledgements and newest values.
    fn flush(&mut self) {
        if self.connected_at.is_none() {
            return;
        }
        if self.stopping.is_none() {
            self.subscriptions
                .request(&self.commands, &self.task.options.subscriptions);
        }
        while let Some(pkid) = self.pending_acks.pop_front() {
            if self.commands.ack(pkid).is_err() {
                self.pending_acks.push_front(pkid);
                break;
            }
        }
        while self.stopping.is_none() && self.has_window() {
            let Some(publish) = self.task.outbox.latest().take() else {
                break;
            };
            let topic = Arc::clone(&publish.topic);
            self.send(publish, PublishKind::Latest(topic));
        }
    }

    fn send(&mut self, publish: Publish, kind: PublishKind) {
        let bytes = publish.payload.len();
        let pending = PendingPublish {
            kind,
            bytes,
            since: Instant::now(),
        };
        let wild = publish.topic.is_empty() || publish.topic.contains(['+', '#', '\0']);
        if wild
            || publish.topic.len() > usize::from(u16::MAX)
            || publish.packet_size() > self.max_packet
        {
            self.complete(pending, Err(PublishError::Unacceptable(bytes)));
        } else if self.commands.publish(&publish).is_err() {
            self.complete(pending, Err(PublishError::Lost));
        } else {
            self.sending.push_back(pending);
        }
    }

    fn complete(&mut self, pending: PendingPublish, result: Result<bool, PublishError>) {
        let stats = &self.task.stats;
        match &result {
            Ok(_) => {
                add(&stats.published, 1);
                add(&stats.published_bytes, pending.bytes);
            }
            Err(PublishError::Lost) => add(&stats.lost, 1),
            Err(error) => {
                add(&stats.rejected, 1);
                if !self.rejection_logged {
                    self.rejection_logged = true;
                    let purpose = self.task.options.purpose;
                    tracing::warn!(
                        purpose,
                        "publish failed: {error}; further failures are counted"
                    );
                }
            }
        }
        match pending.kind {
            PublishKind::Latest(topic) => self.task.outbox.latest().on_answer(&topic),
            PublishKind::Queued(done) => {
                let _ = done.send(result); // nobody may be waiting
            }
            PublishKind::Offline => self.disconnect(),
            PublishKind::Birth => {}
        }
    }

    /// Acts upon an event; `true` when our DISCONNECT was sent.
    fn handle(&mut self, event: Event) -> bool {
        self.last_event = Instant::now();
        if !matches!(
            event,
            Event::PublishSent(_)
                | Event::SubscribeSent(_)
                | Event::PingSent
                | Event::Ignored
                | Event::DisconnectSent
        ) {
            self.ping_sent_at = None;
        }
        match event {
            Event::Connected(limits) => self.on_connected(limits),
            Event::Message(incoming) => {
                add(&self.task.stats.received, 1);
                add(&self.task.stats.received_bytes, incoming.payload.len());
                self.backlog.push_back(incoming);
                if !self.can_read() {
                    add(&self.task.stats.stalls, 1);
                    self.ping_sent_at = None; // its answer will not be read for a while
                }
            }
            Event::PublishSent(pkid) => {
                if let Some(pending) = self.sending.pop_front() {
                    if pkid == 0 {
                        self.complete(pending, Ok(true));
                    } else {
                        self.unconfirmed.insert(pkid, pending);
                    }
                }
            }
            Event::PublishAcked(pkid, result) => {
                if let Some(pending) = self.unconfirmed.remove(&pkid) {
                    self.complete(pending, result);
                }
            }
            Event::SubscribeSent(pkid) => self.subscriptions.on_sent(pkid),
            Event::SubscribeAcked(pkid, rejected) => {
                let purpose = self.task.options.purpose;
                let reason = rejected.as_deref().unwrap_or_default();
                match self.subscriptions.on_answer(
                    pkid,
                    rejected.is_some(),
                    &self.task.options.subscriptions,
                ) {
                    Some(SubscriptionChange::Rejected) => tracing::warn!(
                        purpose,
                        "the broker rejected a subscription: {reason}; retrying"
                    ),
                    Some(SubscriptionChange::Accepted) => {
                        tracing::info!(purpose, "the broker accepted all subscriptions again");
                    }
                    None => {}
                }
            }
            Event::PingSent => self.ping_sent_at = Some(Instant::now()),
            Event::DisconnectSent => return true,
            Event::OtherPacket | Event::Ignored => {}
        }
        false
    }

    /// Called on CONNACK: publishes the birth message, then subscribes to everything.
    fn on_connected(&mut self, limits: Limits) {
        self.connected_at = Some(Instant::now());
        let largest = limits.max_packet.and_then(|n| usize::try_from(n).ok());
        self.max_packet = largest.unwrap_or(usize::MAX);
        if let Some(availability) = self.task.options.availability.clone() {
            let birth = Publish::retained(availability.topic, availability.online);
            self.send(birth, PublishKind::Birth);
        }
        // There is room for all of them: see `command_capacity`.
        self.subscriptions
            .request(&self.commands, &self.task.options.subscriptions);
        self.task.outbox.latest().resend_all();
        self.task.report_connected(self.version, limits);
    }

    fn begin_disconnect(&mut self) {
        self.stopping = Some(Instant::now());
        match self.task.options.availability.clone() {
            Some(availability) => {
                let offline = Publish::retained(availability.topic, availability.offline);
                self.send(offline, PublishKind::Offline);
            }
            None => self.disconnect(),
        }
    }

    fn disconnect(&mut self) {
        // Without room the connection is dead anyway, and DISCONNECT_LIMIT ends it.
        let _ = self.commands.disconnect();
    }

    /// The moment at which the connection is given up.
    fn deadline(&self, reading: bool) -> Instant {
        if let Some(since) = self.stopping {
            return since + DISCONNECT_LIMIT;
        }
        if self.connected_at.is_none() {
            return self.started + CONNECT_LIMIT;
        }
        // At least a ping goes out in every keep-alive, unless writing itself hangs. While we do
        // not read, silence is ours.
        let far = Instant::now() + Duration::from_secs(3600);
        if !reading {
            return far;
        }
        let silent = self.last_event + self.task.options.broker.keep_alive + CONNECT_LIMIT;
        let pong = self.ping_sent_at.map_or(far, |at| at + PONG_LIMIT);
        let oldest = self
            .sending
            .iter()
            .chain(self.unconfirmed.values())
            .map(|p| p.since)
            .chain(self.subscriptions.oldest_request())
            .min();
        let confirm = oldest.map_or(far, |at| at + CONFIRM_LIMIT);
        silent.min(pong).min(confirm)
    }

    fn timeout_error(&self) -> ConnectionError {
        let text = if self.connected_at.is_none() {
            "no answer to CONNECT"
        } else if self.ping_sent_at.is_some() {
            "no answer to a ping"
        } else {
            "no acknowledgement from the broker"
        };
        ConnectionError::new(ConnectionErrorKind::Network, text)
    }
}

/// Makes a message of a packet, and says whether the session acknowledges it.
fn into_message(incoming: IncomingPublish, task: &SessionTask) -> (Message, Option<u16>) {
    let by_receiver = task
        .options
        .subscriptions
        .iter()
        .any(|s| s.manual_ack && topic_filter::matches(&s.filter, &incoming.topic));
    let mut message = Message::new(incoming.topic, incoming.payload, incoming.retain);
    if by_receiver && !task.inbox.is_closed() {
        message.ack = incoming.pkid.map(|pkid| Ack {
            to: task.acks_to.clone(),
            token: AckToken {
                session: task.session,
                pkid,
            },
        });
        (message, None)
    } else {
        (message, incoming.pkid)
    }
}
