//! Calls on their way into the history.
//!
//! Calls and numbers come on sessions of their own, so after a restart of the hub, and when an
//! office is new, a call may be here before the numbers of its office. Such calls wait in the
//! database, published nowhere, and move to the others with the office's first numbers: what is no
//! office at all fills no history, and an honest call is not lost.

use super::history::{CallRow, Note};
use super::incoming::Incoming;
use super::locked::Core;
use super::registry::{self, Refusal};
use super::{Hub, acknowledge};
use crate::clock::Now;
use crate::model::OfficeId;
use crate::wire::report::CallReport;
use std::time::Duration;

/// Calls of one office: the spools of two nodes after a long outage, then this many a second at
/// most, ten times a busy office. More would fill the database for all others.
pub(super) const CALLS: (u32, u32) = (200_000, 2);

/// Calls of one office that wait for its numbers: some hours of a busy office, and the same pace.
pub(super) const WAITING: (u32, u32) = (5_000, 2);

/// Calls that wait for numbers go after this: a node sends its numbers as soon as it has a line.
pub(super) const WAIT_AT_MOST: Duration = Duration::from_secs(24 * 3600);

impl Hub {
    /// Takes a call; it is acknowledged when it is on disk, or refused.
    pub(super) async fn take_call(&self, office: &OfficeId, report: Incoming) {
        let now = self.clock.now();
        let admitted = registry::decode_call(&report.payload, now, self.retention_days)
            .and_then(|call| Ok((self.admit(office, now)?, call)));
        let (known, call) = match admitted {
            Ok(admitted) => admitted,
            Err(refusal) => {
                self.refuse(&report, &refusal);
                return acknowledge(report.ack);
            }
        };
        // A closed history means shutdown: not acknowledged, so sent again.
        let _ = self.write(office, call, known, now, report).await;
    }

    /// Whether an office is known, and a permit for one call.
    fn admit(&self, office: &OfficeId, now: Now) -> Result<bool, Refusal> {
        let Core {
            registry,
            calls,
            waiting,
            ..
        } = &mut *self.core();
        if registry.knows(office) {
            let permit = calls.take(office, now.mono);
            permit.then_some(true).ok_or(Refusal::TooManyCalls)
        } else {
            let permit = waiting.take(office, now.mono);
            permit.then_some(false).ok_or(Refusal::NoNumbers)
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
            let _ = self.calls.send((office.clone(), call)); // if anybody listens
            let heard = now.synced.then_some(now.wall);
            let sent = self.history.record_heard(row, heard, report.ack).await;
            return sent.ok();
        }
        self.stats.calls_waited.inc();
        let sent = self.history.record_waiting(row, now.wall, report.ack).await;
        // Its numbers may have come meanwhile.
        let mut core = self.core();
        if core.registry.knows(office) {
            core.to_admit.insert(office.clone());
        }
        sent.ok()
    }

    /// Lets the calls of offices that now have numbers into the history; again at the next tick
    /// where the history has no room.
    pub(super) fn admit_waiting(&self) {
        let mut core = self.core();
        while let Some(office) = core.to_admit.pop_first() {
            if !self.history.note(Note::Admit(office.clone())) {
                core.to_admit.insert(office);
                return;
            }
        }
    }
}
