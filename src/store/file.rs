//! A small file that is replaced whole ([`crate::files`]).
//!
//! The one before is kept as `.old`, and a SHA-256 at the end tells a torn file from a whole one.
//! Knows nothing of what is in it.

use super::StoreError;
use crate::files::{self, Durability, Fresh};
use crate::wire::sha256_hex;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Larger files are not ours: 64 queues of the largest message are far below.
const MAX_FILE: u64 = 8 * 1024 * 1024;

/// What one file holds.
pub(super) trait Document: Serialize + DeserializeOwned {
    /// Its name within the store's folder.
    const FILE: &'static str;
    /// Raised when older software could not read it.
    const VERSION: u32;

    /// Takes out what an earlier version took and this one does not, so that the rest can be read.
    /// Called only for what cannot be read as it is.
    fn prune(_: &mut Value) {}
}

#[derive(Serialize)]
struct Versioned<'a, D> {
    version: u32,
    #[serde(flatten)]
    document: &'a D,
}

#[derive(Deserialize)]
struct Version {
    version: u32,
}

fn old<D: Document>(dir: &Path) -> PathBuf {
    dir.join(format!("{}.old", D::FILE))
}

/// Replaces a document and keeps the one before.
pub(super) fn replace<D: Document>(dir: &Path, document: &D) -> Result<(), StoreError> {
    let path = dir.join(D::FILE);
    let versioned = Versioned {
        version: D::VERSION,
        document,
    };
    let mut bytes = serde_json::to_vec(&versioned).map_err(|e| damaged(&path, e))?;
    bytes.extend_from_slice(format!("\n{}\n", sha256_hex(&bytes)).as_bytes());
    // Whole before the one before it goes.
    let fresh = Fresh::write(&path, &bytes, Durability::Synced, files::ORDINARY)
        .map_err(io_error("write", &path))?;
    match fs::rename(&path, old::<D>(dir)) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => {
            return Err(io_error("rename", &path)(e));
        }
        _ => {}
    }
    fresh.put().map_err(io_error("replace", &path))
}

/// The newest document that is whole; nothing when there never was one.
pub(super) fn load<D: Document>(dir: &Path) -> Result<Option<D>, StoreError> {
    match read(&dir.join(D::FILE)) {
        Ok(Some(document)) => Ok(Some(document)),
        newest => match read(&old::<D>(dir)) {
            Ok(Some(document)) => Ok(Some(document)),
            _ => newest,
        },
    }
}

fn read<D: Document>(path: &Path) -> Result<Option<D>, StoreError> {
    let Some(json) = whole(path)? else {
        return Ok(None);
    };
    let found: Version = serde_json::from_str(&json).map_err(|e| damaged(path, e))?;
    if found.version != D::VERSION {
        let problem = format!("version {}: expected {}", found.version, D::VERSION);
        return Err(damaged(path, problem));
    }
    if let Ok(document) = serde_json::from_str(&json) {
        return Ok(Some(document));
    }
    let mut value = serde_json::from_str(&json).map_err(|e| damaged(path, e))?;
    D::prune(&mut value);
    let document = D::deserialize(value).map_err(|e| damaged(path, e))?;
    Ok(Some(document))
}

/// The text of a file that is whole; nothing when there is no file.
fn whole(path: &Path) -> Result<Option<String>, StoreError> {
    match fs::metadata(path) {
        Ok(meta) if meta.len() > MAX_FILE => return Err(damaged(path, "too large")),
        Ok(_) => {}
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(io_error("read", path)(e)),
    }
    let text = fs::read_to_string(path).map_err(io_error("read", path))?;
    let (json, sum) = text
        .trim_end_matches('\n')
        .rsplit_once('\n')
        .ok_or_else(|| damaged(path, "cut short"))?;
    if sha256_hex(json.as_bytes()) != sum {
        return Err(damaged(path, "its checksum does not fit"));
    }
    Ok(Some(json.to_owned()))
}

fn damaged(path: &Path, problem: impl ToString) -> StoreError {
    StoreError::Damaged {
        path: path.to_owned(),
        problem: problem.to_string(),
    }
}

/// Says on which file an action failed.
pub(super) fn io_error<'a>(
    action: &'static str,
    path: &'a Path,
) -> impl Fn(io::Error) -> StoreError + 'a {
    move |source| StoreError::Io {
        action,
        path: path.to_owned(),
        source,
    }
}
