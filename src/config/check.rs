//! The checks that every table shares; each collects what is wrong and goes on.

use super::doc::{At, Doc};
use super::error::{ConfigError, Problem};
use super::hint;
use super::raw::{DurationText, NameTable};
use crate::model::{IdError, Name};
use crate::wire::text::MAX_NAME_CHARS;
use jiff::SignedDuration;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

/// What surrounds a file: relative paths and credentials are looked up there.
#[derive(Debug, Clone)]
pub(super) struct Around<'a> {
    /// The folder of the file.
    pub(super) dir: &'a Path,
    /// The directory of systemd's credentials, if the process was given any.
    pub(super) credentials: Option<PathBuf>,
    /// The directory that systemd made for what is kept, if it made one.
    pub(super) state: Option<PathBuf>,
}

/// A file under check: the text for positions, and all that was found wrong so far.
pub(super) struct Check<'t> {
    pub(super) doc: Doc<'t>,
    pub(super) around: Around<'t>,
    problems: Vec<Problem>,
}

impl<'t> Check<'t> {
    pub(super) fn new(doc: Doc<'t>, around: Around<'t>) -> Self {
        Self {
            doc,
            around,
            problems: Vec::new(),
        }
    }

    /// Notes that the value at a place is wrong, or missing when there is none.
    pub(super) fn wrong(&mut self, at: &At, message: impl Display) {
        self.wrong_hint(at, message, None);
    }

    /// As [`wrong`](Self::wrong), with a guess what was meant.
    pub(super) fn wrong_hint(&mut self, at: &At, message: impl Display, hint: Option<String>) {
        self.problems.push(Problem {
            position: self.doc.position_of(at),
            key: at.to_string(),
            found: self.doc.found(at),
            message: message.to_string(),
            hint,
        });
    }

    /// Notes that a required key is not there.
    pub(super) fn missing(&mut self, at: &At, expected: impl Display) {
        self.wrong(at, format_args!("missing: expected {expected}"));
    }

    /// The value when nothing was wrong.
    pub(super) fn finish<T>(self, name: &str, value: Option<T>) -> Result<T, ConfigError> {
        match value {
            Some(value) if self.problems.is_empty() => Ok(value),
            _ => Err(ConfigError::new(name, self.problems)),
        }
    }

    /// An identifier that must be there.
    pub(super) fn id<T: FromStr<Err = IdError>>(
        &mut self,
        at: &At,
        raw: Option<&str>,
    ) -> Option<T> {
        const EXPECTED: &str = "1 to 32 of a-z, 0-9 and -, not starting with -";
        let Some(raw) = raw else {
            self.missing(at, format_args!("an id of {EXPECTED}"));
            return None;
        };
        let id = raw.parse().ok();
        if id.is_none() {
            self.wrong(at, format_args!("not an id: expected {EXPECTED}"));
        }
        id
    }

    /// One of a few words.
    pub(super) fn word<T: Copy>(&mut self, at: &At, raw: &str, words: &[(&str, T)]) -> Option<T> {
        let found = words.iter().find(|(word, _)| *word == raw).map(|(_, v)| *v);
        if found.is_none() {
            let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            let hint = hint::nearest(raw, words.iter().copied());
            self.wrong_hint(at, format_args!("expected {}", hint::one_of(&words)), hint);
        }
        found
    }

    /// A name that must be there.
    pub(super) fn name(&mut self, at: &At, raw: Option<&NameTable>) -> Option<Name> {
        let Some(raw) = raw else {
            let example = "{ ja = \"証明書の交付\", en = \"Certificates\" }";
            self.missing(at, format_args!("a name by language, such as {example}"));
            return None;
        };
        if raw.0.is_empty() {
            self.wrong(
                at,
                "no name in it: expected at least one language, such as ja or en",
            );
            return None;
        }
        let mut good = true;
        for (tag, text) in &raw.0 {
            let at = at.key(tag);
            if !is_language(tag) {
                self.wrong(
                    &at,
                    format_args!(
                        "{tag} is not a language tag: expected one such as ja, en or zh-Hans"
                    ),
                );
                good = false;
            } else if !is_line(text, MAX_NAME_CHARS) {
                self.wrong(
                    &at,
                    format_args!("expected 1 to {MAX_NAME_CHARS} printable characters"),
                );
                good = false;
            }
        }
        good.then(|| Name::new(raw.0.iter().map(|(k, v)| (k.as_str(), v.trim()))))
    }

    /// A length of time within bounds, or the default.
    pub(super) fn duration(
        &mut self,
        at: &At,
        raw: Option<&DurationText>,
        default: Duration,
        bounds: RangeInclusive<Duration>,
    ) -> Duration {
        let Some(raw) = raw else { return default };
        let parsed = raw.0.trim().parse::<SignedDuration>().ok();
        match parsed.and_then(|d| Duration::try_from(d).ok()) {
            Some(d) if bounds.contains(&d) => d,
            _ => {
                let (low, high) = (show(*bounds.start()), show(*bounds.end()));
                self.wrong(
                    at,
                    format_args!(
                        "expected a duration from {low} to {high}, such as \"90s\" or \"5m\""
                    ),
                );
                default
            }
        }
    }

    /// A whole number within bounds, or the default.
    pub(super) fn count(
        &mut self,
        at: &At,
        raw: Option<i64>,
        default: usize,
        bounds: RangeInclusive<usize>,
    ) -> usize {
        let Some(raw) = raw else { return default };
        match usize::try_from(raw) {
            Ok(n) if bounds.contains(&n) => n,
            _ => {
                let (low, high) = (bounds.start(), bounds.end());
                self.wrong(
                    at,
                    format_args!("expected a whole number from {low} to {high}"),
                );
                default
            }
        }
    }

    /// A path as typed, seen from the folder of the file.
    pub(super) fn path(&mut self, at: &At, raw: &str) -> Option<PathBuf> {
        if raw.is_empty() || raw.contains('\0') {
            self.wrong(at, "expected a path");
            return None;
        }
        Some(self.around.dir.join(raw))
    }

    /// A short text file that must be there, and its content.
    pub(super) fn file(&mut self, at: &At, raw: &str) -> Option<(PathBuf, String)> {
        /// More than any certificate chain, key or password needs.
        const MAX_BYTES: u64 = 1024 * 1024;
        let path = self.path(at, raw)?;
        match read_text(&path, MAX_BYTES) {
            Ok(text) => Some((path, text)),
            Err(error) => {
                self.wrong(at, format_args!("cannot read {}: {error}", path.display()));
                None
            }
        }
    }

    /// One of the things that come along, by its word, or the path of a file ending in `.toml`,
    /// seen from the folder of the file.
    pub(super) fn named_or_file(&mut self, at: &At, raw: &str, words: &[&str]) -> Option<String> {
        if Path::new(raw).extension().is_some_and(|e| e == "toml") {
            let (path, _) = self.file(at, raw)?;
            let text = path.to_str().map(str::to_owned);
            if text.is_none() {
                self.wrong(at, "the path is not UTF-8: expected one that is");
            }
            return text;
        }
        let known = words.contains(&raw);
        if !known {
            let listed = words.join(", ");
            self.wrong_hint(
                at,
                format_args!("expected {listed} or a file ending in .toml"),
                hint::nearest(raw, words.iter().copied()),
            );
        }
        known.then(|| raw.to_owned())
    }

    /// An address of a page.
    pub(super) fn page_url(&mut self, at: &At, raw: &str) -> Option<String> {
        /// A QR code of more is too fine to be read from a chair.
        const MAX_CHARS: usize = 200;
        let good = raw.len() <= MAX_CHARS
            && url::Url::parse(raw)
                .is_ok_and(|u| matches!(u.scheme(), "http" | "https") && u.has_host());
        if !good {
            self.wrong(
                at,
                format_args!("expected an http or https address of at most {MAX_CHARS} characters"),
            );
        }
        good.then(|| raw.to_owned())
    }
}

/// Reads a file of text that must not be longer than `max` bytes.
///
/// # Errors
/// A message for people: not there, not readable, too long, not text.
pub(super) fn read_text(path: &Path, max: u64) -> Result<String, String> {
    use std::io::Read as _;
    // The kind alone: the number in brackets that `io::Error` adds helps nobody.
    let say = |e: std::io::Error| match e.kind() {
        std::io::ErrorKind::NotFound => "no such file".to_owned(),
        std::io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        std::io::ErrorKind::IsADirectory => "it is a folder".to_owned(),
        std::io::ErrorKind::InvalidData => "it is not UTF-8 text".to_owned(),
        _ => e.to_string(),
    };
    let mut text = String::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(max + 1).read_to_string(&mut text))
        .map_err(say)?;
    if text.len() as u64 > max {
        return Err(format!("it is longer than {} KiB", max / 1024));
    }
    Ok(text)
}

/// Whether a text is one printable line of 1 to `max` characters.
pub(super) fn is_line(text: &str, max: usize) -> bool {
    !text.trim().is_empty() && text.chars().count() <= max && !text.chars().any(char::is_control)
}

/// Whether a text looks like a BCP 47 tag: `ja`, `en-GB`, `zh-Hans`.
fn is_language(tag: &str) -> bool {
    let mut parts = tag.split('-');
    let first = parts
        .next()
        .is_some_and(|p| (2..=3).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_lowercase()));
    first
        && parts.all(|p| (2..=8).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_alphanumeric()))
}

/// A duration as the user would type it.
fn show(duration: Duration) -> String {
    SignedDuration::try_from(duration)
        .map_or_else(|_| format!("{duration:?}"), |d| format!("{d:#}"))
}
