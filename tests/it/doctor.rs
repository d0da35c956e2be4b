//! `yobiban doctor` as an installer meets it: the real binary, a real broker.

use crate::support::{free_port, mosquitto::Mosquitto, node_toml, yobiban};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use yobiban::clock::{Clock as _, SystemClock};
use yobiban::config;
use yobiban::mqtt::{self, ConnectionState, Publish, SessionOptions};

fn write(dir: &Path, broker: SocketAddr, more: &str) -> PathBuf {
    let path = dir.join("node.toml");
    let queue = "[[queue]]\nid = \"moving\"\nname = { ja = \"住所変更\" }\n";
    let text = node_toml(broker, &format!("{queue}{more}"));
    std::fs::write(&path, text).unwrap();
    path
}

/// Exit code and answer.
async fn doctor(config: &Path) -> (Option<i32>, String) {
    let config = config.to_owned();
    let run = move || {
        yobiban()
            .args(["doctor", "--config"])
            .arg(&config)
            .output()
            .unwrap()
    };
    let output = tokio::task::spawn_blocking(run).await.unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    (output.status.code(), text)
}

/// Publishes one retained message on the feed of a queue.
async fn publish(config: &Path, queue: &str, payload: String) {
    let node = config::load_node(config).unwrap();
    let stop = tokio_util::sync::CancellationToken::new();
    let options = SessionOptions::new(&node.mqtt, "test", format!("test-{queue}"));
    let mut session = mqtt::spawn(options, stop.clone());
    session
        .connection
        .wait_for(ConnectionState::is_connected)
        .await
        .unwrap();
    let topic = format!("yobiban/v1/chuo/feed/{queue}");
    let message = Publish::retained(topic, payload);
    session.publisher.publish(message).await.unwrap();
    stop.cancel();
    session.task.await.unwrap();
}

#[tokio::test]
async fn what_is_missing_is_named_with_what_to_do() {
    let Some(broker) = Mosquitto::start().await else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let board = r#"
        [[board]]
        id = "main"
        output = { kind = "png", path = "nowhere/main.png" }
    "#;
    let path = write(dir.path(), broker.address(), board);
    let now = SystemClock::new().now();
    let at = now
        .wall
        .to_zoned(jiff::tz::TimeZone::get("Asia/Tokyo").unwrap());
    let message = format!(
        r#"{{"seq": 1, "at": "{}", "day": "{}", "status": "open", "waiting": 3, "on_hold": 0, "calls": []}}"#,
        at.strftime("%Y-%m-%dT%H:%M:%S%:z"),
        at.date()
    );
    publish(&path, "certificates", message).await;
    let (code, text) = doctor(&path).await;
    println!("{text}");
    assert_eq!(code, Some(1), "the folder of the picture is missing");
    let lines: Vec<&str> = text.lines().collect();
    let line = |what: &str| {
        let found = lines.iter().position(|l| l.contains(what));
        found.unwrap_or_else(|| panic!("no line about {what}"))
    };
    assert!(lines[line("feed broker 127.0.0.1")].starts_with("ok"));
    assert!(lines[line("queue certificates")].starts_with("ok"));
    let moving = line("queue moving");
    assert!(lines[moving].starts_with("warn"));
    assert!(lines[moving + 1].contains("yobiban/v1/chuo/feed/moving"));
    assert!(lines[line("store ")].starts_with("ok"));
    assert!(lines[line("board main: picture")].starts_with("FAIL"));

    std::fs::create_dir(dir.path().join("nowhere")).unwrap();
    publish(&path, "moving", "{\"seq\": 1}".into()).await;
    let (code, text) = doctor(&path).await;
    println!("{text}");
    assert_eq!(code, Some(0), "warnings are no failure");
    assert!(text.contains("messages-rejected moving"), "{text}");
}

#[tokio::test]
async fn a_broker_that_is_not_there_fails_and_no_password_is_shown() {
    let dir = tempfile::tempdir().unwrap();
    let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let path = write(dir.path(), address, "");
    let text = std::fs::read_to_string(&path).unwrap().replace(
        "[store]",
        "username = \"chuo\"\npassword = \"open-sesame\"\n[store]",
    );
    std::fs::write(&path, text).unwrap();
    let (code, text) = doctor(&path).await;
    println!("{text}");
    assert_eq!(code, Some(1));
    assert!(text.contains("FAIL  feed broker"), "{text}");
    assert!(text.contains("check host and port in url"), "{text}");
    assert!(!text.contains("open-sesame"));
}
