//! The wait of somebody who takes a ticket now, predicted from nothing but what a source said.
//!
//! Nothing is set by hand for a queue. The steps, each in its own file:
//!
//! 1. `service_rate`: how often a queue is called while somebody waits in it. Calls ÷ busy time of this
//!    queue today (a Poisson rate with a gamma prior, old evidence fading), shrunk towards what its
//!    demand suggests and towards the [`RateHistory`] of that weekday and hour where there is one.
//! 2. The pace is lower at lunch; by how much is learnt in the same way. The expected wait is the
//!    time in which pace makes (people ahead + 1) calls, across the lunch break if need be:
//!    queue length × rolling interval between calls, the estimator with the smallest error among
//!    those that need no setting (see `docs/`), with the day's shape added.
//! 3. `counters`: with nobody waiting, the question is whether a counter is free. Queues whose
//!    calls name the same counters (a fast lane and its standard lane) share them.
//! 4. `range`: the spread of a sum of `k` intervals whose pace is an estimate (a ratio of gamma
//!    variates) makes the range; how far each end reaches follows the share of today's waits beyond it
//!    (adaptive conformal inference, Gibbs and Candès 2021), so that four of five true waits lie
//!    inside whatever the queue is like.
//! 5. With the range goes what an interval is like, so that whoever has a ticket is told what is left
//!    to wait ([`WaitRange::remaining`]).
//!
//! Sync, total, bounded: at most 64 queues, 256 counters, and the labels of one message a queue.
//! Time is an argument. Knows no topics, no JSON, no lanes: who shares what is seen in the calls.

mod counters;
mod debouncer;
mod history;
mod queue;
mod range;
mod service_rate;
#[cfg(test)]
mod tests;

pub use debouncer::WaitDebouncer;
pub use history::{RateHistory, ServiceRate, WaitHistory};

use crate::clock::Now;
use crate::model::{CALLED_AT_OPENING, Intervals, QueueId, QueueState, Status, WaitRange};
use counters::Counters;
use jiff::civil::{Date, Time, Weekday};
use jiff::{Timestamp, tz::TimeZone};
use queue::HourOfDay;
use queue::{Prediction, Queue};
use range::Forecast;
use service_rate::{Rate, Shape};
use std::time::Duration;

/// Most queues of an office (contract, "Limits"); further ones get no estimate.
const MAX_QUEUES: usize = 64;

/// A closed queue has a wait from this long before the office opens, s: earlier, "closed" says more.
const BEFORE_OPENING_S: f64 = 3600.0;

/// A queue still said to be closed this long after opening time is closed, s; until then the word
/// "open" may be on its way.
const OPENING_GRACE_S: f64 = 600.0;

/// Calls and people that must have been seen before a long wait is told, and what is long, s: out
/// of nothing only a short one is believed. No range is better than a wrong one.
const ENOUGH_SEEN: f64 = 3.0;
const LONG_S: f64 = 7200.0;

/// A clock that went on by so much more or less than the monotonic one was set, s. A source's own
/// times, which count while no clock can be believed, waver by less.
const CLOCK_SET_S: f64 = 60.0;

/// How much the people of queues that share counters count as demand for a longer one among them:
/// they take its counters, and less time there.
const OTHERS_COUNT: f64 = 0.5;

/// What is general to an office. Nothing here is about one queue.
#[derive(Debug, Clone)]
pub struct WaitSettings {
    pub zone: TimeZone,
    /// Counters open and close; tickets may be handed out before.
    pub hours: (Time, Time),
    /// When fewer counters are staffed because people eat in turns. Only where the pace may
    /// change: by how much is learnt, from a first guess of a third less.
    pub lunch: (Time, Time),
}

impl WaitSettings {
    /// The defaults for a zone: open 09:00–17:00, lunch 11:30–13:30.
    #[must_use]
    pub fn new(zone: TimeZone) -> Self {
        Self {
            zone,
            hours: (Time::constant(9, 0, 0, 0), Time::constant(17, 0, 0, 0)),
            lunch: (Time::constant(11, 30, 0, 0), Time::constant(13, 30, 0, 0)),
        }
    }
}

/// Predicts the waits of one office's queues.
///
/// Feed it every accepted message in the order of arrival with [`observe`](Self::observe); ask it
/// at any time with [`estimate`](Self::estimate). A new business day starts it afresh.
#[derive(Debug, Clone)]
pub struct WaitEstimator {
    settings: WaitSettings,
    history: RateHistory,
    /// What was learnt of the day before a restart, until its queues are heard again.
    resumed: Vec<(QueueId, Date, [ServiceRate; 24])>,
    day: Option<Date>,
    hours: DayHours,
    queues: Vec<(QueueId, Queue)>,
    counters: Counters,
    /// The source's time and the monotonic moment of the newest message.
    received_at: Option<(f64, Now)>,
    /// The moment of the newest message by the clock that was used, and by the monotonic one.
    passed: Option<(f64, Duration)>,
}

/// The office hours of one day in seconds since 1970.
#[derive(Debug, Clone, Copy)]
struct DayHours {
    midnight: f64,
    open: f64,
    shape: Shape,
    weekday: Weekday,
}

impl DayHours {
    fn new(day: Date, settings: &WaitSettings) -> Self {
        let at = |time: Time| {
            day.to_datetime(time)
                .to_zoned(settings.zone.clone())
                .map_or(0.0, |z| seconds(z.timestamp()))
        };
        Self {
            midnight: at(Time::midnight()),
            open: at(settings.hours.0),
            shape: Shape {
                lunch: (at(settings.lunch.0), at(settings.lunch.1)),
                close: at(settings.hours.1),
            },
            weekday: day.weekday(),
        }
    }

    /// The hour of the day, 0 to 23.
    fn hour(&self, at: f64) -> usize {
        // Floored and bounded before the cast.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let hour = ((at - self.midnight) / 3600.0).clamp(0.0, 23.0) as usize;
        hour
    }
}

impl WaitEstimator {
    /// An estimator that has heard nothing yet.
    #[must_use]
    pub fn new(settings: WaitSettings) -> Self {
        let hours = DayHours::new(Date::constant(1970, 1, 1), &settings);
        Self {
            settings,
            history: RateHistory::default(),
            resumed: Vec::new(),
            day: None,
            hours,
            queues: Vec::new(),
            counters: Counters::default(),
            received_at: None,
            passed: None,
        }
    }

    /// The same, shrunk towards what earlier days were like.
    #[must_use]
    pub fn with_history(mut self, history: RateHistory) -> Self {
        self.history = history;
        self
    }

    /// Takes in a message that the state accepted: newer than all before of its queue and day.
    ///
    /// Messages of an earlier day than the newest are ignored.
    pub fn observe(&mut self, id: &QueueId, state: &QueueState, now: Now) {
        if self.day.is_some_and(|day| state.day < day) {
            return;
        }
        if self.day != Some(state.day) {
            self.learn(state.day);
            self.day = Some(state.day);
            self.hours = DayHours::new(state.day, &self.settings);
            self.queues.clear();
            self.counters = Counters::default();
        }
        self.received_at = Some((seconds(state.at), now));
        let at = self.time(now);
        self.follow_clock(at, now);
        let index = match self.queues.iter().position(|(q, _)| q == id) {
            Some(index) => {
                let prediction = self.forecast(index, at).map(|(f, _)| Prediction {
                    at: seconds(state.at),
                    weight: f.weight(),
                    range: f.range(self.queues[index].1.widths),
                });
                self.queues[index]
                    .1
                    .record_predictions(&state.next, prediction);
                index
            }
            None if self.queues.len() < MAX_QUEUES => {
                let mut queue = Queue::first(state, at, self.hours.open);
                if let Some(i) = self.resumed.iter().position(|(q, ..)| q == id) {
                    queue.hours = self.resumed.swap_remove(i).2;
                }
                self.queues.push((id.clone(), queue));
                self.queues.len() - 1
            }
            None => return,
        };
        let hour = HourOfDay {
            index: self.hours.hour(at),
            at_lunch: self.hours.shape.is_lunch(at),
        };
        let queue = &mut self.queues[index].1;
        queue.pass(at, hour);
        for call in queue.take_new(&state.calls) {
            queue.called(call, at, hour);
            if let Some(counter) = &call.counter {
                self.counters.called(counter, index, seconds(call.at));
            }
        }
        queue.settle(state, at);
    }

    /// The wait of somebody who takes a ticket of this queue now, with the intervals from which the
    /// wait of everybody in it follows; `None` when nothing was heard of the queue today, or it is
    /// closed and not about to open, or its pace is unknown and its wait would be long.
    ///
    /// A wait before opening includes the time until opening. A paused queue has the wait it would
    /// have if it went on now. A queue that gives out no more tickets while people wait has the wait
    /// of the last of these.
    #[must_use]
    pub fn estimate(&self, id: &QueueId, now: Now) -> Option<WaitRange> {
        let index = self.queues.iter().position(|(q, _)| q == id)?;
        let at = self.time(now);
        let (forecast, rate) = self.forecast(index, at)?;
        let queue = &self.queues[index].1;
        let (low, high) = forecast.range(queue.widths);
        let wait = high - (self.hours.open - at).max(0.0);
        if wait > LONG_S && rate.evidence + queue.people() < ENOUGH_SEEN {
            return None;
        }
        let staffed = if self.hours.shape.is_lunch(at) {
            rate.lunch
        } else {
            1.0
        };
        let mean = 1.0 / (rate.calls_per_s * staffed);
        let intervals = Intervals::new(mean, queue.widths.shape());
        Some(WaitRange::from_estimate(low, high).with_intervals(intervals))
    }

    /// Moves what was noted by the clock when that was set: the time in between did not pass.
    fn follow_clock(&mut self, at: f64, now: Now) {
        let before = self.passed.replace((at, now.mono));
        let by = before.map_or(0.0, |(then, mono)| {
            (at - then) - (now.mono.as_secs_f64() - mono.as_secs_f64())
        });
        if by.abs() > CLOCK_SET_S {
            self.queues.iter_mut().for_each(|(_, q)| q.shift(by, at));
        }
    }

    /// Forgets the day that it is in, where that turned out to lie after `today`; nothing is learnt
    /// of it.
    pub fn forget_after(&mut self, today: Date) {
        if self.day.is_none_or(|day| day <= today) {
            return;
        }
        self.day = None;
        self.queues.clear();
        self.counters = Counters::default();
        self.received_at = None;
    }

    /// Makes history of the days before `today`.
    fn learn(&mut self, today: Date) {
        let ended = self.day.into_iter().flat_map(|day| {
            let queues = self.queues.iter();
            queues.map(move |(id, queue)| (id.clone(), day, queue.hours))
        });
        let (over, resumed): (Vec<_>, Vec<_>) = ended
            .chain(std::mem::take(&mut self.resumed))
            .partition(|(_, day, _)| *day < today);
        for (id, day, hours) in over {
            self.history.add(&id, day.weekday(), &hours);
        }
        self.resumed = resumed
            .into_iter()
            .filter(|(_, day, _)| *day == today)
            .collect();
    }

    /// What was learnt so far: to be kept through a restart.
    #[must_use]
    pub fn wait_history(&self) -> WaitHistory {
        let received_at = self.day.into_iter().flat_map(|day| {
            let queues = self.queues.iter();
            queues.map(move |(id, queue)| (id.clone(), day, queue.hours))
        });
        WaitHistory {
            history: self.history.clone(),
            today: received_at.chain(self.resumed.iter().cloned()).collect(),
        }
    }

    /// Takes back what was learnt before a restart. To be called before the first message.
    pub fn restore_history(&mut self, history: WaitHistory) {
        self.history = history.history;
        self.resumed = history.today.into_iter().take(MAX_QUEUES).collect();
    }

    /// What today taught about a queue's pace, by hour.
    #[must_use]
    pub fn hourly_rates(&self, id: &QueueId) -> Option<&[ServiceRate; 24]> {
        self.queues
            .iter()
            .find(|(q, _)| q == id)
            .map(|(_, q)| &q.hours)
    }

    /// Now in the source's time, s: the wall clock, or while that cannot be believed the time of
    /// the newest message and what has passed since.
    fn time(&self, now: Now) -> f64 {
        match self.received_at {
            Some((at, received_at)) if !now.synced => {
                at + now.since(received_at.mono).as_secs_f64()
            }
            _ => seconds(now.wall),
        }
    }

    /// The number of people and the pace of one queue at a moment, as a forecast; and that pace.
    fn forecast(&self, index: usize, at: f64) -> Option<(Forecast, Rate)> {
        let queue = &self.queues[index].1;
        if !queue.counted {
            return None;
        }
        let shape = self.hours.shape;
        let to_opening = self.hours.open - at;
        let rate = self.rate(index, at);
        let waiting = f64::from(queue.waiting);
        if queue.status == Status::Closed && queue.opened {
            // Those who wait are still called; there is nobody behind the last of them.
            let served = queue.waiting > 0 && queue.is_served(at);
            return served.then(|| {
                let mean = shape.time_for(waiting, at, rate);
                (Forecast::queueing(mean, waiting, rate.evidence), rate)
            });
        }
        if queue.status == Status::Closed {
            let soon = to_opening <= BEFORE_OPENING_S || queue.waiting > 0;
            if !soon || to_opening < -OPENING_GRACE_S {
                return None;
            }
            let delay = to_opening.max(0.0);
            let calls = (waiting + 1.0 - CALLED_AT_OPENING).max(0.0);
            let mean = shape.time_for(calls, at + delay, rate);
            return Some((Forecast::opening(delay, mean, calls), rate));
        }
        let group = self.counters.group(index);
        if self
            .queues
            .iter()
            .enumerate()
            .any(|(i, (_, q))| group.has(i) && q.waiting > 0)
        {
            let calls = waiting + 1.0;
            let mean = shape.time_for(calls, at, rate);
            return Some((Forecast::queueing(mean, calls, rate.evidence), rate));
        }
        let staffed = if shape.is_lunch(at) { rate.lunch } else { 1.0 };
        let busy = self.counters.busy(group, at, rate.calls_per_s, staffed);
        let mean = shape.time_for(1.0, at, rate);
        Some((Forecast::maybe_free(mean, busy), rate))
    }

    /// The pace of one queue at a moment.
    fn rate(&self, index: usize, at: f64) -> Rate {
        let group = self.counters.group(index);
        let (id, queue) = &self.queues[index];
        let (mut people, mut observed_s, mut freed) = (0.0, 0.0_f64, 0.0);
        let members = self.queues.iter().enumerate();
        for (i, (_, member)) in members.filter(|(i, _)| group.has(*i)) {
            observed_s = observed_s.max(member.observed_s(at));
            let longer = i != index && member.waiting <= queue.waiting;
            people += member.people() * if longer { OTHERS_COUNT } else { 1.0 };
            if longer {
                // Of the shorter queues nobody is left when this one's last are called.
                let left = f64::from(member.waiting) / f64::from(queue.waiting.max(1));
                freed += member.calls * (1.0 - left.min(1.0));
            }
        }
        let demand = service_rate::demand_interval(people, observed_s);
        let past = self.history.outlook(id, &self.hours, at);
        Rate {
            after: service_rate::after_closing(queue.calls, freed),
            ..service_rate::rate(queue.rest, queue.lunch, demand, past)
        }
    }
}

/// A moment in seconds since 1970, to the millisecond.
fn seconds(at: Timestamp) -> f64 {
    // Exact for every year that jiff knows: below 2^53.
    at.as_millisecond() as f64 / 1000.0
}
