//! `kill -9` at random moments of a node and a hub at work: what they keep can always be read, and
//! no call is lost or counted twice.
//!
//! `YOBIBAN_KILLS` kills more often than the bounded run does.

use crate::alone::{alone, few, seed};
use crate::support::{
    eventually, free_port, http, mosquitto::Mosquitto, node_toml, until, yobiban,
};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use yobiban::clock::{Clock as _, SystemClock};
use yobiban::commands::broker_url;
use yobiban::mqtt::{self, ConnectionState, Publish, SessionOptions};
use yobiban::store::Store;

/// Kills of the bounded run, half of them of the node.
const KILLS: u64 = 30;

/// A call every 200 ms: a message lists the last twenty, so a process may be away for four seconds.
const CALL_EVERY: Duration = Duration::from_millis(200);

/// A process that dies with this value.
struct Process {
    role: &'static str,
    config: PathBuf,
    child: Option<Child>,
}

impl Process {
    fn new(role: &'static str, config: PathBuf) -> Self {
        Self {
            role,
            config,
            child: None,
        }
    }

    /// Starts it (again) and returns what it logs.
    fn start(&mut self) -> std::process::ChildStderr {
        let mut child = yobiban()
            .args([self.role, "--config"])
            .arg(&self.config)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = child.stderr.take().unwrap();
        self.child = Some(child);
        log
    }

    /// Ends it without a chance to do anything about it.
    fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Reads a log to its end; damage of what was kept is what must not be.
fn watch(log: std::process::ChildStderr, damaged: Arc<AtomicBool>) {
    std::thread::spawn(move || {
        for line in BufReader::new(log).lines().map_while(Result::ok) {
            if line.contains("damaged") || line.contains("panicked") {
                println!("{line}");
                damaged.store(true, Ordering::Relaxed);
            }
        }
    });
}

fn write(dir: &Path, broker: SocketAddr, hub: SocketAddr) -> (PathBuf, PathBuf) {
    let node = dir.join("node.toml");
    let board = r#"
        [[board]]
        id = "main"
        size = [320, 180]
        output = { kind = "none" }
    "#;
    let text = node_toml(broker, board);
    std::fs::write(&node, text).unwrap();
    let path = dir.join("hub.toml");
    let text = format!("[mqtt]\nurl = \"mqtt://{broker}\"\n[http]\nlisten = \"{hub}\"\n");
    std::fs::write(&path, text).unwrap();
    (node, path)
}

/// Publishes a call every now and then, until told to stop; returns how many there were.
async fn tickets(broker: SocketAddr, stop: CancellationToken, count: Arc<AtomicU64>) {
    let broker = broker_url::parse(&format!("mqtt://{broker}")).unwrap();
    let options = SessionOptions::new(&broker, "tickets", "tickets");
    let mut session = mqtt::spawn(options, CancellationToken::new());
    session
        .connection
        .wait_for(ConnectionState::is_connected)
        .await
        .unwrap();
    let zone = jiff::tz::TimeZone::get("Asia/Tokyo").unwrap();
    let mut calls: Vec<String> = Vec::new();
    while !stop.is_cancelled() {
        let no = count.fetch_add(1, Ordering::Relaxed) + 1;
        let at = SystemClock::new().now().wall.to_zoned(zone.clone());
        let time = at.strftime("%Y-%m-%dT%H:%M:%S%.3f%:z");
        calls.insert(
            0,
            format!(
                r#"{{"no": {no}, "ticket": "A{:03}", "counter": "3", "at": "{time}", "kind": "call"}}"#,
                no % 1000
            ),
        );
        calls.truncate(20);
        let message = format!(
            r#"{{"seq": {no}, "at": "{time}", "day": "{}", "status": "open", "waiting": 3, "on_hold": 0, "calls": [{}]}}"#,
            at.date(),
            calls.join(",")
        );
        let message = Publish::retained("yobiban/v1/chuo/feed/certificates", message);
        session.publisher.publish(message).await.unwrap();
        tokio::time::sleep(CALL_EVERY.min(Duration::from_millis(50))).await;
        tokio::time::sleep(CALL_EVERY.saturating_sub(Duration::from_millis(50))).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_node_or_hub_loses_no_call_and_keeps_what_can_be_read() {
    let _alone = alone();
    let Some(broker) = Mosquitto::start().await else {
        return;
    };
    let kills = std::env::var("YOBIBAN_KILLS").map_or(few(6, KILLS), |n| n.parse().unwrap());
    let dir = tempfile::tempdir().unwrap();
    let hub_address = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let (node, hub) = write(dir.path(), broker.address(), hub_address);
    let damaged = Arc::new(AtomicBool::new(false));
    let mut node = Process::new("node", node);
    let mut hub = Process::new("hub", hub);
    watch(hub.start(), Arc::clone(&damaged));
    watch(node.start(), Arc::clone(&damaged));
    let listens = || std::net::TcpStream::connect(hub_address).ok();
    eventually(crate::support::PATIENCE, "the hub listens", listens).await;
    until("the hub hears the broker", async || {
        let ready = http::get(hub_address, "/readyz").await.status == 200;
        ready.then_some(()).ok_or(())
    })
    .await;
    let (stop, count) = (CancellationToken::new(), Arc::new(AtomicU64::new(0)));
    let day = || {
        let zone = jiff::tz::TimeZone::get("Asia/Tokyo").unwrap();
        SystemClock::new().now().wall.to_zoned(zone).date()
    };
    let first_day = day();
    let source = tokio::spawn(tickets(broker.address(), stop.clone(), Arc::clone(&count)));
    let mut random = fastrand::Rng::with_seed(seed());
    for i in 0..kills {
        // From the middle of a start to long after it.
        for _ in 0..random.u64(1..16) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let (process, is_node) = if i % 2 == 0 {
            (&mut node, true)
        } else {
            (&mut hub, false)
        };
        process.kill();
        if is_node {
            Store::open(&dir.path().join("store"))
                .and_then(|store| store.load())
                .expect("what is kept can be read");
        }
        watch(process.start(), Arc::clone(&damaged));
    }
    stop.cancel();
    source.await.unwrap();
    let said = count.load(Ordering::Relaxed);
    let numbers = async || -> Vec<u64> {
        let Some(_) = std::net::TcpStream::connect(hub_address).ok() else {
            return Vec::new();
        };
        let csv = http::get(hub_address, &format!("/opendata/calls/{first_day}.csv")).await;
        let no = |line: &str| line.split(',').nth(4).unwrap().parse::<u64>().unwrap();
        csv.text().lines().skip(1).map(no).collect()
    };
    let wanted: Vec<u64> = (1..=said).collect();
    println!("{kills} kills, {said} calls");
    if day() != first_day {
        return; // midnight came in between, and numbers began again
    }
    until("every call is in the history", async || {
        let found = numbers().await;
        let missing: Vec<u64> = wanted
            .iter()
            .filter(|n| !found.contains(n))
            .copied()
            .take(5)
            .collect();
        (found == wanted)
            .then_some(())
            .ok_or((found.len(), missing))
    })
    .await;
    assert!(!damaged.load(Ordering::Relaxed), "see above");
}
