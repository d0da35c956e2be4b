//! What the tests of sources share: rules from TOML, clocks, and material beside the project.

use super::ledger::{Ledger, LedgerSettings, Outcome};
use super::mapping::{Mapping, RawQueueRule, Reading, compile};
use super::observation::Seen;
use crate::clock::Now;
use crate::model::CallKind;
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// 2026-11-24T10:00:00+09:00, a Tuesday.
pub(super) fn at(seconds: f64) -> Now {
    let start: Timestamp = "2026-11-24T10:00:00+09:00".parse().unwrap();
    Now::at(start + SignedDuration::from_secs_f64(seconds))
}

pub(super) fn zone() -> TimeZone {
    TimeZone::get("Asia/Tokyo").unwrap()
}

/// A rule as it stands below `[[source.queue]]`.
pub(super) fn rule(toml: &str) -> Mapping {
    let raw: RawQueueRule = toml::from_str(toml).unwrap_or_else(|e| panic!("{e}"));
    compile(&raw, None).unwrap_or_else(|e| panic!("{e:?}"))
}

/// A ledger behind a rule.
pub(super) struct Board {
    pub(super) mapping: Mapping,
    pub(super) ledger: Ledger,
    /// Calls that were shown: ticket, counter, whether again.
    pub(super) calls: Vec<(String, String, bool)>,
    pub(super) missed: u32,
    pub(super) last: Outcome,
    series: Option<(u32, u64)>,
}

impl Board {
    pub(super) fn new(toml: &str, polled: bool) -> Self {
        let mapping = rule(toml);
        let settings = LedgerSettings {
            polled,
            ..mapping.ledger(LedgerSettings::new(zone()))
        };
        Self {
            mapping,
            ledger: Ledger::new(settings),
            calls: Vec::new(),
            missed: 0,
            last: Outcome::default(),
            series: None,
        }
    }

    /// A message; what the rule found in it.
    pub(super) fn hear(&mut self, message: &Value, now: Now) -> Reading {
        self.hear_from(message, 1, Seen::Live, now)
    }

    pub(super) fn hear_from(
        &mut self,
        message: &Value,
        origin: u64,
        seen: Seen,
        now: Now,
    ) -> Reading {
        let reading = self.mapping.read(message, seen, origin, &zone(), now.wall);
        if let Some(observation) = &reading.observation {
            let outcome = self.ledger.apply(observation, now);
            self.note(outcome);
        }
        reading
    }

    /// Follows the calls by their numbers, as a node does: what is not in a state is not shown.
    pub(super) fn note(&mut self, outcome: Outcome) {
        self.missed += outcome.missed;
        if let Some(state) = &outcome.state {
            let (epoch, last) = self.series.unwrap_or((state.epoch, 0));
            let last = if state.epoch == epoch { last } else { 0 };
            for call in state.calls.iter().rev().filter(|call| call.no > last) {
                let counter = call
                    .counter
                    .as_ref()
                    .map_or(String::new(), |c| c.to_string());
                let again = call.kind == CallKind::Recall;
                self.calls.push((call.ticket.to_string(), counter, again));
            }
            let newest = state.last_call().map_or(last, |call| call.no.max(last));
            self.series = Some((state.epoch, newest));
            assert!(
                state.calls.is_sorted_by(|a, b| a.no == b.no + 1),
                "{state:?}"
            );
        }
        self.last = outcome;
    }

    /// The ticket shown as the last number.
    pub(super) fn shown(&self) -> String {
        let state = self.last.state.as_ref();
        let shown = state.and_then(|state| state.last_shown());
        shown.map_or(String::new(), |(ticket, _)| ticket.to_string())
    }
}

/// A file of the repository.
pub(super) fn fixture(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(path)
}

/// A file of the material that may lie beside the project: with it, more of the same is tried.
pub(super) fn shared(path: &str) -> Option<PathBuf> {
    let found = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../shared")
        .join(path);
    if !found.exists() {
        println!("without ../shared/{path}, which is not beside the project");
    }
    found.exists().then_some(found)
}
