//! What is true of the hub and its nodes at the moment somebody asks for the metrics.

use super::registry::Registry as Offices;
use crate::wire::report::{MachineReport, OutputState};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

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

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct NodeInfo {
    office: String,
    node: String,
    version: String,
    clock: String,
    model: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfIssue {
    office: String,
    node: String,
    kind: String,
    about: String,
}

/// A name that a node chose, as a label.
fn word(text: &str) -> String {
    let graphic = text.chars().filter(char::is_ascii_graphic);
    graphic.take(48).collect()
}

/// A figure of a machine, if it is known.
type OfMachine = fn(&MachineReport) -> Option<i64>;

/// What is known of machines: name, help, figure.
const MACHINE: [(&str, &str, OfMachine); 7] = [
    (
        "yobiban_node_temperature_celsius",
        "Temperature of its processor",
        |m| m.temperature_c.map(i64::from),
    ),
    (
        "yobiban_node_throttled",
        "Whether it runs slower than it could",
        |m| m.throttled.map(i64::from),
    ),
    (
        "yobiban_node_undervoltage",
        "Whether its supply was too weak since it was switched on",
        |m| m.undervoltage.map(i64::from),
    ),
    (
        "yobiban_node_disk_free_bytes",
        "Room on the medium of its store",
        |m| m.disk_free.and_then(|n| n.try_into().ok()),
    ),
    (
        "yobiban_node_disk_written_bytes",
        "Written to the file system of its store in its life",
        |m| m.disk_written.and_then(|n| n.try_into().ok()),
    ),
    (
        "yobiban_node_disk_worn_percent",
        "Life of its medium that is used up, in steps of ten",
        |m| m.disk_worn.map(i64::from),
    ),
    (
        "yobiban_node_memory_free_bytes",
        "Memory that programs could still have",
        |m| m.memory_free.and_then(|n| n.try_into().ok()),
    ),
];

/// What is true at the moment of asking.
pub(crate) struct Moment<'a> {
    pub(crate) offices: &'a Offices,
    pub(crate) line: bool,
    pub(crate) backlog: usize,
    pub(crate) usable: bool,
}

impl Moment<'_> {
    pub(super) fn registry(&self) -> Registry {
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
        let info: Family<NodeInfo, Gauge> = Family::default();
        let issue: Family<OfIssue, Gauge> = Family::default();
        let machine =
            MACHINE.map(|(name, help, of)| (name, help, of, Family::<OfNode, Gauge>::default()));
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
            let about = NodeInfo {
                office: office.clone(),
                node: node.clone(),
                version: word(&health.version),
                clock: word(&health.clock),
                model: health.machine.model.clone().unwrap_or_default(),
            };
            info.get_or_create(&about).set(1);
            for i in &health.issues {
                let of = OfIssue {
                    office: office.clone(),
                    node: node.clone(),
                    kind: word(&i.kind),
                    about: word(&i.about),
                };
                issue.get_or_create(&of).set(1);
            }
            for (.., value, family) in &machine {
                if let Some(value) = value(&health.machine) {
                    family.get_or_create(&of).set(value);
                }
            }
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
        r.register("yobiban_node_issue", "One thing that is wrong", issue);
        r.register("yobiban_node_info", "What a node is", info);
        for (name, help, _, family) in machine {
            r.register(name, help, family);
        }
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
