//! The truth of one office: applies messages, finds new calls, notices gaps and restarts.

use super::arrival::Arrival;
use super::log::CallLog;
use super::queue::{Queue, call_age};
use super::saved::{SavedQueue, SavedState};
use super::times::{age, date, goes_on, horizon};
use super::wait::{WaitEstimator, WaitHistory, WaitSettings};
use super::{LoggedCall, Phase, QueueView, Reading, Rejection, Settings, Snapshot};
use crate::clock::Now;
use crate::model::{Intervals, QueueId, QueueState, Status, WaitRange};
use jiff::civil::Date;
use std::time::Duration;

/// What an accepted message changed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changes {
    /// Calls seen for the first time, oldest first; also in the snapshot's log.
    pub calls: Vec<LoggedCall>,
    /// Calls that the source made and no message told of: lost for good.
    pub missed: u64,
    /// Whether this message began a new business day.
    pub new_day: bool,
    /// Whether the source restarted its count without saying so.
    pub source_reset_undeclared: bool,
    /// Whether the source's business day changed while its calls went on: its midnight is not the
    /// office's.
    pub flipped: bool,
    /// Whether an earlier message was given up for this one, because its source went on saying
    /// otherwise.
    pub corrected: bool,
}

/// What happened to messages since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Messages applied.
    pub applied: u64,
    /// Messages older than the newest.
    pub late: u64,
    /// Messages applied before.
    pub duplicate: u64,
    /// Messages refused for their content.
    pub rejected: u64,
    /// Calls seen for the first time.
    pub calls: u64,
    /// Calls that no message told of.
    pub missed_calls: u64,
    /// Restarts of a source that it did not tell.
    pub source_resets: u64,
}

/// The state of all queues of an office.
#[derive(Debug, Clone)]
pub struct Office {
    settings: Settings,
    queues: Vec<Queue>,
    log: CallLog,
    /// Monotonic moment at which the line to the source went down; `None` while it is up.
    line_down: Option<Duration>,
    counts: Counts,
    waits: WaitEstimator,
    /// Whether something was taken while the clock was unknown, and is still to be held against it.
    unproven: bool,
}

impl Office {
    /// An office that has heard nothing yet.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        let waits = WaitEstimator::new(WaitSettings {
            hours: settings.hours,
            ..WaitSettings::new(settings.timezone.clone())
        });
        Self {
            waits,
            queues: settings.queues.iter().map(Queue::new).collect(),
            settings,
            log: CallLog::default(),
            line_down: None,
            counts: Counts::default(),
            unproven: false,
        }
    }

    /// Applies one message; a `Source` alone stands for a live message with the source's own time.
    ///
    /// # Errors
    /// [`Rejection`] when it changes nothing: late, duplicate, unknown queue, or wrong in time.
    pub fn apply(
        &mut self,
        queue: &QueueId,
        state: QueueState,
        arrival: impl Into<Arrival>,
        now: Now,
    ) -> Result<Changes, Rejection> {
        self.verify_times(now);
        let result = self.try_apply(queue, state, arrival.into(), now);
        let counts = &mut self.counts;
        match &result {
            Ok(changes) => {
                counts.applied += 1;
                counts.calls += changes.calls.len() as u64;
                counts.missed_calls = counts.missed_calls.saturating_add(changes.missed);
                counts.source_resets += u64::from(changes.source_reset_undeclared);
            }
            Err(Rejection::Duplicate(_)) => counts.duplicate += 1,
            Err(Rejection::Late { .. }) => counts.late += 1,
            Err(_) => counts.rejected += 1,
        }
        result
    }

    fn try_apply(
        &mut self,
        id: &QueueId,
        state: QueueState,
        arrival: Arrival,
        now: Now,
    ) -> Result<Changes, Rejection> {
        let queue = self
            .queues
            .iter_mut()
            .find(|q| q.settings.id == *id)
            .ok_or_else(|| Rejection::UnknownQueue(id.clone()))?;
        let before = queue.series.map(|s| s.day);
        let (state, corrected) = match queue.admit(&state, arrival, &self.settings, now) {
            Ok((left, corrected)) => (left.unwrap_or(state), corrected),
            Err(refusal) => {
                if matches!(refusal, Rejection::Duplicate(_)) && queue.confirm(&state, arrival, now)
                {
                    self.unproven |= !now.synced;
                    self.waits.observe(id, &state, now);
                }
                return Err(refusal);
            }
        };
        let place = queue.take(state.clone(), arrival, corrected, &self.settings, now);
        let mut changes = Changes {
            missed: place.missed,
            new_day: before.is_some_and(|day| day < state.day),
            source_reset_undeclared: place.restarted,
            flipped: place.flipped,
            corrected,
            calls: Vec::new(),
        };
        self.unproven |= !now.synced;
        for call in place.unseen {
            let announce = call_age(&call, state.at, now) <= self.settings.max_announce_age;
            let logged = self.log.push(LoggedCall {
                index: 0, // the log gives it one
                queue: id.clone(),
                day: state.day,
                epoch: place.series.epoch,
                announce,
                call,
                received_at: now.mono,
            });
            changes.calls.push(logged);
        }
        // What came at an unknown moment says nothing of the pace.
        if !arrival.is_of_unknown_age(now) {
            if now.synced {
                self.waits.forget_after(date(horizon(now), &self.settings));
            }
            if corrected {
                self.waits.forget_after(state.day);
            }
            self.waits.observe(id, &state, now);
        }
        Ok(changes)
    }

    /// Holds against the clock what was taken while that was unknown, as soon as it is known: what
    /// lies in the future is dropped, the rest stays.
    pub fn verify_times(&mut self, now: Now) {
        if !now.synced || !std::mem::take(&mut self.unproven) {
            return;
        }
        for queue in &mut self.queues {
            queue.prove(&self.settings, now);
        }
    }

    /// Notes whether the line to the source is up.
    pub fn set_connected(&mut self, up: bool, now: Now) {
        self.line_down = match (up, self.line_down) {
            (true, _) => None,
            (false, since @ Some(_)) => since,
            (false, None) => Some(now.mono),
        };
    }

    /// What has to be kept so that a restart neither forgets nor repeats. `shown` is the index of the
    /// newest call that every board has shown for its time, with all before it.
    #[must_use]
    pub fn saved_state(&self, shown: u64) -> SavedState {
        let kept = |queue: &Queue| {
            let reading = queue.reading.as_ref()?;
            Some(SavedQueue {
                queue: queue.settings.id.clone(),
                state: reading.state.clone(),
                epoch: reading.epoch,
                source: reading.source,
                last_no: queue.series.map_or(0, |s| s.last_no),
                dated: reading.dated,
            })
        };
        SavedState {
            queues: self.queues.iter().filter_map(kept).collect(),
            calls: self.log.saved(shown),
        }
    }

    /// Takes back what was kept: numbers are shown with their time, never as fresh; a call that was
    /// cut short stands out again while it is new. Without a believable clock none is known to be
    /// new. Queues that are no longer configured, and those already heard, are left alone.
    pub fn restore(&mut self, kept: SavedState, now: Now) {
        self.unproven |= !now.synced;
        for kept in kept.calls {
            if let Some(queue) = self.queues.iter_mut().find(|q| q.settings.id == kept.queue) {
                queue.known.push(kept.day, kept.epoch, &kept.call);
            }
            let came = now.synced && kept.call.at <= horizon(now);
            let new = came && age(kept.call.at, now.wall) <= self.settings.max_announce_age;
            self.log.push(LoggedCall {
                index: 0, // the log gives it one
                queue: kept.queue,
                day: kept.day,
                epoch: kept.epoch,
                call: kept.call,
                announce: new && !kept.shown,
                received_at: now.mono,
            });
        }
        for kept in kept.queues {
            let known = |q: &&mut Queue| q.settings.id == kept.queue && q.reading.is_none();
            if let Some(queue) = self.queues.iter_mut().find(known) {
                let reading = Reading {
                    state: kept.state,
                    epoch: kept.epoch,
                    source: kept.source,
                    received_at: None,
                    age_at_arrival: Duration::ZERO,
                    dated: kept.dated,
                };
                queue.restore(reading, kept.last_no, now);
            }
        }
    }

    /// What the waits of earlier days and of today taught.
    #[must_use]
    pub fn wait_history(&self) -> WaitHistory {
        self.waits.wait_history()
    }

    /// Takes back what was learnt. To be called before the first message.
    pub fn restore_wait_history(&mut self, history: WaitHistory) {
        self.waits.restore_history(history);
    }

    /// What is configured.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Counts since the start.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Everything at one moment.
    #[must_use]
    pub fn snapshot(&self, now: Now) -> Snapshot {
        let today = date(now.wall, &self.settings);
        Snapshot {
            queues: self
                .queues
                .iter()
                .map(|q| self.view(q, today, now))
                .collect(),
            log: self.log.at(now),
            issues: Vec::new(),
            today,
            zone: self.settings.timezone.clone(),
        }
    }

    /// The wait of somebody who takes a ticket of this queue now: the source's own, else the
    /// estimate; `None` for an unknown queue and where nothing can be told.
    #[must_use]
    pub fn wait(&self, id: &QueueId, now: Now) -> Option<WaitRange> {
        let today = date(now.wall, &self.settings);
        let queue = self.queues.iter().find(|q| q.settings.id == *id)?;
        self.view(queue, today, now).wait
    }

    fn wait_of(&self, queue: &Queue, phase: Phase, now: Now) -> Option<WaitRange> {
        let Phase::Today(status) = phase else {
            return None;
        };
        let estimate = self.waits.estimate(&queue.settings.id, now);
        // What a source says is meant for somebody who comes now.
        let state = queue.reading.as_ref().map(|r| &r.state);
        let state = state.filter(|_| status == Status::Open);
        let told = state.and_then(|s| Some((s.wait?, s.waiting)));
        let Some((told, waiting)) = told else {
            return estimate;
        };
        // Intervals of the source's own pace, with what this queue's calls say of their shape.
        let shape = estimate.and_then(|e| e.intervals()).map(Intervals::shape);
        let mean = waiting.map(|n| told.middle() / (f64::from(n) + 1.0));
        let intervals = mean.zip(shape).and_then(|(m, s)| Intervals::new(m, s));
        Some(told.with_intervals(intervals))
    }

    fn view(&self, queue: &Queue, today: Date, now: Now) -> QueueView {
        let reading = queue.believable(&self.settings, now);
        let independent = reading.is_some_and(|r| !r.source.needs_broker());
        let line = independent
            || self
                .line_down
                .is_none_or(|d| now.since(d) <= self.settings.disconnect_grace);
        let age = reading.and_then(|r| r.age(now));
        let fresh = line && age.is_some_and(|age| age <= self.settings.stale_after);
        let goes_on = age.is_some_and(|age| goes_on(age, &self.settings));
        let phase = match reading {
            // All that was heard of it was of a day that is over.
            None if now.synced && queue.over.is_some_and(|day| day < today) => Phase::NotOpenYet,
            None => Phase::Unknown,
            // Past midnight a source may still serve those of yesterday: believed while it speaks.
            Some(r)
                if now.synced
                    && r.state.day < today
                    && !(fresh && goes_on && r.state.status != Status::Closed) =>
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
            reading: reading.cloned(),
        }
    }
}
