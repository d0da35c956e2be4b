//! The video as a visitor sees it: HLS from the encoder's files through the hub's page into a
//! browser, and the picture there against the drawn one. See `tests/browser/video.mjs`.

use crate::alone::alone;
use crate::support::city::{self, City};
use crate::support::streams::{HD, config, news, office};
use crate::support::{PATIENCE, eventually, root, skip, tool};
use crate::video::{LIKE, Sent, brightness, drawn, frame, psnr};
use std::fs;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;
use yobiban::config::StreamTarget;
use yobiban::hub::{Bounds, listen, serve};

const LIMIT: Duration = PATIENCE;

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_plays_the_page_and_shows_the_drawn_picture() {
    let _alone = alone();
    let (Some(node), Some(chromium), Some(_)) = (tool("node"), tool("chromium"), tool("ffmpeg"))
    else {
        return;
    };
    if !root().join("tests/browser/node_modules").is_dir() {
        return skip("tests/browser/node_modules is missing: npm ci there");
    }
    let dir = tempfile::tempdir().unwrap();
    let files = dir.path().join("stream");
    let picture = dir.path().join("seen.png");
    let mut stream = config(1, "x", HD);
    stream.video.target = StreamTarget::Hls { dir: files.clone() };
    let store = format!("sqlite:{}", dir.path().join("hub.db").display());
    let mut hub = city::config(&store);
    hub.streams = vec![stream.clone()];
    let city = City::with(hub, dir).await;
    let listener = listen(([127, 0, 0, 1], 0).into()).unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let (pages, stop) = (Arc::clone(&city.hub), city.shutdown.clone());
    let served = tokio::spawn(serve(listener, pages, Bounds::new(100), stop));
    let sent = Sent::start(&stream, news([office("chuo")]), None);
    let parts = || {
        let list = fs::read_to_string(files.join("live.m3u8")).unwrap_or_default();
        (list.matches(".ts").count() >= 2).then_some(())
    };
    eventually(LIMIT, "two parts", parts).await;

    let play = tokio::process::Command::new(node)
        .arg(root().join("tests/browser/video.mjs"))
        .arg(&base)
        .arg(&picture)
        .env("CHROMIUM", chromium)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let played = tokio::time::timeout(LIMIT, play)
        .await
        .expect("in time")
        .unwrap();
    let said = String::from_utf8_lossy(&played.stdout);
    println!("{said}{}", String::from_utf8_lossy(&played.stderr));
    assert!(played.status.success(), "see the findings above");
    let seen = brightness(&frame(&fs::read(&picture).unwrap()));
    let (right, wrong) = (
        psnr(&seen, &drawn(&stream, &news([office("chuo")]))),
        psnr(&seen, &drawn(&stream, &news([office("inage")]))),
    );
    println!("PSNR {right:.1} dB; of another office {wrong:.1} dB");
    assert!(right >= LIKE, "{right} dB: not the drawn picture");
    assert!(wrong < LIKE, "{wrong} dB: the measure sees no difference");
    sent.stop().await;
    city.stop().await;
    served.await.unwrap();
}
