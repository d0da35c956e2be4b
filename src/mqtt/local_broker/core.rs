//! What a broker does with messages (MQTT 5), as a value: no network, no clock, nobody to wait for.
//!
//! A client connects, subscribes, and polls for its events. Sessions that outlive their connection are
//! not stored: within a process no connection is lost.

use super::super::event::{Event, IncomingPublish};
use super::super::limits::Limits;
use super::super::outbox::{Publish, PublishError, Qos};
use crate::topic_filter;
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

/// Messages that wait for one client. A hub of six offices gets them in bursts of some hundred.
const MAX_WAITING: usize = 10_000;

/// Bytes of their payloads. Pictures of boards take up to 90 kB.
const MAX_WAITING_BYTES: usize = 32 * 1024 * 1024;

/// Retained topics. Six offices have about a hundred.
const MAX_RETAINED: usize = 10_000;

/// One connection, counted from 1.
pub(super) type ConnectionId = u64;

/// Clients, their subscriptions, and retained messages.
#[derive(Debug, Default)]
pub(super) struct Core {
    clients: BTreeMap<ConnectionId, Client>,
    retained: BTreeMap<Arc<str>, RetainedMessage>,
    last_id: ConnectionId,
    /// Connections that got events since this was last read.
    ready: BTreeSet<ConnectionId>,
    /// Messages that found no room.
    dropped: u64,
}

#[derive(Debug)]
struct RetainedMessage {
    payload: Bytes,
    qos: Qos,
}

#[derive(Debug)]
struct Client {
    id: String,
    will: Option<Publish>,
    /// Messages that may be unacknowledged at one moment.
    window: usize,
    filters: Vec<(String, Qos)>,
    /// Packet identifiers of what was handed over and not acknowledged.
    unacked: BTreeSet<u16>,
    last_delivery: u16,
    /// Packet identifier of the newest publish or subscription.
    last_request: u16,
    answers: VecDeque<Event>,
    waiting: VecDeque<Delivery>,
    waiting_bytes: usize,
    /// Another client connected with this identifier.
    taken_over: bool,
}

#[derive(Debug)]
struct Delivery {
    topic: Arc<str>,
    payload: Bytes,
    retain: bool,
    qos: Qos,
}

/// Another client connected with the same identifier.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SessionTakenOver;

/// The next packet identifier; 0 is none.
fn next_packet_id(pkid: u16) -> u16 {
    pkid.checked_add(1).unwrap_or(1)
}

fn min_qos(one: Qos, other: Qos) -> Qos {
    if one == Qos::AtLeastOnce && other == Qos::AtLeastOnce {
        Qos::AtLeastOnce
    } else {
        Qos::AtMostOnce
    }
}

impl Core {
    /// Connects a client. One that is there with the same identifier is disconnected, as if its
    /// connection had broken.
    pub(super) fn connect(
        &mut self,
        id: &str,
        will: Option<Publish>,
        window: usize,
    ) -> ConnectionId {
        let same = |(_, c): &(&ConnectionId, &mut Client)| c.id == id && !c.taken_over;
        let will_of_old = self
            .clients
            .iter_mut()
            .find(same)
            .and_then(|(&old, client)| {
                client.taken_over = true;
                client.filters.clear();
                self.ready.insert(old);
                client.will.take()
            });
        self.route(will_of_old);
        self.last_id += 1;
        let client = Client {
            id: id.to_owned(),
            will,
            window: window.max(1),
            filters: Vec::new(),
            unacked: BTreeSet::new(),
            last_delivery: 0,
            last_request: 0,
            answers: VecDeque::from([Event::Connected(Limits::NONE)]),
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            taken_over: false,
        };
        self.clients.insert(self.last_id, client);
        self.ready.insert(self.last_id);
        self.last_id
    }

    /// Handles the DISCONNECT of a client: its will is discarded.
    pub(super) fn disconnect(&mut self, id: ConnectionId) {
        if let Some(client) = self.clients.get_mut(&id) {
            client.will = None;
            client.answers.push_back(Event::DisconnectSent);
            self.ready.insert(id);
        }
    }

    /// The connection of a client is gone. Unless it sent DISCONNECT, its will is published.
    pub(super) fn remove(&mut self, id: ConnectionId) {
        if let Some(client) = self.clients.remove(&id) {
            self.route(client.will);
        }
    }

    /// Adds a filter, or replaces the same one, and delivers the retained messages that match.
    pub(super) fn subscribe(&mut self, id: ConnectionId, filter: &str, qos: Qos) {
        let Some(client) = self.clients.get_mut(&id) else {
            return;
        };
        client.last_request = next_packet_id(client.last_request);
        client
            .answers
            .push_back(Event::SubscribeSent(client.last_request));
        let valid = topic_filter::is_valid(filter) && !client.taken_over;
        let refused = (!valid).then(|| "not a topic filter".to_owned());
        client
            .answers
            .push_back(Event::SubscribeAcked(client.last_request, refused));
        self.ready.insert(id);
        if !valid {
            return;
        }
        client.filters.retain(|(f, _)| f != filter);
        client.filters.push((filter.to_owned(), qos));
        let kept = self
            .retained
            .iter()
            .filter(|(topic, _)| topic_filter::matches(filter, topic));
        for (topic, kept) in kept {
            let fits = client.enqueue(Delivery {
                topic: Arc::clone(topic),
                payload: kept.payload.clone(),
                retain: true,
                qos: min_qos(kept.qos, qos),
            });
            self.dropped += u64::from(!fits);
        }
    }

    /// Takes a message of a client, passes it on, and answers.
    pub(super) fn publish(&mut self, id: ConnectionId, publish: Publish) {
        let qos = publish.qos;
        let result = if self.has_room(&publish) {
            Ok(self.route(Some(publish)))
        } else {
            Err(PublishError::Rejected("no room for another topic".into()))
        };
        let Some(client) = self.clients.get_mut(&id) else {
            return;
        };
        match qos {
            Qos::AtMostOnce => client.answers.push_back(Event::PublishSent(0)),
            Qos::AtLeastOnce => {
                client.last_request = next_packet_id(client.last_request);
                let pkid = client.last_request;
                client.answers.push_back(Event::PublishSent(pkid));
                client.answers.push_back(Event::PublishAcked(pkid, result));
            }
        }
        self.ready.insert(id);
    }

    /// A client acknowledged a message.
    pub(super) fn acknowledge(&mut self, id: ConnectionId, pkid: u16) {
        if let Some(client) = self.clients.get_mut(&id)
            && client.unacked.remove(&pkid)
        {
            self.ready.insert(id);
        }
    }

    /// The next event of a client, if there is one now.
    ///
    /// # Errors
    /// When another client took over its session.
    pub(super) fn next(&mut self, id: ConnectionId) -> Result<Option<Event>, SessionTakenOver> {
        let client = self.clients.get_mut(&id).ok_or(SessionTakenOver)?;
        if client.taken_over {
            return Err(SessionTakenOver);
        }
        Ok(client
            .answers
            .pop_front()
            .or_else(|| client.take().map(Event::Message)))
    }

    /// Connections that got events since the last call.
    pub(super) fn take_ready(&mut self) -> BTreeSet<ConnectionId> {
        std::mem::take(&mut self.ready)
    }

    /// Messages that found no room since the beginning.
    pub(super) fn dropped(&self) -> u64 {
        self.dropped
    }

    fn has_room(&self, publish: &Publish) -> bool {
        !publish.retain
            || self.retained.len() < MAX_RETAINED
            || self.retained.contains_key(&publish.topic)
    }

    /// Retains a message if asked to and delivers it once to each subscriber; returns whether there
    /// were any.
    fn route(&mut self, publish: Option<Publish>) -> bool {
        let Some(publish) = publish else {
            return false;
        };
        let Publish {
            topic,
            payload,
            retain,
            qos,
        } = publish;
        if retain && payload.is_empty() {
            self.retained.remove(&topic);
        } else if retain {
            let payload = payload.clone();
            self.retained
                .insert(Arc::clone(&topic), RetainedMessage { payload, qos });
        }
        let mut delivered = false;
        for (&id, client) in &mut self.clients {
            let wanted = client
                .filters
                .iter()
                .filter(|(filter, _)| topic_filter::matches(filter, &topic))
                .map(|&(_, qos)| qos)
                .reduce(|one, other| match (one, other) {
                    (Qos::AtMostOnce, Qos::AtMostOnce) => Qos::AtMostOnce,
                    _ => Qos::AtLeastOnce,
                });
            let Some(wanted) = wanted else {
                continue;
            };
            delivered = true;
            let fits = client.enqueue(Delivery {
                topic: Arc::clone(&topic),
                payload: payload.clone(),
                retain: false,
                qos: min_qos(qos, wanted),
            });
            self.dropped += u64::from(!fits);
            self.ready.insert(id);
        }
        delivered
    }
}

impl Client {
    /// Lets a message wait; `false` when there is no room.
    fn enqueue(&mut self, delivery: Delivery) -> bool {
        let bytes = self.waiting_bytes + delivery.payload.len();
        if self.waiting.len() >= MAX_WAITING || bytes > MAX_WAITING_BYTES {
            return false;
        }
        self.waiting_bytes = bytes;
        self.waiting.push_back(delivery);
        true
    }

    /// Takes the message that waits longest, unless too many are unacknowledged.
    fn take(&mut self) -> Option<IncomingPublish> {
        let next = self.waiting.front()?;
        let confirmed = next.qos == Qos::AtLeastOnce;
        if confirmed && self.unacked.len() >= self.window {
            return None;
        }
        let Delivery {
            topic,
            payload,
            retain,
            ..
        } = self.waiting.pop_front()?;
        self.waiting_bytes -= payload.len();
        let pkid = confirmed.then(|| {
            // The window is smaller than the numbers there are: one is free.
            self.last_delivery = next_packet_id(self.last_delivery);
            while self.unacked.contains(&self.last_delivery) {
                self.last_delivery = next_packet_id(self.last_delivery);
            }
            self.unacked.insert(self.last_delivery);
            self.last_delivery
        });
        Some(IncomingPublish {
            topic: topic.to_string(),
            payload,
            retain,
            pkid,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The events of a client, as text; acknowledges nothing.
    fn events_of(core: &mut Core, id: ConnectionId) -> Vec<String> {
        let mut all = Vec::new();
        while let Ok(Some(event)) = core.next(id) {
            all.push(match event {
                Event::Connected { .. } => "connected".into(),
                Event::Message(m) => {
                    let kept = if m.retain { " kept" } else { "" };
                    let pkid = m.pkid.map_or(String::new(), |p| format!(" {p}"));
                    let text = String::from_utf8_lossy(&m.payload).into_owned();
                    format!("{}={text}{kept}{pkid}", m.topic)
                }
                Event::PublishSent(pkid) => format!("sent {pkid}"),
                Event::PublishAcked(pkid, Ok(any)) => format!("confirmed {pkid} {any}"),
                Event::PublishAcked(pkid, Err(error)) => format!("refused {pkid} {error}"),
                Event::SubscribeSent(pkid) => format!("subscribe sent {pkid}"),
                Event::SubscribeAcked(pkid, refused) => format!("subscribed {pkid} {refused:?}"),
                Event::DisconnectSent => "disconnect sent".into(),
                other => format!("{other:?}"),
            });
        }
        all
    }

    fn enter(core: &mut Core, id: &str, window: usize) -> ConnectionId {
        let id = core.connect(id, None, window);
        assert_eq!(events_of(core, id), ["connected"]);
        id
    }

    fn wants(core: &mut Core, id: ConnectionId, filter: &str) {
        core.subscribe(id, filter, Qos::AtLeastOnce);
    }

    #[test]
    fn every_request_is_answered_in_order() {
        let mut core = Core::default();
        let (one, other) = (enter(&mut core, "one", 8), enter(&mut core, "other", 8));
        wants(&mut core, other, "a/+");
        wants(&mut core, other, "a/#/b");
        assert_eq!(
            events_of(&mut core, other),
            [
                "subscribe sent 1",
                "subscribed 1 None",
                "subscribe sent 2",
                "subscribed 2 Some(\"not a topic filter\")"
            ]
        );
        core.publish(one, Publish::new("a/b", "1"));
        core.publish(one, Publish::new("b", "2"));
        core.publish(
            one,
            Publish {
                qos: Qos::AtMostOnce,
                ..Publish::new("a/c", "3")
            },
        );
        assert_eq!(
            events_of(&mut core, one),
            [
                "sent 1",
                "confirmed 1 true",
                "sent 2",
                "confirmed 2 false",
                "sent 0"
            ]
        );
        assert_eq!(events_of(&mut core, other), ["a/b=1 1", "a/c=3"]);
    }

    #[test]
    fn a_client_that_acknowledges_nothing_gets_no_more_than_its_window() {
        let mut core = Core::default();
        let (one, slow) = (enter(&mut core, "one", 8), enter(&mut core, "slow", 2));
        wants(&mut core, slow, "#");
        events_of(&mut core, slow);
        for text in ["1", "2", "3", "4"] {
            core.publish(one, Publish::new("a", text));
        }
        assert_eq!(events_of(&mut core, slow), ["a=1 1", "a=2 2"]);
        core.take_ready();
        core.acknowledge(slow, 7);
        assert!(core.take_ready().is_empty(), "a number that is not open");
        core.acknowledge(slow, 1);
        assert_eq!(core.take_ready(), BTreeSet::from([slow]));
        assert_eq!(events_of(&mut core, slow), ["a=3 3"]);
    }

    #[test]
    fn what_waits_for_a_client_that_never_asks_is_bounded() {
        let mut core = Core::default();
        let (one, deaf) = (enter(&mut core, "one", 8), enter(&mut core, "deaf", 2));
        wants(&mut core, deaf, "#");
        for _ in 0..=MAX_WAITING {
            core.publish(one, Publish::new("a", "1"));
        }
        assert_eq!(core.dropped(), 1);

        let mut core = Core::default();
        let (one, deaf) = (enter(&mut core, "one", 8), enter(&mut core, "deaf", 2));
        wants(&mut core, deaf, "#");
        let half = Bytes::from(vec![0; MAX_WAITING_BYTES / 2]);
        for _ in 0..3 {
            core.publish(one, Publish::new("a", half.clone()));
        }
        assert_eq!(core.dropped(), 1);
    }

    #[test]
    fn what_is_kept_is_bounded_and_a_topic_that_is_kept_is_renewed() {
        let mut core = Core::default();
        let one = enter(&mut core, "one", 8);
        for i in 0..MAX_RETAINED {
            core.publish(one, Publish::retained(i.to_string(), "1"));
        }
        events_of(&mut core, one);
        core.publish(one, Publish::retained("more", "1"));
        core.publish(one, Publish::retained("7", "2"));
        let events = events_of(&mut core, one);
        assert!(
            events[1].contains("no room for another topic"),
            "{events:?}"
        );
        assert!(events[3].starts_with("confirmed"), "{events:?}");
    }

    #[test]
    fn one_who_comes_with_the_same_name_takes_the_place() {
        let mut core = Core::default();
        let watch = enter(&mut core, "watch", 8);
        wants(&mut core, watch, "there");
        events_of(&mut core, watch);
        let will = Some(Publish::new("there", "gone"));
        let first = core.connect("node", will.clone(), 8);
        let second = core.connect("node", will, 8);
        assert_eq!(core.next(first).unwrap_err(), SessionTakenOver);
        assert_eq!(events_of(&mut core, watch), ["there=gone 1"]);
        core.remove(first);
        assert_eq!(
            events_of(&mut core, watch),
            [""; 0],
            "its will was published"
        );
        core.disconnect(second);
        assert_eq!(
            events_of(&mut core, second),
            ["connected", "disconnect sent"]
        );
        core.remove(second);
        assert_eq!(events_of(&mut core, watch), [""; 0], "it disconnected");
    }
}
