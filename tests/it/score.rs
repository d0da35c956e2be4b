//! The wait ranges against days that were recorded with what happened to every ticket.

use crate::support;
use std::path::{Path, PathBuf};
use yobiban::roles::score::{Score, Tally, run, score};

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

/// The targets of a whole day, where the recording is at hand.
#[test]
fn a_whole_day_of_six_offices_is_foretold() {
    let shared = |name: &str| support::shared(&format!("days/2026-11-24.{name}"));
    let (Some(recording), Some(tickets)) = (shared("jsonl.gz"), shared("tickets.csv")) else {
        return;
    };
    let score: Score = score(&recording, &tickets).unwrap();
    let mut text = Vec::new();
    score.write(&mut text).unwrap();
    println!("{}", String::from_utf8_lossy(&text));
    check(&score.total(), "day", 0.27, [0.75, 0.85], 0.12);
    for ((office, queue), tally) in &score.queues {
        if tally.n > 60 {
            check(tally, &format!("{office}/{queue}"), 2.0, [0.68, 0.90], 0.30);
        }
    }
}
