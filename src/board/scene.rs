//! A board as cells: areas with what stands in them, before any pixel.
//!
//! Cells never overlap and each repaints its own ground, so a board that changes redraws just the
//! cells that differ.

use super::text::Text;
use super::theme::Ink;
pub(super) use crate::frame::Form;
use embedded_graphics::geometry::{Point, Size};
use embedded_graphics::primitives::Rectangle;

/// A board's cells over its grounds.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Scene {
    /// Large areas below the cells, the first at the bottom. The same as long as the frame is.
    pub(super) grounds: Vec<(Rectangle, Ink)>,
    /// Cells, none overlapping another.
    pub(super) cells: Vec<Cell>,
}

/// A part of a board that is repainted as a whole.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Cell {
    pub(super) area: Rectangle,
    /// Painted first.
    pub(super) ground: Ink,
    /// Painted on it, in order.
    pub(super) parts: Vec<Part>,
}

/// Something painted in a cell, cut at its edge.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Part {
    /// A text in its box.
    Text(Text),
    /// A filled shape.
    Shape {
        area: Rectangle,
        form: Form,
        ink: Ink,
    },
    /// A QR code: modules in rows, `true` is dark, with its margin of light ones.
    Qr {
        /// The largest square that may be used.
        area: Rectangle,
        /// Modules a side, margin included.
        side: u32,
        /// `side * side` modules.
        modules: Vec<bool>,
    },
}

impl Cell {
    /// An empty cell.
    pub(super) fn new(area: Rectangle, ground: Ink) -> Self {
        Self {
            area,
            ground,
            parts: Vec::new(),
        }
    }

    /// The cell with a text in it.
    pub(super) fn text(mut self, text: Text) -> Self {
        self.parts.push(Part::Text(text));
        self
    }

    /// The cell with a shape in it.
    pub(super) fn shape(mut self, area: Rectangle, form: Form, ink: Ink) -> Self {
        self.parts.push(Part::Shape { area, form, ink });
        self
    }
}

/// A rectangle from its corners; empty if they are the wrong way round.
pub(super) fn area(left: i32, top: i32, right: i32, bottom: i32) -> Rectangle {
    let length = |from: i32, to: i32| u32::try_from(to.saturating_sub(from)).unwrap_or(0);
    Rectangle::new(
        Point::new(left, top),
        Size::new(length(left, right), length(top, bottom)),
    )
}

/// Edges of a rectangle as left, top, right, bottom.
pub(super) fn edges(area: &Rectangle) -> (i32, i32, i32, i32) {
    let length = |n: u32| i32::try_from(n).unwrap_or(i32::MAX);
    let Point { x, y } = area.top_left;
    (
        x,
        y,
        x.saturating_add(length(area.size.width)),
        y.saturating_add(length(area.size.height)),
    )
}

/// A rectangle without a border of these widths.
pub(super) fn inset(of: &Rectangle, x: i32, y: i32) -> Rectangle {
    let (left, top, right, bottom) = edges(of);
    area(left + x, top + y, right - x, bottom - y)
}

/// Cuts a rectangle into pieces beside each other, by shares.
pub(super) fn across(of: &Rectangle, shares: &[u16]) -> Vec<Rectangle> {
    let (left, top, right, bottom) = edges(of);
    let sum: i64 = shares.iter().map(|s| i64::from(*s)).sum::<i64>().max(1);
    let mut until = 0;
    let mut from = left;
    shares
        .iter()
        .map(|share| {
            until += i64::from(*share);
            let to = left + i32::try_from(i64::from(right - left) * until / sum).unwrap_or(0);
            let piece = area(from, top, to, bottom);
            from = to;
            piece
        })
        .collect()
}

/// Cuts a height off the top of a rectangle: the piece and the rest.
pub(super) fn cut_top(of: &Rectangle, height: i32) -> (Rectangle, Rectangle) {
    let (left, top, right, bottom) = edges(of);
    let at = (top + height.max(0)).min(bottom);
    (area(left, top, right, at), area(left, at, right, bottom))
}

/// Cuts a width off the right of a rectangle: the rest and the piece.
pub(super) fn cut_right(of: &Rectangle, width: i32) -> (Rectangle, Rectangle) {
    let (left, top, right, bottom) = edges(of);
    let at = (right - width.max(0)).max(left);
    (area(left, top, at, bottom), area(at, top, right, bottom))
}

/// Cuts a width off the left of a rectangle: the piece and the rest.
pub(super) fn cut_left(of: &Rectangle, width: i32) -> (Rectangle, Rectangle) {
    let (left, top, right, bottom) = edges(of);
    let at = (left + width.max(0)).min(right);
    (area(left, top, at, bottom), area(at, top, right, bottom))
}
