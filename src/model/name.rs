//! Names in several languages.

use super::text::{composed, is_invisible, is_not_text, plain, turns_direction};
use std::collections::BTreeMap;
use std::fmt;

/// Says why a text is not a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameError {
    /// Nothing that can be seen.
    Empty,
    /// A character that is no text of one line.
    Control(char),
    /// A character that changes the direction of others: in a list, also that of what follows.
    Direction(char),
    /// It begins as a formula does, which a spreadsheet would work out instead of showing it (CWE-1236).
    Formula(char),
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("empty name: expected printable characters"),
            Self::Control(c) => write!(
                f,
                "name with the control character U+{:04X}: expected printable characters",
                u32::from(*c)
            ),
            Self::Direction(c) => write!(
                f,
                "name with U+{:04X}, which changes the direction of text: expected none such",
                u32::from(*c)
            ),
            Self::Formula(c) => write!(
                f,
                "name that begins with {c}: expected another character, because spreadsheets take it for a formula"
            ),
        }
    }
}

impl std::error::Error for NameError {}

/// The name of an office or queue, by language tag (`ja`, `en`, …, BCP 47).
///
/// Never empty: a name without a Japanese form falls back to any form it has.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Name(BTreeMap<String, String>);

impl Name {
    /// Makes a name from its forms, with their marks composed; blank forms are left out. Whoever
    /// takes forms from outside asks [`flaw`](Self::flaw) first.
    pub fn new<K: Into<String>, V: Into<String>>(forms: impl IntoIterator<Item = (K, V)>) -> Self {
        Self(
            forms
                .into_iter()
                .map(|(k, v)| (k.into(), composed(&v.into())))
                .filter(|(_, v): &(String, String)| !v.trim().is_empty())
                .collect(),
        )
    }

    /// What keeps a text from being a form of a name; its length is not looked at.
    #[must_use]
    pub fn flaw(text: &str) -> Option<NameError> {
        if let Some(c) = text.chars().find(|c| is_not_text(*c)) {
            return Some(NameError::Control(c));
        }
        if let Some(c) = text.chars().find(|c| turns_direction(*c)) {
            return Some(NameError::Direction(c));
        }
        // Some take the full-width signs for the others, and pass over what is invisible.
        let first = |c: &char| !c.is_whitespace() && !is_invisible(*c);
        let Some(c) = text.chars().find(first) else {
            return Some(NameError::Empty);
        };
        let narrow = plain(c.encode_utf8(&mut [0; 4]));
        matches!(
            narrow.chars().next(),
            Some('=' | '+' | '-' | '@' | '\u{2212}')
        )
        .then_some(NameError::Formula(c))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_composed_and_variants_of_kanji_stay() {
        let ja = |text: &str| Name::new([("ja", text)]).best("ja").to_owned();
        assert_eq!(ja("か\u{3099}くせい"), "がくせい");
        assert_eq!(ja("ハ\u{309a}ス"), "パス");
        for kept in ["神\u{fa19}社", "葛\u{e0100}飾", "﨑", "ﾏｲﾅﾝﾊﾞｰ", "㈱①"]
        {
            assert_eq!(ja(kept), kept);
        }
    }

    #[test]
    fn a_name_that_a_spreadsheet_would_work_out_is_none() {
        for bad in [
            "=1+1",
            "+81",
            "-1",
            "@SUM(A1)",
            " =A1",
            "＝A1",
            "＋1",
            "－1",
            "＠A",
            "\u{200b}=A1",
            "\u{feff}@a",
            "−1",
        ] {
            assert!(
                matches!(Name::flaw(bad), Some(NameError::Formula(_))),
                "{bad:?}"
            );
        }
        for good in [
            "証明書=交付",
            "A+B",
            "住所-変更",
            "ー",
            "・その他",
            "（仮）",
            "'A",
        ] {
            assert_eq!(Name::flaw(good), None, "{good:?}");
        }
    }

    #[test]
    fn a_name_that_turns_what_follows_is_none() {
        for c in ['\u{202e}', '\u{2066}', '\u{200e}', '\u{200f}', '\u{61c}'] {
            assert_eq!(
                Name::flaw(&format!("証明{c}書")),
                Some(NameError::Direction(c))
            );
        }
        assert_eq!(Name::flaw("a\tb"), Some(NameError::Control('\t')));
        assert_eq!(Name::flaw("\u{200b}"), Some(NameError::Empty));
        assert_eq!(
            Name::flaw("جواز السفر・שלום"),
            None,
            "letters have a direction of their own"
        );
    }
}
