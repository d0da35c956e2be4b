//! Payloads of ticketing systems, as they come in: files, addresses that are asked, streams.
//!
//! Each kind of source is one task that hands [`Arrival`]s to a bounded channel and publishes its
//! [`Condition`]. It ends when its token is cancelled or nobody takes arrivals any more. What is in a
//! payload is not looked at here; [`crate::source`] reads it.
//!
//! | kind | brings |
//! |---|---|
//! | [`mod@file`] | lines that are appended to a file, or a file that is replaced |
//! | [`http`] | the body of an address that is asked again and again |
//! | [`sse`] | events that a server sends (`text/event-stream`) |
//! | [`websocket`] | text messages of a WebSocket |
//! | [`socketio`] | events of Socket.IO, or the body of an address that is asked at each of them |
//!
//! Invariants:
//! - Memory is bounded: a payload has at most [`MAX_PAYLOAD`] bytes, a slow receiver makes a kind wait.
//! - No condition, log text or error holds anything found in a payload, a cookie, a header or a query.
//! - A fault is logged once, not once an attempt.

mod decode;
pub mod file;
pub mod http;
mod outlet;
mod retry;
pub mod socketio;
pub mod sse;
#[cfg(test)]
mod test_outlet;
pub mod websocket;

pub use outlet::{Condition, Fault, FaultKind, Outlet, State};

use crate::clock::Now;
use crate::source::Seen;
use bytes::Bytes;
use std::time::Duration;

/// Largest payload that is handed on, in bytes: what [`crate::source::tree`] reads.
pub const MAX_PAYLOAD: usize = crate::source::tree::MAX_SOURCE_PAYLOAD;

/// Shortest time between two looks at a file or an address.
pub const MIN_EVERY: Duration = Duration::from_millis(250);

/// One payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    /// The bytes: UTF-8 where the kind knows the encoding, else as they came.
    pub payload: Bytes,
    /// When it came.
    pub received: Now,
    /// Live, or written before anybody looked.
    pub seen: Seen,
    /// What the kind knows beside the bytes.
    pub detail: Detail,
}

/// What a kind knows of a payload beside its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Detail {
    /// Whole lines of a file. The payload is empty where only the position has changed: save it, and read
    /// nothing.
    Lines {
        /// Where to continue after a restart, once this payload was taken in: save it together with what
        /// became of the payload, and no line is lost or read twice.
        position: file::Position,
        /// Lines that were left out since the last payload because they are too long.
        skipped: u64,
        /// Whether bytes were no text of the file's encoding; each became U+FFFD.
        malformed: bool,
    },
    /// A whole document: the body of an answer, or a file that is replaced.
    Document {
        /// The media type of an answer in lower case.
        media_type: Option<String>,
    },
    /// One event of a stream.
    Event {
        /// Its name; `message` where the stream names none.
        name: String,
    },
}
