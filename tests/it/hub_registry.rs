//! The registry: what may and what may not change what viewers see.

use crate::support::city::{AT, numbers, picture, time};
use bytes::Bytes;
use proptest::prelude::*;
use yobiban::clock::Now;
use yobiban::hub::registry::{Effect, MAX_NODES, MAX_OFFICES, MAX_PICTURE, Registry, Rejection};
use yobiban::hub::view::OfficeView;
use yobiban::wire::report::Numbers;
use yobiban::wire::topic::Topic;

fn now() -> Now {
    Now::at(AT.parse().unwrap())
}

fn tell(
    registry: &mut Registry,
    tail: &str,
    payload: impl Into<Bytes>,
) -> Result<Effect, Rejection> {
    let topic = Topic::parse("r", &format!("r/{tail}")).unwrap();
    registry.report(&topic, &payload.into(), now())
}

fn tell_numbers(registry: &mut Registry, node: &str, n: &Numbers) -> Result<Effect, Rejection> {
    let tail = format!("{}/node/{node}/numbers", n.office.id);
    tell(registry, &tail, serde_json::to_vec(n).unwrap())
}

fn view(registry: &Registry) -> OfficeView {
    registry.view(&"chuo".parse().unwrap()).unwrap()
}

/// A registry that knows Chuo with a picture.
fn awake() -> Registry {
    let mut registry = Registry::new();
    let (bytes, line) = picture(3);
    let mut chuo = numbers("chuo");
    chuo.boards.push(line);
    tell(&mut registry, "chuo/node/n1/availability", "online").unwrap();
    tell_numbers(&mut registry, "n1", &chuo).unwrap();
    tell(&mut registry, "chuo/node/n1/board/main", bytes).unwrap();
    assert_eq!(view(&registry).boards.len(), 1);
    registry
}

const TAILS: [&str; 7] = [
    "chuo/node/n1/numbers",
    "chuo/node/n1/calls",
    "chuo/node/n1/availability",
    "chuo/node/n1/health",
    "chuo/node/n1/board/main",
    "chuo/node/n1/camera/hall",
    "chuo/feed/certificates",
];

proptest! {
    #[test]
    fn any_bytes_on_any_report_topic_change_nothing(
        bytes in proptest::collection::vec(any::<u8>(), 1..600), i in 0..TAILS.len()
    ) {
        let mut registry = awake();
        let before = view(&registry);
        prop_assert!(tell(&mut registry, TAILS[i], bytes).is_err());
        prop_assert_eq!(view(&registry), before);
    }

    #[test]
    fn a_report_with_some_bytes_changed_is_read_or_refused_whole(
        edits in proptest::collection::vec((any::<usize>(), any::<u8>()), 1..8)
    ) {
        let mut registry = awake();
        let mut report = numbers("chuo");
        report.seq += 1;
        let mut bytes = serde_json::to_vec(&report).unwrap();
        for (at, byte) in edits {
            let at = at % bytes.len();
            bytes[at] = byte;
        }
        let before = view(&registry);
        if tell(&mut registry, "chuo/node/n1/numbers", bytes).is_err() {
            prop_assert_eq!(view(&registry), before);
        }
    }
}

#[test]
fn an_office_on_anothers_topic_is_refused() {
    let mut registry = awake();
    let before = view(&registry);
    let other = serde_json::to_vec(&numbers("inage")).unwrap();
    let refusal = tell(&mut registry, "chuo/node/n1/numbers", other).unwrap_err();
    assert_eq!(refusal.reason(), "other-office");
    assert_eq!(view(&registry), before);
    assert_eq!(registry.offices().count(), 1);
}

#[test]
fn late_and_doubled_reports_change_nothing_but_a_restarted_node_is_heard() {
    let mut registry = awake();
    let mut report = numbers("chuo");
    report.queues[0].waiting = Some(99);
    assert_eq!(
        tell_numbers(&mut registry, "n1", &report),
        Err(Rejection::Late)
    );
    report.seq = 3;
    report.at = time("2026-11-24T10:42:06+09:00");
    assert_eq!(
        tell_numbers(&mut registry, "n1", &report),
        Err(Rejection::Late)
    );
    report.at = time("2026-11-24T10:43:00+09:00");
    assert_eq!(
        tell_numbers(&mut registry, "n1", &report),
        Ok(Effect::Changed),
        "seq restarted"
    );
    assert_eq!(view(&registry).queues[0].waiting, Some(99));
}

#[test]
fn lists_times_and_lines_out_of_bounds_are_refused() {
    let mut registry = awake();
    let before = view(&registry);
    let check = |registry: &mut Registry, reason: &str, edit: &dyn Fn(&mut Numbers)| {
        let mut report = numbers("chuo");
        report.seq = 100;
        edit(&mut report);
        let refusal = tell_numbers(registry, "n1", &report).expect_err(reason);
        assert_eq!(refusal.reason(), reason, "{refusal}");
    };
    check(&mut registry, "list", &|n| {
        n.queues.push(n.queues[0].clone())
    });
    check(&mut registry, "time", &|n| {
        n.at = time("2026-11-26T10:42:08+09:00")
    });
    check(&mut registry, "time", &|n| {
        n.at = time("2026-11-22T10:42:06+09:00")
    });
    check(&mut registry, "time", &|n| {
        n.day = "2026-11-20".parse().unwrap()
    });
    check(&mut registry, "picture-line", &|n| {
        let (_, mut line) = picture(1);
        line.sha256 = line.sha256.to_uppercase();
        n.boards.push(line);
    });
    check(&mut registry, "picture-line", &|n| {
        let (_, mut line) = picture(1);
        line.format = "text/html".into();
        n.boards.push(line);
    });
    check(&mut registry, "picture-line", &|n| {
        let (_, mut line) = picture(1);
        line.width = 1_000_000;
        n.boards.push(line);
    });
    check(&mut registry, "list", &|n| {
        n.boards = vec![picture(1).1, picture(2).1]
    });
    assert_eq!(view(&registry), before);
}

#[test]
fn pictures_must_be_pictures_of_a_size() {
    let mut registry = awake();
    let mut large = picture(1).0.to_vec();
    large.resize(MAX_PICTURE + 1, 0);
    for bad in [b"<svg onload=alert(1)>".to_vec(), b"GIF89a".to_vec(), large] {
        let refusal = tell(&mut registry, "chuo/node/n1/board/main", bad).unwrap_err();
        assert_eq!(refusal.reason(), "picture");
    }
    assert!(
        registry.board("chuo", "n1", "main").is_some(),
        "the picture stays"
    );
}

#[test]
fn pictures_meet_their_lines_in_any_order() {
    let mut registry = awake();
    let shown = |r: &Registry| view(r).boards[0].sha256.clone();
    let (bytes, line) = picture(50);
    let mut report = numbers("chuo");
    report.seq = 100;
    report.boards.push(line.clone());
    let old = shown(&registry);
    // The line first: the old picture stays with its old line until the bytes come.
    tell_numbers(&mut registry, "n1", &report).unwrap();
    assert_eq!(shown(&registry), old);
    assert_eq!(
        tell(&mut registry, "chuo/node/n1/board/main", bytes),
        Ok(Effect::Changed)
    );
    assert_eq!(shown(&registry), line.sha256);
    // The bytes first: nothing changes for viewers before the line says what they are.
    let (bytes, newer) = picture(60);
    assert_eq!(
        tell(&mut registry, "chuo/node/n1/board/main", bytes),
        Ok(Effect::Unchanged)
    );
    assert_eq!(shown(&registry), line.sha256);
    report.seq = 101;
    report.boards = vec![newer.clone()];
    tell_numbers(&mut registry, "n1", &report).unwrap();
    assert_eq!(shown(&registry), newer.sha256);
    report.seq = 102;
    report.boards.clear();
    tell_numbers(&mut registry, "n1", &report).unwrap();
    assert!(view(&registry).boards.is_empty(), "taken down");
}

#[test]
fn an_office_of_several_nodes_shows_the_newest_numbers_and_all_boards() {
    let mut registry = awake();
    let (bytes, line) = picture(90);
    let mut second = numbers("chuo");
    second.at = time("2026-11-24T10:42:30+09:00");
    second.queues[0].waiting = Some(33);
    second.boards.push(line);
    tell(&mut registry, "chuo/node/n2/availability", "online").unwrap();
    tell_numbers(&mut registry, "n2", &second).unwrap();
    tell(&mut registry, "chuo/node/n2/board/main", bytes).unwrap();
    let both = view(&registry);
    assert_eq!(both.queues[0].waiting, Some(33));
    let nodes: Vec<_> = both.boards.iter().map(|b| b.node.as_str()).collect();
    assert_eq!(nodes, ["n1", "n2"]);
    // A node that is gone must not hide the numbers of one that is there, newer or not.
    tell(&mut registry, "chuo/node/n2/availability", "offline").unwrap();
    assert_eq!(view(&registry).queues[0].waiting, Some(12));
    assert!(view(&registry).online && view(&registry).queues[0].fresh);
    tell(&mut registry, "chuo/node/n1/availability", "offline").unwrap();
    assert!(!view(&registry).online && !view(&registry).queues[0].fresh);
}

#[test]
fn a_cleared_topic_is_forgotten() {
    let mut registry = awake();
    for tail in ["numbers", "board/main", "availability"] {
        tell(&mut registry, &format!("chuo/node/n1/{tail}"), "").unwrap();
    }
    assert_eq!(registry.offices().count(), 0);
    assert_eq!(registry.nodes().count(), 0);
}

#[test]
fn offices_and_nodes_are_bounded() {
    let mut registry = Registry::new();
    for n in 0..MAX_OFFICES {
        tell(
            &mut registry,
            &format!("o{n}/node/n1/availability"),
            "online",
        )
        .unwrap();
    }
    let more = tell(&mut registry, "more/node/n1/availability", "online");
    assert_eq!(more.unwrap_err().reason(), "full");
    for n in 1..MAX_NODES {
        tell(
            &mut registry,
            &format!("o1/node/x{n}/availability"),
            "online",
        )
        .unwrap();
    }
    let more = tell(&mut registry, "o1/node/more/availability", "online");
    assert_eq!(more.unwrap_err().reason(), "full");
    tell(&mut registry, "o1/node/n1/availability", "offline").unwrap();
}
