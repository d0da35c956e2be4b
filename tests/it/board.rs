//! Boards as golden pictures, and what must hold for any board.
//!
//! `YOBIBAN_ACCEPT=1 cargo test --test it board::` writes the pictures anew: look at each of them
//! before it is committed.

use crate::board_states::{
    Day, Moment, SIZES, STATES, burst, call_a042, crowded, morning, normal, zero,
};
use embedded_graphics::geometry::{OriginDimensions, Point};
use embedded_graphics::primitives::Rectangle;
use std::fs;
use std::path::{Path, PathBuf};
use yobiban::board::MessageScreen;
use yobiban::output::{Frame, encode};

fn golden_dir() -> PathBuf {
    golden("boards")
}

fn golden(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(folder)
}

fn decode(bytes: &[u8]) -> Option<(u32, u32, Vec<u8>)> {
    let mut decoder = png::Decoder::new(std::io::Cursor::new(bytes));
    decoder.set_transformations(png::Transformations::EXPAND);
    let mut reader = decoder.read_info().ok()?;
    let mut rgb = vec![0; reader.output_buffer_size()?];
    let info = reader.next_frame(&mut rgb).ok()?;
    rgb.truncate(info.buffer_size());
    Some((info.width, info.height, rgb))
}

fn rgb(frame: &Frame) -> Vec<u8> {
    let mut rgb = Vec::with_capacity(frame.words().len() * 3);
    for word in frame.words() {
        rgb.extend_from_slice(&word.to_be_bytes()[1..]);
    }
    rgb
}

/// Compares a frame with its golden picture; on a difference writes both what was drawn and where
/// it differs, and returns what to say.
fn compare(name: &str, frame: &Frame) -> Result<(), String> {
    compare_in("boards", name, frame)
}

/// The same for golden pictures of another folder.
pub fn compare_in(folder: &str, name: &str, frame: &Frame) -> Result<(), String> {
    let path = golden(folder).join(format!("{name}.png"));
    if std::env::var_os("YOBIBAN_ACCEPT").is_some() {
        let picture = encode::lossless(frame);
        fs::create_dir_all(golden(folder)).expect("directory");
        let same = fs::read(&path).is_ok_and(|old| old == picture.bytes);
        if !same {
            fs::write(&path, &picture.bytes).expect("golden picture written");
        }
        return Ok(());
    }
    let golden = fs::read(&path).ok().and_then(|bytes| decode(&bytes));
    let drawn = rgb(frame);
    if let Some((width, height, golden)) = &golden
        && (*width, *height) == (frame.width(), frame.height())
        && *golden == drawn
    {
        return Ok(());
    }
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/golden-diff");
    fs::create_dir_all(&dir).expect("directory");
    let actual = dir.join(format!("{name}.png"));
    fs::write(&actual, encode::lossless(frame).bytes).expect("actual picture written");
    let Some((_, _, golden)) = golden.filter(|g| (g.0, g.1) == (frame.width(), frame.height()))
    else {
        return Err(format!(
            "{name}: no golden picture of this size; drawn: {}",
            actual.display()
        ));
    };
    // What differs in white on black.
    let mut diff = Frame::new(frame.width(), frame.height());
    let mut differing = 0;
    for (i, (a, b)) in (0_u32..).zip(golden.chunks(3).zip(drawn.chunks(3))) {
        if a != b {
            differing += 1;
            let at = Point::new((i % frame.width()) as i32, (i / frame.width()) as i32);
            let pixel = Rectangle::new(at, embedded_graphics::geometry::Size::new(1, 1));
            let white = <embedded_graphics::pixelcolor::Rgb888 as embedded_graphics::pixelcolor::RgbColor>::WHITE;
            embedded_graphics::draw_target::DrawTarget::fill_solid(&mut diff, &pixel, white)
                .expect("infallible");
        }
    }
    let diff_path = dir.join(format!("{name}.diff.png"));
    fs::write(&diff_path, encode::lossless(&diff).bytes).expect("difference written");
    Err(format!(
        "{name}: {differing} pixels differ; drawn: {}, difference: {}",
        actual.display(),
        diff_path.display()
    ))
}

#[test]
fn boards_look_like_their_golden_pictures() {
    let problems: Vec<String> = STATES
        .iter()
        .flat_map(|(state, make)| {
            SIZES
                .iter()
                .map(move |(end, size)| (state, make, end, size))
        })
        .filter_map(|(state, make, end, size)| {
            compare(&format!("{state}-{end}"), &make(*size).draw()).err()
        })
        .collect();
    assert!(
        problems.is_empty(),
        "{}\nYOBIBAN_ACCEPT=1 takes what is drawn as golden, once somebody has looked at it",
        problems.join("\n")
    );
}

/// A board that says that it is out of service.
fn out_of_service(size: (u32, u32)) -> Frame {
    let moment = normal(size);
    let mut painter = moment.painter();
    let mut frame = Frame::new(size.0, size.1);
    let all = Rectangle::new(Point::zero(), frame.size());
    assert_eq!(painter.out_of_service(&mut frame), [all]);
    frame
}

#[test]
fn the_last_picture_looks_like_its_golden_picture() {
    for (end, size) in SIZES {
        let moment = normal(size);
        let mut frame = Frame::new(size.0, size.1);
        let slate = MessageScreen::shutdown(moment.now, &moment.state.timezone);
        moment.painter().message_screen(&slate, &mut frame);
        compare(&format!("goodbye-{end}"), &frame).expect("as the golden picture");
    }
    // Without a believable clock it names no time.
    let mut moment = normal(SIZES[0].1);
    moment.now.synced = false;
    let slate = MessageScreen::shutdown(moment.now, &moment.state.timezone);
    let says_a_time = |text: &str| text.contains(|c: char| c.is_ascii_digit());
    assert!(!says_a_time(&slate.line) && !says_a_time(&slate.english));
}

#[test]
fn a_board_out_of_service_looks_like_its_golden_picture() {
    for (end, size) in SIZES {
        let name = format!("out-of-service-{end}");
        compare(&name, &out_of_service(size)).expect("as the golden picture");
    }
}

#[test]
fn a_dark_board_is_black_and_comes_back_whole() {
    let moment = normal((640, 360));
    let mut painter = moment.painter();
    let mut frame = Frame::new(640, 360);
    let all = Rectangle::new(Point::zero(), frame.size());
    moment.redraw(&mut painter, &mut frame);
    assert_eq!(painter.black(&mut frame), [all]);
    assert!(frame.words().iter().all(|w| *w == 0));
    assert_eq!(painter.black(&mut frame), [], "black already");
    assert_eq!(moment.redraw(&mut painter, &mut frame), [all]);
    assert!(frame == moment.draw());
}

#[test]
fn no_golden_picture_is_left_without_a_case() {
    let cases: Vec<String> = STATES
        .iter()
        .flat_map(|(state, _)| {
            SIZES
                .iter()
                .map(move |(end, _)| format!("{state}-{end}.png"))
        })
        .chain(SIZES.map(|(end, _)| format!("out-of-service-{end}.png")))
        .chain(SIZES.map(|(end, _)| format!("goodbye-{end}.png")))
        .collect();
    for entry in fs::read_dir(golden_dir()).expect("directory") {
        let name = entry
            .expect("entry")
            .file_name()
            .into_string()
            .expect("name");
        assert!(
            cases.contains(&name),
            "{name} belongs to no case: remove it"
        );
    }
}

#[test]
fn a_change_redraws_what_differs_and_nothing_else() {
    for (_, size) in SIZES.iter().filter(|s| s.0 != "4k") {
        let mut day = morning(*size);
        let first = day.until("10:41:55").moment();
        let mut painter = first.painter();
        let mut frame = Frame::new(size.0, size.1);
        let all = Rectangle::new(Point::zero(), frame.size());
        assert_eq!(first.redraw(&mut painter, &mut frame), [all]);
        assert_eq!(
            first.redraw(&mut painter, &mut frame),
            [],
            "nothing changed"
        );
        // A call, its blinking, three calls more, their end, numbers that get old.
        call_a042(&mut day, "10:42:00", "call");
        let mut moments: Vec<Moment> = ["10:42:00.300", "10:42:00.600", "10:42:20"]
            .map(|at| day.until(at).moment())
            .into();
        moments.push(burst(*size));
        moments.extend(["10:42:40", "10:44:10", "10:50:00"].map(|at| day.until(at).moment()));
        moments.push(crowded(*size));
        moments.push(zero(*size));
        for moment in moments {
            let before = frame.clone();
            let damage = moment.redraw(&mut painter, &mut frame);
            let what = format!("{} at {}", size.0, moment.now.wall);
            assert!(
                frame == moment.draw(),
                "{what}: redrawn differs from drawn anew"
            );
            assert!(
                !damage.is_empty() && !damage.contains(&all),
                "{what}: {damage:?}"
            );
            assert!(
                damage.iter().all(|d| d.intersection(&all) == *d),
                "{what}: {damage:?}"
            );
            let outside = (0..size.1)
                .flat_map(|y| (0..size.0).map(move |x| (x, y)))
                .find(|&(x, y)| {
                    frame.pixel(x, y) != before.pixel(x, y)
                        && !damage
                            .iter()
                            .any(|d| d.contains(Point::new(x as i32, y as i32)))
                });
            assert_eq!(outside, None, "{what}: changed without being named");
        }
    }
}

#[test]
fn a_call_blinks_for_its_minimum_time_at_one_hertz() {
    let mut day = morning((640, 360));
    call_a042(&mut day, "10:42:00", "call");
    let mut painter = day.moment().painter();
    let mut look = |at: &str| {
        let moment = day.until(at).moment();
        let view = painter.view(&moment.snapshot, &moment.panel, moment.now);
        let mut frame = Frame::new(640, 360);
        painter.forget();
        painter.draw(&view, &mut frame);
        (frame.sha256(), painter.next_change(&view, moment.now))
    };
    let ms = |n| Some(std::time::Duration::from_millis(n));
    let (filled, next) = look("10:42:00.100");
    assert_eq!(next, ms(400));
    let (inverted, next) = look("10:42:00.600");
    assert_eq!(next, ms(400));
    assert_ne!(filled, inverted);
    assert_eq!(look("10:42:01.000").0, filled);
    assert_eq!(look("10:42:11.999").0, inverted);
    // After twelve seconds it stands still, and only the minute is left to wait for.
    assert_eq!(look("10:42:12.600"), (filled, ms(47_400)));
    assert_eq!(look("10:42:13.100").0, filled);
}

#[test]
fn without_a_believable_clock_no_time_is_shown() {
    let mut moment = normal((640, 360));
    let shown = moment.draw().sha256();
    moment.now.synced = false;
    let mut painter = moment.painter();
    let view = painter.view(&moment.snapshot, &moment.panel, moment.now);
    assert!(format!("{view:?}").contains("clock: None"));
    let mut frame = Frame::new(640, 360);
    painter.draw(&view, &mut frame);
    assert_ne!(frame.sha256(), shown);
}

#[test]
fn more_queues_than_fit_are_shown_in_turn() {
    let names: Vec<String> = (0..40).map(|i| format!("q{i}")).collect();
    let queues: Vec<_> = names
        .iter()
        .map(|n| (n.as_str(), "手続き", "", false))
        .collect();
    let mut day = Day::new((1920, 1080), &queues);
    let looks: Vec<[u8; 32]> = ["10:00:00", "10:00:10", "10:00:20", "10:00:30", "10:00:40"]
        .iter()
        .map(|at| day.until(at).moment().draw().sha256())
        .collect();
    assert_eq!(looks[0], looks[3], "three pages");
    assert_eq!(looks[1], looks[4]);
    assert_ne!(looks[0], looks[1], "the page is numbered");
}

#[test]
fn lossless_pictures_and_previews_stay_small() {
    for (name, make) in STATES {
        let frame = make((1920, 1080)).draw();
        let (lossless, preview) = (encode::lossless(&frame), encode::preview(&frame));
        assert!(
            lossless.bytes.len() <= 90_000,
            "{name}: {}",
            lossless.bytes.len()
        );
        assert!(
            preview.bytes.len() <= 25_000,
            "{name}: {}",
            preview.bytes.len()
        );
        assert_eq!((preview.width, preview.height), (640, 360));
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(48))]
    #[test]
    fn any_words_on_any_size_are_drawn(
        size in (1u32..1500, 1u32..1500),
        names in proptest::collection::vec((".{0,40}", ".{0,40}", proptest::bool::ANY), 0..20),
        labels in proptest::collection::vec("[^\\p{C}\\p{Z}]{1,12}", 1..8),
        waiting in 0u32..u32::MAX,
        notice in ".{0,80}",
    ) {
        let ids: Vec<String> = (0..names.len()).map(|i| format!("q{i}")).collect();
        let queues: Vec<_> = ids.iter().zip(&names)
            .map(|(id, (ja, en, fast))| (id.as_str(), ja.as_str(), en.as_str(), *fast))
            .collect();
        let mut day = Day::new(size, &queues);
        for (id, label) in ids.iter().zip(labels.iter().cycle()) {
            day.try_say("10:42:00", id, serde_json::json!({"waiting": waiting, "on_hold": waiting,
                "next": labels, "wait": {"low": waiting % 80_000, "high": 80_000},
                "calls": [[1, label, labels[0], "10:42:00", "recall"]]}));
        }
        let mut moment = day.moment();
        moment.config.notices = vec![yobiban::model::Name::new([("ja", notice)])];
        moment.draw();
    }
}
