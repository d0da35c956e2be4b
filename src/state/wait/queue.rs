//! What is remembered of one queue through a day.

use super::history::ServiceRate;
use super::range::Widths;
use super::seconds;
use super::service_rate::FADE_S;
use crate::model::{Call, CallKind, Label, QueueState, Status};
use std::collections::{HashMap, HashSet, VecDeque};

/// How long tickets are handed out before opening, as far as demand is concerned, s.
const HANDED_OUT_EARLY_S: f64 = 1200.0;

/// Listed calls that make a window in which people were counted. A source that lists the newest
/// call alone, or makes up a time for it, has fewer, and says nothing of how many came since.
const WINDOW_CALLS: usize = 5;

/// Part of those still waiting that counts as demand: where more come than can be served, the
/// queue grows without anybody being called more often.
const WAITING_COUNTS: f64 = 0.8;

/// A closed queue in which nobody was called for this long is not being served any more, s; the
/// people it counts have left.
const DESERTED_S: f64 = 1800.0;

/// Calls that are remembered to tell new from old: three messages' worth.
const SEEN_CALLS: usize = 64;

/// Labels that are remembered beyond those due next.
const SPARE_LABELS: usize = 64;

/// Who was waiting for less than this when called, s, found a counter free: no sign of the pace.
const FOUND_FREE_S: f64 = 2.0;

/// The prediction made when a ticket was first seen waiting.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Prediction {
    /// When by the source's clock, which also times the call, s since 1970.
    pub(super) at: f64,
    /// How much its outcome teaches.
    pub(super) weight: f64,
    /// The range, s.
    pub(super) range: (f64, f64),
}

/// The hour of the day that a moment belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct HourOfDay {
    /// From 0; those from 23 on are one.
    pub(super) index: usize,
    /// Whether the moment is in the lunch break.
    pub(super) at_lunch: bool,
}

#[derive(Debug, Clone)]
pub(super) struct Queue {
    pub(super) status: Status,
    pub(super) waiting: u32,
    /// Whether the source tells how many wait: else nothing can be predicted.
    pub(super) counted: bool,
    /// Pace today outside lunch and at lunch, fading.
    pub(super) rest: ServiceRate,
    pub(super) lunch: ServiceRate,
    /// Pace today by hour, not fading.
    pub(super) hours: [ServiceRate; 24],
    /// How much wider than usual ranges must be.
    pub(super) widths: Widths,
    /// Whether it gave out tickets or called anybody today.
    pub(super) opened: bool,
    /// The newest call, or the closing of the queue if that is newer, s since 1970.
    served: f64,
    /// Arrival of the newest message, s since 1970.
    received_at: f64,
    /// Since when people are counted; `None` before opening.
    counting_since: Option<f64>,
    /// First calls since then, and those who waited already.
    pub(super) calls: f64,
    waited_already: f64,
    /// Since when somebody waits while the queue is open.
    busy_since: Option<f64>,
    /// Tickets that were seen waiting; `None` for those there before the first message.
    predictions: HashMap<Label, Option<Prediction>>,
    seen: VecDeque<(u64, Label)>,
}

impl Queue {
    /// A queue with its first message of the day; the office opens at `opens`. One that is running
    /// already, because this node started late, is counted from its oldest listed call on, where
    /// enough are listed; calls before anybody could have come are no evidence.
    pub(super) fn first(state: &QueueState, at: f64, opens: f64) -> Self {
        let doors = opens - HANDED_OUT_EARLY_S;
        let first_calls = || state.calls.iter().filter(|c| c.kind == CallKind::Call);
        let in_hours = || first_calls().map(|c| seconds(c.at)).filter(|c| *c >= doors);
        let opened = state.status != Status::Closed || in_hours().next().is_some();
        let window = in_hours().count() >= WINDOW_CALLS;
        let since = in_hours().filter(|_| window).fold(at, f64::min);
        let counted = if window { in_hours().count() } else { 0 };
        let uncounted = first_calls().count() - counted;
        Self {
            status: state.status,
            waiting: 0,
            counted: true,
            rest: ServiceRate::default(),
            lunch: ServiceRate::default(),
            hours: [ServiceRate::default(); 24],
            widths: Widths::default(),
            opened,
            served: f64::NEG_INFINITY,
            received_at: at,
            counting_since: opened.then_some(since),
            calls: 0.0,
            waited_already: if opened {
                // At most the 20 calls of a message.
                WAITING_COUNTS * f64::from(state.waiting.unwrap_or(0)) + uncounted as f64
            } else {
                uncounted as f64
            },
            busy_since: None,
            predictions: state.next.iter().map(|t| (t.clone(), None)).collect(),
            seen: VecDeque::new(),
        }
    }

    /// People who came while they were counted.
    pub(super) fn people(&self) -> f64 {
        (self.calls + WAITING_COUNTS * f64::from(self.waiting) - self.waited_already).max(0.0)
    }

    /// For how long people were counted, s.
    pub(super) fn observed_s(&self, at: f64) -> f64 {
        self.counting_since
            .map_or(HANDED_OUT_EARLY_S, |since| (at - since).max(0.0))
    }

    /// Records the prediction for tickets that are seen waiting for the first time.
    pub(super) fn record_predictions(&mut self, next: &[Label], prediction: Option<Prediction>) {
        for ticket in next {
            if !self.predictions.contains_key(ticket) {
                self.predictions.insert(ticket.clone(), prediction);
            }
        }
        if self.predictions.len() > next.len() + SPARE_LABELS {
            let due: HashSet<&Label> = next.iter().collect();
            self.predictions.retain(|ticket, _| due.contains(ticket));
        }
    }

    /// The clock was set by so much: moments that it noted move with it.
    pub(super) fn shift(&mut self, by: f64, at: f64) {
        self.received_at += by;
        for since in [&mut self.counting_since, &mut self.busy_since] {
            *since = since.map(|since| since + by);
        }
        // That of a call is the source's.
        self.served = self.served.min(at);
    }

    /// Lets time pass up to a message: if somebody waited, that was busy time.
    pub(super) fn pass(&mut self, at: f64, hour: HourOfDay) {
        let passed = (at - self.received_at).max(0.0);
        self.received_at = at;
        if self.waiting > 0 && self.is_served(at) {
            let kept = (-passed / FADE_S).exp();
            self.rest.fade(kept);
            self.lunch.fade(kept);
            self.pace(hour).busy_s += passed;
            self.hours[hour.index.min(23)].busy_s += passed;
        }
    }

    /// The calls that were not seen before, oldest first.
    pub(super) fn take_new<'a>(&mut self, calls: &'a [Call]) -> Vec<&'a Call> {
        let mut new = Vec::new();
        for call in calls.iter().rev() {
            if !self
                .seen
                .iter()
                .any(|(no, ticket)| *no == call.no && *ticket == call.ticket)
            {
                new.push(call);
                self.seen.push_back((call.no, call.ticket.clone()));
            }
        }
        while self.seen.len() > SEEN_CALLS {
            self.seen.pop_front();
        }
        new
    }

    /// Takes in a new call. A recall is nobody new.
    pub(super) fn called(&mut self, call: &Call, at: f64, hour: HourOfDay) {
        if call.kind == CallKind::Recall {
            return;
        }
        self.calls += 1.0;
        self.served = self.served.max(seconds(call.at));
        if self
            .busy_since
            .is_some_and(|since| at - since > FOUND_FREE_S)
        {
            self.pace(hour).calls += 1.0;
            self.hours[hour.index.min(23)].calls += 1.0;
        }
        if let Some(Some(prediction)) = self.predictions.remove(&call.ticket) {
            let wait = (seconds(call.at) - prediction.at).max(0.0);
            self.widths = self.widths.learn(prediction.range, wait, prediction.weight);
        }
    }

    /// Takes over what the message says is so now.
    pub(super) fn settle(&mut self, state: &QueueState, at: f64) {
        if self.status != Status::Closed && state.status == Status::Closed {
            self.served = self.served.max(at);
        }
        self.opened |= state.status != Status::Closed;
        self.status = state.status;
        self.waiting = state.waiting.unwrap_or(0);
        self.counted = state.waiting.is_some();
        if state.status == Status::Open {
            // Counted as if from the first ticket on, which was handed out before opening.
            self.counting_since.get_or_insert(at - HANDED_OUT_EARLY_S);
        }
        self.busy_since =
            (self.waiting > 0 && self.is_served(at)).then(|| self.busy_since.unwrap_or(at));
    }

    /// Whether those who wait are being called: also in a queue that gives out no more tickets.
    pub(super) fn is_served(&self, at: f64) -> bool {
        match self.status {
            Status::Open => true,
            Status::Paused => false,
            Status::Closed => self.opened && at - self.served < DESERTED_S,
        }
    }

    fn pace(&mut self, hour: HourOfDay) -> &mut ServiceRate {
        if hour.at_lunch {
            &mut self.lunch
        } else {
            &mut self.rest
        }
    }
}
