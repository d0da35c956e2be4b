//! Rules of the house, read from the sources: a message names file, line and rule.

mod docs;
mod rooms;

use crate::support::root;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Each module with its layer, and what of its own layer or below it may not import.
///
/// Each layer may import those below it: 0 knows nothing, 1 are values, 2 and 3 are what a node and a
/// hub are made of, 4 is the node itself, 5 what runs, 6 the demo that runs all of it, then the
/// command line.
const MODULES: &[(&str, u8, &[&str])] = &[
    ("model", 0, &[]),
    ("clock", 0, &[]),
    ("shutdown", 0, &[]),
    ("frame", 0, &[]),
    ("backoff", 0, &[]),
    ("digest", 0, &[]),
    ("errors", 0, &[]),
    ("files", 0, &[]),
    ("topic_filter", 0, &[]),
    // How tests wait; not in the program.
    ("patience", 0, &[]),
    ("config", 1, &[]),
    ("wire", 1, &["config", "health", "state"]),
    ("health", 1, &["config", "state"]),
    ("state", 1, &["config", "wire", "health"]),
    ("http_client", 1, &["wire", "health", "state"]),
    ("jpeg", 1, &["config", "wire", "health", "state"]),
    ("machine", 2, &["state", "config"]),
    ("mqtt", 2, &["state"]),
    ("feed", 2, &[]),
    ("source", 2, &["mqtt"]),
    ("intake", 2, &["mqtt", "feed"]),
    ("board", 2, &["wire"]),
    ("output", 2, &["state", "wire"]),
    ("voice", 2, &["wire"]),
    ("camera", 2, &["mqtt"]),
    ("store", 3, &["board", "output"]),
    ("uplink", 3, &["feed"]),
    (
        "hub",
        3,
        &["board", "output", "voice", "camera", "feed", "source"],
    ),
    ("stream", 3, &["voice", "camera", "feed", "source"]),
    ("node", 4, &["hub"]),
    ("services", 5, &[]),
    ("commands", 5, &["hub"]),
    ("demo", 6, &[]),
    ("cli", 7, &["hub"]),
    ("main", 8, &["hub"]),
];

/// Modules of one layer that may be imported by others of it: (importer, imported).
const BESIDE: &[(&str, &str)] = &[
    ("clock", "model"),
    ("config", "state"),
    ("config", "wire"),
    ("health", "wire"),
    // The certificates that a server is checked against.
    ("http_client", "config"),
    // Which payloads are from before anybody looked.
    ("intake", "source"),
    // How systems write texts and counts.
    ("feed", "source"),
];

/// All files under a folder with an ending, with their path from the package's folder.
pub(super) fn files(folder: &str, ending: &str) -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display())) {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.ends_with("node_modules") {
                folders.push(path);
            } else if path.to_str().is_some_and(|p| p.ends_with(ending)) {
                let text = fs::read_to_string(&path).unwrap();
                found.insert(path.strip_prefix(root()).unwrap().to_owned(), text);
            }
        }
    }
    found
}

/// The sources of both crates.
fn product() -> BTreeMap<PathBuf, String> {
    let mut all = files("src", ".rs");
    all.append(&mut files("pixels/src", ".rs"));
    all
}

/// The lines of a source without those that are only comments, counted from 1.
pub(super) fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = text.lines().enumerate().map(|(i, line)| (i + 1, line));
    lines.filter(|(_, line)| !line.trim_start().starts_with("//"))
}

/// The modules that a source names after `crate::`, also within braces, with their line.
fn imports(text: &str) -> Vec<(usize, String)> {
    let code: String = text
        .lines()
        .map(|l| {
            if l.trim_start().starts_with("//") {
                "\n".into()
            } else {
                format!("{l}\n")
            }
        })
        .collect();
    let mut found = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        // `$crate` and `some_crate::` are others.
        if code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_') {
            continue;
        }
        let line = code[..at].matches('\n').count() + 1;
        let rest = &code[at + "crate::".len()..];
        let name = |text: &str| -> String {
            let text = text.trim_start();
            text.chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect()
        };
        let Some(group) = rest.strip_prefix('{') else {
            found.push((line, name(rest)));
            continue;
        };
        let mut depth = 0;
        let mut start = 0;
        for (i, c) in group.char_indices() {
            match c {
                '{' => depth += 1,
                '}' if depth > 0 => depth -= 1,
                ',' | '}' if depth == 0 => {
                    let name = name(&group[start..i]);
                    if !name.is_empty() {
                        found.push((line, name));
                    }
                    start = i + 1;
                    if c == '}' {
                        break;
                    }
                }
                _ => {}
            }
        }
    }
    found
}

/// Says which rule an import breaks, if any.
fn broken_import(from: &str, to: &str) -> Option<String> {
    let find = |name: &str| MODULES.iter().find(|(module, ..)| *module == name);
    let Some(&(_, from_layer, never)) = find(from) else {
        return Some(format!("module {from} has no layer: add it to MODULES"));
    };
    let Some(&(_, to_layer, _)) = find(to) else {
        return Some(format!("module {to} has no layer: add it to MODULES"));
    };
    if from == to {
        return None;
    }
    if never.contains(&to) {
        return Some(format!("{from} may not know {to}"));
    }
    if to_layer > from_layer {
        return Some(format!(
            "{from} (layer {from_layer}) may not import upward, {to} (layer {to_layer})"
        ));
    }
    if to_layer == from_layer && !BESIDE.contains(&(from, to)) {
        return Some(format!(
            "{from} may not import {to} beside it (layer {from_layer})"
        ));
    }
    None
}

#[test]
fn modules_import_only_what_they_may_know() {
    let mut broken = Vec::new();
    for (path, text) in files("src", ".rs") {
        let module = path
            .components()
            .nth(1)
            .unwrap()
            .as_os_str()
            .to_str()
            .unwrap();
        let module = module.trim_end_matches(".rs");
        if module == "lib" {
            continue;
        }
        for (line, to) in imports(&text) {
            if let Some(rule) = broken_import(module, &to) {
                broken.push(format!("{}:{line}: {rule}", path.display()));
            }
        }
    }
    assert!(
        broken.is_empty(),
        "import rule (ARCHITECTURE.md):\n{}",
        broken.join("\n")
    );
}

#[test]
fn the_import_rule_can_fail() {
    let found = |text: &str| {
        imports(text)
            .into_iter()
            .map(|(_, m)| m)
            .collect::<Vec<_>>()
    };
    assert_eq!(found("use crate::hub::api;"), ["hub"]);
    assert_eq!(
        found("use crate::{\n    model::{Call, Label},\n    hub,\n};"),
        ["model", "hub"]
    );
    assert_eq!(found("    let x = crate::feed::MAX;"), ["feed"]);
    assert_eq!(
        found("// use crate::hub;\nuse some_crate::x;"),
        Vec::<String>::new()
    );
    assert!(broken_import("model", "wire").is_some());
    assert!(broken_import("hub", "board").is_some());
    assert!(broken_import("mqtt", "feed").is_some());
    assert!(broken_import("output", "node").is_some());
    assert!(broken_import("node", "hub").is_some());
    assert!(broken_import("node", "services").is_some());
    assert!(broken_import("commands", "services").is_some());
    assert!(broken_import("board", "nowhere").is_some());
    assert!(broken_import("board", "output").is_some());
    assert_eq!(broken_import("board", "state"), None);
    assert_eq!(broken_import("services", "hub"), None);
    assert_eq!(broken_import("cli", "demo"), None);
}

#[test]
fn unsafe_is_only_where_device_memory_is() {
    let mut found = Vec::new();
    for (path, text) in product() {
        for (line, text) in code(&text) {
            let word = text
                .split(|c: char| !c.is_alphanumeric() && c != '_')
                .any(|w| w == "unsafe");
            if word && !path.starts_with("src/output") {
                found.push(format!(
                    "{}:{line}: unsafe outside src/output",
                    path.display()
                ));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// Files stay under 400 lines; from 700 on the module's doc says why, with the words below.
#[test]
fn files_stay_small_or_say_why() {
    const SOFT: usize = 400;
    const HARD: usize = 700;
    let sources = || product().into_iter().chain(files("tests", ".rs"));
    let long: Vec<String> = sources()
        .filter(|(_, text)| text.lines().count() > HARD)
        .filter(|(_, text)| {
            let doc = text.lines().take_while(|l| l.starts_with("//!"));
            !doc.into_iter().any(|l| l.contains("Long because"))
        })
        .map(|(path, text)| format!("{}: {} lines", path.display(), text.lines().count()))
        .collect();
    assert!(
        long.is_empty(),
        "over {HARD} lines without \"Long because …\" in the module doc: {long:?}"
    );
    let total = sources().count();
    let over = sources()
        .filter(|(_, text)| text.lines().count() > SOFT)
        .count();
    assert!(
        over * 10 <= total,
        "{over} of {total} files over {SOFT} lines: more than a tenth"
    );
}

#[test]
fn every_source_says_what_it_is_for() {
    let mute: Vec<_> = product()
        .into_iter()
        .chain(files("tests", ".rs"))
        .filter(|(_, text)| !text.starts_with("//! "))
        .map(|(path, _)| path)
        .collect();
    assert!(mute.is_empty(), "without a module doc: {mute:?}");
}

#[test]
fn every_test_file_is_run() {
    for (folder, list) in [
        ("tests/it", "tests/it/main.rs"),
        ("tests/system", "tests/system/main.rs"),
        ("tests/support", "tests/support/mod.rs"),
    ] {
        let main = fs::read_to_string(root().join(list)).unwrap();
        for entry in fs::read_dir(root().join(folder)).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap();
            let listed = [format!("mod {name};"), format!("pub mod {name};")];
            assert!(
                ["main", "mod"].contains(&name)
                    || main.lines().any(|l| listed.contains(&l.trim().to_owned())),
                "{list} does not list {}",
                path.display()
            );
        }
    }
}

/// The names of the tests of a source, each with the first line of what it does.
fn tests(text: &str) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if !line.starts_with("#[test]") && !line.starts_with("#[tokio::test") {
            continue;
        }
        let head = lines.find(|l| !l.starts_with('#')).unwrap_or_default();
        let (_, name) = head.split_once("fn ").unwrap_or_default();
        let name = name.split('(').next().unwrap_or_default();
        found.push((name, lines.next().unwrap_or_default().trim()));
    }
    found
}

#[test]
fn whatever_needs_the_machine_for_itself_waits_until_it_has_it() {
    for (path, text) in files("tests/system", ".rs") {
        for (name, first) in tests(&text) {
            assert_eq!(
                first,
                "let _alone = alone();",
                "{}: {name} does not begin with it",
                path.display()
            );
        }
    }
}

#[test]
fn the_smoke_tests_are_there() {
    let system = files("tests/system", ".rs");
    let there: Vec<String> = system
        .iter()
        .flat_map(|(path, text)| {
            let module = path.file_stem().unwrap().to_str().unwrap();
            let name = move |(name, _)| format!("{module}::{name}");
            tests(text).into_iter().map(name)
        })
        .collect();
    let smoke = fs::read_to_string(root().join(".ci/smoke")).unwrap();
    let smoke = smoke.lines().map(|l| l.split('#').next().unwrap().trim());
    let smoke: Vec<&str> = smoke.filter(|l| l.contains("::")).collect();
    assert!(smoke.len() >= 8, "{smoke:?}");
    for name in smoke {
        assert!(
            there.iter().any(|t| t == name),
            ".ci/smoke names {name}, which is no test of tests/system"
        );
    }
}

/// What makes a test's outcome depend on how busy the machine is, or on luck, with the remedy.
const LUCK: &[(&str, &str)] = &[
    (
        "elapsed() <",
        "wait with patience::eventually, until or wait_for; what measures goes to tests/system",
    ),
    (
        "timeout(Duration::from",
        "the only limit is PATIENCE; count rounds, or wait for an event",
    ),
    ("eventually(Duration::from", "the only limit is PATIENCE"),
    (
        "fastrand::u",
        "take fastrand::Rng::with_seed(support::seed(7))",
    ),
    ("thread_rng", "take a seed that is printed"),
    (
        "sleep(Duration::from_secs",
        "wait for the event, or move the test's clock",
    ),
];

/// Where a line of a test leaves its outcome to luck.
fn luck(text: &str) -> Vec<(usize, &'static str, &'static str)> {
    let mut found = Vec::new();
    for (line, code) in code(text) {
        for (what, instead) in LUCK {
            let whole =
                |at: usize| !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
            if code.match_indices(what).any(|(at, _)| whole(at)) {
                found.push((line, *what, *instead));
            }
        }
    }
    found
}

#[test]
fn no_test_of_the_gate_depends_on_luck_or_on_a_quick_machine() {
    let mut found = Vec::new();
    for (path, text) in product()
        .into_iter()
        .chain(files("tests/it", ".rs"))
        .chain(files("tests/support", ".rs"))
    {
        // This file names them, and the one place that waits has the limit of all.
        if path.ends_with("it/house.rs") || path.ends_with("support/patience.rs") {
            continue;
        }
        let beside = path.to_str().unwrap().ends_with("tests.rs") || path.starts_with("tests");
        let begin = match text.find("\nmod tests {") {
            _ if beside => 0,
            Some(begin) => begin,
            None => continue,
        };
        let before = text[..begin].matches('\n').count();
        for (line, what, instead) in luck(&text[begin..]) {
            let line = line + before;
            found.push(format!("{}:{line}: {what}: {instead}", path.display()));
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn the_rule_of_luck_can_fail() {
    assert_eq!(luck("    assert!(begin.elapsed() < LIMIT);").len(), 1);
    assert_eq!(luck("    let n = fastrand::u64(0..50);").len(), 1);
    assert_eq!(luck("    timeout(Duration::from_millis(20), x)").len(), 1);
    assert_eq!(
        luck("    rt.shutdown_timeout(Duration::from_millis(9))"),
        []
    );
    assert_eq!(luck("    assert!(begin.elapsed() >= PULSE);").len(), 0);
    assert_eq!(luck("    fastrand::Rng::with_seed(7).u64(..)").len(), 0);
}

#[test]
fn nothing_is_left_to_be_done_later() {
    // Written apart, so that this file passes its own rule.
    let marks = [["TO", "DO"], ["FIX", "ME"], ["XX", "X"], ["HA", "CK"]].map(|m| m.concat());
    let mut found = Vec::new();
    for (folder, ending) in [
        ("src", ".rs"),
        ("tests", ".rs"),
        ("benches", ".rs"),
        ("docs", ".md"),
        ("assets", ".toml"),
    ] {
        for (path, text) in files(folder, ending) {
            for (i, line) in text.lines().enumerate() {
                let mut words = line.split(|c: char| !c.is_alphanumeric());
                if words.any(|word| marks.iter().any(|mark| mark == word)) {
                    found.push(format!("{}:{}: {}", path.display(), i + 1, line.trim()));
                }
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// The targets of a Markdown text's links and pictures.
fn links(text: &str) -> Vec<&str> {
    let inline = text
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split_once(')'));
    let html = text
        .split("src=\"")
        .skip(1)
        .filter_map(|rest| rest.split_once('"'));
    inline
        .chain(html)
        .map(|(target, _)| target.split_whitespace().next().unwrap_or(""))
        .collect()
}

/// GitHub's anchor of a heading: lower case, spaces to dashes, punctuation gone.
fn anchor(heading: &str) -> String {
    let kept = heading.trim().to_lowercase();
    let kept = kept
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[test]
fn links_in_the_documents_lead_somewhere() {
    let mut documents = files("docs", ".md");
    for name in [
        "README.md",
        "README.ja.md",
        "ARCHITECTURE.md",
        "CHANGELOG.md",
    ] {
        documents.insert(name.into(), fs::read_to_string(root().join(name)).unwrap());
    }
    let mut broken = Vec::new();
    for (path, text) in &documents {
        for link in links(text) {
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() {
                root().join(path)
            } else {
                root()
                    .join(path.parent().unwrap_or(Path::new("")))
                    .join(file)
            };
            let there = target.exists()
                && (heading.is_empty()
                    || fs::read_to_string(&target).is_ok_and(|text| {
                        text.lines().any(|l| {
                            l.starts_with('#') && anchor(l.trim_start_matches('#')) == heading
                        })
                    }));
            if !there {
                broken.push(format!("{}: {link}", path.display()));
            }
        }
    }
    assert!(
        broken.is_empty(),
        "links that lead nowhere:\n{}",
        broken.join("\n")
    );
}

/// The places in the code that a text names in backticks, such as `state::tests`.
fn places_in_code(text: &str) -> impl Iterator<Item = &str> {
    let quoted = text.split('`').skip(1).step_by(2);
    let is_path = |p: &&str| {
        let steps: Vec<_> = p.split("::").collect();
        let is_name =
            |s: &&str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        steps.len() > 1 && steps.iter().all(is_name)
    };
    quoted.filter(is_path)
}

#[test]
fn what_the_documents_say_about_the_code_is_there() {
    let mut documents = files("docs", ".md");
    let architecture = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    documents.insert("ARCHITECTURE.md".into(), architecture);
    let mut sources = product();
    for folder in ["tests", "pixels"] {
        sources.extend(files(folder, ".rs"));
    }
    // Modules by their files, everything else by its declaration.
    let mut known: std::collections::BTreeSet<String> = sources
        .keys()
        .flat_map(|path| {
            path.with_extension("")
                .iter()
                .map(|s| s.to_string_lossy().into_owned())
                .collect::<Vec<_>>()
        })
        .collect();
    let declares = regex::Regex::new(r"\b(?:fn|struct|enum|trait|type|const|mod) (\w+)").unwrap();
    for text in sources.values() {
        known.extend(declares.captures_iter(text).map(|c| c[1].to_owned()));
    }
    let (mut seen, mut missing) = (0, Vec::new());
    for (path, text) in &documents {
        for place in places_in_code(text) {
            seen += 1;
            if let Some(step) = place.split("::").find(|step| !known.contains(*step)) {
                missing.push(format!("{}: `{place}`: there is no {step}", path.display()));
            }
        }
    }
    assert!(seen > 40, "{seen} places");
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

#[test]
fn the_documents_name_the_version_and_the_licence_texts_are_there() {
    let changelog = fs::read_to_string(root().join("CHANGELOG.md")).unwrap();
    let version = env!("CARGO_PKG_VERSION");
    assert!(
        changelog.contains(&format!("## {version}")),
        "CHANGELOG.md lacks {version}"
    );
    for licence in ["LICENSE-MIT", "LICENSE-APACHE"] {
        let text = fs::read_to_string(root().join(licence)).unwrap();
        assert!(text.len() > 900, "{licence}");
    }
}
