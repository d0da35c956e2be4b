//! Bytes of a `text/event-stream` to events, by the rules of the WHATWG HTML standard, 9.2.6.

use super::super::MAX_PAYLOAD;
use std::time::Duration;

/// Longest line, in bytes: data of the greatest size with its field name.
const MAX_LINE: usize = MAX_PAYLOAD + 16;

/// Longest name and identity, in bytes.
const MAX_NAME: usize = 1024;

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Event {
    pub(super) name: String,
    pub(super) data: Vec<u8>,
}

/// Reads one stream after the other; the last identity outlives a stream.
#[derive(Debug, Default)]
pub(super) struct Parser {
    line: Vec<u8>,
    /// Whether the line is too long; the rest of it is passed over.
    too_long: bool,
    /// Whether the last byte was CR: an LF that follows belongs to it.
    after_cr: bool,
    /// Whether the first line was read, which may begin with a byte order mark.
    begun: bool,
    name: Vec<u8>,
    data: Vec<u8>,
    /// Whether the event is too large to be handed on.
    too_large: bool,
    id: Vec<u8>,
    /// The identity of the last whole event, for `Last-Event-ID`.
    pub(super) last_id: Vec<u8>,
    /// What the server wants as pause before the next connection.
    pub(super) retry: Option<Duration>,
    /// Events that were too large, and left out.
    pub(super) left_out: u64,
}

impl Parser {
    /// Begins a new stream. What was half read is forgotten.
    pub(super) fn begin(&mut self) {
        *self = Self {
            id: self.last_id.clone(),
            last_id: std::mem::take(&mut self.last_id),
            retry: self.retry,
            left_out: self.left_out,
            ..Self::default()
        };
    }

    /// Whether the event that is being read is too large to be handed on.
    pub(super) fn is_too_large(&self) -> bool {
        self.too_long || self.too_large
    }

    /// Takes bytes, in any pieces; the events that are whole now.
    pub(super) fn push(&mut self, mut bytes: &[u8]) -> Vec<Event> {
        let mut events = Vec::new();
        if std::mem::take(&mut self.after_cr) && bytes.first() == Some(&b'\n') {
            bytes = &bytes[1..];
        } else if bytes.is_empty() {
            return events;
        }
        while let Some(end) = memchr::memchr2(b'\r', b'\n', bytes) {
            self.extend(&bytes[..end]);
            events.extend(self.end_line());
            let mut next = end + 1;
            if bytes[end] == b'\r' {
                match bytes.get(next) {
                    Some(b'\n') => next += 1,
                    Some(_) => {}
                    None => self.after_cr = true,
                }
            }
            bytes = &bytes[next..];
        }
        self.extend(bytes);
        events
    }

    fn extend(&mut self, bytes: &[u8]) {
        if self.too_long || self.line.len() + bytes.len() > MAX_LINE {
            self.too_long = true;
            self.line.clear();
        } else {
            self.line.extend_from_slice(bytes);
        }
    }

    fn end_line(&mut self) -> Option<Event> {
        let mut line = std::mem::take(&mut self.line);
        if !std::mem::replace(&mut self.begun, true) && line.starts_with(b"\xef\xbb\xbf") {
            line.drain(..3);
        }
        if std::mem::take(&mut self.too_long) {
            self.too_large = true;
            return None;
        }
        if line.is_empty() {
            return self.dispatch();
        }
        let colon = memchr::memchr(b':', &line);
        let (field, value) = match colon {
            Some(colon) => (&line[..colon], &line[colon + 1..]),
            None => (&line[..], &[][..]),
        };
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match field {
            b"event" if value.len() <= MAX_NAME => self.name = value.to_owned(),
            b"data" if self.data.len() + value.len() > MAX_PAYLOAD => self.too_large = true,
            b"data" => {
                self.data.extend_from_slice(value);
                self.data.push(b'\n');
            }
            b"id" if value.len() <= MAX_NAME && !value.contains(&0) => self.id = value.to_owned(),
            b"retry" if !value.is_empty() && value.iter().all(u8::is_ascii_digit) => {
                let text = std::str::from_utf8(value).ok();
                let milliseconds = text.and_then(|t| t.parse().ok()).unwrap_or(u64::MAX);
                self.retry = Some(Duration::from_millis(milliseconds));
            }
            _ => {} // a comment, or a field of a later standard
        }
        None
    }

    fn dispatch(&mut self) -> Option<Event> {
        self.last_id.clone_from(&self.id);
        let name = std::mem::take(&mut self.name);
        let mut data = std::mem::take(&mut self.data);
        if std::mem::take(&mut self.too_large) {
            self.left_out += 1;
            return None;
        }
        data.pop()?; // the end of its last line
        let name = match name.as_slice() {
            [] => "message".to_owned(),
            name => String::from_utf8_lossy(name).into_owned(),
        };
        Some(Event { name, data })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn events(parser: &mut Parser, text: &str) -> Vec<(String, String)> {
        let text_of = |data: Vec<u8>| String::from_utf8(data).expect("UTF-8");
        let events = parser.push(text.as_bytes()).into_iter();
        events.map(|e| (e.name, text_of(e.data))).collect()
    }

    fn read(text: &str) -> Vec<(String, String)> {
        events(&mut Parser::default(), text)
    }

    fn messages(data: &[&str]) -> Vec<(String, String)> {
        data.iter()
            .map(|d| ("message".to_owned(), (*d).to_owned()))
            .collect()
    }

    #[test]
    fn the_examples_of_the_standard_come_out() {
        assert_eq!(
            read("data: YHOO\ndata: +2\ndata: 10\n\n"),
            messages(&["YHOO\n+2\n10"])
        );
        let mut parser = Parser::default();
        let text = ": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n";
        let begin = events(&mut parser, &text[..48]);
        assert_eq!(begin, messages(&["first event"]));
        assert_eq!(parser.last_id, b"1");
        assert_eq!(
            events(&mut parser, &text[48..]),
            messages(&["second event", " third event"])
        );
        assert_eq!(parser.last_id, b"");
        assert_eq!(read("data\n\ndata\ndata\n\ndata:"), messages(&["", "\n"]));
        assert_eq!(
            read("data:test\n\ndata: test\n\n"),
            messages(&["test", "test"])
        );
        let named = read("event: add\ndata: 73857293\n\nevent: remove\n\ndata: 1\n\n");
        assert_eq!(
            named,
            [
                ("add".into(), "73857293".into()),
                ("message".into(), "1".into())
            ]
        );
    }

    #[test]
    fn lines_end_in_three_ways_and_a_mark_is_left_out() {
        assert_eq!(
            read("\u{feff}data: a\r\n\r\ndata: b\r\rdata: c\n\n"),
            messages(&["a", "b", "c"])
        );
        assert_eq!(read("\u{feff}\u{feff}data: a\n\n"), [], "one mark only");
    }

    #[test]
    fn identities_and_pauses_are_kept_for_the_next_connection() {
        let mut parser = Parser::default();
        events(
            &mut parser,
            "retry: 2500\nid: 7\ndata: a\n\nid: 8\ndata: half",
        );
        parser.begin();
        assert_eq!(parser.last_id, b"7", "a half event has no identity");
        assert_eq!(parser.retry, Some(Duration::from_millis(2500)));
        assert_eq!(
            events(&mut parser, "\n\nid: a\0b\nretry: 1s\ndata: b\n\n"),
            messages(&["b"])
        );
        assert_eq!(parser.last_id, b"7");
        assert_eq!(parser.retry, Some(Duration::from_millis(2500)));
        events(&mut parser, "retry: 99999999999999999999999\n");
        assert_eq!(parser.retry, Some(Duration::from_millis(u64::MAX)));
    }

    #[test]
    fn what_is_too_large_is_left_out_and_the_next_event_is_not() {
        let long = "x".repeat(MAX_PAYLOAD);
        assert_eq!(read(&format!("data: {long}\n\n")).len(), 1);
        let mut parser = Parser::default();
        let found = events(
            &mut parser,
            &format!("data: {long}\ndata: y\n\ndata: 1\n\n"),
        );
        assert_eq!((found, parser.left_out), (messages(&["1"]), 1));
        for _ in 0..8 {
            assert_eq!(events(&mut parser, &long), []);
            assert!(parser.is_too_large() || parser.line.len() == MAX_PAYLOAD);
            assert!(parser.line.len() <= MAX_LINE);
        }
        assert_eq!(events(&mut parser, "\n\ndata: 2\n\n"), messages(&["2"]));
        assert_eq!(parser.left_out, 2);
    }

    proptest! {
        #[test]
        fn pieces_make_no_difference(
            text in "(data: [a-c]{0,3}|event: n|id: [0-9]|: c|\r|\n|\r\n|x){0,30}",
            cuts in prop::collection::vec(0usize..200, 0..6),
        ) {
            let whole = read(&text);
            let mut cuts: Vec<usize> = cuts.into_iter().map(|c| c.min(text.len())).collect();
            cuts.sort_unstable();
            let (mut parser, mut found, mut last) = (Parser::default(), Vec::new(), 0);
            for cut in cuts.into_iter().chain([text.len()]) {
                found.extend(events(&mut parser, &text[last..cut]));
                last = cut;
            }
            prop_assert_eq!(found, whole);
        }
    }
}
