//! A node whose camera is in trouble says which, and that it is over; what it does while nobody knows
//! the time.

use crate::camera_node::{Heard, film, hub, node};
use crate::support::filmed::Filmed;
use crate::support::mosquitto::Mosquitto;
use crate::support::netcam::{NetCamera, films, shows};
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;
use tokio_util::sync::CancellationToken;
use yobiban::clock::{Clock, Now};
use yobiban::config::{CameraSource, HttpCameraConfig, NodeConfig, Secret};
use yobiban::mqtt::Session;
use yobiban::node::Probe;
use yobiban::services;

/// A clock that runs faster than the wall's, and may never have been set.
struct Fast {
    start: Instant,
    set: AtomicBool,
}

impl Fast {
    fn new(set: bool) -> Arc<Self> {
        let set = AtomicBool::new(set);
        let start = Instant::now();
        Arc::new(Self { start, set })
    }
}

impl Clock for Fast {
    fn now(&self) -> Now {
        let mono = self.start.elapsed() * 4;
        let synced = self.set.load(Ordering::SeqCst);
        let begin: Timestamp = match synced {
            true => "2026-11-24T01:42:07Z".parse().unwrap(),
            false => "1970-01-01T00:00:10Z".parse().unwrap(),
        };
        let wall = begin + SignedDuration::try_from(mono).unwrap();
        Now { wall, mono, synced }
    }
}

/// The same picture with another bit, as by a sensor's noise.
fn noisy(mut filmed: Filmed) -> Filmed {
    filmed.rgb[..64 * 3].fill(1);
    filmed
}

/// The picture as when somebody has pushed the camera.
fn pushed(mut filmed: Filmed) -> Filmed {
    let row = filmed.width as usize * 3;
    for line in filmed.rgb.chunks_exact_mut(row) {
        line.rotate_right(60 * 3);
    }
    filmed
}

fn source(camera: &NetCamera) -> CameraSource {
    CameraSource::Http(HttpCameraConfig {
        tls: false,
        host: "127.0.0.1".into(),
        port: camera.port,
        path: Secret::new("/"),
        ca: None,
        login: None,
    })
}

fn start(config: NodeConfig, clock: Arc<Fast>) -> CancellationToken {
    let stop = CancellationToken::new();
    tokio::spawn(services::node::run(
        config,
        clock,
        stop.clone(),
        Probe::default(),
    ));
    stop
}

/// The text of an issue about the camera, if there is one.
fn issue<'a>(heard: &'a Heard, kind: &str) -> Option<&'a str> {
    let issues = heard.health["issues"].as_array()?;
    let found = issues
        .iter()
        .find(|i| i["kind"] == kind && i["subject"] == "hall")?;
    found["text"].as_str()
}

/// What a camera answers that has no picture now.
const BUSY: &[u8] = b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n";

/// A node that films a board over the network, and the hub that hears it.
struct Scene {
    camera: NetCamera,
    clock: Arc<Fast>,
    heard: Heard,
    hub: Session,
    stop: CancellationToken,
    board: Filmed,
    _dir: tempfile::TempDir,
    _broker: Mosquitto,
}

impl Scene {
    /// `None` where Mosquitto is not installed.
    async fn start(clock: Arc<Fast>) -> Option<Self> {
        let broker = Mosquitto::start().await?;
        let dir = tempfile::tempdir().unwrap();
        let hub = hub(broker.address()).await;
        let board = film(0);
        let camera = films(&[&board, &noisy(film(0))]);
        let config = node(broker.address(), dir.path(), source(&camera));
        let stop = start(config, Arc::clone(&clock));
        Some(Self {
            camera,
            clock,
            heard: Heard::default(),
            hub,
            stop,
            board,
            _dir: dir,
            _broker: broker,
        })
    }

    async fn until(&mut self, well: impl Fn(&Heard) -> bool) {
        self.heard.until(&mut self.hub, well).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_a_frozen_and_a_pushed_camera_are_told_apart_and_each_is_over_when_it_is_over() {
    let Some(mut scene) = Scene::start(Fast::new(true)).await else {
        return;
    };
    let (one, other) = (film(0), noisy(film(0)));
    let well = |h: &Heard| {
        h.health["counts"]["camera_pictures"].as_u64() > Some(0)
            && ["camera-unavailable", "camera-frozen", "camera-moved"]
                .iter()
                .all(|k| issue(h, k).is_none())
    };
    let has = |kind: &'static str, text: &'static str| {
        move |h: &Heard| issue(h, kind).is_some_and(|found| found.contains(text))
    };
    scene.until(well).await;
    scene.camera.answers(|_, to| drop(to.write_all(BUSY)));
    let lost = has("camera-unavailable", "answered 503 Service Unavailable");
    scene.until(lost).await;
    shows(&scene.camera, &[&one, &other]);
    scene.until(well).await;
    shows(&scene.camera, &[&one]);
    // After a minute; how long after, is a matter of how quick the machine is.
    let frozen = |h: &Heard| {
        let seconds = issue(h, "camera-frozen").and_then(|text| {
            let (_, seconds) = text.split_once("the same picture for ")?;
            seconds.split(' ').next()?.parse::<u64>().ok()
        });
        seconds.is_some_and(|seconds| seconds >= 60)
    };
    scene.until(frozen).await;
    shows(&scene.camera, &[&other, &one]);
    scene.until(well).await;
    let (away, still) = (pushed(film(0)), pushed(noisy(film(0))));
    shows(&scene.camera, &[&away, &still]);
    let moved = has("camera-moved", "the board is not where it should be");
    scene.until(moved).await;
    shows(&scene.camera, &[&one, &other]);
    scene.until(well).await;
    scene.stop.cancel();
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_told_with_a_wrong_time_and_what_is_not_shown_is_not_told() {
    let Some(mut scene) = Scene::start(Fast::new(false)).await else {
        return;
    };
    let filmed = |h: &Heard| h.health["counts"]["camera_fields_read"].as_u64() > Some(20);
    scene.until(filmed).await;
    assert_eq!(scene.heard.calls, []);
    assert_eq!(
        scene.heard.numbers["queues"][0]["last_call"],
        serde_json::Value::Null
    );
    scene.clock.set.store(true, Ordering::SeqCst);
    let told = |h: &Heard| h.numbers["queues"][0]["now_serving"].is_object();
    scene.until(told).await;
    let heard = &scene.heard;
    // It stood there before: nobody knows when it was called.
    assert_eq!(heard.calls, []);
    let serving = &heard.numbers["queues"][0]["now_serving"];
    assert_eq!(serving["ticket"], scene.board.fields[1].digits.as_str());
    let as_of = heard.numbers["queues"][0]["as_of"].as_str().unwrap();
    assert!(as_of.starts_with("2026-11-24T"), "{as_of}");
    // The board has tickets and counters only.
    let queue = heard.numbers["queues"][0].as_object().unwrap();
    assert!(
        !queue.contains_key("waiting") && !queue.contains_key("on_hold"),
        "{queue:?}"
    );
    scene.stop.cancel();
}
