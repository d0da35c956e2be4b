//! The commands beside `node`, `hub` and `demo`: each is a file or folder with the command's name.
//!
//! A command gets its checked arguments, its configuration and, where it needs them, clock and
//! shutdown; it writes to the given output. Parsing of arguments is `cli`'s.

pub mod board;
pub mod broker_url;
pub mod camera;
pub mod check;
pub mod doctor;
pub mod load;
pub mod provision;
pub mod replay;
pub mod say;
pub mod score;
pub mod setup;
pub mod shutdown_screen;
