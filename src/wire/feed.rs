//! A feed message: ticketing system to node.

use super::{WireError, WireTime, text};
use crate::model::{Call, CallKind, Intervals, Label, NowServing, QueueState, Status, WaitRange};
use jiff::{civil::Date, tz::TimeZone};
use serde::{Deserialize, Deserializer, Serialize, de};

/// Most calls in one message (contract: the newest 20).
pub const MAX_CALLS: usize = 20;

/// The whole state of a queue as JSON; see [`QueueState`] for the meaning of each field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedMessage {
    /// Grows with every message of that queue and day.
    pub seq: u64,
    /// When it was made.
    pub at: WireTime,
    /// Business day.
    pub day: Date,
    /// Restarts of `no` within the day.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub epoch: u32,
    /// `open`, `paused` or `closed`.
    #[serde(with = "text::status")]
    pub status: Status,
    /// People waiting. A payload without it is refused; what a node keeps of a camera may lack it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting: Option<u32>,
    /// Tickets due next, at most 500.
    #[serde(default, with = "text::labels")]
    pub next: Vec<Label>,
    /// Number of tickets on hold, required like [`waiting`](Self::waiting).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_hold: Option<u32>,
    /// Tickets on hold, at most 500.
    #[serde(default, with = "text::labels")]
    pub held: Vec<Label>,
    /// Newest first, at most [`MAX_CALLS`].
    #[serde(deserialize_with = "calls")]
    pub calls: Vec<FeedCall>,
    /// A ticket being served whose time of call the source does not know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub now_serving: Option<WireServing>,
    /// The source's own prediction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait: Option<WireWait>,
}

/// A ticket being served, without a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct WireServing {
    /// Who is served.
    #[serde(with = "text::label")]
    #[schema(value_type = String)]
    pub ticket: Label,
    /// Where; empty when unknown.
    #[serde(with = "text::counter")]
    #[schema(value_type = String)]
    pub counter: Option<Label>,
}

impl From<&NowServing> for WireServing {
    fn from(serving: &NowServing) -> Self {
        Self {
            ticket: serving.ticket.clone(),
            counter: serving.counter.clone(),
        }
    }
}

impl From<WireServing> for NowServing {
    fn from(serving: WireServing) -> Self {
        Self {
            ticket: serving.ticket,
            counter: serving.counter,
        }
    }
}

/// One call within a [`FeedMessage`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedCall {
    /// Counts 1, 2, 3 … through the day.
    pub no: u64,
    /// Who is called.
    #[serde(with = "text::label")]
    pub ticket: Label,
    /// Where to; an empty text when the source knows no counters.
    #[serde(with = "text::counter")]
    pub counter: Option<Label>,
    /// When it was called.
    pub at: WireTime,
    /// `call` or `recall`.
    #[serde(with = "text::kind")]
    pub kind: CallKind,
}

/// A range of waits in seconds, and in a report the intervals between calls that it rests on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(try_from = "LooseWait")]
pub struct WireWait {
    /// Shortest likely wait, s.
    pub low: u32,
    /// Longest likely wait, s.
    pub high: u32,
    /// Mean interval between calls while somebody waits, s, above 0; absent where it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval_mean: Option<f64>,
    /// Shape of the intervals: a sum of `n` has the variance ÷ mean² of `1 ÷ (shape · n)`; absent
    /// like the mean.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval_shape: Option<f64>,
}

impl Eq for WireWait {} // its numbers are never NaN: JSON has none, and `Intervals` neither

/// As others write it. What is no interval is as good as none: the range still holds.
#[derive(Deserialize)]
struct LooseWait {
    low: u32,
    high: u32,
    #[serde(default)]
    interval_mean: serde_json::Value,
    #[serde(default)]
    interval_shape: serde_json::Value,
}

impl TryFrom<LooseWait> for WireWait {
    type Error = crate::model::WaitError;
    fn try_from(wait: LooseWait) -> Result<Self, Self::Error> {
        let mean = wait.interval_mean.as_f64();
        let intervals = mean
            .zip(wait.interval_shape.as_f64())
            .and_then(|(mean, shape)| Intervals::new(mean, shape));
        let range = WaitRange::new(wait.low, wait.high)?;
        Ok(range.with_intervals(intervals).into())
    }
}

impl From<WaitRange> for WireWait {
    fn from(wait: WaitRange) -> Self {
        Self {
            low: wait.low(),
            high: wait.high(),
            interval_mean: wait.intervals().map(Intervals::mean_s),
            interval_shape: wait.intervals().map(Intervals::shape),
        }
    }
}

impl From<WireWait> for WaitRange {
    fn from(wait: WireWait) -> Self {
        let intervals = wait
            .interval_mean
            .zip(wait.interval_shape)
            .and_then(|(mean, shape)| Intervals::new(mean, shape));
        Self::from_estimate(f64::from(wait.low), f64::from(wait.high)).with_intervals(intervals)
    }
}

#[allow(clippy::trivially_copy_pass_by_ref)] // the signature serde asks for
fn is_zero(n: &u32) -> bool {
    *n == 0
}

/// At most [`MAX_CALLS`], `no` from 1 and strictly falling: the order is the contract's, and what
/// breaks it is no history of a day.
fn calls<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<FeedCall>, D::Error> {
    let calls = Vec::<FeedCall>::deserialize(d)?;
    if calls.len() > MAX_CALLS {
        return Err(de::Error::custom(format_args!(
            "{} calls: expected at most {MAX_CALLS}",
            calls.len()
        )));
    }
    if calls.iter().any(|c| c.no == 0) || !calls.is_sorted_by(|a, b| a.no > b.no) {
        return Err(de::Error::custom(
            "calls out of order: expected newest first, no from 1 upwards",
        ));
    }
    Ok(calls)
}

impl FeedMessage {
    /// Reads a payload.
    ///
    /// # Errors
    /// [`WireError`] naming the path that breaks the contract.
    pub fn decode(payload: &[u8]) -> Result<Self, WireError> {
        let message: Self = super::decode(payload)?;
        for (path, count) in [("waiting", message.waiting), ("on_hold", message.on_hold)] {
            if count.is_none() {
                return Err(WireError::Shape {
                    path: path.into(),
                    problem: "missing: expected a count".into(),
                });
            }
        }
        Ok(message)
    }

    /// Writes a queue's state as a message, with times in the given zone.
    #[must_use]
    pub fn new(state: &QueueState, zone: &TimeZone) -> Self {
        let call = |call: &Call| FeedCall {
            no: call.no,
            ticket: call.ticket.clone(),
            counter: call.counter.clone(),
            at: WireTime::new(call.at, zone),
            kind: call.kind,
        };
        Self {
            seq: state.seq,
            at: WireTime::new(state.at, zone),
            day: state.day,
            epoch: state.epoch,
            status: state.status,
            waiting: state.waiting,
            next: state.next.clone(),
            on_hold: state.on_hold,
            held: state.held.clone(),
            calls: state.calls.iter().map(call).collect(),
            now_serving: state.now_serving.as_ref().map(WireServing::from),
            wait: state.wait.map(WireWait::from),
        }
    }
}

impl From<FeedMessage> for QueueState {
    fn from(message: FeedMessage) -> Self {
        let call = |call: FeedCall| Call {
            no: call.no,
            ticket: call.ticket,
            counter: call.counter,
            at: call.at.at,
            kind: call.kind,
        };
        Self {
            seq: message.seq,
            at: message.at.at,
            day: message.day,
            epoch: message.epoch,
            status: message.status,
            waiting: message.waiting,
            on_hold: message.on_hold,
            next: message.next,
            held: message.held,
            calls: message.calls.into_iter().map(call).collect(),
            now_serving: message.now_serving.map(NowServing::from),
            wait: message.wait.map(WaitRange::from),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXAMPLE: &str = r#"{"seq":1764034927120,"at":"2026-11-24T10:42:07.12+09:00",
        "day":"2026-11-24","epoch":0,"status":"open","waiting":12,"next":["A043","A044"],
        "on_hold":1,"held":["A031"],"calls":[
        {"no":311,"ticket":"A042","counter":"3","at":"2026-11-24T10:42:07+09:00","kind":"call"},
        {"no":310,"ticket":"A040","counter":"","at":"2026-11-24T10:41:40+09:00","kind":"recall"}],
        "wait":{"low":480,"high":900},"extra":{"ignored":true}}"#;

    #[test]
    fn the_example_of_the_contract_is_read_whole() {
        let message = FeedMessage::decode(EXAMPLE.as_bytes()).expect("valid");
        let state = QueueState::from(message.clone());
        assert_eq!(state.calls[0].ticket.as_str(), "A042");
        assert_eq!(state.calls[1].counter, None);
        assert_eq!(state.wait.map(WaitRange::high), Some(900));
        assert_eq!(
            FeedMessage::new(&state, &TimeZone::fixed(message.at.offset)),
            message
        );
    }

    #[test]
    fn broken_messages_name_the_path() {
        let check = |from: &str, to: &str, path: &str| {
            let text = EXAMPLE.replace(from, to);
            assert_ne!(text, EXAMPLE, "{from}");
            let error = FeedMessage::decode(text.as_bytes())
                .expect_err(to)
                .to_string();
            assert!(error.starts_with(&format!("at {path}")), "{to}: {error}");
        };
        check("\"waiting\":12", "\"waiting\":\"many\"", "waiting");
        check("\"waiting\":12", "\"waiting\":-3", "waiting");
        check("\"waiting\":12,", "", "waiting");
        check("\"waiting\":12", "\"waiting\":null", "waiting");
        check("\"on_hold\":1,", "", "on_hold");
        check("\"seq\":1764034927120", "\"seq\":-1", "seq");
        check("2026-11-24T10:42:07.12+09:00", "yesterday", "at");
        check("\"A042\"", "\"A0420000000000\"", "calls[0].ticket");
        check("\"A043\"", "\"A\\u00001\"", "next");
        check("\"open\"", "\"shut\"", "status");
        check("\"no\":310", "\"no\":311", "calls");
        check("\"low\":480", "\"low\":901", "wait");
        for bad in [&b"[]"[..], b"", b"\x00\xff\xfe", b"{\"seq\": 1", b"{}{}"] {
            assert!(FeedMessage::decode(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_name_at_the_wrong_place_is_told_by_its_length() {
        let name = "山田\\\"太郎";
        for (from, to) in [
            ("\"waiting\":12", format!("\"waiting\":\"{name}\"")),
            ("\"open\"", format!("\"{name}\"")),
            ("\"A042\"", format!("\"{name}{name}{name}\"")),
            ("\"A042\"", "9012345678".to_owned()),
            ("\"waiting\":12", "\"waiting\":9012345678".to_owned()),
            ("\"waiting\":12", "\"waiting\":9012345678.5".to_owned()),
            ("\"A042\"", format!("{{\"name\":\"{name}\"}}")),
            ("\"A043\"", format!("[\"{name}\"]")),
            ("2026-11-24T10:42:07.12+09:00", name.to_owned()),
            ("\"day\":\"2026-11-24\"", format!("\"day\":\"{name}\"")),
            ("\"call\"", format!("\"{name}\"")),
        ] {
            let text = EXAMPLE.replace(from, &to);
            assert_ne!(text, EXAMPLE, "{from}");
            let error = FeedMessage::decode(text.as_bytes())
                .expect_err(&to)
                .to_string();
            for secret in ["山田", "太郎", "901234"] {
                assert!(!error.contains(secret), "{error}");
            }
        }
    }

    #[test]
    fn a_wait_says_its_intervals_only_where_they_are_known() {
        let read = |json: &str| serde_json::from_str::<WireWait>(json).expect("a wait");
        let plain = r#"{"low":480,"high":900}"#;
        assert_eq!(
            serde_json::to_string(&read(plain)).expect("json"),
            plain,
            "older nodes say no more, and older hubs are told no more"
        );
        let full = r#"{"low":480,"high":900,"interval_mean":52.5,"interval_shape":1.8}"#;
        assert_eq!(serde_json::to_string(&read(full)).expect("json"), full);
        let range = WaitRange::from(read(full));
        assert_eq!(WireWait::from(range), read(full));
        // What is no interval is as good as none; the range holds all the same.
        for odd in [
            r#""interval_mean":52.5"#,
            r#""interval_mean":-1,"interval_shape":1"#,
            r#""interval_mean":"fast","interval_shape":[]"#,
            r#""interval_mean":null,"interval_shape":1.8"#,
            r#""interval_mean":1e300,"interval_shape":1"#,
        ] {
            let json = format!(r#"{{"low":480,"high":900,{odd}}}"#);
            assert_eq!(read(&json), read(plain), "{odd}");
        }
    }

    #[test]
    fn oversized_payloads_are_not_parsed() {
        let big = vec![b' '; super::super::MAX_PAYLOAD + 1];
        assert_eq!(
            FeedMessage::decode(&big),
            Err(WireError::TooLarge(big.len()))
        );
    }
}
