//! Text that must not be printed.

use super::check::is_line;
use super::text::{BOM, read_text};
use std::fmt;
use std::path::Path;

/// A password or an address with one in it. Prints as `***`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes a text as secret.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself, for the one who needs it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Longest secret in a file, bytes.
const MAX_FILE: u64 = 4096;

/// Reads the one line of a file that holds a secret, such as a `password`, as the `*_file` keys do: without a byte order
/// mark and blanks at its end.
///
/// # Errors
/// When it cannot be read, is no UTF-8 text, or holds more or less than a line.
pub fn secret_in(file: &Path, what: &str) -> Result<Secret, String> {
    let line = Line::of(&read_text(file, MAX_FILE).map_err(|e| e.to_string())?.text);
    if is_line(&line.text, 4096) {
        Ok(Secret::new(line.text))
    } else {
        Err(format!("expected a {what} in one line"))
    }
}

/// The one line of a file that holds a secret.
pub(super) struct Line {
    /// The line, without its end and without blanks there.
    pub(super) text: String,
    /// Whether there were blanks at its end.
    pub(super) blanks: bool,
}

impl Line {
    /// Takes the text of a file. Blanks of any kind at the end are more often a slip, which no
    /// editor shows, than part of a password.
    pub(super) fn of(text: &str) -> Self {
        let line = text.trim_end_matches(['\n', '\r']);
        let unseen =
            |c: char| c.is_whitespace() || ('\u{200b}'..='\u{200d}').contains(&c) || c == BOM;
        let plain = line.trim_end_matches(unseen);
        // Lines that hold nothing else are ends, too.
        let last = text.lines().find(|line| !line.trim().is_empty());
        let blanks = last.is_some_and(|line| line.len() > line.trim_end_matches(unseen).len());
        Self {
            text: plain.to_owned(),
            blanks,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_a_file_ends_before_what_nobody_sees() {
        for (typed, text, blanks) in [
            ("pass", "pass", false),
            ("pass\r\n", "pass", false),
            ("pass\n\n", "pass", false),
            ("pass \r\n", "pass", true),
            ("pass\t\u{3000}\u{a0}\u{200b}", "pass", true),
            ("pass\n  \n", "pass", false),
            (" pa ss", " pa ss", false),
        ] {
            let line = Line::of(typed);
            assert_eq!(
                (line.text.as_str(), line.blanks),
                (text, blanks),
                "{typed:?}"
            );
        }
    }
}
