//! What is known of each node.

use super::counts::CountMetrics;
use super::names::Names;
use super::values::{NodeLabels, OTHER, signed};
use crate::health::IssueKind;
use crate::hub::registry::NodeView;
use crate::wire::report::{HealthReport, IssueReport, MachineReport};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use std::sync::atomic::AtomicU64;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct InfoLabels {
    office: String,
    node: String,
    version: String,
    model: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct IssueLabels {
    office: String,
    node: String,
    issue: &'static str,
}

/// A figure of a machine, if it is known.
type Figure = fn(&MachineReport) -> Option<i64>;

/// Gauges of a machine: name, help, figure.
const MACHINE: [(&str, &str, Figure); 5] = [
    (
        "yobiban_node_temperature_celsius",
        "Temperature of the device's processor",
        |m| m.temperature_c.map(i64::from),
    ),
    (
        "yobiban_node_throttled",
        "Whether the processor is slowed down because of heat or a weak power supply",
        |m| m.throttled.map(i64::from),
    ),
    (
        "yobiban_node_undervoltage",
        "Whether the power supply has been too weak since the device was switched on",
        |m| m.undervoltage.map(i64::from),
    ),
    (
        "yobiban_node_disk_free_bytes",
        "Free space on the device's storage",
        |m| m.disk_free.map(signed),
    ),
    (
        "yobiban_node_memory_available_bytes",
        "Memory available to programs without swapping",
        |m| m.memory_free.map(signed),
    ),
];

/// Metrics of all nodes.
#[derive(Debug)]
pub(super) struct NodeMetrics {
    online: Family<NodeLabels, Gauge>,
    clock_ahead: Family<NodeLabels, Gauge>,
    clock_synchronized: Family<NodeLabels, Gauge>,
    identity_shared: Family<NodeLabels, Gauge>,
    uptime: Family<NodeLabels, Gauge>,
    last_health: Family<NodeLabels, Gauge>,
    info: Family<InfoLabels, Gauge>,
    issues: Family<IssueLabels, Gauge>,
    machine: [Family<NodeLabels, Gauge>; MACHINE.len()],
    disk_written: Family<NodeLabels, Counter>,
    disk_life: Family<NodeLabels, Gauge<f64, AtomicU64>>,
    counts: CountMetrics,
}

impl Default for NodeMetrics {
    fn default() -> Self {
        Self {
            online: Family::default(),
            clock_ahead: Family::default(),
            clock_synchronized: Family::default(),
            identity_shared: Family::default(),
            uptime: Family::default(),
            last_health: Family::default(),
            info: Family::default(),
            issues: Family::default(),
            machine: std::array::from_fn(|_| Family::default()),
            disk_written: Family::default(),
            disk_life: Family::default(),
            counts: CountMetrics::default(),
        }
    }
}

impl NodeMetrics {
    /// Adds a node whose name was admitted.
    pub(super) fn add(&mut self, view: &NodeView<'_>, names: &mut Names) {
        let of = NodeLabels {
            office: view.office.to_string(),
            node: view.node.to_string(),
        };
        self.online.get_or_create(&of).set(view.online.into());
        let ahead = view.clock_off.map_or(0, |off| off.as_secs());
        self.clock_ahead.get_or_create(&of).set(ahead);
        let shared = view.shared.into();
        self.identity_shared.get_or_create(&of).set(shared);
        let Some(health) = view.health else { return };
        let synchronized = view.clock_synchronized.into();
        self.clock_synchronized.get_or_create(&of).set(synchronized);
        let uptime = signed(health.uptime_s);
        self.uptime.get_or_create(&of).set(uptime);
        let made = health.at.at.as_second();
        self.last_health.get_or_create(&of).set(made);
        let info = InfoLabels {
            office: of.office.clone(),
            node: of.node.clone(),
            version: names.version(view.office, view.node, &health.version),
            model: {
                let model = health.machine.model.as_deref().unwrap_or_default();
                names.model(view.office, view.node, model)
            },
        };
        self.info.get_or_create(&info).set(1);
        self.add_issues(&of, health);
        self.add_machine(&of, &health.machine);
        self.counts.add(&of, &health.counts);
    }

    /// How many issues of each kind are open: every kind has its 0, so that an alert sees a first
    /// one.
    fn add_issues(&mut self, of: &NodeLabels, health: &HealthReport) {
        let known = IssueKind::ALL.map(IssueKind::as_str);
        let is_other = |i: &IssueReport| !known.contains(&i.kind.as_str());
        let others = health.issues.iter().filter(|i| is_other(i)).count();
        let count = |word| health.issues.iter().filter(|i| i.kind == word).count();
        let counts = known.into_iter().map(|word| (word, count(word)));
        for (issue, count) in counts.chain([(OTHER, others)]) {
            let of = IssueLabels {
                office: of.office.clone(),
                node: of.node.clone(),
                issue,
            };
            self.issues.get_or_create(&of).set(signed(count));
        }
    }

    fn add_machine(&mut self, of: &NodeLabels, machine: &MachineReport) {
        for ((.., figure), family) in MACHINE.iter().zip(&self.machine) {
            if let Some(value) = figure(machine) {
                family.get_or_create(of).set(value);
            }
        }
        if let Some(written) = machine.disk_written {
            self.disk_written.get_or_create(of).inc_by(written);
        }
        if let Some(percent) = machine.disk_worn {
            let ratio = f64::from(percent.min(100)) / 100.0;
            self.disk_life.get_or_create(of).set(ratio);
        }
    }

    pub(super) fn register(self, r: &mut Registry) {
        for (name, help, family) in [
            (
                "yobiban_node_online",
                "Whether the node has given a sign of life in the last 120 seconds",
                self.online,
            ),
            (
                "yobiban_node_clock_ahead_seconds",
                "How far the node's clock is ahead of the hub's; negative: behind; 0 while it is close enough",
                self.clock_ahead,
            ),
            (
                "yobiban_node_clock_synchronized",
                "Whether the node's clock is synchronized",
                self.clock_synchronized,
            ),
            (
                "yobiban_node_identity_shared",
                "Whether two machines report under the node's identity",
                self.identity_shared,
            ),
            (
                "yobiban_node_uptime_seconds",
                "Time since the node's service started",
                self.uptime,
            ),
            (
                "yobiban_node_last_health_timestamp_seconds",
                "When the node made its newest health report, by its own clock",
                self.last_health,
            ),
        ] {
            r.register(name, help, family);
        }
        r.register(
            "yobiban_node_info",
            "Version and machine of the node; always 1",
            self.info,
        );
        r.register(
            "yobiban_node_issues",
            "Open issues of the node by kind",
            self.issues,
        );
        for ((name, help, _), family) in MACHINE.into_iter().zip(self.machine) {
            r.register(name, help, family);
        }
        r.register(
            "yobiban_node_disk_written_bytes",
            "Bytes written to the device's storage in its lifetime",
            self.disk_written,
        );
        r.register(
            "yobiban_node_disk_life_used_ratio",
            "Part of the storage's life that is used up, in steps of 0.1; SD cards do not report it",
            self.disk_life,
        );
        self.counts.register(r);
    }
}
