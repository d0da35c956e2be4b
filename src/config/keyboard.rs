//! Signs that a Japanese keyboard types where a file wants those of ASCII.

use std::ops::Range;

/// A sign of ASCII as a Japanese keyboard or a word processor writes it.
///
/// The full-width forms of Unicode (U+FF01 to U+FF5E) stand in the order of ASCII.
pub(crate) fn narrowed(c: char) -> Option<char> {
    Some(match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xff01 + 0x21)?,
        '“' | '”' | '„' | '″' | '〝' | '〟' => '"',
        '‘' | '’' | '′' => '\'',
        '、' => ',',
        '。' => '.',
        '「' | '『' | '【' | '〔' => '[',
        '」' | '』' | '】' | '〕' => ']',
        '〜' => '~',
        '・' => '/',
        '‐' | '‑' | '–' | '—' | '−' | 'ー' | '―' => '-',
        '\u{3000}' | '\u{a0}' => ' ',
        '￥' => '\\',
        _ => return None,
    })
}

/// Whether a sign divides a user from a host, be it only for whoever typed it.
pub(crate) fn is_at_sign(c: char) -> bool {
    matches!(c, '@' | '＠' | '﹫')
}

/// A text with all of them replaced.
pub(crate) fn narrow(text: &str) -> String {
    text.chars().map(|c| narrowed(c).unwrap_or(c)).collect()
}

/// What a value was meant to be, where nothing but such signs keeps it from being ASCII.
pub(crate) fn meant(text: &str) -> Option<String> {
    let narrow = narrow(text);
    let plain = narrow.trim();
    (narrow != text && plain.is_ascii() && !plain.is_empty()).then(|| plain.to_owned())
}

/// What people call a sign. Letters and digits are not repeated: they may be part of a password.
pub(crate) fn called(c: char) -> String {
    let kind = match c {
        _ if narrowed(c).is_some_and(|c| c.is_ascii_alphanumeric()) => {
            return "a full-width letter or digit".into();
        }
        '\u{3000}' => return "a full-width space".into(),
        '\u{a0}' => return "a no-break space".into(),
        '\u{ff01}'..='\u{ff5e}' => "the full-width ",
        _ => "the sign ",
    };
    format!("{kind}{c}")
}

/// What to press instead, for readers of Japanese.
pub(crate) fn in_japanese(c: char) -> String {
    let (what, press) = match (c, narrowed(c)) {
        ('\u{3000}' | '\u{a0}', _) => ("全角の空白".to_owned(), "半角の空白".to_owned()),
        (_, Some(plain)) if !plain.is_ascii_alphanumeric() => {
            (format!("「{c}」"), format!("半角の {plain}"))
        }
        _ => ("全角の英数字".to_owned(), "半角の英数字".to_owned()),
    };
    format!(
        "{what}が入っています。半角/全角キーで日本語入力を切ってから、{press} を入力してください。"
    )
}

/// The first such sign in a line of TOML outside its texts and its comment, or in a text that does
/// not end; counted from `line`, the text from the start of the line in question.
pub(crate) fn slip(line: &str) -> Option<(Range<usize>, char)> {
    let end = line.find(['\n', '\r']).unwrap_or(line.len());
    let line = &line[..end];
    let mut quote: Option<char> = None;
    let mut escaped = false;
    let mut in_text = None;
    for (at, c) in line.char_indices() {
        let here = (at..at + c.len_utf8(), c);
        match quote {
            Some(_) if escaped => escaped = false,
            Some('"') if c == '\\' => escaped = true,
            Some(open) if c == open => (quote, in_text) = (None, None),
            // The last one: what was meant to end the text.
            Some(open) if narrowed(c) == Some(open) => in_text = Some(here),
            Some(_) => {}
            None if c == '#' => return None,
            None if matches!(c, '"' | '\'') => quote = Some(c),
            None if narrowed(c).is_some() => return Some(here),
            None => {}
        }
    }
    quote.and(in_text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sign_that_a_keyboard_slipped_on_is_found() {
        for (line, sign) in [
            ("id ＝ \"chuo\"", Some('＝')),
            ("id = ”chuo”", Some('”')),
            ("id = \"chuo”", Some('”')),
            ("id = \"chuo＂ # ＂", Some('＂')),
            ("hours = [\"08:30\"，\"17:15\"]", Some('，')),
            ("　id = \"chuo\"", Some('\u{3000}')),
            ("［office］", Some('［')),
            ("【office】", Some('【')),
            ("[office〕", Some('〕')),
            ("＃ comment", Some('＃')),
            ("size = [１９２０, 1080]", Some('１')),
            ("name = { ja = \"区役所、（＝）\" } # ＝", None),
            ("name = 'a＝' # b", None),
            ("id = \"chuo", None),
        ] {
            assert_eq!(slip(line).map(|(_, c)| c), sign, "{line}");
        }
    }

    #[test]
    fn a_value_typed_full_width_is_told_as_it_was_meant() {
        assert_eq!(meant("ｃｈｕｏ").as_deref(), Some("chuo"));
        assert_eq!(
            meant("１９２．１６８。０．５").as_deref(),
            Some("192.168.0.5")
        );
        assert_eq!(meant("０８：３０").as_deref(), Some("08:30"));
        assert_eq!(meant("chuo"), None);
        assert_eq!(meant("chuo "), None, "nothing of it is full-width");
        assert_eq!(meant("中央区"), None);
    }
}
