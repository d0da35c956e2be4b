//! Server-Sent Events: whole state first, then what changes; resume; slow viewers.

use crate::support::city::{City, numbers};
use crate::support::{PATIENCE, eventually};
use axum::response::Response;
use futures_util::{FutureExt as _, StreamExt as _};
use std::io::Read as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use yobiban::hub::{Bounds, listen, serve};
use yobiban::model::Label;

/// The next bytes of a stream.
async fn chunk(body: &mut axum::body::BodyDataStream) -> String {
    let next = tokio::time::timeout(PATIENCE, body.next());
    let bytes = next
        .await
        .expect("an event in time")
        .expect("an open stream")
        .unwrap();
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The first bytes of a stream.
pub async fn first_chunk(response: Response) -> String {
    chunk(&mut response.into_body().into_data_stream()).await
}

async fn stays_silent(body: &mut axum::body::BodyDataStream) {
    // All that tells viewers runs on this thread: it has its turns, and nothing comes.
    for _ in 0..50 {
        let next = body.next().now_or_never();
        assert!(next.is_none(), "{next:?}");
        tokio::task::yield_now().await;
    }
}

fn id(event: &str) -> String {
    let line = event.lines().find_map(|l| l.strip_prefix("id: "));
    line.unwrap_or_else(|| panic!("no id in {event:?}"))
        .to_owned()
}

fn data(event: &str) -> serde_json::Value {
    let line = event
        .lines()
        .find_map(|l| l.strip_prefix("data: "))
        .expect("data");
    serde_json::from_str(line).unwrap()
}

async fn call(city: &City, office: &str, seq: u64, ticket: &str) {
    let mut report = numbers(office);
    report.seq = seq;
    report.queues[0].last_call.as_mut().unwrap().ticket = Label::new(ticket).unwrap();
    city.tell(&report).await;
}

#[tokio::test]
async fn the_first_event_is_the_whole_state_then_come_the_changes() {
    let city = City::awake().await;
    let response = city.open("/api/v1/events", &[]).await;
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    assert_eq!(response.headers()["access-control-allow-origin"], "*");
    let mut body = response.into_body().into_data_stream();
    let first = chunk(&mut body).await;
    let mut whole = data(&first);
    assert_eq!(whole["whole"], true);
    whole.as_object_mut().unwrap().remove("whole");
    assert_eq!(whole, city.get("/api/v1/offices").await.json());
    stays_silent(&mut body).await;
    call(&city, "inage", 100, "A063").await;
    let change = chunk(&mut body).await;
    assert_ne!(id(&change), id(&first));
    let change = data(&change);
    assert_eq!(change["offices"].as_array().unwrap().len(), 1);
    assert_eq!(
        change["offices"][0],
        city.get("/api/v1/offices/inage").await.json()
    );
    call(&city, "inage", 100, "A063").await;
    stays_silent(&mut body).await;
}

#[tokio::test]
async fn who_comes_back_with_the_newest_id_misses_nothing_and_gets_nothing_twice() {
    let city = City::awake().await;
    let paths = [
        "/api/v1/events",
        "/api/v1/offices/chuo/events",
        "/live/ja",
        "/live/en/chuo",
    ];
    for (n, path) in (1..).zip(paths) {
        let newest = id(&first_chunk(city.open(path, &[]).await).await);
        let mut body = city
            .open(path, &[("last-event-id", &newest)])
            .await
            .into_body()
            .into_data_stream();
        let hello = chunk(&mut body).await;
        assert!(!hello.contains("data:"), "{path}: {hello}");
        call(&city, "chuo", 1000 + n, &format!("A{n:03}")).await;
        let news = chunk(&mut body).await;
        assert!(news.contains("data:"), "{path}: {news}");
        stays_silent(&mut body).await;
        for old in [
            newest.as_str(),
            "0123456789abcdef-1",
            "x",
            "",
            "-",
            "18446744073709551616",
        ] {
            let first = first_chunk(city.open(path, &[("last-event-id", old)]).await).await;
            assert!(first.contains("data:"), "{path}: whole state after {old:?}");
        }
    }
}

#[tokio::test]
async fn a_page_follows_from_where_it_was_rendered() {
    let city = City::awake().await;
    let page = city.get("/").await;
    let live = page
        .text()
        .split("data-live=\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap()
        .to_owned();
    let mut body = city.open(&live, &[]).await.into_body().into_data_stream();
    assert!(
        !chunk(&mut body).await.contains("data:"),
        "nothing that the page has"
    );
    call(&city, "chuo", 100, "A043").await;
    let news = chunk(&mut body).await;
    assert!(
        news.contains("id=\"o-chuo\"") && news.contains("A043"),
        "{news}"
    );
    assert!(news.contains("id=\"as-of\""), "{news}");
    assert!(
        !news.contains("id=\"o-inage\""),
        "only what changed: {news}"
    );
}

#[tokio::test]
async fn an_office_stream_tells_of_its_office_only() {
    let city = City::awake().await;
    let mut body = city
        .open("/api/v1/offices/chuo/events", &[])
        .await
        .into_body()
        .into_data_stream();
    let first = chunk(&mut body).await;
    assert_eq!(data(&first), city.get("/api/v1/offices/chuo").await.json());
    call(&city, "inage", 100, "A063").await;
    stays_silent(&mut body).await;
    call(&city, "chuo", 101, "A043").await;
    assert_eq!(
        data(&chunk(&mut body).await)["queues"][0]["last_call"]["ticket"],
        "A043"
    );
}

#[tokio::test]
async fn a_slow_viewer_skips_to_the_newest_state_and_is_counted() {
    let city = City::awake().await;
    let mut slow = city
        .open("/api/v1/events", &[])
        .await
        .into_body()
        .into_data_stream();
    chunk(&mut slow).await;
    for n in 1..=200 {
        city.clock.advance(Duration::from_millis(100)); // as often as viewers are told
        call(&city, "chuo", 100 + n, &format!("A{n:03}")).await;
    }
    let event = data(&chunk(&mut slow).await);
    assert_eq!(event["whole"], true);
    assert_eq!(
        event["offices"][0]["queues"][0]["last_call"]["ticket"],
        "A200"
    );
    assert_eq!(city.hub.stats().sse_clients_resynced(), 1);
    stays_silent(&mut slow).await;
    city.clock.advance(Duration::from_millis(100));
    call(&city, "chuo", 999, "A201").await;
    assert_eq!(data(&chunk(&mut slow).await)["whole"], false);
}

#[tokio::test]
async fn a_new_office_reaches_open_pages() {
    let city = City::empty().await;
    city.tell(&numbers("chuo")).await;
    let mut json = city
        .open("/api/v1/events", &[])
        .await
        .into_body()
        .into_data_stream();
    let mut page = city
        .open("/live/ja", &[])
        .await
        .into_body()
        .into_data_stream();
    chunk(&mut json).await;
    chunk(&mut page).await;
    city.tell(&numbers("inage")).await;
    let event = data(&chunk(&mut json).await);
    assert_eq!(
        (
            event["whole"].clone(),
            event["offices"].as_array().unwrap().len()
        ),
        (true.into(), 2)
    );
    assert!(chunk(&mut page).await.contains("id=\"offices\""));
    city.send("inage/node/n1/numbers", "").await;
    assert_eq!(
        data(&chunk(&mut json).await)["offices"]
            .as_array()
            .unwrap()
            .len(),
        1,
        "cleared"
    );
}

#[tokio::test]
async fn streams_are_counted_bounded_and_end_with_the_hub() {
    let dir = tempfile::tempdir().unwrap();
    let store = format!("sqlite:{}", dir.path().join("hub.db").display());
    let mut config = crate::support::city::config(&store);
    config.pages.max_viewers = 2;
    let city = City::with(config, dir).await;
    city.tell(&numbers("chuo")).await;
    let one = city.open("/api/v1/events", &[]).await;
    let two = city.open("/live/ja", &[]).await;
    assert_eq!(city.hub.stats().sse_clients(), 2);
    let third = city.open("/api/v1/events", &[]).await;
    assert_eq!(third.status(), 503);
    assert!(third.headers().contains_key("retry-after"));
    drop(two);
    assert_eq!(city.hub.stats().sse_clients(), 1);
    assert_eq!(city.open("/api/v1/events", &[]).await.status(), 200);
    drop(one);
    assert_eq!(city.hub.stats().sse_clients(), 0);
}

/// A hub on a socket.
async fn served() -> (City, SocketAddr) {
    let city = City::awake().await;
    let listener = listen(([127, 0, 0, 1], 0).into()).unwrap();
    let address = listener.local_addr().unwrap();
    let (hub, stop) = (Arc::clone(&city.hub), city.shutdown.clone());
    tokio::spawn(serve(listener, hub, Bounds::new(32), stop));
    (city, address)
}

/// Reads until `text` has come; all that came.
async fn read_until(socket: &mut TcpStream, text: &str) -> String {
    let mut heard = String::new();
    while !heard.contains(text) {
        let mut bytes = [0; 4096];
        let read = tokio::time::timeout(PATIENCE, socket.read(&mut bytes));
        let n = read.await.expect("an answer in time").unwrap();
        assert!(n > 0, "closed after {heard:?} without {text:?}");
        heard.push_str(std::str::from_utf8(&bytes[..n]).unwrap());
    }
    heard
}

async fn until_viewers(city: &City, count: i64) {
    let viewers = || match city.hub.stats().sse_clients() {
        n if n == count => Ok(()),
        n => Err(n),
    };
    eventually(PATIENCE, "so many viewers", viewers).await;
}

#[tokio::test]
async fn a_connection_becomes_a_viewer_also_after_other_answers() {
    let (city, hub) = served().await;
    let mut socket = TcpStream::connect(hub).await.unwrap();
    let ask = async |socket: &mut TcpStream, line: &str| {
        let request = format!("{line} HTTP/1.1\r\nhost: x\r\n\r\n");
        socket.write_all(request.as_bytes()).await.unwrap();
    };
    ask(&mut socket, "GET /healthz").await;
    read_until(&mut socket, "\r\n\r\n").await;
    // A question about the events takes no place among the viewers.
    ask(&mut socket, "HEAD /api/v1/events").await;
    let head = read_until(&mut socket, "\r\n\r\n").await;
    assert!(head.contains("content-type: text/event-stream"), "{head}");
    until_viewers(&city, 0).await;
    ask(&mut socket, "GET /api/v1/events").await;
    let first = read_until(&mut socket, "\"whole\":true").await;
    let (head, events) = first.split_once("\r\n\r\n").unwrap();
    for wanted in [
        "HTTP/1.1 200 OK\r\n",
        "content-type: text/event-stream\r\n",
        "connection: close",
        "access-control-allow-origin: *\r\n",
        "content-security-policy: ",
        "date: ",
    ] {
        assert!(head.contains(wanted), "{wanted:?} in {head}");
    }
    assert!(!head.contains("transfer-encoding"), "{head}");
    assert!(events.starts_with("retry: "), "{events}");
    until_viewers(&city, 1).await;
    call(&city, "inage", 100, "A063").await;
    read_until(&mut socket, "\"ticket\":\"A063\"").await;
    // It goes, and its place is free without anything being said to it.
    drop(socket);
    until_viewers(&city, 0).await;
}

#[tokio::test]
async fn viewers_on_connections_go_when_the_hub_stops() {
    let (city, hub) = served().await;
    let mut socket = TcpStream::connect(hub).await.unwrap();
    // HTTP/1.0, as proxies speak it; and words that come too late change nothing.
    let request = "GET /live/ja HTTP/1.0\r\n\r\nGET / HTTP/1.0\r\n\r\n";
    socket.write_all(request.as_bytes()).await.unwrap();
    read_until(&mut socket, "id: ").await;
    city.shutdown.cancel();
    let mut rest = Vec::new();
    let end = tokio::time::timeout(PATIENCE, socket.read_to_end(&mut rest));
    let _ = end.await.expect("closed in time"); // a reset is an end, too
    until_viewers(&city, 0).await;
}

#[tokio::test]
async fn a_compressed_stream_says_the_same_at_every_moment() {
    let city = City::awake().await;
    let mut seq = 100;
    for path in ["/api/v1/events", "/live/ja", "/api/v1/offices/inage/events"] {
        let answer = city.open(path, &[("accept-encoding", "gzip, br")]).await;
        assert_eq!(answer.headers()["content-encoding"], "gzip");
        assert_eq!(answer.headers()["vary"], "accept-encoding");
        let mut packed = answer.into_body().into_data_stream();
        let answer = city.open(path, &[("accept-encoding", "gzip;q=0")]).await;
        assert!(!answer.headers().contains_key("content-encoding"));
        let mut plain = answer.into_body().into_data_stream();
        let (mut stream, mut wanted) = (Vec::new(), String::new());
        for round in 0..4 {
            if round > 0 {
                seq += 1;
                call(&city, "inage", seq, &format!("A{seq}")).await;
            }
            wanted += &chunk(&mut plain).await;
            let next = tokio::time::timeout(PATIENCE, packed.next());
            stream.extend_from_slice(&next.await.unwrap().unwrap().unwrap());
            let mut text = Vec::new();
            let end = flate2::read::GzDecoder::new(&stream[..]).read_to_end(&mut text);
            assert!(end.is_err(), "it never comes to its end");
            assert_eq!(String::from_utf8(text).unwrap(), wanted, "{path}");
        }
        assert!(stream.len() * 2 < wanted.len(), "{path}: worth it");
    }
}
