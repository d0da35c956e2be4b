//! What survives a power cut: the last state and the last seen call of each queue, and what the
//! waits of past days taught.
//!
//! One small file, replaced whole: written beside, flushed to the medium, renamed over, and the
//! folder flushed, so that after a cut either the old or the new one is there (POSIX `rename`).
//! The one before is kept as `.old`, and a SHA-256 at the end tells a torn file from a whole one.

mod learnt;
mod spoken;

use crate::model::{QueueId, QueueState, Source};
use crate::state::{Kept, KeptCall, KeptQueue};
use crate::wire::sha256_hex;
use crate::wire::{feed::FeedMessage, report::CallReport, text};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Name of the file within the store's folder.
const FILE: &str = "state.json";
/// Name of the copy before.
const OLD: &str = "state.json.old";
/// Raised when older software could not read the file.
const VERSION: u32 = 1;
/// Larger files are not ours: 64 queues of the largest message are far below.
const MAX_FILE: u64 = 8 * 1024 * 1024;

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
    version: u32,
    queues: Vec<QueueLine>,
    /// Missing in what older software wrote.
    #[serde(default)]
    calls: Vec<CallLine>,
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
        fs::create_dir_all(dir).map_err(io_error("make", dir))?;
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
            version: VERSION,
            queues: kept.queues.iter().map(queue).collect(),
            calls: kept.calls.iter().map(call).collect(),
        };
        self.replace(FILE, OLD, &document)
    }

    /// Replaces a file whole and keeps the one before.
    fn replace(&self, file: &str, old: &str, document: &impl Serialize) -> Result<(), StoreError> {
        let path = self.dir.join(file);
        let mut bytes = serde_json::to_vec(document).map_err(|e| StoreError::Damaged {
            path: path.clone(),
            problem: e.to_string(),
        })?;
        bytes.extend_from_slice(format!("\n{}\n", sha256_hex(&bytes)).as_bytes());
        let beside = self.dir.join(format!("{file}.new"));
        let mut file = File::create(&beside).map_err(io_error("create", &beside))?;
        file.write_all(&bytes)
            .and_then(|()| file.sync_all())
            .map_err(io_error("write", &beside))?;
        let old = self.dir.join(old);
        match fs::rename(&path, &old) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => {
                return Err(io_error("rename", &path)(e));
            }
            _ => {}
        }
        fs::rename(&beside, &path).map_err(io_error("rename", &beside))?;
        File::open(&self.dir)
            .and_then(|dir| dir.sync_all())
            .map_err(io_error("flush", &self.dir))
    }

    /// Reads what was kept; nothing when there is no file.
    ///
    /// # Errors
    /// [`StoreError`] when neither the file nor its copy can be read.
    pub fn load(&self) -> Result<Kept, StoreError> {
        match read(&self.dir.join(FILE)) {
            Ok(Some(kept)) => Ok(kept),
            newest => match (read(&self.dir.join(OLD)), newest) {
                (Ok(Some(kept)), _) => Ok(kept),
                (_, Ok(None)) => Ok(Kept::default()),
                (_, newest) => newest.map(Option::unwrap_or_default),
            },
        }
    }
}

/// The text of a file that is whole; nothing when there is no file.
fn whole(path: &Path) -> Result<Option<String>, StoreError> {
    let damaged = |problem: String| StoreError::Damaged {
        path: path.to_owned(),
        problem,
    };
    match fs::metadata(path) {
        Ok(meta) if meta.len() > MAX_FILE => return Err(damaged("too large".into())),
        Ok(_) => {}
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(io_error("read", path)(e)),
    }
    let text = fs::read_to_string(path).map_err(io_error("read", path))?;
    let (json, sum) = text
        .trim_end_matches('\n')
        .rsplit_once('\n')
        .ok_or_else(|| damaged("cut short".into()))?;
    if sha256_hex(json.as_bytes()) != sum {
        return Err(damaged("its checksum does not fit".into()));
    }
    Ok(Some(json.to_owned()))
}

fn read(path: &Path) -> Result<Option<Kept>, StoreError> {
    let damaged = |problem: String| StoreError::Damaged {
        path: path.to_owned(),
        problem,
    };
    let Some(json) = whole(path)? else {
        return Ok(None);
    };
    let document: Document = serde_json::from_str(&json).map_err(|e| damaged(e.to_string()))?;
    if document.version != VERSION {
        return Err(damaged(format!(
            "version {}: expected {VERSION}",
            document.version
        )));
    }
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
    Ok(Some(Kept {
        queues: document.queues.into_iter().map(queue).collect(),
        calls: document.calls.into_iter().map(call).collect(),
    }))
}

fn io_error<'a>(action: &'static str, path: &'a Path) -> impl Fn(io::Error) -> StoreError + 'a {
    move |source| StoreError::Io {
        action,
        path: path.to_owned(),
        source,
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
        let path = store.dir.join(FILE);
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
        fs::write(store.dir.join(OLD), b"nonsense").unwrap();
        fs::write(&path, b"nonsense").unwrap();
        assert!(store.load().unwrap_err().to_string().contains("is damaged"));
    }
}
