//! The formats that pictures of boards and cameras come in.

/// A picture's media type (IANA).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MediaType {
    /// `image/png`
    Png,
    /// `image/webp`
    WebP,
    /// `image/jpeg`
    Jpeg,
}

impl MediaType {
    /// All that the contract knows.
    pub const ALL: [Self; 3] = [Self::Png, Self::WebP, Self::Jpeg];

    /// Its name, as in reports and in HTTP.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::WebP => "image/webp",
            Self::Jpeg => "image/jpeg",
        }
    }

    /// The type of this name; `None` for any other.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// The type of a picture by its first bytes (PNG, RFC 9649 for WebP, JPEG); `None` for any other.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Option<Self> {
        if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
            Some(Self::Png)
        } else if bytes.len() >= 16 && bytes.starts_with(b"RIFF") && &bytes[8..12] == b"WEBP" {
            Some(Self::WebP)
        } else if bytes.starts_with(b"\xff\xd8\xff") {
            Some(Self::Jpeg)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_that_of_its_type_and_of_no_other() {
        for kind in MediaType::ALL {
            assert_eq!(MediaType::named(kind.as_str()), Some(kind));
        }
        for name in ["", "image/gif", "image/PNG", "text/html"] {
            assert_eq!(MediaType::named(name), None, "{name}");
        }
    }
}
