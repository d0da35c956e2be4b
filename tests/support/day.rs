//! A recorded day as a test sees it: read without the code under test.

use flate2::read::GzDecoder;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

/// One line of a recording.
pub struct Line {
    /// Moment of arrival, RFC 3339.
    pub at: String,
    /// Full topic.
    pub topic: String,
    /// Bytes as published.
    pub payload: Vec<u8>,
}

/// Reads a recording, gzip or plain.
pub fn read(path: &Path) -> Vec<Line> {
    let file = File::open(path).unwrap();
    let reader: Box<dyn Read> = if path.extension().is_some_and(|e| e == "gz") {
        Box::new(GzDecoder::new(file))
    } else {
        Box::new(file)
    };
    let line = |line: std::io::Result<String>| {
        let line: Value = serde_json::from_str(&line.unwrap()).unwrap();
        let text = |key: &str| line[key].as_str().unwrap().to_owned();
        let payload = match &line["payload"] {
            // Bytes as Latin-1: each character is one byte.
            Value::String(raw) => raw
                .chars()
                .map(|c| u8::try_from(u32::from(c)).unwrap())
                .collect(),
            json => serde_json::to_vec(json).unwrap(),
        };
        Line {
            at: text("at"),
            topic: text("topic"),
            payload,
        }
    };
    BufReader::new(reader).lines().map(line).collect()
}

/// What a recording says happened, worked out from the contract alone.
#[derive(Default)]
pub struct Truth {
    /// By topic: every call of every valid message, by number, ticket and moment.
    pub calls: BTreeMap<String, BTreeSet<(u64, String, String)>>,
    /// By topic: the valid message with the largest sequence number.
    pub last: BTreeMap<String, Value>,
    /// Valid messages that were newer than all before of their topic.
    pub newer: u64,
    /// Valid messages that were there before.
    pub doubled: u64,
    /// Valid messages older than the newest.
    pub late: u64,
    /// Lines that are no valid message.
    pub broken: u64,
}

/// Works out what happened.
pub fn truth(lines: &[Line]) -> Truth {
    let mut truth = Truth::default();
    for line in lines {
        let Some(message) = valid(&line.payload) else {
            truth.broken += 1;
            continue;
        };
        let seq = |m: &Value| m["seq"].as_u64().unwrap();
        match truth.last.get(&line.topic).map(seq) {
            Some(last) if seq(&message) == last => truth.doubled += 1,
            Some(last) if seq(&message) < last => truth.late += 1,
            _ => {
                truth.newer += 1;
                truth.last.insert(line.topic.clone(), message.clone());
            }
        }
        let calls = truth.calls.entry(line.topic.clone()).or_default();
        for call in message["calls"].as_array().unwrap() {
            let text = |key: &str| call[key].as_str().unwrap().to_owned();
            calls.insert((call["no"].as_u64().unwrap(), text("ticket"), text("at")));
        }
    }
    truth
}

/// A message with the fields that the recordings break: all others in it are right.
fn valid(payload: &[u8]) -> Option<Value> {
    let message: Value = serde_json::from_slice(payload).ok()?;
    message["seq"].as_u64()?;
    message["waiting"].as_u64()?;
    message["on_hold"].as_u64()?;
    let status = message["status"].as_str()?;
    ["open", "paused", "closed"]
        .contains(&status)
        .then_some(())?;
    message["at"].as_str()?.parse::<jiff::Timestamp>().ok()?;
    let calls = message["calls"].as_array()?;
    let label = |text: &Value| text.as_str().is_some_and(|t| t.chars().count() <= 12);
    let labels = |list: &Value| list.as_array().is_some_and(|l| l.iter().all(label));
    (labels(&message["next"]) && labels(&message["held"])).then_some(())?;
    calls
        .iter()
        .all(|c| label(&c["ticket"]) && c["no"].is_u64())
        .then_some(message)
}
