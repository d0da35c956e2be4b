//! Samples: one channel of 16 bits at one rate, and what is done to them.

use std::sync::Arc;
use std::time::Duration;

/// Samples a second, everywhere: the rate of the Japanese voice, and one that every device has.
pub const RATE: u32 = 48_000;

/// Loudness of speech, as root mean square of its voiced parts: 20 dB below full scale, the level
/// that ITU-R BS.1770 and EBU R 128 leave headroom above, and loud enough at full volume.
const TARGET_RMS: f64 = 0.1;
/// Above this share of full scale, peaks are bent so that they never reach it.
const KNEE: f64 = 0.7;
/// Parts quieter than this share of the loudest part's RMS are pauses (30 dB).
const PAUSE: f64 = 0.03;
/// Length of a part when loudness is measured.
const PART: usize = RATE as usize / 50;

/// Sound: clones share the samples.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pcm(Arc<[i16]>);

impl Pcm {
    /// Takes samples at [`RATE`].
    #[must_use]
    pub fn new(samples: Vec<i16>) -> Self {
        Self(samples.into())
    }

    /// Silence of a length.
    #[must_use]
    pub fn silence(length: Duration) -> Self {
        let samples = u64::from(RATE) * u64::try_from(length.as_millis()).unwrap_or(0) / 1000;
        Self::new(vec![0; usize::try_from(samples).unwrap_or(0)])
    }

    /// The samples.
    #[must_use]
    pub fn samples(&self) -> &[i16] {
        &self.0
    }

    /// The samples, shared.
    #[must_use]
    pub fn shared(&self) -> Arc<[i16]> {
        Arc::clone(&self.0)
    }

    /// How long it lasts.
    #[must_use]
    pub fn length(&self) -> Duration {
        Duration::from_secs_f64(self.0.len() as f64 / f64::from(RATE))
    }

    /// One after another.
    #[must_use]
    pub fn join<'a>(parts: impl IntoIterator<Item = &'a Self>) -> Self {
        let mut all = Vec::new();
        for part in parts {
            all.extend_from_slice(&part.0);
        }
        Self::new(all)
    }

    /// At a share of its volume, in percent. Loudness is felt roughly as the square of it, so
    /// that half sounds like half (−12 dB).
    #[must_use]
    pub fn at_volume(&self, percent: u8) -> Self {
        if percent >= 100 {
            return self.clone();
        }
        let gain = (f64::from(percent) / 100.0).powi(2);
        let quieter = self.0.iter().map(|s| to_sample(f64::from(*s) * gain));
        Self(quieter.collect())
    }

    /// The highest sample, as a share of full scale.
    #[must_use]
    pub fn peak(&self) -> f64 {
        let most = self.0.iter().map(|s| s.unsigned_abs()).max().unwrap_or(0);
        f64::from(most) / 32768.0
    }

    /// Root mean square of what is not a pause, as a share of full scale.
    #[must_use]
    pub fn loudness(&self) -> f64 {
        let samples: Vec<f64> = self.0.iter().map(|s| f64::from(*s) / 32768.0).collect();
        loudness(&samples)
    }
}

/// Speech at the common loudness, without clipping and without the silence around it. `samples` are
/// shares of any full scale; the peak decides nothing, loudness does.
pub(super) fn speech(samples: &[f64]) -> Pcm {
    let samples = trim_silence(samples);
    let loudness = loudness(samples);
    if loudness <= 0.0 {
        return Pcm::default();
    }
    let gain = TARGET_RMS / loudness;
    let bent = samples.iter().map(|s| to_sample(bend(s * gain) * 32767.0));
    Pcm(bent.collect())
}

/// Leaves low levels as they are and brings high ones below full scale, smoothly.
fn bend(level: f64) -> f64 {
    let size = level.abs();
    if size <= KNEE {
        return level;
    }
    let room = 0.99 - KNEE;
    (KNEE + room * ((size - KNEE) / room).tanh()).copysign(level)
}

fn rms(part: &[f64]) -> f64 {
    (part.iter().map(|s| s * s).sum::<f64>() / part.len().max(1) as f64).sqrt()
}

fn loudness(samples: &[f64]) -> f64 {
    let parts: Vec<f64> = samples.chunks(PART).map(rms).collect();
    let loudest = parts.iter().copied().fold(0.0, f64::max);
    let voiced: Vec<f64> = parts
        .into_iter()
        .filter(|part| *part > loudest * PAUSE)
        .collect();
    (voiced.iter().map(|p| p * p).sum::<f64>() / voiced.len().max(1) as f64).sqrt()
}

/// Without the silence at both ends; a part of it stays, so that no consonant is cut.
fn trim_silence(samples: &[f64]) -> &[f64] {
    let loudest = samples.chunks(PART).map(rms).fold(0.0, f64::max);
    let voiced = |part: &[f64]| rms(part) > loudest * PAUSE / 3.0;
    let Some(first) = samples.chunks(PART).position(voiced) else {
        return &[];
    };
    let last = samples.chunks(PART).count() - 1;
    let last = last - samples.chunks(PART).rev().position(voiced).unwrap_or(0);
    let from = first.saturating_sub(1) * PART;
    let until = ((last + 3) * PART).min(samples.len());
    &samples[from..until]
}

/// Another rate, by a windowed sinc of 16 samples on each side; what the new rate cannot hold goes.
pub(super) fn resample(samples: &[f64], rate: u32) -> Vec<f64> {
    const SIDE: usize = 16;
    if rate == RATE || rate == 0 {
        return samples.to_vec();
    }
    let (from, to) = (u64::from(rate), u64::from(RATE));
    let cut = (f64::from(RATE) / f64::from(rate)).min(1.0);
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // 64 at most
    let side = (SIDE as f64 / cut).ceil() as usize;
    // A new sample lies at one of a few places between two old ones: the weights repeat.
    let phases = to / gcd(from, to);
    let weights: Vec<Vec<f64>> = (0..phases)
        .map(|phase| {
            let fraction = phase as f64 / phases as f64;
            (0..2 * side)
                .map(|k| {
                    let x = fraction + side as f64 - 1.0 - k as f64;
                    let window = 0.5 + 0.5 * (std::f64::consts::PI * x / (side as f64 + 1.0)).cos();
                    sinc(x * cut) * cut * window
                })
                .collect()
        })
        .collect();
    let length = samples.len() as u64 * to / from;
    let at = |i: u64| -> f64 {
        let place = i * from;
        let phase = usize::try_from(place % to * phases / to).unwrap_or(0);
        let before = usize::try_from(place / to).unwrap_or(usize::MAX);
        // The first weight belongs to the sample `side - 1` before the place.
        let first = (before + 1).saturating_sub(side);
        let skip = (side - 1).saturating_sub(before);
        let near = samples.get(first..).unwrap_or_default();
        near.iter()
            .zip(&weights[phase][skip..])
            .map(|(sample, weight)| sample * weight)
            .sum()
    };
    (0..length).map(at).collect()
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// Half as many samples, after what they cannot hold was taken out.
pub(super) fn halve_rate(pcm: &Pcm) -> Pcm {
    const SIDE: i32 = 16;
    let taps: Vec<f64> = (-SIDE..=SIDE)
        .map(|k| {
            let x = f64::from(k);
            let window = 0.5 + 0.5 * (std::f64::consts::PI * x / f64::from(SIDE + 1)).cos();
            0.5 * sinc(x / 2.0) * window
        })
        .collect();
    let samples = pcm.samples();
    let middle = taps.len() / 2;
    let at = |i: usize| {
        let sum: f64 = taps
            .iter()
            .enumerate()
            .filter_map(|(k, tap)| {
                let sample = samples.get((i + k).checked_sub(middle)?)?;
                Some(tap * f64::from(*sample))
            })
            .sum();
        to_sample(sum)
    };
    Pcm::new((0..samples.len()).step_by(2).map(at).collect())
}

fn sinc(x: f64) -> f64 {
    let x = x * std::f64::consts::PI;
    if x.abs() < 1e-9 { 1.0 } else { x.sin() / x }
}

/// The nearest sample.
pub(super) fn to_sample(level: f64) -> i16 {
    #[allow(clippy::cast_possible_truncation)] // clamped
    let sample = level.round().clamp(-32768.0, 32767.0) as i16;
    sample
}

#[cfg(test)]
#[allow(clippy::cast_possible_truncation)] // short tones
mod tests {
    use super::*;

    fn tone(hertz: f64, rate: u32, level: f64, seconds: f64) -> Vec<f64> {
        (0..(seconds * f64::from(rate)) as usize)
            .map(|i| level * (std::f64::consts::TAU * hertz * i as f64 / f64::from(rate)).sin())
            .collect()
    }

    #[test]
    fn quiet_and_loud_speech_come_out_alike_and_nothing_clips() {
        for level in [1e-4, 0.3, 5.0, 20_000.0] {
            let mut sound = vec![0.0; 24_000];
            sound.extend(tone(300.0, RATE, level, 1.0));
            sound.extend(vec![0.0; 48_000]);
            let pcm = speech(&sound);
            assert!((pcm.loudness() / TARGET_RMS - 1.0).abs() < 0.02, "{level}");
            assert!(pcm.peak() < 1.0);
            let length = pcm.length().as_secs_f64();
            assert!((1.0..1.2).contains(&length), "{length}: silence is cut");
        }
        // A single spike far above the rest is bent, not cut.
        let mut spiky = tone(300.0, RATE, 0.05, 1.0);
        spiky[10_000] = 4.0;
        assert!(speech(&spiky).peak() < 1.0);
        assert_eq!(speech(&[0.0; 1000]).samples(), [0; 0]);
        assert_eq!(speech(&[]).samples(), [0; 0]);
    }

    #[test]
    fn another_rate_keeps_pitch_and_level() {
        for rate in [16_000, 22_050, 44_100, 96_000] {
            let sound = resample(&tone(440.0, rate, 0.5, 0.5), rate);
            assert!((sound.len() as f64 - 24_000.0).abs() < 3.0, "{rate}");
            let wanted = tone(440.0, RATE, 0.5, 0.5);
            let inside = 200..23_000;
            let worst = inside
                .map(|i| (sound[i] - wanted[i]).abs())
                .fold(0.0, f64::max);
            assert!(worst < 0.01, "{rate}: {worst}");
        }
    }

    #[test]
    fn volume_is_a_square() {
        let full = Pcm::new(vec![10_000, -10_000]);
        assert_eq!(full.at_volume(100), full);
        assert_eq!(full.at_volume(50).samples(), [2500, -2500]);
        assert_eq!(full.at_volume(0).samples(), [0, 0]);
    }
}
