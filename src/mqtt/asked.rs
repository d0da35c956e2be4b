//! The subscriptions of one connection: what was asked for, and what is to be asked for again.
//!
//! A broker may refuse today what it takes a moment later: a cluster that chooses a new leader, an
//! access list that is being loaded. Without asking again the line would be there, and silent for
//! good.

use super::backoff::Backoff;
use super::filter;
use super::options::Subscription;
use super::wire::Requests;
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::time::Duration;
use tokio::time::Instant;

/// What became of the subscriptions, by their place among the options.
#[derive(Debug)]
pub(super) struct Asked {
    /// To be asked for when `again` comes; all of them before the first time.
    wanted: BTreeSet<usize>,
    /// Requested, not yet seen going out; in order.
    sending: VecDeque<(usize, Instant)>,
    /// Out, not yet answered.
    open: HashMap<u16, (usize, Instant)>,
    again: Instant,
    backoff: Backoff,
    /// Whether a refusal was told, and no answer better than it since.
    told: bool,
}

/// What an answer is worth telling.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Tell {
    /// The first refusal.
    Refused,
    /// Everything that was refused is taken now.
    Taken,
}

impl Asked {
    /// For these subscriptions, with those that are `optional` or without.
    pub(super) fn new(
        subscriptions: &[Subscription],
        optional: bool,
        backoff: (Duration, Duration),
    ) -> Self {
        let places = subscriptions.iter().enumerate();
        let places = places.filter(|(_, s)| optional || !s.optional);
        Self {
            wanted: places.map(|(place, _)| place).collect(),
            sending: VecDeque::new(),
            open: HashMap::new(),
            again: Instant::now(),
            backoff: Backoff::new(backoff),
            told: false,
        }
    }

    /// When something is to be asked for again.
    pub(super) fn due(&self) -> Option<Instant> {
        (!self.wanted.is_empty()).then_some(self.again)
    }

    /// Since when the longest unanswered request waits.
    pub(super) fn oldest(&self) -> Option<Instant> {
        let all = self.sending.iter().chain(self.open.values());
        all.map(|(_, since)| *since).min()
    }

    /// Asks for what is due; what finds no room stays due.
    pub(super) fn ask(&mut self, requests: &Requests, subscriptions: &[Subscription]) {
        let now = Instant::now();
        if self.wanted.is_empty() || now < self.again {
            return;
        }
        self.wanted.retain(|&place| {
            let Some(Subscription { filter, qos, .. }) = subscriptions.get(place) else {
                return false;
            };
            if !filter::is_valid(filter) {
                tracing::warn!("not a topic filter: {filter:?}");
                return false;
            }
            if requests.subscribe(filter, *qos).is_err() {
                return true;
            }
            self.sending.push_back((place, now));
            false
        });
        self.again = now + self.backoff.next(fastrand::f64());
    }

    /// Whether an optional subscription was asked for and not answered.
    pub(super) fn awaits_optional(&self, subscriptions: &[Subscription]) -> bool {
        let optional = |place: usize| subscriptions.get(place).is_some_and(|s| s.optional);
        let mut all = self.sending.iter().chain(self.open.values());
        all.any(|(place, _)| optional(*place))
    }

    /// A request went out with this packet identifier.
    pub(super) fn sent(&mut self, pkid: u16) {
        if let Some(asked) = self.sending.pop_front() {
            self.open.insert(pkid, asked);
        }
    }

    /// The broker answered a request.
    pub(super) fn answered(
        &mut self,
        pkid: u16,
        refused: bool,
        subscriptions: &[Subscription],
    ) -> Option<Tell> {
        let (place, _) = self.open.remove(&pkid)?;
        let optional = subscriptions.get(place).is_some_and(|s| s.optional);
        if refused && !optional {
            if self.wanted.is_empty() {
                self.again = Instant::now() + self.backoff.next(fastrand::f64());
            }
            self.wanted.insert(place);
            return (!std::mem::replace(&mut self.told, true)).then_some(Tell::Refused);
        }
        let all = self.wanted.is_empty() && self.sending.is_empty() && self.open.is_empty();
        (all && std::mem::take(&mut self.told)).then_some(Tell::Taken)
    }
}
