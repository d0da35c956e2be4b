//! Rules against messages: what is found, what is unknown, and that no error holds a value.

use super::*;
use crate::model::{Pattern, Status};
use crate::source::fixtures::{at, rule, zone};
use crate::source::observation::{Content, Observation, Seen};
use proptest::prelude::*;
use serde_json::{Value, json};

fn read(toml: &str, message: &Value) -> Reading {
    rule(toml).read(message, Seen::Live, 1, &zone(), at(0.0).wall)
}

fn found(toml: &str, message: &Value) -> Observation {
    let reading = read(toml, message);
    assert_eq!((reading.problems, reading.hidden), (vec![], 0));
    reading.observation.unwrap()
}

fn tickets(observation: &Observation) -> Vec<String> {
    let (Content::List(entries)
    | Content::Keyed(entries)
    | Content::Current {
        served: entries, ..
    }) = &observation.content
    else {
        panic!("{observation:?}");
    };
    entries.iter().map(|e| e.ticket.to_string()).collect()
}

const LIST: &str = r#"
    queue = "a"
    shape = "calls"
    calls = "$.calls[*]"
    ticket = { path = "/t", take = '^(?:\d+\. )?([A-Z]+ ?\d+)' }
    counter = { path = "/c", none = ["0"] }
    waiting = { path = "/w", none = ["?"] }
    status = { path = "/s", map = { auf = "open", zu = "closed", "1" = "paused" } }
    on_hold = { count = "$.held[?@.here==true]" }
    next = "/next"
    none = ["Empty"]
"#;

#[test]
fn fields_are_found_cut_and_translated() {
    let message = json!({"calls": [{"t": "1. A 102", "c": 3}, {"t": "Ｂ７", "c": "0"}, {"t": "Empty"}, {"t": null}],
        "w": "待ち１２人", "s": 1, "held": [{"here": true}, {"here": false}, {"here": true}], "next": ["C1", "Empty", 42.0]});
    let observation = found(LIST, &message);
    assert_eq!(tickets(&observation), ["A 102", "B7"]);
    let facts = &observation.facts;
    assert_eq!((facts.waiting, facts.on_hold), (Some(12), Some(2)));
    assert_eq!(facts.status, Some(Status::Paused));
    let next: Vec<_> = facts.next.iter().flatten().map(|l| l.to_string()).collect();
    assert_eq!(next, ["C1", "42"]);
    let Content::List(entries) = &observation.content else {
        panic!("{observation:?}");
    };
    assert_eq!(entries[0].counter.as_ref().unwrap().as_str(), "3");
    assert_eq!(entries[1].counter, None);
}

#[test]
fn null_and_what_is_missing_is_unknown_and_refuses_nothing() {
    let message = json!({"calls": [{"t": "A1"}], "w": null, "s": null});
    let observation = found(LIST, &message);
    assert_eq!(tickets(&observation), ["A1"]);
    assert_eq!(
        (observation.facts.waiting, observation.facts.status),
        (None, None)
    );
    assert_eq!(observation.facts.on_hold, Some(0));
    // An unknown list is not an empty one.
    assert_eq!(observation.facts.next, None);
}

#[test]
fn a_field_that_fails_spoils_itself_and_a_name_is_nowhere() {
    let name = "山田 花子 1990";
    let message = json!({"calls": [{"t": "A1", "c": 3}, {"t": name, "c": "4"}, {"t": {"name": name}, "c": 5}, {"t": "A2", "c": format!("{name}{name}")}],
        "w": name, "s": name, "next": [name, "A3"]});
    let reading = read(LIST, &message);
    let observation = reading.observation.unwrap();
    assert_eq!(tickets(&observation), ["A1", "A2"]);
    assert_eq!(observation.facts.waiting, None);
    assert_eq!(observation.facts.status, None);
    assert_eq!(observation.facts.next.as_ref().map(Vec::len), Some(1));
    assert_eq!(reading.hidden, 3);
    let told: Vec<String> = reading.problems.iter().map(|p| p.to_string()).collect();
    assert_eq!(told.len(), 6, "{told:?}");
    for told in &told {
        assert!(
            told.contains("found") && told.contains("expected"),
            "{told}"
        );
        assert!(!told.contains('山') && !told.contains("1990"), "{told}");
    }
    assert!(told[0].contains("a text of 10 characters"), "{told:?}");
}

#[test]
fn a_label_must_look_like_a_ticket_of_the_queue() {
    let toml = "queue = \"a\"\nshape = \"current\"\nticket = \"/n\"";
    for (value, shown) in [
        ("A042", true),
        ("M1 008", true),
        ("Yamada", false),
        ("090-1234-5678", false),
    ] {
        let reading = read(toml, &json!({"n": value}));
        assert_eq!(
            (reading.observation.is_some(), reading.hidden),
            (shown, u32::from(!shown)),
            "{value}"
        );
    }
    let raw: RawQueueRule = toml::from_str(toml).unwrap();
    let own = compile(&raw, Some(Pattern::new("国保[0-9]{3}").unwrap())).unwrap();
    let read = |text: &str| own.read(&json!({"n": text}), Seen::Live, 1, &zone(), at(0.0).wall);
    assert!(read("国保０１２").observation.is_some());
    assert!(read("A042").observation.is_none());
}

#[test]
fn a_message_of_another_rule_is_skipped_and_no_problem() {
    let toml = r#"
        queue = "a"
        shape = "event"
        ticket = "/n"
        when = [{ path = "/p", in = [6, "7"] }, { path = "/message", absent = true }, { path = "/kind", matches = "^call" }]
    "#;
    for (message, is_of_rule) in [
        (json!({"p": 6, "kind": "call", "n": "A1"}), true),
        (
            json!({"p": "7", "kind": "call again", "message": null, "n": "A1"}),
            true,
        ),
        (json!({"p": 8, "kind": "call", "n": "A1"}), false),
        (
            json!({"p": 6, "kind": "call", "message": "update_visit", "n": "A1"}),
            false,
        ),
        (json!({"p": 6, "kind": "recall", "n": "A1"}), false),
        (json!({"message": "update_visit"}), false),
        (json!("update visit"), false),
        (json!([]), false),
    ] {
        let reading = read(toml, &message);
        assert_eq!(reading.observation.is_some(), is_of_rule, "{message}");
        assert_eq!(reading.problems, []);
    }
}

#[test]
fn a_number_a_counter_and_elements_of_xml_are_read() {
    let numbers = r#"
        queue = "a"
        shape = "current"
        numbers = [
            { ticket = "/loket1", counter = { text = "1" } },
            { ticket = "/loket2", counter = { text = 2 } },
            { ticket = "/loket3", counter = { text = 3 } },
        ]
    "#;
    let observation = found(numbers, &json!({"loket1": 5, "loket2": 3, "loket3": "-"}));
    assert_eq!(tickets(&observation), ["5", "3"]);
    let Content::Current {
        empty, many: true, ..
    } = &observation.content
    else {
        panic!("{observation:?}");
    };
    assert_eq!(empty[0].as_ref().unwrap().as_str(), "3");
    let xml = r#"
        queue = "a"
        shape = "calls"
        calls = "/status/call"
        order = "oldest-first"
        id = "/@no"
        ticket = "/ticket"
        at = { path = "/@at", of_message = false }
        waiting = "/status/waiting"
    "#;
    let text = b"<status><call no='1' at='09:58'><ticket>A1</ticket></call><call no='2' at='09:59'><ticket>A2</ticket></call><waiting>4</waiting></status>";
    let tree = crate::source::tree::parse(text, &crate::source::tree::Format::Xml).unwrap();
    let observation = found(xml, &tree);
    assert_eq!(tickets(&observation), ["A2", "A1"]);
    assert_eq!(observation.facts.waiting, Some(4));
}

#[test]
fn a_whole_state_is_the_message_of_the_contract() {
    let toml = "queue = \"a\"\nshape = \"state\"\nstate = \"/data\"";
    let message = json!({"data": {"seq": 1, "at": "2026-11-24T10:00:00+09:00", "day": "2026-11-24",
        "status": "open", "waiting": 3, "on_hold": 0, "next": ["A2"],
        "calls": [{"no": 1, "ticket": "A1", "counter": "", "at": "2026-11-24T09:59:00+09:00", "kind": "call"}]}});
    assert_eq!(tickets(&found(toml, &message)), ["A1"]);
    let mut wrong = message;
    wrong["data"]["calls"][0]["ticket"] = json!("山田太郎山田太郎山田太郎");
    let reading = read(toml, &wrong);
    assert_eq!(
        (reading.observation.is_none(), reading.problems.len()),
        (false, 0)
    );
    wrong["data"]["status"] = json!("山田");
    let told = read(toml, &wrong).problems[0].to_string();
    assert!(told.contains("status") && !told.contains('山'), "{told}");
}

#[test]
fn everything_that_is_wrong_with_a_rule_is_told_with_its_key() {
    let check = |toml: &str| {
        let raw: RawQueueRule = toml::from_str(toml).unwrap();
        let problems = compile(&raw, None).unwrap_err();
        problems
            .iter()
            .map(|p| p.to_string())
            .collect::<Vec<_>>()
            .join("\n")
    };
    for (toml, told) in [
        ("", "queue: missing"),
        (
            "queue = \"A B\"\nshape = \"event\"\nticket = \"/n\"",
            "queue: ",
        ),
        (
            "queue = \"a\"\nshape = \"list\"",
            "shape: \"list\": expected state, calls, current or event",
        ),
        ("queue = \"a\"\nshape = \"event\"", "ticket: missing"),
        ("queue = \"a\"\nshape = \"calls\"", "calls: missing"),
        (
            "queue = \"a\"\nshape = \"calls\"\ncalls = []",
            "calls: expected at least one path",
        ),
        (
            "queue = \"a\"\nshape = \"calls\"\ncalls = \"list\"",
            "calls: \"list\": expected a JSON Pointer",
        ),
        (
            "queue = \"a\"\nshape = \"event\"\nticket = { path = \"/n\", take = \"(\" }",
            "ticket.take: \"(\": not a regular expression",
        ),
        (
            "queue = \"a\"\nshape = \"event\"\nticket = { path = \"/n\", count = \"/m\" }",
            "ticket: expected one of path",
        ),
        (
            "queue = \"a\"\nshape = \"event\"\nticket = \"/n\"\ncounter = { from = \"x\" }",
            "counter.from: \"x\": expected ticket or counter",
        ),
        (
            "queue = \"a\"\nshape = \"event\"\nticket = \"/n\"\nat = { path = \"/a\", zone = \"Mars\" }",
            "at.zone: \"Mars\": expected a time zone",
        ),
        (
            "queue = \"a\"\nshape = \"event\"\nticket = \"/n\"\nat = { path = \"/a\", format = \"soon\" }",
            "at.format: \"soon\": expected",
        ),
        (
            "queue = \"a\"\nshape = \"event\"\nticket = \"/n\"\nkind = { path = \"/k\", map = { a = \"b\" } }",
            "kind.map: \"b\": expected one of issue, call",
        ),
        (
            "queue = \"a\"\nshape = \"event\"\nticket = \"/n\"\nrange = [300, 1]",
            "range: \"[300, 1]\": expected the first and the last",
        ),
        (
            "queue = \"a\"\nshape = \"current\"\nticket = \"/n\"\nrange = [1, 300]",
            "range: expected only with shape event",
        ),
        (
            "queue = \"a\"\nshape = \"current\"\nticket = \"/n\"\nwhen = { path = \"/k\" }",
            "when: expected one of equals",
        ),
        (
            "queue = \"a\"\nshape = \"current\"\nnumbers = [{ counter = { text = 1 } }]",
            "numbers[0].ticket: missing",
        ),
    ] {
        let found = check(toml);
        assert!(found.contains(told), "{toml}\n{found}");
    }
    for unknown in [
        "tickets = 1",
        "ticket = { pth = \"/n\" }",
        "when = { path = \"/n\", is = 1 }",
    ] {
        let error = toml::from_str::<RawQueueRule>(unknown)
            .unwrap_err()
            .to_string();
        assert!(error.contains("unknown field"), "{error}");
    }
}

proptest! {
    #[test]
    fn any_message_is_read_without_a_value_in_its_problems(
        texts in proptest::collection::vec("[A-Z]{2}秘密[a-z0-9]{0,20}", 4), n in any::<i64>(), deep in any::<bool>()
    ) {
        let odd = if deep { json!({"x": texts[0]}) } else { json!([texts[0], n]) };
        let message = json!({"calls": [{"t": texts[0], "c": texts[1]}, {"t": odd, "c": odd}, texts[2]],
            "w": texts[1], "s": odd, "next": [texts[3], odd]});
        let reading = read(LIST, &message);
        for problem in &reading.problems {
            prop_assert!(!problem.to_string().contains("秘密"), "{}", problem);
        }
        prop_assert!(reading.problems.len() <= 8);
    }
}
