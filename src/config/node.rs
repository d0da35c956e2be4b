//! A node's file, checked.

use super::NodeConfig;
use super::check::Check;
use super::doc::At;
use super::hint;
use super::keyboard::{meant, narrow};
use super::problem::{ProblemKind, Suggestion};
use super::raw::{RawFeed, RawNode, RawOffice, RawQueue};
use super::stream::Voice;
use crate::model::{Lane, Pattern, QueueId};
use crate::state::{QueueSettings, Settings};
use crate::wire::report::MAX_QUEUES;
use jiff::civil::Time;
use jiff::tz::TimeZone;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

/// Where a node keeps its state unless configured: systemd's `StateDirectory=yobiban`.
const STORE_DIR: &str = "/var/lib/yobiban";

/// The words for the lanes.
const LANES: [(&str, Lane); 2] = [("standard", Lane::Standard), ("fast", Lane::Fast)];

impl Check<'_> {
    /// Checks everything; problems are collected, so `None` comes with at least one.
    pub(super) fn node(&mut self, raw: &RawNode) -> Option<NodeConfig> {
        let top = At::root();
        let empty = RawOffice::default();
        let office = raw.office.as_ref().unwrap_or(&empty);
        let office_at = top.key("office");
        let office_id = self.id(&office_at.key("id"), office.id.as_deref());
        let office_name = self.name(&office_at.key("name"), office.name.as_ref());
        let node_id = self.id(
            &top.key("node").key("id"),
            raw.node.as_ref().and_then(|n| n.id.as_deref()),
        );
        let mqtt = self.mqtt(&top.key("mqtt"), raw.mqtt.as_ref());
        let uplink_at = top.key("uplink");
        let uplink = raw
            .uplink
            .as_ref()
            .map(|raw| self.mqtt(&uplink_at, Some(raw)));
        let dir = raw.store.as_ref().and_then(|s| s.dir.as_deref());
        let store_dir = self.path(&top.key("store").key("dir"), dir.unwrap_or(STORE_DIR));
        let queues = self.queues(&top.key("queue"), raw.queue.as_deref().unwrap_or_default());
        let patterns = self.patterns(&top.key("queue"), raw.queue.as_deref().unwrap_or_default());
        let ids: Vec<QueueId> = queues.iter().map(|q| q.id.clone()).collect();
        let boards = self.boards(raw.board.as_deref().unwrap_or_default(), office, &ids);
        let adapters = self.adapters(raw.adapter.as_deref().unwrap_or_default(), &ids, &patterns);
        let relays = self.relays(raw.relay.as_deref().unwrap_or_default(), &ids, &boards);
        let cameras = self.cameras(raw.camera.as_deref().unwrap_or_default(), &ids);
        let streams = self.board_streams(
            raw.stream.as_deref().unwrap_or_default(),
            &boards,
            Voice::of(raw.voice.as_ref()),
        );
        let voice = raw.voice.as_ref().map(|raw| self.voice(raw, &ids));
        let state = self.settings(office, raw.feed.as_ref(), queues);
        Some(NodeConfig {
            office: office_id?,
            office_name: office_name?,
            node: node_id?,
            mqtt: mqtt?,
            uplink: match uplink {
                Some(uplink) => Some(uplink?),
                None => None,
            },
            store_dir: store_dir.unwrap_or_else(|| PathBuf::from(STORE_DIR)),
            state,
            patterns,
            boards,
            adapters,
            relays,
            cameras,
            streams,
            voice: match voice {
                Some(voice) => Some(voice?),
                None => None,
            },
        })
    }

    fn queues(&mut self, at: &At, raw: &[RawQueue]) -> Vec<QueueSettings> {
        if raw.is_empty() {
            self.missing(at, "at least one [[queue]]");
        }
        if raw.len() > MAX_QUEUES {
            let n = raw.len();
            self.wrong_as(
                &at.index(MAX_QUEUES),
                ProblemKind::TooMany,
                format_args!("{n} queues: expected at most {MAX_QUEUES} an office"),
            );
        }
        let mut queues: Vec<QueueSettings> = Vec::new();
        for (i, queue) in raw.iter().enumerate().take(MAX_QUEUES) {
            let at = at.index(i);
            let id: Option<QueueId> = self.id(&at.key("id"), queue.id.as_deref());
            let name = self.name(&at.key("name"), queue.name.as_ref());
            let lane = match &queue.lane {
                Some(lane) => self.word(&at.key("lane"), lane, &LANES),
                None => Some(Lane::default()),
            };
            if let Some(first) = queues.iter().position(|q| Some(&q.id) == id.as_ref()) {
                self.wrong_as(
                    &at.key("id"),
                    ProblemKind::Duplicate,
                    format_args!("same id as queue[{first}]: expected each id once"),
                );
            }
            // A wrong name or lane must not make the queue unknown to its boards.
            if let Some(id) = id {
                queues.push(QueueSettings {
                    id,
                    name: name.unwrap_or_default(),
                    lane: lane.unwrap_or_default(),
                });
            }
        }
        queues
    }

    /// What the tickets of queues look like, where that is said.
    fn patterns(&mut self, at: &At, raw: &[RawQueue]) -> BTreeMap<QueueId, Pattern> {
        let mut patterns = BTreeMap::new();
        for (i, queue) in raw.iter().enumerate().take(MAX_QUEUES) {
            let Some(text) = &queue.pattern else {
                continue;
            };
            match Pattern::new(text) {
                Ok(pattern) => {
                    let id = queue.id.as_deref().and_then(|id| id.parse().ok());
                    patterns.extend(id.map(|id: QueueId| (id, pattern)));
                }
                Err(why) => self.wrong(
                    &at.index(i).key("pattern"),
                    format_args!(
                        "not a regular expression, {why}: expected one such as \"[A-Z][0-9]{{3}}\""
                    ),
                ),
            }
        }
        patterns
    }

    fn settings(
        &mut self,
        office: &RawOffice,
        feed: Option<&RawFeed>,
        queues: Vec<QueueSettings>,
    ) -> Settings {
        const DAY: Duration = Duration::from_secs(24 * 3600);
        const HOUR: Duration = Duration::from_secs(3600);
        let defaults = Settings::new(queues);
        let at = At::root().key("office");
        let zone = match &office.timezone {
            Some(zone) => self.zone(&at.key("timezone"), zone),
            None => None,
        };
        let hours = match &office.hours {
            Some(hours) => self.hours(&at.key("hours"), hours),
            None => None,
        };
        let empty = RawFeed::default();
        let feed = feed.unwrap_or(&empty);
        let at = At::root().key("feed");
        Settings {
            timezone: zone.unwrap_or_else(|| defaults.timezone.clone()),
            hours: hours.unwrap_or(defaults.hours),
            stale_after: self.duration(
                &at.key("stale_after"),
                feed.stale_after.as_ref(),
                defaults.stale_after,
                Duration::from_secs(5)..=DAY,
            ),
            disconnect_grace: self.duration(
                &at.key("disconnect_grace"),
                feed.disconnect_grace.as_ref(),
                defaults.disconnect_grace,
                Duration::ZERO..=HOUR,
            ),
            max_announce_age: self.duration(
                &at.key("max_announce_age"),
                feed.max_announce_age.as_ref(),
                defaults.max_announce_age,
                Duration::ZERO..=DAY,
            ),
            queues: defaults.queues,
        }
    }

    fn zone(&mut self, at: &At, raw: &str) -> Option<TimeZone> {
        let zone = TimeZone::get(raw).ok();
        if zone.is_none() {
            let names: Vec<String> = jiff::tz::db().available().map(|n| n.to_string()).collect();
            let hint = if is_japan(raw) {
                Some(Suggestion::Word("Asia/Tokyo".to_owned()))
            } else {
                hint::nearest(raw, names.iter().map(String::as_str))
            };
            self.wrong_hint(
                at,
                "unknown time zone: expected an IANA name such as Asia/Tokyo",
                hint,
            );
        }
        zone
    }

    pub(super) fn hours(&mut self, at: &At, raw: &[String]) -> Option<(Time, Time)> {
        let clock = |text: &String| {
            (text.len() == 5)
                .then(|| Time::strptime("%H:%M", text).ok())
                .flatten()
        };
        let hours = match raw {
            [open, close] => clock(open).zip(clock(close)).filter(|(o, c)| o < c),
            _ => None,
        };
        if hours.is_none() {
            let short = raw
                .iter()
                .find(|t| clock(t).is_none() && clock(&format!("0{t}")).is_some());
            let short = short.map(|short| Suggestion::TwoDigits(format!("0{short}")));
            let wide = raw.iter().find_map(|t| meant(t)).map(Suggestion::HalfWidth);
            self.wrong_hint(
                at,
                "expected opening and a later closing time, such as [\"09:00\", \"17:00\"]",
                wide.or(short),
            );
        }
        hours
    }
}

/// Whether a text is what people call the time of Japan.
fn is_japan(text: &str) -> bool {
    const CALLED: [&str; 9] = [
        "jst",
        "jst-9",
        "tokyo",
        "asia/japan",
        "utc+9",
        "utc+09:00",
        "gmt+9",
        "+09:00",
        "+9",
    ];
    let plain = narrow(text.trim()).to_lowercase();
    CALLED.contains(&plain.as_str()) || ["日本", "東京"].iter().any(|word| plain.contains(word))
}
