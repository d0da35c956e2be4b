//! Text of a file that people saved with whatever editor they had.
//!
//! Everything said here is in our own words: what is read may be a password or a key.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::io;
use std::path::Path;

/// The byte order mark that editors on Windows put in front.
pub(crate) const BOM: char = '\u{feff}';

/// Text, and whether a byte order mark in front of it was dropped.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Text {
    pub(crate) text: String,
    pub(crate) bom: bool,
}

/// Why bytes are no text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotUtf8 {
    pub(crate) encoding: Encoding,
    /// The first byte that cannot be.
    pub(crate) at: usize,
}

/// What bytes that are not UTF-8 look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Encoding {
    /// "Unicode" of old editors, "Unicode text" of spreadsheets.
    Utf16,
    /// "ANSI" of Japanese Windows, and of spreadsheets.
    ShiftJis,
    /// Something else.
    Unknown,
}

impl Encoding {
    /// What is wrong and what is expected.
    pub(crate) fn in_english(self) -> String {
        let like = match self {
            Self::Utf16 => " but looks like UTF-16",
            Self::ShiftJis => " but looks like Shift_JIS (\"ANSI\")",
            Self::Unknown => "",
        };
        format!(
            "it is not UTF-8 text{like}: expected it saved with the encoding UTF-8 (Notepad: Save as, Encoding: UTF-8)"
        )
    }

    /// The same for readers of Japanese.
    pub(crate) fn in_japanese(self) -> &'static str {
        match self {
            Self::Utf16 => {
                "文字コードが UTF-16 です。メモ帳の「名前を付けて保存」で文字コードを UTF-8 にして保存してください。"
            }
            Self::ShiftJis => {
                "文字コードが Shift_JIS（ANSI）です。メモ帳の「名前を付けて保存」で文字コードを UTF-8 にして保存してください。"
            }
            Self::Unknown => {
                "文字コードが UTF-8 ではありません。メモ帳の「名前を付けて保存」で文字コードを UTF-8 にして保存してください。"
            }
        }
    }
}

impl fmt::Display for NotUtf8 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.encoding.in_english())
    }
}

/// Takes bytes as UTF-8, with or without a byte order mark.
///
/// # Errors
/// What they look like instead.
pub(crate) fn decode(bytes: &[u8]) -> Result<Text, NotUtf8> {
    if is_utf16(bytes) {
        return Err(NotUtf8 {
            encoding: Encoding::Utf16,
            at: 0,
        });
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => {
            let plain = text.trim_start_matches(BOM);
            Ok(Text {
                text: plain.to_owned(),
                bom: plain.len() < text.len(),
            })
        }
        Err(error) => Err(NotUtf8 {
            encoding: if is_shift_jis(bytes) {
                Encoding::ShiftJis
            } else {
                Encoding::Unknown
            },
            at: error.valid_up_to(),
        }),
    }
}

/// A mark of either byte order, or every other byte zero as in ASCII without a mark.
fn is_utf16(bytes: &[u8]) -> bool {
    if matches!(bytes, [0xff, 0xfe, ..] | [0xfe, 0xff, ..]) {
        return true;
    }
    let zeros = bytes.iter().filter(|b| **b == 0).count();
    zeros > 0 && zeros * 3 >= bytes.len()
}

/// Whether all of it is one or two bytes a character as JIS X 0208, appendix 1, has them.
fn is_shift_jis(bytes: &[u8]) -> bool {
    let mut rest = bytes.iter();
    let mut double = false;
    while let Some(byte) = rest.next() {
        match byte {
            0x00..=0x7f | 0xa1..=0xdf => {}
            0x81..=0x9f | 0xe0..=0xfc => {
                if !matches!(rest.next(), Some(0x40..=0x7e | 0x80..=0xfc)) {
                    return false;
                }
                double = true;
            }
            _ => return false,
        }
    }
    double || bytes.iter().any(|b| *b > 0x7f)
}

/// Reads the bytes of a file that must not be longer than `max`.
///
/// # Errors
/// A message for people: not there, not readable, too long.
pub(crate) fn read_bytes(path: &Path, max: u64) -> Result<Vec<u8>, String> {
    use io::Read as _;
    // The kind alone: the number in brackets that `io::Error` adds helps nobody.
    let say = |e: io::Error| match e.kind() {
        io::ErrorKind::NotFound => "no such file".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        io::ErrorKind::IsADirectory => "it is a folder".to_owned(),
        _ => e.to_string(),
    };
    let mut bytes = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(max + 1).read_to_end(&mut bytes))
        .map_err(say)?;
    if bytes.len() as u64 > max {
        return Err(format!("it is longer than {} KiB", max / 1024));
    }
    Ok(bytes)
}

/// Why a file gives no text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ReadError {
    /// It cannot be read, or is too long; why, for people.
    #[error("{0}")]
    Unreadable(String),
    /// What it holds is no text.
    #[error("{0}")]
    NotUtf8(NotUtf8),
}

/// Reads a text that must not be longer than `max` bytes.
///
/// # Errors
/// [`ReadError`].
pub(crate) fn read_text(path: &Path, max: u64) -> Result<Text, ReadError> {
    let bytes = read_bytes(path, max).map_err(ReadError::Unreadable)?;
    decode(&bytes).map_err(ReadError::NotUtf8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_utf8_is_named() {
        let looks = |bytes: &[u8]| decode(bytes).map(|t| t.text).map_err(|e| e.encoding);
        assert_eq!(looks("\u{feff}中央区".as_bytes()).as_deref(), Ok("中央区"));
        // 中央区 as Japanese Windows saves it.
        assert_eq!(looks(b"\x92\x86\x89\x9b\x8b\xe6"), Err(Encoding::ShiftJis));
        assert_eq!(looks(b"\xff\xfep\0"), Err(Encoding::Utf16));
        assert_eq!(looks(b"p\0a\0s\0s\0"), Err(Encoding::Utf16));
        assert_eq!(looks(b"a\xff"), Err(Encoding::Unknown));
        assert_eq!(decode(b"ab\xff").map_err(|e| e.at).err(), Some(2));
    }
}
