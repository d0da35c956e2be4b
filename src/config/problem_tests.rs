//! Tests of problems by their kind, and of the file in which they travel.

use super::*;
use crate::config::{ConfigError, parse_hub, parse_node};
use std::path::Path;

/// The problems of a node's file.
fn node(text: &str) -> Vec<Problem> {
    let error = parse_node(text, "node.toml", Path::new("/nowhere")).expect_err("refused");
    error.problems().to_vec()
}

fn kinds(error: &ConfigError) -> Vec<(&str, ProblemKind)> {
    let problems = error.problems().iter();
    problems.map(|p| (p.key.as_str(), p.kind)).collect()
}

/// The least file that is in order, with `more` in place of a word of it.
fn with(from: &str, to: &str) -> String {
    const LEAST: &str = "[office]\nid = \"chuo\"\nname = { ja = \"中央区\" }\n[node]\nid = \"n1\"\n\
        [mqtt]\nurl = \"mqtt://h\"\n[store]\ndir = \"s\"\n\
        [[queue]]\nid = \"q\"\nname = { ja = \"証明書\" }\n";
    assert!(parse_node(LEAST, "node.toml", Path::new("/nowhere")).is_ok());
    assert!(LEAST.contains(from), "{from}");
    LEAST.replacen(from, to, 1)
}

#[test]
fn serde_says_what_is_read_here() {
    // Unknown keys, at the top and deep below, in both kinds of files.
    for text in [
        with("[office]", "[offices]\nx = 1\n[office]"),
        with("[node]\nid", "[node]\nidd = \"x\"\nid"),
        with("id = \"q\"", "id = \"q\"\nlan = \"fast\""),
        with("url", "urll = \"x\"\nurl"),
    ] {
        let problems = node(&text);
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert_eq!(problems[0].kind, ProblemKind::UnknownKey, "{problems:?}");
        assert!(problems[0].suggestion.is_some(), "{problems:?}");
        assert!(problems[0].position.is_some(), "{problems:?}");
    }
    let hub = parse_hub("[http]\nlisen = \"\"\n", "hub.toml", Path::new(""));
    let hub = hub.expect_err("refused");
    assert_eq!(kinds(&hub), [("http.lisen", ProblemKind::UnknownKey)]);
    // What it says of a wrong type, each as ours.
    for (from, to, expected) in [
        ("id = \"n1\"", "id = 5", "expected a text in quotes"),
        ("dir = \"s\"", "dir = []", "expected a text in quotes"),
        ("[node]\nid = \"n1\"", "node = \"n1\"", "expected a table"),
        (
            "[[queue]]",
            "[queue]",
            "expected a list of tables, each under its own [[…]]",
        ),
    ] {
        let text = match from.starts_with("[node]") {
            true => format!("{to}\n{}", with(from, "")),
            false => with(from, to),
        };
        let problems = node(&text);
        assert_eq!(problems[0].message, expected, "{problems:?}");
        assert_eq!(problems[0].kind, ProblemKind::Value);
    }
}

#[test]
fn what_is_wrong_is_told_by_its_kind_whatever_the_words_in_it_are() {
    // Words of other kinds within values must decide nothing.
    for (from, to, key, kind) in [
        ("mqtt://h", "missing://h", "mqtt.url", ProblemKind::Value),
        (
            "mqtt://h",
            "cannot read://h",
            "mqtt.url",
            ProblemKind::Value,
        ),
        ("mqtt://h", "UTF-8://h", "mqtt.url", ProblemKind::Value),
        (
            "id = \"q\"",
            "id = \"unknown key\"",
            "queue[0].id",
            ProblemKind::Value,
        ),
        ("dir = \"s\"", "dir = \"s\"\nx", "", ProblemKind::Syntax),
        ("id = \"n1\"", "", "node.id", ProblemKind::Missing),
        ("id = \"n1\"", "id = ”n1”", "", ProblemKind::Sign('”')),
        (
            "url = \"mqtt://h\"",
            "url = \"mqtt://h\"\nusername = \"u\"\npassword_file = \"UTF-8\"",
            "mqtt.password_file",
            ProblemKind::Unreadable,
        ),
        (
            "url = \"mqtt://h\"",
            "url = \"mqtt://h\"\nca = \"no UTF-8\"",
            "mqtt.ca",
            ProblemKind::Unwanted,
        ),
        (
            "url = \"mqtt://h\"",
            "url = \"mqtts://h\"\nca = \"no UTF-8\"",
            "mqtt.ca",
            ProblemKind::Unreadable,
        ),
        (
            "[[queue]]",
            "[[queue]]\nid = \"q\"\nname = { ja = \"a\" }\n[[queue]]",
            "queue[1].id",
            ProblemKind::Duplicate,
        ),
        (
            "[[queue]]",
            "[[board]]\nid = \"b\"\nqueues = [\"x\"]\noutput = { kind = \"none\" }\n[[queue]]",
            "board[0].queues[0]",
            ProblemKind::NoSuch,
        ),
    ] {
        let problems = node(&with(from, to));
        let found: Vec<_> = problems.iter().map(|p| (p.key.as_str(), p.kind)).collect();
        assert_eq!(found, [(key, kind)], "{to}: {problems:?}");
    }
}

#[test]
fn a_guess_is_told_in_both_languages() {
    let guess = |from: &str, to: &str| {
        let problem = node(&with(from, to)).remove(0);
        (problem.in_japanese(), problem.in_english())
    };
    let (japanese, english) = guess("id = \"q\"", "id = \"q\"\nlane = \"Fast\"");
    assert_eq!(
        japanese,
        "値が正しくありません。「fast」ではありませんか？ expected standard or fast"
    );
    assert_eq!(english, "did you mean fast? expected standard or fast");
    let (japanese, _) = guess("id = \"n1\"", "id = \"ｎ１\"");
    assert_eq!(
        japanese,
        "全角の文字が入っています。半角で n1 と入力してください。"
    );
    let (japanese, _) = guess("[node]", "hours = [\"8:30\", \"17:15\"]\n[node]");
    assert!(
        japanese.starts_with("値が正しくありません。時刻は「08:30」のように2けたで書きます。"),
        "{japanese}"
    );
    let (japanese, _) = guess("[node]", "hours = [\"08：30\", \"17:15\"]\n[node]");
    assert_eq!(
        japanese,
        "全角の文字が入っています。半角で 08:30 と入力してください。"
    );
    // A blank that nobody sees is not full-width.
    let (japanese, _) = guess("id = \"n1\"", "id = \"n1 \"");
    assert!(
        japanese.starts_with("値が正しくありません。「n1」ではありませんか？"),
        "{japanese}"
    );
}

#[test]
fn a_masked_value_is_no_guess() {
    let text = with("url = \"mqtt://h\"", "url = \"mqtt://ｕｓｅｒ:geheim@h\"");
    for problem in node(&text) {
        assert!(!problem.to_string().contains("geheim"), "{problem}");
        assert!(!problem.in_japanese().contains("geheim"));
    }
    // Stars that were typed are no mask.
    let text = with("id = \"n1\"", "id = \"ｎ***\"");
    let suggestion = node(&text).remove(0).suggestion;
    assert_eq!(suggestion, Some(Suggestion::HalfWidth("n***".into())));
}

#[test]
fn a_problem_comes_through_a_file_as_it_was() {
    let problem = |kind, suggestion| Problem {
        position: Some((1, 2)),
        key: "a.b".into(),
        found: Some("1".into()),
        suggestion,
        ..Problem::whole(kind, "x")
    };
    for kind in [
        ProblemKind::Syntax,
        ProblemKind::Sign('＝'),
        ProblemKind::Encoding(Encoding::ShiftJis),
        ProblemKind::UnknownKey,
        ProblemKind::Other,
    ] {
        for suggestion in [
            None,
            Some(Suggestion::Word("fast".into())),
            Some(Suggestion::HalfWidth("n1".into())),
            Some(Suggestion::TwoDigits("08:30".into())),
        ] {
            let problem = problem(kind, suggestion);
            let text = serde_json::to_string(&problem).expect("written");
            let read: Problem = serde_json::from_str(&text).expect("read");
            assert_eq!(read, problem, "{text}");
        }
    }
}

/// As the version before kinds declared what it wrote and read.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct Before {
    position: Option<(usize, usize)>,
    key: String,
    found: Option<String>,
    message: String,
    hint: Option<String>,
}

#[test]
fn a_file_of_the_version_before_is_read_and_it_reads_ours() {
    for hint in [
        None,
        Some("did you mean fast?".to_owned()),
        Some("文字コードを直してください。".to_owned()),
    ] {
        let before = Before {
            position: Some((12, 8)),
            key: "queue[1].lane".into(),
            found: None,
            message: "missing: expected standard or fast".into(),
            hint: hint.clone(),
        };
        let text = serde_json::to_string(&before).expect("written");
        let read: Problem = serde_json::from_str(&text).expect("read");
        assert_eq!(read.kind, ProblemKind::Other, "its words decide nothing");
        assert_eq!(read.suggestion, hint.clone().map(Suggestion::Words));
        let said = read.in_japanese();
        assert!(said.ends_with(&before.message), "{said}");
        assert!(said.contains(hint.as_deref().unwrap_or_default()), "{said}");
    }
    let ours = node(&with("id = \"q\"", "id = \"q\"\nlane = \"Fast\"")).remove(0);
    let text = serde_json::to_string(&ours).expect("written");
    let before: Before = serde_json::from_str(&text).expect("read by the version before");
    assert_eq!(before.message, ours.message);
    assert_eq!((before.position, &before.key), (ours.position, &ours.key));
}

#[test]
fn what_a_later_version_adds_is_read_as_other() {
    let text = r#"{"position": null, "key": "", "found": null, "message": "m",
        "kind": {"of-tomorrow": 3}, "suggestion": {"of-tomorrow": "x"}, "more": 1}"#;
    let read: Problem = serde_json::from_str(text).expect("read");
    assert_eq!((read.kind, read.suggestion), (ProblemKind::Other, None));
    let text = text.replace(r#"{"of-tomorrow": 3}"#, r#""of-tomorrow""#);
    let read: Problem = serde_json::from_str(&text).expect("read");
    assert_eq!(read.kind, ProblemKind::Other);
}
