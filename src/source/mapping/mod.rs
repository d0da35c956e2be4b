//! Rules: where tickets, counters, times and counts are in a value tree.
//!
//! A text that begins with `/` is a JSON Pointer (RFC 6901), one that begins with `$` a JSONPath
//! (RFC 9535). What is found is cut by `take` (a regular expression, linear), compared with `none`,
//! and translated by `map`; see [`RawFieldTable`].
//!
//! Invariants: `null`, an empty text and a missing place are unknown, never an error of the whole. A rule
//! that fails spoils only its field, but a ticket's its call. A label that does not look like a ticket of
//! the queue is neither shown nor part of an error, but counted. No error holds a value.

mod compile;
mod compile_field;
mod field;
mod path;
mod raw;
mod read;
mod shapes;
#[cfg(test)]
mod tests;
pub(crate) mod text;
mod time;
mod when;

pub use compile::{RuleProblem, compile};
pub use field::FieldProblem;
pub use path::{Found, Path};
pub use raw::{OneOrMany, RawField, RawFieldTable, RawNumber, RawQueueRule, RawText, RawWhen};
pub use read::Reading;

use super::ledger::LedgerSettings;
use super::observation::EventKind;
use crate::model::{Pattern, QueueId};
use field::Field;
use when::When;

/// How a source tells of calls.
#[derive(Debug, Clone)]
pub(super) enum Shape {
    /// Whole messages of the contract, at this place.
    State(Path),
    /// Lists of calls.
    Calls {
        paths: Vec<Path>,
        newest_first: bool,
    },
    /// The number being served: one, one for each element of a list, or one for each counter.
    Current {
        each: Option<Path>,
        numbers: Vec<NumberRule>,
    },
    /// Each message, or each element of a list, is an event.
    Event { each: Option<Path> },
}

/// The number of one counter.
#[derive(Debug, Clone)]
pub(super) struct NumberRule {
    ticket: Field,
    counter: Option<Field>,
    at: Option<Field>,
}

/// A checked rule: how one queue is found in what a source writes.
#[derive(Debug, Clone)]
pub struct Mapping {
    queue: QueueId,
    shape: Shape,
    when: Vec<When>,
    kind: Option<Field>,
    id: Option<Field>,
    ticket: Option<Field>,
    counter: Option<Field>,
    at: Option<Field>,
    as_of: Option<Field>,
    waiting: Option<Field>,
    on_hold: Option<Field>,
    next: Option<Field>,
    held: Option<Field>,
    status: Option<Field>,
    pattern: Option<Pattern>,
    range: Option<(u32, u32)>,
    issue_passes: Option<u32>,
}

impl Mapping {
    /// The queue that is fed.
    #[must_use]
    pub fn queue(&self) -> &QueueId {
        &self.queue
    }

    /// What the queue's ledger is to know of this rule, added to the settings of the office.
    #[must_use]
    pub fn ledger(&self, office: LedgerSettings) -> LedgerSettings {
        let events = matches!(self.shape, Shape::Event { .. });
        let tells = |kind: EventKind| {
            let words = self.kind.as_ref().map(|field| &field.map);
            // Without a map the source uses the words themselves; without a kind, all are calls.
            let told = words.is_some_and(|map| {
                map.is_empty() || map.iter().any(|(_, word)| word == kind.as_str())
            });
            events && told
        };
        LedgerSettings {
            range: self.range,
            issue_passes: self.issue_passes,
            has_issues: tells(EventKind::Issue),
            has_holds: tells(EventKind::Hold),
            ..office
        }
    }
}
