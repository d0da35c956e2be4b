//! The real parts together: Mosquitto, six nodes with boards, the hub, a recorded afternoon.

use crate::support::{self, day, http, mosquitto::Mosquitto};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;
use yobiban::board::Painter;
use yobiban::clock::{Clock, Now, SystemClock};
use yobiban::config::{self, NodeConfig};
use yobiban::mqtt::{self, SessionOptions, Subscription};
use yobiban::output::Frame;
use yobiban::roles::{self, line, node::Truth, replay};
use yobiban::state::PanelView;
use yobiban::wire::topic::Topic;

pub const ROOT: &str = "yobiban/v1";
pub const OFFICES: [&str; 6] = ["chuo", "hanamigawa", "inage", "wakaba", "midori", "mihama"];
const QUEUES: [&str; 5] = [
    "certificates",
    "moving",
    "moving-fast",
    "mynumber",
    "koseki",
];

/// How long all that follows the last message may take on a busy machine.
const SETTLE: Duration = Duration::from_secs(60);

pub fn node_config(office: &str, broker: SocketAddr, dir: &Path) -> NodeConfig {
    let mut text = format!(
        r#"
        [office]
        id = "{office}"
        name = {{ ja = "{office}", en = "{office}" }}
        [node]
        id = "n1"
        [mqtt]
        url = "mqtt://{broker}"
        [store]
        dir = "store-{office}"
        [[board]]
        id = "main"
        size = [1920, 1080]
        output = {{ kind = "png", path = "{office}.png" }}
        "#
    );
    for queue in QUEUES {
        text += &format!("[[queue]]\nid = \"{queue}\"\nname = {{ ja = \"{queue}\" }}\n");
    }
    config::parse_node(&text, "node.toml", dir).unwrap()
}

/// Where a call of the history stands: everything but its times.
pub type Row = (String, String, u64, String);

/// The business day of now.
pub fn today(clock: &dyn Clock) -> String {
    let zone = yobiban::state::Settings::new(vec![]).zone;
    clock.now().wall.to_zoned(zone).date().to_string()
}

/// The history that a recording should leave behind.
pub fn wanted(truth: &day::Truth) -> BTreeSet<Row> {
    let mut rows = BTreeSet::new();
    for (topic, calls) in &truth.calls {
        let levels: Vec<&str> = topic.split('/').collect();
        let row = |(no, ticket, _): &(u64, String, String)| {
            let (office, queue) = (levels[2].to_owned(), levels[4].to_owned());
            (office, queue, *no, ticket.clone())
        };
        rows.extend(calls.iter().map(row));
    }
    rows
}

/// The history as the hub publishes it.
pub async fn history(hub: SocketAddr, day: &str) -> Vec<Row> {
    let csv = http::get(hub, &format!("/opendata/calls/{day}.csv")).await;
    let row = |line: &str| {
        let fields: Vec<&str> = line.split(',').collect();
        (
            fields[0].to_owned(),
            fields[1].to_owned(),
            fields[4].parse().unwrap(),
            fields[5].to_owned(),
        )
    };
    csv.text().lines().skip(1).map(row).collect()
}

/// The sum of a node count over all offices.
async fn count(hub: SocketAddr, name: &str) -> u64 {
    let metrics = http::get(hub, "/metrics").await;
    let wanted = format!("name=\"{name}\"}} ");
    metrics
        .text()
        .lines()
        .filter(|l| l.starts_with("yobiban_node_count"))
        .filter_map(|l| l.split_once(&wanted))
        .map(|(_, count)| count.trim().parse::<u64>().unwrap())
        .sum()
}

/// Waits until an answer satisfies, and says what it last was if it never does.
pub async fn settle<T: std::fmt::Debug>(what: &str, mut ask: impl AsyncFnMut() -> Result<(), T>) {
    let begin = Instant::now();
    loop {
        match ask().await {
            Ok(()) => return,
            Err(last) if begin.elapsed() > SETTLE => panic!("{what}: {last:?}"),
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

/// Whether the rows of an office's board, as the hub has its picture, show these messages.
pub async fn board_shows(
    hub: SocketAddr,
    config: &NodeConfig,
    last: &BTreeMap<String, Vec<u8>>,
) -> Result<(), String> {
    let office = config.office.as_str();
    let api: Value = serde_json::from_str(
        &http::get(hub, &format!("/api/v1/offices/{office}"))
            .await
            .text(),
    )
    .unwrap();
    let line = &api["boards"][0];
    let path = format!("/boards/{office}/n1/main");
    let picture = http::get(hub, &path).await;
    let sha = format!(
        "/images/{}",
        line["sha256"].as_str().ok_or("no picture yet")?
    );
    if http::get(hub, &sha).await.body != picture.body {
        return Err("the picture is newer than its line".into());
    }
    let at: jiff::Timestamp = line["shown_at"].as_str().unwrap().parse().unwrap();

    let mut truth = Truth::new(config);
    for (topic, payload) in last
        .iter()
        .filter(|(t, _)| t.contains(&format!("/{office}/")))
    {
        let mut message: Value = serde_json::from_slice(payload).unwrap();
        let queue = topic.rsplit('/').next().unwrap();
        let told = api["queues"]
            .as_array()
            .unwrap()
            .iter()
            .find(|q| q["id"] == queue)
            .unwrap();
        // The wait is the node's own estimate, learnt through the afternoon: scored elsewhere.
        message["wait"] = told["wait"].clone();
        truth.take(topic, &serde_json::to_vec(&message).unwrap(), Now::at(at));
    }
    let snapshot = truth.snapshot(Now::at(at));
    let mut painter = Painter::new(&config.office_name, &config.state, &config.boards[0]).unwrap();
    let mut expected = Frame::new(1920, 1080);
    let view = painter.view(&snapshot, &PanelView::default(), Now::at(at));
    painter.draw(&view, &mut expected);

    let shown = support::png::rgb(&picture.body);
    // The proof: the frame that the node handed to the device is the picture that everybody sees.
    if api["outputs"][0]["frame_sha256"] != shown.frame_sha256() {
        return Err(format!(
            "{office}: the hash of the frame is not that of the picture"
        ));
    }
    // Rows without the panel of calls at the right, which remembers more than the last messages.
    for y in 130..940u32 {
        for x in 0..1250u32 {
            let pixel = expected.row(y)[x as usize] & 0xff_ffff;
            let found = shown.pixel(x, y);
            if pixel != found {
                return Err(format!(
                    "{office}: {x},{y} is {found:06x}, expected {pixel:06x}"
                ));
            }
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_call_of_a_recorded_afternoon_reaches_the_history_once_and_every_board_its_end() {
    let Some(broker) = Mosquitto::start().await else {
        return;
    };
    let recording = support::root().join("tests/fixtures/days/afternoon.jsonl.gz");
    let truth = day::truth(&day::read(&recording));
    let dir = tempfile::tempdir().unwrap();
    let stop = CancellationToken::new();

    let hub_text = format!(
        "[mqtt]\nurl = \"mqtt://{}\"\n[http]\nlisten = \"127.0.0.1:0\"\n",
        broker.address()
    );
    let hub = config::parse_hub(&hub_text, "hub.toml", dir.path()).unwrap();
    let (ready, bound) = tokio::sync::oneshot::channel();
    let clock = Arc::new(SystemClock::new());
    let hub = tokio::spawn(roles::hub::run(
        hub,
        clock.clone(),
        stop.clone(),
        |address| {
            ready.send(address).unwrap();
        },
    ));
    let address = bound.await.unwrap();
    let configs: Vec<NodeConfig> = OFFICES
        .iter()
        .map(|office| node_config(office, broker.address(), dir.path()))
        .collect();
    let nodes: Vec<_> = configs
        .iter()
        .map(|config| {
            tokio::spawn(roles::node::run(
                config.clone(),
                clock.clone(),
                stop.clone(),
                roles::Probe::default(),
            ))
        })
        .collect();
    settle("the hub is ready and every node online", async || {
        let ready = http::get(address, "/readyz").await.status == 200;
        let offices: Value =
            serde_json::from_str(&http::get(address, "/api/v1/offices").await.text()).unwrap();
        let online = |o: &Value| o["online"] == true;
        let all = offices["offices"].as_array().unwrap();
        let ok = ready && all.len() == 6 && all.iter().all(online);
        ok.then_some(()).ok_or(offices)
    })
    .await;

    let args = replay::ReplayArgs {
        file: recording,
        mqtt: line::broker(&format!("mqtt://{}", broker.address())).unwrap(),
        speed: 240.0,
        office: None,
        keep_times: false,
    };
    let mut said = Vec::new();
    replay::run(args, &mut said, stop.clone()).await.unwrap();

    let today = today(&*clock);
    let wanted = wanted(&truth);
    assert!(wanted.len() > 400, "{}", wanted.len());
    settle("the history holds every call", async || {
        let found: BTreeSet<Row> = history(address, &today).await.into_iter().collect();
        let missing: Vec<_> = wanted.difference(&found).take(3).cloned().collect();
        (found == wanted)
            .then_some(())
            .ok_or((found.len(), missing))
    })
    .await;
    assert_eq!(
        history(address, &today).await.len(),
        wanted.len(),
        "each call once"
    );

    for (name, wanted) in [
        ("messages_applied", truth.newer),
        ("messages_refused", truth.broken),
        ("calls_lost", 0),
        ("calls_waiting", 0),
        ("calls_not_shown", 0),
    ] {
        settle(name, async || {
            let found = count(address, name).await;
            (found == wanted).then_some(()).ok_or(found)
        })
        .await;
    }
    let old = count(address, "messages_late").await + count(address, "messages_doubled").await;
    assert_eq!(old, truth.late + truth.doubled);
    assert!(old > 0 && truth.broken > 0, "the afternoon holds both");
    assert_eq!(count(address, "restarts_unsaid").await, 5, "mihama");

    let last = last_messages(broker.address(), truth.last.len()).await;
    for config in &configs {
        settle("the board's last picture", async || {
            board_shows(address, config, &last).await
        })
        .await;
        let file = std::fs::read(dir.path().join(format!("{}.png", config.office))).unwrap();
        assert_eq!(support::png::rgb(&file).size(), (1920, 1080));
    }

    let begin = Instant::now();
    stop.cancel();
    hub.await.unwrap().unwrap();
    for node in nodes {
        node.await.unwrap().unwrap();
    }
    assert!(
        begin.elapsed() < crate::support::ENDS_WITHIN,
        "stops in time"
    );
}

/// What the broker keeps of the feed: the last message of each topic, where it is whole.
pub async fn last_messages(broker: SocketAddr, topics: usize) -> BTreeMap<String, Vec<u8>> {
    let stop = CancellationToken::new();
    let broker = line::broker(&format!("mqtt://{broker}")).unwrap();
    let options = SessionOptions::new(&broker, "test", "test-last")
        .subscribe(Subscription::new(format!("{ROOT}/+/feed/+")));
    let mut session = mqtt::spawn(options, stop.clone());
    let mut last = BTreeMap::new();
    while last.len() < topics {
        let message = session.inbox.recv().await.unwrap();
        assert!(matches!(
            Topic::parse(ROOT, &message.topic),
            Some(Topic::Feed(..))
        ));
        last.insert(message.topic.clone(), message.payload.to_vec());
    }
    stop.cancel();
    last
}
