//! What fits into the digits of a field, and how it stands there.
//!
//! A number is shown whole or not at all: one that does not fit becomes dashes, and says so.

use super::raw::{Align, Letters, RawPart};
use crate::frame::Face;
use std::collections::BTreeMap;

/// The digits of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Digits {
    /// How many, 1 to 12.
    pub(super) width: usize,
    align: Align,
    /// What stands in unused places.
    pub(super) blank: u8,
    /// What dashes are made of; `None` leaves them blank.
    pub(super) dash: Option<u8>,
    letters: Letters,
    /// What stands for a character, with [`Letters::Map`].
    map: BTreeMap<u8, u8>,
    /// What the board can show, besides blank and dash.
    charset: Vec<u8>,
}

impl Digits {
    /// Checks what a file says; the error is a key and what is wrong with it.
    pub(super) fn checked(raw: RawPart) -> Result<Self, (&'static str, String)> {
        let letters = raw.letters.unwrap_or_default();
        let dash = match raw.dash.as_deref().map(str::as_bytes) {
            None => Some(b'-'),
            Some([]) => None,
            Some([c]) if (0x20..0x7f).contains(c) => Some(*c),
            Some(_) => {
                let problem = "expected one printable character of ASCII, or \"\" for none";
                return Err(("dash", problem.into()));
            }
        };
        if (letters == Letters::Map) != raw.map.is_some() {
            let problem = "expected with letters = \"map\", such as map = { A = \"1\" }";
            return Err(("map", problem.into()));
        }
        let map = raw.map.unwrap_or_default();
        let charset = match raw.charset {
            Some(text) if text.bytes().all(|c| (0x20..0x7f).contains(&c)) => text.into_bytes(),
            Some(_) => return Err(("charset", "expected printable ASCII".into())),
            None => {
                let letters = (letters == Letters::Keep).then_some(b'A'..=b'Z');
                let mapped = map.values().map(|c| c.0);
                (b'0'..=b'9')
                    .chain(letters.into_iter().flatten())
                    .chain(mapped)
                    .collect()
            }
        };
        Ok(Self {
            width: raw.digits.map_or(0, |n| usize::from(n.0)),
            align: raw.align.unwrap_or_default(),
            blank: raw.blank.map_or(b' ', |c| c.0),
            dash,
            letters,
            map: map.into_iter().map(|(from, to)| (from.0, to.0)).collect(),
            charset,
        })
    }

    /// Every character that may be sent.
    pub(super) fn characters(&self) -> impl Iterator<Item = u8> + '_ {
        let others = [Some(self.blank), self.dash];
        self.charset
            .iter()
            .copied()
            .chain(others.into_iter().flatten())
    }

    /// The characters of a field, and what could not be shown, if anything.
    pub(super) fn render(&self, face: &Face) -> (Vec<u8>, Option<String>) {
        match face {
            Face::Blank => (vec![self.blank; self.width], None),
            Face::Dashes => (self.dashes(), None),
            Face::Text(text) => match self.fit(text) {
                Ok(shown) => (self.aligned(&shown), None),
                Err(why) => (self.dashes(), Some(why)),
            },
        }
    }

    fn dashes(&self) -> Vec<u8> {
        vec![self.dash.unwrap_or(self.blank); self.width]
    }

    fn aligned(&self, shown: &[u8]) -> Vec<u8> {
        let blanks = std::iter::repeat_n(self.blank, self.width.saturating_sub(shown.len()));
        let shown = shown.iter().copied();
        match self.align {
            Align::Right => blanks.chain(shown).collect(),
            Align::Left => shown.chain(blanks).collect(),
        }
    }

    /// The characters that stand for a label, all of them, or why that cannot be.
    fn fit(&self, text: &str) -> Result<Vec<u8>, String> {
        let narrow: String = text.chars().map(narrow).collect();
        let mut shown = narrow.as_str();
        if self.letters == Letters::Drop {
            // Only before the first digit: a sign between digits makes another number.
            shown = shown.trim_start_matches(|c: char| !c.is_ascii_digit());
        }
        if shown.is_empty() {
            return Err(format!("{text} has no digit"));
        }
        let mapped: Vec<char> = shown.chars().map(|c| self.mapped(c)).collect();
        let known = |c: &char| u8::try_from(*c).ok().filter(|c| self.charset.contains(c));
        if let Some(strange) = mapped.iter().find(|c| known(c).is_none()) {
            return Err(format!(
                "{text} has a character that the board cannot show: {strange}"
            ));
        }
        if mapped.len() > self.width {
            let width = self.width;
            return Err(format!("{text} does not fit into {width} digits"));
        }
        Ok(mapped.iter().filter_map(known).collect())
    }

    fn mapped(&self, c: char) -> char {
        let to = u8::try_from(c).ok().and_then(|c| self.map.get(&c));
        to.map_or(c, |to| char::from(*to))
    }
}

/// Full-width forms (U+FF01 to U+FF5E) are the same characters as those of ASCII.
fn narrow(c: char) -> char {
    match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xff01 + 0x21).unwrap_or(c),
        c => c,
    }
}
