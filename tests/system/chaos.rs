//! Random faults on every line while a recorded afternoon is replayed: at the end board, hub and
//! history equal the truth, and no board ever said what no source had said.
//!
//! Two hundred faults a minute between nodes, broker and hub: cut connections, lines that hang
//! without a word, lines that crawl, refused connections. `just chaos` runs it for longer, with
//! `YOBIBAN_CHAOS_MINUTES`; `YOBIBAN_SEED` chooses the same faults again.
//!
//! The truth is what reached the nodes: a broker keeps one message of a queue, so a call that its
//! source told of for a second only (mihama restarts its count 16 s after a call, without a list of
//! the calls before) never reaches a node whose line was down then. Nobody can show it; a node that
//! sees the gap counts it.

use crate::alone::{alone, few, seed};
use crate::support::afternoon::{
    OFFICES, ROOT, Row as HistoryRow, board_shows, history, last_messages, node_config, today,
};
use crate::support::proxy::{Fault, Proxy};
use crate::support::{self, day, http, mosquitto::Mosquitto, until};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use yobiban::board::Row;
use yobiban::clock::{Clock, SystemClock};
use yobiban::commands::{broker_url, replay};
use yobiban::config::{self, NodeConfig};
use yobiban::mqtt::{self, SessionOptions, Subscription};
use yobiban::node::{BoardContents, MessageApplied, Probe};
use yobiban::services;
use yobiban::wire::feed::FeedMessage;
use yobiban::wire::topic::Topic;

/// How many seconds of the afternoon pass in one: lines need up to five seconds to come back, and
/// a message lists the last twenty calls.
const SPEED: f64 = 10.0;

/// Two hundred a minute.
const FAULT_EVERY: Duration = Duration::from_millis(300);

/// How long they last where one of each kind is enough.
const SMOKE: Duration = Duration::from_secs(10);

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

/// What the sources say, heard beside the faults: each message by its topic's levels and number.
type Told = BTreeMap<(String, String, u64), FeedMessage>;

/// Listens to the sources until stopped.
fn listen(broker: std::net::SocketAddr, stop: &CancellationToken) -> tokio::task::JoinHandle<Told> {
    let broker = broker_url::parse(&format!("mqtt://{broker}")).unwrap();
    let options = SessionOptions::new(&broker, "test", "test-truth")
        .subscribe(Subscription::new(format!("{ROOT}/+/feed/+")));
    let mut session = mqtt::spawn(options, stop.clone());
    tokio::spawn(async move {
        let mut told = Told::new();
        while let Some(mut message) = session.inbox.recv().await {
            if let Some(Topic::Feed(office, queue)) = Topic::parse(ROOT, &message.topic)
                && let Ok(said) = FeedMessage::decode(&message.payload)
            {
                told.insert((office.to_string(), queue.to_string(), said.seq), said);
            }
            message.ack();
        }
        told
    })
}

/// The history that the messages which nodes took should leave behind.
fn wanted(told: &Told, taken: &mut mpsc::Receiver<MessageApplied>) -> BTreeSet<HistoryRow> {
    let mut rows = BTreeSet::new();
    while let Ok(MessageApplied { office, queue, seq }) = taken.try_recv() {
        let key = (office.to_string(), queue.to_string(), seq);
        for call in &told[&key].calls {
            let ticket = call.ticket.to_string();
            rows.insert((key.0.clone(), key.1.clone(), call.no, ticket));
        }
    }
    rows
}

/// The row that a message should make, with the fields of the contract only.
fn row(queue: &str, message: &FeedMessage) -> Row {
    let label = |l: &yobiban::model::Label| l.to_string();
    Row {
        queue: queue.to_owned(),
        last: message
            .calls
            .first()
            .map(|c| (label(&c.ticket), c.counter.as_ref().map(label))),
        next: message.next.iter().take(4).map(label).collect(),
        waiting: message.waiting,
        on_hold: message.on_hold.unwrap_or(0),
    }
}

/// Every row and call that a board ever had was said by a source.
fn check_said(
    told: &Told,
    said: &mut mpsc::Receiver<BoardContents>,
    configs: &[NodeConfig],
) -> usize {
    let (mut rows, mut tickets) = (BTreeSet::new(), BTreeSet::new());
    for ((office, queue, _), message) in told {
        let config = configs
            .iter()
            .find(|c| c.office.as_str() == office)
            .unwrap();
        let queues = &config.state.queues;
        let settings = queues.iter().find(|q| q.id.as_str() == queue).unwrap();
        let name = settings.name.best("ja");
        rows.insert((office.as_str(), row(name, message)));
        for call in &message.calls {
            tickets.insert((office.as_str(), name.to_owned(), call.ticket.to_string()));
        }
    }
    let mut views = 0;
    while let Ok(BoardContents {
        office,
        rows: shown,
        calls,
    }) = said.try_recv()
    {
        views += 1;
        for row in shown {
            // Nothing was heard yet: no number at all.
            let empty = row.last.is_none() && row.next.is_empty() && row.waiting.is_none();
            assert!(
                empty || rows.contains(&(office.as_str(), row.clone())),
                "{office}: {row:?}"
            );
        }
        for (queue, ticket) in calls {
            let call = (office.as_str(), queue, ticket);
            assert!(tickets.contains(&call), "{call:?}");
        }
    }
    views
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_happens_on_the_lines_the_end_is_the_truth() {
    let _alone = alone();
    let Some(broker) = Mosquitto::start().await else {
        return;
    };
    let minutes = std::env::var("YOBIBAN_CHAOS_MINUTES").ok();
    let lasts = minutes.map_or(few(SMOKE, BOUNDED), |m| {
        Duration::from_secs(m.parse::<u64>().unwrap() * 60)
    });
    let mut random = fastrand::Rng::with_seed(seed());
    let dir = tempfile::tempdir().unwrap();
    let recording = recording(dir.path(), lasts);
    let truth = day::truth(&day::read(&recording));
    let stop = CancellationToken::new();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let (stop_listening, told) = (CancellationToken::new(), broker.address());
    let told = listen(told, &stop_listening);
    // Bounded by what one run can bring; checked below to have had room for all.
    let (to_taken, mut taken) = mpsc::channel(1 << 20);
    let (to_said, mut said) = mpsc::channel(1 << 20);
    let probe = Probe {
        messages: Some(to_taken),
        contents: Some(to_said),
        ..Probe::default()
    };

    let mut lines = Vec::new();
    let to_hub = Proxy::to(broker.address()).await;
    let hub_text = format!(
        "[mqtt]\nurl = \"mqtt://{}\"\nkeep_alive = \"5s\"\n[http]\nlisten = \"127.0.0.1:0\"\n",
        to_hub.address()
    );
    lines.push(to_hub);
    let hub = config::parse_hub(&hub_text, "hub.toml", dir.path()).unwrap();
    let (ready, bound) = tokio::sync::oneshot::channel();
    let hub = tokio::spawn(services::hub::run(hub, clock.clone(), stop.clone(), |at| {
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
        nodes.push(tokio::spawn(services::node::run(
            config.clone(),
            clock.clone(),
            stop.clone(),
            probe.clone(),
        )));
        configs.push(config);
    }
    until("the hub is ready", async || {
        let ready = http::get(address, "/readyz").await.status == 200;
        ready.then_some(()).ok_or(())
    })
    .await;

    let args = replay::ReplayArgs {
        file: recording,
        mqtt: broker_url::parse(&format!("mqtt://{}", broker.address())).unwrap(),
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
    // Every line is up again, so every node has taken the newest message of each queue.
    let last = last_messages(broker.address(), truth.last.len()).await;
    for config in &configs {
        until("the board's last picture", async || {
            board_shows(address, config, &last).await
        })
        .await;
    }
    stop_listening.cancel();
    let told = told.await.unwrap();
    assert!(probe.messages.as_ref().is_some_and(|to| to.capacity() > 0));
    let wanted = wanted(&told, &mut taken);
    assert!(wanted.len() > few(20, 500), "{}", wanted.len());
    until("the history holds every call", async || {
        let found: BTreeSet<_> = history(address, &today).await.into_iter().collect();
        let missing: Vec<_> = wanted.difference(&found).take(3).cloned().collect();
        let more: Vec<_> = found.difference(&wanted).take(3).cloned().collect();
        (found == wanted)
            .then_some(())
            .ok_or((found.len(), wanted.len(), missing, more))
    })
    .await;
    assert_eq!(history(address, &today).await.len(), wanted.len(), "once");
    assert!(probe.contents.as_ref().is_some_and(|to| to.capacity() > 0));
    let views = check_said(&told, &mut said, &configs);
    println!("{} calls, {views} views", wanted.len());
    assert!(views > few(10, 50), "{views}");
    stop.cancel();
    hub.await.unwrap().unwrap();
    for node in nodes {
        node.await.unwrap().unwrap();
    }
}
