//! `[[source.queue]]` as it is written, before it is checked.
//!
//! Unknown keys are errors. A field is a text (a path), a list of texts (several paths), or a table.

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;
use std::fmt;

/// `[[source.queue]]`: how one queue is found in what a source writes.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawQueueRule {
    /// The queue that is fed.
    pub queue: Option<String>,
    /// `state`, `calls`, `current` or `event`.
    pub shape: Option<String>,
    /// What a message (shape `event`: an element) must hold to be one of this rule.
    pub when: Option<OneOrMany<RawWhen>>,
    /// Shape `state`: where the message of the contract is; default the whole.
    pub state: Option<String>,
    /// Shape `calls`: where the calls are, newest first.
    pub calls: Option<OneOrMany<String>>,
    /// Shapes `current` and `event`: where the list of elements is; absent is the whole message.
    pub each: Option<String>,
    /// Shape `current`: one number a counter, each with `ticket` and `counter`.
    pub numbers: Option<Vec<RawNumber>>,
    /// `newest-first` (default) or `oldest-first`.
    pub order: Option<String>,
    /// Of a call or event: what happened.
    pub kind: Option<RawField>,
    /// Of a call or event: the source's own identity.
    pub id: Option<RawField>,
    /// Of a call or event: the ticket.
    pub ticket: Option<RawField>,
    /// Of a call or event: the counter.
    pub counter: Option<RawField>,
    /// Of a call or event: the time.
    pub at: Option<RawField>,
    /// Of the message: when it was made.
    pub as_of: Option<RawField>,
    /// Of the message: people waiting.
    pub waiting: Option<RawField>,
    /// Of the message: tickets on hold, their number.
    pub on_hold: Option<RawField>,
    /// Of the message: tickets due next.
    pub next: Option<RawField>,
    /// Of the message: tickets on hold, their labels.
    pub held: Option<RawField>,
    /// Of the message: `open`, `paused` or `closed`.
    pub status: Option<RawField>,
    /// Texts that mean nothing, for all fields.
    pub none: Option<Vec<String>>,
    /// Shape `event`: first and last number of the queue's tickets; behind the last comes the first.
    pub range: Option<[u32; 2]>,
    /// Shape `event`: how often through `range` the source reports issues; absent is always.
    pub issue_passes: Option<u32>,
}

/// One or several of a kind.
#[derive(Debug, Clone, PartialEq)]
pub struct OneOrMany<T>(pub Vec<T>);

/// `[[source.queue.numbers]]`
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawNumber {
    /// The number of this counter.
    pub ticket: Option<RawField>,
    /// The counter.
    pub counter: Option<RawField>,
    /// When it was called.
    pub at: Option<RawField>,
}

/// `when`: one condition.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawWhen {
    /// Where to look.
    pub path: Option<String>,
    /// The text or number that must be there.
    pub equals: Option<RawText>,
    /// The texts or numbers of which one must be there.
    #[serde(rename = "in")]
    pub any_of: Option<Vec<RawText>>,
    /// The regular expression that must match.
    pub matches: Option<String>,
    /// Whether nothing must be there (`true`) or something (`false`).
    pub absent: Option<bool>,
}

/// A text, or a number as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawText(pub String);

/// One field: a path, several paths, or a table.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RawField(pub RawFieldTable);

/// A field as a table.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawFieldTable {
    /// Where it is.
    pub path: Option<String>,
    /// Where it is, in several places.
    pub paths: Option<Vec<String>>,
    /// Another field whose text this one is made of.
    pub from: Option<String>,
    /// A fixed text.
    pub text: Option<RawText>,
    /// The list whose length it is.
    pub count: Option<String>,
    /// A regular expression; its first group is the value.
    pub take: Option<String>,
    /// Texts that mean nothing.
    pub none: Option<Vec<String>>,
    /// What texts stand for.
    pub map: Option<BTreeMap<String, String>>,
    /// The time zone of a time without an offset.
    pub zone: Option<String>,
    /// How a time is written.
    pub format: Option<String>,
    /// Where the date is, of a time in two places.
    pub date: Option<String>,
    /// Where the time of day is, of a time in two places.
    pub time: Option<String>,
    /// Put before a label.
    pub prefix: Option<String>,
    /// A label of digits is filled with zeros to so many.
    pub digits: Option<u32>,
    /// Paths begin at the message, also within a list.
    pub of_message: Option<bool>,
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OneOrMany<T> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Either<T>(std::marker::PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Either<T> {
            type Value = OneOrMany<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("one or a list")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
                let one = serde::de::value::StrDeserializer::new(text);
                T::deserialize(one).map(|one| OneOrMany(vec![one]))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                let one = MapAccessDeserializer::new(map);
                T::deserialize(one).map(|one| OneOrMany(vec![one]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(seq)).map(OneOrMany)
            }
        }
        d.deserialize_any(Either(std::marker::PhantomData))
    }
}

impl<'de> Deserialize<'de> for RawText {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Any;
        impl Visitor<'_> for Any {
            type Value = RawText;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or a whole number")
            }

            fn visit_str<E>(self, text: &str) -> Result<RawText, E> {
                Ok(RawText(text.to_owned()))
            }

            fn visit_i64<E>(self, number: i64) -> Result<RawText, E> {
                Ok(RawText(number.to_string()))
            }

            fn visit_u64<E>(self, number: u64) -> Result<RawText, E> {
                Ok(RawText(number.to_string()))
            }

            fn visit_bool<E>(self, yes: bool) -> Result<RawText, E> {
                Ok(RawText(yes.to_string()))
            }
        }
        d.deserialize_any(Any)
    }
}

impl<'de> Deserialize<'de> for RawField {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = RawField;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a path, a list of paths or a table")
            }

            fn visit_str<E>(self, text: &str) -> Result<RawField, E> {
                Ok(RawField(RawFieldTable {
                    path: Some(text.to_owned()),
                    ..RawFieldTable::default()
                }))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<RawField, A::Error> {
                let paths = Vec::deserialize(SeqAccessDeserializer::new(seq))?;
                Ok(RawField(RawFieldTable {
                    paths: Some(paths),
                    ..RawFieldTable::default()
                }))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<RawField, A::Error> {
                RawFieldTable::deserialize(MapAccessDeserializer::new(map)).map(RawField)
            }
        }
        d.deserialize_any(Any)
    }
}
