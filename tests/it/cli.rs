//! The commands as a user meets them: arguments, answers, exit codes.

use crate::support::yobiban;

fn run(args: &[&str]) -> (Option<i32>, String, String) {
    let output = yobiban().args(args).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        output.status.code(),
        text(output.stdout),
        text(output.stderr),
    )
}

#[test]
fn help_and_version_are_answers() {
    let (code, out, err) = run(&["--version"]);
    assert_eq!((code, err.as_str()), (Some(0), ""));
    assert_eq!(out, format!("yobiban {}\n", env!("CARGO_PKG_VERSION")));
    let (code, out, _) = run(&["--help"]);
    assert_eq!(code, Some(0));
    for command in [
        "demo", "node", "hub", "board", "score", "replay", "load", "check", "config", "doctor",
    ] {
        assert!(
            out.contains(&format!("\n  {command} ")),
            "{command} in {out}"
        );
        assert_eq!(run(&[command, "--help"]).0, Some(0), "{command} --help");
    }
}

#[test]
fn wrong_usage_is_64_and_says_what_is_expected() {
    let check = |args: &[&str], says: &str| {
        let (code, out, err) = run(args);
        assert_eq!((code, out.as_str()), (Some(64), ""), "{args:?}: {err}");
        assert!(err.contains(says), "{args:?} should say {says:?}: {err}");
    };
    check(&[], "Usage");
    check(&["nod"], "node");
    check(&["node"], "--config");
    check(&["check"], "FILE");
    check(&["config", "broker"], "node");
    check(&["score", "day.jsonl"], "TICKETS.csv");
    check(&["replay", "day.jsonl"], "--mqtt");
    check(
        &["replay", "day.jsonl", "--mqtt", "mqtt://x", "--speed", "0"],
        "over 0",
    );
    check(
        &[
            "replay",
            "day.jsonl",
            "--mqtt",
            "mqtt://x",
            "--office",
            "Chuo",
        ],
        "not an id",
    );
    check(
        &[
            "board", "--config", "a", "--state", "b", "--out", "c", "--at", "now",
        ],
        "2026-11-24",
    );
    check(&["demo", "--for", "soon"], "30s");
    check(&["demo", "--listen", "localhost"], "--listen");
}

#[test]
fn a_replay_takes_its_password_from_a_file_and_repeats_none() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("password");
    let file = file.to_str().unwrap();
    let replay = |url: &str, more: &[&str]| {
        let (code, _, err) = run(&[&["replay", "day.jsonl", "--mqtt", url], more].concat());
        assert!(code.is_some_and(|c| c != 0), "{url}: {err}");
        assert!(!err.contains("hunter2"), "{url}: {err}");
        err
    };
    let missing = replay("mqtt://x", &["--password-file", file]);
    assert!(missing.contains("cannot read the password"), "{missing}");
    std::fs::write(file, "").unwrap();
    let empty = replay("mqtt://x", &["--password-file", file]);
    assert!(empty.contains("expected a password"), "{empty}");
    std::fs::write(file, "hunter2\n").unwrap();
    replay("mqtt://127.0.0.1:1", &["--password-file", file]);
    for wrong in ["mqtt://u:hunter2@:bad", "u:hunter2@x", "http://u:hunter2@x"] {
        replay(wrong, &[]);
    }
}

#[test]
fn a_role_with_a_wrong_configuration_is_64() {
    for role in ["node", "hub"] {
        let (code, out, err) = run(&[role, "--config", "/nowhere/yobiban.toml"]);
        assert_eq!((code, out.as_str()), (Some(64), ""), "{role}: {err}");
        assert_eq!(
            err,
            "yobiban: /nowhere/yobiban.toml: cannot read the configuration: no such file\n"
        );
    }
}

#[test]
fn a_log_filter_that_cannot_be_understood_is_64() {
    let mut command = yobiban();
    let output = command
        .env("YOBIBAN_LOG", "yobiban=loud")
        .args(["config", "hub"])
        .output();
    let output = output.unwrap();
    assert_eq!(output.status.code(), Some(64));
    let err = String::from_utf8(output.stderr).unwrap();
    assert!(err.starts_with("yobiban: YOBIBAN_LOG: "), "{err}");
    assert_eq!(err.lines().count(), 1, "{err}");
}

#[test]
fn the_printed_examples_are_in_order() {
    let dir = tempfile::tempdir().unwrap();
    for kind in ["node", "hub"] {
        let (code, out, err) = run(&["config", kind]);
        assert_eq!((code, err.as_str()), (Some(0), ""), "{kind}");
        let file = dir.path().join(kind);
        std::fs::write(&file, out).unwrap();
        let (code, _, err) = run(&["check", file.to_str().unwrap()]);
        assert_eq!(code, Some(0), "{kind}: {err}");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = yobiban()
        .args(["config", "node"])
        .stdout(writer)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}
