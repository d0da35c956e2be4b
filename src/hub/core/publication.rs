//! What viewers get to see, and when: after reports, with the connection to the broker, and as time
//! passes.

use super::hub::{Hub, TICK};
use crate::hub::history::HistoryEvent;
use crate::hub::live::OfficeSnapshot;
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

    /// Sets whether the hub is connected to its broker.
    pub fn set_connected(&self, connected: bool) {
        let now = self.clock.now();
        {
            let mut state = self.state();
            if state.broker_connected != connected {
                self.stats.broker_connections.inc_by(connected.into());
                state.broker_connected = connected;
                state.broker_changed_at = now.mono;
            }
            if connected && state.registry.set_connected(true) {
                state.dirty = None;
            }
        }
        self.publish();
    }

    /// What time alone changes: numbers become old without a connection or a sign of life, and
    /// midnight begins a new day.
    pub fn tick(&self) {
        let now = self.clock.now();
        {
            let mut state = self.state();
            if !state.broker_connected
                && now.since(state.broker_changed_at) > DISCONNECT_GRACE
                && state.registry.set_connected(false)
            {
                state.dirty = None;
            }
            let aged = state.registry.advance(now);
            if let Some(dirty) = state.dirty.as_mut() {
                dirty.extend(aged);
            }
            let current = self.live.current();
            let another_day = |o: &Arc<OfficeSnapshot>| self.today(now, &o.view) != o.today;
            if current.offices.iter().any(another_day) {
                state.dirty = None;
            }
        }
        self.publish();
        self.admit_waiting();
        if now.synced {
            self.maintain_history(now);
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
                    .partition(|o| publications.allow(o, now.mono));
                (Some(now), later)
            }
        };
        if let Some(office) = waiting.first() {
            self.stats.updates_throttled.inc_by(waiting.len() as u64);
            if state.may_warn("updates-throttled", now.mono) {
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
        // Without a clock of its own the hub does not know what is of today.
        let changed = predictions::changed_views(&before.offices, &offices).filter(|_| now.synced);
        for (old, new, today) in changed {
            for row in predictions::predictions(old, new, today) {
                self.record_event(HistoryEvent::Prediction(row));
            }
        }
        // Under the lock: publications come in the order of the changes.
        self.live.publish(offices);
    }
}
