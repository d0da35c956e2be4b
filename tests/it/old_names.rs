//! Nodes and hubs of two versions at one broker: the names of health reports before 0.1.0 are read as
//! those of today, and a hub of that version still learns what a node of today reports.

use crate::support::city::{City, FLEET_TOKEN, numbers};
use crate::support::{exposition, root};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use yobiban::health::IssueKind;
use yobiban::wire;
use yobiban::wire::old_names::{COUNTS, ISSUES};
use yobiban::wire::report::HealthReport;

/// A report with everything that a node can say, in the names of today.
fn today() -> Value {
    let mut report = exposition::health();
    report["issues"] = ISSUES
        .iter()
        .map(|(_, new)| json!({"kind": new, "subject": "main", "since": report["at"], "text": "x"}))
        .collect();
    report
}

/// The same as a node of the version before sent it.
fn before() -> Value {
    let mut report = today();
    for issue in report["issues"].as_array_mut().unwrap() {
        let (old, _) = ISSUES
            .iter()
            .find(|(_, new)| issue["kind"] == *new)
            .unwrap();
        issue["kind"] = (*old).into();
        let subject = issue.as_object_mut().unwrap().remove("subject").unwrap();
        issue["about"] = subject;
    }
    let counts = report["counts"].as_object_mut().unwrap();
    for (old, new) in COUNTS {
        let count = counts.remove(new).unwrap();
        counts.insert(old.into(), count);
    }
    report
}

fn read(report: &Value) -> HealthReport {
    wire::decode(report.to_string().as_bytes()).unwrap()
}

#[test]
fn every_old_name_is_read_as_the_new_one() {
    assert_eq!(read(&before()), read(&today()));
    for (old, new) in ISSUES {
        let kinds = IssueKind::ALL.map(IssueKind::as_str);
        assert!(
            kinds.contains(&new) && !kinds.contains(&old),
            "{old}: {new}"
        );
    }
    // A report with both has the new value.
    let mut both = today();
    for (i, (old, _)) in (1000..).zip(COUNTS) {
        both["counts"][old] = i.into();
    }
    for issue in both["issues"].as_array_mut().unwrap() {
        issue["about"] = "old".into();
    }
    assert_eq!(read(&both), read(&today()));
}

#[tokio::test]
async fn a_hub_of_today_shows_a_node_of_before_by_the_names_of_today() {
    let of = async |report: Value| {
        let city = City::awake().await;
        city.online("chuo").await;
        city.tell(&numbers("chuo")).await;
        city.send("chuo/node/n1/health", report.to_string()).await;
        let token = format!("Bearer {FLEET_TOKEN}");
        let fleet = city.get_with("/fleet", &[("authorization", &token)]).await;
        let metrics = city.get("/metrics").await.text().to_owned();
        let of_node = |line: &&str| {
            line.starts_with("yobiban_node_issues")
                || line.starts_with("yobiban_node_calls")
                || line.starts_with("yobiban_node_messages")
                || line.starts_with("yobiban_node_source")
        };
        let mut metrics: Vec<String> = metrics.lines().filter(of_node).map(str::to_owned).collect();
        metrics.sort();
        (fleet.text().to_owned(), metrics)
    };
    let (fleet, metrics) = of(before()).await;
    for (old, new) in ISSUES {
        assert!(
            fleet.contains(new) && !fleet.contains(old),
            "{old}: {fleet}"
        );
        let one =
            |line: &String| line.contains(&format!("issue=\"{new}\"")) && line.ends_with(" 1");
        assert!(metrics.iter().any(one), "{new}: {metrics:?}");
    }
    assert!(metrics.len() > ISSUES.len() + COUNTS.len(), "{metrics:?}");
    assert_eq!(metrics, of(today()).await.1);
}

/// What a hub of the version before reads of a report (its `wire::report` and `hub::moment`).
#[derive(Debug, Deserialize)]
struct Before {
    #[serde(default)]
    issues: Vec<IssueBefore>,
    #[serde(default)]
    counts: BTreeMap<String, u64>,
    clock: String,
}

#[derive(Debug, Deserialize)]
struct IssueBefore {
    kind: String,
    #[serde(default)]
    about: String,
    text: String,
}

#[test]
fn a_hub_of_before_learns_what_a_node_of_today_reports() {
    let sent = serde_json::to_vec(&read(&today())).unwrap();
    let learnt: Before = serde_json::from_slice(&sent).unwrap();
    assert_eq!(learnt.clock, "synchronised");
    assert_eq!(learnt.issues.len(), ISSUES.len());
    for (issue, (_, new)) in learnt.issues.iter().zip(ISSUES) {
        let seen = (
            issue.kind.as_str(),
            issue.about.as_str(),
            issue.text.as_str(),
        );
        assert_eq!(seen, (new, "main", "x"));
    }
    // It hands counts on by any name.
    assert_eq!(learnt.counts["calls_not_announced"], 7);
}

/// What people search for, alert on or copy has the names of today alone.
#[test]
fn no_document_and_no_alert_has_an_old_name() {
    let mut checked = 0;
    for dir in [
        "docs",
        "docs/ja",
        "assets/prometheus",
        "assets/grafana",
        "assets/config",
        ".",
    ] {
        for file in std::fs::read_dir(root().join(dir)).unwrap() {
            let path = file.unwrap().path();
            let kind = path
                .extension()
                .and_then(|e| e.to_str())
                .unwrap_or_default();
            let is_text = ["md", "yml", "yaml", "json", "toml"].contains(&kind);
            if !is_text || path.ends_with("CHANGELOG.md") {
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            // But in the contract's table.
            let (before, rest) = text.split_once("## Old names").unwrap_or((&text, ""));
            let after = rest.split_once("\n## ").map_or("", |(_, after)| after);
            for (old, new) in ISSUES.iter().chain(&COUNTS) {
                let found = before.contains(old) || after.contains(old);
                assert!(!found, "{}: {old} is called {new}", path.display());
            }
            checked += 1;
        }
    }
    assert!(checked > 25, "{checked} files");
}
