//! The other end of an outlet, for tests.

use super::{Arrival, Condition, Fault, Outlet, State};
use crate::clock::{ManualClock, Now};
use crate::patience::{PATIENCE, eventually};
use std::sync::Arc;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::{CancellationToken, DropGuard};

/// Takes what a kind brings. Dropping it ends the kind.
pub(super) struct TestOutlet {
    pub(super) arrivals: mpsc::Receiver<Arrival>,
    condition: watch::Receiver<Condition>,
    pub(super) clock: ManualClock,
    pub(super) stop: CancellationToken,
    _guard: DropGuard,
}

impl TestOutlet {
    pub(super) fn new() -> (Outlet, Self) {
        Self::with_room(16)
    }

    pub(super) fn with_room(room: usize) -> (Outlet, Self) {
        let (to, arrivals) = mpsc::channel(room);
        let (publish, condition) = watch::channel(Condition::default());
        let wall = "2026-11-24T00:00:00Z".parse().expect("a time");
        let clock = ManualClock::new(Now::at(wall));
        let stop = CancellationToken::new();
        let outlet = Outlet::new("test", to, publish, Arc::new(clock.clone()), stop.clone());
        let test = Self {
            arrivals,
            condition,
            clock,
            _guard: stop.clone().drop_guard(),
            stop,
        };
        (outlet, test)
    }

    pub(super) fn condition(&self) -> Condition {
        self.condition.borrow().clone()
    }

    /// The next payload.
    pub(super) async fn next(&mut self) -> Arrival {
        let next = tokio::time::timeout(PATIENCE, self.arrivals.recv()).await;
        next.expect("a payload in time").expect("a payload")
    }

    /// The next payload as text.
    pub(super) async fn text(&mut self) -> String {
        String::from_utf8(self.next().await.payload.to_vec()).expect("UTF-8")
    }

    /// The fault, once there is one.
    pub(super) async fn fault(&self) -> Fault {
        let fault = || match self.condition().state {
            State::Failing(fault) => Some(fault),
            _ => None,
        };
        eventually(PATIENCE, "a fault", fault).await
    }

    /// Waits for a state of the condition.
    pub(super) async fn wait(&self, what: &str, is_it: impl Fn(&Condition) -> bool) {
        eventually(PATIENCE, what, || is_it(&self.condition())).await;
    }
}
