//! The whole product in one process: simulated ticketing systems, nodes and the hub.
//!
//! Messages go through an in-process broker, so that nothing has to be installed; with
//! [`DemoArgs::mqtt`] they go through a broker that is there, under a root of their own.
//!
//! Standard output gets one line `ready http://…` once the page has numbers of every office, a
//! line of counts every five seconds, and a summary at the end. Everything it writes lies in one
//! folder, which is removed at the end unless it was asked for.

mod meter;
mod page;
mod parts;
pub mod simulator;
mod source;

use crate::clock::Clock;
use crate::mqtt::{self, LocalBroker, SessionOptions};
use crate::node::{FrameDrawn, Probe};
use crate::services::{hub, node};
use anyhow::Context;
use meter::Meter;
use simulator::Simulator;
use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// How many times as fast as real life the demo runs unless told: each office calls somebody
/// about every ten seconds.
pub const DEFAULT_SPEED: f64 = 6.0;

/// Time between two lines of counts.
const STATUS: Duration = Duration::from_secs(5);

/// Time between two looks at the page until it is complete.
const LOOK: Duration = Duration::from_millis(50);

/// How long the parts may take to stop; the process has 2 s.
const STOP: Duration = Duration::from_millis(1500);

/// What the demo is asked for.
#[derive(Debug, Clone)]
pub struct DemoArgs {
    /// Address of the pages; port 0 is any.
    pub listen: SocketAddr,
    /// A broker on this machine to play at; `None` needs none.
    pub mqtt: Option<SocketAddr>,
    /// How many seconds of the simulated day pass in one, 1 to 3600.
    pub speed: f64,
    /// Ends after this long; `None` ends at a signal.
    pub for_: Option<Duration>,
    /// The same seed simulates the same day.
    pub seed: u64,
    /// Folder of boards, stores and history; `None` takes one of its own and removes it.
    pub out: Option<PathBuf>,
}

/// Runs the demo until its time is over or `shutdown`.
///
/// # Errors
/// When the address of the pages cannot be listened on, that of the broker is not a loopback one, the
/// folder cannot be made, or a role fails.
pub async fn run(
    args: DemoArgs,
    clock: Arc<dyn Clock>,
    out: &mut impl Write,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let mqtt = parts::broker(args.mqtt)?;
    let local_broker = args.mqtt.is_none().then(LocalBroker::new);
    let folder = Folder::new(args.out.clone())?;
    let stop = shutdown.child_token();
    let mut parts = JoinSet::new();

    let (bound, address) = oneshot::channel();
    let config = parts::hub(&mqtt, args.listen, &folder.path);
    let (at, time, end) = (local_broker.clone(), Arc::clone(&clock), stop.clone());
    parts.spawn(async move {
        let ready = |address| {
            let _ = bound.send(address); // nobody waits any more when the demo was stopped
        };
        match at {
            Some(local_broker) => hub::run_within(&local_broker, config, time, end, ready).await,
            None => hub::run(config, time, end, ready).await,
        }
    });
    let address = tokio::select! {
        address = address => address.ok(),
        () = shutdown.cancelled() => None,
    };
    let Some(address) = address else {
        stop.cancel();
        return finish(parts).await;
    };
    let page = format!("http://{address}/");

    let (to_meter, drawn) = mpsc::channel(4096);
    let probe = Probe {
        frames: Some(to_meter),
        ..Probe::default()
    };
    let offices = simulator::offices();
    for (id, name) in &offices {
        let config = parts::node(id, name, &mqtt, &folder.path, &page, args.speed);
        std::fs::create_dir_all(&config.store_dir)
            .with_context(|| format!("cannot make {}", config.store_dir.display()))?;
        let (at, time, end) = (local_broker.clone(), Arc::clone(&clock), stop.clone());
        let probe = probe.clone();
        parts.spawn(async move {
            match at {
                Some(local_broker) => {
                    node::run_within(&local_broker, config, time, end, probe).await
                }
                None => node::run(config, time, end, probe).await,
            }
        });
    }
    drop(probe);

    let zone = crate::state::Settings::new(Vec::new()).timezone;
    let meter = Arc::new(Mutex::new(Meter::default()));
    let simulator = Simulator::new(args.seed, clock.now().wall, args.speed, &zone);
    let systems = SessionOptions::new(&mqtt, "ticketing", "yobiban-demo-ticketing");
    let systems = systems.on_local_broker(local_broker.as_ref());
    let systems = mqtt::spawn(systems, stop.clone());
    let source = source::run(
        simulator,
        systems.publisher,
        mqtt.root.clone(),
        clock,
        Arc::clone(&meter),
    );
    tokio::spawn(stop.clone().run_until_cancelled_owned(source));
    tokio::spawn(measure(drawn, Arc::clone(&meter)));

    let begin = Instant::now();
    writeln!(out, "boards in {}", folder.path.display())?;
    let ids: Vec<_> = offices.into_iter().map(|(id, _)| id).collect();
    let watch = async {
        while !page::complete(address, &ids).await {
            tokio::time::sleep(LOOK).await;
        }
        writeln!(out, "ready {page}")?;
        out.flush()?;
        meter
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .warm(Instant::now());
        let mut tick = tokio::time::interval_at(tokio::time::Instant::now() + STATUS, STATUS);
        loop {
            tick.tick().await;
            writeln!(
                out,
                "{:>5.0} s  {}",
                begin.elapsed().as_secs_f64(),
                figures(&meter)
            )?;
        }
    };
    let over = async {
        match args.for_ {
            Some(limit) => tokio::time::sleep(limit).await,
            None => std::future::pending().await,
        }
    };
    let ended: anyhow::Result<()> = tokio::select! {
        () = shutdown.cancelled() => Ok(()),
        () = over => Ok(()),
        // Writing fails when nobody reads any more: then the demo is over as well.
        result = watch => result,
        Some(part) = parts.join_next() => {
            part.context("a part of the demo failed").and_then(|result| result)
        }
    };
    stop.cancel();
    finish(parts).await?;
    ended?;
    writeln!(
        out,
        "played {:.1} s: {}",
        begin.elapsed().as_secs_f64(),
        figures(&meter)
    )?;
    Ok(())
}

fn figures(meter: &Mutex<Meter>) -> meter::Figures {
    meter
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .figures()
}

async fn measure(mut drawn: mpsc::Receiver<FrameDrawn>, meter: Arc<Mutex<Meter>>) {
    while let Some(drawn) = drawn.recv().await {
        meter
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .drawn(drawn);
    }
}

/// Waits until every part has ended, within a limit, and tells the first error.
async fn finish(mut parts: JoinSet<anyhow::Result<()>>) -> anyhow::Result<()> {
    let all = async {
        let mut result = Ok(());
        while let Some(part) = parts.join_next().await {
            let part = part.context("a part of the demo failed").and_then(|r| r);
            result = result.and(part);
        }
        result
    };
    tokio::time::timeout(STOP, all).await.unwrap_or_else(|_| {
        tracing::warn!("not every part of the demo stopped in time");
        Ok(())
    })
}

/// Where the demo writes.
struct Folder {
    path: PathBuf,
    /// Nobody asked for it, so it goes at the end.
    own: bool,
}

impl Folder {
    fn new(asked: Option<PathBuf>) -> anyhow::Result<Self> {
        let own = asked.is_none();
        let path = asked.unwrap_or_else(|| {
            let name = format!(
                "yobiban-demo-{}-{:x}",
                std::process::id(),
                fastrand::u32(..)
            );
            std::env::temp_dir().join(name)
        });
        std::fs::create_dir_all(&path)
            .with_context(|| format!("cannot make {}", path.display()))?;
        Ok(Self { path, own })
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if self.own
            && let Err(error) = std::fs::remove_dir_all(&self.path)
        {
            tracing::debug!("cannot remove {}: {error}", self.path.display());
        }
    }
}

#[cfg(test)]
mod tests;
