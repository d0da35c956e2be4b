//! Bursts, recalls and backlogs on a panel, second by second.

use super::*;
use crate::clock::Now;
use crate::model::{Call, CallKind, Label};
use jiff::Timestamp;
use proptest::prelude::*;

fn at(second: f64) -> Now {
    let start = Timestamp::from_second(1_795_482_000).unwrap();
    Now::at(start + Duration::from_secs_f64(second))
}

fn call(index: u64, ticket: &str, second: f64) -> LoggedCall {
    LoggedCall {
        index,
        queue: QueueId::new("certificates").unwrap(),
        day: "2026-11-24".parse().unwrap(),
        epoch: 0,
        call: Call {
            no: index,
            ticket: Label::new(ticket).unwrap(),
            counter: Label::new("1").ok(),
            at: at(second).wall,
            kind: CallKind::Call,
        },
        announce: true,
        received_at: at(second).mono,
    }
}

fn active(panel: &CallHighlighter) -> String {
    let view = panel.view();
    let tickets: Vec<_> = view
        .active
        .iter()
        .map(|s| s.call.call.ticket.as_str())
        .collect();
    let recent: Vec<_> = view.recent.iter().map(|c| c.call.ticket.as_str()).collect();
    format!(
        "{} | {} | {}",
        tickets.join(" "),
        recent.join(" "),
        view.waiting
    )
}

#[test]
fn a_call_stays_until_it_was_heard_but_not_for_ever() {
    let mut panel = CallHighlighter::new(HighlightSettings {
        max_highlighted: 1,
        ..HighlightSettings::default()
    });
    panel.announced_up_to(0);
    let log = [call(1, "A001", 0.0), call(2, "A002", 20.0)];
    panel.update(&log[..1], at(0.0));
    panel.update(&log[..1], at(35.0));
    assert_eq!(
        active(&panel),
        "A001 |  | 0",
        "past its longest time, not heard"
    );
    panel.update(&log, at(35.0));
    assert_eq!(
        active(&panel),
        "A002 A001 |  | 0",
        "the other has waited enough"
    );
    panel.announced_up_to(1);
    panel.tick(at(36.0));
    assert_eq!(active(&panel), "A002 | A001 | 0");
    panel.tick(at(184.9));
    assert_eq!(active(&panel), "A002 | A001 | 0");
    panel.tick(at(185.0));
    assert_eq!(
        active(&panel),
        " | A002 A001 | 0",
        "a voice that hangs holds no board"
    );
}

#[test]
fn a_call_stands_out_at_once_and_then_is_listed() {
    let mut panel = CallHighlighter::new(HighlightSettings::default());
    assert_eq!(panel.next_change(at(0.0)), None);
    let log = [call(1, "A001", 0.0)];
    panel.update(&log, at(0.0));
    assert_eq!(active(&panel), "A001 |  | 0");
    assert_eq!(panel.next_change(at(0.0)), Some(at(30.0).mono));
    panel.update(&log, at(29.9));
    assert_eq!(active(&panel), "A001 |  | 0", "handled once");
    panel.tick(at(30.0));
    assert_eq!(active(&panel), " | A001 | 0");
}

#[test]
fn a_burst_shares_the_panel_then_waits_oldest_first() {
    let mut panel = CallHighlighter::new(HighlightSettings::default());
    let second = |i| if i > 3 { 4.0 } else { 0.0 };
    let log: Vec<_> = (1..=5)
        .map(|i| call(i, &format!("A00{i}"), second(i)))
        .collect();
    panel.update(&log[..3], at(0.0));
    panel.update(&log, at(4.0));
    assert_eq!(active(&panel), "A003 A002 A001 |  | 2");
    panel.tick(at(11.9));
    assert_eq!(active(&panel), "A003 A002 A001 |  | 2");
    panel.tick(at(12.0));
    assert_eq!(active(&panel), "A005 A004 A003 | A002 A001 | 0");
}

#[test]
fn a_long_backlog_makes_more_places_then_a_list() {
    let mut panel = CallHighlighter::new(HighlightSettings {
        min_highlight: Duration::from_secs(15),
        max_backlog: Duration::from_secs(5),
        ..HighlightSettings::default()
    });
    let log: Vec<_> = (1..=8).map(|i| call(i, &format!("A00{i}"), 0.0)).collect();
    panel.update(&log, at(0.0));
    assert_eq!(panel.next_change(at(0.0)), Some(at(2.5).mono));
    panel.tick(at(2.5));
    assert_eq!(active(&panel), "A006 A005 A004 A003 A002 A001 |  | 2");
    assert_eq!(panel.next_change(at(2.5)), Some(at(5.0).mono));
    panel.tick(at(5.0));
    assert_eq!(
        active(&panel),
        "A008 A007 A006 A005 A004 A003 A002 A001 |  | 0",
        "everybody who waited is listed"
    );
}

#[test]
fn thirty_calls_at_once_are_all_on_the_glass_within_the_backlog() {
    let settings = HighlightSettings::default();
    let mut panel = CallHighlighter::new(settings);
    let log: Vec<_> = (1..=30)
        .map(|i| call(i, &format!("A{i:03}"), 0.0))
        .collect();
    panel.update(&log, at(0.0));
    panel.tick(at(19.9));
    assert!(panel.view().waiting > 0);
    panel.tick(at(20.0));
    let view = panel.view();
    assert_eq!(view.waiting, 0);
    let shown = view.active.len() + view.recent.len();
    assert!(shown >= 24, "{shown}");
    // The list stays until everybody in it had the minimum time.
    panel.tick(at(31.9));
    assert!(panel.view().active.iter().any(|s| s.call.index == 30));
}

#[test]
fn two_counters_that_call_one_ticket_have_a_place_each() {
    let mut panel = CallHighlighter::new(HighlightSettings::default());
    let mut second = call(2, "A001", 1.0);
    second.call.counter = Label::new("2").ok();
    let mut third = call(3, "A001", 2.0);
    third.queue = QueueId::new("moving").unwrap();
    panel.update(&[call(1, "A001", 0.0), second, third], at(2.0));
    assert_eq!(active(&panel), "A001 A001 A001 |  | 0");
}

#[test]
fn a_recall_to_the_same_counter_takes_the_place_of_its_call() {
    let mut panel = CallHighlighter::new(HighlightSettings::default());
    let mut log = vec![call(1, "A001", 0.0), call(2, "A002", 1.0)];
    panel.update(&log, at(1.0));
    log.push(call(3, "A001", 4.0));
    panel.update(&log, at(4.0));
    assert_eq!(active(&panel), "A001 A002 |  | 0");
    assert_eq!(
        panel.view().active[0].since,
        at(4.0).mono,
        "stands out anew"
    );
}

#[test]
fn calls_that_fell_out_of_the_log_are_counted() {
    let mut panel = CallHighlighter::new(HighlightSettings::default());
    panel.update(&[call(1, "A001", 0.0)], at(0.0));
    panel.update(&[call(5, "A005", 9.0)], at(9.0));
    assert_eq!(panel.missed(), 3);
}

proptest! {
    /// Whatever comes when: each call stands out once, in order, and for its minimum time.
    #[test]
    fn every_call_is_shown_for_its_minimum_time(
        gaps in proptest::collection::vec(0u8..40, 1..MAX_LIST_SLOTS),
    ) {
        let settings = HighlightSettings::default();
        let mut panel = CallHighlighter::new(settings);
        let mut log: Vec<LoggedCall> = Vec::new();
        let mut when = 0.0;
        for (i, gap) in gaps.iter().enumerate() {
            when += f64::from(*gap) * 0.5;
            log.push(call(i as u64 + 1, &format!("A{i:03}"), when));
        }
        let mut first_seen = vec![None; log.len()];
        let mut last_seen = vec![0.0; log.len()];
        let mut step = 0;
        loop {
            let second = f64::from(step) * 0.25;
            let now = at(second);
            let known = log.iter().take_while(|c| c.received_at <= now.mono).count();
            panel.update(&log[..known], now);
            let view = panel.view();
            prop_assert!(view.active.len() <= MAX_LIST_SLOTS);
            let next = panel.next_change(now);
            prop_assert!(next.is_none_or(|next| next > now.mono), "a board would not sleep");
            prop_assert!(next.is_some() || view.active.is_empty(), "a board would sleep on");
            for shown in view.active.iter().rev() {
                let i = usize::try_from(shown.call.index).unwrap() - 1;
                if first_seen[i].is_none() {
                    prop_assert!(first_seen[..i].iter().all(Option::is_some), "out of order");
                    let waited = second - log[i].received_at.as_secs_f64();
                    let most = settings.max_backlog.as_secs_f64() + 0.26;
                    prop_assert!(waited <= most, "{i} waited {waited} s");
                    first_seen[i] = Some(second);
                }
                last_seen[i] = second;
            }
            if known == log.len() && view.active.is_empty() && view.waiting == 0 {
                break;
            }
            step += 1;
            prop_assert!(step < 20_000, "never ends");
        }
        for (i, first) in first_seen.iter().enumerate() {
            let shown = last_seen[i] - first.expect("every call was shown");
            prop_assert!(shown + 0.26 >= settings.min_highlight.as_secs_f64(), "{i} shown {shown} s");
        }
    }
}

#[test]
fn a_call_counts_as_shown_when_it_and_all_before_had_their_time() {
    let mut panel = CallHighlighter::new(HighlightSettings::default());
    assert_eq!(panel.shown(at(0.0)), 0);
    let log: Vec<_> = (1..=5).map(|i| call(i, &format!("A{i:03}"), 0.0)).collect();
    panel.update(&log, at(0.0));
    // Three stand out for 12 s, two wait for their places.
    for (second, shown) in [
        (0.0, 0),
        (11.9, 0),
        (12.0, 3),
        (23.8, 3),
        (23.9, 5), // they got their places at 11.9 s: crowded
        (99.0, 5),
    ] {
        panel.tick(at(second));
        assert_eq!(panel.shown(at(second)), shown, "after {second} s");
    }
    let mut old = call(6, "A006", 100.0);
    old.announce = false;
    panel.update(&[old], at(100.0));
    assert_eq!(panel.shown(at(100.0)), 6, "listed is all it gets");
}

#[test]
fn calls_of_other_queues_take_no_place() {
    let other = QueueId::new("koseki").unwrap();
    let mut panel =
        CallHighlighter::new(HighlightSettings::default()).for_queues(Some(vec![other.clone()]));
    let mut ours = call(5, "D007", 0.0);
    ours.queue = other;
    let log: Vec<_> = (1..=4)
        .map(|i| call(i, &format!("A{i:03}"), 0.0))
        .chain([ours])
        .collect();
    panel.update(&log, at(0.0));
    assert_eq!(active(&panel), "D007 |  | 0");
    assert_eq!((panel.shown(at(12.0)), panel.missed()), (5, 0));
}

#[test]
fn a_source_gone_wrong_does_not_fill_the_memory() {
    let mut panel = CallHighlighter::new(HighlightSettings::default());
    let mut shown = std::collections::BTreeSet::new();
    for second in 0..600_u64 {
        let log: Vec<_> = (1..=20)
            .map(|n| second * 20 + n)
            .map(|i| call(i, &format!("A{i}"), second as f64))
            .collect();
        panel.update(&log, at(second as f64));
        let view = panel.view();
        assert!(view.waiting <= MAX_WAITING);
        shown.extend(view.active.iter().map(|s| s.call.index));
    }
    let counted = shown.len() as u64 + panel.missed() + panel.view().waiting as u64;
    assert_eq!(counted, 12_000, "each stood out, waits, or is counted");
}
