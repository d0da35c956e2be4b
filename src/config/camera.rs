//! `[[camera]]`: cameras that read old boards.

use super::camera_source::CameraSource;
use super::check::{Check, is_line};
use super::doc::At;
use super::problem::ProblemKind;
use super::raw::{RawCamera, RawCameraField};
use crate::model::{CameraId, QueueId};
use std::time::Duration;

/// More cameras than a small box can read.
pub(super) const MAX_CAMERAS: usize = 4;
/// Most fields of a board: one for each queue an office may have.
const MAX_FIELDS: usize = 64;
/// Sides of a camera's pictures.
const SIDES: std::ops::RangeInclusive<usize> = 160..=4096;
/// Size of pictures unless configured.
const SIZE: (u32, u32) = (1280, 720);

/// A camera that reads an old board.
#[derive(Debug, Clone, PartialEq)]
pub struct CameraConfig {
    pub id: CameraId,
    /// Where its pictures come from.
    pub source: CameraSource,
    /// Width and height of its pictures.
    pub size: (u32, u32),
    /// Corners of the board, in pixels of that size, clockwise from the top left; convex.
    pub corners: [(f32, f32); 4],
    /// How far a corner may wander, in pixels.
    pub max_drift_px: u32,
    /// Time between two readings.
    pub interval: Duration,
    /// Readings that must agree, at least 2.
    pub confirmations: usize,
    /// Shortest time between two pictures for viewers.
    pub picture_interval: Duration,
    /// What stands where; at least one.
    pub fields: Vec<CameraField>,
}

/// One field of a filmed board.
#[derive(Debug, Clone, PartialEq)]
pub struct CameraField {
    /// The queue it tells of.
    pub queue: QueueId,
    pub show: CameraShow,
    /// Left, top, width and height as shares of the board.
    pub rect: [f32; 4],
    /// How its digits are made.
    pub kind: DigitKind,
    /// Most digits, 1 to 6.
    pub max_digits: usize,
    /// Put before the number to make the label.
    pub prefix: String,
}

/// What a field shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CameraShow {
    /// The number called last.
    Ticket,
    /// The counter it was called to.
    Counter,
    /// People waiting.
    Waiting,
    /// Tickets on hold.
    OnHold,
}

impl CameraShow {
    /// The words for them.
    pub const WORDS: [(&'static str, Self); 4] = [
        ("ticket", Self::Ticket),
        ("counter", Self::Counter),
        ("waiting", Self::Waiting),
        ("on-hold", Self::OnHold),
    ];

    /// The word of the configuration.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ticket => "ticket",
            Self::Counter => "counter",
            Self::Waiting => "waiting",
            Self::OnHold => "on-hold",
        }
    }
}

/// How digits are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DigitKind {
    /// Seven lit (or dark) segments a digit.
    SevenSegment,
    /// Printed digits, or those of a screen.
    TextDigits,
}

impl DigitKind {
    /// The words for them.
    pub const WORDS: [(&'static str, Self); 2] = [
        ("seven-segment", Self::SevenSegment),
        ("text-digits", Self::TextDigits),
    ];

    /// The word of the configuration.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SevenSegment => "seven-segment",
            Self::TextDigits => "text-digits",
        }
    }
}

impl Check<'_> {
    pub(super) fn cameras(&mut self, raw: &[RawCamera], queues: &[QueueId]) -> Vec<CameraConfig> {
        let at = At::root().key("camera");
        if raw.len() > MAX_CAMERAS {
            let n = raw.len();
            self.wrong_as(
                &at.index(MAX_CAMERAS),
                ProblemKind::TooMany,
                format_args!("{n} cameras: expected at most {MAX_CAMERAS} a node"),
            );
        }
        let mut cameras: Vec<CameraConfig> = Vec::new();
        for (i, camera) in raw.iter().enumerate().take(MAX_CAMERAS) {
            let at = at.index(i);
            let Some(camera) = self.camera(&at, camera, queues) else {
                continue;
            };
            if let Some(first) = cameras.iter().position(|c| c.id == camera.id) {
                self.wrong_as(
                    &at.key("id"),
                    ProblemKind::Duplicate,
                    format_args!("same id as camera[{first}]: expected each id once"),
                );
            }
            cameras.push(camera);
        }
        cameras
    }

    fn camera(&mut self, at: &At, raw: &RawCamera, queues: &[QueueId]) -> Option<CameraConfig> {
        let id = self.id(&at.key("id"), raw.id.as_deref());
        let source = self.camera_source(&at.key("source"), raw.source.as_ref());
        let size = self.camera_size(&at.key("size"), raw.size.as_deref());
        let corners = self.corners(&at.key("corners"), raw.corners.as_deref(), size);
        let max_drift_px = self.count(&at.key("max_drift_px"), raw.max_drift_px, 12, 0..=100);
        let interval = self.duration(
            &at.key("interval"),
            raw.interval.as_ref(),
            Duration::from_secs(1),
            Duration::from_millis(200)..=Duration::from_secs(60),
        );
        let confirmations = self.count(&at.key("confirmations"), raw.confirmations, 3, 2..=10);
        let picture_interval = self.duration(
            &at.key("picture_interval"),
            raw.picture_interval.as_ref(),
            Duration::from_secs(5),
            Duration::from_secs(2)..=Duration::from_secs(3600),
        );
        let at = at.key("field");
        let raw = raw.field.as_deref().unwrap_or_default();
        if raw.is_empty() {
            self.missing(&at, "at least one [[camera.field]]");
        }
        if raw.len() > MAX_FIELDS {
            let n = raw.len();
            self.wrong_as(
                &at.index(MAX_FIELDS),
                ProblemKind::TooMany,
                format_args!("{n} fields: expected at most {MAX_FIELDS} a camera"),
            );
        }
        let mut fields: Vec<CameraField> = Vec::new();
        for (i, field) in raw.iter().enumerate().take(MAX_FIELDS) {
            let at = at.index(i);
            let Some(field) = self.camera_field(&at, field, queues) else {
                continue;
            };
            let same = |f: &CameraField| f.queue == field.queue && f.show == field.show;
            if let Some(first) = fields.iter().position(same) {
                self.wrong_as(
                    &at.key("show"),
                    ProblemKind::Duplicate,
                    format_args!("same as field[{first}]: expected each once a queue"),
                );
            }
            fields.push(field);
        }
        Some(CameraConfig {
            id: id?,
            source: source?,
            size: size?,
            corners: corners?,
            max_drift_px: u32::try_from(max_drift_px).ok()?,
            interval,
            confirmations,
            picture_interval,
            fields,
        })
    }

    fn camera_size(&mut self, at: &At, raw: Option<&[i64]>) -> Option<(u32, u32)> {
        let Some(raw) = raw else { return Some(SIZE) };
        let side = |v: &i64| {
            let within = usize::try_from(*v).is_ok_and(|v| SIDES.contains(&v));
            u32::try_from(*v).ok().filter(|_| within)
        };
        let size = match raw {
            [w, h] => side(w).zip(side(h)),
            _ => None,
        };
        if size.is_none() {
            let (low, high) = (SIDES.start(), SIDES.end());
            self.wrong(
                at,
                format_args!(
                    "expected width and height, {low} to {high} each, such as [1280, 720]"
                ),
            );
        }
        size
    }

    fn corners(
        &mut self,
        at: &At,
        raw: Option<&[Vec<f64>]>,
        size: Option<(u32, u32)>,
    ) -> Option<[(f32, f32); 4]> {
        const EXAMPLE: &str = "[[205, 48], [1109, 52], [1114, 609], [227, 628]]";
        let Some(raw) = raw else {
            self.missing(at, format_args!("four corners, such as {EXAMPLE}"));
            return None;
        };
        let point = |p: &Vec<f64>| match p.as_slice() {
            [x, y] => Some((narrow(*x), narrow(*y))),
            _ => None,
        };
        let points: Option<Vec<(f32, f32)>> = raw.iter().map(point).collect();
        let four = points.and_then(|p| <[(f32, f32); 4]>::try_from(p).ok());
        let Some(corners) = four.filter(is_convex) else {
            self.wrong(
                at,
                format_args!(
                    "expected four corners, clockwise from the top left, such as {EXAMPLE}"
                ),
            );
            return None;
        };
        if let Some((width, height)) = size {
            let within = |(x, y): (f32, f32)| {
                (0.0..=width as f32).contains(&x) && (0.0..=height as f32).contains(&y)
            };
            for (i, corner) in corners.iter().enumerate() {
                if !within(*corner) {
                    self.wrong(
                        &at.index(i),
                        format_args!("expected a place within {width} × {height}"),
                    );
                    return None;
                }
            }
        }
        Some(corners)
    }

    fn camera_field(
        &mut self,
        at: &At,
        raw: &RawCameraField,
        queues: &[QueueId],
    ) -> Option<CameraField> {
        let queue = self.id::<QueueId>(&at.key("queue"), raw.queue.as_deref());
        let known = queue.as_ref().is_none_or(|q| queues.contains(q));
        if !known {
            self.wrong_as(
                &at.key("queue"),
                ProblemKind::NoSuch,
                "no such queue: expected the id of a [[queue]]",
            );
        }
        let show = raw.show.as_deref().unwrap_or("ticket");
        let show = self.word(&at.key("show"), show, &CameraShow::WORDS);
        let rect = self.camera_rect(&at.key("rect"), raw.rect.as_deref());
        let kind = match raw.kind.as_deref() {
            Some(kind) => self.word(&at.key("kind"), kind, &DigitKind::WORDS),
            None => {
                self.missing(&at.key("kind"), "seven-segment or text-digits");
                None
            }
        };
        let usual = if show == Some(CameraShow::Counter) {
            2
        } else {
            3
        };
        let max_digits = self.count(&at.key("max_digits"), raw.max_digits, usual, 1..=6);
        let prefix = raw.prefix.clone().unwrap_or_default();
        // With six digits the label still has at most twelve characters.
        if !prefix.is_empty() && !is_line(&prefix, 6) {
            self.wrong(&at.key("prefix"), "expected at most 6 printable characters");
        }
        Some(CameraField {
            queue: queue?,
            show: show?,
            rect: rect?,
            kind: kind?,
            max_digits,
            prefix,
        })
    }

    fn camera_rect(&mut self, at: &At, raw: Option<&[f64]>) -> Option<[f32; 4]> {
        const EXAMPLE: &str = "left, top, width and height as shares of the board, such as \
                               [0.45, 0.13, 0.30, 0.19]";
        let Some(raw) = raw else {
            self.missing(at, EXAMPLE);
            return None;
        };
        /// Shares written with four digits may sum up to a little more than the whole.
        const SLACK: f64 = 1e-3;
        let within = |at: f64, len: f64| at >= 0.0 && len > 0.0 && at + len <= 1.0 + SLACK;
        match raw {
            [x, y, w, h] if within(*x, *w) && within(*y, *h) => Some([*x, *y, *w, *h].map(narrow)),
            _ => {
                self.wrong(at, format_args!("expected {EXAMPLE}"));
                None
            }
        }
    }
}

/// Pixels and shares need no more digits than this.
#[allow(clippy::cast_possible_truncation)] // the nearest is meant
fn narrow(value: f64) -> f32 {
    value as f32
}

/// Whether four corners turn to the right all the way.
fn is_convex(c: &[(f32, f32); 4]) -> bool {
    (0..4).all(|i| {
        let (a, b, c) = (c[i], c[(i + 1) % 4], c[(i + 2) % 4]);
        (b.0 - a.0) * (c.1 - b.1) - (b.1 - a.1) * (c.0 - b.0) > 1.0
    })
}
