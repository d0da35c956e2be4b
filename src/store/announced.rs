//! Which calls were fully announced. A file of its own, because it is written after each announcement.

use super::{Store, StoreError, file};
use crate::model::QueueId;
use crate::voice::{SpokenCalls, SpokenQueue};
use crate::wire::text;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct Document {
    queues: Vec<QueueLine>,
}

impl file::Document for Document {
    const FILE: &'static str = "spoken.json";
    const VERSION: u32 = 1;
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
    pub fn save_announced(&self, spoken: &SpokenCalls) -> Result<(), StoreError> {
        let line = |(queue, spoken): (&QueueId, &SpokenQueue)| QueueLine {
            queue: queue.clone(),
            day: spoken.day,
            epoch: spoken.epoch,
            through: spoken.through,
            also: spoken.also.iter().copied().collect(),
        };
        let document = Document {
            queues: spoken.queues.iter().map(line).collect(),
        };
        file::replace(&self.dir, &document)
    }

    /// Reads which calls were spoken; nothing when there is no file.
    ///
    /// # Errors
    /// [`StoreError`] when neither the file nor its copy can be read.
    pub fn load_announced(&self) -> Result<SpokenCalls, StoreError> {
        let document = file::load::<Document>(&self.dir)?;
        Ok(document.map(SpokenCalls::from).unwrap_or_default())
    }
}

impl From<Document> for SpokenCalls {
    fn from(document: Document) -> Self {
        let queue = |line: QueueLine| {
            let spoken = SpokenQueue {
                day: line.day,
                epoch: line.epoch,
                through: line.through,
                also: line.also.into_iter().collect(),
            };
            (line.queue, spoken)
        };
        Self {
            queues: document.queues.into_iter().map(queue).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn what_was_spoken_comes_back_also_from_the_copy() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        assert_eq!(store.load_announced().unwrap(), SpokenCalls::default());
        let spoken = |through| {
            let queue = SpokenQueue {
                day: "2026-11-24".parse().unwrap(),
                epoch: 2,
                through,
                also: [through + 2].into(),
            };
            SpokenCalls {
                queues: [(QueueId::new("certificates").unwrap(), queue)].into(),
            }
        };
        store.save_announced(&spoken(1)).unwrap();
        store.save_announced(&spoken(2)).unwrap();
        assert_eq!(store.load_announced().unwrap(), spoken(2));
        fs::write(dir.path().join("spoken.json"), b"torn").unwrap();
        assert_eq!(store.load_announced().unwrap(), spoken(1));
        fs::remove_file(dir.path().join("spoken.json")).unwrap();
        assert_eq!(store.load_announced().unwrap(), spoken(1));
    }
}
