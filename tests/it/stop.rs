//! The end of a node whose devices hang: nobody panics, and whoever comes back from a device finds
//! that all is over.

use crate::support::wait_for;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use yobiban::clock::{Clock, Now, SystemClock};
use yobiban::config::{CameraConfig, CameraSource, NodeConfig, parse_node};
use yobiban::model::CameraId;
use yobiban::node::Probe;
use yobiban::services;

const LIMIT: Duration = crate::support::PATIENCE;

/// The threads that wait for devices: two kinds of boards, a lamp, a camera, the voice.
const THREADS: [&str; 5] = [
    "board-held",
    "board-held-digits",
    "relay-held-lamp",
    "camera-held-hall",
    "voice",
];

/// A clock that does not answer those threads while they are held: all of them ask it between two
/// looks at their device, which is where a device that hangs holds them.
struct HoldingClock {
    clock: SystemClock,
    state: Mutex<Holding>,
    changed: Condvar,
}

#[derive(Default)]
struct Holding {
    hold: bool,
    held: BTreeSet<String>,
}

impl HoldingClock {
    fn hold(&self, hold: bool) {
        self.state.lock().unwrap().hold = hold;
        self.changed.notify_all();
    }

    fn wait_until_all_are_held(&self) {
        let state = self.state.lock().unwrap();
        let all = |state: &mut Holding| state.held.len() < THREADS.len();
        let (state, time) = self.changed.wait_timeout_while(state, LIMIT, all).unwrap();
        assert!(!time.timed_out(), "held are only {:?}", state.held);
    }
}

impl Clock for HoldingClock {
    fn now(&self) -> Now {
        let thread = thread::current();
        let name = thread.name().unwrap_or_default();
        let mut state = self.state.lock().unwrap();
        while state.hold && THREADS.contains(&name) {
            if state.held.insert(name.to_owned()) {
                self.changed.notify_all();
            }
            state = self.changed.wait(state).unwrap();
        }
        drop(state);
        self.clock.now()
    }
}

fn config(dir: &Path) -> NodeConfig {
    let boards = r#"
        [[board]]
        id = "held"
        size = [64, 32]
        output = { kind = "none" }
        [[board]]
        id = "held-digits"
        [board.output]
        kind = "serial"
        device = "none"
        template = "stx"
        [[board.output.field]]
        address = 1
        queue = "certificates"
        [[relay]]
        id = "held-lamp"
        gpio = 17
        [voice]
        output = "none"
        dictionary = "/nonexistent"
        "#;
    let text = crate::support::node_toml("127.0.0.1:1", boards);
    let mut config = parse_node(&text, "node.toml", dir).unwrap();
    let pictures = CameraSource::Folder {
        path: dir.to_owned(),
    };
    config.cameras = vec![CameraConfig {
        id: CameraId::new("held-hall").unwrap(),
        ..crate::camera_node::camera(pictures)
    }];
    config
}

/// Seen as "thread 'camera-hall' panicked" at the end of a node whose camera was being read for
/// longer than a node takes to stop.
#[test]
fn threads_that_hang_at_their_devices_until_all_is_over_end_without_a_panic() {
    let dir = tempfile::tempdir().unwrap();
    let panicked = Arc::new(Mutex::new(Vec::new()));
    let (list, before) = (Arc::clone(&panicked), std::panic::take_hook());
    std::panic::set_hook(Box::new(move |info| {
        if let Some(name) = thread::current().name().filter(|n| THREADS.contains(n)) {
            list.lock().unwrap().push(name.to_owned());
        }
        before(info);
    }));
    let clock = Arc::new(HoldingClock {
        clock: SystemClock::new(),
        state: Mutex::default(),
        changed: Condvar::new(),
    });
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let stop = CancellationToken::new();
    let handed: Arc<dyn Clock> = clock.clone();
    let node = services::node::run(config(dir.path()), handed, stop.clone(), Probe::default());
    let node = runtime.spawn(node);
    clock.hold(true);
    clock.wait_until_all_are_held();
    stop.cancel();
    runtime.block_on(node).unwrap().unwrap();
    // As the program does at its end; the threads are still held.
    runtime.shutdown_timeout(Duration::from_millis(200));
    clock.hold(false);
    // Each of them holds the clock until its end.
    wait_for("all threads end", || Arc::strong_count(&clock) == 1);
    assert_eq!(*panicked.lock().unwrap(), Vec::<String>::new());
}
