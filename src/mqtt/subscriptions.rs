//! The subscriptions of one connection: which were requested, and which are to be retried.
//!
//! A broker may reject now what it accepts a moment later: a cluster that chooses a new leader, an
//! access list that is being loaded. Without a retry there would be a connection that receives nothing.

use super::client::Commands;
use super::options::Subscription;
use crate::backoff::{Backoff, Jitter};
use crate::topic_filter;
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::time::Duration;
use tokio::time::Instant;

/// The state of the subscriptions, by their index in the options.
#[derive(Debug)]
pub(super) struct PendingSubscriptions {
    /// To be requested at `retry_at`; all of them before the first time.
    wanted: BTreeSet<usize>,
    /// Queued in the event loop, not yet sent; in order.
    sending: VecDeque<(usize, Instant)>,
    /// Sent, not yet answered, by packet identifier.
    unanswered: HashMap<u16, (usize, Instant)>,
    retry_at: Instant,
    backoff: Backoff,
    /// Whether a rejection was logged and not all were accepted since.
    rejection_logged: bool,
}

/// A change that is logged.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum SubscriptionChange {
    Rejected,
    /// Everything that was rejected is accepted now.
    Accepted,
}

impl PendingSubscriptions {
    /// For these subscriptions, with those that are `optional` or without.
    pub(super) fn new(
        subscriptions: &[Subscription],
        optional: bool,
        backoff: (Duration, Duration),
    ) -> Self {
        let indices = subscriptions.iter().enumerate();
        let indices = indices.filter(|(_, s)| optional || !s.optional);
        Self {
            wanted: indices.map(|(index, _)| index).collect(),
            sending: VecDeque::new(),
            unanswered: HashMap::new(),
            retry_at: Instant::now(),
            backoff: Backoff::new(backoff, Jitter::Full),
            rejection_logged: false,
        }
    }

    /// When the next request is due.
    pub(super) fn due(&self) -> Option<Instant> {
        (!self.wanted.is_empty()).then_some(self.retry_at)
    }

    /// When the oldest unanswered request was made.
    pub(super) fn oldest_request(&self) -> Option<Instant> {
        let all = self.sending.iter().chain(self.unanswered.values());
        all.map(|(_, since)| *since).min()
    }

    /// Requests what is due; what finds no room stays due.
    pub(super) fn request(&mut self, commands: &Commands, subscriptions: &[Subscription]) {
        let now = Instant::now();
        if self.wanted.is_empty() || now < self.retry_at {
            return;
        }
        self.wanted.retain(|&index| {
            let Some(Subscription { filter, qos, .. }) = subscriptions.get(index) else {
                return false;
            };
            if !topic_filter::is_valid(filter) {
                tracing::warn!("not a topic filter: {filter:?}");
                return false;
            }
            if commands.subscribe(filter, *qos).is_err() {
                return true;
            }
            self.sending.push_back((index, now));
            false
        });
        self.retry_at = now + self.backoff.next(fastrand::f64());
    }

    /// Whether an optional subscription was requested and not answered.
    pub(super) fn awaits_optional(&self, subscriptions: &[Subscription]) -> bool {
        let optional = |index: usize| subscriptions.get(index).is_some_and(|s| s.optional);
        let mut all = self.sending.iter().chain(self.unanswered.values());
        all.any(|(index, _)| optional(*index))
    }

    /// A request was sent with this packet identifier.
    pub(super) fn on_sent(&mut self, pkid: u16) {
        if let Some(request) = self.sending.pop_front() {
            self.unanswered.insert(pkid, request);
        }
    }

    /// The broker answered a request.
    pub(super) fn on_answer(
        &mut self,
        pkid: u16,
        rejected: bool,
        subscriptions: &[Subscription],
    ) -> Option<SubscriptionChange> {
        let (index, _) = self.unanswered.remove(&pkid)?;
        let optional = subscriptions.get(index).is_some_and(|s| s.optional);
        if rejected && !optional {
            if self.wanted.is_empty() {
                self.retry_at = Instant::now() + self.backoff.next(fastrand::f64());
            }
            self.wanted.insert(index);
            return (!std::mem::replace(&mut self.rejection_logged, true))
                .then_some(SubscriptionChange::Rejected);
        }
        let all = self.wanted.is_empty() && self.sending.is_empty() && self.unanswered.is_empty();
        (all && std::mem::take(&mut self.rejection_logged)).then_some(SubscriptionChange::Accepted)
    }
}
