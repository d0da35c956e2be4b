//! What viewers get to see, and when: after reports, with the connection to the broker, and as time
//! passes.

use super::hub::{Hub, TICK};
use crate::hub::history::Note;
use crate::hub::live::OfficeSnap;
use crate::hub::predictions;
use crate::model::OfficeId;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// Without a connection to the broker, numbers stop being current after this: a reconnection takes
/// seconds and need not alarm anybody.
const DISCONNECT_GRACE: Duration = Duration::from_secs(15);

impl Hub {
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
            let mut state = self.state();
            if state.broker_connected != up {
                self.stats.lines.inc_by(up.into());
                state.broker_connected = up;
                state.broker_changed_at = now.mono;
            }
            if up && state.registry.set_line(true) {
                state.dirty = None;
            }
        }
        self.publish();
    }

    /// What time alone changes: silent lines and nodes become old numbers, midnight a new day.
    pub fn tick(&self) {
        let now = self.clock.now();
        {
            let mut state = self.state();
            if !state.broker_connected
                && now.since(state.broker_changed_at) > DISCONNECT_GRACE
                && state.registry.set_line(false)
            {
                state.dirty = None;
            }
            let aged = state.registry.advance(now);
            if let Some(dirty) = state.dirty.as_mut() {
                dirty.extend(aged);
            }
            let current = self.live.current();
            let another_day = |o: &Arc<OfficeSnap>| self.today(now, &o.view) != o.today;
            if current.offices.iter().any(another_day) {
                state.dirty = None;
            }
        }
        self.publish();
        self.admit_waiting();
        if now.synced {
            self.remember(now);
        }
    }

    /// Publishes what changed since the last time. An office that changes too often waits for its
    /// turn: for the next publication, or the next tick.
    pub(super) fn publish(&self) {
        let now = self.clock.now();
        let mut state = self.state();
        let dirty = state.dirty.take();
        let (dirty, waiting) = match dirty {
            None => (None, BTreeSet::new()),
            Some(all) => {
                let publications = &mut state.publications;
                let (now, later): (_, BTreeSet<_>) = all
                    .into_iter()
                    .partition(|o| publications.take(o, now.mono));
                (Some(now), later)
            }
        };
        if let Some(office) = waiting.first() {
            self.stats.held_back.inc_by(waiting.len() as u64);
            if state.may_warn("held-back", now.mono) {
                tracing::warn!(%office, "an office reports too often; updates to its viewers are throttled");
            }
        }
        state.dirty = Some(waiting);
        if dirty.as_ref().is_some_and(BTreeSet::is_empty) {
            return;
        }
        let registry = &state.registry;
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
        let told = predictions::changes(&before.offices, &offices).filter(|_| now.synced);
        for (old, new, today) in told {
            for row in predictions::issued(old, new, today) {
                self.note(Note::Told(row));
            }
        }
        // Under the lock: publications come in the order of the truth.
        self.live.publish(offices);
    }
}
