//! Reports: node to hub.

use super::feed::{WireServing, WireWait};
use super::{WireTime, old_names, text};
use crate::model::{
    BoardId, Call, CallKind, CameraId, Label, Lane, Name, OfficeId, QueueId, Source, Status,
};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Most queues of one office (contract, "Limits").
pub const MAX_QUEUES: usize = 64;

/// Payload of the `availability` topic while a node is there.
pub const ONLINE: &str = "online";
/// Payload of the `availability` topic, as last will.
pub const OFFLINE: &str = "offline";

/// Payload of the `instance` topic: which run of the program reports as this node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instance {
    /// Drawn anew at each start, also of a box whose card is a copy: 1 to 64 of `[0-9a-z-]`.
    #[serde(deserialize_with = "instance_id")]
    pub id: String,
    /// Grows with each of its messages: one with a count that is known is a broker's copy.
    pub seq: u64,
}

fn instance_id<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let id = String::deserialize(from)?;
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if (1..=64).contains(&id.len()) && id.bytes().all(plain) {
        return Ok(id);
    }
    Err(D::Error::custom(
        "not the id of an instance: expected 1 to 64 of a-z, 0-9 and -",
    ))
}

/// An office as it is named to others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfficeName {
    /// Its identifier.
    #[serde(with = "text::plain")]
    pub id: OfficeId,
    /// Its name by language.
    #[serde(with = "text::name")]
    pub name: Name,
}

/// Payload of the `numbers` topic: all queues of an office as its boards show them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Numbers {
    /// Grows with every report of a node.
    pub seq: u64,
    /// When it was made.
    pub at: WireTime,
    /// The office's local date.
    pub day: Date,
    /// Which office.
    pub office: OfficeName,
    /// Every configured queue, in the order of the board.
    pub queues: Vec<QueueNumbers>,
    /// The newest picture of each board.
    #[serde(default)]
    pub boards: Vec<BoardPicture>,
    /// The newest picture of each camera.
    #[serde(default)]
    pub cameras: Vec<CameraPicture>,
}

/// One queue within [`Numbers`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct QueueNumbers {
    /// Its identifier.
    #[serde(with = "text::plain")]
    #[schema(value_type = String)]
    pub id: QueueId,
    /// Its name by language.
    #[serde(with = "text::name")]
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    pub name: Name,
    /// Standard or fast.
    #[serde(with = "text::lane")]
    #[schema(value_type = String)]
    pub lane: Lane,
    /// Open, paused or closed; `closed` while nothing was ever heard.
    #[serde(with = "text::status")]
    #[schema(value_type = String)]
    pub status: Status,
    /// The moment the numbers are of; `null` while nothing was ever heard.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub as_of: Option<WireTime>,
    /// Whether the source is still heard.
    pub fresh: bool,
    /// Where the numbers come from.
    #[serde(with = "text::source")]
    #[schema(value_type = String)]
    pub source: Source,
    /// The newest call; `null` when there was none today.
    pub last_call: Option<LastCall>,
    /// What the source shows as being served without telling when it was called; then it goes before
    /// the last call. Absent otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub now_serving: Option<WireServing>,
    /// Tickets due next, in call order.
    #[serde(default, with = "text::labels")]
    #[schema(value_type = Vec<String>)]
    pub next: Vec<Label>,
    /// People waiting; absent where the source shows no such number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting: Option<u32>,
    /// Number of tickets on hold; absent where the source shows no such number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_hold: Option<u32>,
    /// Predicted wait of somebody who takes a ticket now, and of the last who waits where none are
    /// given out any more; `null` when nothing can be said.
    pub wait: Option<WireWait>,
}

impl QueueNumbers {
    /// Ticket and counter that people are to see as the last number: what is being served, else the
    /// last call.
    #[must_use]
    pub fn last_shown(&self) -> Option<(&Label, Option<&Label>)> {
        let serving = self.now_serving.as_ref();
        serving
            .map(|s| (&s.ticket, s.counter.as_ref()))
            .or_else(|| {
                let last = self.last_call.as_ref();
                last.map(|c| (&c.ticket, c.counter.as_ref()))
            })
    }
}

/// The newest call of a queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LastCall {
    /// Its count within day and epoch.
    pub no: u64,
    /// Who was called.
    #[serde(with = "text::label")]
    #[schema(value_type = String)]
    pub ticket: Label,
    /// Where to; empty when unknown.
    #[serde(with = "text::counter")]
    #[schema(value_type = String)]
    pub counter: Option<Label>,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: WireTime,
}

/// What the picture of a board is, without its bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BoardPicture {
    /// Which board.
    #[serde(with = "text::plain")]
    pub id: BoardId,
    /// SHA-256 of the picture's bytes, lower-case hexadecimal.
    pub sha256: String,
    /// Media type.
    pub format: String,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// When it was handed to the output.
    pub shown_at: WireTime,
}

/// What the picture of a camera is, without its bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CameraPicture {
    /// Which camera.
    #[serde(with = "text::plain")]
    pub id: CameraId,
    /// SHA-256 of the picture's bytes, lower-case hexadecimal.
    pub sha256: String,
    /// Media type.
    pub format: String,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// When it was taken.
    pub taken_at: WireTime,
}

/// Payload of the `calls` topic: one call, once in the history however often it is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallReport {
    /// The queue that called; the office is in the topic.
    #[serde(with = "text::plain")]
    pub queue: QueueId,
    /// Business day.
    pub day: Date,
    /// Restarts of `no` within the day, as counted by the node.
    pub epoch: u32,
    /// Count within day and epoch.
    pub no: u64,
    /// Who was called.
    #[serde(with = "text::label")]
    pub ticket: Label,
    /// Where to; empty when unknown.
    #[serde(with = "text::counter")]
    pub counter: Option<Label>,
    /// When.
    pub at: WireTime,
    /// Call or recall.
    #[serde(with = "text::kind")]
    pub kind: CallKind,
}

impl CallReport {
    /// A call of a queue, with its time in the office's zone.
    #[must_use]
    pub fn new(queue: QueueId, day: Date, epoch: u32, call: &Call, zone: &TimeZone) -> Self {
        Self {
            queue,
            day,
            epoch,
            no: call.no,
            ticket: call.ticket.clone(),
            counter: call.counter.clone(),
            at: WireTime::new(call.at, zone),
            kind: call.kind,
        }
    }

    /// The call itself.
    #[must_use]
    pub fn call(&self) -> Call {
        Call {
            no: self.no,
            ticket: self.ticket.clone(),
            counter: self.counter.clone(),
            at: self.at.at,
            kind: self.kind,
        }
    }
}

/// Whether a node's wall clock can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClockState {
    /// Set by the network or by a clock of its own.
    Synchronised,
    /// Never set since the machine started.
    Unknown,
    /// A word of a later version.
    #[serde(other)]
    Other,
}

/// Payload of the `health` topic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthReport {
    /// When it was made.
    pub at: WireTime,
    /// Version of the software.
    pub version: String,
    /// Seconds since the process started.
    pub uptime_s: u64,
    /// Whether its clock can be trusted.
    pub clock: ClockState,
    /// What is wrong right now; empty when all is well.
    #[serde(default)]
    pub issues: Vec<IssueReport>,
    /// What drives each board.
    #[serde(default)]
    pub outputs: Vec<OutputReport>,
    /// Counts since the start, by name.
    #[serde(default, deserialize_with = "counts")]
    pub counts: BTreeMap<String, u64>,
    /// The machine that the node runs on.
    #[serde(default)]
    pub machine: MachineReport,
}

/// How a node's machine is, as far as it tells; what it does not know is left out.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct MachineReport {
    /// Its name, such as `Raspberry Pi 4 Model B Rev 1.4`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Temperature of its processor, °C.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature_c: Option<i16>,
    /// Whether it runs slower than it could, because it is hot or its supply is weak.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub throttled: Option<bool>,
    /// Whether its supply has been too weak since it was switched on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undervoltage: Option<bool>,
    /// Room on the medium of the store, bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disk_free: Option<u64>,
    /// Bytes written to the file system of the store in its life.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disk_written: Option<u64>,
    /// How much of the medium's life is used up, per cent, in steps of ten (JESD84-B50, 7.4.20);
    /// SD cards do not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disk_worn: Option<u8>,
    /// Memory that programs could still have, bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_free: Option<u64>,
}

/// Something that is wrong right now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "IssueFields", into = "IssueFields")]
pub struct IssueReport {
    /// Its kind, such as `source-silent`.
    pub kind: String,
    /// What has the issue, such as a queue's id; empty when the node itself.
    pub subject: String,
    /// Since when.
    pub since: WireTime,
    /// One line for people.
    pub text: String,
}

/// An issue as it travels, with what hubs and nodes before 0.1.0 know ([`old_names`]).
#[derive(Serialize, Deserialize)]
struct IssueFields {
    kind: String,
    #[serde(default)]
    subject: Option<String>,
    #[serde(default)]
    about: Option<String>,
    since: WireTime,
    text: String,
}

impl From<IssueFields> for IssueReport {
    fn from(fields: IssueFields) -> Self {
        Self {
            kind: old_names::issue(fields.kind),
            subject: fields.subject.or(fields.about).unwrap_or_default(),
            since: fields.since,
            text: fields.text,
        }
    }
}

impl From<IssueReport> for IssueFields {
    fn from(issue: IssueReport) -> Self {
        Self {
            kind: issue.kind,
            subject: Some(issue.subject.clone()),
            about: Some(issue.subject),
            since: issue.since,
            text: issue.text,
        }
    }
}

/// Reads counts by the names of today. Where a report has a count under both names, the new one holds.
fn counts<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeMap<String, u64>, D::Error> {
    let mut counts = BTreeMap::new();
    for (name, count) in BTreeMap::<String, u64>::deserialize(from)? {
        match old_names::count(&name) {
            Some(new) => {
                counts.entry(new.to_owned()).or_insert(count);
            }
            None => {
                counts.insert(name, count);
            }
        }
    }
    Ok(counts)
}

/// Whether people can see a board.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum OutputState {
    /// The device has the frame of `frame_sha256`.
    Shown,
    /// Black on purpose: outside its hours.
    Dark,
    /// Nothing is plugged in, or it is switched off.
    Disconnected,
    /// The device takes no frames.
    Lost,
    /// Drawing stands still: what is on the glass is old.
    Stale,
    /// Not known: before the first frame, or a word of a later version.
    #[default]
    #[serde(other)]
    Unknown,
}

impl OutputState {
    /// The word in reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Shown => "shown",
            Self::Dark => "dark",
            Self::Disconnected => "disconnected",
            Self::Lost => "lost",
            Self::Stale => "stale",
            Self::Unknown => "unknown",
        }
    }
}

/// State of one output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutputReport {
    /// Which board it shows.
    #[serde(with = "text::plain")]
    pub board: BoardId,
    /// Its kind, such as `png` or `hdmi`.
    pub kind: String,
    /// Whether people can see the board.
    #[serde(default)]
    pub state: OutputState,
    /// Connector state, such as `connected`; empty when the kind has none.
    #[serde(default)]
    pub connector: String,
    /// SHA-256 of the frame last handed to the device (width and height as big-endian `u32`, then
    /// red, green, blue of each pixel row by row), lower-case hexadecimal; `null` before the first
    /// frame. Of a board of digits, which has no pixels, of the bytes of its frames.
    pub frame_sha256: Option<String>,
    /// When that was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shown_at: Option<WireTime>,
    /// What else is known about the device, by name: `mode`, `refresh_hz`, `reply`, …
    #[serde(default, skip_serializing_if = "std::collections::BTreeMap::is_empty")]
    pub facts: std::collections::BTreeMap<String, String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_a_clock_stay_and_those_of_a_later_version_are_read() {
        for (word, state) in [
            ("synchronised", ClockState::Synchronised),
            ("unknown", ClockState::Unknown),
            ("other", ClockState::Other),
        ] {
            let json = format!("\"{word}\"");
            assert_eq!(serde_json::to_string(&state).expect("written"), json);
            assert_eq!(
                serde_json::from_str::<ClockState>(&json).expect("read"),
                state
            );
        }
        let later: ClockState = serde_json::from_str("\"holdover\"").expect("read");
        assert_eq!(later, ClockState::Other);
        assert!(serde_json::from_str::<ClockState>("7").is_err());
    }
}
