//! A node's file, checked.

use super::NodeConfig;
use super::check::Check;
use super::doc::At;
use super::hint;
use super::raw::{RawFeed, RawNode, RawOffice, RawQueue};
use crate::model::{Lane, QueueId};
use crate::state::{QueueSettings, Settings};
use crate::wire::report::MAX_QUEUES;
use jiff::civil::Time;
use jiff::tz::TimeZone;
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
        let ids: Vec<QueueId> = queues.iter().map(|q| q.id.clone()).collect();
        let boards = self.boards(raw.board.as_deref().unwrap_or_default(), office, &ids);
        let adapters = self.adapters(raw.adapter.as_deref().unwrap_or_default(), &ids);
        let relays = self.relays(raw.relay.as_deref().unwrap_or_default(), &ids, &boards);
        let cameras = self.cameras(raw.camera.as_deref().unwrap_or_default(), &ids);
        let streams = self.board_streams(
            raw.stream.as_deref().unwrap_or_default(),
            &boards,
            raw.voice.is_some(),
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
            self.wrong(
                &at.index(MAX_QUEUES),
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
                self.wrong(
                    &at.key("id"),
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
        let zone = match &office.zone {
            Some(zone) => self.zone(&at.key("zone"), zone),
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
            zone: zone.unwrap_or_else(|| defaults.zone.clone()),
            hours: hours.unwrap_or(defaults.hours),
            stale_after: self.duration(
                &at.key("stale_after"),
                feed.stale_after.as_ref(),
                defaults.stale_after,
                Duration::from_secs(5)..=DAY,
            ),
            line_grace: self.duration(
                &at.key("line_grace"),
                feed.line_grace.as_ref(),
                defaults.line_grace,
                Duration::ZERO..=HOUR,
            ),
            old_call_after: self.duration(
                &at.key("old_call_after"),
                feed.old_call_after.as_ref(),
                defaults.old_call_after,
                Duration::ZERO..=DAY,
            ),
            queues: defaults.queues,
        }
    }

    fn zone(&mut self, at: &At, raw: &str) -> Option<TimeZone> {
        let zone = TimeZone::get(raw).ok();
        if zone.is_none() {
            let names: Vec<String> = jiff::tz::db().available().map(|n| n.to_string()).collect();
            let hint = hint::nearest(raw, names.iter().map(String::as_str));
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
            self.wrong(
                at,
                "expected opening and a later closing time, such as [\"09:00\", \"17:00\"]",
            );
        }
        hours
    }
}
