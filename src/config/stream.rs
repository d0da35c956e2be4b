//! `[[stream]]`: the picture of all offices, or of a node's board, as a video that never ends.

use super::check::Check;
use super::doc::At;
use super::hint;
use super::mqtt::SecretKeys;
use super::problem::ProblemKind;
use super::raw::{RawBoardStream, RawStream};
use super::secret::Secret;
use super::{
    BoardConfig, BoardStreamConfig, OutputConfig, StreamAudio, StreamConfig, StreamEncoder,
    StreamShow, StreamTarget, VideoConfig,
};
use crate::model::{BoardId, OfficeId};
use std::ops::RangeInclusive;
use std::time::Duration;
use url::Url;

/// Each costs a tenth of a core and more.
const MAX_STREAMS: usize = 4;
/// The box of an office is small.
const MAX_BOARD_STREAMS: usize = 2;
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
/// Without pages, files would be made for nobody.
const FAR_TARGETS: &str = "rtmp://HOST/APP, rtmps://HOST/APP or srt://HOST:PORT";

/// What a hub's and a node's `[[stream]]` have in common.
struct Keys<'a> {
    id: Option<&'a str>,
    target: Option<&'a str>,
    /// Whether there are pages that can play HLS.
    serves: bool,
    dir: Option<&'a str>,
    key_file: Option<&'a str>,
    key_credential: Option<&'a str>,
    ca: Option<&'a str>,
    size: Option<&'a [i64]>,
    fps: Option<i64>,
    audio: Option<&'a str>,
    /// Whether calls may be heard in it, else what is missing.
    calls: Result<(), &'static str>,
    encoder: Option<&'a str>,
}

/// Nothing speaks without its table.
const NO_VOICE: &str = "no voice announces calls: expected a [voice] table, or silence";
/// Whose calls they are must be seen.
const NOT_ONE: &str = "calls of one office: expected offices with a single one, or silence";

/// Whether there is a `[voice]` table, whose calls a video can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Voice {
    /// There is.
    Speaks,
    /// There is none.
    Missing,
}

impl Voice {
    /// By its table.
    pub(super) fn of<T>(table: Option<&T>) -> Self {
        table.map_or(Self::Missing, |_| Self::Speaks)
    }
}

impl<'a> Keys<'a> {
    fn of_hub(raw: &'a RawStream, voice: Voice) -> Self {
        let one = raw.offices.as_ref().is_some_and(|o| o.len() == 1);
        Self {
            id: raw.id.as_deref(),
            target: raw.target.as_deref(),
            serves: true,
            dir: raw.dir.as_deref(),
            key_file: raw.key_file.as_deref(),
            key_credential: raw.key_credential.as_deref(),
            ca: raw.ca.as_deref(),
            size: raw.size.as_deref(),
            fps: raw.fps,
            audio: raw.audio.as_deref(),
            calls: match (voice, one) {
                (Voice::Missing, _) => Err(NO_VOICE),
                (Voice::Speaks, false) => Err(NOT_ONE),
                (Voice::Speaks, true) => Ok(()),
            },
            encoder: raw.encoder.as_deref(),
        }
    }

    fn has_key(&self) -> bool {
        self.key_file.is_some() || self.key_credential.is_some()
    }

    fn of_node(raw: &'a RawBoardStream, voice: Voice) -> Self {
        Self {
            id: raw.id.as_deref(),
            target: raw.target.as_deref(),
            serves: false,
            dir: None,
            key_file: raw.key_file.as_deref(),
            key_credential: raw.key_credential.as_deref(),
            ca: raw.ca.as_deref(),
            size: raw.size.as_deref(),
            fps: raw.fps,
            audio: raw.audio.as_deref(),
            calls: match voice {
                Voice::Speaks => Ok(()),
                Voice::Missing => Err(NO_VOICE),
            },
            encoder: raw.encoder.as_deref(),
        }
    }
}

impl Check<'_> {
    /// The videos of a hub.
    pub(super) fn streams(&mut self, raw: &[RawStream], voice: Voice) -> Vec<StreamConfig> {
        let at = At::root().key("stream");
        if raw.len() > MAX_STREAMS {
            let n = raw.len();
            self.wrong_as(
                &at.index(MAX_STREAMS),
                ProblemKind::TooMany,
                format_args!("{n} streams: expected at most {MAX_STREAMS} a hub"),
            );
        }
        let mut streams: Vec<StreamConfig> = Vec::new();
        for (i, stream) in raw.iter().enumerate().take(MAX_STREAMS) {
            let at = at.index(i);
            let Some(stream) = self.stream(&at, stream, voice) else {
                continue;
            };
            if let Some(first) = streams.iter().position(|s| s.video.id == stream.video.id) {
                self.wrong_as(
                    &at.key("id"),
                    ProblemKind::Duplicate,
                    format_args!("same id as stream[{first}]: expected each id once"),
                );
            }
            let hls = |s: &StreamConfig| matches!(s.video.target, StreamTarget::Hls { .. });
            if let Some(first) = streams.iter().position(|s| hls(s) && hls(&stream)) {
                self.wrong_as(
                    &at.key("target"),
                    ProblemKind::TooMany,
                    format_args!("hls as stream[{first}]: expected one at most, the page's"),
                );
            }
            streams.push(stream);
        }
        streams
    }

    fn stream(&mut self, at: &At, raw: &RawStream, voice: Voice) -> Option<StreamConfig> {
        let video = self.video(at, &Keys::of_hub(raw, voice));
        let show = self.show(&at.key("show"), raw.show.as_deref());
        let offices = raw.offices.as_deref().map(|raw| {
            let at = at.key("offices");
            if raw.is_empty() {
                self.wrong(&at, "expected at least one office; without the key, all");
            }
            self.order(&at, raw)
        });
        let turn = self.duration(&at.key("turn"), raw.turn.as_ref(), TURN_DEFAULT, TURN);
        let page_url = raw
            .page_url
            .as_deref()
            .and_then(|url| self.page_url(&at.key("page_url"), url));
        Some(StreamConfig {
            video: video?,
            show,
            offices: offices.filter(|o: &Vec<OfficeId>| !o.is_empty()),
            turn,
            page_url,
        })
    }

    fn show(&mut self, at: &At, raw: Option<&[String]>) -> Vec<StreamShow> {
        let words = [
            ("numbers", StreamShow::Numbers),
            ("boards", StreamShow::Boards),
            ("cameras", StreamShow::Cameras),
        ];
        let Some(raw) = raw else {
            return vec![StreamShow::Numbers];
        };
        if raw.is_empty() {
            self.wrong(at, "expected at least one of numbers, boards or cameras");
        }
        let mut show = Vec::new();
        for (i, word) in raw.iter().enumerate() {
            let at = at.index(i);
            match self.word(&at, word, &words) {
                Some(what) if show.contains(&what) => {
                    self.wrong_as(
                        &at,
                        ProblemKind::Duplicate,
                        "named before: expected each once",
                    );
                }
                what => show.extend(what),
            }
        }
        show
    }

    /// The videos of a node's boards.
    pub(super) fn board_streams(
        &mut self,
        raw: &[RawBoardStream],
        boards: &[BoardConfig],
        voice: Voice,
    ) -> Vec<BoardStreamConfig> {
        let at = At::root().key("stream");
        if raw.len() > MAX_BOARD_STREAMS {
            let n = raw.len();
            self.wrong_as(
                &at.index(MAX_BOARD_STREAMS),
                ProblemKind::TooMany,
                format_args!("{n} streams: expected at most {MAX_BOARD_STREAMS} a node"),
            );
        }
        let mut streams: Vec<BoardStreamConfig> = Vec::new();
        for (i, stream) in raw.iter().enumerate().take(MAX_BOARD_STREAMS) {
            let at = at.index(i);
            let video = self.video(&at, &Keys::of_node(stream, voice));
            let board = self.streamed(&at.key("board"), stream.board.as_deref(), boards);
            let Some((video, board)) = video.zip(board) else {
                continue;
            };
            if let Some(first) = streams.iter().position(|s| s.video.id == video.id) {
                self.wrong_as(
                    &at.key("id"),
                    ProblemKind::Duplicate,
                    format_args!("same id as stream[{first}]: expected each id once"),
                );
            }
            streams.push(BoardStreamConfig { video, board });
        }
        streams
    }

    /// The board that a node's video shows: one that has pixels.
    fn streamed(&mut self, at: &At, raw: Option<&str>, boards: &[BoardConfig]) -> Option<BoardId> {
        let drawn: Vec<&BoardConfig> = boards
            .iter()
            .filter(|b| !matches!(b.output, OutputConfig::Serial(_)))
            .collect();
        let ids: Vec<&str> = drawn.iter().map(|b| b.id.as_str()).collect();
        let found = match raw {
            None => drawn.first(),
            Some(id) => drawn.iter().find(|b| b.id.as_str() == id),
        };
        match (found, raw) {
            (Some(board), _) => return Some(board.id.clone()),
            _ if ids.is_empty() => self.missing(at, "a [[board]] that is drawn"),
            (None, _) => self.wrong_hint(
                at,
                format_args!("expected a board that is drawn: {}", hint::one_of(&ids)),
                raw.and_then(|raw| hint::nearest(raw, ids.iter().copied())),
            ),
        }
        None
    }

    fn video(&mut self, at: &At, raw: &Keys<'_>) -> Option<VideoConfig> {
        let id: Option<BoardId> = self.id(&at.key("id"), raw.id);
        let target = self.target(at, raw);
        let size = match raw.size {
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
        let audio = self.audio(&at.key("audio"), raw);
        let words = [
            ("auto", StreamEncoder::Auto),
            ("x264", StreamEncoder::X264),
            ("v4l2m2m", StreamEncoder::V4l2m2m),
        ];
        let encoder = raw.encoder.unwrap_or("auto");
        let encoder = self.word(&at.key("encoder"), encoder, &words);
        Some(VideoConfig {
            id: id?,
            target: target?,
            size: size?,
            fps: u32::try_from(fps).ok()?,
            audio: audio?,
            encoder: encoder?,
        })
    }

    fn audio(&mut self, at: &At, raw: &Keys<'_>) -> Option<StreamAudio> {
        let words = [
            ("calls", StreamAudio::Calls),
            ("silence", StreamAudio::Silence),
            ("none", StreamAudio::None),
        ];
        let usual = if raw.calls.is_ok() {
            "calls"
        } else {
            "silence"
        };
        let audio = self.word(at, raw.audio.unwrap_or(usual), &words);
        if let (Some(StreamAudio::Calls), Err(why)) = (audio, raw.calls) {
            self.wrong(at, why);
        }
        audio
    }

    fn target(&mut self, at: &At, raw: &Keys<'_>) -> Option<StreamTarget> {
        let key_at = at.key("target");
        let expected = if raw.serves { TARGETS } else { FAR_TARGETS };
        let Some(target) = raw.target else {
            self.missing(&key_at, format_args!("where it goes, {expected}"));
            return None;
        };
        if raw.ca.is_some() && !target.starts_with("rtmps:") {
            self.wrong_as(
                &at.key("ca"),
                ProblemKind::Unwanted,
                "only with TLS: expected an address that begins with rtmps://",
            );
        }
        if target == "hls" && raw.serves {
            return self.hls(at, raw);
        }
        if raw.dir.is_some() {
            self.wrong_as(
                &at.key("dir"),
                ProblemKind::Unwanted,
                "a folder is for hls: expected none",
            );
        }
        let key = self.stream_key(at, raw)?;
        let Some(url) = Url::parse(target).ok().filter(Url::has_host) else {
            self.wrong(&key_at, format_args!("expected {expected}"));
            return None;
        };
        if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
            self.wrong(
                &key_at,
                "user name or password in the address: expected the key in key_file",
            );
            return None;
        }
        self.host_of(&key_at, target)?;
        match url.scheme() {
            "rtmp" | "rtmps" => self.rtmp(at, raw, (target, &url), key),
            "srt" => self.srt(&key_at, (target, &url), key),
            _ => {
                self.wrong(&key_at, format_args!("expected {expected}"));
                None
            }
        }
    }

    /// Files for the pages of this hub.
    fn hls(&mut self, at: &At, raw: &Keys<'_>) -> Option<StreamTarget> {
        if raw.has_key() {
            self.wrong_as(
                &at.key("target"),
                ProblemKind::Unwanted,
                "a key without a receiver to send it to: expected none",
            );
        }
        let dir = raw.dir.unwrap_or(DIR);
        let dir = self.path(&at.key("dir"), dir)?;
        Some(StreamTarget::Hls { dir })
    }

    /// The key that a receiver asks for; `None` within when there is none.
    fn stream_key(&mut self, at: &At, raw: &Keys<'_>) -> Option<Option<Secret>> {
        let key = self.secret(
            at,
            SecretKeys {
                base: "key",
                inline: None,
                file: raw.key_file,
                credential: raw.key_credential,
            },
        );
        if key.as_ref().is_some_and(|k| k.reveal().len() > MAX_KEY) {
            self.wrong(
                &at.key("key_file"),
                format_args!("expected a key of at most {MAX_KEY} bytes"),
            );
            return None;
        }
        Some(key)
    }

    fn rtmp(
        &mut self,
        at: &At,
        raw: &Keys<'_>,
        (target, url): (&str, &Url),
        key: Option<Secret>,
    ) -> Option<StreamTarget> {
        let app = url.path().trim_matches('/');
        if app.is_empty() || url.query().is_some() {
            self.wrong(
                &at.key("target"),
                "expected rtmp://HOST/APP or rtmps://HOST/APP, the key in key_file",
            );
            return None;
        }
        if !raw.has_key() {
            self.missing(&at.key("key_file"), "the file that holds the stream's key");
        }
        Some(StreamTarget::Rtmp {
            url: target.trim_end_matches('/').to_owned(),
            app: app.to_owned(),
            key: key?,
            ca: match raw.ca {
                Some(ca) => Some(self.foreign_authorities(&at.key("ca"), ca)?),
                None => None,
            },
        })
    }

    fn srt(
        &mut self,
        at: &At,
        (target, url): (&str, &Url),
        key: Option<Secret>,
    ) -> Option<StreamTarget> {
        // Everybody on the machine may read a process's arguments.
        let open = url
            .query_pairs()
            .any(|(key, _)| matches!(&*key, "streamid" | "srt_streamid" | "passphrase"));
        if url.port().is_none() || !matches!(url.path(), "" | "/") || open {
            self.wrong(at, "expected srt://HOST:PORT, the stream's id in key_file");
            return None;
        }
        Some(StreamTarget::Srt {
            url: target.to_owned(),
            key,
        })
    }
}
