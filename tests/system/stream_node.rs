//! A node's own video of its board: the picture of the glass arrives at a real RTMP server.

use crate::alone::alone;
use crate::support::afternoon::{ROOT, node_config};
use crate::support::mosquitto::Mosquitto;
use crate::support::sessions::{options, start};
use crate::support::streams::{HD, video};
use crate::support::{eventually, free_port, tool};
use crate::video::{
    KEY, LIKE, Receiver, brightness, check_recording, frame, last_picture, pause, psnr,
};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use yobiban::clock::{ManualClock, Now};
use yobiban::config::{BoardStreamConfig, StreamEncoder};
use yobiban::mqtt::Publish;
use yobiban::node::Probe;
use yobiban::services;
use yobiban::stream::letterbox;

const LIMIT: Duration = crate::support::PATIENCE;

#[tokio::test(flavor = "multi_thread")]
async fn a_nodes_own_board_is_in_its_video() {
    let _alone = alone();
    let (Some(ffmpeg), Some(ffprobe)) = (tool("ffmpeg"), tool("ffprobe")) else {
        return;
    };
    let Some(broker) = Mosquitto::start().await else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let port = free_port();
    let mut config = node_config("chuo", broker.address(), dir.path());
    let mut own = video(port, KEY, HD);
    // There is no encoder in the machines that test, or ffmpeg falls back to its own.
    own.encoder = StreamEncoder::Auto;
    config.streams = vec![BoardStreamConfig {
        video: own,
        board: config.boards[0].id.clone(),
    }];
    // Fitting one of another size takes seconds in a build that is not optimised.
    config.boards[0].size = HD;
    let queue = config.state.queues[0].id.clone();
    let receiver = Receiver::rtmp(&ffmpeg, port, dir.path().join("node.flv"));
    let stop = CancellationToken::new();
    let (to_said, mut said) = mpsc::channel(1000);
    let probe = Probe {
        contents: Some(to_said),
        ..Probe::default()
    };
    let clock = ManualClock::new(Now::at("2026-11-24T10:42:10+09:00".parse().unwrap()));
    let run = services::node::run(config, Arc::new(clock), stop.clone(), probe);
    let node = tokio::spawn(run);
    receiver.records(2_000, LIMIT).await;

    let glass = dir.path().join("chuo.png");
    let before = eventually(LIMIT, "a picture of the board", || {
        std::fs::read(&glass).ok()
    })
    .await;
    let message = r#"{"seq": 1, "at": "2026-11-24T10:42:07+09:00", "day": "2026-11-24",
        "status": "open", "waiting": 12, "on_hold": 0, "next": ["A043"], "calls": [{"no": 3,
        "ticket": "A042", "counter": "3", "at": "2026-11-24T10:42:05+09:00", "kind": "call"}]}"#;
    let feed = start(options(broker.address(), "tickets"));
    let topic = format!("{ROOT}/chuo/feed/{queue}");
    feed.publisher
        .publish(Publish::retained(topic, message))
        .await
        .unwrap();
    let shown = async {
        while !said
            .recv()
            .await
            .unwrap()
            .calls
            .iter()
            .any(|(_, t)| t == "A042")
        {}
    };
    tokio::time::timeout(LIMIT, shown)
        .await
        .expect("on the board");
    let newer = || std::fs::read(&glass).ok().filter(|png| *png != before);
    eventually(LIMIT, "another picture of the board", newer).await;
    pause(Duration::from_secs(6)).await;
    let file = receiver.stop().await;
    let after = std::fs::read(&glass).unwrap();
    stop.cancel();
    tokio::time::timeout(LIMIT, node)
        .await
        .expect("in time")
        .unwrap()
        .unwrap();

    check_recording(&ffmpeg, &ffprobe, &file);
    let last = last_picture(&ffmpeg, &file, HD);
    let like = |png: &[u8]| psnr(&last, &brightness(&letterbox(&frame(png), HD)));
    let (right, wrong) = (like(&after), like(&before));
    println!("PSNR {right:.1} dB; of the board before {wrong:.1} dB");
    assert!(right >= LIKE, "{right} dB: not what is on the board");
    assert!(wrong < LIKE, "{wrong} dB: the measure sees no difference");
}
