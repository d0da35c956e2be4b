//! Server-Sent Events: whole state first, then what changes; resume; slow viewers.

use crate::support::city::{City, numbers};
use axum::response::Response;
use futures_util::StreamExt as _;
use http_body_util::BodyExt as _;
use std::time::Duration;
use yobiban::model::Label;

/// The next bytes of a stream.
async fn chunk(body: &mut axum::body::BodyDataStream) -> String {
    let next = tokio::time::timeout(Duration::from_secs(5), body.next());
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
    let next = tokio::time::timeout(Duration::from_millis(40), body.next()).await;
    assert!(next.is_err(), "{next:?}");
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
    assert_eq!(city.hub.stats().viewers_skipped(), 1);
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
    assert_eq!(city.hub.stats().viewers(), 2);
    let third = city.open("/api/v1/events", &[]).await;
    assert_eq!(third.status(), 503);
    assert!(third.headers().contains_key("retry-after"));
    drop(two);
    assert_eq!(city.hub.stats().viewers(), 1);
    assert_eq!(city.open("/api/v1/events", &[]).await.status(), 200);
    city.shutdown.cancel();
    let rest = tokio::time::timeout(Duration::from_secs(5), one.into_body().collect());
    rest.await.expect("the stream ends").unwrap();
}
