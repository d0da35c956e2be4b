//! Publishes on their way to the connection.
//!
//! Two ways out. The *queue* holds what must each be sent: bounded, in order, answered one by one.
//! The *latest* hold what only counts when newest, one value a topic: storing never waits, a value
//! that was not sent yet is replaced in its order, and a topic has one publish under way at most,
//! so that a slow broker sees fewer values rather than older ones.

use super::stats::{Stats, add};
use bytes::Bytes;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, mpsc, oneshot};

/// Publishes that may be unconfirmed at one moment. Enough to keep a connection of 100 ms busy with 300
/// calls a second; few enough to lose little with the connection.
pub const WINDOW: usize = 32;

/// Topics that may hold a newest value: 64 boards and cameras and some of their own. More are a
/// mistake of the caller, refused and counted.
const MAX_LATEST: usize = 256;

/// What the broker promises of a publish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Qos {
    /// Sent once, perhaps lost.
    AtMostOnce,
    /// Acknowledged, perhaps duplicated.
    AtLeastOnce,
}

/// One message to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publish {
    /// Full topic name, without wildcards.
    pub topic: Arc<str>,
    pub payload: Bytes,
    /// Whether the broker keeps it for later subscribers.
    pub retain: bool,
    /// What the broker promises.
    pub qos: Qos,
}

impl Publish {
    /// QoS 1, not retained.
    pub fn new(topic: impl Into<Arc<str>>, payload: impl Into<Bytes>) -> Self {
        Self {
            topic: topic.into(),
            payload: payload.into(),
            retain: false,
            qos: Qos::AtLeastOnce,
        }
    }

    /// QoS 1, retained.
    pub fn retained(topic: impl Into<Arc<str>>, payload: impl Into<Bytes>) -> Self {
        Self {
            retain: true,
            ..Self::new(topic, payload)
        }
    }

    /// Upper bound of its packet in bytes: MQTT's headers take 5 + 2 + 2 + 1 at most.
    pub(super) fn packet_size(&self) -> usize {
        self.topic.len() + self.payload.len() + 10
    }
}

/// Why a publish did not reach the broker, or is not known to have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PublishError {
    /// The queue is full.
    #[error("the send queue to the broker is full")]
    Full,
    /// The connection was lost before the broker acknowledged: it may have arrived or not.
    #[error("the connection was lost before the broker acknowledged the message")]
    Lost,
    /// The broker rejects it for good.
    #[error("the broker rejected the message: {0}")]
    Rejected(String),
    /// Larger than the broker accepts, or an invalid topic.
    #[error(
        "a message of {0} bytes is larger than the broker accepts (in Mosquitto: \
         `max_packet_size`), or its topic is invalid"
    )]
    Unacceptable(usize),
    /// The session has ended.
    #[error("the session has ended")]
    Closed,
}

/// The answer to a queued publish, still to come.
#[derive(Debug)]
pub struct Confirmation(oneshot::Receiver<Result<bool, PublishError>>);

impl Confirmation {
    /// Waits until the broker has confirmed (QoS 0: until it went out).
    ///
    /// # Errors
    /// [`PublishError::Lost`], [`PublishError::Rejected`], [`PublishError::Unacceptable`] or
    /// [`PublishError::Closed`].
    pub async fn wait(self) -> Result<(), PublishError> {
        self.has_subscribers().await.map(drop)
    }

    /// Waits like [`wait`](Self::wait), and returns whether anybody has subscribed to the topic.
    /// Only brokers of MQTT 5 say when nobody has, and not all of them.
    ///
    /// # Errors
    /// As [`wait`](Self::wait).
    pub async fn has_subscribers(self) -> Result<bool, PublishError> {
        self.0.await.unwrap_or(Err(PublishError::Closed))
    }
}

/// The way to the broker for anybody; cheap to clone.
#[derive(Clone)]
pub struct Publisher {
    queue: mpsc::Sender<QueuedPublish>,
    outbox: Arc<Outbox>,
}

impl std::fmt::Debug for Publisher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Publisher")
            .field("room", &self.queue.capacity())
            .finish()
    }
}

impl Publisher {
    /// Stores the newest value of a topic, to be published retained with QoS 1 as soon as the
    /// connection allows, and again on every new session. Never waits; a value not sent yet is replaced.
    pub fn publish_latest(&self, topic: &str, payload: impl Into<Bytes>) {
        let mut latest = self.outbox.latest();
        if !latest.store(topic, payload.into(), &self.outbox.stats) {
            add(&self.outbox.stats.dropped, 1);
            return;
        }
        drop(latest);
        self.outbox.wake.notify_one();
    }

    /// Takes a place in the queue at once.
    ///
    /// # Errors
    /// [`PublishError::Full`] (counted) or [`PublishError::Closed`].
    pub fn try_enqueue(&self, publish: Publish) -> Result<Confirmation, PublishError> {
        let (done, confirmation) = oneshot::channel();
        self.queue
            .try_send(QueuedPublish { publish, done })
            .map_err(|e| match e {
                mpsc::error::TrySendError::Full(_) => {
                    add(&self.outbox.stats.dropped, 1);
                    PublishError::Full
                }
                mpsc::error::TrySendError::Closed(_) => PublishError::Closed,
            })?;
        Ok(Confirmation(confirmation))
    }

    /// Waits for a place in the queue. Publishes are sent in the order of their places.
    ///
    /// # Errors
    /// [`PublishError::Closed`].
    pub async fn enqueue(&self, publish: Publish) -> Result<Confirmation, PublishError> {
        let (done, confirmation) = oneshot::channel();
        self.queue
            .send(QueuedPublish { publish, done })
            .await
            .map_err(|_| PublishError::Closed)?;
        Ok(Confirmation(confirmation))
    }

    /// Waits for a order, then for the broker's confirmation.
    ///
    /// # Errors
    /// Those of [`enqueue`](Self::enqueue) and [`Confirmation::wait`].
    pub async fn publish(&self, publish: Publish) -> Result<(), PublishError> {
        self.enqueue(publish).await?.wait().await
    }
}

/// A queued publish and who waits for its answer.
#[derive(Debug)]
pub(super) struct QueuedPublish {
    pub(super) publish: Publish,
    pub(super) done: oneshot::Sender<Result<bool, PublishError>>,
}

/// What publishers and the session share.
#[derive(Debug)]
pub(super) struct Outbox {
    /// Guards only maps; held for a look-up, never while waiting.
    latest: Mutex<LatestValues>,
    pub(super) wake: Notify,
    stats: Arc<Stats>,
}

impl Outbox {
    pub(super) fn new(
        room: usize,
        stats: Arc<Stats>,
    ) -> (Publisher, Arc<Self>, mpsc::Receiver<QueuedPublish>) {
        let (queue, jobs) = mpsc::channel(room.max(1));
        let outbox = Arc::new(Self {
            latest: Mutex::default(),
            wake: Notify::new(),
            stats,
        });
        let publisher = Publisher {
            queue,
            outbox: Arc::clone(&outbox),
        };
        (publisher, outbox, jobs)
    }

    pub(super) fn latest(&self) -> MutexGuard<'_, LatestValues> {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The newest value of each topic.
#[derive(Debug, Default)]
pub(super) struct LatestValues {
    by_topic: HashMap<Arc<str>, LatestValue>,
    /// Topics with something to send, in the order in which they got it.
    due: BTreeMap<u64, Arc<str>>,
    /// Counts every place in the order.
    last_order: u64,
}

#[derive(Debug)]
struct LatestValue {
    payload: Bytes,
    /// Place in `due`, or the one it last had.
    order: u64,
    due: bool,
    /// A publish of this topic is not confirmed yet; what is stored meanwhile waits for it.
    in_flight: bool,
}

impl LatestValues {
    fn store(&mut self, topic: &str, payload: Bytes, stats: &Stats) -> bool {
        if let Some(value) = self.by_topic.get_mut(topic) {
            value.payload = payload;
            if value.due {
                add(&stats.replaced, 1);
                return true;
            }
        } else if self.by_topic.len() >= MAX_LATEST {
            return false;
        } else {
            let value = LatestValue {
                payload,
                order: 0,
                due: false,
                in_flight: false,
            };
            self.by_topic.insert(Arc::from(topic), value);
        }
        self.last_order += 1;
        let order = self.last_order;
        if let Some((topic, _)) = self.by_topic.get_key_value(topic) {
            let topic = Arc::clone(topic);
            self.due.insert(order, Arc::clone(&topic));
            if let Some(value) = self.by_topic.get_mut(&topic) {
                (value.order, value.due) = (order, true);
            }
        }
        true
    }

    /// Takes the value that is due longest and has none under way.
    pub(super) fn take(&mut self) -> Option<Publish> {
        let ready = |topic: &Arc<str>| self.by_topic.get(topic).is_some_and(|s| !s.in_flight);
        let order = self.due.iter().find(|(_, t)| ready(t)).map(|(&p, _)| p)?;
        let topic = self.due.remove(&order)?;
        let value = self.by_topic.get_mut(&topic)?;
        (value.due, value.in_flight) = (false, true);
        Some(Publish::retained(topic, value.payload.clone()))
    }

    /// Notes that the publish under way has been answered.
    pub(super) fn on_answer(&mut self, topic: &str) {
        if let Some(value) = self.by_topic.get_mut(topic) {
            value.in_flight = false;
        }
    }

    /// Makes every value due again, in the order they last were.
    pub(super) fn resend_all(&mut self) {
        self.due.clear();
        for (topic, value) in &mut self.by_topic {
            (value.due, value.in_flight) = (true, false);
            self.due.insert(value.order, Arc::clone(topic));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(latest: &mut LatestValues) -> Option<(String, String)> {
        let publish = latest.take()?;
        let text = String::from_utf8(publish.payload.to_vec()).unwrap();
        Some((publish.topic.to_string(), text))
    }

    fn pair(topic: &str, text: &str) -> Option<(String, String)> {
        Some((topic.to_owned(), text.to_owned()))
    }

    #[test]
    fn only_the_newest_value_of_a_topic_is_sent_in_its_place() {
        let (stats, mut latest) = (Stats::default(), LatestValues::default());
        for (topic, text) in [
            ("picture", "1"),
            ("numbers", "1"),
            ("picture", "2"),
            ("numbers", "2"),
        ] {
            assert!(latest.store(topic, Bytes::from(text), &stats));
        }
        assert_eq!(take(&mut latest), pair("picture", "2"));
        assert_eq!(take(&mut latest), pair("numbers", "2"));
        assert_eq!(take(&mut latest), None);
        assert_eq!(stats.view().replaced, 2);
    }

    #[test]
    fn a_topic_has_one_publish_under_way() {
        let (stats, mut latest) = (Stats::default(), LatestValues::default());
        latest.store("a", Bytes::from("1"), &stats);
        assert_eq!(take(&mut latest), pair("a", "1"));
        latest.store("a", Bytes::from("2"), &stats);
        latest.store("b", Bytes::from("1"), &stats);
        assert_eq!(take(&mut latest), pair("b", "1"));
        assert_eq!(take(&mut latest), None);
        latest.on_answer("a");
        assert_eq!(take(&mut latest), pair("a", "2"));
    }

    #[test]
    fn a_new_session_gets_every_value_again_in_order() {
        let (stats, mut latest) = (Stats::default(), LatestValues::default());
        for topic in ["c", "a", "b"] {
            latest.store(topic, Bytes::from("1"), &stats);
        }
        while let Some((topic, _)) = take(&mut latest) {
            latest.on_answer(&topic);
        }
        latest.store("c", Bytes::from("2"), &stats);
        latest.take();
        latest.resend_all();
        let all: Vec<_> = std::iter::from_fn(|| take(&mut latest)).collect();
        let expected = [("a", "1"), ("b", "1"), ("c", "2")];
        assert_eq!(all, expected.map(|(t, p)| (t.to_owned(), p.to_owned())));
    }

    #[test]
    fn slots_are_bounded() {
        let (stats, mut latest) = (Stats::default(), LatestValues::default());
        for i in 0..MAX_LATEST {
            assert!(latest.store(&i.to_string(), Bytes::new(), &stats));
        }
        assert!(!latest.store("one more", Bytes::new(), &stats));
        assert!(latest.store("0", Bytes::new(), &stats));
    }
}
