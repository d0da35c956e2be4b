//! Old names of configuration keys: files of the version before still work, and nothing that people
//! copy from or read has such a key. Goes with `src/config/old_keys.rs` in 0.2.

use crate::config::{folder, names};
use crate::support::{root, yobiban};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use yobiban::config::{load_hub, load_node, old_names};

/// Files as the version before wrote them, with every key it had.
#[test]
fn files_of_the_version_before_mean_what_they_meant() {
    let old = folder("old");
    let mut seen = 0;
    for case in names(&old, ".toml") {
        let path = old.join(format!("{case}.toml"));
        let valid = folder("valid").join(format!("{case}.toml"));
        let today = match case.as_str() {
            "node-example" => root().join("assets/config/node.toml"),
            "hub-example" => root().join("assets/config/hub.toml"),
            _ => valid.clone(),
        };
        // Files that they name are beside the valid ones.
        let dir = tempfile::tempdir().unwrap();
        copy(&folder("valid"), dir.path());
        let place = dir.path().join("file.toml");
        let read = |from: &Path| {
            fs::copy(from, &place).unwrap();
            if case.starts_with("hub") {
                format!("{:#?}", load_hub(&place).unwrap())
            } else {
                format!("{:#?}", load_node(&place).unwrap())
            }
        };
        assert_eq!(read(&path), read(&today), "{case}");
        seen += old_names(&path).len();
        assert_eq!(old_names(&today), [], "{case}");
    }
    assert!(seen >= 20, "{seen} old names in them");
}

/// Whether a comment of an example is a key with its default.
fn is_key(line: &str) -> bool {
    line.split_once(" = ").is_some_and(|(key, _)| {
        !key.is_empty() && key.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
    })
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            fs::create_dir(&to).unwrap();
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

#[test]
fn old_names_are_reported_with_file_line_and_new_name_in_the_users_language() {
    let check = |lang: &str| {
        let output = yobiban()
            .current_dir(folder("old"))
            .env("LC_ALL", lang)
            .env("NO_COLOR", "1")
            .args(["check", "node-voice.toml"])
            .output()
            .unwrap();
        String::from_utf8(output.stderr).unwrap()
    };
    let english = check("C");
    let wanted = "node-voice.toml:30: voice.hours[0].speak was renamed: write detail";
    assert!(english.contains(wanted), "{english}");
    assert!(!english.contains("古い名前"), "{english}");
    let japanese = check("ja_JP.UTF-8");
    let wanted = "node-voice.toml:30: voice.hours[0].speak は古い名前です。detail に";
    assert!(japanese.contains(wanted), "{japanese}");
}

/// All files below a folder, but those of others that tests install.
fn below(folder: &Path) -> Vec<PathBuf> {
    if ["node_modules", "venv"]
        .iter()
        .any(|name| folder.ends_with(name))
    {
        return Vec::new();
    }
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(below(&path)),
            false => found.push(path),
        }
    }
    found.sort();
    found
}

/// The old names in a text, as a configuration.
fn in_text(text: &str, dir: &Path) -> Vec<String> {
    let file = dir.join("file.toml");
    fs::write(&file, text).unwrap();
    let found = old_names(&file).into_iter();
    found.map(|name| name.to_string()).collect()
}

/// What people copy from has no key that is about to go.
#[test]
fn no_configuration_uses_an_old_name() {
    let mut files = Vec::new();
    for dir in [
        "assets/config",
        "tests/fixtures/config/valid",
        "tests/fixtures/config/invalid",
        "tests/fixtures/inputs",
        "fuzz/seeds/config",
    ] {
        files.extend(below(&root().join(dir)));
    }
    let dir = tempfile::tempdir().unwrap();
    for file in &files {
        // Wrong configurations may be no text.
        let text = String::from_utf8_lossy(&fs::read(file).unwrap()).into_owned();
        assert_eq!(in_text(&text, dir.path()), [""; 0], "{}", file.display());
        // With what the examples have as comments: keys and their defaults.
        let uncommented = text.replace("\n#e.g. ", "\n");
        let keys = uncommented.lines().map(|line| {
            let key = line.strip_prefix("# ").filter(|l| is_key(l));
            key.unwrap_or(line).to_owned() + "\n"
        });
        let text = keys.collect::<String>();
        assert_eq!(in_text(&text, dir.path()), [""; 0], "{}", file.display());
    }
    assert!(files.len() > 200, "{} configurations", files.len());
}

/// Old keys that nothing else is called.
const ONLY_OLD: [&str; 9] = [
    "line_grace",
    "old_call_after",
    "min_show",
    "max_show",
    "crowded_places",
    "embed_from",
    "behind_tls",
    "keep_days",
    "[page]",
];

/// Old keys and words that mean something else elsewhere.
const ALSO_OLD: [&str; 8] = [
    "zone", "on", "places", "recent", "pause", "follow", "speak", "nothing",
];

/// Where they do.
const ELSEWHERE: [(&str, &str); 2] = [
    // A key of templates.
    ("serial.md", "| `pause` |"),
    // What a camera reads where no digit is lit.
    ("camera.md", "`why` is `nothing`"),
];

#[test]
fn no_document_uses_an_old_name() {
    let mut documents = vec![root().join("README.md"), root().join("README.ja.md")];
    let docs = below(&root().join("docs"));
    documents.extend(
        docs.into_iter()
            .filter(|f| f.extension() == Some("md".as_ref())),
    );
    let dir = tempfile::tempdir().unwrap();
    let (mut examples, mut elsewhere) = (0, BTreeSet::new());
    for file in &documents {
        let text = fs::read_to_string(file).unwrap();
        // But in the table of what was renamed.
        let text = text.split("## Renamed keys").next().unwrap();
        let shown = file.display();
        for word in ONLY_OLD {
            assert!(!text.contains(word), "{shown}: {word}");
        }
        for (i, part) in text.split("\n```").enumerate() {
            if i % 2 == 1 {
                let (kind, example) = part.split_once('\n').unwrap();
                assert_eq!(in_text(example, dir.path()), [""; 0], "{shown}: {example}");
                if kind == "toml" {
                    assert!(example.parse::<toml::Table>().is_ok(), "{shown}: {example}");
                    examples += 1;
                }
                continue;
            }
            for line in part.lines() {
                for word in ALSO_OLD {
                    if !line.contains(&format!("`{word}`"))
                        && !line.contains(&format!("`{word} = "))
                    {
                        continue;
                    }
                    let known = ELSEWHERE
                        .iter()
                        .position(|(name, words)| file.ends_with(name) && line.contains(words));
                    assert!(known.is_some(), "{shown}: {word}: {line}");
                    elsewhere.extend(known);
                }
            }
        }
    }
    assert!(examples >= 10, "{examples} examples");
    assert_eq!(elsewhere.len(), ELSEWHERE.len(), "exceptions that are none");
}

/// Whether a line gives a key a value as TOML does, also within a text of a program.
fn sets(line: &str, key: &str) -> bool {
    let line = line.replace("\\n", "\n");
    line.match_indices(&format!("{key} = ")).any(|(at, found)| {
        let before = line[..at].chars().next_back();
        let after = line[at + found.len()..].trim_start_matches('\\');
        let name = |c: char| c.is_alphanumeric() || "_.".contains(c);
        !before.is_some_and(name)
            && after.starts_with(|c: char| "\"[".contains(c) || c.is_ascii_digit())
    })
}

#[test]
fn a_key_is_found_in_toml_and_in_texts_of_programs_and_names_of_code_are_not() {
    for line in [
        "on = [\"08:00\"]",
        r#"text("[office]\non = \"x\"")"#,
        "{ on = 3 }",
    ] {
        assert!(sets(line, "on"), "{line}");
    }
    for line in [
        "let season = 3;",
        "let on = clock.now();",
        "if self.on == [1]",
    ] {
        assert!(!sets(line, "on"), "{line}");
    }
}

/// Configurations that tests and scripts make.
#[test]
fn no_test_and_no_script_uses_an_old_name() {
    // What old names are tested with, and templates of serial lines, which have a `pause`.
    const FREE: [&str; 5] = [
        "tests/fixtures/config/old",
        "tests/it/old_keys.rs",
        "tests/it/provision.rs",
        "tests/it/serial.rs",
        "tests/it/setup.rs",
    ];
    let mut files = below(&root().join("tests"));
    for dir in ["image", "packaging", "systemd", "fuzz/dictionaries"] {
        files.extend(below(&root().join(dir)));
    }
    let uses = |text: &str| {
        let only = ONLY_OLD.into_iter().find(|word| text.contains(word));
        let keys = ["zone", "on", "recent", "pause", "follow", "speak"];
        only.or_else(|| {
            keys.into_iter()
                .find(|key| text.lines().any(|line| sets(line, key)))
        })
    };
    let (mut texts, mut free) = (0, BTreeSet::new());
    for file in &files {
        let Ok(text) = fs::read_to_string(file) else {
            continue; // a picture or a sound
        };
        texts += 1;
        if let Some(word) = uses(&text) {
            let known = FREE
                .iter()
                .position(|free| file.starts_with(root().join(free)));
            assert!(known.is_some(), "{}: {word}", file.display());
            free.extend(known);
        }
    }
    assert_eq!(free.len(), FREE.len(), "exceptions that are none: {free:?}");
    assert!(texts > 300, "{texts} files");
}
