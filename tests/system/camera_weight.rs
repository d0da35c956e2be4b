//! What a node with a camera and a board weighs.

use crate::alone::alone;
use crate::support::filmed::{Filmed, Style, Trouble, make};
use crate::support::mosquitto::Mosquitto;
use crate::support::netcam::films;
use crate::support::process::Process;
use crate::support::{PATIENCE, eventually, node_toml, yobiban};
use std::fs;

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
    let _alone = alone();
    let Some(broker) = Mosquitto::start().await else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let boards: Vec<Filmed> = (0..4)
        .map(|n| make(7 + n, Style::Segments, Trouble::None))
        .collect();
    let camera = films(&boards.iter().collect::<Vec<_>>());
    let filmed = make(7, Style::Segments, Trouble::None);
    let mut more = "[[board]]\nid = \"main\"\nsize = [1920, 1080]\n\
                    output = { kind = \"png\", path = \"main.png\" }\n"
        .to_owned();
    more += &format!(
        "[[camera]]\nid = \"hall\"\ninterval = \"200ms\"\npicture_every = \"2s\"\nmax_drift_px = 0\n\
         source = {{ kind = \"http\", url = \"http://127.0.0.1:{}/\" }}\ncorners = {:?}\n\
         [[camera.field]]\nqueue = \"certificates\"\nrect = {:?}\nkind = \"seven-segment\"\nmax_digits = 4\n",
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
    eventually(PATIENCE, "forty pictures are read", read).await;
    let peak = peak_kib(&process);
    println!(
        "a node with camera and board: {} MB at most",
        peak * 1024 / 1_000_000
    );
    assert!(peak < MAX_KIB, "{peak} KiB");
}
