//! Foreign messages in, states out.

use super::*;
use crate::config::AdapterSelect;
use crate::model::QueueState;

fn rule() -> AdapterRule {
    AdapterRule {
        queue: QueueId::new("certificates").unwrap(),
        select: vec![
            AdapterSelect {
                list: "/offices".into(),
                key: "/name".into(),
                equals: "Xinyi".into(),
            },
            AdapterSelect {
                list: "/counters".into(),
                key: "/counter".into(),
                equals: "1".into(),
            },
        ],
        number: "/current_number".into(),
        waiting: Some("/waiting_people".into()),
        on_hold: None,
        counter: Some("/counter".into()),
        counter_text: None,
        at: None,
        prefix: "A".into(),
        digits: Some(3),
        none: vec!["0000".into()],
        pattern: None,
    }
}

fn settings() -> Settings {
    Settings::new(Vec::new())
}

fn adapter() -> Adapter {
    let config = AdapterConfig {
        topic: "taipei/+/counters".into(),
        rules: vec![rule()],
    };
    Adapter::new(config, &settings())
}

fn message(number: &str, waiting: &str) -> String {
    format!(
        r#"{{"offices":[{{"name":"Daan","counters":[]}},{{"name":"Xinyi","counters":[
        {{"counter":"2","current_number":"9","waiting_people":9}},
        {{"counter":1,"current_number":{number},"waiting_people":{waiting}}}]}}]}}"#
    )
}

fn now(second: u64) -> Now {
    let start = "2026-11-24T10:00:00+09:00".parse::<Timestamp>().unwrap();
    Now::at(start + Duration::from_secs(second))
}

/// Counters that each tell their own number on a topic of their own.
struct Hall(Adapter);

impl Hall {
    fn new() -> Self {
        Self::at("hall/+/now")
    }

    fn at(topic: &str) -> Self {
        let rule = AdapterRule {
            select: vec![],
            number: "/now".into(),
            waiting: None,
            digits: None,
            prefix: String::new(),
            ..rule()
        };
        let config = AdapterConfig {
            topic: topic.into(),
            rules: vec![rule],
        };
        let mut adapter = Adapter::new(config, &settings());
        adapter.set_connected(true, now(0));
        Self(adapter)
    }

    /// A node that starts again with what it kept.
    fn again(kept: SavedQueue, second: u64) -> Self {
        let mut hall = Self::at("hall/1/now");
        hall.0.restore(&[kept]);
        hall.0.set_connected(false, now(0));
        hall.0.set_connected(true, now(second));
        hall
    }

    fn hear(&mut self, topic: &str, delivery: Delivery, second: u64, number: &str) -> QueueState {
        let payload = format!(r#"{{"now":"{number}","counter":"{}"}}"#, &topic[5..6]);
        let mapped = self.0.map(topic, payload.as_bytes(), delivery, now(second));
        mapped.into_iter().next().unwrap().unwrap().state
    }

    /// What counter 1 says, and what is made of it: calls, newest first, and what stands there.
    fn one(&mut self, delivery: Delivery, second: u64, number: &str) -> String {
        let state = self.hear("hall/1/now", delivery, second, number);
        said(&state)
    }
}

fn said(state: &QueueState) -> String {
    let calls = state.calls.iter();
    let mut all: Vec<String> = calls
        .map(|c| format!("{} {} {}", c.no, c.ticket, c.kind.as_str()))
        .collect();
    let standing = state.now_serving.as_ref();
    all.extend(standing.map(|s| format!("now serving {}", s.ticket)));
    all.join(", ")
}

use Delivery::{Live, Retained};

#[test]
fn calls_come_from_the_change_of_number() {
    let mut adapter = adapter();
    let mut step = |second, number: &str| {
        let payload = message(number, "3");
        let mapped = adapter.map("taipei/x/counters", payload.as_bytes(), Live, now(second));
        let state = mapped.into_iter().next().unwrap().unwrap().state;
        assert_eq!(state.waiting, Some(3));
        said(&state)
    };
    assert_eq!(step(0, "\"0000\""), "");
    assert_eq!(step(5, "\"0379\""), "1 A379 call");
    assert_eq!(step(6, "\"0379\""), "1 A379 call");
    assert_eq!(step(9, "380"), "2 A380 call, 1 A379 call");
    assert_eq!(step(12, "379"), "3 A379 recall, 2 A380 call, 1 A379 call");
    assert_eq!(step(86_400, "1"), "1 A001 call", "a new day counts anew");
}

#[test]
fn the_number_found_at_the_start_has_no_time_and_is_no_call() {
    let mut adapter = adapter();
    let payload = message("\"0379\"", "\"4\"");
    let mapped = adapter.map("taipei/x/counters", payload.as_bytes(), Live, now(0));
    let state = mapped.into_iter().next().unwrap().unwrap().state;
    assert_eq!(state.waiting, Some(4), "digits as text are a count");
    assert_eq!(said(&state), "now serving A379");
    assert_eq!(state.epoch, 10 * 3600);
}

#[test]
fn what_a_broker_had_kept_is_of_unknown_age_and_no_call() {
    let mut hall = Hall::new();
    assert_eq!(hall.one(Retained, 0, "42"), "now serving 42");
    assert_eq!(hall.one(Live, 5, "42"), "now serving 42", "a repetition");
    assert_eq!(hall.one(Live, 9, "43"), "1 43 call");
    // The line was down for long; meanwhile somebody was called.
    hall.0.set_connected(false, now(20));
    hall.0.set_connected(true, now(700));
    let payload = r#"{"now":"57","counter":"1"}"#.as_bytes();
    let mapped = hall
        .0
        .map("hall/1/now", payload, Retained, now(700))
        .remove(0)
        .unwrap();
    assert_eq!(said(&mapped.state), "1 43 call, now serving 57");
    assert!(!mapped.arrival.timed && mapped.arrival.delivery == Retained);
    assert_eq!(hall.one(Live, 730, "57"), "1 43 call, now serving 57");
    assert_eq!(hall.one(Live, 790, "58"), "2 58 call, 1 43 call");
}

#[test]
fn a_number_that_came_during_an_outage_is_no_call_unless_it_is_new() {
    for (back, expected) in [
        (15, "2 44 call, 1 43 call"),
        (700, "1 43 call, now serving 44"),
    ] {
        let mut hall = Hall::new();
        hall.one(Live, 0, "42");
        hall.one(Live, 9, "43");
        hall.0.set_connected(false, now(10));
        hall.0.set_connected(true, now(back));
        assert_eq!(hall.one(Live, back, "44"), expected, "away until {back}");
    }
    // One that repeats itself and was silent was away, too; one that speaks up when something
    // changes was not.
    let mut hall = Hall::new();
    for second in 0..10 {
        hall.one(Live, second * 30, "42");
    }
    assert_eq!(hall.one(Live, 3000, "50"), "now serving 50");
    let mut hall = Hall::new();
    hall.one(Live, 0, "42");
    assert_eq!(hall.one(Live, 3000, "43"), "1 43 call");
}

#[test]
fn the_number_that_still_stands_after_midnight_is_no_call_of_the_new_day() {
    let mut hall = Hall::new();
    hall.one(Live, 0, "41");
    for second in (60..14 * 3600).step_by(60) {
        hall.one(Live, second, "42");
    }
    let midnight = 14 * 3600;
    let state = hall.hear("hall/1/now", Live, midnight + 3, "42");
    assert_eq!(state.day.to_string(), "2026-11-25");
    assert_eq!(said(&state), "now serving 42");
    assert_eq!(hall.one(Live, midnight + 60, "42"), "now serving 42");
    assert_eq!(hall.one(Live, midnight + 120, "43"), "1 43 call");
    // Silent through the night, and then what stood there in the evening.
    let morning = midnight + 24 * 3600 + 8 * 3600;
    assert_eq!(hall.one(Live, morning, "43"), "now serving 43");
}

#[test]
fn counters_that_repeat_their_own_numbers_recall_nobody() {
    let mut hall = Hall::new();
    let mut newest = 0;
    for second in (0..600).step_by(5) {
        for (counter, number) in [(1, 17), (2, 18), (3, if second < 300 { 19 } else { 20 })] {
            let topic = format!("hall/{counter}/now");
            let state = hall.hear(&topic, Live, second, &number.to_string());
            newest = newest.max(state.calls.first().map_or(0, |c| c.no));
            assert!(state.calls.len() <= 1, "{state:?}");
        }
    }
    assert_eq!(newest, 1, "only 20 was called");
}

#[test]
fn a_flood_of_topics_takes_no_counter_its_memory_for_ever() {
    let mut hall = Hall::new();
    hall.one(Live, 0, "1");
    for n in 0..1000 {
        hall.hear(&format!("hall/{n:03}x/now"), Live, 1, "999");
    }
    hall.one(Live, 2, "1");
    let after = hall.hear("hall/1/now", Live, 5, "2");
    assert_eq!(after.calls.first().map(|c| c.ticket.as_str()), Some("2"));
}

#[test]
fn a_node_that_starts_again_goes_on_where_it_was() {
    let mut hall = Hall::new();
    hall.one(Live, 0, "42");
    let state = hall.hear("hall/1/now", Live, 9, "43");
    let kept = |state: &QueueState| SavedQueue {
        queue: rule().queue,
        state: state.clone(),
        epoch: state.epoch,
        source: Source::Adapter,
        last_no: 1,
        dated: true,
    };
    let start = |second| Hall::again(kept(&state), second);
    let mut again = start(30);
    assert_eq!(
        again.one(Retained, 30, "43"),
        "1 43 call",
        "known to be that call"
    );
    let mut shortly = start(30);
    assert_eq!(shortly.one(Live, 30, "44"), "2 44 call, 1 43 call");
    let mut late = start(900);
    assert_eq!(late.one(Live, 900, "44"), "1 43 call, now serving 44");
    let mut next = start(900);
    let state = next.hear("hall/1/now", Live, 900, "43");
    assert!(state.epoch > 10 * 3600 && state.seq > 0, "{state:?}");
}

#[test]
fn a_forgotten_retained_message_recalls_nobody_and_takes_no_number_s_place() {
    // Somebody tried the topic with `retain` once; the system itself publishes without.
    let mut hall = Hall::new();
    assert_eq!(hall.one(Retained, 0, "7"), "now serving 7");
    hall.one(Live, 5, "42");
    let state = hall.hear("hall/1/now", Live, 9, "43");
    let calls = said(&state);
    for back in [30, 60, 300] {
        hall.0.set_connected(false, now(back - 1));
        hall.0.set_connected(true, now(back));
        let payload = r#"{"now":"7","counter":"1"}"#.as_bytes();
        let copies = hall.0.map("hall/1/now", payload, Retained, now(back));
        assert!(copies.is_empty(), "known to be older than what came since");
        assert_eq!(hall.one(Live, back + 5, "43"), calls, "away until {back}");
    }
    // A node that starts again knows what stood there before.
    let kept = SavedQueue {
        queue: rule().queue,
        last_no: state.calls[0].no,
        epoch: state.epoch,
        source: Source::Adapter,
        dated: true,
        state,
    };
    let mut again = Hall::again(kept, 30);
    again.one(Retained, 30, "7");
    assert_eq!(again.one(Live, 35, "43"), calls);
    let next = again.one(Live, 50, "44");
    assert_eq!(next.split(',').next(), Some("3 44 call"), "{next}");
}

#[test]
fn a_day_that_begins_while_the_node_runs_has_a_series_of_its_own() {
    // The clock is a day ahead for a moment: the day's first calls are not counted again in the
    // series that they had.
    let mut hall = Hall::new();
    hall.one(Live, 0, "41");
    let midnight = 14 * 3600;
    hall.hear("hall/1/now", Live, midnight + 3, "41");
    let first = hall.hear("hall/1/now", Live, midnight + 20, "42");
    hall.hear("hall/1/now", Live, midnight + 26 * 3600, "42");
    hall.hear("hall/1/now", Live, midnight + 60, "42");
    let after = hall.hear("hall/1/now", Live, midnight + 90, "43");
    assert_eq!((first.calls[0].no, after.calls[0].no), (1, 1));
    assert!(after.epoch > first.epoch, "{first:?} {after:?}");
}

#[test]
fn one_time_of_another_year_hides_no_number_while_the_clock_is_unknown() {
    let mut rule = rule();
    rule.select.clear();
    rule.at = Some("/at".into());
    let config = AdapterConfig {
        topic: "a".into(),
        rules: vec![rule],
    };
    let mut adapter = Adapter::new(config, &settings());
    let mut hear = |number: u32, at: &str| {
        let message =
            format!(r#"{{"current_number":{number},"waiting_people":1,"counter":1,"at":"{at}"}}"#);
        let unset = Now {
            wall: Timestamp::UNIX_EPOCH,
            synced: false,
            ..now(0)
        };
        let mapped = adapter.map("a", message.as_bytes(), Live, unset).remove(0);
        said(&mapped.unwrap().state)
    };
    hear(7, "2026-11-24T10:00:00+09:00");
    hear(9, "2052-11-24T10:00:10+09:00");
    hear(8, "2026-11-24T10:00:20+09:00");
    assert_eq!(
        hear(9, "2026-11-24T10:00:30+09:00"),
        "2 A009 call, 1 A008 call"
    );
}

#[test]
fn a_count_at_its_end_stops_no_node() {
    let mut hall = Hall::new();
    let state = hall.hear("hall/1/now", Live, 0, "42");
    let kept = SavedQueue {
        queue: rule().queue,
        state,
        epoch: u32::MAX,
        source: Source::Adapter,
        last_no: u64::MAX,
        dated: true,
    };
    let mut again = Hall::again(kept, 30);
    assert!(again.one(Live, 30, "43").ends_with("43 call"));
}

#[test]
fn a_clock_that_was_ahead_leaves_no_call_of_the_future_behind() {
    let mut hall = Hall::new();
    hall.one(Live, 7200, "42");
    assert_eq!(hall.one(Live, 7230, "43"), "1 43 call");
    let back = hall.hear("hall/1/now", Live, 60, "43");
    assert!(
        back.calls.iter().all(|c| c.at <= now(60 + 120).wall),
        "{back:?}"
    );
}

#[test]
fn a_system_that_does_not_tell_how_many_wait_is_still_shown() {
    let mut hall = Hall::new();
    let state = hall.hear("hall/1/now", Live, 0, "42");
    assert_eq!(state.waiting, None);
    let mut adapter = adapter();
    let payload = message("42", "null");
    let mapped = adapter.map("taipei/x/counters", payload.as_bytes(), Live, now(0));
    let state = mapped.into_iter().next().unwrap().unwrap().state;
    assert_eq!(state.waiting, None);
}

#[test]
fn wrong_messages_say_where_and_change_nothing() {
    let mut adapter = adapter();
    let mut problem = |payload: &str| {
        adapter
            .map("taipei/x/counters", payload.as_bytes(), Live, now(0))
            .remove(0)
            .expect_err(payload)
            .to_string()
    };
    assert!(problem("{").starts_with("no JSON"));
    assert_eq!(problem("{}"), "queue certificates: nothing at /offices");
    assert_eq!(
        problem(r#"{"offices":3}"#),
        "queue certificates: at /offices: found 3, expected a list"
    );
    assert_eq!(
        problem(r#"{"offices":[]}"#),
        "queue certificates: nothing at /offices[/name = \"Xinyi\"]"
    );
    assert_eq!(
        problem(&message("\"0379\"", "-3")),
        "queue certificates: at /waiting_people: found -3, expected a count"
    );
    assert_eq!(
        problem(&message("\"0379\"", "[1, 2]")),
        "queue certificates: at /waiting_people: found a list of 2, expected a count (the length of a list is not read)"
    );
    assert_eq!(
        problem(&message("[1]", "3")),
        "queue certificates: at /current_number: found a list of 1, expected a number or a text"
    );
    assert_eq!(
        problem(&message("\"1234567890123\"", "3")),
        "queue certificates: at /current_number: found a text of 13 characters, expected a label of 1 to 12 characters (label of 13 characters: expected at most 12)"
    );
}

#[test]
fn a_message_of_another_time_is_handed_on_to_be_refused_and_changes_no_count() {
    let mut rule = rule();
    rule.select.clear();
    rule.at = Some("/at".into());
    let config = AdapterConfig {
        topic: "a".into(),
        rules: vec![rule],
    };
    let mut adapter = Adapter::new(config, &settings());
    let mut step = |second, number: u32, at: &str| {
        let message =
            format!(r#"{{"current_number":{number},"waiting_people":1,"counter":1,"at":"{at}"}}"#);
        let mapped = adapter
            .map("a", message.as_bytes(), Live, now(second))
            .remove(0);
        mapped.unwrap().state
    };
    step(0, 7, "2026-11-24T10:00:00+09:00");
    let first = step(4, 8, "2026-11-24T10:00:04+09:00");
    for off in [
        "2052-11-24T10:00:00+09:00",
        "1013-11-24T10:00:00+09:00",
        "2026-11-23T23:00:00+09:00",
        "2026-11-24T10:03:00+09:00",
    ] {
        let state = step(5, 9, off);
        assert_eq!(state.at, off.parse::<Timestamp>().unwrap());
        assert!(state.calls.is_empty(), "{state:?}");
    }
    let next = step(9, 9, "2026-11-24T10:00:09+09:00");
    assert_eq!(next.epoch, first.epoch);
    assert_eq!(said(&next), "2 A009 call, 1 A008 call", "the count goes on");
}

#[test]
fn topics_match_as_mqtt_says() {
    let takes = |filter: &str, name: &str| {
        let config = AdapterConfig {
            topic: filter.into(),
            rules: vec![],
        };
        Adapter::new(config, &settings()).takes(name)
    };
    assert!(takes("taipei/+/counters", "taipei/xinyi/counters"));
    assert!(!takes("taipei/+/counters", "taipei/xinyi/other"));
    assert!(!takes("taipei/+", "taipei/xinyi/counters"));
    assert!(!takes("taipei/+/counters", "taipei/xinyi"));
    // What a broker says of itself is no number (MQTT 3.1.1, 4.7.2).
    assert!(!takes("#", "$SYS/broker/uptime"));
    assert!(!takes("+/broker/uptime", "$SYS/broker/uptime"));
    assert!(takes("taipei/#", "taipei/xinyi/counters"));
    assert!(takes("#", "anything"));
}

/// What a rule without selection makes of one message.
fn read(change: impl Fn(&mut AdapterRule), payload: &str) -> Result<QueueState, String> {
    let mut rule = AdapterRule {
        select: vec![],
        number: "/now".into(),
        waiting: Some("/waiting".into()),
        counter: None,
        digits: None,
        prefix: String::new(),
        ..rule()
    };
    change(&mut rule);
    let config = AdapterConfig {
        topic: "hall".into(),
        rules: vec![rule],
    };
    let mut adapter = Adapter::new(config, &settings());
    adapter.set_connected(true, now(0));
    let mapped = adapter.map("hall", payload.as_bytes(), Live, now(0));
    let mapped = mapped.into_iter().next().unwrap();
    mapped.map(|m| m.state).map_err(|e| e.to_string())
}

#[test]
fn numbers_and_counts_are_read_as_other_systems_write_them() {
    let number = |value: &str| {
        let state = read(|_| {}, &format!(r#"{{"now":{value},"waiting":3}}"#)).unwrap();
        said(&state)
    };
    for same in [
        "42",
        "42.0",
        r#""42""#,
        r#""４２""#,
        r#"" 42\u3000""#,
        r#""\ufeff42""#,
        r#""42.0""#,
    ] {
        assert_eq!(number(same), "now serving 42", "{same}");
    }
    for none in [
        "null",
        r#""""#,
        r#""\u3000""#,
        r#""００００""#,
        "\"0000\"",
        r#""-""#,
        r#""---""#,
        r#""－""#,
    ] {
        assert_eq!(number(none), "", "{none}");
    }
    let waiting = |value: &str| {
        let state = read(|_| {}, &format!(r#"{{"now":42,"waiting":{value}}}"#));
        state.map(|s| s.waiting)
    };
    for three in [
        "3",
        "3.0",
        r#""3""#,
        r#""3人""#,
        r#""３""#,
        r#""３人""#,
        r#""3.0""#,
        r#"" 3 名 ""#,
        r#""3人待ち""#,
        r#""待ち３人""#,
    ] {
        assert_eq!(waiting(three), Ok(Some(3)), "{three}");
    }
    for wrong in [
        "3.5",
        "-1",
        "1e300",
        r#""3.5""#,
        r#""three""#,
        r#""3人4""#,
        r#""人""#,
        "[3]",
        "true",
    ] {
        assert!(waiting(wrong).is_err(), "{wrong}");
    }
    for unknown in ["null", r#""""#, r#"" ""#, r#""-""#, r#""--""#, r#""―""#] {
        assert_eq!(waiting(unknown), Ok(None), "{unknown}");
    }
    assert!(read(|_| {}, r#"{"now":42.5,"waiting":3}"#).is_err());
}

#[test]
fn times_are_read_as_other_systems_write_them() {
    let at = |value: &str| {
        let timed = |rule: &mut AdapterRule| rule.at = Some("/at".into());
        let state = read(timed, &format!(r#"{{"now":42,"waiting":3,"at":{value}}}"#));
        state.map(|s| s.at.to_string())
    };
    for same in [
        "1795482005",
        "1795482005.0",
        "1795482005000",
        "1795482005000000",
        "1795482005000000000",
        r#""1795482005""#,
        r#""1795482005000""#,
        r#""2026-11-24T01:00:05Z""#,
        r#""2026-11-24T10:00:05+09:00""#,
        r#""2026-11-24T10:00:05+0900""#,
        r#""2026-11-24 10:00:05 +0900""#,
        r#""2026/11/24 10:00:05 +09:00""#,
        r#""2026/11/24 10:00:05""#,
        r#""2026-11-24T10:00:05""#,
        r#""2026-11-24 10:00:05.000""#,
        r#""２０２６／１１／２４　１０：００：０５""#,
        r#""2026-11-24T10:00:05+09:00[Asia/Tokyo]""#,
        r#""Tue, 24 Nov 2026 10:00:05 +0900""#,
    ] {
        assert_eq!(at(same).as_deref(), Ok("2026-11-24T01:00:05Z"), "{same}");
    }
    assert_eq!(
        at("1795482005.25").as_deref(),
        Ok("2026-11-24T01:00:05.25Z")
    );
    assert_eq!(
        at(r#""2026/11/9 9:05""#).as_deref(),
        Ok("2026-11-09T00:05:00Z")
    );
    for wrong in [
        "null",
        "true",
        r#""""#,
        r#""10:00""#,
        r#""2026-11-24""#,
        r#""1/2/2026 10:00""#,
        "1e300",
    ] {
        assert!(at(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn full_width_digits_are_cut_and_filled_as_others_are() {
    let state = read(
        |rule| {
            rule.digits = Some(3);
            rule.prefix = "A".into();
        },
        r#"{"now":"００４２","waiting":1}"#,
    );
    assert_eq!(said(&state.unwrap()), "now serving A042");
}

#[test]
fn a_visitors_name_is_told_by_its_length_alone() {
    let name = "山田太郎";
    for payload in [
        format!(r#"{{"now":"{name}","waiting":1}}"#),
        format!(r#"{{"now":"{name}様 A042-{name}","waiting":1}}"#),
        format!(r#"{{"now":["{name}"],"waiting":1}}"#),
        format!(r#"{{"now":{{"{name}":1}},"waiting":1}}"#),
        format!(r#"{{"now":42,"waiting":"{name}"}}"#),
        format!(r#"{{"now":42,"waiting":1,"at":"{name}"}}"#),
        format!(r#"{{"now":42,"waiting":1,"at":"2026-11-24T10:00:00Z","counter":["{name}"]}}"#),
        r#"{"now":"Yamada Taro","waiting":1}"#.to_owned(),
        r#"{"now":9012345678,"waiting":1}"#.to_owned(),
        r#"{"now":42,"waiting":9012345678}"#.to_owned(),
    ] {
        let told = read(
            |rule| {
                rule.at = payload.contains("\"at\"").then(|| "/at".into());
                rule.counter = payload.contains("counter").then(|| "/counter".into());
            },
            &payload,
        )
        .expect_err(&payload);
        for secret in [name, "Yamada", "Taro", "901234"] {
            assert!(!told.contains(secret), "{told}");
        }
    }
    let told = read(|_| {}, r#"{"now":"山田太郎","waiting":1}"#).unwrap_err();
    assert!(told.contains("a text of 4 characters"), "{told}");
}

#[test]
fn a_pattern_says_what_a_ticket_is() {
    let reads = |pattern: Option<&str>, prefix: &str, now: &str| {
        read(
            |rule| {
                rule.pattern = pattern.map(|p| crate::model::Pattern::new(p).unwrap());
                rule.prefix = prefix.into();
            },
            &format!(r#"{{"now":"{now}","waiting":1}}"#),
        )
        .is_ok()
    };
    assert!(reads(None, "", "B 317") && reads(None, "", "M1 008") && reads(None, "", "0379"));
    assert!(reads(None, "国保", "12"), "the prefix is the office's own");
    assert!(!reads(None, "国保", "佐藤"));
    assert!(reads(Some("国保[0-9]+"), "国保", "12"));
    assert!(
        !reads(Some("[0-9]+"), "国保", "12"),
        "it means the whole label"
    );
}
