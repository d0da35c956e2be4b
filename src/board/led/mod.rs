//! Boards for panels of light points: a view drawn small, in eight colours.
//!
//! A call that stands out has the whole board, several have it in turn; otherwise the queues do.
//! Everything is as large as its row allows and is never cut: what does not fit is said shorter,
//! in smaller points, or moves. Same view, same points. Knows no device.
//!
//! A frame that is a multiple of 64 × 48 points large is drawn with as many pixels a point.

mod call;
mod fit;
mod glyphs;
mod pieces;
mod queue;
mod scene;
mod spelling;
#[cfg(test)]
mod tests;
mod turns;

use super::view::{Service, View};
use crate::clock::Now;
use crate::frame::Frame;
use crate::state::HighlightSettings;
use embedded_graphics::draw_target::DrawTarget;
use embedded_graphics::geometry::{OriginDimensions, Point, Size};
use embedded_graphics::pixelcolor::{Rgb888, RgbColor};
use embedded_graphics::primitives::Rectangle;
use pieces::{Cell, Ink, signed};
use scene::Scene;
pub(in crate::board) use spelling::missing;
use std::time::Duration;

/// Points of a board that is drawn with one pixel each; larger ones are drawn in larger points.
const POINTS: Size = Size::new(64, 48);

/// Draws a board of light points, and knows what it drew last.
#[derive(Debug)]
pub(super) struct Led {
    /// Size of the frames, until one of another size is drawn.
    size: Size,
    panel: HighlightSettings,
    drawn: Option<(Size, Vec<Cell>)>,
}

impl Led {
    pub(super) fn new(size: (u32, u32), panel: HighlightSettings) -> Self {
        Self {
            size: Size::new(size.0, size.1),
            panel,
            drawn: None,
        }
    }

    /// Draws a view, and returns the areas that it repainted: none or all.
    pub(super) fn draw(&mut self, view: &View, frame: &mut Frame) -> Vec<Rectangle> {
        self.size = frame.size();
        let cells = self.scene(view).0.cells;
        self.show(cells, frame)
    }

    /// Draws what stands on the board while nobody draws.
    pub(super) fn out_of_service(&mut self, frame: &mut Frame) -> Vec<Rectangle> {
        self.size = frame.size();
        let size = points(self.size).0;
        let area = Rectangle::new(Point::zero(), size);
        let line = fit::words(
            &["調整中", "休止", "休"],
            Ink::Word,
            size.width,
            size.height,
        );
        let cells = line.map(|line| Cell::centred(area, line));
        self.drawn = None;
        let damage = self.show(cells.into_iter().collect(), frame);
        self.drawn = None;
        damage
    }

    pub(super) fn forget(&mut self) {
        self.drawn = None;
    }

    /// How long after `now` the board changes though no message comes.
    pub(super) fn next_change(&self, view: &View, now: Now) -> Duration {
        let (scene, start) = self.scene(view);
        start.saturating_add(scene.until).saturating_sub(now.mono)
    }

    fn show(&mut self, cells: Vec<Cell>, frame: &mut Frame) -> Vec<Rectangle> {
        let size = frame.size();
        if self
            .drawn
            .as_ref()
            .is_some_and(|(s, c)| *s == size && *c == cells)
        {
            return Vec::new();
        }
        let all = Rectangle::new(Point::zero(), size);
        let Ok(()) = frame.fill_solid(&all, Rgb888::BLACK);
        let (points, scale) = points(size);
        // What is left over of an odd size is shared by both sides.
        let origin = (size - points * scale) / 2;
        let origin = Point::new(signed(origin.width), signed(origin.height));
        for cell in &cells {
            cell.draw(frame, origin, scale);
        }
        self.drawn = Some((size, cells));
        vec![all]
    }

    /// What is shown, and the moment from which its time counts.
    fn scene(&self, view: &View) -> (Scene, Duration) {
        let size = points(self.size).0;
        // Oldest first: their order is the order of the calls.
        let since: Vec<Duration> = view.since.iter().rev().copied().collect();
        // A panel that lists everybody has more than its places.
        let places = self.panel.max_highlighted_peak.max(since.len());
        let share = turns::share(self.panel.min_highlight, places);
        if let Some(turn) = turns::of_calls(&since, share, view.at)
            && let Some(call) = view.calls.iter().rev().nth(turn.index)
        {
            let shown = view.at.saturating_sub(since[turn.index]);
            let new = shown < self.panel.min_highlight;
            let mut scene = call::scene(call, size, turn, turn.spent(view.at), new);
            if new {
                let end = since[turn.index] + self.panel.min_highlight;
                scene.changes_at(end.saturating_sub(turn.start));
            }
            return (scene, turn.start);
        }
        let nothing = [view.nothing()];
        let queues = if view.lines.is_empty() {
            &nothing
        } else {
            &view.lines[..]
        };
        let lengths: Vec<Duration> = queues.iter().map(|q| queue::length(q, size)).collect();
        match turns::in_turn(&lengths, view.at) {
            Some(turn) => {
                let spent = turn.spent(view.at);
                (
                    queue::scene(&queues[turn.index], size, turn, spent),
                    turn.start,
                )
            }
            None => (Scene::until(Duration::MAX), view.at),
        }
    }
}

impl View {
    /// What is said of an office whose queues are not on the board: its name, and that nothing is
    /// known.
    fn nothing(&self) -> super::view::Line {
        super::view::Line {
            name: self.office.0.clone(),
            english: self.office.1.clone(),
            fast: false,
            ticket: None,
            counter: None,
            next: Vec::new(),
            waiting: None,
            on_hold: 0,
            service: Service::Unknown,
            as_of: None,
            filmed: false,
        }
    }
}

/// The points of a frame, and how many pixels a side each of them has.
fn points(size: Size) -> (Size, u32) {
    let scale = (size.width / POINTS.width)
        .min(size.height / POINTS.height)
        .max(1);
    (size / scale, scale)
}
