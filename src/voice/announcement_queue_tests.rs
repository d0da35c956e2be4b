//! Tables of calls and times for [`AnnouncementQueue`], and what holds for any of them.

use super::*;
use crate::clock::Now;
use crate::config::{VoiceDetail, VoiceHours};
use crate::model::{Call, CallKind, Label, QueueId};
use crate::state::LoggedCall;
use jiff::civil::{date, time};
use jiff::tz::{TimeZone, offset};
use proptest::prelude::*;
use std::collections::VecDeque;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// The moment so many milliseconds after nine o'clock.
fn at(ms: u64) -> Now {
    let nine: jiff::Timestamp = "2026-11-24T09:00:00+09:00".parse().unwrap();
    Now {
        mono: Duration::from_millis(ms),
        ..Now::at(nine + jiff::SignedDuration::from_millis(i64::try_from(ms).unwrap()))
    }
}

fn settings() -> AnnouncementSettings {
    let queue = |id: &str, fast| VoiceQueue {
        id: QueueId::new(id).unwrap(),
        fast,
    };
    AnnouncementSettings {
        queues: vec![queue("q0", false), queue("q1", true)],
        zone: TimeZone::fixed(offset(9)),
        fresh_for: SECOND * 120,
        min_pause: SECOND,
        max_backlog: SECOND * 30,
        volume: 80,
        hours: Vec::new(),
    }
}

/// A call heard so many milliseconds after nine.
fn call(index: u64, queue: &str, no: u64, ticket: &str, counter: &str, ms: u64) -> LoggedCall {
    LoggedCall {
        index,
        queue: QueueId::new(queue).unwrap(),
        day: date(2026, 11, 24),
        epoch: 0,
        call: Call {
            no,
            ticket: Label::new(ticket).unwrap(),
            counter: (!counter.is_empty()).then(|| Label::new(counter).unwrap()),
            at: at(ms).wall,
            kind: CallKind::Call,
        },
        announce: true,
        received_at: Duration::from_millis(ms),
    }
}

/// What is begun now, in short: tickets with counters, and how much is said.
fn said(plan: &mut AnnouncementQueue, now: Now) -> Option<(String, VoiceDetail)> {
    match plan.next(now) {
        Next::Announce(announcement) => {
            let calls = announcement.calls.iter().map(|c| {
                let counter = c.call.counter.as_ref().map_or("", Label::as_str);
                format!("{}>{counter}", c.call.ticket)
            });
            let calls: Vec<String> = calls.collect();
            Some((calls.join("+"), announcement.detail))
        }
        Next::Wait(_) => None,
    }
}

fn full(text: &str) -> Option<(String, VoiceDetail)> {
    Some((text.to_owned(), VoiceDetail::Full))
}

#[test]
fn calls_are_said_one_after_another_with_a_pause_between() {
    let mut plan = AnnouncementQueue::new(settings(), SpokenCalls::default());
    let log = [
        call(1, "q0", 1, "A001", "1", 0),
        call(2, "q1", 1, "F001", "2", 0),
    ];
    plan.update(&log, at(0));
    assert_eq!(plan.completed_up_to(), 0);
    assert_eq!(said(&mut plan, at(0)), full("A001>1"));
    assert_eq!(plan.next(at(100)), Next::Wait(None), "one at a time");
    plan.finished(at(6000));
    assert_eq!(plan.completed_up_to(), 1);
    assert_eq!(plan.next(at(6000)), Next::Wait(Some(7 * SECOND)));
    let Next::Announce(second) = plan.next(at(7000)) else {
        panic!("its turn")
    };
    assert!(second.fast);
    assert_eq!(
        (second.calls[0].call.ticket.as_str(), second.volume),
        ("F001", 80)
    );
    plan.finished(at(12_000));
    plan.update(&log, at(12_000));
    assert_eq!(
        (plan.completed_up_to(), plan.next(at(20_000))),
        (2, Next::Wait(None))
    );
}

#[test]
fn whoever_waits_long_hears_less_and_never_nothing_while_new() {
    let mut plan = AnnouncementQueue::new(settings(), SpokenCalls::default());
    let log: Vec<_> = (1..=4)
        .map(|i| call(i, "q0", i, &format!("A00{i}"), "1", 0))
        .collect();
    plan.update(&log, at(0));
    assert_eq!(said(&mut plan, at(14_999)), full("A001>1"));
    plan.finished(at(14_999));
    let short = Some(("A002>1".to_owned(), VoiceDetail::Short));
    assert_eq!(said(&mut plan, at(16_000)), short);
    plan.finished(at(16_000));
    let chime = Some(("A003>1".to_owned(), VoiceDetail::Chime));
    assert_eq!(said(&mut plan, at(30_000)), chime);
    plan.finished(at(31_000));
    assert_eq!(said(&mut plan, at(120_001)), None, "no longer new");
    assert_eq!((plan.skipped(), plan.completed_up_to()), (1, 4));
}

#[test]
fn a_label_is_not_said_twice_when_two_counters_call_it() {
    let mut plan = AnnouncementQueue::new(settings(), SpokenCalls::default());
    let mut again = call(5, "q0", 4, "A001", "9", 0);
    again.call.kind = CallKind::Recall;
    let log = [
        call(1, "q0", 1, "A001", "3", 0),
        call(2, "q0", 2, "A002", "4", 0),
        call(3, "q1", 1, "A001", "7", 0),
        call(4, "q0", 3, "A001", "5", 0),
        again,
    ];
    plan.update(&log, at(0));
    assert_eq!(said(&mut plan, at(0)), full("A001>3+A001>5"));
    plan.finished(at(1000));
    assert_eq!(plan.completed_up_to(), 1);
    let q0 = &plan.spoken().queues[&log[0].queue];
    assert_eq!(
        (q0.through, q0.also.iter().copied().collect()),
        (1, vec![3])
    );
    // A restart here repeats neither, and says what was left.
    let mut after = AnnouncementQueue::new(settings(), plan.spoken().clone());
    after.update(&log, at(2000));
    assert_eq!(said(&mut after, at(2000)), full("A002>4"));
    after.finished(at(3000));
    assert_eq!(after.spoken().queues[&log[0].queue].through, 3);
    assert_eq!(
        said(&mut after, at(4000)),
        full("A001>7"),
        "of another queue"
    );
    after.finished(at(5000));
    assert_eq!(
        said(&mut after, at(6000)),
        full("A001>9"),
        "a recall is said again"
    );
}

#[test]
fn what_was_cut_short_is_said_again_in_its_place() {
    let mut plan = AnnouncementQueue::new(settings(), SpokenCalls::default());
    let log = [
        call(1, "q0", 1, "A001", "3", 0),
        call(2, "q0", 2, "A002", "4", 0),
        call(3, "q0", 3, "A001", "5", 0),
    ];
    plan.update(&log, at(0));
    assert_eq!(said(&mut plan, at(0)), full("A001>3+A001>5"));
    plan.interrupted();
    assert_eq!(said(&mut plan, at(10)), full("A001>3+A001>5"));
    let mut after = AnnouncementQueue::new(settings(), plan.spoken().clone());
    after.update(&log, at(20));
    assert_eq!(said(&mut after, at(20)), full("A001>3+A001>5"));
}

#[test]
fn the_time_of_day_has_its_own_rules_while_the_clock_is_known() {
    let mut settings = settings();
    let hours = |from, until, detail, volume| VoiceHours {
        from: time(9, from, 0, 0),
        until: time(9, until, 0, 0),
        detail,
        volume,
    };
    settings.hours = vec![
        hours(10, 20, VoiceDetail::Short, 40),
        hours(20, 30, VoiceDetail::Off, 80),
        hours(30, 40, VoiceDetail::Full, 0),
    ];
    let minute = 60_000;
    let heard = |at_minute: u64, synced| {
        let ms = at_minute * minute;
        let mut plan = AnnouncementQueue::new(settings.clone(), SpokenCalls::default());
        plan.update(&[call(1, "q0", 1, "A001", "1", ms)], at(ms));
        let next = plan.next(Now { synced, ..at(ms) });
        let said = match next {
            Next::Announce(a) => Some((a.detail, a.volume)),
            Next::Wait(_) => None,
        };
        (said, plan.completed_up_to(), plan.skipped())
    };
    assert_eq!(heard(5, true), (Some((VoiceDetail::Full, 80)), 0, 0));
    assert_eq!(heard(10, true), (Some((VoiceDetail::Short, 40)), 0, 0));
    assert_eq!(heard(20, true), (None, 1, 1), "quiet, and over");
    assert_eq!(heard(30, true), (None, 1, 1), "no volume is quiet");
    assert_eq!(heard(20, false), (Some((VoiceDetail::Full, 80)), 0, 0));
}

#[test]
fn old_calls_and_those_of_other_queues_are_not_said() {
    let mut plan = AnnouncementQueue::new(settings(), SpokenCalls::default());
    let mut old = call(1, "q0", 1, "A001", "1", 0);
    old.announce = false;
    plan.update(
        &[old.clone(), call(2, "other", 1, "X1", "1", 150_000)],
        at(150_000),
    );
    assert_eq!(
        (said(&mut plan, at(150_000)), plan.completed_up_to()),
        (None, 2)
    );
    // A restart: boards had shown it, nobody had heard it, and it is new.
    let mut plan = AnnouncementQueue::new(settings(), SpokenCalls::default());
    old.received_at = at(60_000).mono;
    plan.update(&[old.clone()], at(60_000));
    assert_eq!(said(&mut plan, at(60_000)), full("A001>1"));
    // Without a believable clock nobody knows that it is new.
    let mut plan = AnnouncementQueue::new(settings(), SpokenCalls::default());
    plan.update(
        &[old],
        Now {
            synced: false,
            ..at(60_000)
        },
    );
    assert_eq!(said(&mut plan, at(60_000)), None);
}

/// What happens in a random day: time passes, a queue calls, the node starts anew.
#[derive(Debug, Clone)]
enum Event {
    Pass(u64),
    Call {
        queue: u8,
        ticket: u8,
        counter: u8,
        recall: bool,
    },
    Restart,
    Interrupt,
    Epoch(u8),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        3 => (1u64..20_000).prop_map(Event::Pass),
        6 => (0u8..2, 0u8..4, 1u8..4, proptest::bool::weighted(0.2))
            .prop_map(|(queue, ticket, counter, recall)| Event::Call { queue, ticket, counter, recall }),
        1 => Just(Event::Restart),
        1 => Just(Event::Interrupt),
        1 => (0u8..2).prop_map(Event::Epoch),
    ]
}

proptest! {
    /// Whatever happens, every call is heard to its end once or given up, in the order of its
    /// queue, and only those of one ticket at once.
    #[test]
    fn each_call_is_heard_once_and_in_order(events in proptest::collection::vec(event(), 1..80), long in 1u64..12_000) {
        let mut log: VecDeque<LoggedCall> = VecDeque::new();
        let mut plan = AnnouncementQueue::new(settings(), SpokenCalls::default());
        let mut now = 0;
        let mut series = [(0u32, 0u64); 2];
        let mut begun: Option<(u64, Announcement)> = None;
        let mut heard: Vec<LoggedCall> = Vec::new();
        let mut given_up = 0;
        let mut begun_last = std::collections::BTreeMap::new();
        let mut index = 0;
        let mut total = 0u64;
        for event in events.into_iter().chain([Event::Pass(200_000)]) {
            let until = match event {
                Event::Pass(ms) => now + ms,
                _ => now,
            };
            match event {
                Event::Pass(_) => {}
                Event::Call { queue, ticket, counter, recall } => {
                    index += 1;
                    total += 1;
                    let (epoch, no) = &mut series[usize::from(queue)];
                    *no += 1;
                    let mut new = call(index, &format!("q{queue}"), *no, &format!("T{ticket}"), &counter.to_string(), now);
                    new.epoch = *epoch;
                    if recall { new.call.kind = CallKind::Recall; }
                    log.push_back(new);
                }
                Event::Epoch(queue) => {
                    let (epoch, no) = &mut series[usize::from(queue)];
                    (*epoch, *no) = (*epoch + 1, 0);
                }
                Event::Restart => {
                    // What is kept comes back under new indices and, if shown, without a mark.
                    given_up += plan.skipped();
                    plan = AnnouncementQueue::new(settings(), plan.spoken().clone());
                    begun = None;
                    for (i, call) in (1..).zip(log.iter_mut()) {
                        (call.index, call.announce, call.received_at) = (i, false, Duration::from_millis(now));
                    }
                    index = log.len() as u64;
                }
                Event::Interrupt => {
                    if begun.take().is_some() { plan.interrupted(); }
                }
            }
            loop {
                let slice: Vec<LoggedCall> = log.iter().cloned().collect();
                plan.update(&slice, at(now));
                if begun.is_none() && let Next::Announce(announcement) = plan.next(at(now)) {
                    prop_assert!(!announcement.calls.is_empty());
                    let first = &announcement.calls[0];
                    prop_assert!(announcement.calls.iter().all(|c| c.call.ticket == first.call.ticket && c.queue == first.queue));
                    prop_assert!(announcement.detail != VoiceDetail::Off);
                    // In order: by the first of its calls, each queue only goes forward.
                    let place = (first.epoch, first.call.no);
                    let last = begun_last.insert(first.queue.clone(), place);
                    prop_assert!(last.is_none_or(|last| last <= place), "{:?} after {:?}", place, last);
                    for c in &announcement.calls { prop_assert!(plan.completed_up_to() < c.index); }
                    begun = Some((now + long, announcement));
                }
                if let Some((end, announcement)) = begun.take_if(|(end, _)| *end <= now) {
                    plan.finished(at(end));
                    heard.extend(announcement.calls);
                }
                if now >= until { break; }
                now = (now + 500).min(until);
            }
        }
        prop_assert_eq!(begun, None);
        prop_assert_eq!(plan.waiting(), 0);
        let mut keys: Vec<_> = heard.iter().map(|c| (c.queue.clone(), c.epoch, c.call.no)).collect();
        let count = keys.len();
        keys.sort();
        keys.dedup();
        prop_assert_eq!(keys.len(), count, "nothing twice");
        // A restart may lose sight of what is older than two minutes, nothing else.
        prop_assert!(count as u64 + plan.skipped() + given_up <= total);
    }
}
