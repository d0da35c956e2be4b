//! Lines of glyphs: what stands side by side in one row, how wide it is, and its points.

use super::glyphs::{FACES, Glyph, Kanji};
use super::spelling::drawn;
use crate::frame::Frame;
use embedded_graphics::draw_target::DrawTarget;
use embedded_graphics::geometry::{Point, Size};
use embedded_graphics::pixelcolor::{Rgb888, RgbColor};
use embedded_graphics::primitives::Rectangle;

/// Points below the ink of a Japanese glyph, in its cell.
const BELOW: u32 = 1;

/// A colour, by what it is for. Points are on or off in three colours, so there are eight; on a
/// board of one colour all but black are on, and nothing is said by colour alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ink {
    /// Off.
    Dark,
    /// Tickets.
    Ticket,
    /// Counters, and the way to them.
    Counter,
    /// Names and words.
    Word,
    Fast,
    /// The time of numbers that are not fresh.
    Old,
}

impl Ink {
    fn color(self) -> Rgb888 {
        match self {
            Self::Dark => Rgb888::BLACK,
            Self::Ticket => Rgb888::YELLOW,
            Self::Counter => Rgb888::GREEN,
            Self::Word => Rgb888::WHITE,
            Self::Fast => Rgb888::CYAN,
            Self::Old => Rgb888::MAGENTA,
        }
    }
}

/// One part of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    /// Japanese, and whatever else a text holds.
    Words(Kanji, String, Ink),
    /// Digits and letters of a face, as an index into [`FACES`].
    Digits(usize, String, Ink),
    /// A pointer to the right, so many rows high.
    Arrow(u32, Ink),
    /// So many empty columns.
    Gap(u32),
}

impl Piece {
    /// Columns.
    pub(super) fn width(&self) -> u32 {
        match self {
            Self::Words(size, text, _) => text.chars().map(|c| size.advance(c)).sum(),
            Self::Digits(face, text, _) => FACES.get(*face).map_or(0, |f| f.width(text)),
            Self::Arrow(height, _) => height.div_ceil(2),
            Self::Gap(columns) => *columns,
        }
    }

    /// Rows of ink above the line's foot.
    fn rise(&self) -> u32 {
        match self {
            Self::Words(size, ..) => size.size() - BELOW,
            Self::Digits(face, ..) => FACES.get(*face).map_or(0, |f| f.height),
            Self::Arrow(height, _) => *height,
            Self::Gap(_) => 0,
        }
    }
}

/// Pieces on one foot.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Line(pub(super) Vec<Piece>);

impl Line {
    /// Words alone.
    pub(super) fn words(size: Kanji, text: &str, ink: Ink) -> Self {
        Self(vec![Piece::Words(size, drawn(text).into_owned(), ink)])
    }

    /// Adds a part.
    pub(super) fn with(mut self, piece: Piece) -> Self {
        self.0.push(piece);
        self
    }

    /// Adds another line.
    pub(super) fn then(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// Columns.
    pub(super) fn width(&self) -> u32 {
        self.0.iter().map(Piece::width).sum()
    }

    /// Rows of ink.
    pub(super) fn height(&self) -> u32 {
        self.0.iter().map(Piece::rise).max().unwrap_or(0)
    }

    /// Calls `point` for every lit point of the line standing in `area`, whose left edge it is
    /// shifted from by `x` columns; the middle of its rows is the middle of the area's.
    fn points(&self, area: &Rectangle, x: i32, mut point: impl FnMut(Point, Ink)) {
        let height = signed(self.height());
        let top = area.top_left.y + (signed(area.size.height) - height).div_euclid(2);
        let mut left = area.top_left.x + x;
        for piece in &self.0 {
            let foot = top + height;
            match piece {
                Piece::Words(size, text, ink) => {
                    let top = foot - signed(piece.rise());
                    let mut left = left;
                    for c in text.chars() {
                        stamp(&size.glyph(c), Point::new(left, top), *ink, &mut point);
                        left += signed(size.advance(c));
                    }
                }
                Piece::Digits(face, text, ink) => {
                    let mut left = left;
                    let Some(face) = FACES.get(*face) else {
                        continue;
                    };
                    for glyph in text.chars().filter_map(|c| face.glyph(c)) {
                        let at = Point::new(left, foot - signed(face.height));
                        stamp(glyph, at, *ink, &mut point);
                        left += signed(glyph.width + face.gap);
                    }
                }
                Piece::Arrow(rows, ink) => {
                    let top = top + (height - signed(*rows)).div_euclid(2);
                    for y in 0..signed(*rows) {
                        for x in 0..=y.min(signed(*rows) - 1 - y) {
                            point(Point::new(left + x, top + y), *ink);
                        }
                    }
                }
                Piece::Gap(_) => {}
            }
            left += signed(piece.width());
        }
    }
}

fn stamp(glyph: &Glyph, at: Point, ink: Ink, point: &mut impl FnMut(Point, Ink)) {
    for (x, y) in glyph.points() {
        point(at + Point::new(signed(x), signed(y)), ink);
    }
}

/// A line in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cell {
    /// Where; nothing of it is drawn outside.
    pub(super) area: Rectangle,
    pub(super) line: Line,
    /// Columns from the area's left edge to the line's; below 0 it has moved out to the left.
    pub(super) x: i32,
    /// Lit ground on which the line is dark, instead of the other way round.
    pub(super) ground: Option<Ink>,
}

impl Cell {
    /// A line in the middle of an area.
    pub(super) fn centred(area: Rectangle, line: Line) -> Self {
        let x = (signed(area.size.width) - signed(line.width())).div_euclid(2);
        Self::at(area, line, x)
    }

    /// A line so many columns from the left.
    pub(super) fn at(area: Rectangle, line: Line, x: i32) -> Self {
        Self {
            area,
            line,
            x,
            ground: None,
        }
    }

    /// Draws the cell with `scale` pixels a point, all of it shifted by `origin` pixels.
    pub(super) fn draw(&self, frame: &mut Frame, origin: Point, scale: u32) {
        let mut fill = |area: &Rectangle, ink: Ink| {
            let at = origin + area.top_left * signed(scale);
            let pixels = Rectangle::new(at, area.size * scale);
            let Ok(()) = frame.fill_solid(&pixels, ink.color());
        };
        if let Some(ground) = self.ground {
            fill(&self.area, ground);
        }
        self.line.points(&self.area, self.x, |at, ink| {
            if self.area.contains(at) {
                let ink = if self.ground.is_some() {
                    Ink::Dark
                } else {
                    ink
                };
                fill(&Rectangle::new(at, Size::new_equal(1)), ink);
            }
        });
    }
}

/// A small length as a coordinate.
pub(super) fn signed(length: u32) -> i32 {
    i32::try_from(length).unwrap_or(i32::MAX / 4)
}
