//! What is around a filmed board is in nothing that a hub keeps, says, serves or sends as a video.

use crate::alone::alone;
use crate::support::filming::{camera, film, folder, marked, toml, walk};
use crate::support::mosquitto::Mosquitto;
use crate::support::process::Process;
use crate::support::streams::{HD, config};
use crate::support::{eventually, http, tool, until, yobiban};
use crate::video::{LIKE, brightness, last_picture, out, psnr};
use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;
use yobiban::clock::Now;
use yobiban::config::{CameraSource, StreamConfig, StreamShow};
use yobiban::model::Name;
use yobiban::stream::{Composer, PictureKind, StreamContent, StreamOffice, StreamPicture};

const LIMIT: Duration = crate::support::PATIENCE;

/// The camera's line and bytes as the hub has them.
async fn shown(pages: SocketAddr) -> (serde_json::Value, Vec<u8>) {
    let camera = async || {
        let office = http::get(pages, "/api/v1/offices/chuo").await;
        let json: serde_json::Value = serde_json::from_slice(&office.body).unwrap_or_default();
        let camera = &json["cameras"][0];
        match camera["sha256"].as_str() {
            Some(hash) => Ok((camera.clone(), hash.to_owned())),
            None => Err(json),
        }
    };
    let (camera, hash) = until("a picture of the camera", camera).await;
    let picture = http::get(pages, &format!("/images/{hash}")).await;
    (camera, picture.body)
}

fn parts(dir: &std::path::Path) -> Vec<PathBuf> {
    let mut parts: Vec<PathBuf> = fs::read_dir(dir)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|e| e == "ts"))
        .collect();
    parts.sort();
    parts
}

#[tokio::test(flavor = "multi_thread")]
async fn marks_around_a_filmed_board_are_not_in_the_hub_nor_in_the_video() {
    let _alone = alone();
    let Some(ffmpeg) = tool("ffmpeg") else {
        return;
    };
    let Some(broker) = Mosquitto::start().await else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let hub_dir = dir.path().join("hub");
    let node_dir = dir.path().join("node");
    fs::create_dir(&hub_dir).unwrap();
    fs::create_dir(&node_dir).unwrap();
    let (bytes, marks) = marked(&mut film(0));
    assert!(marks.are_in(&bytes), "the camera's own picture holds them");
    let pictures = node_dir.join("pictures");
    folder(&node_dir, "pictures", &[bytes.as_slice(); 4]);
    let source = CameraSource::Folder {
        path: pictures.clone(),
    };
    let node_file = node_dir.join("node.toml");
    fs::write(
        &node_file,
        toml(broker.address(), &camera(source), &pictures),
    )
    .unwrap();
    let hub_file = hub_dir.join("hub.toml");
    let text = format!(
        "[mqtt]\nurl = \"mqtt://{}\"\n[http]\nlisten = \"127.0.0.1:0\"\n\
         [[stream]]\nid = \"page\"\ntarget = \"hls\"\nshow = [\"cameras\"]\n",
        broker.address()
    );
    fs::write(&hub_file, text).unwrap();
    let run = |role: &str, file: &PathBuf| {
        let mut command = yobiban();
        command
            .args([role, "--config"])
            .arg(file)
            .env("YOBIBAN_LOG", "trace");
        Process::start(command)
    };
    let mut hub = run("hub", &hub_file);
    let mut node = run("node", &node_file);
    let pages = hub.pages().await;
    let (line, jpeg) = shown(pages).await;
    let stream = hub_dir.join("stream");
    // What is said of the picture's time is drawn for another moment than now: it is of today.
    let had = parts(&stream).len();
    eventually(LIMIT, "four more parts of the video", || {
        (parts(&stream).len() >= had + 4).then_some(())
    })
    .await;
    hub.stop().await;
    node.stop().await;

    // The picture is in the video …
    let at: yobiban::wire::WireTime = serde_json::from_value(line["taken_at"].clone()).unwrap();
    let office = StreamOffice {
        id: "chuo".parse().unwrap(),
        name: Name::new([("ja", "中央区")]),
        queues: Vec::new(),
        pictures: vec![StreamPicture {
            kind: PictureKind::Camera,
            sha256: line["sha256"].as_str().unwrap().into(),
            format: yobiban::wire::MediaType::Jpeg,
            bytes: jpeg.into(),
            at,
            node_online: true,
        }],
    };
    let news = StreamContent {
        broker_connected: true,
        offices: vec![office],
    };
    let cameras = StreamConfig {
        show: vec![StreamShow::Cameras],
        ..config(1, "x", HD)
    };
    let mut composer = Composer::new(&cameras).unwrap();
    let drawn = brightness(composer.compose(&news, Now::at(at.at)).unwrap());
    let all = parts(&stream);
    let before_last = &all[all.len() - 2];
    let found = psnr(&last_picture(&ffmpeg, before_last, HD), &drawn);
    println!("PSNR {found:.1} dB");
    assert!(
        found >= LIKE,
        "{found} dB: the camera's picture is not in the video"
    );

    // … and nothing of what was around it, there or elsewhere.
    for part in &all {
        let rgb = "-nostdin -v error -i FILE -map 0:v -f rawvideo -pix_fmt rgb24 -";
        let (decoded, _) = out(&ffmpeg, rgb, part);
        assert!(!decoded.is_empty(), "{}", part.display());
        let magenta = |p: &[u8]| p[0] > 180 && p[1] < 90 && p[2] > 180;
        assert!(!decoded.chunks_exact(3).any(magenta), "{}", part.display());
    }
    for file in walk(&hub_dir)
        .into_iter()
        .chain(walk(&node_dir.join("store")))
    {
        assert!(
            !marks.are_in(&fs::read(&file).unwrap()),
            "{}",
            file.display()
        );
    }
    for process in [&hub, &node] {
        let said = process.said().join("\n");
        assert!(!said.is_empty() && !marks.are_in(said.as_bytes()));
    }
}
