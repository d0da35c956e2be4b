//! What is wrong with a board, without the flicker of a bad contact.

use std::time::{Duration, Instant};

/// A trouble that comes back within this is the same one…
const SAME_TROUBLE: Duration = Duration::from_secs(300);
/// … and must then be gone for this long, and twice as long each time, up to `SAME_TROUBLE`.
const FIRST_HOLD: Duration = Duration::from_secs(10);

/// What is wrong, held on to while it comes and goes, so that a bad contact fills no log.
#[derive(Debug, Default)]
pub(super) struct Trouble {
    pub(super) text: Option<String>,
    /// Since when nothing is wrong, while the text is held on to.
    well_since: Option<Instant>,
    /// When the last trouble was over.
    over: Option<Instant>,
    hold: Duration,
}

impl Trouble {
    /// Takes what is wrong at this moment.
    pub(super) fn update(&mut self, wrong: Option<String>, now: Instant) {
        match wrong {
            Some(text) => {
                if self.text.is_none() {
                    let soon = |over| now.saturating_duration_since(over) < SAME_TROUBLE;
                    self.hold = if self.over.is_some_and(soon) {
                        (self.hold * 2).clamp(FIRST_HOLD, SAME_TROUBLE)
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
