//! What those who are no HTTP clients see and hear of a hub: the video.

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
    /// All offices now, in the order of the pages, and whether the broker is heard (a reconnection
    /// that takes seconds counts as heard, as on the pages).
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

    /// Calls as they come from now on, some of them twice. Who does not keep up misses the oldest.
    #[must_use]
    pub fn calls(&self) -> Receiver<(OfficeId, CallReport)> {
        self.calls.subscribe()
    }

    /// Tells `to` what [`summary`](Self::summary) says, now and whenever it may have changed, until
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
                // Without an office nothing is published, and the line comes and goes all the same.
                () = tokio::time::sleep(TICK) => {}
                publication = news.recv() => if matches!(publication, Err(RecvError::Closed)) {
                    // A ring is given up when nobody listens; we did, so only the end is left.
                    news = self.live.subscribe(&Scope::All);
                },
            }
        }
    }
}
