//! `[[adapter]]`: foreign systems that are mapped to queues.

use super::check::{Check, is_line};
use super::doc::At;
use super::problem::ProblemKind;
use super::raw::{RawAdapter, RawRule, RawSelect};
use super::{AdapterConfig, AdapterRule, AdapterSelect};
use crate::model::text::plain;
use crate::model::{Label, Pattern, QueueId};
use crate::topic_filter;
use std::collections::BTreeMap;

/// More foreign systems than an office has.
const MAX_ADAPTERS: usize = 16;
/// Longest topic filter, in bytes.
const MAX_FILTER: usize = 1024;
/// Deepest list in a list.
const MAX_STEPS: usize = 8;
/// Longest pointer, in bytes.
const MAX_POINTER: usize = 512;
/// Longest label, which bounds its digits.
const MAX_DIGITS: usize = 12;

impl Check<'_> {
    pub(super) fn adapters(
        &mut self,
        raw: &[RawAdapter],
        queues: &[QueueId],
        patterns: &BTreeMap<QueueId, Pattern>,
    ) -> Vec<AdapterConfig> {
        let at = At::root().key("adapter");
        if raw.len() > MAX_ADAPTERS {
            let n = raw.len();
            self.wrong_as(
                &at.index(MAX_ADAPTERS),
                ProblemKind::TooMany,
                format_args!("{n} adapters: expected at most {MAX_ADAPTERS}"),
            );
        }
        let mut fed: Vec<QueueId> = Vec::new();
        let mut adapters = Vec::new();
        for (i, adapter) in raw.iter().enumerate().take(MAX_ADAPTERS) {
            let at = at.index(i);
            let topic = self.filter(&at.key("topic"), adapter.topic.as_deref());
            let at = at.key("queue");
            let rules = adapter.queue.as_deref().unwrap_or_default();
            if rules.is_empty() {
                self.missing(&at, "at least one [[adapter.queue]]");
            }
            let mut checked = Vec::new();
            for (i, rule) in rules.iter().enumerate() {
                let at = at.index(i);
                let Some(rule) = self.rule(&at, rule, queues, patterns) else {
                    continue;
                };
                if fed.contains(&rule.queue) {
                    self.wrong_as(
                        &at.key("queue"),
                        ProblemKind::Duplicate,
                        "fed twice: expected one rule a queue",
                    );
                }
                fed.push(rule.queue.clone());
                checked.push(rule);
            }
            if let Some(topic) = topic {
                adapters.push(AdapterConfig {
                    topic,
                    rules: checked,
                });
            }
        }
        adapters
    }

    fn filter(&mut self, at: &At, raw: Option<&str>) -> Option<String> {
        let Some(raw) = raw else {
            self.missing(at, "a topic filter such as taipei/+/counters");
            return None;
        };
        let good = is_line(raw, MAX_FILTER) && topic_filter::is_valid(raw);
        if !good {
            self.wrong(
                at,
                "expected a topic filter: + for one whole level, # only as the last",
            );
        }
        good.then(|| raw.to_owned())
    }

    fn rule(
        &mut self,
        at: &At,
        raw: &RawRule,
        queues: &[QueueId],
        patterns: &BTreeMap<QueueId, Pattern>,
    ) -> Option<AdapterRule> {
        let queue = match &raw.queue {
            Some(id) => self.known_queue(&at.key("queue"), id, queues),
            None => {
                self.missing(&at.key("queue"), "the id of the queue that is fed");
                None
            }
        };
        let select = self.selects(&at.key("select"), raw.select.as_deref().unwrap_or_default());
        let mut required = |key: &str, raw: Option<&str>, what: &str| match raw {
            Some(raw) => self.pointer(&at.key(key), raw),
            None => {
                self.missing(&at.key(key), format_args!("the JSON Pointer to {what}"));
                None
            }
        };
        let number = required("number", raw.number.as_deref(), "the number being served");
        let mut optional =
            |key: &str, raw: Option<&str>| raw.and_then(|raw| self.pointer(&at.key(key), raw));
        let waiting = optional("waiting", raw.waiting.as_deref());
        let on_hold = optional("on_hold", raw.on_hold.as_deref());
        let counter = optional("counter", raw.counter.as_deref());
        let moment = optional("at", raw.at.as_deref());
        self.labels_of_rule(at, raw);
        // As labels are spelt.
        let prefix = plain(raw.prefix.as_deref().unwrap_or_default());
        let room = MAX_DIGITS.saturating_sub(prefix.chars().count()).max(1);
        let digits = raw
            .digits
            .map(|n| self.count(&at.key("digits"), Some(n), room, 1..=room));
        let queue = queue?;
        Some(AdapterRule {
            pattern: patterns.get(&queue).cloned(),
            queue,
            select: select?,
            number: number?,
            waiting,
            on_hold,
            counter,
            counter_text: raw.counter_text.clone(),
            at: moment,
            prefix,
            digits,
            none: raw.none.clone().unwrap_or_default(),
        })
    }

    /// Texts of a rule that become labels, or parts of them.
    fn labels_of_rule(&mut self, at: &At, raw: &RawRule) {
        if raw.counter.is_some() && raw.counter_text.is_some() {
            self.wrong_as(
                &at.key("counter_text"),
                ProblemKind::Unwanted,
                "beside counter: expected only one of them",
            );
        }
        let label = |text: &String| Label::new(text).is_ok();
        if raw.counter_text.as_ref().is_some_and(|t| !label(t)) {
            self.wrong(
                &at.key("counter_text"),
                "expected 1 to 12 printable characters",
            );
        }
        if raw
            .prefix
            .as_ref()
            .is_some_and(|t| !t.is_empty() && !label(t))
        {
            self.wrong(
                &at.key("prefix"),
                "expected at most 12 printable characters",
            );
        }
    }

    fn selects(&mut self, at: &At, steps: &[RawSelect]) -> Option<Vec<AdapterSelect>> {
        if steps.len() > MAX_STEPS {
            let n = steps.len();
            self.wrong_as(
                at,
                ProblemKind::TooMany,
                format_args!("{n} steps: expected at most {MAX_STEPS}"),
            );
        }
        let each = steps.iter().enumerate();
        each.map(|(i, step)| self.select(&at.index(i), step))
            .collect()
    }

    fn select(&mut self, at: &At, raw: &RawSelect) -> Option<AdapterSelect> {
        let list = raw.list.as_deref().unwrap_or_default();
        let list = self.pointer(&at.key("list"), list);
        let key = match &raw.key {
            Some(key) => self.pointer(&at.key("key"), key),
            None => {
                self.missing(&at.key("key"), "the JSON Pointer within an element");
                None
            }
        };
        if raw.equals.is_none() {
            self.missing(&at.key("equals"), "the text that the element holds there");
        }
        Some(AdapterSelect {
            list: list?,
            key: key?,
            equals: raw.equals.clone()?,
        })
    }

    fn pointer(&mut self, at: &At, raw: &str) -> Option<String> {
        // RFC 6901: empty or a list of /tokens in which ~ is written ~0 and / is written ~1.
        let escapes = raw
            .split('~')
            .skip(1)
            .all(|after| after.starts_with('0') || after.starts_with('1'));
        let good = (raw.is_empty() || raw.starts_with('/')) && escapes && raw.len() <= MAX_POINTER;
        if !good {
            self.wrong(
                at,
                "not a JSON Pointer: expected one such as /counters/0/number",
            );
        }
        good.then(|| raw.to_owned())
    }
}
