//! A board of digits on a serial line.

use super::RawOutput;
use crate::config::check::Check;
use crate::config::doc::At;
use crate::model::QueueId;

/// A board of digits on a serial line.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SerialConfig {}

impl Check<'_> {
    pub(super) fn serial(
        &mut self,
        _at: &At,
        _raw: &RawOutput,
        _queues: &[QueueId],
    ) -> Option<SerialConfig> {
        Some(SerialConfig::default())
    }
}
