//! Watches on one topic, with a broker and a clock made by hand.

use super::*;
use crate::config::MqttConfig;
use crate::mqtt::{self, Limits, Session, SessionOptions, Version};
use crate::uplink::Identity;
use tokio_util::sync::CancellationToken;

/// What a broker keeps of the topic.
type Kept = Option<Instance>;

/// A machine of office chuo, node n1. Its session has no broker: what it hands over stays there.
struct Machine {
    watch: DuplicateWatch,
    link: watch::Sender<ConnectionState>,
    sessions: u64,
    _session: Session,
}

impl Machine {
    fn start() -> Self {
        let broker = MqttConfig {
            host: "127.0.0.1".into(),
            port: 9, // discard: nothing listens, and nothing is waited for
            tls: None,
            root: "yobiban/v1".into(),
            username: None,
            password: None,
            client_id: None,
            keep_alive: Duration::from_secs(5),
        };
        let options = SessionOptions::new(&broker, "test", "yobiban-chuo-n1");
        let session = mqtt::spawn(options, CancellationToken::new());
        let identity = Identity {
            root: broker.root.clone(),
            office: "chuo".parse().expect("an id"),
            name: crate::model::Name::default(),
            node: "n1".parse().expect("an id"),
            zone: jiff::tz::TimeZone::UTC,
        };
        let (to_link, link) = watch::channel(ConnectionState::Disconnected {
            reason: "not yet".into(),
        });
        let stats = vec![Arc::clone(&session.stats)];
        Self {
            watch: DuplicateWatch::new(&identity, session.publisher.clone(), link, stats),
            link: to_link,
            sessions: 0,
            _session: session,
        }
    }

    fn lost(&mut self, now: Now) {
        self.link.send_replace(ConnectionState::Disconnected {
            reason: "the broker closed the connection".into(),
        });
        self.watch.look(now);
    }

    /// A new session, on which the broker says what it keeps, or nothing, and keeps what is said
    /// within two seconds.
    fn comes(&mut self, kept: &mut Kept, may_read: bool, now: Now) {
        self.sessions += 1;
        self.link.send_replace(ConnectionState::Connected {
            version: Version::V311,
            session: self.sessions,
            limits: Limits::NONE,
        });
        self.watch.look(now);
        if let Some(kept) = kept.clone().filter(|_| may_read) {
            self.hears(&kept, true, now);
        }
        self.watch.look(later(now, 2));
        *kept = Some(self.watch.own.clone()).filter(|own| own.seq > 0);
    }

    fn hears(&mut self, instance: &Instance, retain: bool, now: Now) {
        let json = serde_json::to_vec(instance).expect("JSON");
        let message = Message::new("yobiban/v1/chuo/node/n1/instance", json, retain);
        assert!(self.watch.take(&message, now));
    }

    fn notices(&self, now: Now) -> bool {
        self.watch.wrong(now).is_some()
    }
}

fn at(second: u64) -> Now {
    Now {
        mono: Duration::from_secs(second),
        ..Now::at(jiff::Timestamp::UNIX_EPOCH)
    }
}

fn later(now: Now, seconds: u64) -> Now {
    Now {
        mono: now.mono + Duration::from_secs(seconds),
        ..now
    }
}

#[tokio::test]
async fn boxes_that_throw_each_other_out_both_notice_until_one_is_gone() {
    let (mut one, mut other) = (Machine::start(), Machine::start());
    assert_ne!(one.watch.own.id, other.watch.own.id);
    let mut kept = None;
    for round in 0..3 {
        one.comes(&mut kept, true, at(20 * round));
        other.lost(at(20 * round));
        other.comes(&mut kept, true, at(20 * round + 10));
        one.lost(at(20 * round + 10));
    }
    assert!(one.notices(at(52)) && other.notices(at(52)));
    assert!(
        one.watch
            .news(WireTime::new(at(0).wall, &jiff::tz::TimeZone::UTC), at(52))
            .is_some()
    );
    // The first one is switched off; the other reads its own word on every later session.
    for second in [60, 70, 80] {
        other.comes(&mut kept, true, at(second));
        other.lost(at(second + 5));
    }
    assert!(!other.notices(at(52 + 91)), "nobody came any more");
}

#[tokio::test]
async fn a_box_in_place_of_another_one_and_one_that_restarts_notice_nothing() {
    let mut kept = Some(Instance {
        id: "gone-for-good".into(),
        seq: 4711,
    });
    // Each of them is a new run, whose line is bad.
    for run in 0..8 {
        let mut machine = Machine::start();
        for session in 0..3 {
            let now = at(run * 30 + session * 10);
            machine.comes(&mut kept, true, now);
            assert_eq!(kept.as_ref(), Some(&machine.watch.own));
            assert_eq!(machine.watch.own.seq, 1, "said once, not on every session");
            machine.lost(later(now, 5));
            assert!(!machine.notices(later(now, 5)), "run {run}");
        }
    }
}

#[tokio::test]
async fn a_broker_that_lets_nobody_read_it_has_the_word_of_each_session() {
    let mut machine = Machine::start();
    let mut kept = None;
    for session in 1..=3 {
        machine.comes(&mut kept, false, at(session * 10));
        assert_eq!(kept.as_ref().map(|k| k.seq), Some(session));
        machine.lost(at(session * 10 + 5));
    }
    assert!(!machine.notices(at(36)));
}

#[tokio::test]
async fn boxes_with_two_client_ids_answer_each_other_and_notice_within_a_minute() {
    let (mut one, mut other) = (Machine::start(), Machine::start());
    let mut kept = None;
    one.comes(&mut kept, true, at(0));
    other.comes(&mut kept, true, at(1));
    let mut told = (1, 0);
    let mut messages = 0;
    for second in 3..200 {
        let now = at(second);
        let (mine, theirs) = (one.watch.own.clone(), other.watch.own.clone());
        if theirs.seq > told.1 {
            one.hears(&theirs, false, now);
            messages += 1;
        }
        if mine.seq > told.0 {
            other.hears(&mine, false, now);
            messages += 1;
        }
        told = (mine.seq, theirs.seq);
        one.watch.look(now);
        other.watch.look(now);
        if second >= 60 {
            assert!(one.notices(now) && other.notices(now), "at {second} s");
        }
    }
    assert!(messages < 15, "{messages} messages");
    assert!(!one.notices(at(400)), "nobody answers any more");
}

#[tokio::test]
async fn what_is_no_instance_and_other_topics_are_passed_over() {
    let mut machine = Machine::start();
    let now = at(1);
    let topic = "yobiban/v1/chuo/node/n1/instance";
    for payload in [
        "",
        "online",
        "{}",
        r#"{"id":"","seq":1}"#,
        r#"{"id":"A B","seq":1}"#,
    ] {
        assert!(machine.watch.take(&Message::new(topic, payload, true), now));
    }
    let other = Message::new("yobiban/v1/chuo/feed/certificates", "{}", true);
    assert!(!machine.watch.take(&other, now));
    assert!(machine.watch.instances.is_empty());
}
