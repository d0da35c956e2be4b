//! Random faults on every line while a recorded afternoon is replayed: at the end board, hub and
//! history equal the truth.
//!
//! Two hundred faults a minute between nodes, broker and hub: cut connections, lines that hang
//! without a word, lines that crawl, refused connections. `just chaos` runs it, for
//! `YOBIBAN_CHAOS_MINUTES`; `YOBIBAN_CHAOS_SEED` chooses the same faults again.
//!
//! Not part of the usual run: one run in three ended with a call of 603 missing in the history, for
//! a reason that is not found yet (docs/reliability.md).

use crate::end_to_end::{
    OFFICES, board_shows, history, last_messages, node_config, settle, today, wanted,
};
use crate::support::proxy::{Fault, Proxy};
use crate::support::{self, day, http, mosquitto::Mosquitto};
use std::collections::BTreeSet;
use std::io::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;
use yobiban::clock::{Clock, SystemClock};
use yobiban::config::{self, NodeConfig};
use yobiban::roles::{self, replay};

/// How many seconds of the afternoon pass in one: lines need up to five seconds to come back, and
/// a message lists the last twenty calls.
const SPEED: f64 = 10.0;

/// Two hundred a minute.
const FAULT_EVERY: Duration = Duration::from_millis(300);

/// How long the faults last unless asked for more.
const BOUNDED: Duration = Duration::from_secs(45);

/// The first part of the afternoon, as long as the faults last.
fn recording(dir: &std::path::Path, lasts: Duration) -> std::path::PathBuf {
    let whole = support::root().join("tests/fixtures/days/afternoon.jsonl.gz");
    let path = dir.join("part.jsonl");
    let mut file = std::fs::File::create(&path).unwrap();
    let gz = flate2::read::GzDecoder::new(std::fs::File::open(whole).unwrap());
    let mut first: Option<jiff::Timestamp> = None;
    // The first line is a kept message of a quarter of an hour before.
    for line in std::io::BufRead::lines(std::io::BufReader::new(gz)).skip(1) {
        let line = line.unwrap();
        let json: serde_json::Value = serde_json::from_str(&line).unwrap();
        let at: jiff::Timestamp = json["at"].as_str().unwrap().parse().unwrap();
        let begin = *first.get_or_insert(at);
        if at.duration_since(begin).as_secs_f64() > lasts.as_secs_f64() * SPEED {
            break;
        }
        writeln!(file, "{line}").unwrap();
    }
    path
}

fn random_fault(random: &mut fastrand::Rng) -> Fault {
    match random.u8(0..10) {
        0..3 => Fault::None,
        3..6 => Fault::Cut,
        6 => Fault::Hang,
        7 => Fault::Crawl(random.usize(1..400)),
        8 => Fault::Crawl(1),
        _ => Fault::Refuse,
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "just chaos: one run in three misses a call"]
async fn whatever_happens_on_the_lines_the_end_is_the_truth() {
    let Some(broker) = Mosquitto::start().await else {
        return;
    };
    let minutes = std::env::var("YOBIBAN_CHAOS_MINUTES").ok();
    let lasts = minutes.map_or(BOUNDED, |m| {
        Duration::from_secs(m.parse::<u64>().unwrap() * 60)
    });
    let seed = std::env::var("YOBIBAN_CHAOS_SEED")
        .map_or_else(|_| fastrand::u64(..), |s| s.parse().unwrap());
    println!("seed {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let dir = tempfile::tempdir().unwrap();
    let recording = recording(dir.path(), lasts);
    let truth = day::truth(&day::read(&recording));
    let stop = CancellationToken::new();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());

    let mut lines = Vec::new();
    let to_hub = Proxy::to(broker.address()).await;
    let hub_text = format!(
        "[mqtt]\nurl = \"mqtt://{}\"\nkeep_alive = \"5s\"\n[http]\nlisten = \"127.0.0.1:0\"\n",
        to_hub.address()
    );
    lines.push(to_hub);
    let hub = config::parse_hub(&hub_text, "hub.toml", dir.path()).unwrap();
    let (ready, bound) = tokio::sync::oneshot::channel();
    let hub = tokio::spawn(roles::hub::run(hub, clock.clone(), stop.clone(), |at| {
        ready.send(at).unwrap();
    }));
    let address = bound.await.unwrap();
    let mut configs: Vec<NodeConfig> = Vec::new();
    let mut nodes = Vec::new();
    for office in OFFICES {
        let line = Proxy::to(broker.address()).await;
        let mut config = node_config(office, line.address(), dir.path());
        config.mqtt.keep_alive = Duration::from_secs(5);
        lines.push(line);
        nodes.push(tokio::spawn(roles::node::run(
            config.clone(),
            clock.clone(),
            stop.clone(),
            None,
        )));
        configs.push(config);
    }
    settle("the hub is ready", async || {
        let ready = http::get(address, "/readyz").await.status == 200;
        ready.then_some(()).ok_or(())
    })
    .await;

    let args = replay::ReplayArgs {
        file: recording,
        mqtt: replay::broker(&format!("mqtt://{}", broker.address())).unwrap(),
        speed: SPEED,
        office: None,
        keep_times: false,
    };
    let stop_replay = stop.clone();
    let replay = tokio::spawn(async move {
        let mut said = Vec::new();
        replay::run(args, &mut said, stop_replay).await.unwrap();
    });
    let begin = Instant::now();
    let mut faults = 0_u64;
    while begin.elapsed() < lasts {
        let line = &lines[random.usize(0..lines.len())];
        line.set(random_fault(&mut random));
        faults += 1;
        tokio::time::sleep(FAULT_EVERY).await;
    }
    replay.await.unwrap();
    for line in &lines {
        line.set(Fault::None);
    }
    let connections: u64 = lines.iter().map(Proxy::connections).sum();
    println!(
        "{faults} faults in {:?}, {connections} connections",
        begin.elapsed()
    );
    assert!(connections > lines.len() as u64 * 2, "the lines did break");

    let today = today(&*clock);
    let wanted = wanted(&truth);
    assert!(wanted.len() > 50, "{}", wanted.len());
    settle("the history holds every call", async || {
        let found: BTreeSet<_> = history(address, &today).await.into_iter().collect();
        let missing: Vec<_> = wanted.difference(&found).take(3).cloned().collect();
        let more: Vec<_> = found.difference(&wanted).take(3).cloned().collect();
        (found == wanted)
            .then_some(())
            .ok_or((found.len(), wanted.len(), missing, more))
    })
    .await;
    assert_eq!(history(address, &today).await.len(), wanted.len(), "once");
    let last = last_messages(broker.address(), truth.last.len()).await;
    for config in &configs {
        settle("the board's last picture", async || {
            board_shows(address, config, &last).await
        })
        .await;
    }
    stop.cancel();
    hub.await.unwrap().unwrap();
    for node in nodes {
        node.await.unwrap().unwrap();
    }
}
