//! Boards as golden pictures, and what must hold for any board.
//!
//! `YOBIBAN_ACCEPT=1 cargo test --test it board::` writes the pictures anew: look at each of them
//! before it is committed.

use crate::board_states::{Moment, SIZES, STATES, call_a042, morning};
use embedded_graphics::geometry::{OriginDimensions, Point};
use embedded_graphics::primitives::Rectangle;
use std::fs;
use std::path::{Path, PathBuf};
use yobiban::board::Painter;
use yobiban::output::{Frame, encode};

fn painter(moment: &Moment) -> Painter {
    Painter::new(&moment.office, &moment.state, &moment.config).expect("painter")
}

fn draw(moment: &Moment) -> Frame {
    let mut painter = painter(moment);
    let mut frame = Frame::new(moment.config.size.0, moment.config.size.1);
    let view = painter.view(&moment.snapshot, &moment.panel, moment.now);
    painter.draw(&view, &mut frame);
    frame
}

fn golden_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/boards")
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
    frame
        .words()
        .iter()
        .flat_map(|w| w.to_be_bytes()[1..].to_vec())
        .collect()
}

/// Compares a frame with its golden picture; on a difference writes both what was drawn and where
/// it differs, and returns what to say.
fn compare(name: &str, frame: &Frame) -> Result<(), String> {
    let path = golden_dir().join(format!("{name}.png"));
    let picture = encode::lossless(frame);
    if std::env::var_os("YOBIBAN_ACCEPT").is_some() {
        fs::create_dir_all(golden_dir()).expect("directory");
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
    fs::write(&actual, &picture.bytes).expect("actual picture written");
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
            compare(&format!("{state}-{end}"), &draw(&make(*size))).err()
        })
        .collect();
    assert!(
        problems.is_empty(),
        "{}\nYOBIBAN_ACCEPT=1 takes what is drawn as golden, once somebody has looked at it",
        problems.join("\n")
    );
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
