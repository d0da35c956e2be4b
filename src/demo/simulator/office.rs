//! One office: people come, counters call, some do not show up, some come back.
//!
//! Discrete events on a heap; simulated time is in milliseconds since the simulation began.

use super::Timeline;
use super::plan::{self, CLOSE, DAWN, LUNCH, MINUTE, OPEN, OfficePlan, QUEUES};
use super::queue::QueueSim;
use crate::model::{CallKind, Status};
use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};

/// A person who is not there is called again after this time, at most twice, then given up after
/// the same time once more (recorded day: 35, 70 and 105 s after the call).
const PATIENCE: u64 = 35_000;
const RECALLS: u8 = 2;

/// Share of calls whose person is not at the board at first, and of recalls that do not help.
const ABSENT: f64 = 0.1;
const STILL_ABSENT: f64 = 0.55;

/// Median walk from the chair to the counter, s, and the deviation of its logarithm.
const WALK: (f64, f64) = (19.0, 0.45);

/// Share of arrivals that are a group (a family, a bus) and the most that come with the first.
const GROUP: f64 = 0.05;
const GROUP_SIZE: usize = 4;

/// Shortest and longest time to complete papers.
const HOLD: (u64, u64) = (4 * MINUTE, 18 * MINUTE);

/// From the last person served to the next simulated day.
const NIGHT: u64 = 10 * MINUTE;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    /// Somebody may come to a queue.
    Arrive(usize),
    /// Opening, closing, the ends of breaks.
    Clock,
    /// The person called to a counter has not come; counts recalls so far.
    Absent(usize, u8),
    /// A counter is done with its person.
    Done(usize),
    /// Somebody is back with the papers of a ticket.
    Back(usize, u16),
    /// A message without news, so that silence means trouble.
    Heartbeat(usize),
    /// The next simulated day.
    Dawn,
}

struct Counter {
    label: u8,
    /// Index into [`QUEUES`] and ticket of the person.
    person: Option<(usize, u16)>,
    lunch: (u64, u64),
}

/// An office and what will happen in it.
pub(super) struct OfficeSim {
    pub(super) plan: &'static OfficePlan,
    queues: Vec<QueueSim>,
    counters: Vec<Counter>,
    /// Earliest first; the second number keeps the order of equals.
    events: BinaryHeap<Reverse<(u64, u64, Event)>>,
    events_made: u64,
    /// Simulated moment at which this day began, at [`DAWN`] on its clock.
    dawn: u64,
    heartbeat: u64,
    rng: fastrand::Rng,
    /// Queues whose numbers changed in the last event.
    changed: BTreeSet<usize>,
}

impl OfficeSim {
    pub(super) fn new(
        plan: &'static OfficePlan,
        seed: u64,
        heartbeat: u64,
        timeline: &Timeline,
    ) -> Self {
        let mut counters = Vec::new();
        for queue in &QUEUES {
            for label in queue.counters.0..=queue.counters.1 {
                if counters.iter().all(|c: &Counter| c.label != label) {
                    counters.push(Counter {
                        label,
                        person: None,
                        lunch: LUNCH[usize::from(label) % 2],
                    });
                }
            }
        }
        let day = timeline.date(0);
        let queue = |(i, q)| QueueSim::new(q, first_number(plan, i), day);
        let mut office = Self {
            plan,
            queues: QUEUES.iter().enumerate().map(queue).collect(),
            counters,
            events: BinaryHeap::new(),
            events_made: 0,
            dawn: 0,
            heartbeat,
            rng: fastrand::Rng::with_seed(seed),
            changed: BTreeSet::new(),
        };
        for queue in 0..QUEUES.len() {
            // Each ticketing system has its own second for its heartbeat.
            let first = office.rng.u64(0..heartbeat.max(1));
            office.plan_event(first, Event::Heartbeat(queue));
        }
        office.plan_day(0);
        office
    }

    /// When something happens next.
    pub(super) fn next(&self) -> u64 {
        self.events.peek().map_or(u64::MAX, |Reverse((at, ..))| *at)
    }

    /// Lets the next thing happen; afterwards [`message`](Self::message) tells of `changed`.
    pub(super) fn step(&mut self, timeline: &Timeline) -> (u64, BTreeSet<usize>) {
        let Some(Reverse((at, _, event))) = self.events.pop() else {
            return (u64::MAX, BTreeSet::new());
        };
        match event {
            Event::Arrive(queue) => self.arrive(queue, at),
            Event::Clock => self.set_status(at),
            Event::Absent(counter, recalls) => self.absent(counter, recalls, at),
            Event::Done(counter) => self.done(counter, at),
            Event::Back(queue, ticket) => {
                if self.queues[queue].held.contains(&ticket) {
                    self.queues[queue].returned.push_back(ticket);
                }
            }
            Event::Heartbeat(queue) => {
                self.changed.insert(queue);
                self.plan_event(at + self.heartbeat, Event::Heartbeat(queue));
            }
            Event::Dawn => self.begin_day(at, timeline),
        }
        self.call_next(at);
        (at, std::mem::take(&mut self.changed))
    }

    /// What the ticketing system says of a queue at this moment.
    pub(super) fn message(&mut self, queue: usize, at: u64, timeline: &Timeline) -> (u64, Vec<u8>) {
        self.queues[queue].message(at, timeline)
    }

    /// Calls of a queue that were not told of yet; told from now on.
    pub(super) fn new_calls(&mut self, queue: usize) -> u64 {
        self.queues[queue].new_calls()
    }

    pub(super) fn rng(&mut self) -> &mut fastrand::Rng {
        &mut self.rng
    }

    fn plan_event(&mut self, at: u64, event: Event) {
        self.events_made += 1;
        self.events.push(Reverse((at, self.events_made, event)));
    }

    fn time_of_day(&self, at: u64) -> u64 {
        DAWN + at.saturating_sub(self.dawn)
    }

    fn plan_day(&mut self, dawn: u64) {
        self.dawn = dawn;
        for queue in 0..QUEUES.len() {
            let first = self.pause(queue);
            self.plan_event(dawn + first, Event::Arrive(queue));
        }
        let breaks = LUNCH.iter().flat_map(|(begin, end)| [*begin, *end]);
        for time in breaks.chain([OPEN, CLOSE]) {
            self.plan_event(dawn + time - DAWN, Event::Clock);
        }
    }

    fn begin_day(&mut self, at: u64, timeline: &Timeline) {
        let day = timeline.date(at);
        for (i, queue) in self.queues.iter_mut().enumerate() {
            queue.begin_day(first_number(self.plan, i), day);
            self.changed.insert(i);
        }
        self.plan_day(at);
    }

    fn set_status(&mut self, at: u64) {
        let open = (OPEN..CLOSE).contains(&self.time_of_day(at));
        let status = if open { Status::Open } else { Status::Closed };
        for (i, queue) in self.queues.iter_mut().enumerate() {
            if queue.status != status {
                queue.status = status;
                self.changed.insert(i);
            }
        }
    }

    /// Time until somebody may come: exponential at the rate of the busiest hour.
    fn pause(&mut self, queue: usize) -> u64 {
        let per_hour = QUEUES[queue].per_hour * self.plan.load * plan::BUSIEST;
        millis(-(1.0 - self.rng.f64()).ln() / per_hour * 3600.0)
    }

    fn arrive(&mut self, queue: usize, at: u64) {
        let time = self.time_of_day(at);
        if time < CLOSE {
            let next = at + self.pause(queue);
            self.plan_event(next, Event::Arrive(queue));
        }
        // Thinning: kept with the share this hour has of the busiest one.
        if self.rng.f64() * plan::BUSIEST < plan::profile(time) {
            let group = self.rng.f64() < GROUP;
            let people = if group {
                self.rng.usize(2..=GROUP_SIZE)
            } else {
                1
            };
            for _ in 0..people {
                self.queues[queue].issue();
            }
            self.changed.insert(queue);
        }
    }

    /// Every free counter calls somebody.
    fn call_next(&mut self, at: u64) {
        let time = self.time_of_day(at);
        if time < OPEN {
            return;
        }
        for i in 0..self.counters.len() {
            let counter = &self.counters[i];
            if counter.person.is_some() || (counter.lunch.0..counter.lunch.1).contains(&time) {
                continue;
            }
            let label = counter.label;
            let serves =
                |q: &usize| (QUEUES[*q].counters.0..=QUEUES[*q].counters.1).contains(&label);
            let taken = (0..QUEUES.len())
                .filter(serves)
                .find_map(|q| self.queues[q].take().map(|ticket| (q, ticket)));
            if let Some((queue, ticket)) = taken {
                self.counters[i].person = Some((queue, ticket));
                self.queues[queue].call(ticket, label, at, CallKind::Call);
                self.changed.insert(queue);
                self.walk(i, 0, ABSENT, at);
            }
        }
        self.end_day(at);
    }

    /// The person comes and is served, or does not come.
    fn walk(&mut self, counter: usize, recalls: u8, absent: f64, at: u64) {
        let Some((queue, _)) = self.counters[counter].person else {
            return;
        };
        if self.rng.f64() < absent {
            self.plan_event(at + PATIENCE, Event::Absent(counter, recalls));
        } else {
            let service = self.log_normal(QUEUES[queue].service);
            let walk = self.log_normal(WALK);
            self.plan_event(at + walk + service, Event::Done(counter));
        }
    }

    fn absent(&mut self, counter: usize, recalls: u8, at: u64) {
        let Some((queue, ticket)) = self.counters[counter].person else {
            return;
        };
        if recalls < RECALLS {
            let label = self.counters[counter].label;
            self.queues[queue].call(ticket, label, at, CallKind::Recall);
            self.changed.insert(queue);
            self.walk(counter, recalls + 1, STILL_ABSENT, at);
        } else {
            self.counters[counter].person = None;
        }
    }

    fn done(&mut self, counter: usize, at: u64) {
        let Some((queue, ticket)) = self.counters[counter].person.take() else {
            return;
        };
        // Near closing time nobody is sent for papers any more.
        let late = self.time_of_day(at) + HOLD.1 > CLOSE;
        if !late && self.rng.f64() < QUEUES[queue].hold {
            self.queues[queue].held.push(ticket);
            self.changed.insert(queue);
            let back = at + self.rng.u64(HOLD.0..HOLD.1);
            self.plan_event(back, Event::Back(queue, ticket));
        }
    }

    /// Plans the next day once everybody has gone.
    fn end_day(&mut self, at: u64) {
        let gone = self.time_of_day(at) >= CLOSE
            && self.counters.iter().all(|c| c.person.is_none())
            && self
                .queues
                .iter()
                .all(|q| q.waiting.is_empty() && q.held.is_empty());
        if gone
            && !self
                .events
                .iter()
                .any(|Reverse((_, _, e))| *e == Event::Dawn)
        {
            self.plan_event(at + NIGHT, Event::Dawn);
        }
    }

    fn log_normal(&mut self, (median, deviation): (f64, f64)) -> u64 {
        // Box and Muller: a normal variate of two uniform ones.
        let (u, v) = (1.0 - self.rng.f64(), self.rng.f64());
        let normal = (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos();
        millis(median * (deviation * normal).exp())
    }
}

fn first_number(plan: &OfficePlan, queue: usize) -> u16 {
    if queue == 0 {
        plan.first_certificate
    } else {
        QUEUES[queue].first
    }
}

/// Seconds as whole milliseconds, a day at most.
fn millis(seconds: f64) -> u64 {
    // `as` saturates and maps NaN to 0.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let millis = (seconds * 1000.0).clamp(0.0, 86_400_000.0) as u64;
    millis
}
