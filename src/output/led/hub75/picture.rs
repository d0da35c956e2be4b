//! A frame as the data lines carry it.

use crate::frame::Frame;

/// Columns of two rows at a time, in the order in which they are shifted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    width: usize,
    /// Six bits a column: red, green, blue of the upper row, then of the lower.
    columns: Vec<u8>,
}

impl Picture {
    /// A picture of `rows` rows, an even number; channels from 128 on are lit.
    #[must_use]
    pub fn new(frame: &Frame, rows: u32) -> Self {
        let half = rows / 2;
        let bits = |word: Option<&u32>| {
            let [_, r, g, b] = word.copied().unwrap_or(0).to_be_bytes();
            r >> 7 | g >> 7 << 1 | b >> 7 << 2
        };
        let width = frame.width() as usize;
        let mut columns = Vec::with_capacity(width * half as usize);
        for y in 0..half {
            let (upper, lower) = (frame.row(y), frame.row(y + half));
            columns.extend((0..width).map(|x| bits(upper.get(x)) | bits(lower.get(x)) << 3));
        }
        Self { width, columns }
    }

    /// Two rows after the other, from the top of each half.
    pub(super) fn rows(&self) -> impl Iterator<Item = &[u8]> {
        self.columns.chunks_exact(self.width.max(1))
    }
}
