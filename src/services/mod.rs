//! The two services, each joined from its parts: what runs for years.
//!
//! A service receives its configuration, clock and shutdown, starts its tasks and threads, and ends
//! when all of them have ended. The parts are in [`node`](crate::node) and [`hub`](crate::hub).

pub mod hub;
pub mod node;
