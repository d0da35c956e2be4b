//! Recorded days, gzip or plain, read and moved to now.
//!
//! Lines come whole or not at all, the first error is the last item, and a moved message is JSON
//! where the recorded one was, with its raw bytes untouched where it was none.

use super::start;
use jiff::Timestamp;
use std::io::Cursor;
use yobiban::commands::replay::moved::{Mover, Ranks};
use yobiban::feed::recording::{Line, Payload, Recording};

/// A recording of more lines is long enough.
const MOST: usize = 256;

/// Reads a recording.
pub fn run(data: &[u8]) {
    let Ok(mut recording) = Recording::new(Cursor::new(data.to_vec())) else {
        return; // the first bytes cannot be read
    };
    let mut lines: Vec<Line> = Vec::new();
    let mut ended = false;
    for item in recording.by_ref().take(MOST) {
        assert!(!ended, "something follows an error");
        match item {
            Ok(line) => lines.push(line),
            Err(error) => {
                assert!(error.to_string().contains("line "), "{error}");
                ended = true;
            }
        }
    }
    assert!(!ended || recording.next().is_none());
    let mut ranks = Ranks::default();
    lines.iter().for_each(|line| ranks.note(line));
    let Some(first) = lines.first() else { return };
    for speed in [1.0, 3600.0, 0.001] {
        let mover = Mover::new(first.at, start().wall, speed, ranks.clone());
        lines.iter().for_each(|line| moved(&mover, line));
    }
    let mover = Mover::new(first.at, Timestamp::MAX, 1.0, ranks);
    lines.iter().for_each(|line| moved(&mover, line));
}

fn moved(mover: &Mover, line: &Line) {
    let payload = mover.payload(line);
    match &line.payload {
        Payload::Json(_) => {
            serde_json::from_slice::<serde_json::Value>(&payload).expect("still JSON");
            serde_json::from_slice::<serde_json::Value>(&line.payload.bytes()).expect("still JSON");
        }
        Payload::Raw(bytes) => assert_eq!(&payload, bytes),
    }
}
