//! One connection, from CONNECT to its end.
//!
//! The line is polled step by step, each step to its end, while requests are fed beside it. What is
//! under way when the line breaks is answered with [`PublishError::Lost`].

use super::asked::{Asked, Tell};
use super::fault::{LineError, LineErrorKind};
use super::filter;
use super::inbox::{Ack, AckToken, Message};
use super::limits::Limits;
use super::outbox::{Job, Publish, PublishError, WINDOW};
use super::session::Core;
use super::stats::add;
use super::wire::{Event, Incoming, Line, Requests, Version};
use std::collections::{HashMap, VecDeque};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// A quiet line turns its loop at least this often, to show that its task is alive.
const BEAT: Duration = Duration::from_secs(10);

/// Longest time to the broker's answer to CONNECT. The line's own limit for TCP and TLS is 10 s.
const CONNECT_LIMIT: Duration = Duration::from_secs(15);

/// Longest time to the answer of a ping. A board marks its numbers as not fresh 15 s after the
/// line is lost; a dead line must be known about then.
const PONG_LIMIT: Duration = Duration::from_secs(10);

/// Longest time to the confirmation of a publish; a broker that takes longer has lost it.
const CONFIRM_LIMIT: Duration = Duration::from_secs(30);

/// Longest goodbye. The whole process has 2 s to stop.
const GOODBYE_LIMIT: Duration = Duration::from_millis(700);

/// Messages that may come in one step of the line, beyond those the broker should send.
const STEP: usize = 16;

/// Connections that ended while the broker owed an answer to an optional subscription before it is
/// left out: some brokers end the connection of a client that asks for what it may not read (AWS IoT
/// Core, EMQX with `deny_action = disconnect`). One may end so by chance.
const UNANSWERED: u8 = 5;

/// How a connection ended.
pub(super) enum Ended {
    /// We were asked to stop.
    Stopped,
    /// Lost, or never made: then it has not `lived`.
    Lost {
        error: LineError,
        lived: Option<Duration>,
    },
}

/// A publish that was handed to the line.
struct Pending {
    what: What,
    bytes: usize,
    since: Instant,
}

enum What {
    Slot(Arc<str>),
    Job(oneshot::Sender<Result<bool, PublishError>>),
    Birth,
    Goodbye,
}

/// The state of one connection.
pub(super) struct Connection<'a> {
    core: &'a mut Core,
    requests: Requests,
    version: Version,
    /// Since when the broker has taken us.
    up: Option<Instant>,
    began: Instant,
    last_event: Instant,
    /// A ping that was not answered yet.
    pinged: Option<Instant>,
    stopping: Option<Instant>,
    /// Largest packet the broker takes.
    max_packet: usize,
    /// Requested, not yet seen going out; in order.
    sending: VecDeque<Pending>,
    /// Out, not yet confirmed.
    unconfirmed: HashMap<u16, Pending>,
    asked: Asked,
    /// Received, no room in the inbox yet.
    held: VecDeque<Incoming>,
    /// To be acknowledged, no room among the requests yet.
    acks_due: VecDeque<u16>,
    /// Whether a refused publish was reported on this connection.
    told_refused: bool,
}

impl<'a> Connection<'a> {
    pub(super) fn new(core: &'a mut Core, requests: Requests, version: Version) -> Self {
        let now = Instant::now();
        let options = &core.options;
        let asked = Asked::new(
            &options.subscriptions,
            core.unanswered < UNANSWERED,
            options.backoff,
        );
        Self {
            core,
            requests,
            version,
            up: None,
            began: now,
            last_event: now,
            pinged: None,
            stopping: None,
            max_packet: usize::MAX,
            sending: VecDeque::new(),
            unconfirmed: HashMap::new(),
            asked,
            held: VecDeque::new(),
            acks_due: VecDeque::new(),
            told_refused: false,
        }
    }

    pub(super) async fn run(mut self, line: Line, shutdown: &CancellationToken) -> Ended {
        let result = self.drive(line, shutdown).await;
        for pending in self
            .sending
            .drain(..)
            .chain(self.unconfirmed.drain().map(|(_, p)| p))
        {
            if let What::Job(done) = pending.what {
                add(&self.core.stats.lost, 1);
                let _ = done.send(Err(PublishError::Lost)); // nobody may be waiting
            }
        }
        if self.up.is_some() && self.core.unanswered < UNANSWERED {
            let owed = self.asked.awaits_optional(&self.core.options.subscriptions);
            self.core.unanswered = if owed { self.core.unanswered + 1 } else { 0 };
        }
        match result {
            Ok(()) => Ended::Stopped,
            Err(_) if self.stopping.is_some() => Ended::Stopped,
            Err(error) => Ended::Lost {
                error,
                lived: self.up.map(|since| since.elapsed()),
            },
        }
    }

    /// Ends with `Ok` when we were asked to stop and have.
    async fn drive(
        &mut self,
        mut line: Line,
        shutdown: &CancellationToken,
    ) -> Result<(), LineError> {
        let inbox = self.core.inbox.clone();
        loop {
            let mut step = pin!(line.poll(self.up.is_some()));
            let event = loop {
                self.pump();
                let reading = self.reading();
                let room = self.up.is_some() && self.stopping.is_none() && self.room();
                let deadline = self.deadline(reading);
                self.core.stats.beat();
                if let Some(since) = self.up {
                    self.core.note_lived(since.elapsed());
                }
                let beat = Instant::now() + BEAT;
                let asks = self.up.is_some() && self.stopping.is_none();
                let due = self.asked.due().filter(|_| asks);
                let wake = due.map_or(beat, |due| due.min(beat));
                tokio::select! {
                    event = &mut step, if reading => break event?,
                    () = shutdown.cancelled(), if self.stopping.is_none() => {
                        if self.up.is_none() {
                            return Ok(());
                        }
                        self.say_goodbye();
                    }
                    () = self.core.outbox.wake.notified(), if room => {}
                    job = self.core.jobs.recv(), if room && self.core.jobs_open => match job {
                        Some(Job { publish, done }) => self.send(publish, What::Job(done)),
                        None => self.core.jobs_open = false,
                    },
                    permit = inbox.reserve(), if !self.held.is_empty() => {
                        let Some(incoming) = self.held.pop_front() else { continue };
                        let (message, ack) = open(incoming, self.core);
                        // Without a receiver nothing can become safe: what comes is let go.
                        if let Ok(permit) = permit {
                            permit.send(message);
                        }
                        self.acks_due.extend(ack);
                        if !reading && self.reading() {
                            self.last_event = Instant::now();
                        }
                    }
                    Some(AckToken { session, pkid }) = self.core.acks.recv() => {
                        if session == self.core.session {
                            self.acks_due.push_back(pkid);
                        }
                    }
                    () = tokio::time::sleep_until(deadline.min(wake)) => {
                        if Instant::now() >= deadline {
                            return Err(self.overdue());
                        }
                    }
                }
            };
            if self.take(event) {
                return Ok(());
            }
        }
    }

    /// Whether more may be read from the line: not while the broker has sent more than it should
    /// and nobody takes it.
    fn reading(&self) -> bool {
        self.held.len() < usize::from(self.core.options.receive_maximum) + STEP
    }

    fn room(&self) -> bool {
        self.sending.len() + self.unconfirmed.len() < WINDOW
    }

    /// Hands on what needs no waiting: acknowledgements and newest values.
    fn pump(&mut self) {
        if self.up.is_none() {
            return;
        }
        if self.stopping.is_none() {
            self.asked
                .ask(&self.requests, &self.core.options.subscriptions);
        }
        while let Some(pkid) = self.acks_due.pop_front() {
            if self.requests.ack(pkid).is_err() {
                self.acks_due.push_front(pkid);
                break;
            }
        }
        while self.stopping.is_none() && self.room() {
            let Some(publish) = self.core.outbox.slots().take() else {
                break;
            };
            let topic = Arc::clone(&publish.topic);
            self.send(publish, What::Slot(topic));
        }
    }

    fn send(&mut self, publish: Publish, what: What) {
        let bytes = publish.payload.len();
        let pending = Pending {
            what,
            bytes,
            since: Instant::now(),
        };
        let wild = publish.topic.is_empty() || publish.topic.contains(['+', '#', '\0']);
        if wild
            || publish.topic.len() > usize::from(u16::MAX)
            || publish.packet_size() > self.max_packet
        {
            self.answer(pending, Err(PublishError::Unacceptable(bytes)));
        } else if self.requests.publish(&publish).is_err() {
            self.answer(pending, Err(PublishError::Lost));
        } else {
            self.sending.push_back(pending);
        }
    }

    fn answer(&mut self, pending: Pending, result: Result<bool, PublishError>) {
        let stats = &self.core.stats;
        match &result {
            Ok(_) => {
                add(&stats.published, 1);
                add(&stats.published_bytes, pending.bytes);
            }
            Err(PublishError::Lost) => add(&stats.lost, 1),
            Err(error) => {
                add(&stats.refused, 1);
                if !self.told_refused {
                    self.told_refused = true;
                    let purpose = self.core.options.purpose;
                    tracing::warn!(
                        purpose,
                        "publish failed: {error}; further failures are counted"
                    );
                }
            }
        }
        match pending.what {
            What::Slot(topic) => self.core.outbox.slots().answered(&topic),
            What::Job(done) => {
                let _ = done.send(result); // nobody may be waiting
            }
            What::Goodbye => self.disconnect(),
            What::Birth => {}
        }
    }

    /// Acts upon an event; `true` when our goodbye is out.
    fn take(&mut self, event: Event) -> bool {
        self.last_event = Instant::now();
        if !matches!(
            event,
            Event::Sent(_) | Event::Asked(_) | Event::Pinged | Event::Nothing | Event::SaidGoodbye
        ) {
            self.pinged = None;
        }
        match event {
            Event::Up(limits) => self.begin(limits),
            Event::Message(incoming) => {
                add(&self.core.stats.received, 1);
                add(&self.core.stats.received_bytes, incoming.payload.len());
                self.held.push_back(incoming);
                if !self.reading() {
                    add(&self.core.stats.stalls, 1);
                    self.pinged = None; // its answer will not be read for a while
                }
            }
            Event::Sent(pkid) => {
                if let Some(pending) = self.sending.pop_front() {
                    if pkid == 0 {
                        self.answer(pending, Ok(true));
                    } else {
                        self.unconfirmed.insert(pkid, pending);
                    }
                }
            }
            Event::Confirmed(pkid, result) => {
                if let Some(pending) = self.unconfirmed.remove(&pkid) {
                    self.answer(pending, result);
                }
            }
            Event::Asked(pkid) => self.asked.sent(pkid),
            Event::Subscribed(pkid, refused) => {
                let purpose = self.core.options.purpose;
                let reason = refused.as_deref().unwrap_or_default();
                match self
                    .asked
                    .answered(pkid, refused.is_some(), &self.core.options.subscriptions)
                {
                    Some(Tell::Refused) => tracing::warn!(
                        purpose,
                        "the broker rejected a subscription: {reason}; retrying"
                    ),
                    Some(Tell::Taken) => {
                        tracing::info!(purpose, "the broker accepted all subscriptions again");
                    }
                    None => {}
                }
            }
            Event::Pinged => self.pinged = Some(Instant::now()),
            Event::SaidGoodbye => return true,
            Event::Heard | Event::Nothing => {}
        }
        false
    }

    /// The broker took us: says that we are there, then asks for everything again.
    fn begin(&mut self, limits: Limits) {
        self.up = Some(Instant::now());
        let largest = limits.max_packet.and_then(|n| usize::try_from(n).ok());
        self.max_packet = largest.unwrap_or(usize::MAX);
        if let Some(availability) = self.core.options.availability.clone() {
            let birth = Publish::retained(availability.topic, availability.online);
            self.send(birth, What::Birth);
        }
        // There is room for all of them: see `request_room`.
        self.asked
            .ask(&self.requests, &self.core.options.subscriptions);
        self.core.outbox.slots().renew();
        self.core.report_up(self.version, limits);
    }

    fn say_goodbye(&mut self) {
        self.stopping = Some(Instant::now());
        match self.core.options.availability.clone() {
            Some(availability) => {
                let offline = Publish::retained(availability.topic, availability.offline);
                self.send(offline, What::Goodbye);
            }
            None => self.disconnect(),
        }
    }

    fn disconnect(&mut self) {
        // Without room the line is dead anyway, and the limit of the goodbye ends it.
        let _ = self.requests.disconnect();
    }

    /// The moment at which the line is given up.
    fn deadline(&self, reading: bool) -> Instant {
        if let Some(since) = self.stopping {
            return since + GOODBYE_LIMIT;
        }
        if self.up.is_none() {
            return self.began + CONNECT_LIMIT;
        }
        // At least a ping goes out in every keep-alive, unless writing itself hangs. While we do
        // not read, silence is ours.
        let far = Instant::now() + Duration::from_secs(3600);
        if !reading {
            return far;
        }
        let silent = self.last_event + self.core.options.broker.keep_alive + CONNECT_LIMIT;
        let pong = self.pinged.map_or(far, |at| at + PONG_LIMIT);
        let oldest = self
            .sending
            .iter()
            .chain(self.unconfirmed.values())
            .map(|p| p.since)
            .chain(self.asked.oldest())
            .min();
        let confirm = oldest.map_or(far, |at| at + CONFIRM_LIMIT);
        silent.min(pong).min(confirm)
    }

    fn overdue(&self) -> LineError {
        let text = if self.up.is_none() {
            "no answer to CONNECT"
        } else if self.pinged.is_some() {
            "no answer to a ping"
        } else {
            "no acknowledgement from the broker"
        };
        LineError::new(LineErrorKind::Network, text)
    }
}

/// Makes a message of a packet, and says whether the session acknowledges it.
fn open(incoming: Incoming, core: &Core) -> (Message, Option<u16>) {
    let by_receiver = core
        .options
        .subscriptions
        .iter()
        .any(|s| s.manual_ack && filter::matches(&s.filter, &incoming.topic));
    let mut message = Message::new(incoming.topic, incoming.payload, incoming.retain);
    if by_receiver && !core.inbox.is_closed() {
        message.ack = incoming.pkid.map(|pkid| Ack {
            to: core.acks_to.clone(),
            token: AckToken {
                session: core.session,
                pkid,
            },
        });
        (message, None)
    } else {
        (message, incoming.pkid)
    }
}
