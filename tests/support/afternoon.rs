//! Six offices whose recorded afternoon is replayed: their nodes, what the hub's history holds, and
//! whether a board shows the end of it.

use super::{http, png};
use serde_json::Value;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use tokio_util::sync::CancellationToken;
use yobiban::board::Painter;
use yobiban::clock::{Clock, Now};
use yobiban::commands::broker_url;
use yobiban::config::{self, NodeConfig};
use yobiban::mqtt::{self, SessionOptions, Subscription};
use yobiban::node::OfficeState;
use yobiban::output::Frame;
use yobiban::state::{Delivery, HighlightView};
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
    let zone = yobiban::state::Settings::new(vec![]).timezone;
    clock.now().wall.to_zoned(zone).date().to_string()
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

    let mut truth = OfficeState::new(config);
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
        truth.apply_message(
            topic,
            &serde_json::to_vec(&message).unwrap(),
            Delivery::Live,
            Now::at(at),
        );
    }
    let snapshot = truth.snapshot(Now::at(at));
    let mut painter = Painter::new(&config.office_name, &config.state, &config.boards[0]).unwrap();
    let mut expected = Frame::new(1920, 1080);
    let view = painter.view(&snapshot, &HighlightView::default(), Now::at(at));
    painter.draw(&view, &mut expected);

    let shown = png::rgb(&picture.body);
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

/// What the broker keeps of the feed: the last message of each topic, where it is whole.
pub async fn last_messages(broker: SocketAddr, topics: usize) -> BTreeMap<String, Vec<u8>> {
    let stop = CancellationToken::new();
    let broker = broker_url::parse(&format!("mqtt://{broker}")).unwrap();
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
