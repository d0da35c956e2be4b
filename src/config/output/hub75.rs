//! LED panels with HUB75 connectors.

use super::RawOutput;
use crate::config::check::Check;
use crate::config::doc::At;

/// LED panels with HUB75 connectors.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Hub75Config {}

impl Check<'_> {
    pub(super) fn hub75(&mut self, _at: &At, _raw: &RawOutput) -> Option<Hub75Config> {
        Some(Hub75Config::default())
    }
}
