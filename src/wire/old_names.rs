//! Names in health reports before those of 0.1.0. To be removed in 0.2.
//!
//! Nodes and hubs of a city are not updated in one night. A hub reads the old names of a node as the
//! new ones, so that pages, metrics and alert rules know only these. A node sends what an old hub
//! needs beside the new names: the subject of an issue under its old key as well. An old hub shows an
//! issue whose word it does not know by its word and its text, and passes counts on by any name.

/// Words of issues, old and new.
pub const ISSUES: [(&str, &str); 10] = [
    ("restart-unsaid", "source-reset-undeclared"),
    ("clock-unknown", "clock-unsynchronized"),
    ("calls-lost", "calls-missed"),
    ("messages-refused", "messages-rejected"),
    ("spool-full", "spool-nearly-full"),
    ("output-lost", "output-failed"),
    ("camera-lost", "camera-unavailable"),
    ("voice-silent", "audio-unavailable"),
    ("voice-incomplete", "speech-degraded"),
    ("store-failed", "storage-failed"),
];

/// Names of counts, old and new.
pub const COUNTS: [(&str, &str); 6] = [
    ("messages_doubled", "messages_duplicate"),
    ("messages_refused", "messages_rejected"),
    ("calls_lost", "calls_missed"),
    ("restarts_unsaid", "source_resets"),
    ("calls_not_shown", "calls_not_displayed"),
    ("calls_not_heard", "calls_not_announced"),
];

/// The first old name of a count in a health report, and its new one. Every node before 0.1.0 counts
/// under old names, whatever its issues are.
#[must_use]
pub fn first_in(report: &[u8]) -> Option<(&'static str, &'static str)> {
    let named = |name: &str| {
        let quoted = format!("\"{name}\"");
        memchr::memmem::find(report, quoted.as_bytes()).is_some()
    };
    COUNTS.into_iter().find(|(old, _)| named(old))
}

/// The word of today for an issue's word.
pub(super) fn issue(word: String) -> String {
    renamed(&ISSUES, &word).map_or(word, str::to_owned)
}

/// The name of today for an old name of a count.
pub(super) fn count(name: &str) -> Option<&'static str> {
    renamed(&COUNTS, name)
}

fn renamed(names: &[(&str, &'static str)], word: &str) -> Option<&'static str> {
    let found = names.iter().find(|(old, _)| *old == word);
    found.map(|(_, new)| *new)
}
