//! What the user may type: every command with its arguments, as the manual shows them.

use crate::{config, demo, model};
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// Call boards for ward offices: from the ticketing system to the board and to the visitor's phone
#[derive(Debug, Parser)]
#[command(name = "yobiban", version, arg_required_else_help = true)]
#[command(after_help = "\
Environment:
  YOBIBAN_LOG  log level or filter, such as info, debug or yobiban::mqtt=trace [default: info]
Exit codes:
  0 done, 64 usage or configuration error, 1 any other error")]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run six simulated ward offices with a node each, and the hub, in one process
    Demo(DemoArgs),
    /// Run the service of a device at an office: receive the feed and drive the boards
    Node(NodeArgs),
    /// Show the last picture on a node's boards during shutdown
    Goodbye(FileArgs),
    /// Run the server that shows all offices to remote visitors
    Hub(FileArgs),
    /// Draw one board as a picture, without hardware
    Board(BoardArgs),
    /// Evaluate the wait predictions of a recorded day
    Score(ScoreArgs),
    /// Publish a recorded day to a broker
    Replay(ReplayArgs),
    /// Load test: measure how many viewers a hub can serve
    Load(LoadArgs),
    /// Validate a configuration file and report its errors
    Check {
        /// The configuration of a node or a hub
        file: PathBuf,
    },
    /// Write the configurations and certificates of a whole city from one table
    Provision(ProvisionArgs),
    /// Test what a node uses (outputs, cameras, connections, clock, storage) and suggest fixes
    Doctor(FileArgs),
    /// Read an existing board from camera pictures
    #[command(subcommand)]
    Camera(CameraCommand),
    /// Speak a call into a WAV file or on a sound device
    Say(SayArgs),
    /// Build the dictionary for Japanese speech
    Dictionary {
        /// The folder mecab-naist-jdic of the Open JTalk source code
        from: PathBuf,
        /// The folder to write
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
    /// At the start of a device made from the image: store the card's file, set up network and time
    Setup(SetupArgs),
    /// Print a commented example with every key and its default
    Config {
        /// Which configuration
        kind: ExampleKind,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum CameraCommand {
    /// Read a picture and print its fields as JSON, or evaluate a folder of pictures
    Read {
        /// A JPEG picture
        #[arg(required_unless_present = "truth", requires = "config")]
        picture: Option<PathBuf>,
        /// A node's configuration
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
        /// Which camera of the configuration [default: the first]
        #[arg(long, value_name = "ID")]
        camera: Option<model::CameraId>,
        /// A folder of pictures NAME.jpg with their correct readings in NAME.json
        #[arg(long, value_name = "DIR", conflicts_with_all = ["picture", "config", "camera"])]
        truth: Option<PathBuf>,
    },
    /// Find the board and its digits in a picture, and print the block for the configuration
    Calibrate {
        /// A JPEG picture
        picture: PathBuf,
        /// Where to write a picture of the board with what was found
        #[arg(long, value_name = "PNG")]
        out: PathBuf,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum ExampleKind {
    /// The service of a device at an office
    Node,
    /// The server for remote visitors
    Hub,
}

#[derive(Debug, Args)]
pub(super) struct FileArgs {
    /// The configuration; see `yobiban config`
    #[arg(long, value_name = "FILE")]
    pub(super) config: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct NodeArgs {
    /// The configuration; see `yobiban config`
    #[arg(long, value_name = "FILE")]
    pub(super) config: PathBuf,
    /// Result of `yobiban setup`: until numbers arrive, boards show the device's state and errors in
    /// the card's file
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
    /// Folder for files that last until the next start
    #[arg(long, value_name = "DIR", default_value = "/run")]
    pub(super) run: PathBuf,
    /// Instead of the setup: overwrite the free space of the card's partition with zeros; nothing else
    /// may write to it meanwhile
    #[arg(long, value_name = "DEVICE", conflicts_with_all = ["boot", "data", "run"])]
    pub(super) wipe: Option<PathBuf>,
}
#[derive(Debug, Args)]
pub(super) struct DemoArgs {
    /// Address of the web pages; port 0: any free port [default: 127.0.0.1:8080, or any if in use]
    #[arg(long, value_name = "ADDR:PORT")]
    pub(super) listen: Option<SocketAddr>,
    /// A broker on this machine to use, such as 127.0.0.1:1883 [default: none is needed]
    #[arg(long, value_name = "ADDR:PORT", value_parser = broker_address)]
    pub(super) mqtt: Option<SocketAddr>,
    /// Seconds of the simulated day per second, 1 to 3600
    #[arg(long, value_name = "N", default_value_t = demo::DEFAULT_SPEED, value_parser = speed)]
    pub(super) speed: f64,
    /// Folder for boards, node data and history [default: a temporary one]
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
    /// End after this time with a summary; without it, at a signal
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
    /// The time to draw the board for, with offset [default: the newest in the state]
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
    /// The ticket, such as A042
    #[arg(value_parser = label)]
    pub(super) ticket: model::Label,
    /// The counter to go to
    #[arg(long, value_name = "LABEL", value_parser = label)]
    pub(super) counter: Option<model::Label>,
    /// ja, en, zh, ko, vi or pt [default: those of the configuration, or ja]
    #[arg(long, value_name = "LANG")]
    pub(super) lang: Option<config::VoiceLanguage>,
    /// The queue of the ticket, by its id in the configuration [default: the first]
    #[arg(long, value_name = "ID", requires = "config")]
    pub(super) queue: Option<model::QueueId>,
    /// Announce it as a repeated call
    #[arg(long)]
    pub(super) recall: bool,
    /// Short announcement, as when many calls wait
    #[arg(long)]
    pub(super) short: bool,
    /// No chime before the announcement
    #[arg(long)]
    pub(super) no_chime: bool,
    /// A node's configuration, for its readings, texts and dictionary
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Folder of the dictionary [default: the one in the configuration]
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
    /// File with the user's password; a password in the address is visible to every user of the machine
    #[arg(long, value_name = "FILE")]
    pub(super) password_file: Option<PathBuf>,
    /// Seconds of the recording per second
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
    /// The event stream that viewers read; the hub must not be in production
    #[arg(
        long,
        value_name = "URL",
        default_value = "http://127.0.0.1:8080/api/v1/events"
    )]
    pub(super) events: String,
    /// The hub's broker; calls are published to it as nodes do
    #[arg(long, value_name = "URL", required_unless_present = "post")]
    pub(super) mqtt: Option<String>,
    /// Instead of the broker: URL to post each call to, for servers that forward posted calls
    #[arg(long, value_name = "URL", conflicts_with = "mqtt")]
    pub(super) post: Option<String>,
    /// Number of viewers
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub(super) viewers: usize,
    /// Number of calls, 1 to 1000000
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(super) calls: u32,
    /// Time between calls
    #[arg(long, value_name = "DURATION", default_value = "1s", value_parser = duration)]
    pub(super) every: Duration,
    /// Number of offices that call in turn
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(super) offices: u16,
    /// The server's process on this machine, to measure its memory and processor time
    #[arg(long, value_name = "PID")]
    pub(super) pid: Option<u32>,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Columns, in any order, named in the first line:
  office     the office's id, such as chuo
  office_ja  its name in Japanese
  office_en  its name in English (optional)
  node       the node's id, such as n1
  broker     the broker of the feed, such as mqtts://broker.example.jp
  uplink     the broker of the reports, if it is another one (optional)
  queues     ID=JAPANESE or ID=JAPANESE/ENGLISH, separated by semicolons; fast lanes as ID*=…")]
pub(super) struct ProvisionArgs {
    /// The table, CSV with a header and one line per node
    #[arg(value_name = "TABLE.csv")]
    pub(super) table: PathBuf,
    /// A node's configuration with the settings that all nodes share [default: one monitor]
    #[arg(long, value_name = "FILE")]
    pub(super) template: Option<PathBuf>,
    /// The folder to write; existing keys and certificates are kept, also those of the authority
    #[arg(long, value_name = "DIR")]
    pub(super) out: PathBuf,
    /// Create all keys and certificates again, except those of the authority
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

/// The address of a broker, with or without `mqtt://` in front.
fn broker_address(text: &str) -> Result<SocketAddr, String> {
    text.strip_prefix("mqtt://")
        .unwrap_or(text)
        .trim_end_matches('/')
        .parse()
        .map_err(|_| "expected an IP address and port, such as 127.0.0.1:1883".to_owned())
}
