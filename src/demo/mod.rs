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
use crate::config::MqttConfig;
use crate::model::{Name, OfficeId};
use crate::mqtt::{self, LocalBroker, Session, SessionOptions};
use crate::node::{FrameDrawn, Probe};
use crate::services::{hub, node};
use crate::state::Settings;
use anyhow::Context;
use meter::Meter;
use simulator::Simulator;
use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
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
/// folder cannot be made, or a part fails.
pub async fn run(
    args: DemoArgs,
    clock: Arc<dyn Clock>,
    out: &mut impl Write,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let mut city = City::new(&args, clock, shutdown.child_token())?;
    let address = city.start_hub(args.listen);
    let address = tokio::select! {
        address = address => address.ok(),
        () = shutdown.cancelled() => None,
    };
    let Some(address) = address else {
        return city.finish().await;
    };
    let page = format!("http://{address}/");
    let offices = simulator::offices();
    city.start_nodes(&offices, &page, args.speed)?;
    city.start_ticketing(args.seed, args.speed);

    let begin = Instant::now();
    writeln!(out, "boards in {}", city.folder.path.display())?;
    let ids: Vec<_> = offices.into_iter().map(|(id, _)| id).collect();
    let meter = Arc::clone(&city.meter);
    let watch = async {
        while !page::complete(address, &ids).await {
            tokio::time::sleep(LOOK).await;
        }
        writeln!(out, "ready {page}")?;
        out.flush()?;
        lock(&meter).warm(Instant::now());
        print_counts(out, begin, &meter).await
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
        Some(part) = city.parts.join_next() => {
            part.context("a part of the demo failed").and_then(|result| result)
        }
    };
    city.finish().await?;
    ended?;
    writeln!(
        out,
        "played {:.1} s: {}",
        begin.elapsed().as_secs_f64(),
        lock(&meter).figures()
    )?;
    Ok(())
}

/// The parts of the demo while it runs.
struct City {
    mqtt: MqttConfig,
    /// In place of a broker, unless one was named.
    local_broker: Option<LocalBroker>,
    clock: Arc<dyn Clock>,
    folder: Folder,
    meter: Arc<Mutex<Meter>>,
    /// The session of the ticketing systems, once they were started.
    ticketing: Option<Session>,
    parts: JoinSet<anyhow::Result<()>>,
    stop: CancellationToken,
}

impl City {
    fn new(
        args: &DemoArgs,
        clock: Arc<dyn Clock>,
        stop: CancellationToken,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            mqtt: parts::broker(args.mqtt)?,
            local_broker: args.mqtt.is_none().then(LocalBroker::new),
            clock,
            folder: Folder::new(args.out.clone())?,
            meter: Arc::default(),
            ticketing: None,
            parts: JoinSet::new(),
            stop,
        })
    }

    /// Starts the hub; the receiver gets the address of its pages once they are served.
    fn start_hub(&mut self, listen: SocketAddr) -> oneshot::Receiver<SocketAddr> {
        let (bound, address) = oneshot::channel();
        let config = parts::hub(&self.mqtt, listen, &self.folder.path);
        let (broker, clock, stop) = self.surroundings();
        self.parts.spawn(async move {
            let ready = |address| {
                let _ = bound.send(address); // nobody waits any more when the demo was stopped
            };
            match broker {
                Some(broker) => hub::run_within(&broker, config, clock, stop, ready).await,
                None => hub::run(config, clock, stop, ready).await,
            }
        });
        address
    }

    /// Starts a node for each office, with a probe for the meter.
    fn start_nodes(
        &mut self,
        offices: &[(OfficeId, Name)],
        page: &str,
        speed: f64,
    ) -> anyhow::Result<()> {
        let (to_meter, frames) = mpsc::channel(4096);
        let probe = Probe {
            frames: Some(to_meter),
            ..Probe::default()
        };
        for (id, name) in offices {
            let config = parts::node(id, name, &self.mqtt, &self.folder.path, page, speed);
            std::fs::create_dir_all(&config.store_dir)
                .with_context(|| format!("cannot make {}", config.store_dir.display()))?;
            let (broker, clock, stop) = self.surroundings();
            let probe = probe.clone();
            self.parts.spawn(async move {
                match broker {
                    Some(broker) => node::run_within(&broker, config, clock, stop, probe).await,
                    None => node::run(config, clock, stop, probe).await,
                }
            });
        }
        tokio::spawn(measure(frames, Arc::clone(&self.meter)));
        Ok(())
    }

    /// Starts the simulated ticketing systems.
    fn start_ticketing(&mut self, seed: u64, speed: f64) {
        let zone = Settings::new(Vec::new()).timezone;
        let (broker, clock, stop) = self.surroundings();
        let options = SessionOptions::new(&self.mqtt, "ticketing", "yobiban-demo-ticketing");
        let session = mqtt::spawn(options.on_local_broker(broker.as_ref()), stop.clone());
        let source = source::run(
            Simulator::new(seed, clock.now().wall, speed, &zone),
            session.publisher.clone(),
            self.mqtt.root.clone(),
            clock,
            Arc::clone(&self.meter),
        );
        tokio::spawn(stop.run_until_cancelled_owned(source));
        self.ticketing = Some(session);
    }

    /// What each part needs: its broker, the clock, and when to stop.
    fn surroundings(&self) -> (Option<LocalBroker>, Arc<dyn Clock>, CancellationToken) {
        let broker = self.local_broker.clone();
        (broker, Arc::clone(&self.clock), self.stop.clone())
    }

    /// Stops all parts and waits for them.
    async fn finish(self) -> anyhow::Result<()> {
        self.stop.cancel();
        finish(self.parts).await
    }
}

/// Writes a line of counts every five seconds, for ever.
async fn print_counts(
    out: &mut impl Write,
    begin: Instant,
    meter: &Mutex<Meter>,
) -> anyhow::Result<()> {
    let mut tick = tokio::time::interval_at(tokio::time::Instant::now() + STATUS, STATUS);
    loop {
        tick.tick().await;
        let (seconds, figures) = (begin.elapsed().as_secs_f64(), lock(meter).figures());
        writeln!(out, "{seconds:>5.0} s  {figures}")?;
    }
}

fn lock(meter: &Mutex<Meter>) -> MutexGuard<'_, Meter> {
    meter.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn measure(mut drawn: mpsc::Receiver<FrameDrawn>, meter: Arc<Mutex<Meter>>) {
    while let Some(drawn) = drawn.recv().await {
        lock(&meter).drawn(drawn);
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
