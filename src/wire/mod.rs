//! The shapes of the contract, both ways: topics, feed messages, reports.
//!
//! The only serde of feed and report. A shape that was decoded is already checked: identifiers,
//! labels, counts and lengths hold what the contract promises, so nothing behind this module
//! meets a wrong value. Errors name the path within the JSON. Knows no network, no state.

pub mod feed;
mod media_type;
pub mod old_names;
pub mod report;
pub mod text;
pub mod time;
pub mod topic;

pub use crate::digest::sha256_hex;
pub use media_type::MediaType;
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
        problem: printable(&without_values(&e.inner().to_string())),
    })?;
    json.end().map_err(|e| WireError::Shape {
        path: ".".into(),
        problem: e.to_string(),
    })?;
    Ok(value)
}

/// A message of serde without the value that it found, told by its length: whatever stands at the
/// wrong place may be somebody's name.
pub fn without_values(text: &str) -> String {
    let mut text = text.to_owned();
    // The first and the last mark: what stands between may hold some, too.
    if let (Some(from), Some(to)) = (text.find('"'), text.rfind('"'))
        && from < to
    {
        let chars = text[from + 1..to].chars().count();
        text.replace_range(from..=to, &format!("of {chars} characters"));
    }
    // Whatever kind of number serde calls it; names of our own fields stand in such marks as well.
    // Short numbers are nobody's.
    if let Some(from) = text.find('`')
        && let Some(length) = text[from + 1..].find('`')
        && length > 4
        && text[from + 1..from + 1 + length].parse::<f64>().is_ok()
    {
        text.replace_range(from..from + length + 2, &format!("of {length} digits"));
    }
    text
}

/// Keeps a message from the outside on one short line: a log must not be written by a sender.
fn printable(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(200)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A label and a count, as any message has.
    #[derive(Debug, serde::Deserialize)]
    #[allow(dead_code)] // declared to be read
    struct Shape {
        ticket: String,
        waiting: u32,
    }

    #[test]
    fn no_value_at_a_wrong_place_is_told_however_serde_words_it() {
        for (payload, told) in [
            (r#"{"ticket": 9012345678, "waiting": 1}"#, "of 10 digits"),
            (r#"{"ticket": -9012345678, "waiting": 1}"#, "of 11 digits"),
            (r#"{"ticket": 9012345678.5, "waiting": 1}"#, "of 12 digits"),
            (r#"{"ticket": "A1", "waiting": 9012345678}"#, "of 10 digits"),
            (
                r#"{"ticket": "A1", "waiting": "山田 90123"}"#,
                "of 8 characters",
            ),
            (r#"{"ticket": "A1", "waiting": "`9\" 0123"}"#, "characters"),
        ] {
            let error = decode::<Shape>(payload.as_bytes()).expect_err(payload);
            let said = error.to_string();
            assert!(said.contains(told), "{payload}: {said}");
            assert!(!said.contains("0123") && !said.contains("山田"), "{said}");
        }
        let error = decode::<Shape>(br#"{"ticket": "A1"}"#).expect_err("no count");
        assert!(error.to_string().contains("`waiting`"), "{error}");
    }
}
