//! Japanese text to sound in this process: jpreprocess reads the text with a dictionary, jbonsai
//! speaks with the voice that is part of the program.
//!
//! Voice: HTS Voice "NIT ATR503 M001", Nagoya Institute of Technology, CC BY 3.0
//! (`assets/voice/README.md`).

use super::sound::{self, Pcm, RATE, resample};
use jpreprocess::{DefaultTokenizer, Dictionary, JPreprocess};
use jpreprocess_dictionary::dictionary::to_dict::JPreprocessDictionaryBuilder;
use std::fmt;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

/// The voice.
const VOICE: &[u8] = include_bytes!("../../assets/voice/nitech_jp_atr503_m001.htsvoice");

/// Names the file that says which software a dictionary was built for.
const VERSION_FILE: &str = "VERSION";
/// The form of dictionaries changes with the version of jpreprocess (`Cargo.toml`).
const VERSION: &str = "jpreprocess 0.15\n";

/// Longest text that is spoken: an announcement has a tenth of it.
const MAX_CHARS: usize = 500;

/// Why Japanese cannot be spoken.
#[derive(Debug, thiserror::Error)]
pub enum JapaneseError {
    /// There is no dictionary.
    #[error("no dictionary in {}: see docs/voice.md", .0.display())]
    NoDictionary(PathBuf),
    /// It was built for another version of this program.
    #[error("the dictionary in {} is of another version: build it again", .0.display())]
    OtherVersion(PathBuf),
    /// It cannot be used or built.
    #[error("the dictionary in {} cannot be used: {problem}", path.display())]
    Dictionary { path: PathBuf, problem: String },
    /// The voice cannot be used.
    #[error("the voice cannot be used: {0}")]
    Voice(String),
    /// A text cannot be spoken.
    #[error("cannot speak {text:?}: {problem}")]
    Text { text: String, problem: String },
}

/// Speaks Japanese.
pub struct Japanese {
    reader: JPreprocess<DefaultTokenizer>,
    voice: jbonsai::Engine,
}

impl fmt::Debug for Japanese {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Japanese").finish_non_exhaustive()
    }
}

impl Japanese {
    /// Opens the dictionary; it is mapped, not read, so that memory holds the words in use only.
    /// `speed` is percent of the usual one.
    ///
    /// # Errors
    /// [`JapaneseError`] when there is no dictionary, or none that can be used.
    pub fn open(dictionary: &Path, speed: u8) -> Result<Self, JapaneseError> {
        match fs::read_to_string(dictionary.join(VERSION_FILE)) {
            Ok(version) if version == VERSION => {}
            Ok(_) => return Err(JapaneseError::OtherVersion(dictionary.to_owned())),
            Err(_) => return Err(JapaneseError::NoDictionary(dictionary.to_owned())),
        }
        let unusable = |problem| JapaneseError::Dictionary {
            path: dictionary.to_owned(),
            problem,
        };
        let load = || Dictionary::load_from_path_with_options(dictionary, true);
        let system = guarded(load).and_then(|loaded| loaded.map_err(|e| e.to_string()));
        let reader = JPreprocess::with_dictionaries(system.map_err(unusable)?, None);
        let mut voice = jbonsai::Engine::load_from_bytes([VOICE])
            .map_err(|e| JapaneseError::Voice(e.to_string()))?;
        voice.condition.set_speed(f64::from(speed.max(1)) / 100.0);
        Ok(Self { reader, voice })
    }

    /// The phonemes of a text, silences (`sil`, `pau`) among them.
    ///
    /// # Errors
    /// [`JapaneseError::Text`] for a text that cannot be read.
    pub fn phonemes(&self, text: &str) -> Result<Vec<String>, JapaneseError> {
        let read = guarded(|| self.reader.extract_fullcontext(text));
        let labels = read.and_then(|labels| labels.map_err(|e| e.to_string()));
        let labels = labels.map_err(|problem| wrong(text, problem))?;
        Ok(labels.into_iter().filter_map(|l| l.phoneme.c).collect())
    }

    /// Speaks a text.
    ///
    /// # Errors
    /// [`JapaneseError::Text`] for a text that cannot be read, or is far too long.
    pub fn speak(&self, text: &str) -> Result<Pcm, JapaneseError> {
        if text.chars().count() > MAX_CHARS {
            let problem = format!("longer than {MAX_CHARS} characters");
            return Err(wrong("", problem));
        }
        let speak = || {
            let labels = self.reader.extract_fullcontext(text);
            let labels = labels.map_err(|e| e.to_string())?;
            self.voice.synthesize(labels).map_err(|e| e.to_string())
        };
        let samples = guarded(speak).and_then(|samples| samples);
        let samples = samples.map_err(|problem| wrong(text, problem))?;
        let rate = self.voice.condition.get_sampling_frequency();
        let rate = u32::try_from(rate).unwrap_or(RATE);
        Ok(sound::speech(&resample(&samples, rate)))
    }
}

fn wrong(text: &str, problem: String) -> JapaneseError {
    JapaneseError::Text {
        text: text.to_owned(),
        problem,
    }
}

/// A damaged dictionary makes the libraries panic; that must not end the voice.
fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|_| "it is damaged".to_owned())
}

/// Builds a dictionary from the folder `mecab-naist-jdic` of Open JTalk's sources.
///
/// # Errors
/// [`JapaneseError::Dictionary`] when it cannot be read or written.
pub fn build_dictionary(from: &Path, to: &Path) -> Result<(), JapaneseError> {
    let at = |path: &Path| {
        let path = path.to_owned();
        move |problem| JapaneseError::Dictionary { path, problem }
    };
    if !from.join("naist-jdic.csv").is_file() {
        return Err(at(from)("no naist-jdic.csv in it".to_owned()));
    }
    let build = || JPreprocessDictionaryBuilder::default().build_dictionary(from, to);
    let built = guarded(build).and_then(|built| built.map_err(|e| e.to_string()));
    built.map_err(at(from))?;
    fs::write(to.join(VERSION_FILE), VERSION).map_err(|e| at(to)(e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_dictionary_and_a_foreign_one_are_told_apart() {
        let dir = tempfile::tempdir().unwrap();
        let none = Japanese::open(dir.path(), 100).unwrap_err();
        assert!(none.to_string().starts_with("no dictionary in "), "{none}");
        fs::write(dir.path().join(VERSION_FILE), "jpreprocess 0.9\n").unwrap();
        let other = Japanese::open(dir.path(), 100).unwrap_err();
        assert!(other.to_string().contains("of another version"), "{other}");
        fs::write(dir.path().join(VERSION_FILE), VERSION).unwrap();
        let damaged = Japanese::open(dir.path(), 100).unwrap_err();
        assert!(damaged.to_string().contains("cannot be used"), "{damaged}");
        let nothing = build_dictionary(dir.path(), &dir.path().join("out")).unwrap_err();
        assert!(
            nothing.to_string().contains("no naist-jdic.csv"),
            "{nothing}"
        );
    }
}
