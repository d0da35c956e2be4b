//! `[[relay]]`: contacts that close for a moment with each call.

use super::check::Check;
use super::doc::At;
use super::problem::ProblemKind;
use super::raw::RawRelay;
use super::{BoardConfig, RelayConfig};
use crate::model::QueueId;
use std::time::Duration;

/// More relays than a module on a Raspberry Pi has.
const MAX_RELAYS: usize = 8;
/// The highest line of the header (BCM 27); lines 0 and 1 belong to the identification of add-on
/// boards. Other machines count further: up to 255.
const LINES: std::ops::RangeInclusive<usize> = 0..=255;

/// With the shortest pulse, just under three flashes a second: more may harm people with epilepsy
/// (WCAG 2.2, 2.3.1).
const SHORTEST_PAUSE: Duration = Duration::from_millis(300);
/// Longest pulse and pause.
const LONGEST: Duration = Duration::from_secs(10);

impl Check<'_> {
    pub(super) fn relays(
        &mut self,
        raw: &[RawRelay],
        queues: &[QueueId],
        boards: &[BoardConfig],
    ) -> Vec<RelayConfig> {
        let at = At::root().key("relay");
        if raw.len() > MAX_RELAYS {
            let n = raw.len();
            self.wrong_as(
                &at.index(MAX_RELAYS),
                ProblemKind::TooMany,
                format_args!("{n} relays: expected at most {MAX_RELAYS} a node"),
            );
        }
        let mut relays: Vec<RelayConfig> = Vec::new();
        for (i, relay) in raw.iter().enumerate().take(MAX_RELAYS) {
            let at = at.index(i);
            let Some(relay) = self.relay(&at, relay, queues) else {
                continue;
            };
            if let Some(first) = relays.iter().position(|r| r.id == relay.id) {
                self.wrong_as(
                    &at.key("id"),
                    ProblemKind::Duplicate,
                    format_args!("same id as relay[{first}]: expected each id once"),
                );
            }
            // Issues name their subject by its id alone.
            if boards.iter().any(|b| b.id == relay.id) {
                self.wrong_as(
                    &at.key("id"),
                    ProblemKind::Duplicate,
                    "same id as a board: expected one of its own",
                );
            }
            if let Some(first) = relays.iter().position(|r| r.gpio == relay.gpio) {
                self.wrong_as(
                    &at.key("gpio"),
                    ProblemKind::Duplicate,
                    format_args!("same line as relay[{first}]: expected one line a relay"),
                );
            }
            relays.push(relay);
        }
        relays
    }

    fn relay(&mut self, at: &At, raw: &RawRelay, queues: &[QueueId]) -> Option<RelayConfig> {
        let id = self.id(&at.key("id"), raw.id.as_deref());
        let gpio = match raw.gpio {
            Some(_) => u8::try_from(self.count(&at.key("gpio"), raw.gpio, 0, LINES)).ok(),
            None => {
                self.missing(&at.key("gpio"), "the number of a GPIO line, such as 17");
                None
            }
        };
        let active = raw.active.as_deref().unwrap_or("high");
        let active_low = self.word(&at.key("active"), active, &[("high", false), ("low", true)]);
        let backend = self.backend(&at.key("backend"), raw.backend.as_deref());
        let pulse = self.duration(
            &at.key("pulse"),
            raw.pulse.as_ref(),
            Duration::from_secs(1),
            Duration::from_millis(50)..=LONGEST,
        );
        let min_gap = self.duration(
            &at.key("min_gap"),
            raw.min_gap.as_ref(),
            Duration::from_millis(500),
            SHORTEST_PAUSE..=LONGEST,
        );
        let queues = raw
            .queues
            .as_deref()
            .map(|ids| self.shown(&at.key("queues"), ids, queues));
        Some(RelayConfig {
            id: id?,
            gpio: gpio?,
            active_low: active_low?,
            pulse,
            min_gap,
            queues,
            backend: backend?,
        })
    }
}
