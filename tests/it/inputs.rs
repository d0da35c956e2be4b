//! What installers, spreadsheets and foreign systems really make of their files: each of
//! `tests/fixtures/inputs` with the right answer.

use crate::support::{node_toml, root, yobiban};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use yobiban::clock::Now;
use yobiban::model::{QueueState, Source};
use yobiban::node::OfficeState;
use yobiban::state::{Delivery, Office};
use yobiban::wire::feed::FeedMessage;

/// How a file is tried.
enum Tried {
    /// `yobiban check`, or `provision` for a table.
    Given,
    /// As `password_file` of a node.
    Password,
    /// As `url_file` of a hub's store.
    Store,
    /// By a test of its own, in a file of the tests.
    By(&'static str, &'static str),
}
use Tried::{By, Given, Password, Store};

/// File, how it is tried, the exit code, and what must be said.
const INPUTS: [(&str, Tried, i32, &str); 22] = [
    (
        "adapter-counters-wildcard.toml",
        By(
            "evidence.rs",
            "counters_behind_one_wildcard_do_not_recall_each_other",
        ),
        0,
        "",
    ),
    (
        "adapter-retained.toml",
        By(
            "evidence.rs",
            "what_a_broker_kept_is_not_fresh_nor_a_call_however_often_it_is_handed_on",
        ),
        0,
        "",
    ),
    (
        "adapter-three-refusals.toml",
        By(
            "inputs.rs",
            "each_refusal_of_three_adapters_is_told_by_itself",
        ),
        0,
        "",
    ),
    (
        "bidi.json",
        By(
            "inputs.rs",
            "tickets_beside_letters_from_the_right_and_with_loose_marks_are_drawn_as_meant",
        ),
        0,
        "",
    ),
    ("bidi.toml", Given, 0, "4 queues, 2 boards"),
    ("broker-upper-lower.csv", Given, 0, "2 nodes, 1 brokers"),
    (
        "excel-shift-jis.csv",
        Given,
        64,
        ":2:6: it is not UTF-8 text but looks like Shift_JIS",
    ),
    ("excel-trailing-columns.csv", Given, 0, "2 nodes"),
    ("excel-trailing-rows.csv", Given, 0, "2 nodes"),
    (
        "feed-am-pm.py",
        By(
            "evidence.rs",
            "one_message_with_a_wrong_clock_freezes_no_board_and_says_how_far_it_is_off",
        ),
        0,
        "",
    ),
    (
        "feed-utc-day.py",
        By(
            "evidence.rs",
            "a_source_that_counts_days_in_utc_calls_nobody_twice_and_is_told_why",
        ),
        0,
        "",
    ),
    (
        "ip_fullwidth.toml",
        Given,
        64,
        "write 192.168.0.5, typed half-width",
    ),
    ("ip_leadzero.toml", Given, 64, "write 192.168.1.10"),
    (
        "names.json",
        By(
            "inputs.rs",
            "tickets_beside_letters_from_the_right_and_with_loose_marks_are_drawn_as_meant",
        ),
        0,
        "",
    ),
    (
        "names.toml",
        Given,
        0,
        "board led cannot draw U+9AD9, U+FA11, U+2000B",
    ),
    (
        "node-named-as-ticketing.csv",
        Given,
        64,
        ":3: node = \"b-tickets\": expected another id",
    ),
    (
        "password-bom",
        Password,
        0,
        "a byte order mark in front of it",
    ),
    ("password-trailing-space", Password, 0, "blanks at its end"),
    (
        "queues-fullwidth-semicolon.csv",
        Given,
        64,
        "expected ; instead of the full-width ；",
    ),
    ("store-url-raw-password", Store, 64, "@ as %40"),
    (
        "wait-call-at-midnight.json",
        By("inputs.rs", "a_call_of_midnight_makes_no_wait_of_hours"),
        0,
        "",
    ),
    ("zone_jst.toml", Given, 64, "did you mean Asia/Tokyo?"),
];

fn input(name: &str) -> PathBuf {
    root().join("tests/fixtures/inputs").join(name)
}

fn write(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    let own = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    fs::set_permissions(path, own).unwrap();
}

#[test]
fn every_file_that_was_ever_handed_in_has_its_right_answer() {
    let there: BTreeSet<String> = fs::read_dir(input(""))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let known: BTreeSet<String> = INPUTS.iter().map(|(name, ..)| (*name).into()).collect();
    assert_eq!(there, known);
    for (name, tried, code, words) in &INPUTS {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join(name);
        fs::copy(input(name), &file).unwrap();
        let own = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        fs::set_permissions(&file, own).unwrap();
        let config = dir.path().join("config.toml");
        let mut command = yobiban();
        command.current_dir(dir.path());
        match tried {
            Given if name.ends_with(".csv") => command.args(["provision", name, "--out", "city"]),
            Given => command.args(["check", name]),
            Password => {
                let text = node_toml("127.0.0.1", "");
                let keys = format!("username = \"n1\"\npassword_file = \"{name}\"\n[store]");
                write(&config, &text.replace("[store]", &keys));
                command.args(["check", "config.toml"])
            }
            Store => {
                let text = format!(
                    "[mqtt]\nurl = \"mqtt://127.0.0.1\"\n[http]\nlisten = \"127.0.0.1:0\"\n[store]\nurl_file = \"{name}\"\n"
                );
                write(&config, &text);
                command.args(["check", "config.toml"])
            }
            By(tests, test) => {
                let text = fs::read_to_string(root().join("tests/it").join(tests)).unwrap();
                assert!(text.contains(&format!("fn {test}(")), "{name}: no {test}");
                continue;
            }
        };
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert_eq!(output.status.code(), Some(*code), "{name}: {said}");
        assert!(said.contains(words), "{name}: {words} in {said}");
        if matches!(tried, Password) {
            let node = yobiban::config::load_node(&config).unwrap();
            assert_eq!(node.mqtt.password.unwrap().reveal(), "pass123", "{name}");
        }
        if *name == "broker-upper-lower.csv" {
            let acl = dir.path().join("city/brokers/broker.example.jp/acl");
            let acl = fs::read_to_string(acl).unwrap();
            for node in ["user chuo-n1", "user hanami-n1"] {
                assert!(acl.contains(node), "{acl}");
            }
        }
    }
}

#[test]
fn each_refusal_of_three_adapters_is_told_by_itself() {
    let config = yobiban::config::load_node(&input("adapter-three-refusals.toml")).unwrap();
    let mut truth = OfficeState::new(&config);
    let now = Now::at("2026-12-01T10:00:00+09:00".parse().unwrap());
    for (topic, payload) in [
        ("e/a", r#"{"now":"YAMADA","waiting":1}"#),
        ("e/b", r#"{"now":42,"waiting":"many"}"#),
        ("e/c", r#"{"waiting":1}"#),
    ] {
        truth.apply_message(topic, payload.as_bytes(), Delivery::Live, now);
    }
    let issues: Vec<(String, String)> = truth
        .issues()
        .iter()
        .map(|issue| (issue.subject.to_string(), issue.text.to_string()))
        .collect();
    let about: Vec<&str> = issues.iter().map(|(about, _)| about.as_str()).collect();
    assert_eq!(about, ["a", "b", "c"], "{issues:?}");
    for ((_, text), place) in issues.iter().zip(["/now", "/waiting", "/now"]) {
        assert!(text.contains(place) && !text.contains("YAMADA"), "{text}");
    }
}

#[test]
fn a_call_of_midnight_makes_no_wait_of_hours() {
    let config = yobiban::config::load_node(&input("adapter-retained.toml")).unwrap();
    let text = fs::read_to_string(input("wait-call-at-midnight.json")).unwrap();
    let state: serde_json::Value = serde_json::from_str(&text).unwrap();
    let (queue, payload) = state.as_object().unwrap().iter().next().unwrap();
    let message = FeedMessage::decode(payload.to_string().as_bytes()).unwrap();
    let now = Now::at("2026-12-01T10:00:05+09:00".parse().unwrap());
    let mut office = Office::new(config.state);
    let queue = yobiban::model::QueueId::new(queue).unwrap();
    let message = QueueState::from(message);
    office.apply(&queue, message, Source::Feed, now).unwrap();
    let snapshot = office.snapshot(now);
    let wait = snapshot.queues[0].wait.expect("a wait");
    assert!(wait.high() < 3600, "{wait:?}");
}

/// Draws a board of an input with a state, and hands back the picture's bytes.
fn drawn(config: &str, board: &str, state: &serde_json::Value) -> Vec<u8> {
    let dir = tempfile::tempdir().unwrap();
    let (file, out) = (dir.path().join("state.json"), dir.path().join("board.png"));
    fs::write(&file, state.to_string()).unwrap();
    let mut command = yobiban();
    command.args([
        "board",
        "--at",
        "2026-11-30T10:42:20+09:00",
        "--board",
        board,
    ]);
    command.arg("--config").arg(input(config));
    command.arg("--state").arg(&file).arg("--out").arg(&out);
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    fs::read(&out).unwrap()
}

#[test]
fn tickets_beside_letters_from_the_right_and_with_loose_marks_are_drawn_as_meant() {
    let state = |file: &str| -> serde_json::Value {
        serde_json::from_str(&fs::read_to_string(input(file)).unwrap()).unwrap()
    };
    let one = |from: &serde_json::Value, queue: &str, ticket: &str| {
        let mut state = from[queue].clone();
        state["calls"][0]["ticket"] = ticket.into();
        state["next"] = serde_json::json!([ticket]);
        serde_json::json!({ queue: state })
    };
    for board in ["main", "led"] {
        // A ticket with a letter of no font looks as one with another such: so digits and sign
        // stand in the same order, from left to right.
        let bidi = state("bidi.json");
        let draw = |ticket: &str| drawn("bidi.toml", board, &one(&bidi, "a", ticket));
        let sign = '\u{e000}';
        assert_eq!(draw("012א"), draw(&format!("012{sign}")), "{board}");
        assert_eq!(draw("A-012ب"), draw(&format!("A-012{sign}")), "{board}");
        assert_ne!(draw("012א"), draw(&format!("210{sign}")), "{board}");
        assert_ne!(draw("012א"), draw(&format!("{sign}012")), "{board}");
        let names = state("names.json");
        let draw = |ticket: &str| drawn("names.toml", board, &one(&names, "nfd", ticket));
        for (typed, meant) in [
            ("か\u{3099}42", "が42"),
            ("葛\u{e0100}012", "葛012"),
            ("ｱ-042", "ア-042"),
        ] {
            assert_eq!(draw(typed), draw(meant), "{board}: {typed}");
        }
        drawn("names.toml", board, &names);
        drawn("bidi.toml", board, &bidi);
    }
}
