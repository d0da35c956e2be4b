//! Notices that a second machine works under this node's identity: two boxes from one card.
//!
//! Brokers end the older of two sessions with one client id, so two such boxes throw each other out
//! for ever, and each takes it for a bad line. Therefore each run of the program draws an id of its
//! own at its start. (One that is kept would be on both boxes: cards are copied.) On each session it
//! reads which run said so last in the `instance` topic, then says its own, if another one did. What
//! follows from that is decided in [`Instances`].
//!
//! A broker that lets the node write that topic but not read it (access lists of earlier versions)
//! takes nothing from the node: the hub sees both and says so.

use crate::clock::Now;
use crate::health::Instances;
use crate::mqtt::{ConnectionState, Message, Publish, Publisher, Stats};
use crate::store::{SharedIdentity, Store};
use crate::uplink::Identity;
use crate::wire::report::Instance;
use crate::wire::{WireTime, decode};
use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// What a broker keeps comes at once after the subscription; without an answer by then it keeps
/// nothing, or we may not read it.
const KEPT_WITHIN: Duration = Duration::from_secs(1);

/// A second machine that was configured with another client id is not thrown out: both stay, and
/// answer each other after this long, so that both notice within a minute.
const ANSWER_AFTER: Duration = Duration::from_secs(5);

/// The same once it is known: a third of the time after which the other counts as gone.
const ANSWER_AGAIN_AFTER: Duration = Duration::from_secs(30);

/// Watches over the identity of one node.
pub(crate) struct DuplicateWatch {
    topic: String,
    own: Instance,
    instances: Instances,
    publisher: Publisher,
    /// The line of the reports.
    link: watch::Receiver<ConnectionState>,
    /// Of all sessions of this node.
    stats: Vec<Arc<Stats>>,
    taken_over: u64,
    /// The session of the reports that is there, and since when.
    session: Option<(u64, Duration)>,
    /// Whether the broker has our word as the last one, as far as we know.
    said: bool,
    answer_at: Option<Duration>,
    text: String,
    since: Option<WireTime>,
}

impl DuplicateWatch {
    pub(crate) fn new(
        identity: &Identity,
        publisher: Publisher,
        link: watch::Receiver<ConnectionState>,
        stats: Vec<Arc<Stats>>,
    ) -> Self {
        let (office, node) = (&identity.office, &identity.node);
        Self {
            topic: identity.instance_topic(),
            own: Instance { id: draw(), seq: 0 },
            instances: Instances::default(),
            publisher,
            link,
            stats,
            taken_over: 0,
            session: None,
            said: false,
            answer_at: None,
            text: format!(
                "a second machine reports as office {office}, node {node}: they disconnect each \
                 other; switch one off, or give it another node id (and certificate) / 区役所 \
                 {office}・端末 {node} の設定で、もう1台の機器が動いています。一方の電源を切るか、別の端末IDを設定してください"
            ),
            since: None,
        }
    }

    /// Takes a message of our topic; whether it was one.
    pub(crate) fn take(&mut self, message: &Message, now: Now) -> bool {
        if message.topic != self.topic {
            return false;
        }
        self.look(now);
        if message.payload.is_empty() {
            return true; // somebody cleared it
        }
        let Ok(heard) = decode::<Instance>(&message.payload) else {
            tracing::debug!(topic = self.topic, "not an instance");
            return true;
        };
        if heard.id == self.own.id {
            self.said = true;
            return true;
        }
        self.instances.hear(&heard.id, heard.seq, now);
        if message.retain {
            self.say(now);
        } else {
            let pause = if self.instances.is_shared(now) {
                ANSWER_AGAIN_AFTER
            } else {
                ANSWER_AFTER
            };
            let at = now.mono + pause;
            self.answer_at = Some(self.answer_at.map_or(at, |due| due.min(at)));
        }
        true
    }

    /// Checks the connections, and publishes this run's identifier where that is due.
    pub(crate) fn look(&mut self, now: Now) {
        let taken_over = self.stats.iter().map(|s| s.view().taken_over).sum();
        if taken_over > self.taken_over {
            self.taken_over = taken_over;
            self.instances.taken_over(now);
        }
        let session = match &*self.link.borrow() {
            ConnectionState::Connected { session, .. } => Some(*session),
            ConnectionState::Disconnected { .. } => None,
        };
        if session != self.session.map(|(session, _)| session) {
            self.session = session.map(|session| (session, now.mono));
            self.said = false;
            self.answer_at = None;
        }
        let Some((_, since)) = self.session else {
            return;
        };
        let unheard = !self.said && now.since(since) >= KEPT_WITHIN;
        if unheard || self.answer_at.is_some_and(|at| at <= now.mono) {
            self.say(now);
        }
    }

    fn say(&mut self, now: Now) {
        let next = Instance {
            seq: self.own.seq + 1,
            ..self.own.clone()
        };
        let Ok(json) = serde_json::to_vec(&next) else {
            return;
        };
        // Not as the newest value of the topic: that is said again on a new session, before what
        // another machine said is read. What is lost with the line is said on the next one anyway.
        let message = Publish::retained(self.topic.as_str(), json);
        if self.publisher.try_enqueue(message).is_ok() {
            self.instances.hear(&next.id, next.seq, now);
            self.own = next;
            self.said = true;
            self.answer_at = None;
        }
    }

    /// What is wrong with the identity, if anything is.
    pub(crate) fn wrong(&self, now: Now) -> Option<&str> {
        self.instances.is_shared(now).then_some(self.text.as_str())
    }

    /// What `yobiban doctor` should find: `Some` only when it changed.
    pub(crate) fn news(&mut self, at: WireTime, now: Now) -> Option<Option<SharedIdentity>> {
        let shared = self.instances.is_shared(now);
        if shared == self.since.is_some() {
            return None;
        }
        self.since = shared.then_some(at);
        Some(shared.then(|| SharedIdentity {
            since: at.to_string(),
            text: self.text.clone(),
            pid: std::process::id(),
        }))
    }
}

/// Writes the change for `yobiban doctor`. A failing storage raises an issue when the state is saved.
pub(crate) fn note(store: Option<&Store>, noted: Option<SharedIdentity>) {
    let Some(store) = store.cloned() else { return };
    tokio::task::spawn_blocking(move || {
        if let Err(error) = store.note_identity(noted.as_ref()) {
            tracing::debug!("{error}");
        }
    });
}

/// An id that no other run has: 128 bits of the system's randomness, which also differs between
/// boxes that start from copies of one card.
fn draw() -> String {
    let random = RandomState::new(); // its keys come from the system
    format!("{:016x}{:016x}", random.hash_one(0), random.hash_one(1))
}

#[cfg(test)]
#[path = "duplicate_tests.rs"]
mod tests;
