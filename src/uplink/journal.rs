//! Calls on the disk while the hub has not confirmed them: segments that are only appended to.
//!
//! One call a line: CRC-32 of the rest in hexadecimal, index, JSON. A power cut can only tear the
//! end of the newest segment; a line whose sum does not fit is counted and left out, the others
//! count. A segment goes when all its calls are confirmed, so a start may send some of them again:
//! the hub knows each call by its number and stores it once.
//!
//! Blocks on the medium: never called from a thread that others wait for.

use crate::model::Label;
use crate::wire::report::CallReport;
use serde_json::Value;
use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

/// Calls a segment: 200 kB, so that what is kept longer than needed is little.
const SEGMENT: u64 = 1_000;

/// Longest line that is read: a call has 250 bytes, with the longest labels 700.
const MAX_LINE: usize = 4096;

/// Replaces a ticket label that is empty after normalization: the call still counts.
const NO_TICKET: &str = "?";

/// The end of a segment's name; the beginning is the index of its first call in hexadecimal.
const SUFFIX: &str = "calls";

/// A file operation that failed.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} {}", path.display())]
pub struct JournalError {
    action: &'static str,
    /// On which file or folder.
    path: PathBuf,
    source: io::Error,
}

/// The folder of the segments, open for appending.
#[derive(Debug)]
pub(super) struct Journal {
    dir: PathBuf,
    /// Segments on the disk, oldest first, the newest last.
    segments: VecDeque<Segment>,
    /// The newest segment, while it takes more.
    open: Option<File>,
}

#[derive(Debug)]
struct Segment {
    path: PathBuf,
    /// Index of its last call.
    last: u64,
    calls: u64,
}

/// What the folder held at the start.
#[derive(Debug, Default)]
pub(super) struct JournalContents {
    /// Calls with their indices, oldest first.
    pub(super) calls: Vec<(u64, CallReport)>,
    /// Lines that were torn or damaged.
    pub(super) damaged: u64,
}

impl Journal {
    /// Opens the folder, made if it is not there, and reads what it holds.
    pub(super) fn open(dir: &Path) -> Result<(Self, JournalContents), JournalError> {
        fs::create_dir_all(dir).map_err(journal_error("make", dir))?;
        let mut names: Vec<(u64, PathBuf)> = Vec::new();
        for entry in fs::read_dir(dir).map_err(journal_error("read", dir))? {
            let path = entry.map_err(journal_error("read", dir))?.path();
            let index = path
                .extension()
                .filter(|e| *e == SUFFIX)
                .and_then(|_| path.file_stem()?.to_str())
                .and_then(|stem| u64::from_str_radix(stem, 16).ok());
            names.extend(index.map(|index| (index, path.clone())));
        }
        names.sort_unstable();
        let mut found = JournalContents::default();
        let mut segments = VecDeque::new();
        for (index, path) in names {
            let before = found.calls.len();
            read(&path, &mut found)?;
            let calls = found.calls.len() - before;
            let last = found.calls.last().map_or(index, |(last, _)| *last);
            segments.push_back(Segment {
                path,
                last,
                calls: calls as u64,
            });
        }
        // In order even if somebody copied a segment: the spool counts on it.
        found.calls.sort_by_key(|(index, _)| *index);
        found.calls.dedup_by_key(|(index, _)| *index);
        let journal = Self {
            dir: dir.to_owned(),
            segments,
            open: None,
        };
        Ok((journal, found))
    }

    /// Appends calls; they are on the medium when this returns.
    pub(super) fn append(&mut self, calls: &[(u64, CallReport)]) -> Result<(), JournalError> {
        let Some((first, last)) = calls.first().map(|c| c.0).zip(calls.last().map(|c| c.0)) else {
            return Ok(());
        };
        let mut text = Vec::with_capacity(calls.len() * 256);
        for (index, call) in calls {
            let json = serde_json::to_string(call).unwrap_or_default();
            let body = format!("{index} {json}");
            let sum = crc32fast::hash(body.as_bytes());
            text.extend_from_slice(format!("{sum:08x} {body}\n").as_bytes());
        }
        let full = self.segments.back().is_none_or(|s| s.calls >= SEGMENT);
        if full || self.open.is_none() {
            self.begin_segment(first)?;
        }
        let (Some(file), Some(segment)) = (&mut self.open, self.segments.back_mut()) else {
            return Ok(()); // begin_segment has just made both
        };
        let written = file.write_all(&text).and_then(|()| file.sync_data());
        if let Err(error) = written {
            // What is torn now must not be in the way of what comes later.
            let path = segment.path.clone();
            segment.last = segment.last.max(last);
            self.open = None;
            return Err(journal_error("write", &path)(error));
        }
        segment.last = last;
        segment.calls += calls.len() as u64;
        Ok(())
    }

    fn begin_segment(&mut self, first: u64) -> Result<(), JournalError> {
        let path = self.dir.join(format!("{first:016x}.{SUFFIX}"));
        let file = OpenOptions::new()
            .append(true)
            .create(true)
            .open(&path)
            .map_err(journal_error("create", &path))?;
        self.flush_folder()?;
        self.open = Some(file);
        if self.segments.back().is_none_or(|s| s.path != path) {
            self.segments.push_back(Segment {
                path,
                last: first,
                calls: 0,
            });
        }
        Ok(())
    }

    /// Removes the segments whose calls all come before this index.
    pub(super) fn release(&mut self, first: u64) -> Result<(), JournalError> {
        while self.segments.front().is_some_and(|s| s.last < first) {
            if self.segments.len() == 1 {
                self.open = None;
            }
            let Some(segment) = self.segments.pop_front() else {
                break;
            };
            match fs::remove_file(&segment.path) {
                Err(e) if e.kind() != io::ErrorKind::NotFound => {
                    let error = journal_error("remove", &segment.path)(e);
                    self.segments.push_front(segment);
                    return Err(error);
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn flush_folder(&self) -> Result<(), JournalError> {
        File::open(&self.dir)
            .and_then(|dir| dir.sync_all())
            .map_err(journal_error("flush", &self.dir))
    }
}

fn read(path: &Path, found: &mut JournalContents) -> Result<(), JournalError> {
    let file = File::open(path).map_err(journal_error("read", path))?;
    let mut lines = BufReader::new(file);
    let mut line = Vec::new();
    loop {
        line.clear();
        let length = lines
            .read_until(b'\n', &mut line)
            .map_err(journal_error("read", path))?;
        if length == 0 {
            return Ok(());
        }
        match parse_line(&line) {
            Some(call) => found.calls.push(call),
            None => found.damaged += 1,
        }
    }
}

/// A line's call, if it is whole.
fn parse_line(line: &[u8]) -> Option<(u64, CallReport)> {
    let line = line.strip_suffix(b"\n").filter(|l| l.len() <= MAX_LINE)?;
    let (sum, body) = std::str::from_utf8(line).ok()?.split_once(' ')?;
    if u32::from_str_radix(sum, 16) != Ok(crc32fast::hash(body.as_bytes())) {
        return None;
    }
    let (index, json) = body.split_once(' ')?;
    Some((index.parse().ok()?, parse_call(json)?))
}

/// A call as this version or an earlier one wrote it, which took more texts for labels.
fn parse_call(json: &str) -> Option<CallReport> {
    if let Ok(call) = serde_json::from_str(json) {
        return Some(call);
    }
    let mut call: Value = serde_json::from_str(json).ok()?;
    for (field, none) in [("ticket", NO_TICKET), ("counter", "")] {
        if let Some(Value::String(text)) = call.get_mut(field) {
            *text =
                Label::from_older_version(text).map_or_else(|| none.to_owned(), |l| l.to_string());
        }
    }
    serde_json::from_value(call).ok()
}

fn journal_error<'a>(
    action: &'static str,
    path: &'a Path,
) -> impl Fn(io::Error) -> JournalError + 'a {
    move |source| JournalError {
        action,
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::super::spool::tests::call as report;
    use super::*;
    use proptest::prelude::*;

    fn calls(range: std::ops::Range<u64>) -> Vec<(u64, CallReport)> {
        range.map(|i| (i, report(i))).collect()
    }

    fn reopen(dir: &Path) -> JournalContents {
        Journal::open(dir).expect("opened").1
    }

    fn files(dir: &Path) -> usize {
        fs::read_dir(dir).expect("folder").count()
    }

    #[test]
    fn what_was_appended_is_found_again_in_order() {
        let dir = tempfile::tempdir().expect("folder");
        let (mut journal, found) = Journal::open(dir.path()).expect("opened");
        assert!(found.calls.is_empty());
        journal.append(&calls(0..3)).expect("appended");
        journal.append(&calls(5..7)).expect("appended");
        let found = reopen(dir.path());
        let indices: Vec<u64> = found.calls.iter().map(|c| c.0).collect();
        assert_eq!(indices, [0, 1, 2, 5, 6]);
        assert_eq!(found.calls[4].1, report(6));
    }

    #[test]
    fn a_segment_goes_when_all_its_calls_are_confirmed() {
        let dir = tempfile::tempdir().expect("folder");
        let (mut journal, _) = Journal::open(dir.path()).expect("opened");
        for start in (0..2500).step_by(100) {
            journal
                .append(&calls(start..start + 100))
                .expect("appended");
        }
        assert_eq!(files(dir.path()), 3);
        journal.release(999).expect("released");
        assert_eq!(files(dir.path()), 3);
        journal.release(1000).expect("released");
        assert_eq!(files(dir.path()), 2);
        journal.release(2500).expect("released");
        assert_eq!(files(dir.path()), 0);
        journal.append(&calls(2500..2501)).expect("appended");
        assert_eq!(reopen(dir.path()).calls.len(), 1);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn a_torn_or_damaged_file_costs_only_the_lines_it_hit(
            cut in 0_usize..4000, flip in proptest::option::of((0_usize..4000, 1_u8..=255))
        ) {
            let dir = tempfile::tempdir().expect("folder");
            let (mut journal, _) = Journal::open(dir.path()).expect("opened");
            journal.append(&calls(0..20)).expect("appended");
            let path = dir.path().join(format!("{:016x}.{SUFFIX}", 0));
            let whole = fs::read(&path).expect("read");
            let mut bytes = whole[..cut.min(whole.len())].to_vec();
            let mut hit = None;
            if let Some((at, by)) = flip && at < bytes.len() {
                bytes[at] ^= by;
                hit = Some(at);
            }
            fs::write(&path, &bytes).expect("written");
            let found = reopen(dir.path());
            for (index, call) in &found.calls {
                prop_assert_eq!(call, &report(*index), "nothing is made up");
            }
            // Every line that was neither cut nor hit (nor lost its end to the hit) is there.
            let mut start = 0;
            for (index, line) in (0_u64..).zip(whole.split_inclusive(|b| *b == b'\n')) {
                let end = start + line.len();
                let safe = end <= bytes.len()
                    && hit.is_none_or(|at| at + 1 < start || at >= end);
                if safe {
                    prop_assert!(found.calls.iter().any(|c| c.0 == index), "line {}", index);
                }
                start = end;
            }
            // And the journal goes on.
            let (mut journal, _) = Journal::open(dir.path()).expect("opened");
            journal.append(&calls(100..101)).expect("appended");
            prop_assert!(reopen(dir.path()).calls.iter().any(|c| c.0 == 100));
        }
    }

    #[test]
    fn labels_that_an_earlier_version_took_do_not_damage_the_file() {
        let dir = tempfile::tempdir().expect("folder");
        let line = |index: u64, ticket: &str, counter: &str| {
            let body = format!(
                r#"{index} {{"queue":"a","day":"2026-11-24","epoch":0,"no":{index},"ticket":"{ticket}","counter":"{counter}","at":"2026-11-24T10:42:00+09:00","kind":"call"}}"#
            );
            format!("{:08x} {body}\n", crc32fast::hash(body.as_bytes()))
        };
        let written = [
            line(0, "A041", "3"),
            line(1, "Ａ０４２", "３番窓口"),
            line(2, "㈱㈱㈱㈱㈱", "㈱㈱㈱㈱㈱"),
            line(3, "\u{200b}", "\u{301}3"),
            line(4, "\u{301}7", "\u{200b}"),
            line(5, "A043", ""),
        ];
        fs::write(dir.path().join("0.calls"), written.concat()).expect("written");
        let found = reopen(dir.path());
        assert_eq!(found.damaged, 0);
        let read: Vec<_> = found
            .calls
            .iter()
            .map(|(_, c)| {
                (
                    c.ticket.as_str(),
                    c.counter.as_ref().map_or("", Label::as_str),
                )
            })
            .collect();
        assert_eq!(
            read,
            [
                ("A041", "3"),
                ("A042", "3番窓口"),
                ("(株)(株)(株)(株~", "(株)(株)(株)(株~"),
                ("?", "3"),
                ("7", ""),
                ("A043", ""),
            ]
        );
    }

    #[test]
    fn a_folder_that_cannot_be_made_says_which() {
        let dir = tempfile::tempdir().expect("folder");
        let file = dir.path().join("file");
        fs::write(&file, "").expect("written");
        let error = Journal::open(&file.join("spool")).expect_err("a file is no folder");
        assert!(error.to_string().contains("spool"), "{error}");
    }
}
