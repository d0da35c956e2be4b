//! The real parts together: Mosquitto, six nodes with boards, the hub, a recorded afternoon.

pub use crate::support::afternoon::{
    OFFICES, ROOT, Row, board_shows, history, last_messages, node_config, today,
};
use crate::support::{self, day, http, mosquitto::Mosquitto, until};
use serde_json::Value;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use yobiban::clock::SystemClock;
use yobiban::commands::{broker_url, replay};
use yobiban::config::{self, NodeConfig};
use yobiban::node::Probe;
use yobiban::services;

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

/// The sum of a node's metric over all offices; `None` while there is no such series.
async fn sum(hub: SocketAddr, (name, result): (&str, &str)) -> Option<u64> {
    let metrics = http::get(hub, "/metrics").await;
    let label = format!("result=\"{result}\"}} ");
    let values = metrics.text();
    let values = values.lines().filter_map(|line| {
        let labels = line.strip_prefix(name)?.strip_prefix('{')?;
        let value = match result {
            "" => labels.rsplit_once(' ')?.1,
            _ => labels.split_once(&label)?.1,
        };
        Some(value.trim().parse::<u64>().unwrap())
    });
    values.fold(None, |sum, value| Some(sum.unwrap_or(0) + value))
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
    let hub = tokio::spawn(services::hub::run(
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
            tokio::spawn(services::node::run(
                config.clone(),
                clock.clone(),
                stop.clone(),
                Probe::default(),
            ))
        })
        .collect();
    until("the hub is ready and every node online", async || {
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
        mqtt: broker_url::parse(&format!("mqtt://{}", broker.address())).unwrap(),
        speed: 240.0,
        office: None,
        keep_times: false,
    };
    let mut said = Vec::new();
    replay::run(args, &mut said, stop.clone()).await.unwrap();

    let today = today(&*clock);
    let wanted = wanted(&truth);
    assert!(wanted.len() > 400, "{}", wanted.len());
    until("the history holds every call", async || {
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

    let messages = "yobiban_node_messages_total";
    let calls = "yobiban_node_calls_total";
    for (of, wanted) in [
        ((messages, "applied"), truth.newer),
        ((messages, "rejected"), truth.broken),
        ((calls, "missed"), 0),
        (("yobiban_node_spool_calls", ""), 0),
        (("yobiban_node_calls_not_displayed_total", ""), 0),
    ] {
        until(&format!("{of:?}"), async || {
            let found = sum(address, of).await;
            (found == Some(wanted)).then_some(()).ok_or(found)
        })
        .await;
    }
    let late = sum(address, (messages, "late")).await.unwrap();
    let old = late + sum(address, (messages, "duplicate")).await.unwrap();
    assert_eq!(old, truth.late + truth.doubled);
    assert!(old > 0 && truth.broken > 0, "the afternoon holds both");
    let resets = ("yobiban_node_source_resets_total", "");
    assert_eq!(sum(address, resets).await, Some(5), "mihama");

    let last = last_messages(broker.address(), truth.last.len()).await;
    for config in &configs {
        until("the board's last picture", async || {
            board_shows(address, config, &last).await
        })
        .await;
        let file = std::fs::read(dir.path().join(format!("{}.png", config.office))).unwrap();
        assert_eq!(support::png::rgb(&file).size(), (1920, 1080));
    }

    stop.cancel();
    hub.await.unwrap().unwrap();
    for node in nodes {
        node.await.unwrap().unwrap();
    }
}
