//! Every node at a glance, for operators: what needs attention comes first.
//!
//! Behind a token; without one in the configuration there is no such page. In Japanese, and in
//! English for every other language.

use super::fleet_labels::{self, Labels};
use super::fleet_token::admits;
use crate::clock::Now;
use crate::health::IssueKind;
use crate::hub::content::lang::{Lang, Messages};
use crate::hub::registry::Registry;
use crate::hub::web::parts::base::{Base, print};
use crate::hub::web::parts::missing::missing;
use crate::hub::web::parts::{assets, labels};
use crate::hub::web::request::{Query, Shared, lang};
use crate::model::{NodeId, OfficeId};
use crate::wire::report::ClockState;
use crate::wire::report::{HealthReport, MachineReport, OutputReport, OutputState};
use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use std::collections::BTreeSet;

/// A node without a health report for so long needs attention: it sends one every 30 s.
const SILENT_S: i64 = 120;

/// From here on a processor is hot: a Raspberry Pi slows down at 80 °C.
const HOT_C: i16 = 75;

/// Less room than this is worth a look: pictures and 100,000 calls need 64 MB.
const LITTLE: u64 = 128 << 20;

/// From here on a medium should be replaced soon (JESD84-B50: 0x09 is 80 to 90 % used).
const WORN: u8 = 90;

/// The state of a node, the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum NodeHealth {
    Offline,
    NeedsAttention,
    Healthy,
}

impl NodeHealth {
    fn class(self) -> &'static str {
        match self {
            Self::Offline => "crowded",
            Self::NeedsAttention => "busy",
            Self::Healthy => "free",
        }
    }

    /// A shape beside the colour.
    fn mark(self) -> &'static str {
        match self {
            Self::Offline => "✕",
            Self::NeedsAttention => "△",
            Self::Healthy => "○",
        }
    }

    fn word(self, w: &Labels) -> &'static str {
        match self {
            Self::Offline => w.offline,
            Self::NeedsAttention => w.needs_attention,
            Self::Healthy => w.healthy,
        }
    }
}

struct Issue {
    kind: String,
    subject: String,
    since: String,
    words: &'static str,
    text: String,
}

struct Output {
    board: String,
    kind: String,
    state: &'static str,
    wrong: bool,
    facts: String,
    /// SHA-256 of its newest picture.
    picture: Option<String>,
}

/// One figure of a machine.
struct Fact {
    name: &'static str,
    value: String,
    wrong: bool,
}

struct Row {
    health: NodeHealth,
    office: String,
    office_name: String,
    node: String,
    version: String,
    last_report: String,
    /// That its clock is wrong, as the hub sees it.
    clock: Option<String>,
    /// That two machines have its identity, as the hub sees it; where the node does not say so.
    shared: Option<&'static str>,
    issues: Vec<Issue>,
    outputs: Vec<Output>,
    facts: Vec<Fact>,
}

#[derive(Template)]
#[template(path = "fleet.html")]
struct FleetPage<'a> {
    base: Base,
    t: &'a Messages,
    w: &'static Labels,
    css: &'static str,
    all: usize,
    offline: usize,
    needs_attention: usize,
    versions: String,
    rows: Vec<Row>,
}

pub(crate) async fn page(state: Shared, uri: Uri, query: Query, headers: HeaderMap) -> Response {
    let State(hub) = &state;
    let Some(token) = &hub.web.fleet_token else {
        return missing(state, uri, query, headers).await;
    };
    if !admits(token, headers.get(header::AUTHORIZATION)) {
        let ask = r#"Basic realm="yobiban fleet", charset="UTF-8""#;
        let head = [
            (header::WWW_AUTHENTICATE, ask),
            (header::CACHE_CONTROL, "no-store"),
        ];
        return (StatusCode::UNAUTHORIZED, head).into_response();
    }
    let lang = lang(&query, &headers);
    let w = fleet_labels::of(lang.tag());
    let now = hub.clock.now();
    let rows = {
        let state = hub.state();
        rows(&state.registry, state.broker_connected, lang, w, now)
    };
    let mut base = Base::new(hub, lang, "/fleet");
    w.title.clone_into(&mut base.title);
    let of = |health: NodeHealth| rows.iter().filter(|row| row.health == health).count();
    let versions: BTreeSet<&str> = rows.iter().map(|row| row.version.as_str()).collect();
    let versions = versions.into_iter().filter(|v| !v.is_empty());
    let html = print(&FleetPage {
        base,
        t: lang.messages(),
        w,
        css: assets::fleet_css(),
        all: rows.len(),
        offline: of(NodeHealth::Offline),
        needs_attention: of(NodeHealth::NeedsAttention),
        versions: versions.collect::<Vec<_>>().join(", "),
        rows,
    });
    let head = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/html; charset=utf-8"),
        ),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (head, html).into_response()
}

/// A row for each node, the worst first.
fn rows(registry: &Registry, connected: bool, lang: Lang, w: &Labels, now: Now) -> Vec<Row> {
    let mut rows: Vec<Row> = registry
        .nodes()
        .map(|seen| {
            let (office, node) = (seen.office, seen.node);
            let view = registry.view(office);
            let name = view.as_ref().map(|v| v.name.best(lang.tag()).to_owned());
            let boards = view.map(|v| v.boards).unwrap_or_default();
            let picture = |board: &str| {
                let of = boards
                    .iter()
                    .find(|b| b.node == *node && b.id.as_str() == board);
                of.map(|b| b.sha256.clone())
            };
            let mut row = row(office, node, seen.health, w, now, picture);
            row.office_name = name.unwrap_or_else(|| office.to_string());
            if let Some(off) = seen.clock_off {
                row.health = NodeHealth::NeedsAttention;
                row.clock = Some(w.clock_off(off.as_secs(), row.office_name.as_str(), node));
            }
            if seen.shared {
                row.health = NodeHealth::NeedsAttention;
                let kind = IssueKind::IdentityShared.as_str();
                let said = row.issues.iter().any(|issue| issue.kind == kind);
                row.shared = (!said).then_some(w.shared);
            }
            if !(connected && seen.online) {
                row.health = NodeHealth::Offline;
            }
            row
        })
        .collect();
    rows.sort_by_key(|row| row.health); // stable: else by office and node
    rows
}

fn row(
    office: &OfficeId,
    node: &NodeId,
    health: Option<&HealthReport>,
    w: &Labels,
    now: Now,
    picture: impl Fn(&str) -> Option<String>,
) -> Row {
    let mut row = Row {
        health: NodeHealth::NeedsAttention,
        office: office.to_string(),
        office_name: String::new(),
        node: node.to_string(),
        version: String::new(),
        last_report: w.never.to_owned(),
        clock: None,
        shared: None,
        issues: Vec::new(),
        outputs: Vec::new(),
        facts: Vec::new(),
    };
    let Some(health) = health else { return row };
    row.version.clone_from(&health.version);
    let age = now.wall.duration_since(health.at.at).as_secs();
    row.last_report = format!("{} {}", labels::clock(health.at), w.ago(age));
    row.issues = health
        .issues
        .iter()
        .map(|issue| Issue {
            words: w.issue(&issue.kind),
            kind: issue.kind.clone(),
            subject: issue.subject.clone(),
            since: w.since(&issue.since.zoned().strftime("%m-%d %H:%M").to_string()),
            text: issue.text.clone(),
        })
        .collect();
    row.outputs = health
        .outputs
        .iter()
        .map(|o| output(o, w, &picture))
        .collect();
    row.facts = facts(health, w);
    let wrong = !row.issues.is_empty()
        || row.outputs.iter().any(|o| o.wrong)
        || row.facts.iter().any(|f| f.wrong)
        || age > SILENT_S;
    row.health = if wrong {
        NodeHealth::NeedsAttention
    } else {
        NodeHealth::Healthy
    };
    row
}

fn output(o: &OutputReport, w: &Labels, picture: impl Fn(&str) -> Option<String>) -> Output {
    let facts = ["mode", "refresh_hz", "last_reply"];
    let known = facts
        .iter()
        .filter_map(|name| Some((name, o.facts.get(*name)?)));
    let known = known.map(|(name, value)| match *name {
        "refresh_hz" => format!("{value} Hz"),
        _ => value.clone(),
    });
    let connector = (!o.connector.is_empty()).then(|| o.connector.clone());
    Output {
        kind: o.kind.clone(),
        state: w.output(o.state),
        wrong: !matches!(o.state, OutputState::Shown | OutputState::Dark),
        facts: connector
            .into_iter()
            .chain(known)
            .collect::<Vec<_>>()
            .join(", "),
        picture: picture(o.board.as_str()),
        board: o.board.to_string(),
    }
}

/// What is known of the machine, with what is wrong of it marked.
fn facts(health: &HealthReport, w: &Labels) -> Vec<Fact> {
    let MachineReport {
        model,
        temperature_c,
        throttled,
        undervoltage,
        disk_free,
        disk_written,
        disk_worn,
        memory_free,
    } = &health.machine;
    let gone = i64::try_from(health.uptime_s).unwrap_or(i64::MAX);
    let synced = health.clock == ClockState::Synchronised;
    let mut facts = vec![
        Fact {
            name: w.uptime,
            value: w.span(gone),
            wrong: false,
        },
        Fact {
            name: w.clock,
            value: if synced { w.synchronised } else { w.unknown }.to_owned(),
            wrong: !synced,
        },
    ];
    let mut add = |name, value: Option<String>, wrong| {
        facts.extend(value.map(|value| Fact { name, value, wrong }));
    };
    let yes_no = |is: bool| if is { w.yes } else { w.no }.to_owned();
    let size = |bytes: u64| match bytes / 1_000_000 {
        mb @ 0..10_000 => format!("{mb} MB"),
        mb => format!("{} GB", mb / 1000),
    };
    add(w.model, model.clone(), false);
    let hot = temperature_c.is_some_and(|c| c >= HOT_C);
    add(w.temperature, temperature_c.map(|c| format!("{c} °C")), hot);
    add(w.throttled, throttled.map(yes_no), *throttled == Some(true));
    add(
        w.undervoltage,
        undervoltage.map(yes_no),
        *undervoltage == Some(true),
    );
    add(w.memory, memory_free.map(size), false);
    add(
        w.disk_free,
        disk_free.map(size),
        disk_free.is_some_and(|n| n < LITTLE),
    );
    add(w.disk_written, disk_written.map(size), false);
    let worn = disk_worn.is_some_and(|n| n >= WORN);
    add(
        w.disk_worn,
        disk_worn.map(|n| format!("{} %", n.min(100))),
        worn,
    );
    facts
}
