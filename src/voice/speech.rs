//! Sentences to sound: a recording where there is one, else synthesis; made once, kept a while.

use super::cache::Cache;
use super::espeak;
use super::japanese::Japanese;
use super::sound::Pcm;
use super::texts::{Piece, Sentence};
use super::wav;
use crate::config::{SpeechConfig, VoiceLanguage};
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Largest recording that is read: a minute of two channels at 48 kHz, and a little.
const MOST_BYTES: u64 = 12 * 1024 * 1024;

/// Why a sentence was not spoken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SpeechError(String);

/// Makes sound of sentences.
#[derive(Debug)]
pub struct Speech {
    /// Or why there is no Japanese.
    japanese: Option<Result<Japanese, String>>,
    /// Whether espeak-ng is there, if any language needs it.
    espeak: Option<bool>,
    recorded: Option<PathBuf>,
    speed: u8,
    /// Of a sentence by espeak-ng.
    timeout: Duration,
    cache: Cache,
}

impl Speech {
    /// Opens what the languages of a configuration need. What is missing is returned by
    /// [`trouble`](Self::trouble); the rest is spoken.
    #[must_use]
    pub fn open(config: &SpeechConfig) -> Self {
        let wanted = |lang| config.languages.contains(&lang);
        let foreign = config.languages.iter().any(|l| *l != VoiceLanguage::Ja);
        Self {
            japanese: wanted(VoiceLanguage::Ja).then(|| {
                Japanese::open(&config.dictionary, config.speed).map_err(|e| e.to_string())
            }),
            espeak: foreign.then(espeak::is_installed),
            recorded: config.recorded.clone(),
            speed: config.speed,
            timeout: espeak::TIMEOUT,
            cache: Cache::default(),
        }
    }

    /// Lets a sentence of another language take longer than the 3 s that a waiting area can bear
    /// before the next call, where there is no next call.
    #[must_use]
    pub fn with_timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// Why a language is not spoken, in one line.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        let japanese = match &self.japanese {
            Some(Err(why)) => Some(format!("Japanese is not spoken: {why}")),
            _ => None,
        };
        let espeak = (self.espeak == Some(false))
            .then(|| "only Japanese is spoken: espeak-ng is not installed".to_owned());
        match (japanese, espeak) {
            (Some(one), Some(other)) => Some(format!("{one}; {other}")),
            (one, other) => one.or(other),
        }
    }

    /// Speaks a sentence. Takes some 100 ms unless it was spoken lately.
    ///
    /// # Errors
    /// [`SpeechError`] when neither a recording nor synthesis can.
    pub fn say(&mut self, sentence: &Sentence) -> Result<Pcm, SpeechError> {
        let key = format!(
            "{}:{}:{}",
            sentence.lang.tag(),
            sentence.name,
            sentence.text()
        );
        if let Some(pcm) = self.cache.get(&key) {
            return Ok(pcm);
        }
        let pcm = match self.recording(sentence.lang, &sentence.name) {
            Some(pcm) => pcm,
            None => self.pieces(sentence)?,
        };
        self.cache.put(key, &pcm);
        Ok(pcm)
    }

    /// Joins recorded pieces with what must be synthesised between them.
    fn pieces(&self, sentence: &Sentence) -> Result<Pcm, SpeechError> {
        let mut sounds = Vec::new();
        let mut text = String::new();
        for Piece { name, text: piece } in &sentence.pieces {
            match self.recording(sentence.lang, name) {
                Some(pcm) => {
                    self.flush(&mut text, sentence.lang, &mut sounds)?;
                    sounds.push(pcm);
                }
                None => text.push_str(piece),
            }
        }
        self.flush(&mut text, sentence.lang, &mut sounds)?;
        Ok(Pcm::join(&sounds))
    }

    fn flush(
        &self,
        text: &mut String,
        lang: VoiceLanguage,
        sounds: &mut Vec<Pcm>,
    ) -> Result<(), SpeechError> {
        let text = std::mem::take(text);
        if text.chars().any(char::is_alphanumeric) {
            sounds.push(self.synthesise(&text, lang)?);
        }
        Ok(())
    }

    fn synthesise(&self, text: &str, lang: VoiceLanguage) -> Result<Pcm, SpeechError> {
        if lang != VoiceLanguage::Ja {
            return espeak::speak(text, lang, self.speed, self.timeout)
                .map_err(|e| SpeechError(e.to_string()));
        }
        match &self.japanese {
            Some(Ok(japanese)) => japanese.speak(text).map_err(|e| SpeechError(e.to_string())),
            Some(Err(why)) => Err(SpeechError(why.clone())),
            None => Err(SpeechError("Japanese is not configured".to_owned())),
        }
    }

    /// A recording from the folder, if there is one that can be used.
    fn recording(&self, lang: VoiceLanguage, name: &str) -> Option<Pcm> {
        let path = self.recorded.as_ref()?.join(lang.tag());
        let path = path.join(format!("{name}.wav"));
        match read(&path) {
            Ok(pcm) => pcm,
            Err(why) => {
                tracing::warn!("recording {} is not used: {why}", path.display());
                None
            }
        }
    }
}

fn read(path: &Path) -> Result<Option<Pcm>, String> {
    let file = match fs::File::open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(e.to_string()),
    };
    let mut bytes = Vec::new();
    file.take(MOST_BYTES)
        .read_to_end(&mut bytes)
        .map_err(|e| e.to_string())?;
    wav::read(&bytes).map(Some).map_err(|e| e.to_string())
}

#[cfg(test)]
#[allow(clippy::cast_possible_truncation)] // short tones
mod tests {
    use super::*;

    fn piece(name: &str, text: &str) -> Piece {
        Piece {
            name: name.into(),
            text: text.into(),
        }
    }

    fn tone(hertz: f64) -> Pcm {
        let sample = |i: u32| {
            let t = f64::from(i) / 48_000.0;
            (6000.0 * (std::f64::consts::TAU * hertz * t).sin()) as i16
        };
        Pcm::new((0..24_000).map(sample).collect())
    }

    #[test]
    fn recordings_replace_sentences_and_pieces_and_a_broken_one_is_not_used() {
        let dir = tempfile::tempdir().unwrap();
        let ja = dir.path().join("ja");
        fs::create_dir(&ja).unwrap();
        for (name, hertz) in [
            ("call-A1-3", 200.0),
            ("ticket-B2", 300.0),
            ("call-1", 400.0),
        ] {
            fs::write(ja.join(format!("{name}.wav")), wav::bytes(&tone(hertz))).unwrap();
        }
        fs::write(ja.join("ticket-C3.wav"), b"RIFF").unwrap();
        let config = SpeechConfig {
            dictionary: dir.path().join("none"),
            recorded: Some(dir.path().to_owned()),
            ..SpeechConfig::default()
        };
        let mut speech = Speech::open(&config);
        assert!(speech.trouble().unwrap().contains("no dictionary in"));
        let sentence = |name: &str, pieces: Vec<Piece>| Sentence {
            lang: VoiceLanguage::Ja,
            name: name.into(),
            pieces,
        };
        let whole = sentence("call-A1-3", vec![piece("ticket-A1", "x")]);
        let length = |pcm: Pcm| pcm.length().as_secs_f64();
        assert!((0.45..0.55).contains(&length(speech.say(&whole).unwrap())));
        let joined = sentence(
            "call-B2-3",
            vec![
                piece("call-1", "x"),
                piece("ticket-B2", "y"),
                piece("call-2", "。"),
            ],
        );
        assert!((0.9..1.1).contains(&length(speech.say(&joined).unwrap())));
        let broken = sentence("call-C3", vec![piece("ticket-C3", "x")]);
        assert!(speech.say(&broken).is_err());
        // Made once, kept: the recording may go.
        fs::remove_file(ja.join("call-A1-3.wav")).unwrap();
        assert!(speech.say(&whole).is_ok());
    }
}
