//! The checks that every table shares; each collects what is wrong and goes on.

use super::doc::{At, Doc};
use super::error::ConfigError;
use super::hint;
use super::problem::{Problem, ProblemKind, Suggestion};
use super::raw::{DurationText, NameTable};
use super::text::{ReadError, Text, read_text};
use super::{address, keyboard};
use crate::model::{IdError, Name};
use crate::wire::text::MAX_NAME_CHARS;
use jiff::SignedDuration;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

/// Longest value that is told as it was meant, in characters.
const MAX_MEANT: usize = 60;

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
    /// What was passed over though it is not as it should be.
    notes: Vec<String>,
}

impl<'t> Check<'t> {
    pub(super) fn new(doc: Doc<'t>, around: Around<'t>) -> Self {
        Self {
            doc,
            around,
            problems: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Notes what is passed over at a place, to be said once the rest is in order.
    pub(super) fn note(&mut self, at: &At, what: impl Display) {
        let at = self.doc.typed(at);
        self.notes.push(format!("{at}: {what}"));
    }

    /// Notes that the value at a place is not what is expected.
    pub(super) fn wrong(&mut self, at: &At, message: impl Display) {
        self.problem(at, ProblemKind::Value, message, None);
    }

    /// Notes what is wrong at a place, of another kind than a wrong value; `detail` is what the kind
    /// alone does not say.
    pub(super) fn wrong_as(&mut self, at: &At, kind: ProblemKind, detail: impl Display) {
        self.problem(at, kind, detail, None);
    }

    /// As [`wrong`](Self::wrong), with a guess what was meant.
    pub(super) fn wrong_hint(
        &mut self,
        at: &At,
        message: impl Display,
        suggestion: Option<Suggestion>,
    ) {
        self.problem(at, ProblemKind::Value, message, suggestion);
    }

    /// Notes that a required key is not there.
    pub(super) fn missing(&mut self, at: &At, expected: impl Display) {
        self.problem(at, ProblemKind::Missing, expected, None);
    }

    /// Notes that a file named at a place gives no text; `what` is how messages call it.
    pub(super) fn unread(&mut self, at: &At, what: impl Display, error: &ReadError) {
        match error {
            ReadError::Unreadable(why) => {
                self.wrong_as(at, ProblemKind::Unreadable, format_args!("{what}: {why}"));
            }
            ReadError::NotUtf8(wrong) => {
                self.wrong_as(at, (*wrong).into(), format_args!("cannot read {what}: "));
            }
        }
    }

    /// Notes what is wrong at a place, of whatever kind, with a guess what was meant.
    pub(super) fn problem(
        &mut self,
        at: &At,
        kind: ProblemKind,
        detail: impl Display,
        suggestion: Option<Suggestion>,
    ) {
        let found = self.doc.found(at);
        // What is masked must not come back as a guess.
        let shown = found.as_ref().is_some_and(|found| !found.masked);
        let guessed = || {
            let typed = self.doc.text_at(at).filter(|_| shown)?;
            let meant = match keyboard::meant(typed) {
                Some(meant) => Suggestion::HalfWidth(meant),
                // A blank at an end is not seen.
                None => Suggestion::Word(Some(typed.trim()).filter(|t| *t != typed)?.to_owned()),
            };
            let (Suggestion::HalfWidth(text) | Suggestion::Word(text)) = &meant else {
                return None;
            };
            let fits =
                (1..=MAX_MEANT).contains(&text.chars().count()) && !text.contains(char::is_control);
            fits.then_some(meant)
        };
        let suggestion = suggestion.or_else(guessed);
        self.problems.push(Problem {
            position: self.doc.position_of(at),
            key: self.doc.typed(at).to_string(),
            found: found.map(|found| found.shown),
            suggestion,
            ..Problem::whole(kind, detail)
        });
    }

    /// The value when nothing was wrong.
    pub(super) fn finish<T>(self, name: &str, value: Option<T>) -> Result<T, ConfigError> {
        match value {
            Some(value) if self.problems.is_empty() => {
                for note in &self.notes {
                    tracing::warn!("{name}: {note}");
                }
                Ok(value)
            }
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
            } else if let Some(flaw) = Name::flaw(text) {
                self.wrong(&at, flaw);
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
        if raw.contains("-----BEGIN") {
            self.wrong(
                at,
                "the text of a file: expected the file's path; on a device made from the image the \
                 text may be in [files]",
            );
            return None;
        }
        if raw.is_empty() || raw.contains(char::is_control) {
            self.wrong(at, "expected a path");
            return None;
        }
        Some(self.around.dir.join(raw))
    }

    /// A short text file that must be there, and its content.
    pub(super) fn file(&mut self, at: &At, raw: &str) -> Option<(PathBuf, Text)> {
        /// More than any layout or password needs.
        const MAX_BYTES: u64 = 1024 * 1024;
        let path = self.path(at, raw)?;
        match read_text(&path, MAX_BYTES) {
            Ok(text) => Some((path, text)),
            Err(error) => {
                let hidden = self.doc.found(at).is_some_and(|found| found.masked);
                if hidden {
                    let what = "the file (its path is not shown, as a secret may be in its place)";
                    self.unread(at, what, &error);
                } else {
                    self.unread(at, path.display(), &error);
                }
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

    /// The host of an address as it is typed, written in one way.
    pub(super) fn host_of(&mut self, at: &At, address: &str) -> Option<String> {
        match address::of(address) {
            Ok(host) => Some(host),
            Err(why) => {
                self.wrong(at, why);
                None
            }
        }
    }

    /// Looks at the host of an address for browsers and the like, which know names beyond ASCII.
    pub(super) fn web_host(&mut self, at: &At, address: &str) -> Option<()> {
        let flaw =
            address::wide_at_sign(address).or_else(|| address::flaw(address::typed_host(address)));
        if let Some(why) = &flaw {
            self.wrong(at, why);
        }
        flaw.is_none().then_some(())
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
            return None;
        }
        self.web_host(at, raw)?;
        Some(raw.to_owned())
    }
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
