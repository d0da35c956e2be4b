//! How a text is written in points: composed, from left to right as the eye meets it, and with
//! characters that the fonts have.

use super::glyphs::Kanji;
use crate::model::text::{base, composed, is_invisible, is_mark, plain};
use std::borrow::Cow;
use unicode_bidi::{BidiInfo, Level};

const SIZES: [Kanji; 3] = [Kanji::Eight, Kanji::Twelve, Kanji::Sixteen];

/// A text as it is drawn, character by character from the left. What has no glyph becomes the plain
/// characters that it stands for (㈱, ①), or its letter without marks (é); else it stays, and is
/// drawn as missing. Marks and whatever is invisible have no place of their own and are left out.
pub(super) fn drawn(text: &str) -> Cow<'_, str> {
    let simple = |c: char| {
        matches!(c, ' '..='~' | '\u{3000}'..='\u{9fff}') && !is_mark(c) && !is_invisible(c)
    };
    if text.chars().all(simple) {
        return Cow::Borrowed(text);
    }
    let whole = composed(text);
    let mut visible = String::with_capacity(whole.len());
    for c in whole.chars().filter(|c| !is_invisible(*c)) {
        // A mark with nothing before it is all there is: it is drawn as missing, not left out.
        if visible.is_empty() || !is_mark(c) {
            visible.push(c);
        }
    }
    Cow::Owned(seen(&visible).chars().flat_map(known).collect())
}

/// The characters of a text that the fonts have in no way.
pub(in crate::board) fn missing(text: &str) -> Vec<char> {
    let mut missing: Vec<char> = drawn(text).chars().filter(|c| !has(*c)).collect();
    missing.sort_unstable();
    missing.dedup();
    missing
}

fn has(c: char) -> bool {
    SIZES.iter().all(|size| size.has(c))
}

fn known(c: char) -> Vec<char> {
    if has(c) {
        return vec![c];
    }
    let plain: Vec<char> = plain(c.encode_utf8(&mut [0; 4])).chars().collect();
    if plain.iter().all(|c| has(*c)) {
        return plain;
    }
    let base = base(c);
    vec![if has(base) { base } else { c }]
}

/// Orders a line by UAX #9, the line itself running from the left.
fn seen(text: &str) -> String {
    let bidi = BidiInfo::new(text, Some(Level::ltr()));
    let mut line = String::with_capacity(text.len());
    for paragraph in &bidi.paragraphs {
        let (levels, runs) = bidi.visual_runs(paragraph, paragraph.range.clone());
        for run in runs {
            let right = levels.get(run.start).is_some_and(Level::is_rtl);
            let part = text.get(run).unwrap_or_default();
            if right {
                line.extend(part.chars().rev().map(mirrored));
            } else {
                line.push_str(part);
            }
        }
    }
    line
}

/// The other one of a pair of brackets (UAX #9, L4), of those that the fonts have.
fn mirrored(c: char) -> char {
    const PAIRS: [(char, char); 13] = [
        ('(', ')'),
        ('[', ']'),
        ('{', '}'),
        ('<', '>'),
        ('（', '）'),
        ('［', '］'),
        ('｛', '｝'),
        ('＜', '＞'),
        ('〔', '〕'),
        ('「', '」'),
        ('『', '』'),
        ('【', '】'),
        ('《', '》'),
    ];
    PAIRS
        .iter()
        .find_map(|&(open, close)| match c {
            _ if c == open => Some(close),
            _ if c == close => Some(open),
            _ => None,
        })
        .unwrap_or(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_composed_or_left_out() {
        for (text, points) in [
            ("証明書の交付 A042", "証明書の交付 A042"),
            ("か\u{3099}くせい", "がくせい"),
            ("葛\u{e0100}飾・辻\u{e0100}", "葛飾・辻"),
            ("Cafe\u{301}", "Cafe"),
            ("Café", "Cafe"),
            ("A\u{323}\u{200d}1\u{fe0f}", "A1"),
            ("ﬁ１", "fi１"),
            ("\u{1da9b}\u{301}", "\u{1da9b}"),
            ("\u{fa19}社", "神社"),
            ("𠮷野", "𠮷野"),
        ] {
            assert_eq!(drawn(text), points, "{text:?}");
        }
        for text in [
            "か\u{3099}",
            "葛\u{e0100}",
            "é",
            "㈱①℡",
            "ﾏｲﾅﾝﾊﾞｰ･ﾊﾟｽ",
            "…–",
            "\u{fa19}",
        ] {
            assert!(missing(text).is_empty(), "{text:?}");
        }
        assert_eq!(missing("𠮷한A"), ['한', '𠮷']);
    }

    #[test]
    fn digits_keep_their_order_beside_any_letter() {
        for (text, points) in [
            ("012א", "012א"),
            ("א-012", "012-א"),
            ("אב12", "12בא"),
            ("שלום・旅券", "םולש・旅券"),
            ("א(ב)", "(ב)א"),
        ] {
            assert_eq!(drawn(text), points, "{text}");
        }
        for before in ["", "א", "ب", "A", "旅", "-", "א-", "א ", "٣"] {
            for after in ["", "א", "ب", "A", "旅", "-", "-א", " ب", "٣"] {
                let eye = drawn(&format!("{before}0123{after}")).into_owned();
                assert!(eye.contains("0123"), "{before}0123{after} is {eye}");
            }
        }
    }
}
