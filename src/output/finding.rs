//! What an inspection of a device found, for installers.

/// One line of an inspection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Whether all is well.
    pub level: Level,
    /// What was looked at, such as `/dev/spidev0.0` or `card0 HDMI-A-1`.
    pub what: String,
    /// What was found, one line.
    pub found: String,
    /// What to do about it, one line; empty when all is well.
    pub advice: String,
}

/// How good it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// All is well.
    Good,
    /// Works, with a loss.
    Warning,
    /// Does not work.
    Failure,
}
