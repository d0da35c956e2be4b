//! Rule of the house: no import circles. Two files that import each other are one file in two places.

use super::house::{code, files};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// A module by its steps from the crate: `camera::source::http` is the file of that name.
type Module = Vec<String>;

/// What a file brings into its scope by `use`: a name with its path.
type Bindings = BTreeMap<String, Vec<String>>;

/// The module that a file is, from the folder of the crate's sources.
fn module(path: &Path) -> Module {
    let mut steps: Module = path
        .with_extension("")
        .iter()
        .map(|step| step.to_string_lossy().into_owned())
        .collect();
    if steps
        .last()
        .is_some_and(|last| last == "mod" || last == "lib")
    {
        steps.pop();
    }
    steps
}

/// A source without comments and tests.
fn production(text: &str) -> String {
    let end = text.find("\n#[cfg(test)]\nmod tests {");
    let lines = code(&text[..end.unwrap_or(text.len())]);
    lines.map(|(_, line)| format!("{line}\n")).collect()
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Every path of a text, such as `super::quad::Rect`, by its steps; single words are none.
fn paths(text: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for word in text.split(|c: char| !is_word(c) && c != ':') {
        let steps: Vec<String> = word.split("::").map(str::to_owned).collect();
        if steps.len() > 1 && !steps[0].is_empty() {
            found.push(steps.into_iter().filter(|s| !s.is_empty()).collect());
        }
    }
    found
}

/// The paths of a `use` with the names that they are known by, braces taken apart.
fn expand(tree: &str, before: &[String], found: &mut Vec<(String, Vec<String>)>) {
    let tree = tree.trim();
    if let Some((head, group)) = tree.split_once('{') {
        let mut path = before.to_vec();
        path.extend(
            head.split("::")
                .map(str::trim)
                .filter(|s| !s.is_empty())
                .map(str::to_owned),
        );
        let group = group.trim_end().trim_end_matches('}');
        let (mut depth, mut start) = (0, 0);
        for (i, c) in group.char_indices().chain([(group.len(), ',')]) {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 0 => {
                    expand(&group[start..i], &path, found);
                    start = (i + 1).min(group.len());
                }
                _ => {}
            }
        }
        return;
    }
    let (path, alias) = match tree.split_once(" as ") {
        Some((path, alias)) => (path, Some(alias.trim())),
        None => (tree, None),
    };
    let mut steps = before.to_vec();
    steps.extend(
        path.split("::")
            .map(|s| s.trim().to_owned())
            .filter(|s| !s.is_empty()),
    );
    if steps.len() > 1 && steps.last().is_some_and(|last| last == "self") {
        steps.pop();
    }
    if let Some(last) = steps.last().cloned() {
        found.push((alias.map_or(last, str::to_owned), steps));
    }
}

/// What a source brings into its scope, and the rest of it.
fn uses(code: &str) -> (Vec<(String, Vec<String>)>, String) {
    let (mut found, mut rest, mut open) = (Vec::new(), String::new(), None::<String>);
    for line in code.lines() {
        let begins = || {
            let line = line.trim_start();
            let line = match line.strip_prefix("pub(") {
                Some(line) => line.split_once(')').map_or(line, |(_, line)| line),
                None => line.strip_prefix("pub").unwrap_or(line),
            };
            line.trim_start().strip_prefix("use ").map(str::to_owned)
        };
        match open.take().map(|text| text + " " + line).or_else(begins) {
            None => rest = rest + line + "\n",
            Some(text) => match text.split_once(';') {
                Some((tree, _)) => expand(tree, &[], &mut found),
                None => open = Some(text),
            },
        }
    }
    (found, rest)
}

/// The sources of one crate by their modules.
struct Sources {
    bindings: BTreeMap<Module, Bindings>,
    named: BTreeMap<Module, Vec<Vec<String>>>,
}

impl Sources {
    fn read(files: &BTreeMap<PathBuf, String>) -> Self {
        let (mut bindings, mut named) = (BTreeMap::new(), BTreeMap::new());
        for (path, text) in files {
            let module = module(path);
            if module.last().is_some_and(|name| name.ends_with("tests")) {
                continue;
            }
            let (uses, rest) = uses(&production(text));
            let mut all = paths(&rest);
            all.extend(uses.iter().map(|(_, path)| path.clone()));
            named.insert(module.clone(), all);
            bindings.insert(module, uses.into_iter().collect());
        }
        Self { bindings, named }
    }

    /// The file that a path leads to, as it is written in a module; `None` for other crates.
    fn target(&self, from: &Module, path: &[String], depth: u8) -> Option<Module> {
        let (first, mut rest) = path.split_first()?;
        let mut at = match first.as_str() {
            "crate" => Vec::new(),
            "self" => from.clone(),
            "super" => from[..from.len().checked_sub(1)?].to_vec(),
            name => {
                let mut child = from.clone();
                child.push(name.to_owned());
                if self.bindings.contains_key(&child) {
                    child
                } else {
                    let bound = self.bindings.get(from)?.get(name)?;
                    if bound == path || depth == 0 {
                        return None;
                    }
                    let whole: Vec<String> = bound.iter().chain(rest).cloned().collect();
                    return self.target(from, &whole, depth - 1);
                }
            }
        };
        while let Some((next, after)) = rest.split_first() {
            if next == "super" {
                at.pop()?;
            } else {
                let mut child = at.clone();
                child.push(next.clone());
                if self.bindings.contains_key(&child) {
                    at = child;
                } else if depth > 0
                    && let Some(bound) = self.bindings.get(&at).and_then(|b| b.get(next))
                {
                    // Handed on by its parent: what counts is where it is.
                    let bound = bound.clone();
                    return self.target(&at, &bound, depth - 1).or(Some(at));
                } else {
                    break;
                }
            }
            rest = after;
        }
        Some(at)
    }

    /// For each folder, which of its parts import which others. A folder within it is one part; a
    /// parent and its children belong together and may know each other.
    fn imports(&self) -> BTreeMap<Module, BTreeMap<String, BTreeSet<String>>> {
        let mut all: BTreeMap<Module, BTreeMap<String, BTreeSet<String>>> = BTreeMap::new();
        for (from, paths) in &self.named {
            for to in paths.iter().filter_map(|path| self.target(from, path, 8)) {
                let shared = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
                if let (Some(a), Some(b)) = (from.get(shared), to.get(shared)) {
                    let folder = all.entry(from[..shared].to_vec()).or_default();
                    folder.entry(a.clone()).or_default().insert(b.clone());
                }
            }
        }
        all
    }
}

/// The circles of a crate's sources, each as `folder: a <-> b`, all of its parts in order.
fn circles(files: &BTreeMap<PathBuf, String>) -> Vec<String> {
    let mut found = Vec::new();
    for (folder, imports) in Sources::read(files).imports() {
        let reach = |from: &String| {
            let (mut seen, mut open) = (BTreeSet::new(), vec![from]);
            while let Some(at) = open.pop() {
                for next in imports.get(at).into_iter().flatten() {
                    if seen.insert(next.clone()) {
                        open.push(next);
                    }
                }
            }
            seen
        };
        let reached: BTreeMap<&String, BTreeSet<String>> =
            imports.keys().map(|part| (part, reach(part))).collect();
        let mut told: BTreeSet<&String> = BTreeSet::new();
        for (part, beyond) in &reached {
            let back = |other: &&String| reached.get(*other).is_some_and(|r| r.contains(*part));
            let ring: Vec<&String> = beyond.iter().filter(back).collect();
            if ring.is_empty() || ring.iter().any(|part| told.contains(*part)) {
                continue;
            }
            told.extend(reached.keys().filter(|part| ring.contains(*part)));
            let ring: Vec<&str> = ring.into_iter().map(String::as_str).collect();
            found.push(format!("{}: {}", folder.join("::"), ring.join(" <-> ")));
        }
    }
    found
}

fn sources(folder: &str) -> BTreeMap<PathBuf, String> {
    let inside =
        |(path, text): (PathBuf, String)| Some((path.strip_prefix(folder).ok()?.to_owned(), text));
    files(folder, ".rs")
        .into_iter()
        .filter_map(inside)
        .collect()
}

#[test]
fn no_files_import_each_other() {
    let mut found = circles(&sources("src"));
    found.extend(circles(&sources("pixels/src")));
    assert!(
        found.is_empty(),
        "import circles: move what both need into a file of its own\n{found:#?}"
    );
}

#[test]
fn the_rule_of_circles_can_fail() {
    let found = |files: &[(&str, &str)]| {
        let files = files
            .iter()
            .map(|(path, text)| (PathBuf::from(path), (*text).to_owned()));
        circles(&files.collect())
    };
    // Straight, and however it is written.
    let quad = ("camera/quad.rs", "pub struct Quad;");
    for (path, text) in [
        ("camera/quad.rs", "use super::picture::MAX;"),
        (
            "camera/quad.rs",
            "use super::{\n    picture::{MAX, MIN},\n    rank,\n};",
        ),
        ("camera/quad.rs", "use crate::camera::picture;"),
        (
            "camera/quad.rs",
            "fn f() -> u32 {\n    super::picture::MAX\n}",
        ),
        ("camera/quad.rs", "use super::Picture;"),
        (
            "camera/quad/mod.rs",
            "use super::picture as film;\nfn f() { film::g() }",
        ),
        ("camera/quad/deep.rs", "use super::super::picture::MAX;"),
    ] {
        let quad = if path.ends_with("mod.rs") {
            None
        } else {
            Some(quad)
        };
        let mut circle = vec![
            (
                "camera/mod.rs",
                "mod picture;\nmod quad;\npub use picture::Picture;",
            ),
            ("camera/picture.rs", "use super::quad::Quad;"),
        ];
        circle.extend(quad.into_iter().chain([(path, text)]));
        assert_eq!(
            found(&circle),
            ["camera: picture <-> quad"],
            "{path}: {text}"
        );
    }
    // Over a third.
    let round = [
        ("a/mod.rs", "mod x;"),
        ("a/x.rs", "use super::y::Y;"),
        ("a/y.rs", "use super::z::Z;"),
        ("a/z.rs", "pub(super) use super::x::{self, X};"),
    ];
    assert_eq!(found(&round), ["a: x <-> y <-> z"]);
    // Parents and children, tests, comments and other crates are none.
    let none = [
        ("a/mod.rs", "mod x;\nmod y;\nuse x::X;\npub struct A;"),
        ("a/x.rs", "use super::A;\nuse super::y::Y;"),
        (
            "a/y.rs",
            "// use super::x::X;\nuse tokio::x::X;\n#[cfg(test)]\nmod tests {\n    use super::super::x::X;\n}",
        ),
        ("a/y_tests.rs", "use super::x::X;"),
    ];
    assert_eq!(found(&none), Vec::<String>::new());
}
