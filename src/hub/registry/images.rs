//! Pictures by the SHA-256 of their bytes, within a fixed budget of memory.
//!
//! Invariant: `bytes` never exceeds the budget; the oldest picture that no board or camera shows
//! goes first. Knows no boards: each board or camera that shows a picture pins it.

use crate::wire::{MediaType, sha256_hex};
use bytes::Bytes;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

/// Largest picture that is accepted, in bytes: five times the largest rich 1080p board seen.
pub const MAX_PICTURE: usize = 512 * 1024;

/// Budget for all pictures, in bytes: 2,000 offices with a 1080p board of 90 kB each, and as much
/// again for pictures that were just replaced.
pub const IMAGE_BUDGET: usize = 384 * 1024 * 1024;

/// A picture and what is known of it.
#[derive(Debug, Clone)]
pub struct Image {
    /// SHA-256 of the bytes, lower-case hexadecimal.
    pub sha256: Arc<str>,
    /// Media type, from the bytes themselves.
    pub format: MediaType,
    pub bytes: Bytes,
}

#[derive(Debug)]
struct StoredImage {
    image: Image,
    /// How many boards and cameras show it now.
    pins: usize,
}

/// All pictures.
#[derive(Debug)]
pub struct Images {
    stored: HashMap<Arc<str>, StoredImage>,
    /// Arrival order of those that nobody shows any more; may hold keys that were pinned again.
    old: VecDeque<Arc<str>>,
    bytes: usize,
    budget: usize,
}

impl Images {
    /// No pictures, at most `budget` bytes of them later.
    #[must_use]
    pub fn new(budget: usize) -> Self {
        Self {
            stored: HashMap::new(),
            old: VecDeque::new(),
            bytes: 0,
            budget,
        }
    }

    /// Takes a picture and pins it; `None` when shown pictures alone fill the budget.
    pub fn pin(&mut self, bytes: &Bytes, format: MediaType) -> Option<Image> {
        let sha256: Arc<str> = sha256_hex(bytes).into();
        if let Some(stored) = self.stored.get_mut(&sha256) {
            stored.pins += 1;
            return Some(stored.image.clone());
        }
        while self.bytes + bytes.len() > self.budget {
            self.evict_oldest()?;
        }
        let image = Image {
            sha256: Arc::clone(&sha256),
            format,
            // A copy of its own: the payload may be a slice of a larger read buffer.
            bytes: Bytes::copy_from_slice(bytes),
        };
        self.bytes += image.bytes.len();
        let stored = StoredImage {
            image: image.clone(),
            pins: 1,
        };
        self.stored.insert(sha256, stored);
        Some(image)
    }

    /// Pins a picture that is already stored.
    pub fn pin_stored(&mut self, sha256: &str) -> Option<Image> {
        let stored = self.stored.get_mut(sha256)?;
        stored.pins += 1;
        Some(stored.image.clone())
    }

    /// Says that one board or camera less shows it.
    pub fn unpin(&mut self, sha256: &Arc<str>) {
        if let Some(stored) = self.stored.get_mut(sha256) {
            stored.pins = stored.pins.saturating_sub(1);
            if stored.pins == 0 {
                self.old.push_back(Arc::clone(sha256));
                // Keys of pictures that are shown again would otherwise pile up.
                if self.old.len() > 2 * self.stored.len() + 16 {
                    let stored = &self.stored;
                    self.old
                        .retain(|k| stored.get(k).is_some_and(|p| p.pins == 0));
                }
            }
        }
    }

    fn evict_oldest(&mut self) -> Option<()> {
        loop {
            let key = self.old.pop_front()?;
            if self.stored.get(&key).is_some_and(|k| k.pins == 0) {
                if let Some(gone) = self.stored.remove(&key) {
                    self.bytes -= gone.image.bytes.len();
                }
                return Some(());
            }
        }
    }

    /// The picture with this hash, if it is still stored.
    #[must_use]
    pub fn get(&self, sha256: &str) -> Option<Image> {
        self.stored.get(sha256).map(|k| k.image.clone())
    }

    /// Memory held, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png(n: u8, len: usize) -> Bytes {
        let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
        bytes.resize(len, n);
        bytes.into()
    }

    #[test]
    fn formats_are_known_by_their_first_bytes() {
        assert_eq!(MediaType::of(&png(0, 20)), Some(MediaType::Png));
        assert_eq!(
            MediaType::of(b"RIFF\x10\0\0\0WEBPVP8L...."),
            Some(MediaType::WebP)
        );
        assert_eq!(
            MediaType::of(b"\xff\xd8\xff\xe0rest"),
            Some(MediaType::Jpeg)
        );
        for bad in [
            &b""[..],
            b"GIF89a",
            b"<svg>",
            b"RIFF",
            b"RIFF\x10\0\0\0WAVEfmt....",
            b"\x89PNG",
        ] {
            assert_eq!(MediaType::of(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn the_oldest_unshown_picture_goes_first_and_the_budget_holds() {
        let mut images = Images::new(300);
        let one = images.pin(&png(1, 100), MediaType::Png).expect("room");
        let two = images.pin(&png(2, 100), MediaType::Png).expect("room");
        let three = images.pin(&png(3, 100), MediaType::Png).expect("room");
        assert!(
            images.pin(&png(4, 100), MediaType::Png).is_none(),
            "all are shown"
        );
        images.unpin(&two.sha256);
        images.unpin(&one.sha256);
        assert!(
            images.get(&two.sha256).is_some(),
            "kept while there is room"
        );
        images.pin(&png(4, 100), MediaType::Png).expect("room");
        assert!(images.get(&two.sha256).is_none(), "replaced first");
        assert!(images.get(&one.sha256).is_some());
        assert!(images.get(&three.sha256).is_some());
        assert_eq!(images.bytes(), 300);
    }

    #[test]
    fn a_picture_shown_again_is_not_evicted() {
        let mut images = Images::new(200);
        let one = images.pin(&png(1, 100), MediaType::Png).expect("room");
        images.unpin(&one.sha256);
        images
            .pin(&png(1, 100), MediaType::Png)
            .expect("same bytes");
        images.pin(&png(2, 100), MediaType::Png).expect("room");
        assert!(images.pin(&png(3, 100), MediaType::Png).is_none());
        assert!(images.get(&one.sha256).is_some());
    }
}
