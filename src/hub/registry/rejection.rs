//! Why a report was rejected.

use crate::model::{NodeId, OfficeId};
use crate::wire::WireError;
use jiff::SignedDuration;

/// Says why a report changed nothing. [`Rejection::reason`] is the label it is counted under.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// The topic is none of the report topics.
    #[error("topic {0:?} is not a report topic")]
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
    /// The report was made more than two minutes ahead of the hub's clock.
    #[error(
        "the clock of {whose} is {} ahead: expected a time at most 2 min ahead of the hub's clock",
        span(*by)
    )]
    Ahead {
        /// Whose clock it is.
        whose: String,
        /// How far it is ahead.
        by: SignedDuration,
    },
    /// What is said of one queue is of the future.
    #[error(
        "queue {queue} at {time}: expected a time at most 2 min ahead of the hub's clock; the rest \
         of the report was accepted"
    )]
    QueueTime { queue: String, time: String },
    /// A picture of the future.
    #[error("picture {id} at {time}: expected a time at most 2 min ahead of the hub's clock")]
    PictureTime {
        /// The board or camera.
        id: String,
        time: String,
    },
    /// A call of a day in the future, or before the retention period.
    #[error("call of {0}: expected a day within the retention period and not in the future")]
    CallTime(String),
    /// A call of an office without numbers, when too many such calls are waiting.
    #[error("call of an office without numbers: too many such calls are waiting")]
    NoNumbers,
    /// Something is listed twice or too often.
    #[error("{0}")]
    List(String),
    /// An entry that describes a picture is wrong.
    #[error(
        "entry of picture {0}: expected sha256 of 64 hex digits, a known format, 1 to 8192 pixels"
    )]
    PictureEntry(String),
    /// Bytes that are no picture of the three formats, or too many of them.
    #[error("picture of {0} bytes: expected PNG, WebP or JPEG of at most 512 KiB")]
    Picture(usize),
    /// Not newer than what is known of that node.
    #[error("late or duplicate")]
    Late,
    /// No room for one more.
    #[error("no further {0} accepted: its maximum number is reached")]
    Full(&'static str),
    /// Availability that is neither `online` nor `offline`.
    #[error("availability: expected online or offline")]
    Availability,
    /// A call whose count the history cannot hold.
    #[error("call no {0}: expected 1 to 2^63-1")]
    CallNo(u64),
    /// More calls than an office makes.
    #[error("too many calls of one office")]
    TooManyCalls,
}

impl Rejection {
    /// Every word of [`Rejection::reason`].
    pub const REASONS: [&'static str; 12] = [
        "topic",
        "payload",
        "other-office",
        "time",
        "no-numbers",
        "list",
        "picture-line",
        "picture",
        "late",
        "full",
        "call-no",
        "too-many-calls",
    ];

    /// A report from the future; [`Rejection::with_node`] names the node.
    pub(super) fn ahead(by: SignedDuration) -> Self {
        Self::Ahead {
            whose: "a node".into(),
            by,
        }
    }

    /// The same, with the node named whose clock is wrong.
    pub(super) fn with_node(self, office: &OfficeId, node: &NodeId) -> Self {
        match self {
            Self::Ahead { by, .. } => Self::Ahead {
                whose: format!("node {node} of {office}"),
                by,
            },
            other => other,
        }
    }

    /// One word for counting.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Topic(_) => "topic",
            Self::Payload(_) | Self::Availability => "payload",
            Self::OtherOffice { .. } => "other-office",
            Self::Time(_)
            | Self::Ahead { .. }
            | Self::QueueTime { .. }
            | Self::PictureTime { .. }
            | Self::CallTime(_) => "time",
            Self::NoNumbers => "no-numbers",
            Self::List(_) => "list",
            Self::PictureEntry(_) => "picture-line",
            Self::Picture(_) => "picture",
            Self::Late => "late",
            Self::Full(_) => "full",
            Self::CallNo(_) => "call-no",
            Self::TooManyCalls => "too-many-calls",
        }
    }
}

/// A time span in its two largest units: `23 h 54 min`.
fn span(by: SignedDuration) -> String {
    let minutes = by.as_secs().abs() / 60;
    match (minutes / 1440, minutes / 60 % 24, minutes % 60) {
        (0, 0, m) => format!("{m} min"),
        (0, h, m) => format!("{h} h {m} min"),
        (d, h, _) => format!("{d} d {h} h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_is_on_the_list() {
        // In the source, so that a variant that is added cannot be forgotten.
        let source = include_str!("rejection.rs");
        let (_, body) = source.split_once("pub fn reason(&self)").unwrap();
        let (body, _) = body.split_once("\n    }\n").unwrap();
        let reasons: Vec<&str> = body.split('"').skip(1).step_by(2).collect();
        assert_eq!(reasons, Rejection::REASONS);
    }

    #[test]
    fn a_clock_that_is_ahead_is_named() {
        let by = SignedDuration::from_mins(23 * 60 + 54);
        let (office, node) = ("chuo".parse().unwrap(), "n1".parse().unwrap());
        let text = Rejection::ahead(by).with_node(&office, &node).to_string();
        let expected = "the clock of node n1 of chuo is 23 h 54 min ahead";
        assert!(text.starts_with(expected), "{text}");
    }
}
