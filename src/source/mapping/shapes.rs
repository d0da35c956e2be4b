//! The shapes in which sources tell of calls: whole states, lists, single numbers, events.

use super::NumberRule;
use super::field::{Field, FieldProblem, Read, Scope};
use super::path::{Found, Path};
use super::read::Reader;
use super::text::described_text;
use crate::model::{CallKind, Label, QueueState};
use crate::source::observation::{Content, Entry, Event, EventKind, Facts, Stamp};
use crate::wire::{feed::FeedMessage, without_values};
use jiff::Timestamp;
use serde_json::Value;
use std::time::Duration;

/// Most elements of a message that are looked at.
const MAX_ELEMENTS: usize = 20_000;

impl<'a> Reader<'a> {
    /// A whole message of the contract.
    pub(super) fn state(&mut self, path: &Path) -> (Content, Facts) {
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
    pub(super) fn calls(&mut self, paths: &[Path], newest_first: bool) -> Content {
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
        if !newest_first {
            elements.reverse();
        }
        elements.truncate(MAX_ELEMENTS);
        let entries = elements
            .into_iter()
            .flat_map(|element| self.entries(element));
        let entries: Vec<Entry> = entries.collect();
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
    pub(super) fn current(&mut self, each: Option<&Path>, numbers: &[NumberRule]) -> Content {
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

    pub(super) fn events(&mut self, each: Option<&Path>) -> Content {
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
