//! The hub without its rims.

use super::figures::FiguresByOffice;
use super::state::HubState;
use crate::clock::Clock;
use crate::config::{HubConfig, PagesConfig, StreamTarget, WebConfig};
use crate::hub::history::{CallRow, History, HistoryError, Writer};
use crate::hub::live::{Live, OfficeSnapshot};
use crate::hub::metrics::Names;
use crate::hub::speech::Speaker;
use crate::hub::stats::Stats;
use crate::model::{Name, OfficeId, QueueId};
use crate::wire::report::CallReport;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;

/// Reports applied before one publication at most: viewers get one update for a burst, but soon.
pub(super) const BURST: usize = 256;

/// How often the clock is looked at: for nodes that went silent, and a new day.
pub(super) const TICK: Duration = Duration::from_secs(1);

/// A page waits this long for the history to say whether a ticket was called; then it does without.
const CALL_WITHIN: Duration = Duration::from_secs(2);

/// Registry, history and viewers of all offices. Shared by the intake, the pages and the clock.
pub struct Hub {
    pub(super) root: String,
    /// The offices of the configuration, in the order of the pages.
    pub(in crate::hub) order: Vec<OfficeId>,
    pub(in crate::hub) title: Name,
    pub(in crate::hub) pages: PagesConfig,
    /// Headers of every answer, and the token of the page of all nodes.
    pub(in crate::hub) web: WebConfig,
    /// The folder of the HLS files, if there is such a stream.
    pub(in crate::hub) video: Option<PathBuf>,
    speaker: OnceLock<Speaker>,
    /// Calls as they come; there may be no subscriber.
    pub(super) calls: broadcast::Sender<(OfficeId, CallReport)>,
    pub(in crate::hub) clock: Box<dyn Clock>,
    pub(super) shutdown: CancellationToken,
    pub(in crate::hub) stats: Arc<Stats>,
    /// Texts of nodes that became labels of metrics so far.
    pub(in crate::hub) metric_names: Mutex<Names>,
    pub(in crate::hub) history: History,
    /// How long times are stored, in days.
    pub(super) retention_days: u16,
    pub(super) figures: FiguresByOffice,
    pub(in crate::hub) live: Live,
    /// Guards the state and the order of publications; never held across an await.
    state: Mutex<HubState>,
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
        let started = clock.now().mono;
        let hub = Arc::new(Self {
            root: config.mqtt.root.clone(),
            order: config.order.clone(),
            title: config.title.clone(),
            pages: config.pages.clone(),
            web: config.web.clone(),
            video: config.streams.iter().find_map(|s| match &s.video.target {
                StreamTarget::Hls { dir } => Some(dir.clone()),
                _ => None,
            }),
            speaker: OnceLock::new(),
            calls: broadcast::Sender::new(BURST),
            clock: Box::new(clock),
            shutdown,
            stats,
            metric_names: Mutex::default(),
            history,
            retention_days: config.retention_days,
            figures: FiguresByOffice::default(),
            live: Live::new(),
            state: Mutex::new(HubState::new(started)),
        });
        Ok((hub, writer))
    }

    /// Whether the database takes calls and the hub is connected to its broker.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.history.is_usable() && self.state().broker_connected
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

    /// Lets viewers hear how tickets are called; the first speaker stays.
    pub fn speak_with(&self, speaker: Speaker) {
        let _ = self.speaker.set(speaker);
    }

    pub(in crate::hub) fn speaker(&self) -> Option<&Speaker> {
        self.speaker.get()
    }

    /// The newest call of a ticket today, if the history has one and answers in time.
    pub(in crate::hub) async fn newest_call(
        &self,
        office: &OfficeSnapshot,
        queue: &QueueId,
        ticket: &str,
    ) -> Option<CallRow> {
        let call = self
            .history
            .newest_call(&office.view.id, queue, office.today.date, ticket);
        match tokio::time::timeout(CALL_WITHIN, call).await {
            Ok(Ok(call)) => call,
            // The lists alone still answer most people; the outage itself is logged by the writer.
            Ok(Err(_)) | Err(_) => None,
        }
    }

    pub(in crate::hub) fn state(&self) -> MutexGuard<'_, HubState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
