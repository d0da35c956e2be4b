//! Whether a queue calls.

/// Whether a queue takes people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// Calling as usual.
    Open,
    /// Not calling for a while.
    Paused,
    /// Not open yet, or over for the day.
    Closed,
}

impl Status {
    /// The word of the contract: `open`, `paused` or `closed`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Paused => "paused",
            Self::Closed => "closed",
        }
    }
}
