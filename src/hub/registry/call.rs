//! One call as it comes, held against the hub's clock.

use super::check::{is_near, is_offset};
use super::evidence::is_ahead;
use super::rejection::Rejection;
use crate::clock::Now;
use crate::wire::{self, report::CallReport};
use jiff::civil::Date;
use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, ToSpan as _};

/// The date where it is earliest on earth: no office is further behind (IANA `Etc/GMT+12`).
#[must_use]
pub fn earliest_date(wall: Timestamp) -> Date {
    wall.to_zoned(TimeZone::fixed(Offset::constant(-12))).date()
}

/// The first day of which anything is stored.
#[must_use]
pub fn oldest_day(wall: Timestamp, retention_days: u16) -> Date {
    let earliest = earliest_date(wall);
    let keep = i64::from(retention_days).days();
    earliest.checked_sub(keep).unwrap_or(earliest)
}

/// Reads one call of an office. Spools hold old calls, so the past is wide: `retention_days`.
///
/// # Errors
/// [`Rejection`] when it breaks the contract, when its `no` does not fit the history, and, while
/// the hub's clock is synchronised, when it is of the future or older than anything that is stored.
pub fn decode_call(payload: &[u8], now: Now, retention_days: u16) -> Result<CallReport, Rejection> {
    let call: CallReport = wire::decode(payload)?;
    if call.no == 0 || i64::try_from(call.no).is_err() {
        return Err(Rejection::CallNo(call.no));
    }
    if !is_near(call.day, call.at.zoned().date()) {
        return Err(Rejection::Time(call.day.to_string()));
    }
    if !is_offset(call.at) {
        return Err(Rejection::Time(call.at.to_string()));
    }
    if now.synced {
        if is_ahead(call.at.at, now) {
            return Err(Rejection::CallTime(call.at.to_string()));
        }
        // Where the office is, by its own word; that bounds it to half a day.
        let there = now.wall.to_zoned(TimeZone::fixed(call.at.offset)).date();
        let latest = call.at.zoned().date().max(there);
        if call.day > latest || call.day < oldest_day(now.wall, retention_days) {
            return Err(Rejection::CallTime(call.day.to_string()));
        }
    }
    Ok(call)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Now {
        Now::at("2026-11-24T10:42:07+09:00".parse().unwrap())
    }

    fn reason(day: &str, at: &str, now: Now) -> Option<&'static str> {
        let json = format!(
            r#"{{"queue":"moving","day":"{day}","epoch":0,"no":7,"ticket":"B7","counter":"",
            "at":"{at}","kind":"call"}}"#
        );
        decode_call(json.as_bytes(), now, 400)
            .err()
            .map(|r| r.reason())
    }

    #[test]
    fn calls_of_the_future_and_of_days_not_kept_are_refused() {
        for (day, at, expected) in [
            ("2026-11-24", "2026-11-24T10:42:07+09:00", None),
            ("2026-11-24", "2026-11-24T10:44:07+09:00", None),
            ("2026-11-24", "2026-11-24T10:44:08+09:00", Some("time")),
            ("2026-11-25", "2026-11-24T10:42:07+09:00", Some("time")),
            ("2026-11-23", "2026-11-24T00:12:07+09:00", None),
            ("2030-01-01", "2030-01-01T10:00:00+09:00", Some("time")),
            ("9999-12-29", "9999-12-29T10:00:00+09:00", Some("time")),
            ("0001-01-02", "0001-01-02T10:00:00+09:00", Some("time")),
            ("2025-10-20", "2025-10-20T10:00:00+09:00", None),
            ("2025-10-18", "2025-10-18T10:00:00+09:00", Some("time")),
            // Half an hour past midnight on the Line Islands, where it is tomorrow already.
            ("2026-11-24", "2026-11-24T15:41:00+14:00", None),
            ("2026-11-25", "2026-11-24T15:41:00+14:00", Some("time")),
            // No place on earth.
            ("2026-11-25", "2026-11-25T03:41:00+25:59", Some("time")),
            ("2026-11-23", "2026-11-22T23:41:00-25:59", Some("time")),
        ] {
            assert_eq!(reason(day, at, now()), expected, "{day} {at}");
        }
    }

    #[test]
    fn at_midnight_a_clock_a_minute_ahead_may_begin_the_day() {
        let now = Now::at("2026-11-24T23:59:30+09:00".parse().unwrap());
        assert_eq!(reason("2026-11-25", "2026-11-25T00:00:20+09:00", now), None);
        let ahead = reason("2026-11-25", "2026-11-25T00:02:00+09:00", now);
        assert_eq!(ahead, Some("time"));
    }

    #[test]
    fn without_a_clock_of_its_own_the_hub_compares_a_call_with_itself_alone() {
        let unsynced = Now {
            synced: false,
            ..now()
        };
        for day in ["2030-01-01", "2001-01-01"] {
            assert_eq!(
                reason(day, &format!("{day}T10:00:00+09:00"), unsynced),
                None
            );
        }
        let apart = reason("2030-01-01", "2030-01-03T10:00:00+09:00", unsynced);
        assert_eq!(apart, Some("time"));
    }
}
