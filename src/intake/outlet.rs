//! What a kind of source gives out: payloads to a channel, its condition to those who look after it.

use super::{Arrival, Detail};
use crate::clock::{Clock, Now};
use crate::source::Seen;
use bytes::Bytes;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

/// A source that fails again and again is logged once in this time.
const LOG_EVERY: Duration = Duration::from_mins(10);

/// How a source cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// Nothing answers there, or it rejects the request.
    Unreachable,
    /// It is there, but what it gives is not what was expected.
    Unreadable,
    /// It is connected, and sent nothing for too long.
    Silent,
}

/// Why a source cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// How.
    pub kind: FaultKind,
    /// Where, what and what was expected, for people; nothing that was found in a payload.
    pub text: String,
}

impl Fault {
    pub(super) fn unreachable(text: impl Into<String>) -> Self {
        Self {
            kind: FaultKind::Unreachable,
            text: text.into(),
        }
    }

    pub(super) fn unreadable(text: impl Into<String>) -> Self {
        Self {
            kind: FaultKind::Unreadable,
            text: text.into(),
        }
    }

    pub(super) fn silent(text: impl Into<String>) -> Self {
        Self {
            kind: FaultKind::Silent,
            text: text.into(),
        }
    }

    /// The same fault of a place.
    pub(super) fn at(mut self, place: &str) -> Self {
        self.text = format!("{place}: {}", self.text);
        self
    }
}

/// Whether a source can be used.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum State {
    /// Not known yet.
    #[default]
    Starting,
    /// It answers as expected.
    Reachable,
    /// It does not.
    Failing(Fault),
}

/// The condition of a source.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Condition {
    /// Whether it can be used.
    pub state: State,
    /// When that began.
    pub since: Option<Now>,
    /// When it was last in contact: it answered as expected, also with what was seen before.
    pub last_contact: Option<Now>,
    /// When something new last came.
    pub last_arrival: Option<Now>,
}

impl Condition {
    /// How long nothing new has come; `None` before the first.
    #[must_use]
    pub fn silent_for(&self, now: Now) -> Option<Duration> {
        self.last_arrival.map(|last| now.since(last.mono))
    }
}

/// Where a kind puts what it brings.
pub struct Outlet {
    name: String,
    arrivals: mpsc::Sender<Arrival>,
    condition: watch::Sender<Condition>,
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
    /// When a fault was last logged, and whether its end has been.
    logged: Option<Duration>,
    recovery_due: bool,
}

impl Outlet {
    /// Makes an outlet of the source that logs call `name`. Its kind ends with `stop`.
    #[must_use]
    pub fn new(
        name: &str,
        arrivals: mpsc::Sender<Arrival>,
        condition: watch::Sender<Condition>,
        clock: Arc<dyn Clock>,
        stop: CancellationToken,
    ) -> Self {
        Self {
            name: name.to_owned(),
            arrivals,
            condition,
            clock,
            stop,
            logged: None,
            recovery_due: false,
        }
    }

    pub(super) fn now(&self) -> Now {
        self.clock.now()
    }

    /// The token that ends the kind.
    pub(super) fn stop(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Hands a payload on, and waits while the channel is full; `false` when the kind must end.
    pub(super) async fn hand_over(&mut self, payload: Bytes, seen: Seen, detail: Detail) -> bool {
        let now = self.now();
        self.contact();
        self.condition.send_modify(|c| c.last_arrival = Some(now));
        let arrival = Arrival {
            payload,
            received: now,
            seen,
            detail,
        };
        tokio::select! {
            sent = self.arrivals.send(arrival) => sent.is_ok(),
            () = self.stop.cancelled() => false,
        }
    }

    /// Notes that the source answers as expected.
    pub(super) fn contact(&mut self) {
        let now = self.now();
        self.condition.send_modify(|c| {
            c.last_contact = Some(now);
            if c.state != State::Reachable {
                c.state = State::Reachable;
                c.since = Some(now);
            }
        });
        if self.recovery_due {
            self.recovery_due = false;
            tracing::info!("source {}: reachable again", self.name);
        }
    }

    /// Notes that it does not.
    pub(super) fn fault(&mut self, fault: Fault) {
        let now = self.now();
        let due = self.logged.is_none_or(|last| now.since(last) >= LOG_EVERY);
        let was_failing = matches!(self.condition.borrow().state, State::Failing(_));
        if due && !was_failing {
            self.logged = Some(now.mono);
            self.recovery_due = true;
            tracing::warn!("source {}: {}", self.name, fault.text);
        } else {
            tracing::debug!("source {}: {}", self.name, fault.text);
        }
        let state = State::Failing(fault);
        self.condition.send_if_modified(|c| {
            let kind = |s: &State| match s {
                State::Failing(f) => Some(f.kind),
                _ => None,
            };
            if c.state == state {
                return false;
            }
            if kind(&c.state) != kind(&state) {
                c.since = Some(now);
            }
            c.state = state;
            true
        });
    }

    /// Waits; `false` when the kind must end.
    pub(super) async fn pause(&self, time: Duration) -> bool {
        tokio::select! {
            () = tokio::time::sleep(time) => !self.arrivals.is_closed(),
            () = self.stop.cancelled() => false,
            () = self.arrivals.closed() => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::test_outlet::TestOutlet;
    use super::*;

    #[tokio::test]
    async fn a_condition_says_since_when_and_what_came_last() {
        let (mut outlet, test) = TestOutlet::new();
        assert_eq!(test.condition(), Condition::default());
        let fault = |text: &str| Fault::unreachable(text);
        outlet.fault(fault("a"));
        let begin = test.clock.now();
        test.clock.advance(Duration::from_secs(5));
        outlet.fault(fault("b"));
        let condition = test.condition();
        assert_eq!(condition.state, State::Failing(fault("b")));
        assert_eq!(
            condition.since,
            Some(begin),
            "another reason, the same outage"
        );
        outlet.fault(Fault::silent("b"));
        assert_eq!(test.condition().since, Some(test.clock.now()));

        test.clock.advance(Duration::from_secs(5));
        outlet.contact();
        let condition = test.condition();
        assert_eq!(
            (condition.state, condition.last_arrival),
            (State::Reachable, None)
        );
        let detail = Detail::Document { media_type: None };
        assert!(outlet.hand_over(Bytes::new(), Seen::Live, detail).await);
        test.clock.advance(Duration::from_secs(7));
        outlet.contact();
        let condition = test.condition();
        let silent = condition.silent_for(test.clock.now());
        assert_eq!(
            silent,
            Some(Duration::from_secs(7)),
            "seen again is not new"
        );
        assert_eq!(condition.last_contact, Some(test.clock.now()));
    }

    #[tokio::test]
    async fn a_full_channel_makes_a_kind_wait_until_it_is_stopped() {
        let (mut outlet, test) = TestOutlet::with_room(1);
        let detail = || Detail::Document { media_type: None };
        assert!(outlet.hand_over(Bytes::new(), Seen::Live, detail()).await);
        let waiting =
            tokio::spawn(async move { outlet.hand_over(Bytes::new(), Seen::Live, detail()).await });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        test.stop.cancel();
        assert!(!waiting.await.expect("it ends"));
    }
}
