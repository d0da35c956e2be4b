//! Moments as they travel: RFC 3339 with the offset of the office.

use jiff::fmt::temporal::Pieces;
use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, Zoned};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;

/// A moment and the offset it was written with, such as `2026-11-24T10:42:07.12+09:00`.
///
/// The offset is for people who read the payload; order and equality are those of the moment.
#[derive(Debug, Clone, Copy)]
pub struct WireTime {
    pub at: Timestamp,
    /// The offset it is written with.
    pub offset: Offset,
}

impl WireTime {
    /// The moment as written in a time zone.
    #[must_use]
    pub fn new(at: Timestamp, zone: &TimeZone) -> Self {
        Self {
            at,
            offset: zone.to_offset(at),
        }
    }

    /// The moment with its offset as calendar time.
    #[must_use]
    pub fn zoned(self) -> Zoned {
        self.at.to_zoned(TimeZone::fixed(self.offset))
    }
}

impl PartialEq for WireTime {
    fn eq(&self, other: &Self) -> bool {
        self.at == other.at
    }
}

impl Eq for WireTime {}

impl fmt::Display for WireTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.at.display_with_offset(self.offset))
    }
}

impl Serialize for WireTime {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for WireTime {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        let wrong = || {
            let shown: String = text.chars().take(40).collect();
            de::Error::custom(format_args!(
                "{shown:?}: expected a time with offset, such as 2026-11-24T10:42:07+09:00"
            ))
        };
        let at: Timestamp = text.parse().map_err(|_| wrong())?;
        let offset = Pieces::parse(&text)
            .ok()
            .and_then(|p| p.to_numeric_offset())
            .unwrap_or(Offset::UTC);
        Ok(Self { at, offset })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_keep_their_offset() {
        let text = "\"2026-11-24T10:42:07.12+09:00\"";
        let time: WireTime = serde_json::from_str(text).expect("time");
        assert_eq!(serde_json::to_string(&time).expect("json"), text);
        assert_eq!(time.at.to_string(), "2026-11-24T01:42:07.12Z");
    }

    #[test]
    fn times_without_offset_are_refused() {
        for bad in [
            "\"yesterday\"",
            "\"2026-11-24T10:42:07\"",
            "\"2026-11-24\"",
            "3",
            "null",
        ] {
            assert!(serde_json::from_str::<WireTime>(bad).is_err(), "{bad}");
        }
    }
}
