//! The history: exactly once, through restarts and outages, on SQLite and PostgreSQL.

use crate::support::city::City;
use crate::support::skip;
use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;
use yobiban::hub::Ack;
use yobiban::hub::history::{CallRow, History};
use yobiban::hub::stats::Stats;

fn row(queue: &str, epoch: i64, no: i64) -> CallRow {
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
struct Running {
    history: History,
    stats: Arc<Stats>,
    shutdown: CancellationToken,
    writer: tokio::task::JoinHandle<()>,
}

fn start(url: &str) -> Running {
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
    async fn stop(self) {
        self.shutdown.cancel();
        tokio::time::timeout(crate::support::ENDS_WITHIN, self.writer)
            .await
            .unwrap()
            .unwrap();
    }

    /// Records calls and waits until all are acknowledged.
    async fn record(&self, rows: impl IntoIterator<Item = CallRow>) {
        let left = Arc::new(AtomicUsize::new(0));
        for row in rows {
            let acked = Arc::clone(&left);
            left.fetch_add(1, Ordering::SeqCst);
            let ack = Ack::new(move || {
                acked.fetch_sub(1, Ordering::SeqCst);
            });
            self.history.record(row, Some(ack)).await.unwrap();
        }
        until(|| left.load(Ordering::SeqCst) == 0).await;
    }

    async fn all(&self) -> Vec<CallRow> {
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

async fn until(what: impl Fn() -> bool) {
    let limit = Instant::now() + crate::support::PATIENCE;
    while !what() {
        assert!(Instant::now() < limit, "waited in vain");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// What must hold on any database.
async fn holds_every_call_once(url: &str) {
    let running = start(url);
    let rows: Vec<_> = (1..=2_500).map(|no| row("moving", 0, no)).collect();
    running.record(rows.iter().cloned()).await;
    let writes = running.stats.history_writes();
    assert!(
        (5..=250).contains(&writes),
        "{writes} transactions, of 500 at most"
    );
    // Again, as after a lost acknowledgement; another ticket under a known key changes nothing.
    running
        .record(rows.iter().cloned().map(|r| CallRow {
            ticket: "X".into(),
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
    assert!(all.iter().all(|r| r.ticket != "X"));
    assert_eq!(
        (running.stats.calls_stored(), running.stats.calls_doubled()),
        (2_502, 2_501)
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
    until(|| again.history.is_usable()).await;
    assert_eq!(again.all().await, all, "kept through a restart");
    again.stop().await;
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
    until(|| acked.load(Ordering::SeqCst) == 19).await;
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
    until(|| running.history.backlog() == 0 || running.history.backlog() == 1).await;
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
    assert_eq!(city.hub.stats().refused("too-many-calls"), 2);
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

/// A PostgreSQL server of its own on a Unix socket in a folder.
pub struct Postgres {
    bin: PathBuf,
    dir: tempfile::TempDir,
}

/// PostgreSQL does not run as root: another user's hands.
fn as_user(program: &Path) -> Command {
    let root =
        std::fs::metadata("/proc/self").is_ok_and(|m| std::os::unix::fs::MetadataExt::uid(&m) == 0);
    if root {
        let mut command = Command::new("runuser");
        command.args(["-u", "nobody", "--"]).arg(program);
        command
    } else {
        Command::new(program)
    }
}

fn run(command: &mut Command) {
    let out = command.current_dir("/").output().unwrap();
    assert!(
        out.status.success(),
        "{command:?}: {}{}",
        String::from_utf8_lossy(&out.stdout),
        String::from_utf8_lossy(&out.stderr)
    );
}

impl Postgres {
    pub fn start() -> Option<Self> {
        let versions = std::fs::read_dir("/usr/lib/postgresql")
            .into_iter()
            .flatten();
        let bins = versions.filter_map(|v| Some(v.ok()?.path().join("bin")));
        let Some(bin) = bins.filter(|b| b.join("postgres").is_file()).max() else {
            skip("postgresql is not installed");
            return None;
        };
        let dir = tempfile::tempdir().unwrap();
        std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
        let data = dir.path().join("data");
        run(as_user(&bin.join("initdb"))
            .arg("-D")
            .arg(&data)
            .args(["-A", "trust", "-U", "hub", "-N", "-E", "UTF8"]));
        let server = Self { bin, dir };
        server.run();
        Some(server)
    }

    /// Starts it (again) and waits until it answers.
    pub fn run(&self) {
        let options = format!(
            "-c listen_addresses='' -k {} -c fsync=off",
            self.dir.path().display()
        );
        run(as_user(&self.bin.join("pg_ctl"))
            .arg("-D")
            .arg(self.dir.path().join("data"))
            .arg("-l")
            .arg(self.dir.path().join("log"))
            .args(["-w", "-t", "30", "-o", &options, "start"]));
    }

    /// Ends it, and every connection with it.
    pub fn stop(&self) {
        run(as_user(&self.bin.join("pg_ctl"))
            .arg("-D")
            .arg(self.dir.path().join("data"))
            .args(["-w", "-m", "fast", "stop"]));
    }

    pub fn url(&self) -> String {
        let socket = self.dir.path().display().to_string().replace('/', "%2F");
        format!("postgres://hub@{socket}/postgres")
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let data = self.dir.path().join("data");
        let mut stop = as_user(&self.bin.join("pg_ctl"));
        let _ = stop
            .current_dir("/")
            .arg("-D")
            .arg(data)
            .args(["-m", "immediate", "stop"])
            .output();
    }
}

#[tokio::test]
async fn postgresql_holds_every_call_once() {
    let Some(postgres) = Postgres::start() else {
        return;
    };
    holds_every_call_once(&postgres.url()).await;
}
