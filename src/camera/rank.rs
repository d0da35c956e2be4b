//! Which of many values is at a rank, without sorting them all.
//!
//! Values are counted in bins first; only those of the bin that holds the rank are looked at closely, so
//! that the answer is the same as after sorting.

/// Bins: in a field of some ten thousand pixels few are left to sort.
const BINS: usize = 256;

/// The value that would be at place `at` after sorting; 0 when there are none.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // bins
pub(super) fn nth_smallest(values: &[f32], at: usize) -> f32 {
    let (low, high) = bounds(values);
    if values.is_empty() || low >= high {
        return if values.is_empty() { 0.0 } else { low };
    }
    let scale = (BINS - 1) as f32 / (high - low);
    // As i32, which processors convert several of at once; never below 0.
    let bin = |v: f32| (((v - low) * scale) as i32 as usize).min(BINS - 1);
    let mut counts = [0_u32; BINS];
    for v in values {
        counts[bin(*v)] += 1;
    }
    let mut left = at.min(values.len() - 1);
    let mut chosen = 0;
    while left >= counts[chosen] as usize && chosen < BINS - 1 {
        left -= counts[chosen] as usize;
        chosen += 1;
    }
    let mut near: Vec<f32> = Vec::with_capacity(counts[chosen] as usize);
    near.extend(values.iter().filter(|v| bin(**v) == chosen));
    if near.is_empty() {
        return high; // values that are no numbers
    }
    let left = left.min(near.len() - 1);
    *near.select_nth_unstable_by(left, f32::total_cmp).1
}

fn bounds(values: &[f32]) -> (f32, f32) {
    // Lanes, which are compared at once.
    let (mut low, mut high) = ([f32::MAX; 8], [f32::MIN; 8]);
    let chunks = values.chunks_exact(8);
    let rest = chunks.remainder();
    for chunk in chunks {
        for i in 0..8 {
            low[i] = if chunk[i] < low[i] { chunk[i] } else { low[i] };
            high[i] = if chunk[i] > high[i] {
                chunk[i]
            } else {
                high[i]
            };
        }
    }
    let least = low.iter().chain(rest).copied().fold(f32::MAX, f32::min);
    let most = high.iter().chain(rest).copied().fold(f32::MIN, f32::max);
    (least, most)
}

/// The mean of the middle fifth of levels: a middle alone has steps of a whole level.
pub(super) fn middle_fifth(levels: impl Iterator<Item = u8>) -> f32 {
    // By sixteens, then each: few bins are walked through.
    let (mut coarse, mut fine) = ([0_u16; 16], [0_u16; 256]);
    let mut n = 0;
    for level in levels {
        coarse[usize::from(level >> 4)] += 1;
        fine[usize::from(level)] += 1;
        n += 1;
    }
    let from = n * 2 / 5;
    let to = (n * 3 / 5).max(from + 1).min(n);
    let (mut seen, mut total) = (0, 0);
    for (sixteen, count) in coarse.iter().enumerate() {
        let count = usize::from(*count);
        if seen + count <= from {
            seen += count;
            continue;
        }
        for (level, count) in fine.iter().enumerate().skip(sixteen * 16).take(16) {
            let next = seen + usize::from(*count);
            total += level * next.min(to).saturating_sub(seen.max(from));
            seen = next;
        }
        if seen >= to {
            break;
        }
    }
    total as f32 / to.saturating_sub(from).max(1) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_those_after_sorting() {
        let mut random = fastrand::Rng::with_seed(4);
        for n in [1, 2, 9, 200, 3000] {
            let spread = |r: &mut fastrand::Rng| (r.f32() - 0.4).powi(3) * 100.0;
            let values: Vec<f32> = (0..n).map(|_| spread(&mut random)).collect();
            let mut sorted = values.clone();
            sorted.sort_by(f32::total_cmp);
            for at in [0, n / 3, n / 2, n * 97 / 100, n - 1] {
                assert_eq!(nth_smallest(&values, at), sorted[at], "{at} of {n}");
            }
        }
        assert_eq!(nth_smallest(&[3.0; 40], 7), 3.0);
        assert_eq!(nth_smallest(&[], 0), 0.0);
    }

    #[test]
    fn the_middle_fifth_is_that_after_sorting() {
        let mut random = fastrand::Rng::with_seed(5);
        for n in [1, 2, 3, 4, 5, 60, 301] {
            let levels: Vec<u8> = (0..n).map(|_| random.u8(..)).collect();
            let mut sorted = levels.clone();
            sorted.sort_unstable();
            let (from, to) = (n * 2 / 5, (n * 3 / 5).max(n * 2 / 5 + 1));
            let sum: u32 = sorted[from..to].iter().map(|v| u32::from(*v)).sum();
            let mean = sum as f32 / (to - from) as f32;
            assert_eq!(middle_fifth(levels.into_iter()), mean, "{n}");
        }
    }
}
