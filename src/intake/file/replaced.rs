//! A file that is written as a whole again and again.

use super::super::decode::Encoding;
use super::super::{Fault, MAX_PAYLOAD};
use super::FileConfig;
use super::target::Target;

/// Decides which contents are handed on: those that were the same in two looks, and are new.
///
/// A program that writes while it is looked at shows a part of a file; the part has grown at the next look.
#[derive(Debug, Default)]
pub(super) struct Settled {
    handed_on: Option<Vec<u8>>,
    candidate: Option<Vec<u8>>,
}

/// What to do with a content.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Hand it on.
    New,
    /// It was handed on.
    Same,
    /// It may not be complete.
    Wait,
}

impl Settled {
    pub(super) fn look(&mut self, content: &[u8]) -> Verdict {
        if content.is_empty() {
            self.candidate = None; // emptied, to be written
            return Verdict::Wait;
        }
        if self.handed_on.as_deref() == Some(content) {
            self.candidate = None;
            return Verdict::Same;
        }
        if self.candidate.as_deref() == Some(content) {
            self.handed_on = self.candidate.take();
            return Verdict::New;
        }
        self.candidate = Some(content.to_owned());
        Verdict::Wait
    }
}

/// Reads a file that is replaced.
pub(super) struct Replaced {
    target: Target,
    encoding: Encoding,
    settled: Settled,
}

impl Replaced {
    pub(super) fn new(config: &FileConfig) -> Self {
        Self {
            target: Target::new(&config.path),
            encoding: config.encoding,
            settled: Settled::default(),
        }
    }

    /// The text of the file, if it is new; whether it was seen before or is not complete else.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub(super) fn look(&mut self) -> Result<(Verdict, String), Fault> {
        let name = self.target.newest()?;
        let (mut file, metadata) = self.target.open(&name)?;
        let length = metadata.len();
        let fault = |text: String| Fault::unreadable(text).at(&self.target.shown());
        if usize::try_from(length).is_ok_and(|length| length > MAX_PAYLOAD) {
            let most = MAX_PAYLOAD / 1024;
            return Err(fault(format!(
                "{length} bytes: expected at most {most} KiB"
            )));
        }
        let read = super::position::read_at(&mut file, 0, MAX_PAYLOAD + 1);
        let bytes = read.map_err(|e| self.target.io_fault(&e))?;
        let mut text = String::new();
        let verdict = self.settled.look(&bytes);
        if verdict == Verdict::New {
            let (encoding, mark) = Encoding::of_mark(&bytes).unwrap_or((self.encoding, 0));
            encoding.decode(&bytes[mark..], &mut text);
            if text.len() > MAX_PAYLOAD {
                let most = MAX_PAYLOAD / 1024;
                return Err(fault(format!(
                    "more than {most} KiB as UTF-8: expected at most so many"
                )));
            }
        }
        Ok((verdict, text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Verdict::{New, Same, Wait};

    #[test]
    fn a_content_counts_when_it_was_the_same_in_two_looks() {
        let mut settled = Settled::default();
        for (content, verdict) in [
            ("", Wait),
            ("A 1", Wait),
            ("A 12", Wait),
            ("A 12", New),
            ("A 12", Same),
            ("", Wait),
            ("A", Wait),
            ("A 12", Same), // written again as it was
            ("A", Wait),
            ("A", New),
            ("A 12", Wait),
            ("A", Same),
            ("A 12", Wait),
            ("A 12", New),
        ] {
            assert_eq!(settled.look(content.as_bytes()), verdict, "{content}");
        }
    }

    #[test]
    fn a_file_that_is_too_large_is_not_read() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("now.csv");
        std::fs::write(&path, vec![b'x'; MAX_PAYLOAD + 1]).expect("written");
        let mut replaced = Replaced::new(&FileConfig::replaced(&path));
        let fault = replaced.look().expect_err("too large");
        assert!(
            fault
                .text
                .ends_with("now.csv: 262145 bytes: expected at most 256 KiB"),
            "{fault:?}"
        );
        // Half-width katakana take three bytes in UTF-8.
        std::fs::write(&path, vec![0xb1; MAX_PAYLOAD / 2]).expect("written");
        let mut config = FileConfig::replaced(&path);
        config.encoding = Encoding::Cp932;
        let mut replaced = Replaced::new(&config);
        assert_eq!(replaced.look().expect("a file").0, Wait);
        assert!(
            replaced
                .look()
                .expect_err("too large")
                .text
                .contains("as UTF-8")
        );
    }
}
