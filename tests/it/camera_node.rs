//! A node with a camera: what it reads goes the way of a feed, and nothing around the board goes
//! anywhere.

use crate::camera::{config, jpeg};
use crate::end_to_end::{ROOT, node_config};
use crate::mqtt::{options, start, up};
use crate::support::filmed::{Filmed, Style, Trouble, ahead};
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
use yobiban::config::{CameraConfig, CameraSource, NodeConfig};
use yobiban::mqtt::{Session, Subscription};
use yobiban::roles::demo::broker::Broker;
use yobiban::roles::{self, Probe};
use yobiban::wire::sha256_hex;

const LIMIT: Duration = crate::support::PATIENCE;

pub fn film(calls: usize) -> Filmed {
    ahead(7, Style::Text, Trouble::None, calls)
}

/// A folder of pictures, each of these boards several times in turn.
pub fn folder(dir: &Path, name: &str, boards: &[&[u8]]) -> CameraSource {
    let path = dir.join(name);
    fs::create_dir(&path).unwrap();
    for (i, board) in boards.iter().enumerate() {
        for n in 0..5 {
            fs::write(path.join(format!("{i}-{n}.jpg")), board).unwrap();
        }
    }
    CameraSource::Folder { path }
}

pub fn camera(source: CameraSource) -> CameraConfig {
    CameraConfig {
        source,
        every: Duration::from_millis(200),
        picture_every: Duration::from_secs(2),
        ..config(&film(0))
    }
}

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
    let broker = Broker::start(([127, 0, 0, 1], 0).into()).await.unwrap();
    let dir = tempfile::tempdir().unwrap();
    let mut hub = hub(broker.address()).await;
    let mut heard = Heard::default();
    let boards: Vec<Vec<u8>> = (0..3).map(|calls| jpeg(&film(calls))).collect();
    let ticket = |calls: usize| film(calls).fields[1].digits.clone();
    for (name, shown, last) in [("first", [0, 1], 2), ("second", [1, 2], 3)] {
        let shown = shown.map(|i| boards[i].as_slice());
        let config = node(
            broker.address(),
            dir.path(),
            folder(dir.path(), name, &shown),
        );
        let stop = CancellationToken::new();
        let clock = Arc::new(SystemClock::new());
        let run = roles::node::run(config, clock, stop.clone(), Probe::default());
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
    let expected: BTreeSet<_> = (0..3).map(|i| (i as u64 + 1, ticket(i))).collect();
    let found: BTreeSet<_> = heard.calls.iter().cloned().collect();
    assert_eq!(found, expected, "counted on over the restart");
    assert_eq!(heard.numbers["queues"][0]["source"], "camera");
    assert_eq!(heard.numbers["queues"][0]["fresh"], true);
    let named = &heard.numbers["cameras"][0];
    assert_eq!(named["id"], "hall");
    let picture = &heard.pictures[named["sha256"].as_str().unwrap()];
    assert!(picture.starts_with(&[0xff, 0xd8]) && picture.len() <= 80_000);
    assert!(
        heard.health["counts"]["restarts_unsaid"] == 0,
        "{}",
        heard.health
    );
    assert!(heard.health["counts"]["camera_pictures"].is_u64());
}

/// What is around the board in these pictures: a colour that no board has, a row of pixels, a
/// comment in the file.
pub struct Marks {
    comment: String,
    pixels: Vec<u8>,
}

pub fn marked(filmed: &mut Filmed) -> (Vec<u8>, Marks) {
    let c = filmed.corners;
    let (left, right) = (c[0].0.min(c[3].0), c[1].0.max(c[2].0));
    let (top, bottom) = (c[0].1.min(c[1].1), c[2].1.max(c[3].1));
    // Blocks of a JPEG are up to 16 pixels: those that touch the board stay as they are.
    let far =
        |x: f32, y: f32| x < left - 34.0 || x > right + 34.0 || y < top - 34.0 || y > bottom + 34.0;
    let mut marks = 0;
    for (i, pixel) in filmed.rgb.chunks_exact_mut(3).enumerate() {
        let (x, y) = (i % filmed.width as usize, i / filmed.width as usize);
        if far(x as f32, y as f32) {
            pixel.copy_from_slice(&[255, 0, 255]);
            marks += 1;
        }
    }
    assert!(
        marks > 10_000,
        "{marks}: the board leaves no room for marks"
    );
    let comment = format!("mark-{:016x}", fastrand::Rng::with_seed(11).u64(..));
    let plain = jpeg(filmed);
    let mut bytes = plain[..2].to_vec();
    bytes.extend([0xff, 0xfe, 0, comment.len() as u8 + 2]);
    bytes.extend(comment.as_bytes());
    bytes.extend(&plain[2..]);
    let pixels = [255, 0, 255].repeat(16);
    (bytes, Marks { comment, pixels })
}

impl Marks {
    pub fn are_in(&self, bytes: &[u8]) -> bool {
        let holds = |part: &[u8]| bytes.windows(part.len()).any(|w| w == part);
        holds(self.comment.as_bytes()) || holds(&self.pixels)
    }
}

pub fn toml(broker: SocketAddr, camera: &CameraConfig, folder: &Path) -> String {
    let mut text = crate::support::node_toml(broker, "");
    for (i, field) in camera.fields.iter().enumerate() {
        if i % 2 == 0 {
            let id = &field.queue;
            text += &format!("[[queue]]\nid = \"{id}\"\nname = {{ ja = \"窓口\" }}\n");
        }
    }
    let corners: Vec<String> = camera
        .corners
        .iter()
        .map(|(x, y)| format!("[{x:.1}, {y:.1}]"))
        .collect();
    text += &format!(
        "[[camera]]\nid = \"hall\"\nsource = {{ kind = \"folder\", path = \"{}\" }}\ncorners = [{}]\n\
         every = \"200ms\"\npicture_every = \"2s\"\n",
        folder.display(),
        corners.join(", ")
    );
    for f in &camera.fields {
        text += &format!(
            "[[camera.field]]\nqueue = \"{}\"\nshow = \"{}\"\nrect = {:?}\nkind = \"text-digits\"\nplaces = 4\n",
            f.queue,
            f.show.as_str(),
            f.rect
        );
    }
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn marks_around_the_board_are_in_nothing_that_is_sent_kept_or_logged() {
    let broker = Broker::start(([127, 0, 0, 1], 0).into()).await.unwrap();
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
            h.calls.iter().any(|(_, t)| *t == ticket)
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

pub fn walk(dir: &Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(walk(&path));
        } else {
            files.push(path);
        }
    }
    files
}
