//! What the hub counts, as Prometheus reads it.

use super::moment::Moment;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::{encode_eof, encode_registry};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Kind {
    kind: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Reason {
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Code {
    code: u16,
}

/// The hub's counters. Cheap to count, encoded when asked.
#[derive(Debug)]
pub struct Stats {
    registry: Registry,
    messages: Family<Kind, Counter>,
    refused: Family<Reason, Counter>,
    responses: Family<Code, Counter>,
    /// Calls that were written for the first time.
    pub(crate) calls_stored: Counter,
    /// Calls that were there already.
    pub(crate) calls_doubled: Counter,
    /// Transactions that wrote them.
    pub(crate) history_writes: Counter,
    /// Attempts to write that failed.
    pub(crate) history_failures: Counter,
    /// Notes on waits that the history had no room for.
    pub(crate) notes_lost: Counter,
    /// Open event streams.
    pub(crate) viewers: Gauge,
    /// Viewers who were too slow and skipped to the newest state.
    pub(crate) viewers_skipped: Counter,
    /// Viewers who were answered 503.
    pub(crate) viewers_refused: Counter,
    /// Connections that were closed because nothing was asked.
    pub(crate) connections_silent: Counter,
    /// Connections that were closed because nothing of the answer was taken.
    pub(crate) connections_stalled: Counter,
    /// Times an office changed more often than viewers are told.
    pub(crate) held_back: Counter,
}

impl Default for Stats {
    fn default() -> Self {
        Self::new()
    }
}

impl Stats {
    /// All zero.
    #[must_use]
    pub fn new() -> Self {
        let mut r = Registry::with_prefix("yobiban_hub");
        let stats = Self {
            messages: Family::default(),
            refused: Family::default(),
            responses: Family::default(),
            calls_stored: Counter::default(),
            calls_doubled: Counter::default(),
            history_writes: Counter::default(),
            history_failures: Counter::default(),
            notes_lost: Counter::default(),
            viewers: Gauge::default(),
            viewers_skipped: Counter::default(),
            viewers_refused: Counter::default(),
            connections_silent: Counter::default(),
            connections_stalled: Counter::default(),
            held_back: Counter::default(),
            registry: Registry::default(),
        };
        r.register("messages", "Reports received", stats.messages.clone());
        r.register("refused", "Reports refused", stats.refused.clone());
        r.register(
            "http_responses",
            "Answers by status",
            stats.responses.clone(),
        );
        r.register("calls_stored", "Calls written", stats.calls_stored.clone());
        r.register(
            "calls_doubled",
            "Calls known already",
            stats.calls_doubled.clone(),
        );
        r.register(
            "history_failures",
            "Failed writes",
            stats.history_failures.clone(),
        );
        r.register(
            "notes_lost",
            "Notes on waits without room in the history",
            stats.notes_lost.clone(),
        );
        r.register("viewers", "Open event streams", stats.viewers.clone());
        r.register(
            "viewers_skipped",
            "Slow viewers sent to the newest state",
            stats.viewers_skipped.clone(),
        );
        r.register(
            "viewers_refused",
            "Viewers answered 503",
            stats.viewers_refused.clone(),
        );
        for (name, help, counter) in [
            (
                "history_writes",
                "Transactions that wrote calls",
                &stats.history_writes,
            ),
            (
                "connections_silent",
                "Connections closed because nothing was asked",
                &stats.connections_silent,
            ),
            (
                "connections_stalled",
                "Connections closed because the answer was not taken",
                &stats.connections_stalled,
            ),
            (
                "held_back",
                "Times an office changed more often than viewers are told",
                &stats.held_back,
            ),
        ] {
            r.register(name, help, counter.clone());
        }
        Self {
            registry: r,
            ..stats
        }
    }

    pub(crate) fn message(&self, kind: &'static str) {
        self.messages.get_or_create(&Kind { kind }).inc();
    }

    pub(crate) fn refuse(&self, reason: &'static str) {
        self.refused.get_or_create(&Reason { reason }).inc();
    }

    pub(crate) fn response(&self, code: u16) {
        self.responses.get_or_create(&Code { code }).inc();
    }

    /// How many reports were refused for this reason.
    #[must_use]
    pub fn refused(&self, reason: &'static str) -> u64 {
        self.refused.get_or_create(&Reason { reason }).get()
    }

    /// How many calls were written for the first time.
    #[must_use]
    pub fn calls_stored(&self) -> u64 {
        self.calls_stored.get()
    }

    /// How many calls were there already.
    #[must_use]
    pub fn calls_doubled(&self) -> u64 {
        self.calls_doubled.get()
    }

    /// How many transactions wrote them.
    #[must_use]
    pub fn history_writes(&self) -> u64 {
        self.history_writes.get()
    }

    /// How many event streams are open.
    #[must_use]
    pub fn viewers(&self) -> i64 {
        self.viewers.get()
    }

    /// How often a slow viewer skipped to the newest state.
    #[must_use]
    pub fn viewers_skipped(&self) -> u64 {
        self.viewers_skipped.get()
    }

    /// All counts in Prometheus' text format, with what the registry and the nodes know.
    ///
    /// # Errors
    /// When formatting fails, which it does not for a `String`.
    pub(crate) fn encode(&self, now: &Moment<'_>) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        encode_registry(&mut text, &self.registry)?;
        encode_registry(&mut text, &now.registry())?;
        encode_eof(&mut text)?;
        Ok(text)
    }
}
