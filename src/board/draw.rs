//! A scene to pixels: same input, same pixels.

use super::scene::{Cell, Part, Scene};
use super::text::Fonts;
use super::theme::{Ink, Theme};
use crate::frame::{Frame, shape};
use embedded_graphics::draw_target::DrawTarget;
use embedded_graphics::geometry::Size;
use embedded_graphics::pixelcolor::Rgb888;
use embedded_graphics::primitives::Rectangle;

/// Paints everything.
pub(super) fn whole(scene: &Scene, theme: &Theme, fonts: &mut Fonts, frame: &mut Frame) {
    for (area, ink) in &scene.grounds {
        fill(frame, area, theme.color(*ink));
    }
    for cell in &scene.cells {
        paint(cell, theme, fonts, frame);
    }
}

/// Paints what differs between two scenes on the same grounds, and tells where.
pub(super) fn difference(
    old: &Scene,
    new: &Scene,
    theme: &Theme,
    fonts: &mut Fonts,
    frame: &mut Frame,
) -> Vec<Rectangle> {
    let gone: Vec<&Cell> = old
        .cells
        .iter()
        .filter(|c| !new.cells.contains(c))
        .collect();
    let mut damage: Vec<Rectangle> = Vec::new();
    for cell in &gone {
        // A cell that only changed its content repaints its own ground.
        if !new.cells.iter().any(|n| n.area == cell.area) {
            for (area, ink) in &new.grounds {
                fill(frame, &area.intersection(&cell.area), theme.color(*ink));
            }
        }
        damage.push(cell.area);
    }
    for cell in &new.cells {
        let known = old.cells.contains(cell);
        let cleared = || {
            gone.iter()
                .any(|g| !g.area.intersection(&cell.area).is_zero_sized())
        };
        if !known || cleared() {
            paint(cell, theme, fonts, frame);
            if !damage.contains(&cell.area) {
                damage.push(cell.area);
            }
        }
    }
    damage
}

fn paint(cell: &Cell, theme: &Theme, fonts: &mut Fonts, frame: &mut Frame) {
    let color = |ink: Ink| theme.color(ink);
    fill(frame, &cell.area, color(cell.ground));
    for part in &cell.parts {
        match part {
            Part::Text(text) => text.draw(fonts, frame, &cell.area, color),
            Part::Shape { area, form, ink } => {
                shape(frame, area, *form, color(*ink), &cell.area);
            }
            Part::Qr {
                area,
                side,
                modules,
            } => qr(frame, &area.intersection(&cell.area), *side, modules, color),
        }
    }
}

fn fill(frame: &mut Frame, area: &Rectangle, color: Rgb888) {
    let Ok(()) = frame.fill_solid(area, color);
}

/// Each module is a whole number of pixels: scanners like sharp edges.
fn qr(
    frame: &mut Frame,
    area: &Rectangle,
    side: u32,
    modules: &[bool],
    color: impl Fn(Ink) -> Rgb888,
) {
    let module = area.size.width.min(area.size.height) / side.max(1);
    let size = module * side;
    let start =
        area.top_left + Size::new((area.size.width - size) / 2, (area.size.height - size) / 2);
    fill(
        frame,
        &Rectangle::new(start, Size::new_equal(size)),
        color(Ink::QrLight),
    );
    for (y, row) in (0..).zip(modules.chunks_exact(side.max(1) as usize)) {
        for (x, _) in (0..).zip(row).filter(|(_, dark)| **dark) {
            let at = start + Size::new(x * module, y * module);
            fill(
                frame,
                &Rectangle::new(at, Size::new_equal(module)),
                color(Ink::QrDark),
            );
        }
    }
}
