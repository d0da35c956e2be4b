//! A recorded day: feed messages as they arrived, one JSON line each, gzip or plain.
//!
//! Broken payloads are kept as they came, so that a replay is as unkind as the day was. Knows the
//! shape of a line, not of a payload.

use crate::wire::{WireTime, without_values};
use flate2::read::MultiGzDecoder;
use serde::Deserialize;
use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

/// Longest line that is read, in bytes: a payload of 64 KiB as text in which every byte is escaped
/// (`\u00ff`), with room for topic and time.
const MAX_LINE: u64 = 512 * 1024;

/// The first two bytes of a gzip file.
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Why a recording cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    /// The file cannot be opened.
    #[error("cannot open recording {}", path.display())]
    Open { path: PathBuf, source: io::Error },
    /// A line cannot be read: disk trouble, or a damaged gzip stream.
    #[error("cannot read line {line} of the recording")]
    Read {
        /// Counted from 1.
        line: u64,
        source: io::Error,
    },
    /// A line is no recorded message.
    #[error("line {line} of the recording: {problem}")]
    Shape {
        /// Counted from 1.
        line: u64,
        problem: String,
    },
}

/// One recorded message.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Line {
    pub at: WireTime,
    pub topic: String,
    pub payload: Payload,
}

/// The payload of a recorded message.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(from = "serde_json::Value")]
pub enum Payload {
    /// A JSON document other than a string.
    Json(serde_json::Value),
    /// Raw bytes: a line that is meant to be broken.
    Raw(Vec<u8>),
}

impl From<serde_json::Value> for Payload {
    fn from(value: serde_json::Value) -> Self {
        match value {
            serde_json::Value::String(text) => Self::Raw(latin1(&text)),
            value => Self::Json(value),
        }
    }
}

impl Payload {
    /// The bytes as published. JSON is written anew: the same document, perhaps other spaces.
    #[must_use]
    pub fn bytes(&self) -> Cow<'_, [u8]> {
        match self {
            Self::Json(value) => Cow::Owned(value.to_string().into_bytes()),
            Self::Raw(bytes) => Cow::Borrowed(bytes),
        }
    }
}

/// Text as Latin-1 bytes; characters beyond it, which no recorder writes, as UTF-8.
fn latin1(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    for c in text.chars() {
        match u8::try_from(u32::from(c)) {
            Ok(byte) => bytes.push(byte),
            Err(_) => bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    bytes
}

/// Reads a recording line by line. Blank lines are passed over; ends after the first error.
pub struct Recording {
    input: Box<dyn BufRead + Send>,
    line: u64,
    over: bool,
}

impl Recording {
    /// Opens a file, gzip or plain by its first bytes.
    ///
    /// # Errors
    /// [`RecordingError::Open`] when the file cannot be opened.
    pub fn open(path: &Path) -> Result<Self, RecordingError> {
        let refused = |source| RecordingError::Open {
            path: path.to_owned(),
            source,
        };
        let file = File::open(path).map_err(refused)?;
        Self::new(BufReader::new(file)).map_err(refused)
    }

    /// Reads from anything that can be read, gzip or plain by its first bytes.
    ///
    /// # Errors
    /// Any error of reading those first bytes.
    pub fn new(mut input: impl BufRead + Send + 'static) -> io::Result<Self> {
        let zipped = input.fill_buf()?.starts_with(&GZIP_MAGIC);
        Ok(Self {
            input: if zipped {
                Box::new(BufReader::new(MultiGzDecoder::new(input)))
            } else {
                Box::new(input)
            },
            line: 0,
            over: false,
        })
    }

    fn read(&mut self) -> Result<Option<Line>, RecordingError> {
        loop {
            self.line += 1;
            let line = self.line;
            let mut bytes = Vec::new();
            let read = (&mut self.input)
                .take(MAX_LINE)
                .read_until(b'\n', &mut bytes)
                .map_err(|source| RecordingError::Read { line, source })?;
            if read == 0 {
                return Ok(None);
            }
            if bytes.trim_ascii().is_empty() {
                continue;
            }
            return serde_json::from_slice(&bytes)
                .map(Some)
                .map_err(|e| RecordingError::Shape {
                    line,
                    problem: without_values(&e.to_string()),
                });
        }
    }
}

impl Iterator for Recording {
    type Item = Result<Line, RecordingError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.over {
            return None;
        }
        let item = self.read().transpose();
        self.over = !matches!(item, Some(Ok(_)));
        item
    }
}

impl std::fmt::Debug for Recording {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recording")
            .field("line", &self.line)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Cursor, Write};

    const TEXT: &str = concat!(
        r#"{"at":"2026-11-24T09:00:03.210+09:00","topic":"yobiban/v1/chuo/feed/a","payload":{"seq":1}}"#,
        "\n\n",
        r#"{"at":"2026-11-24T09:00:04+09:00","topic":"yobiban/v1/chuo/feed/a","payload":"\u0000ÿ{"}"#,
        "\n",
        r#"{"at":"2026-11-24T09:00:05+09:00","topic":"yobiban/v1/chuo/feed/a","payload":[]}"#,
    );

    fn read(bytes: &[u8]) -> Vec<Result<Line, RecordingError>> {
        Recording::new(Cursor::new(bytes.to_vec()))
            .expect("memory")
            .collect()
    }

    #[test]
    fn plain_and_gzip_give_the_same_lines() {
        let mut zip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        zip.write_all(TEXT.as_bytes()).expect("memory");
        let zipped = zip.finish().expect("memory");
        let payloads = |bytes: &[u8]| -> Vec<Vec<u8>> {
            let bytes_of = |line: Result<Line, _>| line.expect("line").payload.bytes().into_owned();
            read(bytes).into_iter().map(bytes_of).collect()
        };
        let plain = payloads(TEXT.as_bytes());
        assert_eq!(plain, [&b"{\"seq\":1}"[..], b"\x00\xff{", b"[]"]);
        assert_eq!(payloads(&zipped), plain);
    }

    #[test]
    fn a_line_that_is_none_ends_the_recording_with_its_number() {
        for bad in [
            "{}",
            "[]",
            "{\"at\":\"now\",\"topic\":\"t\",\"payload\":1}",
            "{\"at\"",
        ] {
            let lines = read(format!("{TEXT}\n{bad}\n{TEXT}").as_bytes());
            assert_eq!(lines.len(), 4, "{bad}");
            let error = lines[3].as_ref().expect_err(bad).to_string();
            assert!(error.starts_with("line 5 of the recording: "), "{error}");
            assert!(!error.contains("now"), "{error}");
        }
        assert!(read(b"").is_empty());
    }

    #[test]
    fn a_cut_gzip_is_an_error_not_an_end() {
        let mut zip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        zip.write_all(TEXT.repeat(50).as_bytes()).expect("memory");
        let zipped = zip.finish().expect("memory");
        let lines = read(&zipped[..zipped.len() - 12]);
        assert!(lines.last().is_some_and(Result::is_err));
    }
}
