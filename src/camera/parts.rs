//! Connected parts of a field's ink.

/// One connected part: its box and area in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) label: u32,
    pub(super) x0: usize,
    pub(super) y0: usize,
    /// One past the last column.
    pub(super) x1: usize,
    /// One past the last row.
    pub(super) y1: usize,
    pub(super) area: usize,
}

impl Part {
    pub(super) fn width(&self) -> usize {
        self.x1 - self.x0
    }

    pub(super) fn height(&self) -> usize {
        self.y1 - self.y0
    }
}

/// Finds the parts of a mask (eight neighbours), and the label of each pixel (0 is none).
pub(super) fn parts(mask: &[bool], w: usize) -> (Vec<Part>, Vec<u32>) {
    let h = mask.len() / w.max(1);
    let mut labels = vec![0_u32; mask.len()];
    let mut found = Vec::new();
    let mut stack = Vec::new();
    for start in 0..mask.len() {
        if !mask[start] || labels[start] != 0 {
            continue;
        }
        let label = u32::try_from(found.len() + 1).unwrap_or(u32::MAX);
        let (x, y) = (start % w, start / w);
        let mut part = Part {
            label,
            x0: x,
            y0: y,
            x1: x + 1,
            y1: y + 1,
            area: 0,
        };
        labels[start] = label;
        stack.push(start);
        while let Some(i) = stack.pop() {
            let (x, y) = (i % w, i / w);
            part.area += 1;
            part.x0 = part.x0.min(x);
            part.x1 = part.x1.max(x + 1);
            part.y0 = part.y0.min(y);
            part.y1 = part.y1.max(y + 1);
            for ny in y.saturating_sub(1)..(y + 2).min(h) {
                for nx in x.saturating_sub(1)..(x + 2).min(w) {
                    let n = ny * w + nx;
                    if mask[n] && labels[n] == 0 {
                        labels[n] = label;
                        stack.push(n);
                    }
                }
            }
        }
        found.push(part);
    }
    (found, labels)
}
