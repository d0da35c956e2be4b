//! Pictures of one board one after the other: what each tells by itself, and what a camera that saw those
//! before it has told by then.

use crate::camera::{jpeg, truth};
use crate::support::filmed::{Filmed, Style, Trouble, make, sequence};
use crate::support::yobiban;
use std::fs;
use std::path::Path;

/// Writes pictures with their truth; a field of which a place is half hidden or more is unreadable.
fn write(dir: &Path, name: &str, pictures: &[Filmed]) {
    for (i, filmed) in pictures.iter().enumerate() {
        let mut known: serde_json::Value = serde_json::from_str(&truth(filmed)).unwrap();
        known["sequence"] = name.into();
        known["board"] = match filmed.style {
            Style::Segments => "seven-segment".into(),
            Style::Text => "text-digits".into(),
        };
        for (field, known) in filmed
            .fields
            .iter()
            .zip(known["fields"].as_array_mut().unwrap())
        {
            if field.worst >= 0.5 {
                known["truth"] = serde_json::Value::Null;
            }
        }
        let file = dir.join(format!("{name}-{i:02}"));
        fs::write(file.with_extension("jpg"), jpeg(filmed)).unwrap();
        fs::write(file.with_extension("json"), known.to_string()).unwrap();
    }
}

/// What `yobiban camera read --truth` prints.
fn score(dir: &Path) -> String {
    let output = yobiban()
        .args(["camera", "read", "--truth"])
        .arg(dir)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// A count of the line that begins so.
fn count(text: &str, line: &str, name: &str) -> usize {
    let line = text.lines().find(|l| l.starts_with(line)).unwrap();
    let mut words = line.split(' ').filter_map(|w| w.split_once('='));
    words.find(|(n, _)| *n == name).unwrap().1.parse().unwrap()
}

/// The third picture makes the numbers known, and the fourth says them again.
#[test]
fn pictures_that_belong_together_are_scored_in_their_order() {
    let dir = tempfile::tempdir().unwrap();
    let filmed = || make(7, Style::Text, Trouble::None);
    write(
        dir.path(),
        "hall",
        &[filmed(), filmed(), filmed(), filmed()],
    );
    let text = score(dir.path());
    let n = filmed().fields.len();
    let (all, half) = (4 * n, 2 * n);
    let temporal =
        format!("temporal sequences=1 n={all} readable={all} right={half} unknown={half} wrong=0");
    assert!(text.contains(&temporal), "{text}");
    let last = format!("fields n={all} readable={all} right={all} unknown=0 wrong=0");
    assert_eq!(text.lines().last(), Some(last.as_str()), "{text}");
}

/// Somebody walks past while the tickets are called on: nothing wrong is told, before, behind or after.
/// `YOBIBAN_SEQUENCES=DIR` keeps many more of them there, for the figures of docs/camera.md.
#[test]
fn what_goes_past_makes_no_number_wrong_and_the_new_ones_are_told_after_it() {
    if let Some(dir) = std::env::var_os("YOBIBAN_SEQUENCES") {
        let many = [
            Trouble::Cover,
            Trouble::Glare,
            Trouble::Bands,
            Trouble::Noise,
        ];
        for (seed, trouble) in (3000..).zip(many.repeat(5)) {
            for style in [Style::Segments, Style::Text] {
                let name = format!("{style:?}-{trouble:?}-{seed}");
                let pictures = sequence(seed, style, trouble, 12);
                write(Path::new(&dir), &name, &pictures);
            }
        }
    }
    let dir = tempfile::tempdir().unwrap();
    let pictures = sequence(3001, Style::Segments, Trouble::Cover, 6);
    write(dir.path(), "hall", &pictures);
    let text = score(dir.path());
    println!("{text}");
    for line in ["temporal", "fields"] {
        assert_eq!(count(&text, line, "wrong"), 0, "{text}");
    }
    let n = pictures[0].fields.len();
    assert_eq!(count(&text, "temporal", "n"), 6 * n);
    // Two pictures go by before a number is believed: tickets are told with the third and the sixth,
    // counters, which stay, from the third on.
    let told = count(&text, "temporal", "right");
    assert!((n..=3 * n).contains(&told), "{text}");
    assert!(count(&text, "fields", "right") > told, "{text}");
}
