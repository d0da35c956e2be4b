//! Reads the fields that a rule selects from a foreign message.

use super::AdapterError;
use crate::config::AdapterRule;
use crate::model::Label;
use crate::model::text::plain;
use crate::source::mapping::text::{count as count_of, same, says_nothing, text};
use jiff::civil::DateTime;
use jiff::fmt::rfc2822;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use serde_json::Value;

/// The field values that a rule reads from a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FieldValues {
    /// The ticket being served; `None` when the system says that there is none.
    pub(super) number: Option<Label>,
    /// People waiting, where the system shows that.
    pub(super) waiting: Option<u32>,
    pub(super) on_hold: Option<u32>,
    pub(super) counter: Option<Label>,
    /// The system's own time, where it has one.
    pub(super) at: Option<Timestamp>,
}

impl FieldValues {
    pub(super) fn read(
        rule: &AdapterRule,
        message: &Value,
        zone: &TimeZone,
    ) -> Result<Self, AdapterError> {
        let look = FieldReader { rule };
        let mut element = message;
        for select in &rule.select {
            let list = look.at(element, &select.list)?;
            let Some(list) = list.as_array() else {
                return Err(look.wrong(&select.list, list, "a list"));
            };
            element = list
                .iter()
                .find(|e| {
                    let found = e.pointer(&select.key).and_then(text);
                    found.is_some_and(|found| same(&found, &select.equals))
                })
                .ok_or_else(|| AdapterError::Missing {
                    queue: rule.queue.clone(),
                    pointer: format!("{}[{} = {:?}]", select.list, select.key, select.equals),
                })?;
        }
        // `null` is a system's way to say that it does not know.
        let count = |pointer: &str| match look.at(element, pointer)? {
            Value::Null => Ok(None),
            Value::String(text) if says_nothing(text) => Ok(None),
            value => text(value)
                .and_then(|t| count_of(&t))
                .ok_or_else(|| look.wrong(pointer, value, counted(value)))
                .map(Some),
        };
        let optional = |pointer: &Option<String>| match pointer {
            Some(pointer) => count(pointer),
            None => Ok(None),
        };
        let counter = match (&rule.counter, &rule.counter_text) {
            (Some(pointer), _) => Some(look.label(pointer, look.at(element, pointer)?)?),
            (None, Some(fixed)) => Label::new(fixed).ok(),
            (None, None) => None,
        };
        Ok(Self {
            number: look.number(element)?,
            waiting: optional(&rule.waiting)?,
            on_hold: optional(&rule.on_hold)?,
            counter,
            at: rule
                .at
                .as_deref()
                .map(|pointer| look.time(element, pointer, zone))
                .transpose()?,
        })
    }
}

/// Looks for values on behalf of a rule.
struct FieldReader<'a> {
    rule: &'a AdapterRule,
}

impl FieldReader<'_> {
    fn at<'v>(&self, element: &'v Value, pointer: &str) -> Result<&'v Value, AdapterError> {
        element
            .pointer(pointer)
            .ok_or_else(|| AdapterError::Missing {
                queue: self.rule.queue.clone(),
                pointer: pointer.to_owned(),
            })
    }

    /// What is wrong with a value. It is told by its kind and length alone: a pointer that leads to
    /// the wrong place may lead to somebody's name.
    fn wrong(&self, pointer: &str, found: &Value, expected: impl Into<String>) -> AdapterError {
        AdapterError::Wrong {
            queue: self.rule.queue.clone(),
            pointer: pointer.to_owned(),
            found: described(found),
            expected: expected.into(),
        }
    }

    fn label(&self, pointer: &str, value: &Value) -> Result<Label, AdapterError> {
        let Some(text) = text(value) else {
            return Err(self.wrong(pointer, value, "a label of 1 to 12 characters"));
        };
        self.spelt(pointer, value, &text)
    }

    /// A text as label; what it is made of.
    fn spelt(&self, pointer: &str, value: &Value, text: &str) -> Result<Label, AdapterError> {
        Label::new(text).map_err(|why| {
            let expected = format!("a label of 1 to 12 characters ({why})");
            self.wrong(pointer, value, expected)
        })
    }

    /// The ticket being served; `None` when the system says that there is none.
    fn number(&self, element: &Value) -> Result<Option<Label>, AdapterError> {
        let pointer = &self.rule.number;
        let value = self.at(element, pointer)?;
        let Some(found) = text(value) else {
            return match value {
                Value::Null => Ok(None),
                _ => Err(self.wrong(pointer, value, "a number or a text")),
            };
        };
        let found = whole(found.trim());
        if says_nothing(found) || self.rule.none.iter().any(|none| same(none, found)) {
            return Ok(None);
        }
        let found = self.spelt(pointer, value, found)?;
        let digits = match self.rule.digits {
            Some(n) if found.as_str().bytes().all(|b| b.is_ascii_digit()) => {
                format!("{:0>n$}", found.as_str().trim_start_matches('0'))
            }
            _ => found.to_string(),
        };
        let label = self.spelt(pointer, value, &format!("{}{digits}", self.rule.prefix))?;
        if !self.rule.fits(label.as_str()) {
            let expected = "a ticket that matches `pattern` of its [[queue]]";
            return Err(self.wrong(pointer, value, expected));
        }
        Ok(Some(label))
    }

    fn time(
        &self,
        element: &Value,
        pointer: &str,
        zone: &TimeZone,
    ) -> Result<Timestamp, AdapterError> {
        let value = self.at(element, pointer)?;
        let at = match value {
            Value::String(text) => moment(&plain(text), zone),
            Value::Number(n) => since_1970(&n.to_string()),
            _ => None,
        };
        let expected =
            "a time such as 2026-12-01T10:00:00+09:00, or seconds or milliseconds since 1970";
        at.ok_or_else(|| self.wrong(pointer, value, expected))
    }
}

/// What is expected of a count, beside what was found.
fn counted(found: &Value) -> &'static str {
    if found.is_array() {
        "a count (the length of a list is not read)"
    } else {
        "a count"
    }
}

/// A text without a fraction of nothing: `42` of `42.0`, as tables with one kind of number have it.
fn whole(text: &str) -> &str {
    match text.split_once('.') {
        Some((whole, zeros)) if !zeros.is_empty() && zeros.bytes().all(|b| b == b'0') => whole,
        _ => text,
    }
}

/// A moment as systems write it. One without an offset is of the office's time zone: a source that
/// means another one is seen to be off by it.
fn moment(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    let text = text.trim();
    if text.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        return since_1970(text);
    }
    let exact = |text: &str| text.parse::<Timestamp>().ok();
    let of_zone = || text.parse::<Zoned>().ok().map(|at| at.timestamp());
    let of_mail = || rfc2822::parse(text).ok().map(|at| at.timestamp());
    let of_office = |text: &str| {
        const FORMS: [&str; 4] = [
            "%Y-%m-%d %H:%M:%S%.f",
            "%Y-%m-%dT%H:%M:%S%.f",
            "%Y-%m-%d %H:%M",
            "%Y-%m-%dT%H:%M",
        ];
        let at = FORMS
            .iter()
            .find_map(|f| DateTime::strptime(f, text).ok())?;
        zone.to_ambiguous_timestamp(at).compatible().ok()
    };
    // `2026/12/01`, and a blank before the offset.
    let usual = || {
        let usual = text.replace('/', "-");
        let usual = usual
            .replace(" +", "+")
            .replace(" -", "-")
            .replace(" Z", "Z");
        exact(&usual).or_else(|| of_office(&usual))
    };
    exact(text).or_else(of_zone).or_else(usual).or_else(of_mail)
}

/// A count since 1970. Seconds have ten digits until 2286, so that one of three, six or nine more
/// counts thousandths, millionths or billionths.
fn since_1970(text: &str) -> Option<Timestamp> {
    let (count, fraction) = text.split_once('.').unwrap_or((text, ""));
    // Nine digits are billionths; what is finer is left out.
    let nanos: i128 = format!("{fraction:0<9}").get(..9)?.parse().ok()?;
    let unit = match count.trim_start_matches('-').len() {
        13 => 1_000_000,
        16 => 1_000,
        19 => 1,
        _ => 1_000_000_000,
    };
    let whole = count.parse::<i128>().ok()?.checked_mul(unit)?;
    Timestamp::from_nanosecond(whole + nanos * unit / 1_000_000_000).ok()
}

/// A value by its kind and length.
fn described(value: &Value) -> String {
    /// So many characters are nobody's telephone number.
    const SHORT: usize = 4;
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(_) => "true or false".to_owned(),
        Value::Number(n) => match n.to_string() {
            short if short.len() <= SHORT => short,
            long => format!("a number of {} characters", long.len()),
        },
        Value::String(text) => format!("a text of {} characters", text.chars().count()),
        Value::Array(list) => format!("a list of {}", list.len()),
        Value::Object(_) => "an object".to_owned(),
    }
}
