//! What another version of the program kept: the one before is read, and what is written now it could
//! read.

use crate::mqtt::{next_on, options, start, up};
use crate::support::mosquitto::Mosquitto;
use crate::support::process::Process;
use crate::support::{node_toml, root, yobiban};
use serde::Deserialize;
use serde_json::Value;
use std::fs;
use yobiban::clock::Now;
use yobiban::model::{Lane, Name, QueueId};
use yobiban::mqtt::Subscription;
use yobiban::state::{Office, Phase, QueueSettings, Settings};
use yobiban::store::Store;

fn store(dir: &tempfile::TempDir) -> Store {
    for file in ["state.json", "learnt.json"] {
        let from = root().join("tests/fixtures/store").join(file);
        fs::copy(from, dir.path().join(file)).unwrap();
    }
    Store::open(dir.path()).unwrap()
}

fn office() -> Office {
    let queue = |id: &str| QueueSettings {
        id: QueueId::new(id).unwrap(),
        name: Name::default(),
        lane: Lane::Standard,
    };
    Office::new(Settings::new(vec![queue("certificates"), queue("moving")]))
}

/// A minute after it was kept.
fn now() -> Now {
    Now::at("2026-12-01T03:57:52+09:00".parse().unwrap())
}

#[test]
fn what_the_version_before_kept_is_read_and_nobody_is_called_twice() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(&dir);
    let kept = store.load().unwrap();
    let mut office = office();
    office.restore(kept.clone(), now());
    let snapshot = office.snapshot(now());
    for (view, ticket) in snapshot.queues.iter().zip(["A012", "43"]) {
        assert!(!view.fresh && matches!(view.phase, Phase::Today(_)));
        let shown = view.today().unwrap().last_shown().unwrap();
        assert_eq!(shown.0.as_str(), ticket);
    }
    // The adapter's first number was kept as called at midnight.
    let invented = kept.queues[1]
        .state
        .calls
        .iter()
        .any(|c| c.at.as_second() % 3600 == 0);
    assert!(!invented, "{:?}", kept.queues[1]);
    let mut next = kept.queues[0].state.clone();
    (next.seq, next.at) = (next.seq + 60_000, now().wall);
    let queue = &kept.queues[0].queue;
    let changes = office.apply(queue, next, yobiban::model::Source::Feed, now());
    assert!(changes.unwrap().calls.is_empty(), "all of them are known");
    let learnt = store.load_wait_history().unwrap();
    assert_eq!(learnt.today.len(), 2);
}

/// The files as the version before declared them; it passed over what it did not know.
mod before {
    #![allow(dead_code)] // declared to be read
    use super::{Deserialize, Value};

    #[derive(Deserialize)]
    pub struct State {
        pub version: u32,
        pub queues: Vec<Queue>,
        pub calls: Vec<Call>,
    }

    #[derive(Deserialize)]
    pub struct Queue {
        pub queue: String,
        pub epoch: u32,
        pub source: String,
        pub last_no: u64,
        pub state: Message,
    }

    #[derive(Deserialize)]
    pub struct Message {
        pub seq: u64,
        pub at: String,
        pub day: String,
        #[serde(default)]
        pub epoch: u32,
        pub status: String,
        pub waiting: Option<u32>,
        pub on_hold: Option<u32>,
        #[serde(default)]
        pub next: Vec<String>,
        #[serde(default)]
        pub held: Vec<String>,
        pub calls: Vec<Listed>,
        pub wait: Option<Value>,
    }

    #[derive(Deserialize)]
    pub struct Listed {
        pub no: u64,
        pub ticket: String,
        pub counter: String,
        pub at: String,
        pub kind: String,
    }

    #[derive(Deserialize)]
    pub struct Call {
        pub queue: String,
        pub day: String,
        pub epoch: u32,
        #[serde(flatten)]
        pub call: Listed,
        pub shown: bool,
    }

    #[derive(Deserialize)]
    pub struct Learnt {
        pub version: u32,
        pub usual: Vec<Hour>,
        pub today: Vec<Hour>,
    }

    #[derive(Deserialize)]
    pub struct Hour {
        pub queue: String,
        pub day: Value,
        pub hour: usize,
        pub busy_s: f64,
        pub calls: f64,
    }
}

/// Both files end in the checksum of their first line.
fn first_line(dir: &tempfile::TempDir, file: &str) -> String {
    let text = fs::read_to_string(dir.path().join(file)).unwrap();
    text.lines().next().unwrap().to_owned()
}

#[test]
fn what_is_kept_now_the_version_before_could_read() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(&dir);
    let zone = Settings::new(vec![]).timezone;
    store.save(&store.load().unwrap(), &zone).unwrap();
    store
        .save_wait_history(&store.load_wait_history().unwrap())
        .unwrap();
    let state: before::State = serde_json::from_str(&first_line(&dir, "state.json")).unwrap();
    assert_eq!((state.version, state.queues.len()), (1, 2));
    assert_eq!(state.queues[0].state.calls[0].ticket, "A012");
    assert_eq!(state.calls.len(), 16);
    let learnt: before::Learnt = serde_json::from_str(&first_line(&dir, "learnt.json")).unwrap();
    assert_eq!((learnt.version, learnt.today.len()), (1, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_that_waited_during_an_update_are_reported_and_no_name_among_them() {
    let Some(broker) = Mosquitto::start().await else {
        return;
    };
    let calls = "yobiban/v1/chuo/node/n1/calls";
    let mut hub = start(options(broker.address(), "hub").subscribe(Subscription::new(calls)));
    up(&mut hub).await;
    let dir = tempfile::tempdir().unwrap();
    let spool = dir.path().join("store/spool");
    fs::create_dir_all(&spool).unwrap();
    let segment = "0000000000000000.calls";
    let written = root().join("tests/fixtures/store/spool").join(segment);
    fs::copy(written, spool.join(segment)).unwrap();
    let more = "[[queue]]\nid = \"moving\"\nname = { ja = \"転入\" }\npattern = \"[0-9]{2}\"";
    let config = dir.path().join("node.toml");
    fs::write(&config, node_toml(broker.address(), more)).unwrap();
    let mut command = yobiban();
    command.args(["node", "--config"]).arg(&config);
    let mut node = Process::start(command);
    let mut reported = Vec::new();
    for _ in 0..8 {
        let call: Value = serde_json::from_slice(&next_on(&mut hub, calls).await).unwrap();
        let label = |field: &str| call[field].as_str().unwrap().to_owned();
        reported.push((
            call["no"].as_u64().unwrap(),
            label("ticket"),
            label("counter"),
        ));
    }
    let read: Vec<_> = reported
        .iter()
        .map(|(no, ticket, counter)| (*no, ticket.as_str(), counter.as_str()))
        .collect();
    assert_eq!(
        read,
        [
            (1, "A041", "3"),
            (2, "A042", "3番窓口"),
            (3, "(株)(株)(株)(株~", "3"),
            (4, "?", "3"),
            (5, "7", ""),
            (6, "43", "1"),
            (8, "44", "1"),
            (9, "A043", ""),
        ]
    );
    node.stop().await;
    assert_eq!(node.says("damaged"), 0, "{:?}", node.said());
    assert_eq!(node.says("of 4 characters, do not match `pattern`"), 1);
    assert_eq!(node.says("山田"), 0);
}
