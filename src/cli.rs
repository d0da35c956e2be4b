//! The commands: what the user typed becomes a call of a role, and its end an exit code.
//!
//! Exit codes: 0 done, 64 usage or configuration (`EX_USAGE` of sysexits.h), 1 anything else. An
//! error is printed once, to standard error, as `yobiban: WHAT: WHY`. Standard output belongs to
//! what a command answers; logs go to standard error.

use crate::clock::{Clock, SystemClock};
use crate::config::{self, Checked, ConfigError};
use crate::roles::load::Target;
use crate::{model, roles, shutdown, voice};
use anyhow::Context;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};
#[cfg(feature = "demo")]
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

/// Usage or configuration is wrong: `EX_USAGE` of sysexits.h.
const EXIT_USAGE: u8 = 64;

/// How long tasks that ignore the shutdown may hold up the end; roles join theirs within 1.5 s,
/// and all of it must be over after 2 s.
const LEFTOVERS: Duration = Duration::from_millis(300);

/// Call boards for ward offices: from the ticketing system to the board, and to the citizen's phone.
#[derive(Debug, Parser)]
#[command(name = "yobiban", version, arg_required_else_help = true)]
#[command(after_help = "\
Environment:
  YOBIBAN_LOG  what is logged, such as info, debug or yobiban::mqtt=trace [default: info]
Exit codes:
  0 done, 64 usage or configuration, 1 anything else")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
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
enum CameraCommand {
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
enum ExampleKind {
    /// The box at an office
    Node,
    /// The server for remote viewers
    Hub,
}

#[derive(Debug, Args)]
struct FileArgs {
    /// Its configuration; see `yobiban config`
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
}

#[derive(Debug, Args)]
struct NodeArgs {
    /// Its configuration; see `yobiban config`
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// What `yobiban setup` left: boards say how the box is doing until there are numbers, and what
    /// is wrong with the card's file
    #[arg(long, value_name = "FILE")]
    setup: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct SetupArgs {
    /// The card's partition with yobiban.toml
    #[arg(long, value_name = "DIR", default_value = "/boot/firmware")]
    boot: PathBuf,
    /// The data partition
    #[arg(long, value_name = "DIR", default_value = "/data")]
    data: PathBuf,
    /// Where files of one start go
    #[arg(long, value_name = "DIR", default_value = "/run")]
    run: PathBuf,
}

#[cfg(feature = "demo")]
#[derive(Debug, Args)]
struct DemoArgs {
    /// Address of the pages; port 0 is any [default: 127.0.0.1:8080, or any port where it is taken]
    #[arg(long, value_name = "ADDR:PORT")]
    listen: Option<SocketAddr>,
    /// Address of the broker; port 0 is any
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:0", value_parser = broker_address)]
    mqtt: SocketAddr,
    /// How many seconds of the simulated day pass in one, 1 to 3600
    #[arg(long, value_name = "N", default_value_t = roles::demo::DEFAULT_SPEED, value_parser = speed)]
    speed: f64,
    /// Folder for boards, stores and history [default: one that is removed at the end]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Ends after this long with a summary; without it, at a signal
    #[arg(long = "for", value_name = "DURATION", value_parser = duration)]
    for_: Option<Duration>,
    /// The same seed simulates the same day
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
}

#[derive(Debug, Args)]
struct BoardArgs {
    /// A node's configuration
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// JSON object from queue id to feed payload
    #[arg(long, value_name = "FILE")]
    state: PathBuf,
    /// The moment it is drawn for, with offset [default: the newest in the state]
    #[arg(long, value_name = "TIME", value_parser = moment)]
    at: Option<jiff::Timestamp>,
    /// Which board [default: the first]
    #[arg(long, value_name = "ID")]
    board: Option<model::BoardId>,
    /// The picture to write
    #[arg(long, value_name = "PNG")]
    out: PathBuf,
}

#[derive(Debug, Args)]
struct SayArgs {
    /// The label, such as A042
    #[arg(value_parser = label)]
    ticket: model::Label,
    /// The counter to go to
    #[arg(long, value_name = "LABEL", value_parser = label)]
    counter: Option<model::Label>,
    /// ja, en, zh, ko, vi or pt [default: those of the configuration, or ja]
    #[arg(long, value_name = "LANG")]
    lang: Option<config::VoiceLanguage>,
    /// The queue it is called in, by its id in the configuration [default: the first]
    #[arg(long, value_name = "ID", requires = "config")]
    queue: Option<model::QueueId>,
    /// As it is said when it is called again
    #[arg(long)]
    recall: bool,
    /// In few words, as when many calls wait
    #[arg(long)]
    short: bool,
    /// Without the chime before it
    #[arg(long)]
    no_chime: bool,
    /// A node's configuration, for its readings, texts and dictionary
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Folder of the dictionary [default: that of the configuration]
    #[arg(long, value_name = "DIR")]
    dictionary: Option<PathBuf>,
    /// The file to write
    #[arg(long, value_name = "WAV", required_unless_present = "device")]
    out: Option<PathBuf>,
    /// The sound device to play it on, as `aplay -L` names it
    #[arg(long, value_name = "NAME")]
    device: Option<String>,
}

#[derive(Debug, Args)]
struct ScoreArgs {
    /// Recorded day, JSON Lines, plain or gzip
    recording: PathBuf,
    /// What happened to every ticket
    #[arg(value_name = "TICKETS.csv")]
    tickets: PathBuf,
}

#[derive(Debug, Args)]
struct ReplayArgs {
    /// Recorded day, JSON Lines, plain or gzip
    file: PathBuf,
    /// The broker, such as mqtt://127.0.0.1:1883 or mqtts://user@broker.example.jp
    #[arg(long, value_name = "URL")]
    mqtt: String,
    /// File with the user's password: what stands in an address can be read by everybody on the machine
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// How many seconds of the recording pass in one
    #[arg(long, value_name = "N", default_value = "1", value_parser = speed)]
    speed: f64,
    /// Only this office
    #[arg(long, value_name = "ID")]
    office: Option<model::OfficeId>,
    /// Publish times, days and seq as recorded instead of moving them to now
    #[arg(long)]
    keep_times: bool,
}

#[derive(Debug, Args)]
struct LoadArgs {
    /// The events that viewers follow; the hub must not be in service
    #[arg(
        long,
        value_name = "URL",
        default_value = "http://127.0.0.1:8080/api/v1/events"
    )]
    events: url::Url,
    /// The hub's broker: calls are reported to it as nodes do
    #[arg(long, value_name = "URL", required_unless_present = "post")]
    mqtt: Option<String>,
    /// Instead, where to post each call, for servers that send on what is posted
    #[arg(long, value_name = "URL", conflicts_with = "mqtt")]
    post: Option<url::Url>,
    /// How many viewers
    #[arg(long, value_name = "N", default_value_t = 1000)]
    viewers: usize,
    /// How many calls, 1 to 1000000
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    calls: u32,
    /// From one call to the next
    #[arg(long, value_name = "DURATION", default_value = "1s", value_parser = duration)]
    every: Duration,
    /// How many offices call in turn
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1000))]
    offices: u16,
    /// The server's process on this machine, for its memory and processor time
    #[arg(long, value_name = "PID")]
    pid: Option<u32>,
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
struct ProvisionArgs {
    /// A line for each node, CSV with a header
    #[arg(value_name = "TABLE.csv")]
    table: PathBuf,
    /// A node's configuration with what all have in common [default: one monitor]
    #[arg(long, value_name = "FILE")]
    template: Option<PathBuf>,
    /// The folder to write; the authority, keys and certificates that are there are kept
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Make all keys and certificates anew, except those of the authority
    #[arg(long)]
    renew: bool,
}

/// The shape of all commands, for manuals and completions.
#[must_use]
pub fn command() -> clap::Command {
    <Cli as clap::CommandFactory>::command()
}

/// Runs the command that the arguments name, the program's own name first.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(answer) => {
            // Help and version are answers, not errors. Nothing is left to say if printing fails.
            let _ = answer.print();
            return if answer.use_stderr() {
                ExitCode::from(EXIT_USAGE)
            } else {
                ExitCode::SUCCESS
            };
        }
    };
    match start_log(&cli.command).and_then(|()| run(cli.command)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => report(&error),
    }
}

fn run(command: Command) -> anyhow::Result<()> {
    let out = &mut io::stdout();
    match command {
        #[cfg(feature = "demo")]
        Command::Demo(args) => {
            let args = roles::demo::DemoArgs {
                listen: args.listen.unwrap_or_else(free_address),
                mqtt: args.mqtt,
                speed: args.speed,
                for_: args.for_,
                seed: args.seed,
                out: args.out,
            };
            serve(async |stop| roles::demo::run(args, clock(), &mut io::stdout(), stop).await)
        }
        Command::Node(args) => serve(async |stop| node(&args, stop).await),
        Command::Setup(args) => roles::setup::run(&roles::setup::SetupArgs {
            boot: args.boot,
            data: args.data,
            run: args.run,
        }),
        Command::Goodbye(args) => {
            let config = config::load_node(&args.config)?;
            serve(|stop| roles::goodbye::run(config, clock(), stop))
        }
        Command::Hub(args) => {
            let config = config::load_hub(&args.config)?;
            serve(|stop| roles::hub::run(config, clock(), stop, |_| {}))
        }
        Command::Board(args) => {
            let config = config::load_node(&args.config)?;
            let state = std::fs::read(&args.state)
                .with_context(|| format!("cannot read {}", args.state.display()))?;
            roles::draw::run(&config, args.board.as_ref(), &state, args.at, &args.out)
        }
        Command::Score(args) => roles::score::run(&args.recording, &args.tickets, out),
        Command::Replay(args) => {
            let mut mqtt = roles::line::broker(&args.mqtt)?;
            if let Some(file) = &args.password_file {
                mqtt.password = Some(roles::line::password(file)?);
            }
            let args = roles::replay::ReplayArgs {
                file: args.file,
                mqtt,
                speed: args.speed,
                office: args.office,
                keep_times: args.keep_times,
            };
            serve(async |stop| {
                roles::replay::run(args, &mut io::stdout(), stop).await?;
                Ok(())
            })
        }
        Command::Load(args) => {
            let target = match (args.mqtt, args.post) {
                (Some(broker), _) => Target::Mqtt(Box::new(roles::line::broker(&broker)?)),
                (None, Some(url)) => Target::Post(url),
                (None, None) => anyhow::bail!("expected --mqtt or --post"),
            };
            let args = roles::load::LoadArgs {
                events: args.events,
                target,
                viewers: args.viewers,
                calls: usize::try_from(args.calls)?,
                every: args.every,
                offices: args.offices.into(),
                pid: args.pid,
            };
            serve(async |stop| roles::load::run(args, &mut io::stdout(), stop).await)
        }
        Command::Check { file } => {
            let checked = config::check(&file)?;
            answer(
                out,
                &format!("{}: {}\n", file.display(), describe(&checked)),
            )
        }
        Command::Provision(args) => {
            let args = roles::provision::ProvisionArgs {
                table: args.table,
                template: args.template,
                out: args.out,
                renew: args.renew,
            };
            roles::provision::run(&args, clock().now(), out)
        }
        Command::Doctor(args) => {
            let config = config::load_node(&args.config)?;
            let mut well = true;
            serve(async |stop| {
                let clock = SystemClock::new();
                let look = roles::doctor::run(&config, &clock, out);
                tokio::select! {
                    () = stop.cancelled() => {}
                    found = look => well = found?,
                }
                Ok(())
            })?;
            // What is wrong was printed as the answer.
            if well { Ok(()) } else { Err(Unwell.into()) }
        }
        Command::Camera(command) => camera(command, out),
        Command::Say(args) => say(args),
        Command::Dictionary { from, out } => {
            voice::build_dictionary(&from, &out)?;
            Ok(())
        }
        Command::Config {
            kind: ExampleKind::Node,
        } => answer(out, config::example::NODE),
        Command::Config {
            kind: ExampleKind::Hub,
        } => answer(out, config::example::HUB),
    }
}

async fn node(args: &NodeArgs, stop: CancellationToken) -> anyhow::Result<()> {
    let told = args.setup.as_deref().and_then(roles::setup::Told::load);
    if let Some(told) = &told {
        roles::node::notice(told, &stop).await?;
        if stop.is_cancelled() {
            return Ok(());
        }
    }
    let config = config::load_node(&args.config)?;
    roles::goodbye::leave(&args.config);
    roles::node::run_on_site(config, clock(), stop, roles::Probe::default(), told).await
}

fn say(args: SayArgs) -> anyhow::Result<()> {
    let config = args.config.as_deref().map(config::load_node).transpose()?;
    let args = roles::say::SayArgs {
        ticket: args.ticket,
        counter: args.counter,
        lang: args.lang,
        queue: args.queue,
        recall: args.recall,
        short: args.short,
        chime: !args.no_chime,
        dictionary: args.dictionary,
        out: args.out,
        device: args.device,
    };
    roles::say::run(config.as_ref(), args)
}

fn camera(command: CameraCommand, out: &mut impl Write) -> anyhow::Result<()> {
    match command {
        CameraCommand::Read {
            truth: Some(dir), ..
        } => roles::camera::score(&dir, out).map(|_| ()),
        CameraCommand::Read {
            picture,
            config,
            camera,
            truth: None,
        } => {
            let (picture, config) = picture
                .zip(config)
                .context("expected a picture and --config")?;
            let config = config::load_node(&config)?;
            roles::camera::read(&config, camera.as_ref(), &picture, out)
        }
        CameraCommand::Calibrate {
            picture,
            out: drawn,
        } => roles::camera::calibrate(&picture, &drawn, out),
    }
}

/// A label as typed.
fn label(text: &str) -> Result<model::Label, model::LabelError> {
    model::Label::new(text)
}

/// The clock of the machine.
fn clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock::new())
}

/// Prints to standard output; a reader that has gone away has read enough.
fn answer(out: &mut impl Write, text: &str) -> anyhow::Result<()> {
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => Ok(result?),
    }
}

/// One line about a configuration that is in order.
fn describe(checked: &Checked) -> String {
    let count = |n: usize, what: &str| match n {
        1 => format!("1 {what}"),
        n => format!("{n} {what}s"),
    };
    match checked {
        Checked::Node(c) => format!(
            "a node's configuration in order: office {}, node {}, {}, {}, {}",
            c.office,
            c.node,
            count(c.state.queues.len(), "queue"),
            count(c.boards.len(), "board"),
            count(c.adapters.len(), "adapter"),
        ),
        Checked::Hub(c) => format!(
            "a hub's configuration in order: broker {}:{}, pages on {}",
            c.mqtt.host, c.mqtt.port, c.listen
        ),
    }
}

/// Runs a long task with the signals as its shutdown, and ends within two seconds of the first.
fn serve<F>(task: impl FnOnce(CancellationToken) -> F) -> anyhow::Result<()>
where
    F: Future<Output = anyhow::Result<()>>,
{
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let result = runtime.block_on(async {
        let stop = CancellationToken::new();
        shutdown::on_signals(stop.clone())?;
        task(stop).await
    });
    runtime.shutdown_timeout(LEFTOVERS);
    result
}

/// Prints an error once and says with what code to end.
fn report(error: &anyhow::Error) -> ExitCode {
    let mut err = io::stderr().lock();
    // Where standard error is gone, only the exit code is left to tell.
    if let Some(wrong) = error.downcast_ref::<ConfigError>() {
        for line in wrong.to_string().lines() {
            let _ = if line.starts_with("  ") {
                writeln!(err, "{line}")
            } else {
                writeln!(err, "yobiban: {line}")
            };
        }
        return ExitCode::from(EXIT_USAGE);
    }
    if let Some(wrong) = error.downcast_ref::<roles::provision::TableError>() {
        for line in wrong.to_string().lines() {
            let _ = writeln!(err, "yobiban: {line}");
        }
        return ExitCode::from(EXIT_USAGE);
    }
    let _ = writeln!(err, "yobiban: {error:#}");
    if error.is::<FilterError>() {
        return ExitCode::from(EXIT_USAGE);
    }
    ExitCode::FAILURE
}

/// Says that an inspection found something that does not work.
#[derive(Debug, thiserror::Error)]
#[error("something does not work: see above")]
struct Unwell;

/// Says that the environment asks for a log that cannot be understood.
#[derive(Debug, thiserror::Error)]
#[error("{variable}: {problem}: expected one such as info or yobiban::mqtt=debug")]
struct FilterError {
    variable: &'static str,
    problem: String,
}

/// Sends the log to standard error, in colour on a terminal.
fn start_log(command: &Command) -> anyhow::Result<()> {
    // Tools that answer and end speak up only when something is wrong.
    let quiet = matches!(
        command,
        Command::Board(_)
            | Command::Score(_)
            | Command::Camera(_)
            | Command::Load(_)
            | Command::Say(_)
            | Command::Dictionary { .. }
            | Command::Check { .. }
            | Command::Config { .. }
            | Command::Provision(_)
    );
    let asked = ["YOBIBAN_LOG", "RUST_LOG"]
        .into_iter()
        .find_map(|variable| {
            let value = std::env::var(variable).ok()?;
            (!value.trim().is_empty()).then_some((variable, value))
        });
    let filter = match asked {
        Some((variable, value)) => EnvFilter::try_new(&value).map_err(|e| FilterError {
            variable,
            problem: e.to_string(),
        })?,
        None if quiet => EnvFilter::new("warn"),
        // What the log would say is in the answer, with what to do about it.
        None if matches!(command, Command::Doctor(_)) => EnvFilter::new("error"),
        // The broker's library speaks of every connection at info; that of the database warns for
        // each connection of what the history says once.
        None => EnvFilter::new("info,rmqtt=warn,sqlx_core=error"),
    };
    let colours = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    // A second subscriber in one process, as in tests, is no reason to fail.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(colours)
        .with_target(false)
        .try_init();
    Ok(())
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

/// The usual address of the demo's pages, or any port where somebody else has it.
#[cfg(feature = "demo")]
fn free_address() -> SocketAddr {
    let usual = SocketAddr::from(([127, 0, 0, 1], 8080));
    match std::net::TcpListener::bind(usual) {
        Ok(_) => usual,
        Err(_) => SocketAddr::from(([127, 0, 0, 1], 0)),
    }
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
