//! What each fuzz target does with its bytes, and what must hold whatever they are.
//!
//! The bodies panic when a promise is broken, and know no fuzzer: `fuzz_targets` gives them to one,
//! and `tests/it/fuzz.rs` replays every seed through them in the usual test run.
//!
//! Where a target takes several messages, they stand one after the other with a byte 0x1e (the
//! record separator of ASCII) between them.

pub mod adapter;
pub mod board;
pub mod config;
pub mod feed;
mod html;
pub mod http;
mod hub;
pub mod kept;
pub mod mqtt;
pub mod opendata;
pub mod recording;
pub mod registry;
pub mod secrets;
pub mod serial;

use jiff::Timestamp;
use std::time::Duration;
use yobiban::clock::Now;

/// What takes an input, and panics when a promise does not hold.
pub type Target = fn(&[u8]);

/// A target by its name; the folder of its seeds bears it.
pub const ALL: [(&str, Target); 12] = [
    ("adapter", adapter::run),
    ("board", board::run),
    ("config", config::run),
    ("feed", feed::run),
    ("http", http::run),
    ("kept", kept::run),
    ("mqtt", mqtt::run),
    ("opendata", opendata::run),
    ("recording", recording::run),
    ("registry", registry::run),
    ("secrets", secrets::run),
    ("serial", serial::run),
];

/// More records than this in one input only make it slow.
const MOST_RECORDS: usize = 64;

/// The records of an input.
fn records(data: &[u8]) -> impl Iterator<Item = &[u8]> {
    data.split(|b| *b == 0x1e).take(MOST_RECORDS)
}

/// The first line of a record, if it is text, and the rest.
fn headed(record: &[u8]) -> (&str, &[u8]) {
    let end = record.iter().position(|b| *b == b'\n');
    let (line, rest) = end.map_or((&[][..], record), |end| {
        (&record[..end], &record[end + 1..])
    });
    std::str::from_utf8(line).map_or(("", record), |line| (line, rest))
}

/// A moment of the day from which the seeds are: 24 November 2026, 10:42:08 in Japan.
fn start() -> Now {
    let wall: Timestamp = "2026-11-24T10:42:08+09:00".parse().expect("a time");
    Now::at(wall)
}

/// Seconds of `then` later; the wall clock jumps by some more, as far as it goes.
fn later(then: Now, seconds: u32, jump: i32) -> Now {
    let wall = then.wall.as_second() + i64::from(seconds) + i64::from(jump);
    Now {
        wall: Timestamp::from_second(wall).unwrap_or(then.wall),
        mono: then.mono + Duration::from_secs(seconds.into()),
        synced: then.synced,
    }
}

/// The configuration of a node with two queues, to be gone on with.
const NODE: &str = r#"
[office]
id = "chuo"
name = { ja = "中央区" }
[node]
id = "n1"
[mqtt]
url = "mqtt://127.0.0.1"
[store]
dir = "store"
[[queue]]
id = "certificates"
name = { ja = "証明書の交付" }
[[queue]]
id = "moving"
name = { ja = "住所の異動" }
"#;
