//! A template's file as typed; `template` makes something of it.

use jiff::SignedDuration;
use serde::{Deserialize, Deserializer, de};
use std::collections::BTreeMap;
use std::time::Duration;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTemplate {
    pub(super) reply: Option<Pattern>,
    pub(super) timeout: Option<Span>,
    pub(super) repeats: Option<Small<0, 10>>,
    pub(super) pause: Option<Span>,
    #[serde(default)]
    pub(super) part: Vec<RawPart>,
    pub(super) modbus: Option<RawModbus>,
    #[serde(default)]
    pub(super) option: BTreeMap<String, RawOption>,
}

/// What an option changes besides the parts that name it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawOption {
    pub(super) reply: Option<Pattern>,
}

/// All keys of all kinds of parts: which belong together is checked later.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPart {
    pub(super) when: Option<String>,
    pub(super) unless: Option<String>,
    pub(super) bytes: Option<Hex>,
    pub(super) text: Option<String>,
    pub(super) blink: Option<String>,
    pub(super) address: Option<AddressForm>,
    pub(super) width: Option<Small<1, 5>>,
    pub(super) digits: Option<Small<1, 12>>,
    #[serde(default)]
    pub(super) align: Option<Align>,
    pub(super) blank: Option<OneChar>,
    pub(super) dash: Option<String>,
    pub(super) letters: Option<Letters>,
    pub(super) map: Option<BTreeMap<OneChar, OneChar>>,
    pub(super) charset: Option<String>,
    pub(super) checksum: Option<String>,
    pub(super) from: Option<Small<1, 64>>,
    pub(super) to: Option<Small<1, 64>>,
    #[serde(rename = "as")]
    pub(super) form: Option<SumForm>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawModbus {
    pub(super) unit: Unit,
    pub(super) first: u16,
    pub(super) stride: Option<u16>,
    #[serde(default)]
    pub(super) function: Function,
    #[serde(default)]
    pub(super) coding: Coding,
    pub(super) blank_value: Option<u16>,
    pub(super) dash_value: Option<u16>,
    pub(super) segments: Option<BTreeMap<OneChar, u16>>,
    pub(super) digits: RawPart,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum AddressForm {
    Ascii,
    Hex,
    Byte,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Align {
    #[default]
    Right,
    Left,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Letters {
    #[default]
    Drop,
    Keep,
    Map,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum SumForm {
    Byte,
    Hex,
    LoHi,
    HiLo,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Coding {
    #[default]
    Value,
    Ascii,
    Segments,
}

/// The Modbus function that writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Function {
    /// 6, one register.
    Single,
    /// 16, many registers.
    #[default]
    Many,
}

impl<'de> Deserialize<'de> for Function {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        match i64::deserialize(d)? {
            6 => Ok(Self::Single),
            16 => Ok(Self::Many),
            n => Err(de::Error::custom(format_args!("{n}: expected 6 or 16"))),
        }
    }
}

/// The unit of a Modbus request; `None` is the field's address.
#[derive(Debug, Clone, Copy)]
pub(super) struct Unit(pub(super) Option<u8>);

impl<'de> Deserialize<'de> for Unit {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Either;
        impl de::Visitor<'_> for Either {
            type Value = Unit;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("\"address\" or a unit from 0 to 255")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Unit, E> {
                match text {
                    "address" => Ok(Unit(None)),
                    _ => Err(E::invalid_value(de::Unexpected::Str(text), &self)),
                }
            }
            fn visit_i64<E: de::Error>(self, n: i64) -> Result<Unit, E> {
                u8::try_from(n)
                    .map(|unit| Unit(Some(unit)))
                    .map_err(|_| E::invalid_value(de::Unexpected::Signed(n), &self))
            }
        }
        d.deserialize_any(Either)
    }
}

/// A whole number within bounds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Small<const LOW: u8, const HIGH: u8>(pub(super) u8);

impl<'de, const LOW: u8, const HIGH: u8> Deserialize<'de> for Small<LOW, HIGH> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let n = i64::deserialize(d)?;
        u8::try_from(n)
            .ok()
            .filter(|n| (LOW..=HIGH).contains(n))
            .map(Self)
            .ok_or_else(|| {
                de::Error::custom(format_args!(
                    "{n}: expected a whole number from {LOW} to {HIGH}"
                ))
            })
    }
}

/// A length of time up to a second: what a thread may wait for a board, which must stop in time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span(pub(super) Duration);

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        text.trim()
            .parse::<SignedDuration>()
            .ok()
            .and_then(|span| Duration::try_from(span).ok())
            .filter(|span| *span <= Duration::from_secs(1))
            .map(Self)
            .ok_or_else(|| {
                de::Error::custom(format_args!(
                    "{text:?}: expected a duration up to 1 s, such as \"300ms\""
                ))
            })
    }
}

/// One printable character of ASCII: what boards of digits know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct OneChar(pub(super) u8);

impl<'de> Deserialize<'de> for OneChar {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        match text.as_bytes() {
            [c] if (0x20..0x7f).contains(c) => Ok(Self(*c)),
            _ => Err(de::Error::custom(format_args!(
                "{text:?}: expected one printable character of ASCII"
            ))),
        }
    }
}

/// Bytes in hexadecimal, such as `02 1b`.
#[derive(Debug, Clone)]
pub(super) struct Hex(pub(super) Vec<u8>);

impl<'de> Deserialize<'de> for Hex {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        hex(&text).map(Self).ok_or_else(|| {
            de::Error::custom(format_args!(
                "{text:?}: expected bytes in hexadecimal, such as \"02 1b\""
            ))
        })
    }
}

/// Reads bytes in hexadecimal.
pub(super) fn hex(text: &str) -> Option<Vec<u8>> {
    let byte = |expect| match expect {
        Expect::Byte(byte) => Some(byte),
        Expect::Any | Expect::Address => None,
    };
    pattern(text)?.into_iter().map(byte).collect()
}

/// One byte of an answer, or the address as it was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expect {
    Byte(u8),
    Any,
    Address,
}

/// An expected answer; `None` is none at all.
#[derive(Debug, Clone)]
pub(super) struct Pattern(pub(super) Option<Vec<Expect>>);

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        if text == "none" {
            return Ok(Self(None));
        }
        let found = pattern(&text).map(|bytes| Self(Some(bytes)));
        found.ok_or_else(|| {
            de::Error::custom(format_args!(
                "{text:?}: expected none, or bytes in hexadecimal, ?? for any and @@ for the address, such as \"02 @@ ?? 06\""
            ))
        })
    }
}

/// Reads bytes in hexadecimal with `??` for any and `@@` for the address; 1 to 64 of them.
fn pattern(text: &str) -> Option<Vec<Expect>> {
    const MOST: usize = 64;
    let digits: Vec<char> = text.chars().filter(|c| *c != ' ').collect();
    if digits.is_empty() || !digits.len().is_multiple_of(2) || digits.len() > 2 * MOST {
        return None;
    }
    let byte = |pair: &[char]| match pair {
        ['?', '?'] => Some(Expect::Any),
        ['@', '@'] => Some(Expect::Address),
        [high, low] => {
            let nibble = |c: &char| c.to_digit(16);
            u8::try_from(nibble(high)? * 16 + nibble(low)?)
                .ok()
                .map(Expect::Byte)
        }
        _ => None,
    };
    digits.chunks(2).map(byte).collect()
}
