//! Everything that is observed at a request, as metrics.

use super::board::BoardMetrics;
use super::names::Names;
use super::node::NodeMetrics;
use super::queue::QueueMetrics;
use super::values::signed;
use crate::hub::live::OfficeSnapshot;
use crate::hub::registry::{NodeView, Registry as Nodes};
use crate::model::OfficeId;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use std::sync::Arc;

/// Where everything is read from.
pub(crate) struct Observed<'a> {
    pub(crate) nodes: &'a Nodes,
    /// The offices as viewers see them.
    pub(crate) offices: &'a [Arc<OfficeSnapshot>],
    /// The offices of the configuration: where there is not room for all, these come first.
    pub(crate) order: &'a [OfficeId],
    /// Whether the hub is connected to its broker.
    pub(crate) broker_connected: bool,
    /// Entries that wait for the database.
    pub(crate) write_queue: usize,
    /// Whether the database takes calls.
    pub(crate) database_up: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Version {
    version: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Kind {
    kind: &'static str,
}

impl Observed<'_> {
    /// Everything as metrics; `names` admits what nodes chose.
    pub(crate) fn registry(&self, names: &mut Names) -> Registry {
        let mut nodes = NodeMetrics::default();
        let mut boards = BoardMetrics::default();
        let mut queues = QueueMetrics::default();
        let mut omitted = [("node", 0), ("board", 0), ("queue", 0)];
        for view in self.nodes_in_order() {
            if names.node(view.office, view.node) {
                nodes.add(&view, names);
                omitted[1].1 += boards.add(&view, names);
            } else {
                omitted[0].1 += 1;
            }
        }
        for office in self.offices {
            omitted[2].1 += queues.add(&office.view, names);
        }
        let mut r = Registry::default();
        self.hub(&mut r);
        let family: Family<Kind, Gauge> = Family::default();
        for (kind, count) in omitted {
            family.get_or_create(&Kind { kind }).set(count);
        }
        r.register(
            "yobiban_hub_metrics_omitted",
            "Nodes, boards and queues that are missing here because there are too many names",
            family,
        );
        nodes.register(&mut r);
        boards.register(&mut r);
        queues.register(&mut r);
        r
    }

    /// The nodes of configured offices first, else by identifier: which ones are admitted does not
    /// depend on chance.
    fn nodes_in_order(&self) -> Vec<NodeView<'_>> {
        let mut nodes: Vec<_> = self.nodes.nodes().collect();
        let place = |view: &NodeView<'_>| self.order.iter().position(|o| o == view.office);
        nodes.sort_by_cached_key(|view| place(view).unwrap_or(usize::MAX));
        nodes
    }

    fn hub(&self, r: &mut Registry) {
        let info: Family<Version, Gauge> = Family::default();
        let version = env!("CARGO_PKG_VERSION");
        info.get_or_create(&Version { version }).set(1);
        r.register("yobiban_hub_info", "Version of the hub; always 1", info);
        let offices = self.nodes.offices().count();
        for (name, help, value) in [
            (
                "yobiban_hub_broker_connected",
                "Whether the hub is connected to its MQTT broker",
                usize::from(self.broker_connected),
            ),
            (
                "yobiban_hub_database_up",
                "Whether the database accepts calls",
                usize::from(self.database_up),
            ),
            (
                "yobiban_hub_write_queue_length",
                "Entries waiting to be written to the database",
                self.write_queue,
            ),
            (
                "yobiban_hub_offices",
                "Offices that have reported numbers",
                offices,
            ),
            (
                "yobiban_hub_nodes",
                "Nodes known to the hub, online or not",
                self.nodes.nodes().count(),
            ),
            (
                "yobiban_hub_pictures_bytes",
                "Memory used by pictures of boards and cameras",
                self.nodes.image_bytes(),
            ),
        ] {
            let gauge: Gauge = Gauge::default();
            gauge.set(signed(value));
            r.register(name, help, gauge);
        }
    }
}
