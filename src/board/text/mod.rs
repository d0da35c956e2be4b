//! Text in boxes.
//!
//! What does not fit its box follows the box's [`Fit`] rule and never reaches out of it: first it
//! shrinks, then it takes a second line, then it is cut with an ellipsis. Labels are never cut.

mod breaks;
mod faces;
mod fonts;

pub(super) use fonts::Fonts;

use super::theme::Ink;
use crate::frame::Frame;
use breaks::{cut, split};
use embedded_graphics::geometry::Point;
use embedded_graphics::pixelcolor::Rgb888;
use embedded_graphics::primitives::Rectangle;
use fonts::Shaped;
use std::sync::Arc;

/// Height of a line of text in em: what the tallest and the lowest glyph of the fonts need, with
/// [`BASELINE`] as the middle's height.
pub(super) const LINE: f32 = 1.2;

/// Height of the middle of capitals and kanji above the baseline in em; both fonts, measured.
pub(super) const BASELINE: f32 = 0.375;

/// Height of capitals and digits in em, with some air.
pub(super) const CAPITALS: f32 = 0.82;

/// A name shrinks to this share of its size before it takes a second line or is cut.
pub(super) const NAME_FLOOR: f32 = 0.68;

/// A sentence shrinks to this share of its size before it is cut.
const PROSE_FLOOR: f32 = 0.5;

/// Smallest size that is drawn, in pixels: below it nothing can be read anyway.
const MIN_SIZE: f32 = 6.0;

/// Where a line stands in its box.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Align {
    /// At the left edge.
    Left,
    /// In the middle.
    Centre,
    /// At the right edge.
    Right,
}

/// What happens to a text that is wider than its box.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fit {
    /// Shrinks as far as it takes, in two lines where that keeps it larger: for labels and numbers,
    /// of which no character may be lost.
    Shrink,
    /// Shrinks to [`NAME_FLOOR`], then takes a second line if the box is high enough, then ends
    /// with an ellipsis: for names.
    Name,
    /// Takes as many lines as its box has room for, at the largest size at which that is enough; at
    /// [`PROSE_FLOOR`] of its size it ends with an ellipsis: for sentences.
    Prose,
}

/// A part of a line with one look.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Run {
    pub(super) text: String,
    /// Height of its em in pixels.
    pub(super) size: f32,
    /// Whether it is bold.
    pub(super) bold: bool,
    pub(super) ink: Ink,
}

impl Run {
    /// A run of the regular font.
    pub(super) fn new(text: impl Into<String>, size: f32, ink: Ink) -> Self {
        Self {
            text: text.into(),
            size,
            bold: false,
            ink,
        }
    }

    /// A run of the bold font.
    pub(super) fn bold(text: impl Into<String>, size: f32, ink: Ink) -> Self {
        Self {
            bold: true,
            ..Self::new(text, size, ink)
        }
    }
}

/// Runs on one baseline, in the vertical middle of a box.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Text {
    pub(super) area: Rectangle,
    /// What stands in it, from the left.
    pub(super) runs: Vec<Run>,
    pub(super) align: Align,
    /// What if it does not fit.
    pub(super) fit: Fit,
}

/// A run that has its place.
struct Placed {
    shaped: Arc<Shaped>,
    size: u16,
    x: f32,
    baseline: f32,
    ink: Ink,
}

impl Text {
    /// Draws the text, cut at its box as the last resort.
    pub(super) fn draw(
        &self,
        fonts: &mut Fonts,
        frame: &mut Frame,
        clip: &Rectangle,
        color: impl Fn(Ink) -> Rgb888,
    ) {
        for placed in self.place(fonts) {
            // `as` saturates, and what lies outside is dropped.
            #[allow(clippy::cast_possible_truncation)]
            let at = Point::new(placed.x.round() as i32, placed.baseline.round() as i32);
            for stamp in fonts.stamps(&placed.shaped, placed.size) {
                let at = Point::new(at.x.saturating_add(stamp.x), at.y.saturating_add(stamp.y));
                frame.blend_mask(at, stamp.picture.mask(), color(placed.ink), clip);
            }
        }
    }

    /// The width the runs would like to have, in pixels; drawn they are no wider.
    pub(super) fn wish(runs: &[Run], fonts: &mut Fonts) -> f32 {
        runs.iter()
            .map(|r| fonts.shape(&r.text, r.bold).width * r.size)
            .sum()
    }

    fn place(&self, fonts: &mut Fonts) -> Vec<Placed> {
        let room = px(self.area.size.width);
        let wish = Self::wish(&self.runs, fonts);
        let tallest = self.runs.iter().map(height_of).fold(0.0, f32::max);
        // Never higher than the box either.
        let height = (px(self.area.size.height) / tallest.max(1.0)).min(1.0);
        let scale = (room / wish.max(1.0)).min(height);
        let middle = px_at(self.area.top_left.y) + px(self.area.size.height) / 2.0;
        if scale >= height.min(1.0) {
            return self.line(&self.runs, height, middle, fonts);
        }
        if self.fit == Fit::Shrink
            && let [run] = self.runs.as_slice()
            && let Some(halves) = self.halves(run, scale, middle, fonts)
        {
            return halves;
        }
        let calm = self.fit == Fit::Name && scale >= NAME_FLOOR * height;
        if self.fit == Fit::Shrink || calm {
            return self.line(&self.runs, scale, middle, fonts);
        }
        if self.fit == Fit::Prose
            && let [run] = self.runs.as_slice()
        {
            return self.prose(run, scale, middle, fonts);
        }
        let [run] = self.runs.as_slice() else {
            // Several runs are words of the board itself, which fit; shrinking is the safe side.
            return self.line(&self.runs, scale, middle, fonts);
        };
        let two = px(self.area.size.height) / (2.0 * LINE * run.size);
        // One line that is no smaller than two would be says the same and is calmer.
        if scale >= two {
            return self.line(&self.runs, scale, middle, fonts);
        }
        // Two lines at a share that can still be read, else one line that is cut.
        if two >= NAME_FLOOR * 0.75 {
            let scale = two.min(NAME_FLOOR);
            let size = whole(run.size * scale);
            let (first, rest) = split(run, size, room, fonts);
            let step = size * LINE / 2.0;
            let mut placed = self.line(&[first], scale, middle - step, fonts);
            let rest = cut(&rest, size, room, fonts);
            placed.extend(self.line(&[rest], scale, middle + step, fonts));
            placed
        } else {
            let scale = NAME_FLOOR * height;
            let cut = cut(run, whole(run.size * scale), room, fonts);
            self.line(&[cut], scale, middle, fonts)
        }
    }

    /// A label in two lines, where that leaves it larger than in one.
    fn halves(
        &self,
        run: &Run,
        single: f32,
        middle: f32,
        fonts: &mut Fonts,
    ) -> Option<Vec<Placed>> {
        let half = run.text.chars().count().div_ceil(2);
        let (at, _) = run.text.char_indices().nth(half)?;
        let (first, second) = run.text.split_at(at);
        let halves = [first, second].map(|text| Run {
            text: text.to_owned(),
            ..run.clone()
        });
        let wish = halves
            .iter()
            .map(|r| Self::wish(std::slice::from_ref(r), fonts))
            .fold(1.0, f32::max);
        let high = px(self.area.size.height) / (2.0 * LINE * run.size);
        let scale = high.min(px(self.area.size.width) / wish);
        if scale <= single * 1.25 {
            return None;
        }
        let step = run.size * scale * LINE / 2.0;
        let mut placed = self.line(&halves[..1], scale, middle - step, fonts);
        placed.extend(self.line(&halves[1..], scale, middle + step, fonts));
        Some(placed)
    }

    /// A sentence in lines of the largest size at which all of it has room; in a single one where
    /// that is hardly smaller, which is calmer.
    fn prose(&self, run: &Run, single: f32, middle: f32, fonts: &mut Fonts) -> Vec<Placed> {
        const STEP: f32 = 0.94;
        const HARDLY: f32 = 0.8;
        let (room, high) = (px(self.area.size.width), px(self.area.size.height));
        let mut scale = (high / (LINE * run.size)).min(1.0);
        let floor = PROSE_FLOOR.min(scale);
        let lines = loop {
            let size = whole(run.size * scale);
            // Of a line more than there is room for, only that it is there matters.
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a few lines
            let most = (high / (size * LINE)).max(1.0) as usize;
            let mut lines = Vec::new();
            let mut rest = run.clone();
            while !rest.text.is_empty() && lines.len() < most {
                let (line, after) = split(&rest, size, room, fonts);
                lines.push(line);
                rest = after;
            }
            if rest.text.is_empty() {
                break lines;
            }
            if scale <= floor {
                if let Some(last) = lines.last_mut() {
                    last.text = format!("{} {}", last.text, rest.text);
                    *last = cut(last, size, room, fonts);
                }
                break lines;
            }
            scale = (scale * STEP).max(floor);
        };
        if single >= scale * HARDLY {
            return self.line(std::slice::from_ref(run), single, middle, fonts);
        }
        #[allow(clippy::cast_precision_loss)] // a few lines
        let count = lines.len() as f32;
        let step = run.size * scale * LINE;
        let mut at = middle - step * (count - 1.0) / 2.0;
        let mut placed = Vec::new();
        for line in lines {
            placed.extend(self.line(&[line], scale, at, fonts));
            at += step;
        }
        placed
    }

    fn line(&self, runs: &[Run], scale: f32, middle: f32, fonts: &mut Fonts) -> Vec<Placed> {
        let tallest = runs.iter().map(|r| r.size).fold(0.0, f32::max) * scale;
        let baseline = middle + BASELINE * tallest;
        let mut x = 0.0;
        let mut placed = Vec::with_capacity(runs.len());
        for run in runs {
            let shaped = fonts.shape(&run.text, run.bold);
            let size = whole(run.size * scale);
            let width = shaped.width * size;
            placed.push(Placed {
                shaped,
                // Bounded by `whole`.
                #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
                size: size as u16,
                x,
                baseline,
                ink: run.ink,
            });
            x += width;
        }
        let slack = px(self.area.size.width) - x;
        let left = px_at(self.area.top_left.x)
            + match self.align {
                Align::Left => 0.0,
                Align::Centre => slack / 2.0,
                Align::Right => slack,
            };
        for one in &mut placed {
            one.x += left;
        }
        placed
    }
}

/// The height a run needs in its box. Capitals and digits have neither accents nor descenders, and
/// their middle is the box's.
fn height_of(run: &Run) -> f32 {
    let low = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || "-–: ".contains(c);
    run.size
        * if run.text.chars().all(low) {
            CAPITALS
        } else {
            LINE
        }
}

/// Sizes are whole pixels, so that few pictures of a glyph are needed.
fn whole(size: f32) -> f32 {
    size.floor().clamp(MIN_SIZE, f32::from(u16::MAX / 4))
}

#[allow(clippy::cast_precision_loss)] // frames have less than 2^24 pixels a side
fn px(length: u32) -> f32 {
    length as f32
}

#[allow(clippy::cast_precision_loss)] // as above
fn px_at(place: i32) -> f32 {
    place as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use embedded_graphics::geometry::Size;

    fn lines(text: &str, width: u32, height: u32, fit: Fit) -> Vec<(u16, f32)> {
        let text = Text {
            area: Rectangle::new(Point::new(10, 10), Size::new(width, height)),
            runs: vec![Run::bold(text, 40.0, Ink::Text)],
            align: Align::Left,
            fit,
        };
        text.place(&mut Fonts::new().expect("fonts"))
            .iter()
            .map(|p| (p.size, p.shaped.width * f32::from(p.size)))
            .collect()
    }

    #[test]
    fn names_shrink_then_take_two_lines_then_are_cut() {
        let name = "国民健康保険・後期高齢者医療・介護保険";
        let sizes = |width, height| {
            let lines = lines(name, width, height, Fit::Name);
            assert!(lines.iter().all(|l| l.1 <= px(width)), "{lines:?}");
            lines.iter().map(|l| l.0).collect::<Vec<_>>()
        };
        assert_eq!(sizes(900, 48), [40]);
        let shrunk = sizes(600, 48);
        assert!(
            shrunk.len() == 1 && (27..40).contains(&shrunk[0]),
            "{shrunk:?}"
        );
        assert_eq!(sizes(300, 80), [27, 27]);
        assert_eq!(sizes(300, 48).len(), 1, "no room for two lines: cut");
        assert_eq!(sizes(100, 80), [27, 27], "two lines, and cut");
    }

    #[test]
    fn sentences_take_the_lines_that_there_is_room_for() {
        let text = "expected mqtt://HOST[:PORT] or mqtts://HOST[:PORT], such as mqtt://192.0.2.1";
        let sizes = |width, height| {
            let lines = lines(text, width, height, Fit::Prose);
            assert!(lines.iter().all(|l| l.1 <= px(width)), "{lines:?}");
            let high: f32 = lines.iter().map(|l| f32::from(l.0) * LINE).sum();
            assert!(lines.len() == 1 || high <= px(height), "{lines:?}");
            lines.iter().map(|l| l.0).collect::<Vec<_>>()
        };
        assert_eq!(sizes(2000, 60), [40]);
        assert_eq!(sizes(1200, 100), [40, 40]);
        assert_eq!(sizes(800, 150), [40, 40, 40]);
        let smaller = sizes(600, 100);
        assert!(
            smaller.len() > 1 && (20..40).contains(&smaller[0]),
            "{smaller:?}"
        );
        assert_eq!(sizes(300, 50), [20, 20], "no room: cut");
    }

    #[test]
    fn labels_are_never_cut() {
        let label = "WWWWWWWWWWWW";
        let got = lines(label, 200, 20, Fit::Shrink);
        assert_eq!(got.len(), 1);
        assert!(got[0].1 <= 200.0, "{got:?}");
        let got = lines(label, 100, 48, Fit::Shrink);
        assert_eq!(got.len(), 2, "two lines are larger");
        assert!(got.iter().all(|l| l.1 <= 100.0 && l.0 >= 14), "{got:?}");
    }
}
