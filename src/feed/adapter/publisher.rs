//! The publisher of a number: one topic, and how its last message came.
//!
//! Several counters behind one wildcard each repeat their own number. Compared with each other, they
//! would call each other's tickets for ever.

use super::Context;
use super::fields::FieldValues;
use crate::clock::Now;
use crate::model::Label;
use crate::state::{Delivery, DerivedCalls};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::time::Duration;

/// Topics that are remembered a queue: more counters than an office has.
const MAX_PUBLISHERS: usize = 256;

/// A source that repeated the same message so often repeats itself: then its silence means
/// something.
const REPEATS: u32 = 3;

/// How a message differs from the publisher's last one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ChangeKind {
    /// The number that stood there before.
    Unchanged,
    /// A number of which nobody saw when it came.
    Preexisting,
    /// Another number, seen as it came.
    Change,
}

#[derive(Debug)]
struct Publisher {
    /// Its last message but for its time.
    said: FieldValues,
    /// Monotonic moment of that message.
    received_at: Duration,
    /// How often it said the same again.
    repeats: u32,
    /// Whether the line was down since.
    cut: bool,
    /// The time of that message by its own clock.
    at: Option<Timestamp>,
    /// The newest copy that the broker had kept.
    copy: Option<FieldValues>,
    /// The number before that copy, until the next live message. Where that shows it again, the
    /// copy was the older one, and nobody was called.
    before_copy: Option<Label>,
}

/// The publishers of one queue.
#[derive(Debug, Default)]
pub(super) struct Publishers {
    known: BTreeMap<String, Publisher>,
    /// Monotonic moment since which every message is heard.
    listening: Option<Duration>,
    /// Whether there can be more than one.
    many: bool,
}

impl Publishers {
    /// Whoever publishes on topics of this filter.
    pub(super) fn of(filter: &str) -> Self {
        Self {
            many: filter.contains(['+', '#']),
            ..Self::default()
        }
    }

    pub(super) fn set_connected(&mut self, up: bool, now: Now) {
        if !up {
            self.listening = None;
            self.known
                .values_mut()
                .for_each(|publisher| publisher.cut = true);
        } else if self.listening.is_none() {
            self.listening = Some(now.mono);
        }
    }

    /// Whether a message tells nothing, since it is a broker's copy of something older than what was
    /// heard: by its own time; or it is the copy that the broker had before, and other things were
    /// said live since. Whoever publishes without `retain` leaves such a copy where somebody once
    /// published with it.
    pub(super) fn is_outdated(&self, found: &FieldValues, context: &Context<'_>) -> bool {
        let Some(publisher) = self.known.get(context.topic) else {
            return false;
        };
        context.delivery == Delivery::Retained
            && match (found.at, publisher.at) {
                (Some(at), Some(newest)) => at < newest,
                (None, _) => publisher.said != *found && publisher.copy.as_ref() == Some(found),
                (Some(_), None) => false,
            }
    }

    /// Compares a message with what its publisher said before. `derived` is what is known of the queue
    /// from before the start.
    pub(super) fn take(
        &mut self,
        found: &FieldValues,
        another_day: bool,
        derived: &DerivedCalls,
        context: &Context<'_>,
    ) -> ChangeKind {
        let now = context.now;
        let retained = context.delivery == Delivery::Retained;
        let said = FieldValues {
            at: None,
            ..found.clone()
        };
        let Some(publisher) = self.known.get_mut(context.topic) else {
            let seen = self.first(found, derived, context);
            self.make_room();
            let stood = derived.last_shown().filter(|_| retained && !self.many);
            let publisher = Publisher {
                at: found.at,
                copy: retained.then(|| said.clone()),
                before_copy: stood.cloned(),
                said,
                received_at: now.mono,
                repeats: 0,
                cut: false,
            };
            self.known.insert(context.topic.to_owned(), publisher);
            return seen;
        };
        let silent = now.since(publisher.received_at);
        let was_away =
            publisher.cut || (publisher.repeats >= REPEATS && silent > context.times.stale_after);
        let seen = if publisher.said.number == found.number {
            if another_day {
                ChangeKind::Preexisting
            } else {
                ChangeKind::Unchanged
            }
        } else if retained
            || (found.number.is_some() && publisher.before_copy == found.number)
            // What changed while nobody looked, but not long ago, is a call of now all the same.
            || (was_away && silent > context.times.max_announce_age)
        {
            ChangeKind::Preexisting
        } else {
            ChangeKind::Change
        };
        if retained {
            publisher.copy = Some(said.clone());
            // Of several copies in a row the first came after what was live.
            if publisher.before_copy.is_none() {
                publisher.before_copy.clone_from(&publisher.said.number);
            }
        } else {
            publisher.before_copy = None;
            publisher.repeats = if publisher.said == said {
                publisher.repeats.saturating_add(1)
            } else {
                publisher.repeats
            };
            publisher.received_at = now.mono;
            publisher.cut = false;
        }
        publisher.at = found.at;
        publisher.said = said;
        seen
    }

    /// What the first message of a publisher is. One that comes long after listening began was not said
    /// all that time, so its number came now; so did one that is not what stood there a moment before
    /// the start.
    fn first(
        &self,
        found: &FieldValues,
        derived: &DerivedCalls,
        context: &Context<'_>,
    ) -> ChangeKind {
        let long = self
            .listening
            .is_some_and(|since| context.now.since(since) > context.times.stale_after);
        let short = derived.was_saved_within(context.times.max_announce_age, context.now);
        // What was kept may be the number of another counter.
        let stood = derived.last_shown().filter(|_| !self.many);
        let other = stood.is_some() && stood != found.number.as_ref();
        if context.delivery == Delivery::Live && other && (long || short) {
            ChangeKind::Change
        } else {
            ChangeKind::Preexisting
        }
    }

    /// Whether there is only one: then what it shows is what is shown of the queue.
    pub(super) fn are_one(&self) -> bool {
        !self.many || self.known.len() <= 1
    }

    /// Forgets whoever was silent longest when there are too many.
    fn make_room(&mut self) {
        if self.known.len() < MAX_PUBLISHERS {
            return;
        }
        let oldest = self
            .known
            .iter()
            .min_by_key(|(_, publisher)| publisher.received_at);
        if let Some(topic) = oldest.map(|(topic, _)| topic.clone()) {
            self.known.remove(&topic);
        }
    }
}
