//! Names in several languages.

use std::collections::BTreeMap;

/// The name of an office or queue, by language tag (`ja`, `en`, …, BCP 47).
///
/// Never empty: a name without a Japanese form falls back to any form it has.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Name(BTreeMap<String, String>);

impl Name {
    /// Makes a name from its forms; blank forms are left out.
    pub fn new<K: Into<String>, V: Into<String>>(forms: impl IntoIterator<Item = (K, V)>) -> Self {
        Self(
            forms
                .into_iter()
                .map(|(k, v)| (k.into(), v.into()))
                .filter(|(_, v): &(String, String)| !v.trim().is_empty())
                .collect(),
        )
    }

    /// The form in just this language, if there is one.
    #[must_use]
    pub fn get(&self, lang: &str) -> Option<&str> {
        self.0.get(lang).map(String::as_str)
    }

    /// The form in this language (`zh-Hans` is also `zh`), else Japanese for who reads Chinese
    /// characters, else English, else Japanese, else any, else an empty text.
    #[must_use]
    pub fn best(&self, lang: &str) -> &str {
        let primary = lang.split('-').next().unwrap_or(lang);
        let others = match primary {
            "ko" | "vi" | "pt" => ["en", "ja"],
            _ => ["ja", "en"],
        };
        self.get(lang)
            .or_else(|| self.get(primary))
            .or_else(|| others.iter().find_map(|other| self.get(other)))
            .or_else(|| self.0.values().next().map(String::as_str))
            .unwrap_or_default()
    }

    /// All forms, by language tag.
    #[must_use]
    pub fn forms(&self) -> &BTreeMap<String, String> {
        &self.0
    }
}
