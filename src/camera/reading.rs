//! What was read: digits with confidence, or why not.

use std::fmt;

/// One digit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Digit {
    /// 0 to 9.
    pub(super) value: u8,
    /// 0 to 1.
    pub(super) confidence: f32,
}

/// Why a field is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Doubt {
    /// Nothing stands out from the ground.
    Nothing,
    /// What stands out has not the shape of digits.
    Shape,
    /// A digit could be another one.
    Unclear,
    /// Something covers or outshines part of the field.
    Obstructed,
    /// The board is not where it should be.
    Moved,
}

impl Doubt {
    /// The word in answers and logs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Shape => "shape",
            Self::Unclear => "unclear",
            Self::Obstructed => "obstructed",
            Self::Moved => "moved",
        }
    }
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
