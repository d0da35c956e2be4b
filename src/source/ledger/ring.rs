//! A range of ticket numbers in which the first comes behind the last.

use crate::model::Label;

/// The numbers of a queue's tickets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ring {
    first: u64,
    size: u64,
}

impl Ring {
    pub(super) fn new((first, last): (u32, u32)) -> Self {
        Self {
            first: first.into(),
            size: u64::from(last.saturating_sub(first)) + 1,
        }
    }

    /// Numbers of one pass.
    pub(super) fn size(self) -> u64 {
        self.size
    }

    /// The place of a ticket, counted from the first of the day: the one nearest to `near`.
    pub(super) fn place(self, label: &Label, near: u64) -> Option<u64> {
        let number = number(label)?.1;
        let within = number.checked_sub(self.first).filter(|i| *i < self.size)?;
        let pass = near / self.size;
        [pass.checked_sub(1), Some(pass), Some(pass + 1)]
            .into_iter()
            .flatten()
            .map(|pass| pass * self.size + within)
            .min_by_key(|place| place.abs_diff(near))
    }
}

/// The letters of a label and the number at its end.
pub(super) fn number(label: &Label) -> Option<(&str, u64)> {
    let text = label.as_str();
    let letters = text.trim_end_matches(|c: char| c.is_ascii_digit());
    let digits = &text[letters.len()..];
    Some((letters, digits.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_go_on_over_the_end_of_the_range_and_back() {
        let ring = Ring::new((601, 620));
        let place = |number: u32, near| ring.place(&Label::new(&number.to_string()).unwrap(), near);
        assert_eq!(place(601, 0), Some(0));
        assert_eq!(place(620, 18), Some(19));
        assert_eq!(place(601, 19), Some(20));
        assert_eq!(place(619, 20), Some(18));
        assert_eq!(place(602, 39), Some(41));
        assert_eq!(place(621, 5), None);
        assert_eq!(place(42, 5), None);
    }
}
