//! One camera's reader: pictures in, readings and queue states out.
//!
//! Holds what is known of each field over time. Sync and without I/O: time comes with each picture.

use super::calibrate::refine_corners;
use super::evidence::{Evidence, Order};
use super::picture::{Picture, PictureError, RectifiedBoard};
use super::quad::{Quad, Rect};
use super::read::{FieldSpec, Reading, read};
use super::reading::Doubt;
use crate::clock::Now;
use crate::config::{CameraConfig, CameraField, CameraShow};
use crate::model::{CallKind, Label, QueueId, QueueState};
use crate::state::{DerivedCalls, SavedQueue, Settings};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::time::Duration;

/// A state that did not change is sent again this often, so that it stays fresh: a fifth of the
/// usual `stale_after`.
const RESEND_EVERY: Duration = Duration::from_secs(30);

/// What one field said in one picture.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldReading {
    pub queue: QueueId,
    pub show: CameraShow,
    /// Digits or doubt, and confidence.
    pub reading: Reading,
}

/// The result of one picture.
pub struct Observation {
    /// Each field, in the order of the configuration.
    pub fields: Vec<FieldReading>,
    /// States to hand on: changed, or due to be sent again. Their source is
    /// [`Source::Camera`](crate::model::Source::Camera).
    pub states: Vec<(QueueId, QueueState)>,
    /// The board, with nothing around it; `None` when it is not where it should be
    /// ([`Doubt::Moved`]).
    pub board: Option<RectifiedBoard>,
}

/// Reads the pictures of one camera.
pub struct Reader {
    quad: Quad,
    /// How far a corner may drift, in pixels.
    max_drift: u32,
    /// Where the board's edges were seen in the first picture: movements are counted from there,
    /// since the strongest edge may be that of its frame and not where the corners were set.
    base: Option<Quad>,
    size: (u32, u32),
    confirmations: usize,
    zone: TimeZone,
    fields: Vec<CameraField>,
    specs: Vec<FieldSpec>,
    evidence: Vec<Evidence>,
    queues: Vec<QueueTracker>,
    day: Option<Date>,
}

/// Derives the states of one queue from its fields.
struct QueueTracker {
    id: QueueId,
    derived: DerivedCalls,
    /// Ticket and counter that were on the board last; `None` before any were seen today.
    shown: Option<(Label, Option<Label>)>,
    waiting: u32,
    on_hold: u32,
    last_sent: Option<Duration>,
}

impl Reader {
    /// A reader that knows nothing yet; business days begin at midnight of `zone`.
    ///
    /// # Errors
    /// [`PictureError::Corners`] when the corners enclose no board.
    pub fn new(config: &CameraConfig, zone: TimeZone) -> Result<Self, PictureError> {
        let quad = Quad::new(config.corners).ok_or(PictureError::Corners)?;
        let spec = |f: &CameraField| {
            let [x, y, w, h] = f.rect;
            let rect = Rect::new(x, y, w, h).ok_or(PictureError::Corners)?;
            Ok(FieldSpec {
                id: format!("{}.{}", f.queue, f.show.as_str()),
                rect,
                kind: f.kind,
                max_digits: f.max_digits,
            })
        };
        let specs: Vec<FieldSpec> = config
            .fields
            .iter()
            .map(spec)
            .collect::<Result<_, PictureError>>()?;
        let mut queues: Vec<QueueTracker> = Vec::new();
        for field in &config.fields {
            if !queues.iter().any(|q| q.id == field.queue) {
                queues.push(QueueTracker::new(field.queue.clone()));
            }
        }
        Ok(Self {
            quad,
            max_drift: config.max_drift_px,
            base: None,
            size: config.size,
            confirmations: config.confirmations,
            zone,
            evidence: vec![Evidence::default(); specs.len()],
            fields: config.fields.clone(),
            specs,
            queues,
            day: None,
        })
    }

    /// Goes on where an earlier reader of the same board stopped: calls keep their numbers, and the
    /// ticket that is on the board is no new call.
    pub fn resume(&mut self, kept: &[SavedQueue]) {
        let mine = |k: &&SavedQueue| self.queues.iter().any(|q| q.id == k.queue);
        let Some(day) = kept.iter().filter(mine).map(|k| k.state.day).max() else {
            return;
        };
        self.day = Some(day);
        for tracker in &mut self.queues {
            let Some(kept) = kept.iter().find(|k| k.queue == tracker.id) else {
                continue;
            };
            tracker.derived.resume(kept, kept.state.epoch);
        }
        for (field, evidence) in self.fields.iter().zip(&mut self.evidence) {
            let tracker = self.queues.iter().find(|q| q.id == field.queue);
            let last = tracker
                .and_then(|t| t.derived.last_shown())
                .map(Label::as_str);
            let digits = last.and_then(|l| l.strip_prefix(field.prefix.as_str()));
            if let (CameraShow::Ticket, Some(digits)) = (field.show, digits) {
                evidence.resume(digits);
            }
        }
    }

    /// Reads one picture by itself: what `yobiban camera read` answers.
    ///
    /// # Errors
    /// [`PictureError`] when the picture is not of the configured size.
    pub fn read_once(
        &self,
        picture: &Picture,
    ) -> Result<(RectifiedBoard, Vec<FieldReading>), PictureError> {
        self.check_size(picture)?;
        let board = picture.rectify(&self.quad)?;
        let fields = self.readings(read(&board, &self.specs));
        Ok((board, fields))
    }

    fn check_size(&self, picture: &Picture) -> Result<(), PictureError> {
        if picture.size() == self.size {
            return Ok(());
        }
        let (width, height) = picture.size();
        Err(PictureError::OtherSize {
            width,
            height,
            expected: self.size,
        })
    }

    fn readings(&self, readings: Vec<Reading>) -> Vec<FieldReading> {
        let fields = self.fields.iter().zip(readings);
        fields
            .map(|(field, reading)| FieldReading {
                queue: field.queue.clone(),
                show: field.show,
                reading,
            })
            .collect()
    }

    /// Where the board is in this picture.
    ///
    /// # Errors
    /// [`Doubt::Moved`] when a corner has drifted too far.
    fn track_board(&mut self, picture: &Picture) -> Result<Quad, Doubt> {
        // Twice as far as it may go, so that what went too far is seen to have gone.
        let reach = (2 * self.max_drift + 8) as f32;
        if self.max_drift == 0 {
            return Ok(self.quad);
        }
        let Some(seen) = refine_corners(picture, &self.quad, reach) else {
            // Edges that were never seen cannot be followed; those that were are gone.
            return if self.base.is_none() {
                Ok(self.quad)
            } else {
                Err(Doubt::Moved)
            };
        };
        let base = self.base.get_or_insert(seen).points();
        let (seen, set) = (seen.points(), self.quad.points());
        let moved: [(f32, f32); 4] =
            std::array::from_fn(|i| (seen[i].0 - base[i].0, seen[i].1 - base[i].1));
        if moved
            .iter()
            .any(|(x, y)| x.hypot(*y) > self.max_drift as f32)
        {
            return Err(Doubt::Moved);
        }
        let now = std::array::from_fn(|i| (set[i].0 + moved[i].0, set[i].1 + moved[i].1));
        Quad::new(now).ok_or(Doubt::Moved)
    }

    /// Takes the next picture.
    ///
    /// # Errors
    /// As [`read_once`](Self::read_once).
    pub fn observe(&mut self, picture: &Picture, now: Now) -> Result<Observation, PictureError> {
        self.check_size(picture)?;
        let (board, fields) = match self.track_board(picture) {
            Ok(quad) => {
                let board = picture.rectify(&quad)?;
                let readings = read(&board, &self.specs);
                (Some(board), readings)
            }
            // Where the board was may be somebody's face now: nothing goes on.
            Err(doubt) => (None, vec![Reading::unknown(doubt); self.specs.len()]),
        };
        let fields = self.readings(fields);
        // Calls bear the time of the clock: while that is not known, they cannot be reported.
        let states = if now.synced {
            self.accept(&fields, now)
        } else {
            Vec::new()
        };
        Ok(Observation {
            fields,
            states,
            board,
        })
    }

    /// Accepts the readings of one picture that are confirmed by earlier ones.
    fn accept(&mut self, readings: &[FieldReading], now: Now) -> Vec<(QueueId, QueueState)> {
        let day = now.wall.to_zoned(self.zone.clone()).date();
        if self.day != Some(day) {
            self.day = Some(day);
            self.evidence.iter_mut().for_each(Evidence::clear);
        }
        for queue in &mut self.queues {
            queue.turn_to(day, now);
        }
        let mut known: Vec<Option<String>> = Vec::with_capacity(readings.len());
        for ((field, evidence), reading) in self.fields.iter().zip(&mut self.evidence).zip(readings)
        {
            let order = match field.show {
                // A series of three digits counts 1 to 999.
                CameraShow::Ticket => {
                    Order::Series(10_u32.pow(u32::try_from(field.max_digits).unwrap_or(6)) - 1)
                }
                _ => Order::Free,
            };
            let accepted = evidence.take(&reading.reading, self.confirmations, order, now.mono);
            known.push(accepted.map(str::to_owned));
        }
        let mut states = Vec::new();
        for queue in &mut self.queues {
            let of = |show: CameraShow| {
                let at = self
                    .fields
                    .iter()
                    .position(|f| f.queue == queue.id && f.show == show)?;
                Some((&self.fields[at], known[at].as_deref()))
            };
            let parts = QueueFields {
                ticket: of(CameraShow::Ticket),
                counter: of(CameraShow::Counter),
                waiting: of(CameraShow::Waiting),
                on_hold: of(CameraShow::OnHold),
            };
            if let Some(state) = queue.update(&parts, now) {
                states.push((queue.id.clone(), state));
            }
        }
        states
    }
}

/// The fields of one queue that there are, and what each is known to say in this picture.
struct QueueFields<'a> {
    ticket: Option<(&'a CameraField, Option<&'a str>)>,
    counter: Option<(&'a CameraField, Option<&'a str>)>,
    waiting: Option<(&'a CameraField, Option<&'a str>)>,
    on_hold: Option<(&'a CameraField, Option<&'a str>)>,
}

impl QueueTracker {
    fn new(id: QueueId) -> Self {
        Self {
            id,
            derived: DerivedCalls::default(),
            shown: None,
            waiting: 0,
            on_hold: 0,
            last_sent: None,
        }
    }

    fn turn_to(&mut self, day: Date, now: Now) {
        if self.derived.turn_to(day, now) {
            *self = Self {
                derived: std::mem::take(&mut self.derived),
                ..Self::new(self.id.clone())
            };
        }
    }

    /// The state to hand on, if every field of the queue is known and something is to be sent: a
    /// ticket without its counter would send people to no window.
    fn update(&mut self, parts: &QueueFields<'_>, now: Now) -> Option<QueueState> {
        let all = [
            &parts.ticket,
            &parts.counter,
            &parts.waiting,
            &parts.on_hold,
        ];
        if all.into_iter().flatten().any(|(_, known)| known.is_none()) {
            return None;
        }
        let mut changed = false;
        let number = |part: &Option<(&CameraField, Option<&str>)>| {
            part.as_ref()
                .and_then(|(_, known)| known.and_then(|k| k.parse::<u32>().ok()))
                .unwrap_or(0)
        };
        for (mine, read) in [
            (&mut self.waiting, number(&parts.waiting)),
            (&mut self.on_hold, number(&parts.on_hold)),
        ] {
            changed |= *mine != read;
            *mine = read;
        }
        let label = |part: &Option<(&CameraField, Option<&str>)>| {
            let (field, known) = part.as_ref()?;
            Label::new(&format!("{}{}", field.prefix, (*known)?)).ok()
        };
        if let Some(ticket) = label(&parts.ticket) {
            let now_shown = (ticket, label(&parts.counter));
            if self.shown.as_ref() != Some(&now_shown) {
                self.record(now_shown, now);
                changed = true;
            }
        }
        let due = self
            .last_sent
            .is_none_or(|sent| now.since(sent) >= RESEND_EVERY);
        if !changed && !due {
            return None;
        }
        self.last_sent = Some(now.mono);
        Some(QueueState {
            waiting: parts.waiting.is_some().then_some(self.waiting),
            on_hold: parts.on_hold.is_some().then_some(self.on_hold),
            ..self.derived.message(now.wall, now)
        })
    }

    /// Takes over what is on the board: the first that is seen today stands there, called nobody
    /// knows when; what changes is called.
    fn record(&mut self, shown: (Label, Option<Label>), now: Now) {
        let (ticket, counter) = shown.clone();
        let before = self.shown.replace(shown).map(|(ticket, _)| ticket);
        // What changed while the node restarted is called all the same, if that was a moment ago.
        let derived = &self.derived;
        let missed = derived.was_saved_within(Settings::MAX_ANNOUNCE_AGE, now)
            && !derived.was_shown_last(&ticket, counter.as_ref());
        let kept = || derived.last_shown().filter(|_| missed).cloned();
        let known = self.derived.is_newest(&ticket, counter.as_ref());
        match before.or_else(kept) {
            Some(before) if !known => {
                let kind = if before == ticket {
                    CallKind::Recall
                } else {
                    CallKind::Call
                };
                self.derived.called(ticket, counter, kind, now.wall);
            }
            _ => self.derived.list_current(ticket, counter),
        }
    }
}

impl FieldReading {
    /// Why it is unknown, if it is.
    #[must_use]
    pub fn doubt(&self) -> Option<Doubt> {
        self.reading.text.as_ref().err().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Source;
    use jiff::Timestamp;

    const QUEUE: &str = "certificates";

    fn now(second: i64) -> Now {
        // 2026-11-24, 10:00:00 in Japan.
        Now::at(Timestamp::from_second(1_795_482_000 + second).unwrap())
    }

    fn tracker() -> QueueTracker {
        QueueTracker::new(QueueId::new(QUEUE).unwrap())
    }

    fn zone() -> TimeZone {
        TimeZone::get("Asia/Tokyo").unwrap()
    }

    /// What is made of a number that the board shows.
    fn see(tracker: &mut QueueTracker, ticket: &str, counter: &str, second: i64) -> QueueState {
        let now = now(second);
        tracker.turn_to(now.wall.to_zoned(zone()).date(), now);
        let shown = (Label::new(ticket).unwrap(), Label::new(counter).ok());
        if tracker.shown.as_ref() != Some(&shown) {
            tracker.record(shown, now);
        }
        tracker.derived.message(now.wall, now)
    }

    /// The same queue after a restart.
    fn restarted(state: QueueState, second: i64) -> QueueTracker {
        let mut tracker = tracker();
        let last_no = state.calls.first().map_or(0, |c| c.no);
        let kept = SavedQueue {
            queue: tracker.id.clone(),
            state,
            epoch: 0,
            source: Source::Camera,
            last_no,
            dated: true,
        };
        tracker.derived.resume(&kept, kept.state.epoch);
        let now = now(second);
        tracker.turn_to(now.wall.to_zoned(zone()).date(), now);
        tracker
    }

    fn calls_text(state: &QueueState) -> String {
        let calls = state.calls.iter();
        let mut all: Vec<String> = calls
            .map(|c| format!("{} {} {}", c.no, c.ticket, c.kind.as_str()))
            .collect();
        let standing = state.now_serving.as_ref();
        all.extend(standing.map(|s| format!("now serving {}", s.ticket)));
        all.join(", ")
    }

    #[test]
    fn a_restart_recalls_nobody_whose_number_stood_there_before_and_after() {
        let mut camera = tracker();
        let state = see(&mut camera, "42", "3", 0);
        assert_eq!(calls_text(&state), "now serving 42");
        let mut camera = restarted(state, 20);
        let state = see(&mut camera, "42", "3", 20);
        assert_eq!(calls_text(&state), "now serving 42");
        assert_eq!(calls_text(&see(&mut camera, "43", "3", 30)), "1 43 call");
        // What changed while it restarted is called all the same.
        let mut camera = restarted(state.clone(), 40);
        assert_eq!(calls_text(&see(&mut camera, "43", "1", 40)), "1 43 call");
        let mut camera = restarted(state, 40);
        assert_eq!(calls_text(&see(&mut camera, "42", "5", 40)), "1 42 recall");
    }

    #[test]
    fn a_restart_just_before_midnight_recalls_nobody_after_it() {
        const MIDNIGHT: i64 = 14 * 3600;
        let mut camera = tracker();
        see(&mut camera, "41", "3", MIDNIGHT - 100);
        let state = see(&mut camera, "42", "3", MIDNIGHT - 50);
        assert_eq!(calls_text(&state), "1 42 call");
        let mut camera = restarted(state, MIDNIGHT - 30);
        let state = see(&mut camera, "42", "3", MIDNIGHT - 20);
        assert_eq!(calls_text(&state), "1 42 call");
        let state = see(&mut camera, "42", "3", MIDNIGHT + 10);
        assert_eq!(calls_text(&state), "now serving 42");
    }
}
