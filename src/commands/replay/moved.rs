//! Recorded messages moved to now.
//!
//! A recorded moment becomes the start plus its distance from the beginning of the recording, over
//! the speed: also the times within payloads, so that what was two minutes apart is, at speed 60,
//! two seconds apart in every field. The first `day` of the recording becomes the local date of
//! the start, later days follow one by one; a recording of one day keeps one day however long it
//! runs. `seq` becomes the start in milliseconds plus its rank among the numbers of its topic: late
//! stays late and doubled stays doubled, and every replay is newer than the one before.
//!
//! Raw payloads are broken on purpose and stay as they are.

use crate::feed::recording::{Line, Payload};
use crate::wire::WireTime;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use std::collections::{BTreeSet, HashMap};

/// The sequence numbers of each topic, in order.
#[derive(Debug, Clone, Default)]
pub struct Ranks {
    noted: HashMap<String, BTreeSet<(String, u64)>>,
}

impl Ranks {
    /// Notes the number of a recorded message, if it has one.
    pub fn note(&mut self, line: &Line) {
        if let Some(key) = number(&line.payload) {
            self.noted
                .entry(line.topic.clone())
                .or_default()
                .insert(key);
        }
    }

    fn sorted(self) -> HashMap<String, Vec<(String, u64)>> {
        let sorted = |(topic, set): (String, BTreeSet<_>)| (topic, set.into_iter().collect());
        self.noted.into_iter().map(sorted).collect()
    }
}

/// `seq` counts within a day; dates of RFC 3339 sort as text.
fn number(payload: &Payload) -> Option<(String, u64)> {
    let Payload::Json(Value::Object(fields)) = payload else {
        return None;
    };
    let day = fields
        .get("day")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let seq = fields.get("seq").and_then(Value::as_u64)?;
    Some((day.to_owned(), seq))
}

/// Moves messages in time.
#[derive(Debug)]
pub struct Mover {
    first: Timestamp,
    first_day: Date,
    start: Timestamp,
    start_day: Date,
    speed: f64,
    ranks: HashMap<String, Vec<(String, u64)>>,
}

impl Mover {
    /// Lets a recording that begins at `first` start at `start` and run at `speed` (over 0).
    #[must_use]
    pub fn new(first: WireTime, start: Timestamp, speed: f64, ranks: Ranks) -> Self {
        let zone = TimeZone::fixed(first.offset);
        Self {
            first: first.at,
            first_day: first.zoned().date(),
            start,
            start_day: start.to_zoned(zone).date(),
            speed,
            ranks: ranks.sorted(),
        }
    }

    /// The payload of a recorded message, moved.
    #[must_use]
    pub fn payload(&self, line: &Line) -> Vec<u8> {
        let Payload::Json(Value::Object(fields)) = &line.payload else {
            return line.payload.bytes().into_owned();
        };
        let mut fields = fields.clone();
        if let Some(seq) = number(&line.payload).and_then(|key| self.seq(&line.topic, &key)) {
            fields.insert("seq".into(), seq.into());
        }
        if let Some(day) = fields.get_mut("day") {
            self.move_day(day);
        }
        if let Some(at) = fields.get_mut("at") {
            self.move_time(at);
        }
        for call in fields
            .get_mut("calls")
            .and_then(Value::as_array_mut)
            .into_iter()
            .flatten()
        {
            if let Some(at) = call.get_mut("at") {
                self.move_time(at);
            }
        }
        Value::Object(fields).to_string().into_bytes()
    }

    fn seq(&self, topic: &str, key: &(String, u64)) -> Option<u64> {
        let rank = self.ranks.get(topic)?.binary_search(key).ok()?;
        let start = u64::try_from(self.start.as_millisecond()).ok()?;
        start.checked_add(u64::try_from(rank).ok()?)
    }

    fn move_time(&self, value: &mut Value) {
        let Ok(time) = serde_json::from_value::<WireTime>(value.clone()) else {
            return;
        };
        let after = time.at.duration_since(self.first).as_secs_f64() / self.speed;
        let moved = SignedDuration::try_from_secs_f64(after)
            .ok()
            .and_then(|after| self.start.checked_add(after).ok())
            .and_then(|at| at.round(jiff::Unit::Millisecond).ok());
        if let Some(at) = moved {
            *value = WireTime { at, ..time }.to_string().into();
        }
    }

    fn move_day(&self, value: &mut Value) {
        let day = value.as_str().and_then(|text| text.parse::<Date>().ok());
        let moved = day
            .and_then(|day| day.since(self.first_day).ok())
            .and_then(|after| self.start_day.checked_add(after).ok());
        if let Some(day) = moved {
            *value = day.to_string().into();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feed::recording::Recording;
    use crate::wire::feed::FeedMessage;
    use std::cmp::Ordering;
    use std::path::Path;

    const START: &str = "2027-03-01T18:00:00+09:00";

    fn day() -> Vec<Line> {
        let path =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/days/2026-11-24.jsonl.gz");
        Recording::open(&path)
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap()
    }

    fn mover(lines: &[Line], speed: f64) -> Mover {
        let mut ranks = Ranks::default();
        lines.iter().for_each(|line| ranks.note(line));
        Mover::new(lines[0].at, START.parse().unwrap(), speed, ranks)
    }

    fn decode(bytes: &[u8]) -> Option<FeedMessage> {
        FeedMessage::decode(bytes).ok()
    }

    #[test]
    fn late_stays_late_doubled_stays_doubled_and_broken_stays_broken() {
        let lines = day();
        let mover = mover(&lines, 600.0);
        let mut last: HashMap<&str, (u64, u64)> = HashMap::new();
        let (mut late, mut doubled, mut broken) = (0, 0, 0);
        for line in &lines {
            let before = decode(&line.payload.bytes());
            let after = decode(&mover.payload(line));
            let (Some(before), Some(after)) = (&before, &after) else {
                assert!(before.is_none() && after.is_none(), "{line:?}");
                broken += 1;
                continue;
            };
            if let Some((was, is)) = last.get(line.topic.as_str()) {
                let order = before.seq.cmp(was);
                assert_eq!(order, after.seq.cmp(is), "{line:?}");
                late += u32::from(order == Ordering::Less);
                doubled += u32::from(order == Ordering::Equal);
            }
            last.insert(&line.topic, (before.seq, after.seq));
        }
        assert!(
            late > 0 && doubled > 0 && broken > 0,
            "{late} {doubled} {broken}"
        );
    }

    #[test]
    fn times_and_days_move_together_and_nothing_else_does() {
        let lines = day();
        let start: Timestamp = START.parse().unwrap();
        for speed in [1.0, 60.0] {
            let mover = mover(&lines, speed);
            let moved = |at: Timestamp| {
                let after = at.duration_since(lines[0].at.at).as_secs_f64() / speed;
                start + SignedDuration::try_from_secs_f64(after).unwrap()
            };
            let near = |a: Timestamp, b: Timestamp| {
                assert!(
                    a.duration_since(b).abs() <= SignedDuration::from_millis(1),
                    "{a} {b}"
                );
            };
            for line in &lines {
                let before = decode(&line.payload.bytes());
                let after = decode(&mover.payload(line));
                let (Some(before), Some(after)) = (before, after) else {
                    continue;
                };
                near(after.at.at, moved(before.at.at));
                for (b, a) in before.calls.iter().zip(&after.calls) {
                    near(a.at.at, moved(b.at.at));
                }
                assert_eq!(after.day, "2027-03-01".parse::<Date>().unwrap());
                assert!(after.seq >= u64::try_from(start.as_millisecond()).unwrap());
                let mut same = after.clone();
                (same.at, same.day, same.seq) = (before.at, before.day, before.seq);
                for (s, b) in same.calls.iter_mut().zip(&before.calls) {
                    s.at = b.at;
                }
                assert_eq!(same, before);
            }
        }
    }

    #[test]
    fn a_day_later_in_the_recording_is_a_day_later_in_the_replay() {
        let line = |at: &str, day: &str, seq: u64| Line {
            at: serde_json::from_value(Value::from(at)).unwrap(),
            topic: "yobiban/v1/chuo/feed/a".into(),
            payload: Payload::Json(serde_json::json!({"seq": seq, "day": day, "at": at})),
        };
        let lines = [
            line("2026-11-24T17:00:00+09:00", "2026-11-24", 900),
            line("2026-11-25T09:00:00+09:00", "2026-11-25", 5),
        ];
        let mover = mover(&lines, 1.0);
        let read = |line: &Line| serde_json::from_slice::<Value>(&mover.payload(line)).unwrap();
        let (a, b) = (read(&lines[0]), read(&lines[1]));
        assert_eq!(
            (a["day"].as_str(), b["day"].as_str()),
            (Some("2027-03-01"), Some("2027-03-02"))
        );
        assert_eq!(b["at"], "2027-03-02T10:00:00+09:00");
        assert_eq!(b["seq"].as_u64(), a["seq"].as_u64().map(|n| n + 1));
    }
}
