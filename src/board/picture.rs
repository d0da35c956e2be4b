//! A board that shows a picture, with the office's name above and a caption below.

use super::scene::{Cell, Form, Scene, area, cut_left, cut_right, edges, inset};
use super::text::{Align, Fit, Run, Text};
use super::theme::Ink;
use crate::model::Name;
use embedded_graphics::geometry::{Point, Size};
use embedded_graphics::primitives::Rectangle;

/// What is said around a picture.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Caption {
    /// The office, large above it.
    pub office: Name,
    /// What it is and of when, below it.
    pub line: String,
    /// The same for those who read no Japanese.
    pub english: String,
    /// Whether it is not current, which stands out.
    pub old: bool,
}

/// The cells around a picture, and the area that is left for it.
pub(super) fn scene(caption: &Caption, size: Size) -> (Scene, Rectangle) {
    let all = Rectangle::new(Point::zero(), size);
    let (left, top, right, bottom) = edges(&all);
    let share = |percent: u32| i32::try_from(size.height * percent / 100).unwrap_or(0);
    #[allow(clippy::cast_precision_loss)] // a side of a frame
    let em = |permille: u32| (size.width.min(size.height) * permille) as f32 / 1000.0;
    let margin = i32::try_from(size.width / 50).unwrap_or(0);
    let head = area(left, top, right, share(11));
    let foot = area(left, bottom - share(9), right, bottom);
    let picture = area(left, share(11), right, bottom - share(9));

    let text = |area: Rectangle, align: Align, run: Run| Text {
        area,
        runs: vec![run],
        align,
        fit: Fit::Name,
    };
    let (ja, en) = (caption.office.best("ja"), caption.office.best("en"));
    let (inner, english_at) = cut_right(&inset(&head, margin, 0), (right - left) * 36 / 100);
    let mut heading =
        Cell::new(head, Ink::Band).text(text(inner, Align::Left, Run::bold(ja, em(66), Ink::Text)));
    if !en.is_empty() && en != ja {
        let english = Run::new(en, em(40), Ink::Muted);
        heading = heading.text(text(english_at, Align::Right, english));
    }

    let (ground, ink, muted) = if caption.old {
        (Ink::Alert, Ink::AlertInk, Ink::AlertInk)
    } else {
        (Ink::Band, Ink::Text, Ink::Muted)
    };
    let mut foot_cell = Cell::new(foot, ground);
    let mut inner = inset(&foot, margin, 0);
    if caption.old {
        let side = share(9) * 6 / 10;
        let (mark, rest) = cut_left(&inner, side);
        let mark = inset(&mark, 0, (share(9) - side) / 2);
        foot_cell = foot_cell.shape(mark, Form::Clock, ink);
        inner = cut_left(&rest, margin / 2).1;
    }
    let (line_at, english_at) = cut_right(&inner, (right - left) * 40 / 100);
    foot_cell = foot_cell
        .text(text(
            line_at,
            Align::Left,
            Run::bold(&caption.line, em(48), ink),
        ))
        .text(text(
            english_at,
            Align::Right,
            Run::new(&caption.english, em(34), muted),
        ));
    let scene = Scene {
        grounds: vec![(all, Ink::Ground)],
        cells: vec![heading, foot_cell],
    };
    (scene, picture)
}
