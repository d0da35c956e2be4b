//! The other files that installers copy and change: layouts of boards, frame templates.
//!
//! Read and parsed alike; whoever owns a kind of file says what is in it and how it is called.

use serde::de::DeserializeOwned;
use std::io::{self, Read as _};
use std::path::Path;

/// Where a file is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// Path of the key; `.` is the whole file.
    pub key: String,
    /// What was found and what was expected, one line.
    pub problem: String,
}

/// Reads the first `max` bytes of a text file.
///
/// # Errors
/// Why it cannot be opened or read, or that it is not UTF-8.
pub fn read(path: &Path, max: u64) -> io::Result<String> {
    let mut text = String::new();
    std::fs::File::open(path)?
        .take(max)
        .read_to_string(&mut text)?;
    Ok(text)
}

/// Parses TOML as a shape.
///
/// # Errors
/// [`Wrong`] when it is no TOML, or a key is unknown, missing or wrong.
pub fn parse<T: DeserializeOwned>(text: &str) -> Result<T, Wrong> {
    let wrong = |key: String, problem: &toml::de::Error| Wrong {
        key,
        problem: problem
            .message()
            .lines()
            .next()
            .unwrap_or_default()
            .to_owned(),
    };
    let toml = toml::Deserializer::parse(text).map_err(|e| wrong(".".into(), &e))?;
    serde_path_to_error::deserialize(toml).map_err(|e| wrong(e.path().to_string(), e.inner()))
}
