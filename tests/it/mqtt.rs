//! Sessions against a real broker, Mosquitto, and at the in-process broker.

use crate::support::mosquitto::Mosquitto;
pub use crate::support::sessions::{config, options, start, up};
use crate::support::{eventually, free_port};
use bytes::Bytes;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use yobiban::mqtt::{
    self, Availability, ConnectionState, LocalBroker, Message, Publish, PublishError, Session,
    SessionOptions, Subscription, Version,
};

pub const LIMIT: Duration = crate::support::PATIENCE;

pub async fn reason(session: &mut Session, part: &str) -> String {
    let says = |link: &ConnectionState| matches!(link, ConnectionState::Disconnected { reason } if reason.contains(part));
    let link = timeout(LIMIT, session.connection.wait_for(says))
        .await
        .map(|l| format!("{l:?}"));
    link.unwrap_or_else(|_| panic!("{:?} instead of {part}", session.connection.borrow()))
}

pub async fn next(session: &mut Session) -> Message {
    timeout(LIMIT, session.inbox.recv())
        .await
        .expect("a message in time")
        .expect("a session")
}

/// The next message on this topic.
pub async fn next_on(session: &mut Session, topic: &str) -> Bytes {
    loop {
        let message = next(session).await;
        if message.topic == topic {
            return message.payload;
        }
    }
}

/// What any broker must do with a session.
async fn round_trip(options: impl Fn(&str) -> SessionOptions) {
    let mut early = start(options("early"));
    up(&mut early).await;
    early
        .publisher
        .publish(Publish::retained("t/kept", "1"))
        .await
        .unwrap();

    let mut late = start(options("late").subscribe(Subscription::new("t/#")));
    assert_eq!(up(&mut late).await, Version::V5);
    let kept = next(&mut late).await;
    assert_eq!(
        (kept.topic.as_str(), &*kept.payload, kept.retain),
        ("t/kept", &b"1"[..], true)
    );

    for i in 0..200u32 {
        let confirmation = early
            .publisher
            .enqueue(Publish::new("t/live", i.to_string()))
            .await;
        if i % 50 == 49 {
            confirmation.unwrap().wait().await.unwrap();
        }
    }
    for i in 0..200u32 {
        let live = next(&mut late).await;
        assert_eq!(
            live.payload,
            i.to_string().into_bytes(),
            "in order, each once"
        );
        assert!(!live.retain);
    }
    assert_eq!(late.stats.view().received, 201);
}

#[tokio::test]
async fn messages_go_through_the_exchange_in_the_process() {
    let local_broker = LocalBroker::new();
    round_trip(|id| options(([127, 0, 0, 1], 0).into(), id).on_local_broker(Some(&local_broker)))
        .await;
}

#[tokio::test]
async fn messages_go_through_mosquitto() {
    let Some(broker) = Mosquitto::start().await else {
        return;
    };
    round_trip(|id| options(broker.address(), id)).await;
}

#[tokio::test]
async fn a_broker_that_forgot_everything_is_complete_again_after_its_restart() {
    let Some(mut broker) = Mosquitto::start().await else {
        return;
    };
    let mut node = start(options(broker.address(), "node").subscribe(Subscription::new("feed/+")));
    up(&mut node).await;
    node.publisher.publish_latest("picture", "first");
    node.publisher.publish_latest("numbers", "first");
    let mut hub = start(
        options(broker.address(), "hub")
            .subscribe(Subscription::new("picture"))
            .subscribe(Subscription::new("numbers")),
    );
    assert_eq!(next_on(&mut hub, "numbers").await, "first");

    broker.kill();
    reason(&mut node, "").await;
    node.publisher.publish_latest("numbers", "second");
    broker.run().await;
    // The hub subscribes again by itself; picture comes before the numbers that name it.
    let mut seen = Vec::new();
    while seen.last().is_none_or(|m: &Message| m.topic != "numbers") {
        seen.push(next(&mut hub).await);
    }
    assert_eq!(seen.last().unwrap().payload, "second");
    assert!(seen.iter().any(|m| m.topic == "picture"), "{seen:?}");

    let mut source = start(options(broker.address(), "source"));
    up(&mut source).await;
    source
        .publisher
        .publish(Publish::retained("feed/a", "state"))
        .await
        .unwrap();
    assert_eq!(next_on(&mut node, "feed/a").await, "state");
    assert!(node.stats.view().sessions >= 2);
}

#[tokio::test]
async fn others_learn_when_a_client_comes_stops_and_dies() {
    let Some(broker) = Mosquitto::start().await else {
        return;
    };
    let mut viewer =
        start(options(broker.address(), "viewer").subscribe(Subscription::new("there")));
    up(&mut viewer).await;
    let client = || {
        let mut options = options(broker.address(), "client");
        options.availability = Some(Availability {
            topic: "there".into(),
            online: "online".into(),
            offline: "offline".into(),
        });
        options
    };

    let stop = CancellationToken::new();
    let polite = mqtt::spawn(client(), stop.clone());
    assert_eq!(next(&mut viewer).await.payload, "online");
    stop.cancel();
    timeout(LIMIT, polite.task)
        .await
        .expect("stops in time")
        .unwrap();
    assert_eq!(next(&mut viewer).await.payload, "offline");

    let dead = start(client());
    assert_eq!(next(&mut viewer).await.payload, "online");
    dead.task.abort();
    assert_eq!(next(&mut viewer).await.payload, "offline");
}

#[tokio::test]
async fn what_a_receiver_did_not_acknowledge_comes_again() {
    let Some(broker) = Mosquitto::start().await else {
        return;
    };
    let hub = || {
        let mut options = options(broker.address(), "hub")
            .subscribe(Subscription::with_manual_ack("calls"))
            .subscribe(Subscription::new("numbers"));
        options.session_expiry = Some(Duration::from_secs(60));
        options
    };
    let mut first = start(hub());
    up(&mut first).await;
    let mut node = start(options(broker.address(), "node"));
    up(&mut node).await;
    for call in ["1", "2", "3"] {
        node.publisher
            .publish(Publish::new("calls", call))
            .await
            .unwrap();
    }
    node.publisher
        .publish(Publish::new("numbers", "x"))
        .await
        .unwrap();
    let mut one = next_on(&mut first, "calls").await;
    assert_eq!(one, "1");
    one = next_on(&mut first, "numbers").await;
    assert_eq!(one, "x");
    first.task.abort();
    let _ = first.task.await;
    // Published while the hub is away: kept for it.
    node.publisher
        .publish(Publish::new("calls", "4"))
        .await
        .unwrap();

    let mut second = start(hub());
    for call in ["1", "2", "3", "4"] {
        let mut message = next(&mut second).await;
        assert_eq!(
            (message.topic.as_str(), &*message.payload),
            ("calls", call.as_bytes())
        );
        message.ack();
    }
    node.publisher
        .publish(Publish::new("calls", "5"))
        .await
        .unwrap();
    assert_eq!(next(&mut second).await.payload, "5");
}

#[tokio::test]
async fn a_full_inbox_slows_the_broker_down_and_loses_nothing() {
    let Some(broker) = Mosquitto::start().await else {
        return;
    };
    let mut slow = options(broker.address(), "slow").subscribe(Subscription::new("t"));
    (slow.inbox, slow.receive_maximum) = (2, 4);
    let mut slow = start(slow);
    up(&mut slow).await;
    let mut fast = start(options(broker.address(), "fast"));
    up(&mut fast).await;
    for i in 0..300u32 {
        fast.publisher
            .publish(Publish::new("t", i.to_string()))
            .await
            .unwrap();
    }
    for i in 0..300u32 {
        assert_eq!(next(&mut slow).await.payload, i.to_string().into_bytes());
    }
    assert_eq!(slow.stats.view().sessions, 1);
}

#[tokio::test]
async fn a_refused_password_is_said_in_words() {
    let Some(broker) = Mosquitto::start_with(|dir| {
        let file = dir.join("passwords");
        std::fs::write(&file, "").unwrap();
        format!("allow_anonymous false\npassword_file {}\n", file.display())
    })
    .await
    else {
        return;
    };
    let mut options = options(broker.address(), "client");
    options.broker.username = Some("chuo".into());
    options.broker.password = Some(yobiban::config::Secret::new("wrong"));
    let mut session = start(options);
    let said = reason(&mut session, "user name").await;
    assert!(!said.contains("wrong"), "{said}");
}

/// A broker of MQTT 5 that speaks only of the subscription: refuses it so many times, then takes it
/// and sends a message. How often it was asked.
async fn refuses(line: tokio::net::TcpListener, times: usize) -> usize {
    let (mut socket, _) = line.accept().await.unwrap();
    let mut asked = 0;
    loop {
        let kind = socket.read_u8().await.unwrap();
        let length = socket.read_u8().await.unwrap(); // all packets here are under 128 bytes
        let mut body = vec![0; length.into()];
        socket.read_exact(&mut body).await.unwrap();
        let answer: &[u8] = match kind {
            0x10 => &[0x20, 3, 0, 0, 0],
            0x82 if asked < times => {
                asked += 1;
                &[0x90, 4, body[0], body[1], 0, 0x83] // implementation specific error
            }
            0x82 => {
                let taken = [0x90, 4, body[0], body[1], 0, 1];
                socket.write_all(&taken).await.unwrap();
                let news = b"\x30\x08\x00\x04news\x00!";
                socket.write_all(news).await.unwrap();
                // The session is read to its end, so that nothing is lost on the way.
                let _ = socket.read_to_end(&mut Vec::new()).await;
                return asked + 1;
            }
            _ => &[],
        };
        socket.write_all(answer).await.unwrap();
    }
}

#[tokio::test]
async fn a_subscription_that_is_refused_is_asked_for_again() {
    let line = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let options = options(line.local_addr().unwrap(), "client");
    let broker = tokio::spawn(refuses(line, 3));
    let stop = CancellationToken::new();
    let mut session = mqtt::spawn(options.subscribe(Subscription::new("news")), stop.clone());
    let message = next(&mut session).await;
    assert_eq!(
        (message.topic.as_str(), &*message.payload),
        ("news", &b"!"[..])
    );
    assert_eq!(session.stats.view().sessions, 1, "on the same line");
    stop.cancel();
    assert_eq!(timeout(LIMIT, broker).await.unwrap().unwrap(), 4);
}

#[tokio::test]
async fn a_dead_broker_never_makes_a_publisher_wait() {
    // A listener that accepts and never answers, and a port where nobody listens.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let closed = SocketAddr::from(([127, 0, 0, 1], free_port()));
    for address in [silent.local_addr().unwrap(), closed] {
        let mut options = options(address, "client");
        options.queue = 4;
        let stop = CancellationToken::new();
        let session = mqtt::spawn(options, stop.clone());
        for i in 0..10_000u32 {
            session.publisher.publish_latest("numbers", i.to_string());
        }
        let full = (0..10).filter(|_| {
            let result = session.publisher.try_enqueue(Publish::new("calls", "x"));
            matches!(result, Err(PublishError::Full))
        });
        assert_eq!(full.count(), 6);
        assert_eq!(session.stats.view().replaced, 9_999);
        stop.cancel();
        timeout(LIMIT, session.task)
            .await
            .expect("stops in time")
            .unwrap();
    }
}

/// A way to a broker that counts the bytes which went on to it.
async fn counted(broker: SocketAddr) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, passed) = (
        listener.local_addr().unwrap(),
        Arc::<AtomicUsize>::default(),
    );
    let count = Arc::clone(&passed);
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let Ok(server) = tokio::net::TcpStream::connect(broker).await else {
                continue; // dropped: the client sees the end of the connection
            };
            let count = Arc::clone(&count);
            tokio::spawn(async move {
                let (mut from_client, mut to_client) = client.into_split();
                let (mut from_server, mut to_server) = server.into_split();
                let there = async {
                    let mut bytes = [0; 1024];
                    while let Ok(n @ 1..) = from_client.read(&mut bytes).await {
                        if to_server.write_all(&bytes[..n]).await.is_err() {
                            break;
                        }
                        count.fetch_add(n, Ordering::Relaxed);
                    }
                };
                tokio::select! {
                    () = there => {}
                    _ = tokio::io::copy(&mut from_server, &mut to_client) => {}
                }
            });
        }
    });
    (address, passed)
}

#[tokio::test]
async fn what_was_under_way_when_the_line_broke_is_answered() {
    let Some(mut broker) = Mosquitto::start().await else {
        return;
    };
    let (line, passed) = counted(broker.address()).await;
    let mut session = start(options(line, "client"));
    up(&mut session).await;
    broker.freeze(true);
    let before = passed.load(Ordering::Relaxed);
    let mut answers = Vec::new();
    for _ in 0..3 {
        answers.push(
            session
                .publisher
                .enqueue(Publish::new("t", "x"))
                .await
                .unwrap(),
        );
    }
    let one_more = Publish::new("t", vec![0; 100]);
    let rest = session.publisher.enqueue(one_more).await.unwrap();
    // Three packets of 8 bytes and one of 107 at least: the line has them all.
    eventually(LIMIT, "all are under way", || {
        passed.load(Ordering::Relaxed) >= before + 131
    })
    .await;
    broker.kill();
    for answer in answers {
        assert_eq!(
            timeout(LIMIT, answer.wait()).await.unwrap(),
            Err(PublishError::Lost)
        );
    }
    assert_eq!(
        timeout(LIMIT, rest.wait()).await.unwrap(),
        Err(PublishError::Lost)
    );
    // What is queued from now on goes out on the next session.
    let kept = session
        .publisher
        .enqueue(Publish::new("t", "y"))
        .await
        .unwrap();
    broker.run().await;
    assert_eq!(timeout(LIMIT, kept.wait()).await.unwrap(), Ok(()));
}

#[tokio::test]
async fn too_large_a_message_is_refused_alone() {
    let Some(broker) =
        Mosquitto::start_with(|_| "allow_anonymous true\nmax_packet_size 2000\n".into()).await
    else {
        return;
    };
    let mut session = start(options(broker.address(), "client"));
    up(&mut session).await;
    let large = session
        .publisher
        .publish(Publish::new("t", vec![0; 5000]))
        .await;
    assert_eq!(large, Err(PublishError::Unacceptable(5000)));
    let wild = session.publisher.publish(Publish::new("t/#", "x")).await;
    assert_eq!(wild, Err(PublishError::Unacceptable(1)));
    assert_eq!(
        session.publisher.publish(Publish::new("t", "x")).await,
        Ok(())
    );
    assert_eq!(session.stats.view().sessions, 1);
}
