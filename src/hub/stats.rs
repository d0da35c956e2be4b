//! What the hub counts, as Prometheus reads it.

use super::incoming::KINDS;
use super::registry::Rejection;
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
    rejected: Family<Reason, Counter>,
    responses: Family<Code, Counter>,
    /// Calls that were written for the first time.
    pub(crate) calls_stored: Counter,
    /// Calls that were there already.
    pub(crate) calls_duplicate: Counter,
    /// Calls of offices that had not reported numbers yet.
    pub(crate) calls_deferred: Counter,
    /// Transactions that wrote them.
    pub(crate) database_writes: Counter,
    /// Transactions that failed.
    pub(crate) database_write_errors: Counter,
    /// Predictions and samples that were dropped because the write queue was full.
    pub(crate) samples_dropped: Counter,
    /// Open event streams.
    pub(crate) sse_clients: Gauge,
    /// Times a slow viewer skipped events and got the newest state instead.
    pub(crate) sse_clients_resynced: Counter,
    /// Requests for an event stream that were answered 503.
    pub(crate) sse_clients_rejected: Counter,
    /// Connections that were closed because no request came.
    pub(crate) connections_idle_closed: Counter,
    /// Connections that were closed because the client did not read the answer.
    pub(crate) connections_write_timeout: Counter,
    /// Times an office changed more often than viewers are updated.
    pub(crate) updates_throttled: Counter,
    /// Connections made to the broker.
    pub(crate) broker_connections: Counter,
}

impl Default for Stats {
    fn default() -> Self {
        Self::new()
    }
}

impl Stats {
    /// All zero. What has a fixed list of labels begins with a 0 for each: an alert on an increase
    /// would miss the first one of a series that appears with it.
    #[must_use]
    pub fn new() -> Self {
        let stats = Self {
            messages: Family::default(),
            rejected: Family::default(),
            responses: Family::default(),
            calls_stored: Counter::default(),
            calls_duplicate: Counter::default(),
            calls_deferred: Counter::default(),
            database_writes: Counter::default(),
            database_write_errors: Counter::default(),
            samples_dropped: Counter::default(),
            sse_clients: Gauge::default(),
            sse_clients_resynced: Counter::default(),
            sse_clients_rejected: Counter::default(),
            connections_idle_closed: Counter::default(),
            connections_write_timeout: Counter::default(),
            updates_throttled: Counter::default(),
            broker_connections: Counter::default(),
            registry: Registry::default(),
        };
        for kind in KINDS {
            drop(stats.messages.get_or_create(&Kind { kind }));
        }
        for reason in Rejection::REASONS {
            drop(stats.rejected.get_or_create(&Reason { reason }));
        }
        Self {
            registry: stats.registered(),
            ..stats
        }
    }

    /// Every counter under its name.
    fn registered(&self) -> Registry {
        let mut r = Registry::with_prefix("yobiban_hub");
        r.register(
            "messages",
            "Reports received from nodes by kind",
            self.messages.clone(),
        );
        r.register(
            "messages_rejected",
            "Reports rejected by reason",
            self.rejected.clone(),
        );
        r.register(
            "http_responses",
            "HTTP responses by status code",
            self.responses.clone(),
        );
        r.register(
            "sse_clients",
            "Open event streams (server-sent events)",
            self.sse_clients.clone(),
        );
        for (name, help, counter) in self.counters() {
            r.register(name, help, counter.clone());
        }
        r
    }

    /// The counters without labels: name, help, counter.
    fn counters(&self) -> [(&'static str, &'static str, &Counter); 12] {
        [
            (
                "calls_stored",
                "Calls written to the database",
                &self.calls_stored,
            ),
            (
                "calls_duplicate",
                "Calls received again that were stored already",
                &self.calls_duplicate,
            ),
            (
                "calls_deferred",
                "Calls set aside because their office has not reported numbers yet",
                &self.calls_deferred,
            ),
            (
                "database_writes",
                "Database transactions that wrote calls",
                &self.database_writes,
            ),
            (
                "database_write_errors",
                "Database transactions that failed",
                &self.database_write_errors,
            ),
            (
                "samples_dropped",
                "Samples of waits and queues dropped because the write queue was full",
                &self.samples_dropped,
            ),
            (
                "sse_clients_resynced",
                "Times a slow client skipped events and received the whole state instead",
                &self.sse_clients_resynced,
            ),
            (
                "sse_clients_rejected",
                "Clients answered 503 because too many event streams were open",
                &self.sse_clients_rejected,
            ),
            (
                "connections_idle_closed",
                "Connections closed because no request came",
                &self.connections_idle_closed,
            ),
            (
                "connections_write_timeout",
                "Connections closed because the client did not read the response",
                &self.connections_write_timeout,
            ),
            (
                "updates_throttled",
                "Updates delayed because an office changed more often than clients are updated",
                &self.updates_throttled,
            ),
            (
                "broker_connections",
                "Connections made to the broker of the reports; many: a second hub has the same client id",
                &self.broker_connections,
            ),
        ]
    }

    pub(crate) fn message(&self, kind: &'static str) {
        self.messages.get_or_create(&Kind { kind }).inc();
    }

    pub(crate) fn reject(&self, reason: &'static str) {
        self.rejected.get_or_create(&Reason { reason }).inc();
    }

    pub(crate) fn response(&self, code: u16) {
        self.responses.get_or_create(&Code { code }).inc();
    }

    /// How many reports were rejected for this reason.
    #[must_use]
    pub fn rejected(&self, reason: &'static str) -> u64 {
        self.rejected.get_or_create(&Reason { reason }).get()
    }

    /// How many calls were written for the first time.
    #[must_use]
    pub fn calls_stored(&self) -> u64 {
        self.calls_stored.get()
    }

    /// How many calls were there already.
    #[must_use]
    pub fn calls_duplicate(&self) -> u64 {
        self.calls_duplicate.get()
    }

    /// How many transactions wrote them.
    #[must_use]
    pub fn database_writes(&self) -> u64 {
        self.database_writes.get()
    }

    /// How many event streams are open.
    #[must_use]
    pub fn sse_clients(&self) -> i64 {
        self.sse_clients.get()
    }

    /// How often a slow viewer skipped to the newest state.
    #[must_use]
    pub fn sse_clients_resynced(&self) -> u64 {
        self.sse_clients_resynced.get()
    }

    /// All counts and what was observed, as OpenMetrics text.
    ///
    /// # Errors
    /// When formatting fails, which it does not for a `String`.
    pub(crate) fn encode(&self, observed: &Registry) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        encode_registry(&mut text, &self.registry)?;
        encode_registry(&mut text, observed)?;
        encode_eof(&mut text)?;
        Ok(text)
    }
}
