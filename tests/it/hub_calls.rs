//! Calls that a hub takes, and those that it does not: of which day, of which office, and what
//! becomes of a call whose count was used by another.

use crate::hub_history::{Postgres, row, start};
use crate::support::city::{City, config, numbers};
use crate::support::{PATIENCE, eventually, root};
use std::time::Duration;
use yobiban::hub::history::{CallRow, History};

const TODAY: &str = "/opendata/calls/2026-11-24.csv";

fn call(no: u64, ticket: &str, at: &str) -> String {
    let day = &at[..10];
    format!(
        r#"{{"queue":"certificates","day":"{day}","epoch":0,"no":{no},"ticket":"{ticket}",
        "counter":"3","at":"{at}","kind":"call"}}"#
    )
}

async fn newest(history: &History, ticket: &str) -> Option<(i64, String)> {
    let (office, queue) = ("chuo".parse().unwrap(), "poison".parse().unwrap());
    let day = "2026-11-24".parse().unwrap();
    let found = history.newest_call(&office, &queue, day, ticket).await;
    found.unwrap().map(|r| (r.no, r.at))
}

/// What must hold on any database, which may hold rows of other queues: whatever was called under
/// a count before, a call is in the history once.
pub async fn a_count_that_was_used_before_costs_no_call(url: &str) {
    let a = start(url);
    eventually(PATIENCE, "it is open", || a.history.is_usable()).await;
    let clock = |text: &str| format!("2026-11-24T{text}+09:00");
    let poison = |no: i64, ticket: &str, at: &str| CallRow {
        ticket: ticket.into(),
        at: clock(at),
        ..row("poison", 0, no)
    };
    let honest = |no: i64| poison(no, &format!("H{no:04}"), "10:42:07");
    // Counts 1 to 3000, each with three other tickets; and the end of the range with a real one.
    let numbers = 1..=3_000;
    let bad = numbers
        .clone()
        .flat_map(|no| ["X1", "X2", "X3"].map(|ticket| poison(no, ticket, "09:00:00")));
    a.record(bad).await;
    a.record([poison(i64::MAX, "H0007", "10:40:00")]).await;
    // At two hubs at once, each several times.
    let b = start(url);
    eventually(PATIENCE, "it is open", || b.history.is_usable()).await;
    let twice = || numbers.clone().flat_map(|no| [honest(no), honest(no)]);
    tokio::join!(a.record(twice()), b.record(twice()));
    let mut found = a.all().await;
    found.retain(|r| r.queue == "poison");
    let of = |ticket: &str| found.iter().filter(|r| r.ticket == ticket).count();
    assert_eq!(found.len(), 3_000 * 4 + 1, "every call, once, by pages");
    assert_eq!([of("X1"), of("X3"), of("H2999")], [3_000, 3_000, 1]);
    let order: Vec<_> = found.iter().map(|r| r.no).collect();
    assert!(order.is_sorted());
    assert_eq!(
        newest(&a.history, "H0007").await,
        Some((7, clock("10:42:07")))
    );
    assert_eq!(
        newest(&a.history, "X2").await.map(|(no, _)| no),
        Some(3_000)
    );
    let stamp = a
        .history
        .stamp("2026-11-24".parse().unwrap())
        .await
        .unwrap();
    let all = a.all().await.len() as u64;
    assert_eq!([stamp[0], stamp[1]], [all, all]);
    a.stop().await;
    b.stop().await;
}

#[tokio::test]
async fn a_call_of_the_future_hides_none_that_is_made_after_it() {
    let city = City::awake().await;
    // Two minutes ahead at most, and of the ticket that is called next.
    city.send(
        "chuo/node/n1/calls",
        call(9, "A099", "2026-11-24T10:44:06+09:00"),
    )
    .await;
    city.clock.advance(Duration::from_secs(20));
    city.send(
        "chuo/node/n1/calls",
        call(10, "A099", "2026-11-24T10:42:27+09:00"),
    )
    .await;
    let (office, queue) = ("chuo".parse().unwrap(), "certificates".parse().unwrap());
    let day = "2026-11-24".parse().unwrap();
    let newest = city.hub.history();
    let newest = newest.newest_call(&office, &queue, day, "A099").await;
    assert_eq!(newest.unwrap().unwrap().no, 10);
}

#[tokio::test]
async fn calls_of_days_to_come_and_of_days_not_kept_are_acknowledged_and_counted_not_stored() {
    let city = City::awake().await;
    let bad = [
        "2030-01-01",
        "2099-12-31",
        "9999-12-29",
        "0001-01-02",
        "2025-10-01",
        "2026-11-25",
    ];
    for day in bad {
        city.send(
            "chuo/node/n1/calls",
            call(1, "A777", &format!("{day}T10:00:00+09:00")),
        )
        .await;
        let csv = city.get(&format!("/opendata/calls/{day}.csv")).await;
        assert_eq!(csv.text().lines().count(), 1, "{day}");
    }
    assert_eq!(city.hub.stats().rejected("time"), bad.len() as u64);
    assert_eq!(city.hub.stats().calls_stored(), 0);
    // What a spool kept through a long weekend is taken.
    city.send(
        "chuo/node/n1/calls",
        call(1, "A1", "2026-11-20T16:00:00+09:00"),
    )
    .await;
    assert_eq!(city.hub.stats().calls_stored(), 1);
}

#[tokio::test]
async fn calls_that_come_before_their_offices_numbers_are_published_with_these() {
    let city = City::empty().await;
    for no in 1..=700 {
        let at = format!("2026-11-24T10:{:02}:{:02}+09:00", no / 60, no % 60);
        city.hand("chuo/node/n1/calls", call(no, &format!("A{no:03}"), &at))
            .await;
    }
    let again = call(1, "A001", "2026-11-24T10:00:01+09:00");
    city.send("chuo/node/n1/calls", again.clone()).await; // acknowledged all the same
    assert_eq!(
        city.get(TODAY).await.text().lines().count(),
        1,
        "not published"
    );
    assert_eq!(city.hub.stats().calls_stored(), 0);
    city.online("chuo").await;
    city.tell(&numbers("chuo")).await;
    city.settled().await;
    city.send("chuo/node/n1/calls", again).await;
    let csv = city.get(TODAY).await;
    assert_eq!(csv.text().lines().count(), 701, "each, once");
    assert!(csv.text().contains(",700,A700,"));
}

#[tokio::test]
async fn calls_of_an_office_whose_numbers_are_too_old_to_show_are_not_lost() {
    let city = City::empty().await;
    // The hub was away over a long weekend: the broker kept Friday's numbers and calls.
    city.send(
        "chuo/node/n1/calls",
        call(1, "A001", "2026-11-20T17:00:00+09:00"),
    )
    .await;
    let mut friday = numbers("chuo");
    friday.at = crate::support::city::time("2026-11-20T17:20:00+09:00");
    friday.day = "2026-11-20".parse().unwrap();
    let friday = serde_json::to_vec(&friday).unwrap();
    city.send_kept("chuo/node/n1/numbers", friday).await;
    city.settled().await;
    city.send(
        "chuo/node/n1/calls",
        call(2, "A002", "2026-11-20T17:10:00+09:00"),
    )
    .await;
    let csv = city.get("/opendata/calls/2026-11-20.csv").await;
    assert_eq!(csv.text().lines().count(), 3, "{}", csv.text());
    assert_eq!(
        city.get("/api/v1/offices").await.json()["offices"],
        serde_json::json!([])
    );
}

#[tokio::test]
async fn an_office_without_numbers_fills_no_history_and_its_calls_go_after_a_day() {
    /// As many as wait for one office.
    const MOST: u64 = 5_000;
    let city = City::awake().await;
    for no in 1..=MOST {
        let call = call(no, "X", "2026-11-24T10:00:00+09:00");
        city.hand("nowhere/node/n1/calls", call).await;
    }
    for no in 0..10 {
        let call = call(MOST + 1 + no, "X", "2026-11-24T10:00:00+09:00");
        city.send("nowhere/node/n1/calls", call).await;
    }
    assert_eq!(city.hub.stats().rejected("no-numbers"), 10);
    assert_eq!(city.hub.stats().calls_stored(), 0);
    city.settled().await;
    let mut database = database(&city.dir).await;
    assert_eq!(count(&mut database, "calls_waiting").await, MOST as i64);
    for _ in 0..2 {
        city.clock.advance(Duration::from_secs(24 * 3600));
        city.hub.tick();
        city.settled().await;
    }
    assert_eq!(count(&mut database, "calls_waiting").await, 0);
}

async fn database(dir: &tempfile::TempDir) -> sqlx::AnyConnection {
    sqlx::any::install_default_drivers();
    let url = format!("sqlite:{}", dir.path().join("hub.db").display());
    <sqlx::AnyConnection as sqlx::Connection>::connect(&url)
        .await
        .unwrap()
}

async fn count(connection: &mut sqlx::AnyConnection, table: &'static str) -> i64 {
    let text = format!("SELECT COUNT(*) FROM {table}");
    let query = sqlx::query_scalar(sqlx::AssertSqlSafe(text));
    query.fetch_one(connection).await.unwrap()
}

/// What the version before calls its statement for one call.
const BEFORE: &str = "INSERT INTO calls \
    (office, queue, day, epoch, no, ticket, counter, at, kind, at_s) \
    VALUES ('chuo', 'certificates', '2026-12-01', 0, 5, 'A006', '3', \
    '2026-12-01T02:38:39+09:00', 'call', 1796060319) \
    ON CONFLICT (day, office, queue, epoch, no) DO NOTHING";

/// A database that the version before wrote is read and written; that version finds it as it
/// knows it afterwards, and this one finds what that one added.
async fn there_and_back(url: &str, dump: &str) {
    sqlx::any::install_default_drivers();
    let connect = || <sqlx::AnyConnection as sqlx::Connection>::connect(url);
    let dump = std::fs::read_to_string(root().join("tests/fixtures/hub").join(dump)).unwrap();
    let mut connection = connect().await.unwrap();
    sqlx::raw_sql(sqlx::AssertSqlSafe(dump))
        .execute(&mut connection)
        .await
        .unwrap();
    let day = "2026-12-01".parse().unwrap();
    let texts = async |history: &History| -> Vec<String> {
        let rows = history.page(day, None).await.unwrap();
        rows.iter()
            .map(|r| format!("{} {}", r.no, r.ticket))
            .collect()
    };
    let this = start(url);
    eventually(PATIENCE, "it is open", || this.history.is_usable()).await;
    assert_eq!(
        texts(&this.history).await,
        ["1 A001", "2 A002", "3 A002", "4 A004"]
    );
    assert_eq!(this.history.waits_page(day, None).await.unwrap().len(), 1);
    let at = |ticket: &str, no| CallRow {
        day: day.to_string(),
        ticket: ticket.into(),
        at: "2026-12-01T02:39:30+09:00".into(),
        ..row("certificates", 0, no)
    };
    // One that is there, and one whose count was used.
    this.record([at("A001", 1), at("A005", 2)]).await;
    this.stop().await;

    // The migrations that the version before knows: it finds them all, and none beside.
    let numbered = sqlx::migrate::Migrator::new(crate::support::root().join("migrations"));
    let numbered = numbered.await.unwrap();
    assert_eq!(numbered.iter().count(), 2, "a version before knows two");
    numbered.run(&mut connection).await.unwrap();
    sqlx::query(BEFORE).execute(&mut connection).await.unwrap();
    assert_eq!(count(&mut connection, "calls").await, 6);

    let again = start(url);
    eventually(PATIENCE, "it is open", || again.history.is_usable()).await;
    let expected = ["1 A001", "2 A002", "2 A005", "3 A002", "4 A004", "5 A006"];
    assert_eq!(texts(&again.history).await, expected);
    again.stop().await;
}

#[tokio::test]
async fn a_sqlite_file_of_the_version_before_is_used_and_can_be_used_by_it_again() {
    let dir = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}?mode=rwc", dir.path().join("hub.db").display());
    there_and_back(&url, "before-calls-again.sqlite.sql").await;
}

#[tokio::test]
async fn a_postgresql_database_of_the_version_before_is_used_and_can_be_used_by_it_again() {
    let Some(postgres) = Postgres::start() else {
        return;
    };
    there_and_back(&postgres.url(), "before-calls-again.postgres.sql").await;
}

/// Labels of an office go with its own day, whatever another office says.
async fn labels_go_by_each_offices_own_day(city: City) {
    for office in ["chuo", "inage"] {
        city.online(office).await;
        let mut numbers = numbers(office);
        if office == "inage" {
            // As far behind as any place on earth, and the same moment.
            for queue in &mut numbers.queues {
                queue.as_of = Some(crate::support::city::time("2026-11-23T13:42:07-12:00"));
                queue.last_call = None;
            }
        }
        city.tell(&numbers).await;
    }
    city.send(
        "chuo/node/n1/calls",
        call(1, "A001", "2026-11-24T10:00:00+09:00"),
    )
    .await;
    city.send(
        "chuo/node/n1/calls",
        call(1, "A002", "2026-11-24T10:00:00+09:00"),
    )
    .await;
    city.send(
        "inage/node/n1/calls",
        call(1, "B001", "2026-11-24T10:00:00+09:00"),
    )
    .await;
    city.hub.tick();
    let at = |text: &str| {
        let next = yobiban::clock::Now::at(text.parse().unwrap());
        city.clock.set(next);
        city.hub.tick();
    };
    at("2026-11-25T00:00:01+09:00");
    city.settled().await;
    let named = city.get(TODAY).await.text().to_owned();
    assert!(
        !named.contains("A001") && !named.contains("A002"),
        "{named}"
    );
    assert!(
        named.contains("B001"),
        "it says that its day goes on: {named}"
    );
    assert_eq!(named.lines().count(), 4);
    // But no day lasts longer than anywhere on earth.
    at("2026-11-25T21:00:01+09:00");
    city.settled().await;
    let named = city.get(TODAY).await.text().to_owned();
    assert!(!named.contains("B001"), "{named}");
}

#[tokio::test]
async fn an_office_that_lies_about_its_zone_keeps_no_labels_of_others() {
    labels_go_by_each_offices_own_day(City::empty().await).await;
    let Some(postgres) = Postgres::start() else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    labels_go_by_each_offices_own_day(City::with(config(&postgres.url()), dir).await).await;
}

#[tokio::test]
async fn what_was_told_is_written_for_today_alone() {
    let city = City::awake().await;
    let mut database = database(&city.dir).await;
    let mut seq = 100;
    for at in [
        "2999-12-30T10:42:07+09:00",
        "2026-11-25T10:42:07+09:00",
        "2026-11-24T10:45:00+09:00",
        "2026-11-23T10:42:07+09:00",
    ] {
        for more in ["Q1", "Q2"] {
            seq += 1;
            let mut chuo = numbers("chuo");
            chuo.seq = seq;
            for queue in &mut chuo.queues {
                queue.as_of = Some(crate::support::city::time(at));
                queue.next.push(yobiban::model::Label::new(more).unwrap());
                queue.waiting = Some(queue.next.len().try_into().unwrap());
            }
            city.tell(&chuo).await;
        }
    }
    city.settled().await;
    assert_eq!(count(&mut database, "told").await, 0);
    // The same by an honest node.
    let mut chuo = numbers("chuo");
    chuo.seq = seq + 1;
    city.tell(&chuo).await;
    chuo.seq += 1;
    chuo.queues[0]
        .next
        .push(yobiban::model::Label::new("Q3").unwrap());
    chuo.queues[0].waiting = chuo.queues[0].waiting.map(|n| n + 1);
    city.tell(&chuo).await;
    city.settled().await;
    assert_eq!(count(&mut database, "told").await, 1);
}
