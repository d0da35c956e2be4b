//! What survives a power cut: the last state and the last seen call of each queue, and what the
//! waits of past days taught.
//!
//! Small files of their own, each replaced whole: see `store/file.rs`.

mod file;
mod learnt;
mod spoken;

use crate::model::{QueueId, QueueState, Source};
use crate::state::{Kept, KeptCall, KeptQueue};
use crate::wire::{feed::FeedMessage, report::CallReport, text};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Says what keeps the store from being used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The medium refuses.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A file is there but not whole.
    #[error("{} is damaged: {problem}", path.display())]
    Damaged {
        /// Which file.
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
    state: FeedMessage,
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
    pub fn save(&self, kept: &Kept, zone: &TimeZone) -> Result<(), StoreError> {
        let queue = |k: &KeptQueue| QueueLine {
            queue: k.queue.clone(),
            epoch: k.epoch,
            source: k.source,
            last_no: k.last_no,
            state: FeedMessage::new(&k.state, zone),
        };
        let call = |k: &KeptCall| CallLine {
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
    pub fn load(&self) -> Result<Kept, StoreError> {
        let document = file::load::<Document>(&self.dir)?;
        Ok(document.map(Kept::from).unwrap_or_default())
    }
}

impl From<Document> for Kept {
    fn from(document: Document) -> Self {
        let queue = |k: QueueLine| KeptQueue {
            queue: k.queue,
            state: QueueState::from(k.state),
            epoch: k.epoch,
            source: k.source,
            last_no: k.last_no,
        };
        let call = |k: CallLine| KeptCall {
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

    fn kept(seq: u64) -> Kept {
        let json = format!(
            r#"{{"seq":{seq},"at":"2026-11-24T10:42:07+09:00","day":"2026-11-24","status":"open",
            "waiting":2,"on_hold":0,"next":["A043"],"calls":[{{"no":2,"ticket":"A042","counter":"3",
            "at":"2026-11-24T10:42:00+09:00","kind":"recall"}}]}}"#
        );
        let state: QueueState = FeedMessage::decode(json.as_bytes()).unwrap().into();
        let queue = QueueId::new("certificates").unwrap();
        Kept {
            calls: vec![KeptCall {
                queue: queue.clone(),
                day: state.day,
                epoch: 3,
                call: state.calls[0].clone(),
                shown: seq == 1,
            }],
            queues: vec![KeptQueue {
                queue,
                state,
                epoch: 3,
                source: Source::Feed,
                last_no: 2,
            }],
        }
    }

    #[test]
    fn what_is_kept_comes_back_and_a_damaged_file_falls_back_to_the_one_before() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("made/on/demand")).unwrap();
        assert_eq!(store.load().unwrap(), Kept::default());
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
}
