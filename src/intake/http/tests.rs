//! Addresses that answer, and servers that are slow, huge, endless or wrong.

use super::super::test_outlet::TestOutlet;
use super::*;
use crate::clock::Clock as _;
use crate::intake::{FaultKind, State};

/// What no message may hold.
const SECRET: &str = "verysecret";

fn config(server: &TestServer) -> HttpConfig {
    HttpConfig {
        access: Access::open(server.server.clone()),
        path: Secret::new(format!("/feed?key={SECRET}")),
        every: MIN_EVERY,
        expect: Expected::Json,
    }
}

fn quick(mut config: HttpConfig) -> HttpConfig {
    config.access.timeout = Duration::from_millis(500);
    config
}

fn start(config: HttpConfig) -> TestOutlet {
    let (outlet, test) = TestOutlet::new();
    tokio::spawn(run(config, outlet));
    test
}

async fn fault_of(reply: Reply) -> Fault {
    let server = TestServer::start(move |_, _| reply.clone()).await;
    let test = start(quick(config(&server)));
    let fault = test.fault().await;
    assert!(fault.text.starts_with(&server.server.name()), "{fault:?}");
    assert!(!fault.text.contains(SECRET), "{fault:?}");
    fault
}

#[tokio::test]
async fn a_body_is_handed_on_once_over_one_connection() {
    let server = TestServer::start(|n, _| match n {
        0..=2 => Reply::json(r#"{"no":1}"#),
        _ => Reply::json(r#"{"no":2}"#),
    })
    .await;
    let mut test = start(config(&server));
    let arrival = test.next().await;
    assert_eq!(&arrival.payload[..], br#"{"no":1}"#);
    let media_type = Some("application/json".to_owned());
    assert_eq!(arrival.detail, Detail::Document { media_type });
    assert_eq!(test.text().await, r#"{"no":2}"#);
    assert!(server.requests().len() >= 4);
    assert_eq!(server.connections(), 1);
    let request = server.requests()[0].to_lowercase();
    assert!(request.starts_with("get /feed?key="), "{request}");
    assert!(
        request.contains("\r\naccept: application/json\r\n"),
        "{request}"
    );
    assert!(
        request.contains(&format!("\r\nhost: {}\r\n", server.server.name())),
        "{request}"
    );
}

#[tokio::test]
async fn what_was_seen_before_is_a_contact() {
    let server = TestServer::start(|_, _| Reply::json("1")).await;
    let mut test = start(config(&server));
    test.next().await;
    test.clock.advance(Duration::from_secs(60));
    let now = test.clock.now();
    test.wait("seen again", |c| c.last_contact == Some(now))
        .await;
    assert_eq!(
        test.condition().silent_for(now),
        Some(Duration::from_secs(60))
    );
}

#[tokio::test]
async fn a_server_that_knows_what_changed_is_asked_for_that() {
    let server = TestServer::start(|n, request| match n {
        0 => Reply::of(
            "200 OK",
            "content-type: application/json\r\netag: \"a\"\r\n",
            "1",
        ),
        1 => {
            assert!(
                request.to_lowercase().contains("if-none-match: \"a\""),
                "{request}"
            );
            Reply::Keep(b"HTTP/1.1 304 Not Modified\r\netag: \"a\"\r\n\r\n".to_vec())
        }
        _ => Reply::json("2"),
    })
    .await;
    let mut test = start(config(&server));
    assert_eq!(test.text().await, "1");
    assert_eq!(test.text().await, "2");
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn a_connection_that_the_server_closed_is_opened_again() {
    let answer = |body: &str| match Reply::json(body) {
        Reply::Keep(bytes) => Reply::Close(bytes),
        other => other,
    };
    let server = TestServer::start(move |n, _| answer(&n.to_string())).await;
    let mut test = start(config(&server));
    for n in 0..3 {
        assert_eq!(test.text().await, n.to_string());
        assert_eq!(test.condition().state, State::Reachable);
    }
}

#[tokio::test]
async fn a_login_is_sent_first_and_again_when_the_session_has_ended() {
    let expired = Reply::of("302 Found", "location: /?next=verysecret\r\n", "");
    let server = TestServer::start(move |n, request| {
        let login = request.starts_with("GET /language_switch/en ");
        match n {
            0 | 3 => {
                assert!(login && !request.contains("cookie"), "{request}");
                let cookie = format!("set-cookie: session=s{n}; HttpOnly; Path=/\r\n");
                Reply::of("302 Found", &cookie, "")
            }
            1 | 4 => {
                assert!(
                    request.contains(&format!("cookie: session=s{}", n - 1)),
                    "{request}"
                );
                Reply::json(&n.to_string())
            }
            2 => expired.clone(),
            _ => Reply::json("9"),
        }
    })
    .await;
    let mut config = config(&server);
    config.access.login = Some(Login {
        path: Secret::new("/language_switch/en"),
        body: LoginBody::Get,
        token: None,
    });
    let mut test = start(config);
    assert_eq!(test.text().await, "1");
    assert_eq!(test.text().await, "4");
    assert_eq!(test.condition().state, State::Reachable);
}

#[tokio::test]
async fn a_token_is_taken_from_the_login() {
    let server = TestServer::start(|_, request| {
        if request.starts_with("POST /login ") {
            assert!(
                request.ends_with(r#"{"username":"board","password":"verysecret"}"#),
                "{request}"
            );
            assert!(
                request.contains("content-type: application/json"),
                "{request}"
            );
            return Reply::json(r#"{"token":"t1"}"#);
        }
        assert!(
            request.contains("authorization: Bearer t1\r\n"),
            "{request}"
        );
        Reply::json("[]")
    })
    .await;
    let mut config = config(&server);
    config.access.login = Some(Login {
        path: Secret::new("/login"),
        body: LoginBody::Json(Secret::new(
            r#"{"username":"board","password":"verysecret"}"#,
        )),
        token: Some("/token".into()),
    });
    assert_eq!(start(config).text().await, "[]");
}

#[tokio::test]
async fn a_login_that_helps_nothing_is_sent_once_a_look() {
    let server = TestServer::start(|_, request| {
        if request.starts_with("POST /login ") {
            return Reply::of(
                "200 OK",
                "content-type: text/html\r\n",
                "<p>Yamada Hanako</p>",
            );
        }
        Reply::of("401 Unauthorized", "", "")
    })
    .await;
    let mut config = config(&server);
    config.access.login = Some(Login {
        path: Secret::new("/login"),
        body: LoginBody::Form(vec![("pass".into(), Secret::new(SECRET))]),
        token: None,
    });
    let test = start(config);
    let fault = test.fault().await;
    assert_eq!(
        fault.text.split(": ").nth(1),
        Some("answered 401"),
        "{fault:?}"
    );
    let requests = server.requests();
    let logins = requests.iter().filter(|r| r.starts_with("POST")).count();
    assert!(logins <= requests.len().div_ceil(2), "{requests:?}");
    assert!(requests[0].ends_with("pass=verysecret"), "{requests:?}");
}

#[tokio::test]
async fn credentials_are_sent_and_never_printed() {
    for (auth, header) in [
        (
            Auth::Basic {
                user: "board".into(),
                password: Secret::new(SECRET),
            },
            "authorization: Basic Ym9hcmQ6dmVyeXNlY3JldA==\r\n",
        ),
        (
            Auth::Bearer(Secret::new(SECRET)),
            "authorization: Bearer verysecret\r\n",
        ),
        (
            Auth::Header {
                name: "X-Api-Key".into(),
                value: Secret::new(SECRET),
            },
            "x-api-key: verysecret\r\n",
        ),
    ] {
        let server = TestServer::start(|_, _| Reply::json("1")).await;
        let mut config = config(&server);
        config.access.auth = auth;
        config.access.headers = vec![("Origin".into(), Secret::new("http://a"))];
        assert!(!format!("{config:?}").contains(SECRET));
        start(config).next().await;
        let request = server.requests()[0].clone();
        assert!(request.contains(header), "{request}");
        assert!(request.contains("origin: http://a\r\n"), "{request}");
    }
}

#[tokio::test]
async fn what_is_no_answer_is_a_fault_that_holds_nothing_of_it() {
    let json = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";
    let hanako = "Yamada Hanako";
    let huge = "x".repeat(MAX_PAYLOAD + 1);
    for (reply, expected) in [
        (
            Reply::of("302 Found", &format!("location: /?q={SECRET}\r\n"), ""),
            "answered 302: redirects are not followed",
        ),
        (
            Reply::of("200 OK", "content-type: text/html\r\n", hanako),
            "answered text/html: expected application/json",
        ),
        (
            Reply::of("200 OK", &format!("content-type: {hanako}\r\n"), "1"),
            "answered no content type",
        ),
        (
            Reply::of("500 Yamada Hanako", "", hanako),
            "answered 500: expected 200",
        ),
        (
            Reply::of(
                "200 OK",
                "content-type: application/json\r\ncontent-encoding: gzip\r\n",
                hanako,
            ),
            "content encoding",
        ),
        (Reply::json(&huge), "too large: expected at most 256 KiB"),
        (
            Reply::Endless(format!("{json}\r\n").into(), vec![b'x'; 64 * 1024]),
            "too large",
        ),
        (
            Reply::Endless(json.into(), b"a: b\r\n".repeat(1000)),
            "no HTTP answer",
        ),
        (
            Reply::Hang(format!("{json}content-length: 90\r\n\r\n{hanako}").into()),
            "no whole answer within 0.5 s",
        ),
        (
            Reply::Close(format!("{json}content-length: 90\r\n\r\n{hanako}").into()),
            "interrupted",
        ),
        (Reply::Hang(Vec::new()), "no whole answer within 0.5 s"),
        (Reply::Close(hanako.into()), "no HTTP answer"),
        (Reply::Close(Vec::new()), "no HTTP answer"),
    ] {
        let fault = fault_of(reply).await;
        assert!(
            fault.text.contains(expected),
            "{fault:?}: expected {expected}"
        );
        assert!(!fault.text.contains("Hanako"), "{fault:?}");
    }
    let fault = fault_of(Reply::json(&huge)).await;
    assert_eq!(fault.kind, FaultKind::Unreadable);
}

#[tokio::test]
async fn a_length_that_is_too_short_does_not_shift_the_answers() {
    let lie = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1\r\n\r\n1HTTP/1.1 200 OK\r\n\
        content-type: application/json\r\ncontent-length: 1\r\n\r\n9";
    let server = TestServer::start(move |n, _| match n {
        0 => Reply::Keep(lie.into()),
        _ => Reply::json("2"),
    })
    .await;
    let mut test = start(config(&server));
    assert_eq!(test.text().await, "1");
    assert_eq!(test.text().await, "2", "what nobody asked for is no answer");
}

#[tokio::test]
async fn nobody_there_is_said_with_the_place() {
    let server = TestServer::start(|_, _| Reply::json("1")).await;
    let config = config(&server);
    let name = server.server.name();
    drop(server);
    let test = start(config);
    // The port is free once the server's task has ended.
    test.wait(
        "a fault",
        |c| matches!(&c.state, State::Failing(f) if f.text.contains("cannot connect")),
    )
    .await;
    assert_eq!(
        test.fault().await.text,
        format!("{name}: cannot connect: connection refused")
    );
}

#[tokio::test]
async fn other_charsets_become_utf_8() {
    let server = TestServer::start(|_, _| {
        let head = b"HTTP/1.1 200 OK\r\ncontent-type: text/csv; charset=Shift_JIS\r\ncontent-length: 6\r\n\r\n";
        Reply::Keep([&head[..], b"1,\x91\x8b\r\n"].concat())
    })
    .await;
    let mut config = config(&server);
    config.expect = Expected::Csv;
    assert_eq!(start(config).text().await, "1,窓\r\n");
}
