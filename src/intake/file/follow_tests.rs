//! A growing file through all that happens to it: nothing is lost, nothing comes twice.

use super::follow::{Follower, Look, MAX_DOUBT};
use super::split::MAX_LINE;
use super::{Encoding, FileConfig, LOOK_BACK, Position};
use crate::source::Seen;
use proptest::prelude::*;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

struct Bed {
    dir: TempDir,
    config: FileConfig,
    follower: Follower,
    position: Option<Position>,
    fault: Option<String>,
}

impl Bed {
    fn named(name: &str, change: impl FnOnce(&mut FileConfig)) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let mut config = FileConfig::follow(&dir.path().join(name));
        change(&mut config);
        Self {
            follower: Follower::new(&config, None),
            dir,
            config,
            position: None,
            fault: None,
        }
    }

    fn new() -> Self {
        Self::named("log.csv", |_| ())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).expect("written");
    }

    fn append(&self, name: &str, content: impl AsRef<[u8]>) {
        append(&self.path(name), content.as_ref());
    }

    fn rename(&self, from: &str, to: &str) {
        fs::rename(self.path(from), self.path(to)).expect("renamed");
    }

    /// All that is there now: lines of what was there before anybody looked begin with `~`.
    fn read(&mut self) -> Vec<String> {
        let mut lines = Vec::new();
        loop {
            let Look { batch, more, fault } = self.follower.look(false);
            self.fault = fault.map(|f| f.text);
            if let Some(batch) = batch {
                let sign = if batch.seen == Seen::Backlog { "~" } else { "" };
                lines.extend(batch.text.lines().map(|line| format!("{sign}{line}")));
                self.position = Some(batch.position);
            }
            if !more {
                return lines;
            }
        }
    }

    /// As after a power cut: with the last position that was saved, as text.
    fn restart(&mut self) {
        let saved = self
            .position
            .as_ref()
            .map(|p| serde_json::to_string(p).expect("JSON"));
        let from = saved.map(|text| serde_json::from_str(&text).expect("a position"));
        self.follower = Follower::new(&self.config, from);
    }
}

fn append(path: &Path, content: &[u8]) {
    let mut file = OpenOptions::new()
        .append(true)
        .create(true)
        .open(path)
        .expect("opened");
    file.write_all(content).expect("written");
}

#[test]
fn lines_come_once_and_whole() {
    let mut bed = Bed::new();
    bed.write("log.csv", "1\n2\n3");
    assert_eq!(bed.read(), ["~1", "~2"]);
    bed.append("log.csv", "0\r");
    assert_eq!(bed.read(), [""; 0]);
    bed.append("log.csv", "\n4\n");
    assert_eq!(bed.read(), ["30", "4"], "a line that became whole is live");
    assert_eq!(bed.read(), [""; 0]);
    bed.restart();
    bed.append("log.csv", "5\n");
    assert_eq!(bed.read(), ["~5"], "it came while nobody looked");
    bed.append("log.csv", "6\n");
    assert_eq!(bed.read(), ["6"]);
}

#[test]
fn a_rotated_file_is_read_to_its_end_first() {
    for restarts in [false, true] {
        let mut bed = Bed::new();
        bed.write("log.csv", "1\n");
        assert_eq!(bed.read(), ["~1"]);
        bed.append("log.csv", "2\n");
        bed.rename("log.csv", "log.csv.1");
        if restarts {
            bed.restart();
        }
        bed.append("log.csv.1", "3\n");
        bed.write("log.csv", "4\n");
        let sign = if restarts { "~" } else { "" };
        let all = ["2", "3", "4"].map(|line| format!("{sign}{line}"));
        assert_eq!(bed.read(), all, "restarts: {restarts}");
        bed.append("log.csv", "5\n");
        assert_eq!(bed.read(), ["5"]);
    }
}

#[test]
fn a_file_renamed_without_a_new_one_is_read_on_and_missed() {
    let mut bed = Bed::new();
    bed.write("log.csv", "1\n");
    bed.read();
    bed.rename("log.csv", "old.csv");
    bed.append("old.csv", "2\n");
    assert_eq!(bed.read(), ["2"]);
    assert!(
        bed.fault
            .take()
            .is_some_and(|f| f.ends_with("log.csv: no such file"))
    );
    bed.write("log.csv", "3\n");
    assert_eq!(bed.read(), ["3"]);
    assert_eq!(bed.fault, None);
}

#[test]
fn an_emptied_file_begins_again_even_when_it_is_longer_than_before() {
    let mut bed = Bed::new();
    bed.write("log.csv", "11\n12\n");
    bed.read();
    bed.write("log.csv", "2\n");
    assert_eq!(bed.read(), ["2"]);
    bed.write("log.csv", "31\n32\n33\n34\n");
    assert_eq!(bed.read(), ["31", "32", "33", "34"]);
    // The same beginning, other lines behind it.
    let begin = "head\n".repeat(300);
    bed.write("log.csv", format!("{begin}a\n"));
    bed.read();
    bed.write("log.csv", format!("{begin}b\nc\n"));
    let mut found = Vec::new();
    for _ in 0..=MAX_DOUBT {
        found.extend(bed.read());
    }
    assert_eq!(found.len(), 302);
    assert_eq!(found[300..], ["b", "c"]);
}

#[test]
fn a_file_that_is_uploaded_again_continues() {
    for in_place in [true, false] {
        let mut bed = Bed::new();
        bed.write("log.csv", "1\n2\n3\n");
        bed.read();
        let old = bed.path("log.csv");
        if in_place {
            bed.write("log.csv", "");
        } else {
            // The old one stays open: its number is not given to the new one.
            fs::remove_file(&old).expect("removed");
            bed.write("log.csv", "");
        }
        assert_eq!(bed.read(), [""; 0]);
        bed.append("log.csv", "1\n2");
        assert_eq!(bed.read(), [""; 0]);
        bed.append("log.csv", "\n3\n4\n");
        assert_eq!(bed.read(), ["4"], "in place: {in_place}");
    }
}

#[test]
fn an_emptied_file_with_the_same_first_lines_is_read_again_after_some_looks() {
    let mut bed = Bed::new();
    bed.write("log.csv", "1\n2\n");
    bed.read();
    bed.write("log.csv", "1\n");
    let looks: Vec<Vec<String>> = (0..=MAX_DOUBT).map(|_| bed.read()).collect();
    assert!(looks[..10].iter().all(Vec::is_empty), "{looks:?}");
    assert_eq!(looks[10], ["1"]);
}

#[test]
fn the_names_of_the_columns_are_in_front_of_each_payload() {
    let mut bed = Bed::named("log.csv", |config| config.header = true);
    bed.write("log.csv", "time,no\n8:00,1\n");
    assert_eq!(bed.read(), ["~time,no", "~8:00,1"]);
    bed.append("log.csv", "8:01,2\n");
    assert_eq!(bed.read(), ["time,no", "8:01,2"]);
    bed.restart();
    bed.append("log.csv", "8:02,3\n");
    assert_eq!(bed.read(), ["~time,no", "~8:02,3"]);
    bed.rename("log.csv", "log.1");
    bed.write("log.csv", "time,no\n");
    assert_eq!(bed.read(), [""; 0], "perhaps uploaded again");
    bed.append("log.csv", "8:03,4\n");
    assert_eq!(bed.read(), ["time,no", "8:03,4"]);
}

#[test]
fn encodings_are_read_with_and_without_a_mark() {
    let utf16 =
        |text: &str| -> Vec<u8> { text.encode_utf16().flat_map(u16::to_le_bytes).collect() };
    let mut bed = Bed::named("log.csv", |config| config.encoding = Encoding::Cp932);
    bed.write("log.csv", b"1,\x91\x8b\x8c\xfb\r\n\xef");
    assert_eq!(bed.read(), ["~1,窓口"]);
    // A mark goes before the configuration.
    bed.write(
        "log.csv",
        [b"\xff\xfe".to_vec(), utf16("2,窓口\r\n3")].concat(),
    );
    assert_eq!(bed.read(), ["2,窓口"]);
    bed.append("log.csv", utf16("0,ਊ\r\n"));
    assert_eq!(bed.read(), ["30,ਊ"]);
    bed.restart();
    bed.append("log.csv", utf16("4\n"));
    assert_eq!(bed.read(), ["~4"]);
    bed.write("log.csv", "\u{feff}5,窓\n");
    assert_eq!(bed.read(), ["5,窓"]);
}

#[test]
fn bytes_that_are_no_text_are_said() {
    let mut bed = Bed::new();
    bed.write("log.csv", b"A\xff\n");
    let batch = bed.follower.look(false).batch.expect("a line");
    assert!(batch.malformed);
    assert_eq!(batch.text, "A\u{fffd}\n");
}

#[test]
fn zeros_that_are_written_in_advance_are_waited_for() {
    let mut bed = Bed::new();
    bed.write("log.csv", [b"1\n".to_vec(), vec![0; 200_000]].concat());
    assert_eq!(bed.read(), ["~1"]);
    let mut file = OpenOptions::new()
        .write(true)
        .open(bed.path("log.csv"))
        .expect("opened");
    file.write_all(b"1\n2\n").expect("written");
    assert_eq!(bed.read(), ["~2"]);
    // A power cut leaves zeros, and the log continues behind them.
    bed.append("log.csv", "3\n");
    assert_eq!(bed.read().last().map(String::as_str), Some("3"));
}

#[test]
fn a_line_that_is_too_long_is_counted_and_left_out() {
    let mut bed = Bed::new();
    bed.write("log.csv", "1\n");
    bed.read();
    let mut skipped = 0;
    for end in ["", "", "\n2\n"] {
        bed.append("log.csv", "x".repeat(MAX_LINE) + end);
        bed.restart(); // within the line
        loop {
            let look = bed.follower.look(false);
            let Some(batch) = look.batch else {
                if look.more {
                    continue;
                }
                break;
            };
            skipped += batch.skipped;
            bed.position = Some(batch.position);
            assert_eq!(batch.text, if end.is_empty() { "" } else { "2\n" });
        }
    }
    assert_eq!(skipped, 1);
}

#[test]
fn of_a_file_of_years_only_the_end_is_read() {
    let mut bed = Bed::named("log.csv", |config| config.header = true);
    let line = "20160401,08:30,0,1,1\r\n";
    let lines = usize::try_from(LOOK_BACK).expect("fits") / line.len() * 2;
    bed.write(
        "log.csv",
        format!("day,time,kind,code,no\r\n{}", line.repeat(lines)),
    );
    // Sparse: gigabytes of zeros in front cost neither disk nor time.
    let read = bed.read();
    assert_eq!(read[0], "~day,time,kind,code,no");
    let bytes: u64 = read.iter().map(|l| l.len() as u64 + 1).sum();
    assert!(bytes <= LOOK_BACK + LOOK_BACK / 100, "{bytes}");
    assert!(bytes > LOOK_BACK / 2, "{bytes}");
    assert!(
        read.iter()
            .all(|l| l.len() == 21 || l.len() == 22 || l.len() == 23),
        "whole lines"
    );
    bed.append("log.csv", "20261124,08:36,0,1,2\r\n");
    assert_eq!(
        bed.read(),
        ["day,time,kind,code,no", "20261124,08:36,0,1,2"]
    );
}

#[test]
fn a_file_a_day_is_read_one_after_the_other() {
    let mut bed = Bed::named("2026*.csv", |_| ());
    assert_eq!(bed.read(), [""; 0]);
    assert!(
        bed.fault
            .take()
            .is_some_and(|f| f.contains("no file of that name"))
    );
    bed.write("20261122.csv", "0\n");
    bed.write("20261123.csv", "1\n");
    assert_eq!(bed.read(), ["~1"], "the newest only");
    bed.append("20261123.csv", "2\n");
    bed.restart();
    bed.write("20261124.csv", "3\n");
    bed.write("20261125.csv", "4\n");
    assert_eq!(bed.read(), ["~2", "~3", "~4"]);
    bed.write("20261126.csv", "5\n");
    assert_eq!(bed.read(), ["5"]);
}

#[test]
fn what_came_during_a_long_gap_is_not_live() {
    let mut bed = Bed::new();
    bed.write("log.csv", "");
    bed.read();
    bed.append("log.csv", "1\n");
    let batch = bed.follower.look(true).batch.expect("a line");
    assert_eq!(batch.seen, Seen::Backlog);
}

proptest! {
    /// A machine that writes pieces of lines, rotates, and a reader that looks and restarts, in any order.
    #[test]
    fn nothing_is_lost_and_nothing_comes_twice(steps in prop::collection::vec(0u8..8, 1..60)) {
        let mut bed = Bed::new();
        let (mut written, mut found, mut rotations) = (0, Vec::new(), 0);
        let mut half = false;
        let mut looked = true;
        bed.write("log.csv", "");
        bed.read();
        for step in steps {
            match step {
                0..=2 if !half => {
                    written += 1;
                    bed.append("log.csv", format!("{written}\n"));
                }
                0..=2 => {
                    bed.append("log.csv", "\n");
                    half = false;
                }
                3 if !half => {
                    written += 1;
                    bed.append("log.csv", format!("{written}"));
                    half = true;
                }
                // A machine that rotates twice while nobody looks loses what is between.
                4 if !half && looked => {
                    rotations += 1;
                    bed.rename("log.csv", &format!("log.csv.{rotations}"));
                    bed.write("log.csv", "");
                    looked = false;
                }
                5 => bed.restart(),
                _ => {
                    // As many looks as an empty new file is doubted, and one to read it.
                    for _ in 0..MAX_DOUBT + 2 {
                        found.extend(bed.read());
                    }
                    looked = true;
                }
            }
        }
        if half {
            bed.append("log.csv", "\n");
        }
        for _ in 0..MAX_DOUBT + 2 {
            found.extend(bed.read());
        }
        let found: Vec<u32> = found.iter().map(|l| l.trim_start_matches('~').parse().expect("a number")).collect();
        prop_assert_eq!(found, (1..=written).collect::<Vec<u32>>());
    }
}
