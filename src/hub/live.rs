//! What viewers see, and how they learn that it changed.
//!
//! A [`Snapshot`] never changes; everything rendered or serialised from it is made once, when
//! somebody first asks, and shared by all viewers. Each publication sends a [`Delta`] to every open
//! stream through a bounded ring: a viewer that falls behind it learns so and skips to the newest
//! state (invariant 5). Knows no HTTP and no templates.

use super::content::event::Event;
use super::content::page::{Page, PerLang};
use super::view::OfficeView;
use crate::model::OfficeId;
use bytes::Bytes;
use jiff::civil::Date;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};
use tokio::sync::broadcast;

/// Publications a viewer may be behind before it skips: half a minute of a busy city.
const MAX_BEHIND: usize = 64;

/// The day at an office.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Today {
    pub(crate) date: Date,
    /// Whether the office does not open, as far as the configuration knows.
    pub(crate) closed: bool,
}

/// An office at one moment.
#[derive(Debug)]
pub(crate) struct OfficeSnapshot {
    /// The publication that changed it last.
    pub(crate) version: u64,
    /// The day at the office.
    pub(crate) today: Today,
    pub(crate) view: OfficeView,
    json: OnceLock<Bytes>,
    pub(crate) api: OnceLock<Page>,
    pub(crate) event: OnceLock<Event>,
    pub(crate) card: PerLang<String>,
    pub(crate) page: PerLang<Page>,
    pub(crate) lite: PerLang<Page>,
    pub(crate) fragment: PerLang<Event>,
}

impl OfficeSnapshot {
    fn new(version: u64, today: Today, view: OfficeView) -> Self {
        Self {
            version,
            today,
            view,
            json: OnceLock::new(),
            api: OnceLock::new(),
            event: OnceLock::new(),
            card: PerLang::default(),
            page: PerLang::default(),
            lite: PerLang::default(),
            fragment: PerLang::default(),
        }
    }

    /// Its JSON, on one line.
    pub(crate) fn json(&self) -> &Bytes {
        self.json
            .get_or_init(|| serde_json::to_vec(&self.view).unwrap_or_default().into())
    }
}

/// All offices at one moment, in the order of the pages.
#[derive(Debug)]
pub(crate) struct Snapshot {
    pub(crate) version: u64,
    pub(crate) offices: Vec<Arc<OfficeSnapshot>>,
    pub(crate) api: OnceLock<Page>,
    pub(crate) event: OnceLock<Event>,
    pub(crate) congestion: [OnceLock<Page>; 2],
    /// Normalised and key-values, each as JSON-LD and as JSON.
    pub(crate) ngsi: [OnceLock<Page>; 4],
    pub(crate) procedures: PerLang<Page>,
    /// By procedure and language; only procedures that some office has.
    pub(crate) procedure: Mutex<HashMap<(String, usize), Arc<Page>>>,
    pub(crate) front: PerLang<Page>,
    pub(crate) lite: PerLang<Page>,
    pub(crate) fragment: PerLang<Event>,
}

impl Snapshot {
    fn new(version: u64, offices: Vec<Arc<OfficeSnapshot>>) -> Self {
        Self {
            version,
            offices,
            api: OnceLock::new(),
            event: OnceLock::new(),
            congestion: [OnceLock::new(), OnceLock::new()],
            ngsi: std::array::from_fn(|_| OnceLock::new()),
            procedures: PerLang::default(),
            procedure: Mutex::default(),
            front: PerLang::default(),
            lite: PerLang::default(),
            fragment: PerLang::default(),
        }
    }

    /// The office with this identifier.
    pub(crate) fn office(&self, id: &str) -> Option<&Arc<OfficeSnapshot>> {
        self.offices.iter().find(|o| o.view.id.as_str() == id)
    }
}

/// One publication.
#[derive(Debug)]
pub(crate) struct Delta {
    pub(crate) snapshot: Arc<Snapshot>,
    /// The offices that changed, newest state.
    pub(crate) changed: Vec<Arc<OfficeSnapshot>>,
    /// Offices came or went: the list as a whole is new.
    pub(crate) office_list_changed: bool,
    pub(crate) event: OnceLock<Event>,
    pub(crate) fragment: PerLang<Event>,
}

/// What a stream subscribes to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Scope {
    All,
    Office(OfficeId),
}

/// The open streams.
#[derive(Debug, Default)]
struct Subscribers {
    open: HashMap<Scope, broadcast::Sender<Arc<Delta>>>,
    /// There will be no more publications.
    closed: bool,
}

/// The newest snapshot, and the subscribers to its changes.
#[derive(Debug)]
pub(crate) struct Live {
    /// Drawn at start, so that event ids of an earlier run are recognised as foreign.
    nonce: String,
    current: RwLock<Arc<Snapshot>>,
    /// The publication of `current`, to be looked at without a lock.
    newest: AtomicU64,
    /// A ring for each scope that has viewers. Its lock keeps publications in order too.
    subscribers: Mutex<Subscribers>,
}

impl Live {
    pub(crate) fn new() -> Self {
        Self {
            nonce: format!("{:016x}", fastrand::u64(..)),
            current: RwLock::new(Arc::new(Snapshot::new(0, Vec::new()))),
            newest: AtomicU64::new(0),
            subscribers: Mutex::default(),
        }
    }

    pub(crate) fn current(&self) -> Arc<Snapshot> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether there is a publication after this one.
    pub(crate) fn has_newer_than(&self, version: u64) -> bool {
        self.newest.load(Ordering::Acquire) > version
    }

    /// The id of an event: which run, which publication.
    pub(crate) fn id(&self, version: u64) -> String {
        format!("{}-{version}", self.nonce)
    }

    /// The publication an event id speaks of; `None` when it is of another run or no id at all.
    pub(crate) fn version(&self, id: &str) -> Option<u64> {
        id.strip_prefix(self.nonce.as_str())?
            .strip_prefix('-')?
            .parse()
            .ok()
    }

    /// Subscribes to a scope. To be called before [`Live::current`], so that nothing is missed
    /// between the two.
    pub(crate) fn subscribe(&self, scope: &Scope) -> broadcast::Receiver<Arc<Delta>> {
        let mut subscribers = self
            .subscribers
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if subscribers.closed {
            return broadcast::channel(1).1; // nobody sends: its end is seen at once
        }
        subscribers
            .open
            .entry(scope.clone())
            .or_insert_with(|| broadcast::channel(MAX_BEHIND).0)
            .subscribe()
    }

    /// Ends every stream, and those that are opened later: the hub stops.
    pub(crate) fn close(&self) {
        let mut subscribers = self
            .subscribers
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *subscribers = Subscribers {
            open: HashMap::new(),
            closed: true,
        };
    }

    /// Publishes what offices look like now: all of them in the order of the pages, `None` for
    /// those that did not change. One equal to what is shown is left as it is, and so is one
    /// that is neither known nor given. Whether anything was new.
    pub(crate) fn publish(
        &self,
        offices: impl IntoIterator<Item = (OfficeId, Option<(Today, OfficeView)>)>,
    ) -> bool {
        let mut subscribers = self
            .subscribers
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let before = self.current();
        let version = before.version + 1;
        let known: HashMap<&OfficeId, &Arc<OfficeSnapshot>> =
            before.offices.iter().map(|o| (&o.view.id, o)).collect();
        let mut changed = Vec::new();
        let mut now = Vec::with_capacity(before.offices.len());
        for (id, news) in offices {
            match (known.get(&id), news) {
                (Some(old), None) => now.push(Arc::clone(old)),
                (Some(old), Some((today, view))) if old.view == view && old.today == today => {
                    now.push(Arc::clone(old));
                }
                (_, Some((today, view))) => {
                    let office = Arc::new(OfficeSnapshot::new(version, today, view));
                    changed.push(Arc::clone(&office));
                    now.push(office);
                }
                (None, None) => {}
            }
        }
        let ids = |list: &[Arc<OfficeSnapshot>]| -> Vec<OfficeId> {
            list.iter().map(|o| o.view.id.clone()).collect()
        };
        let office_list_changed = ids(&before.offices) != ids(&now);
        if changed.is_empty() && !office_list_changed {
            return false;
        }
        let snapshot = Arc::new(Snapshot::new(version, now));
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&snapshot);
        self.newest.store(version, Ordering::Release);
        let delta = Arc::new(Delta {
            snapshot,
            changed,
            office_list_changed,
            event: OnceLock::new(),
            fragment: PerLang::default(),
        });
        subscribers.open.retain(|scope, ring| {
            let concerned = match scope {
                Scope::All => true,
                Scope::Office(id) => delta.changed.iter().any(|o| o.view.id == *id),
            };
            // Sending fails only when there is no subscriber any more.
            !concerned && ring.receiver_count() > 0
                || concerned && ring.send(Arc::clone(&delta)).is_ok()
        });
        true
    }
}
