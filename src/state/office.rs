//! The truth of one office: applies messages, finds new calls, notices gaps and restarts.

use super::kept::{Kept, KeptQueue};
use super::log::Log;
use super::wait::{Learnt, WaitEstimator, WaitSettings};
use super::{LoggedCall, Phase, QueueSettings, QueueView, Reading, Settings, Snapshot};
use crate::clock::Now;
use crate::model::{Call, QueueId, QueueState, Source, Status, WaitRange};
use jiff::{Timestamp, ToSpan, civil::Date};
use std::time::Duration;

/// A time further off than this is no time of today (contract, "Limits": a day).
const MAX_TIME_OFF: Duration = Duration::from_secs(24 * 3600);

/// Why a message changed nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The same message was applied already.
    #[error("doubled message, seq {0}")]
    Doubled(u64),
    /// A newer message was applied already.
    #[error("late message, seq {seq} of {day}")]
    Late {
        /// Its sequence number.
        seq: u64,
        /// Its day.
        day: Date,
    },
    /// The queue is not configured.
    #[error("queue {0} is not in the configuration")]
    UnknownQueue(QueueId),
    /// A time lies more than a day off.
    #[error("at {path}: {at} is more than a day off")]
    TimeOff {
        /// Which field.
        path: &'static str,
        /// What it said.
        at: Timestamp,
    },
    /// The business day does not fit the message's own time.
    #[error("at day: {day} is not the business day of a message made on {made}")]
    DayOff {
        /// What it said.
        day: Date,
        /// Local date of `at`.
        made: Date,
    },
}

/// What an accepted message changed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changes {
    /// Calls seen for the first time, oldest first; also in the snapshot's log.
    pub calls: Vec<LoggedCall>,
    /// Calls that the source made and no message told of: lost for good.
    pub lost: u64,
    /// Whether this message began a new business day.
    pub new_day: bool,
    /// Whether the source restarted its count without saying so.
    pub restart_unsaid: bool,
}

/// What happened to messages since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Messages applied.
    pub applied: u64,
    /// Messages older than the newest.
    pub late: u64,
    /// Messages applied before.
    pub doubled: u64,
    /// Messages refused for their content.
    pub refused: u64,
    /// Calls seen for the first time.
    pub calls: u64,
    /// Calls that no message told of.
    pub lost_calls: u64,
    /// Restarts of a source that it did not tell.
    pub restarts_unsaid: u64,
}

#[derive(Debug, Clone)]
struct Queue {
    settings: QueueSettings,
    reading: Option<Reading>,
    /// Highest `no` seen in the current day and epoch.
    last_no: u64,
}

/// The state of all queues of an office.
#[derive(Debug, Clone)]
pub struct Office {
    settings: Settings,
    queues: Vec<Queue>,
    log: Log,
    /// Monotonic moment at which the line to the source went down; `None` while it is up.
    line_down: Option<Duration>,
    counts: Counts,
    waits: WaitEstimator,
}

impl Office {
    /// An office that has heard nothing yet.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        let queue = |settings: &QueueSettings| Queue {
            settings: settings.clone(),
            reading: None,
            last_no: 0,
        };
        let waits = WaitEstimator::new(WaitSettings {
            hours: settings.hours,
            ..WaitSettings::new(settings.zone.clone())
        });
        Self {
            waits,
            queues: settings.queues.iter().map(queue).collect(),
            settings,
            log: Log::default(),
            line_down: None,
            counts: Counts::default(),
        }
    }

    /// Applies one message of a source.
    ///
    /// # Errors
    /// [`Refusal`] when it changes nothing: late, doubled, unknown queue, or wrong in time.
    pub fn apply(
        &mut self,
        queue: &QueueId,
        state: QueueState,
        source: Source,
        now: Now,
    ) -> Result<Changes, Refusal> {
        let result = self.try_apply(queue, state, source, now);
        match &result {
            Ok(changes) => {
                self.counts.applied += 1;
                self.counts.calls += changes.calls.len() as u64;
                self.counts.lost_calls += changes.lost;
                self.counts.restarts_unsaid += u64::from(changes.restart_unsaid);
            }
            Err(Refusal::Doubled(_)) => self.counts.doubled += 1,
            Err(Refusal::Late { .. }) => self.counts.late += 1,
            Err(_) => self.counts.refused += 1,
        }
        result
    }

    fn try_apply(
        &mut self,
        id: &QueueId,
        state: QueueState,
        source: Source,
        now: Now,
    ) -> Result<Changes, Refusal> {
        let queue = self
            .queues
            .iter_mut()
            .find(|q| q.settings.id == *id)
            .ok_or_else(|| Refusal::UnknownQueue(id.clone()))?;
        check_times(&state, &self.settings, now)?;
        let admitted = queue.admit(&state);
        if matches!(admitted, Err(Refusal::Doubled(_))) && queue.confirm(&state, now) {
            self.waits.observe(id, &state, now);
        }
        let mut changes = admitted?;
        let (epoch, unsaid) = queue.epoch_of(&state);
        changes.restart_unsaid = unsaid;
        let same_series = queue
            .reading
            .as_ref()
            .is_some_and(|r| r.state.day == state.day && r.epoch == epoch);
        if !same_series {
            queue.last_no = 0;
        }
        let unseen = new_calls(&state.calls, queue.last_no);
        // Before the first message there is nothing to miss: what was called before this process
        // started is not lost by it.
        if queue.reading.is_some() {
            let made = state
                .calls
                .first()
                .map_or(0, |c| c.no.saturating_sub(queue.last_no));
            changes.lost = made.saturating_sub(unseen.len() as u64);
        }
        for call in unseen {
            queue.last_no = queue.last_no.max(call.no);
            let announce = call_age(call, &state, now) <= self.settings.old_call_after;
            let logged = self.log.push(LoggedCall {
                index: 0, // the log gives it one
                queue: id.clone(),
                day: state.day,
                epoch,
                announce,
                call: call.clone(),
                heard: now.mono,
            });
            changes.calls.push(logged);
        }
        self.waits.observe(id, &state, now);
        queue.reading = Some(Reading {
            epoch,
            source,
            heard: Some(now.mono),
            age_at_arrival: age_at_arrival(&state, now),
            state,
        });
        Ok(changes)
    }

    /// Notes whether the line to the source is up.
    pub fn line(&mut self, up: bool, now: Now) {
        self.line_down = match (up, self.line_down) {
            (true, _) => None,
            (false, since @ Some(_)) => since,
            (false, None) => Some(now.mono),
        };
    }

    /// What has to be kept so that a restart neither forgets nor repeats. `shown` is the index of the
    /// newest call that every board has shown for its time, with all before it.
    #[must_use]
    pub fn keep(&self, shown: u64) -> Kept {
        let kept = |queue: &Queue| {
            let reading = queue.reading.as_ref()?;
            Some(KeptQueue {
                queue: queue.settings.id.clone(),
                state: reading.state.clone(),
                epoch: reading.epoch,
                source: reading.source,
                last_no: queue.last_no,
            })
        };
        Kept {
            queues: self.queues.iter().filter_map(kept).collect(),
            calls: self.log.keep(shown),
        }
    }

    /// Takes back what was kept: numbers are shown with their time, never as fresh; a call that was
    /// cut short stands out again while it is new. Without a believable clock none is known to be
    /// new. Queues that are no longer configured, and those already heard, are left alone.
    pub fn restore(&mut self, kept: Kept, now: Now) {
        for kept in kept.calls {
            let new = now.synced && older(kept.call.at, now.wall) <= self.settings.old_call_after;
            self.log.push(LoggedCall {
                index: 0, // the log gives it one
                queue: kept.queue,
                day: kept.day,
                epoch: kept.epoch,
                call: kept.call,
                announce: new && !kept.shown,
                heard: now.mono,
            });
        }
        for kept in kept.queues {
            let known = |q: &&mut Queue| q.settings.id == kept.queue && q.reading.is_none();
            if let Some(queue) = self.queues.iter_mut().find(known) {
                queue.last_no = kept.last_no;
                queue.reading = Some(Reading {
                    state: kept.state,
                    epoch: kept.epoch,
                    source: kept.source,
                    heard: None,
                    age_at_arrival: Duration::ZERO,
                });
            }
        }
    }

    /// What the waits of earlier days and of today taught.
    #[must_use]
    pub fn learnt(&self) -> Learnt {
        self.waits.learnt()
    }

    /// Takes back what was learnt. To be called before the first message.
    pub fn resume(&mut self, learnt: Learnt) {
        self.waits.resume(learnt);
    }

    /// Counts since the start.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Everything at one moment.
    #[must_use]
    pub fn snapshot(&self, now: Now) -> Snapshot {
        let today = now.wall.to_zoned(self.settings.zone.clone()).date();
        Snapshot {
            queues: self
                .queues
                .iter()
                .map(|q| self.view(q, today, now))
                .collect(),
            log: self.log.to_vec(),
            issues: Vec::new(),
            today,
            zone: self.settings.zone.clone(),
        }
    }

    /// The wait of somebody who takes a ticket of this queue now: the source's own, else the
    /// estimate; `None` for an unknown queue and where nothing can be told.
    #[must_use]
    pub fn wait(&self, id: &QueueId, now: Now) -> Option<WaitRange> {
        let today = now.wall.to_zoned(self.settings.zone.clone()).date();
        let queue = self.queues.iter().find(|q| q.settings.id == *id)?;
        self.view(queue, today, now).wait
    }

    fn wait_of(&self, queue: &Queue, phase: Phase, now: Now) -> Option<WaitRange> {
        let Phase::Today(status) = phase else {
            return None;
        };
        let told = queue.reading.as_ref().and_then(|r| r.state.wait);
        told.filter(|_| status == Status::Open)
            .or_else(|| self.waits.estimate(&queue.settings.id, now))
    }

    fn view(&self, queue: &Queue, today: Date, now: Now) -> QueueView {
        // A camera needs no broker.
        let filmed = queue
            .reading
            .as_ref()
            .is_some_and(|r| r.source == Source::Camera);
        let line = filmed
            || self
                .line_down
                .is_none_or(|d| now.since(d) <= self.settings.line_grace);
        let age = queue.reading.as_ref().and_then(|r| r.age(now));
        let fresh = line && age.is_some_and(|age| age <= self.settings.stale_after);
        let phase = match &queue.reading {
            None => Phase::Unknown,
            // Past midnight a source may still serve those of yesterday: believed while it speaks.
            Some(r)
                if now.synced
                    && r.state.day < today
                    && !(fresh && r.state.status != Status::Closed) =>
            {
                Phase::NotOpenYet
            }
            Some(r) => Phase::Today(r.state.status),
        };
        QueueView {
            settings: queue.settings.clone(),
            phase,
            fresh,
            wait: self.wait_of(queue, phase, now),
            reading: queue.reading.clone(),
        }
    }
}

impl Queue {
    /// Whether a message is newer than the last one.
    fn admit(&self, state: &QueueState) -> Result<Changes, Refusal> {
        let mut changes = Changes::default();
        if let Some(Reading { state: last, .. }) = &self.reading {
            if (state.day, state.seq) == (last.day, last.seq) {
                return Err(Refusal::Doubled(state.seq));
            }
            if (state.day, state.seq) < (last.day, last.seq) {
                return Err(Refusal::Late {
                    seq: state.seq,
                    day: state.day,
                });
            }
            changes.new_day = state.day > last.day;
        }
        Ok(changes)
    }

    /// Takes the source's word for numbers that were kept through a restart: the same message,
    /// which the broker kept, makes them heard, with the age that they have. Whether it did.
    fn confirm(&mut self, state: &QueueState, now: Now) -> bool {
        match &mut self.reading {
            Some(reading) if reading.heard.is_none() && reading.state == *state => {
                reading.heard = Some(now.mono);
                reading.age_at_arrival = age_at_arrival(state, now);
                true
            }
            _ => false,
        }
    }

    /// The epoch of a newer message as this node counts it, and whether the source restarted
    /// without saying so: its newest `no` fell, or a `no` now names another ticket.
    fn epoch_of(&self, state: &QueueState) -> (u32, bool) {
        let Some(Reading {
            state: last, epoch, ..
        }) = &self.reading
        else {
            return (state.epoch, false);
        };
        if last.day != state.day {
            return (state.epoch, false);
        }
        if state.epoch > last.epoch {
            return (epoch.saturating_add(state.epoch - last.epoch), false);
        }
        let fell = state.calls.first().is_some_and(|c| c.no < self.last_no);
        let renamed = state.calls.iter().any(|c| {
            last.calls
                .iter()
                .any(|l| l.no == c.no && l.ticket != c.ticket)
        });
        if fell || renamed {
            (epoch.saturating_add(1), true)
        } else {
            (*epoch, false)
        }
    }
}

/// The calls above `last_no`, oldest first.
fn new_calls(calls: &[Call], last_no: u64) -> Vec<&Call> {
    calls.iter().rev().filter(|c| c.no > last_no).collect()
}

/// How old a message is when it arrives; unknown is taken for new while the clock is unknown.
fn age_at_arrival(state: &QueueState, now: Now) -> Duration {
    if now.synced {
        older(state.at, now.wall)
    } else {
        Duration::ZERO
    }
}

fn older(then: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(then)).unwrap_or(Duration::ZERO)
}

/// How old a call is when first seen. Without a believable clock only the message's own time can
/// be asked.
fn call_age(call: &Call, state: &QueueState, now: Now) -> Duration {
    older(call.at, if now.synced { now.wall } else { state.at })
}

fn check_times(state: &QueueState, settings: &Settings, now: Now) -> Result<(), Refusal> {
    if now.synced {
        let off = |at: Timestamp| at.duration_since(now.wall).unsigned_abs() > MAX_TIME_OFF;
        if off(state.at) {
            return Err(Refusal::TimeOff {
                path: "at",
                at: state.at,
            });
        }
        if let Some(call) = state.calls.iter().find(|c| off(c.at)) {
            return Err(Refusal::TimeOff {
                path: "calls",
                at: call.at,
            });
        }
    }
    // Business may run past midnight, so the day before is possible; a day ahead never is, and
    // believing one would shut out every message of today.
    let made = state.at.to_zoned(settings.zone.clone()).date();
    let yesterday = made.checked_sub(1.day()).unwrap_or(made);
    if state.day > made || state.day < yesterday {
        return Err(Refusal::DayOff {
            day: state.day,
            made,
        });
    }
    Ok(())
}
