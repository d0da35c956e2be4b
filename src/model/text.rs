//! What a text is made of, by the rules of Unicode: what is invisible, what turns its direction,
//! and the one spelling of a label and of a name.

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

/// Whether a character changes the direction of others: the explicit formatting characters and the
/// marks of UAX #9, 2.1 to 2.6.
#[must_use]
pub fn turns_direction(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}')
}

/// Whether a character is drawn as nothing: `Default_Ignorable_Code_Point` of Unicode 17
/// (DerivedCoreProperties.txt). Joiners, fillers, byte order marks, variation selectors and tags
/// are among them.
#[must_use]
pub fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff0}'..='\u{fff8}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}')
}

/// Whether a character is no part of a line of text: control characters, line separators, the
/// frames of annotations, and code points that never become characters.
#[must_use]
pub fn is_not_text(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{fff9}'..='\u{fffb}' | '\u{fdd0}'..='\u{fdef}')
        || u32::from(c) & 0xfffe == 0xfffe
}

/// Whether a character is drawn onto the one before it.
#[must_use]
pub fn is_mark(c: char) -> bool {
    is_combining_mark(c)
}

/// The compatibility form of a text (NFKC): full-width and half-width forms, circled digits and
/// squared words as the plain characters they stand for.
#[must_use]
pub fn plain(text: &str) -> String {
    text.nfkc().collect()
}

/// A text with its marks composed (NFC), but for the compatibility ideographs: these are variants of
/// characters, such as U+FA19 of 神, that a name is written with on purpose.
#[must_use]
pub fn composed(text: &str) -> String {
    let variant = |c: char| matches!(c, '\u{f900}'..='\u{faff}' | '\u{2f800}'..='\u{2fa1f}');
    let mut out = String::with_capacity(text.len());
    for part in text.split_inclusive(variant) {
        let end = part.char_indices().next_back().filter(|(_, c)| variant(*c));
        let (plain, kept) = part.split_at(end.map_or(part.len(), |(at, _)| at));
        out.extend(plain.nfc());
        out.push_str(kept);
    }
    out
}

/// The letter below a character's marks, such as `e` of `é`; the character itself where it has none.
#[must_use]
pub fn base(c: char) -> char {
    std::iter::once(c).nfd().next().unwrap_or(c)
}
