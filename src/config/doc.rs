//! A TOML text and where everything in it stands.

use super::error::ConfigError;
use super::problem::{Problem, ProblemKind};
use super::{hint, keyboard};
use serde::de::DeserializeOwned;
use std::fmt;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A place in a configuration: a path of keys and list indices.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct At(Vec<Step>);

#[derive(Debug, Clone, PartialEq, Eq)]
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

/// What was typed at a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    /// Shortened to one line, `***` in place of secrets.
    pub(super) shown: String,
    /// Whether a secret was left out.
    pub(super) masked: bool,
}

/// A parsed text.
pub(super) struct Doc<'t> {
    name: &'t str,
    text: &'t str,
    table: Spanned<DeTable<'t>>,
    /// Where values are that were moved, and where they were typed.
    moved: Vec<(At, At)>,
}

impl<'t> Doc<'t> {
    /// Parses the TOML; `name` is what messages call the file.
    pub(super) fn parse(text: &'t str, name: &'t str) -> Result<Self, ConfigError> {
        let table = DeTable::parse(text).map_err(|e| {
            let at = e.span().map(|span| span.start);
            let problem = match at.and_then(|at| slip(text, at)) {
                Some((at, sign)) => Problem {
                    position: Some(position(text, at)),
                    ..Problem::whole(ProblemKind::Sign(sign), "")
                },
                None => Problem {
                    position: at.map(|at| position(text, at)),
                    ..Problem::whole(ProblemKind::Syntax, one_line(e.message()))
                },
            };
            ConfigError::new(name, vec![problem])
        })?;
        let moved = Vec::new();
        Ok(Self {
            name,
            text,
            table,
            moved,
        })
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
    ///
    /// The only decision by wording there is: serde hands an unknown field and a wrong type to
    /// `serde::de::Error` as texts, and `toml::de::Error` keeps nothing else. The wording is that of
    /// serde's own provided methods. `serde_says_what_is_read_here` fails when it changes.
    fn shape_problem(&self, at: &At, error: &toml::de::Error) -> Problem {
        let message = error.message();
        let position = error.span().map(|s| position(self.text, s.start));
        if let Some(rest) = message.strip_prefix("unknown field `") {
            let mut quoted = rest.split('`');
            let unknown = quoted.next().unwrap_or_default();
            let known: Vec<&str> = quoted.skip(1).step_by(2).collect();
            // Some versions name the unknown key in the path, some only its table.
            let key = match at.last_key() {
                Some(last) if last == unknown => self.typed(at).to_string(),
                _ => self.typed(&at.key(unknown)).to_string(),
            };
            return Problem {
                position,
                key,
                suggestion: hint::nearest(unknown, known.iter().copied()),
                ..Problem::whole(ProblemKind::UnknownKey, hint::one_of(&known))
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
            key: self.typed(at).to_string(),
            found: self.found(at).map(|found| found.shown),
            ..Problem::whole(
                ProblemKind::Value,
                format_args!("expected {}", one_line(expected)),
            )
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

    /// What was typed at a place; `None` where there is nothing, or what holds tables.
    pub(super) fn found(&self, at: &At) -> Option<Found> {
        let value = self.value(at)?;
        let top = match at.0.first() {
            Some(Step::Key(key)) => key.as_str(),
            _ => "",
        };
        let last = at.last_key().unwrap_or_default();
        let hidden = match top {
            "files" => true,
            // Whoever pastes a private key here must not find it in a log.
            "ssh" => !is_public_key(value.get_ref()),
            "stream" => last == "key",
            _ => is_secret(last),
        };
        let hidden = hidden || last.ends_with("_file") && !is_path(value.get_ref());
        if hidden || holds_pem(value.get_ref()) {
            return Some(Found {
                shown: "***".to_owned(),
                masked: true,
            });
        }
        if holds_table(value.get_ref()) {
            return None;
        }
        let typed = self.text.get(value.span())?;
        let shown = without_user(typed);
        let masked = shown != typed;
        Some(Found {
            shown: one_line(&shown),
            masked,
        })
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

    /// The whole.
    pub(super) fn table(&self) -> &DeTable<'t> {
        self.table.get_ref()
    }

    /// The table at a place, to be changed.
    pub(super) fn table_at(&mut self, at: &At) -> Option<&mut DeTable<'t>> {
        let mut steps = at.0.iter();
        let Some(first) = steps.next() else {
            return Some(self.table.get_mut());
        };
        let Step::Key(first) = first else {
            return None;
        };
        let mut value = self.table.get_mut().get_mut(first.as_str())?;
        for step in steps {
            value = match (step, value.get_mut()) {
                (Step::Key(key), DeValue::Table(table)) => table.get_mut(key.as_str())?,
                (Step::Index(index), DeValue::Array(all)) => all.get_mut(*index)?,
                _ => return None,
            };
        }
        match value.get_mut() {
            DeValue::Table(table) => Some(table),
            _ => None,
        }
    }

    /// Notes that a value was moved, so that messages name its place as it was typed.
    pub(super) fn note_move(&mut self, from: At, to: At) {
        self.moved.push((to, from));
    }

    /// A place as the user typed it.
    pub(super) fn typed(&self, at: &At) -> At {
        let of = |(to, from): &(At, At)| {
            let rest = at.0.strip_prefix(to.0.as_slice())?;
            Some((to.0.len(), At([&from.0, rest].concat())))
        };
        let nearest = self.moved.iter().filter_map(of).max_by_key(|(len, _)| *len);
        nearest.map_or_else(|| at.clone(), |(_, typed)| typed)
    }

    /// Whether there is a value at a place.
    pub(super) fn is_there(&self, at: &At) -> bool {
        self.value(at).is_some()
    }

    /// The line, from 1, on which the key at the end of a place is typed.
    pub(super) fn line_of_key(&self, at: &At) -> Option<usize> {
        let (Step::Key(last), above) = at.0.split_last()? else {
            return None;
        };
        let table = match above {
            [] => self.table.get_ref(),
            above => self.value(&At(above.to_vec()))?.get_ref().as_table()?,
        };
        let (key, _) = table.get_key_value(last.as_str())?;
        Some(position(self.text, key.span().start).0)
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

/// The sign of a Japanese keyboard that keeps a text from being TOML, near the byte at which it
/// fails: in that line, or in the one before it where the line ended too early.
fn slip(text: &str, at: usize) -> Option<(usize, char)> {
    let before = text.get(..at)?;
    let start = before.rfind('\n').map_or(0, |n| n + 1);
    let earlier = before[..start].trim_end_matches(['\n', '\r']);
    let earlier = earlier.rfind('\n').map_or(0, |n| n + 1);
    [start, earlier].into_iter().find_map(|start| {
        let (place, sign) = keyboard::slip(&text[start..])?;
        Some((start + place.start, sign))
    })
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

/// Whether a value can only be a path: it begins as one, or ends as the name of a file does. Anything
/// else in place of a secret's file may be the secret itself.
fn is_path(value: &DeValue<'_>) -> bool {
    let begins = |text: &str| ["/", "./", "../"].iter().any(|b| text.starts_with(b));
    let ends = |text: &str| {
        let ending = text.rsplit_once('.').map(|(_, ending)| ending);
        ending.is_some_and(|e| ["txt", "password", "key", "pem", "secret"].contains(&e))
    };
    value
        .as_str()
        .is_some_and(|text| begins(text) || ends(text))
}

/// Whether a value is the text of a PEM file instead of its name.
fn holds_pem(value: &DeValue<'_>) -> bool {
    match value {
        DeValue::String(text) => text.contains("-----BEGIN"),
        DeValue::Array(all) => all.iter().any(|value| holds_pem(value.get_ref())),
        _ => false,
    }
}

/// Whether a value begins as the public keys of SSH do.
fn is_public_key(value: &DeValue<'_>) -> bool {
    let kinds = ["ssh-", "ecdsa-", "sk-"];
    value
        .as_str()
        .is_some_and(|text| kinds.iter().any(|kind| text.starts_with(kind)))
}

/// Hides a user's name and password in an address: what stands before its `@`, also where the
/// address is typed so wrongly that it is none, and what stands behind `password=` and the like; also
/// where a Japanese keyboard typed these signs.
pub(crate) fn without_user(text: &str) -> String {
    let mut masked = text.to_owned();
    if let Some((user, host)) = text.rsplit_once(keyboard::is_at_sign) {
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
    // Positions are those of the text: lower case of ASCII changes no length.
    let lower = masked.to_ascii_lowercase();
    let behind = ["password", "passphrase", "streamid", "pwd"]
        .iter()
        .filter_map(|key| {
            lower.match_indices(key).find_map(|(at, _)| {
                let end = at + key.len();
                let sign = lower.get(end..)?.chars().next()?;
                matches!(sign, '=' | '＝').then_some(end + sign.len_utf8())
            })
        });
    if let Some(end) = behind.min() {
        masked.truncate(end);
        masked += "***";
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
            ("\"mqtt://u:pw＠h\"", "\"mqtt://***@h\""),
            ("\"mqtt://h?Password＝pw\"", "\"mqtt://h?Password＝***"),
        ] {
            assert_eq!(without_user(typed), shown);
        }
    }

    #[test]
    fn what_holds_a_table_is_not_repeated() {
        let text = "mqtt = [[{ password = \"pw\" }], 1]\nx = [[1], [2]]";
        let doc = Doc::parse(text, "x.toml").expect("TOML");
        assert_eq!(doc.found(&At::root().key("mqtt")), None);
        let found = doc.found(&At::root().key("x")).map(|found| found.shown);
        assert_eq!(found.as_deref(), Some("[[1], [2]]"));
    }
}
