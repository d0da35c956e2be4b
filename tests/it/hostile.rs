//! Whatever anybody publishes: a board shows what a valid message said, or what it showed before.

use proptest::prelude::*;
use yobiban::board::Painter;
use yobiban::clock::Now;
use yobiban::config::{self, NodeConfig};
use yobiban::node::OfficeState;
use yobiban::state::{Delivery, HighlightView};
use yobiban::wire::feed::FeedMessage;

const CONFIG: &str = r#"
[office]
id = "chuo"
name = { ja = "中央区" }
[node]
id = "n1"
[mqtt]
url = "mqtt://127.0.0.1"
[[queue]]
id = "certificates"
name = { ja = "証明書の交付" }
[[queue]]
id = "counter"
name = { ja = "住所の異動" }
[[board]]
id = "main"
output = { kind = "none" }
[[adapter]]
topic = "old/+/state"
[[adapter.queue]]
queue = "counter"
number = "/current_number"
waiting = "/waiting_people"
"#;

const VALID: &str = r#"{"seq":7,"at":"2026-11-24T10:42:07.12+09:00","day":"2026-11-24","epoch":0,
"status":"open","waiting":12,"next":["A043","A044"],"on_hold":1,"held":["A031"],"calls":[
{"no":2,"ticket":"A042","counter":"3","at":"2026-11-24T10:42:07+09:00","kind":"call"},
{"no":1,"ticket":"A040","counter":"","at":"2026-11-24T10:41:40+09:00","kind":"recall"}],
"wait":{"low":480,"high":900}}"#;

const TOPICS: [&str; 8] = [
    "yobiban/v1/chuo/feed/certificates",
    "yobiban/v1/chuo/feed/counter",
    "yobiban/v1/chuo/feed/unknown",
    "yobiban/v1/other/feed/certificates",
    "yobiban/v1/chuo/node/n1/numbers",
    "old/xinyi/state",
    "old/x",
    "",
];

fn config() -> NodeConfig {
    config::parse_node(CONFIG, "node.toml", std::path::Path::new("/")).unwrap()
}

fn now() -> Now {
    Now::at("2026-11-24T10:42:08+09:00".parse().unwrap())
}

/// A truth that has heard one message of each source.
fn told(config: &NodeConfig) -> OfficeState {
    let mut truth = OfficeState::new(config);
    let feed = truth.apply_message(TOPICS[0], VALID.as_bytes(), Delivery::Live, now());
    let adapter = truth.apply_message(
        TOPICS[5],
        br#"{"current_number":"0379","waiting_people":3}"#,
        Delivery::Live,
        now(),
    );
    assert_eq!((feed.applied.len(), adapter.applied.len()), (1, 1));
    truth
}

/// Publishes bytes and says whether they changed what the board shows, and how many queues took them.
fn changed(topic: &str, payload: &[u8]) -> (bool, usize) {
    let config = config();
    let mut truth = told(&config);
    let painter = Painter::new(&config.office_name, &config.state, &config.boards[0]).unwrap();
    let before = truth.snapshot(now());
    let outcome = truth.apply_message(topic, payload, Delivery::Live, now());
    let mut after = truth.snapshot(now());
    let issues = std::mem::take(&mut after.issues);
    assert!(before.issues.is_empty());
    // What was refused is said in the corner, and nothing else changes. What a source said, with a
    // byte of another value, may well tell of a lost call or of numbers that are old; or of a clock
    // that is wrong, in a message that is whole and refused for its time.
    if outcome.applied.is_empty() {
        let whole = FeedMessage::decode(payload).is_ok();
        let known = |word: &&str| *word == "messages-rejected" || whole && *word == "source-clock";
        assert!(issues.iter().all(known), "{issues:?}");
    }
    let view = |s| painter.view(s, &HighlightView::default(), now());
    let changed = before.log != after.log || view(&before) != view(&after);
    (changed, outcome.applied.len())
}

#[test]
fn a_message_damaged_into_another_whole_one_is_what_its_source_said() {
    let now_nine = VALID.replace("\"seq\":7", "\"seq\":9");
    let gap = now_nine.replace("{\"no\":2,", "{\"no\":7,");
    assert_eq!(changed(TOPICS[0], gap.as_bytes()), (true, 1));
    let old = now_nine.replace("T10:42:07.12", "T10:12:07.12");
    assert_eq!(changed(TOPICS[0], old.as_bytes()), (true, 1));
    let ahead = now_nine.replace("T10:42:07.12", "T10:52:07.12");
    assert_eq!(changed(TOPICS[0], ahead.as_bytes()), (false, 0));
}

#[test]
fn a_newer_valid_message_changes_the_board() {
    let newer = VALID
        .replace("\"seq\":7", "\"seq\":8")
        .replace(":12,", ":13,");
    assert_eq!(changed(TOPICS[0], newer.as_bytes()), (true, 1));
    let adapted = br#"{"current_number":"0380","waiting_people":2}"#;
    assert_eq!(changed(TOPICS[5], adapted), (true, 1));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_bytes_on_any_topic_leave_the_board_as_it_was(
        topic in proptest::sample::select(&TOPICS[..]),
        bytes in proptest::collection::vec(any::<u8>(), 0..300),
    ) {
        prop_assert_eq!(changed(topic, &bytes), (false, 0));
    }

    #[test]
    fn a_damaged_message_is_refused_whole(
        topic in proptest::sample::select(&TOPICS[..]),
        cut in 0..VALID.len(),
        flips in proptest::collection::vec((0..VALID.len(), any::<u8>()), 1..6),
        shorten in any::<bool>(),
    ) {
        let mut bytes = VALID.replace("\"seq\":7", "\"seq\":9").into_bytes();
        if shorten {
            bytes.truncate(cut);
        }
        let len = bytes.len();
        for (at, byte) in flips {
            if len > 0 {
                bytes[at % len] = byte;
            }
        }
        // A flip may leave a message whole, with another number in it: then a source said so.
        let (changed, applied) = changed(topic, &bytes);
        if FeedMessage::decode(&bytes).is_err() {
            prop_assert_eq!((changed, applied), (false, 0));
        } else {
            prop_assert!(applied > 0 || !changed);
        }
    }

    #[test]
    fn any_json_of_an_adapter_s_shape_is_a_state_or_nothing(
        number in "[0-9A-Za-z\\PC]{0,16}",
        waiting in prop_oneof![any::<i64>().prop_map(|n| n.to_string()), Just("null".to_owned()), Just("{}".to_owned())],
    ) {
        let payload = serde_json::json!({"current_number": number}).to_string();
        let payload = payload.replace('}', &format!(",\"waiting_people\":{waiting}}}"));
        let (changed, applied) = changed(TOPICS[5], payload.as_bytes());
        prop_assert!(applied > 0 || !changed);
    }
}

/// What is wrong, by subject.
fn refused(truth: &mut OfficeState) -> Vec<(String, String)> {
    let issues = truth.issues().iter();
    issues
        .map(|i| (i.subject.clone(), i.text.clone()))
        .collect()
}

#[test]
fn three_queues_of_one_adapter_are_refused_each_for_its_own_reason() {
    let mut text = CONFIG.replace("/current_number", "/b/now");
    for id in ["a", "c"] {
        text = text.replace(
            "[[board]]",
            &format!("[[queue]]\nid = \"{id}\"\nname = {{ ja = \"{id}\" }}\n[[board]]"),
        ) + &format!("[[adapter.queue]]\nqueue = \"{id}\"\nnumber = \"/{id}/now\"\n");
    }
    let text = text
        + "[[adapter]]\ntopic = \"old/#\"\n[[adapter.queue]]\nqueue = \"certificates\"\nnumber = \"/now\"\n";
    let config = config::parse_node(&text, "node.toml", std::path::Path::new("/")).unwrap();
    let mut truth = OfficeState::new(&config);
    let payload = r#"{"a":{"now":[]},"b":{"now":"山田太郎"},"waiting_people":1}"#;
    truth.apply_message("old/x/state", payload.as_bytes(), Delivery::Live, now());
    let told = refused(&mut truth);
    let about: Vec<&str> = told.iter().map(|(about, _)| about.as_str()).collect();
    assert_eq!(about, ["a", "c", "certificates", "counter"], "{told:?}");
    assert!(!format!("{told:?}").contains("山田"), "{told:?}");
    truth.apply_message("old/x/state", b"{", Delivery::Live, now());
    let about: Vec<String> = refused(&mut truth)
        .into_iter()
        .map(|(about, _)| about)
        .collect();
    assert!(
        about.contains(&"old/+/state".to_owned()) && about.contains(&"old/#".to_owned()),
        "{about:?}"
    );
}

#[test]
fn a_name_in_the_feed_of_a_queue_with_a_pattern_is_told_by_its_length() {
    let text = CONFIG.replacen("[[board]]", "pattern = \"[A-Z][0-9]{3}\"\n[[board]]", 1);
    let config = config::parse_node(&text, "node.toml", std::path::Path::new("/")).unwrap();
    let mut truth = OfficeState::new(&config);
    let topic = "yobiban/v1/chuo/feed/counter";
    let named = VALID.replace("A043", "山田太郎");
    let outcome = truth.apply_message(topic, named.as_bytes(), Delivery::Live, now());
    assert!(outcome.applied.is_empty());
    let told = format!("{:?}", refused(&mut truth));
    assert!(
        told.contains("4 characters") && !told.contains("山田"),
        "{told}"
    );
    let outcome = truth.apply_message(topic, VALID.as_bytes(), Delivery::Live, now());
    assert_eq!(outcome.applied.len(), 1);
}
