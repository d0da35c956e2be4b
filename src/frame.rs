//! What boards make and outputs take: pixels in a [`Frame`], digits in a [`Field`]. Both know it, and
//! so need not know each other.

pub use yobiban_pixels::{COVERAGE_STEPS, Form, Frame, MAX_SIDE, Mask, encode, shape};

/// What a field is to show.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Face {
    /// Nothing.
    Blank,
    /// Dashes: there is a number, but it is not to be trusted, or cannot be shown.
    Dashes,
    /// This label or number.
    Text(String),
}

/// What an address is to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Whom it is for.
    pub address: u16,
    /// What is to be seen.
    pub face: Face,
    /// Whether it is to blink, on boards that do so by themselves
    /// ([`SerialBoard::blinks`](crate::output::serial::SerialBoard::blinks)); others do not care.
    pub blink: bool,
}
