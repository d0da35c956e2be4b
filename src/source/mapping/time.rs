//! Times as systems write them.
//!
//! RFC 3339 and ISO 8601 with a `T`, a blank or `/`, RFC 2822, counts since 1970, or a format of the
//! configuration (strftime). A time without an offset is one of the rule's zone. A time without a
//! date is that of the day on which it is nearest to the arrival.

use crate::model::text::plain;
use crate::source::Stamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::fmt::{rfc2822, strtime::BrokenDownTime};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Zoned};
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);
const SECOND: Duration = Duration::from_secs(1);

/// How a rule reads times.
#[derive(Debug, Clone)]
pub(super) struct TimeRule {
    pub(super) zone: Option<TimeZone>,
    pub(super) format: TimeFormat,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TimeFormat {
    /// Whatever is written.
    Any,
    /// Seconds since 1970, with or without a fraction.
    Unix,
    /// Milliseconds since 1970.
    UnixMs,
    /// A strftime format.
    Own(String),
}

impl TimeFormat {
    /// Takes the word or format of the configuration.
    ///
    /// # Errors
    /// What was expected.
    pub(super) fn new(text: &str) -> Result<Self, String> {
        match text {
            "any" | "rfc3339" => Ok(Self::Any),
            "unix" => Ok(Self::Unix),
            "unix-ms" => Ok(Self::UnixMs),
            own => {
                let written = jiff::fmt::strtime::format(own, &Zoned::default());
                if own.contains('%') && written.is_ok() {
                    Ok(Self::Own(own.to_owned()))
                } else {
                    Err("expected rfc3339, unix, unix-ms or a format such as %Y%m%d %H:%M".into())
                }
            }
        }
    }
}

impl TimeRule {
    /// Reads a time that arrived at `arrival` at an office in `office`.
    pub(super) fn read(&self, text: &str, office: &TimeZone, arrival: Timestamp) -> Option<Stamp> {
        let zone = self.zone.as_ref().unwrap_or(office);
        let text = plain(text);
        let text = text.trim();
        let read = match &self.format {
            TimeFormat::Any => any(text, zone, arrival)?,
            TimeFormat::Unix => (since_1970(text, Some(1_000_000_000))?, Duration::ZERO),
            TimeFormat::UnixMs => (since_1970(text, Some(1_000_000))?, Duration::ZERO),
            TimeFormat::Own(format) => own(format, text, zone, arrival)?,
        };
        let (at, coarse) = read;
        Some(Stamp {
            at,
            coarse,
            date: at.to_zoned(zone.clone()).date(),
        })
    }
}

/// A time in the configured format.
fn own(
    format: &str,
    text: &str,
    zone: &TimeZone,
    arrival: Timestamp,
) -> Option<(Timestamp, Duration)> {
    let parts = BrokenDownTime::parse(format, text).ok()?;
    let coarse = match (parts.second(), parts.subsec_nanosecond()) {
        (None, _) => MINUTE,
        (Some(_), None) => SECOND,
        _ => Duration::ZERO,
    };
    if let Ok(at) = parts.to_timestamp() {
        return Some((at, coarse));
    }
    if let Ok(at) = parts.to_datetime() {
        return Some((of_zone(at, zone)?, coarse));
    }
    let time = Time::new(
        parts.hour()?,
        parts.minute().unwrap_or(0),
        parts.second().unwrap_or(0),
        parts.subsec_nanosecond().unwrap_or(0),
    );
    Some((nearest(time.ok()?, zone, arrival)?, coarse))
}

/// A time in any of the usual forms.
fn any(text: &str, zone: &TimeZone, arrival: Timestamp) -> Option<(Timestamp, Duration)> {
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        return Some((since_1970(text, None)?, Duration::ZERO));
    }
    let coarse = match text.matches(':').count() {
        // `10:42`, and the colon of an offset behind it.
        0 | 1 => MINUTE,
        2 if text.rfind(':') > text.rfind('+').filter(|at| *at > 10) && text.contains('+') => {
            MINUTE
        }
        _ if text.contains('.') => Duration::ZERO,
        _ => SECOND,
    };
    let usual = text.replace('/', "-");
    let usual = usual
        .replace(" +", "+")
        .replace(" -", "-")
        .replace(" Z", "Z");
    let exact = |text: &str| text.parse::<Timestamp>().ok();
    let zoned = || text.parse::<Zoned>().ok().map(|at| at.timestamp());
    let mail = || rfc2822::parse(text).ok().map(|at| at.timestamp());
    let local = || local(&usual).and_then(|at| of_zone(at, zone));
    let clock = || {
        let time = ["%H:%M:%S%.f", "%H:%M"]
            .iter()
            .find_map(|f| Time::strptime(f, text).ok())?;
        nearest(time, zone, arrival)
    };
    let at = exact(text)
        .or_else(zoned)
        .or_else(|| exact(&usual))
        .or_else(local)
        .or_else(mail)
        .or_else(clock)?;
    Some((at, coarse))
}

fn local(text: &str) -> Option<DateTime> {
    const FORMS: [&str; 6] = [
        "%Y-%m-%d %H:%M:%S%.f",
        "%Y-%m-%dT%H:%M:%S%.f",
        "%Y-%m-%d %H:%M",
        "%Y-%m-%dT%H:%M",
        "%Y%m%d %H:%M:%S",
        "%Y%m%d %H:%M",
    ];
    FORMS.iter().find_map(|f| DateTime::strptime(f, text).ok())
}

fn of_zone(at: DateTime, zone: &TimeZone) -> Option<Timestamp> {
    zone.to_ambiguous_timestamp(at).compatible().ok()
}

/// The time of day on the day on which it is nearest to the arrival.
fn nearest(time: Time, zone: &TimeZone, arrival: Timestamp) -> Option<Timestamp> {
    let today: Date = arrival.to_zoned(zone.clone()).date();
    [-1, 0, 1]
        .into_iter()
        .filter_map(|days: i64| {
            of_zone(today.checked_add(days.days()).ok()?.to_datetime(time), zone)
        })
        .min_by_key(|at| at.duration_since(arrival).unsigned_abs())
}

/// A count since 1970, in `unit` nanoseconds. Where that is not known: seconds have ten digits until
/// 2286, so that one of three, six or nine more counts thousandths, millionths or billionths.
fn since_1970(text: &str, unit: Option<i128>) -> Option<Timestamp> {
    let (count, fraction) = text.split_once('.').unwrap_or((text, ""));
    // Nine digits are billionths; what is finer is left out.
    let nanos: i128 = format!("{fraction:0<9}").get(..9)?.parse().ok()?;
    let unit = unit.unwrap_or(match count.trim_start_matches('-').len() {
        13 => 1_000_000,
        16 => 1_000,
        19 => 1,
        _ => 1_000_000_000,
    });
    let whole = count.parse::<i128>().ok()?.checked_mul(unit)?;
    Timestamp::from_nanosecond(whole.checked_add(nanos * unit / 1_000_000_000)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, format: &str, zone: Option<&str>) -> Option<(String, u64)> {
        let rule = TimeRule {
            zone: zone.map(|zone| TimeZone::get(zone).unwrap()),
            format: TimeFormat::new(format).unwrap(),
        };
        let office = TimeZone::get("Asia/Tokyo").unwrap();
        let arrival = "2026-11-24T00:05:00+09:00".parse().unwrap();
        let stamp = rule.read(text, &office, arrival)?;
        let local = stamp.at.to_zoned(office).datetime().to_string();
        Some((local, stamp.coarse.as_secs()))
    }

    #[test]
    fn times_are_read_as_systems_write_them() {
        for (text, format, zone, at, coarse) in [
            (
                "2026-11-24T10:42:07+09:00",
                "any",
                None,
                "2026-11-24T10:42:07",
                1,
            ),
            (
                "2026-11-24T10:42:07.120+09:00",
                "any",
                None,
                "2026-11-24T10:42:07.12",
                0,
            ),
            (
                "2026-11-24 10:42:07 +09:00",
                "rfc3339",
                None,
                "2026-11-24T10:42:07",
                1,
            ),
            (
                "2026-11-24T01:42:07Z",
                "any",
                None,
                "2026-11-24T10:42:07",
                1,
            ),
            (
                "2026-11-24T10:42+09:00",
                "any",
                None,
                "2026-11-24T10:42:00",
                60,
            ),
            // No offset: of the office, or of the zone that is configured.
            (
                "2026-11-30T15:23:42.137247",
                "any",
                None,
                "2026-11-30T15:23:42.137247",
                0,
            ),
            (
                "2026-11-30T15:23:42.137247",
                "any",
                Some("UTC"),
                "2026-12-01T00:23:42.137247",
                0,
            ),
            ("2026/11/24 10:42", "any", None, "2026-11-24T10:42:00", 60),
            ("20261124 08:35", "any", None, "2026-11-24T08:35:00", 60),
            (
                "20261124,08:35",
                "%Y%m%d,%H:%M",
                None,
                "2026-11-24T08:35:00",
                60,
            ),
            (
                "Tue, 24 Nov 2026 10:42:07 +0900",
                "any",
                None,
                "2026-11-24T10:42:07",
                1,
            ),
            ("1795484527", "any", None, "2026-11-24T10:42:07", 0),
            ("1795484527120", "any", None, "2026-11-24T10:42:07.12", 0),
            ("1795484527.5", "unix", None, "2026-11-24T10:42:07.5", 0),
            (
                "1795484527120",
                "unix-ms",
                None,
                "2026-11-24T10:42:07.12",
                0,
            ),
            // The day is that of the arrival, five past midnight, or the one beside it.
            ("23:58", "%H:%M", None, "2026-11-23T23:58:00", 60),
            ("00:04", "any", None, "2026-11-24T00:04:00", 60),
            ("０９：０１：３０", "any", None, "2026-11-24T09:01:30", 1),
        ] {
            assert_eq!(
                read(text, format, zone),
                Some((at.to_owned(), coarse)),
                "{text} {format}"
            );
        }
        for (text, format) in [
            ("yesterday", "any"),
            ("", "any"),
            ("25:00", "%H:%M"),
            ("x", "unix"),
            ("2026-13-01T00:00:00Z", "any"),
        ] {
            assert_eq!(read(text, format, None), None, "{text}");
        }
        for bad in ["hours", "%!", "%", ""] {
            assert!(TimeFormat::new(bad).is_err(), "{bad}");
        }
    }
}
