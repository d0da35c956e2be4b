//! The alert rules and the dashboard: they read metrics and labels that there are, and the guides
//! describe them.

use crate::support::exposition::{Metric, city, parse};
use crate::support::{root, tool};
use regex::Regex;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;
use yaml_rust2::{Yaml, YamlLoader};

const RULES: &str = "assets/prometheus/alerts.yml";
const TESTS: &str = "tests/fixtures/prometheus/alerts.test.yml";
const DASHBOARD: &str = "assets/grafana/yobiban.json";

/// What the rules record themselves; it has no labels.
const RECORDED: &str = "yobiban:opening_hours";

/// Labels that Prometheus adds to all series of a target.
const OF_TARGET: [&str; 2] = ["instance", "job"];

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

/// One alert of the rules.
struct Alert {
    name: String,
    expr: String,
    after: String,
    severity: String,
    annotations: BTreeMap<String, String>,
}

fn alerts() -> Vec<Alert> {
    let rules = YamlLoader::load_from_str(&read(RULES)).unwrap();
    let rules = rules[0]["groups"][0]["rules"].as_vec().unwrap();
    let text = |yaml: &Yaml| yaml.as_str().unwrap_or_default().to_owned();
    let alert = |rule: &Yaml| {
        let annotations = rule["annotations"].as_hash().unwrap().iter();
        Alert {
            name: text(&rule["alert"]),
            expr: text(&rule["expr"]),
            after: text(&rule["for"]),
            severity: text(&rule["labels"]["severity"]),
            annotations: annotations.map(|(k, v)| (text(k), text(v))).collect(),
        }
    };
    let alerts = rules.iter().filter(|rule| !rule["alert"].is_badvalue());
    alerts.map(alert).collect()
}

/// Every expression of the dashboard with its panel's title and its legend, as Prometheus gets it.
fn queries() -> Vec<(String, String, String)> {
    let dashboard: serde_json::Value = serde_json::from_str(&read(DASHBOARD)).unwrap();
    let filled = |text: &str| {
        let text = text.replace("$office", ".*");
        text.replace("$__rate_interval", "5m")
    };
    let mut found = Vec::new();
    for panel in dashboard["panels"].as_array().unwrap() {
        for target in panel["targets"].as_array().into_iter().flatten() {
            found.push((
                panel["title"].as_str().unwrap().to_owned(),
                filled(target["expr"].as_str().unwrap()),
                target["legendFormat"].as_str().unwrap().to_owned(),
            ));
        }
    }
    found
}

/// The metrics that an expression reads: of the hub, of Prometheus, recorded.
fn names(expr: &str) -> BTreeSet<String> {
    let name = Regex::new(r"\b(?:yobiban[\w:]*|up\b)").unwrap();
    let outside = Regex::new(r#""[^"]*""#).unwrap().replace_all(expr, "\"\"");
    name.find_iter(&outside)
        .map(|m| m.as_str().to_owned())
        .collect()
}

fn words(list: &str) -> impl Iterator<Item = &str> {
    list.split(',')
        .map(str::trim)
        .filter(|word| !word.is_empty())
}

/// What an expression names that does not exist.
fn wrong(expr: &str, metrics: &BTreeMap<String, Metric>) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut labels: BTreeSet<&str> = OF_TARGET.into();
    for name in names(expr) {
        match metrics.get(&name) {
            Some(metric) => labels.extend(metric.labels()),
            None if matches!(name.as_str(), "up" | RECORDED) => {}
            None => wrong.push(format!("no metric {name}")),
        }
    }
    let grouping = Regex::new(r"\b(?:by|on|without|ignoring|group_left|group_right) \(([^)]*)\)");
    for group in grouping.unwrap().captures_iter(expr) {
        let list = group.get(1).unwrap().as_str();
        let unknown = words(list).filter(|word| !labels.contains(word));
        wrong.extend(unknown.map(|label| format!("no label {label}")));
    }
    let selector = Regex::new(r"(yobiban\w*)\{([^}]*)\}").unwrap();
    let matcher = Regex::new(r#"(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)""#).unwrap();
    for selected in selector.captures_iter(expr) {
        let Some(metric) = metrics.get(&selected[1]) else {
            continue;
        };
        for m in matcher.captures_iter(&selected[2]) {
            if !metric.labels().contains(&m[1]) {
                wrong.push(format!("{} has no label {}", &selected[1], &m[1]));
                continue;
            }
            let values = metric.series.keys().filter_map(|of| of.get(&m[1]));
            let values: BTreeSet<_> = values.map(String::as_str).collect();
            let named = m[3].split('|').filter(|value| *value != ".*");
            let unknown = named.filter(|value| !values.contains(value));
            wrong.extend(unknown.map(|v| format!("no {}=\"{v}\" of {}", &m[1], &selected[1])));
        }
    }
    wrong
}

/// The labels of an expression's result: those it is grouped by, else those of its first metric.
fn result_labels(expr: &str, metrics: &BTreeMap<String, Metric>) -> BTreeSet<String> {
    let grouped = Regex::new(r"^(?:60 \* )?(?:sum|max|min|count) by \(([^)]*)\)").unwrap();
    if let Some(group) = grouped.captures(expr) {
        return words(&group[1]).map(str::to_owned).collect();
    }
    let first = Regex::new(r"\byobiban_\w+").unwrap().find(expr);
    let metric = first.and_then(|name| metrics.get(name.as_str()));
    let labels = metric.into_iter().flat_map(Metric::labels).chain(OF_TARGET);
    labels.map(str::to_owned).collect()
}

#[test]
fn a_wrong_name_in_an_expression_is_found() {
    let text = "# HELP yobiban_a_total A.\n# TYPE yobiban_a counter\nyobiban_a_total{office=\"x\",result=\"ok\"} 1\n# EOF\n";
    let metrics = parse(text);
    let wrong = |expr: &str| wrong(expr, &metrics).join("; ");
    assert_eq!(
        wrong("sum by (office, job) (yobiban_a_total{result=\"ok\", office=~\".*\"})"),
        ""
    );
    assert_eq!(wrong("yobiban_a == 1"), "no metric yobiban_a");
    assert_eq!(wrong("yobiban_a_total and on (node) up"), "no label node");
    assert_eq!(
        wrong("yobiban_a_total{kind=\"x\"}"),
        "yobiban_a_total has no label kind"
    );
    let value = "no result=\"no\" of yobiban_a_total";
    assert_eq!(wrong("yobiban_a_total{result=~\"ok|no\"}"), value);
}

#[tokio::test]
async fn the_alert_rules_read_metrics_and_labels_that_there_are() {
    let metrics = parse(city().await.get("/metrics").await.text());
    let alerts = alerts();
    assert!(alerts.len() >= 20);
    let used = Regex::new(r"\$labels\.(\w+)").unwrap();
    for alert in &alerts {
        let found = wrong(&alert.expr, &metrics);
        assert!(found.is_empty(), "{}: {found:?}", alert.name);
        let labels = result_labels(&alert.expr, &metrics);
        let texts: String = alert.annotations.values().map(String::as_str).collect();
        for label in used.captures_iter(&texts) {
            assert!(
                labels.contains(&label[1]),
                "{} has no {}",
                alert.name,
                &label[1]
            );
        }
    }
}

#[tokio::test]
async fn the_dashboard_reads_metrics_and_labels_that_there_are() {
    let metrics = parse(city().await.get("/metrics").await.text());
    let queries = queries();
    assert!(queries.len() >= 40);
    let used = Regex::new(r"\{\{(\w+)\}\}").unwrap();
    let mut shown = BTreeSet::new();
    for (title, expr, legend) in &queries {
        let found = wrong(expr, &metrics);
        assert!(found.is_empty(), "{title}: {found:?}");
        let labels = result_labels(expr, &metrics);
        for label in used.captures_iter(legend) {
            assert!(labels.contains(&label[1]), "{title}: no {}", &label[1]);
        }
        shown.extend(names(expr));
    }
    // A metric that is on no panel is forgotten, unless it says what the others already say.
    let forgotten: Vec<_> = metrics
        .keys()
        .filter(|name| !shown.contains(*name))
        .collect();
    let known = [
        "yobiban_board_info",
        "yobiban_hub_broker_connections_total",
        "yobiban_hub_info",
        "yobiban_node_announcements_total",
        "yobiban_node_camera_errors_total",
        "yobiban_node_camera_fields_total",
        "yobiban_node_camera_frames_total",
        "yobiban_node_identity_shared",
        "yobiban_node_last_health_timestamp_seconds",
        "yobiban_node_relay_pulses_merged_total",
        "yobiban_node_source_resets_total",
    ];
    assert_eq!(forgotten, known.iter().collect::<Vec<_>>());
    let text = read(DASHBOARD);
    let variable = "label_values(yobiban_node_online, office)";
    assert!(text.contains(variable) && metrics["yobiban_node_online"].labels().contains("office"));
    for section in ["City overview", "Offices", "Boards", "Hub"] {
        assert!(
            text.contains(&format!("\"title\": \"{section}\"")),
            "{section}"
        );
    }
}

/// Runs promtool; what it said, if it is not content.
fn promtool(arguments: &[&str], file: &Path) -> Option<Result<(), String>> {
    let output = Command::new(tool("promtool")?)
        .args(arguments)
        .arg(file)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    let said = said.into_owned();
    Some(output.status.success().then_some(()).ok_or(said))
}

#[test]
fn promtool_takes_the_alert_rules() {
    let check = ["check", "rules", "--lint=all", "--lint-fatal"];
    if let Some(result) = promtool(&check, &root().join(RULES)) {
        result.unwrap();
    }
}

#[test]
fn the_alerts_fire_when_they_should_and_only_then() {
    if let Some(result) = promtool(&["test", "rules"], &root().join(TESTS)) {
        result.unwrap();
    }
    // No alert without a case in which it fires.
    let cases = read(TESTS);
    for alert in alerts() {
        let fires = format!("- labels: '{{alertname=\"{}\"}}'", alert.name);
        assert!(
            cases.contains(&fires),
            "{} never fires in {TESTS}",
            alert.name
        );
    }
}

/// promtool of Debian 12 checks no expression by itself, so each is made a rule.
#[test]
fn every_query_of_the_dashboard_is_promql() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("queries.yml");
    let mut rules = "groups:\n  - name: queries\n    rules:\n".to_owned();
    for (n, (_, expr, _)) in queries().into_iter().enumerate() {
        let expr = serde_json::to_string(&expr).unwrap(); // a JSON text is a YAML text
        writeln!(rules, "      - {{ record: \"query:{n}\", expr: {expr} }}").unwrap();
    }
    fs::write(&file, &rules).unwrap();
    let check = ["check", "rules"];
    if let Some(result) = promtool(&check, &file) {
        result.unwrap();
        fs::write(&file, rules.replacen("sum by", "sum bye", 1)).unwrap();
        promtool(&check, &file).unwrap().unwrap_err();
    }
}

/// GitHub's anchor of a heading.
fn anchor(heading: &str) -> String {
    let kept = heading.trim().to_lowercase();
    let kept = kept
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[test]
fn every_alert_says_what_to_do_in_both_languages() {
    let is_japanese = |text: &str| text.chars().any(|c| matches!(c, 'ぁ'..='ヿ'));
    let placeholder = Regex::new(r"\{\{.*?\}\}").unwrap();
    for alert in alerts() {
        let name = &alert.name;
        assert!(
            matches!(alert.severity.as_str(), "critical" | "warning"),
            "{name}"
        );
        assert!(!alert.after.is_empty(), "{name} lacks `for`");
        for (english, japanese) in [("summary", "summary_ja"), ("description", "description_ja")] {
            let (english, japanese) = (&alert.annotations[english], &alert.annotations[japanese]);
            assert!(!is_japanese(english) && is_japanese(japanese), "{name}");
            let of = |text: &str| -> Vec<String> {
                let mut found: Vec<_> = placeholder
                    .find_iter(text)
                    .map(|m| m.as_str().to_owned())
                    .collect();
                found.sort();
                found
            };
            assert_eq!(of(english), of(japanese), "{name}");
        }
        for (key, page) in [
            ("runbook", "docs/operate.md"),
            ("runbook_ja", "docs/ja/operate.md"),
        ] {
            let (file, section) = alert.annotations[key].split_once('#').unwrap();
            assert_eq!(file, page, "{name}");
            let text = read(page);
            let mut headings = text.lines().filter(|l| l.starts_with('#'));
            let there = headings.any(|l| anchor(l.trim_start_matches('#')) == section);
            assert!(there, "{name}: {page} has no section {section}");
        }
    }
}

#[test]
fn both_guides_list_the_alerts_as_they_are() {
    let code = Regex::new("`([^`]+)`").unwrap();
    for (page, head) in [("docs/operate.md", "alert"), ("docs/ja/operate.md", "警報")] {
        let text = read(page);
        let (_, table) = text.split_once(&format!("\n| {head} |")).unwrap();
        let rows = table.lines().skip(2).take_while(|l| l.starts_with('|'));
        let mut listed: Vec<(String, String, String, BTreeSet<String>)> = Vec::new();
        for row in rows {
            let cells: Vec<_> = row.trim_matches('|').split(" | ").map(str::trim).collect();
            let [name, severity, after, reads, meaning] = cells[..] else {
                panic!("five cells: {row}");
            };
            assert!(!meaning.is_empty(), "{name}");
            let reads = code.captures_iter(reads).map(|c| c[1].to_owned());
            let name = name.trim_matches('`').to_owned();
            listed.push((name, severity.into(), after.into(), reads.collect()));
        }
        let expected: Vec<_> = alerts()
            .into_iter()
            .map(|a| (a.name, a.severity, a.after, names(&a.expr)))
            .collect();
        assert_eq!(listed, expected, "{page}");
    }
}

#[test]
fn the_package_brings_rules_and_dashboard() {
    let manifest = read("Cargo.toml");
    let inside = read("tests/packaging/inside");
    for (asset, folder) in [
        (RULES, "usr/share/yobiban/prometheus/"),
        (DASHBOARD, "usr/share/yobiban/grafana/"),
    ] {
        assert!(
            manifest.contains(&format!("[\"{asset}\", \"{folder}\", \"644\"]")),
            "{asset}"
        );
        let name = Path::new(asset).file_name().unwrap().to_str().unwrap();
        let installed = format!("/{folder}{name}");
        assert!(inside.contains(&installed), "{installed}");
        assert!(read("docs/operate.md").contains(&installed), "{installed}");
        assert!(
            read("docs/ja/operate.md").contains(&installed),
            "{installed}"
        );
    }
}
