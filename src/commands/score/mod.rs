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
//!
//! Besides: what was left to wait for everybody listed as next, at every message, by the rule of "my
//! number" and in bands by how long it was in truth; and what the predictors that are known from the
//! literature would have said for the same tickets at the same moments (`known`).

mod known;
mod tally;

pub use known::Known;
pub use tally::{BANDS_S, Band, Remaining, Tally};

use crate::clock::Now;
use crate::feed::recording::Recording;
use crate::model::{Lane, Name, OfficeId, QueueId, QueueNow, QueueState, Source};
use crate::state::{Office, QueueSettings, Settings};
use crate::wire::feed::FeedMessage;
use crate::wire::topic::{DEFAULT_ROOT, Topic};
use anyhow::Context;
use jiff::Timestamp;
use known::Served;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;

/// What happened to one ticket.
#[derive(Debug, Clone)]
struct Ticket {
    office: OfficeId,
    queue: QueueId,
    label: String,
    issued: Timestamp,
    called: Timestamp,
}

/// A row of the file of tickets; other columns are not needed.
#[derive(Debug, Deserialize)]
struct Row {
    office: String,
    queue: String,
    ticket: String,
    issued: String,
    called: String,
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
    /// What was left to wait at every message.
    pub remaining: Remaining,
    /// What the known predictors said.
    pub known: Known,
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
        self.write_remaining(out)?;
        self.known.write(out)?;
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

    fn write_remaining(&self, out: &mut dyn io::Write) -> io::Result<()> {
        writeln!(
            out,
            "{:<32} {:>8} {:>7} {:>7}",
            "left to wait", "n", "below", "above"
        )?;
        let begins = [0].into_iter().chain(BANDS_S);
        for (begin, (end, band)) in begins.zip(BANDS_S.iter().zip(&self.remaining.0)) {
            let name = match *end {
                u32::MAX => format!("{} min and more", begin / 60),
                end => format!("{}-{} min", begin / 60, end / 60),
            };
            let (below, above) = (band.below(), band.above());
            writeln!(out, "{name:<32} {:>8} {below:>7.3} {above:>7.3}", band.n)?;
        }
        Ok(())
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
    let mut replay = Replay {
        offices: offices_of(recording)?,
        served: Served::new(&tickets),
        score,
    };
    let mut tickets = tickets.into_iter().peekable();
    for line in Recording::open(recording)? {
        let line = line?;
        while let Some(ticket) = tickets.next_if(|t| t.issued <= line.at.at) {
            replay.record_prediction(&ticket);
        }
        let Some(Topic::Feed(office, queue)) = Topic::parse(DEFAULT_ROOT, &line.topic) else {
            continue;
        };
        match FeedMessage::decode(&line.payload.bytes()) {
            Ok(message) => replay.apply(&office, &queue, message.into(), Now::at(line.at.at)),
            Err(_) => replay.score.broken += 1,
        }
    }
    for ticket in tickets {
        replay.record_prediction(&ticket);
    }
    Ok(replay.score)
}

/// A day being replayed.
struct Replay {
    offices: BTreeMap<OfficeId, Office>,
    served: Served,
    score: Score,
}

impl Replay {
    /// Compares what is told now with what happened to a ticket.
    fn record_prediction(&mut self, ticket: &Ticket) {
        let now = Now::at(ticket.issued);
        let office = self.offices.get(&ticket.office);
        let prediction = office.and_then(|office| office.wait(&ticket.queue, now));
        let wait_s = ticket.called.duration_since(ticket.issued).as_secs_f64();
        let key = (ticket.office.clone(), ticket.queue.clone());
        if let Some(queue) = self.served.queue(&key) {
            self.score.known.add(queue, ticket.issued, wait_s);
        }
        self.score
            .queues
            .entry(key)
            .or_default()
            .add(prediction, wait_s);
    }

    /// Applies a message, and compares what everybody it lists would be told with what happened.
    fn apply(&mut self, office: &OfficeId, queue: &QueueId, state: QueueState, now: Now) {
        let Some(known) = self.offices.get_mut(office) else {
            return;
        };
        let line = QueueNow::new(
            state.status,
            state.waiting.unwrap_or(0),
            !state.calls.is_empty(),
        );
        let next = state.next.clone();
        // Late and doubled ones are refused and change nothing, as at a node.
        if known.apply(queue, state, Source::Feed, now).is_err() {
            return;
        }
        let wait = known.wait(queue, now);
        let Some(served) = self.served.queue_mut(office, queue) else {
            return;
        };
        served.waiting = line.waiting;
        let Some(wait) = wait else { return };
        for (ahead, label) in next.iter().enumerate() {
            if let Some(called) = served.called(label.as_str(), now.wall) {
                let left_s = called.duration_since(now.wall).as_secs_f64();
                let prediction = wait.remaining(ahead, &line);
                self.score.remaining.add(prediction, left_s);
            }
        }
    }
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
            label: row.ticket,
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
    use crate::model::WaitRange;

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
