//! Who tells a number: one topic, and how its last message came.
//!
//! Several counters behind one wildcard each repeat their own number; compared with each other they
//! would call each other's tickets for ever.

use super::Context;
use super::look::Found;
use crate::clock::Now;
use crate::model::Label;
use crate::state::{Delivery, DerivedCalls};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::time::Duration;

/// Topics that are remembered a queue: more counters than an office has.
const MAX_TELLERS: usize = 256;

/// A source that repeated the same message so often repeats itself: then its silence means
/// something.
const REPEATS: u32 = 3;

/// What a message is, compared with the teller's last one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    /// The number that stood there before.
    Nothing,
    /// A number of which nobody saw when it came.
    Standing,
    /// Another number, seen as it came.
    Change,
}

#[derive(Debug)]
struct Teller {
    /// Its last message but for its time.
    said: Found,
    /// Monotonic moment of that message.
    heard: Duration,
    /// How often it said the same again.
    repeats: u32,
    /// Whether the line was down since.
    cut: bool,
    /// The time of that message by its own clock.
    at: Option<Timestamp>,
    /// The newest copy that the broker had kept.
    copy: Option<Found>,
    /// The number before that copy, until the next live message. Where that shows it again, the
    /// copy was the older one, and nobody was called.
    before_copy: Option<Label>,
}

/// The tellers of one queue.
#[derive(Debug, Default)]
pub(super) struct Tellers {
    known: BTreeMap<String, Teller>,
    /// Monotonic moment since which every message is heard.
    listening: Option<Duration>,
    /// Whether there can be more than one.
    many: bool,
}

impl Tellers {
    /// Whoever publishes on topics of this filter.
    pub(super) fn of(filter: &str) -> Self {
        Self {
            many: filter.contains(['+', '#']),
            ..Self::default()
        }
    }

    pub(super) fn line(&mut self, up: bool, now: Now) {
        if !up {
            self.listening = None;
            self.known.values_mut().for_each(|teller| teller.cut = true);
        } else if self.listening.is_none() {
            self.listening = Some(now.mono);
        }
    }

    /// Whether a message tells nothing, since it is a broker's copy of something older than what was
    /// heard: by its own time; or it is the copy that the broker had before, and other things were
    /// said live since. Whoever publishes without `retain` leaves such a copy where somebody once
    /// published with it.
    pub(super) fn is_outdated(&self, found: &Found, context: &Context<'_>) -> bool {
        let Some(teller) = self.known.get(context.topic) else {
            return false;
        };
        context.delivery == Delivery::Retained
            && match (found.at, teller.at) {
                (Some(at), Some(newest)) => at < newest,
                (None, _) => teller.said != *found && teller.copy.as_ref() == Some(found),
                (Some(_), None) => false,
            }
    }

    /// Compares a message with what its teller said before. `derived` is what is known of the queue
    /// from before the start.
    pub(super) fn take(
        &mut self,
        found: &Found,
        another_day: bool,
        derived: &DerivedCalls,
        context: &Context<'_>,
    ) -> Seen {
        let now = context.now;
        let retained = context.delivery == Delivery::Retained;
        let said = Found {
            at: None,
            ..found.clone()
        };
        let Some(teller) = self.known.get_mut(context.topic) else {
            let seen = self.first(found, derived, context);
            self.make_room();
            let stood = derived.last_shown().filter(|_| retained && !self.many);
            let teller = Teller {
                at: found.at,
                copy: retained.then(|| said.clone()),
                before_copy: stood.cloned(),
                said,
                heard: now.mono,
                repeats: 0,
                cut: false,
            };
            self.known.insert(context.topic.to_owned(), teller);
            return seen;
        };
        let silent = now.since(teller.heard);
        let was_away =
            teller.cut || (teller.repeats >= REPEATS && silent > context.times.stale_after);
        let seen = if teller.said.number == found.number {
            if another_day {
                Seen::Standing
            } else {
                Seen::Nothing
            }
        } else if retained
            || (found.number.is_some() && teller.before_copy == found.number)
            // What changed while nobody looked, but not long ago, is a call of now all the same.
            || (was_away && silent > context.times.old_call_after)
        {
            Seen::Standing
        } else {
            Seen::Change
        };
        if retained {
            teller.copy = Some(said.clone());
            // Of several copies in a row the first came after what was live.
            if teller.before_copy.is_none() {
                teller.before_copy.clone_from(&teller.said.number);
            }
        } else {
            teller.before_copy = None;
            teller.repeats = if teller.said == said {
                teller.repeats.saturating_add(1)
            } else {
                teller.repeats
            };
            teller.heard = now.mono;
            teller.cut = false;
        }
        teller.at = found.at;
        teller.said = said;
        seen
    }

    /// What the first message of a teller is. One that comes long after listening began was not said
    /// all that time, so its number came now; so did one that is not what stood there a moment before
    /// the start.
    fn first(&self, found: &Found, derived: &DerivedCalls, context: &Context<'_>) -> Seen {
        let long = self
            .listening
            .is_some_and(|since| context.now.since(since) > context.times.stale_after);
        let short = derived.was_saved_within(context.times.old_call_after, context.now);
        // What was kept may be the number of another counter.
        let stood = derived.last_shown().filter(|_| !self.many);
        let other = stood.is_some() && stood != found.number.as_ref();
        if context.delivery == Delivery::Live && other && (long || short) {
            Seen::Change
        } else {
            Seen::Standing
        }
    }

    /// Whether there is only one: then what it shows is what is shown of the queue.
    pub(super) fn are_one(&self) -> bool {
        !self.many || self.known.len() <= 1
    }

    /// Forgets whoever was silent longest when there are too many.
    fn make_room(&mut self) {
        if self.known.len() < MAX_TELLERS {
            return;
        }
        let oldest = self.known.iter().min_by_key(|(_, teller)| teller.heard);
        if let Some(topic) = oldest.map(|(topic, _)| topic.clone()) {
            self.known.remove(&topic);
        }
    }
}
