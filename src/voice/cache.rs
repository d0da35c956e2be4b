//! Sounds that were made lately, so that a repeated sentence costs nothing. Bounded by samples.

use super::sound::{Pcm, RATE};
use std::collections::VecDeque;

/// Two minutes of sound: 11.5 MB, some thirty sentences in two languages.
const MOST_SAMPLES: usize = 120 * RATE as usize;

/// The newest used last.
#[derive(Debug, Default)]
pub(super) struct Cache {
    sounds: VecDeque<(String, Pcm)>,
    samples: usize,
}

impl Cache {
    pub(super) fn get(&mut self, key: &str) -> Option<Pcm> {
        let place = self.sounds.iter().position(|(known, _)| known == key)?;
        let found = self.sounds.remove(place)?;
        let pcm = found.1.clone();
        self.sounds.push_back(found);
        Some(pcm)
    }

    pub(super) fn put(&mut self, key: String, pcm: &Pcm) {
        self.samples += pcm.samples().len();
        self.sounds.push_back((key, pcm.clone()));
        while self.samples > MOST_SAMPLES {
            let Some((_, oldest)) = self.sounds.pop_front() else {
                break;
            };
            self.samples -= oldest.samples().len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_unused_sounds_go_first() {
        let half = Pcm::new(vec![0; MOST_SAMPLES / 2]);
        let mut cache = Cache::default();
        cache.put("a".into(), &half);
        cache.put("b".into(), &half);
        assert!(cache.get("a").is_some());
        cache.put("c".into(), &half);
        assert!(cache.get("b").is_none());
        assert!(cache.get("a").is_some() && cache.get("c").is_some());
        assert_eq!(cache.samples, MOST_SAMPLES);
        cache.put("huge".into(), &Pcm::new(vec![0; MOST_SAMPLES + 1]));
        assert_eq!((cache.samples, cache.sounds.len()), (0, 0));
    }
}
