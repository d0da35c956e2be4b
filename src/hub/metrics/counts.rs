//! What a node counts since its start, from its health report, as counters.
//!
//! A node begins at 0 when its service starts again; Prometheus takes a smaller value for such a
//! reset (`rate` and `increase` allow for it). Names that are not listed here are passed over: a
//! node's report may hold any.

use super::values::{NodeLabels, signed};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use std::collections::BTreeMap;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ResultLabels {
    office: String,
    node: String,
    result: &'static str,
}

/// Counters of one count each: name, help, the count's name in the report.
const SINGLE: [(&str, &str, &str); 8] = [
    (
        "yobiban_node_calls_not_displayed",
        "Calls that no board highlighted",
        "calls_not_displayed",
    ),
    (
        "yobiban_node_calls_not_announced",
        "Calls that were not announced by voice",
        "calls_not_announced",
    ),
    (
        "yobiban_node_calls_dropped",
        "Calls dropped because too many waited for the hub",
        "calls_dropped",
    ),
    (
        "yobiban_node_announcements",
        "Announcements played",
        "announcements",
    ),
    (
        "yobiban_node_source_resets",
        "Times a source restarted its count without declaring it",
        "source_resets",
    ),
    (
        "yobiban_node_relay_pulses_merged",
        "Relay pulses merged with the one before because they came too close together",
        "relay_pulses_merged",
    ),
    (
        "yobiban_node_camera_frames",
        "Pictures received from cameras",
        "camera_pictures",
    ),
    (
        "yobiban_node_camera_errors",
        "Failed attempts to get a picture from a camera",
        "camera_failures",
    ),
];

/// A count's name in the report, and the result that it stands for.
type Part = (&'static str, &'static str);

/// Counters that add up several counts, told apart by the label `result`: name, help, parts.
const BY_RESULT: [(&str, &str, &[Part]); 3] = [
    (
        "yobiban_node_messages",
        "Messages of the ticketing system by what became of them",
        &[
            ("messages_applied", "applied"),
            ("messages_late", "late"),
            ("messages_duplicate", "duplicate"),
            ("messages_rejected", "rejected"),
        ],
    ),
    (
        "yobiban_node_calls",
        "Calls made by the ticketing system, by whether the node received them",
        &[("calls", "received"), ("calls_missed", "missed")],
    ),
    (
        "yobiban_node_camera_fields",
        "Fields looked at in camera pictures, by whether they could be read",
        &[
            ("camera_fields_read", "read"),
            ("camera_fields_unknown", "unreadable"),
        ],
    ),
];

/// The count that goes up and down.
const SPOOL: &str = "calls_waiting";

/// Counts of all nodes.
#[derive(Debug)]
pub(super) struct CountMetrics {
    single: [Family<NodeLabels, Counter>; SINGLE.len()],
    by_result: [Family<ResultLabels, Counter>; BY_RESULT.len()],
    spool: Family<NodeLabels, Gauge>,
}

impl Default for CountMetrics {
    fn default() -> Self {
        Self {
            single: std::array::from_fn(|_| Family::default()),
            by_result: std::array::from_fn(|_| Family::default()),
            spool: Family::default(),
        }
    }
}

impl CountMetrics {
    pub(super) fn add(&mut self, of: &NodeLabels, counts: &BTreeMap<String, u64>) {
        for ((.., count), family) in SINGLE.iter().zip(&self.single) {
            if let Some(value) = counts.get(*count) {
                family.get_or_create(of).inc_by(*value);
            }
        }
        for ((.., parts), family) in BY_RESULT.iter().zip(&self.by_result) {
            for (count, result) in *parts {
                let Some(value) = counts.get(*count) else {
                    continue;
                };
                let of = ResultLabels {
                    office: of.office.clone(),
                    node: of.node.clone(),
                    result,
                };
                family.get_or_create(&of).inc_by(*value);
            }
        }
        if let Some(waiting) = counts.get(SPOOL) {
            self.spool.get_or_create(of).set(signed(*waiting));
        }
    }

    pub(super) fn register(self, r: &mut Registry) {
        for ((name, help, _), family) in BY_RESULT.into_iter().zip(self.by_result) {
            r.register(name, help, family);
        }
        for ((name, help, _), family) in SINGLE.into_iter().zip(self.single) {
            r.register(name, help, family);
        }
        r.register(
            "yobiban_node_spool_calls",
            "Calls stored on the node that the hub has not confirmed yet",
            self.spool,
        );
    }
}
