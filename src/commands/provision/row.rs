//! A line of the table: one node.

use crate::config::NodeConfig;
use toml::Table as Toml;

/// A node of the table.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) config: NodeConfig,
    /// The same as TOML, to be written.
    pub(super) toml: Toml,
    /// Its line in the table, from 1.
    pub(super) line: u64,
}
