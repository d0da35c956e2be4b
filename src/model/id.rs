//! Identifiers that appear in topics, addresses and configuration.

use std::fmt;
use std::sync::Arc;

/// Longest identifier in characters (contract: `[a-z0-9][a-z0-9-]{0,31}`).
pub const MAX_ID_LEN: usize = 32;

/// Says that a text is not an identifier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdError {
    found: String,
}

impl fmt::Display for IdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown: String = self.found.chars().take(40).collect();
        write!(
            f,
            "{shown:?} is not an id: expected 1 to {MAX_ID_LEN} of a-z, 0-9 and -, not starting with -"
        )
    }
}

impl std::error::Error for IdError {}

fn check(text: &str) -> Result<Arc<str>, IdError> {
    let good =
        |(i, b): (usize, u8)| b.is_ascii_lowercase() || b.is_ascii_digit() || (b == b'-' && i > 0);
    if !text.is_empty() && text.len() <= MAX_ID_LEN && text.bytes().enumerate().all(good) {
        Ok(Arc::from(text))
    } else {
        Err(IdError {
            found: text.to_owned(),
        })
    }
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        ///
        /// Matches `[a-z0-9][a-z0-9-]{0,31}`, so it is safe in a topic, a path and a file name.
        /// Cheap to clone.
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Checks and takes a text as identifier.
            ///
            /// # Errors
            /// [`IdError`] when the text does not match the pattern.
            pub fn new(text: &str) -> Result<Self, IdError> {
                check(text).map(Self)
            }

            /// The identifier as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::new(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(text: String) -> Result<Self, IdError> {
                Self::new(&text)
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", &*self.0)
            }
        }
    )*};
}

ids! {
    /// Names one ward office.
    OfficeId;
    /// Names one queue within its office.
    QueueId;
    /// Names one node within its office.
    NodeId;
    /// Names one board of a node.
    BoardId;
    /// Names one camera of a node.
    CameraId;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_follow_the_contract() {
        for good in ["a", "0", "chuo", "moving-fast", "a-", &"x".repeat(32)] {
            assert!(QueueId::new(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "-a",
            "A",
            "中央",
            "a/b",
            "a b",
            "..",
            "#",
            &"x".repeat(33),
        ] {
            assert!(QueueId::new(bad).is_err(), "{bad}");
        }
    }
}
