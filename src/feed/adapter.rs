//! Foreign systems: JSON of any shape, mapped by configured pointers to queue states.
//!
//! For sources that only know the number being served and how many people wait, such as
//! `{"counters": [{"name": "Certificates", "current_number": "0379", "waiting_people": 3}]}`.
//! Calls are derived from the change of number: a number that differs from the last one is a call,
//! and one that was called shortly before is a recall.
//!
//! What cannot be known is not made up: `next` and `held` stay empty, and the number found when
//! the adapter starts was called at an unknown moment, so its call bears the day's first moment:
//! it is listed, but neither announced nor counted as pace.

use crate::clock::Now;
use crate::config::{AdapterConfig, AdapterRule};
use crate::model::{Call, CallKind, Label, QueueId, QueueState, Status};
use crate::wire::MAX_PAYLOAD;
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use serde_json::Value;
use std::collections::VecDeque;
use std::time::Duration;

/// A time further off than this is none of today (contract, "Limits": a day); believing it would
/// begin another day, and the calls of today would be called again after it.
const MAX_TIME_OFF: Duration = Duration::from_secs(24 * 3600);

/// Calls that are kept and listed, as many as a feed message holds.
const KEPT_CALLS: usize = crate::wire::feed::MAX_CALLS;

/// Says why a foreign message gave no state for a queue.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AdapterError {
    /// The payload is larger than any that is read.
    #[error("payload of {0} bytes: expected at most {MAX_PAYLOAD}")]
    TooLarge(usize),
    /// The payload is no JSON.
    #[error("no JSON: {0}")]
    NoJson(String),
    /// A pointer leads nowhere.
    #[error("queue {queue}: nothing at {pointer}")]
    Missing {
        /// The rule's queue.
        queue: QueueId,
        /// The pointer as configured.
        pointer: String,
    },
    /// A value is not what the rule expects.
    #[error("queue {queue}: at {pointer}: found {found}, expected {expected}")]
    Wrong {
        /// The rule's queue.
        queue: QueueId,
        /// The pointer as configured.
        pointer: String,
        /// The value, shortened.
        found: String,
        /// What would have been right.
        expected: &'static str,
    },
}

/// The state of one queue, made of a foreign message.
pub type Mapped = (QueueId, QueueState);

/// One configured mapping and what it remembers of its queues.
#[derive(Debug)]
pub struct Adapter {
    topic: String,
    zone: TimeZone,
    queues: Vec<Mapping>,
}

#[derive(Debug)]
struct Mapping {
    rule: AdapterRule,
    memory: Option<Memory>,
}

/// What a mapping remembers of its day.
#[derive(Debug, Clone)]
struct Memory {
    day: Date,
    epoch: u32,
    seq: u64,
    last_no: u64,
    current: Option<Label>,
    /// Newest first.
    calls: VecDeque<Call>,
}

impl Adapter {
    /// Builds the mapping; days begin at midnight of `zone`.
    #[must_use]
    pub fn new(config: AdapterConfig, zone: TimeZone) -> Self {
        let mapping = |rule| Mapping { rule, memory: None };
        Self {
            topic: config.topic,
            zone,
            queues: config.rules.into_iter().map(mapping).collect(),
        }
    }

    /// The topic filter to subscribe to.
    #[must_use]
    pub fn topic(&self) -> &str {
        &self.topic
    }

    /// Whether a topic name is one of this adapter's (MQTT 5, 4.7: `+` one level, `#` the rest).
    #[must_use]
    pub fn takes(&self, name: &str) -> bool {
        let mut names = name.split('/');
        for level in self.topic.split('/') {
            match (level, names.next()) {
                ("#", _) => return true,
                ("+", Some(_)) => {}
                (level, Some(name)) if level == name => {}
                _ => return false,
            }
        }
        names.next().is_none()
    }

    /// Maps one message to the states of all its queues; a rule that fails spoils no other.
    pub fn map(&mut self, payload: &[u8], now: Now) -> Vec<Result<Mapped, AdapterError>> {
        if payload.len() > MAX_PAYLOAD {
            return vec![Err(AdapterError::TooLarge(payload.len()))];
        }
        let message: Value = match serde_json::from_slice(payload) {
            Ok(message) => message,
            Err(e) => return vec![Err(AdapterError::NoJson(e.to_string()))],
        };
        let zone = &self.zone;
        self.queues
            .iter_mut()
            .map(|mapping| mapping.map(&message, zone, now))
            .collect()
    }
}

impl Mapping {
    fn map(&mut self, message: &Value, zone: &TimeZone, now: Now) -> Result<Mapped, AdapterError> {
        let found = Found::read(&self.rule, message, now)?;
        let day = found.at.to_zoned(zone.clone()).date();
        if let (Some(pointer), Some(memory)) = (&self.rule.at, &self.memory)
            && now.synced
            && day < memory.day
        {
            return Err(AdapterError::Wrong {
                queue: self.rule.queue.clone(),
                pointer: pointer.clone(),
                found: found.at.to_string(),
                expected: "a time not before the day of the last message",
            });
        }
        let midnight = day
            .to_zoned(zone.clone())
            .map_or(found.at, |z| z.timestamp());
        let first_ever = self.memory.is_none();
        let memory = match &mut self.memory {
            Some(memory) if memory.day == day => memory,
            memory => memory.insert(Memory {
                day,
                epoch: if first_ever {
                    seconds_between(midnight, now.wall)
                } else {
                    0
                },
                seq: 0,
                last_no: 0,
                current: None,
                calls: VecDeque::new(),
            }),
        };
        if found.number != memory.current {
            if let Some(ticket) = &found.number {
                let again = memory.calls.iter().any(|c| c.ticket == *ticket);
                memory.last_no += 1;
                memory.calls.push_front(Call {
                    no: memory.last_no,
                    ticket: ticket.clone(),
                    counter: found.counter.clone(),
                    at: if first_ever { midnight } else { found.at },
                    kind: if again {
                        CallKind::Recall
                    } else {
                        CallKind::Call
                    },
                });
                memory.calls.truncate(KEPT_CALLS);
            }
            memory.current = found.number;
        }
        let millis = u64::try_from(now.wall.as_millisecond()).unwrap_or(0);
        memory.seq = millis.max(memory.seq + 1);
        let state = QueueState {
            seq: memory.seq,
            at: found.at,
            day,
            epoch: memory.epoch,
            status: Status::Open,
            waiting: Some(found.waiting),
            on_hold: found.on_hold,
            next: Vec::new(),
            held: Vec::new(),
            calls: memory.calls.iter().cloned().collect(),
            wait: None,
        };
        Ok((self.rule.queue.clone(), state))
    }
}

/// Seconds from midnight to a moment of the same day: an epoch that grows with every restart of
/// the node, so that calls counted anew are not taken for those before the restart.
fn seconds_between(midnight: Timestamp, now: Timestamp) -> u32 {
    u32::try_from(now.as_second() - midnight.as_second()).unwrap_or(0)
}

/// What a rule finds in a message.
struct Found {
    number: Option<Label>,
    waiting: u32,
    on_hold: Option<u32>,
    counter: Option<Label>,
    at: Timestamp,
}

impl Found {
    fn read(rule: &AdapterRule, message: &Value, now: Now) -> Result<Self, AdapterError> {
        let look = Look { rule };
        let mut element = message;
        for select in &rule.select {
            let list = look.at(element, &select.list)?;
            let Some(list) = list.as_array() else {
                return Err(look.wrong(&select.list, list, "a list"));
            };
            element = list
                .iter()
                .find(|e| {
                    e.pointer(&select.key).and_then(text).as_deref() == Some(select.equals.as_str())
                })
                .ok_or_else(|| AdapterError::Missing {
                    queue: rule.queue.clone(),
                    pointer: format!("{}[{} = {:?}]", select.list, select.key, select.equals),
                })?;
        }
        let count = |pointer: &str| -> Result<u32, AdapterError> {
            let value = look.at(element, pointer)?;
            text(value)
                .and_then(|t| t.trim().parse().ok())
                .ok_or_else(|| look.wrong(pointer, value, "a count"))
        };
        let counter = match (&rule.counter, &rule.counter_text) {
            (Some(pointer), _) => Some(look.label(pointer, look.at(element, pointer)?)?),
            (None, Some(fixed)) => Label::new(fixed).ok(),
            (None, None) => None,
        };
        Ok(Self {
            number: look.number(element)?,
            waiting: count(&rule.waiting)?,
            on_hold: rule.on_hold.as_deref().map(count).transpose()?,
            counter,
            at: rule
                .at
                .as_deref()
                .map_or(Ok(now.wall), |pointer| look.time(element, pointer, now))?,
        })
    }
}

/// Looks for values on behalf of a rule.
struct Look<'a> {
    rule: &'a AdapterRule,
}

impl Look<'_> {
    fn at<'v>(&self, element: &'v Value, pointer: &str) -> Result<&'v Value, AdapterError> {
        element
            .pointer(pointer)
            .ok_or_else(|| AdapterError::Missing {
                queue: self.rule.queue.clone(),
                pointer: pointer.to_owned(),
            })
    }

    fn wrong(&self, pointer: &str, found: &Value, expected: &'static str) -> AdapterError {
        AdapterError::Wrong {
            queue: self.rule.queue.clone(),
            pointer: pointer.to_owned(),
            found: found.to_string().chars().take(40).collect(),
            expected,
        }
    }

    fn label(&self, pointer: &str, value: &Value) -> Result<Label, AdapterError> {
        text(value)
            .and_then(|t| Label::new(&t).ok())
            .ok_or_else(|| self.wrong(pointer, value, "a label of 1 to 12 characters"))
    }

    /// The ticket being served; `None` when the system says that there is none.
    fn number(&self, element: &Value) -> Result<Option<Label>, AdapterError> {
        let value = self.at(element, &self.rule.number)?;
        let Some(found) = text(value) else {
            return match value {
                Value::Null => Ok(None),
                _ => Err(self.wrong(&self.rule.number, value, "a number or a text")),
            };
        };
        let found = found.trim();
        if found.is_empty() || self.rule.none.iter().any(|none| none == found) {
            return Ok(None);
        }
        let digits = match self.rule.digits {
            Some(n) if found.bytes().all(|b| b.is_ascii_digit()) => {
                format!("{:0>n$}", found.trim_start_matches('0'))
            }
            _ => found.to_owned(),
        };
        Label::new(&format!("{}{digits}", self.rule.prefix))
            .map(Some)
            .map_err(|_| self.wrong(&self.rule.number, value, "a label of 1 to 12 characters"))
    }

    fn time(&self, element: &Value, pointer: &str, now: Now) -> Result<Timestamp, AdapterError> {
        let value = self.at(element, pointer)?;
        let at = match value {
            Value::String(text) => text.parse().ok(),
            Value::Number(n) => n.as_i64().and_then(|s| Timestamp::from_second(s).ok()),
            _ => None,
        };
        let expected = "a time with offset or seconds since 1970";
        let at: Timestamp = at.ok_or_else(|| self.wrong(pointer, value, expected))?;
        if now.synced && at.duration_since(now.wall).unsigned_abs() > MAX_TIME_OFF {
            return Err(self.wrong(pointer, value, "a time at most a day off"));
        }
        Ok(at)
    }
}

/// A text or a whole number as text.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(n) if n.is_u64() || n.is_i64() => Some(n.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::AdapterSelect;

    fn rule() -> AdapterRule {
        AdapterRule {
            queue: QueueId::new("certificates").unwrap(),
            select: vec![
                AdapterSelect {
                    list: "/offices".into(),
                    key: "/name".into(),
                    equals: "Xinyi".into(),
                },
                AdapterSelect {
                    list: "/counters".into(),
                    key: "/counter".into(),
                    equals: "1".into(),
                },
            ],
            number: "/current_number".into(),
            waiting: "/waiting_people".into(),
            on_hold: None,
            counter: Some("/counter".into()),
            counter_text: None,
            at: None,
            prefix: "A".into(),
            digits: Some(3),
            none: vec!["0000".into()],
        }
    }

    fn adapter() -> Adapter {
        let config = AdapterConfig {
            topic: "taipei/+/counters".into(),
            rules: vec![rule()],
        };
        Adapter::new(config, TimeZone::fixed(jiff::tz::offset(9)))
    }

    fn message(number: &str, waiting: &str) -> String {
        format!(
            r#"{{"offices":[{{"name":"Daan","counters":[]}},{{"name":"Xinyi","counters":[
            {{"counter":"2","current_number":"9","waiting_people":9}},
            {{"counter":1,"current_number":{number},"waiting_people":{waiting}}}]}}]}}"#
        )
    }

    fn now(second: u64) -> Now {
        let start = "2026-11-24T10:00:00+09:00".parse::<Timestamp>().unwrap();
        Now::at(start + Duration::from_secs(second))
    }

    #[test]
    fn calls_come_from_the_change_of_number() {
        let mut adapter = adapter();
        let mut step = |second, number: &str| {
            let (_, state) = adapter
                .map(message(number, "3").as_bytes(), now(second))
                .remove(0)
                .unwrap();
            assert_eq!(state.waiting, Some(3));
            state
                .calls
                .iter()
                .map(|c| format!("{} {} {}", c.no, c.ticket, c.kind.as_str()))
                .collect::<Vec<_>>()
                .join(", ")
        };
        assert_eq!(step(0, "\"0000\""), "");
        assert_eq!(step(5, "\"0379\""), "1 A379 call");
        assert_eq!(step(6, "\"0379\""), "1 A379 call");
        assert_eq!(step(9, "380"), "2 A380 call, 1 A379 call");
        assert_eq!(step(12, "379"), "3 A379 recall, 2 A380 call, 1 A379 call");
        assert_eq!(step(86_400, "1"), "1 A001 call", "a new day counts anew");
    }

    #[test]
    fn the_number_found_at_the_start_is_not_a_call_of_now() {
        let mut adapter = adapter();
        let (_, state) = adapter
            .map(message("\"0379\"", "\"4\"").as_bytes(), now(0))
            .remove(0)
            .unwrap();
        assert_eq!(state.waiting, Some(4), "digits as text are a count");
        assert_eq!(state.calls[0].at.to_string(), "2026-11-23T15:00:00Z");
        assert_eq!(state.epoch, 10 * 3600);
    }

    #[test]
    fn wrong_messages_say_where_and_change_nothing() {
        let mut adapter = adapter();
        let mut problem = |payload: &str| {
            adapter
                .map(payload.as_bytes(), now(0))
                .remove(0)
                .expect_err(payload)
                .to_string()
        };
        assert!(problem("{").starts_with("no JSON"));
        assert_eq!(problem("{}"), "queue certificates: nothing at /offices");
        assert_eq!(
            problem(r#"{"offices":3}"#),
            "queue certificates: at /offices: found 3, expected a list"
        );
        assert_eq!(
            problem(r#"{"offices":[]}"#),
            "queue certificates: nothing at /offices[/name = \"Xinyi\"]"
        );
        assert_eq!(
            problem(&message("\"0379\"", "-3")),
            "queue certificates: at /waiting_people: found -3, expected a count"
        );
        assert_eq!(
            problem(&message("[1]", "3")),
            "queue certificates: at /current_number: found [1], expected a number or a text"
        );
        assert_eq!(
            problem(&message("\"1234567890123\"", "3")),
            "queue certificates: at /current_number: found \"1234567890123\", expected a label of 1 to 12 characters"
        );
    }

    #[test]
    fn a_message_of_another_day_does_not_make_today_begin_again() {
        let mut rule = rule();
        rule.select.clear();
        rule.at = Some("/at".into());
        let config = AdapterConfig {
            topic: "a".into(),
            rules: vec![rule],
        };
        let mut adapter = Adapter::new(config, TimeZone::fixed(jiff::tz::offset(9)));
        let mut step = |second, number: u32, at: &str| {
            let message = format!(
                r#"{{"current_number":{number},"waiting_people":1,"counter":1,"at":"{at}"}}"#
            );
            let mapped = adapter.map(message.as_bytes(), now(second)).remove(0);
            mapped.map(|(_, state)| (state.epoch, state.calls[0].no))
        };
        let first = step(0, 7, "2026-11-24T10:00:00+09:00").unwrap();
        for (off, says) in [
            ("2052-11-24T10:00:00+09:00", "at most a day off"),
            ("1013-11-24T10:00:00+09:00", "at most a day off"),
            ("2026-11-23T23:00:00+09:00", "not before the day"),
        ] {
            let error = step(5, 8, off).expect_err(off).to_string();
            assert!(error.contains(says), "{error}");
        }
        let next = step(9, 8, "2026-11-24T10:00:09+09:00").unwrap();
        assert_eq!(next, (first.0, first.1 + 1), "the count goes on");
    }

    #[test]
    fn topics_match_as_mqtt_says() {
        let takes = |filter: &str, name: &str| {
            let config = AdapterConfig {
                topic: filter.into(),
                rules: vec![],
            };
            Adapter::new(config, TimeZone::UTC).takes(name)
        };
        assert!(takes("taipei/+/counters", "taipei/xinyi/counters"));
        assert!(!takes("taipei/+/counters", "taipei/xinyi/other"));
        assert!(!takes("taipei/+", "taipei/xinyi/counters"));
        assert!(!takes("taipei/+/counters", "taipei/xinyi"));
        assert!(takes("taipei/#", "taipei/xinyi/counters"));
        assert!(takes("#", "anything"));
    }
}
