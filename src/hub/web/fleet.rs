//! Every node at a glance, for those who run them: what stands out comes first.
//!
//! Behind a token, which browsers send as the password of Basic authentication (RFC 7617) and
//! programs as a bearer token (RFC 6750). Without a token in the configuration there is no such
//! page. In Japanese, and in English for every other language.

use super::fleet_words::{self, Words};
use super::front::{Base, missing, print};
use super::{Query, Shared, assets, words};
use crate::clock::Now;
use crate::config::Secret;
use crate::health::IssueKind;
use crate::hub::lang::{Lang, Messages};
use crate::hub::registry::Registry;
use crate::model::{NodeId, OfficeId};
use crate::wire::report::ClockState;
use crate::wire::report::{HealthReport, MachineReport, OutputReport, OutputState};
use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::collections::BTreeSet;

/// A node that has not told of itself for so long is looked at: it does so every 30 s.
const SILENT_S: i64 = 120;

/// From here on a processor is hot: a Raspberry Pi slows down at 80 °C.
const HOT_C: i16 = 75;

/// Less room than this is worth a look: pictures and 100,000 calls need 64 MB.
const LITTLE: u64 = 128 << 20;

/// From here on a medium should be replaced soon (JESD84-B50: 0x09 is 80 to 90 % used).
const WORN: u8 = 90;

/// How a node is, the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum How {
    Away,
    Troubled,
    Well,
}

impl How {
    fn class(self) -> &'static str {
        match self {
            Self::Away => "crowded",
            Self::Troubled => "busy",
            Self::Well => "free",
        }
    }

    /// A shape beside the colour.
    fn mark(self) -> &'static str {
        match self {
            Self::Away => "✕",
            Self::Troubled => "△",
            Self::Well => "○",
        }
    }

    fn word(self, w: &Words) -> &'static str {
        match self {
            Self::Away => w.away,
            Self::Troubled => w.troubled,
            Self::Well => w.well,
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
    how: How,
    office: String,
    office_name: String,
    node: String,
    version: String,
    told: String,
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
struct Sheet<'a> {
    base: Base,
    t: &'a Messages,
    w: &'static Words,
    css: &'static str,
    all: usize,
    away: usize,
    troubled: usize,
    versions: String,
    rows: Vec<Row>,
}

pub(super) async fn page(state: Shared, uri: Uri, query: Query, headers: HeaderMap) -> Response {
    let State(hub) = &state;
    let Some(token) = &hub.fleet_token else {
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
    let lang = super::lang(&query, &headers);
    let w = fleet_words::of(lang.tag());
    let now = hub.clock.now();
    let rows = {
        let core = hub.core();
        rows(&core.registry, core.line, lang, w, now)
    };
    let mut base = Base::new(hub, lang, "/fleet");
    w.title.clone_into(&mut base.title);
    let of = |how: How| rows.iter().filter(|row| row.how == how).count();
    let versions: BTreeSet<&str> = rows.iter().map(|row| row.version.as_str()).collect();
    let versions = versions.into_iter().filter(|v| !v.is_empty());
    let html = print(&Sheet {
        base,
        t: lang.messages(),
        w,
        css: assets::fleet_css(),
        all: rows.len(),
        away: of(How::Away),
        troubled: of(How::Troubled),
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

/// Whether a request shows the token. What is compared are hashes, so that the time it takes tells
/// nothing of the token.
fn admits(token: &Secret, shown: Option<&HeaderValue>) -> bool {
    let shown = shown
        .and_then(|value| value.to_str().ok())
        .and_then(password);
    let hash = |text: &str| crate::wire::sha256_hex(text.as_bytes());
    shown.is_some_and(|shown| hash(&shown) == hash(token.reveal()))
}

/// The token of an `Authorization` header.
fn password(value: &str) -> Option<String> {
    let (scheme, rest) = value.split_once(' ')?;
    let rest = rest.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(rest.to_owned());
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let pair = String::from_utf8(STANDARD.decode(rest).ok()?).ok()?;
    Some(pair.split_once(':')?.1.to_owned())
}

/// A line for each node, the worst first.
fn rows(registry: &Registry, line: bool, lang: Lang, w: &Words, now: Now) -> Vec<Row> {
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
                row.how = How::Troubled;
                row.clock = Some(w.clock_off(off.as_secs(), row.office_name.as_str(), node));
            }
            if seen.shared {
                row.how = How::Troubled;
                let kind = IssueKind::IdentityShared.as_str();
                let said = row.issues.iter().any(|issue| issue.kind == kind);
                row.shared = (!said).then_some(w.shared);
            }
            if !(line && seen.online) {
                row.how = How::Away;
            }
            row
        })
        .collect();
    rows.sort_by_key(|row| row.how); // stable: else by office and node
    rows
}

fn row(
    office: &OfficeId,
    node: &NodeId,
    health: Option<&HealthReport>,
    w: &Words,
    now: Now,
    picture: impl Fn(&str) -> Option<String>,
) -> Row {
    let mut row = Row {
        how: How::Troubled,
        office: office.to_string(),
        office_name: String::new(),
        node: node.to_string(),
        version: String::new(),
        told: w.never.to_owned(),
        clock: None,
        shared: None,
        issues: Vec::new(),
        outputs: Vec::new(),
        facts: Vec::new(),
    };
    let Some(health) = health else { return row };
    row.version.clone_from(&health.version);
    let age = now.wall.duration_since(health.at.at).as_secs();
    row.told = format!("{} {}", words::clock(health.at), w.ago(age));
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
    row.how = if wrong { How::Troubled } else { How::Well };
    row
}

fn output(o: &OutputReport, w: &Words, picture: impl Fn(&str) -> Option<String>) -> Output {
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
fn facts(health: &HealthReport, w: &Words) -> Vec<Fact> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_opens_as_password_and_as_bearer_and_nothing_else_does() {
        let token = Secret::new("sixteen-letters-or-more");
        let shows = |text: &str| {
            let value = HeaderValue::from_str(text).expect("a header");
            admits(&token, Some(&value))
        };
        let basic = |pair: &str| format!("Basic {}", STANDARD.encode(pair));
        assert!(shows("Bearer sixteen-letters-or-more"));
        assert!(shows(&basic("anybody:sixteen-letters-or-more")));
        assert!(!admits(&token, None));
        for wrong in [
            "Bearer ".to_owned(),
            "Bearer sixteen-letters-or-mor".to_owned(),
            "sixteen-letters-or-more".to_owned(),
            "Digest sixteen-letters-or-more".to_owned(),
            "Basic sixteen-letters-or-more".to_owned(),
            basic("sixteen-letters-or-more"),
            basic("sixteen-letters-or-more:"),
            basic("a:b:sixteen-letters-or-more"),
        ] {
            assert!(!shows(&wrong), "{wrong}");
        }
    }
}
