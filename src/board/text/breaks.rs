//! Where a line of a name ends.

use super::{Fonts, Run};

/// Characters that must not begin a line (JIS X 4051: closing marks, small kana, long vowels).
const NOT_FIRST: &str =
    "、。，．・：；？！）」』】〕…ーぁぃぅぇぉっゃゅょァィゥェォッャュョ)]},.:;?!";

/// The first line of a name and the rest: broken at a space if that leaves a line at least half
/// full, else between characters.
pub(super) fn split(run: &Run, size: f32, room: f32, fonts: &mut Fonts) -> (Run, Run) {
    let with = |text: &str| Run {
        text: text.trim().to_owned(),
        ..run.clone()
    };
    let end = fitting(&run.text, "", run.bold, size, room, fonts);
    let mut end = end.max(run.text.chars().next().map_or(0, char::len_utf8));
    if let Some(space) = run.text[..end].rfind([' ', '\u{3000}'])
        && space * 2 >= end
        && end < run.text.len()
    {
        end = space;
    } else {
        let begins_wrong = |end: usize| {
            run.text[end..]
                .chars()
                .next()
                .is_some_and(|c| NOT_FIRST.contains(c))
        };
        let whole = end;
        while begins_wrong(end) {
            match run.text[..end].char_indices().next_back() {
                Some((before, _)) if before > 0 => end = before,
                _ => break,
            }
        }
        if end * 2 < whole {
            end = whole;
        }
    }
    (with(&run.text[..end]), with(&run.text[end..]))
}

/// The run, cut with an ellipsis if it is too wide.
pub(super) fn cut(run: &Run, size: f32, room: f32, fonts: &mut Fonts) -> Run {
    if fonts.shape(&run.text, run.bold).width * size <= room {
        return run.clone();
    }
    let end = fitting(&run.text, "…", run.bold, size, room, fonts);
    Run {
        text: format!("{}…", run.text[..end].trim_end()),
        ..run.clone()
    }
}

/// How many bytes of a text fit, with a tail behind them.
fn fitting(text: &str, tail: &str, bold: bool, size: f32, room: f32, fonts: &mut Fonts) -> usize {
    // A glyph may be narrow, but none is below a twentieth of an em for long: bounds hostile input.
    let ends: Vec<usize> = text
        .char_indices()
        .map(|(i, c)| i + c.len_utf8())
        .take(400)
        .collect();
    let fits = ends.partition_point(|&end| {
        let line = format!("{}{tail}", &text[..end]);
        fonts.shape(&line, bold).width * size <= room
    });
    fits.checked_sub(1).map_or(0, |last| ends[last])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::theme::Ink;

    #[test]
    fn lines_break_at_spaces_and_not_before_small_kana() {
        let mut fonts = Fonts::new().expect("fonts");
        let run = |text: &str| Run::new(text, 10.0, Ink::Text);
        let (first, rest) = split(&run("Change of address"), 10.0, 70.0, &mut fonts);
        assert_eq!(
            (first.text.as_str(), rest.text.as_str()),
            ("Change of", "address")
        );
        let text = "住民登録センター";
        let width = fonts.shape("住民登録センタ", false).width * 10.0 + 1.0;
        let (first, rest) = split(&run(text), 10.0, width, &mut fonts);
        assert_eq!(
            (first.text.as_str(), rest.text.as_str()),
            ("住民登録セン", "ター")
        );
    }
}
