//! Checks what is configured and makes a [`Mapping`] of it. All problems at once, each with its key.

use super::field::{Field, Origin};
use super::path::Path;
use super::raw::{OneOrMany, RawField, RawFieldTable, RawNumber, RawQueueRule, RawWhen};
use super::time::{TimeFormat, TimeRule};
use super::when::{Test, When};
use super::{Mapping, NumberRule, Shape};
use crate::model::{Label, Pattern, QueueId};
use crate::source::observation::EventKind;
use crate::source::tree;
use jiff::tz::TimeZone;
use regex::Regex;
use std::fmt;

/// Most paths of one field, and most texts of `none`, `in` or `map`.
const MAX_LIST: usize = 64;

/// Largest range of numbers.
const MAX_RANGE: u32 = 100_000;

/// One thing that is wrong with a configured rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleProblem {
    /// The key within the rule, such as `ticket.take`.
    pub key: String,
    /// What is written there; `None` where something is missing.
    pub found: Option<String>,
    /// What is wrong and what is expected.
    pub message: String,
}

impl fmt::Display for RuleProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.found {
            Some(found) => write!(f, "{}: {found:?}: {}", self.key, self.message),
            None => write!(f, "{}: {}", self.key, self.message),
        }
    }
}

/// Checks one rule. `pattern` is what the queue's tickets look like, where that is configured.
///
/// # Errors
/// Everything that is wrong with it.
pub fn compile(raw: &RawQueueRule, pattern: Option<Pattern>) -> Result<Mapping, Vec<RuleProblem>> {
    let mut check = Check::new(raw);
    let mapping = check.mapping(raw, pattern);
    match mapping {
        Some(mapping) if check.problems.is_empty() => Ok(mapping),
        _ => Err(check.problems),
    }
}

struct Check {
    problems: Vec<RuleProblem>,
    /// `none` of the whole rule.
    none: Vec<String>,
}

impl Check {
    fn new(raw: &RawQueueRule) -> Self {
        Self {
            problems: Vec::new(),
            none: raw.none.clone().unwrap_or_default(),
        }
    }

    fn wrong(&mut self, key: &str, found: Option<&str>, message: impl Into<String>) {
        self.problems.push(RuleProblem {
            key: key.to_owned(),
            found: found.map(str::to_owned),
            message: message.into(),
        });
    }

    fn mapping(&mut self, raw: &RawQueueRule, pattern: Option<Pattern>) -> Option<Mapping> {
        let queue = match raw.queue.as_deref().map(QueueId::new) {
            None => {
                self.wrong(
                    "queue",
                    None,
                    "missing: expected the id of the queue that is fed",
                );
                None
            }
            Some(Err(e)) => {
                self.wrong("queue", None, e.to_string());
                None
            }
            Some(Ok(queue)) => Some(queue),
        };
        let shape = self.shape(raw);
        let when = raw.when.as_ref().map(|OneOrMany(all)| all.as_slice());
        let when = self.limited("when", when.unwrap_or_default());
        let when = when
            .iter()
            .filter_map(|when| self.when(when))
            .collect::<Vec<_>>();
        let mut field = |name: &'static str, raw: &Option<RawField>| {
            raw.as_ref().and_then(|raw| self.field(name, name, &raw.0))
        };
        let mapping = Mapping {
            queue: queue?,
            when,
            kind: field("kind", &raw.kind),
            id: field("id", &raw.id),
            ticket: field("ticket", &raw.ticket),
            counter: field("counter", &raw.counter),
            at: field("at", &raw.at),
            as_of: field("as_of", &raw.as_of),
            waiting: field("waiting", &raw.waiting),
            on_hold: field("on_hold", &raw.on_hold),
            next: field("next", &raw.next),
            held: field("held", &raw.held),
            status: field("status", &raw.status),
            shape: shape?,
            pattern,
            range: None,
            issue_passes: None,
        };
        let range = self.range(raw);
        Some(Mapping {
            range,
            issue_passes: raw.issue_passes,
            ..self.complete(mapping)
        })
    }

    fn shape(&mut self, raw: &RawQueueRule) -> Option<Shape> {
        let wrong_place: &[(&str, bool, &[&str])] = &[
            ("state", raw.state.is_some(), &["state"]),
            ("calls", raw.calls.is_some(), &["calls"]),
            ("order", raw.order.is_some(), &["calls"]),
            ("each", raw.each.is_some(), &["current", "event"]),
            ("numbers", raw.numbers.is_some(), &["current"]),
            ("range", raw.range.is_some(), &["event"]),
            ("issue_passes", raw.issue_passes.is_some(), &["event"]),
        ];
        let word = raw.shape.as_deref();
        for (key, is_there, shapes) in wrong_place {
            if *is_there && word.is_some_and(|word| !shapes.contains(&word)) {
                let message = format!("expected only with shape {}", shapes.join(" or "));
                self.wrong(key, None, message);
            }
        }
        let each = |check: &mut Self| match &raw.each {
            Some(text) => check.path("each", text).map(Some),
            None => Some(None),
        };
        match word {
            Some("state") => {
                let path = self.path("state", raw.state.as_deref().unwrap_or_default())?;
                Some(Shape::State(path))
            }
            Some("calls") => {
                let Some(OneOrMany(paths)) = &raw.calls else {
                    self.wrong("calls", None, "missing: expected where the calls are");
                    return None;
                };
                let paths = self.paths("calls", paths)?;
                let newest_first = self.order(raw.order.as_deref())?;
                Some(Shape::Calls {
                    paths,
                    newest_first,
                })
            }
            Some("current") => {
                let numbers = raw.numbers.as_deref().unwrap_or_default();
                let numbers = self.numbers(numbers)?;
                let each = each(self)?;
                Some(Shape::Current { each, numbers })
            }
            Some("event") => Some(Shape::Event { each: each(self)? }),
            other => {
                self.wrong("shape", other, "expected state, calls, current or event");
                None
            }
        }
    }

    fn numbers(&mut self, raw: &[RawNumber]) -> Option<Vec<NumberRule>> {
        let raw = self.limited("numbers", raw);
        let mut all = Vec::new();
        for (i, number) in raw.iter().enumerate() {
            let key = |name: &str| format!("numbers[{i}].{name}");
            let mut field = |name: &'static str, raw: &Option<RawField>| {
                raw.as_ref()
                    .and_then(|raw| self.field(name, &key(name), &raw.0))
            };
            let (counter, at) = (field("counter", &number.counter), field("at", &number.at));
            match field("ticket", &number.ticket) {
                Some(ticket) => all.push(NumberRule {
                    ticket,
                    counter,
                    at,
                }),
                None if number.ticket.is_none() => {
                    self.wrong(
                        &key("ticket"),
                        None,
                        "missing: expected where the number is",
                    );
                }
                None => {}
            }
        }
        (all.len() == raw.len()).then_some(all)
    }

    fn order(&mut self, word: Option<&str>) -> Option<bool> {
        match word {
            None | Some("newest-first") => Some(true),
            Some("oldest-first") => Some(false),
            other => {
                self.wrong("order", other, "expected newest-first or oldest-first");
                None
            }
        }
    }

    fn range(&mut self, raw: &RawQueueRule) -> Option<(u32, u32)> {
        let [first, last] = raw.range?;
        if first > last || last - first > MAX_RANGE {
            let message = "expected the first and the last number, such as [1, 300]";
            self.wrong("range", Some(&format!("[{first}, {last}]")), message);
        }
        if raw.issue_passes == Some(0) {
            let message = "expected how often through the range issues are reported, at least 1";
            self.wrong("issue_passes", Some("0"), message);
        }
        Some((first, last))
    }

    /// Fields that a shape needs, or that stand for what is not written.
    fn complete(&mut self, mut mapping: Mapping) -> Mapping {
        let needs_ticket = match &mapping.shape {
            Shape::State(_) => false,
            Shape::Current { numbers, .. } => numbers.is_empty(),
            // A list of texts is a list of tickets.
            Shape::Calls { .. } => {
                if mapping.ticket.is_none() {
                    mapping.ticket = self.field("ticket", "ticket", &path_field(""));
                }
                if let Some(ticket) = &mut mapping.ticket
                    && matches!(&ticket.origin, Origin::Paths(paths) if paths.is_empty())
                {
                    ticket.origin = Origin::Paths(Path::new("").into_iter().collect());
                }
                false
            }
            Shape::Event { .. } => true,
        };
        if needs_ticket && mapping.ticket.is_none() {
            self.wrong("ticket", None, "missing: expected where the ticket is");
        }
        if matches!(mapping.shape, Shape::Event { .. }) {
            self.kinds(&mapping);
        }
        for field in [&mapping.ticket, &mapping.counter, &mapping.id]
            .into_iter()
            .flatten()
        {
            if matches!(field.origin, Origin::Field(from) if from == field.name) {
                self.wrong(
                    &format!("{}.from", field.name),
                    None,
                    "expected another field",
                );
            }
        }
        mapping
    }

    /// The words that a map of events leads to.
    fn kinds(&mut self, mapping: &Mapping) {
        let words = mapping.kind.iter().flat_map(|kind| kind.map.iter());
        let unknown: Vec<String> = words
            .filter(|(_, word)| EventKind::of(word).is_none())
            .map(|(_, word)| word.clone())
            .collect();
        let known = EventKind::ALL.map(EventKind::as_str).join(", ");
        for word in unknown {
            self.wrong("kind.map", Some(&word), format!("expected one of {known}"));
        }
    }

    fn field(&mut self, name: &'static str, key: &str, raw: &RawFieldTable) -> Option<Field> {
        let origin = self.origin(name, key, raw)?;
        let sub = |part: &str| format!("{key}.{part}");
        let take = match &raw.take {
            Some(text) => Some(self.expression(&sub("take"), text)?),
            None => None,
        };
        let mut none = self
            .limited(&sub("none"), raw.none.as_deref().unwrap_or_default())
            .to_vec();
        none.extend(self.none.iter().cloned());
        let map = raw.map.clone().unwrap_or_default();
        let map: Vec<_> = map.into_iter().collect();
        let map = self.limited(&sub("map"), &map).to_vec();
        let prefix = raw.prefix.clone().unwrap_or_default();
        if !prefix.is_empty() && Label::new(&prefix).is_err() {
            self.wrong(
                &sub("prefix"),
                Some(&prefix),
                "expected at most 12 printable characters",
            );
        }
        let digits = raw.digits.unwrap_or(0);
        if digits > 12 {
            let found = digits.to_string();
            self.wrong(&sub("digits"), Some(&found), "expected at most 12");
        }
        Some(Field {
            name,
            origin,
            of_message: raw.of_message.unwrap_or(false),
            take,
            none,
            map,
            time: self.time(key, raw)?,
            prefix,
            digits: raw.digits.map(|_| usize::try_from(digits).unwrap_or(0)),
        })
    }

    fn origin(&mut self, name: &str, key: &str, raw: &RawFieldTable) -> Option<Origin> {
        let sub = |part: &str| format!("{key}.{part}");
        let mut origins = Vec::new();
        if let Some(text) = &raw.path {
            origins.push(Origin::Paths(vec![self.path(&sub("path"), text)?]));
        }
        if let Some(texts) = &raw.paths {
            origins.push(Origin::Paths(self.paths(&sub("paths"), texts)?));
        }
        if let Some(text) = &raw.text {
            origins.push(Origin::Fixed(text.0.clone()));
        }
        if let Some(text) = &raw.count {
            origins.push(Origin::Count(self.path(&sub("count"), text)?));
        }
        if let Some(from) = &raw.from {
            match from.as_str() {
                "ticket" => origins.push(Origin::Field("ticket")),
                "counter" => origins.push(Origin::Field("counter")),
                other => {
                    self.wrong(&sub("from"), Some(other), "expected ticket or counter");
                    return None;
                }
            }
        }
        if let (Some(date), Some(time)) = (&raw.date, &raw.time) {
            let date = self.path(&sub("date"), date)?;
            origins.push(Origin::DateAndTime(date, self.path(&sub("time"), time)?));
        }
        match origins.len() {
            1 => origins.pop(),
            // In a list of calls the element itself is the ticket.
            0 if name == "ticket" => Some(Origin::Paths(Vec::new())),
            _ => {
                let message = "expected one of path, paths, from, text, count, or date and time";
                self.wrong(key, None, message);
                None
            }
        }
    }

    fn time(&mut self, key: &str, raw: &RawFieldTable) -> Option<TimeRule> {
        let zone = match &raw.zone {
            None => None,
            Some(name) => match TimeZone::get(name) {
                Ok(zone) => Some(zone),
                Err(_) => {
                    let message = "expected a time zone such as UTC or Asia/Tokyo";
                    self.wrong(&format!("{key}.zone"), Some(name), message);
                    return None;
                }
            },
        };
        let format = match raw.format.as_deref().map(TimeFormat::new) {
            None => TimeFormat::Any,
            Some(Ok(format)) => format,
            Some(Err(why)) => {
                self.wrong(&format!("{key}.format"), raw.format.as_deref(), why);
                return None;
            }
        };
        Some(TimeRule { zone, format })
    }

    fn when(&mut self, raw: &RawWhen) -> Option<When> {
        let path = self.path("when.path", raw.path.as_deref().unwrap_or_default())?;
        let mut tests = Vec::new();
        if let Some(text) = &raw.equals {
            tests.push(Test::AnyOf(vec![text.0.clone()]));
        }
        if let Some(texts) = &raw.any_of {
            let texts = self.limited("when.in", texts);
            tests.push(Test::AnyOf(texts.iter().map(|t| t.0.clone()).collect()));
        }
        if let Some(text) = &raw.matches {
            tests.push(Test::Matches(self.expression("when.matches", text)?));
        }
        if let Some(absent) = raw.absent {
            tests.push(if absent { Test::Absent } else { Test::Present });
        }
        let test = tests.pop();
        if test.is_none() || !tests.is_empty() {
            self.wrong(
                "when",
                None,
                "expected one of equals, in, matches or absent",
            );
            return None;
        }
        test.map(|test| When { path, test })
    }

    fn expression(&mut self, key: &str, text: &str) -> Option<Regex> {
        match tree::expression(text) {
            Ok(regex) => Some(regex),
            Err(why) => {
                self.wrong(key, Some(text), format!("not a regular expression: {why}"));
                None
            }
        }
    }

    fn path(&mut self, key: &str, text: &str) -> Option<Path> {
        match Path::new(text) {
            Ok(path) => Some(path),
            Err(why) => {
                self.wrong(key, Some(text), why);
                None
            }
        }
    }

    fn paths(&mut self, key: &str, texts: &[String]) -> Option<Vec<Path>> {
        let texts = self.limited(key, texts);
        let paths = texts.iter().filter_map(|text| self.path(key, text));
        let paths: Vec<_> = paths.collect();
        if texts.is_empty() {
            self.wrong(key, None, "expected at least one path");
        }
        (!paths.is_empty() && paths.len() == texts.len()).then_some(paths)
    }

    fn limited<'t, T>(&mut self, key: &str, list: &'t [T]) -> &'t [T] {
        if list.len() > MAX_LIST {
            let n = list.len();
            self.wrong(
                key,
                None,
                format!("{n} entries: expected at most {MAX_LIST}"),
            );
        }
        list.get(..MAX_LIST).unwrap_or(list)
    }
}

fn path_field(path: &str) -> RawFieldTable {
    RawFieldTable {
        path: Some(path.to_owned()),
        ..RawFieldTable::default()
    }
}
