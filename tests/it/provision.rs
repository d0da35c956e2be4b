//! A city's files from one table, and that a real broker lets in who they are for.

use crate::mqtt::{start, up};
use crate::support::{mosquitto::Mosquitto, yobiban};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Output;
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

    let within = crate::support::PATIENCE;
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
            matches!(answer, Err(PublishError::Rejected(_))),
            "{topic}: {answer:?}"
        );
    }
}

/// What a wrong table answers.
#[track_caller]
fn refused(table: &[u8], more: &[&str]) -> String {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("city.csv"), table).unwrap();
    for (name, text) in more.chunks(2).map(|pair| (pair[0], pair[1])) {
        std::fs::write(dir.path().join(name), text).unwrap();
    }
    let mut command = yobiban();
    command.current_dir(dir.path());
    command.args(["provision", "city.csv", "--out", "city"]);
    if !more.is_empty() {
        command.args(["--template", more[0]]);
    }
    let output = command.output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(64), "{said}");
    assert!(!dir.path().join("city").exists(), "{said}");
    said
}

const HEADER: &str = "office,office_ja,office_en,node,broker,uplink,queues\n";

#[test]
fn a_node_never_bears_the_name_of_another_offices_ticketing_system() {
    let table = format!(
        "{HEADER}a-b,甲,,n1,mqtts://broker.example.jp,,q=あ\na,乙,,b-tickets,mqtts://broker.example.jp,,q=い\n"
    );
    let said = refused(table.as_bytes(), &[]);
    assert!(said.contains("city.csv:3: node = \"b-tickets\""), "{said}");
    // The same in two runs: the certificates of the first are still there.
    for (first, second) in [
        ("a-b,甲,,n1", "a,乙,,b-tickets"),
        ("a,乙,,b-tickets", "a-b,甲,,n1"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let line = |start: &str| format!("{HEADER}{start},mqtts://broker.example.jp,,q=あ\n");
        done(&provision(dir.path(), &line(first), &[]));
        let before = files(&dir.path().join("city"));
        let output = provision(dir.path(), &line(second), &[]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(64), "{said}");
        assert!(said.contains("an earlier table"), "{said}");
        assert_eq!(files(&dir.path().join("city")), before);
    }
}

#[test]
fn a_foreign_topic_that_takes_in_other_offices_is_no_right() {
    let template = |topic: &str| {
        format!(
            "[[adapter]]\ntopic = \"{topic}\"\n[[adapter.queue]]\nqueue = \"q\"\nnumber = \"/now\"\n"
        )
    };
    let line = |office: &str| format!("{office},区,,n1,mqtts://b.example.jp,,q=あ\n");
    let table = format!("{HEADER}{}{}", line("a"), line("b"));
    for topic in ["yobiban/v1/b/feed/q", "yobiban/#", "+/+/+/feed/q", "#"] {
        let said = refused(table.as_bytes(), &["template.toml", &template(topic)]);
        assert!(said.contains("topics of other offices"), "{topic}: {said}");
        assert!(said.contains("city.csv:2: office = \"a\""), "{said}");
    }
}

#[test]
fn what_spreadsheets_and_keyboards_make_of_a_table_is_right_or_refused_with_its_place() {
    let line = |queues: &str| format!("{HEADER}chuo,中央区,,n1,mqtts://b.example.jp,,{queues}\n");
    for (table, place, words) in [
        (
            line("koseki=戸籍／Family register；online*=電子申請"),
            "city.csv:2: queues",
            "full-width ；",
        ),
        (line("koseki＝戸籍"), "city.csv:2: queues", "full-width ＝"),
        (line("koseki＊=戸籍"), "city.csv:2: queues", "full-width ＊"),
        (
            line("koseki=戸籍／Family register"),
            "city.csv:2: queues",
            "full-width ／",
        ),
        (
            line("ｋｏｓｅｋｉ=戸籍"),
            "city.csv:2: queue[0].id",
            "(column queues)",
        ),
        (
            line("a=あ").replace("chuo,", "Chuo,"),
            "city.csv:2: office.id",
            "(column office)",
        ),
        (
            line("a=あ").replace("chuo,", "ｃｈｕｏ,"),
            "city.csv:2: office.id",
            "write chuo",
        ),
        (
            line("a=あ").replace(",n1,", ",Ｎ１,"),
            "city.csv:2: node.id",
            "(column node)",
        ),
        (
            line("a=あ").replace("b.example.jp", "192.168.001.010"),
            "city.csv:2: mqtt.url",
            "(column broker)",
        ),
        (
            line("a=あ").replace("mqtts://b.example.jp", "mqtts：／／b.example.jp"),
            "city.csv:2: mqtt.url",
            "half-width",
        ),
        (line("a=あ").replace(',', "\t"), "city.csv:1: column", "CSV"),
        (
            line("a=あ").replace("office,", "Office,"),
            "city.csv:1: column",
            "write office",
        ),
        (line("a=あ,x"), "city.csv:2: 8 cells", "as in line 1"),
    ] {
        let said = refused(table.as_bytes(), &[]);
        assert!(
            said.contains(place) && said.contains(words),
            "{table}: {said}"
        );
    }
    // Shift_JIS: 中央区 and 戸籍.
    let mut bytes = HEADER.as_bytes().to_vec();
    bytes.extend(
        b"chuo,\x92\x86\x89\x9b\x8b\xe6,,n1,mqtts://b.example.jp,,koseki=\x8c\xcb\x90\xd0\n",
    );
    let said = refused(&bytes, &[]);
    assert!(
        said.contains("city.csv:2:6: ") && said.contains("Shift_JIS"),
        "{said}"
    );
    let utf16: Vec<u8> = line("a=あ")
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let said = refused(&[b"\xff\xfe", utf16.as_slice()].concat(), &[]);
    assert!(
        said.contains("city.csv:1:1: ") && said.contains("UTF-16"),
        "{said}"
    );

    for good in [
        line("a=あ").replace('\n', ",,,\n"),
        line("a=あ") + ",,,,,,\n,,,,,,\n",
        format!("\u{feff}{}", line("a=あ").replace('\n', "\r\n")),
        line("a=戸籍／住民票"),
        line("a=戸籍／住民票/Register"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        done(&provision(dir.path(), &good, &[]));
        assert!(dir.path().join("city/nodes/chuo-n1/own.key").is_file());
    }
}

#[test]
fn one_broker_written_in_several_ways_is_one() {
    let dir = tempfile::tempdir().unwrap();
    let line = |office: &str, broker: &str| format!("{office},区,,n1,{broker},,a=あ\n");
    let table = format!(
        "{HEADER}{}{}{}",
        line("a", "mqtts://Broker.Example.JP"),
        line("b", "mqtts://broker.example.jp:8883"),
        line("c", "MQTTS://broker.example.jp./"),
    );
    done(&provision(dir.path(), &table, &[]));
    let brokers = dir.path().join("city/brokers");
    let acl = std::fs::read_to_string(brokers.join("broker.example.jp/acl")).unwrap();
    for user in ["user a-n1", "user b-n1", "user c-n1", "user c-tickets"] {
        assert!(acl.contains(user), "{acl}");
    }
    assert_eq!(std::fs::read_dir(brokers).unwrap().count(), 1);
}

#[test]
fn the_authoritys_key_is_told_nowhere_when_it_is_damaged() {
    let dir = tempfile::tempdir().unwrap();
    done(&provision(dir.path(), TABLE, &[]));
    let path = dir.path().join("city/authority/authority.key");
    let key = std::fs::read_to_string(&path).unwrap();
    for damaged in [
        key.replace('\n', " "),
        key.replace('\n', ""),
        key[..key.len() / 2].to_owned(),
        key.replacen("\nM", "\n?", 1),
    ] {
        std::fs::write(&path, &damaged).unwrap();
        let output = provision(dir.path(), TABLE, &[]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            !output.status.success() && said.contains("authority.key"),
            "{said}"
        );
        crate::secrets::untold("provision", &said, &key);
    }
}

#[test]
fn an_old_key_of_the_template_is_reported_once_where_it_stands() {
    let dir = tempfile::tempdir().unwrap();
    let template = "[feed]\nstale_after = \"90s\"\nold_call_after = \"1m\"\n";
    std::fs::write(dir.path().join("all.toml"), template).unwrap();
    let output = provision(dir.path(), TABLE, &["--template", "all.toml"]);
    done(&output);
    let said = String::from_utf8_lossy(&output.stderr);
    let warned: Vec<_> = said.lines().filter(|l| l.contains("was renamed")).collect();
    assert_eq!(warned.len(), 1, "{said}");
    assert!(
        warned[0].contains("all.toml:3: feed.old_call_after"),
        "{said}"
    );
}
