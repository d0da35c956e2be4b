//! What was heard after a frame: its confirmation, something else, or not all of it yet.

/// What the bytes that came so far are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// What was expected.
    Confirmed,
    /// As long as what was expected, and different: it gets no better.
    Other,
    /// Shorter: more may come.
    Part,
}

/// Judges what came since `sent` went out, where an expected byte of `None` is any. With the answer
/// without the echo of our own bytes: two-wire converters may hear themselves.
#[must_use]
pub fn judge<'a>(sent: &[u8], expected: &[Option<u8>], heard: &'a [u8]) -> (Heard, &'a [u8]) {
    let fits = |heard: &[u8]| {
        heard.len() == expected.len()
            && expected
                .iter()
                .zip(heard)
                .all(|(e, h)| e.is_none_or(|e| e == *h))
    };
    let answer = heard.strip_prefix(sent).unwrap_or(heard);
    let echo = !heard.is_empty() && sent.starts_with(heard);
    let judged = if fits(heard) || fits(answer) {
        Heard::Confirmed
    } else if answer.len() >= expected.len() && !echo {
        Heard::Other
    } else {
        Heard::Part
    };
    (judged, answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_judged_with_and_without_an_echo() {
        let judged = |heard: &[u8]| judge(b"\x0203 042\x03", &[Some(6), None], heard).0;
        assert_eq!(judged(b"\x06\x31"), Heard::Confirmed);
        assert_eq!(judged(b"\x0203 042\x03\x06\x32"), Heard::Confirmed);
        assert_eq!(judged(b"\x15\x31"), Heard::Other);
        assert_eq!(judged(b"\x06\x31\x31"), Heard::Other);
        assert_eq!(judged(b"\x0203 042\x03\x15\x15"), Heard::Other);
        for part in [&b""[..], b"\x06", b"\x0203", b"\x0203 042\x03\x06"] {
            assert_eq!(judged(part), Heard::Part, "{part:?}");
        }
    }
}
