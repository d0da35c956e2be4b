//! The page for those who run it, held against the program.

use crate::support::{root, yobiban};
use std::fs;

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

/// The rows of a table, cell by cell, from the first cell of its head.
fn table(text: &str, head: &str) -> Vec<Vec<String>> {
    let (_, table) = text.split_once(&format!("\n| {head} |")).unwrap();
    let table = table.split("\n\n").next().unwrap();
    let rows = table.lines().skip(2); // the rest of the head, and the rule below it
    rows.map(|row| {
        let row = row.trim_start_matches("| ").trim_end_matches(" |");
        row.split(" | ").map(str::to_owned).collect()
    })
    .collect()
}

#[test]
fn every_issue_is_explained_and_no_other() {
    let source = read("src/health.rs");
    let word = |line: &str| {
        let (_, text) = line.trim().strip_prefix("Self::")?.split_once(" => \"")?;
        text.strip_suffix("\",").map(str::to_owned)
    };
    let mut known: Vec<String> = source.lines().filter_map(word).collect();
    assert!(known.len() >= 15, "{known:?}");
    known.sort();
    for (page, head) in [
        ("docs/operate.md", "word"),
        ("docs/reliability.md", "word"),
        ("docs/ja/operate.md", "語"),
    ] {
        let rows = table(&read(page), head);
        let mut told: Vec<_> = rows
            .iter()
            .filter_map(|row| Some(row[0].strip_prefix('`')?.split_once('`')?.0.to_owned()))
            .collect();
        told.sort();
        assert_eq!(told, known, "{page}");
    }
}

#[test]
fn the_japanese_page_calls_an_issue_as_the_page_of_all_nodes_does() {
    let source = read("src/hub/web/pages/fleet_labels.rs");
    let rows = table(&read("docs/ja/operate.md"), "語");
    assert!(rows.len() >= 15, "{rows:?}");
    for row in rows {
        assert_eq!(row.len(), 5, "{row:?}");
        let arm = format!("\"{}\" => \"{}\",", row[0].trim_matches('`'), row[1]);
        assert!(source.contains(&arm), "{arm}");
    }
}

/// What people type full-width, and what they are told then.
#[test]
fn the_japanese_guide_quotes_what_a_slip_of_the_keyboard_is_answered_with() {
    let rows = table(&read("docs/ja/install.md"), "書いたもの");
    assert!(rows.len() >= 5, "{rows:?}");
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("yobiban.toml");
    for row in rows {
        let (_, typed) = row[0].split_once('`').unwrap();
        let (typed, _) = typed.split_once('`').unwrap();
        fs::write(&file, format!("[office]\n{typed}\n")).unwrap();
        let mut check = yobiban();
        check.arg("check").arg(&file).env("LC_ALL", "ja_JP.UTF-8");
        let output = check.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains(&row[1]), "{}: {said}", row[1]);
    }
}

#[test]
fn the_japanese_guide_names_screens_and_rows_as_they_are() {
    let source = read("src/node/setup_status.rs");
    let text = read("docs/ja/install.md");
    let mut names: Vec<String> = table(&text, "画面")
        .iter()
        .map(|row| row[1].split("**").nth(1).unwrap().to_owned())
        .collect();
    for row in table(&text, "行") {
        let said = row[1].split(['（', '）']).next().unwrap();
        let (_, said) = said.split_once(' ').unwrap();
        names.extend([row[0].clone(), said.to_owned()]);
    }
    assert!(names.len() >= 15, "{names:?}");
    for name in names {
        assert!(source.contains(&format!("\"{name}")), "{name}");
    }
}
