//! A value tree read by a rule.

use super::field::{Field, FieldProblem, Read, Scope};
use super::text::{count, described_text};
use super::{Mapping, Shape};
use crate::model::{Label, Pattern, Status};
use crate::source::Observation;
use crate::source::observation::{Content, Facts, Seen, Stamp};
use jiff::{Timestamp, tz::TimeZone};
use serde_json::Value;

/// Problems of one message that are told; more are of the same kind.
const MAX_PROBLEMS: usize = 8;

/// What a rule finds in one message.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reading {
    /// What the message says of the queue; `None` where it is none of this rule.
    pub observation: Option<Observation>,
    /// What did not fit, at most eight of them.
    pub problems: Vec<FieldProblem>,
    /// Labels that do not look like tickets of the queue, and are shown nowhere.
    pub hidden: u32,
}

/// What is the same for all fields of one message.
pub(super) struct Reader<'a> {
    pub(super) mapping: &'a Mapping,
    pub(super) message: &'a Value,
    office: &'a TimeZone,
    arrival: Timestamp,
    problems: Vec<FieldProblem>,
    pub(super) hidden: u32,
}

impl Mapping {
    /// Reads one message that arrived at `arrival` at an office in the zone `office`. `origin` tells
    /// topics or addresses apart.
    #[must_use]
    pub fn read(
        &self,
        message: &Value,
        seen: Seen,
        origin: u64,
        office: &TimeZone,
        arrival: Timestamp,
    ) -> Reading {
        let mut reader = Reader {
            mapping: self,
            message,
            office,
            arrival,
            problems: Vec::new(),
            hidden: 0,
        };
        let by_element = matches!(self.shape, Shape::Event { .. });
        if !by_element && !self.when.iter().all(|when| when.holds(message)) {
            return Reading::default();
        }
        let (content, facts) = match &self.shape {
            Shape::State(path) => reader.state(path),
            Shape::Calls {
                paths,
                newest_first,
            } => (reader.calls(paths, *newest_first), reader.facts()),
            Shape::Current { each, numbers } => {
                (reader.current(each.as_ref(), numbers), reader.facts())
            }
            Shape::Event { each } => (reader.events(each.as_ref()), reader.facts()),
        };
        let says_nothing = content == Content::Nothing || content == Content::Events(Vec::new());
        let is_of_rule = !(says_nothing && facts == Facts::default());
        Reading {
            observation: is_of_rule.then_some(Observation {
                facts,
                content,
                seen,
                origin,
            }),
            problems: reader.problems,
            hidden: reader.hidden,
        }
    }

    /// Whether a label looks like a ticket of this queue. Of the usual look it is also when what stands
    /// behind the prefix is: that was configured, and is nobody's name.
    pub(super) fn fits(&self, label: &str, prefix: &str) -> bool {
        match &self.pattern {
            Some(pattern) => pattern.fits(label),
            None => {
                let rest = label.strip_prefix(prefix);
                Pattern::is_standard(label) || rest.is_some_and(Pattern::is_standard)
            }
        }
    }
}

impl<'a> Reader<'a> {
    pub(super) fn problem(&mut self, problem: FieldProblem) {
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(problem);
        }
    }

    /// The first value of a field; nothing where it does not fit.
    pub(super) fn one(&mut self, field: Option<&Field>, scope: Scope<'_>) -> Read {
        match field.map(|field| field.one(scope)) {
            None => Read::Absent,
            Some(Ok(read)) => read,
            Some(Err(problem)) => {
                self.problem(problem);
                Read::Absent
            }
        }
    }

    pub(super) fn label(&mut self, field: &Field, text: &str, is_ticket: bool) -> Option<Label> {
        let label = Label::new(text).ok();
        let fits = |label: &Label| !is_ticket || self.mapping.fits(label.as_str(), &field.prefix);
        if let Some(label) = label.filter(fits) {
            return Some(label);
        }
        self.hidden += u32::from(is_ticket);
        let expected = if is_ticket {
            "a ticket that matches `pattern` of its [[queue]]"
        } else {
            "a label of 1 to 12 characters"
        };
        let problem = field.problem(field.place(), described_text(text), expected);
        self.problem(problem);
        None
    }

    /// All tickets of a field: a text, or a list of texts for a group. `None` where one is unknown.
    pub(super) fn tickets(&mut self, field: &Field, scope: Scope<'_>) -> (Vec<Label>, bool) {
        let all = field.all(scope);
        // A list without elements is known to be empty.
        let (mut labels, mut known) = (Vec::new(), all.is_empty());
        for read in all {
            match read {
                Ok(Read::Text(text)) => {
                    known = true;
                    labels.extend(self.label(field, &text, true));
                }
                Ok(Read::Nothing) => known = true,
                Ok(Read::Absent) => {}
                Err(problem) => {
                    // A text that `take` does not match may be a name as well.
                    self.hidden += 1;
                    self.problem(problem);
                }
            }
        }
        (labels, known)
    }

    pub(super) fn counter(&mut self, field: Option<&Field>, scope: Scope<'_>) -> Option<Label> {
        match self.one(field, scope) {
            Read::Text(text) => field.and_then(|field| self.label(field, &text, false)),
            Read::Absent | Read::Nothing => None,
        }
    }

    pub(super) fn time(&mut self, field: Option<&Field>, scope: Scope<'_>) -> Option<Stamp> {
        let field = field?;
        let Read::Text(text) = self.one(Some(field), scope) else {
            return None;
        };
        let stamp = field.time.read(&text, self.office, self.arrival);
        if stamp.is_none() {
            let expected = "a time such as 2026-12-01T10:00:00+09:00, or one of `format`";
            let problem = field.problem(field.place(), described_text(&text), expected);
            self.problem(problem);
        }
        stamp
    }

    fn count(&mut self, field: Option<&Field>, scope: Scope<'_>) -> Option<u32> {
        let field = field?;
        let Read::Text(text) = self.one(Some(field), scope) else {
            return None;
        };
        let number = count(&text);
        if number.is_none() {
            let problem = field.problem(field.place(), described_text(&text), "a count");
            self.problem(problem);
        }
        number
    }

    fn labels(&mut self, field: Option<&Field>, scope: Scope<'_>) -> Option<Vec<Label>> {
        let (labels, known) = self.tickets(field?, scope);
        known.then_some(labels)
    }

    pub(super) fn facts(&mut self) -> Facts {
        let mapping = self.mapping;
        let scope = Scope::of(self.message, self.message);
        let status = match self.one(mapping.status.as_ref(), scope) {
            Read::Text(text) => self.status(&text),
            Read::Absent | Read::Nothing => None,
        };
        Facts {
            status,
            waiting: self.count(mapping.waiting.as_ref(), scope),
            on_hold: self.count(mapping.on_hold.as_ref(), scope),
            next: self.labels(mapping.next.as_ref(), scope),
            held: self.labels(mapping.held.as_ref(), scope),
            at: self.time(mapping.as_of.as_ref(), scope),
        }
    }

    fn status(&mut self, text: &str) -> Option<Status> {
        let all = [Status::Open, Status::Paused, Status::Closed];
        let found = all.into_iter().find(|status| status.as_str() == text);
        if found.is_none()
            && let Some(field) = &self.mapping.status
        {
            let expected = "open, paused or closed, perhaps by `map`";
            let problem = field.problem(field.place(), described_text(text), expected);
            self.problem(problem);
        }
        found
    }
}
