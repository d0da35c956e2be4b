//! The scripts that make the README's animation and its figures beside a browser still do so: they
//! write configurations of their own, wait for texts of the pages and read the node's log.

use crate::alone::alone;
use crate::support::{root, skip, tool};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

/// A minute is waited for, a browser and a video encoder start a few times.
const LIMIT: Duration = Duration::from_secs(300);

/// Runs a script of `tests/browser` and gives what it printed; `None` when something is missing.
async fn script(name: &str, needs: &[&str], args: &[&Path]) -> Option<String> {
    let needed: Vec<_> = needs.iter().map(|program| tool(program)).collect();
    let (Some(node), Some(chromium)) = (tool("node"), tool("chromium")) else {
        return None;
    };
    if needed.contains(&None) {
        return None;
    }
    if !root().join("tests/browser/node_modules").is_dir() {
        skip("tests/browser/node_modules is missing: npm ci there");
        return None;
    }
    let run = tokio::process::Command::new(node)
        .arg(root().join("tests/browser").join(name))
        .arg(env!("CARGO_BIN_EXE_yobiban"))
        .args(args)
        .env("CHROMIUM", chromium)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let done = tokio::time::timeout(LIMIT, run)
        .await
        .expect("in time")
        .unwrap();
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    let wrong = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{name}: {said}{wrong}");
    Some(said)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_animation_is_made_as_the_readme_shows_it() {
    let _alone = alone();
    let dir = tempfile::tempdir().unwrap();
    let Some(said) = script("call.mjs", &["mosquitto", "ffmpeg"], &[dir.path()]).await else {
        return;
    };
    assert!(said.contains("board after"), "{said}");
    for (readme, lang) in [("README.md", "en"), ("README.ja.md", "ja")] {
        let readme = std::fs::read_to_string(root().join(readme)).unwrap();
        for (name, frames) in [("", 3), ("-still", 0), ("-narrow", 3), ("-narrow-still", 0)] {
            let name = format!("call-{lang}{name}.png");
            assert!(
                readme.contains(&format!("\"docs/images/{name}\"")),
                "{name}"
            );
            assert!(root().join("docs/images").join(&name).is_file(), "{name}");
            let picture = std::fs::read(dir.path().join(&name)).unwrap();
            // Animated: a chunk acTL before the pixels, which begins with the number of frames.
            let animated = picture.windows(4).position(|w| w == b"acTL");
            let count = animated.map_or(0, |at| {
                u32::from_be_bytes(picture[at + 4..at + 8].try_into().unwrap())
            });
            assert_eq!(count, frames, "{name}");
            assert!(picture.len() < 500_000, "{name}: {} bytes", picture.len());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_and_a_browser_in_kiosk_mode_are_measured_side_by_side() {
    let _alone = alone();
    let args = [Path::new("3"), Path::new("2")]; // calls, starts
    let Some(said) = script("kiosk.mjs", &["mosquitto"], &args).await else {
        return;
    };
    for row in [
        "publish to pixels",
        "from the hub's event",
        "memory",
        "start to first picture",
    ] {
        assert!(said.contains(row), "{row}: {said}");
    }
    assert!(!said.contains("NaN"), "{said}");
}
