//! How often one office may do something that costs others: a bucket of permits for each.
//!
//! Honest offices never notice: their nodes report five times a second at most. One that floods is
//! held to its limit, and everybody else keeps theirs. Time is handed in.

use crate::hub::registry::MAX_OFFICES;
use crate::model::OfficeId;
use std::collections::HashMap;
use std::time::Duration;

/// Permits left, and when they were counted.
#[derive(Debug)]
struct Bucket {
    left: f64,
    at: Duration,
}

/// The buckets of all offices, at most [`MAX_OFFICES`] of them.
#[derive(Debug)]
pub(super) struct RateLimit {
    burst: u32,
    per_second: u32,
    buckets: HashMap<OfficeId, Bucket>,
}

impl RateLimit {
    /// At most `burst` at once and `per_second` for long.
    pub(super) fn new(burst: u32, per_second: u32) -> Self {
        Self {
            burst,
            per_second,
            buckets: HashMap::new(),
        }
    }

    /// Uses one permit of an office; whether there was one. `now` is monotonic.
    pub(super) fn allow(&mut self, office: &OfficeId, now: Duration) -> bool {
        let burst = f64::from(self.burst);
        let per_second = f64::from(self.per_second);
        let refilled = |b: &Bucket| {
            let since = now.saturating_sub(b.at).as_secs_f64();
            (b.left + since * per_second).min(burst)
        };
        if !self.buckets.contains_key(office) && self.buckets.len() >= MAX_OFFICES {
            // A full bucket says no more than none.
            self.buckets.retain(|_, b| refilled(b) < burst);
            if self.buckets.len() >= MAX_OFFICES {
                return false;
            }
        }
        let full = Bucket {
            left: burst,
            at: now,
        };
        let bucket = self.buckets.entry(office.clone()).or_insert(full);
        bucket.left = refilled(bucket);
        bucket.at = bucket.at.max(now);
        let some = bucket.left >= 1.0;
        if some {
            bucket.left -= 1.0;
        }
        some
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn office(id: &str) -> OfficeId {
        OfficeId::new(id).unwrap()
    }

    #[test]
    fn a_burst_is_let_through_then_the_pace_holds_for_that_office_alone() {
        let mut limit = RateLimit::new(3, 2);
        let (flood, calm) = (office("flood"), office("calm"));
        let at = Duration::from_millis;
        let granted =
            |limit: &mut RateLimit, ms| (0..10).filter(|_| limit.allow(&flood, at(ms))).count();
        assert_eq!(granted(&mut limit, 0), 3);
        assert_eq!(granted(&mut limit, 500), 1);
        assert!(limit.allow(&calm, at(500)));
        assert_eq!(granted(&mut limit, 60_000), 3, "no more than the burst");
        assert_eq!(
            granted(&mut limit, 59_000),
            0,
            "time that goes back grants nothing"
        );
    }

    #[test]
    fn ever_new_offices_take_no_more_room() {
        let mut limit = RateLimit::new(1, 1);
        let all = MAX_OFFICES;
        for n in 0..all {
            assert!(limit.allow(&office(&format!("o{n}")), Duration::ZERO));
        }
        assert!(!limit.allow(&office("more"), Duration::ZERO));
        assert!(
            limit.allow(&office("more"), Duration::from_secs(1)),
            "others rested"
        );
        assert!(limit.buckets.len() <= all);
    }
}
