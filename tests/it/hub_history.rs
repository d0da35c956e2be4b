//! The history: exactly once, through restarts and outages, on SQLite and PostgreSQL.

use crate::support::city::City;
pub use crate::support::postgres::Postgres;
use crate::support::{PATIENCE, eventually};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use yobiban::hub::Ack;
use yobiban::hub::history::{CallRow, History, HistoryEvent, LabelDays, Purge};
use yobiban::hub::stats::Stats;

pub fn row(queue: &str, epoch: i64, no: i64) -> CallRow {
    CallRow {
        office: "chuo".into(),
        queue: queue.into(),
        day: "2026-11-24".into(),
        epoch,
        no,
        ticket: format!("A{no:03}"),
        counter: "3".into(),
        at: "2026-11-24T10:42:07+09:00".into(),
        kind: "call".into(),
    }
}

/// A hub's history alone: the handle, its counts, and how to stop it.
pub struct Running {
    pub history: History,
    pub stats: Arc<Stats>,
    shutdown: CancellationToken,
    writer: tokio::task::JoinHandle<()>,
}

pub fn start(url: &str) -> Running {
    let stats = Arc::new(Stats::new());
    let (history, writer) = History::open(url, Arc::clone(&stats)).unwrap();
    let shutdown = CancellationToken::new();
    let writer = tokio::spawn(writer.run(shutdown.clone()));
    Running {
        history,
        stats,
        shutdown,
        writer,
    }
}

impl Running {
    pub async fn stop(self) {
        self.shutdown.cancel();
        tokio::time::timeout(PATIENCE, self.writer)
            .await
            .unwrap()
            .unwrap();
    }

    /// Records calls and waits until all are acknowledged.
    pub async fn record(&self, rows: impl IntoIterator<Item = CallRow>) {
        let left = Arc::new(AtomicUsize::new(0));
        for row in rows {
            let acked = Arc::clone(&left);
            left.fetch_add(1, Ordering::SeqCst);
            let ack = Ack::new(move || {
                acked.fetch_sub(1, Ordering::SeqCst);
            });
            self.history.record(row, Some(ack)).await.unwrap();
        }
        eventually(PATIENCE, "all are acknowledged", || {
            left.load(Ordering::SeqCst) == 0
        })
        .await;
    }

    pub async fn all(&self) -> Vec<CallRow> {
        let day = "2026-11-24".parse().unwrap();
        let mut rows: Vec<CallRow> = Vec::new();
        loop {
            let page = self.history.page(day, rows.last()).await.unwrap();
            if page.is_empty() {
                return rows;
            }
            rows.extend(page);
        }
    }
}

/// What must hold on any database.
async fn holds_every_call_once(url: &str) {
    let running = start(url);
    let rows: Vec<_> = (1..=2_500).map(|no| row("moving", 0, no)).collect();
    running.record(rows.iter().cloned()).await;
    let writes = running.stats.database_writes();
    assert!(
        (5..=250).contains(&writes),
        "{writes} transactions, of 500 at most"
    );
    // Again, as after a lost acknowledgement, and as a second node of the office may date them.
    running.record(rows.iter().cloned()).await;
    running
        .record(rows.iter().take(100).cloned().map(|r| CallRow {
            at: "2026-11-24T10:42:09+09:00".into(),
            ..r
        }))
        .await;
    running
        .record([
            row("moving", 1, 1),
            row("koseki", 0, 1),
            row("koseki", 0, 1),
        ])
        .await;
    let all = running.all().await;
    assert_eq!(all.len(), 2_502);
    let keys: BTreeSet<_> = all.iter().map(|r| (&r.queue, r.epoch, r.no)).collect();
    assert_eq!(keys.len(), all.len());
    assert_eq!(
        (
            running.stats.calls_stored(),
            running.stats.calls_duplicate()
        ),
        (2_502, 2_601)
    );
    let (office, queue) = ("chuo".parse().unwrap(), "moving".parse().unwrap());
    let day = "2026-11-24".parse().unwrap();
    let newest = running
        .history
        .newest_call(&office, &queue, day, "A001")
        .await
        .unwrap();
    assert_eq!(newest.map(|r| (r.epoch, r.no)), Some((1, 1)));
    assert_eq!(
        running
            .history
            .newest_call(&office, &queue, day, "' OR 1=1")
            .await
            .unwrap(),
        None
    );
    running.stop().await;

    let again = start(url);
    eventually(PATIENCE, "it is open", || again.history.is_usable()).await;
    assert_eq!(again.all().await, all, "kept through a restart");
    again.stop().await;
    crate::hub_calls::a_count_that_was_used_before_costs_no_call(url).await;
}

#[tokio::test]
async fn sqlite_holds_every_call_once() {
    let dir = tempfile::tempdir().unwrap();
    holds_every_call_once(&format!("sqlite:{}", dir.path().join("hub.db").display())).await;
}

#[tokio::test]
async fn a_locked_database_delays_the_acknowledgement_and_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", dir.path().join("hub.db").display());
    let running = start(&url);
    running.record([row("moving", 0, 1)]).await;
    // Another process holds the file: a connection of its own with the write lock.
    sqlx::any::install_default_drivers();
    let mut other = <sqlx::AnyConnection as sqlx::Connection>::connect(&url)
        .await
        .unwrap();
    sqlx::query("BEGIN EXCLUSIVE")
        .execute(&mut other)
        .await
        .unwrap();
    let acked = Arc::new(AtomicUsize::new(0));
    for no in 2..=20 {
        let acked = Arc::clone(&acked);
        let ack = Ack::new(move || {
            acked.fetch_add(1, Ordering::SeqCst);
        });
        running
            .history
            .record(row("moving", 0, no), Some(ack))
            .await
            .unwrap();
    }
    for _ in 0..10 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(
        acked.load(Ordering::SeqCst),
        0,
        "nothing is acknowledged before it is written"
    );
    sqlx::query("COMMIT").execute(&mut other).await.unwrap();
    eventually(PATIENCE, "all are acknowledged", || {
        acked.load(Ordering::SeqCst) == 19
    })
    .await;
    assert_eq!(running.all().await.len(), 20);
    running.stop().await;
}

#[tokio::test]
async fn a_call_that_cannot_be_written_is_never_acknowledged() {
    let running = start("postgres://nobody@127.0.0.1:9/none"); // the discard port: nothing listens
    let acked = Arc::new(AtomicUsize::new(0));
    let tell = Arc::clone(&acked);
    let ack = Ack::new(move || {
        tell.fetch_add(1, Ordering::SeqCst);
    });
    running
        .history
        .record(row("moving", 0, 1), Some(ack))
        .await
        .unwrap();
    eventually(PATIENCE, "it was looked at", || {
        running.history.backlog() <= 1
    })
    .await;
    assert!(!running.history.is_usable());
    running.stop().await;
    assert_eq!(acked.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn unknown_addresses_are_refused_without_repeating_the_password() {
    for url in [
        "mysql://u:secret@h/d",
        "hub.db",
        "",
        "postgre://u:secret@h/d",
    ] {
        let error = History::open(url, Arc::new(Stats::new()))
            .map(|_| ())
            .unwrap_err();
        assert!(
            !format!("{error:?} {error}").contains("secret"),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn calls_that_break_the_contract_are_acknowledged_and_counted_not_stored() {
    let city = City::awake().await;
    let good = r#"{"queue":"moving","day":"2026-11-24","epoch":0,"no":7,"ticket":"B7",
        "counter":"","at":"2026-11-24T10:00:00+09:00","kind":"recall"}"#;
    for bad in [
        good.replace("\"no\":7", "\"no\":0"),
        good.replace("\"no\":7", "\"no\":18446744073709551615"),
        good.replace("recall", "shout"),
        good.replace("\"day\":\"2026-11-24\"", "\"day\":\"2020-01-01\""),
        good.replace("\"epoch\":0,", ""),
        String::new(),
    ] {
        city.send("chuo/node/n1/calls", bad).await; // acknowledged, or this would time out
    }
    city.send("chuo/node/n1/calls", good).await;
    assert_eq!(city.hub.stats().calls_stored(), 1);
    let csv = city.get("/opendata/calls/2026-11-24.csv").await;
    assert_eq!(csv.text().lines().count(), 2);
}

#[tokio::test]
async fn an_office_that_calls_without_end_fills_no_database() {
    /// What one office may bring at once: two nodes' spools.
    const MOST: u64 = 200_000;
    let city = City::awake().await;
    let call = |no: u64| {
        format!(
            r#"{{"queue":"q{}","day":"2026-11-24","epoch":0,"no":{no},"ticket":"B7","counter":"",
            "at":"2026-11-24T10:00:00+09:00","kind":"call"}}"#,
            no % 1_000
        )
    };
    for no in 1..MOST {
        city.hand("inage/node/n1/calls", call(no)).await;
    }
    for no in MOST..MOST + 3 {
        city.send("inage/node/n1/calls", call(no)).await; // acknowledged, or it would come for ever
    }
    assert_eq!(city.hub.stats().calls_stored(), MOST);
    assert_eq!(city.hub.stats().rejected("too-many-calls"), 2);
    city.send("chuo/node/n1/calls", call(1)).await;
    assert_eq!(city.hub.stats().calls_stored(), MOST + 1, "others go on");
    city.clock.advance(Duration::from_secs(1));
    city.send("inage/node/n1/calls", call(MOST + 3)).await;
    assert_eq!(
        city.hub.stats().calls_stored(),
        MOST + 2,
        "and it may, slowly"
    );
}

#[tokio::test]
async fn postgresql_holds_every_call_once() {
    let Some(postgres) = Postgres::start() else {
        return;
    };
    holds_every_call_once(&postgres.url()).await;
}

/// Rows as the version before wrote them, which took a ticket as it was typed.
#[tokio::test]
async fn tickets_that_an_earlier_version_stored_are_found_and_stay_one_call() {
    let dir = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", dir.path().join("hub.db").display());
    let old = |no, ticket: &str| CallRow {
        ticket: ticket.into(),
        counter: "３".into(),
        ..row("koseki", 0, no)
    };
    let running = start(&url);
    running
        .record([old(1, "Ａ００１"), old(2, "\u{feff}A002"), old(3, "A003")])
        .await;
    running.stop().await;

    let running = start(&url);
    let again = |no| row("koseki", 0, no);
    running.record([again(1), again(2), again(3)]).await;
    assert_eq!(running.stats.calls_stored(), 0, "they are the same calls");
    let day: jiff::civil::Date = "2026-11-24".parse().unwrap();
    assert!(running.history.try_record(HistoryEvent::Purge(Purge {
        labels: LabelDays {
            at_least: Some(day),
            ..LabelDays::default()
        },
        rows_from: day,
        waiting_from: jiff::Timestamp::MIN,
    })));
    running.record([again(4)]).await;
    let spelt: Vec<_> = running.all().await;
    let spelt: Vec<_> = spelt
        .iter()
        .map(|r| (&r.ticket[..], &r.counter[..]))
        .collect();
    assert_eq!(
        spelt,
        [("A001", "3"), ("A002", "3"), ("A003", "3"), ("A004", "3")]
    );
    let (office, queue) = ("chuo".parse().unwrap(), "koseki".parse().unwrap());
    for no in 1..=4 {
        let ticket = format!("A{no:03}");
        let found = running
            .history
            .newest_call(&office, &queue, day, &ticket)
            .await;
        assert_eq!(found.unwrap().map(|r| r.no), Some(no), "{ticket}");
    }
    running.stop().await;
}
