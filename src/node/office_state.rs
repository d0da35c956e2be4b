//! The one owner of an office's state: messages in, snapshots and issues out.
//!
//! Sync and without I/O, so that a recorded day can be played through it as fast as it reads.

use super::source_clock;
use crate::clock::Now;
use crate::config::NodeConfig;
use crate::feed::{self, Adapter, MappedState};
use crate::health::{IssueKind, Issues};
use crate::model::{OfficeId, Pattern, QueueId, QueueState, Source, Status};
use crate::state::wait::{WaitDebouncer, WaitHistory};
use crate::state::{
    Arrival, Changes, Counts, Delivery, LoggedCall, Office, Phase, QueueView, Rejection,
    SavedState, Settings, Snapshot,
};
use crate::wire::topic::{Topic, feed_filter};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How long a momentary issue (a rejected message, a missed call) stays on the list.
const MOMENTARY_FOR: Duration = Duration::from_secs(600);

/// A lost connection is no issue before this, nor is the moment before the first one.
const DISCONNECT_GRACE: Duration = Duration::from_secs(5);

/// The same while a second machine with our identity ends every session: that is said already.
/// Twice the longest pause between two attempts.
const SHARED_DISCONNECT_GRACE: Duration = Duration::from_secs(60);

/// What one message led to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outcome {
    /// Queues and sequence numbers that were accepted.
    pub applied: Vec<(QueueId, u64)>,
    /// Calls seen for the first time, oldest first.
    pub calls: Vec<LoggedCall>,
}

/// Owns the state of an office.
#[derive(Debug)]
pub struct OfficeState {
    id: OfficeId,
    root: String,
    office: Office,
    /// Keeps estimates still between messages.
    waits: WaitDebouncer,
    adapters: Vec<Adapter>,
    /// What tickets of the feed look like, where that is configured.
    patterns: BTreeMap<QueueId, Pattern>,
    issues: Issues,
    /// Queues whose messages are being rejected because their source's clock is wrong.
    wrong_clocks: BTreeSet<QueueId>,
    /// Momentary issues and when they end.
    momentary: BTreeMap<(IssueKind, String), Duration>,
    /// Since when there is no connection to the broker of the feed, and why.
    disconnected: Option<(Duration, String)>,
    /// Whether a second machine has our identity.
    identity_shared: bool,
    /// Payloads that were no message at all.
    unreadable: u64,
    /// Queues of which a message could be read since the start, also one that changed nothing.
    readable: BTreeSet<QueueId>,
    /// When the newest of these came, by the monotonic clock.
    last_readable: Option<Duration>,
}

impl OfficeState {
    /// Builds the state of a node's office.
    #[must_use]
    pub fn new(config: &NodeConfig) -> Self {
        let settings = &config.state;
        let adapter = |a: &crate::config::AdapterConfig| Adapter::new(a.clone(), settings);
        Self {
            id: config.office.clone(),
            root: config.mqtt.root.clone(),
            office: Office::new(settings.clone()),
            waits: WaitDebouncer::default(),
            adapters: config.adapters.iter().map(adapter).collect(),
            patterns: config.patterns.clone(),
            issues: Issues::default(),
            wrong_clocks: BTreeSet::new(),
            momentary: BTreeMap::new(),
            disconnected: None,
            identity_shared: false,
            unreadable: 0,
            readable: BTreeSet::new(),
            last_readable: None,
        }
    }

    /// The topic filters that bring this office its messages.
    #[must_use]
    pub fn filters(&self) -> Vec<String> {
        let adapters = self.adapters.iter().map(|a| a.topic().to_owned());
        std::iter::once(feed_filter(&self.root, &self.id))
            .chain(adapters)
            .collect()
    }

    /// Takes one message from the broker. Whatever it is, the state stays whole.
    pub fn apply_message(
        &mut self,
        topic: &str,
        payload: &[u8],
        delivery: Delivery,
        now: Now,
    ) -> Outcome {
        let mut outcome = Outcome::default();
        match Topic::parse(&self.root, topic) {
            Some(Topic::Feed(office, queue)) if office == self.id => match feed::decode(payload) {
                Ok(state) => {
                    let pattern = self.patterns.get(&queue);
                    if let Some(why) = pattern.and_then(|p| feed::pattern_mismatch(&state, p)) {
                        self.reject(queue.as_str(), &format!("feed of {queue}: {why}"), now);
                        return outcome;
                    }
                    let arrival = Arrival {
                        delivery,
                        ..Source::Feed.into()
                    };
                    self.apply(queue, state, arrival, now, &mut outcome);
                }
                Err(e) => self.reject(queue.as_str(), &format!("feed of {queue}: {e}"), now),
            },
            Some(_) => {}
            None => self.adapt(topic, payload, delivery, now, &mut outcome),
        }
        outcome
    }

    /// Takes states that a camera read.
    pub fn apply_camera_states(&mut self, states: Vec<(QueueId, QueueState)>, now: Now) -> Outcome {
        let mut outcome = Outcome::default();
        for (queue, state) in states {
            // A picture has no time of its own but that of its coming.
            let arrival = Arrival {
                timed: false,
                ..Source::Camera.into()
            };
            self.apply(queue, state, arrival, now, &mut outcome);
        }
        outcome
    }

    fn adapt(
        &mut self,
        topic: &str,
        payload: &[u8],
        delivery: Delivery,
        now: Now,
        outcome: &mut Outcome,
    ) {
        let mapped: Vec<_> = self
            .adapters
            .iter_mut()
            .filter(|a| a.takes(topic))
            .flat_map(|a| {
                let filter = a.topic().to_owned();
                let mapped = a.map(topic, payload, delivery, now).into_iter();
                mapped.map(move |result| (filter.clone(), result))
            })
            .collect();
        for (filter, result) in mapped {
            match result {
                Ok(MappedState {
                    queue,
                    state,
                    arrival,
                }) => self.apply(queue, state, arrival, now, outcome),
                Err(e) => {
                    // Each queue has a refusal of its own, and so has each filter.
                    let about = e.queue().map_or(filter, ToString::to_string);
                    self.reject(&about, &format!("adapter: {e}"), now);
                }
            }
        }
    }

    fn apply(
        &mut self,
        queue: QueueId,
        state: QueueState,
        arrival: Arrival,
        now: Now,
        outcome: &mut Outcome,
    ) {
        let seq = state.seq;
        let applied = self.office.apply(&queue, state, arrival, now);
        if applied
            .as_ref()
            .err()
            .is_none_or(|why| is_known(why, arrival.delivery))
        {
            self.readable.insert(queue.clone());
            self.last_readable = Some(now.mono);
        }
        match applied {
            Ok(changes) => {
                if self.wrong_clocks.remove(&queue) {
                    self.resolve_momentary(IssueKind::SourceClock, queue.as_str());
                }
                self.raise_from_changes(&queue, &changes, now);
                outcome.applied.push((queue, seq));
                outcome.calls.extend(changes.calls);
            }
            // Counted by the office itself.
            Err(refusal) => self.note_rejection(&queue, &refusal, arrival.delivery, now),
        }
    }

    /// Says why a message was rejected, for those who can correct it.
    fn note_rejection(
        &mut self,
        queue: &QueueId,
        refusal: &Rejection,
        delivery: Delivery,
        now: Now,
    ) {
        if is_known(refusal, delivery) {
            return;
        }
        let zone = &self.office.settings().timezone;
        let text = match (refusal.clock_offset(now), refusal) {
            (Some(off), _) => source_clock::wrong(queue, off, now, zone),
            (None, Rejection::WrongBusinessDay { .. }) => {
                source_clock::day_off(queue, &refusal.to_string())
            }
            (None, _) => {
                return self.warn_rejected(queue.as_str(), &format!("feed: {refusal}"), now);
            }
        };
        // Only queues of the configuration get here.
        self.wrong_clocks.insert(queue.clone());
        self.raise_momentary(IssueKind::SourceClock, queue.as_str(), &text, now);
    }

    /// Queues of which a message could be read since the start: taken, known already, or the
    /// broker's copy of a day that is over.
    #[must_use]
    pub fn readable(&self) -> usize {
        self.readable.len()
    }

    /// When the newest message that could be read came, by the monotonic clock.
    #[must_use]
    pub fn last_readable(&self) -> Option<Duration> {
        self.last_readable
    }

    fn raise_from_changes(&mut self, queue: &QueueId, changes: &Changes, now: Now) {
        if changes.missed > 0 {
            let text = format!(
                "queue {queue}: {} calls were missed, because no message contained them",
                changes.missed
            );
            self.raise_momentary(IssueKind::CallsMissed, queue.as_str(), &text, now);
        }
        if changes.flipped {
            let text = source_clock::flipped(queue, now, &self.office.settings().timezone);
            self.raise_momentary(IssueKind::SourceClock, queue.as_str(), &text, now);
        }
        if changes.corrected {
            let text = format!(
                "queue {queue}: its source contradicted an earlier message for a minute, so that \
                 message was wrong and is replaced"
            );
            self.raise_momentary(IssueKind::SourceResetUndeclared, queue.as_str(), &text, now);
        }
        if changes.source_reset_undeclared {
            let text =
                format!("queue {queue}: the source restarted its count without raising epoch");
            self.raise_momentary(IssueKind::SourceResetUndeclared, queue.as_str(), &text, now);
        }
    }

    fn reject(&mut self, about: &str, text: &str, now: Now) {
        self.unreadable += 1;
        self.warn_rejected(about, text, now);
    }

    fn warn_rejected(&mut self, about: &str, text: &str, now: Now) {
        self.raise_momentary(IssueKind::MessagesRejected, about, text, now);
    }

    /// Ends a momentary issue before its time.
    fn resolve_momentary(&mut self, kind: IssueKind, about: &str) {
        if self.momentary.remove(&(kind, about.to_owned())).is_some() {
            self.issues.clear(kind, about);
        }
    }

    /// Raises a momentary issue.
    fn raise_momentary(&mut self, kind: IssueKind, about: &str, text: &str, now: Now) {
        self.issues.raise(kind, about, text, now);
        let until = now.mono + MOMENTARY_FOR;
        self.momentary.insert((kind, about.to_owned()), until);
    }

    /// What has to be kept through a power cut; `shown` is the index of the newest call that every
    /// board has shown for its time, with all before it.
    #[must_use]
    pub fn saved_state(&self, shown: u64) -> SavedState {
        self.office.saved_state(shown)
    }

    /// Restores saved state.
    pub fn restore(&mut self, kept: SavedState, now: Now) {
        for adapter in &mut self.adapters {
            adapter.restore(&kept.queues);
        }
        self.office.restore(kept, now);
    }

    /// The wait history: what waits of earlier days and of today showed.
    #[must_use]
    pub fn wait_history(&self) -> WaitHistory {
        self.office.wait_history()
    }

    /// Restores it.
    pub fn restore_wait_history(&mut self, learnt: WaitHistory) {
        self.office.restore_wait_history(learnt);
    }

    /// Notes whether the broker of the feed is connected: `None`, or the reason why not.
    pub fn set_disconnected(&mut self, reason: Option<&str>, now: Now) {
        self.office.set_connected(reason.is_none(), now);
        for adapter in &mut self.adapters {
            adapter.set_connected(reason.is_none(), now);
        }
        self.disconnected = reason.map(|reason| {
            let since = self
                .disconnected
                .as_ref()
                .map_or(now.mono, |(since, _)| *since);
            (since, reason.to_owned())
        });
    }

    /// Notes whether a second machine has our identity; `shared` says how to correct it.
    pub fn set_identity_shared(&mut self, shared: Option<&str>, now: Now) {
        self.identity_shared = shared.is_some();
        self.issues
            .update(IssueKind::IdentityShared, "", shared, now);
    }

    /// How long a connection may be lost before that is an issue.
    #[must_use]
    pub fn disconnect_grace(&self) -> Duration {
        if self.identity_shared {
            SHARED_DISCONNECT_GRACE
        } else {
            DISCONNECT_GRACE
        }
    }

    /// The issues; other parts raise theirs here.
    pub fn issues(&mut self) -> &mut Issues {
        &mut self.issues
    }

    /// Everything at one moment, and what is wrong then.
    pub fn snapshot(&mut self, now: Now) -> Snapshot {
        self.momentary.retain(|(kind, about), until| {
            let over = *until <= now.mono;
            if over {
                self.issues.clear(*kind, about);
            }
            !over
        });
        let patience = self.disconnect_grace();
        let down = self
            .disconnected
            .as_ref()
            .filter(|(since, _)| now.since(*since) >= patience);
        let text = down.map_or("", |(_, reason)| reason);
        self.issues
            .raise_if(down.is_some(), IssueKind::FeedDown, "", text, now);
        let unknown = "the clock is not synchronised";
        self.issues.raise_if(
            !now.synced,
            IssueKind::ClockUnsynchronized,
            "",
            unknown,
            now,
        );
        self.office.verify_times(now);
        let mut snapshot = self.office.snapshot(now);
        self.waits.hold(&mut snapshot, now);
        for queue in &snapshot.queues {
            let id = &queue.settings.id;
            let text = silence(queue, self.office.settings(), now);
            self.issues
                .update(IssueKind::SourceSilent, id.as_str(), text.as_deref(), now);
        }
        snapshot.issues = self.issues.words();
        snapshot
    }

    /// Counts since the start, by name, for the health report and the metrics.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<String, u64> {
        let Counts {
            applied,
            late,
            duplicate,
            rejected,
            calls,
            missed_calls,
            source_resets,
        } = self.office.counts();
        [
            ("messages_applied", applied),
            ("messages_late", late),
            ("messages_duplicate", duplicate),
            ("messages_rejected", rejected + self.unreadable),
            ("calls", calls),
            ("calls_missed", missed_calls),
            ("source_resets", source_resets),
        ]
        .into_iter()
        .map(|(name, count)| (name.to_owned(), count))
        .collect()
    }
}

/// Whether a message changed nothing though nothing is wrong with it: it was known, or a broker kept
/// it of a day that is over.
fn is_known(refusal: &Rejection, delivery: Delivery) -> bool {
    match refusal {
        Rejection::Duplicate(_) | Rejection::Late { .. } => true,
        Rejection::BusinessDayOver { .. } => delivery == Delivery::Retained,
        _ => false,
    }
}

/// What is wrong with a queue whose numbers are not fresh, if anything is.
fn silence(queue: &QueueView, settings: &Settings, now: Now) -> Option<String> {
    // A source that was closed for the day may sleep.
    if queue.fresh || !matches!(queue.phase, Phase::Today(s) if s != Status::Closed) {
        return None;
    }
    let id = &queue.settings.id;
    let reading = queue.reading.as_ref()?;
    let speaks = reading
        .received_at
        .is_some_and(|received_at| now.since(received_at) <= settings.stale_after);
    let behind = reading.age_at_arrival.as_secs() / 60;
    Some(if speaks && reading.age_at_arrival > settings.stale_after {
        // It was heard just now, and says that it is another time.
        format!(
            "queue {id}: its source's messages are {behind} min old when they arrive: check its \
             clock and the network / 発券システムの時計が{behind}分遅れているか、通信が遅れています"
        )
    } else {
        format!("queue {id}: no recent messages from its source")
    })
}
