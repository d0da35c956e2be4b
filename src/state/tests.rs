//! One table a rule: messages in, what the office knows out.

use super::*;
use crate::clock::Now;
use crate::model::{Call, CallKind, Label, QueueState, Source, Status};
use jiff::Timestamp;
use proptest::prelude::*;

/// 2026-11-24, 10:00:00 in Japan.
const START_S: i64 = 1_795_482_000;

pub(super) fn at(second: i64) -> Now {
    Now::at(Timestamp::from_second(START_S + second).unwrap())
}

pub(super) fn queue() -> QueueId {
    QueueId::new("certificates").unwrap()
}

pub(super) fn settings() -> Settings {
    Settings::new(vec![QueueSettings {
        id: queue(),
        name: Name::new([("ja", "証明書の交付")]),
        lane: Lane::Standard,
    }])
}

pub(super) fn office() -> Office {
    Office::new(settings())
}

/// A message of `seq` made at `second`, listing calls such as `"3:A042@1"` (no, ticket, counter),
/// newest first, each called at the second of its message.
pub(super) fn message(seq: u64, second: i64, calls: &[&str]) -> QueueState {
    let call = |text: &&str| {
        let (no, rest) = text.split_once(':').unwrap();
        let (ticket, counter) = rest.split_once('@').unwrap_or((rest, "1"));
        Call {
            no: no.parse().unwrap(),
            ticket: Label::new(ticket).unwrap(),
            counter: Label::new(counter).ok(),
            at: at(second).wall,
            kind: CallKind::Call,
        }
    };
    QueueState {
        seq,
        at: at(second).wall,
        day: "2026-11-24".parse().unwrap(),
        epoch: 0,
        status: Status::Open,
        waiting: Some(3),
        on_hold: Some(0),
        next: vec![],
        held: vec![],
        calls: calls.iter().map(call).collect(),
        now_serving: None,
        wait: None,
    }
}

/// Applies each message when it was made and tells what changed, one line each.
fn check(messages: &[QueueState], expected: &[&str]) {
    let mut office = office();
    let told: Vec<String> = messages
        .iter()
        .map(|m| {
            let now = Now::at(m.at);
            match office.apply(&queue(), m.clone(), Source::Feed, now) {
                Ok(changes) => {
                    let call =
                        |c: &LoggedCall| format!("{}.{}:{}", c.epoch, c.call.no, c.call.ticket);
                    let mut line = changes.calls.iter().map(call).collect::<Vec<_>>().join(" ");
                    if changes.missed > 0 {
                        line += &format!(" lost {}", changes.missed);
                    }
                    if changes.source_reset_undeclared {
                        line += " restarted";
                    }
                    if changes.new_day {
                        line += " new day";
                    }
                    line.trim().to_owned()
                }
                Err(refusal) => refusal.to_string(),
            }
        })
        .collect();
    assert_eq!(told, expected);
}

#[test]
fn calls_are_found_by_their_number_once_each() {
    check(
        &[
            message(1, 0, &["1:A001"]),
            message(2, 5, &["2:A002", "1:A001"]),
            message(3, 9, &["2:A002", "1:A001"]),
            message(4, 20, &["5:A001", "4:A004", "3:A003", "2:A002"]),
        ],
        &["0.1:A001", "0.2:A002", "", "0.3:A003 0.4:A004 0.5:A001"],
    );
}

#[test]
fn late_and_doubled_messages_change_nothing() {
    check(
        &[
            message(5, 0, &["2:A002", "1:A001"]),
            message(5, 1, &["3:A003"]),
            message(4, 2, &["1:A001"]),
        ],
        &[
            "0.1:A001 0.2:A002",
            "duplicate message, seq 5",
            "late message, seq 4 of 2026-11-24",
        ],
    );
}

#[test]
fn gaps_are_counted_but_not_those_before_the_start() {
    check(
        &[
            message(1, 0, &["30:A030", "29:A029"]),
            message(2, 9, &["35:A035", "34:A034"]),
        ],
        &["0.29:A029 0.30:A030", "0.34:A034 0.35:A035 lost 3"],
    );
}

#[test]
fn a_told_restart_begins_a_new_epoch() {
    let mut restarted = message(2, 9, &["1:A031"]);
    restarted.epoch = 1;
    let mut forgot = message(3, 12, &["2:A032", "1:A031"]);
    forgot.epoch = 0;
    check(
        &[message(1, 0, &["30:A030"]), restarted, forgot],
        &["0.30:A030", "1.1:A031", "1.2:A032"],
    );
}

#[test]
fn an_untold_restart_is_noticed_by_its_numbers() {
    check(
        &[
            message(1, 0, &["30:A030", "29:A029"]),
            message(2, 5, &[]),
            message(3, 9, &["1:A031"]),
            message(4, 12, &["2:A032", "1:A031"]),
        ],
        &["0.29:A029 0.30:A030", "", "1.1:A031 restarted", "1.2:A032"],
    );
}

#[test]
fn an_untold_restart_is_noticed_by_its_tickets() {
    check(
        &[
            message(1, 0, &["2:A002", "1:A001"]),
            message(2, 60, &["3:A005", "2:A004", "1:A003"]),
        ],
        &["0.1:A001 0.2:A002", "1.1:A003 1.2:A004 1.3:A005 restarted"],
    );
}

#[test]
fn a_restart_after_an_untold_one_counts_on() {
    let mut told = message(3, 20, &["1:A033"]);
    told.epoch = 1;
    check(
        &[
            message(1, 0, &["30:A030"]),
            message(2, 9, &["1:A031"]),
            told,
        ],
        &["0.30:A030", "1.1:A031 restarted", "2.1:A033"],
    );
}

#[test]
fn a_new_day_counts_anew_and_yesterday_comes_late() {
    let day = 24 * 3600;
    let mut tomorrow = message(1, day, &["1:A001"]);
    tomorrow.day = "2026-11-25".parse().unwrap();
    check(
        &[
            message(900, 0, &["30:A030"]),
            tomorrow,
            message(901, day + 1, &["31:A031"]),
        ],
        &[
            "0.30:A030",
            "0.1:A001 new day",
            "late message, seq 901 of 2026-11-24",
        ],
    );
}

#[test]
fn a_series_that_wraps_is_only_labels() {
    check(
        &[
            message(1, 0, &["7:A999"]),
            message(2, 9, &["8:A001", "7:A999"]),
        ],
        &["0.7:A999", "0.8:A001"],
    );
}

#[test]
fn times_that_cannot_be_are_refused() {
    let mut office = office();
    let mut refusal = |state: QueueState, now: Now| {
        office
            .apply(&queue(), state, Source::Feed, now)
            .map(|_| ())
            .map_err(|e| e.to_string())
    };
    let week_old = message(1, -7 * 24 * 3600, &[]);
    assert!(
        refusal(week_old, at(0))
            .unwrap_err()
            .contains("at at: 2026-11-17")
    );
    let mut ahead = message(1, 0, &[]);
    ahead.day = "2026-11-25".parse().unwrap();
    assert!(
        refusal(ahead, at(0))
            .unwrap_err()
            .starts_with("at day: 2026-11-25")
    );
    let mut old_call = message(1, 0, &["1:A001"]);
    old_call.calls[0].at = at(-25 * 3600).wall;
    assert!(
        refusal(old_call, at(0))
            .unwrap_err()
            .starts_with("at calls:")
    );
    let unsynced = Now {
        synced: false,
        wall: Timestamp::UNIX_EPOCH,
        ..at(0)
    };
    assert_eq!(
        refusal(message(1, 0, &["1:A001"]), unsynced),
        Ok(()),
        "no clock, no judgement"
    );
}

#[test]
fn old_calls_are_listed_not_announced() {
    let mut office = office();
    let mut state = message(1, 0, &["3:A003", "2:A002"]);
    state.calls[1].at = at(-121).wall;
    let changes = office.apply(&queue(), state, Source::Feed, at(0)).unwrap();
    let announced: Vec<_> = changes
        .calls
        .iter()
        .map(|c| (c.call.no, c.announce))
        .collect();
    assert_eq!(announced, [(2, false), (3, true)]);
}

#[test]
fn numbers_grow_old_and_say_so() {
    let mut office = office();
    let fresh = |office: &Office, s: i64| office.snapshot(at(s)).queues[0].fresh;
    assert!(!fresh(&office, 0), "nothing heard");
    office
        .apply(&queue(), message(1, 0, &[]), Source::Feed, at(10))
        .unwrap();
    assert!(fresh(&office, 150));
    assert!(
        !fresh(&office, 151),
        "age counts from when the source made it"
    );
    office
        .apply(&queue(), message(2, 160, &[]), Source::Feed, at(160))
        .unwrap();
    office.set_connected(false, at(161));
    office.set_connected(false, at(170));
    assert!(fresh(&office, 176));
    assert!(
        !fresh(&office, 177),
        "without a line for 15 s nothing new can be known"
    );
    office.set_connected(true, at(178));
    assert!(fresh(&office, 178));
}

#[test]
fn ages_do_not_jump_with_the_wall_clock() {
    let mut office = office();
    office
        .apply(&queue(), message(1, 0, &[]), Source::Feed, at(0))
        .unwrap();
    let stepped = Now {
        wall: at(40_000).wall,
        ..at(20)
    };
    assert!(office.snapshot(stepped).queues[0].fresh);
}

#[test]
fn yesterdays_numbers_are_not_shown_but_a_long_evening_is() {
    let mut office = office();
    let midnight = 14 * 3600;
    office
        .apply(
            &queue(),
            message(1, midnight - 60, &[]),
            Source::Feed,
            at(midnight - 60),
        )
        .unwrap();
    let phase = |office: &Office, s: i64| office.snapshot(at(s)).queues[0].phase;
    assert_eq!(
        phase(&office, midnight + 60),
        Phase::Today(Status::Open),
        "still served"
    );
    assert_eq!(
        phase(&office, midnight + 120),
        Phase::NotOpenYet,
        "silent since before midnight"
    );
    assert_eq!(office.snapshot(at(midnight + 120)).queues[0].today(), None);
}

#[test]
fn a_restart_neither_forgets_nor_repeats() {
    let mut before = office();
    before
        .apply(
            &queue(),
            message(7, 0, &["2:A002", "1:A001"]),
            Source::Feed,
            at(0),
        )
        .unwrap();
    let mut after = office();
    after.restore(before.saved_state(0), at(20));
    let kept = &after.snapshot(at(20)).queues[0];
    assert_eq!(
        (kept.fresh, kept.phase),
        (false, Phase::Today(Status::Open))
    );
    let again = after.apply(
        &queue(),
        message(7, 0, &["2:A002", "1:A001"]),
        Source::Feed,
        at(21),
    );
    assert_eq!(
        again,
        Err(Rejection::Duplicate(7)),
        "retained again, and heard again below"
    );
    // The broker kept it: what the source said last is what it says now, as old as it is.
    assert!(after.snapshot(at(21)).queues[0].fresh);
    assert!(!after.snapshot(at(151)).queues[0].fresh);
    let next = after.apply(
        &queue(),
        message(8, 30, &["4:A004", "3:A003"]),
        Source::Feed,
        at(30),
    );
    let found: Vec<_> = next.unwrap().calls.iter().map(|c| c.call.no).collect();
    assert_eq!(found, [3, 4]);
}

#[test]
fn a_call_cut_short_by_a_restart_stands_out_again_while_it_is_new() {
    let mut before = office();
    let calls = ["3:A003", "2:A002", "1:A001"];
    let state = message(7, 0, &calls);
    before.apply(&queue(), state, Source::Feed, at(0)).unwrap();
    let announced = |kept: SavedState, now: Now| -> Vec<(u64, bool)> {
        let mut after = office();
        after.restore(kept, now);
        let log = after.snapshot(now).log;
        log.iter().map(|c| (c.call.no, c.announce)).collect()
    };
    // The boards had shown two of three.
    let kept = before.saved_state(2);
    let shown = |third| [(1, false), (2, false), (3, third)];
    assert_eq!(announced(kept.clone(), at(60)), shown(true));
    assert_eq!(announced(kept.clone(), at(600)), shown(false), "too old");
    let unknown = Now {
        synced: false,
        ..at(60)
    };
    assert_eq!(announced(kept, unknown), shown(false), "nobody knows");
    // The count goes on where it was.
    let mut after = office();
    after.restore(before.saved_state(3), at(60));
    let next = message(8, 61, &["4:A004", "3:A003"]);
    let changes = after.apply(&queue(), next, Source::Feed, at(61)).unwrap();
    let found: Vec<_> = changes.calls.iter().map(|c| (c.index, c.call.no)).collect();
    assert_eq!(found, [(4, 4)]);
}

proptest! {
    /// Any order, loss and doubling: the final numbers are those of the newest message, and no
    /// call is found twice.
    #[test]
    fn the_newest_message_alone_repairs_everything(
        order in proptest::collection::vec(0usize..40, 1..120)
    ) {
        let day: Vec<QueueState> = (0..40usize)
            .map(|i| {
                let calls: Vec<String> =
                    (1..=i).rev().take(20).map(|n| format!("{n}:A{n:03}")).collect();
                let calls: Vec<&str> = calls.iter().map(String::as_str).collect();
                message(i as u64 + 1, i as i64 * 30, &calls)
            })
            .collect();
        let mut office = office();
        let mut found = std::collections::BTreeSet::new();
        for &i in &order {
            if let Ok(changes) = office.apply(&queue(), day[i].clone(), Source::Feed, at(1_200)) {
                for call in changes.calls {
                    prop_assert!(found.insert((call.epoch, call.call.no)), "call found twice");
                }
            }
        }
        let newest = order.iter().max().copied().unwrap_or(0);
        let snapshot = office.snapshot(at(1_200));
        prop_assert_eq!(&snapshot.queues[0].reading.as_ref().unwrap().state, &day[newest]);
        prop_assert_eq!(office.counts().source_resets, 0);
    }
}
