//! What the fields of a board of digits say at one moment.
//!
//! A field has room for one number, so calls that come at once are shown in turn, each for its
//! minimum time, and the newest stays. When the first that waits has waited as long as the board's
//! backlog allows, turns become shorter, so that nobody's call is left out; only a queue of more
//! than [`MAX_PENDING`] calls loses its oldest, counted.
//!
//! A number that nobody vouches for any more never stands there alone: it takes turns with dashes,
//! or dashes stand in its place. Same state, same moment: same fields. Knows no device and no
//! frame; whether a number fits is found out by those who know the digits.

use crate::clock::Now;
use crate::config::{
    BoardConfig, FieldShow, FieldSource, IdleDigits, SerialConfig, SerialField, StaleDigits,
};
use crate::frame::{Face, Field};
use crate::model::{Label, QueueId, Status, WaitRange};
use crate::state::{HighlightedCall, LoggedCall, Phase, QueueView, Snapshot};
use std::collections::VecDeque;
use std::time::Duration;

/// Calls that wait for one field; more than an office calls in ten minutes.
pub const MAX_PENDING: usize = 64;
/// A turn when too many wait: long enough to read a number and look up again.
const HURRIED_TURN: Duration = Duration::from_secs(3);
/// A new number is there and away for this long each: slow enough for a line at 2400 baud.
const BLINK: Duration = Duration::from_millis(500);
/// An old number and dashes stand for this long each.
const ALTERNATE: Duration = Duration::from_secs(2);
/// Waits are said to the minute up to this, beyond to five minutes, in minutes.
const MINUTE_STEPS_UP_TO: u32 = 30;

/// The fields of one board.
#[derive(Debug, Clone)]
pub struct Digits {
    fields: Vec<Turns>,
    queues: Option<Vec<QueueId>>,
    /// Whether new calls blink, and whether the boards do so by themselves.
    blink: bool,
    by_themselves: bool,
    stale: StaleDigits,
    idle: IdleDigits,
    min_highlight: Duration,
    max_backlog: Duration,
    /// Index of the newest call that was taken from a log.
    handled: u64,
    missed: u64,
}

/// The calls of one field.
#[derive(Debug, Clone)]
struct Turns {
    field: SerialField,
    /// Oldest first.
    pending: VecDeque<LoggedCall>,
    shown: Option<HighlightedCall>,
    /// The newest call that was in a log, shown or not.
    newest: Option<LoggedCall>,
}

/// What a field says, before it takes turns with anything.
struct Saying {
    face: Face,
    fresh: bool,
    /// Since when it is new, if it is.
    since: Option<Duration>,
}

impl Digits {
    /// Prepares the fields of a board; `by_themselves` says that its boards can blink.
    #[must_use]
    pub fn new(config: &SerialConfig, board: &BoardConfig, by_themselves: bool) -> Self {
        let turns = |field: &SerialField| Turns {
            field: field.clone(),
            pending: VecDeque::new(),
            shown: None,
            newest: None,
        };
        Self {
            fields: config.fields.iter().map(turns).collect(),
            queues: board.queues.clone(),
            blink: config.blink,
            by_themselves,
            stale: config.stale,
            idle: config.idle,
            min_highlight: board.highlight.min_highlight,
            max_backlog: board.highlight.max_backlog,
            handled: 0,
            missed: 0,
        }
    }

    /// Takes the calls of a log that were not handled yet, and moves on to `now`.
    pub fn update(&mut self, log: &[LoggedCall], now: Now) {
        if let Some(first) = log.first() {
            self.missed += first.index.saturating_sub(self.handled + 1);
        }
        for call in log.iter().filter(|call| call.index > self.handled) {
            for turns in &mut self.fields {
                if turns.is_for(call, self.queues.as_deref()) {
                    self.missed += turns.take(call, now);
                }
            }
        }
        self.handled = log
            .last()
            .map_or(self.handled, |c| c.index.max(self.handled));
        for turns in &mut self.fields {
            turns.tick(now, self.min_highlight, self.max_backlog);
        }
    }

    /// Calls that no field ever showed.
    #[must_use]
    pub fn missed(&self) -> u64 {
        self.missed
    }

    /// What each field is to show now.
    #[must_use]
    pub fn fields(&self, snapshot: &Snapshot, now: Now) -> Vec<Field> {
        let field = |turns: &Turns| {
            let saying = self.saying(turns, snapshot);
            let (face, blink) = self.face(saying, now);
            Field {
                address: turns.field.address,
                face,
                blink,
            }
        };
        self.fields.iter().map(field).collect()
    }

    /// The same face for all fields.
    #[must_use]
    pub fn all(&self, face: &Face) -> Vec<Field> {
        let field = |turns: &Turns| Field {
            address: turns.field.address,
            face: face.clone(),
            blink: false,
        };
        self.fields.iter().map(field).collect()
    }

    /// How long after `now` a field changes though no message comes; `None` is never.
    #[must_use]
    pub fn next_change(&self, snapshot: &Snapshot, now: Now) -> Option<Duration> {
        let next = |turns: &Turns| {
            let turn = turns.shown.as_ref().map(|shown| {
                let end = shown.since + turns.turn(now, self.min_highlight, self.max_backlog);
                let late = turns
                    .pending
                    .front()
                    .map(|c| c.received_at + self.max_backlog);
                let late = late.filter(|late| *late > now.mono).unwrap_or(end);
                end.min(late).saturating_sub(now.mono)
            });
            let saying = self.saying(turns, snapshot);
            let shown = matches!(saying.face, Face::Text(_));
            let step = match saying.since {
                Some(since) if self.blink && !self.by_themselves => {
                    Some(left(now.since(since), BLINK))
                }
                None if shown && !saying.fresh && self.stale == StaleDigits::Alternate => {
                    Some(left(now.mono, ALTERNATE))
                }
                _ => None,
            };
            turn.into_iter().chain(step).min()
        };
        self.fields.iter().filter_map(next).min()
    }

    /// Lets a number take turns with nothing or with dashes.
    fn face(&self, saying: Saying, now: Now) -> (Face, bool) {
        if !matches!(saying.face, Face::Text(_)) {
            return (saying.face, false);
        }
        match saying.since {
            Some(_) if self.blink && self.by_themselves => (saying.face, true),
            Some(since) if self.blink && is_second(now.since(since), BLINK) => (Face::Blank, false),
            Some(_) => (saying.face, false),
            None if saying.fresh => (saying.face, false),
            None if self.stale == StaleDigits::Dashes => (Face::Dashes, false),
            None if is_second(now.mono, ALTERNATE) => (Face::Dashes, false),
            None => (saying.face, false),
        }
    }

    fn saying(&self, turns: &Turns, snapshot: &Snapshot) -> Saying {
        match &turns.field.source {
            FieldSource::Queue(id, show) => {
                let queue = snapshot.queues.iter().find(|q| q.settings.id == *id);
                match (queue, show) {
                    (Some(queue), FieldShow::Ticket | FieldShow::Counter) => {
                        self.called(turns, queue, *show)
                    }
                    (Some(queue), show) => self.number(queue, *show),
                    (None, _) => self.nothing(),
                }
            }
            FieldSource::Counter(counter) => self.at_counter(turns, counter, snapshot),
        }
    }

    /// The call of a queue whose turn it is, else its newest.
    fn called(&self, turns: &Turns, queue: &QueueView, show: FieldShow) -> Saying {
        let text = |ticket: &Label, counter: Option<&Label>| match show {
            FieldShow::Counter => counter.map(|c| Face::Text(c.to_string())),
            _ => Some(Face::Text(ticket.to_string())),
        };
        if let Some(shown) = &turns.shown {
            let call = &shown.call.call;
            let Some(face) = text(&call.ticket, call.counter.as_ref()) else {
                return self.nothing();
            };
            return Saying {
                face,
                fresh: true,
                since: Some(shown.since),
            };
        }
        let call = is_serving(queue).then(|| queue.today()).flatten();
        let last = call.and_then(|state| state.last_shown());
        match last.and_then(|(ticket, counter)| text(ticket, counter)) {
            Some(face) => Saying {
                face,
                fresh: queue.fresh,
                since: None,
            },
            None => self.nothing(),
        }
    }

    /// The ticket called to a counter last, whatever its queue.
    fn at_counter(&self, turns: &Turns, counter: &Label, snapshot: &Snapshot) -> Saying {
        if let Some(shown) = &turns.shown {
            return Saying {
                face: Face::Text(shown.call.call.ticket.to_string()),
                fresh: true,
                since: Some(shown.since),
            };
        }
        let mine = |id: &QueueId| self.queues.as_ref().is_none_or(|ids| ids.contains(id));
        let serving = snapshot
            .queues
            .iter()
            .filter(|q| mine(&q.settings.id) && is_serving(q));
        let mut newest = None;
        for queue in serving {
            let listed = queue.today().into_iter().flat_map(|state| &state.calls);
            // A counter's call may be older than the calls that a message lists.
            let kept = turns.newest.as_ref().filter(|kept| {
                let epoch = queue.reading.as_ref().map(|r| r.epoch);
                kept.queue == queue.settings.id
                    && kept.day == snapshot.today
                    && Some(kept.epoch) == epoch
            });
            let there = listed.chain(kept.map(|kept| &kept.call));
            let here = there.filter(|call| call.counter.as_ref() == Some(counter));
            if let Some(call) = here.max_by_key(|call| (call.at, call.no))
                && newest.is_none_or(|(at, _, _)| call.at > at)
            {
                newest = Some((call.at, &call.ticket, queue.fresh));
            }
        }
        match newest {
            Some((_, ticket, fresh)) => Saying {
                face: Face::Text(ticket.to_string()),
                fresh,
                since: None,
            },
            None => self.nothing(),
        }
    }

    fn number(&self, queue: &QueueView, show: FieldShow) -> Saying {
        let state = is_serving(queue).then(|| queue.today()).flatten();
        let number = state.and_then(|state| match show {
            FieldShow::Waiting => state.waiting,
            FieldShow::OnHold => state.on_hold,
            // Digits alone cannot say whose wait it is: nobody who comes now gets a ticket.
            _ => queue.wait.filter(|_| !queue.still_calls()).map(minutes),
        });
        match number {
            Some(number) => Saying {
                face: Face::Text(number.to_string()),
                fresh: queue.fresh,
                since: None,
            },
            None => self.nothing(),
        }
    }

    fn nothing(&self) -> Saying {
        Saying {
            face: match self.idle {
                IdleDigits::Blank => Face::Blank,
                IdleDigits::Dashes => Face::Dashes,
            },
            fresh: true,
            since: None,
        }
    }
}

impl Turns {
    fn is_for(&self, call: &LoggedCall, queues: Option<&[QueueId]>) -> bool {
        match &self.field.source {
            FieldSource::Queue(id, show) => {
                call.queue == *id && matches!(show, FieldShow::Ticket | FieldShow::Counter)
            }
            FieldSource::Counter(counter) => {
                call.call.counter.as_ref() == Some(counter)
                    && queues.is_none_or(|ids| ids.contains(&call.queue))
            }
        }
    }

    /// Takes a call; returns how many calls were pushed out unseen.
    fn take(&mut self, call: &LoggedCall, now: Now) -> u64 {
        self.newest = Some(call.clone());
        if !call.announce {
            return 0;
        }
        let same = |other: &LoggedCall| {
            other.queue == call.queue
                && other.call.ticket == call.call.ticket
                && other.call.counter == call.call.counter
        };
        // The same ticket called again begins anew where it stands.
        if let Some(shown) = self.shown.as_mut().filter(|s| same(&s.call))
            && self.pending.is_empty()
        {
            shown.since = now.mono;
            return 0;
        }
        self.pending.push_back(call.clone());
        let over = self.pending.len().saturating_sub(MAX_PENDING);
        self.pending.drain(..over);
        over as u64
    }

    fn tick(&mut self, now: Now, min_highlight: Duration, max_backlog: Duration) {
        let turn = self.turn(now, min_highlight, max_backlog);
        let over = |shown: &HighlightedCall| now.since(shown.since) >= turn;
        if self.shown.as_ref().is_none_or(over) {
            self.shown = self.pending.pop_front().map(|call| HighlightedCall {
                call,
                since: now.mono,
            });
        }
    }

    /// How long the call that is shown stays.
    fn turn(&self, now: Now, min_highlight: Duration, max_backlog: Duration) -> Duration {
        let late = |call: &LoggedCall| now.since(call.received_at) >= max_backlog;
        if self.pending.front().is_some_and(late) {
            min_highlight.min(HURRIED_TURN)
        } else {
            min_highlight
        }
    }
}

/// Whether a queue's numbers are of use to somebody now.
fn is_serving(queue: &QueueView) -> bool {
    matches!(queue.phase, Phase::Today(Status::Open | Status::Paused)) || queue.still_calls()
}

/// The longest likely wait in minutes, rounded up: nobody is promised less than is predicted.
fn minutes(wait: WaitRange) -> u32 {
    let minutes = wait.high().div_ceil(60);
    if minutes > MINUTE_STEPS_UP_TO {
        minutes.next_multiple_of(5)
    } else {
        minutes
    }
}

/// Whether a time lies in the second half of its period of two steps.
fn is_second(time: Duration, step: Duration) -> bool {
    (time.as_millis() / step.as_millis()) % 2 == 1
}

/// What is left of the step that a time lies in; never zero.
fn left(time: Duration, step: Duration) -> Duration {
    let into = time.as_nanos() % step.as_nanos();
    step - Duration::from_nanos(u64::try_from(into).unwrap_or(0))
}

#[cfg(test)]
#[path = "digits_tests.rs"]
mod tests;
