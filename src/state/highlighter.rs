//! Which calls are highlighted on one board, and when.
//!
//! Invariant 2: every call is highlighted for at least its minimum time, once, in order. A new call
//! gets a free slot at once; further ones wait, oldest first. When the first of them has waited half
//! as long as the backlog allows, there are more, smaller slots ([`HighlightSettings::max_highlighted_peak`]);
//! when it has waited all of that time, all waiting calls are shown at once, as a list of up to
//! [`MAX_LIST_SLOTS`]. Only if more than [`MAX_WAITING`] wait, which no office calls, the oldest move
//! to the earlier calls without having been highlighted, and are counted.

use super::LoggedCall;
use crate::clock::Now;
use crate::model::QueueId;
use std::collections::VecDeque;
use std::time::Duration;

/// Calls that a panel can list at once: three columns of twelve can still be read from a chair.
pub const MAX_LIST_SLOTS: usize = 36;

/// Calls that wait for their place: a large office calls 325 an hour (the recorded day), so whoever
/// calls more at once is a source gone wrong.
pub const MAX_WAITING: usize = 256;

/// A call stays on the screen until it was announced, but no longer than this: after two minutes
/// nothing is announced, and an announcement lasts less than half of one.
const MAX_HOLD: Duration = Duration::from_secs(150);

/// How a board shows calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HighlightSettings {
    /// Each call stands out at least this long. Default 12 s.
    pub min_highlight: Duration,
    /// A call stands out at most this long when no other follows. Default 30 s.
    pub max_highlight: Duration,
    /// Calls that can stand out at the same time; at least 1. Default 3.
    pub max_highlighted: usize,
    /// Calls that can stand out when many come at once; at least `max_highlighted`. Default 6.
    pub max_highlighted_peak: usize,
    /// No call waits longer than this for its place: then the panel becomes a list. Default 20 s.
    pub max_backlog: Duration,
    /// Earlier calls that are listed below; the layout may show fewer. Default 8.
    pub recent_calls: usize,
}

impl Default for HighlightSettings {
    fn default() -> Self {
        Self {
            min_highlight: Duration::from_secs(12),
            max_highlight: Duration::from_secs(30),
            max_highlighted: 3,
            max_highlighted_peak: 6,
            max_backlog: Duration::from_secs(20),
            recent_calls: 8,
        }
    }
}

/// A highlighted call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HighlightedCall {
    pub call: LoggedCall,
    /// Monotonic moment since which it is on the screen.
    pub since: Duration,
}

/// What a board's panel shows at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HighlightView {
    /// Calls that stand out, newest first.
    pub active: Vec<HighlightedCall>,
    /// Earlier calls, newest first.
    pub recent: Vec<LoggedCall>,
    /// Calls that wait for their place.
    pub waiting: usize,
}

/// Selects the calls that one board highlights.
#[derive(Debug, Clone)]
pub struct CallHighlighter {
    settings: HighlightSettings,
    /// Queues whose calls it shows; `None` is all.
    queues: Option<Vec<QueueId>>,
    /// Index of the newest call that was taken from a log.
    handled: u64,
    /// Oldest first.
    pending: VecDeque<LoggedCall>,
    /// Oldest first.
    active: VecDeque<HighlightedCall>,
    /// Newest first.
    recent: VecDeque<LoggedCall>,
    /// Announced calls that never stood out: see [`missed`](Self::missed).
    missed: u64,
    /// Index of the newest call whose announcement is over, with all before it.
    announced_up_to: u64,
}

impl CallHighlighter {
    /// An empty panel that has handled no call yet.
    #[must_use]
    pub fn new(settings: HighlightSettings) -> Self {
        Self {
            settings: HighlightSettings {
                max_highlighted: settings.max_highlighted.max(1),
                max_highlighted_peak: settings
                    .max_highlighted_peak
                    .max(settings.max_highlighted)
                    .max(1),
                ..settings
            },
            queues: None,
            handled: 0,
            pending: VecDeque::new(),
            active: VecDeque::new(),
            recent: VecDeque::new(),
            missed: 0,
            announced_up_to: u64::MAX,
        }
    }

    /// Sets the index of the newest call whose announcement is over. Later calls stay on the screen
    /// until theirs is, for two and a half minutes at most. Without a voice nothing is waited for.
    pub fn announced_up_to(&mut self, index: u64) {
        self.announced_up_to = index;
    }

    /// Shows only the calls of these queues; `None` is all.
    #[must_use]
    pub fn for_queues(self, queues: Option<Vec<QueueId>>) -> Self {
        Self { queues, ..self }
    }

    /// Takes the calls of a log that were not handled yet, and moves on to `now`.
    pub fn update(&mut self, log: &[LoggedCall], now: Now) {
        if let Some(first) = log.first() {
            self.missed += first.index.saturating_sub(self.handled + 1);
        }
        for call in log {
            if call.index <= self.handled {
                continue;
            }
            self.handled = call.index;
            let ours = |queues: &Vec<QueueId>| queues.contains(&call.queue);
            if !self.queues.as_ref().is_none_or(ours) {
                continue;
            }
            if call.announce {
                self.pending.push_back(call.clone());
            } else {
                self.list(call.clone());
            }
        }
        self.tick(now);
        while self.pending.len() > MAX_WAITING {
            if let Some(call) = self.pending.pop_front() {
                self.list(call);
                self.missed += 1;
            }
        }
    }

    /// Moves on to `now`: ends what was shown long enough, shows what waits.
    pub fn tick(&mut self, now: Now) {
        let on_screen = |shown: &HighlightedCall| now.since(shown.since);
        let announced = self.announced_up_to;
        let may_go =
            |shown: &HighlightedCall| shown.call.index <= announced || on_screen(shown) >= MAX_HOLD;
        // Alone on the screen a call may stay longer; it leaves when its time is over at the latest.
        while self
            .active
            .front()
            .is_some_and(|s| on_screen(s) >= self.settings.max_highlight && may_go(s))
        {
            self.retire();
        }
        while let Some(next) = self.pending.front() {
            let waited = now.since(next.received_at);
            let places = if waited >= self.settings.max_backlog {
                MAX_LIST_SLOTS.max(self.settings.max_highlighted_peak)
            } else if waited >= self.settings.max_backlog / 2
                || self.active.len() > self.settings.max_highlighted
            {
                self.settings.max_highlighted_peak
            } else {
                self.settings.max_highlighted
            };
            let room = self.active.len() < places;
            let done = self.active.front().is_some_and(|s| {
                // As a list the panel shows more than anybody can speak.
                let listed = waited >= self.settings.max_backlog;
                on_screen(s) >= self.settings.min_highlight && (listed || may_go(s))
            });
            // The same ticket called again takes the place of its first call: one person, one place.
            let again = self
                .active
                .iter()
                .position(|s| s.call.queue == next.queue && s.call.call.ticket == next.call.ticket)
                .filter(|&i| self.active[i].call.call.counter == next.call.counter);
            if let Some(i) = again {
                self.active.remove(i);
            } else if !room {
                if !done {
                    break;
                }
                self.retire();
            }
            if let Some(call) = self.pending.pop_front() {
                self.active.push_back(HighlightedCall {
                    call,
                    since: now.mono,
                });
            }
        }
    }

    fn retire(&mut self) {
        if let Some(shown) = self.active.pop_front() {
            self.list(shown.call);
        }
    }

    fn list(&mut self, call: LoggedCall) {
        self.recent.push_front(call);
        self.recent.truncate(self.settings.recent_calls);
    }

    /// Index of the newest call that has had its time on the screen, with all before it.
    #[must_use]
    pub fn shown(&self, now: Now) -> u64 {
        let cut_short = |s: &&HighlightedCall| now.since(s.since) < self.settings.min_highlight;
        let active = self.active.iter().filter(cut_short).map(|s| s.call.index);
        let pending = self.pending.front().map(|c| c.index);
        let first = active.chain(pending).min();
        first.map_or(self.handled, |first| first.saturating_sub(1))
    }

    /// What to show now.
    #[must_use]
    pub fn view(&self) -> HighlightView {
        HighlightView {
            active: self.active.iter().rev().cloned().collect(),
            recent: self.recent.iter().cloned().collect(),
            waiting: self.pending.len(),
        }
    }

    /// The monotonic moment after `now` at which [`tick`](Self::tick) may change something; `None`
    /// if never. Asked after a tick at `now`, so what lies before has had its effect.
    #[must_use]
    pub fn next_change(&self, now: Now) -> Option<Duration> {
        let oldest = self.active.front()?;
        let shown = if self.pending.is_empty() {
            self.settings.max_highlight
        } else {
            self.settings.min_highlight
        };
        let first = self.pending.front().map(|c| c.received_at);
        let crowded = first.map(|received_at| received_at + self.settings.max_backlog / 2);
        let late = first.map(|received_at| received_at + self.settings.max_backlog);
        [Some(oldest.since + shown), crowded, late]
            .into_iter()
            .flatten()
            .filter(|at| *at > now.mono)
            .min()
    }

    /// Announced calls that never stood out here: the panel was not updated for too long, or more
    /// than [`MAX_WAITING`] came at once.
    #[must_use]
    pub fn missed(&self) -> u64 {
        self.missed
    }
}
