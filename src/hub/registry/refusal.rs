//! Why a report was not taken.

use crate::wire::WireError;

/// Says why a report changed nothing. [`Refusal::reason`] is the label it is counted under.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The topic is none of the report topics.
    #[error("topic {0:?} is no report topic")]
    Topic(String),
    /// The payload breaks the contract.
    #[error("{0}")]
    Payload(#[from] WireError),
    /// The payload speaks of another office than its topic.
    #[error("payload of office {found} on the topic of office {expected}")]
    OtherOffice {
        /// Named by the topic.
        expected: String,
        /// Named by the payload.
        found: String,
    },
    /// The report was made more than a day from now, or its day is not near its time.
    #[error("{0}: expected a time within a day of now")]
    Time(String),
    /// Something is listed twice or too often.
    #[error("{0}")]
    List(String),
    /// A line that describes a picture is wrong.
    #[error(
        "line of picture {0}: expected sha256 of 64 hex digits, a known format, 1 to 8192 pixels"
    )]
    PictureLine(String),
    /// Bytes that are no picture of the three formats, or too many of them.
    #[error("picture of {0} bytes: expected PNG, WebP or JPEG of at most 512 KiB")]
    Picture(usize),
    /// Not newer than what is known of that node.
    #[error("late or doubled")]
    Late,
    /// No room for one more.
    #[error("no room for another {0}")]
    Full(&'static str),
    /// Availability that is neither `online` nor `offline`.
    #[error("availability: expected online or offline")]
    Availability,
    /// A call whose count the history cannot hold.
    #[error("call no {0}: expected 1 to 2^63-1")]
    CallNo(u64),
    /// More calls than an office makes.
    #[error("more calls than an office makes")]
    TooManyCalls,
}

impl Refusal {
    /// One word for counting.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Topic(_) => "topic",
            Self::Payload(_) | Self::Availability => "payload",
            Self::OtherOffice { .. } => "other-office",
            Self::Time(_) => "time",
            Self::List(_) => "list",
            Self::PictureLine(_) => "picture-line",
            Self::Picture(_) => "picture",
            Self::Late => "late",
            Self::Full(_) => "full",
            Self::CallNo(_) => "call-no",
            Self::TooManyCalls => "too-many-calls",
        }
    }
}
