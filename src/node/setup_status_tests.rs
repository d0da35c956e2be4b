//! Tests of what a sheet says of a box and its place.

use super::*;
use crate::config::{Problem, ProblemKind, Suggestion, example, parse_node};
use jiff::Timestamp;

fn machine(files: &[(&str, &str)]) -> tempfile::TempDir {
    let root = tempfile::tempdir().expect("folder");
    for (path, text) in files {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().expect("folder")).expect("made");
        fs::write(path, text).expect("written");
    }
    root
}

const ADDRESSES: &[&str] = &["127.0.0.1", "192.0.2.20", "::1", "fe80::1", "2001:db8::20"];

fn parsed(addresses: &[&str]) -> Vec<IpAddr> {
    let each = addresses.iter();
    each.map(|a| a.parse().expect("address")).collect()
}

fn sheet(root: &Path, addresses: &[&str], disconnected: Option<&str>, synced: bool) -> SetupScreen {
    let config = parse_node(example::NODE, "node.toml", Path::new("/nowhere")).expect("in order");
    screen(&SetupStatus {
        config: &config,
        card: &CardStatus {
            configured: true,
            ..card(CardFile::Same)
        },
        disconnected,
        now: Now {
            synced,
            ..Now::at("2026-11-24T01:42:07Z".parse::<Timestamp>().expect("time"))
        },
        zone: &TimeZone::get("Asia/Tokyo").expect("zone"),
        addresses: &parsed(addresses),
        root,
    })
}

fn card(card: CardFile) -> CardStatus {
    CardStatus {
        card,
        configured: false,
        problems: Vec::new(),
        failed: String::new(),
    }
}

#[test]
fn a_box_says_its_addresses_its_link_its_broker_and_its_clock() {
    let root = machine(&[
        ("sys/class/net/lo/carrier", "1\n"),
        ("sys/class/net/end0/carrier", "1\n"),
        ("sys/class/net/end0/speed", "100\n"),
        ("sys/class/net/end0/device/uevent", ""),
    ]);
    let said = sheet(root.path(), ADDRESSES, None, true);
    assert!(said.lines.iter().all(|l| l.mark == Mark::Good), "{said:?}");
    let values: Vec<&str> = said.lines.iter().map(|l| l.value.as_str()).collect();
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(
        values,
        [
            "中央区  chuo",
            &format!("n1   {version}"),
            "有線  100 Mbit/s",
            "192.0.2.20",
            "つながりました",
            "2026-11-24 10:42",
        ]
    );
    assert_eq!(
        said.code,
        format!(
            "yobiban {version}\noffice chuo\nnode n1\naddress 192.0.2.20\nlink end0 up\n\
             broker 127.0.0.1:1883 ok\nclock ok\n"
        )
    );
}

#[test]
fn a_box_without_a_cable_says_what_to_look_at() {
    let root = machine(&[
        ("sys/class/net/end0/carrier", "0\n"),
        ("sys/class/net/end0/device/uevent", ""),
    ]);
    let said = sheet(root.path(), &[], Some("connection refused"), false);
    let marks: Vec<Mark> = said.lines.iter().skip(2).map(|l| l.mark).collect();
    let wanted = [Mark::Wrong, Mark::Waiting, Mark::Waiting, Mark::Waiting];
    assert_eq!(marks, wanted);
    assert!(said.lines[4].detail.ends_with("connection refused"));
    assert!(said.code.contains("clock not set\n"), "{}", said.code);
}

#[test]
fn a_start_that_left_no_word_has_failed_and_a_box_with_settings_goes_on() {
    let run = machine(&[("data/node.toml", "")]);
    let (word, settings) = (
        run.path().join("setup.json"),
        run.path().join("data/node.toml"),
    );
    let card = CardStatus::load(&word, &settings);
    assert_eq!((card.card, card.configured), (CardFile::Failed, true));
    assert_eq!(trouble(&card), None);
    let card = CardStatus::load(&word, &run.path().join("data/none.toml"));
    let said = trouble(&card).expect("said");
    assert!(said.lines[0].detail.contains("setup.json"), "{said:?}");
}

#[test]
fn trouble_with_the_file_is_said_and_nothing_else_is() {
    assert_eq!(
        trouble(&card(CardFile::Missing)).map(|s| s.lines.len()),
        Some(3)
    );
    let configured = |file: CardFile| CardStatus {
        configured: true,
        ..card(file)
    };
    for card in [
        CardFile::Taken,
        CardFile::Same,
        CardFile::Missing,
        CardFile::Failed,
    ] {
        assert_eq!(trouble(&configured(card)), None, "{card:?}");
    }
    let wrong = CardStatus {
        problems: vec![Problem {
            position: Some((12, 8)),
            key: "queue[1].lane".into(),
            found: Some("\"Fast\"".into()),
            kind: ProblemKind::Value,
            message: "expected standard or fast".into(),
            suggestion: Some(Suggestion::Word("fast".into())),
        }],
        ..configured(CardFile::Wrong)
    };
    let sheet = trouble(&wrong).expect("said");
    assert!(sheet.alert);
    let line = &sheet.lines[0];
    assert_eq!(line.english, "line 12, column 8");
    assert_eq!(line.value, "queue[1].lane = \"Fast\"");
    assert_eq!(
        line.detail,
        "値が正しくありません。「fast」ではありませんか？ expected standard or fast"
    );
    assert_eq!(
        sheet.code,
        "yobiban.toml\n12:8 queue[1].lane: did you mean fast? expected standard or fast\n"
    );
}

#[test]
fn an_address_of_ipv6_is_said_where_there_is_no_other() {
    let said = |addresses: &[&str]| reachable(&parsed(addresses));
    assert_eq!(said(ADDRESSES), ["192.0.2.20"]);
    assert_eq!(said(&ADDRESSES[2..]), ["2001:db8::20"]);
    assert_eq!(said(&ADDRESSES[2..4]), Vec::<String>::new());
    let many = [
        "192.0.2.9",
        "192.0.2.1",
        "192.0.2.1",
        "192.0.2.8",
        "192.0.2.7",
        "192.0.2.6",
    ];
    assert_eq!(
        said(&many),
        ["192.0.2.1", "192.0.2.6", "192.0.2.7", "192.0.2.8"]
    );
}

#[test]
fn a_machine_knows_its_own_addresses() {
    assert!(own_addresses().iter().any(IpAddr::is_loopback));
}
