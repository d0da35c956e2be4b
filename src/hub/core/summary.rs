//! What the video shows and announces of all offices.

use super::hub::{Hub, TICK};
use crate::hub::live::Scope;
use crate::hub::registry::ShownPicture;
use crate::hub::view::OfficeView;
use crate::model::OfficeId;
use crate::wire::report::CallReport;
use tokio::sync::broadcast::{Receiver, error::RecvError};

/// An office with the files of its pictures.
#[derive(Debug, Clone)]
pub struct OfficeSummary {
    /// What the pages show of it.
    pub view: OfficeView,
    /// Its pictures, boards before cameras; empty unless asked for.
    pub pictures: Vec<ShownPicture>,
}

impl Hub {
    /// All offices now, in the order of the pages, and whether the hub is connected to its broker
    /// (a reconnection that takes seconds counts as connected, as on the pages).
    #[must_use]
    pub fn summary(&self, pictures: bool) -> (bool, Vec<OfficeSummary>) {
        let state = self.state();
        let registry = &state.registry;
        let current = self.live.current();
        let offices = current.offices.iter().map(|o| OfficeSummary {
            view: o.view.clone(),
            pictures: if pictures {
                registry.pictures(&o.view.id)
            } else {
                Vec::new()
            },
        });
        (registry.is_connected(), offices.collect())
    }

    /// Calls as they come from now on, some of them twice. A receiver that does not keep up misses
    /// the oldest.
    #[must_use]
    pub fn calls(&self) -> Receiver<(OfficeId, CallReport)> {
        self.calls.subscribe()
    }

    /// Calls `to` with the [`summary`](Self::summary), now and whenever it may have changed, until
    /// the hub stops.
    pub async fn watch_summary(
        &self,
        pictures: bool,
        mut to: impl FnMut(bool, Vec<OfficeSummary>),
    ) {
        let mut news = self.live.subscribe(&Scope::All);
        loop {
            let (connected, offices) = self.summary(pictures);
            to(connected, offices);
            tokio::select! {
                () = self.shutdown.cancelled() => return,
                // Without an office nothing is published, but the connection may come and go.
                () = tokio::time::sleep(TICK) => {}
                publication = news.recv() => if matches!(publication, Err(RecvError::Closed)) {
                    // A ring is dropped when it has no subscriber; it had one, so the hub ends.
                    news = self.live.subscribe(&Scope::All);
                },
            }
        }
    }
}
