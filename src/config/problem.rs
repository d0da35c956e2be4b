//! One thing that is wrong with a configuration: its kind, and both languages made from it.
//!
//! What is done about a problem, and what readers of Japanese are told, follows from its kind and
//! its suggestion, never from the English text. A problem travels as JSON from the start of a box to
//! its sheet (`node::setup_status`): what an earlier version wrote there is read, and a later version's
//! kinds that are not known here are read as [`ProblemKind::Other`].

use super::keyboard;
use super::text::{Encoding, NotUtf8};
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Line and column in the file, both from 1; `None` when it concerns the file as a whole.
    pub position: Option<(usize, usize)>,
    /// The key, such as `queue[2].lane`, lists counted from 0; empty for the file as a whole.
    pub key: String,
    /// What was found there, as typed, secrets masked; `None` when there is nothing.
    pub found: Option<String>,
    /// Of which kind it is.
    #[serde(default, deserialize_with = "kind")]
    pub kind: ProblemKind,
    /// What is wrong and what is expected, in English.
    pub message: String,
    /// What the user may have meant.
    // Versions up to the one before kinds wrote a text, and called it so.
    #[serde(default, alias = "hint", deserialize_with = "suggestion")]
    pub suggestion: Option<Suggestion>,
}

/// What kind of thing is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProblemKind {
    /// It is not TOML.
    Syntax,
    /// It is not TOML because of this sign of a Japanese keyboard.
    Sign(char),
    /// It is not UTF-8, but looks like this.
    Encoding(Encoding),
    /// It, or a file that it names, cannot be read.
    Unreadable,
    /// It is neither a node's nor a hub's.
    Neither,
    /// There is no such key.
    UnknownKey,
    /// A key that must be there is not.
    Missing,
    /// A placeholder stands for a secret that the box does not keep.
    LostSecret,
    /// A key that has no place here: beside another one, or with another kind of thing.
    Unwanted,
    /// The same twice, where each may be once.
    Duplicate,
    /// More than there may be.
    TooMany,
    /// What is named does not exist.
    NoSuch,
    /// A file that can be read does not hold what it should.
    BadFile,
    /// The value is not what is expected.
    Value,
    /// What the writer of another version did not say, or this one does not know.
    #[default]
    Other,
}

impl ProblemKind {
    /// What is wrong and what is expected, in English; `detail` is what the kind alone does not say.
    fn english(self, detail: &str) -> String {
        match self {
            Self::Syntax => format!("not TOML: {detail}"),
            Self::Sign(sign) => {
                let press = match keyboard::narrowed(sign) {
                    Some(' ') => "a space".to_owned(),
                    Some(c) if !c.is_ascii_alphanumeric() => c.to_string(),
                    _ => "one of ASCII".to_owned(),
                };
                format!(
                    "not TOML: {} of a Japanese keyboard: expected {press}, typed half-width (switch the input method off)",
                    keyboard::called(sign)
                )
            }
            Self::Encoding(encoding) => format!("{detail}{}", encoding.in_english()),
            Self::Unreadable => format!("cannot read {detail}"),
            Self::Neither => {
                "neither a node's nor a hub's configuration: expected [office] and [node], or [http]"
                    .to_owned()
            }
            Self::UnknownKey => format!("unknown key: expected {detail}"),
            Self::Missing => format!("missing: expected {detail}"),
            Self::LostSecret => {
                "this device has stored no such secret: expected the secret itself".to_owned()
            }
            Self::Unwanted
            | Self::Duplicate
            | Self::TooMany
            | Self::NoSuch
            | Self::BadFile
            | Self::Value
            | Self::Other => detail.to_owned(),
        }
    }

    /// What is wrong, for readers of Japanese, and how the English message goes on from it.
    fn in_japanese(self) -> (String, Then) {
        let (text, then) = match self {
            Self::Syntax => (
                "書き方が正しくありません（引用符・かっこ・＝を確認）。",
                Then::Message(""),
            ),
            Self::Sign(sign) => return (keyboard::in_japanese(sign), Then::Nothing),
            Self::Encoding(encoding) => (encoding.in_japanese(), Then::Nothing),
            Self::Unreadable => ("ファイルが読めません。", Then::Message("")),
            Self::Neither => (
                "端末の設定でも、ハブの設定でもありません。",
                Then::Message("書くもの："),
            ),
            Self::UnknownKey => (
                "この名前の項目はありません。",
                Then::Message("使える項目："),
            ),
            Self::Missing => ("必要な項目がありません。", Then::Message("書くもの：")),
            Self::LostSecret => (
                "この箱に保存された値がありません。値そのものを入力してください。",
                Then::Message(""),
            ),
            Self::Unwanted => ("この項目はここでは使えません。", Then::Message("")),
            Self::Duplicate => ("同じものが二度使われています。", Then::Message("")),
            Self::TooMany => ("数が多すぎます。", Then::Message("")),
            Self::NoSuch => ("その名前のものはありません。", Then::Message("")),
            Self::BadFile => ("ファイルの内容が正しくありません。", Then::Message("")),
            Self::Value => ("値が正しくありません。", Then::Message("正しい書き方：")),
            Self::Other => ("このままでは使えません。", Then::Message("")),
        };
        (text.to_owned(), then)
    }
}

/// How a text for readers of Japanese goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    /// All is said.
    Nothing,
    /// With the English message behind these words.
    Message(&'static str),
}

/// What the user may have meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Suggestion {
    /// The known word that is nearest.
    Word(String),
    /// What was typed, without its full-width characters.
    HalfWidth(String),
    /// The hour with both of its digits.
    TwoDigits(String),
    /// The words of a version that told no more.
    Words(String),
}

impl Suggestion {
    /// The suggestion in English.
    #[must_use]
    pub fn in_english(&self) -> String {
        match self {
            Self::Word(word) => format!("did you mean {word}?"),
            Self::HalfWidth(text) => {
                format!("full-width characters: write {text}, typed half-width")
            }
            Self::TwoDigits(hour) => format!("hours have two digits: write \"{hour}\""),
            Self::Words(words) => words.clone(),
        }
    }

    /// The suggestion for readers of Japanese, and whether what is wrong is said with it.
    fn in_japanese(&self) -> (String, bool) {
        match self {
            Self::Word(word) => (format!("「{word}」ではありませんか？"), false),
            Self::HalfWidth(text) => (
                format!("全角の文字が入っています。半角で {text} と入力してください。"),
                true,
            ),
            Self::TwoDigits(hour) => (format!("時刻は「{hour}」のように2けたで書きます。"), false),
            Self::Words(words) => (words.clone(), false),
        }
    }
}

impl Problem {
    /// A problem with the file as a whole; `detail` is what its kind alone does not say, in English.
    pub(super) fn whole(kind: ProblemKind, detail: impl fmt::Display) -> Self {
        Self {
            position: None,
            key: String::new(),
            found: None,
            kind,
            message: kind.english(&detail.to_string()),
            suggestion: None,
        }
    }

    /// The message in English, behind what was meant where that is known: the guess is worth more
    /// than the list.
    #[must_use]
    pub fn in_english(&self) -> String {
        match &self.suggestion {
            Some(suggestion) => format!("{} {}", suggestion.in_english(), self.message),
            None => self.message.clone(),
        }
    }

    /// What is wrong, for readers of Japanese, with what was meant where that is known; what is
    /// expected follows in English unless the Japanese says all.
    #[must_use]
    pub fn in_japanese(&self) -> String {
        let message = &self.message;
        let (wrong, then) = self.kind.in_japanese();
        match self.suggestion.as_ref().map(Suggestion::in_japanese) {
            Some((meant, true)) => meant,
            Some((meant, false)) => format!("{wrong}{meant} {message}"),
            None => match then {
                Then::Nothing => wrong,
                Then::Message(lead) => format!("{wrong}{lead} {message}"),
            },
        }
    }

    /// Whether [`in_japanese`](Self::in_japanese) says all, so that no English stands in it.
    pub(super) fn is_all_japanese(&self) -> bool {
        let by_suggestion = self.suggestion.as_ref().is_some_and(|s| s.in_japanese().1);
        by_suggestion || self.kind.in_japanese().1 == Then::Nothing
    }

    /// Writes where it is and what was found there, as all messages begin.
    pub(super) fn write_place(&self, f: &mut impl fmt::Write) -> fmt::Result {
        f.write_str(&self.key)?;
        if let Some(found) = &self.found {
            write!(f, " = {found}")?;
        }
        if !self.key.is_empty() {
            f.write_str(": ")?;
        }
        Ok(())
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_place(f)?;
        f.write_str(&self.message)?;
        if let Some(suggestion) = &self.suggestion {
            write!(f, "\n  hint: {}", suggestion.in_english())?;
        }
        Ok(())
    }
}

impl From<NotUtf8> for ProblemKind {
    fn from(wrong: NotUtf8) -> Self {
        Self::Encoding(wrong.encoding)
    }
}

/// A value as it is known here, or whatever else stands there.
#[derive(Deserialize)]
#[serde(untagged)]
enum Known<T> {
    Yes(T),
    Words(String),
    No(IgnoredAny),
}

fn kind<'de, D: Deserializer<'de>>(from: D) -> Result<ProblemKind, D::Error> {
    Ok(match Known::deserialize(from)? {
        Known::Yes(kind) => kind,
        Known::Words(_) | Known::No(_) => ProblemKind::Other,
    })
}

fn suggestion<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Suggestion>, D::Error> {
    Ok(match Known::deserialize(from)? {
        Known::Yes(suggestion) => Some(suggestion),
        Known::Words(words) => Some(Suggestion::Words(words)),
        Known::No(_) => None,
    })
}

#[cfg(test)]
#[path = "problem_tests.rs"]
mod tests;
