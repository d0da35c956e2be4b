//! A machine's log through tree, rule and ledger: after each minute the last call and the people waiting
//! are the true ones, however the log is read.

use super::fixtures::{Board, fixture, shared, zone};
use super::ledger::{Ledger, WaitingKind};
use super::observation::Seen;
use super::tree::{self, Format};
use crate::clock::Now;
use jiff::{SignedDuration, Timestamp, civil::DateTime};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::path::Path;

const CSV: Format = Format::Csv {
    header: false,
    delimiter: b',',
};

/// A machine's log with its truth: code, first and last number of each queue.
struct Log {
    lines: Vec<String>,
    truth: Vec<(String, String, String, Option<i64>)>,
    queues: Vec<(u32, &'static str, [u32; 2])>,
}

impl Log {
    fn read(log: &Path, truth: &Path, queues: &[(u32, &'static str, [u32; 2])]) -> Self {
        let text = std::fs::read_to_string(log).unwrap();
        let truth = std::fs::read_to_string(truth).unwrap();
        let row = |line: &str| {
            let fields: Vec<&str> = line.split(',').collect();
            let text = |i: usize| fields[i].to_owned();
            (text(0), text(1), text(2), fields[3].parse().ok())
        };
        Self {
            lines: text.split_inclusive('\n').map(str::to_owned).collect(),
            truth: truth.lines().skip(1).map(row).collect(),
            queues: queues.to_vec(),
        }
    }

    fn invented() -> Self {
        Self::read(
            &fixture("sources/machine.csv"),
            &fixture("sources/machine.truth.csv"),
            &[(7, "7", [101, 112]), (8, "8", [501, 540])],
        )
    }

    fn minute(line: &str) -> &str {
        line.get(9..14).unwrap()
    }

    fn date(&self) -> String {
        let line = &self.lines[0];
        format!("{}-{}-{}", &line[..4], &line[4..6], &line[6..8])
    }

    fn moment(&self, minute: &str) -> Timestamp {
        let local: DateTime = format!("{}T{minute}", self.date()).parse().unwrap();
        local.to_zoned(zone()).unwrap().timestamp()
    }

    fn boards(&self) -> BTreeMap<&'static str, Board> {
        let board = |(code, name, [first, last]): &(u32, &'static str, [u32; 2])| {
            let toml = format!(
                r#"
                queue = "a"
                shape = "event"
                each = ""
                when = {{ path = "/3", equals = {code} }}
                kind = {{ path = "/2", map = {{ 0 = "issue", 1 = "call", 2 = "cancel" }} }}
                ticket = "/4"
                at = {{ date = "/0", time = "/1", format = "%Y%m%d %H:%M" }}
                range = [{first}, {last}]
                issue_passes = 2
                "#
            );
            (*name, Board::new(&toml, false))
        };
        self.queues.iter().map(board).collect()
    }
}

/// What a board shows is held against the truth of a minute; whether people waiting were known.
fn check(log: &Log, boards: &BTreeMap<&'static str, Board>, minute: &str) -> usize {
    let at = format!("{}T{minute}", log.date());
    let mut known = 0;
    for (_, queue, called, waiting) in log.truth.iter().filter(|row| row.0 == at) {
        let board = &boards[queue.as_str()];
        assert_eq!(board.shown(), *called, "{at} {queue}");
        let state = board.last.state.as_ref().unwrap();
        match state.waiting {
            Some(n) => {
                assert_eq!(Some(i64::from(n)), *waiting, "{at} {queue}");
                assert_eq!(board.last.waiting, WaitingKind::Counted);
                known += 1;
            }
            None => assert_eq!(board.last.waiting, WaitingKind::Unknown),
        }
    }
    known
}

/// Plays a log in reads of so many lines; `clock` says when a minute's line is read. Rows of the truth
/// of which people waiting were known.
fn play(
    log: &Log,
    sizes: &[usize],
    clock: impl Fn(usize, Timestamp) -> Now,
) -> (usize, BTreeMap<&'static str, Board>) {
    let mut boards = log.boards();
    let mut known = 0;
    let (mut from, mut read) = (0, 0);
    while from < log.lines.len() {
        let minute = Log::minute(&log.lines[from]).to_owned();
        let of_minute = log.lines[from..]
            .iter()
            .take_while(|l| Log::minute(l) == minute);
        let size = sizes[read % sizes.len()].max(1).min(of_minute.count());
        let text = log.lines[from..from + size].concat();
        let tree = tree::parse(text.as_bytes(), &CSV).unwrap();
        from += size;
        read += 1;
        let now = clock(read, log.moment(&minute));
        for board in boards.values_mut() {
            let reading = board.hear(&tree, now);
            assert_eq!(reading.problems, []);
        }
        let over = log
            .lines
            .get(from)
            .is_none_or(|next| Log::minute(next) != minute);
        if over {
            known += check(log, &boards, &minute);
        }
    }
    (known, boards)
}

/// The reader keeps up with the machine.
fn live(read: usize, minute: Timestamp) -> Now {
    let seconds = i64::try_from(read % 50).unwrap();
    Now::at(minute + SignedDuration::from_secs(seconds))
}

/// Each call of the log is shown once: tickets in the order of the log but for lines of one minute.
fn calls_are_those_of_the_log(log: &Log, boards: &BTreeMap<&'static str, Board>) {
    for (code, name, _) in &log.queues {
        let of_queue = |line: &&String| line.get(15..18) == Some(&format!("1,{code},")[..3]);
        let calls = log.lines.iter().filter(of_queue);
        let mut written: Vec<(&str, u32)> = calls
            .map(|line| (Log::minute(line), line.trim()[19..].parse().unwrap()))
            .collect();
        assert!(!written.is_empty());
        let shown = &boards[name].calls;
        let mut tickets: Vec<(&str, u32)> = shown
            .iter()
            .zip(&written)
            .map(|((ticket, ..), (minute, _))| (*minute, ticket.parse().unwrap()))
            .collect();
        assert_eq!(shown.len(), written.len());
        written.sort();
        tickets.sort();
        assert_eq!(tickets, written);
        assert!(shown.iter().all(|(.., again)| !again), "{name}: {shown:?}");
        assert_eq!(boards[name].missed, 0);
    }
}

#[test]
fn the_invented_log_is_read_as_it_was() {
    let log = Log::invented();
    for sizes in [&[1][..], &[100], &[2, 1, 3]] {
        let (known, boards) = play(&log, sizes, live);
        calls_are_those_of_the_log(&log, &boards);
        // After the last issue that is written, two passes through twelve numbers, nobody knows; at that
        // very moment it is known.
        assert!((21..=22).contains(&known), "{sizes:?}: {known}");
    }
}

#[test]
fn a_log_of_another_day_played_sixty_times_as_fast_is_read_the_same() {
    let log = Log::invented();
    let start: Timestamp = "2026-11-24T09:00:00+09:00".parse().unwrap();
    let fast = |read: usize, _| {
        Now::at(start + SignedDuration::from_millis(300 * i64::try_from(read).unwrap()))
    };
    let (_, boards) = play(&log, &[1], fast);
    calls_are_those_of_the_log(&log, &boards);
}

#[test]
fn whole_logs_are_read_as_they_were() {
    const CHUO: [(u32, &str, [u32; 2]); 5] = [
        (1, "certificates", [1, 300]),
        (2, "moving", [301, 600]),
        (3, "moving-fast", [601, 800]),
        (4, "mynumber", [801, 900]),
        (5, "koseki", [901, 999]),
    ];
    const INAGE: [(u32, &str, [u32; 2]); 5] = [
        (1, "certificates", [1, 120]),
        (2, "moving", [301, 340]),
        (3, "moving-fast", [601, 620]),
        (4, "mynumber", [801, 840]),
        (5, "koseki", [901, 920]),
    ];
    for (name, queues) in [("machine", CHUO), ("machine-small", INAGE)] {
        let (Some(log), Some(truth)) = (
            shared(&format!("eventlog/{name}.csv")),
            shared(&format!("eventlog/{name}.truth.csv")),
        ) else {
            continue;
        };
        let log = Log::read(&log, &truth, &queues);
        for sizes in [&[1][..], &[1000], &[3, 1]] {
            let (known, boards) = play(&log, sizes, live);
            calls_are_those_of_the_log(&log, &boards);
            println!(
                "{name} {sizes:?}: {} of {} minutes known",
                known,
                log.truth.len()
            );
            assert!(known * 10 >= log.truth.len() * 8, "{known}");
        }
    }
}

#[test]
fn a_node_that_stops_in_the_middle_and_reads_the_log_again_from_its_start_repeats_nothing() {
    let log = Log::invented();
    let (_, whole) = play(&log, &[1], live);
    for cut in [1, 20, 37, 50, log.lines.len()] {
        let mut boards = log.boards();
        let hear = |board: &mut Board, lines: &[String], seen: Seen, at: Timestamp| {
            let tree = tree::parse(lines.concat().as_bytes(), &CSV).unwrap();
            board.hear_from(&tree, 1, seen, Now::at(at));
        };
        let board = boards.get_mut("7").unwrap();
        for line in &log.lines[..cut] {
            let at = log.moment(Log::minute(line)) + SignedDuration::from_secs(20);
            hear(board, std::slice::from_ref(line), Seen::Live, at);
        }
        let at = log.moment(Log::minute(&log.lines[cut - 1])) + SignedDuration::from_secs(30);
        let saved = board.ledger.saved(Now::at(at));
        let text = serde_json::to_string(&saved).unwrap();
        let settings = board
            .mapping
            .ledger(super::ledger::LedgerSettings::new(zone()));
        board.ledger = Ledger::resume(settings, serde_json::from_str(&text).unwrap());
        // All that was written by ten, in one read.
        board.ledger.rewind();
        let later = log.moment("10:00");
        hear(board, &log.lines, Seen::Backlog, later);
        let tickets = |board: &Board| {
            let tickets = board.calls.iter().map(|(ticket, ..)| ticket.clone());
            tickets.collect::<Vec<_>>()
        };
        // Twenty calls are listed: those of a longer outage are missed, as with any source.
        let state = board.last.state.as_ref().unwrap();
        let all = whole["7"].last.state.as_ref().unwrap();
        assert_eq!(state.calls[0].no, all.calls[0].no, "cut at {cut}");
        let (mut left, mut right) = (tickets(board), tickets(&whole["7"]));
        let n = left.len().min(20);
        left.drain(..left.len() - n);
        right.drain(..right.len() - n);
        left.sort();
        right.sort();
        assert_eq!(left, right, "cut at {cut}");
        assert_eq!(board.shown(), whole["7"].shown());
    }
}

#[test]
fn a_start_within_the_day_knows_nobody_waiting_until_calls_follow_issues() {
    let log = Log::invented();
    let mut boards = log.boards();
    let board = boards.get_mut("7").unwrap();
    let from = log
        .lines
        .iter()
        .position(|l| Log::minute(l) == "08:53")
        .unwrap();
    for line in &log.lines[from..] {
        let tree = tree::parse(line.as_bytes(), &CSV).unwrap();
        board.hear(&tree, Now::at(log.moment(Log::minute(line))));
        let state = board.last.state.as_ref().unwrap();
        assert_eq!(state.waiting, None, "{line}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn however_a_log_is_cut_into_reads_it_says_the_same(sizes in proptest::collection::vec(1_usize..6, 1..12)) {
        let log = Log::invented();
        let (known, boards) = play(&log, &sizes, live);
        prop_assert!((21..=22).contains(&known));
        calls_are_those_of_the_log(&log, &boards);
    }
}
