//! Reports and calls on their way into the registry and the history.
//!
//! Calls and numbers come on sessions of their own, so after a restart of the hub, and when an
//! office is new, a call may be here before the numbers of its office. Such calls wait in the
//! database, published nowhere, and move to the others with the office's first numbers: what is no
//! office at all fills no history, and an honest call is not lost.

use super::hub::{BURST, Hub};
use super::state::HubState;
use crate::clock::Now;
use crate::hub::history::{CallRow, HistoryEvent};
use crate::hub::incoming::{Ack, Incoming, kind, office};
use crate::hub::registry::{self, Effect, Rejection};
use crate::model::OfficeId;
use crate::wire::report::CallReport;
use crate::wire::topic::Topic;
use tokio::sync::mpsc;

impl Hub {
    /// Applies reports until the channel ends or the hub stops, and publishes after each burst.
    ///
    /// Waits for the history when too many calls wait for the database. If calls come
    /// on a session of their own, a second `feed` runs for them, so that numbers never wait.
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
                    () = self.apply(report) => {}
                }
            }
            self.publish();
        }
    }

    /// Applies one report without publishing what it changed.
    async fn apply(&self, report: Incoming) {
        let Some(topic) = Topic::parse(&self.root, &report.topic) else {
            self.reject(&report, &Rejection::Topic(report.topic.clone()));
            return acknowledge(report.ack);
        };
        self.stats.message(kind(&topic));
        if let Topic::Calls(office, _) = &topic {
            return self.record_call(office, report).await;
        }
        let now = self.clock.now();
        let (effect, omitted, known) = {
            let registry = &mut self.state().registry;
            let of = office(&topic);
            let before = registry.knows(of);
            let effect = registry.apply(&topic, &report.payload, report.retain, now);
            let known = !before && registry.knows(of);
            (effect, registry.take_omitted(), known)
        };
        if known {
            self.state().to_admit.insert(office(&topic).clone());
            self.admit_waiting();
        }
        match effect {
            Ok(Effect::Changed) => self.mark_dirty(&topic),
            Ok(Effect::Unchanged) => {}
            Err(rejection) => self.reject(&report, &rejection),
        }
        if let Some(rejection) = omitted {
            self.reject(&report, &rejection);
        }
        acknowledge(report.ack);
    }

    fn mark_dirty(&self, topic: &Topic) {
        if let Some(dirty) = self.state().dirty.as_mut() {
            dirty.insert(office(topic).clone());
        }
    }

    fn reject(&self, report: &Incoming, rejection: &Rejection) {
        self.stats.reject(rejection.reason());
        if matches!(rejection, Rejection::Late) {
            return; // the broker sends retained messages after every reconnection
        }
        let now = self.clock.now().mono;
        if self.state().may_warn(rejection.reason(), now) {
            let topic: String = report
                .topic
                .chars()
                .filter(|c| !c.is_control())
                .take(120)
                .collect();
            tracing::warn!(topic, error = %rejection, "report rejected");
        }
    }

    /// Records a call; it is acknowledged when it is on disk, or rejected.
    async fn record_call(&self, office: &OfficeId, report: Incoming) {
        let now = self.clock.now();
        let admitted = registry::decode_call(&report.payload, now, self.retention_days)
            .and_then(|call| Ok((self.admit(office, now)?, call)));
        let (known, call) = match admitted {
            Ok(admitted) => admitted,
            Err(rejection) => {
                self.reject(&report, &rejection);
                return acknowledge(report.ack);
            }
        };
        // A closed history means shutdown: not acknowledged, so sent again.
        let _ = self.write(office, call, known, now, report).await;
    }

    /// Whether an office is known, and a permit for one call.
    fn admit(&self, office: &OfficeId, now: Now) -> Result<bool, Rejection> {
        let HubState {
            registry,
            calls,
            waiting,
            ..
        } = &mut *self.state();
        if registry.knows(office) {
            let permit = calls.allow(office, now.mono);
            permit.then_some(true).ok_or(Rejection::TooManyCalls)
        } else {
            let permit = waiting.allow(office, now.mono);
            permit.then_some(false).ok_or(Rejection::NoNumbers)
        }
    }

    async fn write(
        &self,
        office: &OfficeId,
        call: CallReport,
        known: bool,
        now: Now,
        report: Incoming,
    ) -> Option<()> {
        let row = CallRow::new(office, &call)?;
        if known {
            let _ = self.calls.send((office.clone(), call)); // there may be no subscriber
            let received_at = now.synced.then_some(now.wall);
            let sent = self
                .history
                .record_received(row, received_at, report.ack)
                .await;
            return sent.ok();
        }
        self.stats.calls_deferred.inc();
        let sent = self.history.record_waiting(row, now.wall, report.ack).await;
        // Its numbers may have come meanwhile.
        let mut state = self.state();
        if state.registry.knows(office) {
            state.to_admit.insert(office.clone());
        }
        sent.ok()
    }

    /// Lets the calls of offices that now have numbers into the history; again at the next tick
    /// where the history has no room.
    pub(super) fn admit_waiting(&self) {
        let mut state = self.state();
        while let Some(office) = state.to_admit.pop_first() {
            if !self
                .history
                .try_record(HistoryEvent::Admission(office.clone()))
            {
                state.to_admit.insert(office);
                return;
            }
        }
    }
}

fn acknowledge(ack: Option<Ack>) {
    if let Some(ack) = ack {
        ack.done();
    }
}
