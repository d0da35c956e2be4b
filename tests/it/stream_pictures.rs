//! Pictures of boards and cameras in a video: golden pictures, turns, and what is said of old ones.

use crate::board::compare_in;
use crate::camera::jpeg;
use crate::stream::{HD, config, news, office};
use crate::support::city::{AT, time};
use crate::support::filmed::{Style, Trouble, ahead};
use std::time::Duration;
use yobiban::camera::{Picture, Quad, ViewerPicture};
use yobiban::clock::Now;
use yobiban::config::{StreamConfig, StreamShow};
use yobiban::output::encode;
use yobiban::stream::{Composer, PictureKind, StreamOffice, StreamPicture};
use yobiban::wire::{MediaType, WireTime, sha256_hex};

fn at(moment: &str) -> Now {
    Now::at(moment.parse().unwrap())
}

fn picture(kind: PictureKind, bytes: Vec<u8>, at: WireTime) -> StreamPicture {
    StreamPicture {
        kind,
        sha256: sha256_hex(&bytes).into(),
        format: match kind {
            PictureKind::Board => MediaType::Png,
            PictureKind::Camera => MediaType::Jpeg,
        },
        bytes: bytes.into(),
        at,
        node_online: true,
    }
}

/// A board as a node sends it.
pub fn board(id: &str) -> StreamPicture {
    let mut painted = Composer::new(&config(1, "x", (1920, 1080))).unwrap();
    let frame = painted.compose(&news([office(id)]), at(AT)).unwrap();
    picture(
        PictureKind::Board,
        encode::lossless(frame).bytes,
        time("2026-11-24T10:42:07+09:00"),
    )
}

/// A filmed board as a node sends it: cut out, with its time.
pub fn filmed(taken: &str) -> StreamPicture {
    let film = ahead(7, Style::Text, Trouble::None, 0);
    let whole = Picture::from_jpeg(&jpeg(&film)).unwrap();
    let cut = whole.rectify(&Quad::new(film.corners).unwrap()).unwrap();
    let taken = time(taken);
    let zone = taken.zoned().time_zone().clone();
    let shown = ViewerPicture::of(&cut, Now::at(taken.at), &zone).unwrap();
    picture(PictureKind::Camera, shown.jpeg, taken)
}

pub fn showing(show: &[StreamShow]) -> StreamConfig {
    StreamConfig {
        show: show.to_vec(),
        ..config(1, "x", HD)
    }
}

fn with(pictures: impl IntoIterator<Item = StreamPicture>) -> StreamOffice {
    StreamOffice {
        pictures: pictures.into_iter().collect(),
        ..office("chuo")
    }
}

const CAMERAS: &[StreamShow] = &[StreamShow::Cameras];
const BOARDS: &[StreamShow] = &[StreamShow::Boards];

#[test]
fn pictures_look_like_their_golden_pictures() {
    let fresh = filmed("2026-11-24T10:41:50+09:00");
    let silent = StreamPicture {
        node_online: false,
        ..board("chuo")
    };
    let strange = StreamPicture {
        format: MediaType::WebP,
        ..board("chuo")
    };
    let mut problems = Vec::new();
    for (name, show, shown, moment) in [
        ("board-720p", BOARDS, board("chuo"), AT),
        ("board-silent-720p", BOARDS, silent, AT),
        ("board-strange-720p", BOARDS, strange, AT),
        ("camera-720p", CAMERAS, fresh.clone(), AT),
        (
            "camera-old-720p",
            CAMERAS,
            fresh.clone(),
            "2026-11-24T10:49:00+09:00",
        ),
        (
            "camera-yesterday-720p",
            CAMERAS,
            fresh,
            "2026-11-25T09:10:00+09:00",
        ),
    ] {
        let mut composer = Composer::new(&showing(show)).unwrap();
        let frame = composer.compose(&news([with([shown])]), at(moment));
        problems.extend(compare_in("stream", name, frame.expect("drawn")).err());
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn numbers_and_pictures_have_their_turns_in_the_order_that_was_asked_for() {
    let both = with([board("chuo"), filmed("2026-11-24T10:42:00+09:00")]);
    let all = news([both, office("inage")]);
    let mut composer = Composer::new(&showing(&[
        StreamShow::Cameras,
        StreamShow::Numbers,
        StreamShow::Boards,
    ]))
    .unwrap();
    let mut now = at(AT);
    let mut seen = Vec::new();
    for _ in 0..5 {
        seen.push(
            composer
                .compose(&all, now)
                .expect("another picture")
                .sha256(),
        );
        assert!(composer.compose(&all, now).is_none(), "drawn once");
        now.mono += Duration::from_secs(10);
    }
    // Camera, numbers, board; the other office's numbers; the camera again.
    assert_eq!(seen[4], seen[0]);
    let distinct: std::collections::BTreeSet<_> = seen[..4].iter().collect();
    assert_eq!(distinct.len(), 4);
    let mut alone = Composer::new(&config(1, "x", HD)).unwrap();
    let numbers = alone.compose(&news([office("chuo")]), at(AT)).unwrap();
    assert_eq!(seen[1], numbers.sha256());
}

#[test]
fn an_office_without_such_a_picture_has_no_turn_and_nothing_is_a_slate() {
    let mut composer = Composer::new(&showing(CAMERAS)).unwrap();
    let none = composer.compose(&news([office("chuo")]), at(AT));
    let slate = none.expect("a slate").sha256();
    let shown = with([filmed("2026-11-24T10:42:00+09:00")]);
    let seen = composer.compose(&news([office("inage"), shown.clone()]), at(AT));
    assert_ne!(seen.expect("the picture").sha256(), slate);
    // A newer picture, and the same one when it became old, are drawn; the same again is not.
    let mut now = at(AT);
    now.mono += Duration::from_secs(1);
    let newer = with([filmed("2026-11-24T10:42:05+09:00")]);
    assert!(composer.compose(&news([newer.clone()]), now).is_some());
    assert!(composer.compose(&news([newer.clone()]), now).is_none());
    let mut silent = newer;
    silent.pictures[0].node_online = false;
    assert!(
        composer.compose(&news([silent]), now).is_some(),
        "its age is said"
    );
}
