//! Retired words: texts that people read use the field's terms, so that they can be searched.
//!
//! Held against this rule are the documents, the comments of the example configurations, the English
//! texts of the web pages, the help of the commands, and log and error texts. Code in backticks,
//! code blocks and link targets are free.

use crate::support::root;
use std::fs;
use std::path::{Path, PathBuf};

/// Retired words and phrases, and what to write. `a|b` stands for either word; letters' case,
/// line ends and the amount of white space do not matter, punctuation separates phrases.
const RETIRED: &[(&str, &str)] = &[
    ("glass", "screen"),
    ("box|boxes", "device"),
    ("rim", "outermost layer"),
    ("keeper", "file descriptor store, service manager"),
    ("tend|tends|tended|tending", "poll, keep alive"),
    ("foretell|foretells|foretold", "predict"),
    ("mend|mends|mended|mending", "fix"),
    ("trouble|troubles|troubled", "fault, disturbance, issue"),
    ("anew", "again"),
    ("aslant", "slanted"),
    ("doubled", "duplicate"),
    ("unsaid", "undeclared"),
    ("heard|hears", "received, connected, audible"),
    ("hear of", "receive"),
    ("believe|believes|believed", "trust, accept"),
    ("refuse|refuses", "reject"),
    ("is|are|was|were|be refused", "rejected"),
    ("refused in words", "rejected with a message"),
    ("is|are|was|were|be told", "reported, sent, shown"),
    ("whoever|whomever", "a noun, such as operator or visitor"),
    ("for|of|to who", "a noun, such as operator or visitor"),
    ("not fresh", "stale"),
    ("stand|stands|standing|stood out", "is highlighted"),
    ("go|goes|going|went on", "continue"),
    ("let|lets go", "drop, close"),
    ("asked for again", "requested again, resubscribed"),
    ("out of nothing", "without evidence"),
    ("without a word", "without a message"),
    ("no line to", "no connection to"),
    ("lost|slow line|lines", "connection"),
    (
        "line|lines to the|a|any broker|hub|node|office",
        "connection",
    ),
    ("line|lines is|are down|back|silent", "connection"),
];

/// Where a retired word is the right one. Each must still occur, or leaves this list.
const EXCEPTIONS: &[(&str, &str)] = &[
    // The rectangle of a text, and the shape that stands for a missing character.
    ("docs/board.md", "box"),
    // Arithmetic, and columns that a bad cable shows twice.
    ("docs/led.md", "doubled"),
    ("docs/wait.md", "doubled"),
];

/// Files and folders that are not rewritten yet. Each must still hold a retired word, or leaves
/// this list, and then stays clean.
const NOT_YET: &[&str] = &[];

/// Stands where something was left out, so that no phrase reaches across it.
const GAP: char = '\u{1}';

/// Macros, attributes and methods whose string literals are log or error texts.
const TEXTS_OF: &[&str] = &[
    "error!(",
    "warn!(",
    "info!(",
    "debug!(",
    "trace!(",
    "bail!(",
    "anyhow!(",
    "ensure!(",
    "#[error(",
    ".context(",
    "with_context(",
];

/// Sources all of whose string literals and documentation comments are shown to users.
const TEXTS_IN: &[&str] = &["src/cli/args.rs", "src/hub/web/pages/fleet_labels.rs"];

/// A retired phrase in a file.
#[derive(Debug, PartialEq, Eq)]
struct Found {
    line: usize,
    phrase: String,
    instead: &'static str,
}

/// The text with everything left out that `keep` does not want; the rest stays where it is.
fn masked(text: &str, mut keep: impl FnMut(usize) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        if c == '\n' || keep(at) {
            out.push(c);
        } else {
            // A gap for each byte, so that places are those of the text.
            out.extend(std::iter::repeat_n(GAP, c.len_utf8()));
        }
    }
    out
}

/// A Markdown text without code and link targets.
fn markdown(text: &str) -> String {
    let mut hidden = vec![false; text.len()];
    let (mut fence, mut start) = (None, 0);
    for line in text.split_inclusive('\n') {
        let end = start + line.len();
        if line.trim_start().starts_with("```") {
            match fence.take() {
                Some(from) => hidden[from..end].fill(true),
                None => fence = Some(start),
            }
        }
        start = end;
    }
    hidden[fence.unwrap_or(text.len())..].fill(true);
    let mut at = 0;
    while let Some(open) = text[at..].find('`').map(|i| at + i) {
        let inside = text.len() - text[open..].trim_start_matches('`').len();
        at = inside;
        if hidden[open] {
            continue;
        }
        let rest = &text[inside..];
        let paragraph = &rest[..rest.find("\n\n").unwrap_or(rest.len())];
        if let Some(close) = paragraph.find(&text[open..inside]) {
            at = inside + close + (inside - open);
            hidden[open..at].fill(true);
        }
    }
    for (open, _) in text.match_indices("](") {
        let close = text[open..].find(')').map_or(text.len(), |i| open + i);
        hidden[open..close].fill(true);
    }
    masked(text, |at| !hidden[at])
}

/// The comments of a TOML file, but for keys that are commented out.
fn toml_comments(text: &str) -> String {
    let line = |line: &str| {
        let Some(comment) = line.strip_prefix('#') else {
            return GAP.to_string();
        };
        let first = comment.split_whitespace().next().unwrap_or("");
        let key = first
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "_.".contains(c))
            && comment.trim_start()[first.len()..].starts_with(" = ");
        if key || comment.starts_with("e.g.") {
            GAP.to_string()
        } else {
            markdown(comment)
        }
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

/// What a stretch of a Rust or TOML source is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Code,
    Text,
    Doc,
    Comment,
}

/// The kind of each byte of a source whose comments begin with `comment`.
fn kinds(text: &str, comment: &str) -> Vec<Kind> {
    let bytes = text.as_bytes();
    let mut kinds = vec![Kind::Code; text.len()];
    let mut at = 0;
    while at < bytes.len() {
        let rest = &text[at..];
        let (len, kind) = if rest.starts_with(comment) {
            let kind = if rest.starts_with("///") {
                Kind::Doc
            } else {
                Kind::Comment
            };
            (rest.find('\n').unwrap_or(rest.len()), kind)
        } else if let Some(len) = raw_string(rest) {
            (len, Kind::Text)
        } else if rest.starts_with('"') {
            (quoted(rest), Kind::Text)
        } else if rest.starts_with("'\"'") || rest.starts_with("'\\\"'") {
            (rest[1..].find('\'').map_or(1, |i| i + 2), Kind::Code)
        } else {
            (rest.chars().next().map_or(1, char::len_utf8), Kind::Code)
        };
        let inside = match kind {
            // The marks themselves are code.
            Kind::Text => at + 1..(at + len - 1).max(at + 1),
            Kind::Doc => at + 3..at + len,
            _ => at..at + len,
        };
        kinds[inside].fill(kind);
        at += len;
    }
    kinds
}

/// The length of the literal that a text begins with.
fn quoted(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// The length of the raw literal that a text begins with, if it does.
fn raw_string(text: &str) -> Option<usize> {
    let hashes = text.strip_prefix('r')?;
    let inside = hashes.trim_start_matches('#').strip_prefix('"')?;
    let marks = hashes.len() - inside.len() - 1;
    let end = format!("\"{}", "#".repeat(marks));
    let begin = text.len() - inside.len();
    Some(begin + inside.find(&end)? + end.len())
}

/// The text with placeholders and escapes left out; a literal that continues on the next line is
/// one text.
fn plain(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars().peekable();
    let mut open = 0;
    while let Some(c) = chars.next() {
        match c {
            GAP => {
                // A literal has ended: its braces, balanced or not, end too.
                open = 0;
                out.push(GAP);
            }
            '\\' if chars.peek() == Some(&'\n') => out.push(' '),
            '\\' => {
                chars.next();
                out.push(GAP);
            }
            '{' => open += 1,
            '}' if open > 0 => {
                open -= 1;
                out.push(GAP);
            }
            '\n' => out.push('\n'),
            _ if open > 0 => {}
            _ => out.push(c),
        }
    }
    out
}

/// The values of a catalogue.
fn values(text: &str) -> String {
    let kinds = kinds(text, "#");
    plain(&masked(text, |at| kinds[at] == Kind::Text))
}

/// Whether a literal is an identifier, such as `feed-down`: these are code.
fn is_identifier(literal: &str) -> bool {
    literal.contains(['-', '_'])
        && literal
            .chars()
            .all(|c| c.is_ascii_lowercase() || "-_".contains(c))
}

/// Log and error texts of a source; with `all` every literal and every documentation comment.
fn texts(text: &str, all: bool) -> String {
    let kinds = kinds(text, "//");
    let mut wanted = vec![all; text.len()];
    let code = masked(text, |at| kinds[at] == Kind::Code);
    for opening in TEXTS_OF {
        for (begin, _) in code.match_indices(opening) {
            let mut depth = 0;
            for (at, c) in code[begin..].char_indices() {
                match c {
                    '(' => depth += 1,
                    ')' => depth -= 1,
                    _ => continue,
                }
                if depth == 0 {
                    wanted[begin..begin + at].fill(true);
                    break;
                }
            }
        }
    }
    let mut at = 0;
    for stretch in kinds.chunk_by(|a, b| a == b) {
        let range = at..at + stretch.len();
        at = range.end;
        if stretch[0] == Kind::Text && text.get(range.clone()).is_some_and(is_identifier) {
            wanted[range].fill(false);
        }
    }
    plain(&masked(text, |at| match kinds[at] {
        Kind::Text => wanted[at],
        Kind::Doc => all,
        _ => false,
    }))
}

/// The words of a text in lower case with their line; an empty one where a phrase ends.
fn words(text: &str) -> Vec<(usize, String)> {
    // Many gaps in a row end a phrase once.
    let end = |words: &mut Vec<(usize, String)>, number| {
        if words.last().is_some_and(|(_, word)| !word.is_empty()) {
            words.push((number, String::new()));
        }
    };
    let mut words = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let mut word = String::new();
        for c in line.chars().chain([' ']) {
            if c.is_alphanumeric() {
                word.extend(c.to_lowercase());
                continue;
            }
            if !word.is_empty() {
                words.push((number, std::mem::take(&mut word)));
            }
            if !c.is_whitespace() {
                end(&mut words, number);
            }
        }
        if line.trim().is_empty() {
            end(&mut words, number);
        }
    }
    words
}

/// Every retired phrase of a text.
fn retired(text: &str) -> Vec<Found> {
    let words = words(text);
    let mut found = Vec::new();
    for (phrase, instead) in RETIRED {
        let pattern: Vec<&str> = phrase.split(' ').collect();
        for here in words.windows(pattern.len()) {
            let fits =
                |(one, (_, word)): (&&str, &(usize, String))| one.split('|').any(|w| w == word);
            if pattern.iter().zip(here).all(fits) {
                let phrase: Vec<&str> = here.iter().map(|(_, word)| word.as_str()).collect();
                found.push(Found {
                    line: here[0].0,
                    phrase: phrase.join(" "),
                    instead,
                });
            }
        }
    }
    found.sort_by_key(|f| f.line);
    found
}

/// The files of a folder and of those in it whose name has the ending.
fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::from(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root().join(&folder)).unwrap() {
            let entry = entry.unwrap();
            let path = folder.join(entry.file_name());
            if entry.path().is_dir() {
                folders.push(path);
            } else if path.to_str().unwrap().ends_with(ending) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// Everything that people read, with the path that it is in.
fn everything() -> Vec<(String, String)> {
    let named = |path: &Path| path.to_str().unwrap().replace('\\', "/");
    let read = |path: &str| fs::read_to_string(root().join(path)).unwrap();
    let mut all: Vec<(String, String)> = Vec::new();
    let mut documents: Vec<String> = files("docs", ".md").iter().map(|p| named(p)).collect();
    documents.extend(["ARCHITECTURE.md", "CHANGELOG.md", "README.md"].map(String::from));
    all.extend(
        documents
            .into_iter()
            .map(|p| (p.clone(), markdown(&read(&p)))),
    );
    for path in files("assets/config", ".toml") {
        let path = named(&path);
        all.push((path.clone(), toml_comments(&read(&path))));
    }
    let catalogue = "assets/web/messages/en.toml";
    all.push((catalogue.into(), values(&read(catalogue))));
    for path in files("src", ".rs") {
        let path = named(&path);
        let shown = TEXTS_IN.contains(&path.as_str());
        all.push((path.clone(), texts(&read(&path), shown)));
    }
    for path in TEXTS_IN {
        assert!(all.iter().any(|(p, _)| p == path), "{path} is gone");
    }
    all
}

fn is_within(path: &str, entry: &str) -> bool {
    Path::new(path).starts_with(entry)
}

#[test]
fn retired_words_are_in_no_text_that_people_read() {
    let mut wrong = Vec::new();
    let mut excepted: Vec<(String, String)> = Vec::new();
    let mut unwritten: Vec<&str> = Vec::new();
    for (path, text) in everything() {
        let entry = NOT_YET.iter().find(|entry| is_within(&path, entry));
        for Found {
            line,
            phrase,
            instead,
        } in retired(&text)
        {
            if let Some(entry) = entry {
                unwritten.push(entry);
            } else if EXCEPTIONS.contains(&(path.as_str(), phrase.as_str())) {
                excepted.push((path.clone(), phrase));
            } else {
                wrong.push(format!("{path}:{line}: \"{phrase}\": write {instead}"));
            }
        }
    }
    for (path, phrase) in EXCEPTIONS {
        if !excepted.iter().any(|(p, f)| p == path && f == phrase) {
            wrong.push(format!(
                "{path} no longer has \"{phrase}\": take it off EXCEPTIONS"
            ));
        }
    }
    for entry in NOT_YET {
        if !unwritten.contains(entry) {
            wrong.push(format!(
                "{entry} has no retired word any more: take it off NOT_YET"
            ));
        }
    }
    assert!(wrong.is_empty(), "retired words:\n{}", wrong.join("\n"));
}

/// The phrases that are found in a text, with their lines.
fn found(text: &str) -> Vec<(usize, String)> {
    let found = retired(text).into_iter();
    found.map(|f| (f.line, f.phrase)).collect()
}

#[test]
fn retired_words_are_found_across_lines_and_not_in_code() {
    let at = |line: usize, phrase: &str| (line, phrase.to_owned());
    let text = "The call Stands\nout on the **glass**.\n\n`glass` and [a link](glass.md)\n\
                ```toml\nglass = 1\n```\na ticket stands. Out of a printer; stands `x` out\nboxer";
    assert_eq!(
        found(&markdown(text)),
        [at(1, "stands out"), at(2, "glass")]
    );
    let text = "# Keeps the\n# glass clean.\n# glass = 1\n#e.g. glass = \"glass\"\nglass = 2\n";
    assert_eq!(found(&toml_comments(text)), [at(2, "glass")]);
    let text = "# glass\nglass = \"On {glass} the\\nglass\"\n";
    assert_eq!(found(&values(text)), [at(2, "glass")]);
}

#[test]
fn retired_words_are_found_in_log_and_error_texts_only() {
    let at = |line: usize, phrase: &str| (line, phrase.to_owned());
    let text = "//! glass\n/// glass\nfn f() {\n    tracing::warn!(x = %g(\"glass\"), \"the picture \
                goes \\\n        on; {glass}\");\n    let a = ['\"', \"glass\"]; // \"glass\" warn!(\n    \
                info!(r#\"the \"glass\"\"#);\n    #[error(\"rim\")]\n    x.context(\"box\");\n}\n";
    let logs = [
        at(4, "glass"),
        at(4, "goes on"),
        at(7, "glass"),
        at(8, "rim"),
        at(9, "box"),
    ];
    assert_eq!(found(&texts(text, false)), logs);
    assert_eq!(
        found(&texts(text, true)).len(),
        logs.len() + 2,
        "all literals, the item's doc"
    );
    let text = "fn f() { match x { \"glass-lost\" => \"glass\", _ => \"on-the glass\" } }";
    assert_eq!(
        found(&texts(text, true)),
        [at(1, "glass"), at(1, "glass")],
        "no identifiers"
    );
}
