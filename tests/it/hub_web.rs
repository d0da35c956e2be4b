//! What viewers may not do to the hub: write, climb, crowd, dawdle, or say something in its name.

use crate::hub_events::first_chunk;
use crate::support::city::{City, config, numbers};
use crate::support::until;
use axum::body::Body;
use axum::http::{Method, Request};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tower::ServiceExt as _;
use yobiban::config::WebConfig;
use yobiban::hub::{Bounds, listen, router, serve};
use yobiban::model::{Label, Name};

/// Every route of the hub, and paths that are none.
const PATHS: [&str; 25] = [
    "/",
    "/offices/chuo",
    "/offices/chuo/queues/moving/tickets/B320",
    "/find?ticket=A077",
    "/lite",
    "/lite/chuo",
    "/live/ja",
    "/live/ja/chuo",
    "/assets/app.css",
    "/healthz",
    "/readyz",
    "/metrics",
    "/api/v1/offices",
    "/api/v1/offices/chuo",
    "/api/v1/events",
    "/api/v1/offices/chuo/events",
    "/opendata/congestion.json",
    "/opendata/congestion.csv",
    "/opendata/calls/2026-11-24.csv",
    "/ngsi-ld/v1/entities?type=QueueMonitor",
    "/boards/chuo/n1/main",
    "/images/0000",
    "/api/v1/nowhere",
    "/nowhere",
    "/boards/chuo/n1/main/more",
];

#[tokio::test]
async fn every_method_but_get_and_head_is_refused_on_every_path() {
    let city = City::awake().await;
    let before = city.get("/api/v1/offices").await.body;
    let others = "POST PUT DELETE PATCH OPTIONS TRACE CONNECT PROPFIND MKCOL LOCK QUERY get";
    for path in PATHS {
        for method in others.split(' ') {
            let request = Request::builder()
                .method(Method::from_bytes(method.as_bytes()).unwrap())
                .uri(path)
                .header("content-type", "application/json")
                .header("x-http-method-override", "PUT")
                .body(Body::from("{}"));
            let app = router(Arc::clone(&city.hub));
            let answer = app.oneshot(request.unwrap()).await.unwrap();
            assert_eq!(answer.status(), 405, "{method} {path}");
            assert_eq!(answer.headers()["allow"], "GET,HEAD", "{method} {path}");
            assert!(answer.headers().contains_key("content-security-policy"));
        }
        let head = Request::head(path).body(Body::empty()).unwrap();
        let app = router(Arc::clone(&city.hub));
        let answer = app.oneshot(head).await.unwrap();
        assert_ne!(answer.status(), 405, "HEAD {path}");
    }
    assert_eq!(city.get("/api/v1/offices").await.body, before);
    assert_eq!(city.hub.stats().sse_clients(), 0, "HEAD opens no stream");
}

#[tokio::test]
async fn no_path_leads_out_of_the_pages() {
    let city = City::awake().await;
    let up = [
        "../",
        "..%2f",
        "..%2F",
        "%2e%2e/",
        "%2e%2e%2f",
        "..%5c",
        "%c0%ae%c0%ae/",
        "..;/",
        "....//",
        "%252e%252e%252f",
    ];
    for route in [
        "/",
        "/assets/",
        "/images/",
        "/boards/chuo/n1/",
        "/opendata/calls/",
        "/offices/",
        "/lite/",
        "/live/",
        "/api/v1/offices/",
    ] {
        for step in up {
            for file in [
                "etc/passwd",
                "proc%2fself%2fenviron",
                "Cargo.toml",
                "hub.db",
                "hub.toml%00.csv",
            ] {
                let path = format!("{route}{}{file}", step.repeat(4));
                let answer = city.get(&path).await;
                assert_eq!(answer.status, 404, "{path}");
                let text = String::from_utf8_lossy(&answer.body);
                assert!(
                    !text.contains("root:") && !text.contains("[package]"),
                    "{path}"
                );
            }
        }
    }
}

/// Names and labels as somebody would choose them who wants to be read as something else.
const EVIL: [&str; 6] = [
    "<script>",
    "</script>",
    "\"'><b o=x>",
    "{{7*7}}",
    "&lt;&#60;",
    "%3Cscript",
];

/// Whether a page holds a text of `EVIL` as it is, or anything that begins to be markup of it.
fn speaks(page: &str) -> bool {
    let own = ["<script src=\"/assets/app.", "></script>"];
    let page = own
        .iter()
        .fold(page.to_owned(), |p, own| p.replace(own, ""));
    let evil = ["<script", "</script", "'><b", "<img", "<b o"];
    evil.iter().any(|e| page.contains(e))
}

#[tokio::test]
async fn what_nodes_and_viewers_call_themselves_is_text_everywhere() {
    let city = City::awake().await;
    let mut chuo = numbers("chuo");
    let both = |text: &str| Name::new([("ja", text), ("en", text)]);
    chuo.office.name = both("</title><script>alert(1)</script>");
    for (queue, evil) in chuo.queues.iter_mut().zip(EVIL) {
        queue.name = both(&format!("{evil}<img src=x onerror=y>"));
        let call = queue.last_call.as_mut().unwrap();
        call.ticket = Label::new(evil).unwrap();
        call.counter = Some(Label::new("<b onload=x>").unwrap());
        queue.next = EVIL.map(|e| Label::new(e).unwrap()).to_vec();
    }
    chuo.seq += 1;
    city.tell(&chuo).await;
    let call = r#"{"queue":"moving","day":"2026-11-24","epoch":0,"no":7,"ticket":"<script>",
        "counter":"\"'><b o=x>","at":"2026-11-24T10:00:00+09:00","kind":"call"}"#;
    city.send("chuo/node/n1/calls", call).await;

    for lang in ["ja", "en", "%22%3E%3Cscript%3E"] {
        for path in [
            "/?",
            "/offices/chuo?",
            "/lite?",
            "/lite/chuo?",
            "/offices/chuo/queues/moving/tickets/%3Cscript%3E?",
            "/offices/chuo/queues/moving/tickets/%22%27%3E%3Cb%20o=x%3E?",
            "/offices/%3Cscript%3E?",
            "/offices/chuo/queues/%3Cscript%3E/tickets/%3Cscript%3E?",
            "/%3Cscript%3E/%22%3E%3Cb%3E?",
            "/find?ticket=%3Cscript%3E&office=%22%3E%3Cscript%3E&",
            "/find?ticket=%3Cscript%3Ealert&office=chuo&",
            "/find?ticket=%22%27%3E%3Cb%20o=x%3E&",
        ] {
            let path = format!("{path}lang={lang}");
            let answer = city.get(&path).await;
            if answer.status == 303 {
                assert!(!answer.header("location").contains(['<', '"']), "{path}");
                continue;
            }
            assert!(
                answer.header("content-type").starts_with("text/html"),
                "{path}"
            );
            assert!(!speaks(answer.text()), "{path}: {}", answer.text());
        }
    }
    for path in ["/live/ja", "/live/en", "/live/ja/chuo"] {
        let event = first_chunk(city.open(path, &[]).await).await;
        assert!(event.contains("&#60;script&#62;"), "{path}: {event}");
        assert!(!speaks(&event), "{path}: {event}");
    }
    // Data stays data, in types that no browser takes for a page, and in whole lines.
    for path in ["/api/v1/events", "/api/v1/offices/chuo/events"] {
        let answer = city.open(path, &[]).await;
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        let event = first_chunk(answer).await;
        let lines = event.lines().filter(|l| l.starts_with("data: ")).count();
        assert_eq!(lines, 1, "{event}");
    }
    for (path, kind) in [
        ("/api/v1/offices", "application/json"),
        ("/api/v1/offices/chuo", "application/json"),
        ("/api/v1/offices/%3Cscript%3E", "application/problem+json"),
        ("/opendata/congestion.json", "application/json"),
        (
            "/ngsi-ld/v1/entities?type=QueueMonitor",
            "application/ld+json",
        ),
        (
            "/ngsi-ld/v1/entities?type=%3Cscript%3E",
            "application/ld+json",
        ),
        ("/ngsi-ld/v1/entities", "application/problem+json"),
        (
            "/opendata/calls/%3Cscript%3E.csv",
            "application/problem+json",
        ),
    ] {
        let answer = city.get(path).await;
        assert_eq!(answer.header("content-type"), kind, "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        answer.json(); // or this fails
    }
    for path in ["/opendata/congestion.csv", "/opendata/calls/2026-11-24.csv"] {
        let answer = city.get(path).await;
        assert!(
            answer.header("content-type").starts_with("text/csv"),
            "{path}"
        );
        let mut reader = csv::Reader::from_reader(&answer.body[..]);
        let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
        let evil = rows
            .iter()
            .flatten()
            .filter(|f| f.contains("<script>"))
            .count();
        assert!(evil > 0, "{path}: {}", answer.text());
    }
    let metrics = city.get("/metrics").await;
    assert!(!metrics.text().contains('<'), "{}", metrics.text());
}

/// The strict headers of an answer with this configuration.
async fn headers(web: WebConfig, path: &str) -> axum::http::HeaderMap {
    let dir = tempfile::tempdir().unwrap();
    let store = format!("sqlite:{}", dir.path().join("hub.db").display());
    let city = City::with(
        yobiban::config::HubConfig {
            web,
            ..config(&store)
        },
        dir,
    )
    .await;
    city.get(path).await.headers
}

#[tokio::test]
async fn only_configured_origins_may_frame_and_only_tls_is_remembered() {
    let policy = "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors ";
    for path in ["/", "/nowhere", "/api/v1/offices", "/metrics"] {
        let plain = headers(WebConfig::default(), path).await;
        assert_eq!(plain["content-security-policy"], format!("{policy}'none'"));
        assert_eq!(plain["x-frame-options"], "DENY");
        assert!(!plain.contains_key("strict-transport-security"));
        let web = WebConfig {
            hsts: true,
            frame_ancestors: vec![
                "https://www.city.example.jp".into(),
                "https://[::1]:8443".into(),
            ],
            ..WebConfig::default()
        };
        let city = headers(web, path).await;
        assert_eq!(
            city["content-security-policy"],
            format!("{policy}https://www.city.example.jp https://[::1]:8443")
        );
        assert!(
            !city.contains_key("x-frame-options"),
            "it would forbid them again"
        );
        assert_eq!(city["strict-transport-security"], "max-age=31536000");
    }
}

/// Limits short enough for a test.
const SHORT: Bounds = Bounds {
    connections: 32,
    head_timeout: Duration::from_millis(300),
    write_timeout: Duration::from_millis(500),
};

/// A hub on a socket.
async fn served(bounds: Bounds) -> (City, SocketAddr) {
    let city = City::awake().await;
    let listener = listen(([127, 0, 0, 1], 0).into()).unwrap();
    let address = listener.local_addr().unwrap();
    let (hub, stop) = (Arc::clone(&city.hub), city.shutdown.clone());
    tokio::spawn(serve(listener, hub, bounds, stop));
    (city, address)
}

/// Sends pieces with a pause between them, then reads what comes until the other side closes.
async fn dawdle(address: SocketAddr, pieces: impl IntoIterator<Item = Vec<u8>>) -> String {
    let mut socket = TcpStream::connect(address).await.unwrap();
    let mut answer = Vec::new();
    let talk = async {
        for piece in pieces {
            if socket.write_all(&piece).await.is_err() {
                break; // closed already
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let _ = socket.read_to_end(&mut answer).await; // a reset is an end, too
    };
    let ended = tokio::time::timeout(crate::support::PATIENCE, talk).await;
    ended.expect("the hub closes the connection");
    String::from_utf8_lossy(&answer).into_owned()
}

fn slowly(text: &str) -> Vec<Vec<u8>> {
    text.bytes().map(|b| vec![b]).collect()
}

#[tokio::test]
async fn slow_and_silent_clients_are_closed_and_others_served() {
    let (city, hub) = served(SHORT).await;
    let endless = || "GET / HTTP/1.1\r\n".to_owned() + &"x-a: b\r\n".repeat(100);
    // Nothing at all; the beginning of HTTP/2, of HTTP/1; a head without end; an idle connection
    // after an answer; a body that never comes.
    for (what, pieces) in [
        ("nothing", vec![]),
        ("half a preface", slowly("PRI * HTTP/2.0\r\n")),
        ("half a request line", slowly("GE")),
        ("an endless head", slowly(&endless())),
        (
            "an idle connection",
            vec![b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n".to_vec()],
        ),
        (
            "a body that does not come",
            vec![b"GET /healthz HTTP/1.1\r\nhost: x\r\ncontent-length: 900\r\n\r\n{".to_vec()],
        ),
    ] {
        // More of them at once than half of all places.
        let all = (0..20).map(|_| dawdle(hub, pieces.clone()));
        let others = async {
            // On a busy machine, one of them may be slow itself.
            until(&format!("others beside {what}"), async || {
                dawdle(hub, [b"GET / HTTP/1.0\r\n\r\n".to_vec()])
                    .await
                    .get(9..12)
                    == Some("200")
            })
            .await;
        };
        let (answers, ()) = tokio::join!(futures_util::future::join_all(all), others);
        for answer in answers {
            let good = answer.is_empty()
                || answer.starts_with("HTTP/1.1 200")
                || answer.starts_with("HTTP/1.1 408");
            assert!(good, "{what}: {answer}");
        }
    }
    let metrics = city.get("/metrics").await;
    let counted = metrics
        .text()
        .lines()
        .find_map(|l| l.strip_prefix("yobiban_hub_connections_idle_closed_total "));
    let counted: u32 = counted.unwrap().parse().unwrap();
    assert!(
        counted >= 60,
        "nothing, half a line, an endless head: {counted}"
    );
}

#[tokio::test]
async fn who_takes_nothing_of_an_answer_is_closed_and_counted() {
    let (city, hub) = served(SHORT).await;
    let mut sockets = Vec::new();
    for path in ["/api/v1/events", "/api/v1/offices"] {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        let mut socket = socket.connect(hub).await.unwrap();
        // Many answers one after the other fill what the kernel keeps.
        let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n").repeat(200);
        socket.write_all(request.as_bytes()).await.unwrap();
        sockets.push(socket);
    }
    let mut seq = 100;
    let stalled = "yobiban_hub_connections_write_timeout_total 2";
    until("both are closed", async || {
        city.clock.advance(Duration::from_millis(100));
        seq += 1;
        let mut news = numbers("chuo");
        news.seq = seq;
        news.queues[0].waiting = Some(u32::try_from(seq).unwrap());
        city.tell(&news).await;
        city.get("/metrics").await.text().contains(stalled)
    })
    .await;
    assert_eq!(city.hub.stats().sse_clients(), 0, "its place is free again");
}

#[tokio::test]
async fn requests_of_any_size_are_refused_early() {
    let (_city, hub) = served(Bounds::new(32)).await;
    let status = async |request: Vec<u8>| {
        let answer = dawdle(hub, [request]).await;
        answer.get(9..12).unwrap_or_default().to_owned()
    };
    let close = "host: x\r\nconnection: close\r\n";
    let get =
        |path: &str, more: &str| format!("GET {path} HTTP/1.1\r\n{close}{more}\r\n").into_bytes();
    assert_eq!(status(get("/healthz", "")).await, "200");
    assert_eq!(
        status(get(&format!("/{}", "a".repeat(8_000)), "")).await,
        "404"
    );
    let long = status(get(&format!("/{}", "a".repeat(20_000)), "")).await;
    assert!(["414", "431"].contains(&long.as_str()), "{long}");
    let large = format!("cookie: {}\r\n", "a".repeat(20_000));
    assert_eq!(status(get("/", &large)).await, "431");
    let many = "x: y\r\n".repeat(200);
    assert_eq!(status(get("/", &many)).await, "431");
    let body = |n: usize| format!("content-length: {n}\r\n");
    assert_eq!(status(get("/", &body(100_000_000))).await, "413");
    assert_eq!(
        status(get("/", "content-length: 1\r\ncontent-length: 2\r\n")).await,
        "400"
    );
    assert_eq!(status(b"GET / HTTP/9.9\r\n\r\n".to_vec()).await, "400");
    assert_eq!(
        status(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".repeat(99)).await,
        "400"
    );
    let keys = (0..5_000).map(|n| format!("k{n}=v&")).collect::<String>();
    assert_eq!(
        status(get(&format!("/find?{}", &keys[..9_000]), "")).await,
        "200"
    );
    // An endless chunked body is not read to its end.
    let chunk = [b"400\r\n".to_vec(), vec![b'x'; 0x400], b"\r\n".to_vec()].concat();
    let mut endless = get("/healthz", "transfer-encoding: chunked\r\n");
    endless.extend(chunk.repeat(2_000));
    assert_eq!(status(endless).await, "200");
}
