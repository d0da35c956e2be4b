//! A visitor's name where a foreign system shows a ticket: real processes at every log level and a
//! real broker; then everything that anybody could see of them is searched for it.

use crate::hub_database::today;
use crate::mqtt::{options, start, up};
use crate::support::mosquitto::Mosquitto;
use crate::support::process::Process;
use crate::support::until;
use crate::support::{http, yobiban};
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use yobiban::clock::{Clock as _, SystemClock};
use yobiban::config::load_node;
use yobiban::mqtt::{Publish, Session, Subscription};
use yobiban::node::Probe;
use yobiban::services;

/// Too long for a label.
const LONG: &str = "YAMADA-KANARIA 太郎";
/// A label by its form; only the pattern tells that it is no ticket.
const SHORT: &str = "ヤマダカナリア";
/// A telephone number, as text or as a number.
const NUMBER: u64 = 9_012_345_678;

const TOKEN: &str = "0123456789abcdefgh";

/// Parts of them, as texts, and as others might write them: escaped for JSON, for Rust, for an
/// address, as bytes.
const DISGUISES: [&str; 12] = [
    "yamada",
    "太郎",
    "ヤマダ",
    "カナリア",
    "9012345678",
    "\\u592a\\u90ce",
    "\\u30e4\\u30de",
    "\\xe3\\x83\\xa4\\xe3\\x83\\x9e",
    "\\xe5\\xa4\\xaa",
    "%e3%83%a4",
    "227, 131, 164, 227",
    "89, 65, 77, 65, 68, 65",
];

fn silent(what: &str, text: &str) {
    let lower = text.to_lowercase();
    for part in DISGUISES {
        let around = lower.find(part).map(|at| {
            let from = lower.floor_char_boundary(at.saturating_sub(300));
            let to = lower.ceil_char_boundary(at + 100);
            &lower[from..to]
        });
        assert_eq!(around, None, "{what} tells {part}");
    }
}

/// The same of bytes that may hold anything.
fn silent_bytes(what: &str, bytes: &[u8]) {
    silent(what, &String::from_utf8_lossy(bytes));
}

fn talkative(role: &str, config: &Path) -> Process {
    let mut command = yobiban();
    command
        .args([role, "--config"])
        .arg(config)
        .env("RUST_LOG", "trace")
        .env("RUST_BACKTRACE", "full");
    Process::start(command)
}

/// Every file below a folder.
fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}

/// A node with a queue of its own feed, and two behind adapters.
fn node(dir: &Path, broker: std::net::SocketAddr, id: &str) -> PathBuf {
    let text = format!(
        r#"
        [office]
        id = "chuo"
        name = {{ ja = "中央区" }}
        [node]
        id = "{id}"
        [mqtt]
        url = "mqtt://{broker}"
        [store]
        dir = "store"
        [[queue]]
        id = "certificates"
        name = {{ ja = "証明書" }}
        pattern = "[A-Z][0-9]{{3}}"
        [[queue]]
        id = "moving"
        name = {{ ja = "転入" }}
        [[queue]]
        id = "taxes"
        name = {{ ja = "税" }}
        [[adapter]]
        topic = "hall/+/now"
        [[adapter.queue]]
        queue = "moving"
        number = "/now"
        waiting = "/waiting"
        on_hold = "/hold"
        counter = "/counter"
        at = "/at"
        [[adapter]]
        topic = "list"
        [[adapter.queue]]
        queue = "taxes"
        select = [{{ list = "/list", key = "/id", equals = "a" }}]
        number = "/now"
        [[board]]
        id = "main"
        size = [640, 360]
        output = {{ kind = "png", path = "main.png" }}
        "#
    );
    let path = dir.join("node.toml");
    std::fs::write(&path, text).unwrap();
    path
}

fn now() -> String {
    let zone = TimeZone::get("Asia/Tokyo").unwrap();
    let now = SystemClock::new().now().wall.to_zoned(zone);
    now.strftime("%Y-%m-%dT%H:%M:%S.%3f%:z").to_string()
}

/// A whole message of the office's own feed that calls a ticket.
fn feed(no: u64) -> Value {
    let at = now();
    json!({
        "seq": SystemClock::new().now().wall.as_millisecond() * 1000 + i64::try_from(no).unwrap(),
        "at": at, "day": today().to_string(), "epoch": 0, "status": "open",
        "waiting": 3, "next": [format!("A{:03}", no + 1)], "on_hold": 1, "held": ["A001"],
        "calls": [{"no": no, "ticket": format!("A{no:03}"), "counter": "3", "at": at, "kind": "call"}],
        "wait": {"low": 60, "high": 600},
    })
}

/// A whole message of a foreign system.
fn foreign(number: u64) -> Value {
    json!({"now": number.to_string(), "waiting": 3, "hold": 0, "counter": "3", "at": now()})
}

/// What may stand in a value's place.
fn strange() -> Vec<Value> {
    let text = |text: &str| {
        [
            json!(text),
            json!(format!("A042 {text}")),
            json!(format!("\"{text}\"")),
            json!([text]),
            json!({text: text}),
        ]
    };
    let numbers = [
        json!(NUMBER),
        json!(NUMBER as f64 + 0.5),
        json!(-(NUMBER as i64)),
    ];
    let texts = [LONG, SHORT, "9012345678", "090-1234-9012345678"];
    texts.iter().flat_map(|t| text(t)).chain(numbers).collect()
}

/// The message with something strange in each place in turn; at a counter only what is no label, for
/// counters have no pattern.
fn spoilt(message: &Value) -> Vec<Value> {
    let places = [
        "/seq",
        "/at",
        "/day",
        "/epoch",
        "/status",
        "/waiting",
        "/next",
        "/next/0",
        "/on_hold",
        "/held",
        "/held/0",
        "/calls",
        "/calls/0",
        "/calls/0/no",
        "/calls/0/ticket",
        "/calls/0/counter",
        "/calls/0/at",
        "/calls/0/kind",
        "/wait",
        "/wait/low",
        "/now",
        "/hold",
        "/counter",
        "/list",
        "/list/0",
        "/list/0/id",
        "/list/0/now",
    ];
    let label = |value: &Value| {
        let text = value.as_str();
        value.is_number() || text.is_some_and(|text| yobiban::model::Label::new(text).is_ok())
    };
    let mut all = Vec::new();
    for place in places {
        for value in strange() {
            // A count may be any.
            let count = value.is_u64() && ["/seq", "/calls/0/no"].contains(&place);
            if count || place.ends_with("counter") && label(&value) {
                continue;
            }
            let mut message = message.clone();
            if let Some(found) = message.pointer_mut(place) {
                *found = value;
                all.push(message);
            }
        }
    }
    // A field that nobody knows, and one that is there twice.
    let mut more = message.clone();
    more[LONG] = json!(SHORT);
    all.push(more);
    all
}

/// What is no JSON.
fn broken() -> Vec<Vec<u8>> {
    let text = format!("{{\"now\":\"{LONG}\",\"ticket\":\"{SHORT}\"");
    vec![
        LONG.into(),
        SHORT.into(),
        text.clone().into(),
        format!("{text}}}}}").into(),
        format!("{{\"seq\":1,\"seq\":\"{SHORT}\",\"waiting\":tru{LONG}}}").into(),
        [
            b"\xff\xfe".to_vec(),
            LONG.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        ]
        .concat(),
        format!("\u{feff}{LONG}").into(),
    ]
}

async fn publish(source: &Session, topic: &str, payload: impl Into<Vec<u8>>) {
    let message = Publish::retained(topic, payload.into());
    source.publisher.publish(message).await.unwrap();
}

/// Publishes everything, and last what is right, so that whoever shows it has seen all.
async fn speak(source: &Session) {
    let own = "yobiban/v1/chuo/feed/certificates";
    publish(source, own, feed(41).to_string()).await;
    publish(source, "hall/a/now", foreign(41).to_string()).await;
    let list = json!({"list": [{"id": "a", "now": "41"}]});
    publish(source, "list", list.to_string()).await;
    for message in spoilt(&feed(42)) {
        publish(source, own, message.to_string()).await;
    }
    for message in spoilt(&foreign(42)) {
        publish(source, "hall/a/now", message.to_string()).await;
    }
    for message in spoilt(&list) {
        publish(source, "list", message.to_string()).await;
    }
    for payload in broken() {
        for topic in [own, "hall/a/now", "list"] {
            publish(source, topic, payload.clone()).await;
        }
    }
    // Topics are the source's, too.
    publish(source, &format!("hall/{LONG}/now"), SHORT).await;
    publish(source, own, feed(99).to_string()).await;
    publish(source, "hall/a/now", foreign(99).to_string()).await;
    let list = json!({"list": [{"id": "a", "now": "99"}]});
    publish(source, "list", list.to_string()).await;
}

/// Everything that the broker hands out but what the source says itself.
async fn listen(broker: &Mosquitto) -> Arc<Mutex<Vec<(String, Vec<u8>)>>> {
    let mut spy = start(options(broker.address(), "spy").subscribe(Subscription::new("#")));
    up(&mut spy).await;
    let heard = Arc::new(Mutex::new(Vec::new()));
    let keep = Arc::clone(&heard);
    tokio::spawn(async move {
        while let Some(message) = spy.inbox.recv().await {
            let own = ["hall/", "list", "yobiban/v1/chuo/feed/"];
            if !own.iter().any(|own| message.topic.starts_with(own)) {
                let message = (message.topic, message.payload.to_vec());
                keep.lock().unwrap().push(message);
            }
        }
    });
    heard
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_in_place_of_a_ticket_is_found_in_no_log_topic_file_or_page() {
    let Some(broker) = Mosquitto::start().await else {
        return;
    };
    let heard = listen(&broker).await;
    let dir = tempfile::tempdir().unwrap();
    let hub_dir = dir.path().join("hub");
    std::fs::create_dir(&hub_dir).unwrap();
    let hub = hub_dir.join("hub.toml");
    let text = format!(
        "[mqtt]\nurl = \"mqtt://{}\"\n[http]\nlisten = \"127.0.0.1:0\"\nfleet_token = \"{TOKEN}\"\n\
         [store]\nurl = \"sqlite:hub.db\"\n",
        broker.address()
    );
    std::fs::write(&hub, text).unwrap();
    let own = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(&hub, own).unwrap();
    let mut hub = talkative("hub", &hub);
    let pages = hub.pages().await;
    let node_dir = dir.path().join("node");
    std::fs::create_dir(&node_dir).unwrap();
    let config = node(&node_dir, broker.address(), "n1");
    let mut process = talkative("node", &config);
    // A second one in this process, for the words on its board.
    let beside = dir.path().join("beside");
    std::fs::create_dir(&beside).unwrap();
    let (to_said, mut said) = mpsc::channel(10_000);
    let probe = Probe {
        contents: Some(to_said),
        ..Probe::default()
    };
    let stop = CancellationToken::new();
    let clock = Arc::new(SystemClock::new());
    let other = load_node(&node(&beside, broker.address(), "n2")).unwrap();
    let other = tokio::spawn(services::node::run(other, clock, stop.clone(), probe));
    let numbers = || heard.lock().unwrap().clone();
    until("both nodes are there", async || {
        let there = |node: &str| {
            let topic = format!("yobiban/v1/chuo/node/{node}/numbers");
            numbers().iter().any(|(t, _)| *t == topic)
        };
        there("n1") && there("n2")
    })
    .await;
    until("the node listens", async || {
        process.says("connected to MQTT broker") > 0
    })
    .await;

    let mut source = start(options(broker.address(), "source"));
    up(&mut source).await;
    speak(&source).await;
    until("the last of all is on the hub's page", async || {
        let page = http::get(pages, "/lite/chuo").await.text();
        page.contains("A099") && page.matches("99").count() >= 3
    })
    .await;
    let refused = || {
        numbers().iter().any(|(topic, payload)| {
            topic.ends_with("/health")
                && String::from_utf8_lossy(payload).contains("messages-rejected")
        })
    };
    until("the refusals are reported", async || refused()).await;

    let day = today();
    let head = format!("Authorization: Bearer {TOKEN}\r\n");
    for path in [
        "/",
        "/?lang=en",
        "/offices/chuo",
        "/lite",
        "/lite/chuo",
        "/api/v1/offices",
        "/api/v1/offices/chuo",
        "/opendata/congestion.json",
        "/opendata/congestion.csv",
        "/ngsi-ld/v1/entities?type=QueueMonitor",
        "/metrics",
        "/readyz",
        "/fleet?lang=ja",
        "/fleet?lang=en",
        "/widgets/chuo",
        "/offices/chuo/queues/certificates/tickets/A099",
        &format!("/opendata/calls/{day}.csv"),
        &format!("/opendata/waits/{day}.csv"),
    ] {
        let page = http::get_with(pages, path, &head).await;
        silent_bytes(path, &page.body);
    }
    stop.cancel();
    other.await.unwrap().unwrap();
    process.stop().await;
    hub.stop().await;
    let mut seen = 0;
    while let Ok(words) = said.try_recv() {
        silent("the board", &format!("{words:?}"));
        seen += 1;
    }
    assert!(seen >= 2, "the board said little: {seen}");
    for (topic, payload) in numbers() {
        silent(&topic, &topic);
        silent_bytes(&topic, &payload);
    }
    silent("the node's log", &process.said().join("\n"));
    silent("the hub's log", &hub.said().join("\n"));
    assert!(process.says("TRACE") > 10, "talkative");
    let told = process.said();
    let told: Vec<&String> = told
        .iter()
        .filter(|l| l.contains("messages-rejected"))
        .collect();
    let by_length = told.iter().any(|line| line.contains(" characters"));
    assert!(by_length, "told by length: {told:?}");
    let kept = files(dir.path());
    assert!(kept.iter().any(|f| f.ends_with("state.json")), "{kept:?}");
    assert!(kept.iter().any(|f| f.ends_with("hub.db")), "{kept:?}");
    for file in kept {
        silent_bytes(&file.display().to_string(), &std::fs::read(&file).unwrap());
    }

    // The commands that an installer would try next, on the same material.
    let run = |args: &[&str], file: &Path| {
        let mut command = yobiban();
        command.args(args).arg(file).env("RUST_LOG", "trace");
        let output = command.output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        silent_bytes(args[0], &text);
        (
            output.status.code(),
            String::from_utf8_lossy(&text).into_owned(),
        )
    };
    run(&["doctor", "--config"], &config);
    assert_eq!(run(&["check"], &config).0, Some(0));
    let state = dir.path().join("state.json");
    let picture = dir.path().join("board.png");
    let (config_arg, out) = (config.to_str().unwrap(), picture.to_str().unwrap());
    let draw = ["board", "--config", config_arg, "--out", out, "--state"];
    let (mut drawn, mut refused) = (0, 0);
    for message in spoilt(&feed(42)).iter().step_by(5) {
        std::fs::write(&state, json!({"certificates": message}).to_string()).unwrap();
        match run(&draw, &state).0 {
            Some(0) => drawn += 1,
            _ => refused += 1,
        }
    }
    let mut named = feed(42);
    named["calls"][0]["ticket"] = json!(SHORT);
    std::fs::write(&state, json!({"certificates": named}).to_string()).unwrap();
    let (code, told) = run(&draw, &state);
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("a ticket of 7 characters"), "{told}");
    assert!(refused > drawn, "{refused} refused, {drawn} drawn");

    let recording = dir.path().join("day.jsonl");
    let url = format!("mqtt://{}", broker.address());
    let replay = ["replay", "--mqtt", &url, "--speed", "100000"];
    let line = |payload: Value| {
        json!({"at": now(), "topic": "yobiban/v1/chuo/feed/certificates", "payload": payload})
            .to_string()
    };
    for (text, code) in [
        (
            format!("{}\n{}", line(named.clone()), line(json!(LONG))),
            Some(0),
        ),
        (format!("{}\n{LONG}", line(named.clone())), Some(1)),
        (
            json!({"at": SHORT, "topic": "x", "payload": 1}).to_string(),
            Some(1),
        ),
        (
            json!({"at": [LONG], "topic": NUMBER, "payload": SHORT}).to_string(),
            Some(1),
        ),
        (
            json!({"at": now(), "topic": {LONG: SHORT}, "payload": 1}).to_string(),
            Some(1),
        ),
        (json!(LONG).to_string(), Some(1)),
    ] {
        std::fs::write(&recording, &text).unwrap();
        let (found, told) = run(&replay, &recording);
        assert_eq!(found, code, "{text}: {told}");
    }
}
