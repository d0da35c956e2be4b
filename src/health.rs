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
    MessagesRefused,
    /// Calls were made of which no message told.
    CallsLost,
    /// A source restarted its count without saying so.
    RestartUnsaid,
    /// A source's clock or date is wrong: what it says is not of now.
    SourceClock,
    /// The wall clock cannot be believed.
    ClockUnknown,
    /// A board's output does not take frames.
    OutputLost,
    /// A board has no glyph for a character of what it shows.
    TextUndrawable,
    /// A camera gives no pictures.
    CameraLost,
    /// A camera gives the same picture again and again.
    CameraFrozen,
    /// The filmed board is not where it should be in the picture.
    CameraMoved,
    /// Calls are not heard.
    VoiceSilent,
    /// Calls are heard, but not all that was configured is spoken.
    VoiceIncomplete,
    /// Too many calls wait for the hub: soon they are dropped, or were.
    SpoolFull,
    /// What is kept through a power cut cannot be written or read.
    StoreFailed,
}

impl IssueKind {
    /// Every kind.
    pub const ALL: [Self; 18] = [
        Self::FeedDown,
        Self::UplinkDown,
        Self::IdentityShared,
        Self::SourceSilent,
        Self::MessagesRefused,
        Self::CallsLost,
        Self::RestartUnsaid,
        Self::SourceClock,
        Self::ClockUnknown,
        Self::OutputLost,
        Self::TextUndrawable,
        Self::CameraLost,
        Self::CameraFrozen,
        Self::CameraMoved,
        Self::VoiceSilent,
        Self::VoiceIncomplete,
        Self::SpoolFull,
        Self::StoreFailed,
    ];

    /// The word in reports, metrics and logs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::FeedDown => "feed-down",
            Self::UplinkDown => "uplink-down",
            Self::IdentityShared => "identity-shared",
            Self::SourceSilent => "source-silent",
            Self::MessagesRefused => "messages-refused",
            Self::CallsLost => "calls-lost",
            Self::RestartUnsaid => "restart-unsaid",
            Self::SourceClock => "source-clock",
            Self::ClockUnknown => "clock-unknown",
            Self::OutputLost => "output-lost",
            Self::TextUndrawable => "text-undrawable",
            Self::CameraLost => "camera-lost",
            Self::CameraFrozen => "camera-frozen",
            Self::CameraMoved => "camera-moved",
            Self::VoiceSilent => "voice-silent",
            Self::VoiceIncomplete => "voice-incomplete",
            Self::SpoolFull => "spool-full",
            Self::StoreFailed => "store-failed",
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
    /// Its kind.
    pub kind: IssueKind,
    /// What it is about, such as a queue's id; empty when the node itself.
    pub about: String,
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
        about: &str,
        text: impl Into<String>,
        now: Now,
    ) -> bool {
        let key = (kind, about.to_owned());
        let text = text.into();
        if let Some(known) = self.open.get_mut(&key) {
            known.text = text;
            return false;
        }
        if self.open.len() >= Self::MAX {
            return false;
        }
        tracing::warn!(issue = kind.as_str(), about, "{text}");
        let issue = Issue {
            kind,
            about: about.to_owned(),
            since: now.wall,
            text,
        };
        self.open.insert(key, issue);
        true
    }

    /// Notes that it is over; logs when it was open. Says whether it was.
    pub fn clear(&mut self, kind: IssueKind, about: &str) -> bool {
        let was = self.open.remove(&(kind, about.to_owned())).is_some();
        if was {
            let of = if about.is_empty() { "" } else { " " };
            tracing::info!(
                issue = kind.as_str(),
                about,
                "issue resolved: {kind}{of}{about}"
            );
        }
        was
    }

    /// Raises or clears by a condition.
    pub fn set(&mut self, wrong: bool, kind: IssueKind, about: &str, text: &str, now: Now) -> bool {
        if wrong {
            self.raise(kind, about, text, now)
        } else {
            self.clear(kind, about)
        }
    }

    /// Raises what is wrong with a subject in its own words, or clears it when nothing is.
    pub fn follow(&mut self, kind: IssueKind, about: &str, wrong: Option<&str>, now: Now) -> bool {
        match wrong {
            Some(text) => self.raise(kind, about, text, now),
            None => self.clear(kind, about),
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
