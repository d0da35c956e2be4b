//! Which calls and events of the day are known, as digests: identities of a foreign system may be
//! personal, and are neither kept nor written to disk.

use super::MAX_KEYS;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// The identity of a call or event: the first 64 bits of the SHA-256 of its parts. Of 5,000 the
/// chance that two are the same is below 10⁻¹².
pub(super) fn key(parts: &[&str]) -> u64 {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update(u64::try_from(part.len()).unwrap_or(0).to_be_bytes());
        digest.update(part.as_bytes());
    }
    let bytes: [u8; 32] = digest.finalize().into();
    bytes
        .iter()
        .take(8)
        .fold(0, |key, byte| key << 8 | u64::from(*byte))
}

/// The known keys, oldest first; at most [`MAX_KEYS`].
#[derive(Debug, Clone, Default)]
pub(super) struct Keys {
    order: VecDeque<u64>,
    known: BTreeSet<u64>,
    /// Keys of the list seen last, which are known tomorrow as well.
    listed: BTreeSet<u64>,
    /// While a log is read again from its start: how often each key is still to come.
    again: BTreeMap<u64, u32>,
}

impl Keys {
    pub(super) fn has(&self, key: u64) -> bool {
        self.known.contains(&key)
    }

    pub(super) fn push(&mut self, key: u64) {
        self.order.push_back(key);
        self.known.insert(key);
        if self.order.len() > MAX_KEYS
            && let Some(oldest) = self.order.pop_front()
            && !self.order.contains(&oldest)
        {
            self.known.remove(&oldest);
        }
    }

    /// Notes which keys are listed now.
    pub(super) fn list(&mut self, keys: impl Iterator<Item = u64>) {
        self.listed = keys.take(MAX_KEYS).collect();
    }

    /// Whether any key of the list seen last is among these; also without such a list.
    pub(super) fn overlap(&self, keys: &[u64]) -> bool {
        self.listed.is_empty() || keys.iter().any(|key| self.listed.contains(key))
    }

    /// A new day: only what is still listed stays known.
    pub(super) fn turn(&mut self) {
        self.order = self.listed.iter().copied().collect();
        self.known.clone_from(&self.listed);
        self.again.clear();
    }

    /// From here on each known key may come once more for each time that it came.
    pub(super) fn rewind(&mut self) {
        self.again.clear();
        for key in &self.order {
            *self.again.entry(*key).or_default() += 1;
        }
    }

    /// Whether an event that is read again was taken before.
    pub(super) fn came_again(&mut self, key: u64) -> bool {
        match self.again.get_mut(&key) {
            Some(n) if *n > 0 => {
                *n -= 1;
                true
            }
            _ => false,
        }
    }

    pub(super) fn saved(&self) -> Vec<u64> {
        self.order.iter().copied().collect()
    }

    pub(super) fn saved_list(&self) -> Vec<u64> {
        self.listed.iter().copied().collect()
    }

    pub(super) fn restored(keys: Vec<u64>, listed: Vec<u64>) -> Self {
        let mut restored = Self::default();
        for key in keys {
            restored.push(key);
        }
        restored.list(listed.into_iter());
        restored
    }
}
