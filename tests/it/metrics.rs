//! The metrics: named as operators expect, listed in the guide, and never more than a server can keep.

use crate::support::city::{City, numbers};
use crate::support::exposition::{Metric, city, health, parse};
use crate::support::{root, tool};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Duration;

async fn metrics(city: &City) -> BTreeMap<String, Metric> {
    parse(city.get("/metrics").await.text())
}

/// The value of a series, if it is there.
fn value(metrics: &BTreeMap<String, Metric>, name: &str, of: &[(&str, &str)]) -> Option<String> {
    let of = of.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
    metrics[name].series.get(&of.collect()).cloned()
}

/// A metric's row in the guide.
fn row(name: &str, metric: &Metric) -> String {
    let base = name.trim_end_matches("_total");
    let suffix = ["seconds", "bytes", "ratio", "celsius"]
        .into_iter()
        .find(|unit| base.ends_with(&format!("_{unit}")));
    let unit = match suffix {
        Some(unit) => unit,
        None if name.ends_with("_info") => "1",
        None if metric.help.starts_with("Whether ") => "0 or 1",
        None => "count",
    };
    let labels: Vec<_> = ["office", "node", "board", "queue"]
        .into_iter()
        .filter(|label| metric.labels().contains(label))
        .chain(
            metric
                .labels()
                .into_iter()
                .filter(|label| !matches!(*label, "office" | "node" | "board" | "queue")),
        )
        .map(|label| format!("`{label}`"))
        .collect();
    let (kind, labels) = (&metric.kind, labels.join(", "));
    let meaning = metric.help.trim_end_matches('.');
    format!("| `{name}` | {kind} | {unit} | {labels} | {meaning} |")
}

#[tokio::test]
async fn every_metric_is_in_the_guide_with_type_unit_labels_and_meaning() {
    let city = city().await;
    let exported = metrics(&city).await;
    assert!(exported.len() > 50);
    let page = fs::read_to_string(root().join("docs/operate.md")).unwrap();
    let (_, table) = page.split_once("\n| metric |").unwrap();
    let listed: Vec<_> = table
        .lines()
        .skip(2)
        .take_while(|l| l.starts_with('|'))
        .collect();
    let rows = exported.iter().map(|(name, metric)| row(name, metric));
    let rows: Vec<_> = rows.collect();
    assert_eq!(listed, rows, "expected:\n{}", rows.join("\n"));
    for (name, metric) in &exported {
        assert!(metric.series.len() <= 400, "{name}");
        let switch = metric.help.starts_with("Whether ");
        let mut values = metric.series.values();
        assert!(!switch || values.all(|v| v == "0" || v == "1"), "{name}");
    }
}

#[tokio::test]
async fn promtool_finds_nothing_to_say_of_the_names() {
    let Some(promtool) = tool("promtool") else {
        return;
    };
    let city = city().await;
    // It reads the older text format, in which counters bear their `_total` in every line.
    let text = city.get("/metrics").await.text().to_owned();
    let counters: Vec<String> = text
        .lines()
        .filter_map(|l| l.strip_prefix("# TYPE ")?.strip_suffix(" counter"))
        .map(str::to_owned)
        .collect();
    let lines = text.lines().map(|line| {
        let mut words: Vec<_> = line.splitn(4, ' ').map(str::to_owned).collect();
        if line.starts_with("# ") && words.get(2).is_some_and(|name| counters.contains(name)) {
            words[2] += "_total";
        }
        words.join(" ") + "\n"
    });
    let text: String = lines.collect();
    let mut check = Command::new(promtool)
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = check.stdin.take().unwrap();
    stdin.write_all(text.as_bytes()).unwrap();
    drop(stdin);
    let output = check.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned()
        + &String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.is_empty(), "{said}");
}

#[tokio::test]
async fn a_health_report_becomes_counters_and_gauges_in_base_units() {
    let city = city().await;
    let m = metrics(&city).await;
    let of = [("office", "chuo"), ("node", "n1")];
    for (name, expected) in [
        ("yobiban_node_disk_life_used_ratio", "0.1"),
        ("yobiban_node_disk_written_bytes_total", "73400320"),
        ("yobiban_node_memory_available_bytes", "200000000"),
        ("yobiban_node_uptime_seconds", "61"),
        ("yobiban_node_clock_synchronized", "1"),
        ("yobiban_node_calls_dropped_total", "12"),
        ("yobiban_node_calls_not_announced_total", "7"),
        ("yobiban_node_spool_calls", "11"),
    ] {
        assert_eq!(value(&m, name, &of).as_deref(), Some(expected), "{name}");
    }
    for (name, result, expected) in [
        ("messages", "applied", "40"),
        ("messages", "late", "1"),
        ("messages", "duplicate", "2"),
        ("messages", "rejected", "3"),
        ("calls", "received", "30"),
        ("calls", "missed", "4"),
        ("camera_fields", "unreadable", "10"),
    ] {
        let name = format!("yobiban_node_{name}_total");
        let of = [of[0], of[1], ("result", result)];
        assert_eq!(value(&m, &name, &of).as_deref(), Some(expected), "{name}");
    }
    // What it says when its service started again: smaller, which Prometheus takes for a reset.
    let mut again = health();
    again["counts"]["messages_applied"] = 1.into();
    again["uptime_s"] = 2.into();
    city.send("chuo/node/n1/health", again.to_string()).await;
    let m = metrics(&city).await;
    let of = [of[0], of[1], ("result", "applied")];
    let applied = value(&m, "yobiban_node_messages_total", &of);
    assert_eq!(applied.as_deref(), Some("1"));
}

#[tokio::test]
async fn every_kind_of_issue_has_its_zero_so_that_an_alert_sees_the_first() {
    let city = city().await;
    let m = metrics(&city).await;
    for kind in yobiban::health::IssueKind::ALL {
        let of = [("office", "chuo"), ("node", "n1"), ("issue", kind.as_str())];
        let expected = if kind.as_str() == "source-silent" {
            "1"
        } else {
            "0"
        };
        let found = value(&m, "yobiban_node_issues", &of);
        assert_eq!(found.as_deref(), Some(expected), "{kind}");
    }
    for reason in yobiban::hub::registry::Rejection::REASONS {
        let found = value(
            &m,
            "yobiban_hub_messages_rejected_total",
            &[("reason", reason)],
        );
        assert_eq!(found.as_deref(), Some("0"), "{reason}");
    }
}

#[tokio::test]
async fn stale_numbers_are_no_figures_of_people() {
    let city = City::awake().await;
    let m = metrics(&city).await;
    let of = |office| [("office", office), ("queue", "certificates")];
    let people = "yobiban_queue_people_waiting";
    assert_eq!(value(&m, people, &of("chuo")).as_deref(), Some("12"));
    assert_eq!(value(&m, people, &of("midori")), None);
    assert_eq!(
        value(&m, "yobiban_queue_fresh", &of("midori")).as_deref(),
        Some("0")
    );
    assert_eq!(
        value(&m, "yobiban_queue_open", &of("midori")).as_deref(),
        Some("1")
    );
}

/// A report in which everything that a node may choose is new.
fn made_up(n: usize) -> serde_json::Value {
    let mut report = health();
    report["version"] = format!("9.{n}.0").into();
    report["clock"] = format!("made-up-clock-{n}").into();
    report["machine"]["model"] = format!("machine {n}").into();
    report["issues"][0]["kind"] = format!("made-up-kind-{n}").into();
    report["issues"][0]["subject"] = format!("made-up-subject-{n}").into();
    report["counts"][format!("made_up_{n}")] = n.into();
    let output = report["outputs"][0].clone();
    let outputs = (0..16).map(|board| {
        let mut output = output.clone();
        output["board"] = format!("b{n}-{board}").into();
        output["kind"] = format!("made-up-kind-{n}").into();
        output["connector"] = format!("made-up-connector-{n}").into();
        output["frame_sha256"] = format!("{n:064x}").into();
        output["facts"]["last_reply"] = format!("made-up-reply-{n}").into();
        output
    });
    report["outputs"] = outputs.collect();
    report
}

#[tokio::test]
async fn a_node_that_names_everything_anew_makes_a_bounded_number_of_series() {
    let city = City::empty().await;
    city.online("chuo").await;
    let mut ever: BTreeSet<(String, BTreeMap<String, String>)> = BTreeSet::new();
    let mut after = Vec::new();
    for n in 0..60 {
        // An office is published ten times a second at most.
        city.clock.advance(Duration::from_millis(200));
        let mut chuo = numbers("chuo");
        chuo.seq += n as u64;
        chuo.at.at += jiff::SignedDuration::from_millis(n as i64);
        for (q, queue) in chuo.queues.iter_mut().enumerate() {
            queue.id = format!("q{n}-{q}").parse().unwrap();
        }
        city.tell(&chuo).await;
        let topic = |node: &str| format!("chuo/node/{node}/health");
        city.send(&topic("n1"), made_up(n).to_string()).await;
        // And one that is gone again before the next comes.
        let other = format!("x{n}");
        city.send(&topic(&other), made_up(n).to_string()).await;
        for (name, metric) in metrics(&city).await {
            let of = metric.series.into_keys();
            ever.extend(of.map(|labels| (name.clone(), labels)));
        }
        city.send(&topic(&other), "").await;
        after.push(ever.len());
    }
    assert!(after[0] > 100, "{after:?}");
    assert_eq!(
        after[45], after[59],
        "no more series, whatever it says: {after:?}"
    );
    for (name, labels) in &ever {
        for (label, value) in labels {
            let free = value.starts_with("made") || value.len() > 64;
            assert!(!free, "{name} has {label}={value:?}");
        }
    }
    let m = metrics(&city).await;
    let omitted = |kind| value(&m, "yobiban_hub_metrics_omitted", &[("kind", kind)]).unwrap();
    assert_eq!(omitted("board"), "16", "and says what is missing");
    assert_eq!(omitted("queue"), "5");
}

#[tokio::test]
async fn a_flood_of_made_up_offices_and_nodes_is_bounded_and_configured_offices_stay() {
    let city = City::empty().await;
    // Sorts before the offices of the configuration, and there are more than are exported.
    for office in 0..1_100 {
        for node in ["n1", "n2"] {
            let topic = format!("a{office}/node/{node}/health");
            city.hand(&topic, made_up(0).to_string()).await;
        }
    }
    for office in ["chuo", "midori"] {
        city.online(office).await;
        let topic = format!("{office}/node/n1/health");
        city.send(&topic, health().to_string()).await;
    }
    let m = metrics(&city).await;
    let series: usize = m.values().map(|metric| metric.series.len()).sum();
    assert!((50_000..250_000).contains(&series), "{series}");
    let online = &m["yobiban_node_online"].series;
    assert_eq!(online.len(), 2_000);
    for office in ["chuo", "midori"] {
        let of = [("office", office), ("node", "n1")];
        assert!(value(&m, "yobiban_node_online", &of).is_some(), "{office}");
    }
    let omitted = |kind| value(&m, "yobiban_hub_metrics_omitted", &[("kind", kind)]).unwrap();
    assert_eq!(omitted("node"), "202");
    let boards = m["yobiban_board_shown"].series.len();
    assert_eq!(boards, 8_000);
}

#[tokio::test]
async fn no_hash_and_no_reply_of_a_device_is_a_label() {
    let city = city().await;
    let text = city.get("/metrics").await.text().to_owned();
    assert!(!text.contains(&"ab".repeat(32)));
    for label in ["sha256", "reply", "about", "subject", "text="] {
        assert!(!text.contains(label), "{label}");
    }
    let of = r#"office="chuo",node="n1",board="main""#;
    for line in [
        format!("yobiban_board_info{{{of},kind=\"serial\"}} 1"),
        format!("yobiban_board_connected{{{of}}} 1"),
    ] {
        assert!(text.lines().any(|l| l == line), "{line}\n{text}");
    }
    // The proof is where it belongs.
    let office = city.get("/api/v1/offices/chuo").await.json();
    assert_eq!(office["outputs"][0]["frame_sha256"], "ab".repeat(32));
}

/// In the source, because a node counts many of them only with a camera, a voice or a relay.
#[test]
fn every_count_of_a_node_is_exported_and_no_other() {
    let read = |path: &str| fs::read_to_string(root().join(path)).unwrap();
    let find = |path: &str, pattern: &str| -> BTreeSet<String> {
        let text = read(path);
        let found = regex::Regex::new(pattern).unwrap();
        let found = found.captures_iter(&text);
        found.map(|c| c[1].to_owned()).collect()
    };
    let mut reported = find("src/node/report.rs", r#"counts\s*\.insert\("(\w+)""#);
    reported.extend(find(
        "src/node/office_state.rs",
        r#"\("([a-z_]+)", (?:applied|late|duplicate|rejected|calls|missed_calls|source_resets)"#,
    ));
    assert!(reported.len() >= 17, "{reported:?}");
    let counts = health();
    let exported: BTreeSet<_> = counts["counts"]
        .as_object()
        .unwrap()
        .keys()
        .cloned()
        .collect();
    assert_eq!(reported, exported, "reported, and in the tests' report");
    let source = read("src/hub/metrics/counts.rs");
    for count in reported {
        assert!(source.contains(&format!("\"{count}\"")), "{count}");
    }
}
