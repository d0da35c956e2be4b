//! The tool that tries how many viewers a hub bears.

use crate::alone::alone;
use crate::support::mosquitto::Mosquitto;
use crate::support::process::{Process, metric};
use crate::support::{until, yobiban};

/// What the tool answers, and whether it was content.
async fn load(args: &[&str]) -> (String, bool) {
    let mut command = yobiban();
    command.arg("load").args(args);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap());
    let output = output.await.unwrap();
    let text =
        String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
    (text, output.status.success())
}

/// The number before a word.
fn number(text: &str, before: &str) -> f64 {
    let (head, _) = text
        .split_once(before)
        .unwrap_or_else(|| panic!("{before:?} in {text}"));
    head.split([' ', '\n'])
        .next_back()
        .unwrap()
        .parse()
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_viewer_of_a_hub_gets_every_call_and_the_cost_is_told() {
    let _alone = alone();
    let Some(broker) = Mosquitto::start().await else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("hub.toml");
    let url = format!("mqtt://{}", broker.address());
    let text = format!("[mqtt]\nurl = \"{url}\"\n[http]\nlisten = \"127.0.0.1:0\"\n");
    std::fs::write(&config, text).unwrap();
    let mut command = yobiban();
    command.args(["hub", "--config"]).arg(&config);
    let hub = Process::start(command);
    let address = hub.pages().await;
    let events = format!("http://{address}/api/v1/events");
    let (pid, quick) = (hub.id().to_string(), "20ms");
    let common = [
        "--events",
        &events,
        "--mqtt",
        &url,
        "--viewers",
        "300",
        "--pid",
        &pid,
    ];
    let (text, content) = load(&[&common[..], &["--calls", "5", "--every", quick]].concat()).await;
    assert!(content, "{text}");
    assert!(
        text.contains("5 calls, 5 reached all 300 viewers"),
        "{text}"
    );
    // One for each call, less where a busy machine lets the hub join some of them.
    let events = number(&text, " events came");
    assert!((300.0..=1500.0).contains(&events), "{text}");
    // Of what so few viewers seem to need, most is the hub's own warming up: 2.3 KiB for ten thousand.
    assert!(
        number(&text, " KiB of memory for each viewer at rest") < 24.0,
        "{text}"
    );
    assert!(number(&text, " µs for each event") > 0.0, "{text}");
    // Faster than viewers are told of one office: what is left out is had with what is newer.
    let (text, content) = load(
        &[
            &common[..],
            &["--calls", "100", "--every", "1ms", "--offices", "3"],
        ]
        .concat(),
    )
    .await;
    assert!(content, "{text}");
    assert!(
        text.contains("100 calls, 100 reached all 300 viewers"),
        "{text}"
    );
    until("all places are free again", async || {
        metric(address, "yobiban_hub_sse_clients").await == 0
    })
    .await;
}
