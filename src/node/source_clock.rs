//! Texts about a ticketing system whose clock is wrong, for those who can set it.

use crate::clock::Now;
use crate::model::QueueId;
use jiff::{SignedDuration, tz::TimeZone};

/// A message was rejected because its clock is ahead of this device's by `off`, or behind if negative.
pub(crate) fn wrong(queue: &QueueId, off: SignedDuration, now: Now, zone: &TimeZone) -> String {
    let there = now.wall.saturating_add(off).unwrap_or(now.wall);
    let clock = |at: jiff::Timestamp| at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M");
    let (there, here) = (clock(there), clock(now.wall));
    let (way, japanese) = if off.is_negative() {
        ("behind", "遅れて")
    } else {
        ("ahead of", "進んで")
    };
    let (span, span_in_japanese) = span(off);
    format!(
        "queue {queue}: the ticketing system's clock is {span} {way} this device's (there {there}, \
         here {here}); its numbers are not shown until it is right: set its clock / \
         発券システムの時計が{span_in_japanese}{japanese}います。時刻を合わせてください"
    )
}

/// A message was rejected because its business day is not one of its own time.
pub(crate) fn day_off(queue: &QueueId, refusal: &str) -> String {
    format!(
        "queue {queue}: {refusal}: set the ticketing system's date / 発券システムの日付が合っていません"
    )
}

/// The business day changed in the middle of the office's day.
pub(crate) fn flipped(queue: &QueueId, now: Now, zone: &TimeZone) -> String {
    let here = now.wall.to_zoned(zone.clone());
    let name = zone.iana_name().unwrap_or("the office's");
    // Midnight of UTC is as many hours after the office's as its zone is ahead (before it: behind).
    let hours = here.offset().seconds().rem_euclid(24 * 3600) / 3600;
    let why = if hours == i32::from(here.hour()) {
        "as if it counted days in UTC"
    } else {
        "as if it were in another time zone"
    };
    format!(
        "queue {queue}: its business day changed at {} and not at midnight, {why}: set the ticketing system's time zone to {name} / 発券システムの日付が{}に変わりました。時間帯（タイムゾーン）の設定を確認してください",
        here.strftime("%H:%M"),
        here.strftime("%H時%M分"),
    )
}

/// A span in its two largest units, in English and in Japanese.
fn span(off: SignedDuration) -> (String, String) {
    let minutes = off.unsigned_abs().as_secs() / 60;
    let (days, hours, rest) = (minutes / 1440, minutes / 60 % 24, minutes % 60);
    match (days, hours) {
        (0, 0) => (format!("{rest} min"), format!("{rest}分")),
        (0, _) => (
            format!("{hours} h {rest} min"),
            format!("{hours}時間{rest}分"),
        ),
        _ => (
            format!("{days} d {hours} h"),
            format!("{days}日{hours}時間"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Now {
        Now::at("2026-11-30T13:01:00+09:00".parse().expect("time"))
    }

    #[test]
    fn a_wrong_clock_is_said_with_how_far_it_is_off() {
        let queue = QueueId::new("koseki").expect("id");
        let zone = TimeZone::fixed(jiff::tz::offset(9));
        let said = |minutes| wrong(&queue, SignedDuration::from_mins(minutes), now(), &zone);
        let ahead = said(719);
        assert!(
            ahead.contains(
                "is 11 h 59 min ahead of this device's (there 2026-12-01 01:00, here 2026-11-30 13:01)"
            ),
            "{ahead}"
        );
        assert!(ahead.contains("時計が11時間59分進んでいます"), "{ahead}");
        assert!(said(-3).contains("3 min behind"));
        assert!(said(-3 * 1440 - 60).contains("3 d 1 h behind"));
    }

    #[test]
    fn a_day_that_changes_at_nine_is_that_of_utc() {
        let queue = QueueId::new("koseki").expect("id");
        let zone = TimeZone::get("Asia/Tokyo").expect("zone");
        let at = |time: &str| Now::at(time.parse().expect("time"));
        let said = flipped(&queue, at("2026-12-01T09:00:20+09:00"), &zone);
        assert!(said.contains("at 09:00") && said.contains("UTC") && said.contains("Asia/Tokyo"));
        let other = flipped(&queue, at("2026-12-01T14:00:20+09:00"), &zone);
        assert!(!other.contains("UTC"), "{other}");
    }
}
