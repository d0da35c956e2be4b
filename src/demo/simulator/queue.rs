//! One queue as its ticketing system keeps it, and the messages it makes of it.

use super::Timeline;
use super::plan::QueuePlan;
use crate::model::{Call, CallKind, Label, QueueState, Status};
use crate::wire::feed::{FeedMessage, MAX_CALLS};
use jiff::civil::Date;
use std::collections::VecDeque;

/// Numbers run from 1 to this and begin again.
const LAST_NUMBER: u16 = 999;

/// A call in simulated time.
#[derive(Debug, Clone)]
struct SimCall {
    no: u64,
    ticket: u16,
    counter: u8,
    at: u64,
    kind: CallKind,
}

/// The state of a queue.
#[derive(Debug)]
pub(super) struct QueueSim {
    prefix: char,
    next_number: u16,
    /// Tickets in call order.
    pub(super) waiting: VecDeque<u16>,
    /// Tickets set aside.
    pub(super) held: Vec<u16>,
    /// Those of `held` whose people are back.
    pub(super) returned: VecDeque<u16>,
    pub(super) status: Status,
    /// Newest first.
    calls: VecDeque<SimCall>,
    no: u64,
    /// The newest call a message told of.
    reported: u64,
    day: Date,
    epoch: u32,
    seq: u64,
}

impl QueueSim {
    pub(super) fn new(plan: &QueuePlan, first: u16, day: Date) -> Self {
        Self {
            prefix: plan.prefix,
            next_number: first,
            waiting: VecDeque::new(),
            held: Vec::new(),
            returned: VecDeque::new(),
            status: Status::Closed,
            calls: VecDeque::new(),
            no: 0,
            reported: 0,
            day,
            epoch: 0,
            seq: 0,
        }
    }

    /// Begins a day. Two simulated days within one real one differ in their epoch.
    pub(super) fn begin_day(&mut self, first: u16, day: Date) {
        self.epoch = if day == self.day { self.epoch + 1 } else { 0 };
        self.day = day;
        self.next_number = first;
        self.waiting.clear();
        self.held.clear();
        self.returned.clear();
        self.calls.clear();
        self.no = 0;
        self.reported = 0;
    }

    /// Somebody takes a ticket.
    pub(super) fn issue(&mut self) {
        self.waiting.push_back(self.next_number);
        self.next_number = self.next_number % LAST_NUMBER + 1;
    }

    /// The ticket to call next: whoever is back from completing papers, then the line.
    pub(super) fn take(&mut self) -> Option<u16> {
        if let Some(ticket) = self.returned.pop_front() {
            self.held.retain(|t| *t != ticket);
            return Some(ticket);
        }
        self.waiting.pop_front()
    }

    pub(super) fn call(&mut self, ticket: u16, counter: u8, at: u64, kind: CallKind) {
        self.no += 1;
        self.calls.push_front(SimCall {
            no: self.no,
            ticket,
            counter,
            at,
            kind,
        });
        self.calls.truncate(MAX_CALLS);
    }

    fn label(&self, number: u16) -> Label {
        Label::new(&format!("{}{number:03}", self.prefix)).expect("a letter and three digits")
    }

    /// Calls that no message told of yet; told from now on.
    pub(super) fn new_calls(&mut self) -> u64 {
        self.no - std::mem::replace(&mut self.reported, self.no)
    }

    /// The message of this moment, and its `seq`.
    pub(super) fn message(&mut self, at: u64, timeline: &Timeline) -> (u64, Vec<u8>) {
        let made = timeline.real(at);
        let millis = u64::try_from(made.as_millisecond()).unwrap_or(0);
        self.seq = millis.max(self.seq + 1);
        let labels = |numbers: &mut dyn Iterator<Item = &u16>| -> Vec<Label> {
            numbers
                .take(crate::wire::text::MAX_LIST)
                .map(|n| self.label(*n))
                .collect()
        };
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let state = QueueState {
            seq: self.seq,
            at: made,
            day: self.day,
            epoch: self.epoch,
            status: self.status,
            waiting: Some(count(self.waiting.len())),
            on_hold: Some(count(self.held.len())),
            next: labels(&mut self.waiting.iter()),
            held: labels(&mut self.held.iter()),
            calls: self
                .calls
                .iter()
                .map(|call| Call {
                    no: call.no,
                    ticket: self.label(call.ticket),
                    counter: Label::new(&call.counter.to_string()).ok(),
                    at: timeline.real(call.at),
                    kind: call.kind,
                })
                .collect(),
            now_serving: None,
            wait: None,
        };
        let json = serde_json::to_vec(&FeedMessage::new(&state, &timeline.zone));
        (self.seq, json.unwrap_or_default())
    }
}
