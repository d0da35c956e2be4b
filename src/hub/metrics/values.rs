//! Labels and values that several kinds of metrics share.

use prometheus_client::encoding::EncodeLabelSet;

/// What stands for a word that is not on the list.
pub(super) const OTHER: &str = "other";

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct NodeLabels {
    pub(super) office: String,
    pub(super) node: String,
}

/// A value as gauges hold it.
pub(super) fn signed(value: impl TryInto<i64>) -> i64 {
    value.try_into().unwrap_or(i64::MAX)
}
