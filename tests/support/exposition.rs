//! What `/metrics` answers, taken apart; and a city of which every metric is known.

use super::city::{AT, City, numbers, picture};
use regex::Regex;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

/// One metric as it was answered. Counters have their `_total`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Metric {
    pub kind: String,
    pub help: String,
    /// Each series: its labels and its value.
    pub series: BTreeMap<BTreeMap<String, String>, String>,
}

impl Metric {
    pub fn labels(&self) -> BTreeSet<&str> {
        let labels = self.series.keys().flat_map(BTreeMap::keys);
        labels.map(String::as_str).collect()
    }
}

/// `a="x",b="y"`, with OpenMetrics' escapes.
fn labels(text: &str) -> BTreeMap<String, String> {
    static PAIR: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r#"(\w+)="((?:[^"\\]|\\.)*)""#).unwrap());
    let pairs = PAIR.captures_iter(text);
    pairs.map(|c| (c[1].to_owned(), c[2].to_owned())).collect()
}

/// All metrics of an OpenMetrics text, by name.
pub fn parse(text: &str) -> BTreeMap<String, Metric> {
    let mut metrics: BTreeMap<String, Metric> = BTreeMap::new();
    let (mut help, mut current) = (String::new(), String::new());
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            rest.split_once(' ').unwrap().1.clone_into(&mut help);
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            let suffix = if kind == "counter" { "_total" } else { "" };
            current = format!("{name}{suffix}");
            let metric = Metric {
                kind: kind.to_owned(),
                help: std::mem::take(&mut help),
                ..Metric::default()
            };
            assert_eq!(metrics.insert(current.clone(), metric), None, "{current}");
        } else if line != "# EOF" {
            let (series, value) = line.rsplit_once(' ').unwrap();
            let (name, of) = series.split_once('{').unwrap_or((series, ""));
            assert_eq!(name, current, "a series of another metric");
            let series = &mut metrics.get_mut(name).unwrap().series;
            let twice = series.insert(labels(of), value.to_owned());
            assert_eq!(twice, None, "{line} is there twice");
        }
    }
    metrics
}

/// A health report with everything that a node can say.
pub fn health() -> Value {
    json!({
        "at": AT, "version": "0.1.0", "uptime_s": 61, "clock": "synchronised",
        "issues": [{"kind": "source-silent", "subject": "koseki", "since": AT, "text": "silent"}],
        "outputs": [{
            "board": "main", "kind": "serial", "state": "shown", "connector": "connected",
            "frame_sha256": "ab".repeat(32), "shown_at": AT, "facts": {"last_reply": "06"},
        }],
        "counts": {
            "messages_applied": 40, "messages_late": 1, "messages_duplicate": 2,
            "messages_rejected": 3, "calls": 30, "calls_missed": 4, "source_resets": 5,
            "calls_not_displayed": 6, "calls_not_announced": 7, "announcements": 23,
            "relay_pulses_merged": 8, "camera_pictures": 90, "camera_failures": 9,
            "camera_fields_read": 80, "camera_fields_unknown": 10, "calls_waiting": 11,
            "calls_dropped": 12,
        },
        "machine": {
            "model": "Raspberry Pi 4 Model B Rev 1.4", "temperature_c": 61, "throttled": false,
            "undervoltage": false, "disk_free": 1_500_000_000, "disk_written": 73_400_320,
            "disk_worn": 10, "memory_free": 200_000_000,
        },
    })
}

/// A city of which every metric has a series.
pub async fn city() -> City {
    let city = City::awake().await;
    let (bytes, line) = picture(9);
    let mut chuo = numbers("chuo");
    chuo.seq += 1;
    chuo.boards = vec![line];
    city.tell(&chuo).await;
    city.send("chuo/node/n1/board/main", bytes).await;
    city.send("chuo/node/n1/health", health().to_string()).await;
    city.get("/healthz").await; // so that there is a response to count
    city
}
