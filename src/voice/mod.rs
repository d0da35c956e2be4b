//! Calls that are heard: what is said when, how it is said, and who plays it.
//!
//! [`Plan`] turns calls into [`Announcement`]s, each once and in order; it is pure, time is an
//! argument. [`texts`] makes sentences of one, [`Speech`] makes sound of sentences, [`Player`] gives
//! sound to a [`Sink`] in a thread of its own. Knows no broker, no board and no device.

mod announce;
mod cache;
pub mod chime;
mod espeak;
mod japanese;
mod plan;
mod player;
mod reading;
mod sink;
mod sound;
mod speech;
mod spoken;
pub mod texts;
mod wav;

#[cfg(test)]
mod plan_tests;

pub use announce::announce;
pub use japanese::{Japanese, JapaneseError, build_dictionary};
pub use plan::{Announcement, Next, Plan, PlanQueue, PlanSettings};
pub use player::{Heard, Player, Track};
pub use sink::{InTime, Nowhere, Sink, SinkError, WavFolder, file_name};
pub use sound::{Pcm, RATE};
pub use speech::{Speech, SpeechError};
pub use spoken::{Spoken, SpokenQueue};

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
    wav::bytes_at(&sound::halved(pcm), RATE / 2)
}
