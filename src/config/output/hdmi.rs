//! A monitor at an HDMI port.

use super::RawOutput;
use crate::config::check::Check;
use crate::config::doc::At;

/// A monitor at an HDMI port.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HdmiConfig {}

impl Check<'_> {
    pub(super) fn hdmi(&mut self, _at: &At, _raw: &RawOutput) -> Option<HdmiConfig> {
        Some(HdmiConfig::default())
    }
}
