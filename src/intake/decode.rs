//! Bytes of an encoding as UTF-8.

use encoding_rs::{SHIFT_JIS, UTF_8, UTF_16BE, UTF_16LE};
use serde::{Deserialize, Serialize};

/// How a file is encoded. A byte order mark in it goes before the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Encoding {
    /// UTF-8.
    #[default]
    #[serde(rename = "utf-8")]
    Utf8,
    /// UTF-16, the low byte first, as Windows programs write it.
    #[serde(rename = "utf-16le")]
    Utf16Le,
    /// UTF-16, the high byte first.
    #[serde(rename = "utf-16be")]
    Utf16Be,
    /// Code page 932, the Shift_JIS of Windows.
    #[serde(rename = "cp932")]
    Cp932,
}

impl Encoding {
    /// The encoding that a byte order mark at the beginning of a file tells, with the length of the mark.
    pub(super) fn of_mark(head: &[u8]) -> Option<(Self, usize)> {
        let (encoding, length) = encoding_rs::Encoding::for_bom(head)?;
        let encoding = match encoding {
            e if e == UTF_16LE => Self::Utf16Le,
            e if e == UTF_16BE => Self::Utf16Be,
            _ => Self::Utf8,
        };
        Some((encoding, length))
    }

    /// Bytes of a code unit.
    pub(super) fn unit(self) -> usize {
        match self {
            Self::Utf8 | Self::Cp932 => 1,
            Self::Utf16Le | Self::Utf16Be => 2,
        }
    }

    /// A character of one code unit.
    pub(super) fn encode(self, ascii: u8) -> ([u8; 2], usize) {
        match self {
            Self::Utf8 | Self::Cp932 => ([ascii, 0], 1),
            Self::Utf16Le => ([ascii, 0], 2),
            Self::Utf16Be => ([0, ascii], 2),
        }
    }

    /// Appends bytes as text, U+FFFD for what is none; whether there was such.
    pub(super) fn decode(self, bytes: &[u8], text: &mut String) -> bool {
        let encoding = match self {
            Self::Utf8 => UTF_8,
            Self::Utf16Le => UTF_16LE,
            Self::Utf16Be => UTF_16BE,
            Self::Cp932 => SHIFT_JIS,
        };
        let (decoded, malformed) = encoding.decode_without_bom_handling(bytes);
        text.push_str(&decoded);
        malformed
    }
}

/// The body of an answer as UTF-8: by its byte order mark, else by the charset that its media type names,
/// else as it is. JSON is always UTF-8 (RFC 8259, 8.1 and 11), whatever its media type says.
///
/// # Errors
/// When the charset is unknown, or the body is no text of it.
pub(super) fn body(bytes: Vec<u8>, charset: Option<&str>, json: bool) -> Result<Vec<u8>, String> {
    let of_mark = encoding_rs::Encoding::for_bom(&bytes).map(|(encoding, _)| encoding);
    let encoding = match (of_mark, charset) {
        (Some(encoding), _) => encoding,
        (None, Some(label)) if !json => encoding_rs::Encoding::for_label(label.as_bytes())
            .ok_or("the charset of its content type is unknown: expected UTF-8 or Shift_JIS")?,
        (None, _) => UTF_8,
    };
    if encoding == UTF_8 {
        return Ok(bytes); // whether it is UTF-8 shows where it is parsed
    }
    let (text, _, malformed) = encoding.decode(&bytes);
    if malformed {
        return Err(format!("the answer is not {} text", encoding.name()));
    }
    Ok(text.into_owned().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_become_text_by_their_encoding() {
        for (encoding, bytes) in [
            (Encoding::Utf8, &b"\xe7\xaa\x93\xe5\x8f\xa3"[..]),
            (Encoding::Cp932, b"\x91\x8b\x8c\xfb"),
            (Encoding::Utf16Le, b"\x93\x7a\xe3\x53"),
            (Encoding::Utf16Be, b"\x7a\x93\x53\xe3"),
        ] {
            let mut text = String::from("1");
            assert!(!encoding.decode(bytes, &mut text));
            assert_eq!(text, "1窓口", "{encoding:?}");
            assert!(
                encoding.decode(&bytes[..bytes.len() - 1], &mut text),
                "{encoding:?}"
            );
        }
        // Code page 932 knows more than the standard: numbers in circles, half-width katakana.
        let mut text = String::new();
        assert!(!Encoding::Cp932.decode(b"\x87\x40\xb1\xfb\xfc", &mut text));
        assert_eq!(text, "①ｱ髙");
    }

    #[test]
    fn marks_tell_the_encoding() {
        assert_eq!(
            Encoding::of_mark(b"\xef\xbb\xbfa"),
            Some((Encoding::Utf8, 3))
        );
        assert_eq!(
            Encoding::of_mark(b"\xff\xfea\0"),
            Some((Encoding::Utf16Le, 2))
        );
        assert_eq!(
            Encoding::of_mark(b"\xfe\xff\0a"),
            Some((Encoding::Utf16Be, 2))
        );
        assert_eq!(Encoding::of_mark(b"\xef\xbb"), None);
    }

    #[test]
    fn bodies_become_utf_8() {
        let sjis = b"\x91\x8b".to_vec();
        let window = "窓".as_bytes().to_vec();
        assert_eq!(
            body(sjis.clone(), Some("Shift_JIS"), false),
            Ok(window.clone())
        );
        assert_eq!(
            body(b"\xff\xfe\x93\x7a".to_vec(), None, true),
            Ok(window.clone())
        );
        // A charset means nothing to JSON.
        assert_eq!(body(window.clone(), Some("shift_jis"), true), Ok(window));
        for (bytes, charset) in [(sjis, "klingon"), (b"\x91".to_vec(), "shift_jis")] {
            let why = body(bytes, Some(charset), false).expect_err("no text");
            assert!(!why.contains("klingon"), "{why}");
        }
    }
}
