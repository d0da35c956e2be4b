//! Whether a system on trial is kept: the box's script, against what the real node wrote.

use crate::mqtt::{options, up};
use crate::support::mosquitto::Mosquitto;
use crate::support::process::Process;
use crate::support::{PATIENCE, eventually, node_toml, root, yobiban};
use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Output};
use tokio_util::sync::CancellationToken;
use yobiban::clock::{Clock as _, SystemClock};
use yobiban::mqtt::{self, Publish};

const FILE: &str = "run/status";

/// A box that started from slot b, which is on trial; a is what it had.
struct TrialBox(tempfile::TempDir);

impl TrialBox {
    fn new() -> Self {
        let this = Self(tempfile::tempdir().unwrap());
        for folder in ["boot", "rauc", "run", "bin"] {
            fs::create_dir(this.at(folder)).unwrap();
        }
        this.put("boot/slot.txt", "os_prefix=a/\n");
        this.put("boot/try.txt", "os_prefix=b/\n");
        this.put("rauc/trial", "b 1.2\n");
        this.booted("b");
        this.main_pid(0);
        // What systemd answers, and a sleep of a hundredth.
        this.program(
            "systemctl",
            "[ \"$*\" = 'show --property=MainPID --value yobiban-node' ] && exec cat \"$BOX/pid\"\nexit 1",
        );
        this.program("sleep", "exec /bin/sleep 0.05");
        this
    }

    fn at(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    fn put(&self, path: &str, text: &str) {
        fs::write(self.at(path), text).unwrap();
    }

    fn text(&self, path: &str) -> Option<String> {
        fs::read_to_string(self.at(path)).ok()
    }

    fn program(&self, name: &str, lines: &str) {
        let path = self.at("bin").join(name);
        fs::write(&path, format!("#!/bin/sh\n{lines}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn booted(&self, slot: &str) {
        self.put("cmdline", &format!("ro rauc.slot={slot} quiet\n"));
    }

    /// Which process systemd has as the node.
    fn main_pid(&self, pid: u32) {
        self.put("pid", &format!("{pid}\n"));
    }

    /// Starts the node as its unit does.
    fn node(&self, broker: SocketAddr) -> Process {
        let moving = "[[queue]]\nid = \"moving\"\nname = { ja = \"住所変更\" }\n";
        self.put("node.toml", &node_toml(broker, moving));
        let mut command = yobiban();
        command
            .args(["node", "--config"])
            .arg(self.at("node.toml"))
            .env("RUNTIME_DIRECTORY", self.at("run"));
        let node = Process::start(command);
        self.main_pid(node.id());
        node
    }

    /// Waits until the node's file has a line.
    async fn says(&self, line: &str) {
        let what = format!("the node says {line}");
        eventually(PATIENCE, &what, || {
            let text = self.text(FILE)?;
            text.lines().any(|l| l == line).then_some(())
        })
        .await;
    }

    /// Installs version 1.2 into the other slot, by the box's script.
    fn update(&self) {
        let _ = fs::remove_file(self.at("rauc/failed"));
        self.put("url", "http://127.0.0.1/bundle\n");
        self.put("version", "1.1\n");
        self.program(
            "rauc",
            "if [ \"$1\" = info ]; then echo \"RAUC_MF_VERSION='1.2'\"; fi",
        );
        let output = self.script_of("update").output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }

    fn script(&self) -> Command {
        self.script_of("trial")
    }

    fn script_of(&self, name: &str) -> Command {
        let path = std::env::var("PATH").unwrap();
        let scripts = root().join("image/root/usr/lib/yobiban");
        let mut command = Command::new("sh");
        command
            .arg(scripts.join(name))
            .env("YOBIBAN_UPDATE_URL", self.at("url"))
            .env("YOBIBAN_VERSION", self.at("version"))
            .env("PATH", format!("{}:{path}", self.at("bin").display()))
            .env("BOX", self.0.path())
            .env("YOBIBAN_SLOTS", scripts.join("slots"))
            .env("YOBIBAN_BOOT", self.at("boot"))
            .env("YOBIBAN_RAUC", self.at("rauc"))
            .env("YOBIBAN_CMDLINE", self.at("cmdline"))
            .env("YOBIBAN_CONSOLE", self.at("console"))
            .env("YOBIBAN_STATUS", self.at(FILE));
        command
    }

    /// Looks once, as when the time is over, with more of the machine told; a new trial each time.
    fn decide(&self, more: &[(&str, PathBuf)]) -> Decision {
        self.put("boot/slot.txt", "os_prefix=a/\n");
        self.put("rauc/trial", "b 1.2\n");
        let _ = fs::remove_file(self.at("rauc/failed"));
        let mut script = self.script();
        script.env("YOBIBAN_TRIAL_SECONDS", "0");
        let output = script.envs(more.iter().cloned()).output().unwrap();
        self.decision(&output)
    }

    fn decision(&self, output: &Output) -> Decision {
        assert!(output.status.success(), "{output:?}");
        assert_eq!(self.text("rauc/trial"), None, "the trial is over");
        let slot = self.text("boot/slot.txt").unwrap();
        match (slot.as_str(), self.text("rauc/failed").as_deref()) {
            ("os_prefix=b/\n", None) => Decision::Kept,
            ("os_prefix=a/\n", Some("1.2\n")) => Decision::Returned,
            other => panic!("{other:?}: {output:?}"),
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Decision {
    Kept,
    Returned,
}
use Decision::{Kept, Returned};

/// Publishes a state of a queue that was made some days ago.
async fn tell(broker: SocketAddr, queue: &str, days_ago: i64) {
    publish(broker, queue, state(days_ago)).await;
}

/// A state that was made some days ago.
fn state(days_ago: i64) -> String {
    let now = SystemClock::new().now().wall;
    let at = now.to_zoned(jiff::tz::TimeZone::get("Asia/Tokyo").unwrap());
    let at = at.checked_sub(jiff::Span::new().days(days_ago)).unwrap();
    format!(
        r#"{{"seq": 1, "at": "{}", "day": "{}", "status": "open", "waiting": 3, "on_hold": 0, "calls": []}}"#,
        at.strftime("%Y-%m-%dT%H:%M:%S%:z"),
        at.date()
    )
}

/// Publishes a message of a queue, retained, and waits until the broker has it.
async fn publish(broker: SocketAddr, queue: &str, message: String) {
    let stop = CancellationToken::new();
    let mut session = mqtt::spawn(options(broker, "tickets"), stop.clone());
    up(&mut session).await;
    let topic = format!("yobiban/v1/chuo/feed/{queue}");
    let publish = Publish::retained(topic, message);
    session.publisher.publish(publish).await.unwrap();
    // The next one has the same name.
    stop.cancel();
    session.task.await.unwrap();
}

#[tokio::test]
async fn a_system_whose_node_hears_numbers_is_kept_and_any_other_is_returned_from() {
    let Some(mut broker) = Mosquitto::start().await else {
        return;
    };
    let it = TrialBox::new();
    assert_eq!(it.decide(&[]), Returned, "no node at all");
    let node = it.node(broker.address());
    it.says("connected=yes").await;
    it.says("queues=2").await;
    assert_eq!(it.decide(&[]), Returned, "connected, and nothing heard");
    tell(broker.address(), "certificates", 0).await;
    it.says("queues_live=1").await;
    let text = it.text(FILE).unwrap();
    let version = format!("version={}\n", env!("CARGO_PKG_VERSION"));
    assert!(text.contains(&version), "{text}");
    assert!(text.contains(&format!("pid={}\n", node.id())), "{text}");
    assert_eq!(it.decide(&[]), Kept);
    broker.kill();
    it.says("connected=no").await;
    it.says("queues_live=1").await;
    assert_eq!(it.decide(&[]), Returned, "the broker is gone");
}

#[tokio::test]
async fn a_stale_file_keeps_no_system() {
    let Some(broker) = Mosquitto::start().await else {
        return;
    };
    let it = TrialBox::new();
    let mut node = it.node(broker.address());
    it.says("connected=yes").await;
    tell(broker.address(), "certificates", 0).await;
    it.says("queues_live=1").await;
    assert_eq!(it.decide(&[]), Kept);

    it.put("boot_id", "7c9c0a52-0000-4000-8000-000000000000\n");
    let boot = [("YOBIBAN_BOOT_ID", it.at("boot_id"))];
    assert_eq!(it.decide(&boot), Returned, "of another boot");
    it.main_pid(node.id() + 1);
    assert_eq!(it.decide(&[]), Returned, "of another process");
    it.main_pid(0);
    assert_eq!(it.decide(&[]), Returned, "while none runs");
    it.main_pid(node.id());
    assert_eq!(it.decide(&[]), Kept, "nothing else was changed");

    // Killed, it leaves its file; what it said counts for 15 s of the machine's time.
    node.kill();
    let text = it.text(FILE).unwrap();
    let written = text.lines().find_map(|l| l.strip_prefix("uptime_s="));
    let written: u64 = written.unwrap().parse().unwrap();
    for (passed, decision) in [(0, Kept), (15, Kept), (16, Returned), (90_000, Returned)] {
        it.put("uptime", &format!("{}.99 3.14\n", written + passed));
        let uptime = [("YOBIBAN_UPTIME", it.at("uptime"))];
        assert_eq!(it.decide(&uptime), decision, "{passed} s later");
    }
    it.put("uptime", &format!("{}.99 3.14\n", written - 1));
    let uptime = [("YOBIBAN_UPTIME", it.at("uptime"))];
    assert_eq!(it.decide(&uptime), Returned, "written in the future");

    // Stopped, it takes it away.
    let mut node = it.node(broker.address());
    it.says(&format!("pid={}", node.id())).await;
    node.stop().await;
    assert_eq!(it.text(FILE), None);
    assert_eq!(it.decide(&[]), Returned);
}

#[tokio::test]
async fn a_copy_of_yesterday_keeps_a_system_of_an_office_that_is_silent_at_night() {
    let Some(broker) = Mosquitto::start().await else {
        return;
    };
    // What the broker has at three in the morning of a source that is off at night.
    tell(broker.address(), "certificates", 1).await;
    tell(broker.address(), "moving", 1).await;
    let it = TrialBox::new();
    let _node = it.node(broker.address());
    it.says("queues_readable=2").await;
    assert_eq!(it.decide(&[]), Kept);
    // It is nothing that is shown as of today.
    let text = it.text(FILE).unwrap();
    assert!(text.contains("queues=2\nqueues_live=0\n"), "{text}");
}

#[tokio::test]
async fn messages_that_the_new_system_cannot_read_keep_no_system() {
    let Some(broker) = Mosquitto::start().await else {
        return;
    };
    let it = TrialBox::new();
    let _node = it.node(broker.address());
    it.says("connected=yes").await;
    publish(broker.address(), "certificates", "{\"seq\": 1}".into()).await;
    publish(broker.address(), "of-nobody", state(0)).await;
    // Messages keep their order: both were taken when this one is.
    tell(broker.address(), "moving", 0).await;
    it.says("queues_readable=1").await;
}

#[tokio::test]
async fn where_nobody_speaks_at_night_a_connection_keeps_a_system() {
    let Some(mut broker) = Mosquitto::start().await else {
        return;
    };
    let it = TrialBox::new();
    it.booted("a");
    let mut old = it.node(broker.address());
    it.says("connected=yes").await;
    // The old system has heard nothing since it started.
    it.update();
    assert_eq!(it.text("rauc/trial").as_deref(), Some("b 1.2\n"));
    assert!(it.text("rauc/quiet").is_some());
    old.stop().await;
    it.booted("b");
    let quiet = |decide: &dyn Fn() -> Decision| {
        it.put("rauc/quiet", "");
        let decision = decide();
        assert_eq!(it.text("rauc/quiet"), None, "of this trial alone");
        decision
    };
    let _node = it.node(broker.address());
    it.says("connected=yes").await;
    assert_eq!(quiet(&|| it.decide(&[])), Kept);
    assert_eq!(
        it.decide(&[]),
        Returned,
        "where the old one heard something"
    );
    broker.kill();
    it.says("connected=no").await;
    assert_eq!(quiet(&|| it.decide(&[])), Returned);
}

#[tokio::test]
async fn where_the_old_system_heard_its_source_the_new_one_must() {
    let Some(broker) = Mosquitto::start().await else {
        return;
    };
    let it = TrialBox::new();
    it.booted("a");
    it.put("rauc/quiet", "");
    let mut node = it.node(broker.address());
    it.says("connected=yes").await;
    tell(broker.address(), "moving", 0).await;
    it.says("queues_readable=1").await;
    it.update();
    assert_eq!(it.text("rauc/quiet"), None);
    // A source that has been silent for ten minutes is one that sleeps.
    node.kill();
    let text = it.text(FILE).unwrap();
    let uptime = text.lines().find_map(|l| l.strip_prefix("uptime_s="));
    it.put("uptime", &format!("{}.10 3.14\n", uptime.unwrap()));
    for (silent, quiet) in [("599", false), ("600", true), ("never", true), ("x", false)] {
        let text = text.lines().map(|line| match line.split_once('=') {
            Some(("silent_s", _)) => format!("silent_s={silent}\n"),
            _ => format!("{line}\n"),
        });
        it.put(FILE, &text.collect::<String>());
        it.update();
        assert_eq!(it.text("rauc/quiet").is_some(), quiet, "{silent}");
    }
}

/// What becomes of a system on trial whose source sleeps and whose node is, at each second of the
/// machine, process `pid` and `connected`: both in the shell's words, of `$n`.
fn sleeping_source(pid: &str, connected: &str) -> (Decision, u64) {
    let it = TrialBox::new();
    it.put("boot_id", "1\n");
    it.put("uptime", "0.0 0\n");
    it.put("rauc/quiet", "");
    let world = format!(
        "n=$(($(cut -d. -f1 \"$BOX/uptime\") + 5)); echo \"$n.0 0\" >\"$BOX/uptime\"\n\
         pid={pid}; echo \"$pid\" >\"$BOX/pid\"\n\
         printf 'format=1\\nboot=1\\npid=%s\\nuptime_s=%s\\nconnected=%s\\nqueues_readable=0\\nsilent_s=never\\n' \
         \"$pid\" \"$n\" \"$({connected})\" >\"$BOX/run/status\""
    );
    it.program("sleep", &world);
    let mut script = it.script();
    script
        .env("YOBIBAN_UPTIME", it.at("uptime"))
        .env("YOBIBAN_BOOT_ID", it.at("boot_id"));
    let decision = it.decision(&script.output().unwrap());
    let uptime = it.text("uptime").unwrap();
    let seconds = uptime.split('.').next().unwrap().parse().unwrap();
    (decision, seconds)
}

#[test]
fn a_node_that_starts_again_and_again_is_not_kept_for_its_connection() {
    assert_eq!(sleeping_source("7", "echo yes"), (Kept, 600));
    assert_eq!(
        sleeping_source("$((n / 20 + 1))", "echo yes"),
        (Returned, 840)
    );
    let away = |from: u64, to: u64| {
        let seen = format!("[ $n -ge {from} ] && [ $n -lt {to} ] && echo no || echo yes");
        sleeping_source("7", &seen)
    };
    assert_eq!(away(590, 605), (Kept, 725), "a broker that restarts");
    assert_eq!(away(30, 300), (Kept, 600), "a network that comes late");
    assert_eq!(away(30, 2000), (Returned, 840));
}

#[tokio::test]
async fn a_night_without_network_speaks_against_no_version() {
    let Some(mut broker) = Mosquitto::start().await else {
        return;
    };
    let it = TrialBox::new();
    it.booted("a");
    let mut old = it.node(broker.address());
    it.says("connected=yes").await;
    broker.kill();
    it.says("connected=no").await;
    it.update();
    assert!(it.text("rauc/unproved").is_some());
    old.stop().await;
    it.booted("b");
    let mut script = it.script();
    let output = script.env("YOBIBAN_TRIAL_SECONDS", "0").output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(it.text("boot/slot.txt").as_deref(), Some("os_prefix=a/\n"));
    for gone in ["rauc/trial", "rauc/failed", "rauc/unproved"] {
        assert_eq!(it.text(gone), None, "{gone}");
    }
}

#[tokio::test]
async fn a_copy_of_today_keeps_a_system() {
    let Some(broker) = Mosquitto::start().await else {
        return;
    };
    tell(broker.address(), "certificates", 0).await;
    let it = TrialBox::new();
    let _node = it.node(broker.address());
    it.says("queues_live=1").await;
    assert_eq!(it.decide(&[]), Kept);
}

#[tokio::test]
async fn a_trial_waits_for_numbers_until_its_time_is_over() {
    let Some(broker) = Mosquitto::start().await else {
        return;
    };
    let it = TrialBox::new();
    let _node = it.node(broker.address());
    it.says("connected=yes").await;
    let begin = |limit: &str| {
        it.put("rauc/trial", "b 1.2\n");
        let mut script = it.script();
        script.env("YOBIBAN_TRIAL_SECONDS", limit);
        script
    };
    // The time is over.
    it.put("uptime", "599.99 3.14\n");
    let mut script = begin("600");
    script.env("YOBIBAN_UPTIME", it.at("uptime"));
    let waiting = tokio::task::spawn_blocking(move || script.output().unwrap());
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    assert!(!waiting.is_finished() && it.text("rauc/trial").is_some());
    it.put("uptime", "600.00 3.14\n");
    assert_eq!(it.decision(&waiting.await.unwrap()), Returned);
    // Numbers come.
    fs::remove_file(it.at("rauc/failed")).unwrap();
    let mut script = begin("4000000000");
    let waiting = tokio::task::spawn_blocking(move || script.output().unwrap());
    tell(broker.address(), "moving", 0).await;
    assert_eq!(it.decision(&waiting.await.unwrap()), Kept);
}

#[test]
fn a_trial_that_came_to_nothing_is_noted_and_not_begun_again() {
    let it = TrialBox::new();
    it.booted("a");
    let output = it.script().output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(it.text("rauc/failed").as_deref(), Some("1.2\n"));
    assert_eq!(it.text("rauc/trial"), None);
    assert_eq!(it.text("boot/slot.txt").as_deref(), Some("os_prefix=a/\n"));
    assert_eq!(it.text("console"), None, "neither kept nor returned from");
}

#[tokio::test]
async fn whatever_stands_in_the_file_is_read_and_never_run() {
    let Some(broker) = Mosquitto::start().await else {
        return;
    };
    let it = TrialBox::new();
    let mut node = it.node(broker.address());
    it.says("connected=yes").await;
    tell(broker.address(), "certificates", 0).await;
    it.says("queues_readable=1").await;
    node.kill(); // it writes no more
    let good = it.text(FILE).unwrap();
    let uptime = good.lines().find_map(|l| l.strip_prefix("uptime_s="));
    it.put("uptime", &format!("{}.10 3.14\n", uptime.unwrap()));
    let decide = || it.decide(&[("YOBIBAN_UPTIME", it.at("uptime"))]);
    assert_eq!(decide(), Kept);
    let line = |key: &str| {
        let line = good.lines().find(|l| l.starts_with(&format!("{key}=")));
        line.unwrap().to_owned()
    };
    let mark = it.at("run-by-root");
    let run = format!("$(touch {0}) `touch {0}`; touch {0}", mark.display());
    for key in [
        "format",
        "boot",
        "pid",
        "uptime_s",
        "connected",
        "queues_readable",
        "silent_s",
    ] {
        let line = line(key);
        for (what, value) in [
            ("empty", String::new()),
            ("a word", "x".into()),
            ("a command", run.clone()),
            ("an index that runs", format!("a[{run}]")),
            ("less than nothing", "-1".into()),
            ("a glob", "*".into()),
        ] {
            it.put(FILE, &good.replace(&line, &format!("{key}={value}")));
            assert_eq!(decide(), Returned, "{key} is {what}");
        }
        it.put(FILE, &good.replace(&format!("{line}\n"), ""));
        assert_eq!(decide(), Returned, "no {key}");
    }
    it.put(FILE, &good.replace("format=1", "format=2"));
    assert_eq!(decide(), Returned, "keys of another meaning");
    it.put(FILE, "");
    assert_eq!(decide(), Returned);
    fs::write(it.at(FILE), [0xff, 0, b'=', b'\n', 7]).unwrap();
    assert_eq!(decide(), Returned);
    assert!(!mark.exists());
    // A later version may say more.
    it.put(FILE, &format!("{good}more=$(touch {})\n", mark.display()));
    assert_eq!(decide(), Kept);
    assert!(!mark.exists());
}
