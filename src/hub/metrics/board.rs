//! What is known of each board.

use super::names::Names;
use super::values::OTHER;
use crate::hub::registry::NodeView;
use crate::wire::report::{OutputReport, OutputState};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct BoardLabels {
    office: String,
    node: String,
    board: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct InfoLabels {
    office: String,
    node: String,
    board: String,
    kind: &'static str,
}

/// Kinds of outputs (`output.kind` of a board in a node's configuration).
const KINDS: [&str; 7] = [
    "hdmi", "max7219", "hub75", "serial", "png", "window", "none",
];

/// Metrics of all boards.
#[derive(Debug, Default)]
pub(super) struct BoardMetrics {
    shown: Family<BoardLabels, Gauge>,
    dark: Family<BoardLabels, Gauge>,
    connected: Family<BoardLabels, Gauge>,
    last_frame: Family<BoardLabels, Gauge>,
    info: Family<InfoLabels, Gauge>,
}

impl BoardMetrics {
    /// Adds the boards of a node; how many were not admitted.
    pub(super) fn add(&mut self, view: &NodeView<'_>, names: &mut Names) -> i64 {
        let mut omitted = 0;
        for output in view.health.iter().flat_map(|h| &h.outputs) {
            if names.board(view.office, view.node, &output.board) {
                self.add_one(view, output);
            } else {
                omitted += 1;
            }
        }
        omitted
    }

    fn add_one(&mut self, view: &NodeView<'_>, output: &OutputReport) {
        let of = BoardLabels {
            office: view.office.to_string(),
            node: view.node.to_string(),
            board: output.board.to_string(),
        };
        // The state of a board is unknown while its node is offline.
        let is = |state| view.online && output.state == state;
        let shown = is(OutputState::Shown);
        self.shown.get_or_create(&of).set(shown.into());
        let dark = is(OutputState::Dark);
        self.dark.get_or_create(&of).set(dark.into());
        let connected = match output.connector.as_str() {
            "connected" => Some(true),
            "disconnected" => Some(false),
            _ => None,
        };
        if let Some(connected) = connected {
            self.connected.get_or_create(&of).set(connected.into());
        }
        if let Some(at) = output.shown_at {
            self.last_frame.get_or_create(&of).set(at.at.as_second());
        }
        let kind = KINDS.into_iter().find(|kind| output.kind == *kind);
        let info = InfoLabels {
            office: of.office,
            node: of.node,
            board: of.board,
            kind: kind.unwrap_or(OTHER),
        };
        self.info.get_or_create(&info).set(1);
    }

    pub(super) fn register(self, r: &mut Registry) {
        for (name, help, family) in [
            (
                "yobiban_board_shown",
                "Whether people can see current numbers on the board",
                self.shown,
            ),
            (
                "yobiban_board_dark",
                "Whether the board is black on purpose, outside its hours",
                self.dark,
            ),
            (
                "yobiban_board_connected",
                "Whether a screen is connected, where the output can tell",
                self.connected,
            ),
            (
                "yobiban_board_last_frame_timestamp_seconds",
                "When the newest frame was handed to the board's device, by the node's clock",
                self.last_frame,
            ),
        ] {
            r.register(name, help, family);
        }
        r.register(
            "yobiban_board_info",
            "Kind of the board's output; always 1",
            self.info,
        );
    }
}
