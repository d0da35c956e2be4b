//! `[voice]`: calls that are heard, at a node; and `[voice]` of a hub, for those who want to know
//! how their number sounds.

mod check;

use crate::model::QueueId;
use jiff::civil::Time;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

/// Where the Debian package puts the dictionary.
const DICTIONARY: &str = "/usr/share/yobiban/dictionary";

/// A language that calls can be spoken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum VoiceLanguage {
    /// Japanese.
    Ja,
    /// English.
    En,
    /// Chinese, as in Beijing.
    Zh,
    /// Korean.
    Ko,
    /// Vietnamese.
    Vi,
    /// Portuguese, as in Brazil.
    Pt,
}

impl VoiceLanguage {
    /// All of them with their tags.
    pub const ALL: [(&'static str, Self); 6] = [
        ("ja", Self::Ja),
        ("en", Self::En),
        ("zh", Self::Zh),
        ("ko", Self::Ko),
        ("vi", Self::Vi),
        ("pt", Self::Pt),
    ];

    /// Its tag, as in configurations and addresses.
    #[must_use]
    pub fn tag(self) -> &'static str {
        let found = Self::ALL.iter().find(|(_, lang)| *lang == self);
        found.map_or("ja", |(tag, _)| tag)
    }
}

impl std::str::FromStr for VoiceLanguage {
    type Err = String;

    fn from_str(tag: &str) -> Result<Self, String> {
        let found = Self::ALL.iter().find(|(known, _)| *known == tag);
        found
            .map(|(_, lang)| *lang)
            .ok_or_else(|| format!("{tag} is not spoken: expected ja, en, zh, ko, vi or pt"))
    }
}

/// How numbers are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Readings {
    /// 042 is read digit by digit, not as forty-two. Default `false`.
    pub digit_by_digit: bool,
    /// 4 is し in Japanese, not よん. Default `false`.
    pub shi: bool,
    /// 7 is しち, not なな. Default `false`.
    pub shichi: bool,
    /// How 0 is read in Japanese. Default ゼロ.
    pub zero: Zero,
}

impl Default for Readings {
    fn default() -> Self {
        Self {
            digit_by_digit: false,
            shi: false,
            shichi: false,
            zero: Zero::Zero,
        }
    }
}

/// How 0 is read in Japanese.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Zero {
    /// ゼロ
    Zero,
    /// れい
    Rei,
    /// まる
    Maru,
}

/// The texts of one language; `None` is the built-in one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VoiceTexts {
    /// A call to a counter.
    pub call: Option<String>,
    /// The same in few words.
    pub short: Option<String>,
    /// Said before a call that is made again.
    pub recall: Option<String>,
    /// Said before a call of a fast lane.
    pub fast: Option<String>,
}

/// How much is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum VoiceDetail {
    /// Nothing is heard.
    Off,
    Chime,
    /// Chime and few words, in the first language.
    Short,
    /// All of it.
    Full,
}

/// A part of the day in which other rules hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VoiceHours {
    /// When it begins, local time.
    pub from: Time,
    pub until: Time,
    /// The most that is said.
    pub detail: VoiceDetail,
    /// Percent.
    pub volume: u8,
}

/// Where announcements go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VoiceOutput {
    /// A sound device of ALSA.
    Alsa {
        /// Its name, such as `default`, `sysdefault:CARD=vc4hdmi0` or `plughw:CARD=Headphones`.
        device: String,
        /// Silence is sent between announcements: monitors swallow the beginning of what follows
        /// a pause.
        keep_open: bool,
    },
    /// A WAV file for each announcement.
    Wav { dir: PathBuf },
    /// Nowhere.
    None,
}

/// How calls are heard at a node.
#[derive(Debug, Clone)]
pub struct VoiceConfig {
    pub output: VoiceOutput,
    /// Queues whose calls are heard; `None` is all.
    pub queues: Option<Vec<QueueId>>,
    /// Whether a chime comes first.
    pub chime: bool,
    /// Percent, 0 to 100.
    pub volume: u8,
    /// Parts of the day with other rules; the first that fits counts.
    pub hours: Vec<VoiceHours>,
    /// Shortest silence between two announcements.
    pub min_pause: Duration,
    /// A call that waited this long gets the chime alone; half as long, few words.
    pub max_backlog: Duration,
    /// What is said and how.
    pub speech: SpeechConfig,
}

impl VoiceConfig {
    /// The default of [`VoiceConfig::min_pause`].
    pub const MIN_PAUSE: Duration = Duration::from_secs(1);
    /// The default of [`VoiceConfig::max_backlog`].
    pub const MAX_BACKLOG: Duration = Duration::from_secs(30);
}

/// What is said and how; the same at a node and at a hub.
#[derive(Debug, Clone)]
pub struct SpeechConfig {
    /// Languages in their order, at least one.
    pub languages: Vec<VoiceLanguage>,
    /// How numbers are read.
    pub readings: Readings,
    pub texts: BTreeMap<VoiceLanguage, VoiceTexts>,
    /// Speed in percent of the usual one, 70 to 150.
    pub speed: u8,
    /// Folder of the Japanese dictionary.
    pub dictionary: PathBuf,
    /// Folder of recorded WAV files that replace what is synthesised.
    pub recorded: Option<PathBuf>,
}

impl Default for SpeechConfig {
    fn default() -> Self {
        Self {
            languages: vec![VoiceLanguage::Ja],
            readings: Readings::default(),
            texts: BTreeMap::new(),
            speed: 100,
            dictionary: PathBuf::from(DICTIONARY),
            recorded: None,
        }
    }
}
