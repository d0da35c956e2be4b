//! Who plays in the demo: a node for each simulated office, and the hub.

use super::simulator;
use crate::config::{
    BoardConfig, ClosedDays, HubConfig, MqttConfig, NodeConfig, OutputConfig, PagesConfig, Secret,
    WebConfig,
};
use crate::model::{BoardId, Name, NodeId, OfficeId};
use crate::state::{HighlightSettings, Settings};
use crate::wire::topic::DEFAULT_ROOT;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

/// Size of the demo's boards: the usual television.
const SIZE: (u32, u32) = (1920, 1080);

/// Topics at a broker that is there, so that no board but those of the demo shows its numbers.
const ROOT: &str = "yobiban-demo/v1";

/// The broker of the demo, as nodes, hub and ticketing systems see it. Without an address there is
/// none, and what is said of it is not used but for the root of the topics.
///
/// # Errors
/// When the address is another machine's.
pub(super) fn broker(address: Option<SocketAddr>) -> anyhow::Result<MqttConfig> {
    if let Some(address) = address {
        anyhow::ensure!(
            address.ip().is_loopback() && address.port() != 0,
            "broker {address}: expected one on this machine, such as 127.0.0.1:1883"
        );
    }
    let at = address.unwrap_or(([127, 0, 0, 1], 0).into());
    let root = if address.is_some() {
        ROOT
    } else {
        DEFAULT_ROOT
    };
    Ok(MqttConfig {
        host: at.ip().to_string(),
        port: at.port(),
        tls: None,
        root: root.into(),
        username: None,
        password: None,
        client_id: None,
        keep_alive: Duration::from_secs(20),
    })
}

/// The node of one office; its board is a picture `{dir}/{office}.png`.
pub(super) fn node(
    office: &OfficeId,
    name: &Name,
    mqtt: &MqttConfig,
    dir: &Path,
    page: &str,
    speed: f64,
) -> NodeConfig {
    // What people are given in seconds passes as fast as the simulated day, though never so fast
    // that it could not be read.
    let soon = |usual: Duration, least: Duration| usual.div_f64(speed.max(1.0)).max(least);
    let (state, panel) = (
        Settings::new(simulator::queues()),
        HighlightSettings::default(),
    );
    NodeConfig {
        office: office.clone(),
        office_name: name.clone(),
        node: NodeId::new("n1").expect("a valid id"),
        mqtt: mqtt.clone(),
        uplink: None,
        store_dir: dir.join("store").join(office.as_str()),
        state: Settings {
            max_announce_age: soon(state.max_announce_age, Duration::from_secs(5)),
            ..state
        },
        patterns: std::collections::BTreeMap::new(),
        boards: vec![BoardConfig {
            id: BoardId::new("main").expect("a valid id"),
            size: SIZE,
            layout: None,
            queues: None,
            lit_hours: None,
            output: OutputConfig::Png {
                path: dir.join(format!("{office}.png")),
            },
            highlight: HighlightSettings {
                min_highlight: soon(panel.min_highlight, Duration::from_secs(4)),
                max_highlight: soon(panel.max_highlight, Duration::from_secs(8)),
                max_backlog: soon(panel.max_backlog, Duration::from_secs(8)),
                ..panel
            },
            notices: vec![Name::new([
                (
                    "ja",
                    "この表示は実演です。番号は実際の窓口のものではありません。",
                ),
                (
                    "en",
                    "This is a demonstration: the numbers are not those of a real office.",
                ),
            ])],
            page_url: Some(format!("{page}offices/{office}")),
        }],
        adapters: Vec::new(),
        cameras: Vec::new(),
        streams: Vec::new(),
        voice: None,
        relays: Vec::new(),
    }
}

/// The hub, with its history beside the boards.
pub(super) fn hub(mqtt: &MqttConfig, listen: SocketAddr, dir: &Path) -> HubConfig {
    HubConfig {
        mqtt: mqtt.clone(),
        listen,
        store_url: Secret::new(format!("sqlite:{}", dir.join("hub.db").display())),
        order: simulator::offices().into_iter().map(|(id, _)| id).collect(),
        title: Name::new([
            ("ja", "区役所の窓口 混雑状況（実演）"),
            ("en", "Ward office counters (demonstration)"),
        ]),
        retention_days: 400,
        web: WebConfig::default(),
        streams: Vec::new(),
        voice: None,
        // The demonstration is open on Sundays too.
        pages: PagesConfig {
            closed: ClosedDays {
                weekdays: Vec::new(),
                ..ClosedDays::default()
            },
            ..PagesConfig::default()
        },
    }
}
