//! The table: a line for each node, checked by the checks of the configuration itself.

use super::TLS_FILES;
use super::brokers::{guests, reaches_others, tickets};
use super::row::Row;
use crate::config;
use crate::config::keyboard::narrow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;
use toml::{Table as Toml, Value};

/// The columns: name, whether it must be there, and what stands in it.
const COLUMNS: [(&str, bool, &str); 7] = [
    ("office", true, "the office's id, such as chuo"),
    ("office_ja", true, "the office's name in Japanese"),
    ("office_en", false, "the office's name in English"),
    ("node", true, "the node's id, such as n1"),
    (
        "broker",
        true,
        "the broker of the feed, such as mqtts://broker.example.jp",
    ),
    (
        "uplink",
        false,
        "the broker of the reports, where it is another",
    ),
    (
        "queues",
        true,
        "ID=JAPANESE or ID=JAPANESE/ENGLISH, separated by semicolons; fast lanes as ID*=…",
    ),
];

/// Most lines: what the largest city could have, many times.
const MAX_ROWS: usize = 5000;

/// A table that is in order.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) rows: Vec<Row>,
}

/// Everything that is wrong with a table, one line each: `FILE:LINE: COLUMN = VALUE: expected …`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableError {
    problems: Vec<String>,
}

impl TableError {
    /// A single problem.
    pub(super) fn whole(problem: String) -> Self {
        Self {
            problems: vec![problem],
        }
    }
}

impl fmt::Display for TableError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.problems.join("\n"))
    }
}

impl std::error::Error for TableError {}

/// Collects what is wrong, with its place.
struct Wrong<'a> {
    file: std::path::Display<'a>,
    problems: Vec<String>,
}

impl Wrong<'_> {
    fn at(&mut self, line: u64, what: impl fmt::Display) {
        self.problems.push(format!("{}:{line}: {what}", self.file));
    }

    fn cell(&mut self, line: u64, column: &str, value: &str, expected: &str) {
        self.at(
            line,
            format_args!("{column} = {value:?}: expected {expected}"),
        );
    }
}

impl Table {
    /// Reads and checks a table; `template` is the text of a node's configuration with what all have
    /// in common.
    ///
    /// # Errors
    /// [`TableError`] with everything that is wrong.
    pub(super) fn read(
        text: &str,
        file: &Path,
        template: Option<&str>,
    ) -> Result<Self, TableError> {
        let mut wrong = Wrong {
            file: file.display(),
            problems: Vec::new(),
        };
        let template = match template.unwrap_or_default().parse::<Toml>() {
            Ok(template) => template,
            Err(e) => {
                let problems = vec![format!("the template is no TOML: {}", e.message())];
                return Err(TableError { problems });
            }
        };
        let rows = rows(text, &template, &mut wrong);
        no_strangers(&rows, &mut wrong);
        if wrong.problems.is_empty() {
            return Ok(Self { rows });
        }
        Err(TableError {
            problems: wrong.problems,
        })
    }
}

/// The line in which a record stands: the reader's position is that of comments and empty lines
/// before it.
fn line_of(lines: &[&str], position: Option<&csv::Position>) -> u64 {
    let first = position.map_or(1, csv::Position::line);
    let from = usize::try_from(first.saturating_sub(1)).unwrap_or(usize::MAX);
    let rest = lines.get(from..).unwrap_or_default().iter();
    let skipped = rest.take_while(|line| line.is_empty() || line.starts_with('#'));
    first + skipped.count() as u64
}

fn rows(text: &str, template: &Toml, wrong: &mut Wrong<'_>) -> Vec<Row> {
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .comment(Some(b'#'))
        .flexible(true)
        .from_reader(text.as_bytes());
    let mut rows = Vec::new();
    let header = match reader.headers() {
        Ok(header) => without_empty_end(header),
        Err(e) => {
            wrong.at(1, e);
            return rows;
        }
    };
    if !header_is_good(&header, wrong) {
        return rows;
    }
    let lines: Vec<&str> = text.lines().collect();
    let mut seen = BTreeMap::new();
    for record in reader.records() {
        let record = match record {
            Ok(record) => record,
            Err(e) => {
                let line = line_of(&lines, e.position());
                wrong.at(line, "a line that cannot be read: expected CSV");
                continue;
            }
        };
        let line = line_of(&lines, record.position());
        // Spreadsheets write out whatever was once touched.
        let filled = without_empty_end(&record).len();
        if filled == 0 {
            continue;
        }
        if filled > header.len() || record.len() < header.len() {
            wrong.at(
                line,
                format_args!(
                    "{} cells where {} should be: expected as many cells as in line 1",
                    filled.max(record.len().min(header.len())),
                    header.len()
                ),
            );
            continue;
        }
        if rows.len() >= MAX_ROWS {
            wrong.at(line, format_args!("expected at most {MAX_ROWS} nodes"));
            break;
        }
        let cell = |name: &str| {
            let column = header.iter().position(|h| h == name);
            column.and_then(|i| record.get(i)).unwrap_or_default()
        };
        let Some(row) = row(&cell, template, line, wrong) else {
            continue;
        };
        let name = row.name();
        if let Some(first) = seen.insert(name.clone(), line) {
            wrong.cell(
                line,
                "node",
                &name,
                &format!("a name of its own: line {first} has it"),
            );
        }
        rows.push(row);
    }
    if rows.is_empty() && wrong.problems.is_empty() {
        wrong.at(2, "expected a line for each node");
    }
    rows
}

/// A record without the empty cells at its end.
fn without_empty_end(record: &csv::StringRecord) -> csv::StringRecord {
    let cells: Vec<&str> = record.iter().collect();
    let last = cells.iter().rposition(|cell| !cell.trim().is_empty());
    let filled = last.map_or(0, |last| last + 1);
    cells.into_iter().take(filled).map(str::trim).collect()
}

/// Whoever holds a certificate has all rights of its name, so no node may bear the name of a
/// ticketing system, whichever office's, and no foreign topic may take in another office's.
fn no_strangers(rows: &[Row], wrong: &mut Wrong<'_>) {
    let offices: BTreeSet<String> = rows
        .iter()
        .map(|row| row.config.office.to_string())
        .collect();
    let guests: BTreeSet<String> = rows
        .iter()
        .flat_map(guests)
        .chain(offices.iter().map(|office| tickets(office)))
        .collect();
    for row in rows.iter().filter(|row| guests.contains(&row.name())) {
        wrong.cell(
            row.line,
            "node",
            row.config.node.as_str(),
            "another id: this is the name of a ticketing system",
        );
    }
    for row in rows {
        for adapter in &row.config.adapters {
            if reaches_others(&adapter.topic, row, &offices) {
                wrong.cell(
                    row.line,
                    "office",
                    row.config.office.as_str(),
                    &format!(
                        "another topic of the adapter in the template: {} takes in topics of other offices",
                        adapter.topic
                    ),
                );
            }
        }
    }
}

fn header_is_good(header: &csv::StringRecord, wrong: &mut Wrong<'_>) -> bool {
    let names = COLUMNS.map(|(name, ..)| name).join(", ");
    for column in header {
        if !COLUMNS.iter().any(|(name, ..)| *name == column) {
            let hint = if column.contains(['\t', ';', '；', '，']) {
                "; cells are separated by commas: save it as CSV UTF-8".to_owned()
            } else {
                let plain = narrow(column).to_lowercase();
                let known = COLUMNS.iter().any(|(name, ..)| *name == plain);
                if known {
                    format!("; write {plain}")
                } else {
                    String::new()
                }
            };
            wrong.cell(1, "column", column, &format!("one of {names}{hint}"));
        }
    }
    for (name, needed, meaning) in COLUMNS {
        match header.iter().filter(|h| *h == name).count() {
            0 if needed => wrong.at(1, format_args!("no column {name}: expected {meaning}")),
            0 | 1 => {}
            _ => wrong.cell(1, "column", name, "it once"),
        }
    }
    wrong.problems.is_empty()
}

/// One node, from the template and the cells of its line.
fn row<'a>(
    cell: &impl Fn(&str) -> &'a str,
    template: &Toml,
    line: u64,
    wrong: &mut Wrong<'_>,
) -> Option<Row> {
    let before = wrong.problems.len();
    for (name, needed, meaning) in COLUMNS {
        if needed && cell(name).is_empty() {
            wrong.cell(line, name, "", meaning);
        }
    }
    let queues = queues(cell("queues"), line, wrong);
    if wrong.problems.len() > before {
        return None;
    }
    let mut whole = template.clone();
    let office = section(&mut whole, "office");
    office.insert("id".into(), cell("office").into());
    office.insert("name".into(), name(cell("office_ja"), cell("office_en")));
    section(&mut whole, "node").insert("id".into(), cell("node").into());
    broker(section(&mut whole, "mqtt"), cell("broker"));
    if cell("uplink").is_empty() {
        whole.remove("uplink");
    } else {
        broker(section(&mut whole, "uplink"), cell("uplink"));
    }
    whole.insert("queue".into(), queues.into());
    if !whole.contains_key("board") {
        whole.insert("board".into(), vec![monitor()].into());
    }
    match config::parse_box(&whole.to_string(), "yobiban.toml", Path::new("")) {
        Ok((config, _machine)) => Some(Row {
            config,
            toml: whole,
            line,
        }),
        Err(e) => {
            for problem in e.problems() {
                // Line and column of a file that is not written help nobody.
                let said = problem.to_string().replace('\n', " ");
                match column_of(&problem.key) {
                    Some(column) => wrong.at(line, format_args!("{said} (column {column})")),
                    None => wrong.at(line, format_args!("{said} (in the template)")),
                }
            }
            None
        }
    }
}

/// The column that a key of the configuration is made of.
fn column_of(key: &str) -> Option<&'static str> {
    let columns = [
        ("office.id", "office"),
        ("office.name.en", "office_en"),
        ("office.name", "office_ja"),
        ("node.id", "node"),
        ("mqtt.url", "broker"),
        ("uplink.url", "uplink"),
        ("queue", "queues"),
    ];
    let found = columns.iter().find(|(start, _)| key.starts_with(start));
    found.map(|(_, column)| *column)
}

/// A table of a table, made where there is none.
pub(super) fn section<'a>(whole: &'a mut Toml, name: &str) -> &'a mut Toml {
    let value = whole
        .entry(name)
        .or_insert_with(|| Value::Table(Toml::new()));
    if !value.is_table() {
        *value = Value::Table(Toml::new());
    }
    value.as_table_mut().expect("a table was put there")
}

fn name(ja: &str, en: &str) -> Value {
    let mut name = Toml::new();
    name.insert("ja".into(), ja.into());
    if !en.is_empty() {
        name.insert("en".into(), en.into());
    }
    name.into()
}

/// The address alone: the files for TLS are not there yet when the line is checked.
fn broker(section: &mut Toml, url: &str) {
    section.insert("url".into(), url.into());
    for (key, _) in TLS_FILES {
        section.remove(key);
    }
}

/// One monitor, where the template names no board.
fn monitor() -> Value {
    let mut output = Toml::new();
    output.insert("kind".into(), "hdmi".into());
    let mut board = Toml::new();
    board.insert("id".into(), "main".into());
    board.insert("output".into(), output.into());
    board.into()
}

fn queues(cell: &str, line: u64, wrong: &mut Wrong<'_>) -> Vec<Value> {
    let meaning = COLUMNS[6].2;
    let mut queues = Vec::new();
    if let Some(wide) = wide_sign(cell) {
        wrong.cell(
            line,
            "queues",
            cell,
            &format!(
                "{} instead of the full-width {wide}: {meaning}",
                narrow(&wide.to_string())
            ),
        );
        return queues;
    }
    for part in cell.split(';').map(str::trim).filter(|p| !p.is_empty()) {
        let split = part.split_once('=').map(|(id, n)| (id.trim(), n.trim()));
        let Some((id, names)) = split.filter(|(id, names)| !id.is_empty() && !names.is_empty())
        else {
            wrong.cell(line, "queues", part, meaning);
            continue;
        };
        // Whatever stands for the semicolon (、 or a comma in quotes), the next queue would be lost
        // in the name of this one.
        if names.contains('=') {
            let expected = format!("; in front of the next queue, and no = in a name: {meaning}");
            wrong.cell(line, "queues", part, &expected);
            continue;
        }
        let (ja, en) = names.split_once('/').unwrap_or((names, ""));
        let mut queue = Toml::new();
        queue.insert("id".into(), id.trim_end_matches('*').into());
        queue.insert("name".into(), name(ja.trim(), en.trim()));
        if id.ends_with('*') {
            queue.insert("lane".into(), "fast".into());
        }
        queues.push(queue.into());
    }
    queues
}

/// A sign of the list of queues typed as full-width. A name may hold a ／ of its own: only one
/// before a name in Latin letters is taken for the sign.
fn wide_sign(cell: &str) -> Option<char> {
    let sure = cell.chars().find(|c| matches!(c, '；' | '＝' | '＊'));
    sure.or_else(|| {
        let english = |part: &str| {
            let (_, after) = part.split_once('／')?;
            let latin = !part.contains('/') && after.trim().is_ascii() && !after.trim().is_empty();
            latin.then_some('／')
        };
        cell.split(';').find_map(english)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "office,office_ja,office_en,node,broker,uplink,queues\n";

    fn read(lines: &str) -> Result<Table, TableError> {
        Table::read(&format!("{HEADER}{lines}"), Path::new("t.csv"), None)
    }

    #[track_caller]
    fn wrong(text: &str, expected: &[&str]) {
        let error = Table::read(text, Path::new("t.csv"), None).expect_err("wrong");
        assert_eq!(error.problems, expected);
    }

    #[test]
    fn lines_are_counted_as_an_editor_does() {
        let good = "chuo,中央区,,n1,mqtt://b,,a=あ\n";
        let error = read(&format!(
            "# first\n\n{good}# second\n\nchuo,中央区,,,mqtt://b,,a=あ\n"
        ));
        let said = error.expect_err("wrong").to_string();
        assert!(said.starts_with("t.csv:7: node"), "{said}");
    }

    #[test]
    fn a_line_is_a_node() {
        let table = read(
            "chuo,中央区,Chuo Ward,n1,mqtts://b.example.jp,,koseki=戸籍/Family register; online*=電子申請\n",
        );
        let row = &table.expect("in order").rows[0];
        let names: Vec<_> = row
            .config
            .state
            .queues
            .iter()
            .map(|q| q.id.as_str())
            .collect();
        assert_eq!(names, ["koseki", "online"]);
        assert_eq!(row.name(), "chuo-n1");
        assert!(row.uses_tls() && row.config.uplink.is_none());
        assert_eq!(row.config.boards.len(), 1);
    }

    #[test]
    fn everything_that_is_wrong_is_said_with_its_place() {
        wrong(
            "office,office_ja,nodes,node,broker\n",
            &[
                r#"t.csv:1: column = "nodes": expected one of office, office_ja, office_en, node, broker, uplink, queues"#,
                "t.csv:1: no column queues: expected ID=JAPANESE or ID=JAPANESE/ENGLISH, separated by semicolons; fast lanes as ID*=…",
            ],
        );
        wrong(HEADER, &["t.csv:2: expected a line for each node"]);
        let line = |office: &str, node: &str, queues: &str| {
            format!("{office},中央区,,{node},mqtt://b,,{queues}\n")
        };
        let text = [
            HEADER.to_owned(),
            line("chuo", "n1", "koseki=戸籍"),
            line("chuo", "n1", "koseki=戸籍"),
            line("chuo", "", "koseki"),
            "chuo,中央区\n".into(),
            line("chuo", "tickets", "koseki=戸籍"),
        ];
        wrong(
            &text.concat(),
            &[
                r#"t.csv:3: node = "chuo-n1": expected a name of its own: line 2 has it"#,
                r#"t.csv:4: node = "": expected the node's id, such as n1"#,
                r#"t.csv:4: queues = "koseki": expected ID=JAPANESE or ID=JAPANESE/ENGLISH, separated by semicolons; fast lanes as ID*=…"#,
                "t.csv:5: 2 cells where 7 should be: expected as many cells as in line 1",
                r#"t.csv:6: node = "tickets": expected another id: this is the name of a ticketing system"#,
            ],
        );
    }

    #[test]
    fn what_the_configuration_refuses_is_refused_with_the_line_of_the_table() {
        let error = read("Chuo,中央区,,n1,ftp://b,,a=あ;a=い\n").expect_err("wrong");
        let said = error.to_string();
        assert!(said.lines().all(|l| l.starts_with("t.csv:2: ")), "{said}");
        for key in ["office.id", "mqtt.url", "queue[1].id"] {
            assert!(said.contains(key), "{key}: {said}");
        }
    }

    #[test]
    fn a_queue_behind_another_separator_does_not_vanish_into_a_name() {
        for between in ["、", ",", "，", "\n", " ", "・", "|", "；"] {
            let cells = format!("\"koseki=戸籍/Register{between}online*=電子申請\"");
            let error = read(&format!("chuo,中央区,,n1,mqtt://b,,{cells}\n")).expect_err(between);
            let said = error.to_string();
            assert!(said.starts_with("t.csv:2: queues = "), "{between}: {said}");
            assert!(said.contains("expected ;"), "{between}: {said}");
        }
    }

    #[test]
    fn a_template_keeps_what_the_table_does_not_say() {
        let template = "[office]\nhours = [\"08:30\", \"17:15\"]\n[mqtt]\nroot = \"city/v1\"\nkeep_alive = \"30s\"\n[[board]]\nid = \"led\"\nsize = [1280, 720]\noutput = { kind = \"none\" }\n";
        let text = format!("{HEADER}chuo,中央区,,n1,mqtt://b,mqtts://hub.example.jp,a=あ\n");
        let table = Table::read(&text, Path::new("t.csv"), Some(template)).expect("in order");
        let config = &table.rows[0].config;
        assert_eq!(config.mqtt.root, "city/v1");
        assert_eq!(config.boards[0].id.as_str(), "led");
        assert!(config.mqtt.tls.is_none());
        assert!(config.uplink.as_ref().is_some_and(|up| up.tls.is_some()));
    }
}
