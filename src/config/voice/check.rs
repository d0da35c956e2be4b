//! The checks of both tables `[voice]`.

use super::{
    Readings, SpeechConfig, VoiceConfig, VoiceDetail, VoiceHours, VoiceLanguage, VoiceOutput,
};
use super::{VoiceTexts, Zero};
use crate::config::check::Check;
use crate::config::doc::At;
use crate::config::problem::ProblemKind;
use crate::config::raw::{RawHubVoice, RawReading, RawVoice, RawVoiceHours, RawVoiceText};
use crate::model::QueueId;
use std::collections::BTreeMap;
use std::time::Duration;

/// More than one language costs everybody time; three fill the pause between two calls.
const MAX_LANGUAGES: usize = 3;
/// A day has no more parts than this.
const MAX_HOURS: usize = 12;
/// Longest text of an announcement: a quarter of a minute.
const MAX_TEXT: usize = 120;
/// Folder of WAV files, beside the configuration.
const DIR: &str = "calls";
/// Names of cards and their arguments are far shorter.
const MAX_DEVICE: usize = 100;
/// What a text may hold in place of what differs from call to call.
const PLACES: [&str; 3] = ["{ticket}", "{counter}", "{queue}"];

/// What of the raw tables is about speech.
struct RawSpeech<'r> {
    languages: Option<&'r [String]>,
    digits: Option<&'r str>,
    reading: Option<&'r RawReading>,
    text: Option<&'r BTreeMap<String, RawVoiceText>>,
    speed: Option<i64>,
    dictionary: Option<&'r str>,
    recorded: Option<&'r str>,
}

/// The part of either table: they have these keys in common, and no more.
macro_rules! raw_speech {
    ($raw:expr) => {
        RawSpeech {
            languages: $raw.languages.as_deref(),
            digits: $raw.digits.as_deref(),
            reading: $raw.reading.as_ref(),
            text: $raw.text.as_ref(),
            speed: $raw.speed,
            dictionary: $raw.dictionary.as_deref(),
            recorded: $raw.recorded.as_deref(),
        }
    };
}

impl Check<'_> {
    /// `[voice]` of a node.
    pub(in crate::config) fn voice(
        &mut self,
        raw: &RawVoice,
        queues: &[QueueId],
    ) -> Option<VoiceConfig> {
        let at = At::root().key("voice");
        let output = self.voice_output(&at, raw);
        let queues = raw
            .queues
            .as_deref()
            .map(|ids| self.shown(&at.key("queues"), ids, queues));
        let volume = self.percent(&at.key("volume"), raw.volume, 80, 0..=100);
        let hours = raw.hours.as_deref().unwrap_or_default();
        let hours = self.voice_hours(&at.key("hours"), hours, volume);
        let second = Duration::from_secs(1);
        let min_pause = self.duration(
            &at.key("min_pause"),
            raw.min_pause.as_ref(),
            VoiceConfig::MIN_PAUSE,
            Duration::from_millis(200)..=second * 60,
        );
        let max_backlog = self.duration(
            &at.key("max_backlog"),
            raw.max_backlog.as_ref(),
            VoiceConfig::MAX_BACKLOG,
            second * 5..=second * 600,
        );
        let speech = self.speech(&at, &raw_speech!(raw));
        Some(VoiceConfig {
            output: output?,
            queues,
            chime: raw.chime.unwrap_or(true),
            volume,
            hours,
            min_pause,
            max_backlog,
            speech,
        })
    }

    /// `[voice]` of a hub.
    pub(in crate::config) fn hub_voice(&mut self, raw: &RawHubVoice) -> SpeechConfig {
        let at = At::root().key("voice");
        self.speech(&at, &raw_speech!(raw))
    }

    fn voice_output(&mut self, at: &At, raw: &RawVoice) -> Option<VoiceOutput> {
        let Some(kind) = raw.output.as_deref() else {
            self.missing(
                &at.key("output"),
                "where calls are played: alsa, wav or none",
            );
            return None;
        };
        let words = [("alsa", 0), ("wav", 1), ("none", 2)];
        let kind = self.word(&at.key("output"), kind, &words)?;
        for (wrong, key) in [
            (kind != 0 && raw.device.is_some(), "device"),
            (kind != 0 && raw.keep_open.is_some(), "keep_open"),
            (kind != 1 && raw.dir.is_some(), "dir"),
        ] {
            if wrong {
                self.wrong_as(
                    &at.key(key),
                    ProblemKind::Unwanted,
                    "not for this output: expected no such key",
                );
            }
        }
        match kind {
            0 => {
                let device = raw.device.as_deref().unwrap_or("default");
                // alsa-lib reads names as small programs; of usual characters nothing can be made
                // but names of devices with their arguments.
                let usual = |c: char| c.is_ascii_alphanumeric() || "_-:=,.".contains(c);
                if device.is_empty() || device.len() > MAX_DEVICE || !device.chars().all(usual) {
                    let expected = "expected a name that `aplay -L` lists, such as default or \
                                    sysdefault:CARD=vc4hdmi0";
                    self.wrong(&at.key("device"), expected);
                    return None;
                }
                Some(VoiceOutput::Alsa {
                    device: device.to_owned(),
                    keep_open: raw.keep_open.unwrap_or(false),
                })
            }
            1 => {
                let dir = raw.dir.as_deref().unwrap_or(DIR);
                let dir = self.path(&at.key("dir"), dir)?;
                Some(VoiceOutput::Wav { dir })
            }
            _ => Some(VoiceOutput::None),
        }
    }

    fn voice_hours(&mut self, at: &At, raw: &[RawVoiceHours], volume: u8) -> Vec<VoiceHours> {
        if raw.len() > MAX_HOURS {
            let n = raw.len();
            self.wrong_as(
                &at.index(MAX_HOURS),
                ProblemKind::TooMany,
                format_args!("{n} parts of the day: expected at most {MAX_HOURS}"),
            );
        }
        let mut hours = Vec::new();
        for (i, raw) in raw.iter().enumerate().take(MAX_HOURS) {
            let at = at.index(i);
            let words = [
                ("full", VoiceDetail::Full),
                ("short", VoiceDetail::Short),
                ("chime", VoiceDetail::Chime),
                ("off", VoiceDetail::Off),
            ];
            let detail = raw.detail.as_deref().unwrap_or("full");
            let detail = self.word(&at.key("detail"), detail, &words);
            let volume = self.percent(&at.key("volume"), raw.volume, volume, 0..=100);
            let Some(times) = raw.times.as_deref() else {
                self.missing(
                    &at.key("times"),
                    "from when to when, such as [\"12:00\", \"13:00\"]",
                );
                continue;
            };
            if let Some(((from, until), detail)) = self.hours(&at.key("times"), times).zip(detail) {
                hours.push(VoiceHours {
                    from,
                    until,
                    detail,
                    volume,
                });
            }
        }
        hours
    }

    fn speech(&mut self, at: &At, raw: &RawSpeech<'_>) -> SpeechConfig {
        let defaults = SpeechConfig::default();
        let languages = match raw.languages {
            Some(tags) => self.languages(&at.key("languages"), tags),
            None => defaults.languages,
        };
        let digits = [("number", false), ("digit-by-digit", true)];
        let digit_by_digit = raw.digits.unwrap_or("number");
        let digit_by_digit = self.word(&at.key("digits"), digit_by_digit, &digits);
        let no_reading = RawReading::default();
        let reading = raw.reading.unwrap_or(&no_reading);
        let reading_at = at.key("reading");
        let four = reading.four.as_deref().unwrap_or("yon");
        let shi = self.word(
            &reading_at.key("four"),
            four,
            &[("yon", false), ("shi", true)],
        );
        let seven = reading.seven.as_deref().unwrap_or("nana");
        let seven = self.word(
            &reading_at.key("seven"),
            seven,
            &[("nana", false), ("shichi", true)],
        );
        let zeros = [
            ("zero", Zero::Zero),
            ("rei", Zero::Rei),
            ("maru", Zero::Maru),
        ];
        let zero = reading.zero.as_deref().unwrap_or("zero");
        let zero = self.word(&reading_at.key("zero"), zero, &zeros);
        let mut texts = BTreeMap::new();
        for (tag, raw) in raw.text.into_iter().flatten() {
            let at = at.key("text").key(tag);
            if let Some(lang) = self.word(&at, tag, &VoiceLanguage::ALL) {
                texts.insert(lang, self.voice_texts(&at, raw));
            }
        }
        let dictionary = match raw.dictionary {
            Some(dir) => self.path(&at.key("dictionary"), dir),
            None => Some(defaults.dictionary),
        };
        let recorded = raw.recorded.and_then(|dir| {
            let at = at.key("recorded");
            let dir = self.path(&at, dir)?;
            if !dir.is_dir() {
                let detail = format_args!("no such folder: {}", dir.display());
                self.wrong_as(&at, ProblemKind::NoSuch, detail);
            }
            Some(dir)
        });
        SpeechConfig {
            languages,
            readings: Readings {
                digit_by_digit: digit_by_digit.unwrap_or_default(),
                shi: shi.unwrap_or_default(),
                shichi: seven.unwrap_or_default(),
                zero: zero.unwrap_or(Zero::Zero),
            },
            texts,
            speed: self.percent(&at.key("speed"), raw.speed, 100, 70..=150),
            dictionary: dictionary.unwrap_or_default(),
            recorded,
        }
    }

    fn languages(&mut self, at: &At, tags: &[String]) -> Vec<VoiceLanguage> {
        if tags.is_empty() || tags.len() > MAX_LANGUAGES {
            self.wrong(
                at,
                format_args!("expected 1 to {MAX_LANGUAGES} languages, such as [\"ja\", \"en\"]"),
            );
        }
        let mut languages = Vec::new();
        for (i, tag) in tags.iter().enumerate().take(MAX_LANGUAGES) {
            let at = at.index(i);
            let Some(lang) = self.word(&at, tag, &VoiceLanguage::ALL) else {
                continue;
            };
            if languages.contains(&lang) {
                self.wrong_as(
                    &at,
                    ProblemKind::Duplicate,
                    "named before: expected each language once",
                );
            }
            languages.push(lang);
        }
        languages
    }

    fn voice_texts(&mut self, at: &At, raw: &RawVoiceText) -> VoiceTexts {
        VoiceTexts {
            call: self.call_text(&at.key("call"), raw.call.as_deref()),
            short: self.call_text(&at.key("short"), raw.short.as_deref()),
            recall: self.fixed_text(&at.key("recall"), raw.recall.as_deref()),
            fast: self.fixed_text(&at.key("fast"), raw.fast.as_deref()),
        }
    }

    /// The sentence of a call, with places for what changes.
    fn call_text(&mut self, at: &At, raw: Option<&str>) -> Option<String> {
        let raw = raw?;
        let mut rest = raw.to_owned();
        for place in PLACES {
            rest = rest.replacen(place, "", 1);
        }
        let good = is_spoken_line(raw) && !rest.contains(['{', '}']) && raw.contains("{ticket}");
        if !good {
            self.wrong(
                at,
                format_args!(
                    "expected one line of at most {MAX_TEXT} characters with {{ticket}}, and \
                     {{counter}} and {{queue}} where wanted, each once"
                ),
            );
        }
        good.then(|| raw.to_owned())
    }

    /// What is said of a call besides, always the same.
    fn fixed_text(&mut self, at: &At, raw: Option<&str>) -> Option<String> {
        let raw = raw?;
        let good = is_spoken_line(raw) && !raw.contains(['{', '}']);
        if !good {
            self.wrong(
                at,
                format_args!("expected one line of 1 to {MAX_TEXT} characters without {{ }}"),
            );
        }
        good.then(|| raw.to_owned())
    }

    fn percent(
        &mut self,
        at: &At,
        raw: Option<i64>,
        default: u8,
        bounds: std::ops::RangeInclusive<usize>,
    ) -> u8 {
        u8::try_from(self.count(at, raw, usize::from(default), bounds)).unwrap_or(default)
    }
}

fn is_spoken_line(raw: &str) -> bool {
    !raw.trim().is_empty() && raw.chars().count() <= MAX_TEXT && !raw.chars().any(char::is_control)
}
