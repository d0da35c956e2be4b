//! Videos as they are configured, and what they show.

use super::city::{AT, numbers};
use std::time::Duration;
use yobiban::clock::Now;
use yobiban::config::{
    Secret, StreamAudio, StreamConfig, StreamEncoder, StreamShow, StreamTarget, VideoConfig,
};
use yobiban::stream::{StreamContent, StreamOffice};

pub const HD: (u32, u32) = (1280, 720);

/// A video for an RTMP server at a port of this machine.
pub fn video(port: u16, key: &str, size: (u32, u32)) -> VideoConfig {
    VideoConfig {
        id: "video".parse().unwrap(),
        target: StreamTarget::Rtmp {
            url: format!("rtmp://127.0.0.1:{port}/live2"),
            app: "live2".into(),
            key: Secret::new(key),
            ca: None,
        },
        size,
        fps: 10,
        audio: StreamAudio::Silence,
        encoder: StreamEncoder::X264,
    }
}

/// All offices in such a video.
pub fn config(port: u16, key: &str, size: (u32, u32)) -> StreamConfig {
    StreamConfig {
        video: video(port, key, size),
        show: vec![StreamShow::Numbers],
        offices: None,
        turn: Duration::from_secs(10),
        page_url: Some("https://yobiban.example.jp".into()),
    }
}

pub fn office(id: &str) -> StreamOffice {
    let numbers = numbers(id);
    StreamOffice {
        id: numbers.office.id,
        name: numbers.office.name,
        queues: numbers.queues,
        pictures: Vec::new(),
    }
}

pub fn news(offices: impl IntoIterator<Item = StreamOffice>) -> StreamContent {
    StreamContent {
        broker_connected: true,
        offices: offices.into_iter().collect(),
    }
}

pub fn now() -> Now {
    Now::at(AT.parse().unwrap())
}
