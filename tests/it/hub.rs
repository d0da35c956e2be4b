//! The hub's HTTP, each path as a service call without a socket.

use crate::support::city::{City, numbers, picture, time};
use std::io::Read as _;
use std::time::Duration;
use yobiban::clock::{Clock as _, Now};
use yobiban::model::{Label, Status};

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
            "as_of", "boards", "cameras", "id", "name", "online", "queues"
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
async fn a_ticket_named_script_is_harmless_everywhere() {
    let city = City::awake().await;
    let evil = Label::new("<script>").unwrap();
    let mut chuo = numbers("chuo");
    chuo.seq += 1;
    chuo.office.name = yobiban::model::Name::new([("ja", "<b onload=x>\"'&")]);
    chuo.queues[0].name = yobiban::model::Name::new([("ja", "</script><img src=x>")]);
    chuo.queues[0].last_call.as_mut().unwrap().ticket = evil.clone();
    chuo.queues[0].next = vec![evil, Label::new("\"'><i>").unwrap()];
    city.tell(&chuo).await;
    for path in [
        "/",
        "/offices/chuo",
        "/lite",
        "/lite/chuo",
        "/offices/chuo/queues/certificates/tickets/%3Cscript%3E",
        "/find?ticket=%3Cscript%3E&office=%22%3E%3Cscript%3E",
        "/find?ticket=%3Cscript%3E",
        "/?lang=%22%3E%3Cscript%3E",
    ] {
        let answer = city.get(path).await;
        let text = answer.text().replace("<script src=\"/assets/app.", "");
        assert!(!text.contains("<script"), "{path}");
        assert!(
            !text.contains("<img src=x") && !text.contains("<b onload"),
            "{path}"
        );
        assert!(!text.contains("\"'><i>"), "{path}");
    }
    let events = city.open("/live/ja", &[]).await;
    let first = crate::hub_events::first_chunk(events).await;
    assert!(
        first.contains("&#60;script&#62;") || first.contains("&lt;script&gt;"),
        "{first}"
    );
    assert!(!first.contains("<script"), "{first}");
    let csv = city.get("/opendata/congestion.csv").await;
    assert!(
        csv.text().contains("\"<script> \"\"'><i>\""),
        "quoted by RFC 4180: {}",
        csv.text()
    );
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
    chuo.queues[0].waiting += 1;
    city.tell(&chuo).await;
    assert_eq!(
        city.get_with("/", &[("if-none-match", &before)])
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn the_first_view_weighs_under_60_kb() {
    let city = City::awake().await;
    let mut sum = 0;
    let mut packed = 0;
    let page = city.get("/").await;
    let text = page.text();
    let assets = text.split('"').filter(|part| part.starts_with("/assets/"));
    for path in std::iter::once("/").chain(assets) {
        let answer = city.get(path).await;
        assert_eq!(answer.status, 200, "{path}");
        let gzip = city.get_with(path, &[("accept-encoding", "gzip")]).await;
        println!(
            "{path}: {} bytes, {} compressed",
            answer.body.len(),
            gzip.body.len()
        );
        sum += answer.body.len();
        packed += gzip.body.len();
    }
    println!("first view: {sum} bytes, {packed} compressed");
    assert!(sum < 60_000, "{sum} bytes without compression");
    assert!(packed < 20_000, "{packed} bytes with it");
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
        "office,queue,day,epoch,no,ticket,counter,at,kind\n"
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
        "office,queue,day,epoch,no,ticket,counter,at,kind\n\
         chuo,certificates,2026-11-24,0,43,A042,3,2026-11-24T10:42:07+09:00,call\n\
         chuo,certificates,2026-11-24,0,44,\"=1+1,\"\"x\"\"\",,2026-11-24T10:42:07+09:00,call\n"
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
async fn old_numbers_say_so_in_words_when_source_node_or_broker_is_silent() {
    let city = City::awake().await;
    let stale = "10:18 の数字です。窓口との通信が途切れています。";
    assert_eq!(
        city.get("/").await.text().matches(stale).count(),
        1,
        "the source of midori"
    );
    city.send("inage/node/n1/availability", "offline").await;
    let page = city.get("/offices/inage").await;
    assert!(
        page.text()
            .contains("10:42 の数字です。窓口との通信が途切れています。")
    );
    let api = city.get("/api/v1/offices/inage").await.json();
    assert_eq!(
        (&api["online"], &api["queues"][0]["fresh"]),
        (&false.into(), &false.into())
    );
    assert!(page.text().contains("A062"), "the numbers stay");

    city.hub.set_line(false);
    city.clock.advance(Duration::from_secs(10));
    city.hub.tick();
    assert_eq!(
        city.get("/api/v1/offices/chuo").await.json()["online"],
        true,
        "a short gap alarms nobody"
    );
    assert_eq!(city.get("/readyz").await.status, 503);
    city.clock.advance(Duration::from_secs(10));
    city.hub.tick();
    assert_eq!(
        city.get("/api/v1/offices/chuo").await.json()["queues"][0]["fresh"],
        false
    );
    city.hub.set_line(true);
    assert_eq!(
        city.get("/api/v1/offices/chuo").await.json()["queues"][0]["fresh"],
        true
    );
    assert_eq!(city.get("/readyz").await.status, 200);
}

#[tokio::test]
async fn yesterdays_numbers_are_not_shown_as_todays() {
    let city = City::awake().await;
    let now = city.clock.now();
    let next_day = Now::at("2026-11-25T08:00:00+09:00".parse().unwrap());
    city.clock.set(Now {
        mono: now.mono,
        ..next_day
    });
    city.hub.tick();
    let page = city.get("/").await;
    assert!(!page.text().contains("A042"), "yesterday's call");
    assert!(page.text().contains("まだ開いていません。"));
    assert!(
        city.get("/lite/chuo?lang=en")
            .await
            .text()
            .contains("Not open yet.")
    );
}

#[tokio::test]
async fn closed_and_paused_are_said_in_words() {
    let city = City::awake().await;
    let mut chuo = numbers("chuo");
    chuo.seq += 1;
    chuo.queues[0].status = Status::Paused;
    city.tell(&chuo).await;
    assert!(city.get("/").await.text().contains("休止中"));
    chuo.seq += 1;
    for queue in &mut chuo.queues {
        queue.status = Status::Closed;
        queue.as_of = Some(time("2026-11-24T17:05:00+09:00"));
        queue.waiting = 0;
        queue.next.clear();
    }
    city.tell(&chuo).await;
    let page = city.get("/offices/chuo").await;
    assert!(page.text().contains("本日の受付は終了しました。"));
    assert!(page.text().contains("受付時間外"));
}

#[tokio::test]
async fn my_number_tells_people_wait_and_time_to_come_back() {
    let city = City::awake().await;
    let page = async |queue: &str, ticket: &str| {
        let path = format!("/offices/chuo/queues/{queue}/tickets/{ticket}");
        city.get(&path).await.text().to_owned()
    };
    let next = page("moving", "B318").await;
    assert!(next.contains("次にお呼びします"));
    // 21 wait, 55 to 80 min: with 10 ahead 26 to 40 min, back by 10:42 + 26 - 5, in steps of five.
    let eleventh = page("moving", "B328").await;
    assert!(eleventh.contains("<strong>10</strong>"), "{eleventh}");
    assert!(eleventh.contains("およそ 26–40分後"), "{eleventh}");
    assert!(
        eleventh.contains("11:00 ごろまでにお戻りください"),
        "{eleventh}"
    );
    let soon = page("mynumber", "C530").await;
    assert!(soon.contains("<strong>1</strong>") && soon.contains("窓口の近くでお待ちください"));
    assert!(
        page("certificates", "A042")
            .await
            .contains("3番窓口へお越しください")
    );
    assert!(
        page("certificates", "A999")
            .await
            .contains("この番号は今の一覧にありません")
    );

    let passed = CALL.replace("A042", "A038").replace("10:42:07", "10:20:00");
    city.send("chuo/node/n1/calls", passed).await;
    let text = page("certificates", "A038").await;
    assert!(
        text.contains("呼出しは過ぎています") && text.contains("10:20 にお呼びしました"),
        "{text}"
    );

    let mut chuo = numbers("chuo");
    chuo.seq += 1;
    chuo.queues[1].next.truncate(5);
    city.tell(&chuo).await;
    assert!(page("moving", "B330").await.contains("5人以上お待ちです"));
}

#[tokio::test]
async fn the_form_finds_a_ticket_however_it_is_typed() {
    let city = City::awake().await;
    let to = async |query: &str| {
        let answer = city.get(&format!("/find?{query}")).await;
        (answer.status.as_u16(), answer.header("location").to_owned())
    };
    let path = "/offices/chuo/queues/moving/tickets/B325?lang=ja";
    for typed in [
        "B325",
        "b325",
        "%EF%BC%A2%EF%BC%93%EF%BC%92%EF%BC%95",
        "+B+325",
    ] {
        let found = to(&format!("ticket={typed}&office=chuo")).await;
        assert_eq!(found, (303, path.to_owned()), "{typed}");
    }
    assert_eq!(
        to("ticket=B999&office=chuo&lang=en").await.1,
        "/offices/chuo/queues/moving/tickets/B999?lang=en"
    );
    let many = city.get("/find?ticket=A077").await;
    assert_eq!(many.text().matches("class=\"links\"").count(), 1);
    assert_eq!(
        many.text().matches("/tickets/A077").count(),
        2,
        "midori called it, mihama waits for it: {}",
        many.text()
    );
    for bad in [
        "",
        "ticket=",
        "ticket=1234567890123",
        "ticket=%00",
        "ticket=%ff%fe",
    ] {
        let answer = city.get(&format!("/find?{bad}")).await;
        assert_eq!(answer.status, 200, "{bad}");
        assert!(!answer.text().contains("class=\"links\""), "{bad}");
    }
}

#[tokio::test]
async fn languages_follow_the_browser_and_the_link() {
    let city = City::awake().await;
    let english = city
        .get_with("/", &[("accept-language", "en-GB,en;q=0.9,ja;q=0.5")])
        .await;
    assert!(english.text().contains("<html lang=\"en\">"));
    assert!(english.text().contains("Chuo Ward Office"));
    assert!(city.get("/").await.text().contains("<html lang=\"ja\">"));
    let link = city
        .get_with("/?lang=ja", &[("accept-language", "en")])
        .await;
    assert!(link.text().contains("<html lang=\"ja\">"));
}

#[tokio::test]
async fn metrics_count_messages_refusals_and_what_nodes_count() {
    let city = City::awake().await;
    city.send("chuo/node/n1/numbers", "{broken").await;
    city.send("chuo/feed/certificates", "{}").await;
    city.send("chuo/node/n1/calls", CALL).await;
    city.send("chuo/node/n1/calls", CALL).await;
    let health = r#"{"at":"2026-11-24T10:42:07+09:00","version":"0.1.0","uptime_s":61,
        "clock":"synchronised","issues":[],"counts":{"feed_refused":3,"feed_late":2}}"#;
    city.send("chuo/node/n1/health", health).await;
    let metrics = city.get("/metrics").await;
    for line in [
        "yobiban_hub_messages_total{kind=\"numbers\"} 7",
        "yobiban_hub_refused_total{reason=\"payload\"} 1",
        "yobiban_hub_refused_total{reason=\"topic\"} 1",
        "yobiban_hub_calls_stored_total 1",
        "yobiban_hub_calls_doubled_total 1",
        "yobiban_hub_offices 6",
        "yobiban_hub_line_up 1",
        "yobiban_node_online{office=\"chuo\",node=\"n1\"} 1",
        "yobiban_node_count{office=\"chuo\",node=\"n1\",name=\"feed_refused\"} 3",
    ] {
        assert!(
            metrics.text().lines().any(|l| l == line),
            "{line} in {}",
            metrics.text()
        );
    }
    assert!(metrics.text().ends_with("# EOF\n"));
}

#[tokio::test]
async fn a_hub_runs_on_a_line_serves_and_stops_in_time() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use yobiban::hub::Incoming;
    let dir = tempfile::tempdir().unwrap();
    let config =
        crate::support::city::config(&format!("sqlite:{}", dir.path().join("hub.db").display()));
    let (reports, inbox) = tokio::sync::mpsc::channel(8);
    let (up, line_up) = tokio::sync::watch::channel(true);
    let (tell, told) = tokio::sync::oneshot::channel();
    let shutdown = tokio_util::sync::CancellationToken::new();
    let line = yobiban::roles::hub::Line {
        reports: inbox,
        calls: None,
        up: line_up,
    };
    let clock =
        yobiban::clock::ManualClock::new(Now::at(crate::support::city::AT.parse().unwrap()));
    let running = tokio::spawn(yobiban::roles::hub::run_on(
        config,
        clock,
        shutdown.clone(),
        line,
        |at| {
            let _ = tell.send(at);
        },
    ));
    let address = told.await.unwrap();
    let payload = serde_json::to_vec(&numbers("chuo")).unwrap();
    reports
        .send(Incoming::new("yobiban/v1/chuo/node/n1/numbers", payload))
        .await
        .unwrap();
    let ask = async |path: &str| {
        let mut socket = tokio::net::TcpStream::connect(address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        socket.write_all(request.as_bytes()).await.unwrap();
        let mut text = String::new();
        socket.read_to_string(&mut text).await.unwrap();
        text
    };
    assert!(ask("/readyz").await.starts_with("HTTP/1.1 200"));
    let mut tries = 0;
    while !ask("/api/v1/offices").await.contains("\"chuo\"") {
        tries += 1;
        assert!(tries < 100, "the numbers never came");
    }
    // An open stream and an idle connection must not hold up the end.
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    stream
        .write_all(b"GET /api/v1/events HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .unwrap();
    stream.read_exact(&mut [0; 64]).await.unwrap();
    let idle = tokio::net::TcpStream::connect(address).await.unwrap();
    drop(up);
    shutdown.cancel();
    tokio::time::timeout(Duration::from_secs(2), running)
        .await
        .expect("stops in time")
        .unwrap()
        .unwrap();
    drop(idle);
}
