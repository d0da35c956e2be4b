//! One queue: which message is newer, which of its calls are new, and what is given up for what.

use super::arrival::Arrival;
use super::correction::CorrectionTracker;
use super::known_calls::KnownCalls;
use super::times::{self, horizon};
use super::{QueueSettings, Reading, Rejection, Settings};
use crate::clock::Now;
use crate::model::{Call, NowServing, QueueState};
use jiff::{Timestamp, civil::Date};
use std::time::Duration;

/// Which series of counts a queue's calls are in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Series {
    pub(super) day: Date,
    /// As counted by this node.
    pub(super) epoch: u32,
    /// As the source says it.
    pub(super) source_epoch: u32,
    /// Highest `no` so far.
    pub(super) last_no: u64,
}

/// Where the calls of a message belong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) series: Series,
    /// Calls seen for the first time, oldest first.
    pub(super) unseen: Vec<Call>,
    /// Calls that were made and of which no message told.
    pub(super) missed: u64,
    /// The count began again and the source did not say so.
    pub(super) restarted: bool,
    /// The business day changed and the calls went on: its midnight is not the office's.
    pub(super) flipped: bool,
}

#[derive(Debug, Clone)]
pub(super) struct Queue {
    pub(super) settings: QueueSettings,
    pub(super) reading: Option<Reading>,
    pub(super) series: Option<Series>,
    pub(super) known: KnownCalls,
    correction: CorrectionTracker,
    /// The newest earlier day of which a message came too late to be shown.
    pub(super) over: Option<Date>,
    /// Impossible calls that the source goes on listing.
    left_out: Vec<Call>,
    /// Monotonic moment at which the reading came while the clock was unknown.
    unproven: Option<Duration>,
}

impl Queue {
    pub(super) fn new(settings: &QueueSettings) -> Self {
        Self {
            settings: settings.clone(),
            reading: None,
            series: None,
            known: KnownCalls::default(),
            correction: CorrectionTracker::default(),
            over: None,
            left_out: Vec::new(),
            unproven: None,
        }
    }

    /// Whether the clock says that the reading cannot be: its day, or its time, has not come yet.
    fn is_disproved(&self, settings: &Settings, now: Now) -> bool {
        self.reading.as_ref().is_some_and(|r| {
            now.synced && (r.state.at > horizon(now) || is_day_ahead(&r.state, settings, now))
        })
    }

    /// The reading, unless its day has not come yet.
    pub(super) fn believable(&self, settings: &Settings, now: Now) -> Option<&Reading> {
        self.reading
            .as_ref()
            .filter(|r| !(now.synced && is_day_ahead(&r.state, settings, now)))
    }

    /// Checks a message. Says what is left of it, where calls in it cannot be, and whether it goes
    /// against what was believed.
    ///
    /// # Errors
    /// [`Rejection`] when it is to change nothing.
    pub(super) fn admit(
        &mut self,
        state: &QueueState,
        arrival: Arrival,
        settings: &Settings,
        now: Now,
    ) -> Result<(Option<QueueState>, bool), Rejection> {
        let mut of_itself = times::check(state, arrival.delivery, settings, now);
        let mut left = None;
        let mut told = Vec::new();
        if of_itself
            .as_ref()
            .is_err_and(Rejection::concerns_calls_only)
        {
            let (possible, impossible) = times::without_impossible_calls(state.clone(), now);
            (left, told) = (Some(possible), impossible);
            // Those that it went on listing are left out without another word.
            if told.iter().all(|call| self.left_out.contains(call)) {
                of_itself = Ok(());
            }
        }
        let state = left.as_ref().unwrap_or(state);
        let refusal = match of_itself {
            Ok(()) => match self.is_newer(state, arrival, settings, now) {
                Ok(()) => return Ok((left, false)),
                Err(refusal) if self.is_copy(state) || arrival.is_of_unknown_age(now) => {
                    return Err(refusal);
                }
                Err(refusal) => refusal,
            },
            // Made now, but it lists calls of a wrong hour: they are left out when that lasts.
            Err(refusal) if refusal.concerns_calls_only() => refusal,
            Err(refusal) => {
                if let Rejection::BusinessDayOver { day, .. } = refusal {
                    self.over = self.over.max(Some(day));
                }
                return Err(refusal);
            }
        };
        if !self.correction.on_rejected(state, now) {
            return Err(refusal);
        }
        self.left_out = told;
        Ok((left, true))
    }

    /// Whether it is the message that is believed.
    fn is_copy(&self, state: &QueueState) -> bool {
        self.reading.as_ref().is_some_and(|r| r.state == *state)
    }

    /// Whether a message is newer than what is known.
    fn is_newer(
        &self,
        state: &QueueState,
        arrival: Arrival,
        settings: &Settings,
        now: Now,
    ) -> Result<(), Rejection> {
        let Some(Reading { state: last, .. }) = &self.reading else {
            return Ok(());
        };
        // Of something that may be of any age, only news is taken.
        let same = arrival.is_of_unknown_age(now) && last.has_same_content(state);
        if same || (state.day, state.seq) == (last.day, last.seq) {
            return Err(Rejection::Duplicate(state.seq));
        }
        if self.is_disproved(settings, now) || (state.day, state.seq) > (last.day, last.seq) {
            return Ok(());
        }
        Err(Rejection::Late {
            seq: state.seq,
            day: state.day,
        })
    }

    /// Takes the source's word for numbers that are not known to be current: the same message makes
    /// them heard, with the age that it has. Whether it did.
    pub(super) fn confirm(&mut self, state: &QueueState, arrival: Arrival, now: Now) -> bool {
        match &mut self.reading {
            Some(reading)
                if reading.received_at.is_none()
                    && reading.state == *state
                    && !arrival.is_of_unknown_age(now) =>
            {
                reading.received_at = Some(now.mono);
                reading.age_at_arrival = age_at_arrival(state, now);
                reading.dated |= arrival.is_dated(now);
                self.unproven = (!now.synced).then_some(now.mono);
                true
            }
            _ => false,
        }
    }

    /// Makes an admitted message the reading. `against` is whether it goes against what was
    /// believed.
    pub(super) fn take(
        &mut self,
        state: QueueState,
        arrival: Arrival,
        against: bool,
        settings: &Settings,
        now: Now,
    ) -> Place {
        let place = if against || self.is_disproved(settings, now) {
            self.place_anew(&state)
        } else {
            self.place(&state)
        };
        let known = !arrival.is_of_unknown_age(now);
        for call in &place.unseen {
            self.known.push(state.day, place.series.epoch, call);
        }
        self.series = Some(place.series);
        self.correction.on_accepted(&state, now);
        self.unproven = (!now.synced).then_some(now.mono);
        self.reading = Some(Reading {
            epoch: place.series.epoch,
            source: arrival.source,
            received_at: known.then_some(now.mono),
            age_at_arrival: age_at_arrival(&state, now),
            dated: arrival.is_dated(now),
            state,
        });
        place
    }

    /// Where the calls of a message belong that goes on from the one before.
    fn place(&self, state: &QueueState) -> Place {
        let (Some(last), Some(series)) = (&self.reading, self.series) else {
            return self.place_anew(state);
        };
        if series.day != state.day {
            return self.place_anew(state);
        }
        let (day, calls) = (state.day, &state.calls[..]);
        let steps = state.epoch.saturating_sub(series.source_epoch);
        if steps > 0 {
            let epoch = self
                .known
                .unused_epoch(day, series.epoch.saturating_add(steps));
            return self.place_in(state, epoch, false);
        }
        let fell = calls.first().is_some_and(|c| c.no < series.last_no);
        let renamed = calls.iter().any(|c| {
            let of_last = |l: &Call| l.no == c.no && l.ticket != c.ticket;
            last.state.calls.iter().any(of_last)
        });
        // A list that says nothing new was looked at before.
        let taken = || *calls != last.state.calls && self.known.collides(calls, day, series.epoch);
        if fell || renamed || taken() {
            let epoch = self.known.unused_epoch(day, series.epoch.saturating_add(1));
            return self.place_in(state, epoch, true);
        }
        // A minute that is too coarse makes two recalls alike: the count tells them apart.
        let new = |c: &&Call| c.no > series.last_no && !self.known.has_numbered(c);
        let unseen: Vec<Call> = calls.iter().rev().filter(new).cloned().collect();
        let newest = calls.first().map_or(series.last_no, |c| c.no);
        Place {
            missed: gap(newest, series.last_no, unseen.len()),
            unseen,
            series: Series {
                last_no: newest.max(series.last_no),
                // A source that forgot its epoch goes on in the same one.
                ..series
            },
            restarted: false,
            flipped: false,
        }
    }

    /// Where the calls of a message belong that does not go on from the one before: the series is
    /// known by its calls.
    fn place_anew(&self, state: &QueueState) -> Place {
        let (day, calls) = (state.day, &state.calls[..]);
        let again = self.known.overlap(calls, Some(day));
        let series = self.series.filter(|s| s.day == day).map(|s| s.epoch);
        let candidates = [again.map(|k| k.epoch), series, Some(state.epoch)];
        let free = |epoch: &u32| !self.known.collides(calls, day, *epoch);
        let epoch = candidates.into_iter().flatten().find(free);
        let epoch = epoch.unwrap_or_else(|| self.known.unused_epoch(day, state.epoch));
        self.place_in(state, epoch, false)
    }

    /// A series whose counts say nothing by themselves: what is known of a call's identity is not
    /// new.
    fn place_in(&self, state: &QueueState, epoch: u32, restarted: bool) -> Place {
        let (day, calls) = (state.day, &state.calls[..]);
        let new = |call: &&Call| !self.known.has(call);
        let newest = calls.first().map_or(0, |c| c.no);
        let earlier = self.known.overlap(calls, None);
        let before = earlier.map_or_else(
            || self.known.newest_before(newest, day, epoch),
            |known| known.no,
        );
        let told = calls.iter().filter(|c| c.no > before).count();
        // Before the first message there is nothing to miss: what was called before this process
        // started is not lost by it.
        let first_ever = self.reading.is_none() && self.known.is_empty();
        Place {
            missed: if first_ever {
                0
            } else {
                gap(newest, before, told)
            },
            unseen: calls.iter().rev().filter(new).cloned().collect(),
            series: Series {
                day,
                epoch,
                source_epoch: state.epoch,
                last_no: newest,
            },
            restarted,
            flipped: earlier.is_some_and(|known| known.day != day)
                && self.known.overlap(calls, Some(day)).is_none(),
        }
    }

    /// Takes back what was kept.
    pub(super) fn restore(&mut self, reading: Reading, last_no: u64, now: Now) {
        self.series = Some(Series {
            day: reading.state.day,
            epoch: reading.epoch,
            source_epoch: reading.state.epoch,
            last_no,
        });
        for call in reading.state.calls.iter().rev() {
            self.known.push(reading.state.day, reading.epoch, call);
        }
        self.correction.on_accepted(&reading.state, now);
        self.reading = Some(reading);
    }

    /// The clock is known now: what was taken without one and has not come yet is dropped, and ages
    /// are what they are. Calls stay known: they were reported, and this clock may be wrong as well.
    pub(super) fn prove(&mut self, settings: &Settings, now: Now) {
        if self.is_disproved(settings, now) {
            self.reading = None;
            self.series = None;
        }
        if let (Some(reading), Some(came)) = (&mut self.reading, self.unproven.take()) {
            let listed = reading.state.calls.len();
            reading.state.calls.retain(|call| call.at <= horizon(now));
            if reading.state.calls.len() < listed {
                // Their counts may be those of calls that are still to come.
                self.series = None;
            }
            let passed = now.since(came);
            let then = now.wall.saturating_sub(passed).unwrap_or(now.wall);
            if reading.dated {
                reading.age_at_arrival = times::age(reading.state.at, then);
                // What a broker had kept tells its age now.
                reading.received_at = Some(came);
            } else if reading.received_at.is_some() {
                // It was of its arrival, and that has a date now; its calls had none.
                let serving = reading.state.last_shown();
                reading.state.now_serving = serving.map(|(ticket, counter)| NowServing {
                    ticket: ticket.clone(),
                    counter: counter.cloned(),
                });
                reading.state.calls.clear();
                reading.state.at = then;
                reading.state.day = times::date(then, settings);
                reading.dated = true;
                self.series = None;
            }
        }
    }
}

/// Whether a message is of a day that no office has begun.
fn is_day_ahead(state: &QueueState, settings: &Settings, now: Now) -> bool {
    state.day > times::date(horizon(now), settings)
}

/// How old a message is when it arrives; unknown is taken for new while the clock is unknown.
fn age_at_arrival(state: &QueueState, now: Now) -> Duration {
    if now.synced {
        times::age(state.at, now.wall)
    } else {
        Duration::ZERO
    }
}

/// How old a call is when first seen. Without a believable clock only the message's own time can
/// be asked.
pub(super) fn call_age(call: &Call, made: Timestamp, now: Now) -> Duration {
    times::age(call.at, if now.synced { now.wall } else { made })
}

/// More calls than an office makes in a week: a source that leaves out more counts something else.
const MOST_LOST: u64 = 10_000;

/// Calls between two counts of which nothing was told.
fn gap(newest: u64, before: u64, told: usize) -> u64 {
    let gap = newest.saturating_sub(before).saturating_sub(told as u64);
    if gap > MOST_LOST { 0 } else { gap }
}
