//! The rooms within a module: they stand in an order, and none imports a higher one. No two files
//! import one another.

use super::files;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The rooms of `hub`, the lowest first: each may import those before it. A room of another one
/// (`web::parts` of `web`) has a place of its own. `hub/mod.rs` joins them and is imported by none.
const HUB: &[&str] = &[
    "incoming",
    "view",
    "registry",
    "stats",
    "content",
    "live",
    "history",
    "predictions",
    "metrics",
    "speech",
    "core",
    "web::request",
    "web::route",
    "web::headers",
    "web::parts",
    "web::data",
    "web::pages",
    "web::events",
    "web::openapi",
    "web::routes",
    "web::router",
    "web::server",
    "web",
];

/// The module of a file: `hub::web` of `src/hub/web/mod.rs`.
fn module(path: &Path) -> Vec<String> {
    let path = path.strip_prefix("src").unwrap().with_extension("");
    let mut steps: Vec<String> = path
        .iter()
        .map(|s| s.to_str().unwrap().to_owned())
        .collect();
    if steps.last().is_some_and(|s| s == "mod") {
        steps.pop();
    }
    steps
}

/// The name that a text begins with.
fn name(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_');
    &text[..end.unwrap_or(text.len())]
}

/// All paths of a tree such as `a::{b, c::{self, d}}` after `before`, and what follows the tree.
fn expand<'a>(before: &[String], text: &'a str, found: &mut impl FnMut(Vec<String>)) -> &'a str {
    let text = text.trim_start();
    let Some(mut rest) = text.strip_prefix('{') else {
        let name = name(text);
        let mut path = before.to_vec();
        if !name.is_empty() && name != "self" {
            path.push(name.to_owned());
        }
        let after = &text[name.len()..];
        return match after.strip_prefix("::") {
            Some(after) if !name.is_empty() => expand(&path, after, found),
            _ => {
                found(path);
                after
            }
        };
    };
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == ',');
        match rest.strip_prefix('}') {
            Some(after) => return after,
            None if rest.is_empty() => return rest,
            None => {}
        }
        rest = expand(before, rest, found);
        // What stands between a path and the next comma: `*`, or `as` with a name.
        rest = &rest[rest.find([',', '}']).unwrap_or(rest.len())..];
    }
}

/// What a source of `module` names by `crate::` or `super::`: line and path from the crate's root.
fn named(module: &[String], text: &str) -> Vec<(usize, Vec<String>)> {
    let mut code = String::with_capacity(text.len());
    let mut within = Vec::new(); // by line: whether it stands in a module within the file
    let mut inline = false;
    for line in text.lines() {
        inline |= line.starts_with("mod ") && line.ends_with('{');
        within.push(inline);
        inline &= line != "}";
        if !line.trim_start().starts_with("//") {
            code.push_str(line);
        }
        code.push('\n');
    }
    let mut all = Vec::new();
    let mut done = 0;
    for (at, begin) in code
        .match_indices("crate::")
        .chain(code.match_indices("super::"))
    {
        let (before, mut rest) = (&code[..at], &code[at + begin.len()..]);
        // `some_crate::`, `$crate::`, `super::super::` (read from its begin), `pub(in crate::…)`.
        let of_another = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$' | ':');
        if before.ends_with(of_another) || before.ends_with("(in ") {
            continue;
        }
        done += 1;
        let line = before.matches('\n').count();
        let mut base = match begin {
            "crate::" => Vec::new(),
            _ => module[..module.len() - usize::from(!within[line])].to_vec(),
        };
        while let Some(more) = rest.strip_prefix("super::") {
            base.pop();
            rest = more;
        }
        expand(&base, rest, &mut |path| all.push((line + 1, path)));
    }
    assert!(all.len() >= done);
    all
}

/// The imports within the module `root` that go to a higher room, or to the module itself; and
/// files without a room, and rooms without a file.
fn upward(root: &str, rooms: &[&str], sources: &BTreeMap<PathBuf, String>) -> Vec<String> {
    // The room of a path: the longest that it begins with.
    let room = |path: &[String]| {
        let path = path[1..].join("::");
        let is_in = |room: &str| {
            path.strip_prefix(room)
                .is_some_and(|r| r.is_empty() || r.starts_with("::"))
        };
        (0..rooms.len())
            .filter(|i| is_in(rooms[*i]))
            .max_by_key(|i| rooms[*i].len())
    };
    let mut wrong = Vec::new();
    let mut inhabited = vec![false; rooms.len()];
    for (path, text) in sources {
        let module = module(path);
        if module[0] != root || module.len() == 1 {
            continue;
        }
        let Some(from) = room(&module) else {
            wrong.push(format!("{}: has no room in {root}", path.display()));
            continue;
        };
        inhabited[from] = true;
        for (line, to) in named(&module, text) {
            if to.first().is_none_or(|step| step != root) {
                continue;
            }
            let rule = match room(&to) {
                Some(room) if room > from => rooms[room],
                None => root,
                Some(_) => continue,
            };
            wrong.push(format!(
                "{}:{line}: {} may not import upward, {}: it is of {rule}",
                path.display(),
                rooms[from],
                to.join("::")
            ));
        }
    }
    let empty = inhabited.iter().zip(rooms).filter(|(has, _)| !**has);
    wrong.extend(empty.map(|(_, room)| format!("{root}::{room}: there is no such room")));
    wrong
}

/// Files of the module `root` that import one another, directly or through others, each circle by
/// its files. A file that declares another (`mod x;`) counts as importing it, so one that imports
/// what a module around it declares is in a circle too.
fn circles(root: &str, sources: &BTreeMap<PathBuf, String>) -> Vec<String> {
    let modules: BTreeMap<Vec<String>, &String> = sources
        .iter()
        .map(|(path, text)| (module(path), text))
        .filter(|(module, _)| module[0] == root)
        .collect();
    let file = |path: &[String]| {
        (1..=path.len())
            .rev()
            .find(|n| modules.contains_key(&path[..*n]))
    };
    let mut imports: BTreeMap<&[String], BTreeSet<Vec<String>>> = BTreeMap::new();
    for (module, text) in &modules {
        let to = imports.entry(module).or_default();
        let named = named(module, text).into_iter();
        to.extend(named.filter_map(|(_, path)| file(&path).map(|n| path[..n].to_vec())));
        let within = |m: &&Vec<String>| m.len() == module.len() + 1 && m.starts_with(module);
        to.extend(modules.keys().filter(within).cloned());
        to.remove(module);
    }
    // What imports nothing that is left is in no circle; what remains is, or leads to one.
    loop {
        let free = imports.iter().filter(|(_, to)| to.is_empty());
        let free: Vec<Vec<String>> = free.map(|(module, _)| module.to_vec()).collect();
        if free.is_empty() {
            break;
        }
        imports.retain(|_, to| !to.is_empty());
        for to in imports.values_mut() {
            to.retain(|module| !free.contains(module));
        }
    }
    // Follow the first import of each until one comes again.
    let mut found = BTreeSet::new();
    for begin in imports.keys() {
        let mut way: Vec<&[String]> = vec![begin];
        while let Some(next) = imports[way[way.len() - 1]].first() {
            if let Some(at) = way.iter().position(|module| module == next) {
                let mut circle: Vec<String> = way[at..].iter().map(|m| m.join("::")).collect();
                circle.sort();
                found.insert(circle.join(" <-> "));
                break;
            }
            way.push(next);
        }
    }
    found.into_iter().collect()
}

#[test]
fn no_files_of_the_hub_import_one_another() {
    let circles = circles("hub", &files("src/hub", ".rs"));
    assert!(circles.is_empty(), "{}", circles.join("\n"));
}

#[test]
fn the_rule_of_circles_can_fail() {
    let circles = |texts: &[(&str, &str)]| {
        let sources = texts
            .iter()
            .map(|(path, text)| ((*path).into(), (*text).into()));
        circles("a", &sources.collect())
    };
    let of_two = [
        ("src/a/b.rs", "use super::c::C;"),
        ("src/a/c.rs", "use crate::a::b::B;"),
    ];
    assert_eq!(circles(&of_two), ["a::b <-> a::c"]);
    let of_three = [
        ("src/a/b.rs", "use super::c::C;"),
        ("src/a/c.rs", "use super::d::D;"),
        ("src/a/d.rs", "use super::b::B;"),
        ("src/a/e.rs", "use super::b::B;"),
    ];
    assert_eq!(circles(&of_three), ["a::b <-> a::c <-> a::d"]);
    let with_the_parent = [
        ("src/a/b/mod.rs", "mod c;"),
        ("src/a/b/c.rs", "use super::B;"),
    ];
    assert_eq!(circles(&with_the_parent), ["a::b <-> a::b::c"]);
    let none = [
        ("src/a/mod.rs", "mod b;"),
        (
            "src/a/b.rs",
            "use super::c::C;\nmod tests {\n    use super::*;\n}",
        ),
        ("src/a/c.rs", "use crate::other::b;"),
    ];
    assert_eq!(circles(&none), Vec::<String>::new());
}

#[test]
fn rooms_of_the_hub_import_only_lower_ones() {
    let wrong = upward("hub", HUB, &files("src/hub", ".rs"));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_rule_of_rooms_can_fail() {
    const ROOMS: &[&str] = &["low", "web::parts", "web"];
    let upward = |path: &str, text: &str| {
        let mut sources: BTreeMap<PathBuf, String> = [
            "src/a/mod.rs",
            "src/a/low.rs",
            "src/a/web/parts.rs",
            "src/a/web/mod.rs",
        ]
        .map(|p| (p.into(), String::new()))
        .into();
        sources.insert(path.into(), text.into());
        upward("a", ROOMS, &sources)
    };
    let count = |path: &str, text: &str| upward(path, text).len();
    // By each way of naming a higher room.
    assert_eq!(count("src/a/low.rs", "use crate::a::web::X;"), 1);
    assert_eq!(count("src/a/low.rs", "use super::web;"), 1);
    assert_eq!(
        count("src/a/low.rs", "use super::{low::Y, web::parts::{X, Z}};"),
        2
    );
    assert_eq!(count("src/a/web/parts.rs", "    let x = super::x();"), 1);
    assert_eq!(count("src/a/web/parts.rs", "use super::*;"), 1);
    assert_eq!(
        count("src/a/web/parts.rs", "use super::super::web::{self as w};"),
        1
    );
    // The module itself joins the rooms, and is none.
    assert_eq!(count("src/a/low.rs", "use crate::a;"), 1);
    assert_eq!(count("src/a/low.rs", "use super::Joined;"), 1);
    assert_eq!(count("src/a/mod.rs", "use web::X;"), 0);
    // Downward, beside, elsewhere; comments, visibilities, and tests within the file.
    assert_eq!(count("src/a/web/parts.rs", "use crate::a::low::X;"), 0);
    assert_eq!(
        count(
            "src/a/web/mod.rs",
            "use super::low;\nuse crate::a::web::parts;"
        ),
        0
    );
    assert_eq!(
        count(
            "src/a/low.rs",
            "use crate::b::web::X;\nuse other_crate::a::web;"
        ),
        0
    );
    assert_eq!(
        count(
            "src/a/low.rs",
            "// use super::web;\npub(in crate::a) struct X;"
        ),
        0
    );
    assert_eq!(
        count("src/a/low.rs", "mod tests {\n    use super::*;\n}"),
        0
    );
    assert_eq!(
        count("src/a/low.rs", "mod tests {\n    use super::super::web;\n}"),
        1
    );
    // A file and a room that do not know one another.
    assert_eq!(count("src/a/new.rs", ""), 1);
    assert_eq!(super::rooms::upward("a", ROOMS, &BTreeMap::new()).len(), 3);
    let text = upward("src/a/low.rs", "\nuse super::web::X;");
    assert_eq!(
        text,
        ["src/a/low.rs:2: low may not import upward, a::web::X: it is of web"]
    );
}
