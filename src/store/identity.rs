//! What the running node noticed of a second machine with its identity, for who looks at the box
//! with `yobiban doctor`: a look of a few seconds cannot see two machines take turns.
//!
//! Not kept through a power cut, and not flushed: the node notices anew.

use super::file::io_error;
use super::{Store, StoreError};
use crate::files::{self, Durability};
use serde::{Deserialize, Serialize};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

const FILE: &str = "identity.json";

/// Larger files are not ours.
const MAX_FILE: u64 = 4096;

/// A second machine with this node's identity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SharedIdentity {
    /// Since when, as RFC 3339 with offset.
    pub since: String,
    /// One line for people.
    pub text: String,
    /// The process that noticed it.
    pub pid: u32,
}

impl SharedIdentity {
    /// What the node that keeps its state in this folder says; nothing when it does not run any
    /// more. `root` is `/`.
    #[must_use]
    pub fn load(dir: &Path, root: &Path) -> Option<Self> {
        let path = path(dir);
        let small = fs::metadata(&path).is_ok_and(|meta| meta.len() <= MAX_FILE);
        let text = small.then(|| fs::read(&path).ok()).flatten()?;
        let noted: Self = serde_json::from_slice(&text).ok()?;
        let proc = root.join("proc");
        // A system without the folder is believed.
        let runs = !proc.join("self").exists() || proc.join(noted.pid.to_string()).exists();
        runs.then_some(noted)
    }
}

impl Store {
    /// Notes that there is a second machine, or that there is none any more.
    ///
    /// # Errors
    /// [`StoreError::Io`] when the medium refuses.
    pub fn note_identity(&self, shared: Option<&SharedIdentity>) -> Result<(), StoreError> {
        let path = path(&self.dir);
        let Some(shared) = shared else {
            return match fs::remove_file(&path) {
                Err(e) if e.kind() != io::ErrorKind::NotFound => Err(io_error("remove", &path)(e)),
                _ => Ok(()),
            };
        };
        let json = serde_json::to_vec(shared).unwrap_or_default();
        files::replace(&path, &json, Durability::Cached, files::ORDINARY)
            .map_err(io_error("write", &path))
    }
}

fn path(dir: &Path) -> PathBuf {
    dir.join(FILE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_node_noticed_is_believed_while_it_runs() {
        let dir = tempfile::tempdir().expect("folder");
        let root = tempfile::tempdir().expect("root");
        fs::create_dir_all(root.path().join("proc/self")).expect("proc");
        let store = Store::open(dir.path()).expect("opened");
        let noted = SharedIdentity {
            since: "2026-11-24T10:42:07+09:00".into(),
            text: "two".into(),
            pid: 4711,
        };
        store.note_identity(Some(&noted)).expect("noted");
        assert_eq!(SharedIdentity::load(dir.path(), root.path()), None, "gone");
        fs::create_dir(root.path().join("proc/4711")).expect("process");
        let load = || SharedIdentity::load(dir.path(), root.path());
        assert_eq!(load(), Some(noted));
        for _ in 0..2 {
            store.note_identity(None).expect("noted");
            assert_eq!(load(), None);
        }
        fs::write(path(dir.path()), "{\"pid\": 4711").expect("torn");
        assert_eq!(load(), None);
    }
}
