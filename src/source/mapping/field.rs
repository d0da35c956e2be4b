//! One field: where its text is, and what is made of it.

use super::path::{Found, Path};
use super::text::{described, described_text, same, says_nothing, whole, word};
use super::time::TimeRule;
use crate::model::text::plain;
use regex::Regex;
use serde_json::Value;
use std::fmt;

/// Most values that one field may have: as many as a list of the contract.
pub(super) const MAX_VALUES: usize = 500;

/// What a rule did not find. The value is told by its kind and length, never itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldProblem {
    /// The key of the configuration, such as `ticket`.
    pub field: &'static str,
    /// The path, as configured.
    pub at: String,
    /// What is there, by kind and length.
    pub found: String,
    /// What would have been right.
    pub expected: String,
}

impl fmt::Display for FieldProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            field,
            at,
            found,
            expected,
        } = self;
        write!(f, "{field}: at {at:?}: found {found}, expected {expected}")
    }
}

/// Where a field's text comes from.
#[derive(Debug, Clone)]
pub(super) enum Origin {
    /// What stands at these places, in their order.
    Paths(Vec<Path>),
    /// A fixed text.
    Fixed(String),
    /// Another field, by its name.
    Field(&'static str),
    /// The length of a list.
    Count(Path),
    /// Date and time of day in two places.
    DateAndTime(Path, Path),
}

/// A checked field.
#[derive(Debug, Clone)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) origin: Origin,
    /// Whether paths begin at the message rather than at the element.
    pub(super) of_message: bool,
    pub(super) take: Option<Regex>,
    pub(super) none: Vec<String>,
    pub(super) map: Vec<(String, String)>,
    pub(super) time: TimeRule,
    pub(super) prefix: String,
    pub(super) digits: Option<usize>,
}

/// Where paths begin, and the texts of the fields that others are made of.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    pub(super) message: &'a Value,
    pub(super) element: &'a Value,
    /// The ticket of the element, for `from`.
    pub(super) ticket: Option<&'a str>,
    /// The counter of the element, for `from`.
    pub(super) counter: Option<&'a str>,
}

impl<'a> Scope<'a> {
    pub(super) fn of(message: &'a Value, element: &'a Value) -> Self {
        Self {
            message,
            element,
            ticket: None,
            counter: None,
        }
    }
}

/// What a place holds for a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Read {
    /// There is no such place: nothing is known.
    Absent,
    /// It says that there is nothing.
    Nothing,
    /// A text.
    Text(String),
}

impl Field {
    /// The first value.
    ///
    /// # Errors
    /// [`FieldProblem`] where something is there that does not fit.
    pub(super) fn one(&self, scope: Scope<'_>) -> Result<Read, FieldProblem> {
        let mut all = self.all(scope);
        if all.is_empty() {
            return Ok(Read::Absent);
        }
        all.swap_remove(0)
    }

    /// All values in their order, a list's elements one by one; at most [`MAX_VALUES`].
    pub(super) fn all(&self, scope: Scope<'_>) -> Vec<Result<Read, FieldProblem>> {
        let root = if self.of_message {
            scope.message
        } else {
            scope.element
        };
        match &self.origin {
            Origin::Fixed(text) => vec![Ok(Read::Text(text.clone()))],
            Origin::Field(name) => {
                let text = match *name {
                    "ticket" => scope.ticket,
                    _ => scope.counter,
                };
                vec![text.map_or(Ok(Read::Absent), |text| self.shaped(text, name))]
            }
            Origin::Count(path) => vec![self.counted(path, root)],
            Origin::DateAndTime(date, time) => vec![self.joined(date, time, root)],
            Origin::Paths(paths) => {
                let each = paths.iter().flat_map(|path| self.at(path, root));
                each.take(MAX_VALUES).collect()
            }
        }
    }

    fn at(&self, path: &Path, root: &Value) -> Vec<Result<Read, FieldProblem>> {
        let values: Vec<&Value> = match path.find(root) {
            Found::Absent => return vec![Ok(Read::Absent)],
            Found::Null => return vec![Ok(Read::Nothing)],
            Found::One(Value::Array(list)) => list.iter().collect(),
            Found::One(value) => vec![value],
            // One node that is a list is that list, as behind a pointer.
            Found::Many(nodes) => match nodes[..] {
                [Value::Array(list)] => list.iter().collect(),
                _ => nodes,
            },
        };
        let values = values.into_iter().take(MAX_VALUES);
        values.map(|value| self.value(value, path)).collect()
    }

    fn value(&self, value: &Value, path: &Path) -> Result<Read, FieldProblem> {
        // An element of XML stands for its text.
        let inner = match value {
            Value::Object(object) => object.get("#text").unwrap_or(value),
            value => value,
        };
        match (inner, word(inner)) {
            (Value::Null, _) => Ok(Read::Nothing),
            (_, Some(text)) => self.shaped(&text, path.as_str()),
            (_, None) => Err(self.problem(path.as_str(), described(inner), "a text or a number")),
        }
    }

    fn counted(&self, path: &Path, root: &Value) -> Result<Read, FieldProblem> {
        let length = |n: usize| Ok(Read::Text(n.to_string()));
        match path.find(root) {
            Found::Absent => Ok(Read::Absent),
            Found::Null => Ok(Read::Nothing),
            Found::One(Value::Array(list)) => length(list.len()),
            Found::One(value) => self.value(value, path),
            Found::Many(nodes) => match nodes[..] {
                [Value::Array(list)] => length(list.len()),
                _ => length(nodes.len()),
            },
        }
    }

    fn joined(&self, date: &Path, time: &Path, root: &Value) -> Result<Read, FieldProblem> {
        let mut parts = Vec::with_capacity(2);
        for path in [date, time] {
            match path.find(root) {
                Found::One(value) => match word(value) {
                    Some(text) => parts.push(text.trim().to_owned()),
                    None => {
                        return Err(self.problem(
                            path.as_str(),
                            described(value),
                            "a text or a number",
                        ));
                    }
                },
                Found::Null => return Ok(Read::Nothing),
                _ => return Ok(Read::Absent),
            }
        }
        self.shaped(&parts.join(" "), time.as_str())
    }

    /// What `none`, `take`, `map`, `digits` and `prefix` make of a text.
    fn shaped(&self, found: &str, at: &str) -> Result<Read, FieldProblem> {
        let text = whole(found.trim());
        if self.means_nothing(text) {
            return Ok(Read::Nothing);
        }
        let mut text = text.to_owned();
        if let Some(take) = &self.take {
            // Full-width letters and digits are matched as the plain ones.
            let wide = plain(&text);
            let taken = take.captures(&wide).and_then(|groups| {
                let group = groups.get(if groups.len() > 1 { 1 } else { 0 })?;
                Some(group.as_str().trim().to_owned())
            });
            let expected = "what `take` matches";
            text = taken.ok_or_else(|| self.problem(at, described_text(found), expected))?;
            if self.means_nothing(&text) {
                return Ok(Read::Nothing);
            }
        }
        if !self.map.is_empty() {
            let mapped = self.map.iter().find(|(from, _)| same(from, &text));
            let expected = "one of the texts of `map`";
            let mapped = mapped.ok_or_else(|| self.problem(at, described_text(found), expected));
            text.clone_from(&mapped?.1);
        }
        if let Some(n) = self.digits
            && text.bytes().all(|b| b.is_ascii_digit())
        {
            text = format!("{:0>n$}", text.trim_start_matches('0'));
        }
        Ok(Read::Text(format!("{}{text}", self.prefix)))
    }

    fn means_nothing(&self, text: &str) -> bool {
        says_nothing(text) || self.none.iter().any(|none| same(none, text))
    }

    pub(super) fn problem(
        &self,
        at: &str,
        found: String,
        expected: impl Into<String>,
    ) -> FieldProblem {
        FieldProblem {
            field: self.name,
            at: at.to_owned(),
            found,
            expected: expected.into(),
        }
    }

    /// Where the field is, for errors about what was made of it.
    pub(super) fn place(&self) -> &str {
        match &self.origin {
            Origin::Paths(paths) => paths.first().map_or("", Path::as_str),
            Origin::Count(path) | Origin::DateAndTime(_, path) => path.as_str(),
            Origin::Field(name) => name,
            Origin::Fixed(_) => "text",
        }
    }
}
