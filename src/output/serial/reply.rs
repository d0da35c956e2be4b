//! Compares the bytes received after a frame with the expected reply.

/// How the bytes received so far compare with the expected reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplyMatch {
    Confirmed,
    /// As long as what was expected, and different: it gets no better.
    Mismatch,
    /// Shorter: more may come.
    Incomplete,
}

/// Compares the bytes received since `sent` went out with `expected`, where `None` matches any byte.
/// Returns the result and the reply without the echo of our own bytes, which two-wire converters
/// may receive.
#[must_use]
pub fn match_reply<'a>(
    sent: &[u8],
    expected: &[Option<u8>],
    heard: &'a [u8],
) -> (ReplyMatch, &'a [u8]) {
    let fits = |heard: &[u8]| {
        heard.len() == expected.len()
            && expected
                .iter()
                .zip(heard)
                .all(|(e, h)| e.is_none_or(|e| e == *h))
    };
    let answer = heard.strip_prefix(sent).unwrap_or(heard);
    let echo = !heard.is_empty() && sent.starts_with(heard);
    let matched = if fits(heard) || fits(answer) {
        ReplyMatch::Confirmed
    } else if answer.len() >= expected.len() && !echo {
        ReplyMatch::Mismatch
    } else {
        ReplyMatch::Incomplete
    };
    (matched, answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_judged_with_and_without_an_echo() {
        let matched = |heard: &[u8]| match_reply(b"\x0203 042\x03", &[Some(6), None], heard).0;
        assert_eq!(matched(b"\x06\x31"), ReplyMatch::Confirmed);
        assert_eq!(matched(b"\x0203 042\x03\x06\x32"), ReplyMatch::Confirmed);
        assert_eq!(matched(b"\x15\x31"), ReplyMatch::Mismatch);
        assert_eq!(matched(b"\x06\x31\x31"), ReplyMatch::Mismatch);
        assert_eq!(matched(b"\x0203 042\x03\x15\x15"), ReplyMatch::Mismatch);
        for part in [&b""[..], b"\x06", b"\x0203", b"\x0203 042\x03\x06"] {
            assert_eq!(matched(part), ReplyMatch::Incomplete, "{part:?}");
        }
    }
}
