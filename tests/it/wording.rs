//! No decision depends on the wording of a message: what is done follows from types, codes and keys.

use crate::support::root;
use std::fs;
use std::path::{Path, PathBuf};

/// How a text is asked for words.
const ASKS: [&str; 6] = [
    ".contains(",
    ".starts_with(",
    ".ends_with(",
    ".find(",
    ".strip_prefix(",
    ".strip_suffix(",
];

/// What makes a text of an error or a message for people.
const TEXTS: [&str; 2] = ["to_string()", ".message()"];

/// Places in a source that ask the text of an error for words, or compare it. Tests may.
fn asks(source: &str) -> Vec<String> {
    let code = source.split("#[cfg(test)]").next().unwrap_or_default();
    let lines = code.lines().filter(|l| !l.trim_start().starts_with("//"));
    // Calls are written over several lines.
    let code: String = lines.map(str::trim).collect::<Vec<_>>().join(" ");
    let code = code.replace(" .", ".");
    let mut found = Vec::new();
    for text in TEXTS {
        for (at, _) in code.match_indices(text) {
            let rest = &code[at + text.len()..];
            let asked = ASKS.iter().any(|ask| rest.starts_with(ask));
            // Against a text in the source, not against another value.
            let compared = [" == \"", " != \""].iter().any(|c| rest.starts_with(c));
            if asked || compared {
                found.push(rest.chars().take(60).collect());
            }
        }
    }
    found
}

fn files(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, into);
        } else {
            into.push(path);
        }
    }
}

fn all(folders: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for folder in folders {
        files(&root().join(folder), &mut found);
    }
    found
}

#[test]
fn no_source_decides_by_the_text_of_an_error() {
    let mut wrong = Vec::new();
    let mut seen = 0;
    for path in all(&["src"]) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if !name.ends_with(".rs") || name.ends_with("tests.rs") {
            continue;
        }
        seen += 1;
        for place in asks(&fs::read_to_string(&path).unwrap()) {
            wrong.push(format!("{}: {place}", path.display()));
        }
    }
    assert!(seen > 200, "{seen} sources");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_script_or_unit_decides_by_the_line_for_people() {
    for path in all(&["image", "systemd", "packaging"]) {
        let Ok(text) = fs::read_to_string(&path) else {
            continue; // a picture or a program
        };
        assert!(!text.contains("StatusText"), "{}", path.display());
    }
}

#[test]
fn the_rule_can_fail() {
    for source in [
        "if error.to_string() == \"bytes remaining on stream\" {}",
        "error\n    .to_string()\n    .starts_with(\"failed to\")",
        "match e.message().strip_prefix(\"unknown\") {}",
    ] {
        assert_eq!(asks(source).len(), 1, "{source}");
    }
    for source in [
        "// error.to_string().contains(\"x\")",
        "let text = error.to_string();",
        "if a.to_string() == b {}",
        "#[cfg(test)]\nmod tests { fn f() { e.to_string().contains(\"x\") } }",
    ] {
        assert!(asks(source).is_empty(), "{source}");
    }
}
