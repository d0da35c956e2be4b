//! A video on its way to a real RTMP server that is killed and comes back.

use crate::alone::alone;
use crate::support::streams::{HD, config, news, office};
use crate::support::{PATIENCE, free_port, tool};
use crate::video::{
    KEY, LIKE, Log, Receiver, Sent, check_recording, drawn, key_frames, last_picture, pause, psnr,
};
use std::fs;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A number is in the picture of the far end within this.
const DELAY: Duration = Duration::from_secs(3);

/// Arguments of all processes that were started by this one.
fn children() -> Vec<String> {
    let own = std::process::id().to_string();
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        // pid (name) state parent …
        let parent = stat.rsplit(") ").next().and_then(|s| s.split(' ').nth(1));
        if parent == Some(&own) {
            let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
            let environment = fs::read(entry.path().join("environ")).unwrap_or_default();
            found.push(String::from_utf8_lossy(&line).replace('\0', " "));
            assert!(
                !String::from_utf8_lossy(&environment).contains(KEY),
                "the key is in an environment"
            );
        }
    }
    found
}

async fn survives(kills: usize, apart: Duration, back: Duration) {
    let (Some(ffmpeg), Some(ffprobe)) = (tool("ffmpeg"), tool("ffprobe")) else {
        return;
    };
    let (log, _logged) = Log::here();
    let dir = tempfile::tempdir().unwrap();
    let port = free_port();
    let config = config(port, KEY, HD);
    let sent = Sent::start(&config, news([office("chuo")]), None);

    let file = |n: usize| dir.path().join(format!("{n}.flv"));
    let mut receiver = Receiver::rtmp(&ffmpeg, port, file(0));
    // A first connection is refused when the receiver is not up yet.
    receiver.records(2_000, PATIENCE).await;
    let mut cut = Vec::new();
    for n in 1..=kills {
        pause(apart).await;
        cut.push(receiver.kill());
        receiver = Receiver::rtmp(&ffmpeg, port, file(n));
        let killed = Instant::now();
        receiver.records(2_000, back).await;
        println!("back after {:?}", killed.elapsed());
    }

    let arguments = children();
    let address = format!("-rtmp_app live2 rtmp://127.0.0.1:{port}/");
    let encoder: Vec<_> = arguments.iter().filter(|a| a.contains(&address)).collect();
    assert_eq!(encoder.len(), 1, "{arguments:?}");
    assert!(!encoder[0].contains("geheim"), "{encoder:?}");

    pause(Duration::from_millis(3_500)).await;
    let mut next = news([office("chuo")]);
    let queue = &mut next.offices[0].queues[0];
    let call = queue.last_call.as_mut().unwrap();
    call.ticket = yobiban::model::Label::new("A057").unwrap();
    call.no += 1;
    let before = sent.news.send_replace(Arc::new(next.clone()));
    pause(DELAY).await;
    let file = receiver.stop().await;
    sent.stop().await;
    assert!(
        !children().iter().any(|a| a.contains(&address)),
        "the encoder is gone"
    );

    check_recording(&ffmpeg, &ffprobe, &file);
    for file in cut {
        key_frames(&ffprobe, &file);
    }
    let last = last_picture(&ffmpeg, &file, HD);
    let (right, wrong) = (
        psnr(&last, &drawn(&config, &next)),
        psnr(&last, &drawn(&config, &before)),
    );
    println!("PSNR {right:.1} dB; of the picture before {wrong:.1} dB");
    assert!(right >= LIKE, "{right} dB: not the number of 3 s before");
    assert!(wrong < LIKE, "{wrong} dB: the measure sees no difference");
    let log = log.text();
    assert!(log.contains("stream interrupted"), "{log}");
    assert!(!log.contains("geheim"), "{log}");
}

#[tokio::test]
async fn a_stream_comes_back_shows_what_was_published_and_hides_its_key() {
    let _alone = alone();
    survives(1, Duration::from_secs(1), PATIENCE).await;
}

#[tokio::test]
async fn a_stream_survives_three_kills_in_a_minute() {
    let _alone = alone();
    survives(3, Duration::from_secs(15), Duration::from_secs(10)).await;
}
