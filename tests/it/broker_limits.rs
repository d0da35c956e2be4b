//! Brokers whose configuration allows less than is needed: what log, health report and `doctor` say
//! of it. And one that is killed and begun anew.

use crate::mqtt::{LIMIT, next_on, options, start, up};
use crate::support::mosquitto::Mosquitto;
use crate::support::process::Process;
use crate::support::{eventually, node_toml, yobiban};
use std::path::Path;
use yobiban::mqtt::Subscription;

const BOARD: &str = "[[board]]\nid = \"main\"\nsize = [1280, 720]\noutput = { kind = \"png\", path = \"main.png\" }";

fn node(config: &Path) -> Process {
    let mut command = yobiban();
    command.args(["node", "--config"]).arg(config);
    Process::start(command)
}

/// The answer of `doctor`, and whether all is well.
async fn doctor(config: &Path) -> (bool, String) {
    let config = config.to_owned();
    let run = move || {
        let mut command = yobiban();
        let command = command.args(["doctor", "--config"]).arg(&config);
        command.output().unwrap()
    };
    let output = tokio::task::spawn_blocking(run).await.unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    (output.status.success(), text)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_allows_too_little_is_explained_with_what_to_set_there() {
    for (line, what, set) in [
        (
            "retain_available false\n",
            "does not retain messages",
            "`retain_available true`",
        ),
        (
            "max_qos 0\n",
            "does not acknowledge messages",
            "`max_qos 2`",
        ),
    ] {
        let allowed = format!("allow_anonymous true\n{line}");
        let (Some(broker), Some(reports)) = (
            Mosquitto::start_with(|_| allowed).await,
            Mosquitto::start().await,
        ) else {
            return;
        };
        let dir = tempfile::tempdir().unwrap();
        let config = dir.path().join("node.toml");
        std::fs::write(&config, node_toml(broker.address(), BOARD)).unwrap();
        let mut process = node(&config);
        let told = || (process.says(what) > 0).then_some(());
        eventually(LIMIT, what, told).await;
        let log = process.said().join("\n");
        assert!(log.contains(set) && !log.contains("NotSupported"), "{log}");
        process.stop().await;
        let (well, told) = doctor(&config).await;
        assert!(!well && told.contains(what) && told.contains(set), "{told}");
        assert!(
            told.contains("the broker's configuration forbids it"),
            "{told}"
        );

        // As broker of the reports, beside one of the feed that allows everything.
        let uplink = format!("[uplink]\nurl = \"mqtt://{}\"\n{BOARD}", broker.address());
        std::fs::write(&config, node_toml(reports.address(), &uplink)).unwrap();
        let (well, told) = doctor(&config).await;
        assert!(!well && told.contains(what), "{told}");
        // A foreign feed need neither keep nor confirm: nothing is published there.
        let uplink = format!("[uplink]\nurl = \"mqtt://{}\"\n{BOARD}", reports.address());
        std::fs::write(&config, node_toml(broker.address(), &uplink)).unwrap();
        let (_, told) = doctor(&config).await;
        assert!(!told.contains(what), "{told}");
        let mut process = node(&config);
        let told = || (process.says("connected to MQTT broker") > 1).then_some(());
        eventually(LIMIT, "both brokers take it", told).await;
        process.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_of_small_messages_gets_numbers_and_is_told_why_it_gets_no_pictures() {
    let allowed = "allow_anonymous true\nmax_packet_size 4096\n";
    let Some(mut broker) = Mosquitto::start_with(|_| allowed.into()).await else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("node.toml");
    std::fs::write(&config, node_toml(broker.address(), BOARD)).unwrap();
    let numbers = "yobiban/v1/chuo/node/n1/numbers";
    let listen = Subscription::new("yobiban/v1/chuo/node/n1/+");
    let mut hub = start(options(broker.address(), "hub").subscribe(listen));
    up(&mut hub).await;
    let mut process = node(&config);
    next_on(&mut hub, numbers).await;
    let why = "larger than the broker accepts (in Mosquitto: `max_packet_size`)";
    let told = || (process.says(why) > 0).then_some(());
    eventually(LIMIT, why, told).await;
    assert_eq!(process.says(why), 1, "told once: {:?}", process.said());
    let (_, told) = doctor(&config).await;
    assert!(told.contains("at most 4096 bytes"), "{told}");
    assert!(told.contains("`max_packet_size 1048576`"), "{told}");

    // Killed, and begun anew with nothing in its memory.
    let (lines, again) = ("no connection to MQTT broker", "reconnect to MQTT broker");
    broker.kill();
    let told = || (process.says(lines) > 0).then_some(());
    eventually(LIMIT, lines, told).await;
    let (_, told) = doctor(&config).await;
    assert!(told.contains("nothing listens there"), "{told}");
    broker.run().await;
    let told = || (process.says(again) > 0).then_some(());
    eventually(LIMIT, again, told).await;
    next_on(&mut hub, numbers).await;
    process.stop().await;
}
