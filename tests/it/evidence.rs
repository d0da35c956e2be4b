//! Nodes at a real broker whose sources, clocks and brokers are not what they seem: what is reported
//! as of now is of now.

use crate::mqtt::{options, start, up};
use crate::support::mosquitto::Mosquitto;
use crate::support::node_toml;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use yobiban::clock::{Clock as _, ManualClock, Now};
use yobiban::config::{NodeConfig, parse_node};
use yobiban::mqtt::{self, Publish, Session, Subscription};
use yobiban::node::Probe;
use yobiban::services;

const LIMIT: Duration = crate::support::PATIENCE;
const FEED: &str = "yobiban/v1/chuo/feed/certificates";

const ADAPTER: &str = r#"
    [feed]
    stale_after = "20s"
    disconnect_grace = "5s"
    [[adapter]]
    topic = "hall/+/now"
    [[adapter.queue]]
    queue = "certificates"
    number = "/now"
    waiting = "/waiting"
    counter = "/counter"
"#;

/// A broker, whoever listens to the reports, and the ticketing system's line.
struct Scene {
    broker: Mosquitto,
    dir: tempfile::TempDir,
    reports: Session,
    source: Session,
    clock: ManualClock,
    /// The newest report of the queue.
    queue: Value,
    /// Ticket, day and epoch of every call that was reported.
    calls: Vec<(String, String, u64)>,
    health: Value,
    /// Whether the node said that it is there.
    online: bool,
    keys: &'static str,
    node: Option<Node>,
}

struct Node {
    stop: CancellationToken,
    task: JoinHandle<anyhow::Result<()>>,
}

fn at(time: &str) -> Now {
    Now::at(format!("{time}+09:00").parse().unwrap())
}

impl Scene {
    /// `None` where Mosquitto is not installed.
    async fn start(time: &str, keys: &'static str) -> Option<Self> {
        let broker = Mosquitto::start().await?;
        let all = Subscription::new("yobiban/v1/chuo/node/#");
        let mut reports = start(options(broker.address(), "reports").subscribe(all));
        let mut source = start(options(broker.address(), "source"));
        up(&mut reports).await;
        up(&mut source).await;
        Some(Self {
            broker,
            dir: tempfile::tempdir().unwrap(),
            reports,
            source,
            clock: ManualClock::new(at(time)),
            queue: Value::Null,
            calls: Vec::new(),
            health: Value::Null,
            online: false,
            keys,
            node: None,
        })
    }

    fn config(&self) -> NodeConfig {
        let text = node_toml(self.broker.address(), self.keys);
        parse_node(&text, "node.toml", self.dir.path()).unwrap()
    }

    /// Starts the node, again if it runs.
    async fn run_node(&mut self) {
        self.stop_node().await;
        let stop = CancellationToken::new();
        let clock = Arc::new(self.clock.clone());
        let run = services::node::run(self.config(), clock, stop.clone(), Probe::default());
        let task = tokio::spawn(run);
        self.node = Some(Node { stop, task });
        self.queue = Value::Null;
        self.until("the node's first report", |s| !s.queue.is_null())
            .await;
    }

    async fn stop_node(&mut self) {
        if let Some(node) = self.node.take() {
            node.stop.cancel();
            node.task.await.unwrap().unwrap();
            // Its last word: nothing of it is on the way any more.
            self.until("the node is offline", |s| !s.online).await;
        }
    }

    fn wait(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// Sets the wall clock; the monotonic one goes on.
    fn set_wall(&self, time: &str) {
        let now = self.clock.now();
        self.clock.set(Now {
            wall: at(time).wall,
            ..now
        });
    }

    async fn publish(&mut self, topic: &str, payload: &Value, retain: bool) {
        let bytes = serde_json::to_vec(payload).unwrap();
        let publish = if retain {
            Publish::retained(topic, bytes)
        } else {
            Publish::new(topic, bytes)
        };
        self.source.publisher.publish(publish).await.unwrap();
    }

    async fn counter(&mut self, counter: u32, number: u32, retain: bool) {
        let payload = json!({"now": number, "waiting": 6, "counter": counter});
        let topic = format!("hall/{counter}/now");
        self.publish(&topic, &payload, retain).await;
    }

    /// Says a message of the feed; `off` is how far the source's clock is off, in seconds.
    async fn feed(&mut self, no: u64, off: i64, change: impl FnOnce(&mut Value)) {
        let zone = yobiban::state::Settings::new(vec![]).timezone;
        let made = self.clock.now().wall + jiff::SignedDuration::from_secs(off);
        let local = made.to_zoned(zone);
        let time = local.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string();
        let mut message = json!({
            "seq": made.as_millisecond(), "at": time, "day": local.date().to_string(),
            "status": "open", "waiting": no, "on_hold": 0,
            "calls": [{"no": no, "ticket": format!("A{no:03}"), "counter": "3", "at": time, "kind": "call"}]
        });
        change(&mut message);
        self.publish(FEED, &message, true).await;
    }

    /// Listens until what was reported satisfies.
    async fn until(&mut self, what: &str, wanted: impl Fn(&Self) -> bool) {
        assert!(
            self.listen(LIMIT, wanted).await,
            "never: {what}: {} {:?} {}",
            self.queue,
            self.calls,
            self.health
        );
    }

    /// Listens for this long at most; whether what was reported satisfies.
    async fn listen(&mut self, limit: Duration, wanted: impl Fn(&Self) -> bool) -> bool {
        let end = tokio::time::Instant::now() + limit;
        while !wanted(self) {
            let left = end.saturating_duration_since(tokio::time::Instant::now());
            let Ok(Some(mut message)) = timeout(left, self.reports.inbox.recv()).await else {
                return false;
            };
            let json: Value = serde_json::from_slice(&message.payload).unwrap_or_default();
            match message.topic.rsplit('/').next().unwrap() {
                "numbers" => self.queue = json["queues"][0].clone(),
                "health" => self.health = json,
                "availability" => self.online = message.payload == "online",
                "calls" => self.calls.push((
                    json["ticket"].as_str().unwrap().to_owned(),
                    json["day"].as_str().unwrap().to_owned(),
                    json["epoch"].as_u64().unwrap(),
                )),
                _ => {}
            }
            message.ack();
        }
        true
    }

    /// Waits until the node has looked at everything that was said so far.
    async fn settle(&mut self) {
        let looked_at = |s: &Self| {
            let names = [
                "messages_applied",
                "messages_late",
                "messages_duplicate",
                "messages_rejected",
            ];
            let counts = names.iter().filter_map(|n| s.health["counts"][n].as_u64());
            counts.sum::<u64>()
        };
        let before = looked_at(self);
        // Nobody's queue, which is counted as refused; said again where the line was just down.
        let nobody = FEED.replace("certificates", "nobody");
        let said = json!({"seq": 1, "at": "2026-11-30T12:00:00+09:00", "day": "2026-11-30",
            "status": "open", "waiting": 0, "on_hold": 0, "calls": []});
        for _ in 0..20 {
            self.publish(&nobody, &said, false).await;
            self.wait(31);
            let counted = |s: &Self| looked_at(s) > before;
            if self.listen(LIMIT / 20, counted).await {
                return;
            }
        }
        panic!("nothing is counted any more: {}", self.health);
    }

    fn ticket(&self) -> Option<&str> {
        let of = |key: &str| self.queue[key]["ticket"].as_str();
        of("now_serving").or_else(|| of("last_call"))
    }

    fn issue(&self, kind: &str) -> Option<&str> {
        let issues = self.health["issues"].as_array()?;
        issues.iter().find(|i| i["kind"] == kind)?["text"].as_str()
    }

    fn called(&self) -> Vec<&str> {
        self.calls
            .iter()
            .map(|(ticket, ..)| ticket.as_str())
            .collect()
    }
}

/// Kept numbers got the time of the reconnection and were called fresh.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_broker_kept_is_not_fresh_nor_a_call_however_often_it_is_handed_on() {
    let Some(mut scene) = Scene::start("2026-11-30T13:00:00", ADAPTER).await else {
        return;
    };
    scene.counter(3, 42, true).await;
    scene.run_node().await;
    scene
        .until("the kept number", |s| s.ticket() == Some("42"))
        .await;
    assert_eq!(scene.queue["fresh"], false);
    assert_eq!(
        (&scene.queue["as_of"], &scene.queue["last_call"]),
        (&Value::Null, &Value::Null)
    );
    // Said live it is of now.
    scene.counter(3, 42, true).await;
    scene
        .until("a live repetition", |s| s.queue["fresh"] == true)
        .await;
    let as_of = scene.queue["as_of"].clone();
    assert!(as_of.is_string());
    scene.wait(24);
    scene
        .until("the source is silent", |s| s.queue["fresh"] == false)
        .await;
    // Somebody else with the node's name: its line is cut, and the broker hands the number on again.
    let (other, over) = (
        options(scene.broker.address(), "yobiban-chuo-n1"),
        CancellationToken::new(),
    );
    let mut other = mqtt::spawn(other, over.clone());
    up(&mut other).await;
    over.cancel();
    let again = |s: &Scene| s.health["counts"]["messages_duplicate"].as_u64() >= Some(1);
    while !again(&scene) {
        scene.settle().await;
    }
    assert_eq!(
        (&scene.queue["fresh"], &scene.queue["as_of"]),
        (&json!(false), &as_of)
    );
    // Another node, the next day.
    scene.stop_node().await;
    scene.dir = tempfile::tempdir().unwrap();
    scene.wait(20 * 3600);
    scene.run_node().await;
    scene
        .until("the kept number", |s| s.ticket() == Some("42"))
        .await;
    assert_eq!(
        (&scene.queue["fresh"], &scene.queue["as_of"]),
        (&json!(false), &Value::Null)
    );
    assert_eq!(scene.called(), [""; 0]);
    scene.stop_node().await;
}

/// One message of tomorrow (am for pm) shut out all of today's.
#[tokio::test(flavor = "multi_thread")]
async fn one_message_with_a_wrong_clock_freezes_no_board_and_says_how_far_it_is_off() {
    let Some(mut scene) = Scene::start("2026-11-30T13:00:00", "").await else {
        return;
    };
    scene.run_node().await;
    scene.feed(2, 0, |_| ()).await;
    scene
        .until("the first call", |s| s.ticket() == Some("A002"))
        .await;
    scene.wait(20);
    scene.feed(3, 12 * 3600, |_| ()).await;
    scene
        .until("its issue", |s| s.issue("source-clock").is_some())
        .await;
    let text = scene.issue("source-clock").unwrap();
    assert!(
        text.contains("12 h 0 min ahead of this device's (there 2026-12-01 01:0"),
        "{text}"
    );
    assert_eq!(scene.ticket(), Some("A002"));
    for no in 4..7 {
        scene.wait(20);
        scene.feed(no, 0, |_| ()).await;
        let ticket = format!("A{no:03}");
        scene
            .until("the honest call", |s| s.ticket() == Some(&*ticket))
            .await;
        assert_eq!(scene.queue["fresh"], true);
    }
    scene
        .until("the issue is over", |s| s.issue("source-clock").is_none())
        .await;
    assert!(!scene.called().contains(&"A003"));
    scene.stop_node().await;
}

/// A message with the largest numbers stopped a queue, also after a restart.
#[tokio::test(flavor = "multi_thread")]
async fn a_message_with_the_largest_numbers_shuts_out_nobody() {
    let Some(mut scene) = Scene::start("2026-11-30T13:00:00", "").await else {
        return;
    };
    for restart in [false, true] {
        scene.run_node().await;
        scene.wait(100);
        scene.feed(5, 0, |_| ()).await;
        scene
            .until("an honest call", |s| s.ticket() == Some("A005"))
            .await;
        let poison = |message: &mut Value| {
            message["seq"] = u64::MAX.into();
            message["calls"][0] = json!({"no": u64::MAX, "ticket": "EVIL9", "counter": "9",
                "at": message["at"], "kind": "call"});
        };
        scene.feed(5, 1, poison).await;
        scene
            .until("the poison", |s| s.ticket() == Some("EVIL9"))
            .await;
        if restart {
            scene.run_node().await;
        }
        // Half a minute passes with each; when the node gets there is not for a test to say.
        for _ in 0..12 {
            scene.feed(7, 0, |_| ()).await;
            scene.settle().await;
            if scene.ticket() == Some("A007") {
                break;
            }
        }
        scene
            .until("the honest call", |s| s.ticket() == Some("A007"))
            .await;
        assert_eq!(scene.queue["fresh"], true);
        scene.wait(20);
        scene.feed(8, 0, |_| ()).await;
        scene
            .until("the next one at once", |s| s.ticket() == Some("A008"))
            .await;
    }
    scene
        .until("its report", |s| s.called().contains(&"A008"))
        .await;
    scene.stop_node().await;
}

/// The number that still stood there after midnight, or in the morning, was called again.
#[tokio::test(flavor = "multi_thread")]
async fn a_number_that_still_stands_is_no_call_of_the_new_day() {
    let Some(mut scene) = Scene::start("2026-11-30T23:59:00", ADAPTER).await else {
        return;
    };
    scene.run_node().await;
    scene.counter(3, 41, false).await;
    scene
        .until("what stands there", |s| s.ticket() == Some("41"))
        .await;
    scene.wait(5);
    scene.counter(3, 42, false).await;
    scene
        .until("a call", |s| s.queue["last_call"]["ticket"] == "42")
        .await;
    for _ in 0..5 {
        scene.wait(15);
        scene.counter(3, 42, false).await;
        scene.settle().await;
    }
    scene
        .until("the new day", |s| {
            s.queue["as_of"]
                .as_str()
                .is_some_and(|t| t.starts_with("2026-12-01"))
        })
        .await;
    assert_eq!(
        (scene.ticket(), &scene.queue["last_call"]),
        (Some("42"), &Value::Null)
    );
    scene.wait(8 * 3600);
    scene.counter(3, 42, false).await;
    scene.settle().await;
    assert_eq!(scene.called(), ["42"]);
    scene.counter(3, 43, false).await;
    scene
        .until("a call of today", |s| s.called() == ["42", "43"])
        .await;
    assert_eq!(scene.calls[1].1, "2026-12-01");
    scene.stop_node().await;
}

/// 39 messages of three counters that repeat their own numbers made 39 calls.
#[tokio::test(flavor = "multi_thread")]
async fn counters_behind_one_wildcard_do_not_recall_each_other() {
    let Some(mut scene) = Scene::start("2026-11-30T13:00:00", ADAPTER).await else {
        return;
    };
    scene.run_node().await;
    for _ in 0..13 {
        scene.wait(5);
        for (counter, number) in [(1, 17), (2, 18), (3, 19)] {
            scene.counter(counter, number, false).await;
        }
    }
    scene.counter(2, 20, false).await;
    scene
        .until("the one call", |s| s.queue["last_call"]["ticket"] == "20")
        .await;
    scene.settle().await;
    assert_eq!(scene.called(), ["20"]);
    scene.stop_node().await;
}

/// A node's clock two days ahead stopped its board for two days.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_whose_clock_was_days_ahead_shows_what_is_said_as_soon_as_it_is_right() {
    for restart in [false, true] {
        let Some(mut scene) = Scene::start("2026-12-03T00:27:00", ADAPTER).await else {
            return;
        };
        scene.run_node().await;
        scene.counter(3, 41, false).await;
        scene.until("a number", |s| s.ticket() == Some("41")).await;
        scene.set_wall("2026-12-01T00:28:00");
        if restart {
            scene.run_node().await;
        }
        for number in [41, 41, 42] {
            scene.wait(5);
            scene.counter(3, number, false).await;
        }
        scene
            .until("the number of now", |s| s.ticket() == Some("42"))
            .await;
        assert_eq!(scene.queue["fresh"], true);
        assert!(
            scene.queue["as_of"]
                .as_str()
                .unwrap()
                .starts_with("2026-12-01")
        );
        scene.stop_node().await;
    }
}

/// At nine twenty calls came again, and eighteen "were never told".
#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_counts_days_in_utc_calls_nobody_twice_and_is_told_why() {
    let Some(mut scene) = Scene::start("2026-12-01T08:50:00", "").await else {
        return;
    };
    scene.run_node().await;
    let begin = scene.clock.now().wall;
    let listed = |now: jiff::Timestamp| {
        let made = u64::try_from(now.duration_since(begin).as_secs()).unwrap() / 40 + 20;
        let call = |no: u64| {
            let ago = i64::try_from(no).unwrap() * 40 - 800;
            let at = begin + jiff::SignedDuration::from_secs(ago);
            json!({"no": no, "ticket": format!("A{no:03}"), "counter": "1", "at": at.to_string(), "kind": "call"})
        };
        (made.saturating_sub(19).max(1)..=made)
            .rev()
            .map(call)
            .collect::<Vec<_>>()
    };
    for _ in 0..20 {
        let now = scene.clock.now().wall;
        let day = now.to_zoned(jiff::tz::TimeZone::UTC).date().to_string();
        let calls = listed(now);
        let top = calls[0]["no"].clone();
        scene
            .feed(1, 0, |message| {
                message["day"] = day.into();
                message["calls"] = calls.into();
            })
            .await;
        scene
            .until("its newest call", |s| s.queue["last_call"]["no"] == top)
            .await;
        scene.wait(40);
    }
    scene
        .until("the day after the flip", |s| s.calls.len() >= 39)
        .await;
    scene.settle().await;
    let mut called = scene.called();
    called.sort_unstable();
    called.dedup();
    assert_eq!(
        (called.len(), scene.calls.len()),
        (39, 39),
        "{:?}",
        scene.calls
    );
    assert_eq!(scene.health["counts"]["calls_missed"], 0);
    let text = scene.issue("source-clock").unwrap();
    assert!(
        text.contains("changed at 09:0") && text.contains("UTC"),
        "{text}"
    );
    scene.stop_node().await;
}
