//! Glyphs as patterns of points: own digits and letters in nine sizes, Japanese in three.
//!
//! The fonts are data in `assets/fonts/led`, with their origin and licences. A character that none
//! of them has is shown as 〓, the printers' mark for a missing type, never left out.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// What stands for a character that no font has.
const MISSING: char = '〓';

/// A pattern of points.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Glyph {
    /// Columns.
    pub(super) width: u32,
    /// Rows from the top; the lowest bit is the rightmost column.
    pub(super) rows: Vec<u32>,
}

impl Glyph {
    /// The lit points, from the top left.
    pub(super) fn points(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        (0_u32..).zip(&self.rows).flat_map(move |(y, row)| {
            (0..self.width)
                .filter(move |x| row >> (self.width - 1 - x) & 1 == 1)
                .map(move |x| (x, y))
        })
    }
}

/// Digits, letters and signs of one size.
#[derive(Debug)]
pub(super) struct Face {
    /// Rows of every glyph.
    pub(super) height: u32,
    /// Columns between two glyphs.
    pub(super) gap: u32,
    glyphs: BTreeMap<char, Glyph>,
}

impl Face {
    /// The glyph of a character; a range's dash is the hyphen.
    pub(super) fn glyph(&self, c: char) -> Option<&Glyph> {
        self.glyphs.get(if c == '–' { &'-' } else { &c })
    }

    /// Whether it has all characters of a text.
    pub(super) fn has(&self, text: &str) -> bool {
        text.chars().all(|c| self.glyph(c).is_some())
    }

    /// Columns of a text that it has.
    pub(super) fn width(&self, text: &str) -> u32 {
        let glyphs = text.chars().filter_map(|c| self.glyph(c));
        let width: u32 = glyphs.map(|g| g.width + self.gap).sum();
        width.saturating_sub(self.gap)
    }
}

/// The faces, smallest first.
pub(super) static FACES: LazyLock<Vec<Face>> =
    LazyLock::new(|| parse(include_str!("../../../assets/fonts/led/digits.txt")));

fn parse(text: &str) -> Vec<Face> {
    let mut faces: Vec<Face> = Vec::new();
    let mut open = None;
    for line in text.lines() {
        if let Some(size) = line.strip_prefix("face ") {
            let sides = size.split_once('x');
            let height = sides.and_then(|(_, h)| h.parse().ok()).unwrap_or(0);
            faces.push(Face {
                height,
                // One column beside strokes of one or two points that are low, two beside others.
                gap: if height < 14 { 1 } else { 2 },
                glyphs: BTreeMap::new(),
            });
        } else if let Some(c) = line.strip_prefix("= ").and_then(|c| c.chars().next()) {
            open = Some(c);
        } else if let (Some(face), Some(c)) = (faces.last_mut(), open)
            && line.starts_with(['.', '#'])
        {
            let glyph = face.glyphs.entry(c).or_insert(Glyph {
                width: u32::try_from(line.len()).unwrap_or(0),
                rows: Vec::new(),
            });
            let row = line
                .bytes()
                .fold(0, |row, b| row << 1 | u32::from(b == b'#'));
            glyph.rows.push(row);
        }
    }
    faces
}

/// A size of the Japanese fonts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kanji {
    /// 8 points: Misaki.
    Eight,
    /// 12 points: Shinonome.
    Twelve,
    /// 16 points: Shinonome.
    Sixteen,
}

impl Kanji {
    /// The largest that fits a height in points; the smallest has no smaller neighbour.
    pub(super) fn within(height: u32) -> Self {
        match height {
            16.. => Self::Sixteen,
            12.. => Self::Twelve,
            _ => Self::Eight,
        }
    }

    /// The next smaller size.
    pub(super) fn smaller(self) -> Option<Self> {
        match self {
            Self::Sixteen => Some(Self::Twelve),
            Self::Twelve => Some(Self::Eight),
            Self::Eight => None,
        }
    }

    /// Rows and columns of a full-width glyph.
    pub(super) fn size(self) -> u32 {
        match self {
            Self::Eight => 8,
            Self::Twelve => 12,
            Self::Sixteen => 16,
        }
    }

    fn data(self) -> &'static [u8] {
        match self {
            Self::Eight => include_bytes!("../../../assets/fonts/led/misaki8.hex"),
            Self::Twelve => include_bytes!("../../../assets/fonts/led/shinonome12.hex"),
            Self::Sixteen => include_bytes!("../../../assets/fonts/led/shinonome16.hex"),
        }
    }

    /// Columns of a character: half of the size for ASCII and half-width katakana.
    pub(super) fn advance(self, c: char) -> u32 {
        let half = matches!(c, ' '..='~' | '–' | '｡'..='ﾟ');
        if half { self.size() / 2 } else { self.size() }
    }

    /// The glyph of a character, or the mark for a missing one.
    pub(super) fn glyph(self, c: char) -> Glyph {
        let rows = self.rows(c).or_else(|| self.rows(MISSING));
        let width = self.advance(c);
        // Rows come left-aligned in whole hexadecimal digits.
        let shift = self.size().div_ceil(4) * 4 - width;
        Glyph {
            width,
            rows: rows
                .unwrap_or_default()
                .into_iter()
                .map(|row| row >> shift)
                .collect(),
        }
    }

    /// Whether it has a character.
    pub(super) fn has(self, c: char) -> bool {
        self.rows(c).is_some()
    }

    fn rows(self, c: char) -> Option<Vec<u32>> {
        let digits = self.size().div_ceil(4) as usize;
        let line = 5 + digits * self.size() as usize + 1;
        let wanted = format!("{:04X}", u32::from(c));
        if wanted.len() > 4 {
            return None; // beyond all these fonts
        }
        let data = self.data();
        let (mut low, mut high) = (0, data.len() / line);
        while low < high {
            let middle = usize::midpoint(low, high);
            let found = data.get(middle * line..(middle + 1) * line)?;
            match found[..4].cmp(wanted.as_bytes()) {
                Ordering::Less => low = middle + 1,
                Ordering::Greater => high = middle,
                Ordering::Equal => {
                    let rows = found.get(5..line - 1)?.chunks_exact(digits);
                    let row = |row| u32::from_str_radix(std::str::from_utf8(row).ok()?, 16).ok();
                    return rows.map(row).collect();
                }
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn pattern(glyph: &Glyph) -> Vec<String> {
        let row = |row: &u32| {
            (0..glyph.width)
                .map(|x| {
                    if row >> (glyph.width - 1 - x) & 1 == 1 {
                        '#'
                    } else {
                        '.'
                    }
                })
                .collect()
        };
        glyph.rows.iter().map(row).collect()
    }

    #[test]
    fn every_face_has_every_digit_letter_and_sign_in_its_height() {
        assert_eq!(FACES.len(), 9);
        assert!(FACES.is_sorted_by_key(|f| f.height));
        for face in FACES.iter() {
            for c in ('0'..='9').chain('A'..='Z').chain("-:./".chars()) {
                let glyph = face
                    .glyph(c)
                    .unwrap_or_else(|| panic!("{c} at {}", face.height));
                assert_eq!(glyph.rows.len(), face.height as usize, "{c}");
                assert!(glyph.rows.iter().all(|row| row >> glyph.width == 0), "{c}");
            }
        }
    }

    #[test]
    fn digits_of_a_face_are_equally_wide_and_all_glyphs_differ() {
        for face in FACES.iter() {
            let widths: BTreeSet<u32> = ('0'..='9')
                .filter_map(|c| face.glyph(c))
                .map(|g| g.width)
                .collect();
            assert_eq!(widths.len(), 1, "{}", face.height);
            let all: BTreeSet<Vec<String>> = face.glyphs.values().map(pattern).collect();
            assert_eq!(all.len(), face.glyphs.len(), "{}", face.height);
        }
    }

    /// What is mistaken at a distance differs in many points, not in one.
    #[test]
    fn digits_that_are_easily_mistaken_differ_in_many_points() {
        for face in FACES.iter() {
            for (a, b) in [
                "17", "68", "69", "89", "80", "60", "90", "38", "35", "AR", "8B", "O0", "5S", "2Z",
            ]
            .iter()
            .filter_map(|p| p.chars().next().zip(p.chars().nth(1)))
            {
                let (Some(x), Some(y)) = (face.glyph(a), face.glyph(b)) else {
                    panic!("{a}{b}");
                };
                let differ: u32 = x
                    .rows
                    .iter()
                    .zip(&y.rows)
                    .map(|(x, y)| (x ^ y).count_ones())
                    .sum();
                let least = if face.height < 10 { 2 } else { 4 };
                assert!(differ >= least, "{a} and {b} at {}: {differ}", face.height);
            }
        }
    }

    #[test]
    fn japanese_is_found_in_every_size() {
        for size in [Kanji::Eight, Kanji::Twelve, Kanji::Sixteen] {
            let missing = size.glyph(MISSING);
            for c in "番窓口へ人分すぐに約待ち時間再呼出休止中受付終了まもなく開庁準備調整現在ファストレーン証明書の交付住所変更戸籍届（）・ー–AZ az09ﾌ".chars() {
                let glyph = size.glyph(c);
                assert_ne!(glyph, missing, "{c}");
                assert_eq!(glyph.rows.len(), size.size() as usize, "{c}");
                assert!(c == ' ' || glyph.points().next().is_some(), "{c}");
                assert!(glyph.points().all(|(x, _)| x < glyph.width), "{c}");
            }
            for c in ['𠮷', '한', '\u{10ffff}', 'é', '\u{0}'] {
                assert_eq!(size.rows(c), None, "{c}");
                assert!(size.glyph(c).points().next().is_some(), "{c}");
            }
        }
    }

    #[test]
    fn a_glyph_is_what_its_pattern_says() {
        let one = FACES[1].glyph('1').expect("1");
        assert_eq!(
            pattern(one),
            [
                "..#..", ".##..", "..#..", "..#..", "..#..", "..#..", ".###."
            ]
        );
        let ten = Kanji::Eight.glyph('十');
        assert_eq!(pattern(&ten)[2], "#######.");
    }

    #[test]
    fn the_japanese_fonts_are_sorted_and_their_lines_equally_long() {
        for size in [Kanji::Eight, Kanji::Twelve, Kanji::Sixteen] {
            let text = std::str::from_utf8(size.data()).expect("ASCII");
            let line = 5 + (size.size().div_ceil(4) * size.size()) as usize;
            assert!(text.lines().all(|l| l.len() == line));
            assert!(text.lines().is_sorted_by(|a, b| a[..4] < b[..4]));
        }
    }
}
