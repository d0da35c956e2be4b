//! All offices for remote viewers: registry, history, pages, open data.
//!
//! ```text
//! Incoming ─▶ Hub::feed ─┬▶ registry ─▶ live (snapshots, deltas) ─▶ web: pages, API, events
//!                        └▶ history (SQLite or PostgreSQL) ───────▶ open data, "my number"
//! ```
//! Invariants: reports are checked before they change anything; nothing is written over HTTP;
//! viewers never slow the intake. Knows no broker: messages come through a channel. Knows no
//! board drawing, only finished pictures.

mod calls;
mod event;
mod figures;
mod glance;
pub mod history;
mod incoming;
mod lang;
mod live;
mod locked;
mod metrics;
mod pace;
mod page;
pub mod registry;
mod remember;
pub mod stats;
mod told;
pub mod view;
mod web;

pub use glance::OfficeGlance;
pub use incoming::{Ack, Incoming};
use incoming::{kind, office};
pub use web::{Asked, Bounds, Speaker, listen, router, serve};

use crate::clock::Clock;
use crate::config::{HubConfig, PagesConfig, Secret, StreamTarget};
use crate::model::{Name, OfficeId};
use crate::wire::report::CallReport;
use crate::wire::topic::Topic;
use axum::http::HeaderMap;
use figures::Board;
use history::{History, HistoryError, Note, Writer};
use live::Live;
use locked::Core;
use registry::{Effect, Refusal};
use stats::Stats;
use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;
use tokio::sync::{broadcast, mpsc};
use tokio_util::sync::CancellationToken;

/// Without a line to the broker, numbers stop being current after this: a reconnection takes
/// seconds and need not alarm anybody.
const LINE_GRACE: Duration = Duration::from_secs(15);

/// Reports taken before one publication at most, so that a burst is told once but soon.
const BURST: usize = 256;

/// How often time alone is looked at: lines that went silent, a new day.
const TICK: Duration = Duration::from_secs(1);

/// The hub without its rims. Shared by the intake, the pages and the clock.
pub struct Hub {
    root: String,
    order: Vec<OfficeId>,
    title: Name,
    pages: PagesConfig,
    /// What every answer says about its use.
    headers: HeaderMap,
    /// What opens the page of all nodes.
    fleet_token: Option<Secret>,
    /// The folder of the HLS files, if there is such a stream.
    video: Option<PathBuf>,
    /// Speaks how tickets are called, if somebody does.
    speaker: OnceLock<Speaker>,
    /// Tells of calls as they come; nobody may listen.
    calls: broadcast::Sender<(OfficeId, CallReport)>,
    clock: Box<dyn Clock>,
    shutdown: CancellationToken,
    stats: Arc<Stats>,
    history: History,
    /// Days that times are kept.
    retention_days: u16,
    figures: Board,
    live: Live,
    /// Guards the truth and the order of publications; never held across an await.
    core: Mutex<Core>,
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub").finish_non_exhaustive()
    }
}

impl Hub {
    /// Makes a hub that knows nothing yet, and the writer of its history, to be run beside it.
    ///
    /// # Errors
    /// [`HistoryError::Open`] when the database's address cannot be understood.
    pub fn open(
        config: &HubConfig,
        clock: impl Clock,
        shutdown: CancellationToken,
    ) -> Result<(Arc<Self>, Writer), HistoryError> {
        let stats = Arc::new(Stats::new());
        let (history, writer) = History::open(config.store_url.reveal(), Arc::clone(&stats))?;
        let line_since = clock.now().mono;
        let hub = Arc::new(Self {
            root: config.mqtt.root.clone(),
            order: config.order.clone(),
            title: config.title.clone(),
            pages: config.pages.clone(),
            headers: web::standing(&config.web),
            fleet_token: config.web.fleet_token.clone(),
            video: config.streams.iter().find_map(|s| match &s.video.target {
                StreamTarget::Hls { dir } => Some(dir.clone()),
                _ => None,
            }),
            speaker: OnceLock::new(),
            calls: broadcast::Sender::new(BURST),
            clock: Box::new(clock),
            shutdown,
            stats,
            history,
            retention_days: config.retention_days,
            figures: Board::default(),
            live: Live::new(),
            core: Mutex::new(Core::new(line_since)),
        });
        Ok((hub, writer))
    }

    /// Takes reports until the channel ends or the hub stops, and publishes after each burst.
    ///
    /// Waits for the history when too many calls wait for the database. Whoever brings calls on
    /// a session of their own runs a second `feed` for them, so that numbers never wait.
    pub async fn feed(&self, mut reports: mpsc::Receiver<Incoming>) {
        let mut burst = Vec::with_capacity(BURST);
        loop {
            let n = tokio::select! {
                () = self.shutdown.cancelled() => return,
                n = reports.recv_many(&mut burst, BURST) => n,
            };
            if n == 0 {
                return;
            }
            for report in burst.drain(..) {
                tokio::select! {
                    () = self.shutdown.cancelled() => return,
                    () = self.take(report) => {}
                }
            }
            self.publish();
        }
    }

    /// Looks at the clock once a second until the hub stops.
    pub async fn run_clock(&self) {
        loop {
            tokio::select! {
                () = self.shutdown.cancelled() => return,
                () = tokio::time::sleep(TICK) => self.tick(),
            }
        }
    }

    /// Says whether the broker is heard.
    pub fn set_line(&self, up: bool) {
        let now = self.clock.now();
        {
            let mut core = self.core();
            if core.line != up {
                self.stats.lines.inc_by(up.into());
                core.line = up;
                core.line_since = now.mono;
            }
            if up && core.registry.set_line(true) {
                core.dirty = None;
            }
        }
        self.publish();
    }

    /// What time alone changes: silent lines and nodes become old numbers, midnight a new day.
    pub fn tick(&self) {
        let now = self.clock.now();
        {
            let mut core = self.core();
            if !core.line
                && now.since(core.line_since) > LINE_GRACE
                && core.registry.set_line(false)
            {
                core.dirty = None;
            }
            let aged = core.registry.advance(now);
            if let Some(dirty) = core.dirty.as_mut() {
                dirty.extend(aged);
            }
            let current = self.live.current();
            let another_day = |o: &Arc<live::OfficeSnap>| self.today(now, &o.view) != o.today;
            if current.offices.iter().any(another_day) {
                core.dirty = None;
            }
        }
        self.publish();
        self.admit_waiting();
        if now.synced {
            self.remember(now);
        }
    }

    /// Whether the database takes calls and the broker is heard.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.history.is_usable() && self.core().line
    }

    /// The hub's counters.
    #[must_use]
    pub fn stats(&self) -> &Stats {
        &self.stats
    }

    /// The history of calls.
    #[must_use]
    pub fn history(&self) -> &History {
        &self.history
    }

    /// Takes one report without publishing what it changed.
    async fn take(&self, report: Incoming) {
        let Some(topic) = Topic::parse(&self.root, &report.topic) else {
            self.refuse(&report, &Refusal::Topic(report.topic.clone()));
            return acknowledge(report.ack);
        };
        self.stats.message(kind(&topic));
        if let Topic::Calls(office, _) = &topic {
            return self.take_call(office, report).await;
        }
        let now = self.clock.now();
        let (effect, left_out, known) = {
            let registry = &mut self.core().registry;
            let of = office(&topic);
            let before = registry.knows(of);
            let effect = registry.hear(&topic, &report.payload, report.retain, now);
            let known = !before && registry.knows(of);
            (effect, registry.left_out(), known)
        };
        if known {
            self.core().to_admit.insert(office(&topic).clone());
            self.admit_waiting();
        }
        match effect {
            Ok(Effect::Changed) => self.mark(&topic),
            Ok(Effect::Unchanged) => {}
            Err(refusal) => self.refuse(&report, &refusal),
        }
        if let Some(refusal) = left_out {
            self.refuse(&report, &refusal);
        }
        acknowledge(report.ack);
    }

    fn mark(&self, topic: &Topic) {
        if let Some(dirty) = self.core().dirty.as_mut() {
            dirty.insert(office(topic).clone());
        }
    }

    fn refuse(&self, report: &Incoming, refusal: &Refusal) {
        self.stats.refuse(refusal.reason());
        if matches!(refusal, Refusal::Late) {
            return; // the broker repeats what it kept after every reconnection
        }
        let now = self.clock.now().mono;
        if self.core().may_warn(refusal.reason(), now) {
            let topic: String = report
                .topic
                .chars()
                .filter(|c| !c.is_control())
                .take(120)
                .collect();
            tracing::warn!(topic, error = %refusal, "report rejected");
        }
    }

    /// Publishes what changed since the last time. An office that changes too often waits for its
    /// turn: for the next publication, or the next tick.
    fn publish(&self) {
        let now = self.clock.now();
        let mut core = self.core();
        let dirty = core.dirty.take();
        let (dirty, waiting) = match dirty {
            None => (None, BTreeSet::new()),
            Some(all) => {
                let told = &mut core.told;
                let (now, later): (_, BTreeSet<_>) =
                    all.into_iter().partition(|o| told.take(o, now.mono));
                (Some(now), later)
            }
        };
        if let Some(office) = waiting.first() {
            self.stats.held_back.inc_by(waiting.len() as u64);
            if core.may_warn("held-back", now.mono) {
                tracing::warn!(%office, "an office reports too often; updates to its viewers are throttled");
            }
        }
        core.dirty = Some(waiting);
        if dirty.as_ref().is_some_and(BTreeSet::is_empty) {
            return;
        }
        let registry = &core.registry;
        let mut ids: Vec<&OfficeId> = registry.offices().collect();
        ids.sort_by_cached_key(|id| {
            self.order
                .iter()
                .position(|o| o == *id)
                .unwrap_or(usize::MAX)
        });
        let offices: Vec<_> = ids
            .into_iter()
            .map(|id| {
                let look = dirty.as_ref().is_none_or(|d| d.contains(id));
                let view = look.then(|| registry.view(id)).flatten();
                (id.clone(), view.map(|v| (self.today(now, &v), v)))
            })
            .collect();
        let before = self.live.current();
        // Without a clock of its own the hub cannot tell what is of today.
        let told = told::changes(&before.offices, &offices).filter(|_| now.synced);
        for (old, new, today) in told {
            for row in told::issued(old, new, today) {
                self.note(Note::Told(row));
            }
        }
        // Under the lock: publications come in the order of the truth.
        self.live.publish(offices);
    }

    fn core(&self) -> std::sync::MutexGuard<'_, Core> {
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn acknowledge(ack: Option<Ack>) {
    if let Some(ack) = ack {
        ack.done();
    }
}
