//! What a `numbers` report must hold beyond its JSON shape.

use super::evidence::is_ahead;
use super::rejection::Rejection;
use crate::clock::Now;
use crate::model::{OfficeId, Status};
use crate::wire::MediaType;
use crate::wire::WireTime;
use crate::wire::report::{HealthReport, IssueReport, MAX_QUEUES, Numbers, QueueNumbers};
use jiff::{SignedDuration, civil::Date};
use std::collections::HashSet;

/// Most boards, and most cameras, of one node: a Raspberry Pi has two HDMI ports, a serial bus of
/// LED panels some more.
pub(super) const MAX_PICTURES: usize = 16;

/// Largest side of a picture in pixels: twice 4K.
const MAX_SIDE: u32 = 8192;

/// A report may be this old, and a day this far from its time (contract, "Limits").
const MAX_SKEW: SignedDuration = SignedDuration::from_hours(24);

/// The offsets that there are on earth, in seconds: UTC-12 (`Etc/GMT+12`) to UTC+14 (`Etc/GMT-14`).
const OFFSETS_S: std::ops::RangeInclusive<i32> = -12 * 3600..=14 * 3600;

/// Checks a report against its topic and the limits.
pub(super) fn numbers(n: &Numbers, office: &OfficeId) -> Result<(), Rejection> {
    if n.office.id != *office {
        return Err(Rejection::OtherOffice {
            expected: office.to_string(),
            found: n.office.id.to_string(),
        });
    }
    if n.queues.len() > MAX_QUEUES {
        return Err(Rejection::List(format!(
            "{} queues: expected at most {MAX_QUEUES}",
            n.queues.len()
        )));
    }
    unique("queue", n.queues.iter().map(|q| q.id.as_str()))?;
    for (what, len) in [("boards", n.boards.len()), ("cameras", n.cameras.len())] {
        if len > MAX_PICTURES {
            return Err(Rejection::List(format!(
                "{len} {what}: expected at most {MAX_PICTURES}"
            )));
        }
    }
    unique("board", n.boards.iter().map(|b| b.id.as_str()))?;
    unique("camera", n.cameras.iter().map(|c| c.id.as_str()))?;
    for b in &n.boards {
        picture(b.id.as_str(), &b.sha256, &b.format, b.width, b.height)?;
    }
    for c in &n.cameras {
        picture(c.id.as_str(), &c.sha256, &c.format, c.width, c.height)?;
    }
    Ok(())
}

/// Checks when a report was made.
pub(super) fn timely(n: &Numbers, now: Now) -> Result<(), Rejection> {
    if !is_offset(n.at) {
        return Err(Rejection::Time(n.at.to_string()));
    }
    if is_ahead(n.at.at, now) {
        return Err(Rejection::ahead(n.at.at.duration_since(now.wall)));
    }
    if now.synced && now.wall.duration_since(n.at.at) > MAX_SKEW {
        return Err(Rejection::Time(n.at.to_string()));
    }
    if !is_near(n.day, n.at.zoned().date()) {
        return Err(Rejection::Time(n.day.to_string()));
    }
    Ok(())
}

/// Drops the entries of a report that are of the future. Their queues keep what was known `before`,
/// as old: one source with a wrong clock must not remove the others from the page. What was dropped
/// last.
///
/// # Errors
/// [`Rejection`] when nothing is left of its queues.
pub(super) fn drop_future_entries(
    n: &mut Numbers,
    before: Option<&Numbers>,
    now: Now,
) -> Result<Option<Rejection>, Rejection> {
    let wrong = |t: WireTime| is_ahead(t.at, now) || !is_offset(t);
    let queue_time = |q: &QueueNumbers| {
        let call = q.last_call.as_ref().map(|c| c.at);
        q.as_of.into_iter().chain(call).find(|t| wrong(*t))
    };
    let mut omitted = None;
    let dated = n.queues.iter().filter(|q| q.as_of.is_some()).count();
    let mut out = 0;
    for queue in &mut n.queues {
        let Some(time) = queue_time(queue) else {
            continue;
        };
        out += 1;
        omitted = Some(Rejection::QueueTime {
            queue: queue.id.to_string(),
            time: time.to_string(),
        });
        let known = before.and_then(|b| b.queues.iter().find(|q| q.id == queue.id));
        *queue = match known.filter(|q| queue_time(q).is_none()) {
            Some(known) => QueueNumbers {
                fresh: false,
                ..known.clone()
            },
            None => queue_without_data(queue),
        };
    }
    if out > 0 && out >= dated {
        return Err(omitted.unwrap_or(Rejection::Late));
    }
    let mut picture = |id: &str, time: WireTime| {
        let good = !wrong(time);
        if !good {
            omitted = Some(Rejection::PictureTime {
                id: id.to_owned(),
                time: time.to_string(),
            });
        }
        good
    };
    n.boards.retain(|b| picture(b.id.as_str(), b.shown_at));
    n.cameras.retain(|c| picture(c.id.as_str(), c.taken_at));
    Ok(omitted)
}

/// A queue before its first numbers.
pub(super) fn queue_without_data(queue: &QueueNumbers) -> QueueNumbers {
    QueueNumbers {
        id: queue.id.clone(),
        name: queue.name.clone(),
        lane: queue.lane,
        status: Status::Closed,
        as_of: None,
        fresh: false,
        source: queue.source,
        last_call: None,
        now_serving: None,
        next: Vec::new(),
        waiting: None,
        on_hold: None,
        wait: None,
    }
}

/// Whether a time is written with an offset that some place on earth has.
pub(super) fn is_offset(time: WireTime) -> bool {
    OFFSETS_S.contains(&time.offset.seconds())
}

/// Checks a health report: lists and texts are as short as an honest node's.
pub(super) fn health(h: &HealthReport) -> Result<(), Rejection> {
    /// More facts than any output knows of its device.
    const MAX_FACTS: usize = 16;
    /// Longest name of a kind, a state or a fact, in bytes.
    const MAX_WORD: usize = 64;
    /// Longest value of a fact, in bytes: the name of a monitor, an answer of 64 bytes in hex.
    const MAX_VALUE: usize = 512;
    /// More than a node has parts that can fail.
    const MAX_ISSUES: usize = 128;
    /// Longest subject of an issue, in bytes: some are topics.
    const MAX_SUBJECT: usize = 256;
    let long = |what: &str| Rejection::List(format!("health with too long a {what}"));
    if h.outputs.len() > MAX_PICTURES {
        return Err(long("list of outputs"));
    }
    let too_long = |i: &IssueReport| i.kind.len() > MAX_WORD || i.subject.len() > MAX_SUBJECT;
    if h.issues.len() > MAX_ISSUES || h.issues.iter().any(too_long) {
        return Err(long("list of issues"));
    }
    if h.version.len() > MAX_WORD {
        return Err(long("version"));
    }
    if h.machine
        .model
        .as_ref()
        .is_some_and(|m| m.len() > 2 * MAX_WORD)
    {
        return Err(long("model"));
    }
    unique("output", h.outputs.iter().map(|o| o.board.as_str()))?;
    for o in &h.outputs {
        if o.kind.len() > MAX_WORD || o.connector.len() > MAX_WORD {
            return Err(long("kind or connector"));
        }
        if o.frame_sha256.as_deref().is_some_and(|s| !is_sha256(s)) {
            return Err(Rejection::PictureEntry(o.board.to_string()));
        }
        let mut facts = o.facts.iter();
        if facts.len() > MAX_FACTS || facts.any(|(k, v)| k.len() > MAX_WORD || v.len() > MAX_VALUE)
        {
            return Err(long("fact"));
        }
    }
    Ok(())
}

/// Whether a text is a SHA-256 in lower-case hexadecimal.
fn is_sha256(text: &str) -> bool {
    let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    text.len() == 64 && text.bytes().all(hex)
}

/// Whether two dates are at most a day apart.
pub(super) fn is_near(a: Date, b: Date) -> bool {
    a.duration_since(b).abs() <= MAX_SKEW
}

fn unique<'a>(what: &str, ids: impl Iterator<Item = &'a str>) -> Result<(), Rejection> {
    let mut seen = HashSet::new();
    for id in ids {
        if !seen.insert(id) {
            return Err(Rejection::List(format!("{what} {id} is listed twice")));
        }
    }
    Ok(())
}

fn picture(id: &str, sha256: &str, format: &str, width: u32, height: u32) -> Result<(), Rejection> {
    let good = is_sha256(sha256)
        && MediaType::named(format).is_some()
        && (1..=MAX_SIDE).contains(&width)
        && (1..=MAX_SIDE).contains(&height);
    if good {
        Ok(())
    } else {
        Err(Rejection::PictureEntry(id.to_owned()))
    }
}
