//! A node whose camera is in trouble says which, and that it is over; what it does while nobody knows
//! the time; and what it weighs.

use crate::camera::jpeg;
use crate::camera_node::{Heard, film, hub, node};
use crate::support::filmed::{Filmed, Style, Trouble, make};
use crate::support::netcam::{NetCamera, picture};
use crate::support::process::Process;
use crate::support::{eventually, node_toml, yobiban};
use jiff::{SignedDuration, Timestamp};
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;
use yobiban::clock::{Clock, Now};
use yobiban::config::{CameraSource, HttpCameraConfig, NodeConfig, Secret};
use yobiban::mqtt::Session;
use yobiban::roles::demo::broker::Broker;
use yobiban::roles::{self, Probe};

/// Longest that one camera may take, by the clock of the wall: a minute of the node's is 15 s.
const LIMIT: Duration = crate::support::PATIENCE;

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

/// A camera that sends these pictures in turn.
fn camera(pictures: &[&Filmed]) -> NetCamera {
    let camera = NetCamera::start(|_, _| {});
    shows(&camera, pictures);
    camera
}

fn shows(camera: &NetCamera, pictures: &[&Filmed]) {
    let answers: Vec<Vec<u8>> = pictures.iter().map(|f| picture(&jpeg(f))).collect();
    let turn = AtomicUsize::new(0);
    camera.answers(move |_, to| {
        let n = turn.fetch_add(1, Ordering::SeqCst);
        let _ = to.write_all(&answers[n % answers.len()]);
    });
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
    tokio::spawn(roles::node::run(
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
        .find(|i| i["kind"] == kind && i["about"] == "hall")?;
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
    _broker: Broker,
}

impl Scene {
    async fn start(clock: Arc<Fast>) -> Self {
        let broker = Broker::start(([127, 0, 0, 1], 0).into()).await.unwrap();
        let dir = tempfile::tempdir().unwrap();
        let hub = hub(broker.address()).await;
        let board = film(0);
        let camera = camera(&[&board, &noisy(film(0))]);
        let config = node(broker.address(), dir.path(), source(&camera));
        let stop = start(config, Arc::clone(&clock));
        Self {
            camera,
            clock,
            heard: Heard::default(),
            hub,
            stop,
            board,
            _dir: dir,
            _broker: broker,
        }
    }

    async fn until(&mut self, well: impl Fn(&Heard) -> bool) {
        self.heard.until(&mut self.hub, well).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_a_frozen_and_a_pushed_camera_are_told_apart_and_each_is_over_when_it_is_over() {
    let mut scene = Scene::start(Fast::new(true)).await;
    let (one, other) = (film(0), noisy(film(0)));
    let well = |h: &Heard| {
        h.health["counts"]["camera_pictures"].as_u64() > Some(0)
            && ["camera-lost", "camera-frozen", "camera-moved"]
                .iter()
                .all(|k| issue(h, k).is_none())
    };
    let has = |kind: &'static str, text: &'static str| {
        move |h: &Heard| issue(h, kind).is_some_and(|found| found.contains(text))
    };
    scene.until(well).await;
    scene.camera.answers(|_, to| drop(to.write_all(BUSY)));
    let lost = has("camera-lost", "answered 503 Service Unavailable");
    scene.until(lost).await;
    shows(&scene.camera, &[&one, &other]);
    scene.until(well).await;
    shows(&scene.camera, &[&one]);
    let frozen = has("camera-frozen", "the same picture for 6");
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
    let mut scene = Scene::start(Fast::new(false)).await;
    let filmed = |h: &Heard| h.health["counts"]["camera_fields_read"].as_u64() > Some(20);
    scene.until(filmed).await;
    assert_eq!(scene.heard.calls, []);
    assert_eq!(
        scene.heard.numbers["queues"][0]["last_call"],
        serde_json::Value::Null
    );
    scene.clock.set.store(true, Ordering::SeqCst);
    let told = |h: &Heard| !h.calls.is_empty() && h.numbers["queues"][0]["last_call"].is_object();
    scene.until(told).await;
    let heard = &scene.heard;
    assert_eq!(heard.calls[0], (1, scene.board.fields[1].digits.clone()));
    assert!(
        heard.called_at.starts_with("2026-11-24T"),
        "{}",
        heard.called_at
    );
    // The board has tickets and counters only.
    let queue = heard.numbers["queues"][0].as_object().unwrap();
    assert!(
        !queue.contains_key("waiting") && !queue.contains_key("on_hold"),
        "{queue:?}"
    );
    scene.stop.cancel();
}

/// Most memory a process ever had, in KiB.
fn peak_kib(process: &Process) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", process.id())).unwrap();
    let line = status.lines().find(|l| l.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// The limit of docs/performance.md.
const MAX_KIB: u64 = 120 * 1000 * 1000 / 1024;

#[tokio::test(flavor = "multi_thread")]
async fn a_node_with_camera_and_board_stays_light() {
    let broker = Broker::start(([127, 0, 0, 1], 0).into()).await.unwrap();
    let dir = tempfile::tempdir().unwrap();
    let boards: Vec<Filmed> = (0..4)
        .map(|n| make(7 + n, Style::Segments, Trouble::None))
        .collect();
    let camera = camera(&boards.iter().collect::<Vec<_>>());
    let filmed = make(7, Style::Segments, Trouble::None);
    let mut more = "[[board]]\nid = \"main\"\nsize = [1920, 1080]\n\
                    output = { kind = \"png\", path = \"main.png\" }\n"
        .to_owned();
    more += &format!(
        "[[camera]]\nid = \"hall\"\nevery = \"200ms\"\npicture_every = \"2s\"\nfollow = 0\n\
         source = {{ kind = \"http\", url = \"http://127.0.0.1:{}/\" }}\ncorners = {:?}\n\
         [[camera.field]]\nqueue = \"certificates\"\nrect = {:?}\nkind = \"seven-segment\"\nplaces = 4\n",
        camera.port,
        filmed.corners.map(|(x, y)| [x, y]),
        filmed.fields[1].rect,
    );
    let file = dir.path().join("node.toml");
    fs::write(&file, node_toml(broker.address(), &more)).unwrap();
    // Another build may be measured than that under test, such as one with optimisation.
    let program = std::env::var_os("YOBIBAN_WEIGH");
    let mut command = program.map_or_else(yobiban, std::process::Command::new);
    command.args(["node", "--config"]).arg(&file);
    let process = Process::start(command);
    let read = || (camera.asked().len() > 40).then_some(());
    eventually(LIMIT, "forty pictures are read", read).await;
    let peak = peak_kib(&process);
    println!(
        "a node with camera and board: {} MB at most",
        peak * 1024 / 1_000_000
    );
    assert!(peak < MAX_KIB, "{peak} KiB");
}
