//! What a broker does with messages (MQTT 5), as a value: no network, no clock, nobody to wait for.
//!
//! A client takes a seat, says what it wants, and is asked for what it has to hear. Sessions that
//! outlive their connection are not kept: within a process no connection is lost.

use super::super::filter;
use super::super::limits::Limits;
use super::super::outbox::{Publish, PublishError, Qos};
use super::super::wire::{Event, Incoming};
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

/// Messages that wait for one client. A hub of six offices gets them in bursts of some hundred.
const MAX_WAITING: usize = 10_000;

/// Bytes of their payloads. Pictures of boards take up to 90 kB.
const MAX_WAITING_BYTES: usize = 32 * 1024 * 1024;

/// Topics that are kept. Six offices have about a hundred.
const MAX_RETAINED: usize = 10_000;

/// One connection, counted from 1.
pub(super) type Seat = u64;

/// Clients, what they want, and what is kept for later ones.
#[derive(Debug, Default)]
pub(super) struct Core {
    clients: BTreeMap<Seat, Client>,
    retained: BTreeMap<Arc<str>, Kept>,
    last_seat: Seat,
    /// Who has something to hear since it was last asked.
    woken: BTreeSet<Seat>,
    /// Messages that found no room.
    dropped: u64,
}

#[derive(Debug)]
struct Kept {
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
    open: BTreeSet<u16>,
    last_delivery: u16,
    /// Packet identifier of the newest publish or subscription.
    last_request: u16,
    answers: VecDeque<Event>,
    waiting: VecDeque<Delivery>,
    waiting_bytes: usize,
    /// Somebody else came with this identifier.
    replaced: bool,
}

#[derive(Debug)]
struct Delivery {
    topic: Arc<str>,
    payload: Bytes,
    retain: bool,
    qos: Qos,
}

/// Says that a client's place was taken by another one with its identifier.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Replaced;

/// The next packet identifier; 0 is none.
fn following(pkid: u16) -> u16 {
    pkid.checked_add(1).unwrap_or(1)
}

fn lower(one: Qos, other: Qos) -> Qos {
    if one == Qos::AtLeastOnce && other == Qos::AtLeastOnce {
        Qos::AtLeastOnce
    } else {
        Qos::AtMostOnce
    }
}

impl Core {
    /// Takes a client in. One that is there with the same identifier is thrown out, as if its line
    /// had broken.
    pub(super) fn connect(&mut self, id: &str, will: Option<Publish>, window: usize) -> Seat {
        let same = |(_, c): &(&Seat, &mut Client)| c.id == id && !c.replaced;
        let will_of_old = self
            .clients
            .iter_mut()
            .find(same)
            .and_then(|(&old, client)| {
                client.replaced = true;
                client.filters.clear();
                self.woken.insert(old);
                client.will.take()
            });
        self.pass_on(will_of_old);
        self.last_seat += 1;
        let client = Client {
            id: id.to_owned(),
            will,
            window: window.max(1),
            filters: Vec::new(),
            open: BTreeSet::new(),
            last_delivery: 0,
            last_request: 0,
            answers: VecDeque::from([Event::Up(Limits::NONE)]),
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            replaced: false,
        };
        self.clients.insert(self.last_seat, client);
        self.woken.insert(self.last_seat);
        self.last_seat
    }

    /// Says that a client wants to go: its will is void.
    pub(super) fn disconnect(&mut self, seat: Seat) {
        if let Some(client) = self.clients.get_mut(&seat) {
            client.will = None;
            client.answers.push_back(Event::SaidGoodbye);
            self.woken.insert(seat);
        }
    }

    /// The line of a client is gone. Unless it said goodbye its will is published.
    pub(super) fn leave(&mut self, seat: Seat) {
        if let Some(client) = self.clients.remove(&seat) {
            self.pass_on(client.will);
        }
    }

    /// Adds a filter, or replaces the same one, and hands over what is kept for it.
    pub(super) fn subscribe(&mut self, seat: Seat, filter: &str, qos: Qos) {
        let Some(client) = self.clients.get_mut(&seat) else {
            return;
        };
        client.last_request = following(client.last_request);
        client.answers.push_back(Event::Asked(client.last_request));
        let valid = filter::is_valid(filter) && !client.replaced;
        let refused = (!valid).then(|| "not a topic filter".to_owned());
        client
            .answers
            .push_back(Event::Subscribed(client.last_request, refused));
        self.woken.insert(seat);
        if !valid {
            return;
        }
        client.filters.retain(|(f, _)| f != filter);
        client.filters.push((filter.to_owned(), qos));
        let kept = self
            .retained
            .iter()
            .filter(|(topic, _)| filter::matches(filter, topic));
        for (topic, kept) in kept {
            let fits = client.deliver(Delivery {
                topic: Arc::clone(topic),
                payload: kept.payload.clone(),
                retain: true,
                qos: lower(kept.qos, qos),
            });
            self.dropped += u64::from(!fits);
        }
    }

    /// Takes a message of a client, passes it on, and answers.
    pub(super) fn publish(&mut self, seat: Seat, publish: Publish) {
        let qos = publish.qos;
        let result = if self.has_room(&publish) {
            Ok(self.pass_on(Some(publish)))
        } else {
            Err(PublishError::Refused("no room for another topic".into()))
        };
        let Some(client) = self.clients.get_mut(&seat) else {
            return;
        };
        match qos {
            Qos::AtMostOnce => client.answers.push_back(Event::Sent(0)),
            Qos::AtLeastOnce => {
                client.last_request = following(client.last_request);
                let pkid = client.last_request;
                client.answers.push_back(Event::Sent(pkid));
                client.answers.push_back(Event::Confirmed(pkid, result));
            }
        }
        self.woken.insert(seat);
    }

    /// A client has made a message its own.
    pub(super) fn acknowledge(&mut self, seat: Seat, pkid: u16) {
        if let Some(client) = self.clients.get_mut(&seat)
            && client.open.remove(&pkid)
        {
            self.woken.insert(seat);
        }
    }

    /// What a client has to hear next, if there is anything now.
    ///
    /// # Errors
    /// When it is thrown out.
    pub(super) fn next(&mut self, seat: Seat) -> Result<Option<Event>, Replaced> {
        let client = self.clients.get_mut(&seat).ok_or(Replaced)?;
        if client.replaced {
            return Err(Replaced);
        }
        Ok(client
            .answers
            .pop_front()
            .or_else(|| client.take().map(Event::Message)))
    }

    /// Who has something to hear since this was last asked.
    pub(super) fn take_woken(&mut self) -> BTreeSet<Seat> {
        std::mem::take(&mut self.woken)
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

    /// Keeps a message if that is wanted and hands it to those who subscribed, once to each; says
    /// whether there were any.
    fn pass_on(&mut self, publish: Option<Publish>) -> bool {
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
                .insert(Arc::clone(&topic), Kept { payload, qos });
        }
        let mut heard = false;
        for (&seat, client) in &mut self.clients {
            let wanted = client
                .filters
                .iter()
                .filter(|(filter, _)| filter::matches(filter, &topic))
                .map(|&(_, qos)| qos)
                .reduce(|one, other| match (one, other) {
                    (Qos::AtMostOnce, Qos::AtMostOnce) => Qos::AtMostOnce,
                    _ => Qos::AtLeastOnce,
                });
            let Some(wanted) = wanted else {
                continue;
            };
            heard = true;
            let fits = client.deliver(Delivery {
                topic: Arc::clone(&topic),
                payload: payload.clone(),
                retain: false,
                qos: lower(qos, wanted),
            });
            self.dropped += u64::from(!fits);
            self.woken.insert(seat);
        }
        heard
    }
}

impl Client {
    /// Lets a message wait; `false` when there is no room.
    fn deliver(&mut self, delivery: Delivery) -> bool {
        let bytes = self.waiting_bytes + delivery.payload.len();
        if self.waiting.len() >= MAX_WAITING || bytes > MAX_WAITING_BYTES {
            return false;
        }
        self.waiting_bytes = bytes;
        self.waiting.push_back(delivery);
        true
    }

    /// Takes the message that waits longest, unless too many are unacknowledged.
    fn take(&mut self) -> Option<Incoming> {
        let next = self.waiting.front()?;
        let confirmed = next.qos == Qos::AtLeastOnce;
        if confirmed && self.open.len() >= self.window {
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
            self.last_delivery = following(self.last_delivery);
            while self.open.contains(&self.last_delivery) {
                self.last_delivery = following(self.last_delivery);
            }
            self.open.insert(self.last_delivery);
            self.last_delivery
        });
        Some(Incoming {
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

    /// What a client hears, in words; acknowledges nothing.
    fn heard(core: &mut Core, seat: Seat) -> Vec<String> {
        let mut all = Vec::new();
        while let Ok(Some(event)) = core.next(seat) {
            all.push(match event {
                Event::Up { .. } => "up".into(),
                Event::Message(m) => {
                    let kept = if m.retain { " kept" } else { "" };
                    let pkid = m.pkid.map_or(String::new(), |p| format!(" {p}"));
                    let text = String::from_utf8_lossy(&m.payload).into_owned();
                    format!("{}={text}{kept}{pkid}", m.topic)
                }
                Event::Sent(pkid) => format!("sent {pkid}"),
                Event::Confirmed(pkid, Ok(any)) => format!("confirmed {pkid} {any}"),
                Event::Confirmed(pkid, Err(error)) => format!("refused {pkid} {error}"),
                Event::Asked(pkid) => format!("asked {pkid}"),
                Event::Subscribed(pkid, refused) => format!("subscribed {pkid} {refused:?}"),
                Event::SaidGoodbye => "goodbye".into(),
                other => format!("{other:?}"),
            });
        }
        all
    }

    fn enter(core: &mut Core, id: &str, window: usize) -> Seat {
        let seat = core.connect(id, None, window);
        assert_eq!(heard(core, seat), ["up"]);
        seat
    }

    fn wants(core: &mut Core, seat: Seat, filter: &str) {
        core.subscribe(seat, filter, Qos::AtLeastOnce);
    }

    #[test]
    fn every_request_is_answered_in_order() {
        let mut core = Core::default();
        let (one, other) = (enter(&mut core, "one", 8), enter(&mut core, "other", 8));
        wants(&mut core, other, "a/+");
        wants(&mut core, other, "a/#/b");
        assert_eq!(
            heard(&mut core, other),
            [
                "asked 1",
                "subscribed 1 None",
                "asked 2",
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
            heard(&mut core, one),
            [
                "sent 1",
                "confirmed 1 true",
                "sent 2",
                "confirmed 2 false",
                "sent 0"
            ]
        );
        assert_eq!(heard(&mut core, other), ["a/b=1 1", "a/c=3"]);
    }

    #[test]
    fn a_client_that_acknowledges_nothing_gets_no_more_than_its_window() {
        let mut core = Core::default();
        let (one, slow) = (enter(&mut core, "one", 8), enter(&mut core, "slow", 2));
        wants(&mut core, slow, "#");
        heard(&mut core, slow);
        for text in ["1", "2", "3", "4"] {
            core.publish(one, Publish::new("a", text));
        }
        assert_eq!(heard(&mut core, slow), ["a=1 1", "a=2 2"]);
        core.take_woken();
        core.acknowledge(slow, 7);
        assert!(core.take_woken().is_empty(), "a number that is not open");
        core.acknowledge(slow, 1);
        assert_eq!(core.take_woken(), BTreeSet::from([slow]));
        assert_eq!(heard(&mut core, slow), ["a=3 3"]);
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
        heard(&mut core, one);
        core.publish(one, Publish::retained("more", "1"));
        core.publish(one, Publish::retained("7", "2"));
        let told = heard(&mut core, one);
        assert!(told[1].contains("no room for another topic"), "{told:?}");
        assert!(told[3].starts_with("confirmed"), "{told:?}");
    }

    #[test]
    fn one_who_comes_with_the_same_name_takes_the_place() {
        let mut core = Core::default();
        let watch = enter(&mut core, "watch", 8);
        wants(&mut core, watch, "there");
        heard(&mut core, watch);
        let will = Some(Publish::new("there", "gone"));
        let first = core.connect("node", will.clone(), 8);
        let second = core.connect("node", will, 8);
        assert_eq!(core.next(first).unwrap_err(), Replaced);
        assert_eq!(heard(&mut core, watch), ["there=gone 1"]);
        core.leave(first);
        assert_eq!(heard(&mut core, watch), [""; 0], "its will was said");
        core.disconnect(second);
        assert_eq!(heard(&mut core, second), ["up", "goodbye"]);
        core.leave(second);
        assert_eq!(heard(&mut core, watch), [""; 0], "it said goodbye");
    }
}
