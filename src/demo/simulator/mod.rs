//! Six simulated ticketing systems that behave like a recorded day.
//!
//! Pure and driven by events: [`Simulator::step`] is told the time and answers with the messages
//! that are due. The same seed, start and speed give the same messages. Whatever the wall clock
//! says, the first viewer sees a morning in which lines have formed; after closing time everybody
//! is served, and another simulated day begins (in the same real day with the next `epoch`).
//!
//! Simulated time runs `speed` times as fast as real time. Messages carry real times, because
//! nodes refuse times that are a day off: at speed 6 a service of three minutes takes 30 seconds,
//! for a node as for a viewer. Heartbeats come every real minute.
//!
//! A few messages are doubled, late or broken, as on the recorded day.

mod office;
mod plan;
mod queue;
mod unkind;

use crate::model::{Name, OfficeId, QueueId};
use crate::state::QueueSettings;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use office::OfficeSim;
use plan::{BOARD_ORDER, CURTAIN, DAWN, OFFICES, QUEUES};

/// Real time between two heartbeats of a queue, ms (contract's recorded day: one a minute).
const HEARTBEAT_MS: f64 = 60_000.0;

/// Slowest and fastest simulation: a minute a minute, and a day in twelve seconds.
const SPEEDS: (f64, f64) = (1.0, 3600.0);

/// How simulated moments lie in real time.
#[derive(Debug, Clone)]
struct Timeline {
    /// The real moment of `origin`.
    start: Timestamp,
    /// Simulated milliseconds at `start`.
    origin: u64,
    speed: f64,
    zone: TimeZone,
}

impl Timeline {
    fn real(&self, at: u64) -> Timestamp {
        let millis = (to_f64(at) - to_f64(self.origin)) / self.speed;
        // Truncation to whole milliseconds is meant; `as` saturates.
        #[allow(clippy::cast_possible_truncation)]
        let offset = SignedDuration::from_millis(millis as i64);
        self.start.saturating_add(offset).unwrap_or(self.start)
    }

    fn date(&self, at: u64) -> Date {
        self.real(at).to_zoned(self.zone.clone()).date()
    }
}

/// Exact for the millennia a simulation may run.
fn to_f64(millis: u64) -> f64 {
    #[allow(clippy::cast_precision_loss)]
    let millis = millis as f64;
    millis
}

/// What a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The newest state of its queue, with its `seq`.
    State(u64),
    /// The newest state once more.
    Doubled,
    /// An older state, after a newer one.
    Late,
    /// No valid message.
    Broken,
}

/// One message of a ticketing system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Emission {
    pub office: OfficeId,
    pub queue: QueueId,
    pub kind: Kind,
    /// Calls it is the first to tell of; 0 for those from before the first viewer came.
    pub new_calls: u64,
    pub payload: Vec<u8>,
}

/// The six offices.
pub struct Simulator {
    offices: Vec<OfficeSim>,
    timeline: Timeline,
    /// The last payload of each queue of each office.
    last: Vec<Vec<Vec<u8>>>,
    /// Whether the first messages were given out.
    begun: bool,
}

impl Simulator {
    /// Lets the morning pass, so that at `start` lines have formed. `speed` is bounded to 1–3600.
    #[must_use]
    pub fn new(seed: u64, start: Timestamp, speed: f64, zone: &TimeZone) -> Self {
        let speed = if speed.is_nan() {
            1.0
        } else {
            speed.clamp(SPEEDS.0, SPEEDS.1)
        };
        let timeline = Timeline {
            start,
            origin: CURTAIN - DAWN,
            speed,
            zone: zone.clone(),
        };
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // at most 3600 minutes
        let heartbeat = (HEARTBEAT_MS * speed) as u64;
        let mut offices: Vec<_> = OFFICES
            .iter()
            .zip(0u64..)
            .map(|(plan, i)| {
                let seed = seed.wrapping_mul(31).wrapping_add(i);
                OfficeSim::new(plan, seed, heartbeat, &timeline)
            })
            .collect();
        for office in &mut offices {
            while office.next() < timeline.origin {
                office.step(&timeline);
            }
        }
        Self {
            last: vec![vec![Vec::new(); QUEUES.len()]; offices.len()],
            offices,
            timeline,
            begun: false,
        }
    }

    /// The real moment at which [`step`](Self::step) has something to say.
    #[must_use]
    pub fn next_event_at(&self) -> Timestamp {
        if !self.begun {
            return self.timeline.start;
        }
        let next = self.offices.iter().map(OfficeSim::next).min();
        self.timeline.real(next.unwrap_or(u64::MAX))
    }

    /// Gives the messages of everything that happens up to `now`; the first time, the state of
    /// every queue.
    pub fn step(&mut self, now: Timestamp) -> Vec<Emission> {
        let mut out = Vec::new();
        if !self.begun {
            self.begun = true;
            let all = 0..QUEUES.len();
            for office in 0..self.offices.len() {
                for queue in all.clone() {
                    self.emit(office, queue, self.timeline.origin, &mut out);
                }
            }
        }
        loop {
            let next = self
                .offices
                .iter()
                .enumerate()
                .min_by_key(|(_, o)| o.next());
            let Some((office, sim)) = next else { break };
            if self.timeline.real(sim.next()) > now {
                break;
            }
            let (at, changed) = self.offices[office].step(&self.timeline);
            for queue in changed {
                self.emit(office, queue, at, &mut out);
            }
        }
        out
    }

    fn emit(&mut self, office: usize, queue: usize, at: u64, out: &mut Vec<Emission>) {
        let origin = self.timeline.origin;
        let sim = &mut self.offices[office];
        let (seq, payload) = sim.message(queue, at, &self.timeline);
        let new_calls = sim.new_calls(queue);
        let emission = |kind, payload| Emission {
            office: OFFICES[office].office(),
            queue: QUEUES[queue].queue(),
            kind,
            new_calls: match kind {
                Kind::State(_) if at > origin => new_calls,
                _ => 0,
            },
            payload,
        };
        let trouble = unkind::trouble(sim.rng());
        let older = std::mem::replace(&mut self.last[office][queue], payload.clone());
        out.push(emission(Kind::State(seq), payload.clone()));
        match trouble {
            None => {}
            Some(Kind::Late) if older.is_empty() => {}
            Some(Kind::Late) => out.push(emission(Kind::Late, older)),
            Some(Kind::Broken) => {
                let broken = unkind::broken(&payload, sim.rng());
                out.push(emission(Kind::Broken, broken));
            }
            Some(kind) => out.push(emission(kind, payload)),
        }
    }
}

/// The simulated offices with their names, in the order of the page.
#[must_use]
pub fn offices() -> Vec<(OfficeId, Name)> {
    OFFICES.iter().map(|o| (o.office(), o.name())).collect()
}

/// The queues every simulated office has, in the order of its board.
#[must_use]
pub fn queues() -> Vec<QueueSettings> {
    BOARD_ORDER
        .iter()
        .map(|&i| QueueSettings {
            id: QUEUES[i].queue(),
            name: QUEUES[i].name(),
            lane: QUEUES[i].lane,
        })
        .collect()
}

#[cfg(test)]
mod tests;
