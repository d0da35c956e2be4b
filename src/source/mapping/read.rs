//! A value tree read by a rule.

use super::field::{Field, FieldProblem, Read, Scope};
use super::path::{Found, Path};
use super::text::{count, described_text};
use super::{Mapping, NumberRule, Shape};
use crate::model::{CallKind, Label, Pattern, QueueState, Status};
use crate::source::Observation;
use crate::source::observation::{Content, Entry, Event, EventKind, Facts, Seen, Stamp};
use crate::wire::{feed::FeedMessage, without_values};
use jiff::{Timestamp, tz::TimeZone};
use serde_json::Value;
use std::time::Duration;

/// Problems of one message that are told; more are of the same kind.
const MAX_PROBLEMS: usize = 8;

/// Most elements of a message that are looked at.
const MAX_ELEMENTS: usize = 20_000;

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
    mapping: &'a Mapping,
    message: &'a Value,
    office: &'a TimeZone,
    arrival: Timestamp,
    problems: Vec<FieldProblem>,
    hidden: u32,
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
    fn fits(&self, label: &str, prefix: &str) -> bool {
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
    fn problem(&mut self, problem: FieldProblem) {
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(problem);
        }
    }

    /// The first value of a field; nothing where it does not fit.
    fn one(&mut self, field: Option<&Field>, scope: Scope<'_>) -> Read {
        match field.map(|field| field.one(scope)) {
            None => Read::Absent,
            Some(Ok(read)) => read,
            Some(Err(problem)) => {
                self.problem(problem);
                Read::Absent
            }
        }
    }

    fn label(&mut self, field: &Field, text: &str, is_ticket: bool) -> Option<Label> {
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
    fn tickets(&mut self, field: &Field, scope: Scope<'_>) -> (Vec<Label>, bool) {
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

    fn counter(&mut self, field: Option<&Field>, scope: Scope<'_>) -> Option<Label> {
        match self.one(field, scope) {
            Read::Text(text) => field.and_then(|field| self.label(field, &text, false)),
            Read::Absent | Read::Nothing => None,
        }
    }

    fn time(&mut self, field: Option<&Field>, scope: Scope<'_>) -> Option<Stamp> {
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

    fn facts(&mut self) -> Facts {
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

    /// A whole message of the contract.
    fn state(&mut self, path: &Path) -> (Content, Facts) {
        let nothing = (Content::Nothing, Facts::default());
        let value = match path.find(self.message) {
            Found::One(value) => value,
            Found::Many(nodes) if nodes.len() == 1 => nodes[0],
            _ => return nothing,
        };
        match serde_path_to_error::deserialize::<_, FeedMessage>(value) {
            Ok(message) => self.parts(&QueueState::from(message)),
            Err(error) => {
                self.problem(FieldProblem {
                    field: "state",
                    at: format!("{} {}", path.as_str(), error.path()),
                    found: without_values(&error.inner().to_string()),
                    expected: "a feed message of the contract".into(),
                });
                nothing
            }
        }
    }

    fn parts(&mut self, state: &QueueState) -> (Content, Facts) {
        let stamp = |at: Timestamp| Stamp {
            at,
            coarse: Duration::ZERO,
            date: state.day,
        };
        let mut shown = |label: &Label| {
            let fits = self.mapping.fits(label.as_str(), "");
            self.hidden += u32::from(!fits);
            fits
        };
        let entries = state.calls.iter().filter(|call| shown(&call.ticket));
        let entries = entries.map(|call| Entry {
            id: Some(format!("{} {} {}", state.day, state.epoch, call.no)),
            ticket: call.ticket.clone(),
            counter: call.counter.clone(),
            at: Some(stamp(call.at)),
            kind: Some(call.kind),
        });
        let entries = entries.collect();
        let mut list = |labels: &[Label]| labels.iter().filter(|l| shown(l)).cloned().collect();
        let facts = Facts {
            status: Some(state.status),
            waiting: state.waiting,
            on_hold: state.on_hold,
            next: Some(list(&state.next)),
            held: Some(list(&state.held)),
            at: Some(stamp(state.at)),
        };
        (Content::Keyed(entries), facts)
    }

    /// The list of calls, newest first; nothing where it is not there.
    fn calls(&mut self, paths: &[Path], newest_first: bool) -> Content {
        let mut elements: Vec<&Value> = Vec::new();
        for (i, path) in paths.iter().enumerate() {
            match path.find(self.message) {
                // Without the newest one nothing is known of the list.
                Found::Absent if i == 0 => {
                    self.problem(FieldProblem {
                        field: "calls",
                        at: path.as_str().to_owned(),
                        found: "nothing".into(),
                        expected: "the list of calls".into(),
                    });
                    return Content::Nothing;
                }
                Found::Absent | Found::Null => {}
                Found::One(Value::Array(list)) => elements.extend(list),
                Found::One(value) => elements.push(value),
                Found::Many(nodes) => match nodes[..] {
                    [Value::Array(list)] => elements.extend(list),
                    _ => elements.extend(nodes),
                },
            }
        }
        elements.truncate(MAX_ELEMENTS);
        let entries = elements
            .into_iter()
            .flat_map(|element| self.entries(element));
        let mut entries: Vec<Entry> = entries.collect();
        if !newest_first {
            entries.reverse();
        }
        if self.mapping.id.is_some() {
            Content::Keyed(entries)
        } else {
            Content::List(entries)
        }
    }

    /// The calls of one element: one, or several of a group.
    fn entries(&mut self, element: &Value) -> Vec<Entry> {
        let mapping = self.mapping;
        let Some(ticket) = &mapping.ticket else {
            return Vec::new();
        };
        let scope = Scope::of(self.message, element);
        let (tickets, _) = self.tickets(ticket, scope);
        if tickets.is_empty() {
            return Vec::new();
        }
        let id = self.text(mapping.id.as_ref(), scope);
        let at = self.time(mapping.at.as_ref(), scope);
        let kind = self.text(mapping.kind.as_ref(), scope);
        let kind = kind.and_then(|word| match word.as_str() {
            "recall" => Some(CallKind::Recall),
            "call" => Some(CallKind::Call),
            _ => None,
        });
        let mut entries = Vec::with_capacity(tickets.len());
        for ticket in tickets {
            let scope = Scope {
                ticket: Some(ticket.as_str()),
                ..scope
            };
            let counter = self.counter(mapping.counter.as_ref(), scope);
            entries.push(Entry {
                id: id.clone(),
                counter,
                at,
                kind,
                ticket,
            });
        }
        entries
    }

    fn text(&mut self, field: Option<&Field>, scope: Scope<'_>) -> Option<String> {
        match self.one(field, scope) {
            Read::Text(text) => Some(text),
            Read::Absent | Read::Nothing => None,
        }
    }

    fn elements(&mut self, each: Option<&Path>) -> Vec<&'a Value> {
        let mut found = match each.map(|path| path.find(self.message)) {
            None => vec![self.message],
            Some(Found::One(Value::Array(list))) => list.iter().collect(),
            Some(Found::One(value)) => vec![value],
            Some(Found::Many(nodes)) => match nodes[..] {
                [Value::Array(list)] => list.iter().collect(),
                _ => nodes,
            },
            Some(Found::Absent | Found::Null) => Vec::new(),
        };
        found.truncate(MAX_ELEMENTS);
        found
    }

    /// The numbers being served.
    fn current(&mut self, each: Option<&Path>, numbers: &[NumberRule]) -> Content {
        let mapping = self.mapping;
        let (mut served, mut empty) = (Vec::new(), Vec::new());
        let one = mapping.ticket.as_ref().map(|ticket| NumberRule {
            ticket: ticket.clone(),
            counter: mapping.counter.clone(),
            at: mapping.at.clone(),
        });
        let rules = one.iter().chain(numbers);
        for element in self.elements(each) {
            for rule in rules.clone() {
                self.number(rule, element, &mut served, &mut empty);
            }
        }
        if served.is_empty() && empty.is_empty() {
            return Content::Nothing;
        }
        Content::Current {
            served,
            empty,
            many: each.is_some() || !numbers.is_empty(),
        }
    }

    fn number(
        &mut self,
        rule: &NumberRule,
        element: &Value,
        served: &mut Vec<Entry>,
        empty: &mut Vec<Option<Label>>,
    ) {
        let scope = Scope::of(self.message, element);
        let read = self.one(Some(&rule.ticket), scope);
        let ticket = match &read {
            Read::Absent => return,
            Read::Nothing => None,
            Read::Text(text) => match self.label(&rule.ticket, text, true) {
                Some(label) => Some(label),
                None => return,
            },
        };
        let scope = Scope {
            ticket: ticket.as_ref().map(Label::as_str),
            ..scope
        };
        let counter = self.counter(rule.counter.as_ref(), scope);
        let at = self.time(rule.at.as_ref(), scope);
        match ticket {
            None => empty.push(counter),
            Some(ticket) => served.push(Entry {
                id: None,
                at,
                counter,
                ticket,
                kind: None,
            }),
        }
    }

    fn events(&mut self, each: Option<&Path>) -> Content {
        let mapping = self.mapping;
        let mut events = Vec::new();
        for element in self.elements(each) {
            if mapping.when.iter().all(|when| when.holds(element)) {
                events.extend(self.event(element));
            }
        }
        Content::Events(events)
    }

    fn event(&mut self, element: &Value) -> Option<Event> {
        let mapping = self.mapping;
        let scope = Scope::of(self.message, element);
        let kind = match &mapping.kind {
            None => EventKind::Call,
            Some(field) => {
                let word = self.text(Some(field), scope)?;
                let Some(kind) = EventKind::of(&word) else {
                    let expected = "the word of an event, perhaps by `map`";
                    let problem = field.problem(field.place(), described_text(&word), expected);
                    self.problem(problem);
                    return None;
                };
                kind
            }
        };
        let mut tickets = Vec::new();
        if kind.has_ticket()
            && let Some(field) = &mapping.ticket
        {
            tickets = self.tickets(field, scope).0;
            if tickets.is_empty() {
                return None;
            }
        }
        let scope = Scope {
            ticket: tickets.first().map(Label::as_str),
            ..scope
        };
        Some(Event {
            kind,
            id: self.text(mapping.id.as_ref(), scope),
            counter: self.counter(mapping.counter.as_ref(), scope),
            at: self.time(mapping.at.as_ref(), scope),
            tickets,
        })
    }
}
