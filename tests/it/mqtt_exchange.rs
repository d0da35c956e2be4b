//! The in-process broker behaves as a real one: each case is played at both.

use crate::mqtt::{LIMIT, next, options, start, up};
use crate::support::mosquitto::Mosquitto;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use yobiban::clock::SystemClock;
use yobiban::demo::{self, DemoArgs};
use yobiban::mqtt::{
    self, Availability, LocalBroker, Message, Publish, Session, SessionOptions, Subscription,
};

/// Where clients meet.
enum Place {
    Within(LocalBroker),
    Broker(SocketAddr),
}

impl Place {
    fn options(&self, id: &str) -> SessionOptions {
        match self {
            Self::Within(local_broker) => {
                options(([127, 0, 0, 1], 0).into(), id).on_local_broker(Some(local_broker))
            }
            Self::Broker(address) => options(*address, id),
        }
    }
}

/// What is done in a case, in order; everybody but the publisher has a name.
enum Step {
    /// Somebody comes, with filters, and perhaps a topic that says `here` and `gone`.
    Come(&'static str, &'static [&'static str], Option<&'static str>),
    /// The publisher sends topic and payload and learns whether anybody has subscribed.
    Send(&'static str, &'static str, bool),
    /// As `Send`, to be kept.
    Keep(&'static str, &'static str, bool),
    /// Somebody goes, with a goodbye.
    Go(&'static str),
    /// Somebody is gone at once.
    Die(&'static str),
    /// What somebody has heard since, in order: topic, payload, and ` kept` when the broker had it.
    Hears(&'static str, &'static [&'static str]),
}

use Step::{Come, Die, Go, Hears, Keep, Send};

const CASES: &[(&str, &[Step])] = &[
    (
        "what is kept comes to each who subscribes later, the newest alone",
        &[
            Keep("a/b", "1", false),
            Keep("a/b", "2", false),
            Send("a/c", "3", false),
            Come("late", &["a/#"], None),
            Hears("late", &["a/b=2 kept"]),
            Come("later", &["a/+"], None),
            Hears("later", &["a/b=2 kept"]),
        ],
    ),
    (
        "an empty payload takes away what is kept, and is heard by who is there",
        &[
            Come("early", &["a/b"], None),
            Keep("a/b", "1", true),
            Keep("a/b", "", true),
            Come("late", &["a/b"], None),
            Hears("late", &[]),
            Hears("early", &["a/b=1", "a/b="]),
        ],
    ),
    (
        "what is not kept leaves what is",
        &[
            Keep("a/b", "1", false),
            Send("a/b", "2", false),
            Come("late", &["a/b"], None),
            Hears("late", &["a/b=1 kept"]),
        ],
    ),
    (
        "plus is one level, hash is all below and the level itself",
        &[
            Come("plus", &["a/+/c"], None),
            Come("hash", &["a/#"], None),
            Come("all", &["#"], None),
            Send("a/b/c", "1", true),
            Send("a//c", "2", true),
            Send("a/b/b/c", "3", true),
            Send("a", "4", true),
            Send("ab", "5", true),
            Send("/a", "6", true),
            Hears("plus", &["a/b/c=1", "a//c=2"]),
            Hears("hash", &["a/b/c=1", "a//c=2", "a/b/b/c=3", "a=4"]),
            Hears(
                "all",
                &["a/b/c=1", "a//c=2", "a/b/b/c=3", "a=4", "ab=5", "/a=6"],
            ),
        ],
    ),
    (
        "topics of any script",
        &[
            Keep("呼番/中央区", "1", false),
            Come("one", &["呼番/+"], None),
            Send("呼番/稲毛区", "2", true),
            Hears("one", &["呼番/中央区=1 kept", "呼番/稲毛区=2"]),
        ],
    ),
    (
        "two filters of one client that leave nothing out together",
        &[
            Keep("a/b", "1", false),
            Come("one", &["a/+", "c/+"], None),
            Send("c/d", "2", true),
            Send("e/f", "3", false),
            Hears("one", &["a/b=1 kept", "c/d=2"]),
        ],
    ),
    (
        "who goes says so, who dies is said to be gone, and both are kept",
        &[
            Come("watch", &["there/+"], None),
            Come("one", &[], Some("there/one")),
            Hears("watch", &["there/one=here"]),
            Go("one"),
            Hears("watch", &["there/one=gone"]),
            Come("other", &[], Some("there/other")),
            Hears("watch", &["there/other=here"]),
            Die("other"),
            Hears("watch", &["there/other=gone"]),
            Come("late", &["there/#"], None),
            Hears("late", &["there/one=gone kept", "there/other=gone kept"]),
        ],
    ),
    (
        "who is gone hears nothing and nothing waits for him",
        &[
            Come("one", &["a"], None),
            Go("one"),
            Send("a", "1", false),
            Come("one", &["a"], None),
            Send("a", "2", true),
            Hears("one", &["a=2"]),
        ],
    ),
];

/// Somebody in a case.
struct Client {
    session: Session,
    stop: CancellationToken,
    heard: Vec<Message>,
}

impl Client {
    /// Everything up to the message that is sent to this client alone.
    async fn hear_to_the_end(&mut self, name: &str) {
        let end = format!("end/{name}");
        loop {
            let message = next(&mut self.session).await;
            if message.topic == end {
                break;
            }
            self.note(message);
        }
    }

    /// Who wants everything hears what is sent to the others alone as well.
    fn note(&mut self, message: Message) {
        if !message.topic.starts_with("end/") {
            self.heard.push(message);
        }
    }
}

async fn come(place: &Place, name: &str, filters: &[&str], there: Option<&str>) -> Client {
    let mut options = place.options(name);
    let end = format!("end/{name}");
    for filter in filters.iter().copied().chain([end.as_str()]) {
        options = options.subscribe(Subscription::new(filter));
    }
    options.availability = there.map(|topic| Availability {
        topic: topic.into(),
        online: "here".into(),
        offline: "gone".into(),
    });
    let stop = CancellationToken::new();
    let mut session = mqtt::spawn(options, stop.clone());
    up(&mut session).await;
    Client {
        session,
        stop,
        heard: Vec::new(),
    }
}

/// Everything that a client has heard when a message to it alone arrives.
async fn heard(publisher: &Session, name: &str, client: &mut Client, least: usize) -> Vec<String> {
    // What the broker finds out by itself may come after what is sent meanwhile.
    while client.heard.len() < least {
        let message = next(&mut client.session).await;
        client.note(message);
    }
    assert!(send(publisher, Publish::new(format!("end/{name}"), "")).await);
    client.hear_to_the_end(name).await;
    let mut all: Vec<_> = client
        .heard
        .drain(..)
        .map(|m| {
            let text = String::from_utf8_lossy(&m.payload).into_owned();
            let kept = if m.retain { " kept" } else { "" };
            format!("{}={text}{kept}", m.topic)
        })
        .collect();
    // What was kept comes in an order of the broker's own.
    let kept = all.iter().take_while(|m| m.ends_with(" kept")).count();
    all[..kept].sort();
    all
}

async fn send(publisher: &Session, publish: Publish) -> bool {
    let sent = publisher.publisher.enqueue(publish).await.unwrap();
    timeout(LIMIT, sent.has_subscribers())
        .await
        .unwrap()
        .unwrap()
}

/// Until the broker knows that a client is gone: its goodbye comes on another connection than what is
/// sent next.
async fn gone(publisher: &Session, name: &str) {
    while send(publisher, Publish::new(format!("end/{name}"), "")).await {
        tokio::task::yield_now().await;
    }
}

async fn play(place: &Place, case: &str, steps: &[Step]) {
    let mut publisher = start(place.options("publisher"));
    up(&mut publisher).await;
    let mut clients: BTreeMap<&str, Client> = BTreeMap::new();
    for step in steps {
        match *step {
            Come(name, filters, there) => {
                let mut client = come(place, name, filters, there).await;
                // Its last filter is taken when somebody hears this.
                while !send(&publisher, Publish::new(format!("end/{name}"), "")).await {
                    tokio::task::yield_now().await;
                }
                client.hear_to_the_end(name).await;
                clients.insert(name, client);
            }
            Send(topic, text, expected) => {
                let known = send(&publisher, Publish::new(topic, text)).await;
                assert_eq!(known, expected, "{case}: {topic}");
            }
            Keep(topic, text, expected) => {
                let known = send(&publisher, Publish::retained(topic, text)).await;
                assert_eq!(known, expected, "{case}: {topic}");
            }
            Go(name) => {
                let client = clients.remove(name).unwrap();
                client.stop.cancel();
                timeout(LIMIT, client.session.task).await.unwrap().unwrap();
                gone(&publisher, name).await;
            }
            Die(name) => {
                let client = clients.remove(name).unwrap();
                client.session.task.abort();
                gone(&publisher, name).await;
            }
            Hears(name, expected) => {
                let client = clients.get_mut(name).unwrap();
                let found = heard(&publisher, name, client, expected.len()).await;
                assert_eq!(found, expected, "{case}: {name}");
            }
        }
    }
}

#[tokio::test]
async fn the_exchange_does_what_the_table_says() {
    for (case, steps) in CASES {
        play(&Place::Within(LocalBroker::new()), case, steps).await;
    }
}

#[tokio::test]
async fn mosquitto_does_what_the_table_says_of_the_exchange() {
    for (case, steps) in CASES {
        let Some(broker) = Mosquitto::start().await else {
            return;
        };
        play(&Place::Broker(broker.address()), case, steps).await;
    }
}

/// Two with one name: the first is thrown out, and said to be gone.
async fn the_second_takes_the_place(place: &Place) {
    let mut watch = start(place.options("watch").subscribe(Subscription::new("there")));
    up(&mut watch).await;
    let client = || {
        let mut options = place.options("node");
        options.backoff = (Duration::from_secs(3600), Duration::from_secs(3600));
        options.availability = Some(Availability {
            topic: "there".into(),
            online: "here".into(),
            offline: "gone".into(),
        });
        options
    };
    let mut first = start(client());
    up(&mut first).await;
    assert_eq!(next(&mut watch).await.payload, "here");
    let mut second = start(client());
    up(&mut second).await;
    crate::mqtt::reason(&mut first, "").await;
    let mut said = [
        next(&mut watch).await.payload,
        next(&mut watch).await.payload,
    ];
    said.sort();
    assert_eq!(said, ["gone", "here"]);
}

#[tokio::test]
async fn a_client_whose_name_comes_again_is_thrown_out_within_the_process() {
    the_second_takes_the_place(&Place::Within(LocalBroker::new())).await;
}

#[tokio::test]
async fn a_client_whose_name_comes_again_is_thrown_out_by_mosquitto() {
    let Some(broker) = Mosquitto::start().await else {
        return;
    };
    the_second_takes_the_place(&Place::Broker(broker.address())).await;
}

/// Real boards listen to the usual topics: a demo at their broker must not reach them.
#[tokio::test(flavor = "multi_thread")]
async fn a_demo_at_a_broker_has_topics_of_its_own() {
    let Some(broker) = Mosquitto::start().await else {
        return;
    };
    let mut all = start(options(broker.address(), "all").subscribe(Subscription::new("#")));
    up(&mut all).await;
    let args = DemoArgs {
        listen: ([127, 0, 0, 1], 0).into(),
        mqtt: Some(broker.address()),
        speed: 60.0,
        for_: None,
        seed: 1,
        out: None,
    };
    let stop = CancellationToken::new();
    let played = {
        let stop = stop.clone();
        tokio::spawn(async move {
            let mut out = Vec::new();
            let clock = Arc::new(SystemClock::new());
            demo::run(args, clock, &mut out, stop).await.unwrap();
            String::from_utf8(out).unwrap()
        })
    };
    let (mut fed, mut reported) = (false, false);
    while !(fed && reported) {
        let message = next(&mut all).await;
        assert!(
            message.topic.starts_with("yobiban-demo/v1/"),
            "{}",
            message.topic
        );
        fed |= message.topic.contains("/feed/");
        reported |= message.topic.ends_with("/numbers");
    }
    stop.cancel();
    let out = timeout(LIMIT, played).await.unwrap().unwrap();
    assert!(out.contains("boards in "), "{out}");
}

#[tokio::test]
async fn a_demo_at_another_machines_broker_is_refused() {
    let args = DemoArgs {
        listen: ([127, 0, 0, 1], 0).into(),
        mqtt: Some(([192, 0, 2, 7], 1883).into()),
        speed: 60.0,
        for_: None,
        seed: 1,
        out: None,
    };
    let clock = Arc::new(SystemClock::new());
    let refused = demo::run(args, clock, &mut Vec::new(), CancellationToken::new()).await;
    let error = refused.unwrap_err().to_string();
    assert!(
        error.contains("192.0.2.7:1883") && error.contains("on this machine"),
        "{error}"
    );
}
