//! Streams that end, fall silent, or are none.

use super::super::http::{Reply, TestServer};
use super::super::test_outlet::TestOutlet;
use super::*;
use crate::intake::{FaultKind, State};

const HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n";

fn config(server: &TestServer) -> SseConfig {
    SseConfig {
        access: Access::open(server.server.clone()),
        path: Secret::new("/api/events?key=verysecret"),
        events: Vec::new(),
        silent_after: Duration::from_secs(60),
        snapshot: None,
    }
}

fn start(config: SseConfig) -> TestOutlet {
    let (outlet, test) = TestOutlet::new();
    tokio::spawn(run(config, outlet));
    test
}

fn stream(text: &str) -> Vec<u8> {
    format!("{HEAD}retry: 250\n{text}").into_bytes()
}

#[tokio::test]
async fn events_come_with_their_names() {
    let server = TestServer::start(|_, request| {
        assert!(
            request.contains("accept: text/event-stream\r\n"),
            "{request}"
        );
        Reply::Hang(stream(
            ": hello\n\nevent: queue_update\ndata: {\"a\":1}\n\nevent: tts\ndata: 2\n\ndata: 3\n\n",
        ))
    })
    .await;
    let mut config = config(&server);
    config.events = vec!["queue_update".into(), "message".into()];
    let mut test = start(config);
    let first = test.next().await;
    assert_eq!(&first.payload[..], br#"{"a":1}"#);
    assert_eq!(
        first.detail,
        Detail::Event {
            name: "queue_update".into()
        }
    );
    let second = test.next().await;
    assert_eq!(&second.payload[..], b"3");
    assert_eq!(test.condition().state, State::Reachable);
}

#[tokio::test]
async fn a_stream_that_ends_continues_behind_its_last_event() {
    let server = TestServer::start(|n, request| {
        let last = request.contains(&format!("last-event-id: {n}\r\n"));
        assert!(
            n == 0 && !request.contains("last-event-id") || last,
            "{request}"
        );
        Reply::Close(stream(&format!("id: {}\ndata: {n}\n\ndata: half", n + 1)))
    })
    .await;
    let mut test = start(config(&server));
    for n in 0..3 {
        assert_eq!(test.text().await, n.to_string());
        assert_eq!(test.condition().state, State::Reachable, "that is no fault");
    }
}

#[tokio::test]
async fn the_whole_state_is_read_after_each_connection() {
    let server = TestServer::start(|n, request| {
        if request.starts_with("GET /api/state ") {
            return Reply::json(&n.to_string());
        }
        Reply::Close(stream("data: event\n\n"))
    })
    .await;
    let mut config = config(&server);
    config.snapshot = Some((Secret::new("/api/state"), Expected::Json));
    let mut test = start(config);
    for expected in ["1", "event", "3", "event"] {
        assert_eq!(test.text().await, expected);
    }
}

#[tokio::test]
async fn a_silent_stream_is_opened_again() {
    let server = TestServer::start(|n, _| match n {
        0 => Reply::Hang(stream("data: 1\n\n")),
        _ => Reply::Hang(stream("data: 2\n\n")),
    })
    .await;
    let mut config = config(&server);
    config.silent_after = Duration::from_millis(300);
    let mut test = start(config);
    assert_eq!(test.text().await, "1");
    let fault = test.fault().await;
    assert_eq!(fault.kind, FaultKind::Silent);
    assert!(
        fault
            .text
            .ends_with("nothing for 0.3 s: expected an event or a comment"),
        "{fault:?}"
    );
    assert_eq!(test.text().await, "2");
}

#[tokio::test]
async fn what_is_no_stream_is_a_fault_that_holds_nothing_of_it() {
    for (reply, expected) in [
        (
            Reply::json("{\"name\":\"Hanako\"}"),
            "answered application/json: expected text/event-stream",
        ),
        (
            Reply::of("302 Found", "location: /?verysecret\r\n", ""),
            "answered 302",
        ),
        (
            Reply::Close(HEAD.into()),
            "the stream ended before its first event",
        ),
        (Reply::Close(b"Hanako\r\n".to_vec()), "no HTTP answer"),
    ] {
        let server = TestServer::start(move |_, _| reply.clone()).await;
        let test = start(config(&server));
        let fault = test.fault().await;
        assert!(fault.text.contains(expected), "{fault:?}");
        assert!(
            !fault.text.contains("Hanako") && !fault.text.contains("verysecret"),
            "{fault:?}"
        );
    }
}

#[tokio::test]
async fn an_endless_event_is_left_out_in_bounded_memory() {
    let server = TestServer::start(|n, _| match n {
        0 => Reply::Endless(stream("data: "), vec![b'x'; 64 * 1024]),
        _ => Reply::Hang(stream("data: 1\n\n")),
    })
    .await;
    let mut test = start(config(&server));
    test.wait(
        "its end",
        |c| matches!(&c.state, State::Failing(f) if f.text.ends_with("MiB without an event")),
    )
    .await;
    assert_eq!(test.text().await, "1");

    let large = format!("data: {}\n\ndata: 2\n\n", "x".repeat(MAX_PAYLOAD + 1));
    let server = TestServer::start(move |_, _| Reply::Hang(stream(&large))).await;
    let mut test = start(config(&server));
    assert_eq!(test.text().await, "2");
    assert!(
        test.fault()
            .await
            .text
            .ends_with("an event is too large: expected at most 256 KiB")
    );
}
