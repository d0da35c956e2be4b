//! Which size: the largest in which something fits its row, given how it may be said shorter.

use super::glyphs::{FACES, Kanji};
use super::pieces::{Ink, Line, Piece};
use super::spelling::drawn;

/// Rows of the smallest face that is chosen while words could be left out instead.
const READABLE: u32 = 10;

/// A part of what is said, before its size is known.
#[derive(Debug, Clone)]
pub(super) enum Part<'a> {
    /// A label or a number: as large as the row allows.
    Number(&'a str, Ink),
    /// Words beside it.
    Words(&'a str, Ink),
    /// The way to a counter.
    Arrow(Ink),
}

/// Ways to say the same, the fullest first.
pub(super) type Alternatives<'a> = Vec<Vec<Part<'a>>>;

/// What is dearer when not both fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Priority {
    /// Large digits.
    Digits,
    /// All words, as long as the digits can be read at a distance.
    Words,
}

/// The largest line of a width and height at most; `None` when it is wider in every way.
pub(super) fn line(
    ways: &Alternatives<'_>,
    priority: Priority,
    width: u32,
    height: u32,
) -> Option<Line> {
    let fits = |line: &Line| line.width() <= width && line.height() <= height;
    let sized = |way: &[Part<'_>], face: usize| {
        let line = build(way, face, height);
        fits(&line).then_some(line)
    };
    let faces = || (0..FACES.len()).rev();
    let find = match priority {
        Priority::Digits => faces().find_map(|face| ways.iter().find_map(|way| sized(way, face))),
        Priority::Words => ways.iter().find_map(|way| {
            let readable = |face: &usize| FACES[*face].height >= READABLE.min(height);
            faces().filter(readable).find_map(|face| sized(way, face))
        }),
    };
    // Small digits, or words in their smallest size, are still better than moving ones.
    find.or_else(|| faces().find_map(|face| ways.iter().find_map(|way| sized(way, face))))
}

/// The shortest way in the smallest size, for what must move because it is too wide.
pub(super) fn smallest(ways: &Alternatives<'_>, height: u32) -> Line {
    let face = if height >= READABLE { 2 } else { 1 };
    ways.last()
        .map_or_else(Line::default, |way| build(way, face, height))
}

/// A way with the digits of a face, and words that stand well beside them.
fn build(way: &[Part<'_>], face: usize, height: u32) -> Line {
    let digits = FACES.get(face).map_or(0, |f| f.height);
    let words = Kanji::within(height.min(digits + 2));
    // What no face has is written as words are.
    let plain = way.iter().all(|part| match part {
        Part::Number(text, _) => FACES.get(face).is_some_and(|f| f.has(&drawn(text))),
        _ => true,
    });
    // The smallest Japanese glyphs fill their cells to the left.
    let gap = if digits >= 14 || words == Kanji::Eight {
        2
    } else {
        1
    };
    let mut line = Line::default();
    for (i, part) in way.iter().enumerate() {
        if i > 0 {
            line = line.with(Piece::Gap(gap));
        }
        line = match part {
            Part::Number(text, ink) if plain => {
                line.with(Piece::Digits(face, drawn(text).into_owned(), *ink))
            }
            Part::Number(text, ink) | Part::Words(text, ink) => {
                line.with(Piece::Words(words, drawn(text).into_owned(), *ink))
            }
            // Odd, so that it has a tip.
            Part::Arrow(ink) => line
                .with(Piece::Gap(gap))
                .with(Piece::Arrow(((digits / 2) | 1).clamp(5, 15), *ink))
                .with(Piece::Gap(gap)),
        };
    }
    line
}

/// Words alone in the largest size in which they, or shorter ones, fit; `None` when none does.
pub(super) fn words(choices: &[&str], ink: Ink, width: u32, height: u32) -> Option<Line> {
    let mut size = Some(Kanji::within(height));
    while let Some(kanji) = size {
        let lines = choices.iter().map(|text| Line::words(kanji, text, ink));
        if let Some(line) = lines.into_iter().find(|line| line.width() <= width) {
            return Some(line);
        }
        size = kanji.smaller();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ticket(text: &str) -> Alternatives<'_> {
        vec![vec![Part::Number(text, Ink::Ticket)]]
    }

    #[test]
    fn a_label_is_as_large_as_its_row_and_never_wider() {
        let height =
            |text: &str, w, h| line(&ticket(text), Priority::Digits, w, h).map(|l| l.height());
        assert_eq!(height("A042", 64, 32), Some(28));
        assert_eq!(height("A042", 64, 19), Some(18));
        assert_eq!(height("A042", 64, 16), Some(14));
        assert_eq!(height("A1042", 64, 19), Some(18));
        assert_eq!(height("AB-1042", 64, 19), Some(10));
        assert_eq!(height("A042", 32, 8), Some(7));
        assert_eq!(height("ABCDEFGHIJKL", 32, 8), None);
    }

    #[test]
    fn what_has_no_digits_of_ours_is_written_in_words() {
        let way = ticket("あ042");
        let line = line(&way, Priority::Digits, 64, 32).expect("fits");
        assert!(
            matches!(&line.0[..], [Piece::Words(Kanji::Sixteen, ..)]),
            "{line:?}"
        );
    }

    #[test]
    fn words_are_left_out_before_digits_get_too_small_to_be_read() {
        let ways = vec![
            vec![
                Part::Words("待ち時間", Ink::Word),
                Part::Number("8–15", Ink::Word),
            ],
            vec![Part::Number("8–15", Ink::Word)],
        ];
        let large = line(&ways, Priority::Digits, 64, 19).expect("fits");
        assert!(
            large.0.iter().all(|p| !matches!(p, Piece::Words(..))),
            "{large:?}"
        );
        let said = line(&ways, Priority::Words, 96, 19).expect("fits");
        assert!(matches!(said.0[0], Piece::Words(..)), "{said:?}");
    }

    #[test]
    fn shorter_words_are_taken_where_the_long_ones_would_be_small() {
        let said = |width| words(&["まもなく開庁", "開庁前"], Ink::Word, width, 19);
        assert_eq!(
            said(64),
            Some(Line::words(Kanji::Sixteen, "開庁前", Ink::Word))
        );
        assert_eq!(
            said(96),
            Some(Line::words(Kanji::Sixteen, "まもなく開庁", Ink::Word))
        );
        assert_eq!(said(20), None);
    }
}
