//! Connected components of a field's ink.

/// One connected component: its bounding box and area in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Component {
    pub(super) x0: usize,
    pub(super) y0: usize,
    /// One past the last column.
    pub(super) x1: usize,
    /// One past the last row.
    pub(super) y1: usize,
    pub(super) area: usize,
}

impl Component {
    pub(super) fn width(&self) -> usize {
        self.x1 - self.x0
    }

    pub(super) fn height(&self) -> usize {
        self.y1 - self.y0
    }
}

/// A stretch of ink in one row.
#[derive(Debug, Clone, Copy)]
struct Stretch {
    y: usize,
    x0: usize,
    x1: usize,
    /// First an earlier stretch of the same part, or itself; in the end the part's place.
    part: usize,
}

/// The parts of a mask (eight neighbours), in the order of their first pixels.
pub(super) struct Components {
    w: usize,
    stretches: Vec<Stretch>,
    pub(super) found: Vec<Component>,
}

impl Components {
    /// Finds them.
    pub(super) fn of(mask: &[bool], w: usize) -> Self {
        let mut all: Vec<Stretch> = Vec::new();
        // Where the stretches of the row above begin.
        let mut above = 0;
        for (y, row) in mask.chunks_exact(w.max(1)).enumerate() {
            let begin = all.len();
            let mut upper = above;
            let mut x = 0;
            while let Some(skip) = row[x..].iter().position(|ink| *ink) {
                let x0 = x + skip;
                let x1 = row[x0..].iter().position(|ink| !*ink).map_or(w, |n| x0 + n);
                let own = all.len();
                all.push(Stretch {
                    y,
                    x0,
                    x1,
                    part: own,
                });
                // Those above that touch it, also at a corner.
                while upper < begin && all[upper].x1 < x0 {
                    upper += 1;
                }
                let mut touching = upper;
                while touching < begin && all[touching].x0 <= x1 {
                    join(&mut all, touching, own);
                    touching += 1;
                }
                x = x1;
            }
            above = begin;
        }
        let mut found: Vec<Component> = Vec::new();
        for i in 0..all.len() {
            let Stretch { y, x0, x1, part } = all[i];
            // Earlier stretches tell their part's place already.
            let place = if part == i {
                found.push(Component {
                    x0,
                    y0: y,
                    x1,
                    y1: y + 1,
                    area: 0,
                });
                found.len() - 1
            } else {
                all[part].part
            };
            all[i].part = place;
            let part = &mut found[place];
            part.x0 = part.x0.min(x0);
            part.x1 = part.x1.max(x1);
            part.y1 = y + 1;
            part.area += x1 - x0;
        }
        Self {
            w,
            stretches: all,
            found,
        }
    }

    /// A mask of the parts that are wanted, in `h` rows.
    pub(super) fn mask(&self, h: usize, wanted: impl Fn(&Component) -> bool) -> Vec<bool> {
        let wanted: Vec<bool> = self.found.iter().map(wanted).collect();
        let mut mask = vec![false; self.w * h];
        for s in self.stretches.iter().filter(|s| wanted[s.part]) {
            mask[s.y * self.w + s.x0..s.y * self.w + s.x1].fill(true);
        }
        mask
    }

    /// The first and the last column of each row of one part.
    pub(super) fn row_extents(&self, part: usize) -> Vec<(usize, usize, usize)> {
        let mut ends: Vec<(usize, usize, usize)> = Vec::new();
        for s in self.stretches.iter().filter(|s| s.part == part) {
            match ends.last_mut() {
                Some((y, _, last)) if *y == s.y => *last = s.x1 - 1,
                _ => ends.push((s.y, s.x0, s.x1 - 1)),
            }
        }
        ends
    }
}

/// The earliest stretch of a stretch's part.
fn root(all: &mut [Stretch], mut i: usize) -> usize {
    while all[i].part != i {
        // Half the way is spared next time.
        all[i].part = all[all[i].part].part;
        i = all[i].part;
    }
    i
}

fn join(all: &mut [Stretch], a: usize, b: usize) {
    let (a, b) = (root(all, a), root(all, b));
    all[a.max(b)].part = a.min(b);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_that_meet_below_are_one_and_corners_join() {
        let rows = [
            "#..#..#", //
            "#..#...", ".##..#.", "......#",
        ];
        let mask: Vec<bool> = rows.concat().bytes().map(|b| b == b'#').collect();
        let parts = Components::of(&mask, 7);
        let boxes: Vec<_> = parts
            .found
            .iter()
            .map(|p| (p.x0, p.y0, p.x1, p.y1, p.area))
            .collect();
        assert_eq!(boxes, [(0, 0, 4, 3, 6), (6, 0, 7, 1, 1), (5, 2, 7, 4, 2)]);
        assert_eq!(parts.mask(4, |p| p.area > 1), {
            let mut all = mask.clone();
            all[6] = false;
            all
        });
        assert_eq!(parts.row_extents(0), [(0, 0, 3), (1, 0, 3), (2, 1, 2)]);
    }
}
