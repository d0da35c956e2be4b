//! Configuration files, read as a node's and as a hub's.
//!
//! A file is a configuration or an error with its place; and wherever a password stands in it, no
//! message and no debug print of it shows the password.

use std::path::Path;
use toml::Value;
use yobiban::config::{self, ConfigError};

/// The password of the seeds. Found nowhere else, so that a message with it in it gives it away.
const SECRET: &str = "hidden-7f3a";

/// Reads a configuration.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    // Only the folder of a file that is not there: what is read must not depend on this computer.
    let dir = Path::new("/nonexistent");
    if text.contains("\"/") || text.contains("'/") {
        return;
    }
    let node = config::parse_node(text, "x.toml", dir);
    let hub = config::parse_hub(text, "x.toml", dir);
    let guarded = guarded(text);
    if let Err(error) = &node {
        check(error, guarded);
    }
    if let Err(error) = &hub {
        check(error, guarded);
    }
    if guarded {
        let shown = [format!("{node:?}"), format!("{hub:?}")];
        assert!(!shown.iter().any(|s| s.contains(SECRET)), "shown by debug");
    }
}

fn check(error: &ConfigError, guarded: bool) {
    let text = error.to_string();
    assert!(!error.problems().is_empty(), "refused without a reason");
    for problem in error.problems() {
        let placed = problem.position.is_some() || !problem.key.is_empty();
        assert!(placed, "no place: {problem:?}");
        assert!(!problem.message.is_empty());
        assert!(!problem.to_string().contains('\r'));
    }
    for line in text.lines() {
        assert!(
            line.starts_with("x.toml:") || line.starts_with("  hint: "),
            "{line:?}"
        );
    }
    assert!(
        !guarded || !text.contains(SECRET),
        "the password is shown: {text}"
    );
}

/// Whether the seeds' password stands in this text only where a password may.
fn guarded(text: &str) -> bool {
    let Ok(table) = text.parse::<toml::Table>() else {
        return false;
    };
    let count = text.matches(SECRET).count();
    count > 0 && secrets(&Value::Table(table), "") == count
}

/// How often it is the value of a password, or within the user part of an address.
fn secrets(value: &Value, key: &str) -> usize {
    match value {
        Value::String(text) if key == "password" => usize::from(text.contains(SECRET)),
        Value::String(text) if key == "url" => {
            let user = text.rsplit_once('@').map_or("", |(user, _)| user);
            user.matches(SECRET).count()
        }
        Value::Array(all) => all.iter().map(|value| secrets(value, key)).sum(),
        Value::Table(table) => table.iter().map(|(key, value)| secrets(value, key)).sum(),
        _ => 0,
    }
}
