//! Where the points of a frame are in a chain of 8 × 8 modules.

use crate::config::{Max7219Config, Serpentine};
use crate::frame::Frame;

/// Eight rows of eight points; the highest bit is the leftmost.
pub(super) type Module = [u8; 8];

/// How modules hang and are turned.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arrangement {
    columns: u32,
    rows: u32,
    right: bool,
    bottom: bool,
    serpentine: Serpentine,
    /// Quarter turns clockwise.
    turns: u16,
}

impl Arrangement {
    pub(super) fn new(config: &Max7219Config) -> Self {
        Self {
            columns: config.modules.0,
            rows: config.modules.1,
            right: config.start.right,
            bottom: config.start.bottom,
            serpentine: config.serpentine,
            turns: config.module_rotation / 90 % 4,
        }
    }

    /// Modules in all.
    pub(super) fn len(&self) -> usize {
        (self.columns * self.rows) as usize
    }

    /// What each module shows, in the order of the chain.
    pub(super) fn modules(&self, frame: &Frame) -> Vec<Module> {
        (0..self.columns * self.rows)
            .map(|index| self.module(index, frame))
            .collect()
    }

    fn module(&self, index: u32, frame: &Frame) -> Module {
        let (row, column) = (index / self.columns, index % self.columns);
        let back = row % 2 == 1 && self.serpentine != Serpentine::No;
        let upside_down = back && self.serpentine == Serpentine::UpsideDown;
        let from_right = self.right != back;
        let x = if from_right {
            self.columns - 1 - column
        } else {
            column
        };
        let y = if self.bottom {
            self.rows - 1 - row
        } else {
            row
        };
        let turns = (self.turns + if upside_down { 2 } else { 0 }) % 4;
        let mut module = Module::default();
        for (v, line) in (0_u32..).zip(module.iter_mut()) {
            for u in 0..8 {
                // A point of the module as made, and where it hangs.
                let (px, py) = match turns {
                    0 => (u, v),
                    1 => (7 - v, u),
                    2 => (7 - u, 7 - v),
                    _ => (v, 7 - u),
                };
                let lit = frame
                    .row(y * 8 + py)
                    .get((x * 8 + px) as usize)
                    .is_some_and(|word| *word != 0);
                *line |= u8::from(lit) << (7 - u);
            }
        }
        module
    }
}
