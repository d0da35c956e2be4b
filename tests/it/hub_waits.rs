//! What was told against what happened, usual weeks, and what is forgotten when.

use crate::hub_history::Postgres;
use crate::support::city::{City, config, numbers, time};
use crate::support::{day, root};
use jiff::tz::TimeZone;
use std::collections::BTreeMap;
use std::time::Duration;
use yobiban::clock::{Clock as _, Now};
use yobiban::model::{Label, Lane, Name, OfficeId, QueueId, QueueState, Source};
use yobiban::state::{Office, QueueSettings, Settings};
use yobiban::uplink::{Identity, Pictures, report};
use yobiban::wire::feed::FeedMessage;
use yobiban::wire::report::Numbers;

/// The numbers of chuo at a time, with these labels at the end of the first queue's list.
fn chuo(seq: u64, at: &str, more: &[&str]) -> Numbers {
    let mut chuo = numbers("chuo");
    chuo.seq = seq;
    chuo.at = time(at);
    let queue = &mut chuo.queues[0];
    queue.as_of = Some(time(at));
    queue
        .next
        .extend(more.iter().map(|l| Label::new(l).unwrap()));
    queue.waiting = Some(queue.next.len().try_into().unwrap());
    chuo
}

fn call(no: u64, ticket: &str, at: &str, kind: &str) -> String {
    format!(
        r#"{{"queue":"certificates","day":"2026-11-24","epoch":0,"no":{no},"ticket":"{ticket}",
        "counter":"3","at":"{at}","kind":"{kind}"}}"#
    )
}

/// Tells numbers at the moment when they are made.
async fn tell(city: &City, numbers: &Numbers) {
    city.clock.set(Now::at(numbers.at.at));
    city.tell(numbers).await;
}

/// Everything that the tables of a database say, as text.
async fn tables(city: &City) -> String {
    let calls = city.get("/opendata/calls/2026-11-24.csv").await;
    let waits = city.get("/opendata/waits/2026-11-24.csv").await;
    format!("{}{}", calls.text(), waits.text())
}

async fn a_wait_is_measured_from_taking_the_ticket_to_its_first_call(city: City) {
    for (id, ..) in crate::support::city::OFFICES {
        city.online(id).await;
        city.tell(&numbers(id)).await;
    }
    // 480 to 900 s are told; A055 is taken at 10:43, A056 and A057 at 10:44.
    let told = chuo(78, "2026-11-24T10:43:00+09:00", &["A055"]);
    tell(&city, &told).await;
    let told = chuo(79, "2026-11-24T10:44:00+09:00", &["A055", "A056", "A057"]);
    tell(&city, &told).await;
    // One that comes back into the middle of the list is nobody new.
    let mut back = chuo(80, "2026-11-24T10:45:00+09:00", &["A055", "A056", "A057"]);
    back.queues[0].next.insert(0, Label::new("A031").unwrap());
    back.queues[0].waiting = Some(16);
    tell(&city, &back).await;
    // A list that was cut short says nothing of who is new.
    let mut cut = chuo(81, "2026-11-24T10:46:00+09:00", &["A058"]);
    cut.queues[0].waiting = Some(40);
    tell(&city, &cut).await;
    let told = chuo(82, "2026-11-24T10:47:00+09:00", &["A058", "A059"]);
    tell(&city, &told).await;
    let later = Now::at("2026-11-24T11:30:00+09:00".parse().unwrap());
    city.clock.set(later);
    for (no, ticket, at, kind) in [
        (50, "A055", "2026-11-24T10:53:00+09:00", "call"), // 600 s: inside
        (51, "A055", "2026-11-24T11:30:00+09:00", "recall"),
        (52, "A056", "2026-11-24T10:46:00+09:00", "call"), // 120 s: below
        (53, "A057", "2026-11-24T11:04:00+09:00", "call"), // 1200 s: above
        (54, "A031", "2026-11-24T11:05:00+09:00", "call"),
        (55, "A058", "2026-11-24T11:06:00+09:00", "call"),
        (56, "A059", "2026-11-24T11:07:00+09:00", "call"),
    ] {
        for _ in 0..2 {
            city.send("chuo/node/n1/calls", call(no, ticket, at, kind))
                .await;
        }
    }
    let waits = city.get("/opendata/waits/2026-11-24.csv").await;
    assert_eq!(
        waits.text(),
        "office,queue,day,lane,epoch,no,told_at,low_s,high_s,called_at,wait_s\r\n\
         chuo,certificates,2026-11-24,standard,0,50,2026-11-24T10:43:00+09:00,480,900,\
         2026-11-24T10:53:00+09:00,600\r\n\
         chuo,certificates,2026-11-24,standard,0,52,2026-11-24T10:44:00+09:00,480,900,\
         2026-11-24T10:46:00+09:00,120\r\n\
         chuo,certificates,2026-11-24,standard,0,53,2026-11-24T10:44:00+09:00,480,900,\
         2026-11-24T11:04:00+09:00,1200\r\n"
    );
    assert!(city.hub.refresh_figures().await);
    let json = city.get("/api/v1/accuracy").await.json();
    let queue = &json["queues"][0];
    assert_eq!(queue["office"], "chuo");
    assert_eq!(queue["queue"], "certificates");
    let counts = ["tickets", "inside", "above"].map(|key| queue[key].as_u64().unwrap());
    assert_eq!(counts, [3, 1, 1]);
    // |600 - 690|, |120 - 690|, |1200 - 690|
    assert_eq!(queue["mean_error_s"], 390.0);
    assert_eq!(queue["mean_wait_s"], 640.0);
    assert_eq!(json["queues"].as_array().unwrap().len(), 1);
    let page = city.get("/accuracy?lang=en").await;
    assert!(
        page.text().contains("for 33 % of 3 people"),
        "{}",
        page.text()
    );
    labels_go_when_their_day_is_over(city).await;
}

async fn labels_go_when_their_day_is_over(city: City) {
    city.hub.tick();
    city.settled().await;
    assert!(tables(&city).await.contains("A055"), "today they are there");
    let tagged = city.get("/opendata/calls/2026-11-24.csv").await;
    let tag = tagged.header("etag").to_owned();
    let path = "/opendata/calls/2026-11-24.csv";
    let again = city.get_with(path, &[("if-none-match", &tag)]).await;
    assert_eq!(again.status, 304);

    let now = city.clock.now();
    let next_day = Now::at("2026-11-25T00:00:01+09:00".parse().unwrap());
    city.clock.set(Now {
        mono: now.mono,
        ..next_day
    });
    city.hub.tick();
    city.settled().await;
    let late = call(60, "A060", "2026-11-24T16:59:00+09:00", "call");
    city.send("chuo/node/n1/calls", late).await;
    let rows = tables(&city).await;
    for label in ["A055", "A056", "A060", "A031"] {
        assert!(!rows.contains(label), "{label} in {rows}");
    }
    assert!(
        rows.contains("2026-11-24T16:59:00+09:00"),
        "times stay: {rows}"
    );
    let again = city.get_with(path, &[("if-none-match", &tag)]).await;
    assert_eq!(again.status, 200, "what it says has changed");

    // Times go after 400 days.
    let later = Now::at("2028-01-04T00:00:01+09:00".parse().unwrap());
    city.clock.set(Now {
        mono: now.mono,
        ..later
    });
    city.hub.tick();
    city.settled().await;
    assert_eq!(tables(&city).await.lines().count(), 2, "two headers");
}

#[tokio::test]
async fn waits_are_measured_and_labels_forgotten() {
    let city = City::empty().await;
    a_wait_is_measured_from_taking_the_ticket_to_its_first_call(city).await;
}

#[tokio::test]
async fn waits_are_measured_and_labels_forgotten_with_postgresql() {
    let Some(postgres) = Postgres::start() else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let city = City::with(config(&postgres.url()), dir).await;
    a_wait_is_measured_from_taking_the_ticket_to_its_first_call(city).await;
}

#[tokio::test]
async fn queues_are_noted_every_ten_minutes_and_make_a_usual_week() {
    let city = City::awake().await;
    for _ in 0..3 {
        city.hub.tick();
        city.clock.advance(Duration::from_secs(60));
    }
    city.clock.advance(Duration::from_secs(420)); // 10:52
    let mut chuo = chuo(78, "2026-11-24T10:52:00+09:00", &[]);
    for queue in &mut chuo.queues {
        queue.wait = Some(yobiban::wire::feed::WireWait {
            low: 1080,
            high: 1500,
            interval_mean: None,
            interval_shape: None,
        });
    }
    city.tell(&chuo).await;
    city.hub.tick();
    city.settled().await;
    assert!(city.hub.refresh_figures().await);
    let week = city.get("/api/v1/offices/chuo/forecast").await.json();
    let hours = week["hours"].as_array().unwrap();
    assert_eq!(
        hours.len(),
        5,
        "a queue each, one hour of one Tuesday: {week}"
    );
    let first = hours.iter().find(|h| h["queue"] == "certificates").unwrap();
    let number = |key: &str| first[key].as_f64().unwrap();
    let keys = ["weekday", "hour", "low_s", "high_s", "waiting", "days"];
    assert_eq!(keys.map(number), [2.0, 10.0, 780.0, 1200.0, 12.0, 1.0]);
    assert_eq!(first["congestion"], "busy");
    let page = city.get("/offices/chuo/forecast").await;
    assert!(page.text().contains("13–20"), "{}", page.text());
    let midori = city.get("/offices/midori/forecast").await;
    assert!(
        midori.text().contains("まだ記録がありません"),
        "old numbers make no week"
    );
    let csv = city.get("/opendata/usual.csv").await;
    assert!(
        csv.text()
            .contains("chuo,certificates,2,10,12.0,780.0,1200.0,1\r\n"),
        "{}",
        csv.text()
    );
}

#[tokio::test]
async fn the_forecast_says_when_to_come_today() {
    let city = City::awake().await;
    city.with_a_past().await;
    let page = city.get("/offices/chuo/forecast").await.text().to_owned();
    // 55 to 80 min now; the quietest hour is the last.
    assert!(
        page.contains("きょうこのあとは 16時台が空く見込みです"),
        "{page}"
    );
    let office = city.get("/offices/inage?lang=en").await.text().to_owned();
    assert!(
        office.contains("the actual wait was in the predicted range for 80 %"),
        "{office}"
    );
}

/// Five past five.
fn after_closing(city: &City) {
    let at = "2026-11-24T17:05:05+09:00".parse().unwrap();
    city.clock.set(yobiban::clock::Now::at(at));
}

/// A queue that gives out no more tickets while fourteen wait; in front of them 52 s a call.
fn last_calls(intervals: Option<(f64, f64)>) -> Numbers {
    let mut closed = chuo(78, "2026-11-24T17:05:00+09:00", &["A055", "A056"]);
    for queue in &mut closed.queues {
        queue.status = yobiban::model::Status::Closed;
    }
    let queue = &mut closed.queues[0];
    queue.wait = Some(yobiban::wire::feed::WireWait {
        low: 480,
        high: 1020,
        interval_mean: intervals.map(|i| i.0),
        interval_shape: intervals.map(|i| i.1),
    });
    closed
}

#[tokio::test]
async fn a_closed_queue_is_still_called_on_every_page_in_every_language() {
    let city = City::awake().await;
    let closed = last_calls(Some((52.0, 1.8)));
    after_closing(&city);
    city.tell(&closed).await;
    let next = &closed.queues[0].next;
    let of = |ahead: usize| {
        let ticket = next[ahead].as_str();
        format!("/offices/chuo/queues/certificates/tickets/{ticket}")
    };
    for (lang, third, row) in [
        (
            "en",
            "Closed to new tickets; you are number 3.",
            "no more tickets",
        ),
        (
            "ja",
            "新しい受付は終了しました。あなたは3番目です。",
            "受付終了・呼出し中",
        ),
        (
            "ja-x-easy",
            "あなたは 3番目（ばんめ）です。",
            "まだ よんでいます",
        ),
        ("ko", "고객님은 3번째입니다.", "호출 중"),
        ("pt", "você é o número 3 da fila", "sem novas senhas"),
        ("vi", "bạn là người thứ 3", "ngừng phát số"),
        ("zh-Hans", "您排在第3位", "仍在叫号"),
    ] {
        let page = city.get(&format!("{}?lang={lang}", of(2))).await;
        assert!(page.text().contains(third), "{lang}: {}", page.text());
        for path in ["/lite/chuo", "/offices/chuo", "/lite", "/"] {
            let page = city.get(&format!("{path}?lang={lang}")).await;
            assert!(page.text().contains(row), "{lang} {path}: {}", page.text());
        }
    }
    let first = city.get(&format!("{}?lang=en", of(0))).await;
    assert!(first.text().contains("You are next"), "{}", first.text());
    assert!(first.text().contains("you are number 1."));
    let lite = city.get("/lite/chuo?lang=en").await;
    assert!(
        lite.text().contains("8–17"),
        "the wait of the last: {}",
        lite.text()
    );
}

/// What "my number" says of the person with three before them.
async fn told_to_the_fourth(numbers: &Numbers) -> String {
    let city = City::awake().await;
    after_closing(&city);
    city.tell(numbers).await;
    let ticket = numbers.queues[0].next[3].as_str();
    let path = format!("/offices/chuo/queues/certificates/tickets/{ticket}?lang=en");
    let page = city.get(&path).await.text().to_owned();
    let said = page.split("You will be called in about ").nth(1);
    said.and_then(|s| s.split(" min").next())
        .unwrap_or(&page)
        .to_owned()
}

#[tokio::test]
async fn what_is_left_comes_from_the_intervals_and_without_them_from_the_share() {
    let open = |intervals: Option<(f64, f64)>| {
        let mut numbers = last_calls(intervals);
        numbers.queues[0].status = yobiban::model::Status::Open;
        numbers
    };
    // Four calls of about a minute; a share of 8 to 17 min would be 1 to 5.
    assert_eq!(told_to_the_fourth(&open(Some((52.0, 1.8)))).await, "1–6");
    assert_eq!(told_to_the_fourth(&open(None)).await, "1–5");
    // Three times as slow in front as behind: the nearer calls take their own time.
    assert_eq!(told_to_the_fourth(&open(Some((150.0, 1.8)))).await, "3–13");
}

/// A recorded day through node, report and hub: what the hub publishes of its ranges is what
/// `yobiban score` says of the same day.
#[tokio::test]
async fn the_published_accuracy_is_that_of_the_score() {
    let file = |end: &str| root().join(format!("tests/fixtures/days/2026-11-24.{end}"));
    let (recording, tickets) = (file("jsonl.gz"), file("tickets.csv"));
    let score = yobiban::commands::score::score(&recording, &tickets).unwrap();
    let city = City::empty().await;
    let lines = day::read(&recording);
    let mut queues: BTreeMap<String, Vec<QueueId>> = BTreeMap::new();
    let parts = |topic: &str| -> Option<(String, String)> {
        let (office, queue) = topic.strip_prefix("yobiban/v1/")?.split_once("/feed/")?;
        Some((office.to_owned(), queue.to_owned()))
    };
    for line in &lines {
        let Some((office, queue)) = parts(&line.topic) else {
            continue;
        };
        let queue = QueueId::new(&queue).unwrap();
        let known = queues.entry(office).or_default();
        if !known.contains(&queue) {
            known.push(queue);
        }
    }
    let zone = TimeZone::fixed(jiff::tz::offset(9));
    let mut offices: BTreeMap<String, (Office, Identity)> = BTreeMap::new();
    for (office, queues) in queues {
        let settings = |id: QueueId| QueueSettings {
            name: Name::new([("en", id.as_str())]),
            id,
            lane: Lane::Standard,
        };
        let state = Office::new(Settings::new(queues.into_iter().map(settings).collect()));
        let identity = Identity {
            root: "yobiban/v1".into(),
            office: OfficeId::new(&office).unwrap(),
            name: Name::new([("en", office.as_str())]),
            node: "n1".parse().unwrap(),
            zone: zone.clone(),
        };
        city.online(&office).await;
        offices.insert(office, (state, identity));
    }
    let begin = city.clock.now().mono;
    let mut first = None;
    for (seq, line) in (1..).zip(&lines) {
        let wall: jiff::Timestamp = line.at.parse().unwrap();
        let since = wall.duration_since(*first.get_or_insert(wall));
        let now = Now {
            mono: begin + since.unsigned_abs(),
            ..Now::at(wall)
        };
        city.clock.set(now);
        let Some((office, queue)) = parts(&line.topic) else {
            continue;
        };
        let Ok(message) = FeedMessage::decode(&line.payload) else {
            continue;
        };
        let (state, identity) = offices.get_mut(&office).unwrap();
        let queue = QueueId::new(&queue).unwrap();
        // What a viewer saw the moment before.
        let mut before = report::numbers(
            &state.snapshot(now),
            identity,
            2 * seq,
            &Pictures::new(),
            now,
        );
        let Ok(changes) = state.apply(&queue, QueueState::from(message), Source::Feed, now) else {
            continue;
        };
        let after = report::numbers(
            &state.snapshot(now),
            identity,
            2 * seq + 1,
            &Pictures::new(),
            now,
        );
        for numbers in [&mut before, &mut after.clone()] {
            city.tell(numbers).await;
        }
        for call in &changes.calls {
            let call = serde_json::to_vec(&report::call(call, &zone)).unwrap();
            city.send(&format!("{office}/node/n1/calls"), call).await;
        }
    }
    city.settled().await;
    assert!(city.hub.refresh_figures().await);
    let json = city.get("/api/v1/accuracy").await.json();
    let sum = |key: &str| -> f64 {
        let all = json["queues"].as_array().unwrap().iter();
        all.map(|q| q[key].as_f64().unwrap()).sum()
    };
    let total = score.total();
    let (tickets, inside, above) = (sum("tickets"), sum("inside"), sum("above"));
    println!(
        "hub: {tickets} tickets, inside {:.3}, above {:.3}; score: {} tickets, inside {:.3}, above {:.3}",
        inside / tickets,
        above / tickets,
        total.n,
        total.inside(),
        total.above()
    );
    assert!(
        tickets >= 0.9 * f64::from(total.n),
        "{tickets} of {}",
        total.n
    );
    assert!((inside / tickets - total.inside()).abs() < 0.03);
    assert!((above / tickets - total.above()).abs() < 0.03);
}
