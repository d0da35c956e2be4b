//! Old boards filmed: what is read of them, what is not, and what never leaves.

use crate::support::filmed::{Filmed, Style, TROUBLES, Trouble, hall, make};
pub use crate::support::filming::{config, jpeg, kind};
use crate::support::yobiban;
use jiff::tz::TimeZone;
use std::fs;
use std::path::Path;
use std::time::Duration;
use yobiban::camera::{
    Doubt, FieldReading, FieldSpec, MAX_BYTES, Picture, Quad, Reader, Reading, Rect,
    RectifiedBoard, ViewerPicture, ViewerSchedule, read,
};
use yobiban::clock::Now;

fn rectified(filmed: &Filmed) -> RectifiedBoard {
    let picture = Picture::from_jpeg(&jpeg(filmed)).unwrap();
    picture
        .rectify(&Quad::new(filmed.corners).unwrap())
        .unwrap()
}

fn readings(filmed: &Filmed) -> Vec<Reading> {
    let spec = |f: &crate::support::filmed::Field| FieldSpec {
        id: f.id.clone(),
        rect: Rect::new(f.rect[0], f.rect[1], f.rect[2], f.rect[3]).unwrap(),
        kind: kind(filmed.style),
        max_digits: 6,
    };
    let specs: Vec<FieldSpec> = filmed.fields.iter().map(spec).collect();
    read(&rectified(filmed), &specs)
}

/// Of colours, corners, digits and troubles that follow from a seed alone; `docs/camera.md` has the
/// figures of six hundred pictures.
#[test]
fn no_filmed_board_is_read_wrongly_and_most_fields_are_read() {
    let (mut readable, mut right) = (0, 0);
    for seed in 1001..1015 {
        for style in [Style::Segments, Style::Text] {
            let trouble = TROUBLES[seed as usize % TROUBLES.len()];
            let by = [make, hall::make][seed as usize / TROUBLES.len() % 2];
            let filmed = by(seed, style, trouble);
            for (field, reading) in filmed.fields.iter().zip(readings(&filmed)) {
                if let Ok(text) = &reading.text {
                    assert_eq!(
                        text, &field.digits,
                        "{seed} {style:?} {trouble:?} {}",
                        field.id
                    );
                }
                let fair = field.hidden == 0.0;
                readable += u32::from(fair);
                right += u32::from(fair && reading.text.is_ok());
            }
        }
    }
    assert!(
        readable > 100 && right * 100 >= readable * 95,
        "{right} of {readable}"
    );
}

#[test]
fn a_field_that_is_mostly_hidden_is_unknown() {
    let mut seen = 0;
    for seed in 0..40 {
        let trouble = if seed % 2 == 0 {
            Trouble::Cover
        } else {
            Trouble::Glare
        };
        let filmed = make(seed, Style::Segments, trouble);
        if !filmed.fields.iter().any(|f| f.hidden > 0.5) {
            continue;
        }
        for (field, reading) in filmed.fields.iter().zip(readings(&filmed)) {
            if field.hidden > 0.5 {
                seen += 1;
                assert!(reading.text.is_err(), "{seed} {}: {reading:?}", field.id);
            }
        }
        if seen >= 2 {
            return;
        }
    }
    panic!("only {seen} hidden fields");
}

/// The same board with other things around it gives the same picture, bit by bit, and so the same
/// readings and the same JPEG: nothing of what is around can be in them.
#[test]
fn nothing_outside_the_corners_is_in_what_leaves() {
    let filmed = make(7, Style::Segments, Trouble::None);
    let quad = Quad::new(filmed.corners).unwrap();
    // A board's rim is mixed from the pixels on both sides of it.
    let (cx, cy) = filmed
        .corners
        .iter()
        .fold((0.0, 0.0), |s, c| (s.0 + c.0 / 4.0, s.1 + c.1 / 4.0));
    let grown = Quad::new(filmed.corners.map(|(x, y)| {
        let far = (x - cx).hypot(y - cy);
        (x + (x - cx) * 4.0 / far, y + (y - cy) * 4.0 / far)
    }));
    let grown = grown.unwrap().points();
    let mut marked = filmed.rgb.clone();
    let rng = &mut fastrand::Rng::with_seed(5);
    for (i, pixel) in marked.chunks_exact_mut(3).enumerate() {
        let (x, y) = ((i % 1280) as f32 + 0.5, (i / 1280) as f32 + 0.5);
        let inside = (0..4).all(|k| {
            let (a, b) = (grown[k], grown[(k + 1) % 4]);
            (b.0 - a.0) * (y - a.1) - (b.1 - a.1) * (x - a.0) >= 0.0
        });
        if !inside {
            pixel.fill(rng.u8(..));
        }
    }
    let of = |rgb: Vec<u8>| {
        Picture::from_rgb(1280, 720, rgb)
            .unwrap()
            .rectify(&quad)
            .unwrap()
    };
    let (plain, marked) = (of(filmed.rgb.clone()), of(marked));
    assert!(plain.rgb() == marked.rgb());
    let now = Now::at("2026-11-24T01:42:07Z".parse().unwrap());
    let shown = |board: &RectifiedBoard| ViewerPicture::of(board, now, &TimeZone::UTC).unwrap();
    assert_eq!(shown(&plain), shown(&marked));
}

#[test]
fn a_picture_for_viewers_is_small_and_made_only_when_something_changed() {
    let now = Now::at("2026-11-24T01:42:07Z".parse().unwrap());
    let rng = &mut fastrand::Rng::with_seed(3);
    let noise: Vec<u8> = (0..1280 * 720 * 3).map(|_| rng.u8(..)).collect();
    let whole = Quad::new([(0.0, 0.0), (1280.0, 0.0), (1280.0, 720.0), (0.0, 720.0)]).unwrap();
    let board = Picture::from_rgb(1280, 720, noise)
        .unwrap()
        .rectify(&whole)
        .unwrap();
    let picture = ViewerPicture::of(&board, now, &TimeZone::UTC).unwrap();
    assert!(picture.jpeg.len() <= MAX_BYTES, "{}", picture.jpeg.len());
    let quiet = rectified(&make(7, Style::Text, Trouble::None));
    let other = rectified(&make(8, Style::Text, Trouble::None));
    let mut viewing = ViewerSchedule::default();
    let every = Duration::from_secs(5);
    let seconds = Duration::from_secs;
    assert!(viewing.is_due(&quiet, every, seconds(0)));
    assert!(!viewing.is_due(&quiet, every, seconds(60)));
    assert!(viewing.is_due(&other, every, seconds(61)));
    assert!(!viewing.is_due(&quiet, every, seconds(64)));
    assert!(viewing.is_due(&quiet, every, seconds(66)));
    assert!(viewing.is_due(&quiet, every, seconds(400)));
}

#[test]
fn three_pictures_that_agree_tell_what_stands_on_the_board_and_it_is_no_call_of_now() {
    let filmed = make(7, Style::Text, Trouble::None);
    let mut reader = Reader::new(&config(&filmed), TimeZone::UTC).unwrap();
    let picture = Picture::from_jpeg(&jpeg(&filmed)).unwrap();
    let start: jiff::Timestamp = "2026-11-24T01:42:07Z".parse().unwrap();
    let told: Vec<usize> = (0..4)
        .map(|i| {
            let now = Now::at(start + jiff::SignedDuration::from_secs(i));
            let look = reader.observe(&picture, now).unwrap();
            for (queue, state) in &look.states {
                let row: usize = queue.as_str()[1..].parse().unwrap();
                let (ticket, counter) = state.last_shown().unwrap();
                assert_eq!(ticket.as_str(), filmed.fields[row * 2 + 1].digits);
                assert_eq!(counter.unwrap().as_str(), filmed.fields[row * 2].digits);
                assert!(state.calls.is_empty(), "nobody saw when it was called");
            }
            look.states.len()
        })
        .collect();
    assert_eq!(told, [0, 0, filmed.fields.len() / 2, 0]);
}

/// A picture moved to the right and down; what comes in is grey.
fn moved(filmed: &Filmed, (right, down): (isize, isize)) -> Picture {
    let (w, h) = (filmed.width as usize, filmed.height as usize);
    let mut rgb = vec![70; filmed.rgb.len()];
    for y in 0..h {
        let Some(from) = y.checked_add_signed(-down).filter(|from| *from < h) else {
            continue;
        };
        let (to_x, from_x) = (right.max(0) as usize, (-right).max(0) as usize);
        let n = (w - to_x - from_x) * 3;
        let (to, from) = ((y * w + to_x) * 3, (from * w + from_x) * 3);
        rgb[to..to + n].copy_from_slice(&filmed.rgb[from..from + n]);
    }
    Picture::from_rgb(filmed.width, filmed.height, rgb).unwrap()
}

#[test]
fn a_board_that_moved_a_little_is_followed_and_one_that_moved_away_is_unknown_until_it_is_back() {
    let filmed = make(7, Style::Text, Trouble::None);
    let mut reader = Reader::new(&config(&filmed), TimeZone::UTC).unwrap();
    let now = Now::at("2026-11-24T01:42:07Z".parse().unwrap());
    let mut look = |by| reader.observe(&moved(&filmed, by), now).unwrap();
    let true_of = |look: &yobiban::camera::Observation, by: (isize, isize)| {
        for (field, read) in filmed.fields.iter().zip(&look.fields) {
            let text = read.reading.text.as_ref();
            assert_eq!(text, Ok(&field.digits), "{by:?} {}", field.id);
        }
    };
    for by in [(0, 0), (9, 0), (4, 7), (-6, -8)] {
        true_of(&look(by), by);
    }
    // Just beyond the limit, and far away.
    for by in [(0, 17), (25, 0), (-300, 0)] {
        let look = look(by);
        assert!(look.board.is_none(), "{by:?}");
        let doubts = look.fields.iter().map(FieldReading::doubt);
        assert!(
            doubts.into_iter().all(|d| d == Some(Doubt::Moved)),
            "{by:?}"
        );
        assert!(look.states.is_empty());
    }
    true_of(&look((3, 3)), (3, 3));
}

pub fn truth(filmed: &Filmed) -> String {
    let field = |f: &crate::support::filmed::Field| serde_json::json!({ "id": f.id, "rect": f.rect, "truth": f.digits });
    let fields: Vec<_> = filmed.fields.iter().map(field).collect();
    serde_json::json!({ "board": "text-digits", "corners": filmed.corners, "fields": fields })
        .to_string()
}

#[test]
fn a_folder_is_scored_and_the_last_line_holds_the_counts() {
    let dir = tempfile::tempdir().unwrap();
    let filmed = make(7, Style::Text, Trouble::None);
    fs::write(dir.path().join("a.jpg"), jpeg(&filmed)).unwrap();
    fs::write(dir.path().join("a.json"), truth(&filmed)).unwrap();
    let output = yobiban()
        .args(["camera", "read", "--truth"])
        .arg(dir.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let n = filmed.fields.len();
    let last = format!("fields n={n} readable={n} right={n} unknown=0 wrong=0");
    assert_eq!(text.lines().last(), Some(last.as_str()), "{text}");
}

#[test]
fn a_board_is_found_and_the_block_that_is_printed_reads_it() {
    let dir = tempfile::tempdir().unwrap();
    let filmed = make(7, Style::Text, Trouble::None);
    let picture = dir.path().join("a.jpg");
    fs::write(&picture, jpeg(&filmed)).unwrap();
    let drawn = dir.path().join("found.png");
    let output = yobiban()
        .args(["camera", "calibrate"])
        .arg(&picture)
        .arg("--out")
        .arg(&drawn)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let block = String::from_utf8(output.stdout).unwrap();
    let fields = block.matches("[[camera.field]]").count();
    assert_eq!(fields, filmed.fields.len(), "{block}");
    let queues: String = (1..=fields)
        .map(|i| format!("[[queue]]\nid = \"queue-{i}\"\nname = {{ ja = \"窓口\" }}\n"))
        .collect();
    let node = "[office]\nid = \"chuo\"\nname = { ja = \"中央区\" }\n[node]\nid = \"n1\"\n\
                [mqtt]\nurl = \"mqtt://127.0.0.1:1883\"\n";
    let file = dir.path().join("node.toml");
    fs::write(&file, format!("{node}{queues}{block}")).unwrap();
    let output = yobiban()
        .args(["camera", "read"])
        .arg(&picture)
        .arg("--config")
        .arg(&file)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let read: Vec<&str> = answer["fields"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|f| f["text"].as_str())
        .collect();
    let mut expected: Vec<&str> = filmed.fields.iter().map(|f| f.digits.as_str()).collect();
    let mut sorted = read.clone();
    sorted.sort_unstable();
    expected.sort_unstable();
    assert_eq!(sorted, expected, "{answer}");
    assert!(Path::new(&drawn).is_file());
}

#[test]
fn bytes_that_are_no_picture_are_refused() {
    let good = jpeg(&make(7, Style::Text, Trouble::None));
    for cut in [0, 1, 20, 700] {
        assert!(Picture::from_jpeg(&good[..cut]).is_err(), "{cut}");
    }
    assert!(Picture::from_jpeg(b"\x89PNG\r\n\x1a\n").is_err());
    assert!(Picture::from_rgb(1280, 720, vec![0; 10]).is_err());
    assert!(Picture::from_rgb(u32::MAX, u32::MAX, Vec::new()).is_err());
}
