//! What survives a power cut: the last state and the last seen call of each queue, and what the
//! waits of past days taught.
//!
//! Small files of their own, each replaced whole: see `store/file.rs`.

mod announced;
mod file;
mod identity;
mod wait_history;

pub use identity::SharedIdentity;

use crate::model::{Label, QueueId, QueueState, Source};
use crate::state::{SavedCall, SavedQueue, SavedState};
use crate::wire::feed::{FeedCall, FeedMessage, WireServing};
use crate::wire::{report::CallReport, text};
use jiff::civil::Time;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Says what keeps the store from being used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("cannot {action} {}", path.display())]
    Io {
        action: &'static str,
        /// On which file or folder.
        path: PathBuf,
        source: io::Error,
    },
    /// A file is there but not whole.
    #[error("{} is damaged: {problem}", path.display())]
    Damaged {
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
}

#[derive(Serialize, Deserialize)]
struct Document {
    queues: Vec<QueueLine>,
    /// Missing in what older software wrote.
    #[serde(default)]
    calls: Vec<CallLine>,
}

impl file::Document for Document {
    const FILE: &'static str = "state.json";
    const VERSION: u32 = 1;

    /// Labels were once taken by fewer rules. What is none any more goes, with the call that it
    /// names: its source's next message says what it has to say.
    fn prune(document: &mut Value) {
        let calls = |holder: &mut Value| {
            if let Some(calls) = holder.get_mut("calls").and_then(Value::as_array_mut) {
                calls.retain_mut(has_labels);
            }
        };
        calls(document);
        let queues = document.get_mut("queues").and_then(Value::as_array_mut);
        for state in queues
            .into_iter()
            .flatten()
            .filter_map(|queue| queue.get_mut("state"))
        {
            calls(state);
            for list in ["next", "held"] {
                if let Some(labels) = state.get_mut(list).and_then(Value::as_array_mut) {
                    labels.retain(is_label);
                }
            }
            if let Some(serving) = state.get_mut("now_serving")
                && !has_labels(serving)
            {
                *serving = Value::Null;
            }
        }
    }
}

fn is_label(value: &Value) -> bool {
    value.as_str().is_some_and(|text| Label::new(text).is_ok())
}

/// Whether this names a ticket; a counter that is none is left out.
fn has_labels(call: &mut Value) -> bool {
    if let Some(counter) = call.get_mut("counter")
        && !is_label(counter)
    {
        *counter = Value::Null;
    }
    call.get("ticket").is_some_and(is_label)
}

#[derive(Serialize, Deserialize)]
struct CallLine {
    #[serde(flatten)]
    call: CallReport,
    shown: bool,
}

#[derive(Serialize, Deserialize)]
struct QueueLine {
    #[serde(with = "text::plain")]
    queue: QueueId,
    epoch: u32,
    #[serde(with = "text::source")]
    source: Source,
    last_no: u64,
    /// Missing in what older software wrote, which knew no numbers of unknown age.
    #[serde(default = "yes", skip_serializing_if = "is_true")]
    dated: bool,
    state: FeedMessage,
}

fn yes() -> bool {
    true
}

#[allow(clippy::trivially_copy_pass_by_ref)] // the signature serde asks for
fn is_true(dated: &bool) -> bool {
    *dated
}

/// The folder in which a node keeps its state.
#[derive(Debug, Clone)]
pub struct Store {
    dir: PathBuf,
}

impl Store {
    /// Opens the folder, made if it is not there.
    ///
    /// # Errors
    /// [`StoreError::Io`] when it cannot be made.
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        fs::create_dir_all(dir).map_err(file::io_error("make", dir))?;
        Ok(Self {
            dir: dir.to_owned(),
        })
    }

    /// Replaces what is kept. Blocks until the medium has it.
    ///
    /// # Errors
    /// [`StoreError::Io`]; what was kept before is still there then.
    pub fn save(&self, kept: &SavedState, zone: &TimeZone) -> Result<(), StoreError> {
        let queue = |k: &SavedQueue| QueueLine {
            queue: k.queue.clone(),
            epoch: k.epoch,
            source: k.source,
            last_no: k.last_no,
            dated: k.dated,
            state: FeedMessage::new(&k.state, zone),
        };
        let call = |k: &SavedCall| CallLine {
            call: CallReport::new(k.queue.clone(), k.day, k.epoch, &k.call, zone),
            shown: k.shown,
        };
        let document = Document {
            queues: kept.queues.iter().map(queue).collect(),
            calls: kept.calls.iter().map(call).collect(),
        };
        file::replace(&self.dir, &document)
    }

    /// Reads what was kept; nothing when there is no file.
    ///
    /// # Errors
    /// [`StoreError`] when neither the file nor its copy can be read.
    pub fn load(&self) -> Result<SavedState, StoreError> {
        let document = file::load::<Document>(&self.dir)?;
        Ok(document.map(SavedState::from).unwrap_or_default())
    }
}

/// A number behind an adapter whose call nobody saw was once kept as called at the day's first moment:
/// it is what was being served, without a time.
fn without_midnight_calls(mut message: FeedMessage, source: Source) -> FeedMessage {
    if source != Source::Adapter {
        return message;
    }
    let invented = |call: &FeedCall| call.at.zoned().time() == Time::midnight();
    if let Some(newest) = message.calls.first().filter(|call| invented(call)) {
        message.now_serving = Some(WireServing {
            ticket: newest.ticket.clone(),
            counter: newest.counter.clone(),
        });
    }
    message.calls.retain(|call| !invented(call));
    message
}

impl From<Document> for SavedState {
    fn from(document: Document) -> Self {
        let queue = |k: QueueLine| SavedQueue {
            queue: k.queue,
            state: QueueState::from(without_midnight_calls(k.state, k.source)),
            epoch: k.epoch,
            source: k.source,
            last_no: k.last_no,
            dated: k.dated,
        };
        let call = |k: CallLine| SavedCall {
            call: k.call.call(),
            queue: k.call.queue,
            day: k.call.day,
            epoch: k.call.epoch,
            shown: k.shown,
        };
        Self {
            queues: document.queues.into_iter().map(queue).collect(),
            calls: document.calls.into_iter().map(call).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::feed::FeedMessage;

    fn kept(seq: u64) -> SavedState {
        let json = format!(
            r#"{{"seq":{seq},"at":"2026-11-24T10:42:07+09:00","day":"2026-11-24","status":"open",
            "waiting":2,"on_hold":0,"next":["A043"],"calls":[{{"no":2,"ticket":"A042","counter":"3",
            "at":"2026-11-24T10:42:00+09:00","kind":"recall"}}]}}"#
        );
        let state: QueueState = FeedMessage::decode(json.as_bytes()).unwrap().into();
        let queue = QueueId::new("certificates").unwrap();
        SavedState {
            calls: vec![SavedCall {
                queue: queue.clone(),
                day: state.day,
                epoch: 3,
                call: state.calls[0].clone(),
                shown: seq == 1,
            }],
            queues: vec![SavedQueue {
                queue,
                state,
                epoch: 3,
                source: Source::Feed,
                last_no: 2,
                dated: seq != 2,
            }],
        }
    }

    #[test]
    fn what_is_kept_comes_back_and_a_damaged_file_falls_back_to_the_one_before() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("made/on/demand")).unwrap();
        assert_eq!(store.load().unwrap(), SavedState::default());
        let zone = TimeZone::fixed(jiff::tz::offset(9));
        store.save(&kept(1), &zone).unwrap();
        assert_eq!(store.load().unwrap(), kept(1));
        store.save(&kept(2), &zone).unwrap();
        assert_eq!(store.load().unwrap(), kept(2));
        let path = store.dir.join("state.json");
        let whole = fs::read(&path).unwrap();
        for cut in [0, 1, whole.len() / 2, whole.len() - 10] {
            fs::write(&path, &whole[..cut]).unwrap();
            assert_eq!(store.load().unwrap(), kept(1), "cut at {cut}");
        }
        fs::remove_file(&path).unwrap();
        assert_eq!(
            store.load().unwrap(),
            kept(1),
            "cut between the two renames"
        );
        fs::write(store.dir.join("state.json.old"), b"nonsense").unwrap();
        fs::write(&path, b"nonsense").unwrap();
        assert!(store.load().unwrap_err().to_string().contains("is damaged"));
    }

    /// As the version before wrote it, which took any 12 printable characters for a label.
    #[test]
    fn labels_of_an_earlier_version_are_read_in_their_one_spelling() {
        let call = |no: u64, ticket: &str, counter: &str| {
            format!(
                r#""no":{no},"ticket":"{ticket}","counter":"{counter}","at":"2026-11-24T10:42:00+09:00","kind":"call""#
            )
        };
        let written = |calls: &[String], next: &str, serving: &str| {
            let listed: Vec<String> = calls.iter().map(|c| format!("{{{c}}}")).collect();
            let kept: Vec<String> = calls
                .iter()
                .map(|c| {
                    format!(r#"{{"queue":"a","day":"2026-11-24","epoch":0,{c},"shown":true}}"#)
                })
                .collect();
            format!(
                r#"{{"version":1,"queues":[{{"queue":"a","epoch":0,"source":"feed","last_no":4,"state":{{"seq":7,"at":"2026-11-24T10:42:07+09:00","day":"2026-11-24","status":"open","waiting":2,"next":{next},"on_hold":0,"held":[],"calls":[{}],"now_serving":{serving}}}}}],"calls":[{}]}}"#,
                listed.join(","),
                kept.join(",")
            )
        };
        let read = |json: &str| {
            let dir = tempfile::tempdir().unwrap();
            let sum = crate::wire::sha256_hex(json.as_bytes());
            fs::write(dir.path().join("state.json"), format!("{json}\n{sum}\n")).unwrap();
            Store::open(dir.path()).unwrap().load().unwrap()
        };
        let spelt = written(
            &[
                call(4, "Ａ０４２", "３"),
                call(3, "A04\u{200b}1", "3\u{3000}"),
            ],
            r#"["Ａ０４３"]"#,
            "null",
        );
        let plain = written(
            &[call(4, "A042", "3"), call(3, "A041", "3")],
            r#"["A043"]"#,
            "null",
        );
        assert_ne!(spelt, plain);
        assert_eq!(read(&spelt), read(&plain));
        let serving = r#"{"ticket":"\u200b","counter":"3"}"#;
        let no_labels = written(
            &[
                call(4, "㈱㈱㈱㈱㈱", "3"),
                call(3, "A041", "\u{200b}"),
                call(2, "\u{200b}", "3"),
            ],
            "[\"\u{200b}\",\"A043\"]",
            serving,
        );
        let without = written(&[call(3, "A041", "")], r#"["A043"]"#, "null");
        assert_eq!(read(&no_labels), read(&without), "the rest is kept");
    }
}
