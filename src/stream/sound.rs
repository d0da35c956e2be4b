//! The audio track: samples of announcements, silence otherwise, in real time.
//!
//! The encoder mixes nothing and waits for both tracks; so it is always given as many samples as
//! time has passed, whether or not anybody speaks. Nobody waits for anybody: a speaker whose pieces
//! are not taken gets `false` at once. Knows no voice and no chime.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;
use tokio::io::{AsyncWrite, AsyncWriteExt as _};
use tokio::time::{Instant, MissedTickBehavior, interval};

/// Samples a second, one channel: what speech is made with, and what every receiver takes.
pub const SAMPLE_RATE: u32 = 48_000;

/// Longest piece in samples: half a minute, twice the longest announcement.
pub const MAX_PIECE: usize = 30 * SAMPLE_RATE as usize;

/// Pieces that wait at most: chime and nine sentences, and the next chime. All together they are
/// 35 MB at most; an announcement has 1 MB.
const MAX_WAITING: usize = 12;

/// How often samples are handed on.
const EVERY: Duration = Duration::from_millis(50);

/// The end that speaks; cheap to clone. Each piece is played once, in order, while the stream
/// runs; during an interruption it is lost, as it would come too late.
#[derive(Debug, Clone)]
pub struct Speaker(SyncSender<Arc<[i16]>>);

impl Speaker {
    /// Queues a piece: 16-bit samples, one channel, [`SAMPLE_RATE`]. Never waits; `false` when the
    /// piece is longer than [`MAX_PIECE`], too many wait, or the stream is over.
    #[must_use]
    pub fn play(&self, samples: Arc<[i16]>) -> bool {
        samples.len() <= MAX_PIECE && self.0.try_send(samples).is_ok()
    }
}

/// The end that is read by the encoder.
#[derive(Debug)]
pub struct Sound {
    from: Receiver<Arc<[i16]>>,
    /// What is being played, oldest first.
    pieces: VecDeque<Arc<[i16]>>,
    /// Samples of the first piece that were played.
    consumed: usize,
}

/// A way for samples into one stream.
#[must_use]
pub fn sound() -> (Speaker, Sound) {
    let (to, from) = sync_channel(MAX_WAITING);
    let sound = Sound {
        from,
        pieces: VecDeque::new(),
        consumed: 0,
    };
    (Speaker(to), sound)
}

impl Sound {
    /// Discards what was queued until now.
    pub(super) fn discard(&mut self) {
        self.pieces.clear();
        self.consumed = 0;
        while self.from.try_recv().is_ok() {}
    }

    /// Appends the next samples, little end first; silence where nobody speaks.
    fn fill(&mut self, bytes: &mut Vec<u8>, samples: usize) {
        let mut left = samples;
        while left > 0 {
            let Some(piece) = self.pieces.front() else {
                // Empty, or the speaker is gone: both are silence.
                match self.from.try_recv() {
                    Ok(piece) => self.pieces.push_back(piece),
                    Err(_) => break,
                }
                continue;
            };
            let rest = piece.get(self.consumed..).unwrap_or_default();
            let take = rest.len().min(left);
            bytes.extend(rest[..take].iter().flat_map(|s| s.to_le_bytes()));
            left -= take;
            self.consumed += take;
            if take == rest.len() {
                self.pieces.pop_front();
                self.consumed = 0;
            }
        }
        bytes.resize(bytes.len() + left * 2, 0);
    }

    /// Writes samples as time passes until the encoder takes no more.
    pub(super) async fn feed(&mut self, mut to: impl AsyncWrite + Unpin) -> io::Error {
        let began = Instant::now();
        let mut tick = interval(EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut given = 0;
        let mut bytes = Vec::new();
        loop {
            tick.tick().await;
            // One turn ahead: a picture must not wait for its samples.
            let due = samples(began.elapsed() + EVERY);
            // An encoder that took nothing for so long is being killed for its frames.
            let n = due.saturating_sub(given).min(MAX_PIECE);
            given = due;
            bytes.clear();
            self.fill(&mut bytes, n);
            if let Err(error) = to.write_all(&bytes).await {
                return error;
            }
        }
    }
}

fn samples(time: Duration) -> usize {
    let samples = time.as_micros() * u128::from(SAMPLE_RATE) / 1_000_000;
    usize::try_from(samples).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::patience::PATIENCE;

    fn next_samples(sound: &mut Sound, samples: usize) -> Vec<i16> {
        let mut bytes = Vec::new();
        sound.fill(&mut bytes, samples);
        let pairs = bytes.chunks_exact(2);
        pairs.map(|b| i16::from_le_bytes([b[0], b[1]])).collect()
    }

    #[test]
    fn pieces_are_heard_in_order_and_then_silence() {
        let (speaker, mut sound) = sound();
        assert_eq!(next_samples(&mut sound, 2), [0, 0]);
        assert!(speaker.play([1, 2, 3].into()));
        assert!(speaker.play([].into()));
        assert!(speaker.play([4, -5].into()));
        assert_eq!(next_samples(&mut sound, 2), [1, 2]);
        assert_eq!(next_samples(&mut sound, 5), [3, 4, -5, 0, 0]);
        drop(speaker);
        assert_eq!(next_samples(&mut sound, 1), [0], "nobody speaks any more");
    }

    #[test]
    fn a_speaker_never_waits_and_an_interruption_forgets() {
        let (speaker, mut sound) = sound();
        assert!(!speaker.play(vec![1; MAX_PIECE + 1].into()), "too long");
        let taken = (0..20).filter(|_| speaker.play([1].into())).count();
        assert_eq!(taken, MAX_WAITING);
        sound.discard();
        assert_eq!(next_samples(&mut sound, 1), [0]);
        assert!(speaker.play([1].into()), "there is room again");
    }

    #[tokio::test]
    async fn as_many_samples_as_time_has_passed() {
        let (_speaker, mut sound) = sound();
        let (near, mut far) = tokio::io::duplex(1 << 20);
        let began = Instant::now();
        let feeding = tokio::spawn(async move { sound.feed(near).await });
        let mut given = 0;
        while given < samples(Duration::from_millis(250)) {
            let mut bytes = [0; 4096];
            let read = tokio::io::AsyncReadExt::read(&mut far, &mut bytes);
            let read = tokio::time::timeout(PATIENCE, read).await;
            given += read.expect("more in time").expect("read") / 2;
            // What is there was given by now, at the latest.
            let took = began.elapsed() + EVERY;
            assert!(given <= samples(took), "{given} in {took:?}");
        }
        feeding.abort();
    }
}
