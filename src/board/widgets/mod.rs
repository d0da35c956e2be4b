//! The parts of a board: each fills an area with cells.

pub(super) mod call;
pub(super) mod footer;
pub(super) mod header;
pub(super) mod panel;
pub(super) mod queue;
pub(super) mod status;

use super::scene::{area, edges};
use super::text::{Align, BASELINE, Fit, Run, Text};
use embedded_graphics::primitives::Rectangle;

/// A text that shrinks as far as it must.
pub(super) fn label(area: Rectangle, align: Align, runs: Vec<Run>) -> Text {
    Text {
        area,
        runs,
        align,
        fit: Fit::Shrink,
    }
}

/// A name: shrinks, wraps, is cut.
fn name(area: Rectangle, align: Align, run: Run) -> Text {
    Text {
        area,
        runs: vec![run],
        align,
        fit: Fit::Name,
    }
}

/// A box for text of a smaller size, so that it stands on the baseline of a larger one in `of`.
fn lowered(of: &Rectangle, larger: f32, smaller: f32) -> Rectangle {
    let (left, top, right, bottom) = edges(of);
    // A box that begins lower by twice as much has its middle lower by as much.
    #[allow(clippy::cast_possible_truncation)] // saturates, and character sizes are small
    let lower = (2.0 * BASELINE * (larger - smaller)).round() as i32;
    area(left, top + lower.max(0), right, bottom)
}
