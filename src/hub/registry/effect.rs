//! What a report did.

/// What a report did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Nothing that viewers see.
    Unchanged,
    /// The office's view may differ now.
    Changed,
}

impl Effect {
    pub(super) fn changed_if(changed: bool) -> Self {
        if changed {
            Self::Changed
        } else {
            Self::Unchanged
        }
    }

    /// Both of two.
    pub(super) fn and(self, other: Self) -> Self {
        Self::changed_if(self == Self::Changed || other == Self::Changed)
    }
}
