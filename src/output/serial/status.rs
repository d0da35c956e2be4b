//! What a board of digits tells about itself.

use super::{SerialBoard, State};
use crate::output::{Connector, DeviceStatus};
use std::time::{Duration, Instant};

/// How often counts are brought up to date in the facts.
const COUNTS_EVERY: Duration = Duration::from_secs(30);
/// Characters of a device's name that are told.
const MAX_DEVICE_CHARS: usize = 128;
/// Troubles that are named; the others are counted.
const MAX_NAMED: usize = 3;

impl SerialBoard {
    /// What is wrong at this moment.
    pub(super) fn wrong(&self) -> Option<String> {
        if let Some(closed) = &self.closed {
            return Some(closed.clone());
        }
        let each = self.slots.iter().filter_map(|slot| {
            let address = slot.field.address;
            match (&slot.state, &slot.encoded.unfit) {
                (State::Unconfirmed(why), _) | (_, Some(why)) => {
                    Some(format!("address {address}: {why}"))
                }
                _ => None,
            }
        });
        let all: Vec<String> = each.collect();
        let named = all.iter().take(MAX_NAMED).cloned().collect::<Vec<_>>();
        match all.len().checked_sub(MAX_NAMED) {
            _ if all.is_empty() => None,
            None | Some(0) => Some(named.join("; ")),
            Some(more) => Some(format!("{}; and {more} more", named.join("; "))),
        }
    }

    /// Brings the facts up to date.
    pub(super) fn update_status(&mut self, now: Instant) {
        let confirmed = self.count(|s| *s == State::Confirmed);
        let unconfirmed = self.count(|s| matches!(s, State::Unconfirmed(_)));
        let connector = match (&self.line, &self.closed) {
            (None, Some(_)) => Connector::Disconnected,
            (None, None) => self.status.connector,
            (Some(_), _) if confirmed > 0 => Connector::Connected,
            (Some(_), _) if unconfirmed > 0 && unconfirmed == self.slots.len() => {
                Connector::Disconnected
            }
            (Some(_), _) if unconfirmed > 0 => Connector::Connected,
            (Some(_), _) => match self.status.connector {
                // Between the line's coming back and the first answer nothing is known.
                Connector::Connected if self.template.is_answered() => Connector::Connected,
                _ => Connector::Unknown,
            },
        };
        let mut facts = self.status.facts.clone();
        let device = self.config.device.to_string();
        facts.insert("device", device.chars().take(MAX_DEVICE_CHARS).collect());
        let all = self.slots.len();
        let known = if self.template.is_answered() {
            format!("{confirmed} of {all}")
        } else {
            "unknown".to_owned()
        };
        facts.insert("confirmed", known);
        facts.remove("unconfirmed");
        if unconfirmed > 0 {
            let addresses = self.slots.iter().filter_map(|slot| match slot.state {
                State::Unconfirmed(_) => Some(slot.field.address.to_string()),
                _ => None,
            });
            facts.insert("unconfirmed", addresses.collect::<Vec<_>>().join(", "));
        }
        let changed = facts != self.status.facts || connector != self.status.connector;
        let old = self
            .counted
            .is_none_or(|at| now.saturating_duration_since(at) >= COUNTS_EVERY);
        if changed || old {
            self.counted = Some(now);
            facts.insert("last_reply", self.last_reply.clone());
            facts.insert("frames", self.frames.to_string());
            facts.insert("repeats", self.repeats.to_string());
            self.status = DeviceStatus { connector, facts };
        }
    }

    fn count(&self, is: impl Fn(&State) -> bool) -> usize {
        self.slots.iter().filter(|slot| is(&slot.state)).count()
    }
}
