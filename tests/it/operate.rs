//! The page for those who run it, held against the program.

use crate::support::root;

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap()
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
    for page in ["docs/operate.md", "docs/reliability.md"] {
        let text = read(page);
        let (_, table) = text.split_once("\n| word |").unwrap();
        let table = table.split("\n\n").next().unwrap();
        let rows = table.lines().filter_map(|l| l.strip_prefix("| `"));
        let mut told: Vec<_> = rows
            .filter_map(|l| Some(l.split_once('`')?.0.to_owned()))
            .collect();
        told.sort();
        assert_eq!(told, known, "{page}");
    }
}

#[test]
fn the_rules_for_alarms_name_figures_that_there_are() {
    let source = read("src/hub/stats.rs") + &read("src/hub/moment.rs");
    let text = read("docs/operate.md");
    let exprs: Vec<_> = text
        .lines()
        .filter_map(|l| l.trim().strip_prefix("expr: "))
        .collect();
    assert!(exprs.len() >= 4);
    for expr in exprs {
        for name in expr
            .split_whitespace()
            .filter(|w| w.starts_with("yobiban_"))
        {
            assert!(source.contains(&format!("\"{name}\"")), "{name}");
        }
    }
}
