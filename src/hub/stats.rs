//! What the hub counts, as Prometheus reads it.

use super::registry::Registry as Offices;
use crate::wire::report::OutputState;
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

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfNode {
    office: String,
    node: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfBoard {
    office: String,
    node: String,
    board: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Device {
    office: String,
    node: String,
    board: String,
    kind: String,
    state: &'static str,
    connector: String,
    frame_sha256: String,
    reply: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Counted {
    office: String,
    node: String,
    name: String,
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

/// A name that a node chose, as a label.
fn word(text: &str) -> String {
    let graphic = text.chars().filter(char::is_ascii_graphic);
    graphic.take(48).collect()
}

/// What is true at the moment of asking.
pub(crate) struct Moment<'a> {
    pub(crate) offices: &'a Offices,
    pub(crate) line: bool,
    pub(crate) backlog: usize,
    pub(crate) usable: bool,
}

impl Moment<'_> {
    fn registry(&self) -> Registry {
        let mut r = Registry::default();
        let mut gauge = |name: &str, help: &str, value: usize| {
            let gauge: Gauge = Gauge::default();
            gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
            r.register(name, help, gauge);
        };
        gauge(
            "yobiban_hub_line_up",
            "Whether the broker is heard",
            self.line.into(),
        );
        gauge(
            "yobiban_hub_history_up",
            "Whether the database takes calls",
            self.usable.into(),
        );
        gauge(
            "yobiban_hub_history_backlog",
            "Calls that wait for the database",
            self.backlog,
        );
        gauge(
            "yobiban_hub_offices",
            "Offices with numbers",
            self.offices.offices().count(),
        );
        gauge(
            "yobiban_hub_image_bytes",
            "Memory of pictures",
            self.offices.image_bytes(),
        );
        let online: Family<OfNode, Gauge> = Family::default();
        let uptime: Family<OfNode, Gauge> = Family::default();
        let issues: Family<OfNode, Gauge> = Family::default();
        let counts: Family<Counted, Gauge> = Family::default();
        let shown: Family<OfBoard, Gauge> = Family::default();
        let shown_at: Family<OfBoard, Gauge> = Family::default();
        let devices: Family<Device, Gauge> = Family::default();
        for (office, node, is_online, health) in self.offices.nodes() {
            let (office, node) = (office.to_string(), node.to_string());
            let of = OfNode {
                office: office.clone(),
                node: node.clone(),
            };
            online.get_or_create(&of).set(is_online.into());
            let Some(health) = health else { continue };
            uptime
                .get_or_create(&of)
                .set(i64::try_from(health.uptime_s).unwrap_or(i64::MAX));
            let found = i64::try_from(health.issues.len()).unwrap_or(i64::MAX);
            issues.get_or_create(&of).set(found);
            for o in &health.outputs {
                let of = OfBoard {
                    office: office.clone(),
                    node: node.clone(),
                    board: o.board.to_string(),
                };
                let seen = is_online && o.state == OutputState::Shown;
                shown.get_or_create(&of).set(seen.into());
                if let Some(at) = o.shown_at {
                    shown_at.get_or_create(&of).set(at.at.as_second());
                }
                let device = Device {
                    office: of.office,
                    node: of.node,
                    board: of.board,
                    kind: word(&o.kind),
                    state: o.state.as_str(),
                    connector: word(&o.connector),
                    frame_sha256: o.frame_sha256.clone().unwrap_or_default(),
                    reply: o.facts.get("last_reply").map_or("", |r| r).to_owned(),
                };
                devices.get_or_create(&device).set(1);
            }
            for (name, value) in &health.counts {
                let of = Counted {
                    office: office.clone(),
                    node: node.clone(),
                    name: word(name),
                };
                counts
                    .get_or_create(&of)
                    .set(i64::try_from(*value).unwrap_or(i64::MAX));
            }
        }
        r.register("yobiban_node_online", "Whether a node is heard", online);
        r.register(
            "yobiban_node_uptime_seconds",
            "Since the node started",
            uptime,
        );
        r.register("yobiban_node_issues", "What is wrong at a node", issues);
        r.register(
            "yobiban_board_shown",
            "Whether people can see a board",
            shown,
        );
        r.register(
            "yobiban_board_shown_at_seconds",
            "When the frame on a board was handed to its device",
            shown_at,
        );
        r.register(
            "yobiban_board_output_info",
            "What a board is shown on, and the frame and answer that prove it",
            devices,
        );
        r.register(
            "yobiban_node_count",
            "What a node counted since its start",
            counts,
        );
        r
    }
}
