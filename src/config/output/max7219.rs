//! A chain of MAX7219 modules.

use super::RawOutput;
use crate::config::check::Check;
use crate::config::doc::At;

/// A chain of MAX7219 modules.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Max7219Config {}

impl Check<'_> {
    pub(super) fn max7219(&mut self, _at: &At, _raw: &RawOutput) -> Option<Max7219Config> {
        Some(Max7219Config::default())
    }
}
