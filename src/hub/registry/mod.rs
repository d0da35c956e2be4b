//! The newest of every office: numbers, pictures, availability, health.
//!
//! Sync, no I/O, time handed in. Every message is checked whole before anything changes, so a
//! wrong one costs a count and nothing else (invariant 8). Memory is bounded: offices, nodes,
//! boards and picture bytes each have a limit, and what does not fit is rejected; nothing that is
//! stored makes room for it. Knows no HTTP, no database, no broker.
//!
//! What it answers holds for the newest moment it was handed, by a report or by
//! [`Registry::advance`]: nodes and numbers grow old by themselves (see `evidence`).

mod call;
mod check;
mod effect;
mod evidence;
mod images;
mod node;
mod offices;
mod rejection;
mod view;

pub use call::{decode_call, earliest_date, oldest_day};
pub use effect::Effect;
pub use evidence::{CURRENT_FOR, MAX_AHEAD, ONLINE_FOR};
pub use images::{IMAGE_BUDGET, Image, Images, MAX_PICTURE};
pub use offices::{MAX_NODES, MAX_OFFICES, Registry};
pub use rejection::Rejection;
pub use view::{NodeView, ShownPicture};
