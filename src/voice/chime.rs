//! The chime before an announcement: two tones, a third apart, as of a struck bar.
//!
//! `assets/voice/chime.wav` is what [`make`] makes; a test holds them together.

use super::sound::{Pcm, RATE, to_sample};
use super::wav;

/// The stored chime.
const FILE: &[u8] = include_bytes!("../../assets/voice/chime.wav");

/// When each tone begins in seconds, and its frequency: E5 and C5, high enough to be told from
/// voices and low enough for people whose hearing of high tones has gone.
const TONES: [(f64, f64); 2] = [(0.0, 659.255), (0.42, 523.251)];
/// How long it lasts.
const SECONDS: f64 = 1.25;
/// Frequency, level and decay a second of each partial: a bar's first partials, softened.
const PARTIALS: [(f64, f64, f64); 3] = [(1.0, 1.0, 4.0), (2.0, 0.25, 6.0), (3.99, 0.12, 11.0)];
/// Peak of a tone as a share of full scale.
const LEVEL: f64 = 0.28;
/// It begins and ends within these, so that nothing clicks.
const ATTACK_S: f64 = 0.004;
const END_S: f64 = 0.08;

/// The chime.
#[must_use]
pub fn chime() -> Pcm {
    wav::exact(FILE).unwrap_or_default()
}

/// Computes the chime.
#[must_use]
pub fn make() -> Pcm {
    let rate = f64::from(RATE);
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // 60,000
    let length = (SECONDS * rate) as usize;
    let sample = |i: usize| {
        let t = i as f64 / rate;
        let tones: f64 = TONES
            .iter()
            .filter(|(begin, _)| t >= *begin)
            .map(|(begin, hertz)| tone(t - begin, *hertz))
            .sum();
        let end = ((SECONDS - t) / END_S).min(1.0);
        to_sample(LEVEL * tones * end * 32767.0)
    };
    Pcm::new((0..length).map(sample).collect())
}

fn tone(t: f64, hertz: f64) -> f64 {
    let attack = (t / ATTACK_S).min(1.0);
    let partial = |(times, level, decay): &(f64, f64, f64)| {
        level * (-decay * t).exp() * (std::f64::consts::TAU * hertz * times * t).sin()
    };
    attack * PARTIALS.iter().map(partial).sum::<f64>()
}

/// The bytes of a WAV file of the chime.
#[must_use]
pub fn file() -> Vec<u8> {
    wav::bytes(&make())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stored_chime_is_the_computed_one() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/voice/chime.wav");
        if std::env::var_os("YOBIBAN_ACCEPT").is_some() {
            std::fs::write(path, file()).unwrap();
        }
        let (stored, made) = (wav::exact(&std::fs::read(path).unwrap()).unwrap(), make());
        assert_eq!(stored.samples().len(), made.samples().len());
        // The sine of another machine may differ in its last digit.
        let near = |(a, b): (&i16, &i16)| a.abs_diff(*b) <= 1;
        assert!(stored.samples().iter().zip(made.samples()).all(near));
        assert!(made.peak() < 0.7, "{}", made.peak());
        let first = made.samples()[..480].iter().any(|s| s.abs() > 1000);
        assert!(first, "heard within 10 ms");
    }
}
