//! Several hubs behind a load balancer, on one cluster of brokers and one database.

use crate::alone::alone;
use crate::nats::Cluster;
use crate::support::postgres::Postgres;
use crate::support::process::{Process, metric};
use crate::support::proxy::Proxy;
use crate::support::sessions::{options, start, up};
use crate::support::{PATIENCE, eventually, http, node_toml, until, yobiban};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use yobiban::clock::{Clock as _, SystemClock};
use yobiban::mqtt::{Publish, Session, Version};

/// Calls of the one queue, and which of them fall together with what happens.
const CALLS: u64 = 200;
const BROKER_DIES: u64 = 50;
const HUB_DIES: u64 = 100;
const BROKER_COMES_BACK: u64 = 150;

/// Calls that a message tells of.
const REACH: u64 = 20;

/// Viewers, half of them at each hub as long as there are two.
const VIEWERS: usize = 100;

/// The state of the queue after a call, as a ticketing system tells it.
fn state(no: u64) -> String {
    let zone = jiff::tz::TimeZone::get("Asia/Tokyo").unwrap();
    let now = SystemClock::new().now().wall.to_zoned(zone);
    let at = now.strftime("%Y-%m-%dT%H:%M:%S%.3f%:z").to_string();
    let calls: Vec<_> = (no.saturating_sub(REACH - 1).max(1)..=no)
        .rev()
        .map(|n| {
            serde_json::json!({"no": n, "ticket": format!("A{n:03}"), "counter": "3", "at": at, "kind": "call"})
        })
        .collect();
    serde_json::json!({
        "seq": now.timestamp().as_millisecond() * 1000 + i64::try_from(no).unwrap(),
        "at": at, "day": now.date(), "status": "open", "waiting": 3, "on_hold": 0, "calls": calls,
    })
    .to_string()
}

/// Publishes until it is confirmed, as ticketing systems do.
async fn say(source: &Session, payload: String) {
    let topic = "yobiban/v1/chuo/feed/certificates";
    loop {
        let message = Publish::retained(topic, payload.clone());
        if source.publisher.publish(message).await.is_ok() {
            return;
        }
    }
}

/// A browser: follows the events, and comes back when the connection is gone.
async fn viewer(balancer: SocketAddr, newest: Arc<Mutex<u64>>) {
    loop {
        let _ = async {
            let mut stream = TcpStream::connect(balancer).await?;
            let request = b"GET /api/v1/events HTTP/1.1\r\nhost: x\r\n\r\n";
            stream.write_all(request).await?;
            let (mut heard, mut bytes) = (String::new(), [0; 16 * 1024]);
            loop {
                let n = stream.read(&mut bytes).await?;
                if n == 0 {
                    return std::io::Result::Ok(());
                }
                heard.push_str(&String::from_utf8_lossy(&bytes[..n]));
                for (_, rest) in heard
                    .match_indices("\"ticket\":\"A")
                    .map(|(i, m)| heard.split_at(i + m.len()))
                {
                    if let Some(no) = rest.get(..3).and_then(|n| n.parse::<u64>().ok()) {
                        let mut newest = newest.lock().unwrap();
                        *newest = no.max(*newest);
                    }
                }
                let keep = heard.len().saturating_sub(64);
                let keep = (keep..=heard.len()).find(|i| heard.is_char_boundary(*i));
                heard.drain(..keep.unwrap_or_default());
            }
        }
        .await;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The numbers of all calls of a day that a hub publishes, smallest first.
async fn kept(hub: SocketAddr, day: &str) -> Vec<u64> {
    let csv = http::get(hub, &format!("/opendata/calls/{day}.csv")).await;
    let text = csv.text();
    let no = |line: &str| line.split(',').nth(4)?.parse::<u64>().ok();
    let mut numbers: Vec<_> = text.lines().filter_map(no).collect();
    numbers.sort_unstable();
    numbers
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_and_a_hub_die_and_everybody_sees_every_call() {
    let _alone = alone();
    let Some(mut brokers) = Cluster::start().await else {
        return;
    };
    let Some(database) = Postgres::start() else {
        return;
    };
    let line = Proxy::among(brokers.addresses()).await;
    let dir = tempfile::tempdir().unwrap();
    let run = |role: &str, name: &str, text: String| {
        let config = dir.path().join(format!("{name}.toml"));
        std::fs::write(&config, text).unwrap();
        let mut command = yobiban();
        command.args([role, "--config"]).arg(&config);
        Process::start(command)
    };
    let hub = |name: &str| {
        let text = format!(
            "[mqtt]\nurl = \"mqtt://{}\"\nclient_id = \"{name}\"\n[http]\nlisten = \"127.0.0.1:0\"\n\
             [store]\nurl = \"{}\"\n",
            line.address(),
            database.url()
        );
        run("hub", name, text)
    };
    let mut hubs = [hub("hub-a"), hub("hub-b")];
    let pages = [hubs[0].pages().await, hubs[1].pages().await];
    // The streams of a new cluster are made when its first clients come, which takes seconds.
    for hub in pages {
        let connected = async || metric(hub, "yobiban_hub_broker_connected").await != 0;
        until("a line to the broker", connected).await;
    }
    let _node = run("node", "node", node_toml(line.address(), ""));

    let mut source = start(options(line.address(), "ticketing"));
    assert_eq!(
        up(&mut source).await,
        Version::V311,
        "NATS speaks MQTT 3.1.1"
    );
    let balancer = Proxy::among(pages.to_vec()).await;
    let newest: Vec<_> = (0..VIEWERS).map(|_| Arc::new(Mutex::new(0))).collect();
    let viewers: Vec<_> = newest
        .iter()
        .map(|n| tokio::spawn(viewer(balancer.address(), Arc::clone(n))))
        .collect();

    let seen = |no: u64| newest.iter().any(|n| *n.lock().unwrap() >= no);
    for no in 1..=CALLS {
        // People are called every few seconds: while a line is away, fewer than a message tells of.
        let told = no.saturating_sub(REACH / 2);
        eventually(PATIENCE, "somebody sees the calls", || {
            seen(told).then_some(())
        })
        .await;
        say(&source, state(no)).await;
        match no {
            BROKER_DIES => brokers.kill(0),
            HUB_DIES => hubs[0].kill(),
            BROKER_COMES_BACK => brokers.run(0),
            _ => {}
        }
        tokio::time::sleep(Duration::from_millis(40)).await;
    }
    eventually(PATIENCE, "every viewer has the last call", || {
        newest
            .iter()
            .all(|n| *n.lock().unwrap() == CALLS)
            .then_some(())
    })
    .await;
    // The hub that died comes back and knows everything, too.
    hubs[0] = hub("hub-a");
    let pages = [hubs[0].pages().await, hubs[1].pages().await];
    let today = SystemClock::new().now().wall;
    let zone = jiff::tz::TimeZone::get("Asia/Tokyo").unwrap();
    let day = today.to_zoned(zone).date();
    let all: Vec<_> = (1..=CALLS).collect();
    for (name, hub) in ["hub-a", "hub-b"].into_iter().zip(pages) {
        let begin = std::time::Instant::now();
        loop {
            let calls = kept(hub, &day.to_string()).await;
            let office = http::get(hub, "/api/v1/offices/chuo").await.text();
            if calls == all && office.contains("A200") {
                break;
            }
            // Whoever reads this later was not there: everything that tells which part stands still.
            let missing: Vec<_> = all.iter().filter(|no| !calls.contains(no)).collect();
            if begin.elapsed() > PATIENCE {
                let metrics = http::get(hub, "/metrics").await.text();
                let count = calls.len();
                panic!("{name}: {count} calls, missing {missing:?}, office {office}\n{metrics}");
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    for viewer in viewers {
        viewer.abort();
    }
}
