//! The estimator from outside: small days told message by message.

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
        wait: None,
    }
}

/// An office told by hand.
struct Told(WaitEstimator);

impl Told {
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
        let (low, high) = Told::new()
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
    let mut office = Told::new();
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
        let mut office = Told::new();
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
    let office = Told::new().steady("a", 60, OPEN + 600);
    assert_eq!(office.ask("b", OPEN + 600), None);
}

#[test]
fn a_counter_that_was_not_called_for_long_is_free() {
    let office = |age: i64| {
        let mut office = Told::new().steady("a", 60, OPEN + 3600);
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
    let mut office = Told::new().steady("moving", 120, OPEN + 3600);
    let fast = [call(1, "1", OPEN + 3000)];
    office.hear("fast", &state(OPEN + 2900, Status::Open, 0, &[]));
    office.hear("fast", &state(OPEN + 3000, Status::Open, 0, &fast));
    // Nobody waits in the fast lane and its last call is old, but the counters are not free.
    let (low, high) = office.ask("fast", OPEN + 3590).expect("range");
    assert!(low > 0 && high > 120, "{low}..{high}");
}

#[test]
fn waits_across_lunch_are_longer() {
    let office = Told::new().steady("a", 100, 11 * 3600);
    let before = office.ask("a", 10 * 3600).expect("range");
    let across = office.ask("a", 11 * 3600 + 1200).expect("range");
    assert!(across.1 > before.1 + 120, "{across:?} against {before:?}");
}

#[test]
fn history_speaks_before_the_day_does() {
    let slow = [Pace {
        busy_s: 40.0 * 600.0,
        calls: 40.0,
    }; 24];
    let mut history = History::default();
    history.add(&id("a"), date(2026, 11, 24).weekday(), &slow);
    let first = |history: History| {
        let settings = WaitSettings::new(zone());
        let mut office = Told(WaitEstimator::new(settings).with_history(history));
        office.hear("a", &state(OPEN, Status::Open, 10, &[]));
        office.ask("a", OPEN).expect("range")
    };
    let (without, with) = (first(History::default()), first(history));
    assert!(with.0 > 2 * without.0, "{with:?} against {without:?}");
}

#[test]
fn a_day_teaches_its_paces() {
    let office = Told::new().steady("a", 60, OPEN + 3600);
    let paces = office.0.paces(&id("a")).expect("known");
    let interval = paces[9].interval_s().expect("called");
    assert!((55.0..65.0).contains(&interval), "{interval}");
    assert_eq!(paces[8], Pace::default());
}

#[test]
fn a_new_day_starts_afresh() {
    let mut office = Told::new().steady("a", 60, OPEN + 3600);
    let mut tomorrow = state(24 * 3600 + OPEN, Status::Open, 10, &[]);
    tomorrow.day = date(2026, 11, 25);
    office.hear("a", &tomorrow);
    let mut fresh = Told::new();
    fresh.hear("a", &tomorrow);
    let second = 24 * 3600 + OPEN;
    assert_eq!(office.ask("a", second), fresh.ask("a", second));
    // A message of yesterday changes nothing.
    office.hear("a", &state(OPEN + 3700, Status::Open, 99, &[]));
    assert_eq!(office.ask("a", second), fresh.ask("a", second));
}

#[test]
fn a_clock_that_cannot_be_believed_is_not_asked() {
    let office = Told::new().steady("a", 60, OPEN + 3600);
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
    let mut office = Told::new();
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
        let mut office = Told::new();
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
    let first_week = Told::new().steady("a", 40, OPEN + 3 * 3600);
    let learnt = first_week.0.learnt();
    assert_eq!(learnt.today.len(), 1, "the day is not over");
    assert_eq!(learnt.history, History::default());
    let middle = |mut told: Told| {
        let open = moved(state(OPEN, Status::Open, 10, &[]), 7);
        told.hear("a", &moved(state(OPEN - 600, Status::Closed, 10, &[]), 7));
        told.hear("a", &open);
        let range = told.0.estimate(&id("a"), Now::at(open.at)).expect("a wait");
        f64::from(range.low() + range.high()) / 2.0
    };
    let unknowing = middle(Told::new());
    let mut restarted = Told::new();
    restarted.0.resume(learnt);
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
    let morning = Told::new().steady("a", 60, OPEN + 3600).0.learnt();
    let mut told = Told::new();
    told.0.resume(morning.clone());
    told.hear("a", &state(OPEN + 3700, Status::Open, 10, &[]));
    let hours = *told.0.paces(&id("a")).expect("heard");
    assert_eq!(hours[9], morning.today[0].2[9]);
    // Queues that stay silent after the restart keep what they had, too.
    let mut other = Told::new();
    other.0.resume(morning.clone());
    other.hear("b", &state(OPEN + 3700, Status::Open, 10, &[]));
    let kept = other.0.learnt().today;
    assert!(
        kept.iter()
            .any(|(q, _, hours)| *q == id("a") && hours[9] == morning.today[0].2[9])
    );
}
