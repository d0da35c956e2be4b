//! JPEG pictures one after the other on one stream: what `rpicam-vid --codec mjpeg` writes, and,
//! with some lines of text between them, what cameras on a network send.
//!
//! Cuts at the markers of ITU-T T.81: a picture begins with SOI and ends with EOI, and within coded
//! data no EOI can stand. Segments are skipped by their length, since a thumbnail within one has
//! markers of its own. Bounded: a picture that does not end is dropped.

/// Larger pictures are none: 4096 × 4096 at a good quality take less.
pub(super) const MAX_BYTES: usize = 16 * 1024 * 1024;

/// Cuts a stream into pictures.
#[derive(Debug, Default)]
pub(super) struct JpegSplitter {
    bytes: Vec<u8>,
    /// How far the picture at the front was looked through.
    seen: usize,
}

impl JpegSplitter {
    /// Takes the next bytes of the stream; the newest whole picture, if one came to its end.
    pub(super) fn take(&mut self, more: &[u8]) -> Option<Vec<u8>> {
        self.bytes.extend_from_slice(more);
        let mut newest = None;
        while let Some(picture) = self.cut() {
            newest = Some(picture);
        }
        if self.bytes.len() > MAX_BYTES {
            self.drop_to(self.bytes.len());
        }
        newest
    }

    /// Whether a picture has begun and not ended.
    pub(super) fn is_within(&self) -> bool {
        self.seen > 0
    }

    fn drop_to(&mut self, at: usize) {
        self.bytes.drain(..at);
        self.seen = 0;
    }

    /// The picture at the front, when it is whole.
    fn cut(&mut self) -> Option<Vec<u8>> {
        if self.seen == 0 {
            let start = self.bytes.windows(2).position(|w| w == [0xff, 0xd8]);
            let Some(start) = start else {
                // The first half of a marker may be the last byte.
                self.drop_to(self.bytes.len().saturating_sub(1));
                return None;
            };
            self.drop_to(start);
            self.seen = 2;
        }
        loop {
            let rest = self.bytes.get(self.seen..)?;
            // Coded data, fill bytes and whatever is no marker.
            let Some(at) = rest.iter().position(|b| *b == 0xff) else {
                self.seen = self.bytes.len();
                return None;
            };
            self.seen += at;
            let marker = *self.bytes.get(self.seen + 1)?;
            match marker {
                0xd9 => {
                    let picture = self.bytes[..self.seen + 2].to_vec();
                    self.drop_to(self.seen + 2);
                    return Some(picture);
                }
                // A new picture begins within this one: the end of the first was lost.
                0xd8 => {
                    self.drop_to(self.seen);
                    self.seen = 2;
                }
                0xff => self.seen += 1,
                // Stuffed bytes and restart markers stand alone.
                0x00 | 0x01 | 0xd0..=0xd7 => self.seen += 2,
                _ => {
                    let length = self.bytes.get(self.seen + 2..self.seen + 4)?;
                    let length = usize::from(u16::from_be_bytes([length[0], length[1]]));
                    self.seen += 2 + length.max(2);
                }
            }
        }
    }
}

/// The picture with what its decoder needs: cameras on USB often leave out the Huffman tables, which
/// in Motion JPEG are always the same. A segment that says so makes the decoder use those.
pub(super) fn complete(mut jpeg: Vec<u8>) -> Vec<u8> {
    /// APP0 of an AVI file (OpenDML AVI, "AVI1"): length 16, and no fields.
    const MOTION_JPEG: [u8; 18] = *b"\xff\xe0\x00\x10AVI1\0\0\0\0\0\0\0\0\0\0";
    if jpeg.starts_with(&[0xff, 0xd8]) && !has_tables(&jpeg) {
        jpeg.splice(2..2, MOTION_JPEG);
    }
    jpeg
}

/// Whether Huffman tables stand before the first scan.
fn has_tables(jpeg: &[u8]) -> bool {
    let mut at = 2;
    while let Some(&[0xff, marker, high, low]) = jpeg.get(at..at + 4) {
        match marker {
            0xc4 => return true,
            0xda => return false,
            0xff => at += 1,
            _ => at += 2 + usize::from(u16::from_be_bytes([high, low])).max(2),
        }
    }
    // No picture anyway: its decoder says so.
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::camera::Picture;
    use jpeg_encoder::{ColorType, Encoder};

    /// A picture with a thumbnail in a segment, and stuffed bytes.
    fn picture(n: u8) -> Vec<u8> {
        let mut bytes = vec![0xff, 0xd8, 0xff, 0xe1, 0, 8, 0xff, 0xd8, n, n, 0xff, 0xd9];
        bytes.extend([
            0xff, 0xda, 0, 3, 1, n, 0xff, 0, n, 0xff, 0xd3, n, 0xff, 0xd9,
        ]);
        bytes
    }

    #[test]
    fn pictures_are_cut_at_their_ends_however_the_bytes_come() {
        let noise = [7, 0xff, 3];
        let stream = [picture(1), noise.to_vec(), picture(2), picture(3)].concat();
        for step in 1..=stream.len() {
            let mut splitter = JpegSplitter::default();
            let got: Vec<_> = stream
                .chunks(step)
                .filter_map(|c| splitter.take(c))
                .collect();
            assert_eq!(got.last(), Some(&picture(3)), "{step}");
            assert!(
                got.iter().all(|p| (1..=3).any(|n| *p == picture(n))),
                "{step}"
            );
            assert!(step > 1 || got.len() == 3);
            assert!(!splitter.is_within());
        }
    }

    #[test]
    fn a_picture_without_an_end_is_dropped_for_the_next_and_nothing_grows() {
        let mut splitter = JpegSplitter::default();
        let whole = picture(1);
        let cut = &whole[..whole.len() - 4];
        assert_eq!(splitter.take(cut), None);
        assert!(splitter.is_within());
        assert_eq!(splitter.take(&picture(2)), Some(picture(2)));
        assert_eq!(splitter.take(&[0xff, 0xd8]), None);
        for _ in 0..40 {
            assert_eq!(splitter.take(&vec![1; 1024 * 1024]), None);
            assert!(splitter.bytes.len() <= MAX_BYTES);
        }
        assert_eq!(splitter.take(&picture(3)), Some(picture(3)));
    }

    #[test]
    fn a_picture_without_its_tables_is_read_all_the_same() {
        let rgb: Vec<u8> = (0..32 * 32 * 3).map(|i| (i % 251) as u8).collect();
        let mut jpeg = Vec::new();
        let encoder = Encoder::new(&mut jpeg, 80); // the standard's tables
        encoder
            .encode(&rgb, 32, 32, ColorType::Rgb)
            .expect("encoded");
        let whole = Picture::from_jpeg(&jpeg).expect("a picture").sum();
        assert_eq!(complete(jpeg.clone()), jpeg, "nothing is missing");
        let mut bare = jpeg[..2].to_vec();
        let mut at = 2;
        while jpeg[at + 1] != 0xda {
            let length = usize::from(u16::from_be_bytes([jpeg[at + 2], jpeg[at + 3]]));
            if jpeg[at + 1] != 0xc4 {
                bare.extend(&jpeg[at..at + 2 + length]);
            }
            at += 2 + length;
        }
        bare.extend(&jpeg[at..]);
        assert!(bare.len() + 400 < jpeg.len());
        assert!(
            Picture::from_jpeg(&bare).is_err(),
            "without help it is none"
        );
        let found = Picture::from_jpeg(&complete(bare)).expect("a picture");
        assert_eq!(found.sum(), whole);
        for broken in [&b"\xff\xd8"[..], b"\xff\xd8\xff\xe0", b"GIF89a", b""] {
            assert_eq!(complete(broken.to_vec()), broken);
        }
    }
}
