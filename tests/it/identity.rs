//! Two machines with one identity, and what only looks like them.

use crate::mqtt::{LIMIT, next, options, start, up};
use crate::support::mosquitto::Mosquitto;
use crate::support::process::Process;
use crate::support::proxy::{Fault, Proxy};
use crate::support::{PATIENCE, eventually, node_toml, until, yobiban};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use yobiban::clock::{Clock, Now, SystemClock};
use yobiban::config::{load_node, parse_node};
use yobiban::mqtt::{self, Publish, Session, Subscription};
use yobiban::node::Probe;
use yobiban::services;

const INSTANCE: &str = "yobiban/v1/chuo/node/n1/instance";

/// The same card in a box of its own.
fn card(dir: &Path, name: &str, broker: SocketAddr, more: &str) -> PathBuf {
    let own = dir.join(name);
    std::fs::create_dir(&own).unwrap();
    let path = own.join("node.toml");
    std::fs::write(&path, node_toml(broker, more)).unwrap();
    path
}

fn run(role: &str, config: &Path) -> Process {
    let mut command = yobiban();
    command.args([role, "--config"]).arg(config);
    Process::start(command)
}

fn doctor(config: &Path) -> (Option<i32>, String) {
    let mut command = yobiban();
    let output = command.args(["doctor", "--config"]).arg(config).output();
    let output = output.unwrap();
    (
        output.status.code(),
        String::from_utf8(output.stdout).unwrap(),
    )
}

/// A hub's page of all nodes.
async fn fleet(hub: SocketAddr, lang: &str) -> String {
    let mut stream = tokio::net::TcpStream::connect(hub).await.unwrap();
    let request = format!(
        "GET /fleet?lang={lang} HTTP/1.0\r\nAuthorization: Bearer {TOKEN}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    text
}

const TOKEN: &str = "thirty-two-letters-for-this-test";

fn warnings(box_: &Process) -> Vec<String> {
    let mut said = box_.said();
    said.retain(|line| line.contains("WARN") || line.contains("ERROR"));
    said
}

#[tokio::test(flavor = "multi_thread")]
async fn two_boxes_from_one_card_both_say_so_once_and_the_hub_and_doctor_too() {
    let Some(broker) = Mosquitto::start().await else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let hub = dir.path().join("hub.toml");
    let text = format!(
        "[mqtt]\nurl = \"mqtt://{}\"\n[http]\nlisten = \"127.0.0.1:0\"\nfleet_token = \"{TOKEN}\"\n\
         [store]\nurl = \"sqlite:{}\"\n",
        broker.address(),
        dir.path().join("hub.db").display()
    );
    std::fs::write(&hub, text).unwrap();
    let hub = run("hub", &hub);
    let pages = hub.pages().await;
    let cards = ["one", "other"].map(|name| card(dir.path(), name, broker.address(), ""));
    let begin = Instant::now();
    let mut boxes = cards.each_ref().map(|card| run("node", card));
    for box_ in &boxes {
        eventually(PATIENCE, "a box notices", || {
            (box_.says("identity-shared") > 0).then_some(())
        })
        .await;
    }
    println!("noticed within {:?}", begin.elapsed());
    for (lang, words) in [
        ("ja", "同じ設定の端末が2台動いています"),
        ("en", "identity-shared"),
    ] {
        until(words, async || {
            let page = fleet(pages, lang).await;
            (page.contains(words) && page.contains("n1"))
                .then_some(())
                .ok_or(page)
        })
        .await;
    }
    // What an installer sees at either box.
    for card in &cards {
        let card = card.clone();
        let (code, said) = tokio::task::spawn_blocking(move || doctor(&card))
            .await
            .unwrap();
        assert!(said.contains("FAIL  identity chuo/n1"), "{said}");
        assert!(said.contains("一方の電源を切る"), "{said}");
        assert_eq!(code, Some(1));
    }
    // They have thrown each other out many times meanwhile, and the log does not tell of each.
    for box_ in &boxes {
        let said = warnings(box_);
        let with = |text: &str| said.iter().filter(|l| l.contains(text)).count();
        assert_eq!(with("identity-shared"), 1, "{said:#?}");
        assert!(with("no connection to MQTT broker") <= 1, "{said:#?}");
        assert!(with("unstable connection") <= 1, "{said:#?}");
        assert!(said.len() <= 5, "{said:#?}");
    }
    // A box that is switched off no longer says so to who looks at its files.
    boxes[0].kill();
    let (_, said) = tokio::task::spawn_blocking(move || doctor(&cards[0]))
        .await
        .unwrap();
    assert!(!said.contains("identity chuo/n1"), "{said}");
}

/// The machine's clock, and hours that are skipped.
#[derive(Clone, Default)]
struct Skipping(SystemClock, Arc<Mutex<Duration>>);

impl Skipping {
    fn skip(&self, by: Duration) {
        *self.1.lock().unwrap() += by;
    }
}

impl Clock for Skipping {
    fn now(&self) -> Now {
        let now = self.0.now();
        let by = *self.1.lock().unwrap();
        Now {
            mono: now.mono + by,
            wall: now.wall + by,
            ..now
        }
    }
}

/// The issues of the next health report that holds.
async fn health(reports: &mut Session, what: &str, wanted: impl Fn(&[Value]) -> bool) {
    let heard = async {
        loop {
            let message = next(reports).await;
            if !message.topic.ends_with("/health") {
                continue;
            }
            let health: Value = serde_json::from_slice(&message.payload).unwrap();
            if wanted(health["issues"].as_array().unwrap()) {
                return;
            }
        }
    };
    timeout(PATIENCE, heard).await.expect(what);
}

fn is_shared(issue: &Value) -> bool {
    issue["kind"] == "identity-shared"
}

#[tokio::test(flavor = "multi_thread")]
async fn the_issue_ends_by_itself_when_the_second_machine_is_gone() {
    let Some(broker) = Mosquitto::start().await else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let all = Subscription::new("yobiban/v1/chuo/node/n1/health");
    let mut reports = start(options(broker.address(), "reports").subscribe(all));
    up(&mut reports).await;
    let text = node_toml(broker.address(), "");
    let config = parse_node(&text, "node.toml", dir.path()).unwrap();
    let (clock, stop) = (Skipping::default(), CancellationToken::new());
    let node = tokio::spawn(services::node::run(
        config,
        Arc::new(clock.clone()),
        stop.clone(),
        Probe::default(),
    ));
    let other = card(dir.path(), "other", broker.address(), "");
    let mut other = run("node", &other);
    // Both, before one goes: who is alone cannot notice any more.
    let file = dir.path().join("store/identity.json");
    eventually(PATIENCE, "both notice", || {
        (other.says("identity-shared") > 0 && file.exists()).then_some(())
    })
    .await;
    other.kill();
    // From now on only the first one reports.
    health(&mut reports, "it is noticed", |issues| {
        issues.iter().any(is_shared)
    })
    .await;
    clock.skip(Duration::from_secs(91));
    health(&mut reports, "it ends", |issues| {
        !issues.iter().any(is_shared)
    })
    .await;
    eventually(LIMIT, "nothing is noted", || (!file.exists()).then_some(())).await;
    stop.cancel();
    node.await.unwrap().unwrap();
}

/// The next `n` runs of the program that say who they are.
async fn runs(reports: &mut Session, n: usize) -> Vec<Value> {
    let mut heard: Vec<Value> = Vec::new();
    let mut ids = BTreeSet::new();
    while ids.len() < n {
        let message = next(reports).await;
        let instance: Value = serde_json::from_slice(&message.payload).unwrap();
        ids.insert(instance["id"].as_str().unwrap().to_owned());
        heard.push(instance);
    }
    heard
}

#[tokio::test(flavor = "multi_thread")]
async fn a_box_that_restarts_and_one_with_a_bad_line_are_not_two() {
    let Some(broker) = Mosquitto::start().await else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let line = Proxy::to(broker.address()).await;
    let mut reports =
        start(options(broker.address(), "reports").subscribe(Subscription::new(INSTANCE)));
    up(&mut reports).await;
    let card = card(dir.path(), "one", line.address(), "");
    for polite in [true, false, true, false] {
        let mut node = run("node", &card);
        runs(&mut reports, 1).await;
        if polite {
            node.stop().await;
        } else {
            node.kill(); // its last will comes late, when the broker finds out
        }
        assert_eq!(node.says("identity-shared"), 0);
    }
    let node = run("node", &card);
    runs(&mut reports, 1).await;
    let came = || broker.log().matches(" as yobiban-chuo-n1 ").count();
    for _ in 0..3 {
        let (connections, sessions) = (line.connections(), came());
        line.set(Fault::Cut);
        eventually(PATIENCE, "it is thrown out and tries again", || {
            (line.connections() > connections).then_some(())
        })
        .await;
        line.set(Fault::None);
        eventually(PATIENCE, "it is back", || (came() > sessions).then_some(())).await;
    }
    assert_eq!(node.says("identity-shared"), 0, "{:#?}", node.said());
    assert!(warnings(&node).len() <= 3, "{:#?}", node.said());
    // What it said once is still what the broker has: nothing was said again.
    assert!(reports.inbox.try_recv().is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_works_where_the_access_list_does_not_let_it_read_its_instance() {
    let Some(broker) = Mosquitto::start_with(|dir| {
        let path = dir.join("acl");
        // As it was before there was that topic.
        let acl = "topic read yobiban/v1/chuo/feed/+\ntopic write yobiban/v1/chuo/node/n1/#\n\
                   user hub\ntopic read yobiban/v1/+/node/#\n";
        std::fs::write(&path, acl).unwrap();
        format!("allow_anonymous true\nacl_file {}\n", path.display())
    })
    .await
    else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let mut hub = options(broker.address(), "hub").subscribe(Subscription::new(INSTANCE));
    hub.broker.username = Some("hub".into());
    let mut hub = start(hub);
    up(&mut hub).await;
    let cards = ["one", "other"].map(|name| card(dir.path(), name, broker.address(), ""));
    let _boxes = cards.each_ref().map(|card| run("node", card));
    // They cannot notice, but whoever may read hears them take turns.
    let mut instances = yobiban::health::Instances::default();
    let clock = SystemClock::new();
    let begin = Instant::now();
    let taking_turns = async {
        while !instances.is_shared(clock.now()) {
            for heard in runs(&mut hub, 1).await {
                let (id, seq) = (
                    heard["id"].as_str().unwrap(),
                    heard["seq"].as_u64().unwrap(),
                );
                instances.hear(id, seq, clock.now());
            }
        }
    };
    timeout(PATIENCE, taking_turns)
        .await
        .expect("they take turns");
    println!("heard within {:?}", begin.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn two_boxes_with_client_ids_of_their_own_are_noticed_too() {
    let Some(broker) = Mosquitto::start().await else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let boxes = ["one", "other"].map(|name| {
        let card = card(dir.path(), name, broker.address(), "");
        let text = std::fs::read_to_string(&card).unwrap();
        let id = format!("[mqtt]\nclient_id = \"{name}\"");
        std::fs::write(&card, text.replacen("[mqtt]", &id, 1)).unwrap();
        load_node(&card).unwrap();
        run("node", &card)
    });
    for box_ in &boxes {
        eventually(PATIENCE, "a box notices", || {
            (box_.says("identity-shared") > 0).then_some(())
        })
        .await;
        assert_eq!(box_.says("no connection to MQTT broker"), 0);
    }
}

/// One packet of a client; all here are under 128 bytes.
async fn packet(socket: &mut tokio::net::TcpStream) -> Option<(u8, Vec<u8>)> {
    let kind = socket.read_u8().await.ok()?;
    let length = socket.read_u8().await.ok()?;
    let mut body = vec![0; length.into()];
    socket.read_exact(&mut body).await.ok()?;
    Some((kind, body))
}

#[tokio::test]
async fn the_brokers_word_that_a_session_was_taken_over_is_understood() {
    let line = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let options = options(line.local_addr().unwrap(), "client");
    let broker = tokio::spawn(async move {
        let (mut socket, _) = line.accept().await.unwrap();
        assert_eq!(packet(&mut socket).await.unwrap().0, 0x10);
        socket.write_all(&[0x20, 3, 0, 0, 0]).await.unwrap();
        socket.write_all(&[0xe0, 2, 0x8e, 0]).await.unwrap();
        // The next attempt finds nobody.
        socket.read_to_end(&mut Vec::new()).await.ok();
    });
    let mut session = start(options);
    let told = session
        .fault
        .wait_for(|f| *f == mqtt::Fault::SessionTakenOver);
    timeout(LIMIT, told).await.expect("told").unwrap();
    assert_eq!(session.stats.view().taken_over, 1);
    broker.await.unwrap();
}

#[tokio::test]
async fn a_broker_that_ends_lines_for_an_optional_subscription_is_not_asked_for_ever() {
    let line = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = line.local_addr().unwrap();
    let broker = tokio::spawn(async move {
        let mut ended = 0;
        'lines: loop {
            let (mut socket, _) = line.accept().await.unwrap();
            let mut asked = Vec::new();
            while let Some((kind, body)) = packet(&mut socket).await {
                let answer: &[u8] = match kind {
                    0x10 => &[0x20, 3, 0, 0, 0],
                    0x82 => {
                        asked.push(String::from_utf8_lossy(&body).into_owned());
                        if asked.iter().any(|f| f.contains("forbidden")) {
                            ended += 1;
                            continue 'lines; // dropped: the line ends
                        }
                        &[0x90, 4, body[0], body[1], 0, 1]
                    }
                    _ => &[],
                };
                socket.write_all(answer).await.unwrap();
                if asked.iter().any(|f| f.contains("news")) && kind == 0x82 {
                    socket
                        .write_all(b"\x30\x08\x00\x04news\x00!")
                        .await
                        .unwrap();
                    socket.read_to_end(&mut Vec::new()).await.ok();
                    return ended;
                }
            }
        }
    });
    let stop = CancellationToken::new();
    let options = options(address, "client")
        .subscribe(Subscription::optional("forbidden"))
        .subscribe(Subscription::new("news"));
    let mut session = mqtt::spawn(options, stop.clone());
    assert_eq!(next(&mut session).await.topic, "news");
    stop.cancel();
    assert_eq!(timeout(LIMIT, broker).await.unwrap().unwrap(), 5);
}

#[tokio::test]
async fn old_words_of_availability_are_those_of_today() {
    let Some(broker) = Mosquitto::start().await else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let topic = "yobiban/v1/chuo/node/n1/availability";
    let mut hub = start(options(broker.address(), "hub").subscribe(Subscription::new(topic)));
    up(&mut hub).await;
    let card = card(dir.path(), "one", broker.address(), "");
    let mut node = run("node", &card);
    assert_eq!(next(&mut hub).await.payload, "online", "for hubs of before");
    // What a second machine of a version before leaves behind disturbs nobody.
    let old = Publish::retained(INSTANCE, json!({"id": "old"}).to_string());
    hub.publisher.publish(old).await.unwrap();
    node.stop().await;
    assert_eq!(next(&mut hub).await.payload, "offline");
    assert_eq!(node.says("identity-shared"), 0);
    assert_eq!(node.says("panicked"), 0);
}
