//! Labels of tickets and counters.

use std::fmt;
use std::sync::Arc;

/// Longest label in characters (contract, "Limits").
pub const MAX_LABEL_CHARS: usize = 12;

/// Says why a text is not a label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LabelError {
    /// Nothing but white space.
    Empty,
    /// More than [`MAX_LABEL_CHARS`] characters; holds how many.
    Long(usize),
    /// A control character, which could break a board, a log line or a CSV file.
    Control,
}

impl fmt::Display for LabelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("empty label: expected 1 to 12 characters"),
            Self::Long(n) => write!(f, "label of {n} characters: expected at most 12"),
            Self::Control => f.write_str("label with a control character: expected printable text"),
        }
    }
}

impl std::error::Error for LabelError {}

/// The label of a ticket (`A042`) or counter (`3`): text, never a number to count with.
///
/// 1 to 12 characters, none of them a control character, no white space at either end. Two labels
/// are equal when their text is; `A042` and `A42` are different tickets. Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Label(Arc<str>);

impl Label {
    /// Checks and takes a text as label, without the white space around it.
    ///
    /// # Errors
    /// [`LabelError`] when nothing is left, it is too long, or holds a control character or one
    /// that changes the direction of what follows (Unicode bidirectional controls).
    pub fn new(text: &str) -> Result<Self, LabelError> {
        let text = text.trim_matches(' ');
        let chars = text.chars().count();
        if chars == 0 {
            Err(LabelError::Empty)
        } else if chars > MAX_LABEL_CHARS {
            Err(LabelError::Long(chars))
        } else if text.chars().any(is_unprintable) {
            Err(LabelError::Control)
        } else {
            Ok(Self(Arc::from(text)))
        }
    }

    /// The label as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Control characters (Unicode Cc), line separators and the bidirectional controls of UAX #9.
fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{200e}' | '\u{200f}' | '\u{061c}'
            | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &*self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_text_and_keep_their_zeros() {
        assert_eq!(Label::new(" A042 ").expect("label").as_str(), "A042");
        assert_ne!(Label::new("A042"), Label::new("A42"));
        assert!(Label::new("窓口三番").is_ok());
        assert!(
            Label::new("<script>").is_ok(),
            "escaping is the printer's job"
        );
    }

    #[test]
    fn labels_out_of_bounds_are_refused() {
        assert_eq!(Label::new("  "), Err(LabelError::Empty));
        assert_eq!(Label::new("1234567890123"), Err(LabelError::Long(13)));
        for bad in ["A\n1", "A\u{0}", "A\u{202e}1", "A\t1"] {
            assert_eq!(Label::new(bad), Err(LabelError::Control), "{bad:?}");
        }
    }
}
