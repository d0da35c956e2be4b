//! What the history says of each office, stored so that no page waits for the database: how good the
//! predicted ranges were, and what a usual week looks like.

use crate::hub::history::{Accuracy, Usual};
use crate::model::OfficeId;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock};

/// Days that the accuracy speaks of: four weeks, so that each weekday is in it as often.
pub(in crate::hub) const ACCURACY_DAYS: u16 = 28;

/// Days that a usual week is made from: eight of each weekday.
pub(in crate::hub) const USUAL_DAYS: u16 = 56;

/// What the history says of one office.
#[derive(Debug, Default)]
pub(in crate::hub) struct Figures {
    pub(in crate::hub) accuracy: Vec<Accuracy>,
    pub(in crate::hub) usual: Vec<Usual>,
}

/// The newest figures of each office.
#[derive(Debug, Default)]
pub(super) struct FiguresByOffice(RwLock<HashMap<OfficeId, Arc<Figures>>>);

impl FiguresByOffice {
    /// The figures of an office; empty ones before the first [`set`](Self::set).
    pub(super) fn get(&self, office: &OfficeId) -> Arc<Figures> {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        all.get(office).cloned().unwrap_or_default()
    }

    /// Replaces the figures of an office.
    pub(super) fn set(&self, office: OfficeId, figures: Figures) {
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        all.insert(office, Arc::new(figures));
    }

    /// Drops the figures of all other offices.
    pub(super) fn retain(&self, offices: &HashSet<&OfficeId>) {
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        all.retain(|id, _| offices.contains(id));
    }
}
