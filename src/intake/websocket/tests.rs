//! WebSockets that speak, close, fall silent, or are none.

use super::super::http::{Expected, Reply, TestServer};
use super::super::test_outlet::TestOutlet;
use super::*;
use crate::intake::{FaultKind, MAX_PAYLOAD, MIN_EVERY, State};

fn config(server: &WebSocketServer) -> WebSocketConfig {
    WebSocketConfig {
        access: Access::open(server.server.clone()),
        path: Secret::new("/ws?key=verysecret"),
        send: Vec::new(),
        silent_after: Duration::from_secs(60),
        snapshot: None,
    }
}

fn start(config: WebSocketConfig) -> TestOutlet {
    let (outlet, test) = TestOutlet::new();
    tokio::spawn(run(config, outlet));
    test
}

fn send(text: &str) -> Step {
    Step::Send(text.into())
}

#[tokio::test]
async fn messages_come_after_a_subscription() {
    let server =
        WebSocketServer::start(|_| vec![Step::Expect("subscribe"), send("1"), send("2")]).await;
    let mut config = config(&server);
    config.send = vec![Secret::new("subscribe")];
    let mut test = start(config);
    let arrival = test.next().await;
    assert_eq!(
        arrival.detail,
        Detail::Event {
            name: "message".into()
        }
    );
    assert_eq!(test.text().await, "2");
    let origin = format!("http://{}", server.server.name());
    assert_eq!(server.heads(), [format!("/ws?key=verysecret {origin} -")]);
}

#[tokio::test]
async fn a_connection_that_was_closed_is_opened_again_and_the_state_is_read() {
    let server =
        WebSocketServer::start(|n| vec![Step::Send(format!("event {n}")), Step::Close]).await;
    let state = TestServer::start(|_, _| Reply::json("\"state\"")).await;
    let mut config = config(&server);
    config.snapshot = Some(HttpConfig {
        access: Access::open(state.server.clone()),
        path: Secret::new("/state"),
        every: MIN_EVERY,
        expect: Expected::Json,
    });
    let mut test = start(config);
    for n in 0..2 {
        assert_eq!(test.text().await, "\"state\"");
        assert_eq!(test.text().await, format!("event {n}"));
        assert_eq!(test.condition().state, State::Reachable, "that is no fault");
    }
}

#[tokio::test]
async fn a_quiet_server_that_answers_pings_is_not_silent() {
    let server = WebSocketServer::start(|_| Vec::new()).await;
    let mut config = config(&server);
    config.silent_after = Duration::from_millis(200);
    let test = start(config);
    test.wait("a contact", |c| c.last_contact.is_some()).await;
    for _ in 0..3 {
        test.clock.advance(Duration::from_secs(1));
        let before = test.condition().last_contact;
        test.wait("the answer to a ping", |c| c.last_contact != before)
            .await;
    }
    assert_eq!(server.heads().len(), 1, "one connection");
}

#[tokio::test]
async fn a_silent_server_is_a_fault() {
    let server = WebSocketServer::start(|n| match n {
        0 => vec![Step::Hang],
        _ => vec![send("2")],
    })
    .await;
    let mut config = config(&server);
    config.silent_after = Duration::from_millis(300);
    let mut test = start(config);
    let fault = test.fault().await;
    assert_eq!(fault.kind, FaultKind::Silent);
    assert!(fault.text.contains("nothing for 0.3 s"), "{fault:?}");
    assert_eq!(test.text().await, "2");
}

#[tokio::test]
async fn a_message_that_is_too_large_is_a_fault() {
    let server = WebSocketServer::start(|_| vec![Step::Send("x".repeat(MAX_PAYLOAD + 1))]).await;
    let fault = start(config(&server)).fault().await;
    assert!(
        fault
            .text
            .ends_with("a message is too large: expected at most 256 KiB"),
        "{fault:?}"
    );
}

#[tokio::test]
async fn what_is_no_websocket_is_a_fault_that_holds_nothing_of_it() {
    for (reply, expected) in [
        (
            Reply::of("400 Bad Request", "", "Hanako"),
            "answered 400: expected 101",
        ),
        (
            Reply::of("302 Found", "location: /?verysecret\r\n", ""),
            "answered 302",
        ),
        (Reply::json("\"Hanako\""), "answered 200: expected 101"),
        (
            Reply::Close(b"Hanako\r\n\r\n".to_vec()),
            "not the WebSocket protocol",
        ),
        (Reply::Hang(Vec::new()), "no whole answer within 0.5 s"),
    ] {
        let server = TestServer::start(move |_, _| reply.clone()).await;
        let mut access = Access::open(server.server.clone());
        access.timeout = Duration::from_millis(500);
        let test = start(WebSocketConfig {
            access,
            path: Secret::new("/?verysecret"),
            send: Vec::new(),
            silent_after: Duration::from_secs(60),
            snapshot: None,
        });
        let fault = test.fault().await;
        assert!(
            fault.text.contains(expected),
            "{fault:?}: expected {expected}"
        );
        assert!(
            !fault.text.contains("Hanako") && !fault.text.contains("verysecret"),
            "{fault:?}"
        );
    }
}
