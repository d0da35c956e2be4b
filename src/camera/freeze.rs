//! Detects a frozen camera: one that hangs hands out its last picture for ever.
//!
//! Two pictures of a working camera differ in some bit at least, by the noise of its sensor; equal
//! ones for a minute are one picture. Keeps a sum of the pixels, never the pixels.

use super::picture::Picture;
use std::time::Duration;

/// Equal pictures for so long are one picture.
const FROZEN_AFTER: Duration = Duration::from_secs(60);
/// … and so many of them at least: where one comes a minute, two may be equal at night.
const FROZEN_PICTURES: u32 = 4;

/// Detects pictures that stay the same.
#[derive(Debug, Clone, Default)]
pub struct FreezeDetector {
    /// Sum of the last picture, since when it comes, and how often it came.
    last: Option<(u32, Duration, u32)>,
}

impl FreezeDetector {
    /// Takes the next picture; for how long it has been the same, when that is too long.
    pub fn take(&mut self, picture: &Picture, mono: Duration) -> Option<Duration> {
        let sum = picture.sum();
        let (since, count) = match self.last {
            Some((last, since, count)) if last == sum => (since, count.saturating_add(1)),
            _ => (mono, 1),
        };
        self.last = Some((sum, since, count));
        let same = mono.saturating_sub(since);
        (same >= FROZEN_AFTER && count >= FROZEN_PICTURES).then_some(same)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_that_stays_for_a_minute_is_frozen_until_it_changes() {
        let picture = |level: u8| {
            let mut rgb = vec![90; 32 * 32 * 3];
            rgb[1000] = level;
            Picture::from_rgb(32, 32, rgb).expect("picture")
        };
        let mut still = FreezeDetector::default();
        let at = Duration::from_secs;
        assert_eq!(still.take(&picture(1), at(0)), None);
        assert_eq!(still.take(&picture(1), at(59)), None);
        assert_eq!(still.take(&picture(1), at(60)), None, "three pictures only");
        assert_eq!(still.take(&picture(1), at(61)), Some(at(61)));
        assert_eq!(still.take(&picture(2), at(62)), None, "one bit is enough");
        for second in 63..122 {
            assert_eq!(still.take(&picture(2), at(second)), None);
        }
        assert_eq!(still.take(&picture(2), at(122)), Some(at(60)));
    }
}
