//! Every row of the table, from a file with the old name to the same configuration.

use super::super::{old_names, parse_hub, parse_node};
use super::*;
use proptest::prelude::*;
use std::path::Path;

const NODE_FILE: &str = r#"
[office]
id = "chuo"
name = { ja = "中央区" }
<office>
[node]
id = "n1"
[mqtt]
url = "mqtt://127.0.0.1"
[feed]
<feed>
[[queue]]
id = "q"
name = { ja = "証明書" }
[[board]]
id = "other"
output = { kind = "none" }
[[board]]
id = "main"
output = { kind = "none" }
<board>
[board.calls]
<board.calls>
[[relay]]
id = "lamp"
gpio = 17
<relay>
[[camera]]
id = "hall"
source = { kind = "folder", path = "x" }
corners = [[100, 100], [900, 100], [900, 600], [100, 600]]
<camera>
[[camera.field]]
queue = "q"
rect = [0.1, 0.1, 0.5, 0.5]
kind = "seven-segment"
<camera.field>
[[camera]]
id = "door"
corners = [[100, 100], [900, 100], [900, 600], [100, 600]]
[camera.source]
kind = "http"
url = "http://192.0.2.7/shot.jpg"
password = "x"
<camera.source>
[[camera.field]]
queue = "q"
rect = [0.1, 0.1, 0.5, 0.5]
kind = "seven-segment"
show = "counter"
[voice]
output = "none"
<voice>
[[voice.hours]]
times = ["12:00", "13:00"]
<voice.hours>
"#;

const HUB_FILE: &str = r#"
<>
[mqtt]
url = "mqtt://127.0.0.1"
[http]
<http>
[store]
<store>
[voice]
<voice>
"#;

/// A value that is no default, for each key that has another name. A key without one fails.
fn sample(table: &str, old: &str) -> &'static str {
    match (table, old) {
        ("office", "zone") => "\"Asia/Seoul\"",
        ("feed", "line_grace") | ("feed", "old_call_after") => "\"7s\"",
        ("board", "on") => "[\"08:00\", \"18:00\"]",
        ("board.calls", "min_show") => "\"5s\"",
        ("board.calls", "max_show") => "\"25s\"",
        ("board.calls", "places") => "2",
        ("board.calls", "crowded_places") => "9",
        ("board.calls", "recent") => "3",
        ("relay", "pause") => "\"700ms\"",
        ("camera", "follow") => "5",
        ("camera", "every") => "\"2s\"",
        ("camera", "agree") => "4",
        ("camera", "picture_every") => "\"9s\"",
        ("camera.field", "places") => "2",
        ("camera.source", "user") => "\"board\"",
        ("voice.hours", "speak") => "\"short\"",
        ("voice", "four") => "\"shi\"",
        ("voice", "seven") => "\"shichi\"",
        ("voice", "zero") => "\"maru\"",
        ("", "page") => "{ busy_wait = \"5m\" }",
        ("http", "embed_from") => "[\"https://www.city.example.jp\"]",
        ("http", "behind_tls") => "true",
        ("store", "keep_days") => "30",
        _ => panic!("no sample for {table}.{old}"),
    }
}

/// A file with these lines in one table, or in none.
fn file(form: &str, table: &str, lines: &str) -> String {
    let place = format!("<{table}>");
    assert!(form.contains(&place), "no {place} in {form}");
    let filled = if lines.is_empty() {
        form.to_owned()
    } else {
        form.replace(&place, lines)
    };
    // A password alone is no login.
    let filled = filled.replace("<camera.source>", "username = \"admin\"");
    let keep = |line: &&str| !line.starts_with('<');
    filled
        .lines()
        .filter(keep)
        .map(|l| format!("{l}\n"))
        .collect()
}

type Read = fn(&str) -> Result<String, String>;

fn node(text: &str) -> Result<String, String> {
    let config = parse_node(text, "node.toml", Path::new("/"));
    config.map(|c| format!("{c:#?}")).map_err(|e| e.to_string())
}

fn hub(text: &str) -> Result<String, String> {
    let config = parse_hub(text, "hub.toml", Path::new("/"));
    config.map(|c| format!("{c:#?}")).map_err(|e| e.to_string())
}

/// Each change of a list with its table and the lines that say the same before and after.
fn cases(changes: &[Change]) -> Vec<(String, String, String)> {
    let lines = |change: &Change| {
        let table = change.table.join(".");
        match change.what {
            What::Key { old, new } => {
                let value = sample(&table, old);
                let new = new.join(".");
                (
                    table,
                    format!("{old} = {value}"),
                    format!("{new} = {value}"),
                )
            }
            What::Word { key, old, new } => {
                let (old, new) = (format!("{key} = \"{old}\""), format!("{key} = \"{new}\""));
                (table, old, new)
            }
        }
    };
    changes.iter().map(lines).collect()
}

const KINDS: [(&str, &[Change], Read); 2] = [(NODE_FILE, NODE, node), (HUB_FILE, HUB, hub)];

#[test]
fn each_old_name_means_what_the_new_one_means() {
    for (form, changes, read) in KINDS {
        for (table, old, new) in cases(changes) {
            let without = read(&file(form, &table, "")).expect("valid");
            let new = read(&file(form, &table, &new)).expect("valid");
            assert_ne!(new, without, "{old} changes nothing");
            let old = file(form, &table, &old);
            assert_eq!(read(&old), Ok(new), "{old}");
        }
    }
}

#[test]
fn each_old_name_is_reported_with_its_line_and_the_new_one() {
    let dir = tempfile::tempdir().expect("folder");
    for (form, changes, _) in KINDS {
        for (table, old, new) in cases(changes) {
            let text = file(form, &table, &old);
            let path = dir.path().join("file.toml");
            std::fs::write(&path, &text).expect("written");
            let found = old_names(&path);
            let [name] = found.as_slice() else {
                panic!("{old}: {found:?}");
            };
            let line = text.lines().position(|line| line == old).expect("there") + 1;
            let word = |text: &str| text.split(" = ").next().unwrap_or_default().to_owned();
            assert_eq!(name.line, line, "{old}");
            assert!(name.old.contains(&word(&old)), "{name}");
            assert!(name.new.starts_with(&word(&new)), "{name}");
            for said in [name.to_string(), name.in_japanese()] {
                assert!(said.contains(&name.new) && said.contains("0.2"), "{said}");
            }
        }
    }
    assert_eq!(old_names(Path::new("/nowhere")), []);
}

#[test]
fn an_old_name_beside_the_new_one_is_an_error_that_names_both() {
    for (form, changes, read) in KINDS {
        let keys = changes
            .iter()
            .filter(|c| matches!(c.what, What::Key { .. }));
        let keys: Vec<Change> = keys.copied().collect();
        for (table, old, new) in cases(&keys) {
            let error = read(&file(form, &table, &format!("{new}\n{old}"))).expect_err("both");
            let word = |text: &str| text.split(" = ").next().unwrap_or_default().to_owned();
            let said = format!("the old name of {}", word(&new));
            assert!(
                error.contains(&said) && error.contains(&word(&old)),
                "{error}"
            );
        }
    }
}

#[test]
fn a_wrong_value_under_an_old_name_is_reported_with_the_key_as_typed_and_its_place() {
    for (form, changes, read) in KINDS {
        for change in changes {
            let What::Key { old, new } = change.what else {
                continue;
            };
            let table = change.table.join(".");
            let typed = format!("{old} = 1.5");
            let text = file(form, &table, &typed);
            let error = read(&text).expect_err("wrong");
            let line = text.lines().position(|line| line == typed).expect("there") + 1;
            let column = old.len() + 4;
            let said = error.lines().next().unwrap_or_default();
            let place = format!(".toml:{line}:{column}: ");
            let (_, said) = said.split_once(&place).expect("line and column");
            assert!(said.contains(&typed), "{error}");
            let name = new.join(".");
            assert!(!said.contains(&format!("{name} =")), "{error}");
        }
    }
    // Of a wrong value, a missing key and an unknown one.
    let hours = "[[voice.hours]]\nspeak = \"loud\"";
    let voice = file(NODE_FILE, "voice.hours", hours);
    let error = node(&voice).expect_err("wrong");
    assert!(
        error.contains(": voice.hours[1].speak = \"loud\": expected full, "),
        "{error}"
    );
    let page = "page = { busy_wait = \"5\", closed_days = [1] }";
    let error = hub(&file(HUB_FILE, "", page)).expect_err("wrong");
    assert!(error.contains(": page.closed_days[0] = 1: "), "{error}");
    let error = hub(&file(HUB_FILE, "", "page = { busywait = \"5m\" }")).expect_err("wrong");
    assert!(error.contains(": page.busywait: "), "{error}");
    // What takes the place of the table of the new key is reported as ever.
    let error = node(&file(NODE_FILE, "voice", "reading = 4\nfour = \"shi\"")).expect_err("wrong");
    assert!(error.contains("voice"), "{error}");
}

#[test]
fn an_old_word_under_an_old_key_is_reported_as_it_was_typed() {
    let text = file(NODE_FILE, "voice.hours", "speak = \"nothing\"");
    let mut doc = Doc::parse(&text, "node.toml").expect("TOML");
    let found = apply(&mut doc, NODE).read;
    let said: Vec<_> = found
        .iter()
        .map(|n| (n.old.as_str(), n.new.as_str()))
        .collect();
    let key = ("voice.hours[0].speak", "detail");
    let word = ("voice.hours[0].speak = \"nothing\"", "detail = \"off\"");
    assert_eq!(said, [key, word]);
}

proptest! {
    #[test]
    fn documents_of_old_names_are_read_or_rejected_in_words(
        picked in prop::collection::vec((0..100_usize, prop_oneof!["[a-z]{0,3}", "[0-9]{1,3}", Just("x = 1".to_owned())]), 0..8),
        nested in any::<bool>(),
    ) {
        for (_, changes, read) in KINDS {
            let mut text = String::new();
            for (i, value) in &picked {
                let Change { table, what } = changes[i % changes.len()];
                let (What::Key { old, .. } | What::Word { key: old, .. }) = what;
                let path = table.iter().chain([&old]).copied().collect::<Vec<_>>().join(".");
                let value = if nested { format!("[{{ {old} = \"{value}\" }}]") } else { format!("\"{value}\"") };
                text += &format!("{path} = {value}\n");
            }
            let _ = read(&text);
        }
    }
}
