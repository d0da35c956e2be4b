//! What is wrong right now: typed issues, each logged once when it begins and once when it ends.
//!
//! A value, not a service: whoever notices something raises it, whoever sees it end clears it, and
//! one place reads the list for the health report, the metrics and the corner of the board.

mod instances;

pub use instances::Instances;

use crate::clock::Now;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::fmt;

/// The kinds of trouble a node can be in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IssueKind {
    /// No line to the broker of the feed.
    FeedDown,
    /// No line to the broker of the reports.
    UplinkDown,
    /// Another machine reports under this node's identity.
    IdentityShared,
    /// A queue's source has been silent for too long.
    SourceSilent,
    /// Messages were refused for their content.
    MessagesRejected,
    /// Calls were made of which no message told.
    CallsMissed,
    /// A source restarted its count without saying so.
    SourceResetUndeclared,
    /// A source's clock or date is wrong: what it says is not of now.
    SourceClock,
    /// The wall clock cannot be believed.
    ClockUnsynchronized,
    /// A board's output does not take frames.
    OutputFailed,
    /// A board has no glyph for a character of what it shows.
    TextUndrawable,
    /// A camera gives no pictures.
    CameraUnavailable,
    /// A camera gives the same picture again and again.
    CameraFrozen,
    /// The filmed board is not where it should be in the picture.
    CameraMoved,
    /// Calls are not heard.
    AudioUnavailable,
    /// Calls are heard, but not all that was configured is spoken.
    SpeechDegraded,
    /// Too many calls wait for the hub: soon they are dropped.
    SpoolNearlyFull,
    /// Calls were dropped, because too many waited for the hub.
    CallsDropped,
    /// What is kept through a power cut cannot be written or read.
    StorageFailed,
}

impl IssueKind {
    /// Every kind.
    pub const ALL: [Self; 19] = [
        Self::FeedDown,
        Self::UplinkDown,
        Self::IdentityShared,
        Self::SourceSilent,
        Self::MessagesRejected,
        Self::CallsMissed,
        Self::SourceResetUndeclared,
        Self::SourceClock,
        Self::ClockUnsynchronized,
        Self::OutputFailed,
        Self::TextUndrawable,
        Self::CameraUnavailable,
        Self::CameraFrozen,
        Self::CameraMoved,
        Self::AudioUnavailable,
        Self::SpeechDegraded,
        Self::SpoolNearlyFull,
        Self::CallsDropped,
        Self::StorageFailed,
    ];

    /// The word in reports, metrics and logs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::FeedDown => "feed-down",
            Self::UplinkDown => "uplink-down",
            Self::IdentityShared => "identity-shared",
            Self::SourceSilent => "source-silent",
            Self::MessagesRejected => "messages-rejected",
            Self::CallsMissed => "calls-missed",
            Self::SourceResetUndeclared => "source-reset-undeclared",
            Self::SourceClock => "source-clock",
            Self::ClockUnsynchronized => "clock-unsynchronized",
            Self::OutputFailed => "output-failed",
            Self::TextUndrawable => "text-undrawable",
            Self::CameraUnavailable => "camera-unavailable",
            Self::CameraFrozen => "camera-frozen",
            Self::CameraMoved => "camera-moved",
            Self::AudioUnavailable => "audio-unavailable",
            Self::SpeechDegraded => "speech-degraded",
            Self::SpoolNearlyFull => "spool-nearly-full",
            Self::CallsDropped => "calls-dropped",
            Self::StorageFailed => "storage-failed",
        }
    }
}

impl fmt::Display for IssueKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    pub kind: IssueKind,
    /// What has the issue, such as a queue's id; empty when the node itself.
    pub subject: String,
    /// Since when, by the wall clock.
    pub since: Timestamp,
    /// One line for people.
    pub text: String,
}

/// All that is wrong right now; at most one issue a kind and subject.
#[derive(Debug, Clone, Default)]
pub struct Issues {
    open: BTreeMap<(IssueKind, String), Issue>,
}

impl Issues {
    /// Most issues that are kept; more subjects than a node has.
    const MAX: usize = 256;

    /// Notes that something is wrong; logs a warning when it is new. Says whether it is new.
    pub fn raise(
        &mut self,
        kind: IssueKind,
        subject: &str,
        text: impl Into<String>,
        now: Now,
    ) -> bool {
        let key = (kind, subject.to_owned());
        let text = text.into();
        if let Some(known) = self.open.get_mut(&key) {
            known.text = text;
            return false;
        }
        if self.open.len() >= Self::MAX {
            return false;
        }
        tracing::warn!(issue = kind.as_str(), subject, "{text}");
        let issue = Issue {
            kind,
            subject: subject.to_owned(),
            since: now.wall,
            text,
        };
        self.open.insert(key, issue);
        true
    }

    /// Notes that it is over; logs when it was open. Says whether it was.
    pub fn clear(&mut self, kind: IssueKind, subject: &str) -> bool {
        let was = self.open.remove(&(kind, subject.to_owned())).is_some();
        if was {
            let of = if subject.is_empty() { "" } else { " " };
            tracing::info!(
                issue = kind.as_str(),
                subject,
                "issue resolved: {kind}{of}{subject}"
            );
        }
        was
    }

    /// Raises or clears by a condition.
    pub fn raise_if(
        &mut self,
        wrong: bool,
        kind: IssueKind,
        subject: &str,
        text: &str,
        now: Now,
    ) -> bool {
        if wrong {
            self.raise(kind, subject, text, now)
        } else {
            self.clear(kind, subject)
        }
    }

    /// Raises what is wrong with a subject in its own words, or clears it when nothing is.
    pub fn update(
        &mut self,
        kind: IssueKind,
        subject: &str,
        wrong: Option<&str>,
        now: Now,
    ) -> bool {
        match wrong {
            Some(text) => self.raise(kind, subject, text, now),
            None => self.clear(kind, subject),
        }
    }

    /// What is open, by kind and subject.
    pub fn iter(&self) -> impl Iterator<Item = &Issue> {
        self.open.values()
    }

    /// The words of the kinds that are open, each once, in the order of the kinds.
    #[must_use]
    pub fn words(&self) -> Vec<&'static str> {
        let mut words: Vec<_> = self.open.keys().map(|(kind, _)| kind.as_str()).collect();
        words.dedup();
        words
    }

    /// Whether all is well.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.open.is_empty()
    }
}

/// An error and its causes on one line, as issues say them.
#[must_use]
pub fn with_causes(error: &dyn std::error::Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(e) = cause {
        line += &format!(": {e}");
        cause = e.source();
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issue_is_new_once_and_keeps_its_beginning() {
        let mut issues = Issues::default();
        let early = Now::at(Timestamp::from_second(1_764_000_000).unwrap());
        let later = Now::at(Timestamp::from_second(1_764_000_060).unwrap());
        assert!(issues.raise(IssueKind::SourceSilent, "koseki", "silent", early));
        assert!(!issues.raise(IssueKind::SourceSilent, "koseki", "still silent", later));
        assert!(issues.raise(IssueKind::SourceSilent, "moving", "silent", later));
        let first = issues.iter().next().unwrap();
        assert_eq!(
            (first.since, first.text.as_str()),
            (early.wall, "still silent")
        );
        assert!(issues.clear(IssueKind::SourceSilent, "koseki"));
        assert!(!issues.clear(IssueKind::SourceSilent, "koseki"));
        assert_eq!(issues.iter().count(), 1);
    }
}
