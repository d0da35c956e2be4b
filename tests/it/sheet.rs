//! What a box says to who installs it, as golden pictures in `tests/golden/sheets`.
//!
//! `YOBIBAN_ACCEPT=1 cargo test --test it sheet::` writes them anew: look at each of them.

use crate::board::compare_in;
use crate::board_states::normal;
use jiff::tz::TimeZone;
use std::fs;
use std::net::IpAddr;
use std::path::Path;
use yobiban::board::SetupScreen;
use yobiban::clock::Now;
use yobiban::config::{Problem, ProblemKind, Suggestion, example, parse_node};
use yobiban::node::setup_status::{self, SetupStatus};
use yobiban::node::{CardFile, CardStatus};
use yobiban::output::Frame;

const SIZES: [(&str, (u32, u32)); 2] = [("1080p", (1920, 1080)), ("portrait", (1080, 1920))];

fn told(card: CardFile, problems: Vec<Problem>) -> CardStatus {
    CardStatus {
        card,
        configured: card == CardFile::Same,
        problems,
        failed: String::new(),
    }
}

/// A box with a cable, or without one.
fn machine(plugged: bool) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    let put = |path: &str, text: &str| {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    put("sys/class/net/end0/device/uevent", "");
    if plugged {
        put("sys/class/net/end0/carrier", "1\n");
        put("sys/class/net/end0/speed", "100\n");
    }
    root
}

fn status(plugged: bool) -> SetupScreen {
    let config = parse_node(example::NODE, "node.toml", Path::new("/nowhere")).unwrap();
    let machine = machine(plugged);
    let own = [IpAddr::from([192, 0, 2, 20])];
    let refused = "cannot connect to 127.0.0.1:1883: connection refused";
    setup_status::screen(&SetupStatus {
        config: &config,
        card: &told(CardFile::Same, Vec::new()),
        disconnected: (!plugged).then_some(refused),
        now: Now {
            synced: plugged,
            ..Now::at("2026-11-24T01:42:07Z".parse().unwrap())
        },
        zone: &TimeZone::get("Asia/Tokyo").unwrap(),
        addresses: if plugged { &own } else { &[] },
        root: machine.path(),
    })
}

fn wrong() -> SetupScreen {
    let one = |position, key: &str, found: Option<&str>, kind, message: &str| Problem {
        position: Some(position),
        key: key.into(),
        found: found.map(str::to_owned),
        kind,
        message: message.into(),
        suggestion: None,
    };
    let problems = vec![
        one(
            (9, 7),
            "mqtt.url",
            Some("\"http://192.0.2.1:1883\""),
            ProblemKind::Value,
            "unknown scheme http: expected mqtt://HOST[:PORT] or mqtts://HOST[:PORT]",
        ),
        Problem {
            suggestion: Some(Suggestion::Word("fast".into())),
            ..one(
                (18, 8),
                "queue[1].lane",
                Some("\"Fast\""),
                ProblemKind::Value,
                "expected standard or fast",
            )
        },
        one(
            (24, 1),
            "board[0].output",
            None,
            ProblemKind::Missing,
            "missing: expected a table such as { kind = \"hdmi\" }",
        ),
    ];
    setup_status::trouble(&told(CardFile::Wrong, problems)).unwrap()
}

/// What the check itself finds in a file: the same id twice, a full-width value, a key out of its
/// place, a queue that is not there.
fn found() -> SetupScreen {
    let text = r#"
[office]
id = "chuo"
name = { ja = "中央区" }
[node]
id = "ｎ１"
[mqtt]
url = "mqtt://192.0.2.1"
ca = "ca.pem"
[[queue]]
id = "moving"
name = { ja = "住所変更" }
[[queue]]
id = "moving"
name = { ja = "証明書の交付" }
[[board]]
id = "main"
queues = ["movin"]
output = { kind = "hdmi" }
"#;
    let wrong = parse_node(text, "yobiban.toml", Path::new("/nowhere")).unwrap_err();
    setup_status::trouble(&told(CardFile::Wrong, wrong.problems().to_vec())).unwrap()
}

#[test]
fn sheets_look_like_their_golden_pictures() {
    let missing = setup_status::trouble(&told(CardFile::Missing, Vec::new())).unwrap();
    let failed = setup_status::trouble(&CardStatus {
        failed: "cannot write /data/config/node.toml: No space left on device (os error 28)".into(),
        ..told(CardFile::Failed, Vec::new())
    });
    let failed = failed.unwrap();
    let sheets = [
        ("status", status(true)),
        ("status-alone", status(false)),
        ("wrong", wrong()),
        ("found", found()),
        ("missing", missing),
        ("failed", failed),
    ];
    let mut problems = Vec::new();
    for (end, size) in SIZES {
        for (name, sheet) in &sheets {
            let mut frame = Frame::new(size.0, size.1);
            normal(size).painter().setup_screen(sheet, &mut frame);
            problems.extend(compare_in("sheets", &format!("{name}-{end}"), &frame).err());
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}
