//! Passwords stay where they are: real processes, good and bad brokers and databases, every log
//! level; then everything that anybody could see of them is searched.

use crate::hub_database::{fresh, report, until};
use crate::hub_history::Postgres;
use crate::mqtt::{LIMIT, options, start, up};
use crate::mqtt_tls::{authority, issue};
use crate::support::mosquitto::Mosquitto;
use crate::support::process::Process;
use crate::support::{eventually, http, tool, yobiban};
use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use yobiban::mqtt::{Publish, Session, Subscription};

/// What must be found nowhere. Nothing else contains it, also not in part.
const SECRET: &str = "Xy7-geheim-Qz9";
/// The same as others might write it: in base 64, as bytes in hexadecimal, in an address.
const DISGUISES: [&str; 4] = [
    SECRET,
    "WHk3LWdlaGVpbS1Reg",
    "5879372d67656865696d2d517a39",
    "Xy7%2Dgeheim%2DQz9",
];

/// Fails where a text tells the secret, in any disguise.
fn silent(what: &str, text: &str) {
    let lower = text.to_lowercase();
    for secret in DISGUISES {
        let at = lower.find(&secret.to_lowercase());
        let around = at.map(|at| {
            let from = lower.floor_char_boundary(at.saturating_sub(200));
            let to = lower.floor_char_boundary(at + 100);
            &lower[from..to]
        });
        assert_eq!(around, None, "{what} tells {secret}");
    }
}

fn write(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

/// A broker that asks for a password, with TLS if asked for.
async fn broker(tls: Option<&Path>) -> Option<Mosquitto> {
    let passwd = tool("mosquitto_passwd")?;
    Mosquitto::start_with(|dir| {
        let file = dir.join("passwords");
        let plain = ["n1", "hub", "test"].map(|user| format!("{user}:{SECRET}\n"));
        write(&file, &plain.concat());
        let hashed = Command::new(&passwd).arg("-U").arg(&file).status();
        assert!(hashed.unwrap().success());
        let tls = tls.map_or(String::new(), |tls| {
            format!(
                "certfile {0}/broker.pem\nkeyfile {0}/broker.key\n",
                tls.display()
            )
        });
        format!(
            "allow_anonymous false\npassword_file {}\n{tls}",
            file.display()
        )
    })
    .await
}

/// A process at work on a configuration, talkative as can be.
fn talkative(role: &str, config: &Path) -> Process {
    let mut command = yobiban();
    command
        .args([role, "--config"])
        .arg(config)
        .env("RUST_LOG", "trace")
        .env("RUST_BACKTRACE", "full");
    Process::start(command)
}

/// What other users of the machine see of a process.
fn seen(process: &Process) {
    for file in ["cmdline", "comm", "status", "environ"] {
        let path = format!("/proc/{}/{file}", process.id());
        let text = std::fs::read(&path).unwrap();
        silent(&path, &String::from_utf8_lossy(&text));
    }
}

fn said(process: &Process) {
    silent("the log", &process.said().join("\n"));
}

/// Every file below a folder but those that are meant to hold the secret.
fn files(dir: &Path, but: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, but));
        } else if !but.iter().any(|name| path.ends_with(name)) {
            found.push(path);
        }
    }
    found
}

/// Everything the broker hands out.
async fn spy(broker: &Mosquitto) -> Session {
    let mut options = options(broker.address(), "spy").subscribe(Subscription::new("#"));
    options.broker.username = Some("test".into());
    options.broker.password = Some(yobiban::config::Secret::new(SECRET));
    let mut session = start(options);
    up(&mut session).await;
    session
}

/// A node's configuration in which the password stands, in the file itself or in one beside it.
fn node(dir: &Path, feed: &str, uplink: &str) -> PathBuf {
    let path = dir.join("node.toml");
    let text = format!(
        r#"
        [office]
        id = "chuo"
        name = {{ ja = "中央区" }}
        [node]
        id = "n1"
        [mqtt]
        {feed}
        [uplink]
        {uplink}
        [store]
        dir = "store"
        [[queue]]
        id = "certificates"
        name = {{ ja = "証明書" }}
        [[board]]
        id = "main"
        size = [320, 180]
        output = {{ kind = "png", path = "main.png" }}
        "#
    );
    write(&path, &text);
    path
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_tells_nobody_its_password() {
    let Some(broker) = broker(None).await else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    write(&dir.path().join("password"), SECRET);
    let address = broker.address();
    let refused = format!(
        r#"url = "mqtt://{address}"
        username = "nobody"
        password = "{SECRET}""#
    );
    let good = format!(
        r#"url = "mqtt://{address}"
        username = "n1"
        password_file = "password""#
    );
    let mut heard = spy(&broker).await;
    // The feed's broker refuses us, that of the reports takes us: so the report says why.
    let config = node(dir.path(), &refused, &good);
    let mut process = talkative("node", &config);
    let mut topics = BTreeMap::new();
    loop {
        let message = tokio::time::timeout(LIMIT, heard.inbox.recv()).await;
        let message = message.expect("a health report").unwrap();
        let text = String::from_utf8_lossy(&message.payload).into_owned();
        silent(&message.topic, &text);
        let done = message.topic.ends_with("/health") && text.contains("feed-down");
        topics.insert(message.topic.clone(), text);
        if done {
            break;
        }
    }
    let health = &topics["yobiban/v1/chuo/node/n1/health"];
    assert!(health.contains("check `username`, `password`"), "{health}");
    assert!(topics.len() >= 3, "{topics:?}");
    seen(&process);
    process.stop().await;
    said(&process);
    assert!(
        process.says("TRACE") > 10,
        "talkative: {:?}",
        process.said()
    );
    // The inspection, with both outcomes.
    let mut command = yobiban();
    let doctor = command
        .args(["doctor", "--config"])
        .arg(&config)
        .env("RUST_LOG", "trace");
    let output = doctor.output().unwrap();
    silent(
        "doctor",
        &String::from_utf8_lossy(&[output.stdout, output.stderr].concat()),
    );

    // The other way round: calls wait for a broker that refuses us, on disk.
    let config = node(dir.path(), &good, &refused);
    let mut process = talkative("node", &config);
    let up = || (process.says("connected to broker") > 0).then_some(());
    eventually(LIMIT, "the feed is heard", up).await;
    let now = fresh("chuo", 1).at;
    let feed = format!(
        r#"{{"seq":1,"at":"{now}","day":"{}","status":"open","waiting":1,"on_hold":0,
        "calls":[{{"no":1,"ticket":"A1","counter":"3","at":"{now}","kind":"call"}}]}}"#,
        now.zoned().date()
    );
    let feed = Publish::retained("yobiban/v1/chuo/feed/certificates", feed);
    heard.publisher.publish(feed).await.unwrap();
    let kept = || {
        let files = files(dir.path(), &["password", "node.toml"]);
        let name = |n: &str| files.iter().any(|f| f.ends_with(n));
        name("state.json").then_some(files)
    };
    let kept = eventually(LIMIT, "state is kept", kept).await;
    assert!(kept.len() >= 3, "state, calls and a picture: {kept:?}");
    for file in kept {
        let bytes = std::fs::read(&file).unwrap();
        silent(
            &file.display().to_string(),
            &String::from_utf8_lossy(&bytes),
        );
    }
    process.stop().await;
    said(&process);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_on_a_broken_tls_line_tells_nobody_its_password() {
    let tls = tempfile::tempdir().unwrap();
    let ours = authority();
    std::fs::write(tls.path().join("ca.pem"), ours.pem()).unwrap();
    issue(&ours, tls.path(), "broker", "localhost", false);
    let Some(broker) = broker(Some(tls.path())).await else {
        return;
    };
    let other = tempfile::tempdir().unwrap();
    std::fs::write(other.path().join("ca.pem"), authority().pem()).unwrap();
    for (trusted, wanted) in [
        (tls.path(), "connected to broker"),
        (other.path(), "set `ca`"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let line = format!(
            "url = \"mqtts://localhost:{}\"\nca = \"{}/ca.pem\"\nusername = \"n1\"\npassword = \"{SECRET}\"",
            broker.address().port(),
            trusted.display()
        );
        let config = node(dir.path(), &line, &line);
        let mut process = talkative("node", &config);
        let told = || (process.says(wanted) > 0).then_some(());
        eventually(LIMIT, wanted, told).await;
        seen(&process);
        process.stop().await;
        said(&process);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_tells_nobody_its_passwords() {
    let (Some(broker), Some(postgres)) = (broker(None).await, Postgres::start()) else {
        return;
    };
    let socket = postgres.url();
    let (_, host) = socket.split_once('@').unwrap();
    for (name, store, user) in [
        ("good", format!("postgres://hub:{SECRET}@{host}"), "hub"),
        (
            "no such user",
            format!("postgres://nobody:{SECRET}@{host}"),
            "hub",
        ),
        (
            "no such host",
            format!("postgres://hub:{SECRET}@nowhere.invalid/hub"),
            "hub",
        ),
        (
            "nobody listens",
            format!("postgres://hub:{SECRET}@127.0.0.1:9/hub"),
            "hub",
        ),
        (
            "not an address",
            format!("postgres://hub:{SECRET}@[nonsense/hub"),
            "hub",
        ),
        (
            "a parameter",
            format!("postgres://hub@{host}?password={SECRET}&sslmode=wrong"),
            "hub",
        ),
        (
            "another database",
            format!("mysql://hub:{SECRET}@{host}"),
            "hub",
        ),
        (
            "the broker refuses",
            format!("postgres://hub:{SECRET}@{host}"),
            "nobody",
        ),
    ] {
        let dir = tempfile::tempdir().unwrap();
        write(&dir.path().join("url"), &store);
        let config = dir.path().join("hub.toml");
        let text = format!(
            "[mqtt]\nurl = \"mqtt://{}\"\nusername = \"{user}\"\npassword = \"{SECRET}\"\n\
             [http]\nlisten = \"127.0.0.1:0\"\n[store]\nurl_file = \"url\"\n",
            broker.address()
        );
        write(&config, &text);
        let mut process = talkative("hub", &config);
        let began = || {
            let ended = process.says("yobiban: ") > 0;
            let runs = process.says("pages are served") > 0
                && process.says("connected to broker") + process.says("no line to broker") > 0;
            (ended || runs).then_some(ended)
        };
        let ended = eventually(LIMIT, name, began).await;
        if !ended {
            let hub = process.pages().await;
            if name == "good" {
                let node = spy(&broker).await;
                report(&node, &fresh("chuo", 1)).await;
                until("ready", async || {
                    http::get(hub, "/readyz").await.status == 200
                })
                .await;
            } else if user == "hub" {
                let told = || (process.says("cannot write the history") > 0).then_some(());
                eventually(LIMIT, name, told).await;
            }
            for path in [
                "/",
                "/readyz",
                "/metrics",
                "/api/v1/offices",
                "/opendata/calls/2026-11-24.csv",
                "/opendata/congestion.json",
            ] {
                silent(path, &http::get(hub, path).await.text());
            }
            seen(&process);
            process.stop().await;
        }
        said(&process);
        let detail = process.says("DEBUG") + process.says("TRACE");
        assert!(ended || detail > 10, "{name}: talkative");
        for file in files(dir.path(), &["url", "hub.toml"]) {
            silent(
                name,
                &String::from_utf8_lossy(&std::fs::read(&file).unwrap()),
            );
        }
    }
}
