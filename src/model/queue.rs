//! The whole state of one queue, as a source tells it.

use super::{Call, Label, NowServing, Status, WaitRange};
use jiff::{Timestamp, civil::Date};

/// Which people a queue is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Lane {
    /// Everybody.
    #[default]
    Standard,
    /// People who applied online beforehand (ファストレーン).
    Fast,
}

impl Lane {
    /// The word of the contract: `standard` or `fast`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Fast => "fast",
        }
    }
}

/// Where the numbers of a queue come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Source {
    /// A ticketing system that speaks the contract.
    Feed,
    /// A foreign system, through a configured mapping.
    Adapter,
    /// A camera that reads an old board.
    Camera,
}

impl Source {
    /// The word of the contract: `feed`, `adapter` or `camera`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Feed => "feed",
            Self::Adapter => "adapter",
            Self::Camera => "camera",
        }
    }

    /// Whether its numbers come over the broker of the feed, so that without a connection to it they
    /// grow old.
    #[must_use]
    pub fn needs_broker(self) -> bool {
        match self {
            Self::Feed | Self::Adapter => true,
            Self::Camera => false,
        }
    }
}

/// One message of a source: the whole state of a queue at one moment.
///
/// Whole, so that the newest alone repairs everything that was missed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueState {
    /// Grows with every message of a queue and day.
    pub seq: u64,
    /// When the source made it.
    pub at: Timestamp,
    /// The business day it belongs to.
    pub day: Date,
    /// How often the source says that `no` restarted within the day.
    pub epoch: u32,
    /// Open, paused or closed.
    pub status: Status,
    /// People waiting; `None` where the source shows no such number, as many old boards do.
    pub waiting: Option<u32>,
    /// Tickets called and set aside.
    pub on_hold: Option<u32>,
    /// Tickets due next, in call order; at most 500.
    pub next: Vec<Label>,
    /// Tickets on hold; at most 500.
    pub held: Vec<Label>,
    /// Newest first, at most 20, `no` strictly falling.
    pub calls: Vec<Call>,
    /// What the source shows beside its calls, or instead of them, without a time of call.
    pub now_serving: Option<NowServing>,
    /// The source's own prediction; `None` lets the node estimate.
    pub wait: Option<WaitRange>,
}

impl QueueState {
    /// The newest call the source lists.
    #[must_use]
    pub fn last_call(&self) -> Option<&Call> {
        self.calls.first()
    }

    /// Ticket and counter that people are to see as the last number: what is being served, else the
    /// newest call.
    #[must_use]
    pub fn last_shown(&self) -> Option<(&Label, Option<&Label>)> {
        let serving = self.now_serving.as_ref();
        serving
            .map(|s| (&s.ticket, s.counter.as_ref()))
            .or_else(|| self.last_call().map(|c| (&c.ticket, c.counter.as_ref())))
    }

    /// Whether another message says the same of the queue: all but when and in which order it was
    /// told.
    #[must_use]
    pub fn has_same_content(&self, other: &Self) -> bool {
        let bare = |state: &Self| Self {
            seq: 0,
            at: Timestamp::UNIX_EPOCH,
            day: Date::ZERO,
            epoch: 0,
            ..state.clone()
        };
        bare(self) == bare(other)
    }
}
