//! The wait ranges against days that were recorded with what happened to every ticket.

use crate::support;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use yobiban::commands::score::{Score, Tally, run, score};

fn fixture() -> (PathBuf, PathBuf) {
    let dir = support::root().join("tests/fixtures/days");
    (
        dir.join("2026-11-24.jsonl.gz"),
        dir.join("2026-11-24.tickets.csv"),
    )
}

fn check(tally: &Tally, what: &str, mae: f64, inside: [f64; 2], above: f64) {
    assert_eq!(tally.untold, 0, "{what}: every ticket is told something");
    assert!(
        tally.mae_ratio() <= mae,
        "{what}: mae_ratio {}",
        tally.mae_ratio()
    );
    assert!(
        (inside[0]..=inside[1]).contains(&tally.inside()),
        "{what}: inside {}",
        tally.inside()
    );
    assert!(tally.above() <= above, "{what}: above {}", tally.above());
}

/// One office until the afternoon, with a restart of its ticketing system: few tickets, so the
/// bounds are wider than those of a day.
#[test]
fn a_day_of_one_office_is_foretold_across_a_restart() {
    let (recording, tickets) = fixture();
    let score = score(&recording, &tickets).unwrap();
    assert_eq!(score.total().n, 352);
    check(&score.total(), "office", 0.35, [0.72, 0.90], 0.15);
}

#[test]
fn the_last_line_is_the_total() {
    let (recording, tickets) = fixture();
    let mut out = Vec::new();
    run(&recording, &tickets, &mut out).unwrap();
    let out = String::from_utf8(out).unwrap();
    for row in [
        "0-5 min",
        "30-60 min",
        "last to enter service",
        "head of the line",
    ] {
        assert!(out.lines().any(|l| l.starts_with(row)), "{row} in {out}");
    }
    let last = out.lines().last().unwrap();
    let keys: Vec<&str> = last
        .split(' ')
        .map(|f| f.split('=').next().unwrap())
        .collect();
    assert_eq!(
        keys,
        ["total", "n", "mean_wait_s", "mae_ratio", "inside", "above"],
        "{last}"
    );
}

#[test]
fn a_file_that_is_missing_is_named() {
    let (recording, _) = fixture();
    let error = score(&recording, Path::new("no-such.csv")).unwrap_err();
    assert!(format!("{error:#}").contains("no-such.csv"), "{error:#}");
    let (_, tickets) = fixture();
    let error = score(Path::new("no-such.jsonl"), &tickets).unwrap_err();
    assert!(format!("{error:#}").contains("no-such.jsonl"), "{error:#}");
}

/// A whole day of six offices, where it is at hand, and how far its waits may be off.
struct Target {
    day: &'static str,
    mae: f64,
    /// Share inside the range of each queue with more than 60 tickets.
    each: [f64; 2],
    /// Of the best of the known predictors.
    known: [f64; 2],
}

/// An ordinary, a quiet and a crowded day. Their known predictors are off by about a third.
const DAYS: [Target; 3] = [
    Target {
        day: "2026-11-24",
        mae: 0.22,
        each: [0.68, 0.90],
        known: [0.28, 0.34],
    },
    Target {
        day: "2026-11-25",
        mae: 0.26,
        each: [0.66, 0.95],
        known: [0.28, 0.34],
    },
    Target {
        day: "2026-11-26",
        mae: 0.15,
        each: [0.62, 0.97], // the longest queues hear of their outcome hours later
        known: [0.28, 0.34],
    },
];

/// The score of a whole day, worked out once for all tests.
fn whole_day(day: &'static str) -> Option<Arc<Score>> {
    static SCORES: Mutex<BTreeMap<&str, Arc<Score>>> = Mutex::new(BTreeMap::new());
    let shared = |name: &str| support::shared(&format!("days/{day}.{name}"));
    let (recording, tickets) = (shared("jsonl.gz")?, shared("tickets.csv")?);
    let mut scores = SCORES.lock().unwrap();
    let score = scores.entry(day).or_insert_with(|| {
        let score: Score = score(&recording, &tickets).unwrap();
        let mut text = Vec::new();
        score.write(&mut text).unwrap();
        println!("{day}\n{}", String::from_utf8_lossy(&text));
        Arc::new(score)
    });
    Some(Arc::clone(score))
}

/// Better than the best of the known predictors, which is off by so much.
fn check_known(score: &Score, what: &str, known: [f64; 2]) {
    let best = score
        .known
        .mae_ratios()
        .into_iter()
        .fold(f64::MAX, f64::min);
    assert!((known[0]..=known[1]).contains(&best), "{what}: {best}");
    assert!(score.total().mae_ratio() < 0.9 * best, "{what}");
}

/// Of what is left to wait, how much is told too short or too long in each band, and of how many.
fn check_remaining(score: &Score, what: &str, n: u64, below: [f64; 2], above: f64) {
    for (band, minutes) in score.remaining.0.iter().zip([5, 10, 15, 30, 60]) {
        let what = format!("{what} up to {minutes} min: {band:?}");
        assert!(band.n > n, "{what}");
        assert!((below[0]..=below[1]).contains(&band.below()), "{what}");
        assert!(band.above() < above, "{what}");
    }
}

#[test]
fn whole_days_of_six_offices_are_foretold_better_than_by_the_known_predictors() {
    let (recording, tickets) = fixture();
    let office = score(&recording, &tickets).unwrap();
    check_known(&office, "office", [0.48, 0.54]);
    for Target {
        day,
        mae,
        each,
        known,
    } in DAYS
    {
        let Some(score) = whole_day(day) else { return };
        check(&score.total(), day, mae, [0.75, 0.85], 0.12);
        for ((office, queue), tally) in &score.queues {
            if tally.n > 60 {
                let what = format!("{day} {office}/{queue}");
                check(tally, &what, 2.0, each, 0.30);
            }
        }
        check_known(&score, day, known);
    }
}

/// Told too long a wait, somebody comes back late and misses the call.
#[test]
fn what_is_left_to_wait_is_seldom_shorter_than_told() {
    let (recording, tickets) = fixture();
    let office = score(&recording, &tickets).unwrap();
    check_remaining(&office, "office", 700, [0.0, 0.10], 0.08);
    for Target { day, .. } in DAYS {
        let Some(score) = whole_day(day) else { return };
        check_remaining(&score, day, 10_000, [0.05, 0.13], 0.25);
    }
}
