//! A city's files from one table, and that a real broker lets in who they are for.

use crate::mqtt::{start, up};
use crate::support::{mosquitto::Mosquitto, yobiban};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::Duration;
use yobiban::config::{self, TlsConfig};
use yobiban::mqtt::{Publish, PublishError, Session, SessionOptions, Subscription};

const TABLE: &str = "\
office,office_ja,office_en,node,broker,queues
chuo,中央区,Chuo Ward,n1,mqtts://localhost,koseki=戸籍/Family register; online*=電子申請
# the second box of the same office
chuo,中央区,Chuo Ward,n2,mqtts://localhost,koseki=戸籍/Family register
hanami,花見川区,,n1,mqtts://localhost,koseki=戸籍
";

fn provision(dir: &Path, table: &str, more: &[&str]) -> Output {
    std::fs::write(dir.join("city.csv"), table).unwrap();
    let mut command = yobiban();
    command.current_dir(dir);
    command.args(["provision", "city.csv", "--out", "city"]);
    command.args(more).output().unwrap()
}

#[track_caller]
fn done(output: &Output) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
}

/// All files below a folder.
fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

#[test]
fn every_file_is_in_order_keys_are_their_owners_alone_and_a_second_run_keeps_them() {
    let dir = tempfile::tempdir().unwrap();
    let city = dir.path().join("city");
    done(&provision(dir.path(), TABLE, &[]));
    let nodes = ["chuo-n1", "chuo-n2", "hanami-n1"];
    for node in nodes {
        let file = city.join("nodes").join(node).join("yobiban.toml");
        let checked = yobiban().arg("check").arg(&file).output().unwrap();
        let said = String::from_utf8_lossy(&checked.stderr);
        assert!(checked.status.success(), "{node}: {said}");
        let text = std::fs::read_to_string(&file).unwrap();
        let (config, machine) =
            config::parse_box(&text, "yobiban.toml", file.parent().unwrap()).unwrap();
        assert_eq!(format!("{}-{}", config.office, config.node), node);
        // A box made from the image needs this one file: it holds the others.
        for (name, text) in &machine.files {
            let beside = std::fs::read_to_string(file.with_file_name(name)).unwrap();
            assert_eq!(text.reveal(), beside, "{node}: {name}");
        }
        assert_eq!(machine.files.len(), 3);
    }
    let first = files(&city);
    for path in &first {
        let name = path.file_name().unwrap().to_str().unwrap();
        if name.ends_with(".key") || name == "yobiban.toml" {
            let mode = std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode, 0o600, "{}", path.display());
        }
    }
    let read = |path: &PathBuf| std::fs::read(path).unwrap();
    let before: Vec<_> = first.iter().map(read).collect();

    // One node more: what is there stays as it is.
    let longer = format!("{TABLE}inage,稲毛区,,n1,mqtts://localhost,koseki=戸籍\n");
    done(&provision(dir.path(), &longer, &[]));
    assert!(city.join("nodes/inage-n1/own.key").is_file());
    for (path, before) in first.iter().zip(&before) {
        let same = read(path) == *before;
        assert_eq!(same, !path.ends_with("acl"), "{}", path.display());
    }
    done(&provision(dir.path(), &longer, &["--renew"]));
    for (path, before) in first.iter().zip(&before) {
        let kept = read(path) == *before;
        let own = ["own.pem", "own.key", "yobiban.toml"]
            .iter()
            .any(|name| path.ends_with(name));
        assert!(kept != own || path.ends_with("acl"), "{}", path.display());
    }
}

#[test]
fn a_wrong_table_writes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let table = TABLE.replace("chuo,中央区,Chuo Ward,n2", "Chuo,中央区,Chuo Ward,n2");
    let output = provision(dir.path(), &table, &[]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(64), "{said}");
    assert!(
        said.starts_with("yobiban: city.csv:4: office.id = "),
        "{said}"
    );
    assert!(!dir.path().join("city").exists());
}

/// A session as a node or guest with the files of a folder.
fn session(broker: &Mosquitto, folder: &Path, filter: Option<&str>) -> SessionOptions {
    let mut options = crate::mqtt::options(broker.address(), "client");
    options.broker.host = "localhost".into();
    options.broker.tls = Some(TlsConfig {
        ca: Some(folder.join("ca.pem")),
        client: Some((folder.join("own.pem"), folder.join("own.key"))),
    });
    options.client_id = folder.file_name().unwrap().to_str().unwrap().to_owned();
    match filter {
        Some(filter) => options.subscribe(Subscription::new(filter)),
        None => options,
    }
}

async fn publish(session: &Session, topic: &str) -> Result<(), PublishError> {
    session.publisher.publish(Publish::new(topic, "x")).await
}

#[tokio::test]
async fn a_broker_with_the_written_files_lets_each_do_its_own_and_no_more() {
    let dir = tempfile::tempdir().unwrap();
    done(&provision(dir.path(), TABLE, &[]));
    let city = dir.path().join("city");
    let Some(broker) = Mosquitto::start_with(|_| {
        format!(
            "max_queued_messages 10000\nallow_anonymous false\nrequire_certificate true\n\
             use_identity_as_username true\nacl_file {0}/acl\ncafile {0}/ca.pem\n\
             certfile {0}/own.pem\nkeyfile {0}/own.key\n",
            city.join("brokers/localhost").display()
        )
    })
    .await
    else {
        return;
    };
    // The node by its own configuration: only the port is the broker's.
    let mut config = config::load_node(&city.join("nodes/chuo-n1/yobiban.toml")).unwrap();
    config.mqtt.port = broker.address().port();
    let feed = "yobiban/v1/chuo/feed/koseki";
    let options = SessionOptions::new(&config.mqtt, "test", "chuo-n1")
        .subscribe(Subscription::new("yobiban/v1/chuo/feed/+"));
    let mut node = start(options);
    up(&mut node).await;
    let mut tickets = start(session(&broker, &city.join("clients/chuo-tickets"), None));
    up(&mut tickets).await;
    let everything = Some("yobiban/v1/+/node/#");
    let mut hub = start(session(&broker, &city.join("clients/hub"), everything));
    up(&mut hub).await;

    let within = Duration::from_secs(20);
    assert_eq!(publish(&tickets, feed).await, Ok(()));
    let heard = tokio::time::timeout(within, node.inbox.recv()).await;
    assert_eq!(heard.unwrap().unwrap().topic, feed);
    let own = "yobiban/v1/chuo/node/n1/numbers";
    assert_eq!(publish(&node, own).await, Ok(()));
    let heard = tokio::time::timeout(within, hub.inbox.recv()).await;
    assert_eq!(heard.unwrap().unwrap().topic, own);
    for (session, topic) in [
        (&node, "yobiban/v1/chuo/node/n2/numbers"),
        (&node, feed),
        (&tickets, "yobiban/v1/hanami/feed/koseki"),
        (&hub, own),
    ] {
        let answer = publish(session, topic).await;
        assert!(
            matches!(answer, Err(PublishError::Refused(_))),
            "{topic}: {answer:?}"
        );
    }
}
