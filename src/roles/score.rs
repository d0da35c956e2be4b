//! `yobiban score`: how good the wait ranges are, against what happened.
//!
//! A recorded day is replayed through the state of each office with the defaults of the contract.
//! For every ticket, what was told when it was issued is the range of the state after all messages
//! that arrived *before* that instant: the message that first counts this person as waiting carries
//! the same instant and is not yet applied, so nobody is counted twice.
//!
//! What the figures mean:
//! - the true wait is issued → called, whether or not the person came (a no-show was called);
//! - tickets never called are left out, and counted;
//! - `mae_ratio` is the mean distance of the range's middle from the true wait ÷ the mean wait;
//! - `inside` is the share with low ≤ wait ≤ high, `above` the share that waited longer than high,
//!   in whole seconds as told;
//! - a ticket for which nothing was told (`untold`) is not inside, and its whole wait is its error.

use crate::clock::Now;
use crate::feed::recording::Recording;
use crate::model::{Lane, Name, OfficeId, QueueId, QueueState, Source, WaitRange};
use crate::state::{Office, QueueSettings, Settings};
use crate::wire::feed::FeedMessage;
use crate::wire::topic::{DEFAULT_ROOT, Topic};
use anyhow::Context;
use jiff::Timestamp;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;

/// What happened to one ticket.
#[derive(Debug, Clone)]
struct Ticket {
    office: OfficeId,
    queue: QueueId,
    issued: Timestamp,
    called: Timestamp,
}

/// A row of the file of tickets; other columns are not needed.
#[derive(Debug, Deserialize)]
struct Row {
    office: String,
    queue: String,
    issued: String,
    called: String,
}

/// Sums over some tickets.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Tally {
    /// Tickets that were called.
    pub n: u32,
    /// Of these, tickets for which nothing was told.
    pub untold: u32,
    inside: u32,
    above: u32,
    wait_s: f64,
    error_s: f64,
}

impl Tally {
    /// Adds a ticket that was told a range and waited `wait_s` seconds.
    pub fn add(&mut self, told: Option<WaitRange>, wait_s: f64) {
        self.n += 1;
        self.wait_s += wait_s;
        let Some(told) = told else {
            self.untold += 1;
            self.error_s += wait_s;
            return;
        };
        self.error_s += (told.middle() - wait_s).abs();
        let wait = wait_s.round();
        if wait > f64::from(told.high()) {
            self.above += 1;
        } else if wait >= f64::from(told.low()) {
            self.inside += 1;
        }
    }

    fn join(&mut self, other: &Self) {
        self.n += other.n;
        self.untold += other.untold;
        self.inside += other.inside;
        self.above += other.above;
        self.wait_s += other.wait_s;
        self.error_s += other.error_s;
    }

    /// Mean true wait, s; 0 without a ticket.
    #[must_use]
    pub fn mean_wait_s(&self) -> f64 {
        ratio(self.wait_s, f64::from(self.n))
    }

    /// Mean absolute error of the middle, s; 0 without a ticket.
    #[must_use]
    pub fn mae_s(&self) -> f64 {
        ratio(self.error_s, f64::from(self.n))
    }

    /// Mean absolute error ÷ mean wait; 0 when nobody waited.
    #[must_use]
    pub fn mae_ratio(&self) -> f64 {
        ratio(self.error_s, self.wait_s)
    }

    /// Share of the true waits inside the range, 0 to 1.
    #[must_use]
    pub fn inside(&self) -> f64 {
        ratio(f64::from(self.inside), f64::from(self.n))
    }

    /// Share of the true waits above the range, 0 to 1.
    #[must_use]
    pub fn above(&self) -> f64 {
        ratio(f64::from(self.above), f64::from(self.n))
    }
}

fn ratio(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

/// The score of a day.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Score {
    /// By office and queue.
    pub queues: BTreeMap<(OfficeId, QueueId), Tally>,
    /// Tickets left out because they were never called.
    pub never_called: u32,
    /// Recorded lines that are no feed message.
    pub broken: u32,
}

impl Score {
    /// All queues together.
    #[must_use]
    pub fn total(&self) -> Tally {
        let mut total = Tally::default();
        for tally in self.queues.values() {
            total.join(tally);
        }
        total
    }

    /// Writes a row a queue, what was left out, and the total as the last line.
    ///
    /// # Errors
    /// Whatever writing to `out` gives.
    pub fn write(&self, out: &mut dyn io::Write) -> io::Result<()> {
        writeln!(
            out,
            "{:<32} {:>6} {:>11} {:>8} {:>9} {:>7} {:>7} {:>7}",
            "queue", "n", "mean_wait_s", "mae_s", "mae_ratio", "inside", "above", "untold"
        )?;
        for ((office, queue), tally) in &self.queues {
            writeln!(
                out,
                "{:<32} {:>6} {:>11.0} {:>8.0} {:>9.3} {:>7.3} {:>7.3} {:>7}",
                format!("{office}/{queue}"),
                tally.n,
                tally.mean_wait_s(),
                tally.mae_s(),
                tally.mae_ratio(),
                tally.inside(),
                tally.above(),
                tally.untold
            )?;
        }
        let total = self.total();
        writeln!(
            out,
            "left out: {} tickets never called, {} broken lines; untold: {} tickets",
            self.never_called, self.broken, total.untold
        )?;
        writeln!(
            out,
            "total n={} mean_wait_s={:.0} mae_ratio={:.3} inside={:.3} above={:.3}",
            total.n,
            total.mean_wait_s(),
            total.mae_ratio(),
            total.inside(),
            total.above()
        )
    }
}

/// Scores a recording against its tickets and prints the result.
///
/// # Errors
/// When a file cannot be read or is not what it should be, or `out` cannot be written.
pub fn run(recording: &Path, tickets: &Path, out: &mut dyn io::Write) -> anyhow::Result<()> {
    score(recording, tickets)?
        .write(out)
        .context("cannot write the score")
}

/// Scores a recording against its tickets.
///
/// # Errors
/// When a file cannot be read or is not what it should be.
pub fn score(recording: &Path, tickets: &Path) -> anyhow::Result<Score> {
    let mut score = Score::default();
    let tickets = read_tickets(tickets, &mut score)?;
    let mut offices = offices_of(recording)?;
    let mut tickets = tickets.into_iter().peekable();
    for line in Recording::open(recording)? {
        let line = line?;
        while let Some(ticket) = tickets.next_if(|t| t.issued <= line.at.at) {
            tell(&offices, &ticket, &mut score);
        }
        let Some(Topic::Feed(office, queue)) = Topic::parse(DEFAULT_ROOT, &line.topic) else {
            continue;
        };
        let Ok(message) = FeedMessage::decode(&line.payload.bytes()) else {
            score.broken += 1;
            continue;
        };
        if let Some(office) = offices.get_mut(&office) {
            // Late and doubled ones are refused and change nothing, as at a node.
            let _ = office.apply(
                &queue,
                QueueState::from(message),
                Source::Feed,
                Now::at(line.at.at),
            );
        }
    }
    for ticket in tickets {
        tell(&offices, &ticket, &mut score);
    }
    Ok(score)
}

/// Compares what is told now with what happened to a ticket.
fn tell(offices: &BTreeMap<OfficeId, Office>, ticket: &Ticket, score: &mut Score) {
    let now = Now::at(ticket.issued);
    let told = offices
        .get(&ticket.office)
        .and_then(|office| office.wait(&ticket.queue, now));
    let wait_s = ticket.called.duration_since(ticket.issued).as_secs_f64();
    let key = (ticket.office.clone(), ticket.queue.clone());
    score.queues.entry(key).or_default().add(told, wait_s);
}

/// The tickets that were called, in the order in which they were issued.
fn read_tickets(path: &Path, score: &mut Score) -> anyhow::Result<Vec<Ticket>> {
    let mut file = csv::Reader::from_path(path)
        .with_context(|| format!("cannot open tickets {}", path.display()))?;
    let mut tickets = Vec::new();
    for (i, row) in file.deserialize::<Row>().enumerate() {
        // The header is line 1.
        let place = || format!("row {} of {}", i + 2, path.display());
        let row = row.with_context(place)?;
        if row.called.is_empty() {
            score.never_called += 1;
            continue;
        }
        tickets.push(Ticket {
            office: OfficeId::new(&row.office).with_context(place)?,
            queue: QueueId::new(&row.queue).with_context(place)?,
            issued: row.issued.parse().with_context(place)?,
            called: row.called.parse().with_context(place)?,
        });
    }
    tickets.sort_by_key(|t| t.issued);
    Ok(tickets)
}

/// The offices of a recording, each with the queues that it ever speaks of.
fn offices_of(recording: &Path) -> anyhow::Result<BTreeMap<OfficeId, Office>> {
    let mut found = BTreeMap::<OfficeId, BTreeSet<QueueId>>::new();
    for line in Recording::open(recording)? {
        if let Some(Topic::Feed(office, queue)) = Topic::parse(DEFAULT_ROOT, &line?.topic) {
            found.entry(office).or_default().insert(queue);
        }
    }
    let office = |queues: BTreeSet<QueueId>| {
        let settings = |id: QueueId| QueueSettings {
            name: Name::new([("en", id.as_str())]),
            id,
            lane: Lane::Standard,
        };
        Office::new(Settings::new(queues.into_iter().map(settings).collect()))
    };
    Ok(found
        .into_iter()
        .map(|(id, queues)| (id, office(queues)))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tallies_count_what_they_say() {
        let range = |low, high| WaitRange::new(low, high).expect("range");
        let mut tally = Tally::default();
        for (told, wait) in [
            (Some(range(100, 300)), 200.0), // exact
            (Some(range(100, 300)), 300.4), // inside in whole seconds
            (Some(range(100, 300)), 400.0), // above
            (Some(range(100, 300)), 0.0),   // below
            (None, 100.0),
        ] {
            tally.add(told, wait);
        }
        assert_eq!((tally.n, tally.untold), (5, 1));
        assert!((tally.inside() - 0.4).abs() < 1e-9);
        assert!((tally.above() - 0.2).abs() < 1e-9);
        assert!((tally.mean_wait_s() - 200.08).abs() < 1e-9);
        assert!((tally.mae_s() - 120.08).abs() < 1e-9);
    }

    #[test]
    fn the_last_line_has_the_form_of_the_contract() {
        let mut score = Score::default();
        let key = (
            OfficeId::new("chuo").expect("id"),
            QueueId::new("a").expect("id"),
        );
        score
            .queues
            .entry(key)
            .or_default()
            .add(WaitRange::new(0, 60).ok(), 40.0);
        let mut out = Vec::new();
        score.write(&mut out).expect("memory");
        let text = String::from_utf8(out).expect("text");
        assert_eq!(
            text.lines().last(),
            Some("total n=1 mean_wait_s=40 mae_ratio=0.250 inside=1.000 above=0.000")
        );
    }
}
