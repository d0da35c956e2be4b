//! What a layout hands to widgets: how long things are on this screen, and where cells go.

use super::design::{Geometry, Units};
use super::scene::Scene;
use super::text::Fonts;

/// Design lengths on a screen.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scale {
    /// Pixels a unit.
    unit: f32,
}

impl Scale {
    /// So many pixels a unit.
    pub(super) fn new(unit: f32) -> Self {
        Self { unit }
    }

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
    pub(super) geometry: &'a Geometry,
    /// Their size on this screen.
    pub(super) scale: Scale,
    /// For what depends on a text's width.
    pub(super) fonts: &'a mut Fonts,
    pub(super) scene: Scene,
}
