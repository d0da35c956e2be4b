//! Clocks that step, are not set, or stand in another zone: ages and days are right all the same.

use super::tests::{at, message, office, queue, settings};
use super::*;
use crate::clock::Now;
use crate::model::{Source, Status};
use jiff::{SignedDuration, Zoned};

/// A moment at which the wall clock is off by some seconds.
fn off(second: i64, by: i64) -> Now {
    let right = at(second);
    Now {
        wall: right.wall + SignedDuration::from_secs(by),
        ..right
    }
}

#[test]
fn a_clock_that_steps_makes_nothing_older_or_younger() {
    for step in [-7200, -30, 30, 7200] {
        let mut office = office();
        let first = message(1, 0, &["1:A001"]);
        office.apply(&queue(), first, Source::Feed, at(0)).unwrap();
        let fresh = |office: &Office, now| office.snapshot(now).queues[0].fresh;
        assert!(fresh(&office, off(100, step)), "stepped by {step} s");
        assert!(!fresh(&office, off(151, step)), "stepped by {step} s");
        let age = |office: &Office, now| {
            let view = office.snapshot(now).queues.remove(0);
            view.reading.and_then(|r| r.age(now))
        };
        assert_eq!(age(&office, off(100, step)), Some(Duration::from_secs(100)));
        // The next message is newer by its own number; only one that has not come yet by the node's
        // clock waits until that is right.
        let next = message(2, 110, &["2:A002", "1:A001"]);
        let changes = office.apply(&queue(), next.clone(), Source::Feed, off(110, step));
        if step == -7200 {
            assert!(matches!(
                changes,
                Err(Rejection::InFuture { path: "at", .. })
            ));
            let changes = office.apply(&queue(), next, Source::Feed, at(111));
            assert_eq!(changes.unwrap().calls.len(), 1);
        } else {
            assert_eq!(changes.unwrap().calls.len(), 1, "stepped by {step} s");
        }
    }
}

#[test]
fn a_call_is_new_by_the_message_that_tells_it_while_the_clock_is_unknown() {
    let unset = |second: i64| Now {
        wall: jiff::Timestamp::from_second(second).unwrap(),
        synced: false,
        ..at(second)
    };
    let mut office = office();
    let mut told = message(1, 0, &["2:A002", "1:A001"]);
    told.calls[1].at = at(-600).wall;
    let changes = office
        .apply(&queue(), told, Source::Feed, unset(0))
        .unwrap();
    let announced: Vec<_> = changes
        .calls
        .iter()
        .map(|c| (c.call.no, c.announce))
        .collect();
    assert_eq!(announced, [(1, false), (2, true)]);
    // Numbers of any day are shown, with their time, until a clock tells which day it is.
    let phase = |office: &Office, now| office.snapshot(now).queues[0].phase;
    assert_eq!(phase(&office, unset(3)), Phase::Today(Status::Open));
    assert_eq!(phase(&office, at(86_400 + 3)), Phase::NotOpenYet);
}

#[test]
fn days_end_at_the_midnight_of_the_configured_zone_also_on_days_of_25_hours() {
    let at = |time: &str| Now::at(time.parse::<Zoned>().unwrap().timestamp());
    for (zone, before, after) in [
        (
            "Asia/Tokyo",
            "2026-11-24T23:59:00[Asia/Tokyo]",
            "2026-11-25T00:03:00[Asia/Tokyo]",
        ),
        // Clocks go back at three: 25 hours.
        (
            "Europe/Berlin",
            "2026-10-25T23:59:00[Europe/Berlin]",
            "2026-10-26T00:03:00[Europe/Berlin]",
        ),
        (
            "America/St_Johns",
            "2026-11-01T23:59:00[America/St_Johns]",
            "2026-11-02T00:03:00[America/St_Johns]",
        ),
    ] {
        let (before, after) = (at(before), at(after));
        let zone = jiff::tz::TimeZone::get(zone).unwrap();
        let mut office = Office::new(Settings {
            timezone: zone.clone(),
            ..settings()
        });
        let mut state = message(1, 0, &["1:A001"]);
        state.at = before.wall;
        state.calls[0].at = before.wall;
        state.day = before.wall.to_zoned(zone).date();
        office.apply(&queue(), state, Source::Feed, before).unwrap();
        let phase = |now| office.snapshot(now).queues[0].phase;
        assert_eq!(phase(before), Phase::Today(Status::Open));
        assert_eq!(phase(after), Phase::NotOpenYet);
    }
}
