//! The hub's HTTP, each path as a service call without a socket.

use crate::support::city::{City, numbers, picture};
use std::io::Read as _;

const CALL: &str = r#"{"queue":"certificates","day":"2026-11-24","epoch":0,"no":43,
    "ticket":"A042","counter":"3","at":"2026-11-24T10:42:07+09:00","kind":"call"}"#;

#[tokio::test]
async fn every_path_answers_and_says_what_it_is() {
    let city = City::awake().await;
    let (bytes, line) = picture(7);
    let mut chuo = numbers("chuo");
    chuo.seq += 1;
    chuo.boards.push(line.clone());
    city.tell(&chuo).await;
    city.send("chuo/node/n1/board/main", bytes).await;
    let image = format!("/images/{}", line.sha256);
    let check = async |path: &str, kind: &str| {
        let answer = city.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        assert!(
            answer.header("content-type").starts_with(kind),
            "{path}: {:?}",
            answer.headers
        );
        assert!(!answer.body.is_empty(), "{path}");
    };
    for path in [
        "/",
        "/offices/chuo",
        "/offices/chuo/queues/moving/tickets/B320",
        "/find?ticket=A077",
        "/lite",
        "/lite/chuo",
    ] {
        check(path, "text/html; charset=utf-8").await;
        check(
            &format!(
                "{path}{}lang=en",
                if path.contains('?') { '&' } else { '?' }
            ),
            "text/html",
        )
        .await;
    }
    check("/api/v1/offices", "application/json").await;
    check("/api/v1/offices/chuo", "application/json").await;
    check("/opendata/congestion.json", "application/json").await;
    check("/opendata/congestion.csv", "text/csv").await;
    check("/opendata/calls/2026-11-24.csv", "text/csv").await;
    check(
        "/ngsi-ld/v1/entities?type=QueueMonitor",
        "application/ld+json",
    )
    .await;
    check("/healthz", "text/plain").await;
    check("/readyz", "text/plain").await;
    check("/metrics", "application/openmetrics-text").await;
    for path in ["/boards/chuo/n1/main", &image] {
        let answer = city.get(path).await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("content-type")),
            (200, "image/png")
        );
    }
}

#[tokio::test]
async fn what_is_not_there_is_404_and_nothing_is_written() {
    let city = City::awake().await;
    for path in [
        "/nowhere",
        "/offices/nowhere",
        "/offices/..%2f..%2fetc%2fpasswd",
        "/offices/chuo/queues/nowhere/tickets/A1",
        "/offices/chuo/queues/moving/tickets/1234567890123",
        "/lite/nowhere",
        "/api/v1/offices/nowhere",
        "/api/v1/offices/nowhere/events",
        "/api/v1/nothing",
        "/live/xx",
        "/live/ja/nowhere",
        "/boards/chuo/n1/main",
        "/boards/chuo/n1/..%2fmain",
        "/images/0000",
        "/assets/..%2f..%2fCargo.toml",
        "/opendata/calls/yesterday.csv",
        "/opendata/calls/2026-11-24",
        "/opendata/calls/2026-02-30.csv",
    ] {
        assert_eq!(city.get(path).await.status, 404, "{path}");
    }
    assert_eq!(city.get("/ngsi-ld/v1/entities").await.status, 400);
    for method in ["POST", "PUT", "DELETE", "PATCH"] {
        let request = axum::http::Request::builder()
            .method(method)
            .uri("/api/v1/offices");
        let request = request.body(axum::body::Body::from("{}")).unwrap();
        let router = yobiban::hub::router(city.hub.clone());
        let response = tower::ServiceExt::oneshot(router, request).await.unwrap();
        assert_eq!(response.status(), 405, "{method}");
    }
}

#[tokio::test]
async fn every_answer_bears_the_security_headers() {
    let city = City::awake().await;
    for path in ["/", "/nowhere", "/api/v1/offices", "/healthz"] {
        let answer = city.get(path).await;
        let policy = answer.header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'self';"),
            "{path}: {policy}"
        );
        assert!(!policy.contains("unsafe"), "{policy}");
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("referrer-policy"), "same-origin", "{path}");
    }
    let page = city.get("/").await;
    assert!(
        !page.text().contains("<style") && !page.text().contains(" style="),
        "no inline style"
    );
    assert!(
        !page.text().contains("<script>") && !page.text().contains(" onclick"),
        "no inline script"
    );
}

#[tokio::test]
async fn the_api_has_the_shapes_of_the_contract() {
    let city = City::awake().await;
    let (bytes, line) = picture(9);
    let mut chuo = numbers("chuo");
    chuo.seq += 1;
    chuo.boards.push(line.clone());
    city.tell(&chuo).await;
    assert_eq!(
        city.get("/api/v1/offices/chuo").await.json()["boards"],
        serde_json::json!([]),
        "a line without its bytes is not listed"
    );
    city.send("chuo/node/n1/board/main", bytes).await;
    let all = city.get("/api/v1/offices").await.json();
    assert_eq!(
        all.as_object().unwrap().keys().collect::<Vec<_>>(),
        ["offices"]
    );
    let ids: Vec<_> = all["offices"]
        .as_array()
        .unwrap()
        .iter()
        .map(|o| &o["id"])
        .collect();
    assert_eq!(
        ids,
        ["chuo", "hanamigawa", "inage", "wakaba", "midori", "mihama"]
    );
    let office = &all["offices"][0];
    assert_eq!(*office, city.get("/api/v1/offices/chuo").await.json());
    let mut keys: Vec<_> = office
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    keys.sort_unstable();
    assert_eq!(
        keys,
        [
            "as_of", "boards", "cameras", "id", "name", "online", "outputs", "queues"
        ]
    );
    assert_eq!(
        office["queues"],
        serde_json::to_value(&chuo.queues).unwrap(),
        "as in the report"
    );
    assert_eq!(
        office["boards"],
        serde_json::json!([{"node": "n1", "id": "main", "sha256": line.sha256, "format": "image/png",
            "width": 16, "height": 9, "shown_at": "2026-11-24T10:42:07+09:00"}])
    );
    assert_eq!(office["name"]["ja"], "中央区役所");
    assert_eq!(office["as_of"], "2026-11-24T10:42:07+09:00");
    assert_eq!(office["online"], true);
}

#[tokio::test]
async fn pages_and_json_are_revalidated_by_tag_and_compressed() {
    let city = City::awake().await;
    for path in [
        "/",
        "/offices/chuo",
        "/lite",
        "/api/v1/offices",
        "/opendata/congestion.csv",
    ] {
        let answer = city.get(path).await;
        let tag = answer.header("etag").to_owned();
        assert!(tag.starts_with("W/\""), "{path}: {tag}");
        assert_eq!(answer.header("cache-control"), "no-cache");
        assert!(answer.header("vary").contains("accept-language"), "{path}");
        let again = city.get_with(path, &[("if-none-match", &tag)]).await;
        assert_eq!(
            (again.status.as_u16(), again.body.len()),
            (304, 0),
            "{path}"
        );
        let other = city
            .get_with(path, &[("if-none-match", "W/\"other\"")])
            .await;
        assert_eq!(other.status, 200, "{path}");
        let small = city
            .get_with(path, &[("accept-encoding", "br, gzip")])
            .await;
        assert_eq!(small.header("content-encoding"), "gzip", "{path}");
        assert_eq!(small.header("etag"), tag, "{path}");
        let mut text = String::new();
        flate2::read::GzDecoder::new(&small.body[..])
            .read_to_string(&mut text)
            .unwrap();
        assert_eq!(text, answer.text(), "{path}");
    }
    let before = city.get("/").await.header("etag").to_owned();
    let mut chuo = numbers("chuo");
    chuo.seq += 1;
    let waiting = &mut chuo.queues[0].waiting;
    *waiting = waiting.map(|n| n + 1);
    city.tell(&chuo).await;
    assert_eq!(
        city.get_with("/", &[("if-none-match", &before)])
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn pictures_are_revalidated_and_immutable_by_hash() {
    let city = City::awake().await;
    let (old, old_line) = picture(1);
    let (new, new_line) = picture(2);
    city.send("chuo/node/n1/board/main", old.clone()).await;
    let board = city.get("/boards/chuo/n1/main").await;
    assert_eq!(board.body, old);
    let tag = format!("\"{}\"", old_line.sha256);
    assert_eq!(board.header("etag"), tag);
    assert_eq!(board.header("cache-control"), "no-cache");
    let again = city
        .get_with("/boards/chuo/n1/main", &[("if-none-match", &tag)])
        .await;
    assert_eq!((again.status.as_u16(), again.body.len()), (304, 0));
    city.send("chuo/node/n1/board/main", new.clone()).await;
    let newer = city
        .get_with("/boards/chuo/n1/main", &[("if-none-match", &tag)])
        .await;
    assert_eq!((newer.status.as_u16(), newer.body), (200, new));
    for line in [old_line, new_line] {
        let kept = city.get(&format!("/images/{}", line.sha256)).await;
        assert_eq!(kept.status, 200, "the replaced picture stays for a while");
        assert!(kept.header("cache-control").contains("immutable"));
    }
}

#[tokio::test]
async fn calls_of_a_day_are_csv_with_the_header_of_the_contract() {
    let city = City::awake().await;
    let empty = city.get("/opendata/calls/2026-11-23.csv").await;
    assert_eq!(
        empty.text(),
        "office,queue,day,epoch,no,ticket,counter,at,kind\r\n"
    );
    city.send("chuo/node/n1/calls", CALL).await;
    let odd = CALL
        .replace("A042", "=1+1,\\\"x\\\"")
        .replace("43", "44")
        .replace("\"3\"", "\"\"");
    city.send("chuo/node/n1/calls", odd).await;
    let csv = city.get("/opendata/calls/2026-11-24.csv").await;
    assert_eq!(
        csv.text(),
        "office,queue,day,epoch,no,ticket,counter,at,kind\r\n\
         chuo,certificates,2026-11-24,0,43,A042,3,2026-11-24T10:42:07+09:00,call\r\n\
         chuo,certificates,2026-11-24,0,44,\"=1+1,\"\"x\"\"\",,2026-11-24T10:42:07+09:00,call\r\n"
    );
    assert_eq!(csv.header("access-control-allow-origin"), "*");
}

#[tokio::test]
async fn open_data_tells_names_levels_and_waits() {
    let city = City::awake().await;
    let json = city.get("/opendata/congestion.json").await.json();
    let level = |i: usize| {
        json["offices"][i]["congestion"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(
        [level(0), level(1), level(3), level(4)],
        ["crowded", "busy", "free", "unknown"]
    );
    let csv = city.get("/opendata/congestion.csv").await;
    let line = csv.text().lines().nth(1).unwrap().to_owned();
    assert!(
        line.starts_with("chuo,中央区役所,certificates,証明書の交付,standard,open,free,true,"),
        "{line}"
    );
    assert!(line.ends_with(",12,1,480,900"), "{line}");
    let entities = city
        .get("/ngsi-ld/v1/entities?type=QueueMonitor")
        .await
        .json();
    assert_eq!(entities.as_array().unwrap().len(), 30);
    let one = &entities[0];
    assert_eq!(one["id"], "urn:ngsi-ld:QueueMonitor:chuo:certificates");
    assert_eq!(one["ticketServedLabel"]["value"], "A042");
    assert_eq!(one["ticketsToServe"]["value"], 12);
    assert_eq!(one["serviceStatus"]["value"], "Open");
    assert_eq!(one["projectedMaxWaitMinutes"]["value"], 15);
    assert_eq!(
        city.get("/ngsi-ld/v1/entities?type=Road").await.text(),
        "[]"
    );
}

#[tokio::test]
async fn metrics_count_messages_refusals_and_what_nodes_count() {
    let city = City::awake().await;
    city.send("chuo/node/n1/numbers", "{broken").await;
    city.send("chuo/feed/certificates", "{}").await;
    city.send("chuo/node/n1/calls", CALL).await;
    city.send("chuo/node/n1/calls", CALL).await;
    let health = r#"{"at":"2026-11-24T10:42:07+09:00","version":"0.1.0","uptime_s":61,
        "clock":"synchronised","issues":[],"counts":{"messages_rejected":3,"made_up":2}}"#;
    city.send("chuo/node/n1/health", health).await;
    let metrics = city.get("/metrics").await;
    for line in [
        "yobiban_hub_messages_total{kind=\"numbers\"} 7",
        "yobiban_hub_messages_rejected_total{reason=\"payload\"} 1",
        "yobiban_hub_messages_rejected_total{reason=\"topic\"} 1",
        "yobiban_hub_calls_stored_total 1",
        "yobiban_hub_calls_duplicate_total 1",
        "yobiban_hub_offices 6",
        "yobiban_hub_broker_connected 1",
        "yobiban_node_online{office=\"chuo\",node=\"n1\"} 1",
        "yobiban_node_messages_total{office=\"chuo\",node=\"n1\",result=\"rejected\"} 3",
    ] {
        assert!(
            metrics.text().lines().any(|l| l == line),
            "{line} in {}",
            metrics.text()
        );
    }
    assert!(!metrics.text().contains("made_up"));
    assert!(metrics.text().ends_with("# EOF\n"));
}
