//! The hub while its database is locked, full, or away: nothing is acknowledged before it is
//! written, pages and numbers go on, it is said once, and it mends without a restart.

use crate::hub_history::Postgres;
use crate::mqtt::{options, start, up};
use crate::support::city::OFFICES;
use crate::support::mosquitto::Mosquitto;
use crate::support::process::{Process, metric};
pub use crate::support::reports::{fresh, report, today};
use crate::support::{eventually, http, skip, until, yobiban};
use serde_json::Value;
use sqlx::{AnyConnection, Connection as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use yobiban::mqtt::{Publish, Session};

/// Calls during the outage: several times what the broker hands over without an acknowledgement.
const CALLS: u64 = 300;

async fn call(node: &Session, no: u64) {
    let day = today();
    let message = format!(
        r#"{{"queue":"moving","day":"{day}","epoch":0,"no":{no},"ticket":"B{no}",
            "counter":"3","at":"{day}T00:00:00+09:00","kind":"call"}}"#
    );
    let message = Publish::new("yobiban/v1/chuo/node/n1/calls", message);
    node.publisher.publish(message).await.unwrap();
}

/// The `no` of every call in the history; `None` while it does not answer.
async fn history(hub: SocketAddr) -> Option<Vec<u64>> {
    let csv = http::get(hub, &format!("/opendata/calls/{}.csv", today())).await;
    let no = |line: &str| line.split(',').nth(4).unwrap().parse().unwrap();
    (csv.status == 200).then(|| csv.text().lines().skip(1).map(no).collect())
}

/// A database with a fault that can be switched on and off.
trait Database {
    /// A hub's command on a configuration.
    fn hub(&self, config: &Path) -> Command {
        let mut command = yobiban();
        command.args(["hub", "--config"]).arg(config);
        command
    }
    fn url(&self) -> String;
    async fn break_it(&mut self);
    async fn mend(&mut self);
}

/// What must hold on any database with any fault.
async fn survives(mut database: impl Database) {
    let Some(broker) = Mosquitto::start().await else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("hub.toml");
    let text = format!(
        "[mqtt]\nurl = \"mqtt://{}\"\nclient_id = \"hub\"\n[http]\nlisten = \"127.0.0.1:0\"\n[store]\nurl = \"{}\"\n",
        broker.address(),
        database.url()
    );
    std::fs::write(&config, text).unwrap();
    let own = std::os::unix::fs::PermissionsExt::from_mode(0o600); // an address may hold a password
    std::fs::set_permissions(&config, own).unwrap();
    let ready = async |hub, wanted| http::get(hub, "/readyz").await.status == wanted;
    let mut first = Process::start(database.hub(&config));
    let hub = first.pages().await;
    until("ready", async || ready(hub, 200).await).await;
    let mut node = start(options(broker.address(), "node"));
    up(&mut node).await;
    report(&node, &fresh("chuo", 1)).await;
    call(&node, 1).await;
    until("the first call is written", async || {
        history(hub).await == Some(vec![1])
    })
    .await;
    let before = first.memory_kib();

    database.break_it().await;
    for no in 2..=CALLS {
        call(&node, no).await;
    }
    until("the hub says that the database is away", async || {
        ready(hub, 503).await
    })
    .await;
    let said = http::get(hub, "/readyz").await.text();
    assert_eq!(said, "broker up\nhistory down\n");
    assert_eq!(metric(hub, "yobiban_hub_database_up").await, 0);
    assert_eq!(metric(hub, "yobiban_hub_calls_stored_total").await, 1);
    assert!(metric(hub, "yobiban_hub_database_write_errors_total").await >= 1);
    // The broker holds back what is not acknowledged: the hub has no more than its window, and the
    // few notes that it makes itself: five queues of one office, and what to forget.
    assert!(metric(hub, "yobiban_hub_write_queue_length").await <= 64 + 16);
    for round in 2..5 {
        let mut newer = fresh("chuo", round);
        newer.queues[0].waiting = Some(100 + u32::try_from(round).unwrap());
        report(&node, &newer).await;
        until("numbers go on", async || {
            let office = http::get(hub, "/api/v1/offices/chuo").await.text();
            let office: Value = serde_json::from_str(&office).unwrap();
            office["queues"][0]["waiting"] == newer.queues[0].waiting.unwrap()
        })
        .await;
        for path in ["/", "/offices/chuo", "/lite", "/opendata/congestion.csv"] {
            assert_eq!(http::get(hub, path).await.status, 200, "{path}");
        }
        let mine = "/offices/chuo/queues/moving/tickets/B320";
        assert_eq!(
            http::get(hub, mine).await.status,
            200,
            "without the history"
        );
    }
    let grown = first.memory_kib().saturating_sub(before);
    assert!(grown < 32 * 1024, "{grown} KiB more");
    // What was handed over is not acknowledged: another run of the hub gets it again.
    let took = first.stop().await;
    assert_eq!(
        first.says("cannot write to the history database"),
        1,
        "said once"
    );
    let loud = first.says(" WARN ") + first.says("ERROR");
    assert_eq!(loud, 1, "and nothing else: {:#?}", first.said());

    let second = Process::start(database.hub(&config));
    let hub = second.pages().await;
    until("the state is back from what the broker kept", async || {
        let all = http::get(hub, "/api/v1/offices").await.text();
        all.contains("\"waiting\":104")
    })
    .await;
    until("the new run sees it too", async || ready(hub, 503).await).await;
    database.mend().await;
    until("ready again without a restart", async || {
        ready(hub, 200).await
    })
    .await;
    until("every call is in the history", async || {
        history(hub).await == Some((1..=CALLS).collect())
    })
    .await;
    assert_eq!(
        metric(hub, "yobiban_hub_calls_stored_total").await,
        CALLS - 1
    );
    assert_eq!(
        second.says("cannot write to the history database"),
        1,
        "said once"
    );
    assert_eq!(second.says("the history database accepts writes again"), 1);
    let loud = second.says(" WARN ") + second.says("ERROR");
    assert_eq!(loud, 1, "and nothing else: {:#?}", second.said());
    println!("{grown} KiB more during the outage; stopped within {took:?}");
}

/// SQLite, with another process that holds the file for itself.
struct Locked {
    dir: tempfile::TempDir,
    other: Option<AnyConnection>,
}

impl Database for Locked {
    fn url(&self) -> String {
        format!("sqlite:{}", self.dir.path().join("hub.db").display())
    }

    async fn break_it(&mut self) {
        sqlx::any::install_default_drivers();
        let mut other = AnyConnection::connect(&self.url()).await.unwrap();
        let exclusive = sqlx::query("BEGIN EXCLUSIVE").execute(&mut other);
        exclusive.await.unwrap();
        self.other = Some(other);
    }

    async fn mend(&mut self) {
        let mut other = self.other.take().unwrap();
        sqlx::query("COMMIT").execute(&mut other).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_another_process_locks_costs_no_call_and_no_page() {
    let dir = tempfile::tempdir().unwrap();
    survives(Locked { dir, other: None }).await;
}

/// SQLite on a disk of its own, in a mount namespace that a sleeping process keeps.
struct Full {
    dir: tempfile::TempDir,
    keeper: Child,
}

impl Full {
    fn mount() -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let script =
            "mount -t tmpfs -o size=1m tmpfs \"$0\" && touch \"$0/mounted\" && exec sleep 3600";
        let keeper = Command::new("unshare")
            .args(["--mount", "sh", "-c", script])
            .arg(dir.path())
            .stdin(Stdio::null())
            .spawn();
        match keeper {
            Ok(keeper) => Some(Self { dir, keeper }),
            Err(error) => {
                skip(&format!("unshare: {error}"));
                None
            }
        }
    }

    /// The disk as the keeper sees it.
    fn disk(&self) -> PathBuf {
        let dir = self.dir.path().strip_prefix("/").unwrap();
        Path::new(&format!("/proc/{}/root", self.keeper.id())).join(dir)
    }
}

impl Database for Full {
    fn hub(&self, config: &Path) -> Command {
        let program = yobiban();
        let mut command = Command::new("nsenter");
        command
            .args(["--target", &self.keeper.id().to_string(), "--mount"])
            .arg(program.get_program())
            .args(["hub", "--config"])
            .arg(config)
            .env_remove("RUST_LOG");
        command
    }

    fn url(&self) -> String {
        format!("sqlite:{}", self.dir.path().join("hub.db").display())
    }

    async fn break_it(&mut self) {
        use std::io::Write as _;
        let mut ballast = std::fs::File::create(self.disk().join("ballast")).unwrap();
        let full = std::iter::repeat_with(|| ballast.write_all(&[0; 4096])).find_map(Result::err);
        let full = full.unwrap();
        assert_eq!(full.kind(), std::io::ErrorKind::StorageFull);
    }

    async fn mend(&mut self) {
        std::fs::remove_file(self.disk().join("ballast")).unwrap();
    }
}

impl Drop for Full {
    fn drop(&mut self) {
        let _ = self.keeper.kill();
        let _ = self.keeper.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_costs_no_call_and_no_page() {
    let Some(mut full) = Full::mount() else {
        return;
    };
    let mounted = async {
        eventually(crate::support::PATIENCE, "the disk", || {
            let there = full.disk().join("mounted").is_file();
            let ended = full.keeper.try_wait().unwrap().is_some();
            (there || ended).then_some(there)
        })
        .await
    };
    if !mounted.await {
        return skip("a disk cannot be mounted by this user");
    }
    survives(full).await;
}

impl Database for Postgres {
    fn url(&self) -> String {
        Postgres::url(self)
    }

    async fn break_it(&mut self) {
        self.stop();
    }

    async fn mend(&mut self) {
        self.run();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_server_that_is_gone_and_back_costs_no_call_and_no_page() {
    let Some(postgres) = Postgres::start() else {
        return;
    };
    survives(postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_that_forgot_everything_has_it_back_from_the_broker() {
    let Some(broker) = Mosquitto::start().await else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("hub.toml");
    let address = broker.address();
    let text = format!("[mqtt]\nurl = \"mqtt://{address}\"\n[http]\nlisten = \"127.0.0.1:0\"\n");
    std::fs::write(&config, text).unwrap();
    let mut node = start(options(address, "node"));
    up(&mut node).await;
    let (picture, line) = crate::support::city::picture(9);
    for (office, ..) in OFFICES {
        let topic = |tail: &str| format!("yobiban/v1/{office}/node/n1/{tail}");
        let mut numbers = fresh(office, 1);
        numbers.boards.push(line.clone());
        let online = Publish::retained(topic("availability"), "online");
        node.publisher.publish(online).await.unwrap();
        let board = Publish::retained(topic("board/main"), picture.clone());
        node.publisher.publish(board).await.unwrap();
        report(&node, &numbers).await;
    }
    let whole = async || {
        let mut command = yobiban();
        command.args(["hub", "--config"]).arg(&config);
        let mut process = Process::start(command);
        let hub = process.pages().await;
        let mut state = Value::Null;
        until("six offices with their pictures", async || {
            let answer = http::get(hub, "/api/v1/offices").await.text();
            state = serde_json::from_str(&answer).unwrap();
            let offices = state["offices"].as_array().unwrap();
            let whole = |o: &Value| o["online"] == true && o["boards"][0]["id"] == "main";
            offices.len() == OFFICES.len() && offices.iter().all(whole)
        })
        .await;
        let shown = http::get(hub, &format!("/images/{}", line.sha256)).await;
        process.kill();
        (state, shown.body)
    };
    let before = whole().await;
    let after = whole().await;
    assert_eq!(before, after);
    assert_eq!(after.1, picture);
}
