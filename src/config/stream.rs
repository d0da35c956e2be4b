//! `[[stream]]`: the picture of all offices as a video that never ends.

use super::check::Check;
use super::doc::At;
use super::mqtt::SecretKeys;
use super::raw::RawStream;
use super::{StreamAudio, StreamConfig, StreamTarget};
use crate::model::{BoardId, OfficeId};
use std::ops::RangeInclusive;
use std::time::Duration;
use url::Url;

/// Each costs a tenth of a core and more.
const MAX_STREAMS: usize = 4;
/// What phones show sharp, and what YouTube takes without scaling.
const SIZES: [(i64, i64); 2] = [(1280, 720), (1920, 1080)];
/// Frames a second: below, players take the stream for stalled; above, a still picture gains nothing.
const FPS: RangeInclusive<usize> = 5..=30;
const FPS_DEFAULT: usize = 10;
/// How long an office stays: time to find one's row, and not so long that people leave.
const TURN: RangeInclusive<Duration> = Duration::from_secs(3)..=Duration::from_secs(600);
const TURN_DEFAULT: Duration = Duration::from_secs(10);
/// Lines of ffmpeg's option files end at 1,000 bytes, with the option's name.
const MAX_KEY: usize = 512;
/// Folder of HLS files, beside the configuration.
const DIR: &str = "stream";

const TARGETS: &str = "rtmp://HOST/APP, rtmps://HOST/APP, srt://HOST:PORT or hls";

impl Check<'_> {
    pub(super) fn streams(&mut self, raw: &[RawStream]) -> Vec<StreamConfig> {
        let at = At::root().key("stream");
        if raw.len() > MAX_STREAMS {
            let n = raw.len();
            self.wrong(
                &at.index(MAX_STREAMS),
                format_args!("{n} streams: expected at most {MAX_STREAMS} a hub"),
            );
        }
        let mut streams: Vec<StreamConfig> = Vec::new();
        for (i, stream) in raw.iter().enumerate().take(MAX_STREAMS) {
            let at = at.index(i);
            let Some(stream) = self.stream(&at, stream) else {
                continue;
            };
            if let Some(first) = streams.iter().position(|s| s.id == stream.id) {
                self.wrong(
                    &at.key("id"),
                    format_args!("same id as stream[{first}]: expected each id once"),
                );
            }
            let hls = |s: &StreamConfig| matches!(s.target, StreamTarget::Hls { .. });
            if let Some(first) = streams.iter().position(|s| hls(s) && hls(&stream)) {
                self.wrong(
                    &at.key("target"),
                    format_args!("hls as stream[{first}]: expected one at most, the page's"),
                );
            }
            streams.push(stream);
        }
        streams
    }

    fn stream(&mut self, at: &At, raw: &RawStream) -> Option<StreamConfig> {
        let id: Option<BoardId> = self.id(&at.key("id"), raw.id.as_deref());
        let target = self.target(at, raw);
        let size = match raw.size.as_deref() {
            None => Some((1280, 720)),
            Some(&[w, h]) if SIZES.contains(&(w, h)) => {
                u32::try_from(w).ok().zip(u32::try_from(h).ok())
            }
            Some(_) => {
                self.wrong(&at.key("size"), "expected [1280, 720] or [1920, 1080]");
                None
            }
        };
        let fps = self.count(&at.key("fps"), raw.fps, FPS_DEFAULT, FPS);
        let offices = raw.offices.as_deref().map(|raw| {
            let at = at.key("offices");
            if raw.is_empty() {
                self.wrong(&at, "expected at least one office; without the key, all");
            }
            self.order(&at, raw)
        });
        let turn = self.duration(&at.key("turn"), raw.turn.as_ref(), TURN_DEFAULT, TURN);
        let words = [
            ("silence", StreamAudio::Silence),
            ("none", StreamAudio::None),
        ];
        let audio = raw.audio.as_deref().unwrap_or("silence");
        let audio = self.word(&at.key("audio"), audio, &words);
        let page_url = raw
            .page_url
            .as_deref()
            .and_then(|url| self.page_url(&at.key("page_url"), url));
        Some(StreamConfig {
            id: id?,
            target: target?,
            size: size?,
            fps: u32::try_from(fps).ok()?,
            offices: offices.filter(|o: &Vec<OfficeId>| !o.is_empty()),
            turn,
            audio: audio?,
            page_url,
        })
    }

    fn target(&mut self, at: &At, raw: &RawStream) -> Option<StreamTarget> {
        let key_at = at.key("target");
        let Some(target) = raw.target.as_deref() else {
            self.missing(&key_at, format_args!("where it goes, {TARGETS}"));
            return None;
        };
        let has_key = raw.key_file.is_some() || raw.key_credential.is_some();
        if target == "hls" {
            if has_key {
                self.wrong(&key_at, "a key, and nobody to show it to: expected none");
            }
            let dir = raw.dir.as_deref().unwrap_or(DIR);
            let dir = self.path(&at.key("dir"), dir)?;
            return Some(StreamTarget::Hls { dir });
        }
        if raw.dir.is_some() {
            self.wrong(&at.key("dir"), "a folder is for hls: expected none");
        }
        let key = self.secret(
            at,
            SecretKeys {
                base: "key",
                inline: None,
                file: raw.key_file.as_deref(),
                credential: raw.key_credential.as_deref(),
            },
        );
        if key.as_ref().is_some_and(|k| k.reveal().len() > MAX_KEY) {
            self.wrong(
                &at.key("key_file"),
                format_args!("expected a key of at most {MAX_KEY} bytes"),
            );
            return None;
        }
        let Some(url) = Url::parse(target).ok().filter(Url::has_host) else {
            self.wrong(&key_at, format_args!("expected {TARGETS}"));
            return None;
        };
        if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
            self.wrong(
                &key_at,
                "user name or password in the address: expected the key in key_file",
            );
            return None;
        }
        match url.scheme() {
            "rtmp" | "rtmps" => {
                let app = url.path().trim_matches('/');
                if app.is_empty() || url.query().is_some() {
                    self.wrong(
                        &key_at,
                        "expected rtmp://HOST/APP or rtmps://HOST/APP, the key in key_file",
                    );
                    return None;
                }
                let app = app.to_owned();
                if !has_key {
                    self.missing(&at.key("key_file"), "the file that holds the stream's key");
                }
                Some(StreamTarget::Rtmp {
                    url: target.trim_end_matches('/').to_owned(),
                    app,
                    key: key?,
                })
            }
            "srt" => {
                // Everybody on the machine may read a process's arguments.
                let open = url
                    .query_pairs()
                    .any(|(key, _)| matches!(&*key, "streamid" | "srt_streamid" | "passphrase"));
                if url.port().is_none() || !matches!(url.path(), "" | "/") || open {
                    self.wrong(
                        &key_at,
                        "expected srt://HOST:PORT, the stream's id in key_file",
                    );
                    return None;
                }
                Some(StreamTarget::Srt {
                    url: target.to_owned(),
                    key,
                })
            }
            _ => {
                self.wrong(&key_at, format_args!("expected {TARGETS}"));
                None
            }
        }
    }
}
