//! What one message of a source says of one queue, as plain values.

use crate::model::{CallKind, Label, Status};
use jiff::{SignedDuration, Timestamp, civil::Date};
use std::time::Duration;

/// A time as a source writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stamp {
    /// The beginning of the span that is meant.
    pub at: Timestamp,
    /// How long that span is: zero for a moment, 60 s for a time in minutes.
    pub coarse: Duration,
    /// The date that the source writes, in its own time zone; the day of arrival where it writes none.
    pub date: Date,
}

impl Stamp {
    /// Whether it names a second or less.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        self.coarse <= Duration::from_secs(1)
    }

    /// Whether a moment may be meant, with clocks that differ by `slack`.
    #[must_use]
    pub fn may_be(&self, moment: Timestamp, slack: SignedDuration) -> bool {
        let coarse = SignedDuration::try_from(self.coarse).unwrap_or(SignedDuration::ZERO);
        let since = moment.duration_since(self.at);
        since >= -slack && since <= coarse + slack
    }
}

/// How a message came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// As the source wrote it.
    Live,
    /// What was written before anybody looked: a log's earlier lines, a broker's retained copy.
    Backlog,
}

/// One message, as far as it concerns one queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    /// Counts and lists beside the calls.
    pub facts: Facts,
    /// Calls, or events.
    pub content: Content,
    /// Live, or from before.
    pub seen: Seen,
    /// Which topic, address or stream it came from: the same event from two of them is one.
    pub origin: u64,
}

/// What a message says beside calls. `None` is what it does not say.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Facts {
    /// Open, paused or closed.
    pub status: Option<Status>,
    /// People waiting.
    pub waiting: Option<u32>,
    /// Tickets on hold.
    pub on_hold: Option<u32>,
    /// Tickets due next, in call order.
    pub next: Option<Vec<Label>>,
    /// Tickets on hold.
    pub held: Option<Vec<Label>>,
    /// When the source made the message.
    pub at: Option<Stamp>,
}

/// The calls of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// Nothing of calls: only [`Facts`].
    Nothing,
    /// A list of calls whose entries have identities.
    Keyed(Vec<Entry>),
    /// A list of calls without identities, newest first.
    List(Vec<Entry>),
    /// The number being served: one, or one a counter. Which counters show none is in `empty`.
    Current {
        /// Those that are served.
        served: Vec<Entry>,
        /// Counters that say that they serve nobody; `None` stands for a source with one number.
        empty: Vec<Option<Label>>,
        /// Whether the message shows a number for each of several counters.
        many: bool,
    },
    /// Events in the order in which they were written.
    Events(Vec<Event>),
}

/// One call of a list, or one number being served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The source's own identity.
    pub id: Option<String>,
    /// Who is called.
    pub ticket: Label,
    /// Where to.
    pub counter: Option<Label>,
    /// When.
    pub at: Option<Stamp>,
    /// Call or recall, where the source says so.
    pub kind: Option<CallKind>,
}

/// What happened to a ticket or a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EventKind {
    /// A ticket was given out.
    Issue,
    /// A ticket was called.
    Call,
    /// The same again.
    Recall,
    /// A ticket was set aside.
    Hold,
    /// A ticket on hold waits again.
    Back,
    /// A ticket is not wanted any more.
    Cancel,
    /// A person was served.
    Served,
    /// Numbers begin again.
    Reset,
    /// The queue takes people.
    Open,
    /// The queue does not call for a while.
    Pause,
    /// The queue is over for the day.
    Close,
}

impl EventKind {
    /// All kinds.
    pub const ALL: [Self; 11] = [
        Self::Issue,
        Self::Call,
        Self::Recall,
        Self::Hold,
        Self::Back,
        Self::Cancel,
        Self::Served,
        Self::Reset,
        Self::Open,
        Self::Pause,
        Self::Close,
    ];

    /// The word of the configuration.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Issue => "issue",
            Self::Call => "call",
            Self::Recall => "recall",
            Self::Hold => "hold",
            Self::Back => "back",
            Self::Cancel => "cancel",
            Self::Served => "served",
            Self::Reset => "reset",
            Self::Open => "open",
            Self::Pause => "pause",
            Self::Close => "close",
        }
    }

    /// The kind of a word.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// Whether it concerns a ticket.
    #[must_use]
    pub fn has_ticket(self) -> bool {
        !matches!(self, Self::Reset | Self::Open | Self::Pause | Self::Close)
    }
}

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// What happened.
    pub kind: EventKind,
    /// The source's own identity.
    pub id: Option<String>,
    /// To whom: one ticket, several of a group, none where the queue is meant.
    pub tickets: Vec<Label>,
    /// Where.
    pub counter: Option<Label>,
    /// When.
    pub at: Option<Stamp>,
}
