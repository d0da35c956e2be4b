//! The current fault of a board, debounced so that a bad contact does not make it flicker.

use std::time::{Duration, Instant};

/// A fault that returns within this time is the same one…
const SAME_FAULT: Duration = Duration::from_secs(300);
/// … and must then be gone for this long, and twice as long each time, up to `SAME_FAULT`.
const FIRST_HOLD: Duration = Duration::from_secs(10);

/// Holds a fault while it comes and goes, so that a bad contact does not fill the log.
#[derive(Debug, Default)]
pub(super) struct FaultDebouncer {
    pub(super) text: Option<String>,
    /// Since when nothing is wrong, while the text is held on to.
    well_since: Option<Instant>,
    /// When the last fault ended.
    over: Option<Instant>,
    hold: Duration,
}

impl FaultDebouncer {
    /// Takes what is wrong at this moment.
    pub(super) fn update(&mut self, wrong: Option<String>, now: Instant) {
        match wrong {
            Some(text) => {
                if self.text.is_none() {
                    let soon = |over| now.saturating_duration_since(over) < SAME_FAULT;
                    self.hold = if self.over.is_some_and(soon) {
                        (self.hold * 2).clamp(FIRST_HOLD, SAME_FAULT)
                    } else {
                        Duration::ZERO
                    };
                }
                self.text = Some(text);
                self.well_since = None;
            }
            None if self.text.is_some() => {
                let since = *self.well_since.get_or_insert(now);
                if now.saturating_duration_since(since) >= self.hold {
                    self.text = None;
                    self.well_since = None;
                    self.over = Some(now);
                }
            }
            None => {}
        }
    }
}
