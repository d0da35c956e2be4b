//! How much a server of events bears: many viewers in one process, calls that are timed on their
//! way to each of them, and what the server spends on it.
//!
//! A hub is tried with reports over MQTT, as a node sends them; any other server of the same kind
//! by posting the same text to it, so that both can be compared. Offices named `load-1` and so on
//! appear on a hub that is tried, and stay until it is started anew: not for a hub in service.

mod figures;
mod process;
mod source;
mod viewers;

pub use source::Target;
pub use viewers::url as address;

use anyhow::{Context as _, bail, ensure};
use figures::Figures;
use process::Process;
use source::Source;
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use url::Url;
use viewers::Viewers;

/// Files of our own beside the viewers' connections.
const OWN_FILES: u64 = 64;

/// A process is given this long to come to rest before it is looked at.
const REST: Duration = Duration::from_secs(2);

/// All viewers must have the last call within this.
const LAST_WITHIN: Duration = Duration::from_secs(30);

/// What to try, and how hard.
#[derive(Debug, Clone)]
pub struct LoadArgs {
    /// Where the events are, `http://…`.
    pub events: Url,
    /// Where the calls go.
    pub target: Target,
    /// How many connections follow the events.
    pub viewers: usize,
    /// How many calls are timed.
    pub calls: usize,
    /// From one call to the next.
    pub every: Duration,
    /// How many offices call in turn, where the target knows offices.
    pub offices: usize,
    /// The server's process on this machine, for its memory and processor time.
    pub pid: Option<u32>,
}

/// Connects the viewers, makes the calls and prints the figures.
///
/// # Errors
/// When the system gives too few open files, a viewer is refused, the target does not take the
/// calls, or not all of them reach every viewer within 30 s.
pub async fn run(
    args: LoadArgs,
    out: &mut (impl Write + Send),
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    tokio::select! {
        () = shutdown.cancelled() => Ok(()),
        result = tried(&args, out) => result,
    }
}

async fn tried(args: &LoadArgs, out: &mut (impl Write + Send)) -> anyhow::Result<()> {
    let wanted = args.viewers as u64 + OWN_FILES;
    let files = crate::files::raise_open_limit(wanted);
    ensure!(
        files >= wanted,
        "{} viewers need {wanted} open files, the system gives {files}: see `ulimit -Hn`",
        args.viewers
    );
    let process = args.pid.map(Process::new);
    let mut source = Source::open(&args.target, args.offices).await?;
    let figures = Arc::new(Figures::new(args.calls));
    // Offices are there before anybody looks, so that viewers get calls and not a new list.
    source.call(0).await?;
    sleep(REST).await;

    let before = memory(process.as_ref())?;
    let begin = Instant::now();
    let viewers = Viewers::open(&args.events, args.viewers, &figures).await?;
    writeln!(
        out,
        "{} viewers in {:.1} s",
        args.viewers,
        begin.elapsed().as_secs_f64()
    )?;
    sleep(REST).await;
    let idle = memory(process.as_ref())?;
    let spent = cpu(process.as_ref())?;

    let begin = Instant::now();
    for no in 1..=args.calls {
        figures.called(no);
        source.call(no).await?;
        let turn = u32::try_from(no).context("too many calls to count")?;
        sleep_until(begin + args.every * turn).await;
    }
    let all = timeout(LAST_WITHIN, async {
        while !figures.all_have(args.calls, args.viewers) {
            sleep(Duration::from_millis(20)).await;
        }
    });
    let complete = all.await.is_ok();
    let spent = cpu(process.as_ref())?
        .zip(spent)
        .map(|(now, then)| now.saturating_sub(then));
    sleep(REST).await;
    let busy = memory(process.as_ref())?;

    write!(out, "{}", figures.summary(args.viewers))?;
    if let Some(spent) = spent {
        let each = spent.as_secs_f64() * 1e6 / figures.deliveries().max(1) as f64;
        writeln!(
            out,
            "{:.2} s of processor time, {each:.1} µs for each event that came",
            spent.as_secs_f64()
        )?;
    }
    if let Some(((before, idle), busy)) = before.zip(idle).zip(busy) {
        let each = |now: u64| now.saturating_sub(before) as f64 / args.viewers.max(1) as f64;
        writeln!(
            out,
            "{:.1} KiB of memory for each viewer at rest, {:.1} KiB after the calls ({before} KiB without viewers)",
            each(idle),
            each(busy)
        )?;
    }
    let lost = viewers.lost();
    source.close().await;
    if lost > 0 {
        bail!("{lost} of {} viewers lost their connection", args.viewers);
    }
    ensure!(
        complete,
        "not every viewer received the last call within 30 s"
    );
    Ok(())
}

fn memory(process: Option<&Process>) -> anyhow::Result<Option<u64>> {
    process.map(Process::memory_kib).transpose()
}

fn cpu(process: Option<&Process>) -> anyhow::Result<Option<Duration>> {
    process.map(Process::cpu).transpose()
}
