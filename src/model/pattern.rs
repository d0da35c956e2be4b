//! What the tickets of a queue look like.

use regex::{Regex, RegexBuilder};
use std::fmt;
use std::sync::LazyLock;

/// What tickets look like where nothing is configured: up to three capitals, or one small letter or
/// kana, and one or two groups of digits, such as `A042`, `B 317`, `M1 008`, `0379`, `ア-12`, `42番`.
/// No name of a person does.
pub const STANDARD_PATTERN: &str =
    "(([A-Z]{1,3}|[a-z]|[ぁ-ゖァ-ヺ])[ -]?)?[0-9]{1,4}( [0-9]{1,4})?[番号]?";

static STANDARD: LazyLock<Option<Pattern>> = LazyLock::new(|| Pattern::new(STANDARD_PATTERN).ok());

/// Longest pattern in bytes; one that names 50 prefixes needs half of it.
const MAX_BYTES: usize = 512;

/// Most memory of a pattern in bytes: there may be one a queue.
const MAX_SIZE: usize = 256 * 1024;

/// What the labels of a queue's tickets look like: a regular expression for the whole label.
///
/// A value of a foreign system that does not look so is no ticket: it may be anything, also the
/// name of a visitor.
#[derive(Clone)]
pub struct Pattern {
    text: String,
    regex: Regex,
}

impl Pattern {
    /// Takes a regular expression; it need not say that it means the whole label.
    ///
    /// # Errors
    /// What is wrong with it, in one line.
    pub fn new(text: &str) -> Result<Self, String> {
        if text.len() > MAX_BYTES {
            return Err(format!(
                "{} bytes: expected at most {MAX_BYTES}",
                text.len()
            ));
        }
        // By itself first: `a)(b` is one only inside the brackets that are put around it.
        let whole = build(text).and_then(|_| build(&format!("^(?:{text})$")));
        match whole {
            Ok(regex) => Ok(Self {
                text: text.to_owned(),
                regex,
            }),
            Err(regex::Error::CompiledTooBig(_)) => Err("too large".to_owned()),
            // Its last line says what; those before draw where.
            Err(error) => {
                let text = error.to_string();
                let last = text.lines().last().unwrap_or_default();
                Err(last.trim_start_matches("error: ").to_owned())
            }
        }
    }

    /// Whether a label looks so.
    #[must_use]
    pub fn fits(&self, label: &str) -> bool {
        self.regex.is_match(label)
    }

    /// Whether a label looks as tickets do where nothing is configured.
    #[must_use]
    pub fn is_standard(label: &str) -> bool {
        STANDARD.as_ref().is_some_and(|pattern| pattern.fits(label))
    }
}

fn build(text: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(text)
        .size_limit(MAX_SIZE)
        .dfa_size_limit(MAX_SIZE)
        .build()
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Pattern {}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_real_systems_print_is_a_ticket_and_a_name_is_none() {
        for ticket in [
            "A042", "B 317", "M1 008", "0379", "42", "3", "A-042", "ア012", "ア-12", "か7", "a12",
            "ABC1234", "42番", "12 345",
        ] {
            assert!(Pattern::is_standard(ticket), "{ticket}");
        }
        for other in [
            "山田太郎",
            "山田 太郎",
            "やまだ",
            "ヤマダ 42",
            "Yamada",
            "LEE",
            "Kim Minsu",
            "J. Smith",
            "090-1234",
            "0901234567",
            "19570412",
            "100-0001",
            "山田42",
            "Kim 42",
            "",
            "A",
            "-12",
            "=1",
            "A042A042",
            "١٢٣",
        ] {
            assert!(!Pattern::is_standard(other), "{other}");
        }
    }

    #[test]
    fn a_pattern_means_the_whole_label() {
        let pattern = Pattern::new("国保[0-9]{3}|年金[0-9]{3}").expect("a pattern");
        assert!(pattern.fits("国保012") && pattern.fits("年金001"));
        assert!(!pattern.fits("国保0123") && !pattern.fits("x年金001"));
        assert!(
            Pattern::new("^[A-Z]{0,3}[ -]?[0-9]{1,4}( [0-9]{1,4})?$")
                .expect("a pattern")
                .fits("M1 008")
        );
    }

    #[test]
    fn a_pattern_that_is_none_or_too_costly_is_refused_in_one_line() {
        for bad in [
            "[A-Z",
            "a)(b",
            "(?P<a",
            "((a{100}){100}){100}",
            &"a".repeat(600),
        ] {
            let why = Pattern::new(bad).expect_err(bad);
            assert!(!why.is_empty() && why.lines().count() == 1, "{bad}: {why}");
        }
    }
}
