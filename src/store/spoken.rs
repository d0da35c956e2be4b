//! Which calls were fully spoken, in a file of its own: it is written after each announcement.

use super::{Store, StoreError, whole};
use crate::model::QueueId;
use crate::voice::{Spoken, SpokenQueue};
use crate::wire::text;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::path::Path;

const FILE: &str = "spoken.json";
const OLD: &str = "spoken.json.old";
/// Raised when older software could not read the file.
const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Document {
    version: u32,
    queues: Vec<QueueLine>,
}

#[derive(Serialize, Deserialize)]
struct QueueLine {
    #[serde(with = "text::plain")]
    queue: QueueId,
    day: Date,
    epoch: u32,
    through: u64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    also: Vec<u64>,
}

impl Store {
    /// Replaces what is kept of spoken calls. Blocks until the medium has it.
    ///
    /// # Errors
    /// [`StoreError::Io`]; what was kept before is still there then.
    pub fn save_spoken(&self, spoken: &Spoken) -> Result<(), StoreError> {
        let line = |(queue, spoken): (&QueueId, &SpokenQueue)| QueueLine {
            queue: queue.clone(),
            day: spoken.day,
            epoch: spoken.epoch,
            through: spoken.through,
            also: spoken.also.iter().copied().collect(),
        };
        let document = Document {
            version: VERSION,
            queues: spoken.queues.iter().map(line).collect(),
        };
        self.replace(FILE, OLD, &document)
    }

    /// Reads which calls were spoken; nothing when there is no file.
    ///
    /// # Errors
    /// [`StoreError`] when neither the file nor its copy can be read.
    pub fn load_spoken(&self) -> Result<Spoken, StoreError> {
        match read(&self.dir.join(FILE)) {
            Ok(Some(spoken)) => Ok(spoken),
            newest => match (read(&self.dir.join(OLD)), newest) {
                (Ok(Some(spoken)), _) => Ok(spoken),
                (_, newest) => newest.map(Option::unwrap_or_default),
            },
        }
    }
}

fn read(path: &Path) -> Result<Option<Spoken>, StoreError> {
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
    let queue = |line: QueueLine| {
        let spoken = SpokenQueue {
            day: line.day,
            epoch: line.epoch,
            through: line.through,
            also: line.also.into_iter().collect(),
        };
        (line.queue, spoken)
    };
    Ok(Some(Spoken {
        queues: document.queues.into_iter().map(queue).collect(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn what_was_spoken_comes_back_also_from_the_copy() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        assert_eq!(store.load_spoken().unwrap(), Spoken::default());
        let spoken = |through| {
            let queue = SpokenQueue {
                day: "2026-11-24".parse().unwrap(),
                epoch: 2,
                through,
                also: [through + 2].into(),
            };
            Spoken {
                queues: [(QueueId::new("certificates").unwrap(), queue)].into(),
            }
        };
        store.save_spoken(&spoken(1)).unwrap();
        store.save_spoken(&spoken(2)).unwrap();
        assert_eq!(store.load_spoken().unwrap(), spoken(2));
        fs::write(dir.path().join(FILE), b"torn").unwrap();
        assert_eq!(store.load_spoken().unwrap(), spoken(1));
        fs::remove_file(dir.path().join(FILE)).unwrap();
        assert_eq!(store.load_spoken().unwrap(), spoken(1));
    }
}
