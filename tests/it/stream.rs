//! What a video shows: golden pictures, and whose turn it is.
//!
//! `YOBIBAN_ACCEPT=1 cargo test --test it stream::` writes the pictures anew: look at each of them.

use crate::board::compare_in;
use crate::support::city::time;
pub use crate::support::streams::{HD, config, news, now, office};
use std::time::Duration;
use yobiban::clock::Now;
use yobiban::config::StreamConfig;
use yobiban::model::OfficeId;
use yobiban::stream::{Composer, StreamContent, StreamOffice};

const FULL_HD: (u32, u32) = (1920, 1080);

fn later(seconds: u64) -> Now {
    let by = Duration::from_secs(seconds);
    let now = now();
    Now {
        wall: now.wall.saturating_add(by).unwrap(),
        mono: now.mono + by,
        synced: true,
    }
}

fn composer() -> Composer {
    Composer::new(&config(1, "x", HD)).unwrap()
}

#[test]
fn videos_look_like_their_golden_pictures() {
    let lost = StreamContent {
        broker_connected: false,
        ..news([office("chuo")])
    };
    let mut problems = Vec::new();
    for (name, size, news, now) in [
        ("office-720p", HD, news([office("chuo")]), now()),
        ("office-1080p", FULL_HD, news([office("chuo")]), now()),
        ("quiet-720p", HD, news([office("inage")]), later(45)),
        ("stale-720p", HD, news([office("midori")]), now()),
        ("lost-720p", HD, lost, later(95)),
        ("nothing-720p", HD, news([]), now()),
    ] {
        let mut composer = Composer::new(&config(1, "x", size)).unwrap();
        let frame = composer.compose(&news, now).expect("something is drawn");
        problems.extend(compare_in("stream", name, frame).err());
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// The picture as it is after these moments, drawn from the start: for comparison.
fn alone(office: StreamOffice, now: Now) -> [u8; 32] {
    composer()
        .compose(&news([office]), now)
        .expect("drawn")
        .sha256()
}

#[test]
fn offices_have_their_turns() {
    let both = news([office("chuo"), office("inage")]);
    let mut composer = composer();
    let mut shown = None;
    for (second, id) in [
        (0, "chuo"),
        (9, "chuo"),
        (10, "inage"),
        (19, "inage"),
        (20, "chuo"),
    ] {
        if let Some(frame) = composer.compose(&both, later(second)) {
            shown = Some(frame.sha256());
        }
        assert_eq!(shown, Some(alone(office(id), later(second))), "{second} s");
    }
    // One that goes away leaves its place to the first that is there.
    let frame = composer.compose(&news([office("inage")]), later(21));
    assert_eq!(
        frame.map(|f| f.sha256()),
        Some(alone(office("inage"), later(21)))
    );
}

#[test]
fn only_chosen_offices_are_shown_in_their_order() {
    let id = |id: &str| OfficeId::new(id).unwrap();
    let config = StreamConfig {
        offices: Some(vec![id("inage"), id("nowhere"), id("chuo")]),
        ..config(1, "x", HD)
    };
    let mut composer = Composer::new(&config).unwrap();
    let all = news(["chuo", "midori", "inage"].map(office));
    let mut shown = Vec::new();
    for second in [0, 10, 20] {
        shown.extend(composer.compose(&all, later(second)).map(|f| f.sha256()));
    }
    let expected =
        [(0, "inage"), (10, "chuo"), (20, "inage")].map(|(s, id)| alone(office(id), later(s)));
    assert_eq!(shown, expected);
}

#[test]
fn every_page_of_many_queues_has_its_turn() {
    let mut many = office("chuo");
    let queues = many.queues.clone();
    for i in 0..6 {
        many.queues.extend(queues.iter().cloned().map(|mut q| {
            q.id = format!("{}-{i}", q.id).parse().unwrap();
            q
        }));
    }
    let both = news([many.clone(), office("inage")]);
    let mut composer = composer();
    // From 10:43 on, so that minute and calls stay the same for all of it.
    let mut pictures = Vec::new();
    for second in (60..110).step_by(10) {
        let drawn = composer.compose(&both, later(second));
        pictures.push(drawn.map(|f| f.sha256()));
    }
    let next = alone(office("inage"), later(90));
    let turn = pictures.iter().position(|p| *p == Some(next));
    let turn = turn.expect("the next office has its turn");
    assert!(turn >= 2, "thirty-five queues need more than a page");
    let pages: std::collections::BTreeSet<_> = pictures[..turn].iter().collect();
    assert_eq!(pages.len(), turn, "each turn shows another page");
    assert_eq!(pictures[0], Some(alone(many, later(60))));
}

#[test]
fn nothing_is_drawn_while_nothing_changes_and_a_new_number_is() {
    let mut composer = composer();
    let mut news = news([office("chuo")]);
    assert!(composer.compose(&news, now()).is_some());
    assert!(composer.compose(&news, later(1)).is_none());
    news.offices[0].queues[1].waiting = Some(99);
    assert!(composer.compose(&news, later(1)).is_some());
    news.broker_connected = false;
    assert!(composer.compose(&news, later(2)).is_some(), "a slate");
    assert!(composer.compose(&news, later(3)).is_none(), "the same");
    news.broker_connected = true;
    assert!(composer.compose(&news, later(4)).is_some(), "numbers again");
}

#[test]
fn numbers_of_another_day_are_not_shown() {
    let mut yesterday = office("chuo");
    for queue in &mut yesterday.queues {
        queue.as_of = Some(time("2026-11-23T16:58:00+09:00"));
        queue.fresh = false;
    }
    let mut other = yesterday.clone();
    for queue in &mut other.queues {
        queue.waiting = queue.waiting.map(|n| n + 7);
        queue.next.clear();
        queue.last_call = None;
    }
    assert_eq!(alone(yesterday, now()), alone(other, now()));
}
