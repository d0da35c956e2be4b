//! Payloads and foreign systems to queue states.
//!
//! Whatever arrives becomes a checked [`QueueState`] or an error that says what is wrong; nothing
//! in between. Knows topics and JSON, but neither the office's state nor the network.

mod adapter;
mod pattern_filter;
pub mod recording;

pub use adapter::{Adapter, AdapterError, MappedState};
pub use pattern_filter::{PatternFilter, pattern_mismatch};

use crate::model::QueueState;
use crate::wire::{WireError, feed::FeedMessage};

/// Reads a payload of the feed topic.
///
/// # Errors
/// [`WireError`] naming the path that breaks the contract.
pub fn decode(payload: &[u8]) -> Result<QueueState, WireError> {
    FeedMessage::decode(payload).map(QueueState::from)
}
