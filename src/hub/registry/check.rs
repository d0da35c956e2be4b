//! What a `numbers` report must hold beyond its JSON shape.

use super::Refusal;
use crate::clock::Now;
use crate::model::OfficeId;
use crate::wire::report::{MAX_QUEUES, Numbers};
use jiff::{SignedDuration, civil::Date};
use std::collections::HashSet;

/// Most boards, and most cameras, of one node: a Raspberry Pi has two HDMI ports, a serial bus of
/// LED panels some more.
pub(super) const MAX_PICTURES: usize = 16;

/// Largest side of a picture in pixels: twice 4K.
const MAX_SIDE: u32 = 8192;

/// A report's time may be this far from the hub's (contract, "Limits").
const MAX_SKEW: SignedDuration = SignedDuration::from_hours(24);

/// Checks a report against its topic, the clock and the limits.
pub(super) fn numbers(n: &Numbers, office: &OfficeId, now: Now) -> Result<(), Refusal> {
    if n.office.id != *office {
        return Err(Refusal::OtherOffice {
            expected: office.to_string(),
            found: n.office.id.to_string(),
        });
    }
    if now.synced && now.wall.duration_since(n.at.at).abs() > MAX_SKEW {
        return Err(Refusal::Time(n.at.to_string()));
    }
    if !is_near(n.day, n.at.zoned().date()) {
        return Err(Refusal::Time(n.day.to_string()));
    }
    if n.queues.len() > MAX_QUEUES {
        return Err(Refusal::List(format!(
            "{} queues: expected at most {MAX_QUEUES}",
            n.queues.len()
        )));
    }
    unique("queue", n.queues.iter().map(|q| q.id.as_str()))?;
    for (what, len) in [("boards", n.boards.len()), ("cameras", n.cameras.len())] {
        if len > MAX_PICTURES {
            return Err(Refusal::List(format!(
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

/// Whether two dates are at most a day apart.
pub(super) fn is_near(a: Date, b: Date) -> bool {
    a.duration_since(b).abs() <= MAX_SKEW
}

fn unique<'a>(what: &str, ids: impl Iterator<Item = &'a str>) -> Result<(), Refusal> {
    let mut seen = HashSet::new();
    for id in ids {
        if !seen.insert(id) {
            return Err(Refusal::List(format!("{what} {id} is listed twice")));
        }
    }
    Ok(())
}

fn picture(id: &str, sha256: &str, format: &str, width: u32, height: u32) -> Result<(), Refusal> {
    let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    let good = sha256.len() == 64
        && sha256.bytes().all(hex)
        && matches!(format, "image/png" | "image/webp" | "image/jpeg")
        && (1..=MAX_SIDE).contains(&width)
        && (1..=MAX_SIDE).contains(&height);
    if good {
        Ok(())
    } else {
        Err(Refusal::PictureLine(id.to_owned()))
    }
}
