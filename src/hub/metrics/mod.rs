//! What `/metrics` says of the hub, its nodes, boards and queues at the time of the request.
//!
//! Gauges and a node's counters are built from the registry and the published view at each request;
//! what the hub itself counts is in [`super::stats`]. Names, types, units and meanings are
//! listed in `docs/operate.md`, and a test holds that list against what is written here.
//!
//! Invariants: every label is an identifier of the configuration or one of a fixed list of words;
//! texts of a node become labels only through [`Names`], which bounds how many different ones there
//! ever are. Hashes, answers of devices and texts of issues are no labels: they are in the API, in
//! the health report and on `/fleet`. Knows no HTTP.

mod board;
mod counts;
mod names;
mod node;
mod observed;
mod queue;
mod values;

pub(crate) use names::Names;
pub(crate) use observed::Observed;
