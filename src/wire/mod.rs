//! The shapes of the contract, both ways: topics, feed messages, reports.
//!
//! The only serde of feed and report. A shape that was decoded is already checked: identifiers,
//! labels, counts and lengths hold what the contract promises, so nothing behind this module
//! meets a wrong value. Errors name the path within the JSON. Knows no network, no state.

mod digest;
pub mod feed;
pub mod report;
pub mod text;
pub mod time;
pub mod topic;

pub use digest::{hex, sha256_hex};
pub use time::WireTime;

use serde::de::DeserializeOwned;

/// Largest payload that is read, in bytes (contract, "Limits": 64 KiB).
pub const MAX_PAYLOAD: usize = 64 * 1024;

/// Says where a payload breaks the contract.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// More bytes than [`MAX_PAYLOAD`].
    #[error("payload of {0} bytes: expected at most {MAX_PAYLOAD}")]
    TooLarge(usize),
    /// Not JSON, or not of the expected shape.
    #[error("at {path}: {problem}")]
    Shape {
        /// Path within the JSON, such as `calls[0].ticket`; `.` is the whole.
        path: String,
        /// What was found and what was expected.
        problem: String,
    },
}

/// Reads one JSON payload as a shape of the contract.
///
/// # Errors
/// [`WireError`] when it is too large, no JSON, or not of the shape; unknown fields are ignored.
pub fn decode<T: DeserializeOwned>(payload: &[u8]) -> Result<T, WireError> {
    if payload.len() > MAX_PAYLOAD {
        return Err(WireError::TooLarge(payload.len()));
    }
    // To know the path costs as much as to read: only what is wrong is read again for it.
    if let Ok(value) = serde_json::from_slice(payload) {
        return Ok(value);
    }
    let mut json = serde_json::Deserializer::from_slice(payload);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|e| WireError::Shape {
        path: e.path().to_string(),
        problem: printable(&e.inner().to_string()),
    })?;
    json.end().map_err(|e| WireError::Shape {
        path: ".".into(),
        problem: e.to_string(),
    })?;
    Ok(value)
}

/// Keeps a message from the outside on one short line: a log must not be written by a sender.
fn printable(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(200)
        .collect()
}
