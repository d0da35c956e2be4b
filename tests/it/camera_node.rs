//! A node with a camera: what it reads goes the way of a feed, and nothing around the board goes
//! anywhere.

use crate::mqtt::{options, start, up};
use crate::support::afternoon::{ROOT, node_config};
pub use crate::support::filming::{camera, film, folder, jpeg, marked, toml, walk};
use crate::support::mosquitto::Mosquitto;
use crate::support::process::Process;
use crate::support::yobiban;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use yobiban::clock::SystemClock;
use yobiban::config::{CameraSource, NodeConfig};
use yobiban::mqtt::{Session, Subscription};
use yobiban::node::Probe;
use yobiban::services;
use yobiban::wire::sha256_hex;

const LIMIT: Duration = crate::support::PATIENCE;

pub fn node(broker: SocketAddr, dir: &Path, source: CameraSource) -> NodeConfig {
    let mut node = node_config("chuo", broker, dir);
    let camera = camera(source);
    let mut queue = node.state.queues.remove(0);
    node.state.queues.clear();
    for field in &camera.fields {
        queue.id = field.queue.clone();
        if node.state.queues.iter().all(|q| q.id != queue.id) {
            node.state.queues.push(queue.clone());
        }
    }
    node.cameras = vec![camera];
    node
}

/// Everything that a node sends, by topic below the office.
pub async fn hub(broker: SocketAddr) -> Session {
    let filter = format!("{ROOT}/+/node/#");
    let mut hub = start(options(broker, "hub").subscribe(Subscription::new(filter)));
    up(&mut hub).await;
    hub
}

#[derive(Default)]
pub struct Heard {
    /// `no` and ticket of every call of the queue `q0`, by the order of arrival.
    pub calls: Vec<(u64, String)>,
    /// When the newest call was made.
    pub called_at: String,
    pub numbers: Value,
    pub health: Value,
    pictures: BTreeMap<String, Vec<u8>>,
    all: Vec<Vec<u8>>,
}

impl Heard {
    /// Listens until what was heard satisfies.
    pub async fn until(&mut self, hub: &mut Session, wanted: impl Fn(&Self) -> bool) {
        let listen = async {
            while !wanted(self) {
                let mut message = hub.inbox.recv().await.unwrap();
                let bytes = message.payload.to_vec();
                let json = || serde_json::from_slice::<Value>(&bytes).unwrap();
                match message.topic.rsplit('/').next().unwrap() {
                    "calls" if json()["queue"] == "q0" => {
                        let call = json();
                        let ticket = call["ticket"].as_str().unwrap().to_owned();
                        self.called_at = call["at"].as_str().unwrap().to_owned();
                        self.calls.push((call["no"].as_u64().unwrap(), ticket));
                    }
                    "numbers" => self.numbers = json(),
                    "health" => self.health = json(),
                    "hall" => drop(self.pictures.insert(sha256_hex(&bytes), bytes.clone())),
                    _ => {}
                }
                self.all.push(bytes);
                message.ack();
            }
        };
        let heard = timeout(LIMIT, listen).await;
        assert!(
            heard.is_ok(),
            "{:?} {} {}",
            self.calls,
            self.numbers,
            self.health
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_camera_reads_goes_the_way_of_a_feed_and_a_restart_counts_on() {
    let Some(broker) = Mosquitto::start().await else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let mut hub = hub(broker.address()).await;
    let mut heard = Heard::default();
    let boards: Vec<Vec<u8>> = (0..3).map(|calls| jpeg(&film(calls))).collect();
    let ticket = |calls: usize| film(calls).fields[1].digits.clone();
    for (name, shown, last) in [("first", [0, 1], 1), ("second", [1, 2], 2)] {
        let shown = shown.map(|i| boards[i].as_slice());
        let config = node(
            broker.address(),
            dir.path(),
            folder(dir.path(), name, &shown),
        );
        let stop = CancellationToken::new();
        let clock = Arc::new(SystemClock::new());
        let run = services::node::run(config, clock, stop.clone(), Probe::default());
        let node = tokio::spawn(run);
        let told = |h: &Heard| {
            h.calls.iter().any(|(no, _)| *no == last)
                && h.numbers["queues"][0]["last_call"]["no"] == last
                && h.numbers["cameras"][0]["id"] == "hall"
        };
        heard.until(&mut hub, told).await;
        stop.cancel();
        node.await.unwrap().unwrap();
    }
    // On the wire a call comes at least once: one that was not confirmed when the node stopped comes
    // again. It is the same one then.
    // What stood there at first is no call, and what changed while the node restarted is one.
    let expected: BTreeSet<_> = (1..3).map(|i| (i as u64, ticket(i))).collect();
    let found: BTreeSet<_> = heard.calls.iter().cloned().collect();
    assert_eq!(found, expected, "counted on over the restart");
    assert_eq!(heard.numbers["queues"][0]["source"], "camera");
    assert_eq!(heard.numbers["queues"][0]["fresh"], true);
    let named = &heard.numbers["cameras"][0];
    assert_eq!(named["id"], "hall");
    let picture = &heard.pictures[named["sha256"].as_str().unwrap()];
    assert!(picture.starts_with(&[0xff, 0xd8]) && picture.len() <= 80_000);
    assert!(
        heard.health["counts"]["source_resets"] == 0,
        "{}",
        heard.health
    );
    assert!(heard.health["counts"]["camera_pictures"].is_u64());
}

#[tokio::test(flavor = "multi_thread")]
async fn marks_around_the_board_are_in_nothing_that_is_sent_kept_or_logged() {
    let Some(broker) = Mosquitto::start().await else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let mut hub = hub(broker.address()).await;
    let mut heard = Heard::default();
    let (bytes, marks) = marked(&mut film(0));
    assert!(marks.are_in(&bytes), "the camera's own picture holds them");
    // One that is cut off, and one of another size: what is said of them must not show them.
    let (cut, mut other) = (&bytes[..bytes.len() - 9], film(0));
    (other.width, other.height) = (640, 360);
    other.rgb.truncate(640 * 360 * 3);
    let shown = [bytes.as_slice(), cut, &jpeg(&other), &bytes];
    folder(dir.path(), "pictures", &shown);
    let pictures = dir.path().join("pictures");
    let file = dir.path().join("node.toml");
    fs::write(
        &file,
        toml(
            broker.address(),
            &camera(CameraSource::Folder {
                path: pictures.clone(),
            }),
            &pictures,
        ),
    )
    .unwrap();
    let mut command = yobiban();
    command
        .args(["node", "--config"])
        .arg(&file)
        .env("YOBIBAN_LOG", "trace");
    let process = Process::start(command);
    let ticket = film(0).fields[1].digits.clone();
    heard
        .until(&mut hub, |h| {
            let queues = h.numbers["queues"].as_array();
            queues.is_some_and(|q| q.iter().any(|q| q["now_serving"]["ticket"] == ticket))
                && h.numbers["cameras"][0]["id"] == "hall"
                && h.health["counts"]["camera_failures"].as_u64() > Some(9)
        })
        .await;
    crate::support::eventually(LIMIT, "the state is kept", || {
        dir.path().join("store/state.json").is_file().then_some(())
    })
    .await;
    for payload in &heard.all {
        assert!(!marks.are_in(payload));
    }
    for entry in walk(&dir.path().join("store")) {
        assert!(
            !marks.are_in(&fs::read(&entry).unwrap()),
            "{}",
            entry.display()
        );
    }
    let said = process.said().join("\n");
    assert!(!said.is_empty() && !marks.are_in(said.as_bytes()));
    for picture in heard.pictures.values() {
        // `image` shows such a picture in stripes of other colours.
        let decoded = jpeg_decoder::Decoder::new(&picture[..]).decode().unwrap();
        let magenta = |p: &[u8]| p[0] > 180 && p[1] < 90 && p[2] > 180;
        assert!(
            !decoded.chunks_exact(3).any(magenta),
            "a mark is in the picture for viewers"
        );
    }
}
