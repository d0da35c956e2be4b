//! What the user may type: every command with its arguments, as the manual shows them.

use crate::{config, model, roles};
use clap::{Args, Parser, Subcommand, ValueEnum};
#[cfg(feature = "demo")]
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// Call boards for ward offices: from the ticketing system to the board, and to the citizen's phone.
#[derive(Debug, Parser)]
#[command(name = "yobiban", version, arg_required_else_help = true)]
#[command(after_help = "\
Environment:
  YOBIBAN_LOG  what is logged, such as info, debug or yobiban::mqtt=trace [default: info]
Exit codes:
  0 done, 64 usage or configuration, 1 anything else")]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Six simulated ward offices, a node for each, a broker and the hub, in one process
    #[cfg(feature = "demo")]
    Demo(DemoArgs),
    /// The box at an office: from the feed to its boards
    Node(NodeArgs),
    /// The last picture on a node's boards while the machine switches off
    Goodbye(FileArgs),
    /// The server that shows all offices to remote viewers
    Hub(FileArgs),
    /// Draw one board to a picture, without hardware
    Board(BoardArgs),
    /// Tell how good the wait ranges of a recorded day are
    Score(ScoreArgs),
    /// Publish a recorded day to a broker
    Replay(ReplayArgs),
    /// Try how many viewers a hub bears
    Load(LoadArgs),
    /// Say what is wrong with a configuration file
    Check {
        /// A node's or a hub's configuration
        file: PathBuf,
    },
    /// Write the configurations and certificates of a whole city from one table
    Provision(ProvisionArgs),
    /// Look at what a node would use, and say what to do about what is wrong
    Doctor(FileArgs),
    /// Read an old board in pictures of a camera
    #[command(subcommand)]
    Camera(CameraCommand),
    /// Speak a call into a WAV file, or to a sound device
    Say(SayArgs),
    /// Build the dictionary that Japanese speech needs
    Dictionary {
        /// The folder mecab-naist-jdic of Open JTalk's sources
        from: PathBuf,
        /// The folder to write
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
    /// At the start of a box made from the image: take over the card's file, prepare network and time
    Setup(SetupArgs),
    /// Print a commented example with every key and its default
    Config {
        /// What it configures
        kind: ExampleKind,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum CameraCommand {
    /// Read a picture and print its fields as JSON, or score a folder of pictures
    Read {
        /// A JPEG picture
        #[arg(required_unless_present = "truth", requires = "config")]
        picture: Option<PathBuf>,
        /// A node's configuration
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
        /// Which camera of it [default: the first]
        #[arg(long, value_name = "ID")]
        camera: Option<model::CameraId>,
        /// A folder of NAME.jpg with NAME.json that says what is true
        #[arg(long, value_name = "DIR", conflicts_with_all = ["picture", "config", "camera"])]
        truth: Option<PathBuf>,
    },
    /// Find the board and its digits in a picture, and print the block for the configuration
    Calibrate {
        /// A JPEG picture
        picture: PathBuf,
        /// Where to draw what was found, on the board alone
        #[arg(long, value_name = "PNG")]
        out: PathBuf,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum ExampleKind {
    /// The box at an office
    Node,
    /// The server for remote viewers
    Hub,
}

#[derive(Debug, Args)]
pub(super) struct FileArgs {
    /// Its configuration; see `yobiban config`
    #[arg(long, value_name = "FILE")]
    pub(super) config: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct NodeArgs {
    /// Its configuration; see `yobiban config`
    #[arg(long, value_name = "FILE")]
    pub(super) config: PathBuf,
    /// What `yobiban setup` left: boards say how the box is doing until there are numbers, and what
    /// is wrong with the card's file
    #[arg(long, value_name = "FILE")]
    pub(super) setup: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct SetupArgs {
    /// The card's partition with yobiban.toml
    #[arg(long, value_name = "DIR", default_value = "/boot/firmware")]
    pub(super) boot: PathBuf,
    /// The data partition
    #[arg(long, value_name = "DIR", default_value = "/data")]
    pub(super) data: PathBuf,
    /// Where files of one start go
    #[arg(long, value_name = "DIR", default_value = "/run")]
    pub(super) run: PathBuf,
    /// Instead of all that: overwrite what is free on the card's partition, which nobody may be writing
    /// to, with zeros
    #[arg(long, value_name = "DEVICE", conflicts_with_all = ["boot", "data", "run"])]
    pub(super) wipe: Option<PathBuf>,
}

#[cfg(feature = "demo")]
#[derive(Debug, Args)]
pub(super) struct DemoArgs {
    /// Address of the pages; port 0 is any [default: 127.0.0.1:8080, or any port where it is taken]
    #[arg(long, value_name = "ADDR:PORT")]
    pub(super) listen: Option<SocketAddr>,
    /// Address of the broker; port 0 is any
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:0", value_parser = broker_address)]
    pub(super) mqtt: SocketAddr,
    /// How many seconds of the simulated day pass in one, 1 to 3600
    #[arg(long, value_name = "N", default_value_t = roles::demo::DEFAULT_SPEED, value_parser = speed)]
    pub(super) speed: f64,
    /// Folder for boards, stores and history [default: one that is removed at the end]
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
    /// Ends after this long with a summary; without it, at a signal
    #[arg(long = "for", value_name = "DURATION", value_parser = duration)]
    pub(super) for_: Option<Duration>,
    /// The same seed simulates the same day
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(super) seed: u64,
}

#[derive(Debug, Args)]
pub(super) struct BoardArgs {
    /// A node's configuration
    #[arg(long, value_name = "FILE")]
    pub(super) config: PathBuf,
    /// JSON object from queue id to feed payload
    #[arg(long, value_name = "FILE")]
    pub(super) state: PathBuf,
    /// The moment it is drawn for, with offset [default: the newest in the state]
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub(super) at: Option<jiff::Timestamp>,
    /// Which board [default: the first]
    #[arg(long, value_name = "ID")]
    pub(super) board: Option<model::BoardId>,
    /// The picture to write
    #[arg(long, value_name = "PNG")]
    pub(super) out: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct SayArgs {
    /// The label, such as A042
    #[arg(value_parser = label)]
    pub(super) ticket: model::Label,
    /// The counter to go to
    #[arg(long, value_name = "LABEL", value_parser = label)]
    pub(super) counter: Option<model::Label>,
    /// ja, en, zh, ko, vi or pt [default: those of the configuration, or ja]
    #[arg(long, value_name = "LANG")]
    pub(super) lang: Option<config::VoiceLanguage>,
    /// The queue it is called in, by its id in the configuration [default: the first]
    #[arg(long, value_name = "ID", requires = "config")]
    pub(super) queue: Option<model::QueueId>,
    /// As it is said when it is called again
    #[arg(long)]
    pub(super) recall: bool,
    /// In few words, as when many calls wait
    #[arg(long)]
    pub(super) short: bool,
    /// Without the chime before it
    #[arg(long)]
    pub(super) no_chime: bool,
    /// A node's configuration, for its readings, texts and dictionary
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Folder of the dictionary [default: that of the configuration]
    #[arg(long, value_name = "DIR")]
    pub(super) dictionary: Option<PathBuf>,
    /// The file to write
    #[arg(long, value_name = "WAV", required_unless_present = "device")]
    pub(super) out: Option<PathBuf>,
    /// The sound device to play it on, as `aplay -L` names it
    #[arg(long, value_name = "NAME")]
    pub(super) device: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct ScoreArgs {
    /// Recorded day, JSON Lines, plain or gzip
    pub(super) recording: PathBuf,
    /// What happened to every ticket
    #[arg(value_name = "TICKETS.csv")]
    pub(super) tickets: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct ReplayArgs {
    /// Recorded day, JSON Lines, plain or gzip
    pub(super) file: PathBuf,
    /// The broker, such as mqtt://127.0.0.1:1883 or mqtts://user@broker.example.jp
    #[arg(long, value_name = "URL")]
    pub(super) mqtt: String,
    /// File with the user's password: what stands in an address can be read by everybody on the machine
    #[arg(long, value_name = "FILE")]
    pub(super) password_file: Option<PathBuf>,
    /// How many seconds of the recording pass in one
    #[arg(long, value_name = "N", default_value = "1", value_parser = speed)]
    pub(super) speed: f64,
    /// Only this office
    #[arg(long, value_name = "ID")]
    pub(super) office: Option<model::OfficeId>,
    /// Publish times, days and seq as recorded instead of moving them to now
    #[arg(long)]
    pub(super) keep_times: bool,
}

#[derive(Debug, Args)]
pub(super) struct LoadArgs {
    /// The events that viewers follow; the hub must not be in service
    #[arg(
        long,
        value_name = "URL",
        default_value = "http://127.0.0.1:8080/api/v1/events"
    )]
    pub(super) events: url::Url,
    /// The hub's broker: calls are reported to it as nodes do
    #[arg(long, value_name = "URL", required_unless_present = "post")]
    pub(super) mqtt: Option<String>,
    /// Instead, where to post each call, for servers that send on what is posted
    #[arg(long, value_name = "URL", conflicts_with = "mqtt")]
    pub(super) post: Option<url::Url>,
    /// How many viewers
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub(super) viewers: usize,
    /// How many calls, 1 to 1000000
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(super) calls: u32,
    /// From one call to the next
    #[arg(long, value_name = "DURATION", default_value = "1s", value_parser = duration)]
    pub(super) every: Duration,
    /// How many offices call in turn
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(super) offices: u16,
    /// The server's process on this machine, for its memory and processor time
    #[arg(long, value_name = "PID")]
    pub(super) pid: Option<u32>,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Columns, in any order, named in the first line:
  office     the office's id, such as chuo
  office_ja  its name in Japanese
  office_en  its name in English; may be left out
  node       the node's id, such as n1
  broker     the broker of the feed, such as mqtts://broker.example.jp
  uplink     the broker of the reports, where it is another; may be left out
  queues     ID=JAPANESE or ID=JAPANESE/ENGLISH, separated by semicolons; fast lanes as ID*=…")]
pub(super) struct ProvisionArgs {
    /// A line for each node, CSV with a header
    #[arg(value_name = "TABLE.csv")]
    pub(super) table: PathBuf,
    /// A node's configuration with what all have in common [default: one monitor]
    #[arg(long, value_name = "FILE")]
    pub(super) template: Option<PathBuf>,
    /// The folder to write; the authority, keys and certificates that are there are kept
    #[arg(long, value_name = "DIR")]
    pub(super) out: PathBuf,
    /// Make all keys and certificates anew, except those of the authority
    #[arg(long)]
    pub(super) renew: bool,
}

/// A label as typed.
fn label(text: &str) -> Result<model::Label, model::LabelError> {
    model::Label::new(text)
}

fn duration(text: &str) -> Result<Duration, String> {
    let parsed = text.parse::<jiff::SignedDuration>().ok();
    parsed
        .and_then(|d| Duration::try_from(d).ok())
        .filter(|d| !d.is_zero())
        .ok_or_else(|| "expected a duration such as 30s or 5m".to_owned())
}

fn speed(text: &str) -> Result<f64, String> {
    /// A day in under a second: faster is slower than the broker.
    const MAX: f64 = 100_000.0;
    text.parse::<f64>()
        .ok()
        .filter(|s| *s > 0.0 && *s <= MAX)
        .ok_or_else(|| format!("expected a number over 0 and at most {MAX}"))
}

fn moment(text: &str) -> Result<jiff::Timestamp, String> {
    text.parse()
        .map_err(|_| "expected a time with offset, such as 2026-11-24T10:42:07+09:00".to_owned())
}

/// An address to listen on, with or without `mqtt://` in front.
#[cfg(feature = "demo")]
fn broker_address(text: &str) -> Result<SocketAddr, String> {
    text.strip_prefix("mqtt://")
        .unwrap_or(text)
        .trim_end_matches('/')
        .parse()
        .map_err(|_| "expected an IP address and port, such as 127.0.0.1:1883".to_owned())
}
