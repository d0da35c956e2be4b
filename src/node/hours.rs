//! When a board is lit: inside its hours, and longer while somebody still waits for a call.

use crate::clock::Now;
use crate::model::Status;
use crate::state::{HighlightView, Phase, Snapshot};
use jiff::civil::Time;

/// Whether a board with these hours is lit. A clock that cannot be believed switches nothing off.
pub(crate) fn is_lit(
    on: Option<(Time, Time)>,
    snapshot: &Snapshot,
    panel: &HighlightView,
    now: Now,
) -> bool {
    let Some((from, until)) = on else {
        return true;
    };
    let inside = || {
        let time = now.wall.to_zoned(snapshot.zone.clone()).time();
        (from..until).contains(&time)
    };
    let open = || {
        snapshot
            .queues
            .iter()
            .any(|q| q.fresh && q.phase == Phase::Today(Status::Open))
    };
    !now.synced || inside() || open() || !panel.active.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{QueueId, QueueState, Source};
    use crate::state::{Office, QueueSettings, Settings};
    use crate::wire::feed::FeedMessage;
    use std::time::Duration;

    fn at(time: &str, synced: bool) -> Now {
        Now {
            synced,
            ..Now::at(format!("2026-11-24T{time}+09:00").parse().expect("time"))
        }
    }

    fn office(status: &str) -> Office {
        let id = QueueId::new("certificates").expect("id");
        let mut office = Office::new(Settings::new(vec![QueueSettings {
            id: id.clone(),
            name: Default::default(),
            lane: Default::default(),
        }]));
        let message = format!(
            r#"{{"seq": 1, "at": "2026-11-24T17:29:00+09:00", "day": "2026-11-24",
                "status": "{status}", "waiting": 1, "on_hold": 0, "calls": []}}"#
        );
        let message = FeedMessage::decode(message.as_bytes()).expect("message");
        let received_at = at("17:29:00", true);
        office
            .apply(&id, QueueState::from(message), Source::Feed, received_at)
            .expect("accepted");
        office
    }

    #[test]
    fn a_board_goes_dark_outside_its_hours_only() {
        let hours = Some((
            jiff::civil::time(8, 30, 0, 0),
            jiff::civil::time(17, 30, 0, 0),
        ));
        let none = HighlightView::default();
        let lit = |status: &str, hours, time: &str, synced| {
            let now = at(time, synced);
            is_lit(hours, &office(status).snapshot(now), &none, now)
        };
        assert!(lit("closed", hours, "17:29:59", true));
        assert!(!lit("closed", hours, "17:30:00", true));
        assert!(!lit("closed", hours, "08:29:59", true));
        assert!(lit("closed", None, "03:00:00", true));
        assert!(lit("closed", hours, "03:00:00", false), "unknown clock");
        assert!(lit("open", hours, "17:30:30", true), "people still wait");
        assert!(
            !lit("open", hours, "17:50:00", true),
            "nobody says so any more"
        );
    }

    #[test]
    fn a_call_that_stands_out_keeps_it_lit() {
        let now = at("20:00:00", true);
        let id = QueueId::new("certificates").expect("id");
        let call = crate::state::LoggedCall {
            index: 1,
            queue: id,
            day: jiff::civil::date(2026, 11, 24),
            epoch: 0,
            call: crate::model::Call {
                no: 1,
                ticket: crate::model::Label::new("A042").expect("label"),
                counter: None,
                at: now.wall,
                kind: crate::model::CallKind::Call,
            },
            announce: true,
            received_at: Duration::ZERO,
        };
        let panel = HighlightView {
            active: vec![crate::state::HighlightedCall {
                call,
                since: Duration::ZERO,
            }],
            ..HighlightView::default()
        };
        let hours = Some((
            jiff::civil::time(8, 30, 0, 0),
            jiff::civil::time(17, 30, 0, 0),
        ));
        assert!(is_lit(hours, &office("closed").snapshot(now), &panel, now));
    }
}
