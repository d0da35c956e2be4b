//! The commented examples that `yobiban config` prints: every key and its default.
//!
//! They are the keys' documentation for users. Tests hold them against the raw shapes (no key is
//! left out) and against the checks (the stated defaults are the real ones).

/// A node's file.
pub const NODE: &str = include_str!("../../assets/config/node.toml");

/// A hub's file.
pub const HUB: &str = include_str!("../../assets/config/hub.toml");

#[cfg(test)]
mod tests {
    use super::super::raw::{RawHub, RawNode};
    use super::super::{parse_hub, parse_node};
    use super::*;
    use serde::{Serialize, de::DeserializeOwned};
    use serde_json::Value;
    use std::path::Path;

    /// Takes the comment off the lines that show a default, and if asked off the other keys.
    fn uncommented(text: &str, also_examples: bool) -> String {
        let is_key = |line: &str| {
            line.split_once(" = ").is_some_and(|(key, _)| {
                !key.is_empty() && key.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
            })
        };
        let line = |line: &str| match (line.strip_prefix("# "), line.strip_prefix("#e.g. ")) {
            (Some(key), _) if is_key(key) => format!("{key}\n"),
            (_, Some(key)) if also_examples => format!("{key}\n"),
            _ => format!("{line}\n"),
        };
        text.lines().map(line).collect()
    }

    /// Names every key that a value leaves out.
    fn left_out(path: &str, value: &Value, into: &mut Vec<String>) {
        match value {
            Value::Null => into.push(path.to_owned()),
            Value::Object(map) => {
                for (key, value) in map {
                    left_out(&format!("{path}.{key}"), value, into);
                }
            }
            Value::Array(list) => {
                // Keys of one kind of table may be shown in any of its examples.
                let mut each: Vec<Vec<String>> = Vec::new();
                for value in list {
                    let mut missing = Vec::new();
                    left_out(&format!("{path}[]"), value, &mut missing);
                    each.push(missing);
                }
                let first = each.first().cloned().unwrap_or_default();
                into.extend(
                    first
                        .into_iter()
                        .filter(|key| each.iter().all(|m| m.contains(key))),
                );
            }
            _ => {}
        }
    }

    fn every_key_is_in<T: Serialize + DeserializeOwned>(example: &str) {
        let raw: T = toml::from_str(&uncommented(example, true)).expect("the keys are known");
        let mut missing = Vec::new();
        left_out("", &serde_json::to_value(raw).expect("json"), &mut missing);
        assert_eq!(
            missing,
            Vec::<String>::new(),
            "keys that the example does not show"
        );
    }

    #[test]
    fn every_key_is_in_the_examples() {
        every_key_is_in::<RawNode>(NODE);
        every_key_is_in::<RawHub>(HUB);
    }

    #[test]
    fn the_examples_work_as_they_are_and_state_the_real_defaults() {
        let dir = Path::new("/etc/yobiban");
        let node = |text: &str| parse_node(text, "node.toml", dir).map(|c| format!("{c:#?}"));
        let as_is = node(NODE).expect("valid");
        assert_ne!(uncommented(NODE, false), NODE);
        assert_eq!(node(&uncommented(NODE, false)).expect("valid"), as_is);
        let hub = |text: &str| {
            parse_hub(text, "hub.toml", dir).map(|c| {
                // The address prints masked, so it is compared in clear.
                (format!("{c:#?}"), c.store_url.reveal().to_owned())
            })
        };
        let as_is = hub(HUB).expect("valid");
        assert_ne!(uncommented(HUB, false), HUB);
        assert_eq!(hub(&uncommented(HUB, false)).expect("valid"), as_is);
    }
}
