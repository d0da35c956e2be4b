//! A TOML text and where everything in it stands.

use super::error::{ConfigError, Problem};
use super::hint;
use serde::de::DeserializeOwned;
use std::fmt;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A place in a configuration: a path of keys and list indices.
#[derive(Debug, Clone, Default)]
pub(super) struct At(Vec<Step>);

#[derive(Debug, Clone)]
enum Step {
    Key(String),
    Index(usize),
}

impl At {
    /// The file as a whole.
    pub(super) fn root() -> Self {
        Self::default()
    }

    /// A key of the table here.
    pub(super) fn key(&self, key: &str) -> Self {
        self.with(Step::Key(key.to_owned()))
    }

    /// An element of the list here, from 0.
    pub(super) fn index(&self, index: usize) -> Self {
        self.with(Step::Index(index))
    }

    fn with(&self, step: Step) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }

    fn last_key(&self) -> Option<&str> {
        self.0.iter().rev().find_map(|s| match s {
            Step::Key(key) => Some(key.as_str()),
            Step::Index(_) => None,
        })
    }

    fn from_serde(path: &serde_path_to_error::Path) -> Self {
        use serde_path_to_error::Segment;
        Self(
            path.iter()
                .filter_map(|s| match s {
                    Segment::Seq { index } => Some(Step::Index(*index)),
                    Segment::Map { key } => Some(Step::Key(key.clone())),
                    Segment::Enum { .. } | Segment::Unknown => None,
                })
                .collect(),
        )
    }
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, step) in self.0.iter().enumerate() {
            match step {
                Step::Key(key) if i > 0 => write!(f, ".{key}")?,
                Step::Key(key) => f.write_str(key)?,
                Step::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

/// A parsed text.
pub(super) struct Doc<'t> {
    name: &'t str,
    text: &'t str,
    table: Spanned<DeTable<'t>>,
}

impl<'t> Doc<'t> {
    /// Parses the TOML; `name` is what messages call the file.
    pub(super) fn parse(text: &'t str, name: &'t str) -> Result<Self, ConfigError> {
        let table = DeTable::parse(text).map_err(|e| {
            let problem = Problem {
                position: e.span().map(|s| position(text, s.start)),
                ..Problem::whole(format!("not TOML: {}", one_line(e.message())))
            };
            ConfigError::new(name, vec![problem])
        })?;
        Ok(Self { name, text, table })
    }

    /// Whether the file has this key at its top.
    pub(super) fn has(&self, key: &str) -> bool {
        self.table.get_ref().contains_key(key)
    }

    /// Reads the whole as a raw shape.
    pub(super) fn read<T: DeserializeOwned>(&self) -> Result<T, ConfigError> {
        let de = toml::Deserializer::from(self.table.clone());
        serde_path_to_error::deserialize(de).map_err(|e| {
            let at = At::from_serde(e.path());
            let problem = self.shape_problem(&at, e.inner());
            ConfigError::new(self.name, vec![problem])
        })
    }

    /// Turns serde's words into ours: an unknown key or a wrong type.
    fn shape_problem(&self, at: &At, error: &toml::de::Error) -> Problem {
        let message = error.message();
        let position = error.span().map(|s| position(self.text, s.start));
        if let Some(rest) = message.strip_prefix("unknown field `") {
            let mut quoted = rest.split('`');
            let unknown = quoted.next().unwrap_or_default();
            let known: Vec<&str> = quoted.skip(1).step_by(2).collect();
            // Some versions name the unknown key in the path, some only its table.
            let key = match at.last_key() {
                Some(last) if last == unknown => at.to_string(),
                _ => at.key(unknown).to_string(),
            };
            return Problem {
                position,
                key,
                found: None,
                message: format!("unknown key: expected {}", hint::one_of(&known)),
                hint: hint::nearest(unknown, known.iter().copied()),
            };
        }
        let expected = message
            .rsplit_once(", expected ")
            .map_or(message, |(_, expected)| expected);
        let is_table = self.value(at).is_some_and(|v| v.get_ref().is_table());
        let expected = match expected {
            "a string" => "a text in quotes",
            "a sequence" if is_table => "a list of tables, each under its own [[…]]",
            "a sequence" => "a list in brackets",
            "i64" => "a whole number",
            other if other.starts_with("struct ") => "a table",
            other => other,
        };
        Problem {
            position: self.position_of(at).or(position),
            key: at.to_string(),
            found: self.found(at),
            message: format!("expected {}", one_line(expected)),
            hint: None,
        }
    }

    /// The value at a place as text, when it is one.
    pub(super) fn text_at(&self, at: &At) -> Option<&str> {
        self.value(at)?.get_ref().as_str()
    }

    /// Line and column of a place, or of the nearest table around it.
    pub(super) fn position_of(&self, at: &At) -> Option<(usize, usize)> {
        let mut steps = at.0.as_slice();
        while !steps.is_empty() {
            if let Some(value) = self.value(&At(steps.to_vec())) {
                return Some(position(self.text, value.span().start));
            }
            steps = steps.split_last().map_or(&[][..], |(_, rest)| rest);
        }
        None
    }

    /// What was typed at a place, shortened to one line; `***` for secrets.
    pub(super) fn found(&self, at: &At) -> Option<String> {
        let value = self.value(at)?;
        let is_file = matches!(at.0.first(), Some(Step::Key(key)) if key == "files");
        if is_file || at.last_key().is_some_and(is_secret) {
            return Some("***".to_owned());
        }
        if holds_table(value.get_ref()) {
            return None;
        }
        Some(one_line(&mask_url(self.text.get(value.span())?)))
    }

    /// The line and column of a byte, both from 1.
    pub(super) fn position(&self, byte: usize) -> (usize, usize) {
        position(self.text, byte)
    }

    /// Every text of the file with its path (lists by index) and its place, quotation included.
    pub(super) fn texts(&self) -> Vec<(Vec<String>, String, Range<usize>)> {
        let mut found = Vec::new();
        for (key, value) in self.table.get_ref() {
            collect(vec![key.get_ref().to_string()], value, &mut found);
        }
        found
    }

    fn value(&self, at: &At) -> Option<&Spanned<DeValue<'t>>> {
        let mut steps = at.0.iter();
        let Step::Key(first) = steps.next()? else {
            return None;
        };
        let mut value = self.table.get_ref().get(first.as_str())?;
        for step in steps {
            value = match step {
                Step::Key(key) => value.get_ref().as_table()?.get(key.as_str())?,
                Step::Index(index) => value.get_ref().as_array()?.get(*index)?,
            };
        }
        Some(value)
    }
}

/// Adds the texts of a value; the parser bounds the depth.
fn collect(
    path: Vec<String>,
    value: &Spanned<DeValue<'_>>,
    into: &mut Vec<(Vec<String>, String, Range<usize>)>,
) {
    let below = |step: String| path.iter().cloned().chain([step]).collect();
    match value.get_ref() {
        DeValue::String(text) => into.push((path, text.to_string(), value.span())),
        DeValue::Array(all) => {
            for (i, value) in all.iter().enumerate() {
                collect(below(i.to_string()), value, into);
            }
        }
        DeValue::Table(table) => {
            for (key, value) in table {
                collect(below(key.get_ref().to_string()), value, into);
            }
        }
        _ => {}
    }
}

/// Keys whose value is never printed, and never left on a card.
pub(super) fn is_secret(key: &str) -> bool {
    matches!(key, "password" | "fleet_token")
}

/// Hides a user's name and password in an address: what stands before its `@`, also where the
/// address is typed so wrongly that it is none, and what stands behind `password=` and the like.
fn mask_url(text: &str) -> String {
    let mut masked = text.to_owned();
    if let Some((user, host)) = text.rsplit_once('@') {
        let scheme = user.split_once("://").map(|(scheme, _)| scheme);
        let plain = |scheme: &&str| {
            let letters = scheme.trim_start_matches(['"', '\'']);
            letters.bytes().all(|b| b.is_ascii_alphabetic())
        };
        masked = match scheme.filter(plain) {
            Some(scheme) => format!("{scheme}://***@{host}"),
            None => format!("***@{host}"),
        };
    }
    for key in ["password=", "passphrase=", "streamid=", "pwd="] {
        if let Some((before, _)) = masked.split_once(key) {
            masked = format!("{before}{key}***");
        }
    }
    masked
}

/// Whether a list holds a table, at any depth.
fn holds_table(value: &DeValue<'_>) -> bool {
    match value {
        DeValue::Table(_) => true,
        DeValue::Array(all) => all.iter().any(|value| holds_table(value.get_ref())),
        _ => false,
    }
}

/// Longest value that is repeated in a message, in characters.
const MAX_FOUND: usize = 60;

/// Keeps what was typed on one short line.
fn one_line(text: &str) -> String {
    let mut line: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(MAX_FOUND * 3)
        .collect();
    if line.chars().count() > MAX_FOUND && text.len() > MAX_FOUND * 3 {
        line = line.chars().take(MAX_FOUND).collect::<String>() + "…";
    }
    line
}

/// Line and column (in characters) of a byte offset, both from 1.
fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |i| i + 1);
    (
        before.bytes().filter(|b| *b == b'\n').count() + 1,
        before[line_start..].chars().count() + 1,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_without_its_password_however_it_is_typed() {
        for (typed, shown) in [
            ("\"mqtt://u:pw@h:1883\"", "\"mqtt://***@h:1883\""),
            ("\"mqtt://u:p@w@h\"", "\"mqtt://***@h\""),
            ("\"mqtt:/u:pw@h\"", "***@h\""),
            ("[\"postgres:u:pw@db\"]", "***@db\"]"),
            ("\"mqtt:u:pw://x@h\"", "***@h\""),
            ("[\"u:pw@db\", \"x://h\"]", "***@db\", \"x://h\"]"),
            (
                "\"postgres://db/x?user=u&password=pw\"",
                "\"postgres://db/x?user=u&password=***",
            ),
            ("\"mqtt://h\"", "\"mqtt://h\""),
        ] {
            assert_eq!(mask_url(typed), shown);
        }
    }

    #[test]
    fn what_holds_a_table_is_not_repeated() {
        let text = "mqtt = [[{ password = \"pw\" }], 1]\nx = [[1], [2]]";
        let doc = Doc::parse(text, "x.toml").expect("TOML");
        assert_eq!(doc.found(&At::root().key("mqtt")), None);
        assert_eq!(
            doc.found(&At::root().key("x")).as_deref(),
            Some("[[1], [2]]")
        );
    }
}
