//! Configuration in two steps: what the user typed (raw) and what is built from it (validated).
//!
//! A raw file is TOML whose every key is known; an unknown or wrong one is answered with file, key
//! path, value and what is expected. The validated types below cannot be wrong: whoever takes one
//! has nothing left to check. Secrets are masked wherever they are printed.
//!
//! Relative paths in a file are seen from the folder that the file is in, so that a folder with a
//! configuration, its certificates and its pictures can be moved as one. Knows no device and no
//! network: whether a broker answers or a layout's name exists is found out by those who use it.

mod adapter;
mod address;
pub mod asset;
mod board;
mod camera;
mod camera_http;
mod camera_source;
mod check;
mod doc;
mod error;
pub mod example;
mod hint;
mod hub;
pub(crate) mod keyboard;
mod load;
mod machine;
mod mqtt;
mod node;
mod old_keys;
mod output;
mod pages;
pub mod pem;
mod problem;
mod raw;
mod redact;
mod relay;
mod secret;
mod stream;
pub(crate) mod text;
pub mod tls;
mod voice;

pub use address::of as host_of;
pub use camera::{CameraConfig, CameraField, CameraShow, DigitKind};
pub use camera_http::HttpCameraConfig;
pub use camera_source::{CameraSource, PixelWord, RpicamConfig, V4l2Config};
pub(crate) use doc::without_user;
pub use error::ConfigError;
pub use load::{
    Checked, check, load_hub, load_node, old_names, parse_box, parse_hub, parse_node,
    warn_of_old_names,
};
pub use machine::{MachineConfig, Wifi, Wired};
pub use old_keys::OldName;
pub use output::{
    Corner, FieldShow, FieldSource, Framing, GpioBackend, HdmiConfig, Hub75Config, Hub75Pins,
    IdleDigits, Max7219Config, ModeConfig, OutputConfig, Parity, Rotation, Rs485, SerialConfig,
    SerialDevice, SerialField, Serpentine, StaleDigits, Standby,
};
pub use pages::{ClosedDays, PagesConfig};
pub use problem::{Problem, ProblemKind, Suggestion};
pub use redact::{PLACEHOLDER, Secrecy, redacted, restored};
pub use secret::{Secret, secret_in};
pub use text::Encoding;
pub use voice::{
    Readings, SpeechConfig, VoiceConfig, VoiceDetail, VoiceHours, VoiceLanguage, VoiceOutput,
    VoiceTexts, Zero,
};

use crate::model::{BoardId, Name, NodeId, OfficeId, Pattern, QueueId};
use crate::state;
use jiff::civil::Time;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// A node, ready to be built.
#[derive(Debug, Clone)]
pub struct NodeConfig {
    /// The office it stands in.
    pub office: OfficeId,
    pub office_name: Name,
    pub node: NodeId,
    /// Where the feed comes from.
    pub mqtt: MqttConfig,
    /// Where reports go; `None` is the broker of the feed.
    pub uplink: Option<MqttConfig>,
    /// Directory of the store and the spool.
    pub store_dir: PathBuf,
    /// Queues and times.
    pub state: state::Settings,
    /// What the tickets of queues look like, where that is configured.
    pub patterns: BTreeMap<QueueId, Pattern>,
    /// The boards it drives; may be empty.
    pub boards: Vec<BoardConfig>,
    /// Foreign systems that are mapped to queues.
    pub adapters: Vec<AdapterConfig>,
    /// Contacts that close with calls.
    pub relays: Vec<RelayConfig>,
    /// Cameras that read old boards.
    pub cameras: Vec<CameraConfig>,
    /// Videos of its own boards. Default none.
    pub streams: Vec<BoardStreamConfig>,
    /// Calls that are heard; `None` is silence.
    pub voice: Option<VoiceConfig>,
}

/// A hub, ready to be built.
#[derive(Debug, Clone)]
pub struct HubConfig {
    /// Where reports come from.
    pub mqtt: MqttConfig,
    /// Address of the pages; port 0 is any.
    pub listen: SocketAddr,
    /// Database of the history: `sqlite:FILE` or `postgres://…`.
    pub store_url: Secret,
    /// Days that times of calls and waits are kept; a ticket's label never outlives its day.
    pub retention_days: u16,
    /// The order of offices on the pages; others follow by id.
    pub order: Vec<OfficeId>,
    /// Title of the pages by language.
    pub title: Name,
    /// When an office is called busy, and how many may look.
    pub pages: PagesConfig,
    /// Who may look, and how.
    pub web: WebConfig,
    /// Videos it sends; at most one as HLS. Default none.
    pub streams: Vec<StreamConfig>,
    /// How tickets sound; `None` where nobody can hear them.
    pub voice: Option<SpeechConfig>,
}

/// One video of offices in turn.
#[derive(Debug, Clone)]
pub struct StreamConfig {
    /// How it is made and where it goes.
    pub video: VideoConfig,
    /// What of an office is shown, in this order; never empty.
    pub show: Vec<StreamShow>,
    /// Offices it shows, in turn; `None` is all.
    pub offices: Option<Vec<OfficeId>>,
    /// How long a page of an office's queues, and a picture of it, stays.
    pub turn: Duration,
    /// Address of the hub's page, shown as text and QR code.
    pub page_url: Option<String>,
}

/// What a video shows of an office.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamShow {
    /// Its numbers, drawn as a board.
    Numbers,
    /// The pictures of its boards.
    Boards,
    /// The pictures of its cameras: each a filmed board, cut out at the office.
    Cameras,
}

/// A node's video of one of its boards.
#[derive(Debug, Clone)]
pub struct BoardStreamConfig {
    /// How it is made and where it goes; never HLS, because a node serves no pages.
    pub video: VideoConfig,
    pub board: BoardId,
}

/// How a video is made and where it goes.
#[derive(Debug, Clone)]
pub struct VideoConfig {
    pub id: BoardId,
    pub target: StreamTarget,
    /// Width and height in pixels: 1280×720 or 1920×1080.
    pub size: (u32, u32),
    /// Frames a second, 5 to 30.
    pub fps: u32,
    pub audio: StreamAudio,
    pub encoder: StreamEncoder,
}

/// Where a video goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StreamTarget {
    /// RTMP or RTMPS, such as YouTube.
    Rtmp {
        /// `rtmp://HOST/APP`, without the key.
        url: String,
        /// The application: the address's path.
        app: String,
        key: Secret,
        /// Certificates of those who may sign the receiver's, PEM; `None` is the system's.
        ca: Option<PathBuf>,
    },
    /// SRT, as MPEG-TS.
    Srt {
        /// `srt://HOST:PORT`.
        url: String,
        /// The stream's id, if the receiver asks for one.
        key: Option<Secret>,
    },
    /// HLS files in a folder that the hub serves.
    Hls { dir: PathBuf },
}

/// What is heard in a video.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamAudio {
    /// Calls as they are announced, and silence between them.
    Calls,
    /// A track of silence: YouTube wants one.
    Silence,
    /// No track.
    None,
}

/// What turns pictures into H.264.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamEncoder {
    /// The machine's own encoder where there is one, else x264.
    Auto,
    /// x264, in software.
    X264,
    /// The machine's own through V4L2, as in a Raspberry Pi 3, 4 and Zero 2.
    V4l2m2m,
}

/// What browsers are told about the way to the pages. By default: nothing about TLS, no frames.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WebConfig {
    /// Whether browsers are to use HTTPS only (`Strict-Transport-Security`).
    pub hsts: bool,
    /// Origins whose pages may show ours in a frame, such as `https://www.city.example.jp`.
    pub frame_ancestors: Vec<String>,
    /// What opens the page of all nodes; without it, nobody sees that page.
    pub fleet_token: Option<Secret>,
}

/// One connection to a broker.
#[derive(Debug, Clone)]
pub struct MqttConfig {
    /// Host name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// TLS, when the address begins with `mqtts:`.
    pub tls: Option<TlsConfig>,
    /// Root of all topics, `yobiban/v1` by default.
    pub root: String,
    /// User name, if the broker asks for one.
    pub username: Option<String>,
    pub password: Option<Secret>,
    /// Client identifier; `None` makes one of office and node.
    pub client_id: Option<String>,
    /// Longest silence before a ping. Default 20 s.
    pub keep_alive: Duration,
}

/// Files for TLS.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TlsConfig {
    /// Certificates of those who may sign the broker's, PEM; `None` is the system's.
    pub ca: Option<PathBuf>,
    /// Own certificate chain and key, PEM, for brokers that ask who is there.
    pub client: Option<(PathBuf, PathBuf)>,
}

/// One board.
#[derive(Debug, Clone)]
pub struct BoardConfig {
    pub id: BoardId,
    /// Width and height in pixels, as hung.
    pub size: (u32, u32),
    /// A layout's name in `assets/boards` or a path to an own one; `None` is `dark`.
    pub layout: Option<String>,
    /// Queues it shows, in order; `None` is all of the office.
    pub queues: Option<Vec<QueueId>>,
    /// What it is shown on.
    pub output: OutputConfig,
    /// From when to when it is lit, local time; `None` is always. It is lit outside, too, while a
    /// queue is open or a call stands out.
    pub lit_hours: Option<(Time, Time)>,
    /// How calls stand out.
    pub highlight: state::HighlightSettings,
    /// Lines of notice by language, in turn at the foot.
    pub notices: Vec<Name>,
    /// Address of the hub's page, shown as text and QR code.
    pub page_url: Option<String>,
}

/// A contact that closes for a moment with each call, for a lamp.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelayConfig {
    pub id: BoardId,
    /// Number of the GPIO line.
    pub gpio: u8,
    /// Whether the low level closes it.
    pub active_low: bool,
    /// How long it closes.
    pub pulse: Duration,
    /// Shortest time between two closings.
    pub min_gap: Duration,
    /// Queues whose calls close it; `None` is all.
    pub queues: Option<Vec<QueueId>>,
    /// How the line is reached.
    pub backend: GpioBackend,
}

/// A foreign system whose JSON is mapped to queue states.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdapterConfig {
    /// Topic filter of its messages, such as `taipei/+/counters`.
    pub topic: String,
    /// Each rule makes one queue's state.
    pub rules: Vec<AdapterRule>,
}

/// How one queue is found in a foreign message. Pointers are JSON Pointers (RFC 6901).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdapterRule {
    /// The queue that is fed.
    pub queue: QueueId,
    /// Which element, when the message holds lists: each step is an array's pointer, a pointer within
    /// an element and the text it must equal; the next step starts at the element found.
    pub select: Vec<AdapterSelect>,
    /// The number being served, relative to the element: text or integer.
    pub number: String,
    /// People waiting, relative to the element: integer or digits as text; `None` where the system
    /// does not show them.
    pub waiting: Option<String>,
    /// Tickets on hold, if the system knows.
    pub on_hold: Option<String>,
    /// The counter: a pointer within the element, if the system knows.
    pub counter: Option<String>,
    /// The counter as a fixed text, for systems with one counter a queue.
    pub counter_text: Option<String>,
    /// When it was made: RFC 3339 text or a count since 1970, or a local time of the office; absent is
    /// the moment of arrival.
    pub at: Option<String>,
    /// Put before the number to make the label, such as `A`.
    pub prefix: String,
    /// The label's digits are cut or filled with zeros to this many; `None` keeps them.
    pub digits: Option<usize>,
    /// The number that stands for "none yet", such as `0` or `0000`.
    pub none: Vec<String>,
    /// What the queue's tickets look like; `None` is as tickets usually do.
    pub pattern: Option<Pattern>,
}

impl AdapterRule {
    /// Whether a label looks like a ticket of this rule's queue. Of the usual look it is also when
    /// what stands behind the prefix is: that was configured, and is nobody's name.
    #[must_use]
    pub fn fits(&self, label: &str) -> bool {
        let usual = |label: &str| {
            let rest = label.strip_prefix(&self.prefix);
            Pattern::is_standard(label) || rest.is_some_and(Pattern::is_standard)
        };
        self.pattern
            .as_ref()
            .map_or_else(|| usual(label), |pattern| pattern.fits(label))
    }
}

/// Picks one element of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdapterSelect {
    /// Pointer to the array; empty is the whole message.
    pub list: String,
    /// Pointer within an element.
    pub key: String,
    /// What it must equal.
    pub equals: String,
}
