//! Voice announcements: which calls are announced when, their sentences, and their playback.
//!
//! [`AnnouncementQueue`] turns calls into [`Announcement`]s, each once and in order; it is pure, time is an
//! argument. [`texts`] makes sentences of one, [`Speech`] makes sound of sentences, [`Player`] gives
//! sound to a [`Sink`] in a thread of its own. Knows no broker, no board and no device.

mod announce;
mod announcement_queue;
mod cache;
pub mod chime;
mod espeak;
mod japanese;
mod player;
mod reading;
mod sink;
mod sound;
mod speech;
mod spoken_calls;
pub mod texts;
mod wav;

#[cfg(test)]
mod announcement_queue_tests;

pub use announce::announce;
pub use announcement_queue::{
    Announcement, AnnouncementQueue, AnnouncementSettings, Next, VoiceQueue,
};
pub use japanese::{Japanese, JapaneseError, build_dictionary};
pub use player::{PlaybackStatus, Player, Track};
pub use sink::{NullSink, RealTimeSink, Sink, SinkError, WavFolder, file_name};
pub use sound::{Pcm, RATE};
pub use speech::{Speech, SpeechError};
pub use spoken_calls::{SpokenCalls, SpokenQueue};

use std::time::Duration;

/// Silence between chime and speech, and between two sentences.
pub const GAP: Duration = Duration::from_millis(250);

/// The bytes of a WAV file: 16 bits, one channel, [`RATE`].
#[must_use]
pub fn wav_bytes(pcm: &Pcm) -> Vec<u8> {
    wav::bytes(pcm)
}

/// The same at half the rate, for slow lines: speech has nothing above 12 kHz.
#[must_use]
pub fn wav_bytes_small(pcm: &Pcm) -> Vec<u8> {
    wav::bytes_at(&sound::halve_rate(pcm), RATE / 2)
}
