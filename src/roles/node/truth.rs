//! The one owner of an office's state: messages in, snapshots and issues out.
//!
//! Sync and without I/O, so that a recorded day can be played through it as fast as it reads.

use crate::clock::Now;
use crate::config::NodeConfig;
use crate::feed::{self, Adapter};
use crate::health::{IssueKind, Issues};
use crate::model::{OfficeId, QueueId, QueueState, Source, Status};
use crate::state::wait::{Learnt, Steady};
use crate::state::{Changes, Counts, Kept, LoggedCall, Office, Phase, Refusal, Snapshot};
use crate::wire::topic::{Topic, feed_filter};
use std::collections::BTreeMap;
use std::time::Duration;

/// How long a one-time trouble (a refused message, a lost call) stays on the list of issues.
const ONE_TIME_SHOWN: Duration = Duration::from_secs(600);

/// A line that is back within this was no trouble, nor is the moment before the first one.
const LINE_DOWN_AFTER: Duration = Duration::from_secs(5);

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
pub struct Truth {
    id: OfficeId,
    root: String,
    office: Office,
    /// Keeps estimates still between messages.
    waits: Steady,
    adapters: Vec<Adapter>,
    issues: Issues,
    /// One-time troubles and when they are over.
    passing: BTreeMap<(IssueKind, String), Duration>,
    /// Since when there is no line to the broker of the feed, and why.
    line_down: Option<(Duration, String)>,
    /// Payloads that were no message at all, for which no queue can be told.
    unreadable: u64,
}

impl Truth {
    /// Builds the state of a node's office.
    #[must_use]
    pub fn new(config: &NodeConfig) -> Self {
        let zone = &config.state.zone;
        let adapter = |a: &crate::config::AdapterConfig| Adapter::new(a.clone(), zone.clone());
        Self {
            id: config.office.clone(),
            root: config.mqtt.root.clone(),
            office: Office::new(config.state.clone()),
            waits: Steady::default(),
            adapters: config.adapters.iter().map(adapter).collect(),
            issues: Issues::default(),
            passing: BTreeMap::new(),
            line_down: None,
            unreadable: 0,
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
    pub fn take(&mut self, topic: &str, payload: &[u8], now: Now) -> Outcome {
        let mut outcome = Outcome::default();
        match Topic::parse(&self.root, topic) {
            Some(Topic::Feed(office, queue)) if office == self.id => match feed::decode(payload) {
                Ok(state) => self.apply(queue, state, Source::Feed, now, &mut outcome),
                Err(e) => self.refuse(queue.as_str(), &format!("feed of {queue}: {e}"), now),
            },
            Some(_) => {}
            None => self.adapt(topic, payload, now, &mut outcome),
        }
        outcome
    }

    /// Takes states that a camera read.
    pub fn filmed(&mut self, states: Vec<(QueueId, QueueState)>, now: Now) -> Outcome {
        let mut outcome = Outcome::default();
        for (queue, state) in states {
            self.apply(queue, state, Source::Camera, now, &mut outcome);
        }
        outcome
    }

    fn adapt(&mut self, topic: &str, payload: &[u8], now: Now, outcome: &mut Outcome) {
        let mapped: Vec<_> = self
            .adapters
            .iter_mut()
            .filter(|a| a.takes(topic))
            .flat_map(|a| a.map(payload, now))
            .collect();
        for result in mapped {
            match result {
                Ok((queue, state)) => self.apply(queue, state, Source::Adapter, now, outcome),
                Err(e) => self.refuse("adapter", &format!("adapter: {e}"), now),
            }
        }
    }

    fn apply(
        &mut self,
        queue: QueueId,
        state: QueueState,
        source: Source,
        now: Now,
        outcome: &mut Outcome,
    ) {
        let seq = state.seq;
        match self.office.apply(&queue, state, source, now) {
            Ok(changes) => {
                self.note(&queue, &changes, now);
                outcome.applied.push((queue, seq));
                outcome.calls.extend(changes.calls);
            }
            Err(Refusal::Doubled(_) | Refusal::Late { .. }) => {}
            // Counted by the office itself.
            Err(refusal) => self.warn_refused(queue.as_str(), &format!("feed: {refusal}"), now),
        }
    }

    fn note(&mut self, queue: &QueueId, changes: &Changes, now: Now) {
        if changes.lost > 0 {
            let text = format!("queue {queue}: {} calls were never told", changes.lost);
            self.pass(IssueKind::CallsLost, queue.as_str(), &text, now);
        }
        if changes.restart_unsaid {
            let text = format!("queue {queue}: the source restarted its count without saying so");
            self.pass(IssueKind::RestartUnsaid, queue.as_str(), &text, now);
        }
    }

    fn refuse(&mut self, about: &str, text: &str, now: Now) {
        self.unreadable += 1;
        self.warn_refused(about, text, now);
    }

    fn warn_refused(&mut self, about: &str, text: &str, now: Now) {
        self.pass(IssueKind::MessagesRefused, about, text, now);
    }

    /// Raises a one-time trouble for a while.
    fn pass(&mut self, kind: IssueKind, about: &str, text: &str, now: Now) {
        self.issues.raise(kind, about, text, now);
        let until = now.mono + ONE_TIME_SHOWN;
        self.passing.insert((kind, about.to_owned()), until);
    }

    /// What has to be kept through a power cut; `shown` is the index of the newest call that every
    /// board has shown for its time, with all before it.
    #[must_use]
    pub fn keep(&self, shown: u64) -> Kept {
        self.office.keep(shown)
    }

    /// Takes back what was kept.
    pub fn restore(&mut self, kept: Kept, now: Now) {
        self.office.restore(kept, now);
    }

    /// What the waits of earlier days and of today taught.
    #[must_use]
    pub fn learnt(&self) -> Learnt {
        self.office.learnt()
    }

    /// Takes back what was learnt.
    pub fn resume(&mut self, learnt: Learnt) {
        self.office.resume(learnt);
    }

    /// Notes whether the line to the broker of the feed is up, and why not.
    pub fn line(&mut self, down: Option<&str>, now: Now) {
        self.office.line(down.is_none(), now);
        self.line_down = down.map(|reason| {
            let since = self
                .line_down
                .as_ref()
                .map_or(now.mono, |(since, _)| *since);
            (since, reason.to_owned())
        });
    }

    /// The issues, for others who notice something.
    pub fn issues(&mut self) -> &mut Issues {
        &mut self.issues
    }

    /// Everything at one moment, and what is wrong then.
    pub fn snapshot(&mut self, now: Now) -> Snapshot {
        self.passing.retain(|(kind, about), until| {
            let over = *until <= now.mono;
            if over {
                self.issues.clear(*kind, about);
            }
            !over
        });
        let down = self
            .line_down
            .as_ref()
            .filter(|(since, _)| now.since(*since) >= LINE_DOWN_AFTER);
        let text = down.map_or("", |(_, reason)| reason);
        self.issues
            .set(down.is_some(), IssueKind::FeedDown, "", text, now);
        let unknown = "the clock is not synchronised";
        self.issues
            .set(!now.synced, IssueKind::ClockUnknown, "", unknown, now);
        let mut snapshot = self.office.snapshot(now);
        self.waits.settle(&mut snapshot, now);
        for queue in &snapshot.queues {
            // A source that was closed for the day may sleep.
            let silent =
                !queue.fresh && matches!(queue.phase, Phase::Today(s) if s != Status::Closed);
            let id = &queue.settings.id;
            let text = format!("queue {id}: no news from its source");
            self.issues
                .set(silent, IssueKind::SourceSilent, id.as_str(), &text, now);
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
            doubled,
            refused,
            calls,
            lost_calls,
            restarts_unsaid,
        } = self.office.counts();
        [
            ("messages_applied", applied),
            ("messages_late", late),
            ("messages_doubled", doubled),
            ("messages_refused", refused + self.unreadable),
            ("calls", calls),
            ("calls_lost", lost_calls),
            ("restarts_unsaid", restarts_unsaid),
        ]
        .into_iter()
        .map(|(name, count)| (name.to_owned(), count))
        .collect()
    }
}
