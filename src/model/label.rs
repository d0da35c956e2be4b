//! Labels of tickets and counters.

use super::text::{is_invisible, is_mark, is_not_text, plain, turns_direction};
use std::fmt;
use std::sync::Arc;

/// Longest label in characters (contract, "Limits").
pub const MAX_LABEL_CHARS: usize = 12;

/// Longest text that is looked at, in bytes. A label's characters and what is drawn onto them take
/// less, however they are written.
const MAX_BYTES: usize = 1024;

/// Says why a text is not a label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LabelError {
    /// Nothing that can be seen.
    Empty,
    /// More than [`MAX_LABEL_CHARS`] characters; holds how many.
    Long(usize),
    /// A character that could break a board, a log line or a CSV file: a control character, or one
    /// that is never text.
    Control(char),
    /// A character that changes the direction of others, so that a label reads as another one.
    Direction(char),
    /// A mark at the beginning, with nothing that it could be drawn onto.
    Mark(char),
}

impl fmt::Display for LabelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = |c: &char| u32::from(*c);
        match self {
            Self::Empty => f.write_str("empty label: expected 1 to 12 characters"),
            Self::Long(n) => write!(f, "label of {n} characters: expected at most 12"),
            Self::Control(c) => write!(
                f,
                "label with the control character U+{:04X}: expected printable text",
                code(c)
            ),
            Self::Direction(c) => write!(
                f,
                "label with U+{:04X}, which changes the direction of text: expected none such",
                code(c)
            ),
            Self::Mark(c) => write!(
                f,
                "label that begins with the combining mark U+{:04X}: expected a letter or digit before it",
                code(c)
            ),
        }
    }
}

impl std::error::Error for LabelError {}

/// The label of a ticket (`A042`) or counter (`3`): text, never a number to count with.
///
/// Labels are keys, so each has one spelling, made where it enters: two ways to write the same letters
/// are one label. Full-width letters and digits become narrow, half-width kana wide,
/// marks are composed (NFKC), hyphens and minus signs are `-`, white space is one blank and none at
/// the ends, and what is invisible is left out. `A042` and `A42` are different tickets, and so are
/// `A042` and `a042`, and letters of another script that look alike (a Cyrillic `А`).
///
/// 1 to 12 characters of that spelling. Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Label(Arc<str>);

impl Label {
    /// Takes a text as label, in its one spelling. Takes its own spelling as it is.
    ///
    /// # Errors
    /// [`LabelError`] when nothing is left, it is too long, or holds what no label may hold.
    pub fn new(text: &str) -> Result<Self, LabelError> {
        // What nearly all labels are: nothing to be changed, nothing to be allocated for it.
        if (1..=MAX_LABEL_CHARS).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        {
            return Ok(Self(Arc::from(text)));
        }
        let spelt = spell(text)?;
        let chars = spelt.chars().count();
        match spelt.chars().next() {
            None => Err(LabelError::Empty),
            Some(_) if chars > MAX_LABEL_CHARS => Err(LabelError::Long(chars)),
            Some(c) if is_mark(c) => Err(LabelError::Mark(c)),
            Some(_) => Ok(Self(Arc::from(spelt))),
        }
    }

    /// The label nearest to a text that an earlier version took for one, by fewer rules: without
    /// what no label may hold, and cut, with `~` at its end, where its one spelling is too long.
    /// Nothing when nothing is left.
    #[must_use]
    pub fn from_older_version(text: &str) -> Option<Self> {
        if let Ok(label) = Self::new(text) {
            return Some(label);
        }
        let held = |c: &char| !(turns_direction(*c) || is_not_text(*c) || is_invisible(*c));
        let plain: String = text
            .chars()
            .filter(held)
            .skip_while(|c| is_mark(*c) || c.is_whitespace())
            .take(MAX_BYTES / 4)
            .collect();
        let spelt = spell(&plain).ok()?;
        let spelt = spelt.trim_start_matches(|c| is_mark(c) || c == ' ');
        if spelt.chars().count() <= MAX_LABEL_CHARS {
            return Self::new(spelt).ok();
        }
        let cut: String = spelt.chars().take(MAX_LABEL_CHARS - 1).collect();
        Self::new(&format!("{}~", cut.trim_end())).ok()
    }

    /// The label as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The one spelling of a text.
fn spell(text: &str) -> Result<String, LabelError> {
    if text.len() > MAX_BYTES {
        return Err(LabelError::Long(text.chars().count()));
    }
    let mut spelt = once(text)?;
    // What is left out may have stood between a letter and its mark, and a blank may be made of a
    // sign: the second time says so, and the third changes nothing.
    for _ in 0..3 {
        let again = once(&spelt)?;
        if again == spelt {
            break;
        }
        spelt = again;
    }
    Ok(spelt)
}

fn once(text: &str) -> Result<String, LabelError> {
    let text = text.trim();
    if let Some(c) = text.chars().find(|c| turns_direction(*c)) {
        return Err(LabelError::Direction(c));
    }
    if let Some(c) = text.chars().find(|c| is_not_text(*c)) {
        return Err(LabelError::Control(c));
    }
    let visible: String = text.chars().filter(|c| !is_invisible(*c)).collect();
    let mut spelt = String::with_capacity(visible.len());
    for c in plain(&visible).chars() {
        match c {
            // Dashes of Unicode that stand for a hyphen or minus sign.
            '\u{2010}'..='\u{2015}' | '\u{2212}' => spelt.push('-'),
            c if c.is_whitespace() => {
                if !spelt.ends_with(' ') {
                    spelt.push(' ');
                }
            }
            c => spelt.push(c),
        }
    }
    Ok(spelt.trim().to_owned())
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &*self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn spelt(text: &str) -> String {
        Label::new(text)
            .unwrap_or_else(|e| panic!("{text:?}: {e}"))
            .to_string()
    }

    #[test]
    fn labels_are_text_and_keep_their_zeros() {
        assert_eq!(spelt(" A042 "), "A042");
        assert_ne!(Label::new("A042"), Label::new("A42"));
        assert_ne!(Label::new("A042"), Label::new("a042"));
        assert!(Label::new("窓口三番").is_ok());
        assert!(
            Label::new("<script>").is_ok(),
            "escaping is the printer's job"
        );
    }

    #[test]
    fn what_looks_like_one_ticket_is_one_label() {
        for text in [
            "Ａ０４２",
            "\u{feff}A042",
            "A042\u{3000}",
            "\u{a0}A042",
            "A0\u{200b}42",
            "A042\r\n",
            "A04\u{ad}2",
            "A042\u{fe0f}",
            "Ａ\u{200d}042\u{2060}",
            "A042\u{3164}",
        ] {
            assert_eq!(spelt(text), "A042", "{text:?}");
        }
        for (text, one) in [
            ("３", "3"),
            ("３番窓口", "3番窓口"),
            ("①", "1"),
            ("ﾊﾞ-3", "バ-3"),
            ("ｱ－０４２", "ア-042"),
            ("か\u{3099}42", "が42"),
            ("か\u{200d}\u{3099}42", "が42"),
            ("葛\u{e0100}012", "葛012"),
            ("A−042", "A-042"),
            ("A‐042", "A-042"),
            ("B\u{3000} 317", "B 317"),
            ("M1 008", "M1 008"),
        ] {
            assert_eq!(spelt(text), one, "{text:?}");
        }
    }

    #[test]
    fn labels_out_of_bounds_are_refused_by_code_point() {
        assert_eq!(Label::new("  "), Err(LabelError::Empty));
        assert_eq!(Label::new("\u{200b}\u{feff}"), Err(LabelError::Empty));
        assert_eq!(Label::new("1234567890123"), Err(LabelError::Long(13)));
        assert_eq!(
            Label::new(&"\u{fdfa}".repeat(500)),
            Err(LabelError::Long(500))
        );
        for (bad, c) in [
            ("A\n1", '\n'),
            ("A\u{0}", '\u{0}'),
            ("A\t1", '\t'),
            ("A\u{fffa}1", '\u{fffa}'),
        ] {
            assert_eq!(Label::new(bad), Err(LabelError::Control(c)), "{bad:?}");
        }
        for c in ['\u{202e}', '\u{200f}', '\u{61c}', '\u{2067}'] {
            let bad = format!("A{c}1");
            assert_eq!(Label::new(&bad), Err(LabelError::Direction(c)), "{bad:?}");
        }
        assert_eq!(Label::new("\u{301}1"), Err(LabelError::Mark('\u{301}')));
        let said = Label::new("A\u{202e}1").expect_err("turned").to_string();
        assert!(said.contains("U+202E"), "{said}");
    }

    #[test]
    fn what_an_earlier_version_took_has_a_label_near_it() {
        let near = |text: &str| Label::from_older_version(text).map(|label| label.to_string());
        for (text, label) in [
            ("A042", "A042"),
            ("Ａ０４２", "A042"),
            ("㈱㈱㈱㈱㈱", "(株)(株)(株)(株~"),
            ("\u{301}A1", "A1"),
            ("\u{200b}\u{3099} \u{301}7", "7"),
            ("A\u{fffa}1", "A1"),
            ("A\u{ffff}1", "A1"),
            ("\u{a0}A1", "A1"),
        ] {
            assert_eq!(near(text).as_deref(), Some(label), "{text:?}");
        }
        for nothing in ["\u{200b}", "\u{301}", "\u{3000}", "", "\u{fdd0}"] {
            assert_eq!(near(nothing), None, "{nothing:?}");
        }
    }

    fn holds(text: &str) {
        if let Some(near) = Label::from_older_version(text) {
            assert_eq!(Label::new(near.as_str()).as_ref(), Ok(&near), "{text:?}");
        }
        let Ok(label) = Label::new(text) else { return };
        let one = label.as_str();
        assert_eq!(Label::new(one).as_ref(), Ok(&label), "{text:?} is {one:?}");
        assert!(
            (1..=MAX_LABEL_CHARS).contains(&one.chars().count()),
            "{text:?}"
        );
        assert_eq!(one.trim(), one, "{text:?}");
        assert!(
            !one.chars()
                .any(|c| is_invisible(c) || is_not_text(c) || turns_direction(c)),
            "{text:?}"
        );
        assert!(!one.contains("  "), "{text:?}");
    }

    #[test]
    fn every_character_alone_and_beside_others_has_one_spelling() {
        // Planes 3 to 13 hold nothing yet, 15 and 16 what nobody but its owner knows.
        for c in ('\0'..='\u{323af}').chain('\u{e0000}'..='\u{e0fff}') {
            holds(&format!("か{c}\u{3099}"));
            if u32::from(c) < 0x3100 {
                holds(&format!("{c}"));
                holds(&format!("A{c}1"));
                holds(&format!("{c}{c} "));
            }
        }
    }

    proptest! {
        #[test]
        fn any_text_has_one_spelling_or_is_refused(text in "\\PC{0,8}|.{0,16}") {
            holds(&text);
        }

        #[test]
        fn marks_blanks_and_invisible_ones_in_any_order_have_one_spelling(
            text in "[か3Aｶﾞﾞ゛´\u{301}\u{3099}\u{323}\u{200d}\u{34f}\u{1160}\u{3164}\u{1100}\u{1161}\u{11a8}\u{2028}  \u{3000}−-]{0,9}"
        ) {
            holds(&text);
        }
    }
}
