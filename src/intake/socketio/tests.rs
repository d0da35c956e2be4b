//! Servers that nudge, that send, and that speak something else.

use super::super::http::{Expected, Reply, TestServer};
use super::super::test_outlet::TestOutlet;
use super::super::websocket::{Step, WebSocketServer};
use super::*;
use crate::intake::FaultKind;

fn config(server: &WebSocketServer) -> SocketIoConfig {
    SocketIoConfig {
        access: Access::open(server.server.clone()),
        path: Secret::new("/api/v1/socket.io/"),
        namespace: "/".into(),
        emit: vec![Secret::new(r#"["joinSmartboardRoom",{"office_id":999}]"#)],
        on: vec!["citizen_invited".into()],
        fetch: None,
    }
}

fn start(config: SocketIoConfig) -> TestOutlet {
    let (outlet, test) = TestOutlet::new();
    tokio::spawn(run(config, outlet));
    test
}

fn send(text: &str) -> Step {
    Step::Send(text.into())
}

/// What each connection begins with.
fn handshake() -> Vec<Step> {
    vec![
        send(r#"0{"sid":"a","upgrades":[],"pingInterval":25000,"pingTimeout":20000}"#),
        Step::Expect("40"),
        send(r#"40{"sid":"b"}"#),
        Step::Expect(r#"42["joinSmartboardRoom",{"office_id":999}]"#),
    ]
}

fn then(steps: &[Step]) -> Vec<Step> {
    [handshake(), steps.to_vec()].concat()
}

#[tokio::test]
async fn events_bring_their_arguments() {
    let server = WebSocketServer::start(|_| {
        then(&[
            send("2"),
            Step::Expect("3"),
            send(r#"42["other",0]"#),
            send(r#"42["citizen_invited",{"ticket":"A4"}]"#),
            send(r#"42["citizen_invited",1,2]"#),
        ])
    })
    .await;
    let mut test = start(config(&server));
    let arrival = test.next().await;
    assert_eq!(&arrival.payload[..], br#"{"ticket":"A4"}"#);
    assert_eq!(
        arrival.detail,
        Detail::Event {
            name: "citizen_invited".into()
        }
    );
    assert_eq!(test.text().await, "[1,2]");
    let origin = format!("http://{}", server.server.name());
    let head = format!("/api/v1/socket.io/?EIO=4&transport=websocket {origin} -");
    assert_eq!(server.heads(), [head]);
}

#[tokio::test]
async fn a_nudge_asks_for_the_state() {
    let server = WebSocketServer::start(|_| {
        let nudge = send(r#"42["citizen_invited",{}]"#);
        then(&[send("2"), Step::Expect("3"), nudge.clone(), nudge])
    })
    .await;
    let state = TestServer::start(|n, _| Reply::json(&n.to_string())).await;
    let mut config = config(&server);
    config.fetch = Some(HttpConfig {
        access: Access::open(state.server.clone()),
        path: Secret::new("/api/v1/smartboard/?office_number=999"),
        every: Duration::from_secs(600),
        expect: Expected::Json,
    });
    let mut test = start(config);
    assert_eq!(test.text().await, "0");
    assert_eq!(test.text().await, "1");
    assert!(
        state.requests().len() <= 3,
        "nudges at once are one request"
    );
}

#[tokio::test]
async fn a_lost_connection_is_opened_again_and_the_state_read() {
    let server = WebSocketServer::start(|n| match n {
        0 => then(&[send("41"), Step::Close]),
        _ => handshake(),
    })
    .await;
    let state = TestServer::start(|n, _| Reply::json(&n.to_string())).await;
    let mut config = config(&server);
    config.fetch = Some(HttpConfig {
        access: Access::open(state.server.clone()),
        path: Secret::new("/"),
        every: MIN_EVERY,
        expect: Expected::Json,
    });
    let mut test = start(config);
    while server.heads().len() < 2 {
        test.text().await; // before the first connection was closed, or after the second was opened
    }
    test.text().await;
}

#[tokio::test]
async fn what_is_no_socket_io_is_a_fault_that_holds_nothing_of_it() {
    for (steps, expected) in [
        (vec![send("Hanako")], "not the Socket.IO protocol"),
        (vec![send("0Hanako")], "not the Socket.IO protocol"),
        (
            vec![
                send(r#"0{"pingInterval":1,"pingTimeout":1}"#),
                send(r#"44{"message":"Hanako"}"#),
            ],
            "the namespace rejects the connection",
        ),
        (
            vec![Step::Close],
            "closed the connection before its first message",
        ),
    ] {
        let server = WebSocketServer::start(move |_| steps.clone()).await;
        let fault = start(config(&server)).fault().await;
        assert!(fault.text.contains(expected), "{fault:?}");
        assert!(!fault.text.contains("Hanako"), "{fault:?}");
        assert_ne!(fault.kind, FaultKind::Silent);
    }
}
