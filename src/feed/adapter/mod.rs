//! Foreign systems: JSON of any shape, mapped by configured pointers to queue states.
//!
//! For sources that only know the number being served and how many people wait, such as
//! `{"counters": [{"name": "Certificates", "current_number": "0379", "waiting_people": 3}]}`.
//! Calls are derived from the change of number: a number that differs from the last one is a call,
//! and one that was called shortly before is a recall.
//!
//! What cannot be known is not made up: `next` and `held` stay empty, and a number whose change was
//! not seen (the one that stands at the start, on a new day, after an outage, or that a broker had
//! kept) is listed without a time, and is no call.

mod fields;
mod publisher;
#[cfg(test)]
mod tests;

use crate::clock::Now;
use crate::config::{AdapterConfig, AdapterRule};
use crate::model::{CallKind, QueueId, QueueState, Source};
use crate::state::{Arrival, Delivery, DerivedCalls, SavedQueue, Settings, could_be_now, horizon};
use crate::topic_filter;
use crate::wire::MAX_PAYLOAD;
use fields::FieldValues;
use jiff::{Timestamp, tz::TimeZone};
use publisher::{ChangeKind, Publishers};
use serde_json::Value;
use std::time::Duration;

/// Says why a foreign message gave no state for a queue.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AdapterError {
    /// The payload is larger than any that is read.
    #[error("payload of {0} bytes: expected at most {MAX_PAYLOAD}")]
    TooLarge(usize),
    /// The payload is no JSON.
    #[error("no JSON: {0}")]
    NoJson(String),
    /// A pointer leads nowhere.
    #[error("queue {queue}: nothing at {pointer}")]
    Missing { queue: QueueId, pointer: String },
    /// A value is not what the rule expects.
    #[error("queue {queue}: at {pointer}: found {found}, expected {expected}")]
    Wrong {
        queue: QueueId,
        pointer: String,
        /// The value by its kind and length, never itself.
        found: String,
        /// What would have been right.
        expected: String,
    },
}

impl AdapterError {
    /// The queue that gets no state; `None` when it is all of the message's.
    #[must_use]
    pub fn queue(&self) -> Option<&QueueId> {
        match self {
            Self::TooLarge(_) | Self::NoJson(_) => None,
            Self::Missing { queue, .. } | Self::Wrong { queue, .. } => Some(queue),
        }
    }
}

/// The state of one queue, made of a foreign message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MappedState {
    pub queue: QueueId,
    /// What the message says of it.
    pub state: QueueState,
    pub arrival: Arrival,
}

/// One configured mapping and what it remembers of its queues.
#[derive(Debug)]
pub struct Adapter {
    topic: String,
    zone: TimeZone,
    times: Times,
    queues: Vec<Mapping>,
}

/// How long things may last before they mean something else.
#[derive(Debug, Clone, Copy)]
struct Times {
    /// A source that repeats itself and was silent for longer was not there.
    stale_after: Duration,
    /// A call that is younger is worth announcing.
    max_announce_age: Duration,
}

#[derive(Debug)]
struct Mapping {
    rule: AdapterRule,
    derived: DerivedCalls,
    publishers: Publishers,
    /// Whether the first message is still to come.
    new: bool,
}

impl Adapter {
    /// Builds the mapping of an office's queues.
    #[must_use]
    pub fn new(config: AdapterConfig, settings: &Settings) -> Self {
        let mapping = |rule| Mapping {
            rule,
            derived: DerivedCalls::default(),
            publishers: Publishers::of(&config.topic),
            new: true,
        };
        let queues = config.rules.into_iter().map(mapping).collect();
        Self {
            topic: config.topic,
            zone: settings.timezone.clone(),
            times: Times {
                stale_after: settings.stale_after,
                max_announce_age: settings.max_announce_age,
            },
            queues,
        }
    }

    /// Goes on where the state that was kept ends. To be called before the first message.
    pub fn restore(&mut self, kept: &[SavedQueue]) {
        for mapping in &mut self.queues {
            let mine =
                |k: &&SavedQueue| k.queue == mapping.rule.queue && k.source == Source::Adapter;
            if let Some(kept) = kept.iter().find(mine) {
                mapping.derived.resume(kept, kept.state.epoch);
            }
        }
    }

    /// Notes whether the line to the broker is up: what changes while it is not is not seen.
    pub fn set_connected(&mut self, up: bool, now: Now) {
        for mapping in &mut self.queues {
            mapping.publishers.set_connected(up, now);
        }
    }

    /// The topic filter to subscribe to.
    #[must_use]
    pub fn topic(&self) -> &str {
        &self.topic
    }

    /// Whether a topic name is one of this adapter's.
    #[must_use]
    pub fn takes(&self, name: &str) -> bool {
        topic_filter::matches(&self.topic, name)
    }

    /// Maps one message to the states of all its queues; a rule that fails spoils no other. What is
    /// remembered is remembered by topic: each is a publisher of its own.
    pub fn map(
        &mut self,
        topic: &str,
        payload: &[u8],
        delivery: Delivery,
        now: Now,
    ) -> Vec<Result<MappedState, AdapterError>> {
        if payload.len() > MAX_PAYLOAD {
            return vec![Err(AdapterError::TooLarge(payload.len()))];
        }
        let message: Value = match serde_json::from_slice(payload) {
            Ok(message) => message,
            Err(e) => return vec![Err(AdapterError::NoJson(e.to_string()))],
        };
        let context = Context {
            topic,
            delivery,
            zone: &self.zone,
            times: self.times,
            now,
        };
        self.queues
            .iter_mut()
            .filter_map(|mapping| mapping.map(&message, &context).transpose())
            .collect()
    }
}

/// What is the same for all rules of one message.
struct Context<'a> {
    topic: &'a str,
    delivery: Delivery,
    zone: &'a TimeZone,
    times: Times,
    now: Now,
}

impl Mapping {
    /// `None` where a copy that a broker had kept is known to be older than what is known.
    fn map(
        &mut self,
        message: &Value,
        context: &Context<'_>,
    ) -> Result<Option<MappedState>, AdapterError> {
        let found = FieldValues::read(&self.rule, message, context.zone)?;
        if self.publishers.is_outdated(&found, context) {
            return Ok(None);
        }
        let now = context.now;
        let at = found.at.unwrap_or(now.wall);
        let mapped = |queue: &QueueId, state| MappedState {
            queue: queue.clone(),
            state: filled(state, &found),
            arrival: Arrival {
                source: Source::Adapter,
                delivery: context.delivery,
                timed: found.at.is_some(),
            },
        };
        let day = at.to_zoned(context.zone.clone()).date();
        let today = horizon(now).to_zoned(context.zone.clone()).date();
        let begun = self.derived.day().filter(|begun| {
            // Without a clock, one time of another year is not what all others are held against.
            let next = day.tomorrow().unwrap_or(day);
            *begun <= if now.synced { today } else { next }
        });
        if !could_be_now(at, now) || begun.is_some_and(|begun| day < begun) {
            // Whoever judges messages refuses it; what is remembered stays as it is.
            let mut apart = DerivedCalls::default();
            apart.turn_to(day, now);
            return Ok(Some(mapped(&self.rule.queue, apart.message(at, now))));
        }
        let back = self.derived.day().is_some_and(|before| day < before);
        let another_day = self.derived.turn_to(day, now);
        // A day that begins in its turn has the epoch 0, with which all nodes of an office count.
        if self.new || back {
            self.begin_series(at, context);
        }
        let over = now.synced && day < now.wall.to_zoned(context.zone.clone()).date();
        self.new &= over;
        self.note(&found, at, another_day, context);
        Ok(Some(mapped(
            &self.rule.queue,
            self.derived.message(at, now),
        )))
    }

    /// Calls that are counted after the start of a node, or after its clock came back to a day, are
    /// not taken for those before: their epoch is the second of the day, which grows.
    fn begin_series(&mut self, at: Timestamp, context: &Context<'_>) {
        let day = at.to_zoned(context.zone.clone()).date();
        let midnight = day.to_zoned(context.zone.clone()).map(|z| z.timestamp());
        let midnight = midnight.unwrap_or(at).as_second();
        let second = u32::try_from(context.now.wall.as_second() - midnight).unwrap_or(0);
        let epoch = self.derived.epoch().saturating_add(1).max(second);
        self.derived.set_epoch(epoch);
    }

    /// Takes over the number of a message, as a call or as what stands there.
    fn note(
        &mut self,
        found: &FieldValues,
        at: Timestamp,
        another_day: bool,
        context: &Context<'_>,
    ) {
        let seen = self
            .publishers
            .take(found, another_day, &self.derived, context);
        let Some(ticket) = &found.number else {
            if seen != ChangeKind::Unchanged && self.publishers.are_one() {
                self.derived.clear_current();
            }
            return;
        };
        let (ticket, counter) = (ticket.clone(), found.counter.clone());
        match seen {
            ChangeKind::Unchanged => {}
            // One of several counters that is heard for the first time hides no call of another.
            ChangeKind::Preexisting
                if !self.publishers.are_one() && self.derived.newest().is_some() => {}
            ChangeKind::Preexisting => self.derived.list_current(ticket, counter),
            ChangeKind::Change => {
                let kind = if self.derived.has_called(&ticket) {
                    CallKind::Recall
                } else {
                    CallKind::Call
                };
                self.derived.called(ticket, counter, kind, at);
            }
        }
    }
}

/// A state with the counts that a message told.
fn filled(state: QueueState, found: &FieldValues) -> QueueState {
    QueueState {
        waiting: found.waiting,
        on_hold: found.on_hold,
        ..state
    }
}
