//! What the history says of each office, asked now and then and kept, so that no page waits for
//! the database: how good the ranges were, and what a usual week looks like.

use super::Hub;
use super::history::{Accuracy, Usual};
use crate::model::OfficeId;
use jiff::ToSpan as _;
use jiff::civil::Date;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

/// Days that the accuracy speaks of: four weeks, so that each weekday is in it as often.
pub(crate) const ACCURACY_DAYS: u16 = 28;

/// Days that a usual week is made from: eight of each weekday.
pub(crate) const USUAL_DAYS: u16 = 56;

/// How often the history is asked.
const ANEW_EVERY: Duration = Duration::from_secs(600);

/// While the database is away, and before offices are known, it is tried again after this.
const SOON: Duration = Duration::from_secs(5);

/// What the history says of one office.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    pub(crate) accuracy: Vec<Accuracy>,
    pub(crate) usual: Vec<Usual>,
}

/// The newest figures of each office.
#[derive(Debug, Default)]
pub(super) struct Board(RwLock<HashMap<OfficeId, Arc<Figures>>>);

impl Hub {
    /// What is known of an office; nothing before the history was asked.
    pub(crate) fn figures(&self, office: &OfficeId) -> Arc<Figures> {
        let board = self
            .figures
            .0
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        board.get(office).cloned().unwrap_or_default()
    }

    /// Asks the history of every office; whether it answered for all of them.
    pub async fn refresh_figures(&self) -> bool {
        let offices: Vec<(OfficeId, Date)> = {
            let current = self.live.current();
            let each = current.offices.iter();
            each.map(|o| (o.view.id.clone(), o.today.date)).collect()
        };
        let known: std::collections::HashSet<_> = offices.iter().map(|(id, _)| id).collect();
        {
            let mut board = self
                .figures
                .0
                .write()
                .unwrap_or_else(PoisonError::into_inner);
            board.retain(|id, _| known.contains(id));
        }
        let mut good = !offices.is_empty();
        for (id, today) in &offices {
            let since = |days: u16| today.checked_sub(i64::from(days).days()).unwrap_or(*today);
            let accuracy = self
                .history
                .accuracy(id.as_str(), since(ACCURACY_DAYS))
                .await;
            let usual = self.history.usual(id.as_str(), since(USUAL_DAYS)).await;
            let (Ok(accuracy), Ok(usual)) = (accuracy, usual) else {
                good = false; // the outage itself is logged by the writer
                continue;
            };
            let figures = Arc::new(Figures { accuracy, usual });
            let mut board = self
                .figures
                .0
                .write()
                .unwrap_or_else(PoisonError::into_inner);
            board.insert(id.clone(), figures);
        }
        good
    }

    /// Asks the history now and then until the hub stops.
    pub async fn run_figures(&self) {
        let mut wait = SOON;
        loop {
            tokio::select! {
                () = self.shutdown.cancelled() => return,
                () = tokio::time::sleep(wait) => {}
            }
            let asked = tokio::select! {
                () = self.shutdown.cancelled() => return,
                good = self.refresh_figures() => good,
            };
            wait = if asked { ANEW_EVERY } else { SOON };
        }
    }
}
