//! Bytes of a growing file to whole lines.

use super::super::decode::Encoding;
use std::ops::Range;

/// Longest line, in bytes without its end. Longer ones are left out.
pub(super) const MAX_LINE: usize = 64 * 1024;

/// How much is read at a time: a line of the greatest length with its end in any encoding.
pub(super) const READ: usize = MAX_LINE + 4;

/// What is in a piece of a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Split {
    /// Lines without their ends; empty ones are left out.
    pub(super) lines: Vec<Range<usize>>,
    /// Bytes up to the end of the last whole line: the next piece begins there.
    pub(super) consumed: usize,
    /// Whether the next piece begins within a line that is left out.
    pub(super) skipping: bool,
    /// Lines whose length was found to be too great.
    pub(super) skipped: u64,
}

/// Splits a piece of a file that begins with a line, or, with `skipping`, within one that is left out.
///
/// A line counts only when its end is there: LF or CR LF. What is behind the last end is in the next piece
/// again, unless it is longer than a line may be.
pub(super) fn split(bytes: &[u8], encoding: Encoding, mut skipping: bool) -> Split {
    let unit = encoding.unit();
    let (mut lines, mut skipped, mut start) = (Vec::new(), 0, 0);
    while let Some(length) = find(&bytes[start..], encoding, b'\n') {
        let line = trim(bytes, start..start + length, encoding);
        if skipping {
            skipping = false;
        } else if line.len() > MAX_LINE {
            skipped += 1;
        } else if !line.is_empty() {
            lines.push(line);
        }
        start += length + unit;
    }
    let rest = bytes.len() - start;
    if !skipping && rest > MAX_LINE + unit {
        skipped += 1;
        skipping = true;
    }
    if skipping {
        start += rest - rest % unit;
    }
    Split {
        lines,
        consumed: start,
        skipping,
        skipped,
    }
}

/// The first place of a character, at a whole code unit.
fn find(bytes: &[u8], encoding: Encoding, ascii: u8) -> Option<usize> {
    let (code, unit) = encoding.encode(ascii);
    if unit == 1 {
        // No second byte of CP932 is a control character.
        return memchr::memchr(ascii, bytes);
    }
    let place = bytes.chunks_exact(unit).position(|c| c == &code[..unit]);
    place.map(|n| n * unit)
}

/// A line without CR at its end, and without the zeros in front that a power cut leaves in a file.
fn trim(bytes: &[u8], mut line: Range<usize>, encoding: Encoding) -> Range<usize> {
    let (cr, unit) = encoding.encode(b'\r');
    if bytes[line.clone()].ends_with(&cr[..unit]) {
        line.end -= unit;
    }
    while line.len() >= unit && bytes[line.start..line.start + unit].iter().all(|b| *b == 0) {
        line.start += unit;
    }
    line
}

#[cfg(test)]
#[allow(clippy::single_range_in_vec_init)] // a line is a range
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn texts(bytes: &[u8]) -> Vec<String> {
        let split = split(bytes, Encoding::Utf8, false);
        let text = |line: &Range<usize>| String::from_utf8_lossy(&bytes[line.clone()]).into_owned();
        split.lines.iter().map(text).collect()
    }

    #[test]
    fn a_line_counts_only_with_its_end() {
        assert_eq!(texts(b"a\r\nb\n\n\r\nc"), ["a", "b"]);
        assert_eq!(split(b"a\r\nbc\r", Encoding::Utf8, false).consumed, 3);
        assert_eq!(texts(b"\0\0\0a\n"), ["a"], "zeros of a power cut");
        assert_eq!(texts(b""), [""; 0]);
    }

    #[test]
    fn ends_are_found_at_whole_characters_only() {
        // U+0A0D and U+0D0A: their bytes look like ends.
        let text = "ਊഊ1\r\n2";
        let low: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let high: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        for (bytes, encoding) in [(low, Encoding::Utf16Le), (high, Encoding::Utf16Be)] {
            let split = split(&bytes, encoding, false);
            assert_eq!(
                (split.lines, split.consumed),
                (vec![0..6], 10),
                "{encoding:?}"
            );
        }
    }

    #[test]
    fn a_line_that_is_too_long_is_left_out_and_the_next_one_is_not() {
        let long = vec![b'x'; READ];
        let first = split(&long, Encoding::Utf8, false);
        assert_eq!(
            (first.consumed, first.skipping, first.skipped),
            (READ, true, 1)
        );
        let second = split(&long, Encoding::Utf8, true);
        assert_eq!(
            (second.consumed, second.skipping, second.skipped),
            (READ, true, 0)
        );
        let last = split(b"xx\nA 1\n", Encoding::Utf8, true);
        assert_eq!((last.lines, last.skipping), (vec![3..6], false));

        let mut longest = vec![b'x'; MAX_LINE];
        longest.extend(b"\r\n");
        assert_eq!(split(&longest, Encoding::Utf8, false).lines, [0..MAX_LINE]);
        longest.insert(0, b'x');
        let over = split(&longest, Encoding::Utf8, false);
        assert_eq!(
            (over.lines.len(), over.skipped, over.skipping),
            (0, 1, false)
        );
    }

    proptest! {
        #[test]
        fn however_a_file_grows_its_lines_are_the_same(
            text in "[ab\r\n]{0,60}", cuts in prop::collection::vec(0usize..60, 0..8),
        ) {
            let bytes = text.as_bytes();
            let mut cuts: Vec<usize> = cuts.into_iter().map(|c| c.min(bytes.len())).collect();
            cuts.sort_unstable();
            cuts.push(bytes.len());
            let (mut found, mut offset) = (Vec::new(), 0);
            for cut in cuts {
                let piece = &bytes[offset..cut.max(offset)];
                let split = split(piece, Encoding::Utf8, false);
                found.extend(split.lines.iter().map(|l| piece[l.clone()].to_vec()));
                offset += split.consumed;
            }
            let all = split(bytes, Encoding::Utf8, false);
            let all: Vec<Vec<u8>> = all.lines.iter().map(|l| bytes[l.clone()].to_vec()).collect();
            prop_assert_eq!(found, all);
        }
    }
}
