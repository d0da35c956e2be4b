//! The commands: parses the arguments, runs the command, and turns its result into an exit code.
//!
//! Exit codes: 0 done, 64 usage or configuration (`EX_USAGE` of sysexits.h), 1 anything else. An
//! error is printed once, to standard error, as `yobiban: WHAT: WHY`. A command's result goes to
//! standard output, logs to standard error.

mod args;

use crate::clock::{Clock, SystemClock};
use crate::commands::load::Target;
use crate::config::{self, Checked, ConfigError};
use crate::{commands, node, services, shutdown, voice};
use anyhow::Context;
use args::{
    CameraCommand, Cli, Command, DemoArgs, ExampleKind, FileArgs, LoadArgs, NodeArgs,
    ProvisionArgs, ReplayArgs, SayArgs, SetupArgs,
};
use clap::Parser as _;
use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

/// Usage or configuration error: `EX_USAGE` of sysexits.h.
const EXIT_USAGE: u8 = 64;

/// How long to wait for tasks that ignore the shutdown. Roles wait up to 1.5 s for their own tasks, and
/// the process must end within 2 s.
const LEFTOVERS: Duration = Duration::from_millis(300);

/// The definition of all commands and arguments, from which manuals and completions are generated.
#[must_use]
pub fn command() -> clap::Command {
    <Cli as clap::CommandFactory>::command()
}

/// Parses `args`, whose first element is the program's name, and runs the command.
///
/// Exit codes: 0 done, 64 usage or configuration error, 1 any other error.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let args: Vec<OsString> = args.into_iter().collect();
    let cli = match Cli::try_parse_from(&args) {
        Ok(cli) => cli,
        // Help and version are answers, not errors. Nothing is left to say if printing fails.
        Err(answer) if !answer.use_stderr() => {
            let _ = answer.print();
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            let _ = write!(io::stderr(), "{}", without_users(&error.to_string(), &args));
            return ExitCode::from(EXIT_USAGE);
        }
    };
    match start_log(&cli.command).and_then(|()| run(cli.command)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => report(&error),
    }
}

/// Removes user names and passwords of addresses in `args` from a message about them.
fn without_users(message: &str, args: &[OsString]) -> String {
    let args = args.iter().filter_map(|arg| arg.to_str());
    let addresses = args.filter(|arg| arg.contains(['@', '＠']));
    addresses.fold(message.to_owned(), |message, arg| {
        message.replace(arg, &config::without_user(arg))
    })
}

fn run(command: Command) -> anyhow::Result<()> {
    let out = &mut io::stdout();
    match command {
        Command::Demo(args) => demo(args),
        Command::Node(args) => serve(async |stop| node(&args, stop).await),
        Command::Setup(args) => setup(args),
        Command::Goodbye(args) => {
            let config = config::load_node(&args.config)?;
            serve(|stop| commands::shutdown_screen::run(config, clock(), stop))
        }
        Command::Hub(args) => {
            let config = config::load_hub(&args.config)?;
            serve(|stop| services::hub::run(config, clock(), stop, |_| {}))
        }
        Command::Board(args) => {
            let config = config::load_node(&args.config)?;
            let state = std::fs::read(&args.state)
                .with_context(|| format!("cannot read {}", args.state.display()))?;
            commands::board::run(&config, args.board.as_ref(), &state, args.at, &args.out)
        }
        Command::Score(args) => commands::score::run(&args.recording, &args.tickets, out),
        Command::Replay(args) => replay(args),
        Command::Load(args) => load(args),
        Command::Check { file } => check(&file, out),
        Command::Provision(args) => provision(args, out),
        Command::Doctor(args) => doctor(&args, out),
        Command::Camera(command) => camera(command, out),
        Command::Say(args) => say(args),
        Command::Dictionary { from, out } => Ok(voice::build_dictionary(&from, &out)?),
        Command::Config { kind } => match kind {
            ExampleKind::Node => answer(out, config::example::NODE),
            ExampleKind::Hub => answer(out, config::example::HUB),
        },
    }
}

fn demo(args: DemoArgs) -> anyhow::Result<()> {
    let args = crate::demo::DemoArgs {
        listen: args.listen.unwrap_or_else(free_address),
        mqtt: args.mqtt,
        speed: args.speed,
        for_: args.for_,
        seed: args.seed,
        out: args.out,
    };
    serve(async |stop| crate::demo::run(args, clock(), &mut io::stdout(), stop).await)
}

fn setup(args: SetupArgs) -> anyhow::Result<()> {
    if let Some(device) = args.wipe {
        let clusters = commands::setup::wipe(&device)?;
        tracing::info!(clusters, "free space on {} overwritten", device.display());
        return Ok(());
    }
    commands::setup::run(&commands::setup::SetupArgs {
        boot: args.boot,
        data: args.data,
        run: args.run,
    })
}

fn replay(args: ReplayArgs) -> anyhow::Result<()> {
    let mut mqtt = typed("--mqtt", commands::broker_url::parse(&args.mqtt))?;
    if let Some(file) = &args.password_file {
        let password = commands::broker_url::password(file);
        mqtt.password = Some(typed("--password-file", password)?);
    }
    let args = commands::replay::ReplayArgs {
        file: args.file,
        mqtt,
        speed: args.speed,
        office: args.office,
        keep_times: args.keep_times,
    };
    serve(async |stop| {
        commands::replay::run(args, &mut io::stdout(), stop).await?;
        Ok(())
    })
}

fn load(args: LoadArgs) -> anyhow::Result<()> {
    let target = match (args.mqtt, args.post) {
        (Some(broker), _) => {
            let broker = typed("--mqtt", commands::broker_url::parse(&broker))?;
            Target::Mqtt(Box::new(broker))
        }
        (None, Some(url)) => Target::Post(typed("--post", commands::load::address(&url))?),
        (None, None) => anyhow::bail!("expected --mqtt or --post"),
    };
    let args = commands::load::LoadArgs {
        events: typed("--events", commands::load::address(&args.events))?,
        target,
        viewers: args.viewers,
        calls: usize::try_from(args.calls)?,
        every: args.every,
        offices: args.offices.into(),
        pid: args.pid,
    };
    serve(async |stop| commands::load::run(args, &mut io::stdout(), stop).await)
}

fn check(file: &Path, out: &mut impl Write) -> anyhow::Result<()> {
    // In English they are in the log, as for every other command.
    if is_japanese() {
        for name in config::old_names(file) {
            let _ = writeln!(
                io::stderr().lock(),
                "{}:{}: {}",
                file.display(),
                name.line,
                name.in_japanese()
            );
        }
    }
    let checked = config::check(file)?;
    for warning in commands::check::undrawable(&checked) {
        let _ = writeln!(
            io::stderr().lock(),
            "warning: {}: {warning}",
            file.display()
        );
    }
    answer(
        out,
        &format!("{}: {}\n", file.display(), describe(&checked)),
    )
}

fn provision(args: ProvisionArgs, out: &mut impl Write) -> anyhow::Result<()> {
    let args = commands::provision::ProvisionArgs {
        table: args.table,
        template: args.template,
        out: args.out,
        renew: args.renew,
    };
    commands::provision::run(&args, clock().now(), out)
}

fn doctor(args: &FileArgs, out: &mut impl Write) -> anyhow::Result<()> {
    let config = config::load_node(&args.config)?;
    let mut well = true;
    serve(async |stop| {
        let clock = SystemClock::new();
        let look = commands::doctor::run(&config, &clock, out);
        tokio::select! {
            () = stop.cancelled() => {}
            found = look => well = found?,
        }
        Ok(())
    })?;
    // What is wrong was printed as the answer.
    if well { Ok(()) } else { Err(Unwell.into()) }
}

async fn node(args: &NodeArgs, stop: CancellationToken) -> anyhow::Result<()> {
    let told = args.setup.as_deref();
    let told = told.map(|path| node::CardStatus::load(path, &args.config));
    if let Some(told) = &told {
        node::setup_notice(told, &stop).await?;
        if stop.is_cancelled() {
            return Ok(());
        }
    }
    let config = config::load_node(&args.config)?;
    commands::shutdown_screen::leave(&args.config);
    services::node::run_on_device(config, clock(), stop, node::Probe::default(), told).await
}

fn say(args: SayArgs) -> anyhow::Result<()> {
    let config = args.config.as_deref().map(config::load_node).transpose()?;
    let args = commands::say::SayArgs {
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
    commands::say::run(config.as_ref(), args)
}

fn camera(command: CameraCommand, out: &mut impl Write) -> anyhow::Result<()> {
    match command {
        CameraCommand::Read {
            truth: Some(dir), ..
        } => commands::camera::score(&dir, out).map(|_| ()),
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
            commands::camera::read(&config, camera.as_ref(), &picture, out)
        }
        CameraCommand::Calibrate {
            picture,
            out: drawn,
        } => commands::camera::calibrate(&picture, &drawn, out),
    }
}

/// The clock of the machine.
fn clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock::new())
}

/// Prints a result. A closed pipe is not an error: its reader has what it wanted.
fn answer(out: &mut impl Write, text: &str) -> anyhow::Result<()> {
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => Ok(result?),
    }
}

/// A summary, in one line, of a configuration without errors.
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

/// Runs `task` until it ends. SIGTERM and SIGINT cancel its token; then it has two seconds to end.
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

/// Whether messages are printed in Japanese: POSIX, 8.2, takes the first of these variables that is set.
fn is_japanese() -> bool {
    let set = |name: &&str| std::env::var(name).is_ok_and(|value| !value.is_empty());
    let mut names = ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter();
    let value = names.find(set).and_then(|name| std::env::var(name).ok());
    value.is_some_and(|value| value.starts_with("ja"))
}

/// Prints an error once, and returns the exit code.
fn report(error: &anyhow::Error) -> ExitCode {
    let mut err = io::stderr().lock();
    // Where standard error is gone, only the exit code is left to tell.
    if let Some(wrong) = error.downcast_ref::<ConfigError>() {
        let said = if is_japanese() {
            wrong.in_japanese()
        } else {
            wrong.to_string()
        };
        for line in said.lines() {
            let _ = if line.starts_with("  ") {
                writeln!(err, "{line}")
            } else {
                writeln!(err, "yobiban: {line}")
            };
        }
        return ExitCode::from(EXIT_USAGE);
    }
    if let Some(wrong) = error.downcast_ref::<commands::provision::TableError>() {
        for line in wrong.to_string().lines() {
            let _ = writeln!(err, "yobiban: {line}");
        }
        return ExitCode::from(EXIT_USAGE);
    }
    let _ = writeln!(err, "yobiban: {error:#}");
    if error.is::<FilterError>() || error.is::<UsageError>() {
        return ExitCode::from(EXIT_USAGE);
    }
    ExitCode::FAILURE
}

/// A check found something that does not work; what, is in the command's result.
#[derive(Debug, thiserror::Error)]
#[error("some checks failed: see above")]
struct Unwell;

/// An argument is wrong. Its value may contain a secret, so the message does not repeat it.
#[derive(Debug, thiserror::Error)]
#[error("{argument}: {problem}")]
struct UsageError {
    argument: &'static str,
    problem: String,
}

/// Turns an error about `argument` into a [`UsageError`]; the argument's value is not repeated.
fn typed<T>(argument: &'static str, made: anyhow::Result<T>) -> anyhow::Result<T> {
    made.map_err(|error| {
        let problem = format!("{error:#}");
        UsageError { argument, problem }.into()
    })
}

/// The log filter in an environment variable is invalid.
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
        None => EnvFilter::new("info,sqlx_core=error"),
    };
    // At trace it would log the request of a handshake, with its password.
    let filter = match "tungstenite=info".parse() {
        Ok(quiet) => filter.add_directive(quiet),
        Err(_) => filter,
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

/// The usual address of the demo's pages, or any port where somebody else has it.
fn free_address() -> SocketAddr {
    let usual = SocketAddr::from(([127, 0, 0, 1], 8080));
    match std::net::TcpListener::bind(usual) {
        Ok(_) => usual,
        Err(_) => SocketAddr::from(([127, 0, 0, 1], 0)),
    }
}
