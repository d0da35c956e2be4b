//! What the hub's pages say, in words: old numbers, closed counters, "my number", languages.

use crate::support::city::{City, numbers, time};
use std::time::Duration;
use yobiban::clock::{Clock as _, Now};
use yobiban::model::{Label, Status};

const CALL: &str = r#"{"queue":"certificates","day":"2026-11-24","epoch":0,"no":43,
    "ticket":"A042","counter":"3","at":"2026-11-24T10:42:07+09:00","kind":"call"}"#;

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

    city.hub.set_connected(false);
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
    city.hub.set_connected(true);
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
    city.clock
        .set(Now::at("2026-11-24T17:05:00+09:00".parse().unwrap()));
    chuo.at = time("2026-11-24T17:05:00+09:00");
    for queue in &mut chuo.queues {
        queue.status = Status::Closed;
        queue.as_of = Some(time("2026-11-24T17:05:00+09:00"));
        queue.waiting = Some(0);
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
        "b-325",
        "325",
        "0325",
        "%EF%BC%93%EF%BC%92%EF%BC%95%E7%95%AA",
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
    assert!(
        english
            .text()
            .contains("<html lang=\"en\" class=\"latin\">")
    );
    assert!(english.text().contains("Chuo Ward Office"));
    assert!(city.get("/").await.text().contains("<html lang=\"ja\">"));
    let link = city
        .get_with("/?lang=ja", &[("accept-language", "en")])
        .await;
    assert!(link.text().contains("<html lang=\"ja\">"));
}
