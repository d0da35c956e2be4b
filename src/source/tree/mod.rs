//! Payloads of any format as value trees, so that one rule language reads them all.
//!
//! | format | tree |
//! |---|---|
//! | JSON (RFC 8259) | as it is |
//! | CSV (RFC 4180) | list of rows: objects by column name with a header, else lists of texts |
//! | XML 1.0 | the root element; see [`xml`] |
//! | lines of text | list of objects, one for each line that the expression matches, by group name |
//!
//! Invariants: a payload over [`MAX_SOURCE_PAYLOAD`] is not parsed, no tree is deeper than
//! [`MAX_DEPTH`] or has more than [`MAX_NODES`] values, and no error holds a value of the payload,
//! which may be somebody's name.

mod csv;
mod lines;
#[cfg(test)]
mod tests;
pub mod xml;

pub use lines::LinePattern;
pub(in crate::source) use lines::expression;

use serde_json::Value;

/// Largest payload of a source that is parsed, in bytes. A real list of 114 people has 39,080.
pub const MAX_SOURCE_PAYLOAD: usize = 256 * 1024;

/// Deepest nesting of a tree.
pub const MAX_DEPTH: usize = 32;

/// Most values of a tree, lists and objects among them: `[[],[],…` of the largest payload has fewer.
pub const MAX_NODES: usize = 140_000;

/// In which format a source writes.
#[derive(Debug, Clone)]
pub enum Format {
    /// JSON in UTF-8.
    Json,
    /// Comma-separated values, or those of another delimiter.
    Csv {
        /// Whether the first row names the columns.
        header: bool,
        /// One ASCII character between two fields.
        delimiter: u8,
    },
    /// XML.
    Xml,
    /// Lines of text.
    Lines(LinePattern),
}

/// Why a payload is no tree. Says where and how much, never what.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TreeError {
    /// More bytes than [`MAX_SOURCE_PAYLOAD`].
    #[error("payload of {0} bytes: expected at most {MAX_SOURCE_PAYLOAD}")]
    TooLarge(usize),
    /// Deeper than [`MAX_DEPTH`].
    #[error("nested more deeply than {MAX_DEPTH} levels")]
    TooDeep,
    /// More values than [`MAX_NODES`].
    #[error("more than {MAX_NODES} values")]
    TooMany,
    /// No UTF-8; holds the first byte that cannot be.
    #[error("byte {0}: not UTF-8 text")]
    NotUtf8(usize),
    /// Not of the format.
    #[error("line {line}, column {column}: not {format}")]
    Syntax {
        /// `JSON`, `CSV` or `XML`.
        format: &'static str,
        /// Counted from 1.
        line: usize,
        /// Counted from 1; 0 where the parser does not know it.
        column: usize,
    },
}

/// Reads a payload as a tree. A byte order mark in front is left out.
///
/// # Errors
/// [`TreeError`] when it is too large, too deep, or not of the format.
pub fn parse(payload: &[u8], format: &Format) -> Result<Value, TreeError> {
    if payload.len() > MAX_SOURCE_PAYLOAD {
        return Err(TreeError::TooLarge(payload.len()));
    }
    let text = std::str::from_utf8(payload).map_err(|e| TreeError::NotUtf8(e.valid_up_to()))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let tree = match format {
        Format::Json => json(text)?,
        Format::Csv { header, delimiter } => csv::parse(text, *header, *delimiter)?,
        Format::Xml => xml::parse(text)?,
        Format::Lines(pattern) => pattern.parse(text),
    };
    let mut left = MAX_NODES;
    check(&tree, MAX_DEPTH, &mut left)?;
    Ok(tree)
}

fn json(text: &str) -> Result<Value, TreeError> {
    serde_json::from_str(text).map_err(|e| TreeError::Syntax {
        format: "JSON",
        line: e.line(),
        column: e.column(),
    })
}

/// Holds a tree against its bounds. Parsers bound their own depth: JSON at 128, XML by [`xml`].
fn check(tree: &Value, depth: usize, left: &mut usize) -> Result<(), TreeError> {
    *left = left.checked_sub(1).ok_or(TreeError::TooMany)?;
    let inner: &mut dyn Iterator<Item = &Value> = match tree {
        Value::Array(list) => &mut list.iter(),
        Value::Object(object) => &mut object.values(),
        _ => return Ok(()),
    };
    let depth = depth.checked_sub(1).ok_or(TreeError::TooDeep)?;
    for value in inner {
        check(value, depth, left)?;
    }
    Ok(())
}
