//! The predictors of waits that are known from the literature, for comparison.
//!
//! R. Ibrahim and W. Whitt, "Real-Time Delay Estimation Based on Delay History", Manufacturing &
//! Service Operations Management 11(3), 2009, 397-415. Each says one number for somebody who comes
//! now, knowing who was issued and called a ticket before that instant:
//!
//! - LES, last to enter service: the wait of whoever was called last;
//! - HOL, head of the line: how long the one who is next has waited so far, 0 when nobody waits;
//! - QL, queue length: (people waiting + 1) × mean interval between calls, here of the last 16.
//!
//! Before there is a call, or an interval, LES and QL say 0.

use super::Ticket;
use super::tally::ratio;
use crate::model::{OfficeId, QueueId};
use jiff::Timestamp;
use std::collections::{BTreeMap, HashMap};
use std::io;

/// Intervals of which QL takes the mean.
const INTERVALS: usize = 16;

/// What happened to the tickets of one queue.
#[derive(Debug, Default)]
pub(super) struct QueueDay {
    /// People waiting, as the source said last.
    pub(super) waiting: u32,
    /// Issued and called, in the order of the calls.
    tickets: Vec<(Timestamp, Timestamp)>,
    /// The same by label, which may come again within a day.
    by_label: HashMap<String, Vec<(Timestamp, Timestamp)>>,
}

impl QueueDay {
    /// When a ticket that waits now is called.
    pub(super) fn called(&self, label: &str, now: Timestamp) -> Option<Timestamp> {
        let tickets = self.by_label.get(label)?;
        let waits = |t: &&(Timestamp, Timestamp)| t.0 <= now && now <= t.1;
        tickets.iter().find(waits).map(|(_, called)| *called)
    }

    /// Those called before now, in the order of their calls.
    fn before(&self, now: Timestamp) -> &[(Timestamp, Timestamp)] {
        let n = self.tickets.partition_point(|(_, called)| *called < now);
        self.tickets.get(..n).unwrap_or_default()
    }

    fn last_to_enter_service(&self, now: Timestamp) -> f64 {
        let last = self.before(now).last();
        last.map_or(0.0, |(issued, called)| seconds(*issued, *called))
    }

    fn head_of_the_line(&self, now: Timestamp) -> f64 {
        let waits = self.tickets.iter().skip(self.before(now).len());
        let issued = waits.map(|(issued, _)| *issued).filter(|i| *i < now).min();
        issued.map_or(0.0, |issued| seconds(issued, now))
    }

    fn queue_length(&self, now: Timestamp) -> f64 {
        let before = self.before(now);
        let newest = &before[before.len().saturating_sub(INTERVALS + 1)..];
        let (Some((_, first)), Some((_, last))) = (newest.first(), newest.last()) else {
            return 0.0;
        };
        // At most 16.
        let intervals = newest.len().saturating_sub(1).max(1) as f64;
        (f64::from(self.waiting) + 1.0) * seconds(*first, *last) / intervals
    }
}

fn seconds(from: Timestamp, to: Timestamp) -> f64 {
    to.duration_since(from).as_secs_f64()
}

/// What happened to all tickets, by office and queue.
#[derive(Debug, Default)]
pub(super) struct Served(BTreeMap<(OfficeId, QueueId), QueueDay>);

impl Served {
    pub(super) fn new(tickets: &[Ticket]) -> Self {
        let mut served = Self::default();
        for ticket in tickets {
            let key = (ticket.office.clone(), ticket.queue.clone());
            let day = served.0.entry(key).or_default();
            let times = (ticket.issued, ticket.called);
            day.tickets.push(times);
            day.by_label
                .entry(ticket.label.clone())
                .or_default()
                .push(times);
        }
        for day in served.0.values_mut() {
            day.tickets.sort_by_key(|(_, called)| *called);
        }
        served
    }

    pub(super) fn queue(&self, key: &(OfficeId, QueueId)) -> Option<&QueueDay> {
        self.0.get(key)
    }

    pub(super) fn queue_mut(
        &mut self,
        office: &OfficeId,
        queue: &QueueId,
    ) -> Option<&mut QueueDay> {
        self.0.get_mut(&(office.clone(), queue.clone()))
    }
}

/// How far the known predictors were off.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Known {
    n: u32,
    wait_s: f64,
    /// LES, HOL, QL.
    error_s: [f64; 3],
}

impl Known {
    /// What each row is called.
    pub const NAMES: [&str; 3] = [
        "last to enter service (LES)",
        "head of the line (HOL)",
        "(waiting + 1) x 16 intervals",
    ];

    /// Adds a ticket that was issued now and waited so long.
    pub(super) fn add(&mut self, queue: &QueueDay, now: Timestamp, wait_s: f64) {
        self.n += 1;
        self.wait_s += wait_s;
        let said = [
            queue.last_to_enter_service(now),
            queue.head_of_the_line(now),
            queue.queue_length(now),
        ];
        for (error, said) in self.error_s.iter_mut().zip(said) {
            *error += (said - wait_s).abs();
        }
    }

    /// Mean absolute error ÷ mean wait of each, in the order of [`NAMES`](Self::NAMES).
    #[must_use]
    pub fn mae_ratios(&self) -> [f64; 3] {
        self.error_s.map(|error| ratio(error, self.wait_s))
    }

    pub(super) fn write(&self, out: &mut dyn io::Write) -> io::Result<()> {
        writeln!(
            out,
            "{:<32} {:>6} {:>9}",
            "known predictor", "n", "mae_ratio"
        )?;
        for (name, ratio) in Self::NAMES.iter().zip(self.mae_ratios()) {
            writeln!(out, "{name:<32} {:>6} {ratio:>9.3}", self.n)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("time")
    }

    fn queue(tickets: &[(i64, i64)], waiting: u32) -> QueueDay {
        QueueDay {
            waiting,
            tickets: tickets.iter().map(|(i, c)| (at(*i), at(*c))).collect(),
            by_label: HashMap::new(),
        }
    }

    #[test]
    fn predictors_say_what_their_authors_defined() {
        // Issued, called; at 1000 the first three were called, two wait, one comes later.
        let day = queue(
            &[
                (0, 100),
                (50, 400),
                (90, 900),
                (500, 1000),
                (600, 1500),
                (1100, 1600),
            ],
            2,
        );
        let now = at(1000);
        assert_eq!(day.last_to_enter_service(now), 810.0);
        assert_eq!(day.head_of_the_line(now), 500.0);
        assert_eq!(day.queue_length(now), 3.0 * 400.0);
        let nobody = queue(&[], 0);
        assert_eq!(nobody.last_to_enter_service(now), 0.0);
        assert_eq!(nobody.head_of_the_line(now), 0.0);
        assert_eq!(nobody.queue_length(now), 0.0);
    }

    #[test]
    fn only_the_last_sixteen_intervals_count() {
        // Slow at first, then every 10 s.
        let mut tickets: Vec<(i64, i64)> = (0..5).map(|i| (0, 1000 * i)).collect();
        tickets.extend((1..=16).map(|i| (0, 4000 + 10 * i)));
        assert_eq!(queue(&tickets, 4).queue_length(at(5000)), 50.0);
    }

    #[test]
    fn a_label_that_comes_again_is_the_one_that_waits() {
        let mut day = queue(&[], 0);
        let again = vec![(at(0), at(100)), (at(200), at(300))];
        day.by_label.insert("A001".into(), again);
        assert_eq!(day.called("A001", at(50)), Some(at(100)));
        assert_eq!(day.called("A001", at(250)), Some(at(300)));
        assert_eq!(day.called("A001", at(150)), None, "called already");
    }
}
