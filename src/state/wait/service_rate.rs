//! How often a queue is called while somebody waits in it.

use super::history::{LUNCH_FACTOR, Outlook, ServiceRate};

/// Today's evidence fades with this time constant of busy time, s: long enough for a slow queue to
/// gather evidence, short enough to follow a counter that opens or closes.
pub(super) const FADE_S: f64 = 7200.0;

/// Weight of the prior, in calls.
const PRIOR_CALLS: f64 = 10.0;

/// The interval between calls before anything is known, s, and its weight in people.
const PRIOR_INTERVAL_S: f64 = 150.0;
const PRIOR_PEOPLE: f64 = 3.0;

/// An office staffs its counters for their demand with some room to spare: the interval between
/// calls is about this part of the interval between arrivals.
const UTILISATION: f64 = 0.63;

/// Longest interval that demand suggests, s. Few people may mean a quiet day as well as a slow
/// counter, so a small demand is no sign of a slow one.
const LONGEST_SUGGESTED_S: f64 = 900.0;

/// Weight of the first guess of the pace at lunch, in calls.
const LUNCH_CALLS: f64 = 50.0;

/// No queue is called more often than this, s: keeps every interval finite and above zero.
const SHORTEST_INTERVAL_S: f64 = 1.0;

/// Weight of history at most, in calls: a day may differ from its like.
const HISTORY_CALLS: f64 = 30.0;

/// The pace of a queue with somebody waiting.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Rate {
    /// Calls a second outside lunch.
    pub(super) calls_per_s: f64,
    /// Pace at lunch as a part of that, above 0.
    pub(super) lunch: f64,
    /// Pace after closing time as a part of the usual one, at least 1: counters that are shared
    /// with queues of which nobody is left.
    pub(super) after: f64,
    /// Calls of today, fading, that the pace rests on besides its prior.
    pub(super) evidence: f64,
}

/// How much of the time that counters spend on a shared queue goes to this one once nobody new can
/// come to the other: those who overtake (a fast lane) take less time than the others.
const FREED: f64 = 0.7;

/// Calls that this estimate waits for, and the most it says.
const FREED_CALLS: f64 = 10.0;
const MOST_FREED: f64 = 1.0;

/// The pace after closing as a part of the usual one: `own` calls of a queue today, and `others` of
/// the queues that share its counters and are shorter.
pub(super) fn after_closing(own: f64, others: f64) -> f64 {
    1.0 + (FREED * others / (own + FREED_CALLS)).min(MOST_FREED)
}

/// The interval between calls that demand suggests, s: `people` came within `observed_s`.
pub(super) fn demand_interval(people: f64, observed_s: f64) -> f64 {
    let suggested =
        (UTILISATION * observed_s + PRIOR_PEOPLE * PRIOR_INTERVAL_S) / (people + PRIOR_PEOPLE);
    suggested.min(LONGEST_SUGGESTED_S)
}

/// The posterior pace: the mean of a Poisson rate under a gamma prior, for the usual pace and the
/// factor at lunch together (each sharpens the other, so three rounds).
pub(super) fn rate(rest: ServiceRate, lunch: ServiceRate, demand_s: f64, past: Outlook) -> Rate {
    let known = past.calls.min(HISTORY_CALLS);
    let prior_calls = PRIOR_CALLS + known;
    let prior_s = PRIOR_CALLS * demand_s + known * past.interval_s;
    let known_lunch = past.lunch_calls.min(HISTORY_CALLS);
    let lunch_weight = LUNCH_CALLS + known_lunch;
    let lunch_prior = LUNCH_CALLS * LUNCH_FACTOR + known_lunch * past.lunch_factor;
    let mut factor = lunch_prior / lunch_weight;
    let mut calls_per_s = 0.0;
    for _ in 0..3 {
        let busy = rest.busy_s + factor * lunch.busy_s + prior_s;
        calls_per_s = (rest.calls + lunch.calls + prior_calls) / busy.max(1.0);
        calls_per_s = calls_per_s.min(1.0 / SHORTEST_INTERVAL_S);
        factor = (lunch.calls + lunch_prior) / (lunch.busy_s * calls_per_s + lunch_weight);
    }
    Rate {
        calls_per_s,
        lunch: factor,
        after: 1.0,
        evidence: rest.calls + lunch.calls + known,
    }
}

/// The shape of a day: where its pace differs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Shape {
    /// Lunch begins and ends, s since 1970.
    pub(super) lunch: (f64, f64),
    /// Tickets are given out no longer, s since 1970.
    pub(super) close: f64,
}

impl Shape {
    pub(super) fn is_lunch(&self, at: f64) -> bool {
        self.lunch.0 <= at && at < self.lunch.1
    }

    /// How long it takes from `at` until the pace has made so many calls, s.
    pub(super) fn time_for(&self, calls: f64, at: f64, rate: Rate) -> f64 {
        let mut left = calls;
        let mut from = at;
        for (until, factor) in [(self.lunch.0, 1.0), (self.lunch.1, rate.lunch)] {
            let pace = rate.calls_per_s * factor;
            let made = (until - from).max(0.0) * pace;
            if left <= made {
                return from + left / pace - at;
            }
            left -= made;
            from = from.max(until);
        }
        let made = (self.close - from).max(0.0) * rate.calls_per_s;
        if left > made {
            left = (left - made) / rate.after;
            from = from.max(self.close);
        }
        from + left / rate.calls_per_s - at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Shape = Shape {
        lunch: (1000.0, 2000.0),
        close: 9000.0,
    };

    #[test]
    fn time_runs_slower_across_lunch() {
        let rate = Rate {
            calls_per_s: 0.01,
            lunch: 0.5,
            after: 2.0,
            evidence: 0.0,
        };
        for (calls, at, expected) in [
            (0.0, 0.0, 0.0),
            (5.0, 0.0, 500.0),
            (10.0, 0.0, 1000.0),
            (12.0, 0.0, 1400.0),
            (15.0, 0.0, 2000.0),
            (16.0, 0.0, 2100.0),
            (1.0, 1500.0, 200.0),
            (3.5, 1500.0, 600.0),
            (3.0, 5000.0, 300.0),
            (12.0, 8000.0, 1100.0), // the last two after closing, twice as fast
            (4.0, 9500.0, 200.0),
        ] {
            let time = DAY.time_for(calls, at, rate);
            assert!(
                (time - expected).abs() < 1e-6,
                "{calls} calls from {at}: {time}"
            );
        }
    }

    #[test]
    fn evidence_outweighs_the_prior() {
        let none = rate(
            ServiceRate::default(),
            ServiceRate::default(),
            150.0,
            Outlook::NONE,
        );
        assert!((1.0 / none.calls_per_s - 150.0).abs() < 1e-6);
        assert!((none.lunch - LUNCH_FACTOR).abs() < 1e-9);
        let seen = ServiceRate {
            busy_s: 60_000.0,
            calls: 1000.0,
        };
        let much = rate(seen, ServiceRate::default(), 150.0, Outlook::NONE);
        assert!((1.0 / much.calls_per_s - 60.0).abs() < 2.0);
        let slow = ServiceRate {
            busy_s: 120_000.0,
            calls: 1000.0,
        };
        let lunch = rate(seen, slow, 150.0, Outlook::NONE);
        assert!((lunch.lunch - 0.5).abs() < 0.04, "{}", lunch.lunch);
    }

    #[test]
    fn more_people_mean_a_faster_queue() {
        assert!((demand_interval(0.0, 0.0) - PRIOR_INTERVAL_S).abs() < 1e-9);
        assert!(demand_interval(100.0, 7200.0) < demand_interval(10.0, 7200.0));
    }
}
