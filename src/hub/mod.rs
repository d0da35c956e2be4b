//! All offices for remote viewers: registry, history, pages, open data.
//!
//! ```text
//! Incoming ─▶ Hub::feed ─┬▶ registry ─▶ live (snapshots, deltas) ─▶ web: pages, API, events
//!                        └▶ history (SQLite or PostgreSQL) ───────▶ open data, "my number"
//! ```
//! | room | holds |
//! |---|---|
//! | `incoming` | one message of a broker, and its acknowledgement |
//! | `view` | an office as viewers see it |
//! | `registry` | the newest report of each node |
//! | `stats` | what the hub counts |
//! | `content` | what answers are made of: languages, finished pages, packed events |
//! | `live` | the newest snapshot of all offices, and the subscribers to its changes |
//! | `history` | the database: calls, waits, samples of queues |
//! | `predictions` | which tickets were issued, with the wait that was predicted for them |
//! | `metrics` | hub, nodes, boards and queues for `/metrics` |
//! | `speech` | how a ticket is called, as sound |
//! | `core` | the hub: takes reports, publishes, writes down |
//! | `web` | pages, API, events, open data over HTTP |
//!
//! Each room may import those above it in this table, never one below: `tests/it/house.rs` holds it
//! to that. Invariants: reports are checked before they change anything; nothing is written over
//! HTTP; viewers never slow the intake. Knows no broker: messages come through a channel. Knows no
//! board drawing, only finished pictures.

mod content;
mod core;
pub mod history;
mod incoming;
mod live;
mod metrics;
mod predictions;
pub mod registry;
mod speech;
pub mod stats;
pub mod view;
mod web;

pub use self::core::{Hub, OfficeSummary};
pub use incoming::{Ack, Incoming};
pub use speech::{AnnouncementRequest, Speaker};
pub use web::{Bounds, listen, router, serve};
