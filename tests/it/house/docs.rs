//! What is public says what it is: every module, type, function and constant. Fields and variants
//! need a doc only where name and type leave something open (a unit, a range, `None`), so no lint of
//! the compiler's asks for it: it would ask for all of them, and get "The name." for an answer.

use super::product;
use regex::Regex;

/// The lines that declare something public without a doc above them, as `path:line: text`.
fn undocumented(path: &str, text: &str) -> Vec<String> {
    let declares = Regex::new(
        r"^\s*pub (?:async |const |unsafe )*(?:fn|struct|enum|trait|type|const|static) ",
    )
    .unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let end = lines.iter().position(|l| l.starts_with("mod tests {"));
    let own = &lines[..end.unwrap_or(lines.len())];
    let mut found = Vec::new();
    if !lines.first().is_some_and(|l| l.starts_with("//!")) {
        found.push(format!("{path}:1: a module without a doc"));
    }
    for (i, line) in own.iter().enumerate() {
        if !declares.is_match(line) {
            continue;
        }
        let mut above = own[..i].iter().rev().map(|l| l.trim());
        // Attributes stand between, also of several lines.
        let doc = above
            .by_ref()
            .take_while(|l| !l.is_empty() && !l.ends_with('}') && !l.ends_with(';'))
            .any(|l| l.starts_with("///"));
        if !doc {
            found.push(format!("{path}:{}: {}", i + 1, line.trim()));
        }
    }
    found
}

#[test]
fn what_is_public_says_what_it_is() {
    let mut found = Vec::new();
    for (path, text) in product() {
        let path = path.display().to_string();
        if !path.contains("tests") {
            found.extend(undocumented(&path, &text));
        }
    }
    assert!(found.is_empty(), "without a doc:\n{}", found.join("\n"));
}

#[test]
fn the_rule_of_docs_can_fail() {
    let count = |text: &str| undocumented("a.rs", text).len();
    assert_eq!(
        count("//! A module.\n\n/// A type.\n#[derive(Debug)]\npub struct A;\n"),
        0
    );
    assert_eq!(
        count("//! A module.\n\n#[derive(Debug)]\npub struct A;\n"),
        1
    );
    assert_eq!(count("pub(crate) fn a() {}\n"), 1, "no doc of the module");
    assert_eq!(
        count(
            "//! A module.\nimpl A {\n    /// Does.\n    #[must_use]\n    pub const fn a() {}\n\n    pub fn b() {}\n}\n"
        ),
        1
    );
    assert_eq!(
        count("//! A module.\nmod tests {\n    pub fn a() {}\n}\n"),
        0
    );
}
