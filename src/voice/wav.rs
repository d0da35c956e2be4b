//! WAV files: 16-bit samples written, and read as far as recordings and speech programs write them.
//!
//! Not by the crate `hound` 3.5: it rejects a length that is no whole number of samples, which is what
//! programs write that do not know it yet (ffmpeg into a pipe: `0xffff_ffff`), and to correct it the
//! parts of the file would have to be read here all the same.

use super::sound::{Pcm, RATE, resample, speech};

/// Longest recording that is read: a minute. A sentence lasts seconds.
const LONGEST_S: usize = 60;

/// Why a WAV file cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a WAV file that can be used: {0}")]
pub(super) struct WavError(&'static str);

/// The bytes of a WAV file.
pub(super) fn bytes(pcm: &Pcm) -> Vec<u8> {
    bytes_at(pcm, RATE)
}

/// The bytes of a WAV file of another rate.
pub(super) fn bytes_at(pcm: &Pcm, rate: u32) -> Vec<u8> {
    let length = u32::try_from(pcm.samples().len() * 2).unwrap_or(u32::MAX - 36);
    let mut bytes = Vec::with_capacity(44 + pcm.samples().len() * 2);
    bytes.extend_from_slice(b"RIFF");
    bytes.extend_from_slice(&(36 + length).to_le_bytes());
    bytes.extend_from_slice(b"WAVEfmt ");
    bytes.extend_from_slice(&16_u32.to_le_bytes());
    bytes.extend_from_slice(&1_u16.to_le_bytes()); // PCM
    bytes.extend_from_slice(&1_u16.to_le_bytes()); // one channel
    bytes.extend_from_slice(&rate.to_le_bytes());
    bytes.extend_from_slice(&(rate * 2).to_le_bytes());
    bytes.extend_from_slice(&2_u16.to_le_bytes());
    bytes.extend_from_slice(&16_u16.to_le_bytes());
    bytes.extend_from_slice(b"data");
    bytes.extend_from_slice(&length.to_le_bytes());
    for sample in pcm.samples() {
        bytes.extend_from_slice(&sample.to_le_bytes());
    }
    bytes
}

/// Speech of a WAV file, at the common rate and loudness.
///
/// # Errors
/// [`WavError`] for anything but 16-bit PCM of one or two channels, 8 to 192 kHz, up to a minute.
pub(super) fn read(bytes: &[u8]) -> Result<Pcm, WavError> {
    let (rate, samples) = raw(bytes)?;
    Ok(speech(&resample(&samples, rate)))
}

/// The samples of a file as they are.
///
/// # Errors
/// As [`read`]; also for another rate than ours.
pub(super) fn exact(bytes: &[u8]) -> Result<Pcm, WavError> {
    let (rate, samples) = raw(bytes)?;
    if rate != RATE {
        return Err(WavError("expected 48,000 samples a second"));
    }
    let whole = |s: &f64| super::sound::to_sample(s * 32768.0);
    Ok(Pcm::new(samples.iter().map(whole).collect()))
}

fn raw(bytes: &[u8]) -> Result<(u32, Vec<f64>), WavError> {
    let word = |at: usize| -> Option<u16> {
        let two = bytes.get(at..at + 2)?;
        Some(u16::from_le_bytes([two[0], two[1]]))
    };
    let long = |at: usize| Some(u32::from(word(at)?) | u32::from(word(at + 2)?) << 16);
    if bytes.get(0..4) != Some(b"RIFF") || bytes.get(8..12) != Some(b"WAVE") {
        return Err(WavError("it does not begin as one"));
    }
    let mut at = 12;
    let mut format = None;
    loop {
        let name = bytes.get(at..at + 4).ok_or(WavError("no samples in it"))?;
        let length = long(at + 4).ok_or(WavError("cut short"))?;
        let length = usize::try_from(length).map_err(|_| WavError("too long"))?;
        let content = at + 8;
        if name == b"fmt " {
            let kind = (word(content), word(content + 2), word(content + 14));
            let (Some(1 | 0xfffe), Some(channels @ (1 | 2)), Some(16)) = kind else {
                return Err(WavError("expected PCM of 16 bits, one or two channels"));
            };
            let rate = long(content + 4).unwrap_or(0);
            if !(8_000..=192_000).contains(&rate) {
                return Err(WavError("expected 8 to 192 kHz"));
            }
            format = Some((rate, usize::from(channels)));
        } else if name == b"data" {
            let (rate, channels) = format.ok_or(WavError("samples before their format"))?;
            // A program that writes into a pipe does not know the length beforehand.
            let end = content.saturating_add(length).min(bytes.len());
            let most = LONGEST_S * rate as usize * channels;
            let samples: Vec<f64> = bytes
                .get(content..end)
                .unwrap_or_default()
                .chunks_exact(2 * channels)
                .take(most + 1)
                .map(|frame| {
                    let sum: i32 = frame
                        .chunks_exact(2)
                        .map(|s| i32::from(i16::from_le_bytes([s[0], s[1]])))
                        .sum();
                    f64::from(sum) / 32768.0 / channels as f64
                })
                .collect();
            if samples.len() * channels > most {
                return Err(WavError("longer than a minute"));
            }
            return Ok((rate, samples));
        }
        // Parts begin at even places.
        at = content
            .checked_add(length)
            .map(|end| end + end % 2)
            .ok_or(WavError("too long"))?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_written_is_read() {
        let pcm = Pcm::new((0..4800).map(|i| i % 1000 - 500).collect());
        assert_eq!(exact(&bytes(&pcm)), Ok(pcm));
    }

    #[test]
    fn two_channels_and_unknown_lengths_are_read() {
        let mut file = bytes(&Pcm::new(vec![100, 300, -100, -300]));
        file[22] = 2;
        // As espeak-ng and ffmpeg write into a pipe.
        for unknown in [0x7fff_f000_u32, 0xffff_ffff] {
            file[40..44].copy_from_slice(&unknown.to_le_bytes());
            let (rate, samples) = raw(&file).unwrap();
            assert_eq!((rate, samples.len()), (RATE, 2));
            assert!((samples[0] * 32768.0 - 200.0).abs() < 1e-6);
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(mut file in proptest::collection::vec(any::<u8>(), 0..300), cut in 0usize..300) {
            let _ = read(&file);
            let whole = bytes(&Pcm::new(vec![5; 100]));
            let mut broken = whole[..cut.min(whole.len())].to_vec();
            broken.append(&mut file);
            let _ = read(&broken);
            let _ = exact(&broken);
        }
    }
}
