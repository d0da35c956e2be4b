//! What stands where on a board of light points, and until when.

use super::pieces::{Cell, Line, Piece, signed};
use super::turns::{self, way};
use embedded_graphics::geometry::{Point, Size};
use embedded_graphics::primitives::Rectangle;
use std::time::Duration;

/// Rows from which on a board has room for a name and large digits, one above the other.
pub(super) const TALL: u32 = 30;

/// Empty columns between the end of a moving text and its beginning.
const BETWEEN: u32 = 24;

/// The cells of one moment; no two of them overlap.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Scene {
    pub(super) cells: Vec<Cell>,
    /// When it is different though no message comes, counted from the beginning of the turn.
    pub(super) until: Duration,
}

impl Scene {
    /// An empty one that stays until the end of a turn of this length.
    pub(super) fn until(length: Duration) -> Self {
        Self {
            cells: Vec::new(),
            until: length,
        }
    }

    /// Notes that it changes then, if not before.
    pub(super) fn changes_at(&mut self, spent: Duration) {
        self.until = self.until.min(spent);
    }

    /// Draws a part of a turn that begins `start` into it and has times of its own.
    pub(super) fn shifted(&mut self, start: Duration, draw: impl FnOnce(&mut Self)) {
        let mut part = Self::until(self.until.saturating_sub(start));
        draw(&mut part);
        self.cells.extend(part.cells);
        self.changes_at(part.until.saturating_add(start));
    }
}

/// The upper rows of an area, and the others.
pub(super) fn cut_top(area: &Rectangle, rows: u32) -> (Rectangle, Rectangle) {
    let rows = rows.min(area.size.height);
    let top = Rectangle::new(area.top_left, Size::new(area.size.width, rows));
    let rest = Rectangle::new(
        area.top_left + Point::new(0, signed(rows)),
        Size::new(area.size.width, area.size.height - rows),
    );
    (top, rest)
}

/// The upper rows of an area, and so many lower ones.
pub(super) fn cut_bottom(area: &Rectangle, rows: u32) -> (Rectangle, Rectangle) {
    cut_top(area, area.size.height.saturating_sub(rows))
}

/// The columns of an area from one on and before another.
pub(super) fn placed(area: Rectangle, from: i32, to: i32) -> Rectangle {
    let left = from.clamp(0, signed(area.size.width));
    let right = to.clamp(left, signed(area.size.width));
    Rectangle::new(
        area.top_left + Point::new(left, 0),
        Size::new(u32::try_from(right - left).unwrap_or(0), area.size.height),
    )
}

/// How long a name's row takes until it has been read once.
pub(super) fn name_time(line: &Line, width: u32) -> Duration {
    if line.width() <= width {
        return Duration::ZERO;
    }
    turns::time(line.width() + BETWEEN)
}

/// A line at the left of its row if it fits; else it rests, moves through, and comes again.
pub(super) fn moving_name(scene: &mut Scene, area: Rectangle, line: Line, spent: Duration) {
    if line.width() <= area.size.width {
        scene.cells.push(Cell::centred(area, line));
        return;
    }
    let way = way(line.width() + BETWEEN, spent);
    scene.changes_at(way.until);
    let again = line.clone();
    let line = line.with(Piece::Gap(BETWEEN)).then(again);
    scene.cells.push(Cell::at(area, line, -signed(way.columns)));
}
