//! What earlier days were like.

use super::{DayHours, MAX_QUEUES};
use crate::model::QueueId;
use jiff::civil::{Date, Weekday};
use std::collections::BTreeMap;

/// So many calls make an hour worth believing by itself; below it the whole day is asked.
const ENOUGH_CALLS: f64 = 5.0;

/// Most calls that are kept for an hour: older days fade as newer ones are added.
const MAX_CALLS_PER_HOUR: f64 = 200.0;

/// First guess of the pace at lunch as a part of the usual pace (people eat in turns, so about a
/// third is away).
pub(super) const LUNCH_FACTOR: f64 = 0.65;

/// How often a queue was called while somebody waited in it.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ServiceRate {
    /// Time in which somebody waited, s; at least 0.
    pub busy_s: f64,
    /// Calls (no recalls) in that time; at least 0.
    pub calls: f64,
}

impl ServiceRate {
    /// Mean interval between calls in seconds; `None` without a call.
    #[must_use]
    pub fn interval_s(&self) -> Option<f64> {
        (self.calls > 0.0).then(|| self.busy_s / self.calls)
    }

    pub(super) fn fade(&mut self, factor: f64) {
        self.busy_s *= factor;
        self.calls *= factor;
    }

    fn plus(self, other: Self) -> Self {
        Self {
            busy_s: self.busy_s + other.busy_s,
            calls: self.calls + other.calls,
        }
    }
}

/// What an estimator has learnt, to be kept through restarts.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct WaitHistory {
    /// The days that are over.
    pub history: RateHistory,
    /// The day that is not: by queue, what it taught so far.
    pub today: Vec<(QueueId, Date, [ServiceRate; 24])>,
}

/// Paces by queue, weekday and hour. Empty when nothing is known, which is a good start.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RateHistory {
    /// By queue and days since Monday.
    days: BTreeMap<(QueueId, i8), [ServiceRate; 24]>,
}

impl RateHistory {
    /// Adds what one day taught, as given by [`hourly_rates`](super::WaitEstimator::hourly_rates).
    ///
    /// Values that are no pace (negative, infinite, not a number) are left out.
    pub fn add(&mut self, queue: &QueueId, weekday: Weekday, day: &[ServiceRate; 24]) {
        let key = (queue.clone(), weekday.to_monday_zero_offset());
        // Queues that are long gone must not fill the memory; 7 weekdays each.
        if !self.days.contains_key(&key) && self.days.len() >= 7 * MAX_QUEUES {
            return;
        }
        let kept = self.days.entry(key).or_default();
        for (kept, new) in kept.iter_mut().zip(day) {
            let good = |x: f64| x.is_finite() && x >= 0.0;
            if good(new.busy_s) && good(new.calls) {
                *kept = kept.plus(*new);
                if kept.calls > MAX_CALLS_PER_HOUR {
                    kept.fade(MAX_CALLS_PER_HOUR / kept.calls);
                }
            }
        }
    }

    /// Every hour of which something is known: queue, days since Monday, hour, pace.
    pub fn entries(&self) -> impl Iterator<Item = (&QueueId, i8, usize, ServiceRate)> {
        let days = self.days.iter();
        days.flat_map(|((queue, weekday), hours)| {
            let hours = hours.iter().enumerate();
            let known = hours.filter(|(_, pace)| **pace != ServiceRate::default());
            known.map(move |(hour, pace)| (queue, *weekday, hour, *pace))
        })
    }

    /// The pace of a queue in one hour (0 to 23) of a weekday; zero when nothing is known.
    #[must_use]
    pub fn get(&self, queue: &QueueId, weekday: Weekday, hour: usize) -> ServiceRate {
        self.days
            .get(&(queue.clone(), weekday.to_monday_zero_offset()))
            .and_then(|day| day.get(hour))
            .copied()
            .unwrap_or_default()
    }

    /// What history says about a queue at one moment.
    pub(super) fn outlook(&self, queue: &QueueId, hours: &DayHours, at: f64) -> Outlook {
        if self.days.is_empty() {
            return Outlook::NONE;
        }
        let key = (queue.clone(), hours.weekday.to_monday_zero_offset());
        let Some(day) = self.days.get(&key) else {
            return Outlook::NONE;
        };
        let (mut rest, mut lunch) = (ServiceRate::default(), ServiceRate::default());
        let mut hour_now = None;
        let now = hours.hour(at);
        let mut begin = hours.midnight;
        for (hour, pace) in day.iter().enumerate() {
            let end = begin + 3600.0;
            let (from, to) = hours.shape.lunch;
            if end <= from || begin >= to {
                rest = rest.plus(*pace);
                if hour == now && pace.calls >= ENOUGH_CALLS {
                    hour_now = Some(*pace);
                }
            } else if begin >= from && end <= to {
                lunch = lunch.plus(*pace);
            }
            begin = end;
        }
        Outlook::new(hour_now.unwrap_or(rest), rest, lunch)
    }
}

/// What history says, ready to be mixed with today's evidence.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Outlook {
    /// Usual interval between calls, s, and the calls it rests on.
    pub(super) interval_s: f64,
    pub(super) calls: f64,
    /// Pace at lunch as a part of the usual pace, and the calls it rests on.
    pub(super) lunch_factor: f64,
    pub(super) lunch_calls: f64,
}

impl Outlook {
    /// Nothing is known.
    pub(super) const NONE: Self = Self {
        interval_s: 0.0,
        calls: 0.0,
        lunch_factor: LUNCH_FACTOR,
        lunch_calls: 0.0,
    };

    fn new(now: ServiceRate, rest: ServiceRate, lunch: ServiceRate) -> Self {
        let mut outlook = Self::NONE;
        if let Some(interval) = now.interval_s() {
            outlook.interval_s = interval;
            outlook.calls = now.calls;
        }
        if let (Some(usual), Some(at_lunch)) = (rest.interval_s(), lunch.interval_s())
            && at_lunch > 0.0
        {
            // Lunch may be a rush hour elsewhere, but not ten times.
            outlook.lunch_factor = (usual / at_lunch).clamp(0.1, 10.0);
            outlook.lunch_calls = lunch.calls;
        }
        outlook
    }
}
