//! Lines of text to a list of objects.

use regex::{Regex, RegexBuilder};
use serde_json::{Map, Value};
use std::fmt;

/// Longest expression, in bytes.
const MAX_EXPRESSION: usize = 1024;

/// Most memory of a compiled expression, in bytes.
const MAX_SIZE: usize = 256 * 1024;

/// A regular expression with named groups, which describes one line: `(?<ticket>[A-Z]\d+) -> (?<counter>\d+)`.
///
/// Matching takes linear time (crate `regex`), whatever the line.
#[derive(Clone)]
pub struct LinePattern {
    regex: Regex,
}

impl LinePattern {
    /// Takes an expression with at least one named group.
    ///
    /// # Errors
    /// What is wrong with it, in one line.
    pub fn new(text: &str) -> Result<Self, String> {
        let regex = expression(text)?;
        if regex.capture_names().flatten().next().is_none() {
            return Err("no named group: expected at least one, such as (?<ticket>[0-9]+)".into());
        }
        Ok(Self { regex })
    }

    /// The groups of each line that matches; other lines are left out.
    pub(super) fn parse(&self, text: &str) -> Value {
        let rows = text.lines().filter_map(|line| {
            let groups = self.regex.captures(line)?;
            let named = self.regex.capture_names().flatten().filter_map(|name| {
                let group = groups.name(name)?;
                Some((name.to_owned(), Value::String(group.as_str().to_owned())))
            });
            Some(Value::Object(named.collect::<Map<String, Value>>()))
        });
        Value::Array(rows.collect())
    }
}

impl fmt::Debug for LinePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.regex.as_str())
    }
}

/// Compiles an expression within bounds.
///
/// # Errors
/// What is wrong with it, in one line.
pub(in crate::source) fn expression(text: &str) -> Result<Regex, String> {
    if text.len() > MAX_EXPRESSION {
        let n = text.len();
        return Err(format!("{n} bytes: expected at most {MAX_EXPRESSION}"));
    }
    let built = RegexBuilder::new(text)
        .size_limit(MAX_SIZE)
        .dfa_size_limit(MAX_SIZE)
        .build();
    built.map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => "too large a regular expression".to_owned(),
        // Its last line says what; those before draw where.
        error => {
            let text = error.to_string();
            let last = text.lines().last().unwrap_or_default();
            last.trim_start_matches("error: ").to_owned()
        }
    })
}
