//! The recorded day with a clock that is wrong for an hour, the node's or the ticketing systems', in
//! every way: at the end history and boards are those of the clean day for all that happened outside
//! that hour, and at no moment a number was shown that no source had said, or as fresh without
//! evidence.

use crate::day::node;
use crate::support::{self, day};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;
use yobiban::clock::Now;
use yobiban::model::{OfficeId, QueueId, QueueState};
use yobiban::node::OfficeState;
use yobiban::state::{Delivery, MAX_AHEAD, Settings, Snapshot};
use yobiban::wire::feed::FeedMessage;
use yobiban::wire::topic::Topic;

const ROOT: &str = "yobiban/v1";

/// What a clock shows at a moment, and whether it says that it is right.
type Clock = fn(Timestamp) -> (Timestamp, bool);

/// How far a clock is off at a moment.
type Off = fn(Timestamp) -> SignedDuration;

/// A message on its way: when it really comes, and what it is then.
struct Message {
    really: Timestamp,
    office: OfficeId,
    queue: QueueId,
    payload: Vec<u8>,
}

/// Ticket, counter and time of a call.
type Call = (OfficeId, QueueId, String, String, Timestamp);

/// What a day left behind.
#[derive(Default)]
struct Left {
    calls: BTreeMap<Call, u32>,
    /// By office: what stood on its boards at the end.
    boards: BTreeMap<OfficeId, Vec<Option<QueueState>>>,
    issues: BTreeSet<&'static str>,
}

fn hours(h: i64) -> SignedDuration {
    SignedDuration::from_hours(h)
}

fn hour() -> (Timestamp, Timestamp) {
    let at = |time: &str| time.parse().unwrap();
    (
        at("2026-11-24T10:00:00+09:00"),
        at("2026-11-24T11:00:00+09:00"),
    )
}

fn in_hour(at: Timestamp) -> bool {
    let (from, to) = hour();
    from <= at && at < to
}

/// Off by another time each minute.
fn jumping(at: Timestamp) -> SignedDuration {
    let offs = [
        3600,
        -3600,
        0,
        86_400,
        -86_400,
        90,
        -90,
        7 * 86_400,
        -40_000,
    ];
    let minute = usize::try_from(at.as_second() / 60).unwrap();
    SignedDuration::from_secs(offs[minute % offs.len()])
}

fn read(lines: &[day::Line]) -> Vec<Message> {
    let message = |line: &day::Line| {
        let Some(Topic::Feed(office, queue)) = Topic::parse(ROOT, &line.topic) else {
            panic!("{}", line.topic);
        };
        Message {
            really: line.at.parse().unwrap(),
            office,
            queue,
            payload: line.payload.clone(),
        }
    };
    lines.iter().map(message).collect()
}

/// The same day told by ticketing systems whose clocks are off while it is the hour: what they make
/// then bears a wrong time for good.
fn told_by(lines: &[day::Line], off: Off) -> Vec<Message> {
    let zone = Settings::new(vec![]).timezone;
    let mut messages = read(lines);
    for message in &mut messages {
        let Ok(mut json) = serde_json::from_slice::<Value>(&message.payload) else {
            continue;
        };
        let moved = |at: Timestamp| if in_hour(at) { at + off(at) } else { at };
        if !json.is_object() {
            continue;
        }
        let calls = json["calls"].as_array_mut();
        for call in calls.into_iter().flatten() {
            if let Some(at) = call["at"]
                .as_str()
                .and_then(|t| t.parse::<Timestamp>().ok())
            {
                call["at"] = text(moved(at), &zone).into();
            }
        }
        if let Some(at) = json["at"]
            .as_str()
            .and_then(|t| t.parse::<Timestamp>().ok())
            && in_hour(at)
        {
            let then = moved(at);
            json["at"] = text(then, &zone).into();
            json["day"] = then.to_zoned(zone.clone()).date().to_string().into();
            if let Some(seq) = json["seq"].as_u64() {
                // Milliseconds since 1970, as in the recording.
                let seq = i64::try_from(seq).unwrap() + i64::try_from(off(at).as_millis()).unwrap();
                json["seq"] = seq.into();
            }
        }
        message.payload = serde_json::to_vec(&json).unwrap();
    }
    messages
}

fn text(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone())
        .strftime("%Y-%m-%dT%H:%M:%S%.f%:z")
        .to_string()
}

/// Plays a day through the nodes of its offices.
fn play(messages: &[Message], clock: Clock) -> Left {
    let mut queues: BTreeMap<OfficeId, BTreeSet<QueueId>> = BTreeMap::new();
    for message in messages {
        let office = queues.entry(message.office.clone()).or_default();
        office.insert(message.queue.clone());
    }
    let mut nodes: BTreeMap<_, _> = queues
        .iter()
        .map(|(office, queues)| (office.clone(), OfficeState::new(&node(office, queues))))
        .collect();
    let mut said = BoardContents::default();
    let mut left = Left::default();
    let begin = messages[0].really;
    let at = |really: Timestamp| {
        let (wall, synced) = clock(really);
        let mono = Duration::try_from(really.duration_since(begin)).unwrap();
        Now { wall, mono, synced }
    };
    for (i, message) in messages.iter().enumerate() {
        said.note(message);
        let now = at(message.really);
        let topic = Topic::Feed(message.office.clone(), message.queue.clone()).name(ROOT);
        let truth = nodes.get_mut(&message.office).unwrap();
        let outcome = truth.apply_message(&topic, &message.payload, Delivery::Live, now);
        for logged in outcome.calls {
            let call = &logged.call;
            // Nothing of the future reaches a history: the hub refuses it.
            if call.at > message.really + MAX_AHEAD {
                continue;
            }
            let counter = call.counter.as_ref().map(ToString::to_string);
            let key = (
                message.office.clone(),
                message.queue.clone(),
                call.ticket.to_string(),
                counter.unwrap_or_default(),
                call.at,
            );
            *left.calls.entry(key).or_default() += 1;
        }
        if i % 5 == 0 {
            let snapshot = truth.snapshot(now);
            left.issues.extend(&snapshot.issues);
            said.hold_against(&message.office, &snapshot, message.really);
        }
    }
    let end = messages[messages.len() - 1].really;
    for (office, truth) in &mut nodes {
        let snapshot = truth.snapshot(at(end));
        let boards = snapshot.queues.iter().map(|q| q.today().cloned());
        left.boards.insert(office.clone(), boards.collect());
    }
    left
}

/// What sources have said so far.
#[derive(Default)]
struct BoardContents {
    /// By queue and sequence number, which a wrong clock may give twice: the messages, and when they
    /// really came.
    messages: BTreeMap<(OfficeId, QueueId, u64), Vec<(QueueState, Timestamp)>>,
}

impl BoardContents {
    fn note(&mut self, message: &Message) {
        if let Ok(state) = FeedMessage::decode(&message.payload).map(QueueState::from) {
            let key = (message.office.clone(), message.queue.clone(), state.seq);
            let told = self.messages.entry(key).or_default();
            told.push((state, message.really));
        }
    }

    fn hold_against(&self, office: &OfficeId, snapshot: &Snapshot, really: Timestamp) {
        for view in &snapshot.queues {
            let Some(shown) = view.today() else {
                assert!(!view.fresh, "fresh, and not of today: {view:?}");
                continue;
            };
            let key = (office.clone(), view.settings.id.clone(), shown.seq);
            let bare = |state: &QueueState| QueueState {
                calls: vec![],
                ..state.clone()
            };
            // Calls of a wrong hour may be left out.
            let source = |(told, _): &&(QueueState, Timestamp)| {
                bare(shown) == bare(told) && shown.calls.iter().all(|c| told.calls.contains(c))
            };
            let told = self
                .messages
                .get(&key)
                .and_then(|all| all.iter().rev().find(source));
            let (_, came) = told.unwrap_or_else(|| panic!("said by no source: {shown:?}"));
            if view.fresh {
                let age = really.duration_since(*came);
                let most = SignedDuration::try_from(Settings::new(vec![]).stale_after).unwrap();
                assert!(age <= most + MAX_AHEAD, "fresh at {really}, came at {came}");
            }
        }
    }
}

/// Compares a day with the clean one, for all that happened outside the hour.
fn compare(what: &str, clean: &Left, found: &Left) {
    let outside = |calls: &BTreeMap<Call, u32>| -> BTreeMap<Call, u32> {
        let mut calls = calls.clone();
        calls.retain(|call, _| !in_hour(call.4));
        calls
    };
    let (wanted, got) = (outside(&clean.calls), outside(&found.calls));
    let missing: Vec<_> = wanted.keys().filter(|c| !got.contains_key(c)).collect();
    assert!(
        missing.is_empty(),
        "{what}: {} missing, {:?}",
        missing.len(),
        missing.first()
    );
    for (call, times) in &got {
        // A call made in the hour may have come with a time outside of it.
        let listed = wanted.contains_key(call) || !clean.calls.contains_key(call);
        assert!(listed && *times == 1, "{what}: {call:?} came {times} times");
    }
    for (office, board) in &clean.boards {
        for (clean, found) in board.iter().zip(&found.boards[office]) {
            let (Some(clean), Some(found)) = (clean, found) else {
                panic!("{what}: {office} shows {found:?}, wanted {clean:?}");
            };
            // A quiet queue still lists calls of that hour, with the times they were given.
            let of_hour = clean.calls.iter().filter(|c| in_hour(c.at));
            let of_hour: BTreeSet<u64> = of_hour.map(|c| c.no).collect();
            let others = |state: &QueueState| {
                let mut state = state.clone();
                state.calls.retain(|c| !of_hour.contains(&c.no));
                state
            };
            assert_eq!(
                others(found),
                others(clean),
                "{what}: the boards of {office}"
            );
        }
    }
}

/// From before that hour until well after it.
fn morning(path: &Path) -> Vec<day::Line> {
    let mut lines = day::read(path);
    lines.retain(|line| (9..12).contains(&line.at[11..13].parse::<u8>().unwrap()));
    assert!(lines.len() > 500, "{} lines of a morning", lines.len());
    lines
}

fn try_all(lines: &[day::Line]) {
    let clean = play(&read(lines), |at| (at, true));
    assert!(!clean.issues.contains("source-clock"));
    let nodes: [(&str, Clock); 9] = [
        ("an hour behind", |at| {
            (if in_hour(at) { at - hours(1) } else { at }, true)
        }),
        ("an hour ahead", |at| {
            (if in_hour(at) { at + hours(1) } else { at }, true)
        }),
        ("a hundred seconds behind", |at| {
            let off = SignedDuration::from_secs(if in_hour(at) { 100 } else { 0 });
            (at - off, true)
        }),
        ("ten hours behind", |at| {
            (if in_hour(at) { at - hours(10) } else { at }, true)
        }),
        ("fourteen hours ahead", |at| {
            (if in_hour(at) { at + hours(14) } else { at }, true)
        }),
        ("forty hours ahead", |at| {
            (if in_hour(at) { at + hours(40) } else { at }, true)
        }),
        ("in 2020", |at| {
            (
                if in_hour(at) {
                    at - hours(6 * 8766)
                } else {
                    at
                },
                true,
            )
        }),
        ("jumping", |at| {
            (if in_hour(at) { at + jumping(at) } else { at }, true)
        }),
        ("unset, then set", |at| {
            if in_hour(at) {
                let since = at.duration_since(hour().0);
                (Timestamp::UNIX_EPOCH + since, false)
            } else {
                (at, true)
            }
        }),
    ];
    for (what, clock) in nodes {
        compare(&format!("node {what}"), &clean, &play(&read(lines), clock));
    }
    let sources: [(&str, Off); 7] = [
        ("an hour behind", |_| hours(-1)),
        ("an hour ahead", |_| hours(1)),
        ("a hundred seconds ahead", |_| {
            SignedDuration::from_secs(100)
        }),
        ("twelve hours ahead", |_| hours(12)),
        ("twelve hours behind", |_| hours(-12)),
        ("a month ahead", |_| hours(31 * 24)),
        ("jumping", jumping),
    ];
    for (what, off) in sources {
        let found = play(&told_by(lines, off), |at| (at, true));
        let said = found.issues.contains("source-clock");
        // Who is an hour behind is believed to be late; a hundred seconds are no trouble.
        let quiet = ["an hour behind", "a hundred seconds ahead"].contains(&what);
        assert_eq!(said, !quiet, "{what}: {:?}", found.issues);
        compare(&format!("source {what}"), &clean, &found);
    }
}

#[test]
fn an_office_of_a_recorded_day_survives_every_wrong_clock() {
    let path = support::root().join("tests/fixtures/days/2026-11-24.jsonl.gz");
    try_all(&morning(&path));
}

/// More of the same, where the whole day is beside the project: a minute, so with `YOBIBAN_ALL` only.
#[test]
fn a_recorded_morning_of_six_offices_survives_every_wrong_clock() {
    if std::env::var_os("YOBIBAN_ALL").is_none() {
        return eprintln!("skipped: takes a minute, runs with YOBIBAN_ALL");
    }
    if let Some(path) = support::shared("days/2026-11-24.jsonl.gz") {
        try_all(&morning(&path));
    }
}
