//! Whether a message is one of a rule.

use super::path::{Found, Path};
use super::text::{same, word};
use regex::Regex;
use serde_json::Value;

/// A checked condition.
#[derive(Debug, Clone)]
pub(super) struct When {
    pub(super) path: Path,
    pub(super) test: Test,
}

/// What must be there.
#[derive(Debug, Clone)]
pub(super) enum Test {
    /// One of these texts or numbers.
    AnyOf(Vec<String>),
    /// What an expression matches.
    Matches(Regex),
    /// Nothing, or `null`.
    Absent,
    /// Anything but `null`.
    Present,
}

impl When {
    pub(super) fn holds(&self, element: &Value) -> bool {
        let values = match self.path.find(element) {
            Found::Absent | Found::Null => Vec::new(),
            Found::One(value) => vec![value],
            Found::Many(nodes) => nodes,
        };
        let any = |test: &dyn Fn(&str) -> bool| {
            let mut texts = values.iter().filter_map(|value| word(value));
            texts.any(|found| test(&found))
        };
        match &self.test {
            Test::AnyOf(texts) => any(&|found| texts.iter().any(|text| same(text, found))),
            Test::Matches(regex) => any(&|found| regex.is_match(found)),
            Test::Absent => values.iter().all(|value| value.is_null()),
            Test::Present => values.iter().any(|value| !value.is_null()),
        }
    }
}
