//! The estimator from outside: small days, message by message.

use super::*;
use crate::model::{Call, CallKind, Label};
use jiff::civil::date;
use jiff::tz::offset;
use proptest::prelude::*;
use std::time::Duration;

const OPEN: i64 = 9 * 3600;

fn zone() -> TimeZone {
    TimeZone::fixed(offset(9))
}

/// A moment of the day, in seconds after midnight.
fn at(second: i64) -> Timestamp {
    let midnight = date(2026, 11, 24)
        .to_zoned(zone())
        .expect("day")
        .timestamp();
    midnight + Duration::from_secs(second.unsigned_abs())
}

fn id(queue: &str) -> QueueId {
    QueueId::new(queue).expect("id")
}

fn label(text: &str) -> Label {
    Label::new(text).expect("label")
}

fn call(no: u64, counter: &str, second: i64) -> Call {
    Call {
        no,
        ticket: label(&format!("A{no:03}")),
        counter: Label::new(counter).ok(),
        at: at(second),
        kind: CallKind::Call,
    }
}

fn state(second: i64, status: Status, waiting: u32, calls: &[Call]) -> QueueState {
    QueueState {
        seq: second.unsigned_abs(),
        at: at(second),
        day: date(2026, 11, 24),
        epoch: 0,
        status,
        waiting: Some(waiting),
        on_hold: Some(0),
        next: Vec::new(),
        held: Vec::new(),
        calls: calls.iter().rev().take(20).cloned().collect(),
        now_serving: None,
        wait: None,
    }
}

/// An office driven by hand-written messages.
struct Scenario(WaitEstimator);

impl Scenario {
    fn new() -> Self {
        Self(WaitEstimator::new(WaitSettings::new(zone())))
    }

    fn hear(&mut self, queue: &str, state: &QueueState) {
        self.0.observe(&id(queue), state, Now::at(state.at));
    }

    /// A queue called every `interval` seconds at alternating counters, always ten waiting, from
    /// opening until `until`.
    fn steady(mut self, queue: &str, interval: i64, until: i64) -> Self {
        let mut calls = Vec::new();
        self.hear(queue, &state(OPEN - 600, Status::Closed, 10, &calls));
        self.hear(queue, &state(OPEN, Status::Open, 10, &calls));
        for (no, second) in
            (1..).zip((OPEN + interval..until).filter(|s| (s - OPEN) % interval == 0))
        {
            calls.push(call(no, if no % 2 == 0 { "1" } else { "2" }, second));
            self.hear(queue, &state(second, Status::Open, 10, &calls));
        }
        self
    }

    fn ask(&self, queue: &str, second: i64) -> Option<(u32, u32)> {
        let range = self.0.estimate(&id(queue), Now::at(at(second)))?;
        Some((range.low(), range.high()))
    }
}

#[test]
fn a_steady_queue_is_foretold_by_its_own_pace() {
    for interval in [40, 120, 300] {
        let until = OPEN + 2 * 3600;
        let (low, high) = Scenario::new()
            .steady("a", interval, until)
            .ask("a", until)
            .expect("range");
        let truth = u32::try_from(11 * interval).expect("small");
        assert!(
            low < truth && truth < high,
            "{interval} s: {low}..{high} for {truth}"
        );
        assert!(high < 3 * truth, "{interval} s: {low}..{high} for {truth}");
    }
}

#[test]
fn a_wait_before_opening_includes_the_time_until_opening() {
    let mut office = Scenario::new();
    office.hear("a", &state(OPEN - 1800, Status::Closed, 0, &[]));
    let (low, high) = office.ask("a", OPEN - 1200).expect("about to open");
    assert!(low == 1200 && high <= 1300, "{low}..{high}");
    office.hear("a", &state(OPEN - 600, Status::Closed, 12, &[]));
    let (low, _) = office.ask("a", OPEN - 600).expect("about to open");
    assert!(low > 600, "{low}");
}

#[test]
fn a_closed_queue_has_no_wait_unless_it_is_about_to_open() {
    for (second, waiting, told) in [
        (6 * 3600, 0, false),        // night
        (6 * 3600, 3, true),         // somebody waits in front of the door
        (OPEN - 3500, 0, true),      // the last hour
        (OPEN + 300, 0, true),       // "open" may be on its way
        (OPEN + 900, 0, false),      // a day off
        (17 * 3600 + 60, 0, false),  // over
        (17 * 3600 + 60, 20, false), // over: nobody takes a ticket any more
    ] {
        let mut office = Scenario::new();
        office.hear("a", &state(second, Status::Closed, waiting, &[]));
        assert_eq!(
            office.ask("a", second).is_some(),
            told,
            "{waiting} at {second}"
        );
    }
}

#[test]
fn an_unknown_queue_has_no_wait() {
    let office = Scenario::new().steady("a", 60, OPEN + 600);
    assert_eq!(office.ask("b", OPEN + 600), None);
}

#[test]
fn a_counter_that_was_not_called_for_long_is_free() {
    let office = |age: i64| {
        let mut office = Scenario::new().steady("a", 60, OPEN + 3600);
        let second = OPEN + 3600 + age;
        let calls: Vec<Call> = (60..62)
            .map(|no| call(no, if no == 60 { "1" } else { "2" }, OPEN + 3600))
            .collect();
        office.hear("a", &state(OPEN + 3600, Status::Open, 0, &calls));
        office.ask("a", second).expect("range")
    };
    let (busy, free) = (office(5), office(1800));
    assert_eq!((busy.0, free.0), (0, 0));
    assert!(busy.1 > 60, "{busy:?}");
    assert!(free.1 <= 30, "{free:?}");
}

#[test]
fn a_fast_lane_waits_while_its_counters_serve_the_standard_lane() {
    let mut office = Scenario::new().steady("moving", 120, OPEN + 3600);
    let fast = [call(1, "1", OPEN + 3000)];
    office.hear("fast", &state(OPEN + 2900, Status::Open, 0, &[]));
    office.hear("fast", &state(OPEN + 3000, Status::Open, 0, &fast));
    // Nobody waits in the fast lane and its last call is old, but the counters are not free.
    let (low, high) = office.ask("fast", OPEN + 3590).expect("range");
    assert!(low > 0 && high > 120, "{low}..{high}");
}

#[test]
fn waits_across_lunch_are_longer() {
    let office = Scenario::new().steady("a", 100, 11 * 3600);
    let before = office.ask("a", 10 * 3600).expect("range");
    let across = office.ask("a", 11 * 3600 + 1200).expect("range");
    assert!(across.1 > before.1 + 120, "{across:?} against {before:?}");
}

#[test]
fn history_speaks_before_the_day_does() {
    let slow = [ServiceRate {
        busy_s: 40.0 * 600.0,
        calls: 40.0,
    }; 24];
    let mut history = RateHistory::default();
    history.add(&id("a"), date(2026, 11, 24).weekday(), &slow);
    let first = |history: RateHistory| {
        let settings = WaitSettings::new(zone());
        let mut office = Scenario(WaitEstimator::new(settings).with_history(history));
        office.hear("a", &state(OPEN, Status::Open, 10, &[]));
        office.ask("a", OPEN).expect("range")
    };
    let (without, with) = (first(RateHistory::default()), first(history));
    assert!(with.0 > 2 * without.0, "{with:?} against {without:?}");
}

#[test]
fn a_day_teaches_its_paces() {
    let office = Scenario::new().steady("a", 60, OPEN + 3600);
    let paces = office.0.hourly_rates(&id("a")).expect("known");
    let interval = paces[9].interval_s().expect("called");
    assert!((55.0..65.0).contains(&interval), "{interval}");
    assert_eq!(paces[8], ServiceRate::default());
}

#[test]
fn a_new_day_starts_afresh() {
    let mut office = Scenario::new().steady("a", 60, OPEN + 3600);
    let mut tomorrow = state(24 * 3600 + OPEN, Status::Open, 10, &[]);
    tomorrow.day = date(2026, 11, 25);
    office.hear("a", &tomorrow);
    let mut fresh = Scenario::new();
    fresh.hear("a", &tomorrow);
    let second = 24 * 3600 + OPEN;
    assert_eq!(office.ask("a", second), fresh.ask("a", second));
    // A message of yesterday changes nothing.
    office.hear("a", &state(OPEN + 3700, Status::Open, 99, &[]));
    assert_eq!(office.ask("a", second), fresh.ask("a", second));
}

#[test]
fn a_clock_that_cannot_be_believed_is_not_asked() {
    let office = Scenario::new().steady("a", 60, OPEN + 3600);
    let last = at(OPEN + 3540);
    let wrong = Now {
        wall: Timestamp::UNIX_EPOCH,
        mono: Now::at(last).mono + Duration::from_secs(60),
        synced: false,
    };
    let right = office.ask("a", OPEN + 3600);
    let told = office
        .0
        .estimate(&id("a"), wrong)
        .map(|r| (r.low(), r.high()));
    assert_eq!(told, right);
}

#[test]
fn a_node_that_starts_late_learns_from_the_listed_calls() {
    // Twenty calls 300 s apart are listed; the queue was never seen before.
    let calls: Vec<Call> = (1..=20)
        .map(|no| call(no, "1", 36000 + 300 * no.cast_signed()))
        .collect();
    let mut office = Scenario::new();
    office.hear("a", &state(42000, Status::Open, 4, &calls));
    let (low, high) = office.ask("a", 42000).expect("range");
    assert!(low < 1500 && 1500 < high, "{low}..{high}");
}

proptest! {
    /// Whatever a source says, the estimator neither panics nor tells nonsense.
    #[test]
    fn any_messages_give_a_range_or_none(
        messages in prop::collection::vec(
            (0..5_usize, 0..200_000_i64, 0..3_u8, any::<u32>(), prop::collection::vec((1..40_u64, 0..200_000_i64), 0..20)),
            0..60,
        ),
        ask in 0..400_000_i64,
    ) {
        let mut office = Scenario::new();
        for (queue, second, status, waiting, calls) in messages {
            let status = [Status::Open, Status::Paused, Status::Closed][usize::from(status)];
            let calls: Vec<Call> = calls.iter().map(|(no, s)| call(*no, if no % 2 == 0 { "1" } else { "" }, *s)).collect();
            let mut state = state(second, status, waiting, &calls);
            state.next = calls.iter().map(|c| c.ticket.clone()).collect();
            let queue = format!("q{queue}");
            office.hear(&queue, &state);
            if let Some((low, high)) = office.ask(&queue, ask) {
                prop_assert!(low <= high && high <= 24 * 3600);
            }
        }
    }
}

/// The same hour of another day.
fn moved(mut state: QueueState, days: i64) -> QueueState {
    let span = Duration::from_secs(86_400) * u32::try_from(days).expect("days");
    state.at += span;
    state.day = state
        .day
        .checked_add(jiff::ToSpan::days(days))
        .expect("day");
    for call in &mut state.calls {
        call.at += span;
    }
    state
}

#[test]
fn a_weekday_is_remembered_by_hour_also_through_a_restart() {
    // On Tuesdays this queue is called every 40 s in the morning. Who knows last Tuesday tells so
    // at nine; who does not tells what demand suggests.
    let first_week = Scenario::new().steady("a", 40, OPEN + 3 * 3600);
    let learnt = first_week.0.wait_history();
    assert_eq!(learnt.today.len(), 1, "the day is not over");
    assert_eq!(learnt.history, RateHistory::default());
    let middle = |mut office: Scenario| {
        let open = moved(state(OPEN, Status::Open, 10, &[]), 7);
        office.hear("a", &moved(state(OPEN - 600, Status::Closed, 10, &[]), 7));
        office.hear("a", &open);
        let range = office
            .0
            .estimate(&id("a"), Now::at(open.at))
            .expect("a wait");
        f64::from(range.low() + range.high()) / 2.0
    };
    let unknowing = middle(Scenario::new());
    let mut restarted = Scenario::new();
    restarted.0.restore_history(learnt);
    let (kept_on, after_restart) = (middle(first_week), middle(restarted));
    assert!(
        (kept_on - after_restart).abs() < 1.0,
        "{kept_on} {after_restart}"
    );
    let truth = 11.0 * 40.0;
    assert!(
        (kept_on - truth).abs() < 0.5 * (unknowing - truth).abs(),
        "{kept_on} with and {unknowing} without history, {truth} in truth"
    );
}

#[test]
fn a_restart_within_the_day_loses_no_hour() {
    let morning = Scenario::new()
        .steady("a", 60, OPEN + 3600)
        .0
        .wait_history();
    let mut office = Scenario::new();
    office.0.restore_history(morning.clone());
    office.hear("a", &state(OPEN + 3700, Status::Open, 10, &[]));
    let hours = *office.0.hourly_rates(&id("a")).expect("heard");
    assert_eq!(hours[9], morning.today[0].2[9]);
    // Queues that stay silent after the restart keep what they had, too.
    let mut other = Scenario::new();
    other.0.restore_history(morning.clone());
    other.hear("b", &state(OPEN + 3700, Status::Open, 10, &[]));
    let kept = other.0.wait_history().today;
    assert!(
        kept.iter()
            .any(|(q, _, hours)| *q == id("a") && hours[9] == morning.today[0].2[9])
    );
}

/// A day's first message of a queue that runs already, with these calls.
fn running(second: i64, waiting: u32, calls: &[Call]) -> Scenario {
    let mut office = Scenario::new();
    office.hear("a", &state(second, Status::Open, waiting, calls));
    office
}

#[test]
fn a_call_at_midnight_makes_no_wait_of_hours() {
    // An adapter without a time for its call takes midnight; a feed may list one of the night.
    let asked = 10 * 3600 + 5;
    let at_midnight = running(10 * 3600, 6, &[call(1, "3", 0)]).ask("a", asked);
    let just_now = running(10 * 3600, 6, &[call(1, "3", 9 * 3600 + 3300)]).ask("a", asked);
    assert_eq!(at_midnight, just_now);
    let (low, high) = at_midnight.expect("range");
    assert!((300..2400).contains(&low) && high < 3600, "{low}..{high}");
}

#[test]
fn calls_before_the_doors_or_too_few_are_no_window_in_which_people_were_counted() {
    let asked = 12 * 3600;
    let range = |calls: &[Call]| running(asked, 6, calls).ask("a", asked).expect("range");
    let none = range(&[]);
    let night: Vec<Call> = (1..=20)
        .map(|no| call(no, "1", 60 * no.cast_signed()))
        .collect();
    assert_eq!(range(&night), none, "calls of the night");
    let few: Vec<Call> = (1..=4)
        .map(|no| call(no, "1", OPEN + no.cast_signed()))
        .collect();
    assert_eq!(range(&few), none, "four calls three hours ago");
    // Twenty calls within working hours are a window: one every eight minutes.
    let many: Vec<Call> = (1..=20)
        .map(|no| call(no, "1", asked - 480 * (20 - no.cast_signed())))
        .collect();
    assert!(range(&many).1 > none.1, "{:?} {none:?}", range(&many));
}

#[test]
fn an_adapter_learns_its_pace_within_an_hour_of_its_first_day() {
    // The first call known is of midnight; then somebody is called every four minutes.
    let begin = 10 * 3600;
    let mut office = running(begin, 5, &[call(1, "1", 0)]);
    for no in 2..=16_u64 {
        let second = begin + 240 * (no.cast_signed() - 1);
        office.hear(
            "a",
            &state(second, Status::Open, 5, &[call(no, "1", second)]),
        );
    }
    let (low, high) = office.ask("a", begin + 3600).expect("range");
    let truth = 6 * 240;
    assert!(low < truth && truth < high && high < 3600, "{low}..{high}");
}

#[test]
fn a_long_wait_out_of_nothing_is_not_told() {
    let unknown = running(10 * 3600, 60, &[]);
    assert_eq!(unknown.ask("a", 10 * 3600), None);
    let seen: Vec<Call> = (1..=20)
        .map(|no| call(no, "1", 34_000 + 90 * no.cast_signed()))
        .collect();
    let (_, high) = running(10 * 3600, 60, &seen)
        .ask("a", 10 * 3600)
        .expect("evidence");
    assert!(high > 7200, "{high}");
}

#[test]
fn a_closed_queue_with_people_has_the_wait_of_its_last() {
    let mut office = Scenario::new().steady("a", 120, OPEN + 8 * 3600);
    let close = OPEN + 8 * 3600;
    let (low, high) = office.ask("a", close).expect("open");
    let listed: Vec<Call> = (200..220)
        .map(|no| call(no, "1", close - 220 * 60 + 60 * no.cast_signed()))
        .collect();
    office.hear("a", &state(close + 1, Status::Closed, 10, &listed));
    let last = office.ask("a", close + 1).expect("still called");
    let truth = 10 * 120;
    assert!(last.0 < truth && truth < last.1, "{last:?}");
    assert!(
        last.0 <= low && last.1 <= high,
        "nobody comes behind: {last:?} of {low}..{high}"
    );
    // Half of them are called; the rest wait half as long.
    let later = close + 600;
    let more: Vec<Call> = (201..221)
        .map(|no| call(no, "1", later - 220 * 60 + 60 * no.cast_signed()))
        .collect();
    office.hear("a", &state(later, Status::Closed, 5, &more));
    let half = office.ask("a", later).expect("still called");
    assert!(half.1 < last.1, "{half:?} {last:?}");
    office.hear("a", &state(later + 60, Status::Closed, 0, &more));
    assert_eq!(office.ask("a", later + 60), None, "nobody is left");
}

#[test]
fn a_closed_queue_that_calls_nobody_any_more_has_no_wait() {
    let calls: Vec<Call> = (1..=20)
        .map(|no| call(no, "1", 60_000 + 60 * no.cast_signed()))
        .collect();
    let closed = |second| state(second, Status::Closed, 4, &calls);
    let mut office = Scenario::new();
    // A node that starts after closing time knows from the calls that the queue was open.
    office.hear("a", &closed(61_300));
    assert!(office.ask("a", 61_300).is_some());
    office.hear("a", &closed(61_200 + 1900));
    assert_eq!(office.ask("a", 61_200 + 1900), None);
}

#[test]
fn what_is_told_holds_the_intervals_of_now() {
    let office = Scenario::new().steady("a", 100, OPEN + 2 * 3600);
    let range = |second| {
        office
            .0
            .estimate(&id("a"), Now::at(at(second)))
            .expect("range")
    };
    let mean = |second| range(second).intervals().expect("known").mean_s();
    let usual = mean(OPEN + 2 * 3600);
    assert!((85.0..125.0).contains(&usual), "{usual}");
    assert!(mean(12 * 3600) > 1.3 * usual, "at lunch");
}

#[test]
fn a_queue_that_shares_counters_is_faster_when_nobody_new_comes() {
    // Two queues at the same counters, each called every two minutes; only one has a long tail.
    let two = |fast: bool| {
        let mut office = Scenario::new().steady("moving", 120, 16 * 3600 + 1800);
        if fast {
            let mut calls = Vec::new();
            for (no, second) in (1..).zip((OPEN + 60..16 * 3600).step_by(240)) {
                calls.push(call(no, "1", second));
                office.hear("fast", &state(second, Status::Open, 0, &calls));
            }
        }
        let now = 16 * 3600 + 1800;
        let calls = [call(300, "2", now)];
        office.hear("moving", &state(now, Status::Open, 60, &calls));
        office.ask("moving", now).expect("range").1
    };
    assert!(two(true) < two(false), "{} {}", two(true), two(false));
}

#[test]
fn a_clock_that_is_wrong_for_a_while_makes_no_wait_of_hours() {
    // The source's clock is right all the time; the node's is believed, and hours off.
    let wait = |off: i64| {
        let mut office = Scenario::new().steady("a", 60, OPEN + 3600);
        let mut calls: Vec<Call> = (1..60)
            .map(|no| call(no, "1", OPEN + 60 * no.cast_signed()))
            .collect();
        let mut last = None;
        for no in 60..120_u64 {
            let second = OPEN + 60 * no.cast_signed();
            calls.push(call(no, "1", second));
            let right = Now::at(at(second));
            let wrong = (65..75).contains(&no);
            let now = Now {
                wall: right.wall + jiff::SignedDuration::from_secs(if wrong { off } else { 0 }),
                ..right
            };
            office
                .0
                .observe(&id("a"), &state(second, Status::Open, 10, &calls), now);
            last = office.0.estimate(&id("a"), now);
        }
        last.expect("a wait").middle()
    };
    let right = wait(0);
    for off in [-3 * 3600, -600, 600, 3 * 3600, 10 * 3600] {
        let found = wait(off);
        assert!(
            (found / right - 1.0).abs() < 0.15,
            "{off} s off: {found} for {right}"
        );
    }
}
