//! The state as a report: pure, field by field.

use super::{Identity, Origin, Pictures};
use crate::clock::Now;
use crate::model::{Source, Status};
use crate::state::{LoggedCall, Phase, QueueView, Reading, Snapshot};
use crate::wire::feed::{WireServing, WireWait};
use crate::wire::report::{
    BoardPicture, CallReport, CameraPicture, LastCall, Numbers, OfficeName, QueueNumbers,
};
use crate::wire::text::MAX_LIST;
use crate::wire::{MAX_PAYLOAD, WireTime};
use jiff::tz::TimeZone;

/// Makes the report of an office's numbers, naming the pictures that were sent.
#[must_use]
pub fn numbers(
    snapshot: &Snapshot,
    identity: &Identity,
    seq: u64,
    pictures: &Pictures,
    now: Now,
) -> Numbers {
    let zone = &identity.zone;
    Numbers {
        seq,
        at: WireTime::new(now.wall, zone),
        day: snapshot.today,
        office: OfficeName {
            id: identity.office.clone(),
            name: identity.name.clone(),
        },
        queues: snapshot.queues.iter().map(|q| queue(q, zone)).collect(),
        boards: pictures
            .values()
            .filter_map(|image| {
                let Origin::Board(id) = &image.origin else {
                    return None;
                };
                Some(BoardPicture {
                    id: id.clone(),
                    sha256: image.sha256.clone(),
                    format: image.format.as_str().into(),
                    width: image.width,
                    height: image.height,
                    shown_at: WireTime::new(image.shown_at, zone),
                })
            })
            .collect(),
        cameras: pictures
            .values()
            .filter_map(|image| {
                let Origin::Camera(id) = &image.origin else {
                    return None;
                };
                Some(CameraPicture {
                    id: id.clone(),
                    sha256: image.sha256.clone(),
                    format: image.format.as_str().into(),
                    width: image.width,
                    height: image.height,
                    taken_at: WireTime::new(image.shown_at, zone),
                })
            })
            .collect(),
    }
}

fn queue(view: &QueueView, zone: &TimeZone) -> QueueNumbers {
    let today = view.today();
    QueueNumbers {
        id: view.settings.id.clone(),
        name: view.settings.name.clone(),
        lane: view.settings.lane,
        status: match view.phase {
            Phase::Today(status) => status,
            Phase::Unknown | Phase::NotOpenYet => Status::Closed,
        },
        as_of: view
            .reading
            .as_ref()
            .and_then(Reading::as_of)
            .map(|at| WireTime::new(at, zone)),
        fresh: view.fresh,
        source: view.reading.as_ref().map_or(Source::Feed, |r| r.source),
        last_call: today.and_then(|s| s.last_call()).map(|call| LastCall {
            no: call.no,
            ticket: call.ticket.clone(),
            counter: call.counter.clone(),
            at: WireTime::new(call.at, zone),
        }),
        now_serving: today
            .and_then(|s| s.now_serving.as_ref())
            .map(WireServing::from),
        next: today.map(|s| s.next.clone()).unwrap_or_default(),
        waiting: today.map_or(Some(0), |s| s.waiting),
        on_hold: today.map_or(Some(0), |s| s.on_hold),
        wait: view.wait.map(WireWait::from),
    }
}

/// Writes a report within the limit of a payload: where sixty queues name hundreds of tickets
/// each, the far ends of the lists are left out.
#[must_use]
pub fn encode(report: &mut Numbers) -> Vec<u8> {
    let mut limit = MAX_LIST;
    loop {
        let json = serde_json::to_vec(report).unwrap_or_default();
        if json.len() <= MAX_PAYLOAD || limit == 0 {
            return json;
        }
        limit /= 2;
        for queue in &mut report.queues {
            queue.next.truncate(limit);
        }
    }
}

/// Makes the report of one call.
#[must_use]
pub fn call(logged: &LoggedCall, zone: &TimeZone) -> CallReport {
    let (queue, day, epoch) = (logged.queue.clone(), logged.day, logged.epoch);
    CallReport::new(queue, day, epoch, &logged.call, zone)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        BoardId, CameraId, Label, Lane, Name, NodeId, OfficeId, QueueId, QueueState,
    };
    use crate::state::{Office, QueueSettings, Settings};
    use crate::uplink::Image;
    use crate::wire::MediaType;
    use crate::wire::feed::FeedMessage;
    use std::sync::Arc;

    fn identity() -> Identity {
        Identity {
            root: "yobiban/v1".into(),
            office: OfficeId::new("chuo").unwrap(),
            name: Name::new([("ja", "中央区"), ("en", "Chuo Ward")]),
            node: NodeId::new("n1").unwrap(),
            zone: TimeZone::fixed(jiff::tz::offset(9)),
        }
    }

    fn office(queues: &[&str]) -> Office {
        let settings = |id: &&str| QueueSettings {
            id: QueueId::new(id).unwrap(),
            name: Name::new([("en", *id)]),
            lane: Lane::Standard,
        };
        Office::new(Settings::new(queues.iter().map(settings).collect()))
    }

    fn now() -> Now {
        Now::at("2026-11-24T10:42:07.2+09:00".parse().unwrap())
    }

    fn message() -> QueueState {
        let json = r#"{"seq":1764034927120,"at":"2026-11-24T10:42:07.12+09:00","day":"2026-11-24",
            "status":"open","waiting":12,"next":["A043","A044"],"on_hold":1,"held":["A031"],
            "calls":[{"no":311,"ticket":"A042","counter":"3","at":"2026-11-24T10:42:07+09:00","kind":"call"}],
            "wait":{"low":480,"high":900},"person":"somebody"}"#;
        FeedMessage::decode(json.as_bytes()).unwrap().into()
    }

    #[test]
    fn a_report_holds_what_the_contract_names_and_nothing_else() {
        let mut office = office(&["certificates", "moving"]);
        office.set_connected(true, now());
        let id = QueueId::new("certificates").unwrap();
        let changes = office.apply(&id, message(), Source::Feed, now()).unwrap();
        let board = BoardId::new("main").unwrap();
        let shown_at = now().wall;
        let origin = Origin::Board(board);
        let image = Image::new(
            origin.clone(),
            "picture",
            MediaType::Png,
            (1920, 1080),
            shown_at,
        );
        let filmed = Origin::Camera(CameraId::new("hall").unwrap());
        let taken = Image::new(
            filmed.clone(),
            "filmed",
            MediaType::Jpeg,
            (640, 480),
            shown_at,
        );
        let pictures = [(origin, Arc::new(image)), (filmed, Arc::new(taken))].into();
        let mut report = numbers(&office.snapshot(now()), &identity(), 77, &pictures, now());
        let json: serde_json::Value = serde_json::from_slice(&encode(&mut report)).unwrap();
        let expected = serde_json::json!({
            "seq": 77, "at": "2026-11-24T10:42:07.2+09:00", "day": "2026-11-24",
            "office": {"id": "chuo", "name": {"ja": "中央区", "en": "Chuo Ward"}},
            "queues": [{
                "id": "certificates", "name": {"en": "certificates"}, "lane": "standard",
                "status": "open", "as_of": "2026-11-24T10:42:07.12+09:00", "fresh": true,
                "source": "feed",
                "last_call": {"no": 311, "ticket": "A042", "counter": "3", "at": "2026-11-24T10:42:07+09:00"},
                "next": ["A043", "A044"], "waiting": 12, "on_hold": 1,
                // The source's own range, and the intervals that make it: 690 s ÷ 13 calls.
                "wait": {"low": 480, "high": 900, "interval_mean": 53.077, "interval_shape": 1.8}
            }, {
                "id": "moving", "name": {"en": "moving"}, "lane": "standard",
                "status": "closed", "as_of": null, "fresh": false, "source": "feed",
                "last_call": null, "next": [], "waiting": 0, "on_hold": 0, "wait": null
            }],
            "boards": [{
                "id": "main", "format": "image/png", "width": 1920, "height": 1080,
                "sha256": "e413ecaaa5b8afefa3a1a36d54d29b0cc4a4f9add6b07d1a49cd8ac08ba8ed0c",
                "shown_at": "2026-11-24T10:42:07.2+09:00"
            }],
            "cameras": [{
                "id": "hall", "sha256": crate::wire::sha256_hex(b"filmed"), "format": "image/jpeg",
                "width": 640, "height": 480, "taken_at": "2026-11-24T10:42:07.2+09:00"
            }]
        });
        let mut found = json.clone();
        found["boards"][0]["sha256"] = expected["boards"][0]["sha256"].clone();
        assert_eq!(found, expected);
        assert_eq!(json["boards"][0]["sha256"].as_str().map(str::len), Some(64));

        let call = call(&changes.calls[0], &identity().zone);
        let json = serde_json::to_value(&call).unwrap();
        let expected = serde_json::json!({
            "queue": "certificates", "day": "2026-11-24", "epoch": 0, "no": 311, "ticket": "A042",
            "counter": "3", "at": "2026-11-24T10:42:07+09:00", "kind": "call"
        });
        assert_eq!(json, expected);
    }

    #[test]
    fn numbers_of_yesterday_are_not_reported_as_those_of_today() {
        let mut office = office(&["certificates"]);
        let id = QueueId::new("certificates").unwrap();
        office.apply(&id, message(), Source::Feed, now()).unwrap();
        let tomorrow = Now::at("2026-11-25T07:00:00+09:00".parse().unwrap());
        let report = numbers(
            &office.snapshot(tomorrow),
            &identity(),
            1,
            &Pictures::new(),
            tomorrow,
        );
        let queue = &report.queues[0];
        assert_eq!(queue.status, Status::Closed);
        assert_eq!((queue.waiting, queue.last_call.as_ref()), (Some(0), None));
        assert!(queue.as_of.is_some() && queue.next.is_empty() && !queue.fresh);
    }

    #[test]
    fn a_report_stays_within_the_limit_of_a_payload() {
        let ids: Vec<String> = (0..64).map(|i| format!("queue-{i}")).collect();
        let mut office = office(&ids.iter().map(String::as_str).collect::<Vec<_>>());
        let mut state = message();
        state.next = (0..500)
            .map(|i| Label::new(&format!("番号札番号札{i:06}")).unwrap())
            .collect();
        for id in &ids {
            let id = QueueId::new(id).unwrap();
            office
                .apply(&id, state.clone(), Source::Feed, now())
                .unwrap();
        }
        let mut report = numbers(
            &office.snapshot(now()),
            &identity(),
            1,
            &Pictures::new(),
            now(),
        );
        let bytes = encode(&mut report);
        assert!(bytes.len() <= MAX_PAYLOAD, "{}", bytes.len());
        let read: Numbers = crate::wire::decode(&bytes).unwrap();
        assert_eq!(read, report);
        assert!(read.queues.iter().all(|q| !q.next.is_empty()));
    }
}
