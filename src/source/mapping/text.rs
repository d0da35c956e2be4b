//! Values as texts, counts and descriptions.

use crate::model::text::plain;
use serde_json::Value;

/// As [`text`]; `true` and `false` by their words.
pub(super) fn word(value: &Value) -> Option<String> {
    match value {
        Value::Bool(yes) => Some(yes.to_string()),
        value => text(value),
    }
}

/// A text or a whole number as text.
pub(crate) fn text(value: &Value) -> Option<String> {
    /// From here on a binary fraction no longer tells two whole numbers apart (2^53).
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(n) if n.is_u64() || n.is_i64() => Some(n.to_string()),
        // 42.0 is 42: languages that know one kind of number write it so.
        Value::Number(n) => n
            .as_f64()
            .filter(|x| x.fract() == 0.0 && x.abs() < EXACT)
            .map(|x| format!("{:.0}", x + 0.0)),
        _ => None,
    }
}

/// Whether two texts are the same but for their width and blanks at the ends.
pub(crate) fn same(one: &str, other: &str) -> bool {
    one == other || plain(one).trim() == plain(other).trim()
}

/// Whether a text is a system's way to show that there is nothing: empty, or a dash.
pub(crate) fn says_nothing(text: &str) -> bool {
    !text.contains(char::is_alphanumeric)
}

/// A count as people write it: in digits of any width, with the word for what is counted.
pub(crate) fn count(text: &str) -> Option<u32> {
    const COUNTED: [&str; 8] = ["人", "名", "組", "件", "位", "명", "people", "persons"];
    let text = plain(text);
    let text = text
        .trim()
        .trim_start_matches("待ち")
        .trim_end_matches("待ち");
    let number = COUNTED
        .iter()
        .find_map(|word| text.strip_suffix(word))
        .unwrap_or(text)
        .trim();
    whole(number).parse().ok()
}

/// A text without a fraction of nothing: `42` of `42.0`, as tables with one kind of number have it.
pub(super) fn whole(text: &str) -> &str {
    match text.split_once('.') {
        Some((whole, zeros))
            if !whole.is_empty() && !zeros.is_empty() && zeros.bytes().all(|b| b == b'0') =>
        {
            whole
        }
        _ => text,
    }
}

/// A value by its kind and length: what stands at a wrong place may be a name or a telephone number.
pub(super) fn described(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(_) => "true or false".to_owned(),
        Value::Number(n) => format!("a number of {} characters", n.to_string().len()),
        Value::String(text) => described_text(text),
        Value::Array(list) => format!("a list of {}", list.len()),
        Value::Object(object) => format!("an object of {} members", object.len()),
    }
}

/// A text by its length.
pub(super) fn described_text(text: &str) -> String {
    format!("a text of {} characters", text.chars().count())
}
