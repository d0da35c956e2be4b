//! A view to a scene: which cell stands where.
//!
//! All lengths come from the design in units of 1/1080 of the short side, so that a board of twice
//! the size has twice the lengths. Cells never overlap and never reach out; tests hold every number
//! of queues and many sizes against that.

use super::design::{Design, Geometry, Rows, Units};
use super::scene::{Scene, area, cut_left, cut_right, cut_top, edges, inset};
use super::text::Fonts;
use super::theme::Ink;
use super::view::View;
use super::widgets;
use embedded_graphics::geometry::Size;
use embedded_graphics::primitives::Rectangle;

/// Design lengths on a screen.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scale {
    /// Pixels a unit.
    unit: f32,
}

impl Scale {
    /// A length in whole pixels, at least one.
    pub(super) fn px(self, units: Units) -> i32 {
        self.of(f32::from(units.0))
    }

    /// A length in whole pixels, at least one.
    pub(super) fn of(self, units: f32) -> i32 {
        // Bounded by the greatest length of a design and the greatest frame.
        #[allow(clippy::cast_possible_truncation)]
        let px = (units * self.unit).round() as i32;
        px.max(1)
    }

    /// A character size in pixels.
    pub(super) fn size(self, units: Units) -> f32 {
        f32::from(units.0) * self.unit
    }

    /// Pixels in units.
    pub(super) fn units(self, px: i32) -> f32 {
        #[allow(clippy::cast_precision_loss)] // lengths of a frame
        let px = px as f32;
        px / self.unit
    }
}

/// What widgets need besides their area.
pub(super) struct Plan<'a> {
    /// The design's lengths.
    pub(super) geometry: &'a Geometry,
    /// Their size on this screen.
    pub(super) scale: Scale,
    /// For what depends on a text's width.
    pub(super) fonts: &'a mut Fonts,
    /// Where cells go.
    pub(super) scene: Scene,
}

/// Whether a frame is laid out as portrait.
pub(super) fn is_portrait(size: Size) -> bool {
    size.height > size.width
}

/// How a number of queues is arranged.
pub(super) fn arrangement(geometry: &Geometry, queues: usize) -> Rows {
    let fits = |rows: &&Rows| queues <= usize::from(rows.queues);
    let last = geometry.rows[geometry.rows.len() - 1]; // at least one, checked when read
    geometry.rows.iter().find(fits).copied().unwrap_or(last)
}

/// Lays out a board.
pub(super) fn scene(view: &View, design: &Design, size: Size, fonts: &mut Fonts) -> Scene {
    let portrait = is_portrait(size);
    let (geometry, wide, high) = if portrait {
        (&design.portrait, 1080.0, 1920.0)
    } else {
        (&design.landscape, 1920.0, 1080.0)
    };
    #[allow(clippy::cast_precision_loss)] // frames have less than 2^24 pixels a side
    let unit = (size.width as f32 / wide).min(size.height as f32 / high);
    let mut plan = Plan {
        geometry,
        scale: Scale { unit },
        fonts,
        scene: Scene::default(),
    };
    let all = Rectangle::new(embedded_graphics::geometry::Point::zero(), size);
    plan.scene.grounds.push((all, Ink::Ground));
    let px = |units| plan.scale.px(units);
    let (header, rest) = cut_top(&all, px(geometry.header));
    let (_, _, _, bottom) = edges(&rest);
    let (_, top, _, _) = edges(&rest);
    let (body, footer) = cut_top(&rest, (bottom - top - px(geometry.footer)).max(0));
    plan.scene.grounds.push((header, Ink::Band));
    plan.scene.grounds.push((footer, Ink::Band));
    let (margin, gap) = (px(geometry.margin), px(geometry.gap));
    let body = inset(&body, 0, gap);
    let (panel, rows) = if portrait {
        let (panel, rest) = cut_top(&inset(&body, margin, 0), px(geometry.panel));
        (panel, cut_top(&rest, gap).1)
    } else {
        let (_, body) = cut_left(&body, margin);
        // The panel stands nearer to the edge than the rows: its own ground is its margin.
        let (rest, panel) = cut_right(&cut_right(&body, margin * 2 / 3).0, px(geometry.panel));
        (panel, cut_right(&rest, gap).0)
    };
    plan.scene.grounds.push((panel, Ink::Panel));
    widgets::header::header(&mut plan, &inset(&header, margin, 0), view);
    widgets::footer::footer(&mut plan, &inset(&footer, margin, 0), view);
    widgets::panel::panel(&mut plan, &panel, view);
    queues(&mut plan, &rows, view);
    plan.scene
}

/// Column headings and rows, in columns one beside the other.
fn queues(plan: &mut Plan<'_>, body: &Rectangle, view: &View) {
    let n = view.lines.len();
    if n == 0 {
        return;
    }
    let rows = arrangement(plan.geometry, n);
    let columns = usize::from(rows.columns).min(n);
    let per_column = n.div_ceil(columns);
    let gap = plan.scale.px(plan.geometry.gap);
    let (left, top, right, bottom) = edges(body);
    let count = to_i32(columns);
    let width = ((right - left - gap * (count - 1)) / count).max(1);
    let heads = plan.scale.px(plan.geometry.heads).min((bottom - top) / 3);
    let limit = plan.scale.px(plan.geometry.row);
    let height = ((bottom - top - heads) / to_i32(per_column)).clamp(1, limit.max(1));
    for (column, lines) in (0..).zip(view.lines.chunks(per_column)) {
        let x = left + (width + gap) * column;
        let head = area(x, top, x + width, top + heads);
        widgets::queue::headings(
            plan,
            &head,
            rows.style,
            (column == 0).then_some(view.page).flatten(),
        );
        for (row, line) in (0..).zip(lines) {
            let y = top + heads + height * row;
            let row = area(x, y, x + width, y + height);
            widgets::queue::queue(plan, &row, rows.style, line);
        }
    }
}

fn to_i32(n: usize) -> i32 {
    i32::try_from(n).unwrap_or(i32::MAX)
}
