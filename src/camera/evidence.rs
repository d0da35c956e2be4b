//! Several pictures and what is plausible: from readings to numbers that can be shown.
//!
//! A reading counts once enough of them agree. A ticket then must also follow from the one before:
//! a few steps ahead, or over the end of the number series; anything else needs several times the
//! evidence. So one false reading changes nothing, and even a stubborn one is left again as soon as
//! true ones outlast it: nothing that was accepted blocks what comes later. Knows no pixels.

use super::read::Reading;
use std::time::Duration;

/// Tickets called at once; more steps ahead than that are not believed at first sight.
const STEPS: u32 = 30;
/// How many times the usual evidence an implausible number needs …
const STUBBORN: usize = 5;
/// … and for how long at least: a person in front of the board has moved on.
const STUBBORN_FOR: Duration = Duration::from_secs(20);
/// A number last read this long ago is evidence no more.
const FORGET: Duration = Duration::from_secs(30);

/// What is known of one field.
#[derive(Debug, Clone, Default)]
pub(super) struct Evidence {
    /// The reading that is gathering evidence: its text, how often, since when and until when.
    candidate: Option<(String, usize, Duration, Duration)>,
    /// What was accepted last.
    accepted: Option<String>,
}

/// How a field's numbers follow one another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// Forward by small steps, from the start again after so many.
    Series(u32),
    /// Any number may follow.
    Free,
}

impl Evidence {
    /// Takes the next reading; the accepted number when this reading confirms it.
    pub(super) fn take(
        &mut self,
        reading: &Reading,
        confirmations: usize,
        order: Order,
        mono: Duration,
    ) -> Option<&str> {
        let Ok(text) = &reading.text else {
            return None;
        };
        let (count, since) = match &self.candidate {
            Some((same, n, since, last)) if same == text && mono.saturating_sub(*last) < FORGET => {
                (n + 1, *since)
            }
            _ => (1, mono),
        };
        self.candidate = Some((text.clone(), count, since, mono));
        if self.accepted.as_ref() == Some(text) {
            return self.accepted.as_deref();
        }
        let plausible = match (&self.accepted, order) {
            (Some(last), Order::Series(length)) => follows(last, text, length),
            _ => true,
        };
        let stubborn =
            count >= confirmations * STUBBORN && mono.saturating_sub(since) >= STUBBORN_FOR;
        if (plausible && count >= confirmations) || stubborn {
            self.accepted = Some(text.clone());
            return self.accepted.as_deref();
        }
        None
    }

    /// Takes a number as accepted that was shown before: what comes next must follow from it.
    pub(super) fn resume(&mut self, text: &str) {
        self.accepted = Some(text.to_owned());
    }

    /// Forgets everything, as at the start of a day.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

/// Whether a number is a few steps after another in a series of so many.
fn follows(last: &str, next: &str, length: u32) -> bool {
    let (Ok(last), Ok(next)) = (last.parse::<u32>(), next.parse::<u32>()) else {
        return false;
    };
    let ahead = (next + length).saturating_sub(last) % length.max(1);
    (1..=STEPS).contains(&ahead)
}

#[cfg(test)]
mod tests {
    use super::super::reading::Doubt;
    use super::*;

    fn reading(text: &str) -> Reading {
        Reading {
            text: if text == "?" {
                Err(Doubt::Unclear)
            } else {
                Ok(text.to_owned())
            },
            confidence: 1.0,
        }
    }

    /// Feeds one reading a second, and lists what is accepted with each.
    fn run(readings: &str, order: Order) -> String {
        let mut evidence = Evidence::default();
        let of = |(i, text): (usize, &str)| {
            let mono = Duration::from_secs(i as u64);
            let known = evidence.take(&reading(text), 3, order, mono);
            known.unwrap_or("-").to_owned()
        };
        let known: Vec<String> = readings.split(' ').enumerate().map(of).collect();
        known.join(" ")
    }

    #[test]
    fn a_number_counts_once_three_readings_agree() {
        let series = Order::Series(999);
        assert_eq!(run("41 41 41 41 42 42 42", series), "- - 41 41 - - 42");
        assert_eq!(run("41 ? 41 ? 41 41", series), "- - - - 41 41");
        assert_eq!(run("41 42 41 42 41 42", series), "- - - - - -");
    }

    #[test]
    fn a_false_high_reading_does_not_block_what_follows() {
        let readings = "41 41 41 941 941 941 941 42 42 42 43 43 43";
        let known = "- - 41 - - - - - - 42 - - 43";
        assert_eq!(run(readings, Order::Series(999)), known);
    }

    #[test]
    fn a_stubborn_number_is_believed_and_left_again() {
        let stubborn = vec!["900"; 25].join(" ");
        let known = run(&format!("41 41 41 {stubborn}"), Order::Series(999));
        assert!(known.ends_with(" - 900 900 900 900 900"), "{known}");
        let back = vec!["42"; 25].join(" ");
        let known = run(&format!("41 41 41 {stubborn} {back}"), Order::Series(999));
        assert!(known.ends_with("42 42 42"), "{known}");
    }

    #[test]
    fn a_series_goes_on_over_its_end() {
        assert_eq!(
            run("998 998 998 1 1 1", Order::Series(999)),
            "- - 998 - - 1"
        );
        assert_eq!(
            run("998 998 998 40 40 40", Order::Series(999)),
            "- - 998 - - -"
        );
        assert_eq!(run("14 14 14 3 3 3", Order::Free), "- - 14 - - 3");
    }
}
