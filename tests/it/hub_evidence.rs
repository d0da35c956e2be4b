//! What a hub calls fresh, and what proves it: nodes that go without a word, what brokers keep,
//! clocks that are wrong.

use crate::mqtt::{options, start, up};
use crate::support::city::{City, FLEET_TOKEN, config, numbers, time};
use crate::support::mosquitto::Mosquitto;
use crate::support::{PATIENCE, eventually, http, until};
use serde_json::Value;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use yobiban::clock::{Clock as _, ManualClock, Now};
use yobiban::hub::registry::{CURRENT_FOR, ONLINE_FOR};
use yobiban::mqtt::{Publish, Session};
use yobiban::wire::WireTime;
use yobiban::wire::report::Numbers;

/// A second.
const S: Duration = Duration::from_secs(1);

/// Chuo's numbers made so many seconds from now (negative: ago), of that moment.
fn made(city: &City, seq: u64, s: i64) -> Numbers {
    let mut numbers = numbers("chuo");
    let wall = city.clock.now().wall + jiff::SignedDuration::from_secs(s);
    let zone = jiff::tz::TimeZone::fixed(jiff::tz::offset(9));
    numbers.seq = seq;
    numbers.at = WireTime::new(wall, &zone);
    numbers.day = numbers.at.zoned().date();
    for queue in &mut numbers.queues {
        queue.as_of = Some(numbers.at);
        queue.last_call = None;
    }
    numbers
}

fn health(city: &City, s: i64, clock: &str) -> String {
    let at = made(city, 1, s).at;
    format!(r#"{{"at":"{at}","version":"0.1.0","uptime_s":61,"clock":"{clock}","issues":[]}}"#)
}

fn json(numbers: &Numbers) -> Vec<u8> {
    serde_json::to_vec(numbers).unwrap()
}

/// Whether chuo is heard, and whether its first queue is fresh.
async fn seen(city: &City) -> (bool, bool) {
    city.hub.tick();
    let chuo = city.get("/api/v1/offices/chuo").await.json();
    let is = |value: &Value| value.as_bool().unwrap();
    (is(&chuo["online"]), is(&chuo["queues"][0]["fresh"]))
}

const NUMBERS: &str = "chuo/node/n1/numbers";
const AVAILABILITY: &str = "chuo/node/n1/availability";
const HEALTH: &str = "chuo/node/n1/health";

#[tokio::test]
async fn a_node_that_goes_without_a_word_is_offline_after_two_minutes_and_the_pages_say_so() {
    let city = City::awake().await;
    city.clock.advance(120 * S);
    assert_eq!(seen(&city).await, (true, true));
    city.clock.advance(S);
    assert_eq!(seen(&city).await, (false, false));
    let en = city.get("/offices/chuo?lang=en").await.text().to_owned();
    let says = "Numbers as of 10:42. The connection to this office is interrupted.";
    assert!(en.contains(says), "{en}");
    let metrics = city.get("/metrics").await.text().to_owned();
    assert!(metrics.contains("yobiban_node_online{office=\"chuo\",node=\"n1\"} 0\n"));
    let congestion = city.get("/opendata/congestion.json").await.json();
    assert_eq!(congestion["offices"][0]["congestion"], "unknown");
    // It comes back by one live report.
    city.tell(&made(&city, 78, 0)).await;
    assert_eq!(seen(&city).await, (true, true));
}

#[tokio::test]
async fn an_office_that_is_closed_and_not_heard_is_not_said_to_open_later() {
    let city = City::empty().await;
    let mut closed = made(&city, 1, 0);
    for queue in &mut closed.queues {
        queue.status = yobiban::model::Status::Closed;
    }
    city.online("chuo").await;
    city.tell(&closed).await;
    let page = async || {
        let page = city.get("/offices/chuo?lang=en").await;
        page.text().to_owned()
    };
    assert!(page().await.contains("Not open yet."));
    city.clock.advance(121 * S);
    city.hub.tick();
    let page = page().await;
    assert!(
        !page.contains("Not open yet") && !page.contains("not open<"),
        "{page}"
    );
    assert!(
        page.contains("Numbers as of 10:42. The connection"),
        "{page}"
    );
    // The next morning it says of which day they are.
    city.clock
        .set(Now::at("2026-11-25T08:00:00+09:00".parse().unwrap()));
    city.hub.tick();
    let page = city.get("/offices/chuo?lang=en").await.text().to_owned();
    assert!(!page.contains("Not open yet"), "{page}");
    assert!(
        page.contains("Numbers as of 2026-11-24 10:42. The connection"),
        "{page}"
    );
}

#[tokio::test]
async fn an_honest_quiet_node_stays_fresh_at_its_own_pace() {
    let city = City::empty().await;
    city.online("chuo").await;
    let mut quiet = made(&city, 1, 0);
    for beat in 0..40 {
        if beat % 2 == 0 {
            // Numbers every 60 s; the source said nothing new since, and is still heard.
            quiet.seq += 1;
            quiet.at = made(&city, 1, 0).at;
            city.tell(&quiet).await;
        }
        city.send(HEALTH, health(&city, 0, "synchronised")).await;
        assert_eq!(seen(&city).await, (true, true), "after {} s", beat * 30);
        city.clock.advance(30 * S);
    }
}

#[tokio::test]
async fn what_a_broker_kept_counts_for_its_own_time_only() {
    let check = async |s: i64, expected: (bool, bool), advance: u32, then: (bool, bool)| {
        let city = City::empty().await;
        city.send_kept(NUMBERS, json(&made(&city, 1, s))).await;
        city.send_kept(AVAILABILITY, "online").await;
        assert_eq!(seen(&city).await, expected, "{s} s");
        city.clock.advance(advance * S);
        // The line is cut and comes back: the same again.
        city.send_kept(AVAILABILITY, "online").await;
        city.send_kept(NUMBERS, json(&made(&city, 1, s - i64::from(advance))))
            .await;
        assert_eq!(seen(&city).await, then, "{s} s, then {advance} s");
    };
    check(-20, (true, true), 100, (true, true)).await;
    check(-20, (true, true), 101, (false, false)).await;
    check(-121, (false, false), 1, (false, false)).await;
    check(-3_600, (false, false), 1, (false, false)).await;
    check(100, (true, true), 221, (false, false)).await;
}

#[tokio::test]
async fn a_kept_online_alone_makes_no_node_heard() {
    let city = City::awake().await;
    city.clock.advance(600 * S);
    for _ in 0..3 {
        city.send_kept(AVAILABILITY, "online").await;
        city.send_kept(NUMBERS, json(&numbers("chuo"))).await;
        city.send_kept(HEALTH, health(&city, -600, "synchronised"))
            .await;
        city.send_kept(
            "chuo/node/n1/board/main",
            crate::support::city::picture(9).0,
        )
        .await;
        assert_eq!(seen(&city).await, (false, false));
        city.clock.advance(10 * S);
    }
}

#[tokio::test]
async fn what_waited_in_a_queue_of_a_bridge_makes_no_number_fresh() {
    let city = City::awake().await;
    city.clock.advance(3_600 * S);
    for (seq, s) in [(100, -3_000), (101, -1_000), (102, -200), (103, -121)] {
        city.tell(&made(&city, seq, s)).await;
        city.send(HEALTH, health(&city, s, "synchronised")).await;
        assert_eq!(seen(&city).await, (false, false), "{s} s");
    }
    city.tell(&made(&city, 104, -3)).await;
    assert_eq!(seen(&city).await, (true, true));
}

#[tokio::test]
async fn a_broker_that_marks_live_messages_as_kept_is_served_by_their_times() {
    let city = City::empty().await;
    city.send_kept(AVAILABILITY, "online").await;
    for seq in 0..20 {
        city.send_kept(NUMBERS, json(&made(&city, 1 + seq, 0)))
            .await;
        assert_eq!(seen(&city).await, (true, true));
        city.clock.advance(60 * S);
    }
    city.clock.advance(61 * S);
    assert_eq!(seen(&city).await, (false, false));
}

#[tokio::test]
async fn without_a_clock_of_its_own_only_live_messages_count_for_the_hub() {
    let city = City::empty().await;
    let now = city.clock.now();
    city.clock.set(Now {
        synced: false,
        ..now
    });
    city.send_kept(AVAILABILITY, "online").await;
    city.send_kept(NUMBERS, json(&made(&city, 1, 0))).await;
    assert_eq!(seen(&city).await, (false, false));
    // Whatever its clock says, the hub's may be wrong.
    city.tell(&made(&city, 2, 40_000)).await;
    assert_eq!(seen(&city).await, (true, true));
    // A poisoned count and time: the one who goes on is right.
    let mut poison = made(&city, u64::MAX, 80_000_000);
    poison.queues[0].waiting = Some(99);
    city.tell(&poison).await;
    for seq in 3..5 {
        city.clock.advance(S);
        city.tell(&made(&city, seq, 0)).await;
    }
    let chuo = city.get("/api/v1/offices/chuo").await.json();
    assert_eq!(chuo["queues"][0]["waiting"], 12);
    city.clock.advance(121 * S);
    assert_eq!(seen(&city).await, (false, false));
}

#[tokio::test]
async fn a_node_that_knows_that_its_clock_is_wrong_is_fresh_while_it_speaks() {
    let city = City::empty().await;
    city.online("chuo").await;
    city.send(HEALTH, health(&city, -36_000, "unknown")).await;
    city.tell(&made(&city, 1, -36_000)).await;
    assert_eq!(seen(&city).await, (true, true));
    // One whose source has the right time needs not even to know it.
    let city = City::empty().await;
    let mut behind = made(&city, 1, 0);
    behind.at = made(&city, 1, -36_000).at;
    city.tell(&behind).await;
    assert_eq!(seen(&city).await, (true, true));
}

#[tokio::test]
async fn numbers_of_tomorrow_win_over_nobody_and_the_operator_is_told() {
    let city = City::awake().await;
    city.send(HEALTH, health(&city, 0, "synchronised")).await;
    // An hour before midnight tomorrow comes closer; not now.
    let ahead = 23 * 3_600 + 54 * 60 + 10;
    let mut evil = made(&city, u64::MAX, ahead);
    evil.queues[0].waiting = Some(99);
    city.send("chuo/node/n2/availability", "online").await;
    city.send("chuo/node/n2/numbers", json(&evil)).await;
    city.send("chuo/node/n1/numbers", json(&evil)).await;
    let honest = async |seq| {
        city.clock.advance(S);
        city.tell(&made(&city, seq, 0)).await;
        let chuo = city.get("/api/v1/offices/chuo").await.json();
        assert_eq!(chuo["queues"][0]["waiting"], 12);
        assert_eq!(chuo["queues"][0]["fresh"], true);
    };
    honest(78).await;
    let page = city.get("/offices/chuo?lang=en").await.text().to_owned();
    assert!(!page.contains("Not open yet"), "{page}");
    assert_eq!(city.hub.stats().rejected("time"), 2);
    let auth = format!("Bearer {FLEET_TOKEN}");
    let fleet = async |lang: &str| {
        let path = format!("/fleet?lang={lang}");
        let page = city.get_with(&path, &[("authorization", &auth)]).await;
        page.text().to_owned()
    };
    let says = "The clock of node n2 of Chuo Ward Office is 23 h 54 min ahead.";
    assert!(fleet("en").await.contains(says), "{}", fleet("en").await);
    assert!(
        fleet("ja")
            .await
            .contains("端末 n2 の時計が23時間54分進んでいます")
    );
    assert!(
        !fleet("en").await.contains("The clock of node n1"),
        "right again"
    );
    let metrics = city.get("/metrics").await.text().to_owned();
    let ahead = format!("clock_ahead_seconds{{office=\"chuo\",node=\"n2\"}} {ahead}\n");
    assert!(metrics.contains(&ahead), "{metrics}");
}

#[tokio::test]
async fn a_clock_a_minute_ahead_is_believed_and_wins_over_nobody_for_it() {
    let city = City::empty().await;
    city.online("chuo").await;
    city.send("chuo/node/n2/availability", "online").await;
    for beat in 0..10 {
        let mut ahead = made(&city, 1_000 + beat, 119);
        ahead.queues[0].waiting = Some(33);
        city.send("chuo/node/n2/numbers", json(&ahead)).await;
        assert_eq!(seen(&city).await, (true, true));
        city.clock.advance(S);
        city.tell(&made(&city, 1 + beat, 0)).await;
        let chuo = city.get("/api/v1/offices/chuo").await.json();
        assert_eq!(
            chuo["queues"][0]["waiting"], 12,
            "the newer one, not the bolder one"
        );
        city.clock.advance(S);
    }
}

#[tokio::test]
async fn a_node_that_is_heard_goes_before_one_that_only_claims_to_be_newer() {
    let city = City::empty().await;
    // Kept, a minute ahead, and its node is gone.
    let mut gone = made(&city, u64::MAX, 110);
    gone.queues[0].waiting = Some(99);
    city.send_kept("chuo/node/n2/availability", "online").await;
    city.send_kept("chuo/node/n2/numbers", json(&gone)).await;
    city.clock.advance(S);
    city.online("chuo").await;
    city.tell(&made(&city, 1, 0)).await;
    let chuo = city.get("/api/v1/offices/chuo").await.json();
    assert_eq!(chuo["queues"][0]["waiting"], 12);
}

#[tokio::test]
async fn one_queue_of_the_future_takes_no_other_from_the_page() {
    let city = City::awake().await;
    let mut chuo = made(&city, 78, 0);
    chuo.queues[1].as_of = Some(time("2026-11-24T23:59:00+09:00"));
    chuo.queues[1].waiting = Some(99);
    chuo.queues[0].waiting = Some(13);
    let (bytes, mut line) = crate::support::city::picture(9);
    line.shown_at = time("2026-11-24T10:45:00+09:00");
    chuo.boards.push(line);
    city.tell(&chuo).await;
    city.send("chuo/node/n1/board/main", bytes).await;
    let view = city.get("/api/v1/offices/chuo").await.json();
    assert_eq!(view["queues"][0]["waiting"], 13);
    assert_eq!(view["queues"][0]["fresh"], true);
    assert_eq!(view["queues"][1]["waiting"], 21, "what was known before");
    assert_eq!(view["queues"][1]["fresh"], false, "as old");
    assert_eq!(view["as_of"], "2026-11-24T10:42:07+09:00");
    assert_eq!(view["boards"], serde_json::json!([]));
    assert_eq!(city.hub.stats().rejected("time"), 1);
    // The honest one is back at once.
    city.clock.advance(S);
    city.tell(&made(&city, 79, 0)).await;
    let view = city.get("/api/v1/offices/chuo").await.json();
    assert_eq!(view["queues"][1]["fresh"], true);
    // All of the future: nothing is taken.
    let mut all = made(&city, 80, 0);
    for queue in &mut all.queues {
        queue.as_of = Some(time("2026-11-24T23:59:00+09:00"));
    }
    city.tell(&all).await;
    assert_eq!(city.get("/api/v1/offices/chuo").await.json(), view);
}

/// A hub as it runs, on a real broker, with a clock moved by hand.
struct House {
    broker: Mosquitto,
    clock: ManualClock,
    hub: SocketAddr,
    shutdown: tokio_util::sync::CancellationToken,
    #[allow(dead_code)] // held for its drop
    dir: tempfile::TempDir,
}

impl House {
    async fn on(broker: Mosquitto) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut config = config(&format!("sqlite:{}", dir.path().join("hub.db").display()));
        config.mqtt = crate::mqtt::config(broker.address());
        config.mqtt.username = Some("hub".into());
        let clock = ManualClock::new(Now::at(crate::support::city::AT.parse().unwrap()));
        let shutdown = tokio_util::sync::CancellationToken::new();
        let (tell, told) = tokio::sync::oneshot::channel();
        tokio::spawn(yobiban::services::hub::run(
            config,
            Arc::new(clock.clone()),
            shutdown.clone(),
            |at| {
                let _ = tell.send(at);
            },
        ));
        Self {
            broker,
            clock,
            hub: told.await.unwrap(),
            shutdown,
            dir,
        }
    }

    /// Chuo's numbers as its node makes them now.
    fn numbers(&self, waiting: u32) -> Numbers {
        let mut numbers = numbers("chuo");
        let now = self.clock.now();
        numbers.seq = u64::try_from(now.wall.as_millisecond()).unwrap();
        numbers.at = WireTime::new(now.wall, &jiff::tz::TimeZone::fixed(jiff::tz::offset(9)));
        for queue in &mut numbers.queues {
            queue.as_of = Some(numbers.at);
            queue.waiting = Some(waiting);
        }
        numbers
    }

    async fn office(&self, id: &str) -> Value {
        let path = format!("/api/v1/offices/{id}");
        let answer = http::get(self.hub, &path).await.text();
        serde_json::from_str(&answer).unwrap_or_default()
    }

    /// Waits until chuo is seen so.
    async fn shows(&self, what: &str, online: bool, fresh: bool, waiting: u32) {
        until(what, async || {
            let office = self.office("chuo").await;
            let queue = &office["queues"][0];
            let so = office["online"] == online
                && queue["fresh"] == fresh
                && queue["waiting"] == waiting;
            so.then_some(()).ok_or(office)
        })
        .await;
    }
}

impl Drop for House {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

/// A box: a session that says it is there, and by its will that it is not.
async fn stolen(broker: SocketAddr) -> Session {
    let mut options = options(broker, "box");
    options.broker.username = Some("box".into());
    options.availability = Some(yobiban::mqtt::Availability {
        topic: format!("yobiban/v1/{AVAILABILITY}"),
        online: "online".into(),
        offline: "offline".into(),
    });
    let mut session = start(options);
    up(&mut session).await;
    session
}

async fn publish(session: &Session, tail: &str, payload: Vec<u8>) {
    let message = Publish::retained(format!("yobiban/v1/{tail}"), payload);
    session.publisher.publish(message).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stolen_box_that_was_revoked_is_not_shown_as_fresh_for_ever() {
    let acl = |with_box: bool| {
        let hub = "user hub\ntopic read yobiban/v1/#\n";
        let theirs = "user box\ntopic write yobiban/v1/chuo/node/n1/#\n";
        format!("{hub}{}", if with_box { theirs } else { "" })
    };
    let file = std::cell::OnceCell::new();
    let broker = Mosquitto::start_with(|dir| {
        let path = dir.join("acl");
        std::fs::write(&path, acl(true)).unwrap();
        let _ = file.set(path.clone());
        format!("allow_anonymous true\nacl_file {}\n", path.display())
    });
    let Some(broker) = broker.await else {
        return;
    };
    let file = file.into_inner().unwrap();
    let house = House::on(broker).await;
    let stolen_box = stolen(house.broker.address()).await;
    publish(&stolen_box, NUMBERS, json(&house.numbers(99))).await;
    house.shows("the box is there", true, true, 99).await;
    // Revoked as operate.md says; its last will is denied with the rest.
    std::fs::write(&file, acl(false)).unwrap();
    house.broker.reload();
    let denied = async || {
        let message = Publish::retained(format!("yobiban/v1/{AVAILABILITY}"), "online");
        stolen_box.publisher.publish(message).await.is_err()
    };
    until("the box is revoked", denied).await;
    stolen_box.task.abort();
    house.clock.advance(Duration::from_secs(121));
    house
        .shows("nobody hears it any more", false, false, 99)
        .await;
    let page = http::get(house.hub, "/?lang=en").await.text();
    assert!(page.contains("Numbers as of 10:42. The connection to this office is interrupted."));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_died_with_its_broker_is_not_shown_as_fresh_when_the_broker_is_back() {
    let lines = |dir: &std::path::Path| {
        format!(
            "allow_anonymous true\npersistence_location {}/\n",
            dir.display()
        )
    };
    let Some(broker) = Mosquitto::start_keeping(lines).await else {
        return;
    };
    let mut house = House::on(broker).await;
    let node = stolen(house.broker.address()).await;
    publish(&node, NUMBERS, json(&house.numbers(7))).await;
    house.shows("the node is there", true, true, 7).await;
    house.broker.save().await;
    // The power fails: no will is sent, by nobody. The session of the node is held open meanwhile,
    // so that it must not come back: it belongs to the test, not to the house.
    let away = node.connection.clone();
    house.broker.kill();
    eventually(PATIENCE, "the node has noticed", || {
        (!matches!(
            &*away.borrow(),
            yobiban::mqtt::ConnectionState::Connected { .. }
        ))
        .then_some(())
    })
    .await;
    node.task.abort();
    let _ = node.task.await;
    house.broker.run().await;
    // Up to two minutes after its last word it may be there; the broker kept what it said.
    house.clock.advance(Duration::from_secs(40));
    house.shows("the line is back", true, true, 7).await;
    house.clock.advance(Duration::from_secs(81));
    house.shows("nothing came", false, false, 7).await;
    // The hub's own line breaks and comes back: what is kept proves nothing new.
    house.broker.save().await;
    house.broker.kill();
    house.broker.run().await;
    // What is said now, and kept by nobody, comes after all that was kept.
    let mut other = start(options(house.broker.address(), "other"));
    up(&mut other).await;
    let mut seq = 0;
    until("the hub's line is back", async || {
        seq += 1;
        let mut numbers = house.numbers(5);
        (numbers.office.id, numbers.seq) = ("inage".parse().unwrap(), seq);
        let said = Publish::new("yobiban/v1/inage/node/n1/numbers", json(&numbers));
        other.publisher.publish(said).await.unwrap();
        house.office("inage").await["queues"][0]["waiting"] == 5
    })
    .await;
    let office = house.office("chuo").await;
    assert_eq!(office["online"], false, "{office}");
}

#[test]
fn the_limits_leave_room_for_what_a_node_sends() {
    // Health every 30 s, numbers every 60 s (`uplink`, `services::node`): two of each may be missing.
    assert!(ONLINE_FOR.as_secs() >= 3 * 30 + 30);
    assert!(CURRENT_FOR.as_secs() >= 2 * 60 + 30);
}
