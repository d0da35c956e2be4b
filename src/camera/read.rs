//! A rectified board to readings: each field by itself, then by what all of them agree on.

use super::field::Signal;
use super::light::Light;
use super::picture::RectifiedBoard;
use super::quad::Rect;
use super::reading::{Digit, Doubt};
use super::segments::{self, Shape};
use super::text;
use crate::config::DigitKind;

/// A field to read.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldSpec {
    /// Its name in answers.
    pub id: String,
    /// Where it is on the board.
    pub rect: Rect,
    /// How its digits are made.
    pub kind: DigitKind,
    /// Most digits.
    pub max_digits: usize,
}

/// What a field says in one picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// Its digits, or why they cannot be read.
    pub text: Result<String, Doubt>,
    /// How clear the least clear digit is: 0 (unknown) to 1.
    pub confidence: f32,
}

impl Reading {
    pub(super) fn unknown(doubt: Doubt) -> Self {
        Self {
            text: Err(doubt),
            confidence: 0.0,
        }
    }

    fn of(result: Result<Vec<Digit>, Doubt>, max_digits: usize) -> Self {
        match result {
            Ok(digits) if (1..=max_digits).contains(&digits.len()) => Self {
                confidence: digits.iter().map(|d| d.confidence).fold(1.0, f32::min),
                text: Ok(digits.iter().map(|d| char::from(b'0' + d.value)).collect()),
            },
            Ok(_) => Self::unknown(Doubt::Shape),
            Err(doubt) => Self::unknown(doubt),
        }
    }
}

enum FieldScan {
    Segments(segments::SegmentScan),
    Text(text::TextScan),
}

/// Reads all fields of a board in one picture; in the order of the fields.
#[must_use]
pub fn read(board: &RectifiedBoard, fields: &[FieldSpec]) -> Vec<Reading> {
    let light = Light::of(board, fields.iter().map(|f| &f.rect));
    let found: Vec<Result<FieldScan, Doubt>> = fields
        .iter()
        .map(|field| {
            let signal = Signal::of(board, &field.rect, light.as_ref()).ok_or(Doubt::Nothing)?;
            match field.kind {
                DigitKind::SevenSegment => {
                    segments::SegmentScan::of(&signal).map(FieldScan::Segments)
                }
                DigitKind::TextDigits => text::TextScan::of(signal).map(FieldScan::Text),
            }
        })
        .collect();
    found
        .iter()
        .enumerate()
        .map(|(i, own)| {
            let mates = || {
                let same = |j: &usize| same_size(&fields[i], &fields[*j]);
                (0..fields.len())
                    .filter(same)
                    .filter_map(|j| found[j].as_ref().ok())
            };
            match own {
                Err(doubt) => Reading::unknown(*doubt),
                Ok(own) if has_foreign_ground(own, mates()) => Reading::unknown(Doubt::Obstructed),
                Ok(FieldScan::Segments(own)) => {
                    let shapes: Vec<Shape> = mates()
                        .filter_map(|f| match f {
                            FieldScan::Segments(f) => Some(f.shape()),
                            FieldScan::Text(_) => None,
                        })
                        .collect();
                    Reading::of(own.decode(&consensus(&shapes)), fields[i].max_digits)
                }
                Ok(FieldScan::Text(own)) => {
                    let extents: Vec<(f32, f32)> = mates()
                        .filter_map(|f| match f {
                            FieldScan::Text(f) => Some(f.extent()),
                            FieldScan::Segments(_) => None,
                        })
                        .collect();
                    let agreed = (extents.len() >= AGREEING).then(|| {
                        let middle =
                            |of: fn(&(f32, f32)) -> f32| median(extents.iter().map(of).collect());
                        (
                            middle(|e| e.0).unwrap_or(0.0),
                            middle(|e| e.1).unwrap_or(1.0),
                        )
                    });
                    Reading::of(own.decode(agreed), fields[i].max_digits)
                }
            }
        })
        .collect()
}

impl FieldScan {
    fn ground(&self) -> [f32; 3] {
        match self {
            Self::Segments(f) => f.ground,
            Self::Text(f) => f.ground(),
        }
    }
}

/// Whether a field's ground is not that of its mates: then a cover or a reflection is most of it.
fn has_foreign_ground<'a>(own: &FieldScan, mates: impl Iterator<Item = &'a FieldScan>) -> bool {
    /// How much darker or brighter one side of a board may be.
    const LIGHT: std::ops::RangeInclusive<f32> = 0.55..=1.8;
    /// Levels that noise and rounding make of a dark ground.
    const SLACK: f32 = 8.0;
    let own = own.ground();
    let like = |other: [f32; 3]| {
        let square: f32 = other.iter().map(|v| v * v).sum::<f32>().max(1.0);
        let product: f32 = (0..3).map(|c| own[c] * other[c]).sum();
        let light = (product / square).clamp(*LIGHT.start(), *LIGHT.end());
        let apart: f32 = (0..3).map(|c| (own[c] - light * other[c]).powi(2)).sum();
        apart.sqrt() <= SLACK + 0.06 * square.sqrt()
    };
    // The field is one of its own mates.
    let (mut all, mut alike) = (0, 0);
    for mate in mates {
        all += 1;
        alike += usize::from(like(mate.ground()));
    }
    all >= AGREEING && (alike - 1) * 3 < all - 1
}

/// Fields that must say the same before it counts.
const AGREEING: usize = 3;

/// Whether two fields hold digits of one size.
fn same_size(a: &FieldSpec, b: &FieldSpec) -> bool {
    let near = |a: f32, b: f32| (a / b - 1.0).abs() < 0.04;
    a.kind == b.kind && near(a.rect.h, b.rect.h) && near(a.rect.w, b.rect.w)
}

/// What most fields say; the widest digits tell the width, since a 7 alone is narrower. Those that
/// reach into the next place have run together with what is there.
fn consensus(shapes: &[Shape]) -> Shape {
    let of = |values: &mut dyn Iterator<Item = f32>, least: usize, percent: usize| {
        let mut values: Vec<f32> = values.collect();
        values.sort_by(f32::total_cmp);
        let at = (values.len() * percent / 100).min(values.len().saturating_sub(1));
        values.get(at).copied().filter(|_| values.len() >= least)
    };
    let pitch = of(&mut shapes.iter().filter_map(|s| s.pitch), 1, 50);
    let apart = |width: &f32| pitch.is_none_or(|p| segments::PITCH.contains(&(p / width)));
    let mut widths = shapes.iter().filter_map(|s| s.width).filter(apart);
    Shape {
        top: of(&mut shapes.iter().filter_map(|s| s.top), AGREEING, 50),
        bottom: of(&mut shapes.iter().filter_map(|s| s.bottom), AGREEING, 50),
        width: of(&mut widths, 2, 75),
        pitch,
    }
}

fn median(mut values: Vec<f32>) -> Option<f32> {
    values.sort_by(f32::total_cmp);
    values.get(values.len() / 2).copied()
}
