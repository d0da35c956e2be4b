//! Days: the night between two, what goes on past midnight, and zones unlike Japan's.

use super::tests::{at, message, office, queue, settings};
use super::*;
use crate::clock::Now;
use crate::model::{QueueState, Source, Status};
use jiff::{SignedDuration, Timestamp, ToSpan};

fn apply(office: &mut Office, state: QueueState, now: Now) -> Result<Changes, Rejection> {
    office.apply(&queue(), state, Source::Feed, now)
}

/// From 10:00 of the tests' day to half past eight on the next.
const MORNING: i64 = 22 * 3600 + 1800;

#[test]
fn the_evening_s_numbers_are_not_the_morning_s_however_long_they_stay_fresh() {
    // A source that speaks only when something changes has a long `stale_after`.
    let long = Settings {
        stale_after: Duration::from_secs(24 * 3600),
        ..settings()
    };
    let mut node = Office::new(long.clone());
    apply(&mut node, message(1, 7 * 3600, &["1:A042"]), at(7 * 3600)).unwrap();
    let shown = node.snapshot(at(MORNING));
    assert_eq!(shown.queues[0].phase, Phase::NotOpenYet);
    // The broker's copy of it is no message of today either.
    let mut again = Office::new(long);
    let arrival = Arrival {
        delivery: Delivery::Retained,
        ..Source::Feed.into()
    };
    let copy = message(1, 7 * 3600, &["1:A042"]);
    let taken = again.apply(&queue(), copy, arrival, at(MORNING));
    assert!(
        matches!(taken, Err(Rejection::BusinessDayOver { .. })),
        "{taken:?}"
    );
    assert_eq!(
        again.snapshot(at(MORNING)).queues[0].phase,
        Phase::NotOpenYet
    );
}

#[test]
fn a_message_confirmed_without_a_clock_is_not_fresh_once_there_is_one() {
    let mut node = office();
    apply(&mut node, message(1, 0, &["1:A042"]), at(0)).unwrap();
    let kept = node.saved_state(0);
    // The node starts with a clock, loses it, and hears the same old message again.
    let mut node = office();
    node.restore(kept, at(3600));
    let unsynced = |second| Now {
        synced: false,
        ..at(second)
    };
    let again = apply(&mut node, message(1, 0, &["1:A042"]), unsynced(3610));
    assert!(matches!(again, Err(Rejection::Duplicate(_))), "{again:?}");
    node.verify_times(at(3620));
    assert!(!node.snapshot(at(3620)).queues[0].fresh);
}

/// An honest source around the clock in any zone: its day is the local date.
#[test]
fn days_begin_at_local_midnight_in_every_zone_and_on_every_date() {
    for (zone, from) in [
        ("Europe/Berlin", "2026-03-28T12:00:00Z"),
        ("Europe/Berlin", "2026-10-24T12:00:00Z"),
        ("America/St_Johns", "2026-03-07T12:00:00Z"),
        ("America/St_Johns", "2026-10-31T12:00:00Z"),
        ("Australia/Lord_Howe", "2026-04-04T00:00:00Z"),
        ("Australia/Lord_Howe", "2026-10-03T00:00:00Z"),
        ("America/New_York", "2026-11-23T12:00:00Z"),
        ("America/Sao_Paulo", "2018-11-03T12:00:00Z"), // midnight does not exist
        ("Africa/Cairo", "2026-04-23T12:00:00Z"),      // nor here
        ("America/Havana", "2026-10-31T12:00:00Z"),    // midnight comes twice
        ("Asia/Tokyo", "2028-02-28T12:00:00Z"),
    ] {
        let zone_of = jiff::tz::TimeZone::get(zone).unwrap();
        let start: Timestamp = from.parse().unwrap();
        for skew in [-100_i64, 100] {
            let mut node = Office::new(Settings {
                timezone: zone_of.clone(),
                ..settings()
            });
            let mut no = 0;
            let mut seen = None;
            let mut calls: Vec<crate::model::Call> = Vec::new();
            for minute in (0..48 * 60).filter(|m| m % 10 == 0 || !(4..57).contains(&(m % 60))) {
                let now = Now::at(start + SignedDuration::from_secs(minute * 60));
                let made = now.wall + skew.seconds();
                let day = made.to_zoned(zone_of.clone()).date();
                if seen != Some(day) {
                    (no, seen) = (0, Some(day));
                    calls.clear();
                }
                no += 1;
                let ticket = format!("{no}:A{no:04}");
                let mut state = message(0, 0, &[&ticket]);
                state.calls[0].at = made;
                calls.insert(0, state.calls[0].clone());
                calls.truncate(20);
                state.calls.clone_from(&calls);
                state.at = made;
                state.day = day;
                state.seq = u64::try_from(made.as_millisecond()).unwrap();
                if minute == 700 {
                    let kept = node.saved_state(0);
                    node = Office::new(Settings {
                        timezone: zone_of.clone(),
                        ..settings()
                    });
                    node.restore(kept, now);
                }
                let changes = apply(&mut node, state, now)
                    .unwrap_or_else(|e| panic!("{zone} {skew} {}: {e}", now.wall));
                assert_eq!(changes.calls.len(), 1, "{zone} {skew} {}", now.wall);
                assert!(changes.calls[0].announce && changes.missed == 0 && !changes.corrected);
                let view = node.snapshot(now).queues.remove(0);
                assert!(
                    view.fresh && view.phase == Phase::Today(Status::Open),
                    "{zone} {skew} {}",
                    now.wall
                );
            }
        }
    }
}
