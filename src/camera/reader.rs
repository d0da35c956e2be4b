//! One camera's reader: pictures in, readings and queue states out.
//!
//! Holds what is known of each field over time. Sync and without I/O: time comes with each picture.

use super::evidence::{Evidence, Order};
use super::find::settle;
use super::picture::{Picture, PictureError, Rectified};
use super::quad::{Quad, Rect};
use super::read::{FieldSpec, Reading, read};
use super::reading::Doubt;
use crate::clock::Now;
use crate::config::{CameraConfig, CameraField, CameraShow};
use crate::model::{Call, CallKind, Label, QueueId, QueueState, Status};
use crate::state::KeptQueue;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::time::Duration;

/// Calls of a queue that are kept (contract, "Limits").
const MAX_CALLS: usize = 20;
/// A state that did not change is told again this often, so that it stays fresh: a fifth of the
/// usual `stale_after`.
const TELL_EVERY: Duration = Duration::from_secs(30);

/// What one field said in one picture.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldReading {
    /// The queue it tells of.
    pub queue: QueueId,
    /// What of it.
    pub show: CameraShow,
    /// Digits or doubt, and confidence.
    pub reading: Reading,
}

/// What one picture told.
pub struct Look {
    /// Each field, in the order of the configuration.
    pub fields: Vec<FieldReading>,
    /// States to hand on: changed, or due to be told again. Their source is
    /// [`Source::Camera`](crate::model::Source::Camera).
    pub states: Vec<(QueueId, QueueState)>,
    /// The board, with nothing around it; `None` when it is not where it should be
    /// ([`Doubt::Moved`]).
    pub board: Option<Rectified>,
}

/// Reads the pictures of one camera.
pub struct Reader {
    quad: Quad,
    /// How far a corner may wander, in pixels.
    follow: u32,
    /// Where the board's edges were seen in the first picture: movements are counted from there,
    /// since the strongest edge may be that of its frame and not where the corners were set.
    base: Option<Quad>,
    size: (u32, u32),
    agree: usize,
    zone: TimeZone,
    fields: Vec<CameraField>,
    specs: Vec<FieldSpec>,
    evidence: Vec<Evidence>,
    queues: Vec<Told>,
    day: Option<Date>,
}

/// What a queue's states are made of.
struct Told {
    id: QueueId,
    epoch: u32,
    seq: u64,
    no: u64,
    calls: Vec<Call>,
    waiting: u32,
    on_hold: u32,
    told: Option<Duration>,
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
                places: f.places,
            })
        };
        let specs: Vec<FieldSpec> = config
            .fields
            .iter()
            .map(spec)
            .collect::<Result<_, PictureError>>()?;
        let mut queues: Vec<Told> = Vec::new();
        for field in &config.fields {
            if !queues.iter().any(|q| q.id == field.queue) {
                queues.push(Told::new(field.queue.clone()));
            }
        }
        Ok(Self {
            quad,
            follow: config.follow,
            base: None,
            size: config.size,
            agree: config.agree,
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
    pub fn resume(&mut self, kept: &[KeptQueue]) {
        let mine = |k: &&KeptQueue| self.queues.iter().any(|q| q.id == k.queue);
        let Some(day) = kept.iter().filter(mine).map(|k| k.state.day).max() else {
            return;
        };
        self.day = Some(day);
        for told in &mut self.queues {
            let Some(kept) = kept.iter().find(|k| k.queue == told.id) else {
                continue;
            };
            told.seq = kept.state.seq;
            if kept.state.day == day {
                told.epoch = kept.state.epoch;
                told.no = kept.last_no;
                told.calls.clone_from(&kept.state.calls);
            }
        }
        for (field, evidence) in self.fields.iter().zip(&mut self.evidence) {
            let told = self.queues.iter().find(|q| q.id == field.queue);
            let last = told
                .and_then(|t| t.calls.first())
                .map(|c| c.ticket.as_str());
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
    pub fn single(
        &self,
        picture: &Picture,
    ) -> Result<(Rectified, Vec<FieldReading>), PictureError> {
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
    /// [`Doubt::Moved`] when a corner is farther than it may wander.
    fn follow(&mut self, picture: &Picture) -> Result<Quad, Doubt> {
        // Twice as far as it may go, so that what went too far is seen to have gone.
        let reach = (2 * self.follow + 8) as f32;
        if self.follow == 0 {
            return Ok(self.quad);
        }
        let Some(seen) = settle(picture, &self.quad, reach) else {
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
        if moved.iter().any(|(x, y)| x.hypot(*y) > self.follow as f32) {
            return Err(Doubt::Moved);
        }
        let now = std::array::from_fn(|i| (set[i].0 + moved[i].0, set[i].1 + moved[i].1));
        Quad::new(now).ok_or(Doubt::Moved)
    }

    /// Takes the next picture.
    ///
    /// # Errors
    /// As [`single`](Self::single).
    pub fn look(&mut self, picture: &Picture, now: Now) -> Result<Look, PictureError> {
        self.check_size(picture)?;
        let (board, fields) = match self.follow(picture) {
            Ok(quad) => {
                let board = picture.rectify(&quad)?;
                let readings = read(&board, &self.specs);
                (Some(board), readings)
            }
            // Where the board was may be somebody's face now: nothing goes on.
            Err(doubt) => (None, vec![Reading::unknown(doubt); self.specs.len()]),
        };
        let fields = self.readings(fields);
        // Calls bear the time of the clock: while that is not known, nobody can be told of them.
        let states = if now.synced {
            self.weigh(&fields, now)
        } else {
            Vec::new()
        };
        Ok(Look {
            fields,
            states,
            board,
        })
    }

    /// Weighs the readings of one picture.
    fn weigh(&mut self, readings: &[FieldReading], now: Now) -> Vec<(QueueId, QueueState)> {
        let day = now.wall.to_zoned(self.zone.clone()).date();
        if self.day != Some(day) {
            self.day = Some(day);
            self.evidence.iter_mut().for_each(Evidence::clear);
            self.queues.iter_mut().for_each(Told::begin_day);
        }
        let mut known: Vec<Option<String>> = Vec::with_capacity(readings.len());
        for ((field, evidence), reading) in self.fields.iter().zip(&mut self.evidence).zip(readings)
        {
            let order = match field.show {
                // A series of three digits counts 1 to 999.
                CameraShow::Ticket => {
                    Order::Series(10_u32.pow(u32::try_from(field.places).unwrap_or(6)) - 1)
                }
                _ => Order::Free,
            };
            let accepted = evidence.take(&reading.reading, self.agree, order, now.mono);
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
            let parts = Parts {
                ticket: of(CameraShow::Ticket),
                counter: of(CameraShow::Counter),
                waiting: of(CameraShow::Waiting),
                on_hold: of(CameraShow::OnHold),
            };
            if let Some(state) = queue.tell(&parts, day, now) {
                states.push((queue.id.clone(), state));
            }
        }
        states
    }
}

/// The fields of one queue that there are, and what each is known to say in this picture.
struct Parts<'a> {
    ticket: Option<(&'a CameraField, Option<&'a str>)>,
    counter: Option<(&'a CameraField, Option<&'a str>)>,
    waiting: Option<(&'a CameraField, Option<&'a str>)>,
    on_hold: Option<(&'a CameraField, Option<&'a str>)>,
}

impl Told {
    fn new(id: QueueId) -> Self {
        Self {
            id,
            epoch: 0,
            seq: 0,
            no: 0,
            calls: Vec::new(),
            waiting: 0,
            on_hold: 0,
            told: None,
        }
    }

    fn begin_day(&mut self) {
        *self = Self {
            seq: self.seq,
            ..Self::new(self.id.clone())
        };
    }

    /// The state to hand on, if every field of the queue is known and something is to be told: a
    /// ticket without its counter would send people to no window.
    fn tell(&mut self, parts: &Parts<'_>, day: Date, now: Now) -> Option<QueueState> {
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
            let counter = label(&parts.counter);
            let same = |call: &Call| call.ticket == ticket && call.counter == counter;
            if !self.calls.first().is_some_and(same) {
                let again = self.calls.first().is_some_and(|c| c.ticket == ticket);
                self.no += 1;
                let call = Call {
                    no: self.no,
                    ticket,
                    counter,
                    at: now.wall,
                    kind: if again {
                        CallKind::Recall
                    } else {
                        CallKind::Call
                    },
                };
                self.calls.insert(0, call);
                self.calls.truncate(MAX_CALLS);
                changed = true;
            }
        }
        let due = self.told.is_none_or(|told| now.since(told) >= TELL_EVERY);
        if !changed && !due {
            return None;
        }
        self.told = Some(now.mono);
        self.seq = milliseconds(now.wall).max(self.seq + 1);
        Some(QueueState {
            seq: self.seq,
            at: now.wall,
            day,
            epoch: self.epoch,
            status: Status::Open,
            waiting: parts.waiting.is_some().then_some(self.waiting),
            on_hold: parts.on_hold.is_some().then_some(self.on_hold),
            next: Vec::new(),
            held: Vec::new(),
            calls: self.calls.clone(),
            wait: None,
        })
    }
}

fn milliseconds(at: Timestamp) -> u64 {
    u64::try_from(at.as_millisecond()).unwrap_or(0)
}

impl FieldReading {
    /// Why it is unknown, if it is.
    #[must_use]
    pub fn doubt(&self) -> Option<Doubt> {
        self.reading.text.as_ref().err().copied()
    }
}
