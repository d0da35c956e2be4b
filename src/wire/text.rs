//! Serde helpers for values that travel as text or as lists of text.

use crate::model::{CallKind, Label, Lane, Name, Source, Status};
use serde::{Deserialize, Deserializer, Serializer, de};
use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;

/// Longest list of labels (contract: `next` and `held` hold at most 500).
pub const MAX_LIST: usize = 500;

/// Longest name in characters; longer ones cannot be drawn.
pub const MAX_NAME_CHARS: usize = 120;

/// For anything with `Display` and `FromStr`: `#[serde(with = "text::plain")]`.
pub mod plain {
    use super::*;

    /// Writes the text form.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<T: Display, S: Serializer>(value: &T, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(value)
    }

    /// Reads and checks the text form.
    ///
    /// # Errors
    /// When the text is not a `T`.
    pub fn deserialize<'de, T, D>(d: D) -> Result<T, D::Error>
    where
        T: FromStr,
        T::Err: Display,
        D: Deserializer<'de>,
    {
        String::deserialize(d)?.parse().map_err(de::Error::custom)
    }
}

/// For [`Label`]: `#[serde(with = "text::label")]`.
pub mod label {
    use super::*;

    /// Writes the label.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(value: &Label, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(value.as_str())
    }

    /// Reads and checks a label.
    ///
    /// # Errors
    /// When the text is not a label.
    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Label, D::Error> {
        Label::new(&String::deserialize(d)?).map_err(de::Error::custom)
    }
}

/// For a counter: a label, where an empty text or null means that the source knows none.
pub mod counter {
    use super::*;

    /// Writes the label or an empty text.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(value: &Option<Label>, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(value.as_ref().map_or("", Label::as_str))
    }

    /// Reads and checks a counter.
    ///
    /// # Errors
    /// When the text is neither empty nor a label.
    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Option<Label>, D::Error> {
        let text = Option::<String>::deserialize(d)?.unwrap_or_default();
        if text.trim().is_empty() {
            Ok(None)
        } else {
            Label::new(&text).map(Some).map_err(de::Error::custom)
        }
    }
}

/// For lists of labels, at most [`MAX_LIST`] long.
pub mod labels {
    use super::*;
    use serde::ser::SerializeSeq;

    /// Writes the labels.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(value: &[Label], s: S) -> Result<S::Ok, S::Error> {
        let mut seq = s.serialize_seq(Some(value.len()))?;
        for label in value {
            seq.serialize_element(label.as_str())?;
        }
        seq.end()
    }

    /// Reads and checks a list of labels.
    ///
    /// # Errors
    /// When it is too long or one text is not a label; the message says which.
    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<Label>, D::Error> {
        d.deserialize_seq(Labels)
    }

    /// Makes each label of the text where it lies, without a copy between.
    struct Labels;

    impl<'de> de::Visitor<'de> for Labels {
        type Value = Vec<Label>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            write!(f, "a list of at most {MAX_LIST} labels")
        }

        fn visit_seq<A: de::SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<Label>, A::Error> {
            let mut labels = Vec::with_capacity(seq.size_hint().unwrap_or(0).min(MAX_LIST));
            while let Some(Text(text)) = seq.next_element::<Text<'_>>()? {
                if labels.len() == MAX_LIST {
                    return Err(de::Error::custom(format_args!(
                        "list of more than {MAX_LIST}: expected at most that many"
                    )));
                }
                labels.push(
                    Label::new(&text)
                        .map_err(|e| de::Error::custom(format_args!("[{}] {e}", labels.len())))?,
                );
            }
            Ok(labels)
        }
    }

    /// A text, borrowed from the payload unless it holds an escape.
    #[derive(Deserialize)]
    struct Text<'a>(#[serde(borrow)] std::borrow::Cow<'a, str>);
}

/// For [`Name`]: an object from language tag to text.
pub mod name {
    use super::*;
    use serde::Serialize;

    /// Writes the forms by language.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(value: &Name, s: S) -> Result<S::Ok, S::Error> {
        value.forms().serialize(s)
    }

    /// Reads the forms by language.
    ///
    /// # Errors
    /// When a form is too long, or is no name; see [`Name::flaw`].
    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Name, D::Error> {
        let forms = BTreeMap::<String, String>::deserialize(d)?;
        for (lang, text) in &forms {
            let chars = text.chars().count();
            if chars > MAX_NAME_CHARS || lang.len() > 16 {
                return Err(de::Error::custom(format_args!(
                    "name of {chars} characters: expected at most {MAX_NAME_CHARS}, by language tag"
                )));
            }
            // A blank form is as good as none.
            if !text.trim().is_empty()
                && let Some(flaw) = Name::flaw(text)
            {
                return Err(de::Error::custom(flaw));
            }
        }
        Ok(Name::new(forms))
    }
}

macro_rules! words {
    ($($module:ident $type:ident [$($variant:ident),+])*) => {$(
        #[doc = concat!("For [`", stringify!($type), "`]: the words of the contract.")]
        pub mod $module {
            use super::*;

            const ALL: &[$type] = &[$($type::$variant),+];

            /// Writes the word.
            ///
            /// # Errors
            /// Those of the serializer.
            #[allow(clippy::trivially_copy_pass_by_ref)] // the signature serde asks for
            pub fn serialize<S: Serializer>(value: &$type, s: S) -> Result<S::Ok, S::Error> {
                s.serialize_str(value.as_str())
            }

            /// Reads the word.
            ///
            /// # Errors
            /// When it is none of those expected.
            pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<$type, D::Error> {
                let text = String::deserialize(d)?;
                ALL.iter().copied().find(|v| v.as_str() == text).ok_or_else(|| {
                    let words: Vec<_> = ALL.iter().map(|v| v.as_str()).collect();
                    de::Error::custom(format_args!(
                        "{:?}: expected {}",
                        text.chars().take(40).collect::<String>(),
                        words.join(", ")
                    ))
                })
            }
        }
    )*};
}

words! {
    lane Lane [Standard, Fast]
    status Status [Open, Paused, Closed]
    source Source [Feed, Adapter, Camera]
    kind CallKind [Call, Recall]
}
