//! What a board says: numbers and times as the words people read.

use crate::model::{CallKind, Label, WaitRange};
use jiff::civil::{Date, Weekday};
use jiff::{Timestamp, tz::TimeZone};

/// Below this a wait is said as "at once", in seconds: shorter than walking up to the counter.
const AT_ONCE_S: u32 = 120;

/// Up to this, waits are said to the minute; beyond, to five minutes: more would be false precision.
const TO_THE_MINUTE: u32 = 30;

/// From this on, waits are said in hours, in minutes.
const IN_HOURS: u32 = 180;

/// A number with the smaller word behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Figure {
    /// The number, or a word that stands for one.
    pub(super) number: String,
    /// Its unit; may be empty.
    pub(super) unit: &'static str,
}

/// A wait as a range: low rounded down, high rounded up, so that the range said holds the range
/// predicted.
pub(super) fn wait(range: WaitRange) -> Figure {
    if range.high() < AT_ONCE_S {
        return Figure {
            number: "すぐに".into(),
            unit: "",
        };
    }
    let minutes = (range.low() / 60, range.high().div_ceil(60));
    let ((low, high), unit) = if minutes.1 >= IN_HOURS {
        ((minutes.0 / 60, minutes.1.div_ceil(60)), "時間")
    } else if minutes.1 > TO_THE_MINUTE {
        ((minutes.0 / 5 * 5, minutes.1.div_ceil(5) * 5), "分")
    } else {
        (minutes, "分")
    };
    Figure {
        number: if low == high {
            format!("約{high}")
        } else {
            format!("{low}–{high}")
        },
        unit,
    }
}

/// Hour and minute, `10:42`.
pub(super) fn clock(at: Timestamp, zone: &TimeZone) -> String {
    let at = at.to_zoned(zone.clone());
    format!("{}:{:02}", at.hour(), at.minute())
}

/// When numbers are of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum AsOf {
    /// Hour and minute, with the day when it is another one.
    Time(String),
    /// Their source never said, and nobody saw them change.
    Unknown,
}

impl AsOf {
    pub(super) fn new(at: Option<Timestamp>, zone: &TimeZone, today: Date) -> Self {
        let Some(at) = at else {
            return Self::Unknown;
        };
        let day = at.to_zoned(zone.clone()).date();
        let clock = clock(at, zone);
        Self::Time(if day == today {
            clock
        } else {
            format!("{}/{} {clock}", day.month(), day.day())
        })
    }

    /// The time, if it is known.
    pub(super) fn time(&self) -> Option<&str> {
        match self {
            Self::Time(time) => Some(time),
            Self::Unknown => None,
        }
    }

    /// Why the numbers have a mark, in a word.
    pub(super) fn why(&self) -> &'static str {
        match self {
            Self::Time(_) => "更新停止中",
            Self::Unknown => "確認中",
        }
    }

    /// What stands behind the time, or for it.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Time(_) => "現在",
            Self::Unknown => "時刻不明",
        }
    }
}

/// A date in Japanese, with weekday.
pub(super) fn date(day: Date) -> String {
    let weekday = match day.weekday() {
        Weekday::Monday => '月',
        Weekday::Tuesday => '火',
        Weekday::Wednesday => '水',
        Weekday::Thursday => '木',
        Weekday::Friday => '金',
        Weekday::Saturday => '土',
        Weekday::Sunday => '日',
    };
    format!("{}月{}日（{weekday}）", day.month(), day.day())
}

/// A date in English, with weekday.
pub(super) fn date_in_english(day: Date) -> String {
    day.strftime("%a, %B %-d").to_string()
}

/// A counter, in the ways it is said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Counter {
    pub(super) label: String,
    /// What follows it in a row: `番`.
    pub(super) short: &'static str,
    /// What follows it in a list of calls: `番窓口`.
    pub(super) long: &'static str,
    /// What follows it when people are sent there: `番窓口へ`.
    pub(super) to: &'static str,
}

/// Words for a counter. A label of letters and digits gets its counter word, one that has half of it
/// (`3番`) the rest; one that is a name already (`窓口三番`) does not.
pub(super) fn counter(label: &Label) -> Counter {
    let plain = label
        .as_str()
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let (short, long, to) = if plain {
        ("番", "番窓口", "番窓口へ")
    } else if label.as_str().ends_with(['番', '号'])
        && label
            .as_str()
            .starts_with(|c: char| c.is_ascii_alphanumeric())
    {
        ("", "窓口", "窓口へ")
    } else {
        ("", "", "へ")
    };
    Counter {
        label: label.as_str().to_owned(),
        short,
        long,
        to,
    }
}

/// Said of numbers that a camera read from another board.
pub(super) const CAMERA_SOURCE: &str = "カメラ読取";

/// The first of the open issues, and how many there are besides; `None` when all is well.
pub(super) fn issues(open: &[&str]) -> Option<String> {
    match open {
        [] => None,
        [one] => Some((*one).to_owned()),
        [first, rest @ ..] => Some(format!("{first} +{}", rest.len())),
    }
}

/// Whether a call is marked as one made again.
pub(super) fn again(kind: CallKind) -> bool {
    kind == CallKind::Recall
}

/// An address as people type it: without the scheme and a slash at the end.
pub(super) fn address(url: &str) -> &str {
    let rest = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"))
        .unwrap_or(url);
    rest.strip_suffix('/').unwrap_or(rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date as day;

    #[test]
    fn waits_are_said_so_that_they_hold_what_is_predicted() {
        let said = |low, high| {
            let figure = wait(WaitRange::new(low, high).expect("range"));
            figure.number + figure.unit
        };
        for (low, high, expected) in [
            (0, 0, "すぐに"),
            (0, 119, "すぐに"),
            (0, 120, "0–2分"),
            (480, 900, "8–15分"),
            (479, 901, "7–16分"),
            (480, 480, "約8分"),
            (1680, 1800, "28–30分"),
            (1690, 1810, "25–35分"),
            (3360, 4740, "55–80分"),
            (3600, 3600, "約60分"),
            (7200, 10799, "2–3時間"),
            (7199, 86400, "1–24時間"),
        ] {
            assert_eq!(said(low, high), expected, "{low}..{high}");
        }
    }

    #[test]
    fn counters_get_their_word_once() {
        let said = |label: &str| {
            let counter = counter(&Label::new(label).expect("label"));
            (
                counter.label.clone() + counter.short,
                counter.label + counter.to,
            )
        };
        assert_eq!(said("3"), ("3番".into(), "3番窓口へ".into()));
        assert_eq!(said("A-1"), ("A-1番".into(), "A-1番窓口へ".into()));
        assert_eq!(
            said("３"),
            said("3"),
            "a full-width counter is the same one"
        );
        assert_eq!(said("①"), said("1"));
        assert_eq!(said("３番"), ("3番".into(), "3番窓口へ".into()));
        assert_eq!(said("３番窓口"), ("3番窓口".into(), "3番窓口へ".into()));
        assert_eq!(said("窓口三番"), ("窓口三番".into(), "窓口三番へ".into()));
    }

    #[test]
    fn dates_times_and_addresses() {
        let zone = TimeZone::fixed(jiff::tz::offset(9));
        let at: Timestamp = "2026-11-24T09:05:59+09:00".parse().expect("time");
        assert_eq!(clock(at, &zone), "9:05");
        let as_of = |at, day| {
            let as_of = AsOf::new(at, &zone, day);
            format!("{} {}", as_of.time().unwrap_or_default(), as_of.word())
        };
        assert_eq!(as_of(Some(at), day(2026, 11, 24)), "9:05 現在");
        assert_eq!(as_of(Some(at), day(2026, 11, 25)), "11/24 9:05 現在");
        assert_eq!(as_of(None, day(2026, 11, 25)), " 時刻不明");
        assert_eq!(date(day(2026, 11, 24)), "11月24日（火）");
        assert_eq!(date_in_english(day(2026, 11, 24)), "Tue, November 24");
        assert_eq!(
            address("https://yobiban.example.jp/offices/chuo/"),
            "yobiban.example.jp/offices/chuo"
        );
    }
}
