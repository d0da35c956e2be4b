//! Which tickets were issued, and the wait that was predicted for them: found by comparing two
//! views of an office.
//!
//! The hub has no connection to the ticket machine. It infers that a ticket was issued when the
//! list of a queue's next tickets is complete in both views (as many labels as people wait) and
//! ends in labels that were not there before: their holders saw the wait of the earlier view.
//! Labels that come back into the middle of the list (from hold) are not new. Where a source
//! shortens its list nothing is known, and nothing is recorded.
//!
//! Only times of today are recorded, by the hub's clock: rows of other days would never be deleted,
//! or would change the figures of days that are over.
//!
//! Pure; knows no database.

use super::history::{PredictionRow, QueueSample};
use super::live::Today;
use super::view::OfficeView;
use crate::clock::Now;
use crate::model::{OfficeId, Status};
use crate::wire::WireTime;
use crate::wire::report::QueueNumbers;
use jiff::tz::{Offset, TimeZone};
use std::collections::HashSet;

/// How often the state of a queue is sampled, s.
pub(super) const SAMPLE_INTERVAL_S: i64 = 600;

/// The queue's list holds everybody who waits.
fn complete(queue: &QueueNumbers) -> bool {
    let listed = u32::try_from(queue.next.len()).unwrap_or(u32::MAX);
    queue.fresh && queue.waiting == Some(listed)
}

/// The tickets that were issued between two views of an office, with the wait that was predicted.
pub(super) fn predictions(
    before: &OfficeView,
    now: &OfficeView,
    today: Today,
) -> Vec<PredictionRow> {
    let mut rows = Vec::new();
    for queue in &now.queues {
        let old = before.queues.iter().find(|q| q.id == queue.id);
        let (Some(old), Some(at)) = (old, queue.as_of) else {
            continue;
        };
        let Some(wait) = old.wait else { continue };
        let time = at.zoned();
        let of_today = |t: WireTime| t.zoned().date() == today.date;
        if !of_today(at) || !old.as_of.is_some_and(of_today) || !complete(old) || !complete(queue) {
            continue;
        }
        let known: HashSet<_> = old.next.iter().collect();
        let new = queue.next.iter().rev().take_while(|l| !known.contains(l));
        rows.extend(new.map(|label| PredictionRow {
            day: time.date().to_string(),
            office: now.id.to_string(),
            queue: queue.id.to_string(),
            ticket: label.to_string(),
            lane: queue.lane.as_str().to_owned(),
            weekday: time.weekday().to_monday_zero_offset().into(),
            hour: time.hour().into(),
            at: at.to_string(),
            at_s: at.at.as_second(),
            low: wait.low.into(),
            high: wait.high.into(),
        }));
    }
    rows
}

/// The state of the open queues of an office now.
pub(super) fn queue_samples(view: &OfficeView, today: Today, now: Now) -> Vec<QueueSample> {
    let offset = view.as_of.map_or(Offset::UTC, |t: WireTime| t.offset);
    let time = now.wall.to_zoned(TimeZone::fixed(offset));
    let second = i64::from(time.hour()) * 3600 + i64::from(time.minute()) * 60;
    let queues = view.queues.iter().filter(|q| {
        let of_today = q.as_of.is_some_and(|t| t.zoned().date() == today.date);
        q.fresh && of_today && q.status == Status::Open
    });
    let row = |queue: &QueueNumbers| {
        let wait = queue.wait?;
        Some(QueueSample {
            day: today.date.to_string(),
            office: view.id.to_string(),
            queue: queue.id.to_string(),
            lane: queue.lane.as_str().to_owned(),
            slot: second / SAMPLE_INTERVAL_S,
            weekday: today.date.weekday().to_monday_zero_offset().into(),
            waiting: queue.waiting.map_or(-1, i64::from),
            low: wait.low.into(),
            high: wait.high.into(),
        })
    };
    queues.filter_map(row).collect()
}

/// Views that changed, each with the one before.
pub(super) fn changed_views<'a>(
    before: &'a [std::sync::Arc<super::live::OfficeSnapshot>],
    now: &'a [(OfficeId, Option<(Today, OfficeView)>)],
) -> impl Iterator<Item = (&'a OfficeView, &'a OfficeView, Today)> {
    now.iter().filter_map(|(id, news)| {
        let (today, view) = news.as_ref()?;
        let old = before.iter().find(|o| o.view.id == *id)?;
        Some((&old.view, view, *today))
    })
}
