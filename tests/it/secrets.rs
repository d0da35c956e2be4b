//! Passwords stay where they are: real processes, good and bad brokers and databases, every log
//! level; then everything that anybody could see of them is searched.

use crate::hub_database::{fresh, report};
use crate::hub_history::Postgres;
use crate::mqtt::{LIMIT, options, start, up};
use crate::mqtt_tls::{authority, issue};
use crate::support::mosquitto::Mosquitto;
use crate::support::process::Process;
use crate::support::{eventually, http, tool, until, yobiban};
use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use yobiban::mqtt::{Publish, Session, Subscription};

/// What must be found nowhere. Nothing else contains it, also not in part.
pub const SECRET: &str = "Xy7-geheim-Qz9";
/// The same as others might write it: in base 64, as bytes in hexadecimal, in an address.
const DISGUISES: [&str; 4] = [
    SECRET,
    "WHk3LWdlaGVpbS1Reg",
    "5879372d67656865696d2d517a39",
    "Xy7%2Dgeheim%2DQz9",
];

/// Fails where a text tells the secret, in any disguise.
pub fn silent(what: &str, text: &str) {
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

pub fn write(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

/// A broker that asks for a password, with TLS if asked for.
pub async fn broker(tls: Option<&Path>) -> Option<Mosquitto> {
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
pub fn talkative(role: &str, config: &Path) -> Process {
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

pub fn said(process: &Process) {
    silent("the log", &process.said().join("\n"));
}

/// Every file below a folder but those that are meant to hold the secret.
pub fn files(dir: &Path, but: &[&str]) -> Vec<PathBuf> {
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
pub fn node(dir: &Path, feed: &str, uplink: &str) -> PathBuf {
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
    let up = || (process.says("connected to MQTT broker") > 0).then_some(());
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
        (tls.path(), "connected to MQTT broker"),
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
                && process.says("connected to MQTT broker")
                    + process.says("no connection to MQTT broker")
                    > 0;
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
                let told =
                    || (process.says("cannot write to the history database") > 0).then_some(());
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

/// Fails where a text tells a run of a key, as PEM, or as bytes in decimal or hexadecimal.
pub fn untold(what: &str, text: &str, key: &str) {
    use base64::Engine as _;
    /// So much of it at once is no accident.
    const RUN: usize = 6;
    let body: String = key.lines().filter(|line| !line.starts_with('-')).collect();
    let der = base64::engine::general_purpose::STANDARD
        .decode(&body)
        .unwrap();
    for run in body.as_bytes().windows(2 * RUN) {
        let run = std::str::from_utf8(run).unwrap();
        assert!(!text.contains(run), "{what} tells {run}: {text}");
    }
    for bytes in [der.as_slice(), body.as_bytes()] {
        for run in bytes.windows(RUN) {
            let decimal = format!("{run:?}");
            let decimal = decimal.trim_matches(['[', ']']);
            let hex: String = run.iter().map(|b| format!("{b:02x}")).collect();
            for told in [decimal, &hex] {
                assert!(
                    !text.to_lowercase().contains(told),
                    "{what} tells {told}: {text}"
                );
            }
        }
    }
}

/// Keys of the kinds and forms that people have.
fn keys() -> Vec<(&'static str, String)> {
    use base64::Engine as _;
    let pkcs8 = rcgen::KeyPair::generate().unwrap();
    let ed25519 = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
    // Within PKCS #8 stands the same key as SEC 1 has it: an OCTET STRING to the end.
    let der = pkcs8.serialize_der();
    let inner = der
        .windows(3)
        .position(|w| w[0] == 4 && w[2] == 0x30)
        .unwrap()
        + 2;
    let body = base64::engine::general_purpose::STANDARD.encode(&der[inner..]);
    let lines: Vec<&str> = body
        .as_bytes()
        .chunks(64)
        .map(|c| std::str::from_utf8(c).unwrap())
        .collect();
    let sec1 = format!(
        "-----BEGIN EC PRIVATE KEY-----\n{}\n-----END EC PRIVATE KEY-----\n",
        lines.join("\n")
    );
    vec![
        ("PKCS #8", pkcs8.serialize_pem()),
        ("SEC 1", sec1),
        ("Ed25519", ed25519.serialize_pem()),
    ]
}

/// What happens to such files.
fn shapes(key: &str) -> Vec<(&'static str, Vec<u8>)> {
    use base64::Engine as _;
    let body: String = key.lines().filter(|line| !line.starts_with('-')).collect();
    let utf16 = |mark: &[u8], big: bool| {
        let bytes = key.encode_utf16().flat_map(|unit| match big {
            true => unit.to_be_bytes(),
            false => unit.to_le_bytes(),
        });
        mark.iter().copied().chain(bytes).collect::<Vec<u8>>()
    };
    vec![
        ("blanks for line ends", key.replace('\n', " ").into_bytes()),
        ("no line ends", key.replace('\n', "").into_bytes()),
        (
            "line ends as two signs",
            key.replace('\n', "\\n").into_bytes(),
        ),
        (
            "BOM and no line ends",
            format!("\u{feff}{}", key.replace('\n', " ")).into_bytes(),
        ),
        ("cut off", key.as_bytes()[..key.len() / 2].to_vec()),
        ("a letter lost", key.replacen("\nM", "\n?", 1).into_bytes()),
        ("UTF-16", utf16(b"\xff\xfe", false)),
        ("UTF-16, big", utf16(b"\xfe\xff", true)),
        ("UTF-16 without a mark", utf16(b"", false)),
        (
            "DER",
            base64::engine::general_purpose::STANDARD
                .decode(&body)
                .unwrap(),
        ),
        ("only the body", body.into_bytes()),
        (
            "another label",
            key.replace("PRIVATE KEY", "SECRET").into_bytes(),
        ),
        (
            "the label of a certificate",
            key.replace("PRIVATE KEY", "CERTIFICATE").into_bytes(),
        ),
        (
            "wrong dashes",
            key.replacen("-----", "----", 1).into_bytes(),
        ),
    ]
}

#[test]
fn a_key_of_whatever_shape_is_told_by_no_command() {
    let dir = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    write(&dir.path().join("own.pem"), &made.cert.pem());
    let line = |ca: &str, cert: &str, key: &str| {
        format!("url = \"mqtts://127.0.0.1:9\"\nca = \"{ca}\"\ncert = \"{cert}\"\nkey = \"{key}\"")
    };
    for (kind, key) in keys() {
        for (shape, bytes) in shapes(&key) {
            std::fs::write(dir.path().join("own.key"), &bytes).unwrap();
            for config in [
                line("own.pem", "own.pem", "own.key"),
                line("own.key", "own.pem", "own.key"),
                line("own.pem", "own.key", "own.key"),
            ] {
                let path = node(dir.path(), &config, "url = \"mqtt://127.0.0.1:9\"");
                let mut command = yobiban();
                command.arg("check").arg(&path).env("RUST_LOG", "trace");
                let output = command.output().unwrap();
                let said =
                    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
                assert_eq!(output.status.code(), Some(64), "{kind}, {shape}: {said}");
                untold(&format!("check ({kind}, {shape})"), &said, &key);
            }
            let path = node(
                dir.path(),
                &line("own.pem", "own.pem", "own.key"),
                "url = \"mqtt://127.0.0.1:9\"",
            );
            for role in ["node", "doctor"] {
                let mut command = yobiban();
                command
                    .args([role, "--config"])
                    .arg(&path)
                    .env("RUST_LOG", "trace");
                let output = command.output().unwrap();
                let said =
                    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
                assert_eq!(output.status.code(), Some(64), "{kind}, {shape}: {said}");
                untold(&format!("{role} ({kind}, {shape})"), &said, &key);
            }
        }
        // The text where a path belongs, and a key of another certificate.
        let config =
            format!("url = \"mqtts://127.0.0.1:9\"\ncert = \"own.pem\"\nkey = \"\"\"\n{key}\"\"\"");
        let path = node(dir.path(), &config, "url = \"mqtt://127.0.0.1:9\"");
        let output = yobiban().arg("check").arg(&path).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(64), "{said}");
        assert!(said.contains("expected the file's path"), "{said}");
        untold(kind, &said, &key);
        std::fs::write(dir.path().join("own.key"), &key).unwrap();
        let path = node(
            dir.path(),
            &line("own.pem", "own.pem", "own.key"),
            "url = \"mqtt://127.0.0.1:9\"",
        );
        let output = yobiban().arg("check").arg(&path).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            said.contains("not that of the certificate"),
            "{kind}: {said}"
        );
        untold(kind, &said, &key);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_damaged_while_a_node_runs_is_in_no_report() {
    let Some(reports) = Mosquitto::start().await else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = made.signing_key.serialize_pem();
    write(&dir.path().join("own.pem"), &made.cert.pem());
    write(&dir.path().join("own.key"), &key);
    let config = node(
        dir.path(),
        "url = \"mqtts://127.0.0.1:9\"\nca = \"own.pem\"\ncert = \"own.pem\"\nkey = \"own.key\"",
        &format!("url = \"mqtt://{}\"", reports.address()),
    );
    let mut spy = start(options(reports.address(), "spy").subscribe(Subscription::new("#")));
    up(&mut spy).await;
    let mut process = talkative("node", &config);
    let told = || (process.says("no connection to MQTT broker") > 0).then_some(());
    eventually(LIMIT, "the feed is down", told).await;
    write(&dir.path().join("own.key"), &key.replace('\n', " "));
    loop {
        let message = tokio::time::timeout(LIMIT, spy.inbox.recv()).await;
        let message = message.expect("a report").unwrap();
        let text = String::from_utf8_lossy(&message.payload).into_owned();
        untold(&message.topic, &text, &key);
        if text.contains("line ends are lost") {
            break;
        }
    }
    process.stop().await;
    untold("the log", &process.said().join("\n"), &key);
}

#[test]
fn a_password_file_of_any_editor_is_the_password_and_what_was_dropped_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let line = "url = \"mqtt://127.0.0.1:9\"\nusername = \"n1\"\npassword_file = \"password\"";
    let config = node(dir.path(), line, line);
    for (text, said_of) in [
        (format!("{SECRET}\n"), None),
        (format!("{SECRET}\r\n\r\n"), None),
        (format!("\u{feff}{SECRET}"), Some("byte order mark")),
        (format!("\u{feff}{SECRET} \r\n"), Some("blanks at its end")),
        (format!("{SECRET}\t\n"), Some("blanks at its end")),
        (format!("{SECRET}\u{3000}"), Some("blanks at its end")),
    ] {
        write(&dir.path().join("password"), &text);
        let output = yobiban().arg("check").arg(&config).output().unwrap();
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert_eq!(output.status.code(), Some(0), "{text:?}: {said}");
        silent("check", &said);
        match said_of {
            Some(words) => assert!(said.contains(words), "{text:?}: {said}"),
            None => assert!(
                !said.contains("dropped") && !said.contains("not taken"),
                "{said}"
            ),
        }
        let node = yobiban::config::load_node(&config).unwrap();
        assert_eq!(node.mqtt.password.unwrap().reveal(), SECRET, "{text:?}");
    }
    let utf16: Vec<u8> = SECRET.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for bytes in [utf16.clone(), [b"\xff\xfe", utf16.as_slice()].concat()] {
        std::fs::write(dir.path().join("password"), bytes).unwrap();
        let output = yobiban().arg("check").arg(&config).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(64), "{said}");
        assert!(said.contains("UTF-16"), "{said}");
        silent("check", &said);
    }
}

#[test]
fn secrets_of_a_hub_in_files_of_any_editor_are_what_was_meant() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("hub.toml");
    let text = "[mqtt]\nurl = \"mqtt://127.0.0.1\"\n[http]\nlisten = \"127.0.0.1:0\"\n[store]\nurl_file = \"url\"\n\
        [[stream]]\nid = \"city\"\ntarget = \"rtmp://video.example.jp/live\"\nkey_file = \"key\"\n";
    write(&config, text);
    let address = format!("postgres://hub:{SECRET}@127.0.0.1/hub");
    write(&dir.path().join("url"), &format!("\u{feff}{address} \r\n"));
    write(
        &dir.path().join("key"),
        &format!("\u{feff}{SECRET}\u{a0}\r\n"),
    );
    let hub = yobiban::config::load_hub(&config).unwrap();
    assert_eq!(hub.store_url.reveal(), address);
    let target = &hub.streams[0].video.target;
    let yobiban::config::StreamTarget::Rtmp { key, .. } = target else {
        panic!("{target:?}");
    };
    assert_eq!(key.reveal(), SECRET);
    for raw in [
        format!("postgres://hub:p@{SECRET}#1@127.0.0.1/hub"),
        format!("postgres://hub:{SECRET}@x@127.0.0.1/hub"),
        format!("postgres://hub:{SECRET}#x@127.0.0.1/hub"),
        format!("postgres://hub:1/{SECRET}@127.0.0.1/hub"),
        format!("postgres://hub:1?{SECRET}@127.0.0.1/hub"),
    ] {
        write(&dir.path().join("url"), &raw);
        let output = yobiban().arg("check").arg(&config).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(64), "{raw}: {said}");
        assert!(
            said.contains("store.url_file") && said.contains("@ as %40"),
            "{said}"
        );
        silent("check", &said);
    }
}
