//! Ticketing systems of any kind: from what they write to the state of a queue.
//!
//! A pure core in three steps, for every kind of source that is attached to it:
//! 1. [`tree`]: JSON, CSV, XML or lines of text become one kind of value tree;
//! 2. [`mapping`]: configured rules find tickets, counters, times and counts in it;
//! 3. [`ledger`]: whole states, lists of calls, single numbers or events become the state of a queue
//!    in which each call is numbered once and in order.
//!
//! Time is an argument, nothing here performs I/O, and no value found in a payload is part of an
//! error: it may be the name of a visitor.

#[cfg(test)]
mod eventlog_tests;
#[cfg(test)]
mod fixtures;
pub mod ledger;
pub mod mapping;
mod observation;
pub mod tree;

pub use observation::{Content, Entry, Event, EventKind, Facts, Observation, Seen, Stamp};
