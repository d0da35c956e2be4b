//! Files, as every part of the program needs them: replaced as a whole, and how many may be open.

mod open_limit;
mod replace;

pub use open_limit::raise_open_limit;
pub use replace::{Durability, Fresh, ORDINARY, replace, replace_synced};
