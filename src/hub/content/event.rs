//! A Server-Sent Event: made once, packed once, sent to many.
//!
//! Events of a compressed stream are packed without looking back at earlier ones and end on a byte
//! (RFC 1951: blocks, and an empty stored block as zlib's full flush makes it), so the same bytes
//! fit into the stream of any viewer, wherever it began. That is a gzip stream (RFC 1952) that
//! never comes to its trailer.

use bytes::Bytes;
use flate2::{Compress, Compression, FlushCompress};
use std::sync::OnceLock;

/// What a compressed stream begins with: gzip, deflate, no name, no time, no system (RFC 1952).
const GZIP_HEAD: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];

/// Zlib's own balance; an event of 5 kB takes a tenth of a millisecond, once for all viewers.
const LEVEL: u32 = 6;

/// More than a flush adds, also to an empty event.
const FLUSH_ROOM: usize = 64;

/// How a stream is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Packing {
    Plain,
    Gzip,
}

impl Packing {
    /// The first bytes of a stream.
    pub(crate) fn head(self) -> &'static [u8] {
        match self {
            Self::Plain => &[],
            Self::Gzip => &GZIP_HEAD,
        }
    }
}

/// Some bytes of a stream.
#[derive(Debug)]
pub(crate) struct Event {
    plain: Bytes,
    packed: OnceLock<Bytes>,
}

impl Event {
    /// One event with its data. Line ends within the data begin a new `data:` line, as the format
    /// asks.
    pub(crate) fn new(id: &str, data: &[u8]) -> Self {
        let mut out = Vec::with_capacity(data.len() + id.len() + 64);
        out.extend_from_slice(b"id: ");
        out.extend_from_slice(id.as_bytes());
        for line in data
            .split(|b| matches!(b, b'\n' | b'\r'))
            .filter(|l| !l.is_empty())
        {
            out.extend_from_slice(b"\ndata: ");
            out.extend_from_slice(line);
        }
        out.extend_from_slice(b"\n\n");
        Self::raw(out)
    }

    /// Other lines of a stream: comments, how long to wait before coming back.
    pub(crate) fn raw(plain: impl Into<Bytes>) -> Self {
        Self {
            plain: plain.into(),
            packed: OnceLock::new(),
        }
    }

    /// Its bytes in a stream.
    pub(crate) fn bytes(&self, packing: Packing) -> Bytes {
        match packing {
            Packing::Plain => self.plain.clone(),
            Packing::Gzip => self.packed.get_or_init(|| pack(&self.plain)).clone(),
        }
    }
}

fn pack(plain: &[u8]) -> Bytes {
    let mut compress = Compress::new(Compression::new(LEVEL), false);
    let mut out = Vec::with_capacity(plain.len() + FLUSH_ROOM);
    loop {
        let taken = usize::try_from(compress.total_in()).unwrap_or(usize::MAX);
        let rest = plain.get(taken..).unwrap_or_default();
        // Never fails: neither a dictionary nor a finished stream is in play.
        let _ = compress.compress_vec(rest, &mut out, FlushCompress::Full);
        // The flush is whole once there is room left behind it.
        if out.len() < out.capacity() {
            return out.into();
        }
        out.reserve(out.capacity().max(FLUSH_ROOM));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::read::GzDecoder;
    use proptest::prelude::*;
    use std::io::Read as _;

    /// What a client has of a stream that goes on.
    fn unpacked(stream: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        let end = GzDecoder::new(stream).read_to_end(&mut out);
        assert!(end.is_err(), "it never comes to its trailer");
        out
    }

    proptest! {
        #[test]
        fn packed_events_make_a_stream_in_any_order(
            texts in prop::collection::vec("[a-f\\n]{0,3000}", 1..5),
            order in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
        ) {
            let events: Vec<_> = texts.iter().map(|t| Event::new("x-1", t.as_bytes())).collect();
            let mut stream = Packing::Gzip.head().to_vec();
            let mut plain = Vec::new();
            for index in order {
                let event = index.get(&events);
                stream.extend_from_slice(&event.bytes(Packing::Gzip));
                plain.extend_from_slice(&event.bytes(Packing::Plain));
                // Whatever was sent can be read at once.
                prop_assert_eq!(unpacked(&stream), plain.clone());
            }
        }
    }

    #[test]
    fn noise_grows_little_and_numbers_shrink() {
        let noise: Vec<u8> = (0..100_000u32)
            .map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()[2])
            .collect();
        let event = Event::raw(noise.clone());
        assert!(event.bytes(Packing::Gzip).len() < noise.len() + 200);
        let numbers = r#"{"id":"moving","waiting":12,"next":["A042","A043"]}"#.repeat(40);
        let event = Event::new("x-1", numbers.as_bytes());
        assert!(event.bytes(Packing::Gzip).len() < numbers.len() / 4);
    }
}
