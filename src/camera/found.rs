//! A field that was found on a board.

use super::quad::Rect;
use super::read::Reading;
use crate::config::DigitKind;

/// A field that reads as digits.
#[derive(Debug, Clone, PartialEq)]
pub struct FoundField {
    /// Where it is on the board.
    pub rect: Rect,
    /// How its digits are made.
    pub kind: DigitKind,
    pub reading: Reading,
}
