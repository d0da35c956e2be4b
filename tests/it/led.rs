//! Boards of light points as golden pictures, and what must hold for any of them.
//!
//! The pictures are what an installer sees: every point a square, lit or not.
//! `YOBIBAN_ACCEPT=1 cargo test --test it led::` writes them anew: look at each before it is
//! committed.

use crate::board_states::{Day, Moment};
use crate::support::root;
use serde_json::json;
use std::collections::BTreeSet;
use std::fs;
use yobiban::output::led::preview::{Points, preview};
use yobiban::output::{Frame, encode};

/// Sizes of panels, with the name that ends their files.
const PANELS: [((u32, u32), Points); 6] = [
    ((64, 32), Points::Rgb),
    ((128, 32), Points::Rgb),
    ((64, 64), Points::Rgb),
    ((32, 8), Points::Red),
    ((64, 8), Points::Red),
    ((64, 16), Points::Red),
];

type Make = fn((u32, u32)) -> Moment;

const STATES: [(&str, Make); 13] = [
    ("call", |size| {
        called(size, "A042", "3", "call", "10:42:00.2")
    }),
    ("call-second-look", |size| {
        called(size, "A042", "3", "call", "10:42:00.7")
    }),
    ("recall", |size| {
        called(size, "B117", "12", "recall", "10:42:00.2")
    }),
    ("call-long-label", |size| {
        called(size, "MYNUM-1042", "総合1", "call", "10:42:00.3")
    }),
    ("queue", |size| idle(size, "10:50:00.4")),
    ("queue-people", |size| idle(size, "10:50:03.0")),
    ("queue-wait", |size| idle(size, "10:50:06.0")),
    ("queue-fast", |size| fast(size, "10:50:04.0")),
    ("old", |size| idle(size, "11:05:06.0")),
    ("paused", |size| status(size, "paused")),
    ("closed", |size| status(size, "closed")),
    ("unknown", |size| {
        Day::new(size, &ONE).until("10:42:00.5").moment()
    }),
    ("wide-numbers", |size| {
        let mut day = Day::new(size, &ONE);
        day.say(
            "10:42:00",
            "certificates",
            json!({"waiting": 128, "wait": {"low": 3360, "high": 4740},
            "calls": [[1, "A1042", "12", "10:30:00", "call"]]}),
        );
        day.until("10:42:40.4").moment()
    }),
];

const ONE: [(&str, &str, &str, bool); 1] =
    [("certificates", "証明書の交付", "Certificates", false)];

fn led(mut moment: Moment) -> Moment {
    moment.config.layout = Some("led".into());
    moment
}

fn called(size: (u32, u32), ticket: &str, counter: &str, kind: &str, at: &str) -> Moment {
    let mut day = Day::new(size, &ONE);
    day.say(
        "10:42:00",
        "certificates",
        json!({"waiting": 12,
        "calls": [[311, ticket, counter, "10:42:00", kind]]}),
    );
    day.until(at).moment()
}

fn idle(size: (u32, u32), at: &str) -> Moment {
    let mut day = Day::new(size, &ONE);
    day.say(
        "10:49:30",
        "certificates",
        json!({"waiting": 12, "wait": {"low": 480, "high": 900},
        "calls": [[311, "A042", "3", "10:40:00", "call"]]}),
    );
    day.until(at).moment()
}

fn fast(size: (u32, u32), at: &str) -> Moment {
    let mut day = Day::new(
        size,
        &[("moving-fast", "住所の異動", "Change of address", true)],
    );
    day.say(
        "10:49:30",
        "moving-fast",
        json!({"waiting": 0, "wait": {"low": 0, "high": 60},
        "calls": [[38, "F007", "9", "10:40:00", "call"]]}),
    );
    day.until(at).moment()
}

fn status(size: (u32, u32), status: &str) -> Moment {
    let mut day = Day::new(size, &ONE);
    day.say(
        "10:49:30",
        "certificates",
        json!({"waiting": 0, "status": status,
        "calls": [[311, "A042", "3", "10:40:00", "call"]]}),
    );
    day.until("10:50:00.4").moment()
}

/// Every golden picture by name.
pub fn pictures() -> Vec<(String, Frame)> {
    let mut all = Vec::new();
    for (size, points) in PANELS {
        let end = format!("{}x{}", size.0, size.1);
        for (state, make) in STATES {
            let frame = led(make(size)).draw();
            all.push((format!("{state}-{end}.png"), preview(&frame, points)));
        }
        let moment = led(idle(size, "10:50:00"));
        let mut frame = Frame::new(size.0, size.1);
        moment.painter().out_of_service(&mut frame);
        all.push((format!("out-of-service-{end}.png"), preview(&frame, points)));
    }
    all
}

#[test]
fn panels_look_like_their_golden_pictures() {
    let folder = root().join("tests/golden/led");
    let accept = std::env::var_os("YOBIBAN_ACCEPT").is_some();
    let mut wrong = Vec::new();
    let mut names = BTreeSet::new();
    for (name, picture) in pictures() {
        let path = folder.join(&name);
        let drawn = encode::lossless(&picture).bytes;
        let golden = fs::read(&path).unwrap_or_default();
        if accept && golden != drawn {
            fs::create_dir_all(&folder).expect("folder");
            fs::write(&path, &drawn).expect("written");
        } else if golden.is_empty() || pixels(&golden) != pixels(&drawn) {
            let aside = root().join("target/golden-diff").join(&name);
            fs::create_dir_all(aside.parent().expect("folder")).expect("folder");
            fs::write(&aside, &drawn).expect("written");
            wrong.push(format!("{name}; drawn: {}", aside.display()));
        }
        names.insert(name);
    }
    assert!(wrong.is_empty(), "not as golden:\n{}", wrong.join("\n"));
    for file in fs::read_dir(&folder).expect("folder") {
        let name = file.expect("file").file_name().into_string().expect("name");
        assert!(
            names.contains(&name),
            "{name} belongs to no case: remove it"
        );
    }
}

fn pixels(png: &[u8]) -> Vec<u32> {
    let picture = crate::support::png::rgb(png);
    let (w, h) = picture.size();
    (0..h)
        .flat_map(|y| (0..w).map(move |x| (x, y)))
        .map(|(x, y)| picture.pixel(x, y))
        .collect()
}
