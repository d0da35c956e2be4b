//! Holds `docs/asyncapi.yaml` against the code: topics both ways, payloads field by field.

use crate::support::root;
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use yaml_rust2::{Yaml, YamlLoader};
use yobiban::wire::feed::FeedMessage;
use yobiban::wire::report::{CallReport, HealthReport, Instance, Numbers, OFFLINE, ONLINE};
use yobiban::wire::topic::{DEFAULT_ROOT, Topic};
use yobiban::wire::{WireError, decode};

fn document() -> Value {
    let text = std::fs::read_to_string(root().join("docs/asyncapi.yaml")).unwrap();
    json(&YamlLoader::load_from_str(&text).unwrap()[0])
}

fn json(yaml: &Yaml) -> Value {
    match yaml {
        Yaml::String(text) => Value::from(text.as_str()),
        Yaml::Real(text) => Value::from(text.parse::<f64>().unwrap()),
        Yaml::Integer(n) => Value::from(*n),
        Yaml::Boolean(b) => Value::from(*b),
        Yaml::Array(list) => list.iter().map(json).collect(),
        Yaml::Hash(map) => {
            let entry = |(k, v): (&Yaml, &Yaml)| (k.as_str().unwrap().to_owned(), json(v));
            Value::Object(map.iter().map(entry).collect())
        }
        Yaml::Null => Value::Null,
        other => panic!("not expected in the document: {other:?}"),
    }
}

/// Follows `$ref`, and takes the first of `anyOf`, which is the one that is not null.
fn resolve<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    if let Some(target) = schema["$ref"].as_str() {
        let found = document.pointer(target.trim_start_matches('#'));
        return resolve(
            document,
            found.unwrap_or_else(|| panic!("{target} leads nowhere")),
        );
    }
    match schema["anyOf"].as_array() {
        Some(any) => resolve(document, &any[0]),
        None => schema,
    }
}

#[test]
fn every_channel_is_a_topic_and_every_topic_a_channel() {
    let document = document();
    assert_eq!(document["asyncapi"], "3.0.0");
    let mut seen = BTreeSet::new();
    for (name, channel) in document["channels"].as_object().unwrap() {
        let mut address = channel["address"].as_str().unwrap().to_owned();
        for (parameter, value) in channel["parameters"].as_object().unwrap() {
            let example = &resolve(&document, value)["examples"][0];
            let with = address.replace(&format!("{{{parameter}}}"), example.as_str().unwrap());
            assert_ne!(with, address, "{name}: no {{{parameter}}} in the address");
            address = with;
        }
        let topic = Topic::parse(DEFAULT_ROOT, &address);
        let topic = topic.unwrap_or_else(|| panic!("{name}: {address} is no topic of the code"));
        assert_eq!(topic.name(DEFAULT_ROOT), address);
        // The match is whole, so that a new kind of topic must be named here and documented.
        let kind = match topic {
            Topic::Feed(..) => "feed",
            Topic::Numbers(..) => "numbers",
            Topic::Calls(..) => "calls",
            Topic::Board(..) => "board",
            Topic::Camera(..) => "camera",
            Topic::Availability(..) => "availability",
            Topic::Health(..) => "health",
            Topic::Instance(..) => "instance",
        };
        assert_eq!(kind, name);
        seen.insert(kind);
        let messages = channel["messages"].as_object().unwrap();
        assert!(
            messages
                .values()
                .all(|m| resolve(&document, m)["payload"].is_object()),
            "{name}"
        );
    }
    assert_eq!(seen.len(), 8, "{seen:?}");
    for (name, operation) in document["operations"].as_object().unwrap() {
        assert!(
            resolve(&document, &operation["channel"])["address"].is_string(),
            "{name}"
        );
    }
}

#[test]
fn the_words_of_availability_are_those_of_the_code() {
    let words = &document()["components"]["messages"]["availability"]["payload"]["enum"];
    assert_eq!(*words, serde_json::json!([ONLINE, OFFLINE]));
}

/// A documented message against the type that reads and writes it.
struct Message<'a> {
    document: &'a Value,
    name: &'a str,
    example: Value,
    decode: &'a dyn Fn(&Value) -> Result<(), String>,
}

impl Message<'_> {
    /// The example with another value at a pointer, or none.
    fn with(&self, at: &str, value: Option<Value>) -> Value {
        let mut example = self.example.clone();
        let (parent, key) = at.rsplit_once('/').unwrap();
        let parent = example.pointer_mut(parent).unwrap();
        match value {
            Some(value) => parent[key] = value,
            None => {
                parent.as_object_mut().unwrap().remove(key).unwrap();
            }
        }
        example
    }

    /// Walks schema and example together.
    fn check(&self, schema: &Value, at: &str) {
        let schema = resolve(self.document, schema);
        let value = self.example.pointer(at).unwrap();
        let place = format!("{}{at}", self.name);
        if let Some(words) = schema["enum"].as_array() {
            for word in words {
                let said = (self.decode)(&self.with(at, Some(word.clone())));
                assert_eq!(said, Ok(()), "{place}: documented as {word}");
            }
        }
        if let Some(most) = schema["maxItems"].as_u64() {
            let items = |n: u64| {
                let one = &value[0];
                let item = |i: u64| {
                    let mut item = one.clone();
                    if let Some(no) = item.get_mut("no") {
                        *no = Value::from(most + 10 - i);
                    }
                    item
                };
                (self.decode)(&self.with(at, Some((0..n).map(item).collect())))
            };
            assert_eq!(items(most), Ok(()), "{place}: {most} items are documented");
            // How many queues an office has is the node's to keep; the hub checks it on its own.
            if at != "/queues" {
                assert!(
                    items(most + 1).is_err(),
                    "{place}: more than {most} items are read"
                );
            }
        }
        match value {
            Value::Object(fields) if schema["properties"].is_object() => {
                self.check_fields(fields, schema, at, &place);
            }
            Value::Array(list) => {
                assert!(!list.is_empty(), "{place}: the example shows no item");
                if schema["items"].is_object() && list[0].is_object() {
                    self.check(&schema["items"], &format!("{at}/0"));
                }
            }
            _ => {}
        }
    }

    fn check_fields(&self, fields: &Map<String, Value>, schema: &Value, at: &str, place: &str) {
        let keys = |map: &Map<String, Value>| map.keys().cloned().collect::<BTreeSet<_>>();
        let documented = schema["properties"].as_object().unwrap();
        assert_eq!(
            keys(fields),
            keys(documented),
            "{place}: example and documented properties"
        );
        let list = schema["required"].as_array().unwrap();
        let required: BTreeSet<&str> = list.iter().map(|r| r.as_str().unwrap()).collect();
        for (key, property) in documented {
            let at = format!("{at}/{key}");
            let without = (self.decode)(&self.with(&at, None));
            assert_eq!(
                without.is_err(),
                required.contains(key.as_str()),
                "{place}.{key}: documented as required: {}, left out: {without:?}",
                required.contains(key.as_str())
            );
            self.check(property, &at);
        }
    }
}

fn holds<T: Serialize>(name: &str, read: fn(&[u8]) -> Result<T, WireError>) {
    let document = document();
    let message = &document["components"]["messages"][name];
    let decode = |value: &Value| {
        let bytes = serde_json::to_vec(value).unwrap();
        read(&bytes).map(drop).map_err(|e| e.to_string())
    };
    for example in message["examples"].as_array().unwrap() {
        let example = example["payload"].clone();
        let bytes = serde_json::to_vec(&example).unwrap();
        let decoded = read(&bytes).unwrap_or_else(|e| panic!("{name}: {e}"));
        // What is written again is the example: nothing undocumented, nothing dropped.
        assert_eq!(serde_json::to_value(&decoded).unwrap(), example, "{name}");
        let message_check = Message {
            document: &document,
            name,
            example,
            decode: &decode,
        };
        message_check.check(&message["payload"], "");
    }
}

#[test]
fn feed_messages_are_as_documented() {
    holds("feed", FeedMessage::decode);
}

#[test]
fn number_reports_are_as_documented() {
    holds("numbers", decode::<Numbers>);
}

#[test]
fn call_reports_are_as_documented() {
    holds("call", decode::<CallReport>);
}

#[test]
fn health_reports_are_as_documented() {
    holds("health", decode::<HealthReport>);
}

#[test]
fn instances_are_as_documented() {
    holds("instance", decode::<Instance>);
}
